--- Faults that are planted to see that they are found: each of them is a mistake
-- that somebody could make. `edits` are {file, text, other text}; the text is in
-- the file once. `by` are those who have to find it: "sim", the simulator, where
-- nothing is said, and "bed", the fault bed. `outage`: the seed of an outage of
-- the simulator that finds it.

return {
  {
    why = "a once call is repeated after a part of the answer came",
    edits = {
      { "csrc/core/retry.c", "return outcome->phase != DSC_UNSENT;", "return outcome->phase == DSC_SENT;" },
      { "csrc/core/retry.c", "return outcome->phase == DSC_UNSENT || replayable;", "return true;" },
    },
  },
  {
    why = "a once call that was sent is told to have failed for sure",
    by = { "sim", "bed" },
    edits = { { "csrc/core/retry.c", "return outcome->phase != DSC_UNSENT;", "return false;" } },
  },
  {
    why = "a probe that hangs keeps others out until its time-out",
    outage = 21,
    edits = { { "csrc/core/breaker.c", "#define LEASE_MAX_US (2 * SECOND_US)",
      "#define LEASE_MAX_US (60 * SECOND_US)" } },
  },
  {
    why = "an empty budget ends no repeats",
    outage = 8,
    edits = { { "csrc/core/retry.c", "  if (dsc_budget_left(budget, now_us) < cost)\n    return false;\n", "" } },
  },
  {
    why = "a probe that was cancelled holds its lease, which has no end",
    edits = { { "csrc/core/breaker.c", "    breaker->until_us = now_us; /* the next one may try */\n", "" }, {
      "csrc/core/breaker.c",
      "breaker->until_us = lease_until_us < now_us + LEASE_MAX_US",
      "breaker->until_us = lease_until_us < 0",
    }, {
      "csrc/core/breaker.c",
      ": now_us + LEASE_MAX_US;",
      ": INT64_MAX;",
    } },
  },
  {
    why = "the breaker stays open",
    edits = { {
      "csrc/core/breaker.c",
      "return breaker->state == DSC_STATE_CLOSED || now_us >= breaker->until_us;",
      "return breaker->state == DSC_STATE_CLOSED;",
    } },
  },
  {
    why = "repeats cost nothing",
    edits = { { "csrc/core/retry.c", "  budget->tokens -= cost;\n", "" } },
  },
  {
    why = "the budget is never refilled",
    edits = { { "csrc/core/retry.c", "if (refills > 0) {", "if (refills < 0) {" } },
  },
  {
    why = "a sleep before a repeat goes over the deadline",
    edits = { { "csrc/core/call.c", "if (call->wait_us >= call->deadline_us - call->now_us || !spend(call))",
      "if (!spend(call))" } },
  },
  {
    why = "an attempt may last longer than its call",
    edits = { { "csrc/core/call.c", "if (call->operation.attempt_timeout_us < left_us)",
      "if (call->operation.attempt_timeout_us > 0)" } },
  },
  {
    why = "a success after repeats does not give their cost back",
    edits = { { "csrc/core/retry.c", "cost > 0 ? cost : EARNED", "EARNED" } },
  },
  {
    why = "the last in the queue is served first",
    by = { "sim", "bed" },
    edits = { { "csrc/core/limit.c", "struct dsc_waiter *first = queue->queued.first;",
      "struct dsc_waiter *first = queue->queued.last;" } },
  },
  {
    why = "a connection is not given back when its call is cancelled",
    edits = { { "csrc/core/limit.c", "    queue->in_flight--;\n", "    (void)queue;\n" } },
  },
  {
    why = "more requests go out than there are connections",
    edits = { { "csrc/core/limit.c", "if (queue->in_flight < queue->in_flight_max) {",
      "if (queue->in_flight <= queue->in_flight_max) {" } },
  },
  {
    why = "the pace is twice what was given",
    edits = { { "csrc/core/limit.c", "return (int64_t)((double)SECOND_US / per_s);",
      "return (int64_t)((double)SECOND_US / per_s / 2);" } },
  },
  {
    why = "an entry is fresh for a second too long",
    edits = { { "csrc/core/cache.c", "return now_us < node->fresh_until_us;",
      "return now_us < node->fresh_until_us + 1000000;" } },
  },
  {
    why = "the time of old values is not looked at",
    edits = { { "csrc/core/cache.c", "now_us - node->fresh_until_us < within_us", "within_us > 0" } },
  },
  {
    why = "the key of an entry is the same for each token",
    edits = { { "lua/dsclient/token.lua", "core.identify(state.client, state.options.identity or token)",
      'core.identify(state.client, "anybody")' } },
  },
  {
    why = "those who wait for a fetch get nothing where it failed",
    edits = { { "lua/dsclient/flight.lua", "flight.landed, flight.parcel, flight.err = true, parcel, err",
      "flight.landed, flight.parcel, flight.err = true, parcel, nil" } },
  },
  {
    why = "nobody fetches where the leader of a flight was cancelled",
    edits = { { "lua/dsclient/flight.lua", "    heir.leads = true\n", "" } },
  },
  {
    why = "a write does not make old what it changes",
    edits = { { "lua/dsclient/flight.lua", '  core.drop(state.client, operation .. "\\0")\n', "" } },
  },
  {
    why = "what a write has overtaken is kept",
    edits = { { "lua/dsclient/call.lua", "if text and not overtaken then", "if text then" } },
  },
  {
    why = "those who wait are not woken when the client is closed",
    edits = { { "lua/dsclient/init.lua", "  wait.wake_all(state)\n", "" } },
  },
  {
    why = "a task that is cancelled while it sleeps goes on",
    edits = { { "lua/dsclient/drive.lua",
      'if seconds > 0 and enter(state) and wait.park(state, {}, seconds) == "cancelled" then',
      'if seconds > 0 and enter(state) and wait.park(state, {}, seconds) == "nothing" then' } },
  },
  {
    why = "a call that was refused by the server is a success",
    edits = { { "csrc/core/retry.c", "return envelope->code == 0 ? DSC_OK : DSC_API;", "return DSC_OK;" } },
  },
  {
    why = "a once request is sent over a kept connection",
    edits = { { "lua/dsclient/drive.lua", 'once = row.replay == "once",', "once = false," } },
  },
  {
    why = "max_retries of a call is not looked at",
    edits = { { "csrc/core/call.c", "if (wishes->max_retries >= 0)", "if (wishes->max_retries > 1000)" } },
  },
  {
    why = "a dead connection is a free repeat each time",
    edits = { { "csrc/core/call.c", "if (call->last.stale && !call->free_repeat) {", "if (call->last.stale) {" } },
  },
  {
    why = "what timed out is repeated three times",
    edits = { { "csrc/core/call.c", "#define TIMEOUT_REPEATS_MAX 1", "#define TIMEOUT_REPEATS_MAX 3" } },
  },
  {
    why = "a new token is tried for ever",
    edits = { { "csrc/core/call.c", "if (kind == DSC_AUTH && !call->token_renewed) {", "if (kind == DSC_AUTH) {" } },
  },
  {
    why = "a connection is kept during the sleep before a repeat",
    edits = { { "csrc/core/call.c", "  leave_queue(call);\n  call->repeats = true;\n", "  call->repeats = true;\n" } },
  },
  {
    why = "the breaker never opens",
    edits = { { "csrc/core/breaker.c", "#define CALLS_MIN 20", "#define CALLS_MIN 2000" } },
  },
  {
    why = "a half-open breaker lets all through",
    edits = { {
      "csrc/core/breaker.c",
      "    breaker->until_us = lease_until_us < now_us + LEASE_MAX_US\n"
        .. "                            ? lease_until_us\n"
        .. "                            : now_us + LEASE_MAX_US;\n",
      "    breaker->until_us = now_us;\n    (void)lease_until_us;\n",
    } },
  },
  {
    why = "Retry-After is not looked at",
    edits = { {
      "csrc/core/call.c",
      "  return wait_us > call->last.retry_after_us ? wait_us\n"
        .. "                                             : call->last.retry_after_us;\n",
      "  return wait_us;\n",
    } },
  },
  {
    why = "a 429 holds its own call only",
    edits = { { "csrc/core/limit.c", "  if (until_us > pacer->hold_us)\n    pacer->hold_us = until_us;\n",
      "  (void)until_us;\n" } },
  },
  {
    why = "a 429 makes forget what was sent under a given rate",
    edits = { { "csrc/core/limit.c", "  if (pacer->given_per_s > 0)\n    latest_us",
      "  if (pacer->given_per_s < 0)\n    latest_us" } },
  },
  {
    why = "a slow-down is never forgotten",
    edits = { { "csrc/core/limit.c", "#define CALM_US (60 * SECOND_US)", "#define CALM_US (6000 * SECOND_US)" } },
  },
  {
    why = "the queue has no end",
    edits = { { "csrc/core/limit.c", "} else if (queue->queued.count < queue->queued_max) {", "} else {" } },
  },
  {
    why = "who gets a connection is not woken",
    edits = { { "lua/dsclient/wait.lua", "    if waiter then\n      state.runtime.wake(waiter)\n    end\n", "" } },
  },
  {
    why = "who waits for a fetch is not woken when it ends",
    edits = { {
      "lua/dsclient/flight.lua",
      "  for _, waiter in ipairs(flight.waiters) do\n    state.runtime.wake(waiter)\n  end\n",
      "",
    } },
  },
  {
    why = "who waits for a fetch does not know when his time is over",
    edits = { { "lua/dsclient/flight.lua", 'elseif how == "timeout" or core.time(state.client) >= deadline then',
      "elseif core.time(state.client) > deadline then" } },
  },
  {
    why = "a fetch that a write has overtaken is joined",
    edits = { { "lua/dsclient/flight.lua", '  detach(state, operation .. "\\0")\n', "" } },
  },
  {
    why = "what another token fetched is kept",
    edits = { { "lua/dsclient/call.lua", "local overtaken = read.identity ~= state.identity or writes",
      "local overtaken = writes" } },
  },
  {
    why = "what was fetched before the cache was emptied is kept",
    edits = { { "lua/dsclient/call.lua", " or cleared ~= state.cleared\n", "\n" } },
  },
  {
    why = "a caller is given the table that the cache keeps",
    edits = { { "csrc/lua/cache.c", "if (borrow && dsc_cache_has_object(client->core.cache, entry->index)) {",
      "if (dsc_cache_has_object(client->core.cache, entry->index)) {" } },
  },
  {
    why = "the cache does not keep to its number of entries",
    edits = { { "csrc/core/cache.c", "while (cache->stats.size >= cache->limits.entries_max ||",
      "while (cache->stats.size >= cache->limits.entries_max * 2 ||" } },
  },
  {
    why = "a refresh in the background that fails counts as a stale hit",
    edits = { { "lua/dsclient/call.lua", " or read.opts.refresh or read.unseen then",
      " or read.opts.refresh then" } },
  },
  {
    why = "a run is not held after an execute",
    edits = { { "lua/dsclient/call.lua", "    hold.acting, hold.until_s = nil, now_s + HOLD_S\n",
      "    hold.acting, hold.until_s = nil, now_s\n" } },
  },
  {
    why = "two tasks act on one run at once",
    edits = { { "lua/dsclient/call.lua", "elseif state.held[id] and state.held[id].acting and",
      "elseif false and" } },
  },
  {
    why = "the log's time is added to a sleep",
    edits = { { "lua/dsclient/drive.lua", "math.max(seconds - (core.time(state.client) - told_s), 0)", "seconds" } },
  },
  {
    why = "a call is sent with no time left",
    edits = { { "lua/dsclient/drive.lua", "return deadline - now_s < MICROSECOND", "return deadline < now_s" } },
  },
  {
    why = "the token stands in errors",
    edits = { { "lua/dsclient/drive.lua", "local function hide(text, secret)\n",
      "local function hide(text, secret)\n  if secret then\n    return text\n  end\n" } },
  },
  {
    why = "a follower's error names the leader's operation",
    edits = { {
      "lua/dsclient/call.lua",
      "      err.operation = read.row.name -- the other call may have another name for it\n",
      "",
    } },
  },
  {
    why = "bytes in and out are mixed up",
    edits = { { "csrc/core/call.c", "                        call->last.kind, bytes_in, bytes_out);",
      "                        call->last.kind, bytes_out, bytes_in);" } },
  },
  {
    why = "who waits for a transfer is not woken when it can be read",
    edits = { { "lua/dsclient/wait.lua", "      self.runtime.wake(waiter)\n      self.waiters[id] = nil\n", "" } },
  },
  {
    why = "a transfer whose task was ended blocks the others",
    edits = { { "lua/dsclient/wait.lua", '      transfer:cancel()\n', "      return\n" } },
  },
  {
    why = "a task that is ended waits on",
    edits = { { "lua/dsclient/runtime/tasks.lua", '    wake(self, waiter, "cancelled")\n', "" } },
  },
  {
    why = "a task that was ended waits again",
    edits = { { "lua/dsclient/runtime/tasks.lua", "if task.cancelled and not shielded then", "if task.over then" } },
  },
  {
    why = "the last task that can run is the first that does",
    edits = { {
      "lua/dsclient/runtime/tasks.lua",
      "  task.waits, task.how, task.following = false, how, false\n  if self.last then\n"
        .. "    self.last.following = task\n  else\n    self.first = task\n  end\n  self.last = task\n",
      "  task.waits, task.how, task.following = false, how, self.first\n  self.first = task\n"
        .. "  self.last = self.last or task\n",
    } },
  },
  {
    why = "a scope is left while its tasks run",
    edits = { { "lua/dsclient/scope.lua", "not scope.reason then\n      end_tasks(scope, how)\n",
      "not scope.reason then\n      return end_tasks(scope, how)\n" } },
  },
  {
    why = "a scope is not told that a task of it is over",
    edits = { { "lua/dsclient/scope.lua", "  scope.runtime.wake(scope.waiter)\n", "" } },
  },
  {
    why = "who joins a task is not told that it is over",
    edits = { { "lua/dsclient/scope.lua",
      "  for _, waiter in ipairs(task.waiters) do\n    scope.runtime.wake(waiter)\n  end\n", "" } },
  },
  {
    why = "who joins a task goes on before it is over",
    edits = { { "lua/dsclient/scope.lua", "  while not self.over do\n    local waiter = {}",
      "  if not self.over then\n    local waiter = { woken = true }" } },
  },
  {
    why = "a Lua error in a task is lost",
    edits = { { "lua/dsclient/scope.lua", "  if not fine then\n    fail(scope, results)\n  end\n", "" } },
  },
  {
    why = "the last of several Lua errors is thrown",
    edits = { { "lua/dsclient/scope.lua", "  if not scope.failed then\n", "  if not fine then\n" } },
  },
  {
    why = "a Lua error has the traceback of each scope that it went through",
    edits = { { "lua/dsclient/scope.lua", "type(problem) == \"string\" and not problem:find(TRACEBACK, 1, true)",
      'type(problem) == "string"' } },
  },
  {
    why = "a Lua error ends nobody else",
    edits = { { "lua/dsclient/scope.lua", '    end_tasks(scope, "failed")\n  end\nend\n', "  end\nend\n" } },
  },
  {
    why = "the time of a scope is not looked at",
    edits = { { "lua/dsclient/scope.lua", "scope.reason and huge or left_s(), scope", "huge, scope" } },
  },
  {
    why = "a slot is worked on by each of those who work",
    edits = { { "lua/dsclient/scope.lua", "    job.taken = job.taken + 1\n    call(job, job.keys[job.taken])\n",
      "    call(job, job.keys[job.taken + 1])\n    job.taken = job.taken + 1\n" } },
  },
  {
    why = "slots that nobody came to have no error",
    edits = { { "lua/dsclient/scope.lua", "    return settle(job, key, nil, why(job.scope.reason))\n",
      "    return\n" } },
  },
  {
    why = "what a run leaves behind goes on",
    edits = { { "lua/dsclient/scope.lua", "body.over then\n      end_tasks(scope, \"cancelled\")\n",
      "body.over then\n      return\n" } },
  },
  {
    why = "the timer of a wait that is over goes on",
    by = { "bed" },
    edits = { { "lua/dsclient/runtime/tasks.lua", "  self.timers:remove(waiter)\n", "" } },
  },
  {
    why = "the connections of a client that is closed stay open",
    by = { "bed" },
    edits = { { "csrc/curl/sockets.c", "  return close(fd);\n", "  return 0;\n" } },
  },
  {
    why = "nobody is told of a transfer that has the place of an earlier one",
    by = { "bed" },
    edits = { { "csrc/curl/attempt.c", "  attempt->text = NULL;\n  attempt->told = false;\n",
      "  attempt->text = NULL;\n" },
      { "lua/dsclient/wait.lua", "if told == 0 and running == 0 then", "if false then" } },
  },
}

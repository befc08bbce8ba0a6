--- Faults that are planted to see that the simulator finds them: each of them
-- is a mistake that somebody could make. `edits` are {file, text, other text};
-- the text is in the file once.

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
    edits = { { "csrc/core/retry.c", "return outcome->phase != DSC_UNSENT;", "return false;" } },
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
    edits = { { "csrc/core/call.c", "if (call->wait_us >= call->deadline_us - now_us(call) || !spend(call))",
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
    edits = { { "lua/dsclient/call.lua", '    core.drop(state.client, operation .. "\\0")\n', "" } },
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
}

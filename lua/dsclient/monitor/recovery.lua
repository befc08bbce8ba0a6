--- One recovery: what is read before, one execute, and the following of its
-- outcome by reading. A run that was sent for is never sent for again until
-- its runTimes grew.

local policy = require "dsclient.monitor.policy"
local reading = require "dsclient.monitor.reading"

local format = string.format

local _M = {}

-- An accepted recovery shows within a second or so (measured on 3.1.1). The
-- first look comes soon, later ones ever more rarely.
local FIRST_LOOK_S, LOOK_MAX_S = 0.5, 60
-- Accepted, and so long without any effect: nobody knows what became of it.
local TAKEN_UP_S = 60
-- A run that something outside speaks against is looked at again so rarely.
local RECHECK_S = 600

-- Errors of an execute that surely did nothing; all others are outcome_unknown.
local NOT_DONE = {
  api = true, connect = true, dns = true, tls = true, throttled = true, auth = true, busy = true, argument = true,
  not_found = true, ambiguous = true, closed = true, limit = true, breaker_open = true, unsupported = true,
}

-- What was stopped goes on where it was; all else is run again where it failed.
local VERBS = { STOP = "resume", KILL = "resume" }

local PENDING_COMMAND = 50009 -- somebody else's execute of this run is under way

--- So many recoveries are under way, as far as we know.
function _M.count_running(monitor)
  local count = 0
  for _, entry in pairs(monitor.state.runs) do
    if entry.sent and entry.sent.status == "accepted" then
      count = count + 1
    end
  end
  return count
end

-- --- before --------------------------------------------------------------

--- What speaks against acting on the run itself.
local function objection_of_run(monitor, entry)
  local row, err = reading.details(monitor, entry)
  if not row then
    return reading.is_gone(err) and "changed: the run is gone" or nil, err
  elseif row.state ~= entry.state then
    return "changed: now " .. tostring(row.state)
  elseif row.runTimes ~= entry.run_times then
    return "changed: somebody ran it again"
  elseif row.workflowDefinitionVersion ~= entry.workflow_version then
    return "changed: another version of the definition"
  elseif row.projectCode and row.projectCode ~= entry.project_code then
    return "changed: now in another project"
  end
  return policy.untouchable(monitor.config, entry, row)
end

local function objection_of_later_runs(monitor, entry)
  local later, err = reading.superseding(monitor, entry)
  if later then
    return format("superseded: the later run #%d is %s", later.id, later.state)
  end
  return nil, err
end

local function objection_of_definition(monitor, entry)
  local definition, err = reading.definition(monitor, entry)
  if not definition then
    return definition == false and "offline: the definition is gone" or nil, err
  elseif definition.name ~= entry.workflow then
    return "changed: the workflow is now called " .. definition.name
  elseif definition.releaseState ~= "ONLINE" then
    return "offline: the definition is not online"
  end
end

local OBJECTIONS = { objection_of_run, objection_of_later_runs, objection_of_definition }

--- What speaks against acting on this run now, all read fresh.
-- @treturn string|nil reason; nil when nothing does; nil, err when it can't be
--   read
local function objection(monitor, entry)
  for _, ask in ipairs(OBJECTIONS) do
    local reason, err = ask(monitor, entry)
    if reason or err then
      return reason, not reason and err or nil
    end
  end
end

-- --- the one execute -----------------------------------------------------

local function cooldown_s(monitor, entry)
  return monitor.config.cooldown_s * 2 ^ (policy.attempts(entry) - 1)
end

local function unknown(monitor, entry, reason)
  entry.sent.status = "unknown"
  entry.sent.wait_s = FIRST_LOOK_S
  monitor:count_outcome(entry, "outcome_unknown")
  monitor:say("outcome_unknown", entry, reason)
end

--- Not now: with the next round.
local function put_off(monitor, entry)
  entry.retry_at = monitor:now() + monitor.config.interval_s
end

--- The execute surely did nothing. A refusal counts as an attempt; what never
-- reached the server, or waits for somebody else's execute, does not.
local function not_done(monitor, entry, err)
  local busy = err.kind == "busy" or err.code == PENDING_COMMAND
  entry.sent = nil
  monitor.report.refused = monitor.report.refused or reading.is_refused(err)
  if err.kind == "api" and not busy then
    entry.retry_at = monitor:now() + cooldown_s(monitor, entry)
  else
    entry.attempts = entry.attempts - 1
    put_off(monitor, entry)
  end
  if busy then
    return monitor:decide("skipped", entry, "busy: another execute of this run is under way")
  end
  monitor:decide("skipped", entry, "refused: " .. reading.reason(err))
end

--- Sends the one execute of this attempt; the intent is on disk before.
local function execute(monitor, entry)
  local attempt = policy.attempts(entry) + 1
  entry.attempts = attempt
  entry.sent = { at = monitor:now(), before = entry.run_times, status = "intent", wait_s = FIRST_LOOK_S }
  local saved, message = monitor.state:save()
  if not saved then
    entry.sent, entry.attempts = nil, attempt - 1
    return monitor:decide("skipped", entry, "state_unwritable: " .. message)
  end
  entry.decision = nil
  monitor:take_from_budget()
  monitor:say("recovering", entry, format("attempt %d of %d", attempt, policy.max_attempts(monitor.config, entry)))
  monitor:save() -- who hands events over later may have put it into the state
  local instances = monitor.client.instances
  local accepted, err = instances[VERBS[entry.state] or "recover"](instances, {
    project = entry.project_code,
    instance_id = entry.id,
  })
  entry.sent.look_at = monitor:now() + FIRST_LOOK_S
  if not accepted and NOT_DONE[err.kind] then
    not_done(monitor, entry, err)
  else
    monitor:count "recoveries"
    if accepted then
      entry.sent.status = "accepted"
    else
      unknown(monitor, entry, reading.reason(err))
    end
  end
  monitor:save()
end

--- A dry run counts as if it were sent.
local function would_execute(monitor, entry)
  monitor:take_from_budget()
  entry.recheck_at = monitor:now() + RECHECK_S
  monitor:decide("would_recover", entry, "dry_run")
end

local function try_now(monitor, entry)
  local reason, err = objection(monitor, entry)
  if err then
    put_off(monitor, entry)
    monitor:log("warn", format("run %d is not recovered now, it can't be read: %s", entry.id, tostring(err)))
  elseif reason then
    entry.recheck_at = monitor:now() + RECHECK_S
    monitor:decide("skipped", entry, reason)
  elseif monitor.config.dry_run then
    would_execute(monitor, entry)
  else
    execute(monitor, entry)
  end
end

--- What speaks against acting on any run now.
-- @treturn string|nil reason
local function brake(monitor)
  local config = monitor.config
  if _M.count_running(monitor) >= config.max_running_recoveries then
    return format("too_many_running: waits for one of %d recoveries to end", config.max_running_recoveries)
  elseif monitor:budget() <= 0 then
    return format("round_limit: %d a round", config.max_recoveries_per_round)
  end
end

--- Recovers a run, unless something read just now speaks against it. In a pause
-- and in a storm there is nothing to say of each run.
function _M.try(monitor, entry)
  if monitor.state.said.storm or monitor:is_paused() then
    return
  end
  local reason = brake(monitor)
  if reason then
    put_off(monitor, entry)
    monitor:decide("skipped", entry, reason)
  else
    try_now(monitor, entry)
  end
end

-- --- following -----------------------------------------------------------

local function ended(monitor, entry, row)
  local sent = entry.sent
  entry.sent = nil
  if reading.is_good(row) then
    monitor:count_outcome(entry, "recovered")
    monitor:say("recovered", entry, row.state)
    return monitor:forget(entry)
  end
  monitor:count_outcome(entry, "failed_again")
  entry.state = row.state
  entry.last_at = reading.last_at(monitor, row) or entry.last_at
  if monitor:is_open(entry) and policy.attempts(entry) < policy.max_attempts(monitor.config, entry) then
    entry.retry_at = sent.at + cooldown_s(monitor, entry)
  end
  local left_s = entry.retry_at and math.max(0, entry.retry_at - monitor:now())
  monitor:say("failed_again", entry, row.state .. (left_s and format(": again in %.0f s", left_s) or ""))
end

--- What the row says of a recovery that was sent.
function _M.judge(monitor, entry, row)
  local sent, grown = entry.sent, row.runTimes - entry.sent.before
  entry.run_times = row.runTimes
  if grown > 1 and not sent.doubled then
    sent.doubled = true
    monitor:say("double_run", entry, format("run_times grew by %d after one execute of ours", grown))
  end
  if grown > 0 then
    sent.status = "accepted"
    return (row.finished or row.failed) and ended(monitor, entry, row)
  elseif row.finished and row.state ~= entry.state then
    entry.sent = nil
    return monitor:ended_otherwise(entry, row)
  end
  local waited_s = monitor:now() - sent.at
  if sent.status == "accepted" and waited_s >= TAKEN_UP_S then
    unknown(monitor, entry, format("accepted %.0f s ago, and not begun", waited_s))
  end
end

local function look(monitor, entry)
  local sent = entry.sent
  sent.look_at = monitor:now() + sent.wait_s
  sent.wait_s = math.min(2 * sent.wait_s, LOOK_MAX_S)
  if sent.status == "intent" then
    unknown(monitor, entry, "interrupted: the monitor ended before the answer came")
  end
  local row, err = reading.run(monitor, entry)
  if row then
    _M.judge(monitor, entry, row)
  elseif reading.is_gone(err) then
    monitor:forget(entry)
  else
    monitor:log("warn", format("run %d can't be followed now: %s", entry.id, tostring(err)))
  end
  return not (err and reading.is_out_of_reach(err))
end

--- Looks at the recoveries whose time has come, once each: none waits for
-- another.
function _M.follow(monitor)
  local now = monitor:now()
  for _, entry in ipairs(monitor:entries()) do
    local due = entry.sent and (entry.sent.look_at or 0) <= now
    if due and (monitor:is_ending() or not look(monitor, entry)) then
      return
    end
  end
end

--- When a recovery is to be looked at before the next round. One that shows no
-- effect is not waited for.
-- @treturn number|nil
function _M.look_at(monitor, entry)
  local sent = entry.sent
  local waited_for = entry.run_times > sent.before or monitor:now() < sent.at + TAKEN_UP_S
  return waited_for and (sent.look_at or 0) or nil
end

return _M

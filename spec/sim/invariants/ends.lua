--- Each call ends: in time, at once when it is cancelled or the client closed,
-- with a value or an error of a known kind, and with the kind that fits.

local errors = require "dsclient.errors"
local faults = require "spec.sim.faults"

local format = string.format

local Ends = {}
Ends.__index = Ends

-- --- in time -------------------------------------------------------------

function Ends:attempt_begun(attempt)
  local world, call = self.world, attempt.call
  local now_us = world.scheduler.now_us
  if attempt.deadline_us > call.deadline_us or now_us >= attempt.deadline_us then
    world:fail("an attempt ends within its call", "%s until %.6f, the call until %.6f", attempt.label,
      attempt.deadline_us / 1e6, call.deadline_us / 1e6)
  elseif call.was_closed or world.closed_us then
    world:fail("a closed client sends nothing", "%s", attempt.label)
  elseif attempt.task.stopped == call then
    world:fail("what is cancelled sends nothing more", "%s", attempt.label)
  end
end

local function check_time(self, call)
  local world = self.world
  local latest_us = math.max(call.deadline_us, call.hook_ended_us or 0)
  if call.ended_us > latest_us then
    world:fail("no call ends after its deadline", "%s: %d us late", call.label, call.ended_us - call.deadline_us)
  end
  local stop_us = math.min(call.task.cancelled_us or math.huge, world.closed_us or math.huge)
  if call.ended_us > math.max(stop_us, call.begun_us, call.hook_ended_us or 0) then
    world:fail("what is cancelled or closed ends at once", "%s ended %.6f s after that", call.label,
      (call.ended_us - stop_us) / 1e6)
  end
end

-- --- with what -----------------------------------------------------------

-- Kinds that are not told by the last attempt: when may they be?
local OWN = {}

-- The client's deadlines are rounded down to whole microseconds, twice.
function OWN.deadline(call)
  return call.ended_us >= call.deadline_us - 2 or call.world.plan.options.rate_limit ~= nil
end

function OWN.cancelled(call)
  return call.task.cancelled_us ~= nil or call.world.closed_us ~= nil
end

function OWN.closed(call)
  return call.world.closed_us ~= nil
end

function OWN.limit(call)
  local status = call.world.client:status()
  return not status or call.hook_ended_us or status.waiting >= status.waiting_max
end

function OWN.busy(call)
  return call.name == "instances.execute"
end

function OWN.breaker_open(call)
  return call.world.plan.options.enable_breaker ~= false
end

function OWN.outcome_unknown(call)
  local last = call.attempts[#call.attempts]
  return call.row.replay == "once" and last ~= nil and last.phase ~= "unsent"
end

function OWN.not_found(call)
  return call.world.plan.names
end

-- A shared fetch, or the source, may have failed with what this call did not
-- see itself.
function OWN.throttled(call)
  return call.world.last_429_us ~= nil
end

function OWN.auth(call)
  return call.world.plan.token.hook ~= nil
end

-- What the client should make of an attempt.
local function kind_of(attempt)
  if attempt.kind ~= "answer" then
    return attempt.kind
  end
  local status = attempt.status
  if status == 429 then
    return "throttled"
  elseif status == 401 then
    return "auth"
  elseif status == 404 then
    return "not_api"
  elseif status >= 500 then
    return "server"
  elseif status ~= 200 then
    return "http"
  elseif attempt.code == nil then
    return "not_api"
  end
  return attempt.code == 0 and "ok" or "api"
end

local function fits(self, call, kind)
  call.world = self.world
  local last = call.attempts[#call.attempts]
  if OWN[kind] and OWN[kind](call) then
    return true
  elseif last and kind_of(last) == kind then
    return true
  elseif last and not call.world.plan.names and not call.world.plan.detects then
    return false
  end
  -- it took part in another call's fetch
  local attempts = self.world.ledger.attempts
  for i = #attempts, 1, -1 do
    local attempt = attempts[i]
    local other_ended_us = attempt.call.ended_us or math.huge
    if attempt.ended_us and other_ended_us >= call.begun_us and kind_of(attempt) == kind then
      return true
    end
  end
  return false
end

local KINDS = {}
for kind in ([[connect tls dns network timeout protocol auth throttled server http not_api api outcome_unknown deadline
  cancelled breaker_open busy limit closed phase memory unsupported argument not_found ambiguous]]):gmatch "%S+" do
  KINDS[kind] = true
end

local function check_error(self, call)
  local world, err = self.world, call.err
  if not errors.is(err) or not KINDS[err.kind] or type(err.message) ~= "string" then
    world:fail("an error has a known kind and a message", "%s: %s", call.label, tostring(err))
  elseif err.operation ~= call.name and err.kind ~= "closed" then
    world:fail("an error names its operation", "%s: %s", call.label, tostring(err.operation))
  elseif not fits(self, call, err.kind) then
    local last = call.attempts[#call.attempts]
    world:fail("an error's kind is that of what happened", "%s is %s after %s", call.label, tostring(err),
      last and kind_of(last) or "no attempt")
  end
  world.ledger:mark("ended " .. err.kind)
end

-- Attempts of the operation itself: looking up a name asks others.
local function own_attempts(call)
  local count = 0
  for _, attempt in ipairs(call.attempts) do
    count = count + (attempt.request.operation == call.row.operation and 1 or 0)
  end
  return count
end

-- As call.h has it.
local HISTORY_MAX = 16

local function check_attempts(self, call)
  local count = own_attempts(call)
  local told = call.meta and call.meta.attempts
  if call.err and call.err.attempts and #call.attempts > 0 and count == #call.attempts then
    told, count = #call.err.attempts, math.min(count, HISTORY_MAX)
  end
  if told and told ~= count and not (call.meta and call.meta.cached) and not (call.err and count == 0) then
    self.world:fail("the attempts told of are those that were made", "%s: %d, not %d", call.label, told, count)
  end
end

function Ends:call_ended(call)
  if call.row.replay == "clear" then
    return
  end
  check_time(self, call)
  if call.thrown and call.thrown ~= self.world.HOOK_ERROR and call.thrown ~= faults.THROWN then
    error(call.thrown, 0)
  elseif call.thrown or call.is_background then
    return
  elseif (call.value ~= nil) == (call.err ~= nil) or call.value ~= nil and type(call.meta) ~= "table" then
    self.world:fail("a call gives a value and what is to be known of it, or an error", "%s gave %s, %s, %s", call.label,
      tostring(call.value), tostring(call.err), tostring(call.meta))
  elseif call.err then
    check_error(self, call)
  elseif call.was_closed then
    self.world:fail("a closed client gives nothing", "%s: %s", call.label, format("%s", tostring(call.value)))
  end
  check_attempts(self, call)
end

function Ends:settled()
  local world = self.world
  if world.scheduler.alive > 0 then
    world:fail("nothing hangs", "%d tasks never end", world.scheduler.alive)
  elseif world.network.in_flight > 0 then
    world:fail("nothing hangs", "%d requests never end", world.network.in_flight)
  end
end

return function(world)
  return setmetatable({ world = world }, Ends)
end

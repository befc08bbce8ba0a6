--- Circuit breakers: where most has failed they are not closed, where they are
-- open nothing is sent, where they are half-open one probe at a time; and they
-- refuse nothing without a reason.

-- Shorter and longer than what the client remembers, for what has to be certain.
local FAILURES_MIN, FAILED_US, WELL_US = 20, 9e6, 11e6

local Breakers = {}
Breakers.__index = Breakers

local UNREACHED = { connect = true, tls = true, dns = true }

-- Of a server: "good", "bad" or nil.
local function server_health(attempt)
  if UNREACHED[attempt.kind] or attempt.kind == "network" and not attempt.stale then
    return "bad"
  elseif attempt.kind == "answer" then
    return (attempt.status == 502 or attempt.status == 503) and "bad" or "good"
  end
  return attempt.kind == "protocol" and "good" or nil
end

-- Of an operation.
local function operation_health(attempt)
  if attempt.kind == "timeout" and attempt.phase ~= "unsent" or attempt.status == 500 or attempt.status == 504 then
    return "bad"
  end
  return server_health(attempt) == "good" and "good" or nil
end

local function guard_of(self, name)
  local guard = self.guards[name]
  if not guard then
    guard = { failed = {}, well = {}, well_us = 0 }
    self.guards[name] = guard
  end
  return guard
end

-- The name under which the client knows the operation: each has its breaker.
local function name_of(attempt)
  local call, operation = attempt.call, attempt.request.operation
  return operation == call.row.operation and call.name or operation
end

local function add(times, now_us, span_us)
  times[#times + 1] = now_us
  while times[1] and times[1] < now_us - span_us do
    table.remove(times, 1)
  end
end

local function drop_older(times, from_us)
  while times[1] and times[1] < from_us do
    table.remove(times, 1)
  end
end

-- Have enough failed since the last success that it can't be closed?
local function must_be_shut(self, name, attempt, health)
  local now_us, guard = self.world.scheduler.now_us, guard_of(self, name)
  if health == "good" then
    guard.failed, guard.well_us = {}, now_us
    add(guard.well, now_us, WELL_US)
  elseif health == "bad" and attempt.begun_us > guard.well_us then
    add(guard.failed, now_us, FAILED_US)
    drop_older(guard.well, now_us - WELL_US)
    return #guard.failed >= FAILURES_MIN and #guard.failed >= #guard.well
  end
  return false
end

local function is_off(world)
  return world.plan.options.enable_breaker == false or world.closed_us
end

function Breakers:attempt_told(attempt)
  if is_off(self.world) then
    return
  end
  local name = name_of(attempt)
  local server, operation = server_health(attempt), operation_health(attempt)
  if server ~= "good" or operation ~= "good" then
    self.failures, self.failed_us = self.failures + 1, self.world.scheduler.now_us
  end
  local server_shut = must_be_shut(self, "server " .. attempt.server, attempt, server)
  local operation_shut = must_be_shut(self, name, attempt, operation)
  if server_shut or operation_shut then
    self.shut = {
      server = server_shut and attempt.server,
      operation = operation_shut and name,
    }
  end
end

-- The client knows by now.
function Breakers:stepped()
  local shut, world = self.shut, self.world
  self.shut = nil
  if not shut or is_off(world) then
    return
  end
  local status = world.client:status()
  local server = status.servers[shut.server]
  if server and server.state == "closed" then
    world:fail("a breaker opens where most has failed", "server %d: %d calls, %d failures", shut.server, server.calls,
      server.failures)
  elseif shut.operation and not status.operations[shut.operation] then
    world:fail("a breaker opens where most has failed", "%s", shut.operation)
  end
  world.ledger:mark(shut.server and "server shut" or "operation shut")
end

-- --- what may be sent ----------------------------------------------------

-- So long a probe is the only one, at most.
local LEASE_US = 2e6

-- How many are under way that went out in this state, within their lease.
local function probes(self, since_us, now_us, fits)
  local count, from_us = 0, math.max(since_us, now_us - LEASE_US + 1)
  for exchange in pairs(self.world.network.busy) do
    local attempt = exchange.attempt
    if attempt.begun_us >= from_us and attempt.deadline_us > now_us and fits(attempt) then
      count = count + 1
    end
  end
  return count
end

local function check_breaker(self, attempt, breaker, fits)
  local world, now_us = self.world, self.world.scheduler.now_us
  if breaker.state == "open" then
    world:fail("nothing is sent where a breaker is open", "%s", attempt.label)
  elseif breaker.state ~= "half-open" then
    return
  end
  world.ledger:mark "probed"
  local count = probes(self, now_us - math.floor(breaker.since_s * 1e6 + 0.5), now_us, fits)
  if count > 1 then
    world:fail("a half-open breaker lets one probe through at a time", "%s is one of %d", attempt.label, count)
  end
end

function Breakers:attempt_begun(attempt)
  if is_off(self.world) then
    return
  end
  local status, name = self.world.client:status(), name_of(attempt)
  check_breaker(self, attempt, status.servers[attempt.server], function(other)
    return other.server == attempt.server
  end)
  if status.operations[name] then
    check_breaker(self, attempt, status.operations[name], function(other)
      return name_of(other) == name
    end)
  end
end

-- --- what is refused -----------------------------------------------------

-- Half of at least 20 have failed; then one probe after the other, 8 s apart at
-- most.
local FAILED_MIN, OPEN_MAX_US = 10, 8e6

function Breakers:call_ended(call)
  local world = self.world
  if not call.err or call.err.kind ~= "breaker_open" then
    return
  elseif self.failures < FAILED_MIN then
    world:fail("a breaker opens for a reason", "%s: %d attempts have failed", call.label, self.failures)
  elseif world.network.in_flight == 0 and call.ended_us > self.failed_us + OPEN_MAX_US then
    world:fail("a breaker is not open for ever", "%s: the last failure was %.6f s ago", call.label,
      (call.ended_us - self.failed_us) / 1e6)
  end
end

return function(world)
  return setmetatable({ world = world, guards = {}, failures = 0, failed_us = 0 }, Breakers)
end

--- After the faults: whatever state the client is in, it has an exit. All that
-- was asked before is asked again, and has to be answered within a bounded
-- time; then by each server alone.

local calls = require "spec.sim.calls"

local _M = {}

local PROBES = {
  { name = "projects.list", args = {} },
  { name = "workflows.list", args = { project = "1001" } },
  { name = "instances.list", args = { project = "1001" } },
  { name = "instances.get", args = { project = "1001", instance_id = 1 } },
  { name = "workflows.release", args = { project = "1001", workflow = "10011", state = "ONLINE" } },
  { name = "projects.create", args = { name = "probe" } },
}
for _, wanted in ipairs(PROBES) do
  wanted.opts = { timeout_s = 5, attempt_timeout_s = 5, cache = false }
end

-- A breaker is shut for 8 s at most. Where the server refused by 429, the
-- client is held for 60 s at most, and slow for 60 more.
-- To go to another server costs the budget, which may be empty: 10 s a server.
local EXIT_US, CALM_US, SWITCH_US = 10e6, 125e6, 30e6

-- Was the call answered, if by a refusal?
local function is_through(call)
  return call.value ~= nil or call.err and call.err.kind == "api"
end

-- In rounds, a second apart, until all come through.
local function probe(world, what, within_us)
  local scheduler, number = world.scheduler, 0
  local from_us = scheduler.now_us
  local missing
  repeat
    missing = nil
    for i, wanted in ipairs(PROBES) do
      number = number + 1
      local call = calls.perform(world, wanted, 5000000 + world.probes * 1000 + number, "probe " .. i)
      missing = missing or not is_through(call) and call
    end
    if missing and scheduler.now_us - from_us > within_us then
      world:fail("every state has an exit", "%s: %s after %.0f s without faults", what, tostring(missing.err),
        (scheduler.now_us - from_us) / 1e6)
    end
    scheduler:sleep(1e6)
  until not missing
  world.probes = world.probes + 1
end

local function check_limits(world)
  world.scheduler:sleep(CALM_US)
  local status = world.client:status()
  local rate = world.plan.options.rate_limit
  if status.hold_s or status.rate_per_s ~= (rate and rate.per_s) then
    world:fail("the limiter lets go", "%s", tostring(status))
  end
end

--- Proves it, in a task of its own.
function _M.prove(world)
  local within_us = world.last_429_us and CALM_US or EXIT_US
  world.probes = 0
  world.healed = true
  world.phases:heal()
  world.tokens:heal()
  world.scheduler:spawn(4000, function()
    probe(world, "all servers", within_us)
    for server = 1, world.plan.servers > 1 and world.plan.servers or 0 do
      world.phases:heal(server)
      probe(world, ("server %d alone"):format(server), SWITCH_US)
    end
    world.phases:heal()
    check_limits(world)
  end, world.scheduler.now_us)
  world.scheduler:run()
end

return _M

--- A hundred calls a second, and a server that is gone for a minute: the
-- client does not add to its trouble, and is back soon after it.

local chance = require "spec.sim.chance"
local faults = require "spec.sim.faults"
local worlds = require "spec.sim.world"

local format = string.format

local _M = {}

local SECOND = 1e6
local RATE, FROM_S, UNTIL_S, END_S = 100, 10, 70, 90
local BACK_S = 10

-- engine.md, section 9.
local AMPLIFICATION_MAX = 1.10

-- One in so many seeds.
_M.EVERY = 2000

local NAMES = { "instances.get", "instances.list", "workflows.release" }

local function draw_tasks(random)
  local tasks = {}
  for i = 1, RATE * END_S do
    local name = random:pick(NAMES)
    local args = { project = "1001" }
    if name == "instances.get" then
      args.instance_id = 1
    elseif name == "workflows.release" then
      args.workflow, args.state = "10011", "ONLINE"
    end
    tasks[i] = {
      number = i,
      from_us = math.floor((i + random:real()) * SECOND / RATE),
      calls = { { name = name, args = args, opts = {}, think_us = 0 } },
    }
  end
  return tasks
end

--- The plan of a seed.
function _M.plan(seed)
  local random = chance.of(seed, 60)
  local outage = random:pick(faults.OUTAGES)
  return {
    seed = seed,
    servers = random:int(1, 2),
    projects = 1,
    latency_us = 2000,
    think_us = 10000,
    idle_timeout_us = 10 * SECOND,
    spawns = true,
    log = "plain",
    token = { mode = "static", changes_us = {} },
    options = { enable_breaker = random:hit(0.7) and nil, max_retries = random:maybe(0.3, { 1, 8 }) },
    phases = { { number = 1, from_us = FROM_S * SECOND, until_us = UNTIL_S * SECOND, outage = outage, rates = {} } },
    tasks = draw_tasks(random),
  }
end

-- Of the things that began in these seconds: how many, and how many fit.
local function count(list, from_s, until_s, fits)
  local all, fitting = 0, 0
  for _, item in ipairs(list) do
    if item.begun_us >= from_s * SECOND and item.begun_us < until_s * SECOND then
      all = all + 1
      fitting = fitting + (fits and fits(item) and 1 or 0)
    end
  end
  return all, fitting
end

local function succeeded(call)
  return call.value ~= nil
end

--- Carries out the outage of a seed.
-- @treturn table|nil {invariant, message} where it fails
-- @treturn table what was measured: amplification, back_ratio
function _M.run(seed)
  local plan = _M.plan(seed)
  local run = worlds.run(plan)
  local calls = count(run.ledger.calls, FROM_S, UNTIL_S)
  local requests = count(run.ledger.attempts, FROM_S, UNTIL_S)
  local later, well = count(run.ledger.calls, UNTIL_S + BACK_S, END_S, succeeded)
  local measured = { amplification = requests / calls, back_ratio = well / later, outage = plan.phases[1].outage }
  if run.failure then
    return run.failure, measured
  elseif measured.amplification > AMPLIFICATION_MAX then
    return { invariant = "an outage is not amplified", message = format("%s: %.3f requests a call", measured.outage,
      measured.amplification) }, measured
  elseif well < later then
    return { invariant = "the rate is back within 10 s", message = format("%s: %d of %d calls went well",
      measured.outage, well, later) }, measured
  end
  return nil, measured
end

--- The same for one seed in EVERY.
function _M.check(seed)
  return seed % _M.EVERY == 0 and (_M.run(seed)) or nil
end

return _M

--- The simulator: thousands of seeds hold all invariants, a seed replays, and
-- a failing run is made small. That it can fail is shown by plants_spec.lua.

local chance = require "spec.sim.chance"
local minimise = require "spec.sim.minimise"
local outage = require "spec.sim.outage"
local plans = require "spec.sim.plan"
local schedulers = require "spec.sim.scheduler"
local seeds = require "spec.sim.seeds"
local tasks = require "spec.sim.tasks"
local worlds = require "spec.sim.world"

local asan = (os.getenv "LD_PRELOAD" or ""):find "asan"

-- So many seeds; more by `make sim`, or by DSCLIENT_SIM.
local SEEDS = tonumber(os.getenv "DSCLIENT_SIM") or asan and 200 or jit and 500 or 2000

describe("the simulator", function()
  it("finds no broken invariant", function()
    local command = ("'%s' spec/sim/command.lua seeds 1 %d 2 2>&1; echo status=$?"):format(arg[-1], SEEDS)
    local pipe = io.popen(command)
    local output = pipe:read "*a"
    pipe:close()
    assert.truthy(output:find("\n0 failed\nstatus=0", 1, true), output)
    assert.truthy(output:find(("%d seeds from 1"):format(SEEDS), 1, true), output)
  end)

  it("finds none in the seeds that once failed", function()
    for _, kept in ipairs(seeds) do
      local failure = worlds.run(plans.of(kept.seed)).failure
      assert.is_nil(failure, failure and ("seed %d: %s: %s"):format(kept.seed, failure.invariant, failure.message))
    end
  end)

  it("does the same for the same seed", function()
    local lines = 0
    for seed = 1, 30 do
      local first, second = worlds.run(plans.of(seed), true), worlds.run(plans.of(seed), true)
      assert.same(first.ledger.lines, second.ledger.lines)
      lines = lines + #first.ledger.lines
    end
    assert.is_true(lines > 1000)
  end)

  it("does not add to an outage, and is back within ten seconds", function()
    local failure, measured = outage.run(1)
    assert.is_nil(failure, failure and failure.message)
    assert.is_true(measured.amplification <= 1.10)
    assert.equal(1, measured.back_ratio)
  end)

  it("makes a failing run small", function()
    local name = "spec.sim.invariants.pace"
    local real = package.loaded[name]
    package.loaded[name] = function(world)
      return {
        attempt_begun = function(_, attempt)
          if attempt.request.operation == "projects.create" and attempt.fault then
            world:fail("planted", "%s", attempt.label)
          end
        end,
      }
    end
    local seed = 0
    repeat
      seed = seed + 1
      local failure = worlds.run(plans.of(seed)).failure
    until failure and #plans.of(seed).tasks > 5
    local plan = minimise.plan(seed, "planted")
    local run = worlds.run(plan, true)
    package.loaded[name] = real
    assert.equal("planted", run.failure.invariant)
    assert.equal(1, #run.ledger.calls)
    assert.is_true(#plans.describe(plan) <= 4)
    assert.truthy(run.ledger.lines[#run.ledger.lines - 1]:find "!! planted")
  end)
end)

describe("chance", function()
  it("is the same for the same key on every Lua, and even", function()
    local random, sum = chance.of(7, 1), 0
    for _ = 1, 1000 do
      sum = sum + random:real()
    end
    assert.equal("486.4", ("%.1f"):format(sum))
    local hits = 0
    for i = 1, 1000 do
      hits = hits + (chance.fraction(chance.base(3), i, 0) < 0.3 and 1 or 0)
    end
    assert.is_true(hits > 250 and hits < 350, hits)
  end)
end)

local function new(module, seed)
  local self = { order = {}, moved_us = 0 }
  self.scheduler = module.new(seed, function(us)
    self.moved_us = self.moved_us + us
  end, function() end)
  return self
end

describe("the scheduler", function()
  it("runs what is due at the same time in an order of the seed's", function()
    local orders = {}
    for seed = 1, 20 do
      local self = new(schedulers, seed)
      for id = 1, 3 do
        self.scheduler:spawn(id, function()
          self.scheduler:sleep(id == 3 and 2e6 or 1e6)
          self.order[#self.order + 1] = id
        end, 0)
      end
      self.scheduler:run()
      assert.equal(2e6, self.moved_us)
      orders[table.concat(self.order)] = true
    end
    assert.same({ ["123"] = true, ["213"] = true }, orders)
  end)
end)

for name, module in pairs { ["the scheduler"] = schedulers, ["the real scheduler on virtual time"] = tasks } do
  describe(name, function()
    it("keeps the runtime contract: wakes are not lost, cancellation is for good", function()
      local self = new(module, 1)
      local scheduler, early, late, never = self.scheduler, { woken = true }, {}, {}
      local how = {}
      for id = 1, 2 do -- one of them goes on at once, the other lets others run first
        scheduler:spawn(id, function()
          how[#how + 1] = scheduler:park(early, 1e6)
        end, 0)
      end
      local task = scheduler:spawn(3, function()
        how[3] = scheduler:park(late, 5e6)
        how[4] = scheduler:park({}, 1e6)
        how[5] = scheduler:park(never, 9e6)
        how[6] = scheduler:park({}, 1)
      end, 1)
      scheduler:at(2e6, 1, function()
        scheduler:wake(late)
      end)
      scheduler:at(4e6, 2, function()
        scheduler:cancel(task)
      end)
      scheduler:run()
      assert.same({ "woken", "woken", "woken", "timeout", "cancelled", "cancelled" }, how)
      assert.equal(4e6, scheduler.now_us)
      assert.equal(0, scheduler.alive)
    end)

    it("ends what spins, and shows where an error was thrown", function()
      local self = new(module, 1)
      self.scheduler:spawn(1, function()
        while true do
          self.scheduler:sleep(0)
        end
      end, 0)
      assert.has_error(function()
        self.scheduler:run()
      end, "it spins: no time passes")
      self = new(module, 1)
      self.scheduler:spawn(1, function()
        error "on purpose"
      end, 0)
      local _, message = pcall(self.scheduler.run, self.scheduler)
      assert.truthy(message:find "on purpose.*traceback")
    end)
  end)
end

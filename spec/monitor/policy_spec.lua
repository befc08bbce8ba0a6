local policy = require "dsclient.monitor.policy"
local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"

local ALL = { "*/*" }
local DEFAULT = watches.DEFAULT

local function box_of(kinds, options)
  local given = { projects = 1, workflows = #kinds, kinds = kinds }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return sandbox.new(given)
end

local function many(kind, count)
  local kinds = {}
  for i = 1, count do
    kinds[i] = kind
  end
  return kinds
end

local function start(box, workflow, kind)
  if kind then
    box:set { project = "demo-1", workflow = workflow, kind = kind }
  end
  box:run { project = "demo-1", workflow = workflow }
end

describe("what had failed before the first start", function()
  after_each(watches.clean)

  it("is known, and left alone; what fails later is recovered", function()
    local box = box_of { "broken", "flaky" }
    local watch = watches.box(box, { recover = ALL, recover_existing = DEFAULT })
    watch.monitor:round()
    assert.same({ "failed", "skipped" }, watch:names(1))
    assert.equal("known: it had failed before this monitor's first start", watch:reason(2))
    start(box, "flaky-2")
    watch:run(300)
    assert.same({ ["3"] = 1 }, box:executed())
    assert.same({ "failed", "recovering", "recovered" }, watch:names(3))
  end)

  it("is known after a restart, too", function()
    local box = box_of { "flaky" }
    local first = watches.box(box, { recover = ALL, recover_existing = DEFAULT })
    first:run(100)
    first:close()
    watches.box(box, { recover = ALL, recover_existing = DEFAULT, state_file = first.state_file }):run(300)
    assert.same({}, box:ledger())
  end)

  it("is known though its project could be read later only", function()
    local box = box_of { "flaky" }
    box:fault { fault = "status_500", operation = "instances.list", times = 4 }
    local watch = watches.box(box, { recover = ALL, recover_existing = DEFAULT })
    watch:run(300)
    assert.same({ "failed", "skipped" }, watch:names(1))
    assert.same({}, box:ledger())
  end)

  it("is known no more when it failed anew", function()
    local box = box_of { "flaky" }
    local watch = watches.box(box, { recover = ALL, recover_existing = DEFAULT })
    watch.monitor:round()
    box:set_run { id = 1, run_times = 2, ended_at = box:now() }
    watch:run(30)
    assert.same({ "failed", "skipped", "failed", "recovering", "recovered" }, watch:names(1))
  end)

  it("is recovered where that is asked for", function()
    local box = box_of { "flaky" }
    local first = watches.box(box, { recover = ALL, recover_existing = DEFAULT })
    first.monitor:round()
    first:close()
    watches.box(box, { recover = ALL, recover_existing = true, state_file = first.state_file }):run(100)
    assert.same({ ["1"] = 1 }, box:executed())
  end)
end)

describe("a round", function()
  after_each(watches.clean)

  it("recovers five runs at most; the others wait for the next", function()
    local box = box_of(many("flaky", 12))
    local watch = watches.box(box, { recover = ALL, max_recoveries_per_round = DEFAULT })
    assert.equal(5, watch.monitor:round().recoveries)
    assert.equal("round_limit: 5 a round", watch:reason(6))
    local began = box:now()
    watch:run(50)
    assert.equal(5, #box:ledger())
    watch:run(200)
    assert.equal(12, #box:ledger())
    for i, entry in ipairs(box:ledger()) do
      assert.is_true(entry.at - began >= math.floor((i - 1) / 5) * 50)
    end
  end)

  it("by itself (--once) is followed by others until all had their turn", function()
    local box = box_of(many("flaky", 12))
    local watch = watches.box(box, { recover = ALL, max_recoveries_per_round = DEFAULT })
    local began = box:now()
    local report = watch.monitor:once()
    assert.equal(12, report.recovered)
    assert.equal(0, report.open)
    assert.is_true(box:now() - began >= 120)
  end)

  it("counts what a dry run would send", function()
    local box = box_of(many("flaky", 7))
    local watch = watches.box(box, { recover = ALL, dry_run = true, max_recoveries_per_round = DEFAULT })
    watch.monitor:round()
    assert.equal(5, #watch:of "would_recover")
    assert.equal("dry_run", watch:reason(1))
    assert.equal(2, #watch:of "skipped")
    watch:run(120)
    assert.equal(7, #watch:of "would_recover")
    assert.same({}, box:ledger())
  end)
end)

describe("a storm", function()
  after_each(watches.clean)

  it("is more than ten failed workflows: nothing is recovered, and that is said once", function()
    local box = box_of(many("flaky", 11))
    local watch = watches.box(box, { recover = ALL, storm_min = DEFAULT })
    watch:run(600)
    assert.same({}, box:ledger())
    assert.equal(1, #watch:of "storm")
    assert.equal("11 of 11 watched workflows are failed: nothing is recovered", watch:of("storm")[1].reason)
    assert.same({ "failed" }, watch:names(1))
    -- and it ends
    box:set_run { id = 1, state = "SUCCESS" }
    watch:run(200)
    assert.equal(10, #box:ledger())
    assert.equal(1, #watch:of "storm")
  end)

  it("is not ten of them, and counts workflows, not runs", function()
    local box = box_of(many("flaky", 10), { runs = 2 })
    local watch = watches.box(box, { recover = ALL, storm_min = DEFAULT })
    watch:run(200)
    assert.equal(20, #box:ledger())
    assert.same({}, watch:of "storm")
  end)

  it("is more than a fifth of those that are watched", function()
    local kinds = many("good", 60)
    for i = 1, 12 do
      kinds[i] = "flaky"
    end
    local box = box_of(kinds)
    local watch = watches.box(box, { recover = ALL, storm_min = DEFAULT })
    watch.monitor:round()
    assert.same({}, watch:of "storm")
    for i = 13, 60 do
      box:set { project = "demo-1", workflow = "good-" .. i, kind = i > 50 and "broken" or "good" }
      box:run { project = "demo-1", workflow = "good-" .. i }
    end
    -- 12 are recovered, 10 others failed: 22 were too many, 10 are not
    watch:run(100)
    assert.same({}, watch:of "storm")
    for i = 13, 15 do
      start(box, "good-" .. i, "broken")
    end
    watch:run(100)
    assert.equal("13 of 60 watched workflows are failed: nothing is recovered", watch:of("storm")[1].reason)
  end)

  it("is told over a restart once", function()
    local box = box_of(many("flaky", 11))
    local first = watches.box(box, { recover = ALL, storm_min = DEFAULT })
    first:run(100)
    first:close()
    local second = watches.box(box, { recover = ALL, storm_min = DEFAULT, state_file = first.state_file })
    second:run(100)
    assert.same({}, second:of "storm")
    assert.same({}, box:ledger())
  end)

  it("is no matter to one that observes", function()
    local watch = watches.box(box_of(many("flaky", 11)), { storm_min = DEFAULT })
    watch.monitor:round()
    assert.same({}, watch:of "storm")
    assert.equal(11, #watch:of "would_recover")
  end)
end)

describe("runs that nobody named", function()
  after_each(watches.clean)

  for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
    it("of a backfill are not touched, " .. version, function()
      local box = box_of({ "broken", "broken" }, { server_version = version })
      box:set_run { id = 1, command_type = "COMPLEMENT_DATA" }
      -- recovered by hand: lists of 3.1 don't tell any more what it was
      box:set_run { id = 2, command_type = "COMPLEMENT_DATA" }
      box:client().instances:recover { project = "demo-1", instance_id = 2 }
      box:sleep(10)
      local watch = watches.box(box, { recover = ALL })
      watch:run(300)
      assert.equal("backfill: its runs are recovered where a rule says so", watch:reason(1))
      assert.equal("backfill: its runs are recovered where a rule says so", watch:reason(2))
      assert.same({ ["2"] = 1 }, box:executed())
    end)

    it("of a backfill are not said to be recovered by one that observes, " .. version, function()
      local box = box_of({ "broken" }, { server_version = version })
      box:set_run { id = 1, command_type = "COMPLEMENT_DATA" }
      local watch = watches.box(box, {})
      watch.monitor:round()
      assert.same({ "failed", "skipped" }, watch:names(1))
    end)
  end

  it("of a backfill are told by the kind of their first command", function()
    assert.is_true(policy.is_backfill { commandType = "COMPLEMENT_DATA" })
    assert.is_true(policy.is_backfill { commandType = "START_FAILURE_TASK_PROCESS", complementData = true })
    assert.is_true(policy.is_backfill { historyCmd = "COMPLEMENT_DATA,START_FAILURE_TASK_PROCESS" })
    assert.is_false(policy.is_backfill { commandType = "SCHEDULER", historyCmd = "SCHEDULER", complementData = false })
  end)

  it("and were stopped are no failures", function()
    local box = box_of { "broken" }
    box:set_run { id = 1, state = "STOP" }
    local watch = watches.box(box, { recover = ALL })
    watch:run(300)
    assert.same({}, watch:names(1))
  end)
end)

describe("a rule", function()
  after_each(watches.clean)

  it("takes workflows off the list, and puts them on it", function()
    local box = box_of { "flaky", "flaky", "flaky" }
    local watch = watches.box(box, {
      recover = { "*/flaky-1", "*/flaky-2" },
      rules = { { match = "demo-*/flaky-2", recover = false }, { match = "*/flaky-3", recover = true } },
    })
    watch:run(100)
    assert.same({ ["1"] = 1, ["3"] = 1 }, box:executed())
    assert.equal("not_allowed", watch:reason(2))
  end)

  it("alone makes a monitor recover", function()
    local box = box_of { "flaky", "flaky" }
    local watch = watches.box(box, {
      rules = { { match = "*/flaky-2", recover = true } },
      state_file = watches.state_file(),
    })
    watch:run(100)
    assert.same({ ["2"] = 1 }, box:executed())
  end)

  it("sets how often a run is tried", function()
    local box = box_of { "broken", "broken" }
    local watch = watches.box(box, { recover = ALL, rules = { { match = "*/broken-1", max_attempts = 1 } } })
    watch:run(3600)
    assert.same({ ["1"] = 1, ["2"] = 3 }, box:executed())
    assert.equal("max_attempts: 1 of 1", watch:reason(1))
    assert.equal("attempt 1 of 1", watch:of("recovering")[1].reason)
  end)

  it("names states that count as failed; what was stopped is resumed", function()
    local box = box_of { "good", "good", "good" }
    box:set_run { id = 1, state = "STOP" }
    box:set_run { id = 2, state = "STOP" }
    local watch = watches.box(box, { recover = ALL, rules = { { match = "*/good-1", states = { "STOP" } } } })
    watch:run(300)
    assert.equal("RECOVER_SUSPENDED_PROCESS", box:ledger()[1].execute_type)
    assert.same({ ["1"] = 1 }, box:executed())
    assert.same({ "failed", "recovering", "recovered" }, watch:names(1))
    assert.equal("STOP", watch:of("failed")[1].reason)
    assert.same({}, watch:names(2))
  end)

  it("names workflows whose backfills are recovered, too", function()
    local box = box_of { "flaky", "flaky" }
    box:set_run { id = 1, command_type = "COMPLEMENT_DATA" }
    box:set_run { id = 2, command_type = "COMPLEMENT_DATA" }
    local watch = watches.box(box, { recover = ALL, rules = { { match = "*/flaky-2", backfill = true } } })
    watch:run(100)
    assert.same({ ["2"] = 1 }, box:executed())
  end)

  it("that comes first decides, setting by setting", function()
    local configs = require "dsclient.monitor.config"
    local config = configs.check {
      rules = {
        { match = "dw/a*", max_attempts = 1 },
        { match = "dw/*", max_attempts = 2, recover = true },
        { match = "*/*", recover = false },
      },
      state_file = "s",
    }
    local function entry(project, workflow)
      return { project = project, workflow = workflow, run_times = 1 }
    end
    assert.equal(1, policy.max_attempts(config, entry("dw", "ab")))
    assert.equal(2, policy.max_attempts(config, entry("dw", "b")))
    assert.equal(3, policy.max_attempts(config, entry("x", "a")))
    assert.is_true(policy.is_recoverable(config, "dw", "ab"))
    assert.is_false(policy.is_recoverable(config, "x", "ab"))
  end)
end)

--- The model: what runs do with time, on each server line.

local sandbox = require "dsclient.sandbox"

local LINES = { "3.1.1", "3.2.2", "3.3.1" }

-- A box with one workflow of a kind, whose first run has not begun.
local function one(kind, options)
  local given = { projects = 1, workflows = 1, kinds = { kind }, runs = 0, server_version = "3.1.1" }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  local box = sandbox.new(given)
  box:run { project = "demo-1", workflow = kind .. "-1" }
  return box, box.site.world
end

local function state(box, id)
  local run = box:runs()[id or 1]
  return run and run.state, run and run.run_times
end

describe("a run", function()
  it("of each kind ends as it should", function()
    for kind, ends in pairs {
      good = "SUCCESS",
      broken = "FAILURE",
      flaky = "FAILURE",
      late = "RUNNING_EXECUTION",
      hanging = "RUNNING_EXECUTION",
    } do
      local box = one(kind)
      box:sleep(5)
      assert.equal(ends, state(box), kind)
      box:sleep(1e6)
      assert.equal(kind == "late" and "SUCCESS" or ends, state(box), kind)
    end
  end)

  it("is there when the master took it up; on 3.3 at once", function()
    for _, version in ipairs(LINES) do
      local box = one("good", { server_version = version })
      local submits = version == "3.3.1"
      assert.equal(submits and 1 or 0, #box:runs())
      if submits then
        assert.equal("SUBMITTED_SUCCESS", state(box))
      end
      box:sleep(0.6)
      assert.equal("RUNNING_EXECUTION", state(box))
    end
  end)

  it("goes faster with speed", function()
    local box = one("late", { speed = 100 })
    box:sleep(0.2)
    assert.equal("SUCCESS", state(box))
  end)

  it("has times of the moment at which things happened, however late one looks", function()
    local box = one "good"
    local began = box:now()
    box:sleep(1000)
    local run = box:runs()[1]
    assert.near(began + 0.5, run.started_at, 1e-3)
    assert.near(began + 1.5, run.ended_at, 1e-3)
  end)
end)

describe("an execute", function()
  local function recover(world, id, execute_type)
    world:settle()
    return world:execute(world.runs[id], execute_type or "START_FAILURE_TASK_PROCESS", { user = "admin" })
  end

  it("recovers: runTimes grows after a moment, a flaky run ends well, a broken one fails again", function()
    for _, version in ipairs(LINES) do
      for kind, ends in pairs { flaky = "SUCCESS", broken = "FAILURE" } do
        local box, world = one(kind, { server_version = version })
        box:sleep(5)
        assert.is_nil(recover(world, 1))
        assert.equal(1, select(2, state(box)))
        box:sleep(0.5)
        assert.same({ "RUNNING_EXECUTION", 2 }, { state(box) })
        box:sleep(5)
        assert.same({ ends, 2 }, { state(box) })
        assert.same({ ["1"] = 1 }, box:executed())
      end
    end
  end)

  it("makes new task instances and hides the failed ones", function()
    local box, world = one "flaky"
    box:sleep(5)
    recover(world, 1)
    box:sleep(5)
    world:settle()
    local seen = {}
    for _, task in ipairs(world.tasks) do
      seen[#seen + 1] = task.step .. task.flag .. task.state
    end
    assert.same({ "1YESSUCCESS", "2NOFAILURE", "2YESSUCCESS" }, seen)
  end)

  it("twice in a row: refused on 3.1 and 3.3, taken twice on 3.2", function()
    for version, expected in pairs { ["3.1.1"] = 50009, ["3.2.2"] = false, ["3.3.1"] = 10000 } do
      local box, world = one("broken", { server_version = version })
      box:sleep(5)
      assert.is_nil(recover(world, 1))
      assert.equal(expected, recover(world, 1) or false)
      box:sleep(5)
      assert.equal(expected and 2 or 3, select(2, state(box)))
      assert.equal(expected and 1 or 2, box:executed()["1"])
    end
  end)

  it("is refused in states where the line refuses it, and leaves no trace", function()
    for version, code in pairs { ["3.1.1"] = 50006, ["3.2.2"] = 50015, ["3.3.1"] = 10000 } do
      local box, world = one("good", { server_version = version })
      box:sleep(5)
      local types = { "START_FAILURE_TASK_PROCESS", "RECOVER_SUSPENDED_PROCESS", "STOP", "PAUSE", "NONE" }
      for _, execute_type in ipairs(types) do
        assert.equal(code, (recover(world, 1, execute_type)))
      end
      assert.same({}, box:ledger())
      assert.same({ "SUCCESS", 1 }, { state(box) })
    end
  end)

  it("repeats: all tasks anew; startTime moves up to 3.2 only", function()
    for _, version in ipairs(LINES) do
      local box, world = one("good", { server_version = version })
      box:sleep(5)
      local before = box:runs()[1].started_at
      assert.is_nil(recover(world, 1, "REPEAT_RUNNING"))
      box:sleep(5)
      assert.same({ "SUCCESS", 2 }, { state(box) })
      assert.equal(version == "3.3.1", box:runs()[1].started_at == before)
    end
  end)

  it("stops and pauses, from where a run can be resumed", function()
    for _, version in ipairs(LINES) do
      for execute_type, states in pairs { STOP = { "READY_STOP", "STOP" }, PAUSE = { "READY_PAUSE", "PAUSE" } } do
        local box, world = one("late", { server_version = version })
        box:sleep(1)
        assert.is_nil(recover(world, 1, execute_type))
        assert.equal(states[1], state(box))
        box:sleep(1)
        assert.equal(states[2], state(box))
        assert.is_nil(recover(world, 1, "RECOVER_SUSPENDED_PROCESS"))
        box:sleep(20)
        assert.same({ "SUCCESS", 2 }, { state(box) })
      end
    end
  end)

  it("STOP during READY_PAUSE ends in PAUSE on 3.3, in STOP before", function()
    for _, version in ipairs(LINES) do
      local box, world = one("hanging", { server_version = version })
      box:sleep(1)
      recover(world, 1, "PAUSE")
      assert.is_nil(recover(world, 1, "STOP"))
      box:sleep(1)
      assert.equal(version == "3.3.1" and "PAUSE" or "STOP", state(box))
    end
  end)
end)

describe("a world", function()
  it("begins with runs that have ended, of all workflows in turn", function()
    local box = sandbox.new { projects = 2, workflows = 5, runs = 3, kinds = { "good", "hanging" } }
    assert.equal(30, #box:runs())
    local counts = {}
    for _, run in ipairs(box:runs()) do
      counts[run.state] = (counts[run.state] or 0) + 1
      assert.is_true(run.started_at < box:now())
    end
    assert.same({ SUCCESS = 18, RUNNING_EXECUTION = 12 }, counts)
    assert.equal("demo-2", box:projects()[2].name)
    assert.equal("hanging-4", box:projects()[2].workflows[4].name)
  end)

  it("starts each workflow at its interval while it is online", function()
    local box = sandbox.new { projects = 1, workflows = 2, kinds = { "good" }, runs = 0, every_s = 60 }
    box:sleep(601) -- a run is there half a second after its start
    assert.equal(20, #box:runs())
    box:set { project = "demo-1", workflow = "good-1", release_state = "OFFLINE" }
    box:sleep(600)
    assert.equal(30, #box:runs())
  end)

  it("is the same for the same options", function()
    local function play()
      local box = sandbox.new { every_s = 30, seed = 7 }
      box:fault { fault = "status_503", rate = 0.5 }
      local client = box:client { max_retries = 0, jitter = "none" }
      local outcomes = {}
      for i = 1, 40 do
        outcomes[i] = client:get_workflow_instances("demo-1", { workflow = "good-1" }) and 1 or 0
        box:sleep(10)
      end
      return table.concat(outcomes), box:runs(), box:requests()
    end
    local a, runs_a, requests_a = play()
    local b, runs_b, requests_b = play()
    assert.equal(a, b)
    assert.same(runs_a, runs_b)
    assert.same(requests_a, requests_b)
    assert.truthy(a:find "1" and a:find "0")
  end)
end)

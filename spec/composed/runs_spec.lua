--- A run is started once, found on every line, and waited for.

local bed = require "support.bed"
local masters = require "support.master"
local runs = require "dsclient.composed.runs"
local sandbox = require "dsclient.sandbox"

local ARGS = { project = "1", workflow = "11" }
local LINES = { "3.0.6", "3.1.1", "3.2.2", "3.4.1" }
local OLD = { "3.0.6", "3.1.1" }

describe("a run", function()
  it("is started once, and its id found, on every line", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version)
      master:add { state = "FAILURE" }
      assert.same({ instance_ids = { 2 } }, assert(runs.run(master.client, ARGS)))
      assert.equal(1, #master.starts)
    end
  end)

  it("is told apart from those of the scheduler, of others, and of before", function()
    for _, version in ipairs(OLD) do
      local master = masters.new(version)
      for _ = 1, 120 do
        master:add()
      end
      master:add { command = "SCHEDULER", at = 0.5 }
      master:add { executor = "somebody", at = 0.5 }
      assert.same({ instance_ids = { 123 } }, assert(runs.run(master.client, ARGS)))
    end
  end)

  it("that can't be told from another is no guess", function()
    for _, version in ipairs(OLD) do
      local master = masters.new(version)
      master:add { at = 0.5 } -- started by the same user a moment before
      local _, err = runs.run(master.client, ARGS)
      assert.equal("ambiguous", err.kind)
      assert.same({ 1, 2 }, err.instance_ids)
      assert.is_true(err.started)
      assert.equal(1, #master.starts)
    end
  end)

  it("that another's follows a moment later is no guess, either", function()
    local master = masters.new "3.1.1"
    master.answer = function(_, path)
      if path:find "executors" then
        master:add { at = master:now() + 1.9 }
      end
    end
    local _, err = runs.run(master.client, ARGS)
    assert.equal("ambiguous", err.kind)
  end)

  it("is told from others by the parameters it was started with", function()
    for _, version in ipairs(OLD) do
      local master = masters.new(version)
      master:add { at = 0.5, params = '{"day":"1"}' }
      local args = { project = "1", workflow = "11", start_params = { day = "2" } }
      assert.same({ instance_ids = { 2 } }, assert(runs.run(master.client, args)))
    end
  end)

  it("whose answer was lost is looked for, and never sent again", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version, { lose = bed.failure("network", "sent") })
      assert.same({ instance_ids = { 1 } }, assert(runs.run(master.client, ARGS)))
      assert.equal(1, #master.starts)
    end
  end)

  it("whose answer was lost and that nobody sees is unknown", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version, { lose = bed.failure("network", "sent"), latency_s = 1000 })
      local _, err = runs.run(master.client, ARGS, { timeout_s = 20 })
      assert.equal("outcome_unknown", err.kind)
      assert.truthy(err.message:find("no run of it was found within 20 s", 1, true))
      assert.is_nil(err.started)
      assert.equal(1, #master.starts)
    end
  end)

  it("that does not show in time is told as accepted", function()
    for _, version in ipairs { "3.1.1", "3.2.2" } do
      local master = masters.new(version, { latency_s = 1000 })
      local _, err = runs.run(master.client, ARGS, { timeout_s = 20 })
      assert.equal("deadline", err.kind)
      assert.is_true(err.started)
      assert.equal(version == "3.2.2" and "901" or nil, err.trigger_code)
      assert.near(20, master:now(), 1e-3)
    end
  end)

  it("is found though the server falters meanwhile", function()
    for _, version in ipairs { "3.1.1", "3.2.2" } do
      local master = masters.new(version)
      master.answer = function(_, path)
        if #master.starts > 0 and master:now() < 100 and path:find "instances" then
          return bed.status(503)
        end
      end
      assert.same({ instance_ids = { 1 } }, assert(runs.run(master.client, ARGS, { timeout_s = 600 })))
    end
  end)

  it("that is refused is an error, and nothing is looked for", function()
    local master = masters.new "3.1.1"
    local asked = 0
    master.answer = function(_, path)
      asked = asked + 1
      return path:find "executors" and bed.refused(50004, "not online")
    end
    local _, err = runs.run(master.client, ARGS)
    assert.equal(50004, err.code)
    assert.equal(3, asked) -- who we are, what is there, the start
  end)
end)

describe("run_and_wait", function()
  it("tells how the run ended, on every line", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version)
      local result = assert(runs.run_and_wait(master.client, ARGS))
      assert.equal(1, result.instance_id)
      assert.equal("SUCCESS", result.state)
      assert.is_true(result.ok)
      assert.near(60, result.duration_s, 1)
      assert.same({}, result.failed_tasks)
      assert.is_nil(result.runs)
    end
  end)

  it("names the tasks that failed", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version, { outcomes = { "FAILURE" } })
      master.tasks[1] = {
        { id = 7, name = "load", taskType = "SHELL", state = "FAILURE", flag = "NO" },
        { id = 8, name = "load", taskType = "SHELL", state = "FAILURE", flag = "YES", host = "w1:1234" },
        { id = 9, name = "extract", taskType = "SHELL", state = "SUCCESS", flag = "YES" },
      }
      local result = assert(runs.run_and_wait(master.client, ARGS))
      assert.is_false(result.ok)
      assert.equal(1, #result.failed_tasks)
      assert.equal(8, result.failed_tasks[1].task_instance_id)
      assert.equal("load", result.failed_tasks[1].name)
      assert.equal("w1:1234", result.failed_tasks[1].host)
    end
  end)

  it("tells the end of a run whose tasks can't be read", function()
    local master = masters.new("3.4.1", { outcomes = { "FAILURE" } })
    master.answer = function(_, path)
      return path:find "task%-instances" and bed.refused(30002, "no permission")
    end
    local result = assert(runs.run_and_wait(master.client, ARGS))
    assert.equal("FAILURE", result.state)
    assert.equal(30002, result.failed_tasks_error.code)
  end)

  it("looks ever more rarely, at most each 30 s", function()
    local master = masters.new("3.4.1", { duration_s = 300 })
    assert(runs.run_and_wait(master.client, ARGS))
    local s = master.bed.slept
    assert.same({ 1, 1.5, 2.25, 3.375 }, { s[1], s[2], s[3], s[4] })
    for _, seconds in ipairs(s) do
      assert.is_true(seconds <= 30)
    end
    assert.is_true(#s < 20)
  end)

  it("ends with its deadline, and says which run goes on", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version, { duration_s = 3600 })
      local _, err = runs.run_and_wait(master.client, ARGS, { timeout_s = 100 })
      assert.equal("deadline", err.kind)
      assert.same({ 1 }, err.instance_ids)
      assert.near(100, master:now(), 1e-3)
    end
  end)

  it("ends in time where the limiter lets nothing more through", function()
    for _, after_s in ipairs { 0.5, 70 } do
      local master = masters.new("3.1.1", { outcomes = { "FAILURE" } })
      master.answer = function(_, path)
        return master:now() > after_s and (after_s < 60 or path:find "task%-instances") and bed.status(429)
      end
      runs.run_and_wait(master.client, ARGS, { timeout_s = 100 })
      assert.is_true(master:now() <= 100.1, master:now())
    end
  end)

  it("starts nothing when no time is left", function()
    local master = masters.new "3.1.1"
    master.answer = function(_, path)
      if path:find "instances$" then
        master.bed.advance(60)
      end
    end
    local _, err = runs.run(master.client, ARGS, { timeout_s = 50 })
    assert.equal("deadline", err.kind)
    assert.equal(0, #master.starts)
  end)

  it("outlives an outage of the server", function()
    local master = masters.new "3.4.1"
    master.answer = function()
      return master:now() > 5 and master:now() < 400 and bed.failure("connect", "unsent")
    end
    assert.is_true(assert(runs.run_and_wait(master.client, ARGS)).ok)
  end)

  it("ends where the run is gone, or the client is closed", function()
    local master = masters.new "3.4.1"
    master.answer = function(_, path)
      return master:now() > 5 and path:find "%-instances" and bed.refused(50001, "gone")
    end
    local _, err = runs.run_and_wait(master.client, ARGS)
    assert.equal(50001, err.code)
    assert.same({ 1 }, err.instance_ids)
    master = masters.new "3.4.1"
    master.answer = function()
      if master:now() > 5 then
        master.client:close()
      end
    end
    _, err = runs.run_and_wait(master.client, ARGS)
    assert.is_true(err.kind == "cancelled" or err.kind == "closed", err.kind)
    assert.same({ 1 }, err.instance_ids)
  end)

  it("waits for all runs of one start", function()
    local master = masters.new("3.4.1", { outcomes = { "SUCCESS" } })
    master:add { state = "FAILURE", duration_s = 200 }
    master:add { duration_s = 20 }
    master.answer = function(_, path)
      return path:find "executors" and bed.ok "[1,2]"
    end
    local result = assert(runs.run_and_wait(master.client, ARGS))
    assert.equal(1, result.instance_id)
    assert.is_false(result.ok)
    assert.same({ "FAILURE", "SUCCESS" }, { result.runs[1].state, result.runs[2].state })
  end)

  it("works against the sandbox", function()
    for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
      local box = sandbox.new {
        projects = 1,
        workflows = 3,
        kinds = { "good", "broken", "hanging" },
        server_version = version,
      }
      local client = box:client { server_version = version }
      assert.is_true(assert(runs.run_and_wait(client, { project = "demo-1", workflow = "good-1" })).ok)
      local failed = assert(runs.run_and_wait(client, { project = "demo-1", workflow = "broken-2" }))
      assert.equal("step-1", failed.failed_tasks[1].name)
    end
  end)

  it("refuses a call without arguments by its own name", function()
    local master = masters.new "3.4.1"
    assert.has_error(function()
      runs.run_and_wait(master.client)
    end, "workflows.run_and_wait: a table of arguments expected, got nil")
  end)

  it("refuses unknown options", function()
    local master = masters.new "3.4.1"
    assert.has_error(function()
      runs.run_and_wait(master.client, ARGS, { time = 1 })
    end, 'workflows.run_and_wait: unknown option "time"; is "timeout_s" meant?')
  end)
end)

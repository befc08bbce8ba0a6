--- Why a run failed: through sub-workflows, with the ends of logs.

local bed = require "support.bed"
local core = require "dsclient.core"
local failures = require "dsclient.composed.failures"
local masters = require "support.master"

local LINES = { "3.1.1", "3.2.2", "3.4.1" }

local function task(id, name, fields)
  local row = { id = id, name = name, taskType = "SHELL", state = "FAILURE", flag = "YES", host = "w1:1234" }
  for key, value in pairs(fields or {}) do
    row[key] = value
  end
  return row
end

--- A master with a failed run 1; `below` are the runs of sub-workflow tasks.
local function failed_run(version, below)
  local master = masters.new(version)
  master:add { state = "FAILURE", duration_s = 0 }
  master.answer = function(_, path, fields)
    local sub = path:find "query%-sub%-by%-parent" and below[tonumber(fields.taskId)]
    if sub then
      local key = master.noun == "workflow" and "subWorkflowInstanceId" or "subProcessInstanceId"
      return bed.ok(('{"%s":%d}'):format(key, sub))
    end
  end
  return master
end

local function diagnose(master, opts)
  return assert(failures.diagnose(master.client, { project = "1", instance_id = 1 }, opts))
end

describe("diagnose", function()
  it("tells host, exit code, end of the log and likely cause of each failed task", function()
    for _, version in ipairs(LINES) do
      local master = failed_run(version, {})
      master.tasks[1] = { task(2, "load"), task(3, "extract", { state = "SUCCESS" }), task(4, "old", { flag = "NO" }) }
      master.logs[2] = "[INFO] - begin\r\n/tmp/x.sh: line 4: spark-submit: command not found\r\n"
        .. "[INFO] - process has exited, processId:6946 ,exitStatusCode:127 ,processExitValue:127\r\n"
      local told = diagnose(master, { log_lines = 2 })
      assert.equal("FAILURE", told.state)
      assert.equal("run-0001", told.name)
      assert.equal(1, #told.failed_tasks)
      local first = told.failed_tasks[1]
      assert.same({ "load" }, first.path)
      assert.equal(1, first.instance_id)
      assert.equal("w1:1234", first.host)
      assert.equal(127, first.exit_code)
      assert.equal("command not found", first.cause)
      assert.equal("/tmp/x.sh: line 4: spark-submit: command not found", first.cause_line)
      assert.equal(2, #first.log_tail)
      assert.same({}, told.problems)
      assert.is_false(told.truncated)
    end
  end)

  it("goes down sub-workflows to what failed", function()
    for _, version in ipairs(LINES) do
      local sub = version == "3.4.1" and "SUB_WORKFLOW" or "SUB_PROCESS"
      local master = failed_run(version, { [10] = 2, [20] = 3 })
      master.tasks[1] = { task(10, "outer", { taskType = sub }) }
      master.tasks[2] = { task(20, "inner", { taskType = sub }), task(21, "beside") }
      master.tasks[3] = { task(30, "leaf", { state = "KILL" }) }
      master.logs[30], master.logs[21] = "x\n", "No space left on device\n"
      local told = diagnose(master)
      local paths = {}
      for i, one in ipairs(told.failed_tasks) do
        paths[i] = table.concat(one.path, "/") .. " in " .. one.instance_id .. ": " .. tostring(one.cause)
      end
      assert.same({ "outer/inner/leaf in 3: killed", "outer/beside in 2: disk full" }, paths)
    end
  end)

  it("tells a sub-workflow task itself where nothing below it failed, or can be read", function()
    local master = failed_run("3.1.1", { [10] = 2 })
    local sub = { taskType = "SUB_PROCESS" }
    master.tasks[1] = { task(10, "empty", sub), task(11, "gone", sub) }
    master.logs[10], master.logs[11] = "x\n", "x\n"
    local told = diagnose(master)
    assert.same({ "empty" }, told.failed_tasks[1].path)
    assert.same({ "gone" }, told.failed_tasks[2].path)
    assert.equal(1, #told.problems)
    assert.truthy(told.problems[1]:find "^gone: its runs can't be read")
  end)

  it("goes down a dynamic task", function()
    local master = failed_run("3.4.1", {})
    local answer = master.answer
    master.answer = function(request, path, fields)
      if path:find "query%-dynamic%-sub%-workflows" then
        return bed.ok '[{"workflowInstanceId":2},{"workflowInstanceId":3}]'
      end
      return answer(request, path, fields)
    end
    master.tasks[1] = { task(10, "many", { taskType = "DYNAMIC" }) }
    master.tasks[3] = { task(30, "leaf") }
    assert.same({ "many", "leaf" }, diagnose(master).failed_tasks[1].path)
  end)

  it("is not led in a circle, or without end", function()
    local master = failed_run("3.1.1", { [10] = 2, [20] = 1 })
    master.tasks[1] = { task(10, "a", { taskType = "SUB_PROCESS" }) }
    master.tasks[2] = { task(20, "b", { taskType = "SUB_PROCESS" }) }
    local told = diagnose(master)
    assert.same({ "a", "b" }, told.failed_tasks[1].path)
    assert.same({ "a / b: run 1 was looked at already" }, told.problems)
    told = diagnose(master, { depth_max = 0 })
    assert.same({ "a" }, told.failed_tasks[1].path)
    assert.same({ "a: run 2 is more than 0 levels down: not looked at" }, told.problems)
    master = failed_run("3.1.1", {})
    master.tasks[1] = {}
    for i = 1, 150 do
      master.tasks[1][i] = task(i, "t" .. i)
    end
    told = diagnose(master)
    assert.equal(100, #told.failed_tasks)
    assert.is_true(told.truncated)
  end)

  it("ends in time, however many runs are below", function()
    local master = failed_run("3.4.1", {})
    master.answer = function(_, path, fields)
      local id = tonumber(fields.workflowInstanceId)
      if path:find "query%-dynamic%-sub%-workflows" then
        local rows = {}
        for i = 1, 100 do
          rows[i] = ('{"workflowInstanceId":%d}'):format(tonumber(fields.taskId or fields.taskInstanceId) * 100 + i)
        end
        return bed.ok("[" .. table.concat(rows, ",") .. "]")
      elseif path:find "task%-instances$" then
        local answer = bed.ok(('{"totalList":[{"id":%d,"taskType":"DYNAMIC","state":"FAILURE"}],"total":1}'):format(id))
        answer.takes_s = 1
        return answer
      end
    end
    local told = diagnose(master, { depth_max = 3, timeout_s = 60 })
    assert.is_true(told.truncated)
    assert.is_true(master:now() < 65, master:now())
  end)

  it("tells a log that can't be read, and guesses by the state", function()
    local master = failed_run("3.4.1", {})
    master.tasks[1] = { task(2, "load", { state = "KILL", host = core.null }) }
    local first = diagnose(master).failed_tasks[1]
    assert.truthy(first.log_error:find "10103")
    assert.same({}, first.log_tail)
    assert.is_nil(first.host)
    assert.equal("killed", first.cause)
  end)

  it("is an error where the run can't be read", function()
    local _, err = failures.diagnose(masters.new("3.4.1").client, { project = "1", instance_id = 5 })
    assert.equal(50001, err.code)
    local master = failed_run("3.4.1", {})
    local answer = master.answer
    master.answer = function(request, path, fields)
      return path:find "task%-instances" and bed.refused(30002) or answer(request, path, fields)
    end
    _, err = failures.diagnose(master.client, { project = "1", instance_id = 1 })
    assert.equal(30002, err.code)
  end)
end)

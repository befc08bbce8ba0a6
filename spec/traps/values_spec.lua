--- What is odd about the server's values: codes, states, times, names of fields.
-- The numbers in the titles are those of the facts about its API; traps_spec.lua
-- sees to it that none is missing.

local bed = require "support.bed"
local set = require "support.set"

local ok = bed.ok
local P = { project = "1" }

--- The first row of a list of runs or of task instances.
local function row_of(json, list, options)
  local b = bed.new({ ok('{"totalList":[' .. json .. '],"total":1}') }, options)
  return assert(b.client:call(list or "instances.list", P))[1]
end

--- What a state means to the client: its flags, in words.
local function meaning(state, list)
  local row = row_of('{"id":1,"state":' .. state .. "}", list)
  local words = {}
  for _, flag in ipairs { "running", "finished", "failed" } do
    words[#words + 1] = row[flag] and flag or nil
  end
  return table.concat(words, " "), row
end

describe("a trap of the server's values:", function()
  it("fact 5: in 3.3 paths, fields and keys have other names, and types of execute the same", function()
    for version, words in pairs {
      ["3.2.2"] = { "/projects/1/process-instances/7", "processInstanceId=7" },
      ["3.4.1"] = { "/projects/1/workflow-instances/7", "workflowInstanceId=7" },
    } do
      local b = bed.new({ ok '{"id":7,"processDefinitionCode":9,"workflowDefinitionCode":9}', ok() },
        { server_version = version })
      local run = b.client.instances:get { project = "1", instance_id = 7 }
      assert.equal("9", run.workflowDefinitionCode)
      assert(b.client.instances:recover { project = "1", instance_id = 7 })
      assert.equal(words[1], b.requests[1].path)
      assert.equal(words[2] .. "&executeType=START_FAILURE_TASK_PROCESS", b.requests[2].body)
    end
  end)

  it("fact 12: codes of 13 to 16 digits go out and come in with each digit, as text", function()
    for _, code in ipairs {
      "9683443218016", "11964055605440", "181535832683296", "1815358326832961", "9007199254740993",
    } do
      local b = bed.new { ok('{"code":' .. code .. ',"id":7}') }
      local project = b.client.projects:get { project = code }
      assert.equal(code, project.code)
      assert.equal("/projects/" .. code, b.requests[1].path)
      if #code < 16 then
        b.client.projects:get { project = tonumber(code) }
        assert.equal("/projects/" .. code, b.requests[2].path)
      end
    end
  end)

  it("fact 13: the state beside the tasks of a run is a name, also where it comes as Java prints it", function()
    for _, state in ipairs { '"FAILURE"', [["WorkflowExecutionStatus{code=6, desc='failure'}"]] } do
      local b = bed.new { ok('{"processInstanceState":' .. state .. ',"taskList":[]}') }
      assert.equal("FAILURE", b.client.instances:tasks({ project = "1", instance_id = 7 }).workflowInstanceState)
    end
  end)

  it("fact 14: a start answers nothing, a code, or ids", function()
    for data, expected in pairs {
      null = {}, ["11964055605440"] = { trigger_code = "11964055605440" }, ["[7,8]"] = { instance_ids = { 7, 8 } },
    } do
      assert.same(expected, (bed.new { ok(data) }.client.workflows:start { project = "1", workflow = "2" }))
    end
  end)

  it("fact 15: a time goes out by the clock of the token's user, and comes in by the server's", function()
    local b = bed.new({ ok '{"totalList":[{"id":1,"startTime":"2024-01-01 01:00:00"}],"total":1}' },
      { server_timezone = "+01:00", user_timezone = "Asia/Shanghai" })
    local rows = b.client.instances:list { project = "1", start_date = 1704067200 }
    assert.truthy(b.requests[1].path:find("startDate=2024-01-01%2008%3A00%3A00", 1, true))
    assert.equal(1704067200, rows[1].started_at)
  end)

  it("§2.6: the times of a schedule are of its own zone, and are given as text only", function()
    local b = bed.new { ok '[{"id":1,"startTime":"2024-01-01 00:00:00","endTime":"2025-01-01 00:00:00"}]' }
    local schedule = b.client.schedules:all(P)[1]
    assert.equal("2024-01-01 00:00:00", schedule.startTime)
    assert.is_nil(schedule.started_at or schedule.ended_at)
  end)

  it("§4.1: each state of a run on any line is under way, over, or over and failed", function()
    local means = {
      running = set [[ SUBMITTED_SUCCESS RUNNING_EXECUTION READY_PAUSE READY_STOP WAITING_THREAD WAITING_DEPEND
        DELAY_EXECUTION SERIAL_WAIT READY_BLOCK DISPATCH WAIT_TO_RUN FAILOVER ]],
      finished = set "PAUSE STOP SUCCESS KILL FORCED_SUCCESS BLOCK",
      ["finished failed"] = set "FAILURE",
      failed = set "NEED_FAULT_TOLERANCE", -- a failover may go on with it
    }
    for expected, states in pairs(means) do
      for state in pairs(states) do
        assert.equal(expected, (meaning('"' .. state .. '"')), state)
      end
    end
  end)

  it("§4.1: 17 is DISPATCH of a task and WAIT_TO_RUN of a run", function()
    assert.equal("WAIT_TO_RUN", select(2, meaning("17")).state)
    assert.equal("DISPATCH", select(2, meaning("17", "task_instances.list")).state)
  end)

  it("§4.2: each state of a task on any line is under way, over, or failed", function()
    local means = {
      running = set "SUBMITTED_SUCCESS RUNNING_EXECUTION DELAY_EXECUTION DISPATCH",
      finished = set "PAUSE STOP SUCCESS KILL FORCED_SUCCESS",
      ["finished failed"] = set "FAILURE",
      failed = set "NEED_FAULT_TOLERANCE",
    }
    for expected, states in pairs(means) do
      for state in pairs(states) do
        assert.equal(expected, (meaning('"' .. state .. '"', "task_instances.list")), state)
      end
    end
  end)

  it("§4.3: a state that nobody knows is given as it is, and means nothing", function()
    local words, row = meaning '"NEWLY_INVENTED"'
    assert.equal("", words)
    assert.equal("NEWLY_INVENTED", row.state)
    for _, flag in ipairs { "running", "finished", "failed" } do
      assert.is_nil(row[flag])
    end
  end)

  it("§4.3: filters take names, also new ones, never the numbers", function()
    local b = bed.new { bed.PAGE }
    assert(b.client.instances:list { project = "1", state = "NEWLY_INVENTED" })
    assert.truthy(b.requests[1].path:find("stateType=NEWLY_INVENTED", 1, true))
    local _, err = b.client.instances:list { project = "1", state = "6" }
    assert.same({ "argument", "state" }, { err.kind, err.argument })
  end)

  it("§4.4: enums are open on the way in and out: each line has its own", function()
    local row = row_of '{"id":1,"commandType":"DYNAMIC_GENERATION","flag":"MAYBE"}'
    assert.same({ "DYNAMIC_GENERATION", "MAYBE" }, { row.commandType, row.flag })
    local b = bed.new { ok() }
    assert(b.client.workflows:start { project = "1", workflow = "2", failure_strategy = "NEWLY_INVENTED" })
    assert.truthy(b.requests[1].body:find("failureStrategy=NEWLY_INVENTED", 1, true))
  end)

  it("live 20: with a zone of the user other times are sent for the same moment", function()
    local seen = {}
    for _, zone in ipairs { "UTC", "Asia/Shanghai" } do
      local b = bed.new({ bed.PAGE }, { user_timezone = zone })
      b.client.instances:list { project = "1", end_date = 1704067200 }
      seen[zone] = b.requests[1].path:match "endDate=([^&]*)"
    end
    assert.equal("2024-01-01%2000%3A00%3A00", seen.UTC)
    assert.equal("2024-01-01%2008%3A00%3A00", seen["Asia/Shanghai"])
  end)

  it("live 38: a recovery moves restartTime and may keep startTime: both are told in seconds", function()
    local row = row_of '{"id":1,"startTime":"2024-01-01 00:00:00","restartTime":"2024-01-01 00:10:00","runTimes":2}'
    assert.same({ 1704067200, 1704067800, 2 }, { row.started_at, row.restarted_at, row.runTimes })
  end)
end)

--- Answers may be anything: what is composed of them never throws.

local bed = require "support.bed"
local core = require "dsclient.core"
local answers = require "dsclient.composed.answers"

describe("a table in an answer", function()
  it("may be a table, or JSON text, or none", function()
    local given = { a = 1 }
    assert.equal(given, answers.table_of(given))
    assert.same({ a = 1 }, answers.table_of '{"a":1}')
    for _, value in ipairs { "", "5", "{", "null", 5, true, core.null } do
      assert.same({}, answers.table_of(value))
    end
    assert.same({}, answers.table_of(nil))
  end)
end)

describe("what is composed", function()
  local CALLS = {
    run = { "runs", { project = "1", workflow = "11" }, { timeout_s = 5 } },
    run_and_wait = { "runs", { project = "1", workflow = "11" }, { timeout_s = 5 } },
    backfill = { "backfill", { project = "1", workflow = "11", dates = { "2025-01-01" } }, { timeout_s = 5 } },
    diagnose = { "failures", { project = "1", instance_id = 1 } },
    export_definitions = { "export", { project = "1" } },
    import_definitions = { "import", { project = "1",
      text = '[{"workflowDefinition":{"name":"x","code":5},"taskDefinitionList":[{"name":"t","code":6}]}]' } },
  }

  local ANSWERS = {
    "null", "[]", "[1]", "[[]]", "[null]", "{}", '"text"', "5", "true", "[{}]", '{"totalList":5,"total":1}',
    '{"totalList":[1,null,{},{"id":"x"},{"id":1.5},{"id":1}],"total":6}', '{"id":{},"name":[],"state":{},"code":[]}',
    '[{"id":7,"name":{},"code":{}}]', '{"id":1,"state":"FAILURE","name":5,"scheduleTime":7,"commandParam":[]}',
    '{"totalList":[{"id":1,"state":"FAILURE","flag":5,"name":[],"taskType":{},"host":1}],"total":1}',
    '{"workflowDefinition":5}',
    '{"processDefinition":{"name":"x","code":"7","locations":5},"taskDefinitionList":[5,{}]}',
    '{"lineNum":"x","message":{}}', '{"userName":{}}', '[{"resInfo":5,"host":{},"port":[]}]',
    '[{"resInfo":"{}","normalCount":"x"}]', '{"code":9007199254740993,"userName":"admin","message":"a","lineNum":-5}',
  }

  it("throws at no answer", function()
    for name, call in pairs(CALLS) do
      for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
        for _, data in ipairs(ANSWERS) do
          local b = bed.new({ bed.ok(data) }, { server_version = version })
          local compose = require("dsclient.composed." .. call[1])[name]
          local ok, value, err = pcall(compose, b.client, call[2], call[3])
          assert(ok, ("%s on %s, %s: %s"):format(name, version, data, tostring(value)))
          assert.is_true(value ~= nil or err.kind ~= nil)
        end
      end
    end
    for _, data in ipairs(ANSWERS) do
      local b = bed.new { bed.ok(data) }
      assert.is_table(require("dsclient.composed.health").cluster_health(b.client))
    end
  end)
end)

describe("wrong arguments of what is composed", function()
  local function call(method, ...)
    local client = bed.new({ bed.ok "[]" }).client
    return client.workflows[method](client.workflows, ...)
  end

  it("throw at who gave them", function()
    for _, method in ipairs { "run", "run_and_wait", "backfill", "export_definitions", "import_definitions" } do
      for _, args in ipairs { 5, "x", false } do
        local ok, message = pcall(call, method, args)
        assert.is_false(ok)
        local place = "^%S*answers_spec.lua:%d+: workflows." .. method
        assert.truthy(message:find(place .. ": a table of arguments"), message)
      end
    end
  end)

  it("are errors that name them where a list or a text is none", function()
    for _, workflows in ipairs { 5, "11", true } do
      local _, err = call("export_definitions", { project = "1", workflows = workflows })
      assert.equal("argument", err.kind)
      assert.equal("workflows", err.argument)
    end
    local circle = { {} }
    circle[1].circle = circle
    for _, text in ipairs { 5, true, circle } do
      local _, err = call("import_definitions", { project = "1", text = text })
      assert.equal("argument", err.kind)
      assert.equal("text", err.argument)
    end
  end)
end)

--- Each path with an answer of its own sort, whose values are at random what the
-- code reads and what it does not expect.
describe("a mix of answers", function()
  local ROUNDS = 1500

  local function chance(seed)
    local state = seed
    return function(n)
      state = state * 16807 % 2147483647
      return state % n + 1
    end
  end

  local WORSE = { "5", "-1", "1.5", "1e300", '"x"', "[]", "{}", "[1]", "[null]", '{"a":1}', "true", '"7"', "[[]]",
    "null", '{"project":true,"workflow":5,"task":[]}', [["a\n\u001b[1m"]], '"secret-token"' }

  -- Where $ stands is a value, each time another one: good mostly, else of WORSE.
  local FORMS = {
    { "users/get", '{"id":$1,"userName":$"admin"}' },
    { "trigger", '[{"id":$7}]' },
    { "executors/start", "$[7]" },
    { "task%-instances/%d+/", '{"subWorkflowInstanceId":$8,"subProcessInstanceId":$8}' },
    { "query%-sub", '{"subWorkflowInstanceId":$8,"subProcessInstanceId":$8}' },
    { "query%-dynamic", '[{"workflowInstanceId":$8,"processInstanceId":$9}]' },
    { "log/detail", '{"lineNum":$1,"message":$"exitStatusCode:137\\n"}' },
    { "task%-instances", '{"totalList":[{"id":$3,"name":$"t","taskType":$"SUB_PROCESS","state":$"FAILURE",' ..
      '"flag":$"YES","host":$"h","retryTimes":$1,"ended_at":$4},{"id":$5,"taskType":$"DYNAMIC","state":$"KILL",' ..
      '"ended_at":$3,"endTime":$"2025-01-01 00:00:00"}],"total":$2}' },
    { "instances/%d+$", '{"id":$7,"name":$"r","state":$"FAILURE","scheduleTime":$"2025-01-01 00:00:00",' ..
      '"started_at":$4,"ended_at":$5,"startTime":$"2025-01-01 00:00:00","commandParam":$"{}"}' },
    { "instances$", '{"totalList":[{"id":$7,"name":$"r","state":$"SUCCESS","commandType":$"START_PROCESS",' ..
      '"scheduleTime":$"2025-01-01 00:00:00"}],"total":$1}' },
    { "projects/list", '[{"code":$1,"name":$"p"}]' },
    { "simple%-list", '[{"id":1,"code":$11,"name":$"w","projectCode":$1},{"code":$12,"name":$"v"}]' },
    { "gen%-task%-codes", "[$77,$78]" },
    { "definition/%d+$", '{"workflowDefinition":{"name":$"w","code":$11,"projectCode":$1,"globalParams":$[],' ..
      '"locations":$[{"taskCode":21}],"executionType":$"PARALLEL","tenantCode":$"t","timeout":$0,"description":$""},' ..
      '"taskDefinitionList":[$5,{"code":$21,"name":$"t","taskType":$"DEPENDENT","environmentCode":$-1,"taskParams":' ..
      '{"workflowDefinitionCode":$12,"dependence":$$D}}],"workflowTaskRelationList":[{"preTaskCode":$0,' ..
      '"postTaskCode":$21},{"preTaskCode":$0,"postTaskCode":$21}],"references":$$R}' },
    { "definition$", '{"code":$91}' },
    { "monitor", '[{"host":$"h","port":$1,"resInfo":$$H,"heartBeatInfo":$$H,"dbType":$"MYSQL","state":$"YES",' ..
      '"maxConnections":$1.5,"threadsConnections":$7.25}]' },
    { "command%-state", '[{"commandState":$"X","normalCount":$200.5,"errorCount":$1}]' },
    { "projects/%d+$", '{"code":$1,"name":$"p"}' },
  }
  local PARTS = {
    D = '{"dependTaskList":[{"dependItemList":[{"projectCode":1,"definitionCode":33,"depTaskCode":$0}]},$5]}',
    R = '{"33":$1,"12":{"project":$"p","workflow":$"w","task":$"t"}}',
    H = '{"reportTime":$1000,"serverStatus":$0,"memoryUsage":$0.99,"diskUsage":$1}',
  }

  local function filled(form, random)
    form = form:gsub("%$%$(%u)", function(name)
      return random(4) == 1 and WORSE[random(#WORSE)] or PARTS[name]
    end)
    local function value(good)
      return random(12) == 1 and WORSE[random(#WORSE)] or good
    end
    return (form:gsub('%$("[^"]*")', value):gsub("%$(%[[^%]]*%])", value):gsub("%$(-?[%d.]+)", value))
  end

  local FILE = FORMS[14][2]
  assert(FILE:find "taskDefinitionList")
  local DATES = { "2025-01-01", "2025-01-02" }
  local CALLS = {
    { "runs", "run", { project = "1", workflow = "11" }, { timeout_s = 5 } },
    { "runs", "run_and_wait", { project = "1", workflow = "11" }, { timeout_s = 5 } },
    { "backfill", "backfill", { project = "1", workflow = "11", dates = DATES }, { timeout_s = 5 } },
    { "failures", "diagnose", { project = "1", instance_id = 1 }, { depth_max = 2 } },
    { "export", "export_definitions", { project = "1" } },
    { "import", "import_definitions", { project = "1" }, { update = true } },
    { "health", "cluster_health", {} },
  }

  --- What a person reads of a result.
  local function lines_of(value, err)
    local lines = { err and tostring(err) }
    local found = type(value) == "table" and value or {}
    for _, list in ipairs { found.problems or {}, found.unresolved or {} } do
      for _, line in ipairs(list) do
        lines[#lines + 1] = line
      end
    end
    for _, one in ipairs(found.failed or {}) do
      lines[#lines + 1] = tostring(one.err)
    end
    return lines
  end

  it("throws nothing out of what is composed", function()
    for round = 1, ROUNDS do
      local random = chance(round)
      random(2)
      local b = bed.new(function(request)
        local path = request.path:match "^[^?]*"
        for _, form in ipairs(FORMS) do
          if path:find(form[1]) then
            return bed.ok(filled(form[2], random))
          end
        end
        return bed.ok "null"
      end, { server_version = ({ "3.1.1", "3.2.2", "3.4.1" })[random(3)] })
      local call = CALLS[round % #CALLS + 1]
      local args = call[3]
      if call[1] == "import" then
        args = { project = "1", text = "[" .. filled(FILE, random) .. "]" }
      end
      local compose = require("dsclient.composed." .. call[1])[call[2]]
      local ok, value, err = pcall(compose, b.client, args, call[4])
      assert(ok, ("%s, round %d: %s"):format(call[2], round, tostring(value)))
      assert.is_true(value ~= nil or err.kind ~= nil)
      for _, line in ipairs(lines_of(value, err)) do
        assert.is_nil(line:find "%c", line)
      end
    end
  end)
end)

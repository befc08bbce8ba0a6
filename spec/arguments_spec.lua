local bed = require "support.bed"
local types = require "dsclient.types"

local PAGE = bed.PAGE

describe("a code", function()
  it("is taken as decimal string or whole number, and sent with all its digits", function()
    for _, digits in ipairs {
      "9683443218016", "11964055605440", "181535832683296", "1815358326832961", "9007199254740991", "0", "7",
    } do
      assert.equal(digits, types.format_code(digits))
      assert.equal(digits, types.format_code(tonumber(digits)))
      assert.equal(digits, types.format_code(tonumber(digits) + 0.0))
    end
    for _, digits in ipairs { "9007199254740992", "9007199254740993", "9223372036854775807" } do
      assert.equal(digits, types.format_code(digits))
    end
    local b = bed.new { PAGE }
    b.client:get_workflow_instances(181535832683296)
    assert.truthy(b.requests[1].path:find("/projects/181535832683296/", 1, true))
  end)

  it("that is anything else is an error of kind argument", function()
    for _, bad in ipairs { 1.5, -1, 2 ^ 53, 1e300, 1 / 0, 0 / 0 } do
      local value = types.format_code(bad)
      assert.is_nil(value)
    end
    for _, bad in ipairs { "1e14", "0012", "9223372036854775808", "-1", "", "1.0", " 1", "99999999999999999999" } do
      assert.is_nil(types.format_code(bad))
    end
    local b = bed.new { PAGE }
    local _, err = b.client:get_workflow_instances(1.5)
    assert.equal("argument", err.kind)
    assert.equal("project", err.argument)
    assert.equal(0, #b.requests)
  end)
end)

describe("an argument", function()
  local function failing(name, args)
    local b = bed.new { PAGE }
    local value, err = b.client:call(name, args)
    assert.is_nil(value)
    assert.equal("argument", err.kind)
    assert.equal(name, err.operation)
    assert.equal(0, #b.requests)
    return err.argument
  end

  it("that may come from outside fails as a value, and is named", function()
    assert.equal("start_date", failing("instances.list", { project = "1", start_date = "2024-01-01T00:00:00" }))
    assert.equal("start_date", failing("instances.list", { project = "1", start_date = -5 }))
    for _, date in ipairs { "2024-13-01 00:00:00", "2024-00-01 00:00:00", "2024-04-31 00:00:00", "2024-01-00 00:00:00",
      "2024-02-30 00:00:00", "2024-01-01 24:00:00", "2024-01-01 00:60:00", "2024-01-01 00:00:60", "2024-1-1 00:00:00",
      "2024-01-01 00:00:00 ", "", "now", "2024-01-01", 1 / 0, 0 / 0, 253402300800 } do
      assert.equal("start_date", failing("instances.list", { project = "1", start_date = date }))
    end
    assert.equal("state", failing("instances.list", { project = "1", state = "failure" }))
    assert.equal("instance_id", failing("instances.get", { project = "1", instance_id = 0 }))
    assert.equal("instance_id", failing("instances.get", { project = "1", instance_id = 2 ^ 31 }))
    assert.equal("instance_id", failing("instances.get", { project = "1", instance_id = "x" }))
    assert.equal("limit", failing("task_instances.log_part", { task_instance_id = 1, limit = 1.5 }))
    assert.equal("project", failing("instances.list", { project = "" }))
  end)

  it("stands in the path or the query under the name of the server line, escaped", function()
    for version, names in pairs {
      ["3.1.1"] = { "process-instances", "processDefineCode=5" },
      ["3.4.1"] = { "workflow-instances", "workflowDefinitionCode=5" },
    } do
      local b = bed.new({ PAGE }, { server_version = version })
      assert(b.client.instances:list {
        project = "1", workflow = "5", search = "a&b=c d/%", start_date = 0, state = "FAILURE",
      })
      local path = b.requests[1].path
      assert.truthy(path:find("/projects/1/" .. names[1] .. "?" .. names[2], 1, true), path)
      assert.truthy(path:find("searchVal=a%26b%3Dc%20d%2F%25", 1, true), path)
      assert.truthy(path:find("startDate=1970-01-01%2000%3A00%3A00", 1, true), path)
      assert.truthy(path:find("stateType=FAILURE", 1, true), path)
    end
  end)

  it("that is a date is sent as given, or made of seconds in the zone of the token's user", function()
    for _, case in ipairs {
      { "2024-02-29 23:59:59", "2024-02-29%2023%3A59%3A59" },
      { 1704067200, "2024-01-01%2000%3A00%3A00" },
      { 1704067200.9, "2024-01-01%2000%3A00%3A00" },
      { 1704067200, "2024-01-01%2008%3A00%3A00", "+08:00" },
      { 0, "1969-12-31%2020%3A00%3A00", "-04:00" },
      { 253370764799, "9999-01-01%2013%3A59%3A59", "+14:00" },
    } do
      local b = bed.new({ PAGE }, { user_timezone = case[3] })
      assert(b.client.instances:list { project = "1", end_date = case[1] })
      assert.truthy(b.requests[1].path:find("endDate=" .. case[2], 1, true), b.requests[1].path)
    end
  end)

  it("that is a time in the zone of a user whose zone is none is an error on one line without the token", function()
    for _, zone in ipairs { [["\n"]], [["a\u0000\u001b[1m"]], [["secret-token"]], [["/secret-token"]], [["../x"]] } do
      local b = bed.new({ bed.ok('{"userName":"a","timeZone":' .. zone .. "}") }, { user_timezone = false })
      local _, err = b.client:call("instances.list", { project = "1", start_date = 5 })
      assert.equal("argument", err.kind)
      assert.equal("start_date", err.argument)
      assert.is_nil(tostring(err):find "%c")
      assert.is_nil(tostring(err):find("secret-token", 1, true))
    end
  end)

  it("of a write stands in the form", function()
    local b = bed.new({ bed.ok() }, { server_version = "3.4.1" })
    assert(b.client:execute_failure_recovery("1", 7))
    local request = b.requests[1]
    assert.equal("POST", request.method)
    assert.equal("/projects/1/executors/execute", request.path)
    assert.equal("workflowInstanceId=7&executeType=START_FAILURE_TASK_PROCESS", request.body)
    assert.truthy(table.concat(request.headers, "\n"):find("x-www-form-urlencoded", 1, true))
    assert.is_true(request.once)
  end)

  it("that is an alert group or an environment may be none", function()
    local b = bed.new({ bed.ok(), bed.ok() }, { server_version = "3.4.1" })
    assert(b.client.workflows:start { project = "1", workflow = "2", warning_group_id = 0, environment = -1 })
    assert.truthy(b.requests[1].body:find("warningGroupId=0&", 1, true), b.requests[1].body)
    assert.truthy(b.requests[1].body:find("environmentCode=-1", 1, true), b.requests[1].body)
  end)

  it("that is JSON writes codes as numbers", function()
    local b = bed.new { bed.ok '{"code":9}' }
    assert(b.client.workflows:create {
      project = "1", name = "w",
      tasks = { { code = "181535832683296", name = "t" } },
      relations = { { preTaskCode = "0", postTaskCode = "181535832683296" } },
    })
    assert.truthy(b.requests[1].body:find("%22code%22%3A181535832683296", 1, true), b.requests[1].body)
  end)

  it("that is a definition goes back under the names it had on the line, codes as numbers", function()
    local relations = { { preTaskCode = "0", workflowDefinitionCode = "7", workflowDefinitionVersion = 1 } }
    local sub = { taskParams = { workflowDefinitionCode = "8" }, isSubWorkflow = "NO" }
    for version, noun in pairs { ["3.1.1"] = "process", ["3.4.1"] = "workflow" } do
      local b = bed.new({ bed.ok '{"code":9}' }, { server_version = version })
      assert(b.client.workflows:create { project = "1", name = "w", tasks = { sub }, relations = relations,
        global_params = { { prop = "workflowDefinitionCode" } } })
      local form = {}
      for name, value in b.requests[1].body:gmatch "([^&=]+)=([^&]*)" do
        form[name] = value:gsub("%%(%x%x)", function(hex)
          return string.char(tonumber(hex, 16))
        end)
      end
      assert.equal(('[{"preTaskCode":0,"NOUNDefinitionCode":7,"NOUNDefinitionVersion":1}]'):gsub("NOUN", noun),
        form.taskRelationJson)
      assert.equal(('[{"isSubX":"NO","taskParams":{"NOUNDefinitionCode":8}}]'):gsub("NOUN", noun)
        :gsub("SubX", noun == "process" and "SubProcess" or "SubWorkflow"), form.taskDefinitionJson)
      assert.equal('[{"prop":"workflowDefinitionCode"}]', form.globalParams)
    end
  end)

  it("with a NUL inside does not pass for another in the cache", function()
    local b = bed.new { PAGE }
    b.client.projects:list { search = "a" }
    b.client.projects:list { search = "a\0search=1:b" }
    assert.equal(2, #b.requests)
  end)
end)

describe("every operation", function()
  local operations = require "dsclient.operations"
  local named = require("dsclient.names").types()
  local RESULTS = { bytes = 1, page = 1, list = 1, object = 1, none = 1, started = 1 }

  for _, name in ipairs(operations.names()) do
    it(name .. " is a whole row", function()
      local row = operations.find(name)
      assert.is_string(row.summary)
      assert.truthy(({ GET = 1, POST = 1, PUT = 1, DELETE = 1 })[row.method])
      assert.truthy(({ read = 1, repeatable = 1, once = 1 })[row.replay])
      assert.truthy(RESULTS[row.result])
      assert.is_nil(row.ttl_s and row.replay ~= "read" or nil)
      for _, path in pairs(type(row.path) == "table" and row.path or { row.path }) do
        for placeholder in path:gmatch "{([%w_]+)}" do
          local found
          for _, param in ipairs(row.params) do
            found = found or param[1] == placeholder and param.path
          end
          assert.truthy(found, placeholder)
        end
      end
      for _, param in ipairs(row.params) do
        assert.truthy(types.convert[param[2]] or named[param[2]], param[2])
        assert.truthy(param.path or param[3])
      end
      for _, other in ipairs(row.invalidates or {}) do
        assert.truthy(operations.find(other), other)
      end
    end)
  end
end)

--- The sandbox answers every row of the catalogue on every version that has it,
-- in the right form, and refuses parameters that don't fit.

local catalogue = require "dsclient.sandbox.catalogue"
local cjson = require "cjson"
local sandbox = require "dsclient.sandbox"

local VERSIONS = { "2.0.9", "3.0.6", "3.1.1", "3.2.0", "3.2.1", "3.2.2", "3.3.1", "3.4.1" }

local FORM, JSON = "application/x-www-form-urlencoded", "application/json"

local function box_of(version)
  return sandbox.new { server_version = version, projects = 1, workflows = 1, kinds = { "flaky" } }
end

local function send(box, method, path, body, kind)
  local answer = box.site:serve({
    method = method,
    path = "/dolphinscheduler" .. path,
    headers = { token = "0123456789abcdef0123456789abcdef", ["content-type"] = kind or FORM },
    body = body or "",
  }).answer
  return answer, answer.body:find "^{" and cjson.decode(answer.body) or nil
end

--- What a path or a form may have at the name of a parameter.
local function value_of(box, name, kind)
  local project = box:projects()[1]
  if name == "schedule" then
    return '{"startTime":"2026-01-01 00:00:00","endTime":"2099-01-01 00:00:00","crontab":"0 0 3 * * ? *",'
      .. '"timezoneId":"UTC"}'
  elseif name:find "JsonObj$" then
    return "{}"
  elseif name:find "[tT]askDefinitionJson$" then
    return '[{"code":5,"name":"t"}]'
  elseif name:find "Json$" then
    return "[]"
  elseif name == "projectCode" or name == "targetProjectCode" then
    return project.code
  elseif name:find "efinitionCode$" or name:find "DefineCode$" or name == "code" then
    return project.workflows[1].code
  elseif name == "stateType" then
    return "FAILURE"
  elseif name == "executeType" then
    return "START_FAILURE_TASK_PROCESS"
  elseif name == "releaseState" then
    return "ONLINE"
  elseif name == "nodeType" then
    return "MASTER"
  elseif name == "warningType" then
    return "NONE"
  elseif name == "failureStrategy" then
    return "CONTINUE"
  elseif kind == "string" or kind == "String[]" then
    return "2"
  end
  return (kind == nil or kind == "int" or kind == "long" or kind == "double") and "1"
    or kind == "bool" and "true" or "NAME"
end

local function escape(text)
  return (text:gsub("[^%w]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

--- The request that an endpoint of a version wants: method, path, body, type.
local function request_for(box, endpoint, version, stocked)
  local old = catalogue.has({ upto = "3.2" }, version)
  local path = (old and endpoint.old or endpoint.path):gsub("{([^}]*)}", function(name)
    return stocked and name == "code" and not endpoint.path:find "schedules" and stocked
      or endpoint.path == "/projects/{code}" and box:projects()[1].code or value_of(box, name)
  end)
  local fields, members, file = {}, {}, false
  for _, param in ipairs(endpoint.params) do
    if catalogue.has(param, version) and (not param.optional or endpoint.body or param.name == "id"
      or param.name == "scheduleTime") then
      local name = old and param.old or param.name
      local coded = stocked and name:find "[cC]ode$" and name ~= "projectCode" and not name:find "^%a+Definition"
      fields[#fields + 1] = name .. "=" .. escape(coded and stocked or value_of(box, name, param.type))
      members[#members + 1] = ('"%s":"%s"'):format(name, "1")
      file = file or param.type == "file" and name
    end
  end
  local form = table.concat(fields, "&")
  if endpoint.body == "list" then
    return endpoint.method, path, '["a"]', JSON
  elseif endpoint.body then
    return endpoint.method, path, "{" .. table.concat(members, ","):gsub('"(page%a+)":"1"', '"%1":1') .. "}", JSON
  elseif file then
    return endpoint.method, path .. "?" .. form:gsub("file=NAME", ""),
      '--xx\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nbytes\r\n--xx--\r\n',
      "multipart/form-data; boundary=xx"
  elseif endpoint.method == "GET" or endpoint.method == "DELETE" then
    return endpoint.method, path .. "?" .. form, "", endpoint.json and JSON
  end
  return endpoint.method, path, form, endpoint.json and JSON
end

local function kind_of(value)
  return value == cjson.null and "null" or type(value)
end

--- Is this the form of a result of the catalogue?
local function fits(result, data, version)
  for one in result:gmatch "[^|]+" do
    local kind = kind_of(data)
    local good
    if one:find "^Page<" then
      good = kind == "table" and type(data.totalList) == "table"
        and (catalogue.has({ upto = "3.1" }, version) and data.start or data.pageNo) == 0
    elseif one:find "^%[" then
      good = kind == "table" and (next(data) == nil or data[1] ~= nil)
    elseif one == "bool" then
      good = kind == "boolean" or kind == "null"
    elseif one == "str" then
      good = kind == "string"
    elseif one == "int" then
      good = kind == "number"
    elseif one ~= "null" then
      good = kind == "table"
    else
      good = kind == "null"
    end
    if good then
      return true
    end
  end
  return false
end

-- What is refused as the world of this spec is: code.
local REFUSED = {
  ["DELETE /projects/{code}"] = 10137,
  ["DELETE /projects/{projectCode}/workflow-definition/{code}"] = 50021,
  ["POST /task-group/start-task-group"] = 130019,
  ["POST /projects/{projectCode}/schedules/{id}/offline"] = 10126,
}

-- What is made before, so that there is something to read, change and delete;
-- its answer is a code, or a row that has one.
local STOCK = {
  { "^/access%-tokens/", "/access-tokens", "userId=1&expireTime=2099-01-01+00:00:00" },
  { "^/environment/", "/environment/create", "name=x&config=x" },
  { "^/cluster/", "/cluster/create", "name=x&config=x" },
  { "^/task%-group/", "/task-group/create", "name=x&description=x&groupSize=1" },
  { "/project%-parameter/", "/projects/%s/project-parameter",
    "projectParameterName=x&projectParameterValue=y&projectParameterDataType=VARCHAR" },
  { "/schedules/", "/projects/%s/schedules", "%sDefinitionCode=%s&schedule=" .. '{"crontab":"0 0 3 * * ? *"}' },
}

local function code_in(data)
  return type(data) == "table" and data.code or type(data) == "number" and data or nil
end

--- Makes what an endpoint needs; its code, if it has one.
local function stock(box, endpoint, version)
  local project = box:projects()[1]
  local noun = catalogue.has({ upto = "3.2" }, version) and "process" or "workflow"
  for _, one in ipairs(STOCK) do
    if endpoint.path:find(one[1]) then
      local form = one[3]:format(noun, project.workflows[1].code)
      local _, json = send(box, "POST", one[2]:format(project.code), form)
      assert.equal(0, json.code, json.msg)
      local code = code_in(json.data)
      return code and ("%.0f"):format(code)
    end
  end
end

describe("the sandbox", function()
  for _, version in ipairs(VERSIONS) do
    it("answers all of the API of " .. version, function()
      local wrong, count = {}, 0
      for _, endpoint in ipairs(catalogue.rows()) do
        if catalogue.has(endpoint, version) and endpoint.method ~= "ANY" then
          local box = box_of(version)
          local name = endpoint.method .. " " .. endpoint.path
          local answer, json = send(box, request_for(box, endpoint, version, stock(box, endpoint, version)))
          local what
          if json and json.code ~= 0 and json.code == REFUSED[name] then
            what = nil
          elseif answer.status ~= endpoint.status then
            what = "status " .. answer.status
          elseif answer.headers["content-disposition"] then
            what = endpoint.result ~= "bytes" and "a file" or nil
          elseif json and json.code == nil then
            what = not (name:find "worker%-group$" or name:find "taskInstanceId}$") and "bare" or nil
          elseif not json or json.code ~= 0 then
            what = answer.body
          elseif not fits(endpoint.result, json.data, version) then
            what = endpoint.result .. " " .. answer.body
          end
          count = count + 1
          wrong[#wrong + 1] = what and name .. ": " .. what:sub(1, 150) or nil
        end
      end
      assert.same({}, wrong)
      assert.is_true(count > 190)
    end)
  end

  it("wants the parameters of its version, of their types", function()
    local box = box_of "3.2.2"
    local project = box:projects()[1].code
    local function code_of(...)
      local answer, json = send(box, ...)
      return json and json.code or answer.status
    end
    assert.equal(10035, code_of("GET", "/datasources/list"))
    assert.equal(1200018, code_of("GET", "/datasources/tables?datasourceId=1"))
    assert.equal(0, code_of("GET", "/datasources/tables?datasourceId=1&database=x"))
    assert.equal(10057, code_of("GET", "/resources?fullName=&type=FILE&pageNo=1&pageSize=1"))
    assert.equal(0, code_of("GET", "/resources?fullName=&tenantCode=&type=FILE&pageNo=1&pageSize=1"))
    assert.equal(10001, code_of("GET", "/users/list-paging?pageNo=0&pageSize=1"))
    local top = "/projects/" .. project .. "/%s-instances/top-n?size=x&startTime=&endTime="
    assert.equal(10116, code_of("GET", top:format "process"))
    assert.equal(10190, code_of("GET", "/projects/1/lineages/list"))
    assert.equal(404, code_of("GET", top:format "workflow"))
    assert.equal(415, code_of("GET", "/v2/projects"))
    assert.equal(415, code_of("POST", "/v2/workflows/query"))
    assert.equal(10048, code_of("POST", "/v2/projects", "{", JSON))
    assert.equal(10139, code_of("GET", "/v2/statistics/workflows/states/count", "", JSON))
    assert.equal(0, code_of("GET", "/v2/statistics/workflows/states/count", "{}", JSON))
  end)

  it("tells what the world has, where a type is known", function()
    local box = box_of "3.4.1"
    local project = box:projects()[1]
    local function data_of(...)
      local _, json = send(box, ...)
      return json.data
    end
    assert.equal("demo-1", data_of("GET", "/projects/list")[1].name)
    assert.equal("admin", data_of("GET", "/users/list-all")[1].userName)
    assert.equal("H2", data_of("GET", "/monitor/databases")[1].dbType)
    assert.equal("flaky-1", data_of("GET", "/projects/" .. project.code .. "/workflow-definition/list")[1]
      .workflowDefinition.name)
    assert.equal(2, #data_of("GET", "/projects/" .. project.code .. "/workflow-definition/" .. project.workflows[1].code
      .. "/tasks"))
    assert.equal(1, data_of("GET", "/v2/workflow-instances/1").id)
    local echoed = data_of("POST", "/datasources", '{"name":"db","type":"MYSQL"}', JSON)
    assert.same({ "db", "MYSQL" }, { echoed.name, echoed.type })
  end)
end)

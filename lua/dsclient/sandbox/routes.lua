--- The paths of the API: which operation a request asks for on a server line,
-- and which parameters it takes. Knows nothing of dsclient's own table of
-- operations: a wrong path there must not find a server that agrees. What has a
-- behaviour of its own stands here, the rest of the API in catalogue.lua.

local catalogue = require "dsclient.sandbox.catalogue"
local lines = require "dsclient.sandbox.lines"

local _M = {}

local PAGE = { { "pageNo", "Integer" }, { "pageSize", "Integer" } }

local function with_page(...)
  local params = { PAGE[1], PAGE[2] }
  for _, param in ipairs { ... } do
    params[#params + 1] = param
  end
  return params
end

-- Method, path (NOUN is `process` or `workflow`), operation, code and text of
-- the error for bad parameters; each parameter: name, type, optional, and
-- under what the handler finds it. Types have the names of Java's.
local ROUTES = {
  { "GET", "/projects", "projects.list",
    error = { 10049, "login user query project list paging error" }, params = { PAGE[2], PAGE[1] } },
  { "POST", "/projects", "projects.create", status = 201, error = { 10048, "create project error" },
    params = { { "projectName", "String" } } },
  { "GET", "/projects/{project}", "projects.get", error = { 10047, "query project details by code error" } },
  { "DELETE", "/projects/{project}", "projects.delete", error = { 10050, "delete project error" } },
  { "GET", "/projects/{project}/NOUN-definition", "workflows.list",
    error = { 10107, "query NOUN definition list paging error" }, params = PAGE },
  { "POST", "/projects/{project}/NOUN-definition", "workflows.create", status = 201,
    error = { 10105, "create NOUN definition error" },
    params = { { "name", "String" }, { "taskRelationJson", "String" }, { "taskDefinitionJson", "String" } } },
  { "GET", "/projects/{project}/NOUN-definition/simple-list", "workflows.simple_list",
    error = { 10106, "query NOUN definition simple list error" } },
  { "GET", "/projects/{project}/NOUN-definition/{definition}", "workflows.get",
    error = { 10109, "query detail of NOUN definition error" } },
  { "DELETE", "/projects/{project}/NOUN-definition/{definition}", "workflows.delete",
    error = { 10110, "delete NOUN definition by code error" } },
  { "POST", "/projects/{project}/NOUN-definition/{definition}/release", "workflows.release",
    error = { 10108, "release NOUN definition error" }, params = { { "releaseState", "ReleaseState" } } },
  { "POST", "/projects/{project}/executors/start-NOUN-instance", "workflows.start",
    error = { 50014, "start NOUN instance error" },
    params = { { "NOUNDefinitionCode", "long", false, "definition" }, { "scheduleTime", "String" },
      { "failureStrategy", "FailureStrategy" }, { "warningType", "WarningType" } } },
  { "POST", "/projects/{project}/executors/execute", "instances.execute",
    error = { 50015, "execute NOUN instance error" },
    params = { { "NOUNInstanceId", "Integer", false, "instance" }, { "executeType", "ExecuteType" } } },
  { "GET", "/projects/{project}/NOUN-instances", "instances.list",
    error = { 10113, "query NOUN instance list paging error" },
    params = with_page({ "stateType", "WorkflowExecutionStatus", true },
      { "DEFINITION", "long", true, "definition" }) },
  { "GET", "/projects/{project}/NOUN-instances/{id}", "instances.get",
    error = { 10116, "query NOUN instance by id error" } },
  { "GET", "/projects/{project}/NOUN-instances/{id}/tasks", "instances.tasks",
    error = { 10114, "query task list by NOUN instance id error" } },
  { "GET", "/projects/{project}/task-instances", "task_instances.list",
    error = { 10082, "query task list paging error" },
    params = with_page({ "stateType", "TaskExecutionStatus", true }, { "NOUNInstanceId", "Integer", true, "instance" },
      { "NOUNInstanceName", "String", true, "instance_name" }, { "taskExecuteType", "TaskExecuteType", true }) },
  { "GET", "/projects/{project}/task-definition/gen-task-codes", "tasks.generate_codes",
    error = { 10049, "login user query project list paging error" }, params = { { "genNum", "Integer" } } },
  { "GET", "/log/detail", "task_instances.log_part", error = { 10103, "view task instance log error", ": {0}" },
    params = { { "taskInstanceId", "int" }, { "skipLineNum", "int" }, { "limit", "int" } } },
  { "GET", "/tenants", "tenants.list", error = { 10010, "query tenant list paging error" }, params = PAGE },
  { "POST", "/tenants", "tenants.create", status = 201, error = { 10011, "create tenant error" },
    params = { { "tenantCode", "String" }, { "queueId", "Integer" } } },
  { "GET", "/users/get-user-info", "users.current", error = { 10098, "get user info error" } },
  { "GET", "/ui-plugins/query-product-info", "server.product_info", error = { 110003, "query plugins error" } },
  { "GET", "/monitor/MASTERS", "server.nodes", error = { 10045, "list masters error" } },
}

local function split(path)
  local segments = {}
  for segment in path:gmatch "[^/]+" do
    segments[#segments + 1] = segment
  end
  return segments
end

local function own_routes(line_name)
  local line = lines.LINES[line_name]
  local masters = line_name == "3.1" and "masters" or "{node}"
  local definition_filter = line.noun == "process" and "processDefineCode" or "workflowDefinitionCode"
  local routes = {}
  for i, row in ipairs(ROUTES) do
    local params = {}
    for j, param in ipairs(row.params or {}) do
      local name = param[1]:gsub("NOUN", line.noun):gsub("DEFINITION", definition_filter)
      params[j] = { name, param[2], param[3], param[4] or name }
    end
    routes[i] = {
      method = row[1],
      segments = split((row[2]:gsub("NOUN", line.noun):gsub("MASTERS", masters))),
      operation = row[3],
      status = row.status or 200,
      error = { row.error[1], (row.error[2]:gsub("NOUN", line.noun)), row.error[3] },
      params = params,
    }
  end
  return routes
end

-- What the catalogue calls a type that has a name of Java's here.
local JAVA_TYPES = { string = "String", ["String[]"] = "String", long = "Code" }

-- Where no endpoint's own error is known.
local INTERNAL_ERROR = 10000

--- The route of an endpoint of the catalogue; its operation is the method and
-- the path of the newest line.
local function catalogue_route(endpoint, path, version, noun)
  local params = {}
  for _, param in ipairs(endpoint.params) do
    if catalogue.has(param, version) then
      local name = noun == "process" and param.old or param.name
      params[#params + 1] = { name, JAVA_TYPES[param.type] or param.type, param.optional, param.name }
    end
  end
  return {
    method = endpoint.method,
    segments = split((path:gsub("{projectCode}", "{project}"))),
    operation = endpoint.method .. " " .. endpoint.path,
    endpoint = endpoint,
    status = endpoint.status,
    error = { endpoint.error or INTERNAL_ERROR, "request failed" },
    params = params,
  }
end

local function shape_of(method, segments)
  return method .. " " .. table.concat(segments, "/"):gsub("{[^}]*}", "{}")
end

--- All routes of a server, by the number of their segments.
local function compile(world)
  local routes, known = own_routes(world.line_name), {}
  for _, route in ipairs(routes) do
    known[shape_of(route.method, route.segments)] = route
  end
  for _, endpoint in ipairs(catalogue.rows()) do
    if catalogue.has(endpoint, world.version) and endpoint.method ~= "ANY" then
      local path = world.line.noun == "process" and endpoint.old or endpoint.path
      local own = known[shape_of(endpoint.method, split(path))]
      if own then
        own.endpoint = endpoint
      else
        routes[#routes + 1] = catalogue_route(endpoint, path, world.version, world.line.noun)
      end
    end
  end
  local by_length = {}
  for _, route in ipairs(routes) do
    local length = #route.segments
    by_length[length] = by_length[length] or {}
    table.insert(by_length[length], route)
  end
  return by_length
end

local compiled = {}

local function fits(route, segments)
  for i, wanted in ipairs(route.segments) do
    if wanted ~= segments[i] and wanted:sub(1, 1) ~= "{" then
      return false
    end
  end
  return true
end

local function literal_count(route)
  local count = 0
  for _, segment in ipairs(route.segments) do
    count = count + (segment:sub(1, 1) == "{" and 0 or 1)
  end
  return count
end

--- The route of a request.
-- @treturn table|nil {method, segments, operation, status, error, params,
--   endpoint (its row in the catalogue)}
-- @treturn boolean has the path another method?
-- @treturn table the segments of the path
function _M.find(world, method, path)
  local by_length = compiled[world.version] or compile(world)
  compiled[world.version] = by_length
  local segments, best, other = split(path), nil, false
  for _, route in ipairs(by_length[#segments] or {}) do
    if fits(route, segments) then
      if route.method == method then
        best = (not best or literal_count(route) > literal_count(best)) and route or best
      else
        other = true
      end
    end
  end
  return best, other, segments
end

return _M

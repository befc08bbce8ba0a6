--- What people put into the server and read again, in memory: tenants, queues,
-- environments, schedules … One table says what each kind has, a few
-- functions do the rest.

local asking = require "dsclient.sandbox.asking"
local catalogue = require "dsclient.sandbox.catalogue"
local core = require "dsclient.core"
local shapes = require "dsclient.sandbox.shapes"
local world_of = require "dsclient.sandbox.world"

local format, refuse = string.format, asking.refuse

local NULL = core.null

local _M = {}

--- A kind: `shape` of its rows; `name`, the key that a search looks at; `key`,
-- by which a row is found (id), and `by`, what requests call it; `unique`
-- keys with the refusal of a second; `unknown`, the refusal of none;
-- `rename`: request's name → row's; `project`: rows belong to one;
-- `answer`: what a creation answers, where it is no row; `listed`: what lists
-- tell beside; `seed`: rows of the beginning.
local KINDS = {
  tenants = {
    shape = "tenant",
    name = "tenantCode",
    unique = { tenantCode = { 10009, "os tenant code %s already exists" } },
    unknown = { 10017, "tenant not exists" },
    listed = { queueName = "default" },
    seed = { { tenantCode = "default", description = "default tenant" } },
  },
  queues = {
    shape = "queue",
    name = "queueName",
    unique = {
      queue = { 10129, "queue value %s already exists" },
      queueName = { 10130, "queue name %s already exists" },
    },
    unknown = { 10128, "queue %s not exists" },
    seed = { { queueName = "default", queue = "default" } },
  },
  access_tokens = {
    shape = "access_token",
    name = "token",
    unique = {},
    unknown = { 70015, "access token not exist" },
    listed = { userName = "admin" },
    seed = {},
  },
  alert_groups = {
    shape = "alert_group",
    name = "groupName",
    unique = { groupName = { 10012, "alarm group already exists" } },
    unknown = { 10011, "alarm group not found" },
    seed = { { groupName = "default admin warning group", description = "default admin warning group" } },
  },
  worker_groups = {
    shape = "worker_group",
    name = "name",
    unique = { name = { 10135, "name %s already exists" } },
    unknown = { 10174, "delete worker group not exist" },
    seed = { { name = "default", systemDefault = true, source = "CONFIG" } },
  },
  environments = {
    shape = "environment",
    name = "name",
    key = "code",
    by = { "environmentCode", "code" },
    rename = { environmentName = "name" },
    unique = { name = { 120002, "this environment name [%s] already exists" } },
    unknown = { 1200009, "not found environment [%s] " },
    answer = "code",
    seed = {},
  },
  clusters = {
    shape = "cluster",
    name = "name",
    key = "code",
    by = { "clusterCode", "code" },
    rename = { clusterName = "name" },
    unique = { name = { 120021, "this cluster name [%s] already exists" } },
    unknown = { 1200028, "not found cluster [%s] " },
    answer = "code",
    seed = {},
  },
  project_parameters = {
    shape = "project_parameter",
    name = "paramName",
    key = "code",
    project = true,
    rename = {
      projectParameterName = "paramName",
      projectParameterValue = "paramValue",
      projectParameterDataType = "paramDataType",
    },
    unique = { paramName = { 10218, "project parameter %s already exists" } },
    unknown = { 10219, "project parameter %s not exists" },
    seed = {},
  },
  task_groups = {
    shape = "task_group",
    name = "name",
    unique = { name = { 130001, "this task group name is repeated in a project" } },
    unknown = { 130003, "task group status error" },
    seed = {},
  },
  schedules = {
    shape = "schedule",
    name = "workflowDefinitionName",
    project = true,
    unique = {},
    unknown = { 10203, "schedule %s does not exist" },
    listed = { userName = "admin" },
    seed = {},
  },
}

-- --- rows ----------------------------------------------------------------

local function row_of(ask, kind, row, listed)
  local live = {}
  for _, fields in ipairs { row, listed and kind.listed or {} } do
    for key, value in pairs(fields) do
      live[key] = value
    end
  end
  return shapes.row(ask.world.line_name, kind.shape, live)
end

local function add(world, kind, rows, row)
  rows.last = rows.last + 1
  row.id = row.id or rows.last
  row.code = kind.key == "code" and world:new_code() or nil
  row.createTime = world_of.date(world.clock, world.server_offset_s)
  row.updateTime = row.createTime
  rows[#rows + 1] = row
  return row
end

--- The rows of a kind in a world, oldest first.
function _M.rows(world, name)
  local rows = world.store[name]
  if not rows then
    rows = { last = 0 }
    world.store[name] = rows
    for _, seed in ipairs(KINDS[name].seed) do
      local row = {}
      for key, value in pairs(seed) do
        row[key] = value
      end
      add(world, KINDS[name], rows, row)
    end
  end
  return rows
end

local function belongs(ask, kind, row)
  return not kind.project or row.project == ask.project
end

--- The row that a request names, and where it stands.
local function find(ask, kind, rows)
  local key, wanted = kind.key or "id", nil
  for _, name in ipairs(kind.by or { key }) do
    wanted = wanted or ask[name] or ask.fields[name]
  end
  for i, row in ipairs(rows) do
    if row[key] == wanted and belongs(ask, kind, row) then
      return row, i
    end
  end
  local code, text = kind.unknown[1], kind.unknown[2]
  if kind == KINDS.schedules and ask.world.line_name == "3.1" then
    code, text = 10022, "scheduler crontab %s does not exist"
  end
  local shown = type(wanted) == "number" and asking.grouped(wanted) or wanted or ""
  refuse(code, text:find "%%s" and format(text, shown) or text)
end

--- What a request says of a row, in the row's own keys.
local function fields_of(ask, kind, endpoint)
  local fields = {}
  for _, param in ipairs(endpoint.params) do
    local value = ask.fields[param.name]
    if value == nil and param.default and param.type == "string" then
      value = param.default
    end
    fields[(kind.rename or {})[param.name] or param.name] = value
  end
  fields.id = nil
  if type(fields.workerGroups) == "string" then
    fields.workerGroups = core.decode(fields.workerGroups)
  end
  return fields
end

local function refuse_second(ask, kind, rows, fields, itself)
  for key, refusal in pairs(kind.unique) do
    for _, row in ipairs(rows) do
      if row ~= itself and fields[key] ~= nil and row[key] == fields[key] and belongs(ask, kind, row) then
        refuse(refusal[1], refusal[2]:find "%%s" and format(refusal[2], fields[key]) or refusal[2])
      end
    end
  end
end

-- --- what is done to them ------------------------------------------------

local act = {}

local function all_that_fit(ask, kind, rows)
  local found, fields = {}, ask.fields
  local definition = fields.workflowDefinitionCode
  for i = #rows, 1, -1 do
    local row = rows[i]
    local fits = belongs(ask, kind, row)
      and asking.contains(row[kind.name] or "", fields.searchVal or fields.name)
      and (not definition or definition == "0" or row.workflowDefinitionCode == definition)
      and (not fields.projectCode or row.projectCode == fields.projectCode)
    found[#found + 1] = fits and row or nil
  end
  return found
end

function act.page(ask, kind, rows)
  return asking.page(ask, all_that_fit(ask, kind, rows), function(row)
    return row_of(ask, kind, row, true)
  end)
end

function act.all(ask, kind, rows)
  local list = core.array {}
  for _, row in ipairs(rows) do
    if belongs(ask, kind, row) and (not ask.userId or row.userId == ask.userId) then
      list[#list + 1] = row_of(ask, kind, row, kind.project)
    end
  end
  return list
end

function act.names(_, kind, rows)
  local list = core.array {}
  for i, row in ipairs(rows) do
    list[i] = row[kind.name]
  end
  return list
end

function act.get(ask, kind, rows)
  return row_of(ask, kind, (find(ask, kind, rows)))
end

function act.verify(ask, kind, rows, endpoint)
  refuse_second(ask, kind, rows, fields_of(ask, kind, endpoint))
  return ask.world.line_name ~= "3.1" and endpoint.result == "bool" or NULL
end

function act.create(ask, kind, rows, endpoint)
  local row = fields_of(ask, kind, endpoint)
  refuse_second(ask, kind, rows, row)
  row.project, row.projectCode = ask.project, row.projectCode or ask.project
  add(ask.world, kind, rows, row)
  return kind.answer and tonumber(row[kind.answer]) or row_of(ask, kind, row)
end

function act.update(ask, kind, rows, endpoint)
  local row, fields = find(ask, kind, rows), fields_of(ask, kind, endpoint)
  refuse_second(ask, kind, rows, fields, row)
  for key, value in pairs(fields) do
    row[key] = value
  end
  row.updateTime = world_of.date(ask.world.clock, ask.world.server_offset_s)
  return endpoint.result ~= "bool" and row_of(ask, kind, row) or _M.yes(ask)
end

--- One call that makes a row, or changes the one whose id is given.
function act.put(ask, kind, rows, endpoint)
  return act[(ask.fields.id or 0) > 0 and "update" or "create"](ask, kind, rows, endpoint)
end

function act.delete(ask, kind, rows, endpoint)
  local row, at = find(ask, kind, rows)
  if row.releaseState == "ONLINE" then
    refuse(50023, format("the status of schedule %d is already online", row.id))
  end
  table.remove(rows, at)
  return endpoint.result == "bool" and _M.yes(ask) or NULL
end

function act.batch_delete(ask, kind, rows)
  for code in ask.fields.codes:gmatch "%d+" do
    for i = #rows, 1, -1 do
      if rows[i].code == code and belongs(ask, kind, rows[i]) then
        table.remove(rows, i)
      end
    end
  end
  return NULL
end

--- What a write says whose result is a bool: lines up to 3.1 say nothing.
function _M.yes(ask)
  return ask.world.line_name == "3.1" and NULL or true
end

-- --- tokens --------------------------------------------------------------

local function new_token(world)
  return format("%08x%024d", 0, tonumber(world:new_code()))
end

function act.create_token(ask, kind, rows, endpoint)
  if (ask.fields.token or "") == "" then
    ask.fields.token = new_token(ask.world)
  end
  local users = ask.world.users
  for _, user in pairs(users) do
    if user.id == ask.fields.userId then
      users[ask.fields.token] = user
      break
    end
  end
  return act.create(ask, kind, rows, endpoint)
end

function act.generate_token(ask)
  return new_token(ask.world)
end

-- --- task groups ---------------------------------------------------------

local function opened(ask, is_open)
  if ask.world.line_name == "3.1" then
    return is_open and 1 or 0
  end
  return is_open and "YES" or "NO"
end

local function open_task_group(ask, kind, rows, is_open)
  local row = find(ask, kind, rows)
  local wanted = opened(ask, is_open)
  if (row.status or opened(ask, true)) == wanted then
    refuse(is_open and 130019 or 130018, format("The task group has been %s.", is_open and "opened" or "closed"))
  end
  row.status = wanted
  return NULL
end

function act.open(ask, kind, rows)
  return open_task_group(ask, kind, rows, true)
end

function act.close(ask, kind, rows)
  return open_task_group(ask, kind, rows, false)
end

-- --- schedules -----------------------------------------------------------

--- Start, end, crontab and zone, which come as JSON in one field.
local function read_schedule(ask)
  local given = core.decode(ask.fields.schedule)
  -- Quartz has six fields or seven
  local _, gaps = (type(given) == "table" and given.crontab or ""):gsub("%s+%S", "")
  if gaps < 5 or gaps > 6 then
    refuse(10140, "parse cron to cron expression error", 201)
  end
  return given
end

local function fill_schedule(ask)
  local given, fields = read_schedule(ask), ask.fields
  fields.startTime, fields.endTime = given.startTime, given.endTime
  fields.crontab, fields.timezoneId = given.crontab, given.timezoneId
end

local SCHEDULE_KEYS = {}
for _, name in ipairs { "startTime", "endTime", "crontab", "timezoneId" } do
  SCHEDULE_KEYS[#SCHEDULE_KEYS + 1] = { name = name, type = "string" }
end

--- An endpoint that takes the members of `schedule` as its own.
local function with_schedule(endpoint)
  local params = {}
  for _, list in ipairs { endpoint.params, SCHEDULE_KEYS } do
    for _, param in ipairs(list) do
      params[#params + 1] = param.name ~= "schedule" and param or nil
    end
  end
  return { params = params, result = endpoint.result }
end

function act.create_schedule(ask, kind, rows, endpoint)
  local world, code = ask.world, ask.fields.workflowDefinitionCode
  local definition = world.definitions[code]
  if not definition then
    refuse(50003, format("%s definition %s does not exist", world.line.noun, code))
  elseif definition.release_state ~= "ONLINE" then
    refuse(50004, format("%s definition %s not online", world.line.noun, definition.name))
  end
  for _, row in ipairs(rows) do
    if row.workflowDefinitionCode == code and world.line_name ~= "3.1" then
      refuse(10204, format("workflow %s schedule %d already exist, please update or delete it", definition.name,
        row.id))
    end
  end
  fill_schedule(ask)
  local answer = act.create(ask, kind, rows, with_schedule(endpoint))
  local row = rows[#rows]
  row.processDefinitionName, row.workflowDefinitionName = definition.name, definition.name
  row.projectName = definition.project.name
  return answer
end

function act.update_schedule(ask, kind, rows, endpoint)
  if ask.code then -- by its workflow
    for _, row in ipairs(rows) do
      ask.id = row.workflowDefinitionCode == ask.code and row.id or ask.id
    end
  end
  fill_schedule(ask)
  return act.update(ask, kind, rows, with_schedule(endpoint))
end

local function release(ask, kind, rows, state)
  local old = catalogue.has({ upto = "3.2.0" }, ask.world.version)
  if not old and not pcall(find, ask, kind, rows) then
    return true -- also for one that there is not
  end
  local row = find(ask, kind, rows)
  if old and (row.releaseState or "OFFLINE") == state then
    refuse(10126, "schedule release is already " .. state)
  end
  row.releaseState = state
  return _M.yes(ask)
end

function act.online(ask, kind, rows)
  return release(ask, kind, rows, "ONLINE")
end

function act.offline(ask, kind, rows)
  return release(ask, kind, rows, "OFFLINE")
end

-- So many times does a preview show.
local PREVIEWED, DAY_S = 5, 86400

--- Not by the crontab: once a day from now on.
function act.preview(ask)
  read_schedule(ask)
  local list = core.array {}
  for i = 1, PREVIEWED do
    list[i] = world_of.date(ask.world.clock + i * DAY_S, 0)
  end
  return list
end

-- --- which request does what ---------------------------------------------

local ENDPOINTS = {
  tenants = {
    ["GET /tenants"] = "page",
    ["POST /tenants"] = "create",
    ["GET /tenants/list"] = "all",
    ["GET /tenants/verify-code"] = "verify",
    ["PUT /tenants/{id}"] = "update",
    ["DELETE /tenants/{id}"] = "delete",
  },
  queues = {
    ["GET /queues"] = "page",
    ["POST /queues"] = "create",
    ["GET /queues/list"] = "all",
    ["POST /queues/verify"] = "verify",
    ["PUT /queues/{id}"] = "update",
    ["DELETE /queues/{id}"] = "delete",
    ["GET /v2/queues"] = "page",
    ["POST /v2/queues"] = "create",
    ["GET /v2/queues/list"] = "all",
    ["POST /v2/queues/verify"] = "verify",
    ["PUT /v2/queues/{id}"] = "update",
  },
  access_tokens = {
    ["GET /access-tokens"] = "page",
    ["POST /access-tokens"] = "create_token",
    ["POST /v2/access-tokens"] = "create_token",
    ["POST /access-tokens/generate"] = "generate_token",
    ["GET /access-tokens/user/{userId}"] = "all",
    ["PUT /access-tokens/{id}"] = "update",
    ["DELETE /access-tokens/{id}"] = "delete",
  },
  alert_groups = {
    ["GET /alert-groups"] = "page",
    ["POST /alert-groups"] = "create",
    ["GET /alert-groups/list"] = "all",
    ["GET /alert-groups/normal-list"] = "all",
    ["POST /alert-groups/query"] = "get",
    ["GET /alert-groups/verify-name"] = "verify",
    ["PUT /alert-groups/{id}"] = "update",
    ["DELETE /alert-groups/{id}"] = "delete",
  },
  worker_groups = {
    ["GET /worker-groups"] = "page",
    ["POST /worker-groups"] = "put",
    ["GET /worker-groups/all"] = "names",
    ["DELETE /worker-groups/{id}"] = "delete",
  },
  environments = {
    ["POST /environment/create"] = "create",
    ["POST /environment/delete"] = "delete",
    ["GET /environment/list-paging"] = "page",
    ["GET /environment/query-by-code"] = "get",
    ["GET /environment/query-environment-list"] = "all",
    ["POST /environment/update"] = "update",
    ["POST /environment/verify-environment"] = "verify",
  },
  clusters = {
    ["POST /cluster/create"] = "create",
    ["POST /cluster/delete"] = "delete",
    ["GET /cluster/list-paging"] = "page",
    ["GET /cluster/query-by-code"] = "get",
    ["GET /cluster/query-cluster-list"] = "all",
    ["POST /cluster/update"] = "update",
    ["POST /cluster/verify-cluster"] = "verify",
  },
  project_parameters = {
    ["GET /projects/{projectCode}/project-parameter"] = "page",
    ["POST /projects/{projectCode}/project-parameter"] = "create",
    ["POST /projects/{projectCode}/project-parameter/batch-delete"] = "batch_delete",
    ["POST /projects/{projectCode}/project-parameter/delete"] = "delete",
    ["GET /projects/{projectCode}/project-parameter/{code}"] = "get",
    ["PUT /projects/{projectCode}/project-parameter/{code}"] = "update",
  },
  task_groups = {
    ["POST /task-group/create"] = "create",
    ["POST /task-group/update"] = "update",
    ["GET /task-group/list-paging"] = "page",
    ["GET /task-group/query-list-by-projectCode"] = "page",
    ["GET /task-group/query-list-by-status"] = "page",
    ["POST /task-group/start-task-group"] = "open",
    ["POST /task-group/close-task-group"] = "close",
  },
  schedules = {
    ["GET /projects/{projectCode}/schedules"] = "page",
    ["POST /projects/{projectCode}/schedules"] = "create_schedule",
    ["POST /projects/{projectCode}/schedules/list"] = "all",
    ["POST /projects/{projectCode}/schedules/preview"] = "preview",
    ["PUT /projects/{projectCode}/schedules/update/{code}"] = "update_schedule",
    ["PUT /projects/{projectCode}/schedules/{id}"] = "update_schedule",
    ["DELETE /projects/{projectCode}/schedules/{id}"] = "delete",
    ["POST /projects/{projectCode}/schedules/{id}/offline"] = "offline",
    ["POST /projects/{projectCode}/schedules/{id}/online"] = "online",
  },
}

--- What is done at an endpoint of the catalogue; nil where nothing is stored.
-- @treturn function|nil (ask, endpoint) → data
function _M.handler(endpoint)
  local path = endpoint.method .. " " .. endpoint.path
  for name, actions in pairs(ENDPOINTS) do
    local action = actions[path]
    if action then
      return function(ask)
        local kind = KINDS[name]
        local answer = act[action](ask, kind, _M.rows(ask.world, name), endpoint)
        if endpoint.kind ~= "R" then
          ask.world:record(name .. "." .. action, ask.by, { request_path = path })
        end
        return answer
      end
    end
  end
end

return _M

--- Answers of endpoints that have no behaviour here: data of the right type, from
-- what the world has, or empty.

local asking = require "dsclient.sandbox.asking"
local core = require "dsclient.core"
local rows = require "dsclient.sandbox.rows"
local shapes = require "dsclient.sandbox.shapes"
local store = require "dsclient.sandbox.store"

local NULL = core.null

local _M = {}

-- --- rows of a type ------------------------------------------------------

local live = {}

function live.Project(ask)
  local list = {}
  for _, project in ipairs(ask.world.project_list) do
    local visible = ask.user.admin or ask.user.projects[project.name]
    if visible and not project.deleted and (not ask.code or project.code == ask.code) then
      list[#list + 1] = rows.project(ask.world, project)
    end
  end
  return list
end

function live.User(ask)
  local list = {}
  for _, user in pairs(ask.world.users) do
    list[#list + 1] = rows.user(ask.world, user)
  end
  table.sort(list, function(a, b)
    return a.id < b.id
  end)
  return list
end

function live.Server(ask)
  return { rows.master(ask.world) }
end

function live.DatabaseMetrics(ask)
  return { shapes.row(ask.world.line_name, "database", {}) }
end

local function definitions(ask, make)
  local list = {}
  local project = ask.world.projects[ask.project]
  for _, definition in ipairs(project and project.definitions or {}) do
    local wanted = ask.code or ask.fields.workflowDefinitionCode
    local fits = (not wanted or definition.code == wanted)
      and (not ask.fields.name or definition.name == ask.fields.name)
    list[#list + 1] = fits and make(definition) or nil
  end
  return list
end

function live.DagData(ask)
  return definitions(ask, function(definition)
    return rows.dag(ask.world, definition)
  end)
end

function live.DependentSimplifyDefinition(ask)
  return definitions(ask, function(definition)
    return { code = definition.code, name = definition.name, version = definition.version }
  end)
end

function live.WorkflowDefinition(ask)
  return definitions(ask, function(definition)
    return rows.definition(ask.world, definition)
  end)
end

function live.TaskDefinition(ask)
  local list = {}
  for _, dag in ipairs(live.DagData(ask)) do
    for _, task in ipairs(dag.taskDefinitionList) do
      list[#list + 1] = task
    end
  end
  return list
end

function live.WorkflowInstance(ask)
  local list, wanted = {}, ask.id or ask.workflowInstanceId
  for id = ask.world.run_count, 1, -1 do
    local run = ask.world.runs[id]
    local fits = run and (not ask.project or run.project.code == ask.project) and (not wanted or run.id == wanted)
      and (not ask.fields.triggerCode or run.trigger_code == ask.fields.triggerCode)
    list[#list + 1] = fits and rows.run(ask.world, run, wanted ~= nil) or nil
  end
  return list
end

-- Types under another name, and those of the store.
live.TaskDefinitionVO, live.TaskDefinitionLog = live.TaskDefinition, live.TaskDefinition
live.WorkflowDefinitionLog = live.WorkflowDefinition

-- What an object of a type has when nothing is known of it; NOUN is the line's
-- word.
local EMPTY = core.array {}
local COUNTS = { totalCount = 0, taskCountDtos = EMPTY }
local USERS = { count = 0, userList = EMPTY }
local VARIABLES = { globalParams = EMPTY, localParams = {} }
local OBJECTS = {
  ["dict[str,str]"] = { sessionId = "01234567-89ab-cdef-0123-456789abcdef" },
  DefineUserDto = USERS,
  FetchFileContentResponse = { alias = "file.txt", content = "" },
  GanttDto = { height = 0, taskNames = EMPTY, tasks = EMPTY, taskStatusMap = {} },
  ResourceComponent = { id = 0, pid = -1, name = "", fullName = "", dirctory = true, children = EMPTY },
  ResponseTaskLog = { lineNum = 1, message = "" },
  TaskCountDto = COUNTS,
  TaskInstanceCountVO = { totalCount = 0, taskInstanceStatusCounts = EMPTY, taskCountDtos = EMPTY },
  TreeViewDto = { name = "DAG", type = "", code = 0, instances = EMPTY, children = EMPTY },
  UsersBatchActivateResult = { success = { sum = 0, userName = EMPTY }, failed = { sum = 0, info = EMPTY } },
  WorkFlowLineage = { workFlowRelationList = EMPTY, workFlowRelationDetailList = EMPTY },
  WorkflowDefinitionCountVO = USERS,
  WorkflowDefinitionVariablesView = VARIABLES,
  WorkflowInstanceCountVO = { totalCount = 0, workflowInstanceStatusCounts = EMPTY, taskCountDtos = EMPTY },
  WorkflowInstanceParentInstanceView = { parentWorkflowInstance = 0 },
  WorkflowInstanceSubWorkflowInstanceView = { subWorkflowInstanceId = 0 },
  WorkflowInstanceVariablesView = VARIABLES,
}

--- One that looks like an entity: an id, and what the request said of it.
local function echo(ask, endpoint)
  local object = { id = ask.id or 1 }
  for _, param in ipairs(endpoint.params) do
    local value = ask.fields[param.name]
    if value ~= nil and param.type ~= "file" then
      object[shapes.name(ask.world.line_name, param.name)] = value
    end
  end
  return object
end

-- --- data of a type ------------------------------------------------------

local function rows_of(ask, kind)
  return live[kind] and live[kind](ask) or {}
end

local function same(row)
  return row
end

local SCALARS = { str = "", int = 1, null = NULL }

local function data_of(ask, endpoint)
  local result = endpoint.result:match "^[^|]+"
  local paged, listed = result:match "^Page<(.*)>$", result:match "^%[(.*)%]$"
  if paged then
    return asking.page(ask, rows_of(ask, paged), same)
  elseif listed then
    return core.array(rows_of(ask, listed))
  elseif result == "bool" then
    return endpoint.kind == "R" or store.yes(ask)
  elseif SCALARS[result] then
    return SCALARS[result]
  end
  return rows_of(ask, result)[1] or OBJECTS[result] or result:find "^dict" and {} or echo(ask, endpoint)
end

-- What comes without an envelope, or in another one.
local BARE = {
  ["GET /projects/{projectCode}/worker-group"] = function()
    return { status = "SUCCESS", msg = "success", data = EMPTY }
  end,
  ["POST /v2/projects/{projectCode}/task-instances/{taskInstanceId}"] = function(ask)
    local task = ask.world.tasks[ask.taskInstanceId]
    return task and rows.task(ask.world, task, false) or {}
  end,
}

--- The answer of an endpoint of the catalogue.
-- @return data; or nil and `bytes`, the body of an attachment; or nil, nil and
--   an object that comes without an envelope
function _M.answer(ask, endpoint)
  local bare = BARE[endpoint.method .. " " .. endpoint.path]
  if bare then
    return nil, nil, bare(ask)
  elseif endpoint.result == "bytes" then
    return nil, endpoint.path .. "\n"
  end
  return data_of(ask, endpoint)
end

return _M

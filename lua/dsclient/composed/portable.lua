--- Workflow definitions as they stand in a file: the form that 3.3 exports, with
-- the keys of the newest line, whatever line they come from; and their codes,
-- which are others on each server.

local answers = require "dsclient.composed.answers"
local core = require "dsclient.core"
local dialects = require "dsclient.dialect"
local types = require "dsclient.types"

local _M = {}

local code_of = types.format_code

-- --- forms ---------------------------------------------------------------

local RENAMED = dialects.RENAMED.process

--- A copy with other keys, all the way down.
local function renamed(value, names)
  if type(value) ~= "table" then
    return value
  end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do
    copy[names[key] or key] = renamed(item, names)
  end
  return copy
end

-- What a definition, a task and a relation are made of; the rest is the server's.
local DEFINITION = { "name", "description", "globalParams", "timeout", "executionType", "tenantCode" }
local TASK = {
  "code", "name", "description", "taskType", "flag", "isCache", "taskPriority", "workerGroup", "environmentCode",
  "failRetryTimes", "failRetryInterval", "timeoutFlag", "timeoutNotifyStrategy", "timeout", "delayTime",
  "taskGroupId", "taskGroupPriority", "cpuQuota", "memoryMax", "taskExecuteType",
}
local RELATION = { "name", "preTaskCode", "postTaskCode", "conditionType", "conditionParams" }

local function picked(row, keys)
  local copy = {}
  for _, key in ipairs(keys) do
    copy[key] = row[key]
  end
  return copy
end

-- The type of a task that runs another workflow, on both sides of the rename.
local SUB_TYPES = { SUB_PROCESS = "SUB_WORKFLOW" }

local NO_ENVIRONMENT = "-1"

--- @treturn table|nil nil where it is no task: all that refers to it does so by its code
local function task_of(row)
  local task = type(row) == "table" and picked(row, TASK)
  local code = task and code_of(task.code)
  if not code then
    return nil
  end
  task.code, task.environmentCode = code, code_of(task.environmentCode) or NO_ENVIRONMENT
  task.taskType = SUB_TYPES[task.taskType] or task.taskType
  task.taskParams = answers.table_of(row.taskParams)
  return task
end

local function rows_of(value)
  return type(value) == "table" and value or {}
end

--- One definition with its tasks, as `workflows.get` gives it or a file has it.
-- @treturn table|nil {code, project, fields, tasks, relations, locations,
--   references}; nil where it is none
function _M.read(row)
  row = renamed(rows_of(row), RENAMED)
  local definition = row.workflowDefinition
  local code = type(definition) == "table" and type(definition.name) == "string" and code_of(definition.code)
  if not code then
    return nil
  end
  local bundle = {
    code = code,
    project = code_of(definition.projectCode),
    fields = picked(definition, DEFINITION),
    tasks = {},
    relations = {},
    locations = answers.table_of(definition.locations),
    references = rows_of(row.references),
  }
  bundle.fields.globalParams = answers.table_of(definition.globalParams)
  for i, task in ipairs(rows_of(row.taskDefinitionList)) do
    bundle.tasks[i] = task_of(task)
    if not bundle.tasks[i] then
      return nil
    end
  end
  for i, relation in ipairs(rows_of(row.workflowTaskRelationList)) do
    if type(relation) ~= "table" then
      return nil
    end
    bundle.relations[i] = picked(relation, RELATION)
  end
  return bundle
end

local function array(rows)
  return core.array(rows)
end

--- The form of a file.
function _M.write(bundle)
  local definition = picked(bundle.fields, DEFINITION)
  definition.code, definition.projectCode = bundle.code, bundle.project
  definition.globalParams = core.encode(array(bundle.fields.globalParams), true)
  definition.locations = core.encode(array(bundle.locations), true)
  return {
    workflowDefinition = definition,
    taskDefinitionList = array(bundle.tasks),
    workflowTaskRelationList = array(bundle.relations),
    references = next(bundle.references) and bundle.references or nil,
  }
end

-- --- the way to a server -------------------------------------------------

local OLD_NAMES, OLD_TYPES = {}, {}
for old, new in pairs(RENAMED) do
  OLD_NAMES[new] = old
end
for old, new in pairs(SUB_TYPES) do
  OLD_TYPES[new] = old
end

-- How runs of a workflow follow each other unless it is told: 2.0 knows no other.
local PARALLEL = "PARALLEL"

--- Arguments of `workflows.create` and `workflows.update`.
-- @tparam string dialect whose words tasks are told in
function _M.arguments(bundle, dialect)
  local tasks, relations = {}, {}
  for i, task in ipairs(bundle.tasks) do
    local one = picked(task, TASK)
    one.taskParams = task.taskParams
    if dialect == "process" then
      one.taskType = OLD_TYPES[one.taskType] or one.taskType
      one.taskParams = renamed(one.taskParams, OLD_NAMES)
    end
    tasks[i] = one
  end
  for i, relation in ipairs(bundle.relations) do
    relations[i] = picked(relation, RELATION)
    relations[i].preTaskVersion, relations[i].postTaskVersion = 0, 0
  end
  local fields = bundle.fields
  local tenant, execution_type = fields.tenantCode, fields.executionType
  return {
    name = fields.name,
    description = type(fields.description) == "string" and fields.description or "",
    global_params = array(fields.globalParams),
    timeout = type(fields.timeout) == "number" and fields.timeout or 0,
    execution_type = type(execution_type) == "string" and execution_type ~= PARALLEL and execution_type or nil,
    tenant = type(tenant) == "string" and tenant ~= "" and tenant or nil,
    tasks = array(tasks),
    relations = array(relations),
    locations = array(bundle.locations),
  }
end

local function rank(value)
  return code_of(value) or type(value) == "string" and value or ""
end

local function sorted(rows, ...)
  local keys, copy = { ... }, {}
  for i, row in ipairs(rows) do
    copy[i] = row
  end
  table.sort(copy, function(a, b)
    for _, key in ipairs(keys) do
      local one, other = rank(rows_of(a)[key]), rank(rows_of(b)[key])
      if one ~= other then
        return one < other
      end
    end
    return false
  end)
  return array(copy)
end

-- What a task is without its being told; lines differ in what they tell.
local TASK_DEFAULTS = {
  description = "", isCache = "NO", cpuQuota = -1, memoryMax = -1, taskGroupId = 0, taskGroupPriority = 0,
  delayTime = 0, taskExecuteType = "BATCH", environmentCode = NO_ENVIRONMENT, timeout = 0, failRetryTimes = 0,
}

--- A text that two definitions share only if they are the same; nil where it has
-- what no JSON text has.
function _M.fingerprint(bundle)
  local args = _M.arguments(bundle, "workflow")
  args.tenant = nil -- of the line, up to 3.1
  for _, task in ipairs(args.tasks) do
    for key, value in pairs(TASK_DEFAULTS) do
      if task[key] == value then
        task[key] = nil
      end
    end
  end
  args.tasks = sorted(args.tasks, "name")
  args.relations = sorted(args.relations, "preTaskCode", "postTaskCode")
  args.locations = sorted(args.locations, "taskCode")
  return core.encode(args, true)
end

-- --- codes ---------------------------------------------------------------

local NONE = "0"

-- A server's own codes are longer than any other number. What is shorter, in a file
-- that somebody wrote, is a code only under a key that tells so.
local LONG = 10

local function may_be_code(text, key)
  return text ~= NONE and (#text >= LONG or key:find "[cC]ode$" ~= nil or key:find "Node$" ~= nil)
end

--- A copy in which each value that is a known code is the new one.
-- @tparam table codes old → new, both as text
-- @tparam string key under which the value stands, or the list that it is in
local function mapped(value, codes, key)
  if type(value) == "table" then
    local copy = setmetatable({}, getmetatable(value))
    for own, item in pairs(value) do
      copy[own] = mapped(item, codes, type(own) == "string" and own or key)
    end
    return copy
  end
  local text = code_of(value)
  local code = text and may_be_code(text, key) and codes[text]
  if code then
    return type(value) == "number" and tonumber(code) or code
  end
  return value
end

--- A copy of the definition for a server where it has other codes.
function _M.with_codes(bundle, codes)
  local copy = {}
  for name, value in pairs(bundle) do
    copy[name] = value
  end
  copy.code, copy.project = codes[bundle.code] or bundle.code, codes[bundle.project] or bundle.project
  for _, name in ipairs { "locations", "relations", "tasks" } do
    copy[name] = mapped(bundle[name], codes, name)
  end
  return copy
end

--- Calls `act` with each {project, workflow, task, of} (codes as text, or nil) that
-- tasks of this definition refer to; `of` is the task's name.
function _M.each_reference(bundle, act)
  for _, task in ipairs(bundle.tasks) do
    local params = task.taskParams
    local sub = code_of(params.workflowDefinitionCode)
    if sub then
      act { workflow = sub, of = task.name }
    end
    for _, group in ipairs(rows_of(rows_of(params.dependence).dependTaskList)) do
      for _, row in ipairs(rows_of(rows_of(group).dependItemList)) do
        local item = rows_of(row)
        local dep_task = code_of(item.depTaskCode)
        if code_of(item.definitionCode) then
          act {
            project = code_of(item.projectCode),
            workflow = code_of(item.definitionCode),
            task = dep_task ~= NONE and dep_task or nil,
            of = task.name,
          }
        end
      end
    end
  end
end

return _M

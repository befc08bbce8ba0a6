--- The normal form of answers in the plainest Lua, on top of cjson: what the
-- one pass of the core must agree with. Shares no code and no table with it.

local cjson = require "cjson"
local set = require "support.set"

local _M = {}

-- By number, as texts of 3.1 and 3.2 show them; 17 of a task is DISPATCH.
local STATES = { [0] = "SUBMITTED_SUCCESS", "RUNNING_EXECUTION", "READY_PAUSE", "PAUSE", "READY_STOP", "STOP",
  "FAILURE", "SUCCESS", "NEED_FAULT_TOLERANCE", "KILL", "WAITING_THREAD", "WAITING_DEPEND", "DELAY_EXECUTION",
  "FORCED_SUCCESS", "SERIAL_WAIT", "READY_BLOCK", "BLOCK", "WAIT_TO_RUN", "FAILOVER" }

local MEANS = { FAILURE = { finished = true, failed = true }, NEED_FAULT_TOLERANCE = { failed = true },
  DISPATCH = { running = true } }
for _, name in ipairs { "PAUSE", "STOP", "SUCCESS", "KILL", "FORCED_SUCCESS", "BLOCK" } do
  MEANS[name] = { finished = true }
end
for _, name in pairs(STATES) do
  MEANS[name] = MEANS[name] or { running = true }
end

--- Keys of times, and what their seconds are called: of any rows, and of runs.
local PLAIN_TIMES = { createTime = "created_at", updateTime = "updated_at" }
_M.TIMES = { createTime = "created_at", updateTime = "updated_at", startTime = "started_at", endTime = "ended_at",
  scheduleTime = "scheduled_at", submitTime = "submitted_at", restartTime = "restarted_at" }

--- Keys of codes on all lines.
_M.CODES = set [[
  code projectCode workflowDefinitionCode processDefinitionCode processDefineCode workflowCode workFlowCode
  sourceWorkFlowCode targetWorkFlowCode subflowCode processCode definitionCode taskCode taskDefinitionCode
  depTaskCode preTaskCode postTaskCode environmentCode clusterCode triggerCode
]]

--- What keys up to 3.2 are called from 3.3 on.
_M.RENAMED = {
  processDefinition = "workflowDefinition",
  processDefinitionCode = "workflowDefinitionCode",
  processDefinitionVersion = "workflowDefinitionVersion",
  processInstance = "workflowInstance",
  processInstanceId = "workflowInstanceId",
  processInstanceName = "workflowInstanceName",
  processInstancePriority = "workflowInstancePriority",
  processInstanceState = "workflowInstanceState",
  processTaskRelationList = "workflowTaskRelationList",
  isSubProcess = "isSubWorkflow",
  subProcess = "subWorkflow",
  nextProcessInstanceId = "nextWorkflowInstanceId",
}

local HEARTBEAT = { resInfo = "heartBeatInfo", zkDirectory = "serverDirectory" }
--- What keys of single operations are called since.
_M.RENAMED_OF = {
  ["analysis.task_state_count"] = { taskCountDtos = "taskInstanceStatusCounts", taskStateType = "state" },
  ["analysis.workflow_state_count"] = { taskCountDtos = "workflowInstanceStatusCounts", taskStateType = "state" },
  ["server.masters"] = HEARTBEAT,
  ["server.workers"] = HEARTBEAT,
  ["server.nodes"] = HEARTBEAT,
}
--- … and in other rows than task instances.
_M.RENAMED_ELSEWHERE = setmetatable({ processDefinitionName = "workflowDefinitionName" }, { __index = _M.RENAMED })

local ROW_LISTS = set "totalList taskList"

local function state_name(state, rows)
  local number = type(state) == "number" and state or tonumber(state:match "^%a*{code=(%d+),")
  if number == 17 and rows == "task" then
    return "DISPATCH"
  end
  return STATES[number] or state
end

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

--- Seconds since 1970 of a time in UTC, counted year by year.
function _M.seconds(text)
  local year, month, day, hour, minute, second = text:match "^(%d%d%d%d)-(%d%d)-(%d%d) (%d%d):(%d%d):(%d%d)$"
  if not year then
    return nil
  end
  local days = 0
  for y = 1970, year - 1 do
    days = days + (is_leap(y) and 366 or 365)
  end
  for m = 1, month - 1 do
    days = days + ({ 31, is_leap(tonumber(year)) and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 })[m]
  end
  return ((days + day - 1) * 24 + hour) * 3600 + minute * 60 + second
end

local normalise

local function add_state(out, value, rows)
  local name = state_name(value, rows)
  local means = MEANS[name]
  if means then
    out.finished, out.failed, out.running = means.finished or false, means.failed or false, means.running or false
  end
  return name
end

local function add_member(out, name, value, here, form)
  local of_root = here.root and ROW_LISTS[name]
  if value == cjson.null then
    if of_root then
      out[name] = {}
    end
    return
  end
  local scalar = type(value) == "string" or type(value) == "number" and value % 1 == 0
  local of_runs = form.rows ~= "plain"
  local seconds = (of_runs and _M.TIMES or PLAIN_TIMES)[name]
  if here.row and of_runs and name == "state" and scalar then
    value = add_state(out, value, form.rows)
  elseif here.root and form.rows and of_runs and name == "workflowInstanceState" and scalar then
    value = state_name(value, "instance")
  elseif here.row and seconds and type(value) == "string" then
    local at = _M.seconds(value)
    out[seconds] = at and at - (form.utc_offset_s or 0)
  end
  out[name] = normalise(value, {
    code = form.codes[name],
    codes = form.code_lists[name],
    holds_rows = of_root and form.rows,
  }, form)
end

function normalise(value, here, form)
  if type(value) == "number" and here.code and value % 1 == 0 then
    return ("%.0f"):format(value)
  elseif type(value) ~= "table" then
    return value
  end
  local out = {}
  if #value > 0 then
    for i = 1, #value do
      local row = here.holds_rows or here.root and form.rows
      out[i] = normalise(value[i], { code = here.codes, row = row }, form)
    end
    return out
  end
  local inside = { root = here.root, row = here.row or here.root and form.rows }
  for key, member in pairs(value) do
    add_member(out, form.rename[key] or key, member, inside, form)
  end
  return out
end

--- The normal form of what cjson decoded.
-- @param value the `data` of an answer
-- @tparam table form rename, codes, code_lists: by key; rows: "plain",
--   "instance", "task" or nil; code, codes: is the value itself a code, or a list of them?
--   utc_offset_s of the times
function _M.of(value, form)
  return normalise(value, { root = true, code = form.code, codes = form.codes_in_root }, form)
end

--- The first difference between two values, as a path; nil where they are the same.
function _M.difference(a, b, path)
  path = path or "value"
  if type(a) ~= "table" or type(b) ~= "table" then
    if a == b then
      return nil
    end
    return ("%s: %s (%s) and %s (%s)"):format(path, tostring(a), type(a), tostring(b), type(b))
  end
  for key, value in pairs(a) do
    local found = _M.difference(value, b[key], path .. "." .. tostring(key))
    if found then
      return found
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return path .. "." .. tostring(key) .. " is only on the right"
    end
  end
end

return _M

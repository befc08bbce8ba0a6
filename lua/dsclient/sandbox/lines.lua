--- What differs between the server lines: which states an execute is taken in,
-- and how it is refused (ExecutorServiceImpl and its successors, and
-- measured on 3.1.1, 3.2.2, 3.3).

local format = string.format

local _M = {}

--- The numbers of states, as the texts of 3.1 and 3.2 show them.
_M.STATES = {
  SUBMITTED_SUCCESS = { 0, "submit success" },
  RUNNING_EXECUTION = { 1, "running" },
  READY_PAUSE = { 2, "ready pause" },
  PAUSE = { 3, "pause" },
  READY_STOP = { 4, "ready stop" },
  STOP = { 5, "stop" },
  FAILURE = { 6, "failure" },
  SUCCESS = { 7, "success" },
  DELAY_EXECUTION = { 12, "delay execution" },
  SERIAL_WAIT = { 14, "serial wait" },
  READY_BLOCK = { 15, "ready block" },
  BLOCK = { 16, "block" },
}

--- A state as `toString()` of its Java enum prints it.
function _M.java_state(state)
  local known = _M.STATES[state]
  return known and format("WorkflowExecutionStatus{code=%d, desc='%s'}", known[1], known[2]) or state
end

local function set(...)
  local names = {}
  for _, name in ipairs { ... } do
    names[name] = true
  end
  return names
end

local ALLOWED_PROCESS = {
  REPEAT_RUNNING = set("SUCCESS", "FAILURE", "STOP", "PAUSE", "BLOCK"),
  START_FAILURE_TASK_PROCESS = set "FAILURE",
  RECOVER_SUSPENDED_PROCESS = set("PAUSE", "STOP"),
  STOP = set("RUNNING_EXECUTION", "READY_PAUSE"),
  PAUSE = set "RUNNING_EXECUTION",
  NONE = {},
}

local ALLOWED_WORKFLOW = {
  REPEAT_RUNNING = set("SUCCESS", "FAILURE", "STOP", "PAUSE"),
  START_FAILURE_TASK_PROCESS = set "FAILURE",
  RECOVER_SUSPENDED_PROCESS = set("PAUSE", "STOP"),
  STOP = set("RUNNING_EXECUTION", "READY_PAUSE", "READY_STOP", "SERIAL_WAIT"),
  PAUSE = set("RUNNING_EXECUTION", "READY_PAUSE", "SERIAL_WAIT"),
}

local REFUSALS_WORKFLOW = {
  REPEAT_RUNNING = "status is %s, cannot repeat running",
  START_FAILURE_TASK_PROCESS = "status is %s, can not be recovered",
  RECOVER_SUSPENDED_PROCESS = "state is %s, cannot recovery",
  STOP = "status is %s, can not stop",
  PAUSE = "status is %s, can not pause",
}

local function refuse_31(run, execute_type)
  return 50006, format("the status of process instance %s is %s,Cannot perform %s operation", run.name,
    _M.java_state(run.state), execute_type)
end

local function refuse_32()
  return 50015, "execute process instance error"
end

local function refuse_33(run, execute_type)
  if not ALLOWED_WORKFLOW[execute_type] then
    return 10000, "Internal Server Error: Unsupported executeType: " .. execute_type
  end
  return 10000, format("Internal Server Error: The workflow instance: %s " .. REFUSALS_WORKFLOW[execute_type], run.name,
    run.state)
end

local function list(text)
  local names = {}
  for name in text:gmatch "%S+" do
    names[#names + 1] = name
  end
  return names
end

--- By the key that `of_version` gives:
-- `counted`: the states that counts of runs tell of; `noun`: what the line calls
-- a workflow; `first_code`: codes have 14 digits up to 3.2.1; `waits`: may a
-- second command for a run wait beside the first? `submits`: does an accepted
-- command show in the state at once? `cause`: do texts of errors tell the reason?
_M.LINES = {
  ["3.1"] = {
    counted = list("SUBMITTED_SUCCESS RUNNING_EXECUTION PAUSE FAILURE SUCCESS NEED_FAULT_TOLERANCE KILL "
      .. "DELAY_EXECUTION DISPATCH"),
    noun = "process",
    first_code = 23804249005760,
    allowed = ALLOWED_PROCESS,
    refuse = refuse_31,
  },
  ["3.2"] = {
    counted = list("SUBMITTED_SUCCESS RUNNING_EXECUTION READY_PAUSE PAUSE READY_STOP STOP FAILURE SUCCESS "
      .. "DELAY_EXECUTION SERIAL_WAIT READY_BLOCK BLOCK WAIT_TO_RUN"),
    noun = "process",
    first_code = 190434843111360,
    allowed = ALLOWED_PROCESS,
    refuse = refuse_32,
    waits = true,
  },
  ["3.3"] = {
    counted = list("SUBMITTED_SUCCESS RUNNING_EXECUTION READY_PAUSE PAUSE READY_STOP STOP FAILURE SUCCESS SERIAL_WAIT "
      .. "FAILOVER"),
    noun = "workflow",
    first_code = 190434843001856,
    allowed = ALLOWED_WORKFLOW,
    refuse = refuse_33,
    submits = true,
    cause = true,
  },
}

--- The line of a version: "3.1.1" → "3.1"; 2.0 and 3.0 count as 3.1, 3.4 as 3.3.
-- @treturn string|nil
function _M.of_version(version)
  local major, minor = version:match "^(%d+)%.(%d+)"
  local number = major and tonumber(major) * 100 + tonumber(minor)
  if not number then
    return nil
  end
  return number >= 303 and "3.3" or number >= 302 and "3.2" or "3.1"
end

return _M

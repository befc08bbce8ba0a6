--- The two dialects of the API: `process-*` paths up to 3.2, `workflow-*` from
-- 3.3 on. The number a server tells can be wrong (3.2.2 says 3.3.0), so the
-- paths decide.

local _M = {}

--- Asked in this order; each is the cheapest path that only one dialect has.
_M.PROBES = {
  { dialect = "workflow", path = "/projects/0/workflow-definition/simple-list" },
  { dialect = "process", path = "/projects/0/process-definition/simple-list" },
}

--- Between two probes where the first was refused by the traffic limiter,
-- which refuses whatever follows closer than 0.1 to 0.3 s.
_M.PROBE_PAUSE_S = 1

-- Keys of answers up to 3.2, and what the newest line calls them.
local RENAMED = {
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

-- A task instance keeps `processDefinitionName` on all lines.
_M.RENAMED = { process = RENAMED }

--- The dialect of a server line, told as "3.1.1" or "3.3".
-- @treturn string|nil "process" or "workflow"
-- @treturn number|nil the zone of its answers, in seconds from UTC
function _M.of_version(version)
  local major, minor = version:match "^(%d+)%.(%d+)"
  major, minor = tonumber(major), tonumber(minor)
  if not major then
    return nil
  end
  -- 2.0 prints all times in GMT+8, later lines in UTC unless set otherwise
  local offset = major < 3 and 8 * 3600 or 0
  return (major > 3 or major == 3 and minor >= 3) and "workflow" or "process", offset
end

return _M

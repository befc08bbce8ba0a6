--- Workflow instances, that is runs (`process-instances` up to 3.2):
-- WorkflowInstanceController, and acting on a run: ExecutorController.
-- Live data: never cached.

local INSTANCES = {
  process = "/projects/{project}/process-instances",
  workflow = "/projects/{project}/workflow-instances",
}

local function below(tail)
  return { process = INSTANCES.process .. tail, workflow = INSTANCES.workflow .. tail }
end

local PROJECT = { "project", "project", path = true }
local INSTANCE = { "instance_id", "id", path = true }

return {
  list = {
    summary = "the runs of a project that fit the filter, newest first, all pages",
    method = "GET",
    path = INSTANCES,
    replay = "read",
    result = "page",
    rows = "instance",
    params = {
      PROJECT,
      { "workflow", "workflow", { process = "processDefineCode", workflow = "workflowDefinitionCode" } },
      { "search", "string", "searchVal" },
      { "executor", "string", "executorName" },
      { "state", "enum", "stateType" },
      { "host", "string", "host" },
      -- of startTime, read by the server in the zone of the token's user
      { "start_date", "date", "startDate" },
      { "end_date", "date", "endDate" },
    },
  },
  get = {
    summary = "one run, with the definition that it runs (dagData): large",
    method = "GET",
    path = below "/{instance_id}",
    replay = "read",
    result = "object",
    rows = "instance",
    params = { PROJECT, INSTANCE },
  },
  tasks = {
    summary = "the state of a run (workflowInstanceState) and its valid tasks (taskList)",
    method = "GET",
    path = below "/{instance_id}/tasks",
    replay = "read",
    result = "object",
    rows = "task",
    params = { PROJECT, INSTANCE },
  },
  execute = {
    summary = "acts on a run: START_FAILURE_TASK_PROCESS, REPEAT_RUNNING, "
      .. "RECOVER_SUSPENDED_PROCESS, STOP, PAUSE",
    method = "POST",
    path = "/projects/{project}/executors/execute",
    replay = "once",
    result = "none",
    holds = "instance_id",
    params = {
      PROJECT,
      {
        "instance_id",
        "id",
        { process = "processInstanceId", workflow = "workflowInstanceId" },
        required = true,
      },
      { "execute_type", "enum", "executeType", required = true },
    },
  },
}

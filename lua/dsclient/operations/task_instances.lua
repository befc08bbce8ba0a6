--- Task instances and their logs: TaskInstanceController, LoggerController.
-- Live data: never cached.

local PROJECT = { "project", "project", path = true }

return {
  list = {
    summary = "the task instances of a project that fit the filter, all pages",
    method = "GET",
    path = "/projects/{project}/task-instances",
    replay = "read",
    result = "page",
    rows = "task",
    params = {
      PROJECT,
      { "instance_id", "id", { process = "processInstanceId", workflow = "workflowInstanceId" } },
      { "instance_name", "string", { process = "processInstanceName", workflow = "workflowInstanceName" } },
      { "search", "string", "searchVal" },
      { "task_name", "string", "taskName" },
      { "executor", "string", "executorName" },
      { "state", "enum", "stateType" },
      { "host", "string", "host" },
      { "start_date", "date", "startDate" },
      { "end_date", "date", "endDate" },
      { "task_execute_type", "enum", "taskExecuteType" },
    },
  },
  log = {
    summary = "a part of a task's log: {lineNum, message}; the next one begins at "
      .. "skip + lineNum, the last one has an empty message",
    method = "GET",
    path = "/log/detail",
    replay = "read",
    result = "object",
    params = {
      { "task_instance_id", "id", "taskInstanceId", required = true },
      { "skip", "integer", "skipLineNum", default = 0 },
      { "limit", "integer", "limit", default = 1000 },
    },
  },
}

--- Workflow definitions (`process-definition` up to 3.2):
-- WorkflowDefinitionController, and the starting of runs: ExecutorController.

local HOUR = 3600

local DEFINITIONS = {
  process = "/projects/{project}/process-definition",
  workflow = "/projects/{project}/workflow-definition",
}

local function below(tail)
  return { process = DEFINITIONS.process .. tail, workflow = DEFINITIONS.workflow .. tail }
end

local PROJECT = { "project", "project", path = true }
local WORKFLOW = { "workflow", "workflow", path = true }
local CHANGES = { "workflows.list", "workflows.simple_list", "workflows.get" }

return {
  list = {
    summary = "the workflows of a project, without their tasks, all pages",
    method = "GET",
    path = DEFINITIONS,
    replay = "read",
    result = "page",
    ttl_s = HOUR,
    params = { PROJECT, { "search", "string", "searchVal" } },
  },
  simple_list = {
    summary = "id, code and name of each workflow of a project, in one answer",
    method = "GET",
    path = below "/simple-list",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = { PROJECT },
  },
  get = {
    summary = "one workflow with its tasks and relations",
    method = "GET",
    path = below "/{workflow}",
    replay = "read",
    result = "object",
    params = { PROJECT, WORKFLOW },
  },
  create = {
    summary = "a new workflow, offline; a name that is taken is refused with 10168",
    method = "POST",
    path = DEFINITIONS,
    replay = "once",
    result = "object",
    invalidates = CHANGES,
    params = {
      PROJECT,
      { "name", "string", "name", required = true },
      { "tasks", "json", "taskDefinitionJson", required = true },
      { "relations", "json", "taskRelationJson", required = true },
      { "locations", "json", "locations", default = "[]" },
      { "global_params", "json", "globalParams", default = "[]" },
      { "description", "string", "description", default = "" },
      { "timeout", "integer", "timeout", default = 0 },
      -- a must up to 3.1, ignored later
      { "tenant", "string", "tenantCode", default = "default" },
      { "execution_type", "enum", "executionType", default = "PARALLEL" },
    },
  },
  release = {
    summary = "takes a workflow ONLINE or OFFLINE (its schedule goes offline, too)",
    method = "POST",
    path = below "/{workflow}/release",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, WORKFLOW, { "state", "enum", "releaseState", required = true } },
  },
  delete = {
    summary = "removes a workflow that is offline",
    method = "DELETE",
    path = below "/{workflow}",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, WORKFLOW },
  },
  start = {
    summary = "starts a run; no server knows an idempotency key, so it is never repeated",
    method = "POST",
    path = {
      process = "/projects/{project}/executors/start-process-instance",
      workflow = "/projects/{project}/executors/start-workflow-instance",
    },
    replay = "once",
    result = "started",
    codes = { "data" },
    params = {
      PROJECT,
      {
        "workflow",
        "workflow",
        { process = "processDefinitionCode", workflow = "workflowDefinitionCode" },
        required = true,
      },
      { "schedule_time", "string", "scheduleTime", default = "" },
      { "failure_strategy", "enum", "failureStrategy", default = "CONTINUE" },
      { "warning_type", "enum", "warningType", default = "NONE" },
      { "warning_group_id", "integer", "warningGroupId", default = 0 },
      { "exec_type", "enum", "execType", default = "START_PROCESS" },
      { "worker_group", "string", "workerGroup" },
      { "environment", "code", "environmentCode" },
      { "tenant", "string", "tenantCode" },
      { "start_params", "json", "startParams" },
      { "dry_run", "integer", "dryRun" },
    },
  },
}

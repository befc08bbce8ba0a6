--- How workflows hang together: WorkflowLineageController.

local LINEAGES = "/projects/{project}/lineages"

local PROJECT = { "project", "project", path = true }
local NESTED = { "up to 3.2: workFlowList and workFlowRelationList in data; from 3.3 on: workFlowRelationList and "
  .. "workFlowRelationDetailList, in a data within data" }

return {
  list = {
    summary = "the graph of all workflows of a project",
    method = "GET",
    path = LINEAGES .. "/list",
    replay = "read",
    result = "object",
    params = { PROJECT },
    traps = NESTED,
  },
  get = {
    summary = "the graph around one workflow",
    method = "GET",
    path = LINEAGES .. "/{workflow}",
    replay = "read",
    result = "object",
    params = { PROJECT, { "workflow", "workflow", path = true } },
    traps = NESTED,
  },
  get_by_name = {
    summary = "the workflows whose name has a text in it, with their schedules",
    method = "GET",
    path = LINEAGES .. "/query-by-name",
    replay = "read",
    result = "list",
    params = { PROJECT, { "name", "string", { process = "workFlowName", workflow = "workflowDefinitionName" } } },
  },
  dependent_tasks = {
    summary = "the tasks that depend on a workflow, or on one of its tasks",
    method = "GET",
    path = LINEAGES .. "/query-dependent-tasks",
    since = "3.2.2",
    replay = "read",
    result = "list",
    params = {
      PROJECT,
      { "workflow", "workflow", "workFlowCode", required = true },
      { "task", "task", "taskCode" },
    },
  },
  verify_delete = {
    summary = "may a task be deleted, or do others depend on it? Refused where they do",
    method = "POST",
    path = LINEAGES .. "/tasks/verify-delete",
    since = "3.0.2",
    replay = "read",
    result = "object",
    params = {
      PROJECT,
      { "workflow", "workflow", "NOUNDefinitionCode", required = true },
      { "task", "task", "taskCode", required = true },
    },
  },
}

--- Workflow definitions (`process-definition` up to 3.2):
-- WorkflowDefinitionController and WorkflowV2Controller, and the starting of
-- runs: ExecutorController.

local HOUR = 3600

local DEFINITIONS = "/projects/{project}/NOUN-definition"
local DEFINITION = DEFINITIONS .. "/{workflow}"
local EXECUTORS = "/projects/{project}/executors"

local PROJECT = { "project", "project", path = true }
local WORKFLOW = { "workflow", "workflow", path = true }
local CODE = { "workflow", "code", path = true } -- without a project there are no names
local WORKFLOWS = { "workflows", "workflows", "codes", required = true }
local TARGET = { "target_project", "project", "targetProjectCode", required = true }
local VERSION = { "version", "integer", path = true }
local RELEASE_STATES = "ONLINE OFFLINE"

local NAME = { "name", "string", "name", required = true }
local DESCRIPTION = { "description", "string", "description" }
local TASKS = { "tasks", "json", "taskDefinitionJson", required = true, renamed = true }
local RELATIONS = { "relations", "json", "taskRelationJson", required = true, renamed = true }
local GLOBAL_PARAMS = { "global_params", "json", "globalParams" }
local TIMEOUT = { "timeout", "integer", "timeout", min = 0, help = "in minutes, 0 is none" }
local TENANT = { "tenant", "tenant", "tenantCode", default = "default", upto = "3.1" }
local EXECUTION_TYPES = "PARALLEL SERIAL_WAIT SERIAL_DISCARD SERIAL_PRIORITY"
local EXECUTION_TYPE = { "execution_type", "enum", "executionType", since = "3.0", values = EXECUTION_TYPES }
local RELEASE_STATE = { "release_state", "enum", "releaseState", values = RELEASE_STATES }
local SCHEDULE = { "schedule", "json", "scheduleJson", help = "{startTime, endTime, crontab, timezoneId}" }
local JSON_PARAMS = { "global_params", "string", "globalParams", help = "JSON text" }

local CHANGES = {
  "workflows.list", "workflows.simple_list", "workflows.names", "workflows.all", "workflows.full_list",
  "workflows.get", "workflows.get_by_name", "workflows.get_by_code", "workflows.search", "workflows.tasks",
  "workflows.task_list", "workflows.batch_query_tasks", "workflows.versions", "workflows.view_variables",
  "lineages.list", "lineages.get", "lineages.get_by_name", "lineages.dependent_tasks", "relations.upstream",
  "relations.downstream", "tasks.get", "tasks.list", "tasks.versions", "tasks.get_by_code", "tasks.search",
}
-- Taken offline, a workflow takes its schedule along.
local RELEASES = { "schedules.list", "schedules.all", "schedules.search", "schedules.get_by_id" }
for _, name in ipairs(CHANGES) do
  RELEASES[#RELEASES + 1] = name
end
local RUNS = { "instances.list", "instances.search" }

local EVERY_DAG = "builds the graph of every workflow of the project: tens of MB. simple_list and names are cheap"
local LOST = "what is left out is not kept: it gets the server's default"

--- The parameters of a start, from those that name what is started.
local function of_start(...)
  local params = { PROJECT }
  for _, given in ipairs {
    { ... },
    {
      {
        "schedule_time",
        "json",
        "scheduleTime",
        default = "",
        help = "of a COMPLEMENT_DATA: {complementStartDate, complementEndDate} or {complementScheduleDateList}; "
          .. "up to 3.0 text: start,end",
      },
      { "failure_strategy", "enum", "failureStrategy", default = "CONTINUE", values = "CONTINUE END" },
      { "warning_type", "enum", "warningType", default = "NONE", values = "NONE SUCCESS FAILURE ALL" },
      { "warning_group_id", "alert_group_id", "warningGroupId", default = 0 },
      { "exec_type", "enum", "execType", default = "START_PROCESS", values = "START_PROCESS COMPLEMENT_DATA" },
      { "run_mode", "enum", "runMode", values = "RUN_MODE_SERIAL RUN_MODE_PARALLEL" },
      { "priority", "enum", "NOUNInstancePriority", values = "HIGHEST HIGH MEDIUM LOW LOWEST" },
      { "worker_group", "worker_group", "workerGroup" },
      { "environment", "environment", "environmentCode" },
      { "tenant", "tenant", "tenantCode", since = "3.2" },
      { "start_params", "json", "startParams", help = "names and values; from 3.3 on also a list of {prop, …}" },
      {
        "expected_parallelism_number",
        "integer",
        "expectedParallelismNumber",
        min = 1,
        help = "of a RUN_MODE_PARALLEL",
      },
      { "dry_run", "integer", "dryRun", min = 0, max = 1 },
      { "timeout", "integer", "timeout", upto = "3.2", min = 0, help = "in minutes" },
      {
        "complement_dependent_mode",
        "enum",
        "complementDependentMode",
        since = "3.0",
        values = "OFF_MODE ALL_DEPENDENT",
      },
      { "all_level_dependent", "boolean", "allLevelDependent", since = "3.2" },
      { "execution_order", "enum", "executionOrder", since = "3.2", values = "DESC_ORDER ASC_ORDER" },
      { "test_flag", "integer", "testFlag", since = "3.2", upto = "3.3", min = 0, max = 1 },
    },
  } do
    for _, param in ipairs(given) do
      params[#params + 1] = param
    end
  end
  return params
end

return {
  list = {
    summary = "the workflows of a project, without their tasks, all pages",
    method = "GET",
    path = DEFINITIONS,
    replay = "read",
    result = "page",
    ttl_s = HOUR,
    params = { PROJECT, { "search", "string", "searchVal" }, { "user_id", "user_id", "userId" } },
  },
  simple_list = {
    summary = "id, code and name of each workflow of a project, in one answer",
    method = "GET",
    path = DEFINITIONS .. "/simple-list",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = { PROJECT },
  },
  names = {
    summary = "code, name and version of each workflow of a project, in one answer",
    method = "GET",
    path = DEFINITIONS .. "/query-NOUN-definition-list",
    since = "3.0",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = { PROJECT },
  },
  all = {
    summary = "all workflows of a project with their tasks and relations, in one answer",
    method = "GET",
    path = DEFINITIONS .. "/all",
    replay = "read",
    result = "list",
    params = { PROJECT },
    traps = { EVERY_DAG },
  },
  full_list = {
    summary = "the same as all, by another path",
    method = "GET",
    path = DEFINITIONS .. "/list",
    replay = "read",
    result = "list",
    params = { PROJECT },
    traps = { EVERY_DAG },
  },
  get = {
    summary = "one workflow with its tasks and relations",
    method = "GET",
    path = DEFINITION,
    replay = "read",
    result = "object",
    params = { PROJECT, WORKFLOW },
  },
  get_by_name = {
    summary = "one workflow with its tasks and relations, by its name",
    method = "GET",
    path = DEFINITIONS .. "/query-by-name",
    replay = "read",
    result = "object",
    params = { PROJECT, NAME },
    traps = { "3.1 finds nothing for a user without a tenant" },
  },
  verify_name = {
    summary = "is a name free? A name that is taken is refused with 10168",
    method = "GET",
    path = DEFINITIONS .. "/verify-name",
    replay = "read",
    result = "object",
    params = {
      PROJECT,
      NAME,
      {
        "workflow",
        "workflow",
        { process = "code", workflow = "workflowDefinitionCode" },
        since = "3.0.1",
        help = "the one that may have it",
      },
    },
  },
  tasks = {
    summary = "the tasks of a workflow",
    method = "GET",
    path = DEFINITION .. "/tasks",
    replay = "read",
    result = "list",
    params = { PROJECT, WORKFLOW },
  },
  task_list = {
    summary = "code, name and version of each task of a workflow",
    method = "GET",
    path = DEFINITIONS .. "/query-task-definition-list",
    since = "3.0",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = { PROJECT, { "workflow", "workflow", "NOUNDefinitionCode", required = true } },
  },
  batch_query_tasks = {
    summary = "the tasks of several workflows, by the codes of the workflows",
    method = "GET",
    path = DEFINITIONS .. "/batch-query-tasks",
    replay = "read",
    result = "object",
    params = { PROJECT, WORKFLOWS },
  },
  view_tree = {
    summary = "the tasks of a workflow as a tree, with its latest runs",
    method = "GET",
    path = DEFINITION .. "/view-tree",
    replay = "read",
    result = "object",
    params = { PROJECT, WORKFLOW, { "limit", "integer", "limit", default = 10, min = 1, help = "how many runs" } },
  },
  view_variables = {
    summary = "the global and local parameters of a workflow",
    method = "GET",
    path = DEFINITION .. "/view-variables",
    since = "3.1.1",
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
      NAME,
      TASKS,
      RELATIONS,
      { "locations", "json", "locations", default = "[]" },
      { "global_params", "json", "globalParams", default = "[]" },
      { "description", "string", "description", default = "" },
      { "timeout", "integer", "timeout", default = 0, min = 0, help = "in minutes, 0 is none" },
      -- a must up to 3.1, ignored later
      { "tenant", "tenant", "tenantCode", default = "default" },
      { "execution_type", "enum", "executionType", default = "PARALLEL", values = EXECUTION_TYPES },
    },
    traps = { "a task without another before it needs a relation from preTaskCode 0, else \"node has cycle\"" },
  },
  update = {
    summary = "replaces a workflow that is offline; a new version, if anything is changed",
    method = "PUT",
    path = DEFINITION,
    replay = "repeatable",
    result = "object",
    invalidates = CHANGES,
    params = {
      PROJECT,
      WORKFLOW,
      NAME,
      TASKS,
      RELATIONS,
      { "locations", "json", "locations" },
      GLOBAL_PARAMS,
      DESCRIPTION,
      TIMEOUT,
      TENANT,
      EXECUTION_TYPE,
      RELEASE_STATE,
    },
    traps = { LOST },
  },
  release = {
    summary = "takes a workflow ONLINE or OFFLINE (its schedule goes offline, too)",
    method = "POST",
    path = DEFINITION .. "/release",
    replay = "repeatable",
    result = "none",
    invalidates = RELEASES,
    params = { PROJECT, WORKFLOW, { "state", "enum", "releaseState", required = true, values = RELEASE_STATES } },
    traps = { "from 3.2 on the project is not looked at: a workflow of another one is released" },
  },
  delete = {
    summary = "removes a workflow that is offline",
    method = "DELETE",
    path = DEFINITION,
    replay = "repeatable",
    result = "none",
    invalidates = RELEASES,
    gone = { 50003 },
    params = { PROJECT, WORKFLOW },
    traps = { "a workflow of another project counts as removed already" },
  },
  batch_delete = {
    summary = "removes several workflows that are offline",
    method = "POST",
    path = DEFINITIONS .. "/batch-delete",
    replay = "once",
    result = "none",
    invalidates = RELEASES,
    partial = true,
    params = { PROJECT, WORKFLOWS },
    traps = { "partial: where it is refused, some are removed" },
  },
  batch_copy = {
    summary = "copies workflows into a project",
    method = "POST",
    path = DEFINITIONS .. "/batch-copy",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, WORKFLOWS, TARGET },
  },
  batch_move = {
    summary = "moves workflows into another project",
    method = "POST",
    path = DEFINITIONS .. "/batch-move",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, WORKFLOWS, TARGET },
  },
  versions = {
    summary = "the versions of a workflow, all pages",
    method = "GET",
    path = DEFINITION .. "/versions",
    replay = "read",
    result = "page",
    params = { PROJECT, WORKFLOW },
  },
  switch_version = {
    summary = "makes another version of a workflow the one that runs",
    method = "GET",
    path = DEFINITION .. "/versions/{version}",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, WORKFLOW, VERSION },
    traps = { "a GET that writes" },
  },
  delete_version = {
    summary = "removes a version of a workflow that is not the one that runs",
    method = "DELETE",
    path = DEFINITION .. "/versions/{version}",
    replay = "once",
    result = "none",
    invalidates = { "workflows.versions" },
    params = { PROJECT, WORKFLOW, VERSION },
  },
  batch_export = {
    summary = "workflows as a file of JSON, for import_file",
    method = "POST",
    path = DEFINITIONS .. "/batch-export",
    upto = "3.4.0",
    replay = "read",
    result = "bytes",
    params = { PROJECT, WORKFLOWS },
  },
  import_file = {
    summary = "makes workflows of a file that batch_export gave",
    method = "POST",
    path = DEFINITIONS .. "/import",
    upto = "3.4.0",
    replay = "once",
    result = "none",
    body = "multipart",
    invalidates = CHANGES,
    params = { PROJECT, { "file", "file", "file", required = true } },
  },
  create_empty = {
    summary = "a new workflow without tasks",
    method = "POST",
    path = DEFINITIONS .. "/empty",
    since = "2.0.1",
    upto = "3.2.0",
    replay = "once",
    result = "object",
    invalidates = CHANGES,
    params = { PROJECT, NAME, DESCRIPTION, GLOBAL_PARAMS, TIMEOUT, SCHEDULE, TENANT, EXECUTION_TYPE },
  },
  update_basic_info = {
    summary = "changes all of a workflow but its tasks and relations",
    method = "PUT",
    path = DEFINITION .. "/basic-info",
    since = "2.0.1",
    upto = "3.2.0",
    replay = "once",
    result = "object",
    invalidates = RELEASES,
    params = {
      PROJECT, WORKFLOW, NAME, DESCRIPTION, GLOBAL_PARAMS, TIMEOUT, SCHEDULE, TENANT, EXECUTION_TYPE, RELEASE_STATE,
    },
    traps = { LOST },
  },
  release_workflow = {
    summary = "takes a workflow ONLINE or OFFLINE together with its schedule",
    method = "POST",
    path = DEFINITION .. "/release-workflow",
    since = "2.0.1",
    upto = "3.2.0",
    replay = "repeatable",
    result = "none",
    invalidates = RELEASES,
    params = { PROJECT, WORKFLOW, { "state", "enum", "releaseState", required = true, values = RELEASE_STATES } },
    traps = { "a workflow without a schedule is refused with 10022" },
  },
  create_without_tasks = {
    summary = "a new workflow without tasks, for tasks and relations that come one by one",
    method = "POST",
    path = "/v2/workflows",
    since = "3.2",
    replay = "once",
    result = "object",
    body = "json",
    invalidates = CHANGES,
    params = {
      { "project", "project", "projectCode", required = true },
      NAME,
      DESCRIPTION,
      RELEASE_STATE,
      JSON_PARAMS,
      { "warning_group_id", "alert_group_id", "warningGroupId" },
      TIMEOUT,
      EXECUTION_TYPE,
    },
  },
  get_by_code = {
    summary = "one workflow without its tasks, whatever project it is in",
    method = "GET",
    path = "/v2/workflows/{workflow}",
    since = "3.2",
    replay = "read",
    result = "object",
    params = { CODE },
  },
  update_by_code = {
    summary = "changes the given properties of a workflow, whatever project it is in",
    method = "PUT",
    path = "/v2/workflows/{workflow}",
    since = "3.2",
    replay = "once",
    result = "object",
    body = "json",
    invalidates = RELEASES,
    params = {
      CODE,
      { "name", "string", "name" },
      DESCRIPTION,
      RELEASE_STATE,
      JSON_PARAMS,
      { "warning_group_id", "alert_group_id", "warningGroupId" },
      TIMEOUT,
      EXECUTION_TYPE,
      { "locations", "string", "location", help = "JSON text" },
    },
  },
  delete_by_code = {
    summary = "removes a workflow that is offline, whatever project it is in",
    method = "DELETE",
    path = "/v2/workflows/{workflow}",
    since = "3.2",
    replay = "repeatable",
    result = "none",
    invalidates = RELEASES,
    gone = { 50003 },
    params = { CODE },
  },
  search = {
    summary = "the workflows of all projects that fit the filter, all pages",
    method = "POST",
    path = "/v2/workflows/query",
    since = "3.2",
    replay = "read",
    result = "page",
    body = "json",
    params = {
      { "project_name", "string", "projectName" },
      { "workflow_name", "string", "workflowName" },
      RELEASE_STATE,
      { "schedule_release_state", "enum", "scheduleReleaseState", values = RELEASE_STATES },
    },
  },
  start = {
    summary = "starts a run; no server knows an idempotency key, so it is never repeated",
    method = "POST",
    path = EXECUTORS .. "/start-NOUN-instance",
    replay = "once",
    result = "started",
    codes = { "data" },
    invalidates = RUNS,
    params = of_start(
      { "workflow", "workflow", "NOUNDefinitionCode", required = true },
      { "start_nodes", "tasks", "startNodeList", help = "where it begins, by task_depend_type" },
      { "task_depend_type", "enum", "taskDependType", values = "TASK_ONLY TASK_PRE TASK_POST" },
      { "version", "integer", "version", since = "3.2", upto = "3.2", help = "of the workflow" }
    ),
    traps = {
      "some servers of 3.3 start what is offline, and a workflow of another project",
      "right after it the run is in no list yet, up to 3.2",
      "3.2.2: a worker group that does not exist stops all dispatching; it is looked up before it is sent",
    },
  },
  batch_start = {
    summary = "starts a run of each of several workflows",
    method = "POST",
    path = EXECUTORS .. "/batch-start-NOUN-instance",
    since = "2.0.3",
    replay = "once",
    result = "started",
    codes = { "data" },
    invalidates = RUNS,
    partial = true,
    params = of_start(
      { "workflows", "workflows", "NOUNDefinitionCodes", required = true },
      { "start_nodes", "codes", "startNodeList", help = "where they begin, by task_depend_type" },
      {
        "task_depend_type",
        "enum",
        "taskDependType",
        default = "TASK_POST",
        values = "TASK_ONLY TASK_PRE TASK_POST",
      }
    ),
    traps = {
      "partial: up to 3.2 all are tried, and 50014 says that some were not started",
      "from 3.3 on it stops at the first that fails, and the ids of those that run are lost",
    },
  },
  start_check = {
    summary = "may a workflow be started? Refused where a sub-workflow is offline",
    method = "POST",
    path = EXECUTORS .. "/start-check",
    upto = "3.2",
    replay = "read",
    result = "object",
    params = { PROJECT, { "workflow", "workflow", "processDefinitionCode", required = true } },
  },
}

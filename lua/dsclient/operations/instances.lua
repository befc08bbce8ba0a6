--- Workflow instances, that is runs (`process-instances` up to 3.2):
-- WorkflowInstanceController and its v2, and acting on a run: ExecutorController.
-- Live data: never cached.

local INSTANCES = "/projects/{project}/NOUN-instances"
local ONE = INSTANCES .. "/{instance_id}"
local BY_ID = "/v2/workflow-instances/{instance_id}"
local EXECUTORS = "/projects/{project}/executors"

local PROJECT = { "project", "project", path = true }
local INSTANCE = { "instance_id", "id", path = true }
local SENT = { "instance_id", "id", "NOUNInstanceId", required = true }
local SENT_ALL = { "instance_ids", "ids", "NOUNInstanceIds", required = true }
local TASK_INSTANCE = { "task_instance_id", "id", "taskId", required = true }

local STATES = "SUBMITTED_SUCCESS RUNNING_EXECUTION READY_PAUSE PAUSE READY_STOP STOP FAILURE SUCCESS "
  .. "NEED_FAULT_TOLERANCE KILL WAITING_THREAD WAITING_DEPEND DELAY_EXECUTION FORCED_SUCCESS SERIAL_WAIT READY_BLOCK "
  .. "BLOCK WAIT_TO_RUN FAILOVER"
local EXECUTE_TYPES = "START_FAILURE_TASK_PROCESS REPEAT_RUNNING RECOVER_SUSPENDED_PROCESS STOP PAUSE"
local EXECUTE_TYPE = { "execute_type", "enum", "executeType", required = true, values = EXECUTE_TYPES }

local CHANGES = {
  "instances.list", "instances.get", "instances.tasks", "instances.view_gantt", "instances.view_variables",
  "instances.top_n", "instances.trigger", "instances.search", "instances.get_by_id",
  "instances.query_executing_workflow", "task_instances.list", "task_instances.get",
}

-- What an edit changes where it goes into the workflow, too.
local EDITS = { "workflows.list", "workflows.get", "workflows.get_by_name", "workflows.tasks", "workflows.versions" }
for _, name in ipairs(CHANGES) do
  EDITS[#EDITS + 1] = name
end

local DAG = "builds the whole graph (dagData); to poll, tasks or list is cheaper"

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
      { "search", "string", "searchVal", help = "a part of the run's name" },
      { "executor", "string", "executorName", help = "the whole name of a user" },
      { "state", "enum", "stateType", values = STATES },
      { "host", "string", "host", help = "a part of it" },
      -- of startTime, read by the server in the zone of the token's user
      { "start_date", "date", "startDate" },
      { "end_date", "date", "endDate" },
    },
    traps = {
      "one state a call; runs of sub-workflows are never listed",
      "slow with millions of runs: give start_date",
      "2.0: one date alone matches nothing, or everything",
    },
  },
  get = {
    summary = "one run, with the definition that it runs (dagData): large",
    method = "GET",
    path = ONE,
    replay = "read",
    result = "object",
    rows = "instance",
    params = { PROJECT, INSTANCE },
    traps = { DAG },
  },
  tasks = {
    summary = "the state of a run (workflowInstanceState) and its valid tasks (taskList)",
    method = "GET",
    path = ONE .. "/tasks",
    replay = "read",
    result = "object",
    rows = "task",
    params = { PROJECT, INSTANCE },
    traps = {
      "up to 3.2 it asks a worker about each DEPENDENT task, one after another: slow where a worker is away",
      "after a recovery the failed attempts are gone from it, and the new ones have other ids",
    },
  },
  top_n = {
    summary = "the longest successful runs of a time",
    method = "GET",
    path = INSTANCES .. "/top-n",
    replay = "read",
    result = "list",
    rows = "instance",
    params = {
      PROJECT,
      { "size", "integer", "size", required = true, min = 1 },
      { "start_time", "date", "startTime", required = true },
      { "end_time", "date", "endTime", required = true },
    },
    traps = { "3.1.1 answers 10116 whatever it is asked", "sorts all runs of the time" },
  },
  trigger = {
    summary = "the runs that came of a start, by the code that the start gave",
    method = "GET",
    path = INSTANCES .. "/trigger",
    since = "3.2",
    replay = "read",
    result = "list",
    rows = "instance",
    params = { PROJECT, { "trigger_code", "code", "triggerCode", required = true } },
    traps = { "empty until the master has taken the start; some servers of 3.3 answer 10113" },
  },
  view_gantt = {
    summary = "when each task of a run began and ended",
    method = "GET",
    path = ONE .. "/view-gantt",
    replay = "read",
    result = "object",
    codes = { "taskNames[]" },
    params = { PROJECT, INSTANCE },
  },
  view_variables = {
    summary = "the global and local parameters of a run",
    method = "GET",
    path = ONE .. "/view-variables",
    replay = "read",
    result = "object",
    params = { PROJECT, INSTANCE },
  },
  sub_workflow = {
    summary = "the run that a sub-workflow task began",
    method = "GET",
    path = INSTANCES .. "/query-sub-by-parent",
    replay = "read",
    result = "object",
    params = { PROJECT, TASK_INSTANCE },
  },
  parent_workflow = {
    summary = "the run that the run of a sub-workflow belongs to",
    method = "GET",
    path = INSTANCES .. "/query-parent-by-sub",
    replay = "read",
    result = "object",
    params = { PROJECT, { "instance_id", "id", "subId", required = true } },
  },
  dynamic_sub_workflows = {
    summary = "the runs that a DYNAMIC task began",
    method = "GET",
    path = INSTANCES .. "/query-dynamic-sub-workflows",
    since = "3.2",
    replay = "read",
    result = "list",
    params = { PROJECT, TASK_INSTANCE },
  },
  query_executing_workflow = {
    summary = "a run as its master has it in memory",
    method = "GET",
    path = EXECUTORS .. "/query-executing-workflow",
    since = "3.0",
    upto = "3.2",
    replay = "read",
    result = "object",
    rows = "instance",
    params = { PROJECT, { "instance_id", "id", "id", required = true } },
  },
  update = {
    summary = "edits what a finished run will do when it is repeated",
    method = "PUT",
    path = ONE,
    replay = "once",
    result = "object",
    invalidates = EDITS,
    params = {
      PROJECT,
      INSTANCE,
      { "tasks", "json", "taskDefinitionJson", required = true, renamed = true },
      { "relations", "json", "taskRelationJson", required = true, renamed = true },
      { "sync_define", "boolean", "syncDefine", required = true, help = "edit the workflow, too" },
      { "schedule_time", "string", "scheduleTime" },
      { "global_params", "json", "globalParams" },
      { "locations", "json", "locations" },
      { "timeout", "integer", "timeout", min = 0 },
      { "tenant", "tenant", "tenantCode", default = "default", upto = "3.1" },
    },
    traps = { "each call makes a new version of the workflow" },
  },
  delete = {
    summary = "removes a finished run with its task instances",
    method = "DELETE",
    path = ONE,
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    gone = { 50001 },
    params = { PROJECT, INSTANCE },
  },
  batch_delete = {
    summary = "removes several finished runs",
    method = "POST",
    path = INSTANCES .. "/batch-delete",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    partial = true,
    params = { PROJECT, SENT_ALL },
    traps = { "partial: 10117 says that some were not removed, the others were" },
  },
  execute = {
    summary = "acts on a run: START_FAILURE_TASK_PROCESS, REPEAT_RUNNING, "
      .. "RECOVER_SUSPENDED_PROCESS, STOP, PAUSE",
    method = "POST",
    path = EXECUTORS .. "/execute",
    replay = "once",
    result = "none",
    holds = "instance_id",
    invalidates = CHANGES,
    params = { PROJECT, SENT, EXECUTE_TYPE },
    traps = {
      "3.2 takes a second recovery at once, and the run is then loaded twice; on 3.3 it may never end",
      "after it is accepted the run reads as before for up to a second",
      "up to 3.1 it reads all waiting commands: slow exactly when they pile up",
    },
  },
  batch_execute = {
    summary = "acts on several runs",
    method = "POST",
    path = EXECUTORS .. "/batch-execute",
    since = "3.1",
    replay = "once",
    result = "none",
    holds = "instance_ids",
    invalidates = CHANGES,
    partial = true,
    params = { PROJECT, SENT_ALL, EXECUTE_TYPE },
    traps = { "partial: 50058 (10000 from 3.3 on) says that some were refused, the others were done" },
  },
  execute_task = {
    summary = "runs one task of a finished run again, alone or with those before or after it",
    method = "POST",
    path = EXECUTORS .. "/execute-task",
    since = "3.2",
    replay = "once",
    result = "none",
    holds = "instance_id",
    invalidates = CHANGES,
    params = {
      PROJECT,
      SENT,
      { "task", "code", "startNodeList", required = true },
      {
        "task_depend_type",
        "enum",
        "taskDependType",
        required = true,
        values = "TASK_ONLY TASK_PRE TASK_POST",
      },
    },
  },
  search = {
    summary = "the runs of a workflow, by the names of project and workflow, all pages",
    method = "GET",
    path = "/v2/workflow-instances",
    since = "3.2",
    replay = "read",
    result = "page",
    rows = "instance",
    body = "json",
    params = {
      -- without either of them the server fails, or finds nothing
      { "project_name", "string", "projectName", required = true },
      { "workflow_name", "string", "workflowName", required = true },
      { "host", "string", "host" },
      { "start_time", "date", "startTime" },
      { "end_time", "date", "endTime" },
      { "state", "integer", "state", help = "its number: 6 is FAILURE" },
    },
    traps = { "a GET with a body" },
  },
  get_by_id = {
    summary = "one run, whatever project it is in",
    method = "GET",
    path = BY_ID,
    since = "3.2",
    replay = "read",
    result = "object",
    rows = "instance",
    params = { INSTANCE },
    traps = { DAG },
  },
  delete_by_id = {
    summary = "removes a finished run, whatever project it is in",
    method = "DELETE",
    path = BY_ID,
    since = "3.2",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    gone = { 50001 },
    params = { INSTANCE },
  },
  execute_by_id = {
    summary = "acts on a run, whatever project it is in",
    method = "POST",
    path = BY_ID .. "/execute/{execute_type}",
    since = "3.2",
    replay = "once",
    result = "none",
    holds = "instance_id",
    invalidates = CHANGES,
    params = { INSTANCE, { "execute_type", "enum", path = true, values = EXECUTE_TYPES } },
  },
}

--- Task instances and their logs: TaskInstanceController, LoggerController.
-- Live data: never cached.

local TASK_INSTANCES = "/projects/{project}/task-instances"
local ONE = TASK_INSTANCES .. "/{task_instance_id}"

local PROJECT = { "project", "project", path = true }
local TASK_INSTANCE = { "task_instance_id", "id", path = true }
local SENT = { "task_instance_id", "id", "taskInstanceId", required = true }
local SKIP = { "skip", "integer", "skipLineNum", default = 0, min = 0 }
local LIMIT = { "limit", "integer", "limit", default = 1000, min = 0 }

local STATES = "SUBMITTED_SUCCESS RUNNING_EXECUTION PAUSE STOP FAILURE SUCCESS NEED_FAULT_TOLERANCE KILL "
  .. "DELAY_EXECUTION FORCED_SUCCESS DISPATCH"

local CHANGES = {
  "task_instances.list", "task_instances.get", "instances.tasks", "instances.list", "instances.get",
  "instances.get_by_id", "instances.search",
}

local CUT = "an answer holds about 64 KiB whatever limit says"
local FROM_WORKER = "the worker is asked for it: refused with 10191 before the task is dispatched, with 10103 where "
  .. "the worker or the file is gone; up to 3.1 then an empty text"
local IN_MEMORY = "the worker and the server read the whole file into memory; log_part does not"

return {
  list = {
    summary = "the task instances of a project that fit the filter, all pages",
    method = "GET",
    path = TASK_INSTANCES,
    replay = "read",
    result = "page",
    rows = "task",
    params = {
      PROJECT,
      { "instance_id", "id", "NOUNInstanceId" },
      { "instance_name", "string", "NOUNInstanceName" },
      { "workflow_name", "string", "NOUNDefinitionName", since = "3.1", help = "looked at for STREAM only" },
      { "search", "string", "searchVal", help = "a part of the task's name" },
      { "task_name", "string", "taskName", help = "the whole name" },
      { "task", "code", "taskCode", since = "3.2" },
      { "executor", "string", "executorName" },
      { "state", "enum", "stateType", values = STATES },
      { "host", "string", "host" },
      { "start_date", "date", "startDate" },
      { "end_date", "date", "endDate" },
      { "task_execute_type", "enum", "taskExecuteType", since = "3.1", values = "BATCH STREAM" },
    },
    traps = { "has the attempts before a recovery, too", "slow with millions of rows: give instance_id or start_date" },
  },
  get = {
    summary = "one task instance",
    method = "POST",
    path = "/v2" .. ONE,
    since = "3.2",
    replay = "read",
    result = "object",
    rows = "task",
    json = true,
    bare = true,
    params = { PROJECT, TASK_INSTANCE },
    traps = { "a POST that reads" },
  },
  force_success = {
    summary = "makes a failed task count as successful, and its run, too, if nothing else failed",
    method = "POST",
    path = ONE .. "/force-success",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, TASK_INSTANCE },
    traps = { "refused with 10166 unless the task failed; from 3.2.2 on its run must have ended" },
  },
  savepoint = {
    summary = "asks a stream task for a savepoint",
    method = "POST",
    path = ONE .. "/savepoint",
    since = "3.1",
    replay = "once",
    result = "none",
    params = { PROJECT, TASK_INSTANCE },
    traps = { "success means that the worker was asked" },
  },
  stop = {
    summary = "asks a stream task to stop",
    method = "POST",
    path = ONE .. "/stop",
    since = "3.1",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, TASK_INSTANCE },
    traps = { "success means that the worker was asked" },
  },
  remove_cache = {
    summary = "forgets the cached result of a task instance",
    method = "DELETE",
    path = ONE .. "/remove-cache",
    since = "3.2",
    upto = "3.2",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, TASK_INSTANCE },
  },
  log_part = {
    summary = "a part of a task's log, {lineNum, message}; the next is at skip + lineNum, an empty one ends it",
    method = "GET",
    path = "/log/detail",
    replay = "read",
    result = "object",
    params = { SENT, SKIP, LIMIT },
    traps = {
      "the next part begins at skip + lineNum; the last one has an empty message, and lineNum 1",
      CUT,
      "2.0 gives a text instead",
      FROM_WORKER,
    },
  },
  log_part_of_project = {
    summary = "a part of a task's log as one text",
    method = "GET",
    path = "/log/{project}/detail",
    since = "2.0.2",
    replay = "read",
    result = "object",
    params = { PROJECT, SENT, SKIP, LIMIT },
    traps = { CUT, "does not tell how many lines it gave: log_part does", FROM_WORKER },
  },
  download_log = {
    summary = "a task's log as a file",
    method = "GET",
    path = "/log/download-log",
    replay = "read",
    result = "bytes",
    params = { SENT },
    traps = { IN_MEMORY },
  },
  download_log_of_project = {
    summary = "a task's log as a file, by the project, too",
    method = "GET",
    path = "/log/{project}/download-log",
    since = "2.0.2",
    replay = "read",
    result = "bytes",
    params = { PROJECT, SENT },
    traps = { IN_MEMORY },
  },
}

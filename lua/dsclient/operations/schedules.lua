--- Schedules of workflows: SchedulerController and ScheduleV2Controller.

local SCHEDULES = "/projects/{project}/schedules"
local ONE = SCHEDULES .. "/{schedule_id}"
local BY_ID = "/v2/schedules/{schedule_id}"

local PROJECT = { "project", "project", path = true }
local SCHEDULE_ID = { "schedule_id", "id", path = true }
local SCHEDULE = {
  "schedule",
  "json",
  "schedule",
  required = true,
  help = "{startTime, endTime, crontab, timezoneId}; the times are local to timezoneId",
}

local FAILURE_STRATEGY = { "failure_strategy", "enum", "failureStrategy", values = "CONTINUE END" }
local WARNING_TYPE = { "warning_type", "enum", "warningType", values = "NONE SUCCESS FAILURE ALL" }
local WARNING_GROUP = { "warning_group_id", "alert_group_id", "warningGroupId" }
local PRIORITY = { "priority", "enum", "NOUNInstancePriority", values = "HIGHEST HIGH MEDIUM LOW LOWEST" }
local WORKER_GROUP = { "worker_group", "worker_group", "workerGroup" }
local TENANT = { "tenant", "tenant", "tenantCode", since = "3.2" }
local ENVIRONMENT = { "environment", "environment", "environmentCode" }
local RELEASE_STATE = { "release_state", "enum", "releaseState", values = "ONLINE OFFLINE" }

local CHANGES = {
  "schedules.list", "schedules.all", "schedules.search", "schedules.get_by_id", "workflows.list", "workflows.search",
  "lineages.list", "lineages.get", "lineages.get_by_name",
}
local GONE = { 10022, 10203 }

local CRONTAB = "crontab is Quartz style: 6 or 7 fields, the first one seconds"
local DEFAULTS = "what is left out is not kept: it gets the server's default, failure_strategy END"

--- Parameters of v2, after those that name what it is about.
local function of_v2(first, environment, tenant)
  return {
    first,
    { "crontab", "string", "crontab", required = true },
    { "start_time", "date", "startTime", required = true },
    { "end_time", "date", "endTime", required = true },
    { "timezone", "string", "timezoneId", required = true },
    FAILURE_STRATEGY,
    RELEASE_STATE,
    WARNING_TYPE,
    WARNING_GROUP,
    PRIORITY,
    WORKER_GROUP,
    environment,
    tenant,
  }
end

--- Parameters of v1, with the one that names what it is about.
local function of_v1(first, warning_group)
  return {
    PROJECT, first, SCHEDULE, WARNING_TYPE, warning_group, FAILURE_STRATEGY, WORKER_GROUP, TENANT, ENVIRONMENT,
    PRIORITY,
  }
end

-- A must up to 3.1; later the server puts a group in its place.
local KEPT_GROUP = { "warning_group_id", "alert_group_id", "warningGroupId", required = true, help = "0 for none" }

return {
  list = {
    summary = "the schedules of a project, all pages",
    method = "GET",
    path = SCHEDULES,
    replay = "read",
    result = "page",
    params = {
      PROJECT,
      { "workflow", "workflow", "NOUNDefinitionCode", default = 0 },
      { "search", "string", "searchVal" },
    },
    traps = { "up to 3.1 it wants the workflow: without one it is refused with 50003; all needs none" },
  },
  all = {
    summary = "the schedules of a project, in one answer",
    method = "POST",
    path = SCHEDULES .. "/list",
    replay = "read",
    result = "list",
    params = { PROJECT },
    traps = { "a POST that reads" },
  },
  preview = {
    summary = "the next five times of a schedule, as texts in its zone",
    method = "POST",
    path = SCHEDULES .. "/preview",
    replay = "read",
    result = "list",
    params = { PROJECT, SCHEDULE },
    traps = { "a POST that reads, with status 201", CRONTAB },
  },
  create = {
    summary = "a schedule, offline, for a workflow that is online",
    method = "POST",
    path = SCHEDULES,
    replay = "once",
    result = "object",
    invalidates = CHANGES,
    params = of_v1({ "workflow", "workflow", "NOUNDefinitionCode", required = true }, WARNING_GROUP),
    traps = { CRONTAB, "from 3.2 on a second one is refused with 10204; up to 3.1 there are then two" },
  },
  update = {
    summary = "replaces a schedule that is offline",
    method = "PUT",
    path = ONE,
    replay = "repeatable",
    result = "object",
    invalidates = CHANGES,
    params = of_v1(SCHEDULE_ID, KEPT_GROUP),
    traps = { CRONTAB, DEFAULTS },
  },
  update_by_workflow = {
    summary = "replaces the schedule of a workflow, which is offline",
    method = "PUT",
    path = SCHEDULES .. "/update/{workflow}",
    since = "2.0.1",
    replay = "repeatable",
    result = "object",
    invalidates = CHANGES,
    params = of_v1({ "workflow", "workflow", path = true }, KEPT_GROUP),
    traps = { CRONTAB, DEFAULTS },
  },
  online = {
    summary = "lets a schedule start runs",
    method = "POST",
    path = ONE .. "/online",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    already = { 10126 },
    params = { PROJECT, SCHEDULE_ID },
    traps = { "from 3.2.1 on an id that there is not is a success, too", "up to 3.2.0 a master must be there: 10025" },
  },
  offline = {
    summary = "keeps a schedule from starting runs",
    method = "POST",
    path = ONE .. "/offline",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    already = { 10126 },
    params = { PROJECT, SCHEDULE_ID },
    traps = { "from 3.2.1 on an id that there is not is a success, too", "up to 3.2.0 a master must be there: 10025" },
  },
  delete = {
    summary = "removes a schedule that is offline; one that is online is refused with 50023",
    method = "DELETE",
    path = ONE,
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    gone = GONE,
    params = { PROJECT, SCHEDULE_ID },
  },
  create_by_workflow = {
    summary = "a schedule for a workflow that is online, whatever project it is in",
    method = "POST",
    path = "/v2/schedules",
    since = "3.2",
    replay = "once",
    result = "object",
    body = "json",
    invalidates = CHANGES,
    params = of_v2(
      { "workflow", "code", "NOUNDefinitionCode", required = true },
      -- an environment that there is not, such as none, is refused
      { "environment", "environment", "environmentCode", required = true },
      TENANT
    ),
    traps = { CRONTAB },
  },
  get_by_id = {
    summary = "one schedule",
    method = "GET",
    path = BY_ID,
    since = "3.2",
    replay = "read",
    result = "object",
    params = { SCHEDULE_ID },
  },
  update_by_id = {
    summary = "replaces a schedule that is offline, whatever project it is in",
    method = "PUT",
    path = BY_ID,
    since = "3.2",
    replay = "repeatable",
    result = "object",
    body = "json",
    invalidates = CHANGES,
    params = of_v2(SCHEDULE_ID, ENVIRONMENT),
    traps = { CRONTAB },
  },
  delete_by_id = {
    summary = "removes a schedule that is offline, whatever project it is in",
    method = "DELETE",
    path = BY_ID,
    since = "3.2",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    gone = GONE,
    params = { SCHEDULE_ID },
  },
  search = {
    summary = "the schedules of all projects that fit the filter, all pages",
    method = "POST",
    path = "/v2/schedules/filter",
    since = "3.2",
    replay = "read",
    result = "page",
    body = "json",
    params = {
      { "project_name", "string", "projectName" },
      { "workflow_name", "string", "NOUNDefinitionName" },
      RELEASE_STATE,
    },
    traps = { "a POST that reads" },
  },
}

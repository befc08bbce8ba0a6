--- Counts across projects: StatisticsV2Controller. Live data: never cached.

local WITHOUT_BODY = "the server needs a body, if an empty one: {} is sent where no argument is given"
local SLOW = "groups all rows of the window, which is the last month where none is given"

-- The server has isAll, too, and never reads it.
local FILTER = {
  { "project", "project", "projectCode" },
  { "project_name", "string", "projectName" },
  { "workflow", "workflow", "workflowCode" },
  { "workflow_name", "string", "workflowName" },
  { "task", "task", "taskCode" },
  { "task_name", "string", "taskName" },
  -- no dates: they are read in the zone of the server's answers, not in the user's
  { "start_time", "string", "startTime", help = "yyyy-MM-dd HH:mm:ss in the server's zone" },
  { "end_time", "string", "endTime", help = "yyyy-MM-dd HH:mm:ss in the server's zone" },
}

local USER = { "user_id", "user_id", path = true }

return {
  workflow_states_count = {
    summary = "how many runs are in each state",
    method = "GET",
    path = "/v2/statistics/workflows/states/count",
    since = "3.2",
    replay = "read",
    result = "object",
    body = "json",
    params = FILTER,
    traps = { WITHOUT_BODY, SLOW },
  },
  workflow_states_count_by_code = {
    summary = "how many runs of a workflow are in each state",
    method = "GET",
    path = "/v2/statistics/{workflow}/states/count",
    since = "3.2",
    replay = "read",
    result = "object",
    params = { { "workflow", "code", path = true } },
  },
  workflow_count = {
    summary = "how many workflows there are",
    method = "GET",
    path = "/v2/statistics/workflows/count",
    since = "3.2",
    upto = "3.2.0",
    replay = "read",
    result = "object",
    params = {},
  },
  task_states_count = {
    summary = "how many task instances are in each state",
    method = "GET",
    path = "/v2/statistics/tasks/states/count",
    since = "3.2",
    replay = "read",
    result = "object",
    body = "json",
    params = FILTER,
    traps = { WITHOUT_BODY, SLOW },
  },
  task_states_count_by_code = {
    summary = "how many instances of a task are in each state",
    method = "GET",
    path = "/v2/statistics/tasks/{task}/states/count",
    since = "3.2",
    replay = "read",
    result = "object",
    params = { { "task", "code", path = true } },
  },
  workflow_users_count = {
    summary = "how many workflows each user has",
    method = "GET",
    path = "/v2/statistics/workflows/users/count",
    since = "3.2",
    replay = "read",
    result = "object",
    body = "json",
    params = { FILTER[1], FILTER[2] },
    traps = { WITHOUT_BODY },
  },
  workflow_users_count_by_id = {
    summary = "how many workflows a user has",
    method = "GET",
    path = "/v2/statistics/workflows/users/{user_id}/count",
    since = "3.2",
    replay = "read",
    result = "object",
    params = { USER },
  },
  workflow_users_count_by_state = {
    summary = "how many workflows a user has online, or offline",
    method = "GET",
    path = "/v2/statistics/workflows/users/{user_id}/{release_state}/count",
    since = "3.2",
    replay = "read",
    result = "object",
    params = { USER, { "release_state", "integer", path = true, min = 0, max = 1, help = "1 is ONLINE" } },
  },
}

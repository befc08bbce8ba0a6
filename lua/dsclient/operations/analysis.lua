--- Counts for the home page: DataAnalysisController. Live data: never cached.

local PROJECT = { "project", "project", "projectCode", help = "all that the user may see where it is left out" }
local WINDOW = { PROJECT, { "start_date", "date", "startDate" }, { "end_date", "date", "endDate" } }
local SLOW = "groups all rows of the window: give start_date and end_date"

return {
  workflow_state_count = {
    summary = "how many runs are in each state",
    method = "GET",
    path = "/projects/analysis/NOUN-state-count",
    replay = "read",
    result = "object",
    params = WINDOW,
    renamed = { taskCountDtos = "workflowInstanceStatusCounts", taskStateType = "state" }, -- up to 3.2.0
    traps = { SLOW },
  },
  task_state_count = {
    summary = "how many task instances are in each state",
    method = "GET",
    path = "/projects/analysis/task-state-count",
    replay = "read",
    result = "object",
    params = WINDOW,
    renamed = { taskCountDtos = "taskInstanceStatusCounts", taskStateType = "state" }, -- up to 3.2.0
    traps = { SLOW },
  },
  define_user_count = {
    summary = "how many workflows each user has",
    method = "GET",
    path = "/projects/analysis/define-user-count",
    replay = "read",
    result = "object",
    params = { PROJECT },
  },
  command_state_count = {
    summary = "how many commands of each type wait, and how many failed",
    method = "GET",
    path = "/projects/analysis/command-state-count",
    replay = "read",
    result = "list",
    params = {},
  },
  queue_count = {
    summary = "always {taskQueue = 0, taskKill = 0}",
    method = "GET",
    path = "/projects/analysis/queue-count",
    replay = "read",
    result = "object",
    params = {},
  },
  commands = {
    summary = "the commands that no master has taken yet, all pages",
    method = "GET",
    path = "/projects/analysis/listCommand",
    since = "3.2.2",
    replay = "read",
    result = "page",
    params = { PROJECT },
  },
  error_commands = {
    summary = "the commands that failed, all pages",
    method = "GET",
    path = "/projects/analysis/listErrorCommand",
    since = "3.2.2",
    replay = "read",
    result = "page",
    params = { PROJECT },
  },
}

--- Task groups, which limit how many tasks run at once: TaskGroupController.

local SINCE = "3.0"
local GROUPS = { "task_groups.list", "task_groups.of_project", "task_groups.of_status" }
local QUEUES = { "task_groups.queue" }
local GROUP = { "task_group_id", "id", "id", required = true }
local QUEUE = { "queue_id", "id", "queueId", required = true, help = "a row of `queue`" }
local STATUS = { "status", "integer", "status", min = 0, help = "0 closed, 1 open" }
local NAME = { "name", "string", "name", required = true }
local DESCRIPTION = { "description", "string", "description", default = "" }
local SIZE = { "size", "integer", "groupSize", required = true, min = 1, help = "so many tasks at once" }

return {
  list = {
    summary = "the task groups, all pages",
    method = "GET",
    path = "/task-group/list-paging",
    since = SINCE,
    replay = "read",
    result = "page",
    params = { { "name", "string", "name" }, STATUS },
  },
  of_project = {
    summary = "the task groups of a project, all pages",
    method = "GET",
    path = "/task-group/query-list-by-projectCode",
    since = SINCE,
    replay = "read",
    result = "page",
    params = { { "project", "project", "projectCode" } },
  },
  of_status = {
    summary = "the task groups that are open, or closed, all pages",
    method = "GET",
    path = "/task-group/query-list-by-status",
    since = SINCE,
    replay = "read",
    result = "page",
    params = { STATUS },
  },
  queue = {
    summary = "the tasks that have or want a place in a group, all pages",
    method = "GET",
    path = "/task-group/query-list-by-group-id",
    since = SINCE,
    replay = "read",
    result = "page",
    params = {
      { "task_group_id", "id", "groupId" },
      { "task_instance_name", "string", "taskInstanceName" },
      { "instance_name", "string", "NOUNInstanceName" },
      { "status", "integer", "status" },
    },
    traps = { "projectCode comes as a string on all lines" },
  },
  create = {
    summary = "a new task group; a name that is taken is refused",
    method = "POST",
    path = "/task-group/create",
    since = SINCE,
    replay = "once",
    result = "object",
    invalidates = GROUPS,
    params = { NAME, { "project", "project", "projectCode" }, DESCRIPTION, SIZE },
  },
  update = {
    summary = "changes all fields of a task group",
    method = "POST",
    path = "/task-group/update",
    since = SINCE,
    replay = "repeatable",
    result = "object",
    invalidates = GROUPS,
    params = { GROUP, NAME, DESCRIPTION, SIZE },
  },
  open = {
    summary = "opens a task group",
    method = "POST",
    path = "/task-group/start-task-group",
    since = SINCE,
    replay = "once",
    result = "none",
    invalidates = GROUPS,
    params = { GROUP },
    traps = { "one that is open is refused: a repetition is an error" },
  },
  close = {
    summary = "closes a task group: it limits nothing any more",
    method = "POST",
    path = "/task-group/close-task-group",
    since = SINCE,
    replay = "once",
    result = "none",
    invalidates = GROUPS,
    params = { GROUP },
    traps = { "one that is closed is refused: a repetition is an error" },
  },
  force_start = {
    summary = "starts a waiting task although its group is full",
    method = "POST",
    path = "/task-group/forceStart",
    since = SINCE,
    replay = "once",
    result = "none",
    invalidates = QUEUES,
    params = { QUEUE },
  },
  set_priority = {
    summary = "the priority of a waiting task",
    method = "POST",
    path = "/task-group/modifyPriority",
    since = SINCE,
    replay = "repeatable",
    result = "none",
    invalidates = QUEUES,
    params = { QUEUE, { "priority", "integer", "priority", required = true } },
  },
}

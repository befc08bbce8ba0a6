--- The task types that the token's user marked: FavTaskController.

local SINCE = "3.1"
local TYPE = { { "task_type", "string", path = true, help = "SHELL, SQL, …" } }
local LIST = { "favourites.list" }

return {
  list = {
    summary = "the task types, and which of them are marked",
    method = "GET",
    path = "/favourite/taskTypes",
    since = SINCE,
    replay = "read",
    result = "list",
    params = {},
  },
  add = {
    summary = "marks a task type",
    method = "POST",
    path = "/favourite/{task_type}",
    since = SINCE,
    replay = "repeatable",
    result = "none",
    invalidates = LIST,
    params = TYPE,
  },
  remove = {
    summary = "takes the mark from a task type",
    method = "DELETE",
    path = "/favourite/{task_type}",
    since = SINCE,
    replay = "repeatable",
    result = "none",
    invalidates = LIST,
    params = TYPE,
  },
}

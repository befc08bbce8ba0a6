--- The types of tasks that the server knows: DynamicTaskTypeController.

local HOUR = 3600

return {
  categories = {
    summary = "the categories of task types",
    method = "GET",
    path = "/dynamic/taskCategories",
    since = "3.2",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
  list = {
    summary = "the task types of a category",
    method = "GET",
    path = "/dynamic/{category}/taskTypes",
    since = "3.2",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = { { "category", "string", path = true, help = "as `categories` names them" } },
  },
}

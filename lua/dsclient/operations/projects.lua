--- Projects: ProjectController.

local HOUR = 3600

return {
  list = {
    summary = "the projects that the token's user may see, all pages",
    method = "GET",
    path = "/projects",
    replay = "read",
    result = "page",
    ttl_s = HOUR,
    params = { { "search", "string", "searchVal" } },
  },
  get = {
    summary = "one project",
    method = "GET",
    path = "/projects/{project}",
    replay = "read",
    result = "object",
    params = { { "project", "project", path = true } },
  },
  create = {
    summary = "a new project; a name that is taken is refused with 10019",
    method = "POST",
    path = "/projects",
    replay = "once",
    result = "object",
    invalidates = { "projects.list" },
    params = {
      { "name", "string", "projectName", required = true },
      { "description", "string", "description", default = "" },
    },
  },
  delete = {
    summary = "removes a project without workflows",
    method = "DELETE",
    path = "/projects/{project}",
    replay = "repeatable",
    result = "none",
    invalidates = { "projects.list" },
    params = { { "project", "project", path = true } },
  },
}

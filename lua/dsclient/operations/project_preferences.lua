--- What new tasks of a project begin with: ProjectPreferenceController.

local PREFERENCE = "/projects/{project}/project-preference"

local PROJECT = { "project", "project", path = true }
local CHANGES = { "project_preferences.get" }

return {
  get = {
    summary = "the preferences of a project; true where none were ever set",
    method = "GET",
    path = PREFERENCE,
    since = "3.2",
    replay = "read",
    result = "object",
    ttl_s = 3600,
    params = { PROJECT },
  },
  update = {
    summary = "sets the preferences of a project, and makes them count where there were none",
    method = "PUT",
    path = PREFERENCE,
    since = "3.2",
    replay = "repeatable",
    result = "object",
    invalidates = CHANGES,
    params = { PROJECT, { "preferences", "json", "projectPreferences", required = true } },
  },
  enable = {
    summary = "makes the preferences of a project count, or not",
    method = "POST",
    path = PREFERENCE,
    since = "3.2",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, { "state", "integer", "state", required = true, min = 0, max = 1, help = "1 is on" } },
    traps = { "without preferences it does nothing, and answers success" },
  },
}

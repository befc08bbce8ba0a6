--- Environments, the shell settings of tasks: EnvironmentController.

local HOUR = 3600
local ENVIRONMENTS = { "environments.list", "environments.all", "environments.get" }
local ENVIRONMENT = { "environment", "environment", "environmentCode", required = true }
local NAME = { "name", "string", "name", required = true }
local CONFIG = { "config", "string", "config", required = true, help = "lines of export NAME=value" }
local DESCRIPTION = { "description", "string", "description" }
local WORKER_GROUPS = { "worker_groups", "json", "workerGroups", help = "an array of names" }

return {
  list = {
    summary = "the environments, all pages",
    method = "GET",
    path = "/environment/list-paging",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  all = {
    summary = "the environments, in one answer",
    method = "GET",
    path = "/environment/query-environment-list",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
  get = {
    summary = "one environment",
    method = "GET",
    path = "/environment/query-by-code",
    replay = "read",
    result = "object",
    params = { ENVIRONMENT },
  },
  create = {
    summary = "a new environment; its code is the value",
    method = "POST",
    path = "/environment/create",
    replay = "once",
    result = "object",
    codes = { "data" },
    invalidates = ENVIRONMENTS,
    params = { NAME, CONFIG, DESCRIPTION, WORKER_GROUPS },
  },
  update = {
    summary = "changes all fields of an environment",
    method = "POST",
    path = "/environment/update",
    replay = "repeatable",
    result = "object",
    invalidates = ENVIRONMENTS,
    params = { { "environment", "environment", "code", required = true }, NAME, CONFIG, DESCRIPTION, WORKER_GROUPS },
  },
  delete = {
    summary = "removes an environment that no task uses",
    method = "POST",
    path = "/environment/delete",
    replay = "repeatable",
    result = "none",
    gone = { 120006 },
    invalidates = ENVIRONMENTS,
    params = { ENVIRONMENT },
  },
  verify_name = {
    summary = "is this name free? An error where it is not",
    method = "POST",
    path = "/environment/verify-environment",
    replay = "read",
    result = "none",
    params = { { "name", "string", "environmentName", required = true } },
  },
}

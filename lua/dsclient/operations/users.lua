--- Users, and what they may see: UsersController. Only admins may ask for most.

local MINUTES_5 = 300
local USERS = { "users.list", "users.all", "users.general", "users.current" }
local GRANTS = { "projects.list", "projects.all", "projects.authorized", "projects.unauthorized",
  "projects.created_and_authed", "projects.authorized_users", "projects.with_level", "projects.with_level_list" }

local USER = { "user_id", "user_id", "userId", required = true }
local PASSWORD = "answers up to 3.1 carry userPassword, an MD5 hash: never print them"

local ACCOUNT = {
  { "name", "string", "userName", required = true },
  { "password", "string", "userPassword", required = true },
  { "tenant_id", "tenant_id", "tenantId", required = true },
  { "email", "string", "email", required = true },
  { "queue", "string", "queue", default = "", help = "a YARN queue in place of the tenant's" },
  { "phone", "string", "phone" },
  { "state", "integer", "state", min = 0, max = 1, help = "0 disabled, 1 enabled" },
}

local CHANGED_ACCOUNT = { { "user_id", "user_id", "id", required = true } }
for _, param in ipairs(ACCOUNT) do
  CHANGED_ACCOUNT[#CHANGED_ACCOUNT + 1] = param
end
CHANGED_ACCOUNT[#CHANGED_ACCOUNT + 1] = { "time_zone", "string", "timeZone", since = "3.0" }

--- A grant or its end: the whole list of a kind, or one project.
local function rights(summary, path, param, fields)
  local row = {
    summary = summary,
    method = "POST",
    path = path,
    replay = "repeatable",
    result = "none",
    invalidates = GRANTS,
    params = { USER, param },
  }
  for name, value in pairs(fields or {}) do
    row[name] = value
  end
  return row
end

return {
  current = {
    summary = "the user of the token, with his timeZone",
    method = "GET",
    path = "/users/get-user-info",
    replay = "read",
    result = "object",
    params = {},
    traps = { PASSWORD },
  },
  list = {
    summary = "the users, all pages",
    method = "GET",
    path = "/users/list-paging",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
    traps = { PASSWORD },
  },
  all = {
    summary = "the enabled users, in one answer",
    method = "GET",
    path = "/users/list-all",
    replay = "read",
    result = "list",
    ttl_s = MINUTES_5,
    params = {},
    traps = { "after 3.4.2 only admins see it, reduced to id and userName" },
  },
  general = {
    summary = "the users that are no admins",
    method = "GET",
    path = "/users/list",
    replay = "read",
    result = "list",
    ttl_s = MINUTES_5,
    params = {},
  },
  create = {
    summary = "a new user; a name that is taken is refused",
    method = "POST",
    path = "/users/create",
    replay = "once",
    result = "object",
    invalidates = USERS,
    params = ACCOUNT,
  },
  update = {
    summary = "changes all fields of a user",
    method = "POST",
    path = "/users/update",
    replay = "repeatable",
    result = "object",
    invalidates = USERS,
    params = CHANGED_ACCOUNT,
  },
  delete = {
    summary = "removes a user without projects",
    method = "POST",
    path = "/users/delete",
    replay = "repeatable",
    result = "none",
    gone = { 10010 },
    invalidates = USERS,
    params = { { "user_id", "user_id", "id", required = true } },
  },
  register = {
    summary = "a new user that an admin has to activate",
    method = "POST",
    path = "/users/register",
    replay = "once",
    result = "object",
    invalidates = USERS,
    params = {
      { "name", "string", "userName", required = true },
      { "password", "string", "userPassword", required = true },
      { "repeat_password", "string", "repeatPassword", required = true },
      { "email", "string", "email", required = true },
    },
  },
  activate = {
    summary = "enables a user that registered",
    method = "POST",
    path = "/users/activate",
    replay = "once",
    result = "object",
    invalidates = USERS,
    params = { { "name", "string", "userName", required = true } },
    traps = { "one that is enabled already is refused" },
  },
  batch_activate = {
    summary = "enables users that registered; tells for which it worked",
    method = "POST",
    path = "/users/batch/activate",
    replay = "repeatable",
    result = "object",
    body = "list",
    invalidates = USERS,
    params = { { "names", "strings", "names", required = true } },
  },
  verify_name = {
    summary = "is this user name free? An error of code 10003 where it is not",
    method = "GET",
    path = "/users/verify-user-name",
    replay = "read",
    result = "none",
    params = { { "name", "string", "userName", required = true } },
  },
  of_alert_group = {
    summary = "the users of an alert group",
    method = "GET",
    path = "/users/authed-user",
    replay = "read",
    result = "list",
    params = { { "alert_group", "alert_group_id", "alertgroupId", required = true } },
  },
  outside_alert_group = {
    summary = "the users that are in no alert group, or not in this one",
    method = "GET",
    path = "/users/unauth-user",
    replay = "read",
    result = "list",
    params = { { "alert_group", "alert_group_id", "alertgroupId", required = true } },
  },
  grant_projects = rights("the projects that a user may change; replaces the whole list", "/users/grant-project",
    { "project_ids", "ids", "projectIds", required = true }, { traps = { "ids, not codes" } }),
  grant_project = rights("one project more that a user may change", "/users/grant-project-by-code",
    { "project", "project", "projectCode", required = true }, { since = "2.0.2" }),
  grant_projects_to_read = rights("the projects that a user may only read; replaces the whole list",
    "/users/grant-project-with-read-perm", { "project_ids", "ids", "projectIds", required = true },
    { since = "3.2", traps = { "ids, not codes" } }),
  revoke_project = rights("takes one project from a user", "/users/revoke-project",
    { "project", "project", "projectCode", required = true }, { since = "2.0.2" }),
  revoke_projects = rights("takes projects from a user", "/users/revoke-project-by-id",
    { "project_ids", "ids", "projectIds", required = true }, { since = "3.2", traps = { "ids, not codes" } }),
  grant_datasources = rights("the data sources that a user may use; replaces the whole list",
    "/users/grant-datasource", { "datasource_ids", "ids", "datasourceIds", required = true }),
  grant_namespaces = rights("the namespaces that a user may use; replaces the whole list", "/users/grant-namespace",
    { "namespace_ids", "ids", "namespaceIds", required = true }, { since = "3.0" }),
  grant_files = rights("the files that a user may use; replaces the whole list", "/users/grant-file",
    { "resource_ids", "ids", "resourceIds", required = true }, { upto = "3.2.0" }),
  grant_udfs = rights("the UDF functions that a user may use; replaces the whole list", "/users/grant-udf-func",
    { "udf_ids", "ids", "udfIds", required = true }, { upto = "3.2.2" }),
}

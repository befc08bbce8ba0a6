--- Alert groups, who is told of an end of a run: AlertGroupController.

local HOUR = 3600
local GROUPS = { "alert_groups.list", "alert_groups.all", "alert_groups.get" }
local GROUP = { "alert_group", "alert_group_id", path = true }
local ABOUT = {
  { "name", "string", "groupName", required = true },
  { "description", "string", "description" },
  { "alert_instance_ids", "ids", "alertInstanceIds", required = true },
}

return {
  list = {
    summary = "the alert groups, all pages",
    method = "GET",
    path = "/alert-groups",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  all = {
    summary = "the alert groups, in one answer",
    method = "GET",
    path = "/alert-groups/list",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
  normal = {
    summary = "the alert groups without the server's own",
    method = "GET",
    path = "/alert-groups/normal-list",
    since = "3.2.1",
    upto = "3.2.2",
    replay = "read",
    result = "list",
    params = {},
  },
  get = {
    summary = "one alert group",
    method = "POST",
    path = "/alert-groups/query",
    replay = "read",
    result = "object",
    params = { { "alert_group", "alert_group_id", "id", required = true } },
  },
  create = {
    summary = "a new alert group; a name that is taken is refused",
    method = "POST",
    path = "/alert-groups",
    replay = "once",
    result = "object",
    invalidates = GROUPS,
    params = ABOUT,
  },
  update = {
    summary = "changes all fields of an alert group",
    method = "PUT",
    path = "/alert-groups/{alert_group}",
    replay = "repeatable",
    result = "object",
    invalidates = GROUPS,
    params = { GROUP, ABOUT[1], ABOUT[2], ABOUT[3] },
  },
  delete = {
    summary = "removes an alert group",
    method = "DELETE",
    path = "/alert-groups/{alert_group}",
    replay = "once",
    result = "none",
    invalidates = GROUPS,
    params = { GROUP },
    traps = { "one that is gone already is refused with 30001, as if there were no right to it" },
  },
  verify_name = {
    summary = "is this name free? An error where it is not",
    method = "GET",
    path = "/alert-groups/verify-name",
    replay = "read",
    result = "none",
    params = { { "name", "string", "groupName", required = true } },
  },
}

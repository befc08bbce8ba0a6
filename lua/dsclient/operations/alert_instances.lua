--- Alert instances, the configured ways of an alert: AlertPluginInstanceController.

local INSTANCES = { "alert_instances.list", "alert_instances.all", "alert_instances.get" }
local INSTANCE = { "alert_instance_id", "id", path = true }
local PLUGIN = { "plugin_id", "id", "pluginDefineId", required = true, help = "as `plugins` lists them" }
local NAME = { "name", "string", "instanceName", required = true }
local SETTINGS = { "settings", "json", "pluginInstanceParams", required = true, help = "the plugin's own parameters" }
-- only these two versions ask whether it is for all runs, and for which ends
local TYPE = { "type", "enum", "instanceType", since = "3.2.1", upto = "3.2.2", default = "NORMAL",
  values = "NORMAL GLOBAL" }
local WARNING = { "warning_type", "enum", "warningType", since = "3.2.1", upto = "3.2.2", default = "ALL",
  values = "NONE SUCCESS FAILURE ALL GLOBAL" }

return {
  list = {
    summary = "the alert instances, all pages",
    method = "GET",
    path = "/alert-plugin-instances",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
    traps = { "settings may hold passwords and keys" },
  },
  all = {
    summary = "the alert instances, in one answer",
    method = "GET",
    path = "/alert-plugin-instances/list",
    replay = "read",
    result = "list",
    params = {},
    traps = { "settings may hold passwords and keys" },
  },
  get = {
    summary = "one alert instance",
    method = "GET",
    path = "/alert-plugin-instances/{alert_instance_id}",
    replay = "read",
    result = "object",
    params = { INSTANCE },
  },
  create = {
    summary = "a new alert instance; a name that is taken is refused",
    method = "POST",
    path = "/alert-plugin-instances",
    replay = "once",
    result = "object",
    invalidates = INSTANCES,
    params = { PLUGIN, NAME, SETTINGS, TYPE, WARNING },
  },
  update = {
    summary = "changes the name and the settings of an alert instance",
    method = "PUT",
    path = "/alert-plugin-instances/{alert_instance_id}",
    replay = "repeatable",
    result = "object",
    invalidates = INSTANCES,
    params = { INSTANCE, NAME, SETTINGS, WARNING },
  },
  delete = {
    summary = "removes an alert instance that no group has",
    method = "DELETE",
    path = "/alert-plugin-instances/{alert_instance_id}",
    replay = "repeatable",
    result = "none",
    gone = { 110006 },
    invalidates = INSTANCES,
    params = { INSTANCE },
  },
  test_send = {
    summary = "sends an alert, a real one, with these settings",
    method = "POST",
    path = "/alert-plugin-instances/test-send",
    since = "3.2.1",
    replay = "once",
    result = "none",
    params = { PLUGIN, SETTINGS },
  },
  verify_name = {
    summary = "is this name free? An error where it is not",
    method = "GET",
    path = "/alert-plugin-instances/verify-name",
    replay = "read",
    result = "none",
    params = { { "name", "string", "alertInstanceName", required = true } },
  },
}

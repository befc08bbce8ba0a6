--- The plugins of the server: UiPluginController.

local HOUR = 3600

return {
  list = {
    summary = "the plugins of a kind",
    method = "GET",
    path = "/ui-plugins/query-by-type",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = { { "type", "enum", "pluginType", required = true, values = "ALERT REGISTER TASK" } },
  },
  get = {
    summary = "one plugin, with the parameters that it takes",
    method = "GET",
    path = "/ui-plugins/{plugin_id}",
    replay = "read",
    result = "object",
    ttl_s = HOUR,
    params = { { "plugin_id", "id", path = true } },
  },
}

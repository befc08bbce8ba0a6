--- The server itself: its version, and the machines it runs on:
-- MonitorController, UiPluginController.

-- What machines tell of themselves, and where, is called otherwise up to 3.2.
local HEARTBEAT = { resInfo = "heartBeatInfo", zkDirectory = "serverDirectory" }

return {
  product_info = {
    summary = "the server's version as it says it",
    method = "GET",
    path = "/ui-plugins/query-product-info",
    since = "3.3",
    replay = "read",
    result = "object",
    params = {},
    traps = { "the number is what the schema scripts wrote: it may be another than that of the program" },
  },
  masters = {
    summary = "the masters, with their last heartbeats",
    method = "GET",
    path = "/monitor/masters",
    upto = "3.2.1",
    replay = "read",
    result = "list",
    renamed = HEARTBEAT,
    params = {},
  },
  workers = {
    summary = "the workers, with their last heartbeats",
    method = "GET",
    path = "/monitor/workers",
    upto = "3.2.1",
    replay = "read",
    result = "list",
    renamed = HEARTBEAT,
    params = {},
  },
  nodes = {
    summary = "the machines of a kind, with their last heartbeats",
    method = "GET",
    path = "/monitor/{kind}",
    since = "3.2.2",
    replay = "read",
    result = "list",
    renamed = HEARTBEAT,
    params = { { "kind", "enum", path = true, values = "MASTER WORKER ALERT_SERVER" } },
  },
  databases = {
    summary = "the database of the server: its state and its connections",
    method = "GET",
    path = "/monitor/databases",
    replay = "read",
    result = "list",
    params = {},
    traps = { "asks the database for its variables: not every second" },
  },
}

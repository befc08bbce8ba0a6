--- The server itself: its version, and the machines it runs on.

return {
  product_info = {
    summary = "the server's version as it says it (3.3 and later)",
    method = "GET",
    path = "/ui-plugins/query-product-info",
    replay = "read",
    result = "object",
    params = {},
  },
  masters = {
    summary = "the masters, with their last heartbeats (up to 3.1)",
    method = "GET",
    path = "/monitor/masters",
    replay = "read",
    result = "list",
    params = {},
  },
  nodes = {
    summary = "the machines of a kind: MASTER, WORKER, ALERT_SERVER (3.2 and later)",
    method = "GET",
    path = "/monitor/{kind}",
    replay = "read",
    result = "list",
    params = { { "kind", "enum", path = true } },
  },
}

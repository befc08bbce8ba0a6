--- What a simulation of many seeds has to have come by: a check that nothing
-- reaches proves nothing (the coverage marks of TigerBeetle's simulator).

return {
  -- values
  "fetched", "cached", "shared", "stale", "stale_if_error_s", "stale_while_revalidate_s", "background",
  "refreshed ahead", "the deadline of a follower",
  -- requests
  "a free repeat", "executed in time", "executed late", "once ok", "once outcome_unknown", "once busy",
  "exchange cancelled",
  -- limits
  "calls wait", "waited for a connection", "throttled", "the budget is empty", "server shut", "operation shut",
  "probed",
  -- hooks
  "a hook called", "a hook threw", "a hook closed the client",
  -- scopes
  "scope: gather", "scope: map", "scope: run", "a scope threw", "joined",
  -- ends
  "ended api", "ended auth", "ended breaker_open", "ended busy", "ended cancelled", "ended closed", "ended connect",
  "ended deadline", "ended dns", "ended http", "ended limit", "ended network", "ended not_api", "ended not_found",
  "ended outcome_unknown", "ended protocol", "ended server", "ended throttled", "ended timeout", "ended tls",
}

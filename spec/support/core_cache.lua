--- A client that is nothing but its cache, on a virtual clock, for those who
-- call the functions of the core as the Lua layer does.

local core = require "dsclient.core"

--- @tparam table options of the cache, or nil
return function(options)
  local config = {
    max_retries = 0, backoff_s = 0, backoff_max_s = 0, jitter = "none", retry_statuses = {}, servers = 1,
    enable_cache = true, enable_metrics = true, virtual_clock = true,
    cache_entries_max = 1000, cache_bytes_max = 2 ^ 26,
  }
  for name, value in pairs(options or {}) do
    config[name] = value
  end
  return core.new(config, {})
end

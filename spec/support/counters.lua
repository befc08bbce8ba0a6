--- A client of the core whose counters a spec fills itself.

local core = require "dsclient.core"

local _M = {}

local CONFIG = {
  max_retries = 0, backoff_s = 0, backoff_max_s = 0, jitter = "none", retry_statuses = {}, servers = 1,
  enable_cache = true, enable_metrics = true, virtual_clock = true,
  cache_entries_max = 1000, cache_bytes_max = 2 ^ 26,
}

--- @tparam table more options of core.new that differ
function _M.client(more)
  local config = {}
  for name, value in pairs(CONFIG) do
    config[name] = value
  end
  for name, value in pairs(more or {}) do
    config[name] = value
  end
  return core.new(config, {})
end

--- The number of an operation.
function _M.register(client, name, more)
  local operation = { name = name, replay = "read", timeout_s = 1, attempt_timeout_s = 1 }
  for key, value in pairs(more or {}) do
    operation[key] = value
  end
  return core.register(client, operation)
end

--- Records durations (µs) under one name.
function _M.record(client, name, durations, kind)
  local number = _M.register(client, name)
  for _, us in ipairs(durations) do
    core.record(client, number, kind or "ok", us / 1e6)
  end
end

--- Random numbers that are the same for the same seed, on each VM (Park and
-- Miller's). @return function → a number in [0, 1)
function _M.chance(seed)
  local state = seed % 2147483646 + 1
  return function()
    state = state * 16807 % 2147483647
    return (state - 1) / 2147483646
  end
end

return _M

--- What the client counted, as tables, as text for people, as JSON.

local cjson = require("cjson").new() -- its settings are nobody else's
local core = require "dsclient.core"
local errors = require "dsclient.errors"
local files = require "dsclient.files"
local options = require "dsclient.options"

local format = string.format

local _M = {}

--- 0.0225 → "2.25%".
local function percent(ratio)
  return format("%.2f%%", ratio * 100)
end

local function ratio_of(part, whole)
  return whole > 0 and part / whole or 0
end

-- As the seed wrote it: "0%" where there is none.
local function error_rate(failed, calls)
  return failed > 0 and percent(failed / calls) or "0%"
end

local function rounded(value)
  return math.floor(value * 100 + 0.5) / 100
end

--- Statistics of the cache; all zero when it is off.
-- @treturn table size, hits, misses, hit_rate ("96.67%"), hit_ratio (0.9667),
--   stale_hits (hits of what was no longer fresh), shared (misses that took
--   part in another call's request), evictions, expired, bytes; of what was fetched
--   ahead (prefetch.lua, refresh_ahead): prefetch_issued, prefetch_used,
--   prefetch_wasted (it went before anybody asked for it), refresh_issued, …
function _M.cache_stats(client)
  local stats = core.cache_stats(client)
  stats.hit_ratio = ratio_of(stats.hits, stats.hits + stats.misses)
  stats.hit_rate = percent(stats.hit_ratio)
  return stats
end

-- What becomes of what is fetched ahead.
local FATES = { "prefetch_issued", "prefetch_used", "prefetch_wasted", "refresh_issued", "refresh_used",
  "refresh_wasted" }

local function average_ms(row)
  return ratio_of(row.total_ms, row.timed)
end

--- What both reports have of a row, or of all rows together.
local function counted(row)
  local both = {
    error_rate = error_rate(row.errors, row.calls),
    error_ratio = ratio_of(row.errors, row.calls),
    avg_duration_ms = rounded(average_ms(row)),
    min_duration_ms = rounded(row.min_ms),
    max_duration_ms = rounded(row.max_ms),
    p50_duration_ms = rounded(row.p50_ms),
    p90_duration_ms = rounded(row.p90_ms),
    p99_duration_ms = rounded(row.p99_ms),
    p999_duration_ms = rounded(row.p999_ms),
    outcomes = row.outcomes,
    attempt_results = row.attempt_results,
    retry_reasons = row.retry_reasons,
    bytes_in = row.bytes_in,
    bytes_out = row.bytes_out,
  }
  for _, name in ipairs(FATES) do
    both[name] = row[name]
  end
  return both
end

--- The counters of each name, as in the seed; durations in ms, of the calls
-- that asked the server. A quantile is off by 1.6 % at most.
-- @tparam userdata source a client, or the sum of snapshots (core.sum)
-- @treturn table name → {call_count, error_count, error_rate ("2.25%"),
--   error_ratio, avg_duration_ms, min_duration_ms, max_duration_ms,
--   p50_duration_ms, p90_…, p99_…, p999_…,
--   outcomes (how calls ended → count: "ok", "cached", "stale", the kind of an
--   error, "error" of a user's function), cached_count, fresh_count and
--   stale_count (of the calls that the cache answered), miss_count (look-ups
--   that found nothing fresh),
--   attempts, attempt_results ("ok" or a kind → count), retries, retry_reasons
--   (kind → count), bytes_in, bytes_out, prefetch_issued, prefetch_used,
--   prefetch_wasted, refresh_issued, refresh_used, refresh_wasted}
function _M.all_metrics(source)
  local metrics = {}
  for _, row in ipairs((core.metrics(source))) do
    local apart = counted(row)
    apart.call_count, apart.error_count = row.calls, row.errors
    apart.fresh_count, apart.stale_count = row.fresh, row.stale
    apart.cached_count, apart.miss_count = row.fresh + row.stale, row.missed
    apart.attempts, apart.retries = row.attempts, row.retries
    metrics[row.name] = apart
  end
  return metrics
end

local function best(rows, score)
  local top, top_score
  for _, row in ipairs(rows) do
    local value = score(row)
    if value > 0 and (not top or value > top_score or value == top_score and row.name < top.name) then
      top, top_score = row, value
    end
  end
  return top, top_score
end

--- All names together, as in the seed.
-- @tparam userdata source a client, or the sum of snapshots
-- @treturn table total_api_calls, total_errors, slowest_api (by its average)
--   and its slowest_duration_ms, most_frequent_api and its
--   most_frequent_count, total_cached, total_fresh, total_stale, total_misses,
--   total_attempts, total_retries; the rest as all_metrics has it
function _M.summary(source)
  local rows, sum = core.metrics(source)
  local slowest, slowest_ms = best(rows, average_ms)
  local frequent, frequent_count = best(rows, function(row)
    return row.calls
  end)
  local summary = counted(sum)
  summary.total_api_calls, summary.total_errors = sum.calls, sum.errors
  summary.slowest_api = slowest and slowest.name
  summary.slowest_duration_ms = slowest and rounded(slowest_ms)
  summary.most_frequent_api, summary.most_frequent_count = frequent and frequent.name, frequent_count
  summary.total_fresh, summary.total_stale = sum.fresh, sum.stale
  summary.total_cached, summary.total_misses = sum.fresh + sum.stale, sum.missed
  summary.total_attempts, summary.total_retries = sum.attempts, sum.retries
  return summary
end

-- --- for Prometheus, and for several processes ---------------------------

local FORMATS = { prometheus = true, openmetrics = true }

--- The counters as text that Prometheus reads; see docs/metrics.md.
-- @tparam userdata source a client, or the sum of snapshots
-- @tparam string|nil form "prometheus" (default) or "openmetrics"
-- @tparam table gauges how the client stands; see enum dsc_gauge in csrc/core/
-- @tparam string version of this library
-- @treturn string|nil text; or nil and an error of kind "limit"
function _M.text(source, form, gauges, version)
  form = form == nil and "prometheus" or form
  if not FORMATS[form] then
    errors.throw('metrics_text: "prometheus" or "openmetrics" expected, got ' .. errors.quoted(tostring(form)))
  end
  local written, message = core.metrics_text(source, form, gauges, version, jit and jit.version or _VERSION)
  if not written then
    return nil, errors.new { kind = "limit", message = "metrics_text: " .. message }
  end
  return written
end

--- What snapshots add up to.
-- @return userdata, a source of the functions above; or nil and an error of
--   kind "argument": a snapshot comes from outside
function _M.sum(...)
  local sum, message = core.sum(...)
  if not sum then
    return nil, errors.new { kind = "argument", argument = message:match "^snapshot %d+", message = message }
  end
  return sum
end

local LINE = ("="):rep(60)

local WORDS = {
  en = {
    cache = "API cache statistics:",
    size = "  Cache size: %d",
    hits = "  Hits: %d",
    misses = "  Misses: %d",
    hit_rate = "  Hit rate: %s",
    calls = "API call statistics:",
    total = "  Total calls: %d",
    errors = "  Total errors: %d",
    error_rate = "  Error rate: %s",
    average = "  Average duration: %.2f ms",
    slowest = "  Slowest API: %s (%.2f ms)",
    frequent = "  Most frequent API: %s (%d calls)",
    low_hits = "Hint: few answers come from the cache. Is cache_ttl_s long enough? Is one client used for all calls?",
    many_errors = "Hint: many calls fail. Look at err.kind and err.attempts, or give the option `log`.",
    full_pool = "Hint: %d times a request had to wait for one of the %d connections. Is pool_maxsize large enough?",
  },
  zh = {
    cache = "API 缓存统计:",
    size = "  缓存大小: %d",
    hits = "  命中次数: %d",
    misses = "  未命中次数: %d",
    hit_rate = "  命中率: %s",
    calls = "API 调用统计:",
    total = "  总调用次数: %d",
    errors = "  总错误次数: %d",
    error_rate = "  错误率: %s",
    average = "  平均耗时: %.2f ms",
    slowest = "  最慢 API: %s (%.2f ms)",
    frequent = "  最频繁 API: %s (%d 次)",
    low_hits = "提示: 缓存命中率低。缓存时间 (cache_ttl_s) 是否够长? 是否始终使用同一个客户端?",
    many_errors = "提示: 失败的调用很多。请查看 err.kind 和 err.attempts, 或使用选项 `log`。",
    full_pool = "提示: 有 %d 个请求等待过空闲连接 (共 %d 个)。pool_maxsize 是否够大?",
  },
}

-- Hints wait for so many look-ups or calls: fewer prove nothing.
local HINT_COUNT_MIN = 20
local LOW_HIT_RATIO, HIGH_ERROR_RATIO = 0.5, 0.05

local function hints(words, stats, summary, pool)
  local lines = {}
  if stats.hits + stats.misses >= HINT_COUNT_MIN and stats.hit_ratio < LOW_HIT_RATIO then
    lines[#lines + 1] = words.low_hits
  end
  if summary.total_api_calls >= HINT_COUNT_MIN and summary.error_ratio > HIGH_ERROR_RATIO then
    lines[#lines + 1] = words.many_errors
  end
  if pool and pool.queued > 0 then
    lines[#lines + 1] = format(words.full_pool, pool.queued, pool.pool_maxsize)
  end
  return lines
end

-- The report in the seed's layout, and the hints below it.
local function report_text(client, counters, pool, lang)
  local words = WORDS[lang]
  local stats, summary = _M.cache_stats(client), _M.summary(counters)
  local lines = {
    LINE,
    words.cache,
    format(words.size, stats.size),
    format(words.hits, stats.hits),
    format(words.misses, stats.misses),
    format(words.hit_rate, stats.hit_rate),
    LINE,
    words.calls,
    format(words.total, summary.total_api_calls),
    format(words.errors, summary.total_errors),
    format(words.error_rate, summary.error_rate),
    format(words.average, summary.avg_duration_ms),
  }
  if summary.slowest_api then
    lines[#lines + 1] = format(words.slowest, summary.slowest_api, summary.slowest_duration_ms)
  end
  if summary.most_frequent_api then
    lines[#lines + 1] = format(words.frequent, summary.most_frequent_api, summary.most_frequent_count)
  end
  lines[#lines + 1] = LINE
  for _, hint in ipairs(hints(words, stats, summary, pool)) do
    lines[#lines + 1] = hint
  end
  return table.concat(lines, "\n") .. "\n"
end

local PRINT_OPTIONS = { lang = { type = "choice", values = { "en", "zh" } } }

-- What can't be written is what the caller gave.
local function unwritten(argument, message)
  return nil, errors.new { kind = "argument", argument = argument, message = message }
end

--- Prints the report in the seed's layout, and hints where there is something
-- wrong: few hits, many errors, a pool that is too small.
-- @param counters the client, or the sum of snapshots
-- @param transport the client's; its stats(), where it has them, tell of the pool
-- @param out a file (or a table with a method `write`), a function of one
--   string, or nil for standard output
-- @tparam table opts lang = "en" (default) or "zh"
-- @treturn boolean|nil true; or nil and an error of kind "argument"
function _M.print(client, counters, transport, out, opts)
  local given = options.verify("print_stats", opts == nil and {} or opts, PRINT_OPTIONS)
  local pool = transport.stats and transport:stats()
  local printed = report_text(client, counters, pool, given.lang or "en")
  if type(out) == "function" then
    out(printed)
    return true
  elseif out ~= nil and io.type(out) ~= "file" and type(out) ~= "table" then
    errors.throw("print_stats: an open file or a function expected, got a " .. (io.type(out) or type(out)))
  end
  local written, message = (out or io.stdout):write(printed)
  if not written then
    return unwritten("out", message)
  end
  return true
end

--- All of it as JSON text: {time, summary, apis, cache}.
-- @param counters the client, or the sum of snapshots
function _M.json(client, counters)
  return cjson.encode {
    time = os.date "!%Y-%m-%dT%H:%M:%SZ",
    summary = _M.summary(counters),
    apis = _M.all_metrics(counters),
    cache = _M.cache_stats(client),
  }
end

--- Writes the JSON to a file: whole or not at all.
-- @treturn boolean|nil true; or nil and an error of kind "argument"
function _M.export(client, counters, path)
  if type(path) ~= "string" then
    errors.throw("export_metrics: a path expected, got " .. type(path))
  end
  local ok, message = files.write_whole(client, path, function(file)
    return file:write(_M.json(client, counters) .. "\n")
  end)
  if not ok then
    return unwritten("path", message)
  end
  return true
end

return _M

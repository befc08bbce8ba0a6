--- What the client counted, as tables, as text for people, as JSON.

local cjson = require("cjson").new() -- its settings are nobody else's
local core = require "dsclient.core"
local errors = require "dsclient.errors"
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
--   evictions, expired, bytes
function _M.cache_stats(client)
  local stats = core.cache_stats(client)
  stats.hit_ratio = ratio_of(stats.hits, stats.hits + stats.misses)
  stats.hit_rate = percent(stats.hit_ratio)
  return stats
end

local function average_ms(row)
  return ratio_of(row.total_ms, row.calls - row.cached)
end

--- The counters of each name, as in the seed; durations in ms, of the calls
-- that the cache did not answer.
-- @treturn table name → {call_count, error_count, error_rate ("2.25%"),
--   error_ratio, avg_duration_ms, min_duration_ms, max_duration_ms,
--   cached_count, attempts, retries, bytes_in, bytes_out}
function _M.all_metrics(client)
  local metrics = {}
  for _, row in ipairs(core.metrics(client)) do
    metrics[row.name] = {
      call_count = row.calls,
      error_count = row.errors,
      error_rate = error_rate(row.errors, row.calls),
      error_ratio = ratio_of(row.errors, row.calls),
      avg_duration_ms = rounded(average_ms(row)),
      min_duration_ms = rounded(row.min_ms),
      max_duration_ms = rounded(row.max_ms),
      cached_count = row.cached,
      attempts = row.attempts,
      retries = row.retries,
      bytes_in = row.bytes_in,
      bytes_out = row.bytes_out,
    }
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
-- @treturn table total_api_calls, total_errors, error_rate, error_ratio,
--   avg_duration_ms, slowest_api (by its average) and its slowest_duration_ms,
--   most_frequent_api and its most_frequent_count, total_cached,
--   total_attempts, total_retries, bytes_in, bytes_out
function _M.summary(client)
  local rows = core.metrics(client)
  local sum = {}
  for _, name in ipairs { "calls", "errors", "cached", "attempts", "retries", "bytes_in", "bytes_out", "total_ms" } do
    sum[name] = 0
    for _, row in ipairs(rows) do
      sum[name] = sum[name] + row[name]
    end
  end
  local slowest, slowest_ms = best(rows, average_ms)
  local frequent, frequent_count = best(rows, function(row)
    return row.calls
  end)
  return {
    total_api_calls = sum.calls,
    total_errors = sum.errors,
    error_rate = error_rate(sum.errors, sum.calls),
    error_ratio = ratio_of(sum.errors, sum.calls),
    avg_duration_ms = rounded(average_ms(sum)),
    slowest_api = slowest and slowest.name,
    slowest_duration_ms = slowest and rounded(slowest_ms),
    most_frequent_api = frequent and frequent.name,
    most_frequent_count = frequent_count,
    total_cached = sum.cached,
    total_attempts = sum.attempts,
    total_retries = sum.retries,
    bytes_in = sum.bytes_in,
    bytes_out = sum.bytes_out,
  }
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
local function text(client, pool, lang)
  local words = WORDS[lang]
  local stats, summary = _M.cache_stats(client), _M.summary(client)
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
-- @param transport the client's; its stats(), where it has them, tell of the pool
-- @param out a file (or a table with a method `write`), a function of one
--   string, or nil for standard output
-- @tparam table opts lang = "en" (default) or "zh"
-- @treturn boolean|nil true; or nil and an error of kind "argument"
function _M.print(client, transport, out, opts)
  local given = options.verify("print_stats", opts == nil and {} or opts, PRINT_OPTIONS)
  local pool = transport.stats and transport:stats()
  local printed = text(client, pool, given.lang or "en")
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
function _M.json(client)
  return cjson.encode {
    time = os.date "!%Y-%m-%dT%H:%M:%SZ",
    summary = _M.summary(client),
    apis = _M.all_metrics(client),
    cache = _M.cache_stats(client),
  }
end

--- Writes the text to the file: nil and a message where it can't.
local function write_file(path, written)
  local file, message = io.open(path, "w")
  if not file then
    return nil, message
  end
  local ok
  ok, message = file:write(written)
  if not ok then
    file:close()
    return nil, message
  end
  return file:close()
end

--- Writes the JSON to a file: whole or not at all.
-- @treturn boolean|nil true; or nil and an error of kind "argument"
function _M.export(client, path)
  if type(path) ~= "string" then
    errors.throw("export_metrics: a path expected, got " .. type(path))
  end
  local partial = format("%s.%d.%.6f", path, os.time(), core.time(client))
  local ok, message = write_file(partial, _M.json(client) .. "\n")
  if ok then
    ok, message = os.rename(partial, path)
  end
  if not ok then
    os.remove(partial)
    return unwritten("path", message)
  end
  return true
end

return _M

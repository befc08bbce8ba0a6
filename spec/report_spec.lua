local bed = require "support.bed"
local cjson = require "cjson"

-- A client whose counters are those of the seed's example, as far as one can.
local function example()
  local b = bed.new(function(request)
    return { status = 200, body = '{"code":0,"data":{"totalList":[],"total":0}}',
      takes_s = request.path:find "task" and 0.12845 or 0.025 }
  end)
  for _ = 1, 3 do
    b.client:get_projects()
  end
  b.client:get_task_instances "1"
  b.client:get_failed_workflow_instances "1"
  b.client:get_failed_workflow_instances "1"
  b.client:get_failed_workflow_instances "1"
  b.client:get_failed_workflow_instances "1"
  return b
end

local ZH = [[
============================================================
API 缓存统计:
  缓存大小: 1
  命中次数: 2
  未命中次数: 1
  命中率: 66.67%
============================================================
API 调用统计:
  总调用次数: 8
  总错误次数: 0
  错误率: 0%
  平均耗时: 42.24 ms
  最慢 API: get_task_instances (128.45 ms)
  最频繁 API: get_failed_workflow_instances (4 次)
============================================================
]]

local EN = [[
============================================================
API cache statistics:
  Cache size: 1
  Hits: 2
  Misses: 1
  Hit rate: 66.67%
============================================================
API call statistics:
  Total calls: 8
  Total errors: 0
  Error rate: 0%
  Average duration: 42.24 ms
  Slowest API: get_task_instances (128.45 ms)
  Most frequent API: get_failed_workflow_instances (4 calls)
============================================================
]]

describe("print_stats", function()
  local function printed(client, opts)
    local text
    client:print_stats(function(given)
      text = given
    end, opts)
    return text
  end

  it("is the seed's layout, byte for byte, in both languages", function()
    local b = example()
    assert.equal(EN, printed(b.client))
    assert.equal(ZH, printed(b.client, { lang = "zh" }))
  end)

  it("leaves out what there is not yet", function()
    local b = bed.new { bed.ok() }
    local text = printed(b.client)
    assert.is_nil(text:find "Slowest")
    assert.truthy(text:find("Hit rate: 0.00%%"))
    assert.truthy(text:find("Error rate: 0%%"))
  end)

  it("hints at a low hit rate and at many errors", function()
    local b = bed.new { bed.status(403) }
    for i = 1, 20 do
      b.client:get_process_definitions(tostring(i))
    end
    local text = printed(b.client)
    assert.truthy(text:find("Hint: few answers", 1, true))
    assert.truthy(text:find("Hint: many calls fail", 1, true))
    assert.truthy(printed(b.client, { lang = "zh" }):find("提示", 1, true))
  end)

  it("hints at a pool that was exhausted", function()
    local b = bed.new { bed.ok() }
    assert.is_nil(printed(b.client):find("Hint", 1, true))
    b.transport.stats = function()
      return { pool_maxsize = 20, running = 0, queued = 7 }
    end
    assert.truthy(printed(b.client):find(
      "Hint: 7 times a request had to wait for one of the 20 connections. Is pool_maxsize large enough?\n", 1, true))
    assert.truthy(printed(b.client, { lang = "zh" }):find("pool_maxsize", 1, true))
  end)

  it("goes to standard output, a file, an object that writes or a function", function()
    local b = bed.new { bed.ok() }
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    assert.is_true(b.client:print_stats(file))
    file:close()
    local text
    assert.is_true(b.client:print_stats { write = function(_, given)
      text = given
      return true
    end })
    assert.equal(printed(b.client), text)
    file = assert(io.open(path))
    assert.equal(text, file:read "*a")
    file:close()
    local real, default = io.stdout, io.tmpfile()
    io.stdout = default -- luacheck: ignore
    b.client:print_stats()
    io.stdout = real -- luacheck: ignore
    default:seek "set"
    assert.equal(text, default:read "*a")
    default:close()
    -- a file that can't be written to
    file = assert(io.open(path, "r"))
    local done, err = b.client:print_stats(file)
    assert.is_nil(done)
    assert.equal("argument", err.kind)
    assert.equal("out", err.argument)
    file:close()
    os.remove(path)
    for _, no_file in ipairs { file, "path", 7 } do
      local fine, message = pcall(function()
        b.client:print_stats(no_file)
      end)
      assert.is_false(fine)
      assert.truthy(message:find "report_spec.lua:%d+: print_stats: an open file or a function expected", message)
    end
  end)

  it("refuses another language, and options that are none", function()
    for _, options in ipairs { { lang = "fr" }, { lnag = "zh" }, "zh", false } do
      local fine, message = pcall(function()
        bed.new({ bed.ok() }).client:print_stats(nil, options)
      end)
      assert.is_false(fine)
      assert.truthy(message:find "report_spec.lua:%d+: print_stats: ", message)
    end
  end)
end)

describe("metrics", function()
  it("have the seed's names and roundings", function()
    local metrics = example().client:get_all_metrics()
    assert.equal(128.45, metrics.get_task_instances.max_duration_ms)
    local summary = example().client:get_metrics_summary()
    assert.equal(8, summary.total_api_calls)
    assert.equal("get_task_instances", summary.slowest_api)
    assert.equal("get_failed_workflow_instances", summary.most_frequent_api)
  end)

  it("tell error rates as 2.25%", function()
    local n = 0
    local b = bed.new(function()
      n = n + 1
      return n <= 9 and bed.status(403) or bed.ok '{"totalList":[],"total":0}'
    end)
    for _ = 1, 400 do
      b.client:get_workflow_instances "1"
    end
    assert.equal("2.25%", b.client:get_all_metrics().get_workflow_instances.error_rate)
    assert.near(0.0225, b.client:get_all_metrics().get_workflow_instances.error_ratio, 1e-9)
  end)

  it("go to a file as JSON, whole or not at all", function()
    local b = example()
    local path = os.tmpname()
    assert.is_true(b.client:export_metrics(path))
    local file = assert(io.open(path))
    local data = cjson.decode(file:read "*a")
    file:close()
    os.remove(path)
    assert.equal(8, data.summary.total_api_calls)
    assert.equal(2, data.cache.hits)
    assert.equal(4, data.apis.get_failed_workflow_instances.call_count)
    assert.equal(data.summary.total_api_calls, cjson.decode(b.client:metrics_json()).summary.total_api_calls)
    local fine, err = b.client:export_metrics "/nonexistent/folder/file"
    assert.is_nil(fine)
    assert.equal("argument", err.kind)
    assert.equal("path", err.argument)
    assert.truthy(tostring(err):find("No such file", 1, true))
    for _, no_path in ipairs { 3, {}, true } do
      assert.has_error(function()
        b.client:export_metrics(no_path)
      end)
    end
  end)

  it("go over an older file in one step, which a reader has open", function()
    local b = example()
    local path = os.tmpname()
    assert.is_true(b.client:export_metrics(path))
    local reader = assert(io.open(path))
    local before = reader:read "*a"
    b.client:get_task_instances "1"
    assert.is_true(b.client:export_metrics(path))
    reader:seek "set"
    assert.equal(before, reader:read "*a")
    reader:close()
    local pipe = io.popen("ls '" .. path .. "'*")
    assert.equal(path .. "\n", pipe:read "*a") -- nothing is left beside it
    pipe:close()
    os.remove(path)
  end)

  it("are written by a cjson that nobody else sets up", function()
    local shared = require "cjson"
    local b = example()
    local before = b.client:metrics_json()
    shared.encode_number_precision(3)
    local after = b.client:metrics_json()
    shared.encode_number_precision(14)
    assert.equal(cjson.decode(before).summary.avg_duration_ms, cjson.decode(after).summary.avg_duration_ms)
  end)

  it("are right to the last digit of each: counts, rates, times", function()
    local b = example()
    local summary = b.client:get_metrics_summary()
    assert.same({ 8, 0, "0%", 0, 42.24, "get_task_instances", 128.45, "get_failed_workflow_instances", 4, 2, 6, 0 }, {
      summary.total_api_calls, summary.total_errors, summary.error_rate, summary.error_ratio, summary.avg_duration_ms,
      summary.slowest_api, summary.slowest_duration_ms, summary.most_frequent_api, summary.most_frequent_count,
      summary.total_cached, summary.total_attempts, summary.total_retries,
    })
    local projects = b.client:get_all_metrics().get_projects
    assert.same({ 3, 0, "0%", 25, 25, 25, 2, 1, 0 }, {
      projects.call_count, projects.error_count, projects.error_rate, projects.avg_duration_ms,
      projects.min_duration_ms, projects.max_duration_ms, projects.cached_count, projects.attempts, projects.retries,
    })
    assert.same({ 1, 2, 1, "66.67%", 0, 0 }, (function(stats)
      return { stats.size, stats.hits, stats.misses, stats.hit_rate, stats.evictions, stats.expired }
    end)(b.client:get_cache_stats()))
    assert.near(2 / 3, b.client:get_cache_stats().hit_ratio, 1e-9)
  end)
end)

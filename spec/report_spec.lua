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

  it("refuses another language", function()
    assert.has_error(function()
      bed.new({ bed.ok() }).client:print_stats(nil, { lang = "fr" })
    end)
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
    local fine, message = b.client:export_metrics "/nonexistent/folder/file"
    assert.is_nil(fine)
    assert.is_string(message)
  end)
end)

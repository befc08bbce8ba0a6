--- What was asked for at the beginning, part by part, end to end; the specs of
-- the files prove the details.

local bed = require "support.bed"
local cjson = require "cjson"
local dsclient = require "dsclient"
local options = require "dsclient.options"
local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"

local function printed(client, lang)
  local text
  client:print_stats(function(given)
    text = given
  end, { lang = lang })
  return text
end

describe("origin, part 1, client:", function()
  it("has the seed's options and defaults", function()
    local defaults = options.check("spec", { api_url = "http://h", token = "t" }, options.CLIENT)
    for name, value in pairs { enable_cache = true, enable_metrics = true, max_retries = 3, pool_connections = 10,
      pool_maxsize = 20 } do
      assert.equal(value, defaults[name])
    end
  end)

  -- a check of one project, as the seed's monitor makes it
  local function check(client)
    local project = client:get_projects()[1]
    assert.equal(4, #client:get_process_definitions(project.code))
    assert.equal(4, #client:get_workflow_instances(project.code))
    return project.code, client:get_failed_workflow_instances(project.code)
  end

  for name, off in pairs {
    ["nothing"] = {}, ["the cache"] = { enable_cache = false }, ["the metrics"] = { enable_metrics = false },
    ["retries"] = { max_retries = 0 },
    ["all of it"] = { enable_cache = false, enable_metrics = false, max_retries = 0 },
  } do
    it("works with " .. name .. " switched off, over HTTP", function()
      local box = sandbox.start { projects = 1, workflows = 4, kinds = { "broken" }, duration_s = 0 }
      local given = { api_url = box.url, token = box.token }
      for option, value in pairs(off) do
        given[option] = value
      end
      local client = dsclient.new(given)
      local project, failed
      for _ = 1, 500 do
        project, failed = check(client)
        if #failed == 4 then
          break
        end
      end
      local tasks = client:get_task_instances(project, { instance_id = failed[4].id, state = "FAILURE" })
      assert.equal(1, #tasks)
      assert.is_true(client:execute_failure_recovery(project, failed[4].id))
      local requests = box:requests()
      local before = requests.operations["projects.list"]
      check(client)
      local after = box:requests().operations["projects.list"]
      assert.equal(before + (off.enable_cache == false and 1 or 0), after)
      assert.equal(off.enable_metrics == false, client:get_metrics_summary().total_api_calls == 0)
      -- connections are used again, but for what must not be sent twice
      assert.is_true(requests.connections <= 2)
      client:close()
      box:stop()
    end)
  end
end)

describe("origin, part 2, cache:", function()
  it("keeps projects and definitions for 1 h, live data and actions never", function()
    local box = sandbox.new { projects = 2, workflows = 3, kinds = { "broken" } }
    local client = box:client { server_version = "3.1.1" }
    box:sleep(30)
    local run = client:get_failed_workflow_instances("demo-1")[1]
    local function count(operation)
      return box:requests().operations[operation] or 0
    end
    local live, tasks, executes = count "instances.list", count "task_instances.list", count "instances.execute"
    for _ = 1, 3 do
      client:get_projects()
      client:get_process_definitions "demo-1"
      client:get_workflow_instances "demo-1"
      client:get_failed_workflow_instances "demo-1"
      client:get_task_instances "demo-1"
      assert(client:execute_failure_recovery("demo-1", run.id))
      box:sleep(60)
    end
    assert.same({ 1, 1, live + 6, tasks + 3, executes + 3 }, { count "projects.list", count "workflows.list",
      count "instances.list", count "task_instances.list", count "instances.execute" })
    box:sleep(3600)
    client:get_projects()
    client:get_process_definitions "demo-1"
    assert.same({ 2, 2 }, { count "projects.list", count "workflows.list" })
  end)

  it("caches any function, and is managed by three calls", function()
    local client = bed.new({ bed.ok() }).client
    local runs = 0
    local slow = client:cached(function(n)
      runs = runs + 1
      return n * 2
    end, { ttl_s = 60, key_prefix = "double" })
    for _ = 1, 10 do
      assert.equal(4, slow(2))
      assert.equal(6, slow(3))
      assert.equal(8, slow(4))
    end
    assert.equal(3, runs)
    local stats = client:get_cache_stats()
    assert.same({ 3, 27, 3, "90.00%" }, { stats.size, stats.hits, stats.misses, stats.hit_rate })
    assert.equal(0, client:clean_expired())
    assert.equal(3, client:clear_cache())
    assert.equal(0, client:get_cache_stats().size)
  end)

  it("tells how many entries had expired", function()
    local b = bed.new { bed.ok() }
    local slow = b.client:cached(tostring, { ttl_s = 60 })
    slow(1)
    slow(2)
    b.advance(61)
    slow(3)
    assert.equal(2, b.client:clean_expired())
    assert.equal(1, b.client:get_cache_stats().size)
  end)
end)

describe("origin, part 3, pool:", function()
  it("takes both sizes, and one connection serves call after call", function()
    local box = sandbox.start { projects = 1 }
    for _, sizes in ipairs { {}, { 5, 10 }, { 20, 50 } } do
      local before = box:requests().connections
      local client = dsclient.new { api_url = box.url, token = box.token, enable_cache = false,
        pool_connections = sizes[1], pool_maxsize = sizes[2] }
      for _ = 1, 20 do
        assert(client:get_projects())
      end
      assert.equal(before + 1, box:requests().connections)
      client:close()
    end
    box:stop()
  end)
end)

describe("origin, part 4, retry:", function()
  it("waits 0.5, 1, 2 s, and gives up after three", function()
    for _, status in ipairs { 429, 500, 502, 503, 504 } do
      local limited = status == 429
      local answer = bed.status(status)
      local last = limited and bed.status(500) or answer
      local b = bed.new({ answer, answer, answer, last }, { jitter = "none", max_retries = 3 })
      local rows, err = b.client:get_workflow_instances "1"
      assert.is_nil(rows)
      assert.equal("server", err.kind)
      assert.same({ 0.5, 1, 2 }, { b.slept[1], b.slept[2], b.slept[3] })
      -- a refused request was not executed: it uses up no retry
      assert.equal(limited and 7 or 4, #b.requests)
    end
  end)

  it("has the presets for stable and for poor networks", function()
    for _, preset in ipairs { { 2, 0.3, { 0.3, 0.6 } }, { 5, 1.0, { 1, 2, 4, 8, 16 } } } do
      local b = bed.new({ bed.status(502) }, { jitter = "none", max_retries = preset[1], backoff_s = preset[2] })
      assert.is_nil(b.client:get_workflow_instances "1")
      assert.same(preset[3], b.slept)
    end
  end)

  it("gets a check through a network that loses answers", function()
    local box = sandbox.new { projects = 3, seed = 5 }
    local client = box:client { enable_cache = false }
    for _, fault in ipairs { "status_502", "reset_before", "reset_after", "status_503", "cut" } do
      box:fault { fault = fault, rate = 0.05 }
    end
    local failed = 0
    for _ = 1, 200 do
      failed = failed + (client:get_projects() and 0 or 1)
    end
    assert.is_true(failed <= 2, failed .. " of 200 calls failed")
    assert.is_true(client:get_metrics_summary().total_retries > 10)
  end)
end)

describe("origin, part 5, metrics:", function()
  it("measures any function and each API, as numbers and as the seed's strings", function()
    local b = bed.new(function(_, number)
      local answer = number % 4 == 0 and bed.status(403) or bed.ok '{"totalList":[],"total":0}'
      answer.takes_s = number * 0.0101
      return answer
    end)
    local job = b.client:monitored(function()
      b.advance(0.06789)
    end, "job")
    job()
    for _ = 1, 4 do
      b.client:get_workflow_instances "1"
    end
    local metrics = b.client:get_all_metrics()
    assert.same({ 1, 0, "0%", 67.89, 67.89, 67.89 }, { metrics.job.call_count, metrics.job.error_count,
      metrics.job.error_rate, metrics.job.avg_duration_ms, metrics.job.min_duration_ms, metrics.job.max_duration_ms })
    local list = metrics.get_workflow_instances
    assert.same({ 4, 1, "25.00%", 25.25, 10.1, 40.4 }, { list.call_count, list.error_count, list.error_rate,
      list.avg_duration_ms, list.min_duration_ms, list.max_duration_ms })
    local summary = b.client:get_metrics_summary()
    assert.same({ 5, 1, "20.00%", 33.78, "job", "get_workflow_instances" }, { summary.total_api_calls,
      summary.total_errors, summary.error_rate, summary.avg_duration_ms, summary.slowest_api,
      summary.most_frequent_api })
  end)

  it("goes to a file as JSON", function()
    local b = bed.new { bed.ok '{"totalList":[],"total":0}' }
    b.client:get_projects()
    local path = os.tmpname()
    assert.is_true(b.client:export_metrics(path))
    local file = assert(io.open(path))
    local data = cjson.decode(file:read "*a")
    file:close()
    os.remove(path)
    assert.equal(1, data.apis.get_projects.call_count)
    assert.equal(1, data.summary.total_api_calls)
    assert.equal("0.00%", data.cache.hit_rate)
  end)
end)

-- The seed's own example: its 156 calls, to the last digit.
local function example()
  local took_ms = { get_workflow_instances = 128.45, get_failed_workflow_instances = 20, get_task_instances = 0 }
  local calls = { get_workflow_instances = 30, get_failed_workflow_instances = 89, get_task_instances = 37 }
  local sum_ms = 45.32 * 156
  took_ms.get_task_instances = (sum_ms - 30 * 128.45 - 89 * 20) / 37
  local name, failing
  local b = bed.new(function()
    local answer = failing and bed.status(403) or bed.ok '{"totalList":[],"total":0}'
    answer.takes_s = took_ms[name] / 1000
    return answer
  end)
  for api, count in pairs(calls) do
    name = api
    for i = 1, count do
      failing = api == "get_task_instances" and i <= 2
      b.client[api](b.client, "1")
    end
  end
  local cached = b.client:cached(tostring, { ttl_s = 100 })
  for i = 1, 5 do
    cached(i % 2)
    b.advance(i < 4 and 101 or 0)
  end
  for i = 1, 145 do
    cached(i % 2)
  end
  b.client:clean_expired()
  return b.client
end

describe("origin, part 6, report:", function()
  it("is the original layout byte for byte, and the same in English by default", function()
    local client = example()
    assert.equal([[
============================================================
API 缓存统计:
  缓存大小: 2
  命中次数: 145
  未命中次数: 5
  命中率: 96.67%
============================================================
API 调用统计:
  总调用次数: 156
  总错误次数: 2
  错误率: 1.28%
  平均耗时: 45.32 ms
  最慢 API: get_workflow_instances (128.45 ms)
  最频繁 API: get_failed_workflow_instances (89 次)
============================================================
]], printed(client, "zh"))
    assert.equal([[
============================================================
API cache statistics:
  Cache size: 2
  Hits: 145
  Misses: 5
  Hit rate: 96.67%
============================================================
API call statistics:
  Total calls: 156
  Total errors: 2
  Error rate: 1.28%
  Average duration: 45.32 ms
  Slowest API: get_workflow_instances (128.45 ms)
  Most frequent API: get_failed_workflow_instances (89 calls)
============================================================
]], printed(client))
  end)
end)

describe("origin, part 7, monitor:", function()
  after_each(watches.clean)

  it("checks projects every interval, recovers what failed, once, and reports", function()
    local box = sandbox.new { projects = 3, workflows = 10, kinds = { "good", "flaky" } }
    local watch = assert(watches.box(box, { interval_s = 60, recover = { "*/*" } }))
    watch:run(600)
    for _, run in ipairs(box:runs()) do
      assert.equal("SUCCESS", run.state)
      assert.equal(run.kind == "flaky" and 1 or nil, box:executed()[tostring(run.id)])
    end
    assert.equal(15, #watch:of "recovered")
    local client = watch.client
    assert.truthy(printed(client):find("API call statistics:", 1, true))
    assert.equal(0, client:get_metrics_summary().total_errors)
    watch:close()
  end)
end)

describe("origin, part 8, troubleshooting:", function()
  it("a low hit rate, a high failure rate and an exhausted pool are told in the report", function()
    local b = bed.new { bed.status(403) }
    for i = 1, 20 do
      b.client:get_process_definitions(tostring(i))
    end
    b.transport.stats = function()
      return { pool_maxsize = 2, running = 0, queued = 3 }
    end
    for lang, words in pairs { en = { "few answers come from the cache", "many calls fail", "had to wait for one" },
      zh = { "缓存命中率低", "失败的调用很多", "等待过空闲连接" } } do
      for _, word in ipairs(words) do
        assert.truthy(printed(b.client, lang):find(word, 1, true), word)
      end
    end
    assert.is_nil(printed(example()):find("Hint", 1, true))
  end)

  it("the pool of libcurl tells that it is exhausted", function()
    local curl = require "dsclient.curl"
    local box = sandbox.start { projects = 1, delay_s = 0.05 }
    local transport = curl.new { pool_maxsize = 1 }
    local client = dsclient.new { api_url = box.url, token = box.token, transport = transport,
      runtime = { sleep = curl.sleep } }
    local other = transport:start({ url = box.url .. "/projects?pageNo=1&pageSize=1" }, curl.now() + 10)
    assert(client:get_projects())
    assert.equal(401, assert(other:wait()).status)
    assert.truthy(printed(client):find("Hint: 1 times a request had to wait for one of the 1 ", 1, true))
    client:close()
    box:stop()
  end)
end)

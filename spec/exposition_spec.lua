local bed = require "support.bed"
local core = require "dsclient.core"
local counters = require "support.counters"
local dsclient = require "dsclient"
local prometheus = require "support.prometheus"

local SEED = tonumber(os.getenv "DSCLIENT_SEED") or 1
local FORMATS = { "prometheus", "openmetrics" }

-- A client to which some of everything happened.
local function example()
  local b = bed.new(function(_, n)
    if n == 2 then
      return bed.status(503)
    end
    return { status = 200, body = '{"code":0,"data":{"totalList":[],"total":0}}', takes_s = 0.02 }
  end, { jitter = "none" })
  b.client:get_projects()
  b.client:get_projects()
  b.client:get_task_instances "1"
  return b
end

local PROMETHEUS = [[
# TYPE dsclient_calls_total counter
# HELP dsclient_calls_total Calls by how they ended: ok, cached, stale, or the kind of the error.
dsclient_calls_total{operation="get_projects",outcome="ok"} 1
dsclient_calls_total{operation="get_projects",outcome="cached"} 1
dsclient_calls_total{operation="get_task_instances",outcome="ok"} 1
# TYPE dsclient_call_duration_seconds histogram
# HELP dsclient_call_duration_seconds Time of calls that asked the server, with all waits and repeats.
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.005"} 0
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.01"} 0
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.025"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.05"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.075"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.1"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.25"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.5"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="0.75"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="1.0"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="2.5"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="5.0"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="7.5"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="10.0"} 1
dsclient_call_duration_seconds_bucket{operation="get_projects",le="+Inf"} 1
dsclient_call_duration_seconds_sum{operation="get_projects"} 0.020000
dsclient_call_duration_seconds_count{operation="get_projects"} 1
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.005"} 0
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.01"} 0
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.025"} 0
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.05"} 0
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.075"} 0
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.1"} 0
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.25"} 0
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.5"} 0
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="0.75"} 1
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="1.0"} 1
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="2.5"} 1
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="5.0"} 1
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="7.5"} 1
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="10.0"} 1
dsclient_call_duration_seconds_bucket{operation="get_task_instances",le="+Inf"} 1
dsclient_call_duration_seconds_sum{operation="get_task_instances"} 0.520000
dsclient_call_duration_seconds_count{operation="get_task_instances"} 1
# TYPE dsclient_attempts_total counter
# HELP dsclient_attempts_total Requests, sent or not, by what came of them.
dsclient_attempts_total{operation="get_projects",result="ok"} 1
dsclient_attempts_total{operation="get_task_instances",result="ok"} 1
dsclient_attempts_total{operation="get_task_instances",result="server"} 1
# TYPE dsclient_cache_requests_total counter
# HELP dsclient_cache_requests_total Look-ups in the cache: hit, miss, or stale, after a miss.
dsclient_cache_requests_total{operation="get_projects",result="hit"} 1
dsclient_cache_requests_total{operation="get_projects",result="miss"} 1
# TYPE dsclient_received_bytes_total counter
# HELP dsclient_received_bytes_total Bytes of answers as they came, heads included.
dsclient_received_bytes_total{operation="get_projects"} 44
dsclient_received_bytes_total{operation="get_task_instances"} 44
# TYPE dsclient_sent_bytes_total counter
# HELP dsclient_sent_bytes_total Bytes of requests as they went, heads included.
dsclient_sent_bytes_total{operation="get_projects"} 100
dsclient_sent_bytes_total{operation="get_task_instances"} 200
# TYPE dsclient_retries_total counter
# HELP dsclient_retries_total Repeated requests, by the failure that made them needed.
dsclient_retries_total{reason="server"} 1
# TYPE dsclient_cache_bytes gauge
# HELP dsclient_cache_bytes What the cache holds: keys, values and objects.
dsclient_cache_bytes 24
# TYPE dsclient_cache_entries gauge
# HELP dsclient_cache_entries Entries of the cache.
dsclient_cache_entries 1
# TYPE dsclient_connections gauge
# HELP dsclient_connections Connections in use and idle, and calls that wait for one.
dsclient_connections{state="active"} 0
dsclient_connections{state="waiting"} 0
# TYPE dsclient_connections_max gauge
# HELP dsclient_connections_max So many connections may be in use: pool_maxsize.
dsclient_connections_max 20
# TYPE dsclient_breaker_state gauge
# HELP dsclient_breaker_state Servers whose circuit breaker is in this state.
dsclient_breaker_state{state="closed"} 1
dsclient_breaker_state{state="open"} 0
dsclient_breaker_state{state="half-open"} 0
# TYPE dsclient_retry_tokens gauge
# HELP dsclient_retry_tokens What is left to pay repeats with, of 500.
dsclient_retry_tokens 500
# TYPE dsclient_build_info gauge
# HELP dsclient_build_info The program that tells this.
]]

-- The same as OpenMetrics 1.0 has it: heads name the family, not its samples.
local OPENMETRICS = PROMETHEUS:gsub("(# %u+ dsclient_[%a_]-)_total ", "%1 ")
  :gsub("(# %u+ dsclient_build)_info ", "%1 ")
  :gsub("# TYPE dsclient_build gauge", "# TYPE dsclient_build info")
  :gsub("(# TYPE (dsclient_[%a_]*_(%a+)) %a+\n)", function(head, name, unit)
    return (unit == "seconds" or unit == "bytes") and head .. "# UNIT " .. name .. " " .. unit .. "\n" or head
  end)

local function build_info()
  return ('dsclient_build_info{version="%s",lua="%s"} 1\n'):format(dsclient._VERSION, jit and jit.version or _VERSION)
end

-- The samples that a parser found: name and labels → value.
local function by_series(samples)
  local found = {}
  for _, sample in ipairs(samples) do
    local labels = {}
    for name, value in pairs(sample.labels) do
      if name ~= "__name__" then
        labels[#labels + 1] = name .. "=" .. value
      end
    end
    table.sort(labels)
    found[(sample.labels.__name__ or sample.name) .. "{" .. table.concat(labels, ",") .. "}"] = sample.value
  end
  return found
end

local function size(set)
  local count = 0
  for _ in pairs(set) do
    count = count + 1
  end
  return count
end

local function all_samples(families)
  local samples = {}
  for _, family in ipairs(families) do
    for _, sample in ipairs(family.samples) do
      samples[#samples + 1] = sample
    end
  end
  return samples
end

-- All that reads metrics reads this client's, and in it all samples once.
local function read_everywhere(client)
  local text = assert(client:metrics_text "openmetrics")
  local count = prometheus.samples_of(text)
  assert.same({ "", 0 }, { prometheus.check(assert(client:metrics_text())) })
  local families, problem = prometheus.read(text)
  assert.is_nil(problem)
  local stored = by_series(prometheus.store(text))
  local read = by_series(all_samples(families))
  assert.equal(count, size(stored))
  assert.equal(count, size(read))
  return families, read, stored
end

describe("metrics_text", function()
  it("is what Prometheus reads, to the byte", function()
    local client = example().client
    assert.equal(PROMETHEUS .. build_info(), client:metrics_text())
    assert.equal(PROMETHEUS .. build_info(), client:metrics_text "prometheus")
  end)

  it("is OpenMetrics 1.0, to the byte", function()
    assert.equal(OPENMETRICS .. build_info() .. "# EOF\n", example().client:metrics_text "openmetrics")
  end)

  it("leaves nothing to say to promtool, nor to two parsers, which find the same", function()
    local families, read, stored = read_everywhere(example().client)
    assert.same(stored, read)
    assert.equal(1, read["dsclient_calls_total{operation=get_projects,outcome=cached}"])
    assert.equal(0.52, read["dsclient_call_duration_seconds_sum{operation=get_task_instances}"])
    local types = {}
    for _, family in ipairs(families) do
      types[family.name] = family.type .. " " .. family.unit
      assert.truthy(family.help:find "^%u.*%.$", family.name)
    end
    assert.same({
      dsclient_calls = "counter ", dsclient_call_duration_seconds = "histogram seconds",
      dsclient_attempts = "counter ", dsclient_cache_requests = "counter ",
      dsclient_received_bytes = "counter bytes", dsclient_sent_bytes = "counter bytes", dsclient_retries = "counter ",
      dsclient_cache_bytes = "gauge bytes", dsclient_cache_entries = "gauge ", dsclient_breaker_state = "gauge ",
      dsclient_connections = "gauge ", dsclient_connections_max = "gauge ", dsclient_retry_tokens = "gauge ",
      dsclient_build = "info ",
    }, types)
  end)

  it("would not pass unseen where it were wrong", function()
    local output, status = prometheus.check((PROMETHEUS:gsub("_total", "_sum")))
    assert.is_true(output ~= "" and status ~= 0)
    local text = OPENMETRICS .. build_info() .. "# EOF\n"
    assert.is_nil((prometheus.read((text:gsub("# EOF\n", "")))))
    assert.is_nil((prometheus.read((text:gsub("# UNIT dsclient_sent_bytes bytes", "# UNIT dsclient_sent_bytes b")))))
    assert.has_error(function()
      prometheus.store((text:gsub('"ok"', "ok")))
    end)
  end)

  it("begins with how the client stands, where nothing happened yet", function()
    for _, form in ipairs(FORMATS) do
      local text = bed.new({ bed.ok() }).client:metrics_text(form)
      assert.equal("# TYPE dsclient_cache_bytes gauge", text:match "^[^\n]+")
      assert.equal(10, prometheus.samples_of(text))
    end
    assert.is_nil(bed.new({ bed.ok() }, { enable_cache = false }).client:metrics_text():find("cache", 1, true))
    read_everywhere(bed.new({ bed.ok() }).client)
  end)

  it("is the same whatever came first", function()
    local names = { "beta", "alpha", "alphabet", "Ä", "alp", "~", "!" }
    local texts = {}
    for round = 1, 2 do
      local client = counters.client()
      for i = 1, #names do
        counters.record(client, names[round == 1 and i or #names + 1 - i], { 1000 })
      end
      texts[round] = core.metrics_text(client, "prometheus", {}, "1", "Lua")
    end
    assert.equal(texts[1], texts[2])
    local order = {}
    for name in texts[1]:gmatch 'calls_total{operation="([^"]+)"' do
      order[#order + 1] = name
    end
    table.sort(names)
    assert.same(names, order)
  end)

  it("counts up to each bound exactly", function()
    local client = counters.client()
    counters.record(client, "job", { 4999, 5000, 5001, 10000, 99999, 100000, 100001, 10000000, 10000001, 86400e6 })
    local text = core.metrics_text(client, "prometheus", {}, "1", "Lua")
    local counts = {}
    for le, count in text:gmatch 'le="([^"]+)"} (%d+)' do
      counts[le] = tonumber(count)
    end
    assert.same({
      ["0.005"] = 2, ["0.01"] = 4, ["0.025"] = 4, ["0.05"] = 4, ["0.075"] = 4, ["0.1"] = 6, ["0.25"] = 7, ["0.5"] = 7,
      ["0.75"] = 7, ["1.0"] = 7, ["2.5"] = 7, ["5.0"] = 7, ["7.5"] = 7, ["10.0"] = 8, ["+Inf"] = 10,
    }, counts)
    assert.truthy(text:find('seconds_sum{operation="job"} 86420.325001\n', 1, true))
    assert.truthy(text:find('seconds_count{operation="job"} 10\n', 1, true))
  end)

  it("tells large counts to the last digit", function()
    local most = { version = 1, operations = { { name = "job", calls = { ok = 2 ^ 53 }, bytes_in = 2 ^ 53 - 1 } } }
    local text = dsclient.metrics_text(most)
    assert.truthy(text:find('{operation="job",outcome="ok"} 9007199254740992\n', 1, true))
    assert.truthy(text:find('bytes_total{operation="job"} 9007199254740991\n', 1, true))
  end)

  it("refuses another format where it is called", function()
    for _, form in ipairs { "json", "Prometheus", "", 7, false, {} } do
      local fine, message = pcall(function()
        example().client:metrics_text(form)
      end)
      assert.is_false(fine)
      assert.truthy(message:find 'exposition_spec.lua:%d+: metrics_text: "prometheus" or "openmetrics" expected')
      assert.has_error(function()
        dsclient.metrics_text({ version = 1, operations = {} }, form)
      end)
    end
  end)

  it("that gets too large is an error, not half a text", function()
    local kinds = {
      "ok", "connect", "tls", "dns", "network", "timeout", "protocol", "auth", "throttled", "server", "http", "api",
      "deadline", "cancelled", "limit",
    }
    local snapshot = { version = 1, operations = {} }
    for i = 1, 4096 do
      local calls = {}
      for n, kind in ipairs(kinds) do
        calls[kind] = n
      end
      local name = ("\255"):rep(124) .. ("%04d"):format(i)
      snapshot.operations[i] = { name = name, calls = calls, attempts = calls, retries = calls }
    end
    local sum = core.sum(snapshot)
    local text, message = core.metrics_text(sum, "prometheus", {}, "1", "Lua")
    assert.is_true(text == nil)
    assert.equal("the text gets too large", message)
    local err
    text, err = dsclient.metrics_text(snapshot)
    assert.is_true(text == nil)
    assert.equal("limit: metrics_text: the text gets too large", tostring(err))
  end)
end)

describe("names of users' functions in metrics_text", function()
  local function client_of(names)
    local client = bed.new({ bed.ok() }).client
    for _, name in ipairs(names) do
      client:monitored(function()
        return true
      end, name)()
    end
    return client
  end

  local function operations_of(families)
    local names = {}
    for _, family in ipairs(families) do
      if family.name == "dsclient_calls" then
        for i, sample in ipairs(family.samples) do
          names[i] = sample.labels.operation
        end
      end
    end
    table.sort(names)
    return names
  end

  it("are read as they were given, where they are text", function()
    local names = {
      "plain", "two words", 'a "quoted" one', "back\\slash", "\\", "\\\\", "two\nlines", "\\n", '"', "{}", 'a="b",c',
      "#", "任务", "é", "\240\159\152\128", "# EOF", "}", "\194\133", "a\226\128\168b", "dsclient_calls_total",
    }
    local families = read_everywhere(client_of(names))
    table.sort(names)
    assert.same(names, operations_of(families))
  end)

  it("stay names of their own, where they hold any byte", function()
    local names = {}
    for byte = 0, 255 do
      names[#names + 1] = string.char(byte)
      names[#names + 1] = "a" .. string.char(byte) .. "b"
    end
    -- U+FFFD, as what stands for other bytes begins; broken and overlong UTF-8
    for _, name in ipairs { "\239\191\189", "\239\191\189ff", "\239\191\189\239\191\189", "\195\195\169",
      "\192\128", "\237\160\128", "\244\144\128\128", "\240\159\152", "\0\0", "\13\10" } do
      names[#names + 1] = name
    end
    local families = read_everywhere(client_of(names))
    local told = operations_of(families)
    assert.equal(#names, #told)
    for i, name in ipairs(told) do
      assert.is_nil(name:find "[%z\1-\9\11-\31\127]", name)
      assert.is_true(i == 1 or name ~= told[i - 1], name)
    end
  end)

  it("stay names of their own, where they are random bytes", function()
    local chance = counters.chance(SEED)
    local names, seen = {}, {}
    -- those that escaping is about, and parts of U+FFFD and of what follows it
    local bytes = { "\\", '"', "\n", "n", "\239", "\191", "\189", "\195", "\169", "f", "0", "\255", "\0", "{" }
    while #names < 300 do
      local name = {}
      for i = 1, 1 + math.floor(chance() * 7) do
        name[i] = bytes[1 + math.floor(chance() * #bytes)]
      end
      name = table.concat(name)
      if not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
    local families = read_everywhere(client_of(names))
    assert.equal(#names, #operations_of(families))
  end)

  it("may be as long as names are", function()
    local long = ("\255"):rep(128)
    local families = read_everywhere(client_of { long, ("ä"):rep(64) })
    assert.same({ ("ä"):rep(64), ("\239\191\189ff"):rep(128) }, operations_of(families))
  end)
end)

describe("the gauges of metrics_text", function()
  local ALL = {
    cache_bytes = 1, cache_entries = 2, connections_active = 3, connections_idle = 4, connections_waiting = 5,
    connections_max = 6, breakers_closed = 7, breakers_open = 8, breakers_half_open = 9, retry_tokens = 10,
  }
  local SERIES = {
    ["dsclient_cache_bytes{}"] = 1, ["dsclient_cache_entries{}"] = 2, ["dsclient_connections{state=active}"] = 3,
    ["dsclient_connections{state=idle}"] = 4, ["dsclient_connections{state=waiting}"] = 5,
    ["dsclient_connections_max{}"] = 6, ["dsclient_breaker_state{state=closed}"] = 7,
    ["dsclient_breaker_state{state=open}"] = 8, ["dsclient_breaker_state{state=half-open}"] = 9,
    ["dsclient_retry_tokens{}"] = 10, ["dsclient_build_info{lua=Lua,version=1}"] = 1,
  }

  it("are there where they are known", function()
    local nothing = core.sum()
    local text = core.metrics_text(nothing, "openmetrics", ALL, "1", "Lua")
    assert.same(SERIES, by_series(prometheus.store(text)))
    assert.same(SERIES, by_series(all_samples(assert(prometheus.read(text)))))
    assert.same({ "", 0 }, { prometheus.check(core.metrics_text(nothing, "prometheus", ALL, "1", "Lua")) })
  end)

  it("and all other families are told of in docs/metrics.md", function()
    local file = assert(io.open "docs/metrics.md")
    local documented = file:read "*a"
    file:close()
    local families = 0
    for name in (PROMETHEUS .. core.metrics_text(core.sum(), "prometheus", ALL, "1", "Lua")):gmatch "# TYPE (%S+)" do
      assert.truthy(documented:find("`" .. name .. "`", 1, true), name)
      assert.truthy(name:find "^dsclient_", name) -- the monitor's begin with dsmonitor_
      families = families + 1
    end
    assert.is_true(families >= 13)
  end)

  it("are left out where they are not: no number, or none of a count", function()
    for _, value in ipairs { -1, 0 / 0, 1 / 0, 2 ^ 60, "7", true, {} } do
      local text = core.metrics_text(core.sum(), "prometheus", { retry_tokens = value }, "1", "Lua")
      assert.equal(1, prometheus.samples_of(text), tostring(value))
    end
  end)

  it("tell of the connections what is known of them", function()
    local b = bed.new { bed.ok() }
    local stored = by_series(prometheus.store(b.client:metrics_text "openmetrics"))
    assert.equal(0, stored["dsclient_connections{state=active}"])
    assert.equal(20, stored["dsclient_connections_max{}"])
    assert.is_nil(stored["dsclient_connections{state=idle}"])
    b.transport.stats = function()
      return { open = 7 }
    end
    stored = by_series(prometheus.store(b.client:metrics_text "openmetrics"))
    assert.equal(7, stored["dsclient_connections{state=idle}"])
  end)

  it("tell of each server's breaker", function()
    local urls = { "http://127.0.0.1:1", "http://127.0.0.1:2" }
    local text = bed.new({ bed.ok() }, { api_urls = urls }).client:metrics_text()
    assert.truthy(text:find('dsclient_breaker_state{state="closed"} 2\n', 1, true))
  end)
end)

local bed = require "support.bed"
local core = require "dsclient.core"
local counters = require "support.counters"
local errors = require "dsclient.errors"
local finaliser = require "support.finaliser"

local register = counters.register

local SEED = tonumber(os.getenv "DSCLIENT_SEED") or 1

describe("core.register", function()
  it("gives an operation one number, however often it is registered", function()
    local client = counters.client()
    local one, two = register(client, "one"), register(client, "two")
    assert.not_equal(one, two)
    assert.equal(one, register(client, "one"))
    assert.not_equal(one, register(client, "one", { replay = "once" }))
    assert.not_equal(one, register(client, "one", { already = { 10126 } }))
    assert.equal(register(client, "one", { already = { 1, 2 } }), register(client, "one", { already = { 1, 2 } }))
  end)

  it("keeps counters by name", function()
    local client = counters.client()
    core.record(client, register(client, "job"), "ok", 0.25)
    core.record(client, register(client, "job", { replay = "once" }), "api", 0.75)
    local rows = core.metrics(client)
    assert.equal(1, #rows)
    assert.same({ "job", 2, 1, 1000, 250, 750 },
      { rows[1].name, rows[1].calls, rows[1].errors, rows[1].total_ms, rows[1].min_ms, rows[1].max_ms })
    core.reset_metrics(client)
    assert.same({}, (core.metrics(client)))
    core.record(client, register(client, "job"), "ok", 0.5)
    assert.equal(500, core.metrics(client)[1].min_ms)
  end)

  it("refuses a name that is no name, and a number that is none", function()
    local client = counters.client()
    for _, name in ipairs { "", ("x"):rep(129) } do
      assert.has_error(function()
        register(client, name)
      end)
    end
    for _, number in ipairs { -1, 0, 1, 2 ^ 40 } do
      assert.has_error(function()
        core.record(client, number, "ok", 1)
      end)
      assert.has_error(function()
        core.call(client, number)
      end)
    end
  end)

  it("is of no consequence for a client that is closed", function()
    local client = counters.client()
    core.release(client)
    core.record(client, register(client, "job"), "ok", 1)
    assert.same({}, (core.metrics(client)))
    assert.same({ "fail", "closed" }, { select(2, core.call(client, register(client, "job"))) })
  end)

  it("finds each of many names again; those beyond 4095 are one", function()
    local client, names = counters.client(), {}
    local chance = counters.chance(3)
    for i = 1, 4095 do
      names[i] = ("%d.%d"):format(math.floor(chance() * 1e6), i)
      counters.record(client, names[i], { i })
    end
    counters.record(client, "one too many", { 1, 1 })
    counters.record(client, "another", { 1 })
    names[#names + 1] = "(other)"
    for i, name in ipairs(names) do
      counters.record(client, name, { i })
    end
    table.sort(names)
    local rows = core.metrics(client)
    assert.equal(4096, #rows)
    for i, row in ipairs(rows) do
      assert.equal(names[i], row.name)
      assert.equal(row.name == "(other)" and 4 or 2, row.calls)
    end
  end)
end)

describe("core.record", function()
  it("counts under how it ended: each kind of error, and one that is none of ours", function()
    local client = counters.client()
    for _, kind in ipairs { "ok", "ok", "api", "network", "outcome_unknown", "ambiguous", "error" } do
      core.record(client, register(client, "job"), kind, 1)
    end
    local row = core.metrics(client)[1]
    assert.same({ ok = 2, api = 1, network = 1, outcome_unknown = 1, ambiguous = 1, error = 1 }, row.outcomes)
    assert.same({ 7, 5, 7 }, { row.calls, row.errors, row.timed })
  end)

  it("refuses what is no end of a call", function()
    local client = counters.client()
    for _, kind in ipairs { "", "cached", "OK", "nonsense" } do
      assert.has_error(function()
        core.record(client, register(client, "job"), kind, 1)
      end)
    end
  end)

  it("counts nothing where metrics are off", function()
    local client = counters.client { enable_metrics = false }
    counters.record(client, "job", { 1 })
    assert.same({}, (core.metrics(client)))
  end)
end)

describe("the metrics of a client", function()
  local PAGE = bed.PAGE
  local PLAIN = { jitter = "none" }

  local function metrics_of(script, options, act)
    local b = bed.new(script, options or PLAIN)
    act(b.client, b)
    return b.client:get_all_metrics(), b.client:get_metrics_summary(), b
  end

  it("tell outcomes, results of attempts and reasons of repeats apart", function()
    local script = { bed.failure("network", "sent"), bed.status(503), PAGE, bed.status(403), bed.status(429), PAGE }
    local all, sum = metrics_of(script, nil, function(client)
      assert(client:get_workflow_instances "1") -- broken, 503, good
      client:get_workflow_instances "1" -- 403
      assert(client:get_workflow_instances "1") -- 429, good
    end)
    local job = all.get_workflow_instances
    assert.same({ ok = 2, http = 1 }, job.outcomes)
    assert.same({ ok = 2, network = 1, server = 1, http = 1, throttled = 1 }, job.attempt_results)
    assert.same({ network = 1, server = 1, throttled = 1 }, job.retry_reasons)
    assert.same({ 3, 1, 6, 3 }, { job.call_count, job.error_count, job.attempts, job.retries })
    assert.same({ job.outcomes, job.attempt_results, job.retry_reasons },
      { sum.outcomes, sum.attempt_results, sum.retry_reasons })
    assert.same({ 3, 1, 6, 3 }, { sum.total_api_calls, sum.total_errors, sum.total_attempts, sum.total_retries })
  end)

  it("count the pages of a list as attempts, not as repeats", function()
    local all = metrics_of(function(_, n)
      return n == 1 and bed.status(500) or n == 2 and bed.ok '{"totalList":[{"id":1}],"total":2}'
        or bed.ok '{"totalList":[{"id":2}],"total":2}'
    end, { jitter = "none", page_size = 1 }, function(client)
      assert.equal(2, #assert(client:get_workflow_instances "1"))
    end)
    local job = all.get_workflow_instances
    assert.same({ 1, 3, 1 }, { job.call_count, job.attempts, job.retries })
    assert.same({ server = 1 }, job.retry_reasons)
  end)

  it("count the kind of an error that the library found itself", function()
    local all = metrics_of({ bed.ok '{"totalList":[{"id":1}],"total":2}' }, nil, function(client)
      local rows, err = client:get_workflow_instances("1", { rows_max = 1 })
      assert.is_nil(rows)
      assert.equal("limit", err.kind)
    end)
    assert.same({ limit = 1 }, all.get_workflow_instances.outcomes)
  end)

  it("keep what the cache answered out of the durations", function()
    local all, sum = metrics_of({ { status = 200, body = PAGE.body, takes_s = 0.04 } }, nil, function(client)
      for _ = 1, 4 do
        assert(client:get_projects())
      end
      assert(client:get_projects { refresh = true })
    end)
    local job = all.get_projects
    assert.same({ ok = 2, cached = 3 }, job.outcomes)
    assert.same({ 3, 3, 0, 1 }, { job.cached_count, job.fresh_count, job.stale_count, job.miss_count })
    assert.same({ 40, 40, 40 }, { job.avg_duration_ms, job.p50_duration_ms, job.p999_duration_ms })
    assert.same({ 3, 3, 0, 1 }, { sum.total_cached, sum.total_fresh, sum.total_stale, sum.total_misses })
  end)

  it("count a call once that got an old value, when the server had failed", function()
    local function served(script)
      local all, _, b = metrics_of(script, { jitter = "none", max_retries = 0 }, function(client, b)
        assert(client:get_projects())
        b.advance(3601)
        local rows, _, meta = client:get_projects()
        assert.same({}, rows)
        assert.is_true(meta.stale)
      end)
      return all.get_projects, b.client:metrics_text()
    end
    local job, text =
      served { { status = 200, body = PAGE.body, takes_s = 0.5 }, { status = 503, body = "", takes_s = 1 } }
    assert.same({ ok = 1, stale = 1 }, job.outcomes)
    assert.same({ 2, 0, 1, 0, 1, 2 },
      { job.call_count, job.error_count, job.cached_count, job.fresh_count, job.stale_count, job.miss_count })
    assert.same({ ok = 1, server = 1 }, job.attempt_results)
    assert.same({ 500, 1000 }, { job.min_duration_ms, job.max_duration_ms })
    assert.truthy(text:find('calls_total{operation="get_projects",outcome="stale"} 1\n', 1, true))
    assert.truthy(text:find('cache_requests_total{operation="get_projects",result="stale"} 1\n', 1, true))
    assert.truthy(text:find('cache_requests_total{operation="get_projects",result="miss"} 2\n', 1, true))
  end)

  it("never count down, but by a reset", function()
    local chance = counters.chance(SEED)
    local b = bed.new(function()
      return chance() < 0.5 and bed.status(503) or PAGE
    end, { jitter = "none", max_retries = 1, enable_breaker = false })
    local before = {}
    for _ = 1, 300 do
      b.client:get_projects { refresh = chance() < 0.1 }
      b.advance(chance() * 3000)
      local snapshot = b.client:metrics_snapshot().operations[1]
      for _, group in ipairs { "calls", "attempts", "retries" } do
        for kind, count in pairs(snapshot[group] or {}) do
          local name = group .. "." .. kind
          assert.is_true(count >= (before[name] or 0), name)
          before[name] = count
        end
      end
      assert.is_true((snapshot.missed or 0) >= (before.missed or 0))
      before.missed = snapshot.missed
    end
    assert.is_true(before["calls.stale"] > 0 and before["calls.cached"] > 0 and before["retries.server"] > 0)
  end)

  it("tell quantiles, of one name and of all", function()
    local all, sum = metrics_of(function(_, n)
      return { status = 200, body = PAGE.body, takes_s = n <= 90 and 0.010 or n <= 99 and 0.100 or 1 }
    end, nil, function(client)
      for i = 1, 100 do
        assert(client[i % 2 == 0 and "get_workflow_instances" or "get_task_instances"](client, "1"))
      end
    end)
    local function check(metrics, p50, p90, p99, p999)
      for name, expected in pairs { p50_ = p50, p90_ = p90, p99_ = p99, p999_ = p999 } do
        local told = metrics[name .. "duration_ms"]
        assert.is_true(math.abs(told - expected) <= expected / 64 + 0.005, name .. ": " .. told)
      end
    end
    check(sum, 10, 10, 100, 1000)
    check(all.get_task_instances, 10, 10, 100, 100)
    check(all.get_workflow_instances, 10, 10, 1000, 1000)
  end)

  it("tell of users' functions how they failed", function()
    local all = metrics_of({ PAGE }, nil, function(client)
      local outcomes = {
        { 1 }, { nil }, { false, "text" }, { nil, "text" },
        { nil, errors.new { kind = "busy" } }, { nil, { kind = "busy" } },
      }
      for _, outcome in ipairs(outcomes) do
        client:monitored(function()
          return outcome[1], outcome[2]
        end, "job")()
      end
      for _, thrown in ipairs { "text", errors.new { kind = "not_found" }, { 1 } } do
        pcall(client:monitored(error, "job"), thrown, 0)
      end
    end)
    assert.same({ ok = 3, error = 4, busy = 1, not_found = 1 }, all.job.outcomes)
    assert.same({ 9, 6 }, { all.job.call_count, all.job.error_count })
  end)

  it("are of nothing after a reset, and of what came since", function()
    local _, _, b = metrics_of({ bed.status(503), PAGE }, nil, function(client)
      assert(client:get_workflow_instances "1")
      client:reset_metrics()
    end)
    assert.same({}, b.client:get_all_metrics())
    assert.same({ 0, 0, {} }, (function(sum)
      return { sum.total_api_calls, sum.p99_duration_ms, sum.outcomes }
    end)(b.client:get_metrics_summary()))
    assert(b.client:get_workflow_instances "1")
    assert.same({ ok = 1 }, b.client:get_all_metrics().get_workflow_instances.outcomes)
  end)

  it("may lose their client to a finaliser at any moment", function()
    finaliser.rounds(jit and 60 or 200, function(round)
      local client = counters.client()
      for i = 1, 5 do
        counters.record(client, "job " .. i, { i, 1000 * i })
      end
      return function()
        core.release(client)
      end, function()
        if round % 3 == 0 then
          core.metrics(client)
        elseif round % 3 == 1 then
          core.snapshot(client)
        else
          core.metrics_text(client, "prometheus", {}, "1", "2")
        end
      end
    end)
  end)
end)

local bed = require "support.bed"
local cjson = require "cjson"
local core = require "dsclient.core"
local counters = require "support.counters"
local dsclient = require "dsclient"

local SEED = tonumber(os.getenv "DSCLIENT_SEED") or 1

-- A client to which all kinds of things happened.
local function client_of(seed)
  local chance = counters.chance(seed)
  local b = bed.new(function()
    local dice = chance()
    local takes_s = chance() * 0.3
    if dice < 0.1 then
      return bed.failure("network", "sent", { takes_s = takes_s })
    elseif dice < 0.2 then
      return { status = 503, headers = {}, body = "", takes_s = takes_s }
    end
    return { status = 200, body = '{"code":0,"data":{"totalList":[],"total":0}}', takes_s = takes_s }
  end, { max_retries = 1 })
  for i = 1, 30 do
    b.client:get_projects { refresh = i % 7 == 0 }
    b.client:get_workflow_instances "1"
    b.client:monitored(function()
      b.advance(chance() * 1e4)
      return nil, "no"
    end, "job " .. seed % 2)()
  end
  return b.client
end

local function through_json(snapshot)
  return cjson.decode(cjson.encode(snapshot))
end

local function error_of(...)
  local snapshot, err = dsclient.merge_metrics(...)
  assert.is_nil(snapshot)
  assert.equal("argument", err.kind)
  return err
end

describe("a snapshot", function()
  it("is numbers, texts and tables, and goes through JSON unchanged", function()
    local snapshot = client_of(1):metrics_snapshot()
    assert.equal(1, snapshot.version)
    assert.equal(3, #snapshot.operations)
    assert.same(snapshot, through_json(snapshot))
    assert.same(snapshot, core.decode(core.encode(snapshot)))
  end)

  it("tells all that its client does", function()
    local client = client_of(2)
    local snapshot = through_json(client:metrics_snapshot())
    assert.same(client:get_all_metrics(), dsclient.get_all_metrics(snapshot))
    assert.same(client:get_metrics_summary(), dsclient.get_metrics_summary(snapshot))
    local text = client:metrics_text "openmetrics"
    local told = dsclient.metrics_text(snapshot, "openmetrics")
    -- but how the client stands at the moment
    local head = text:match "^(.*)# TYPE dsclient_cache_bytes"
    assert.equal(head .. text:match "# TYPE dsclient_build .*$", told)
    assert.equal("# TYPE dsclient_calls_total counter\n", dsclient.metrics_text(snapshot):match "^[^\n]*\n")
  end)

  it("of a client that did nothing adds nothing", function()
    local nothing = through_json(bed.new({ bed.ok() }).client:metrics_snapshot())
    local some = client_of(3):metrics_snapshot()
    assert.same(some, dsclient.merge_metrics(nothing, some, nothing))
    assert.same({ version = 1, operations = {} }, dsclient.merge_metrics())
    assert.same({}, dsclient.get_all_metrics(nothing))
  end)

  it("may have fields of the user's own beside ours", function()
    local snapshot = client_of(1):metrics_snapshot()
    local plain = dsclient.merge_metrics(snapshot)
    snapshot.pid, snapshot.time = 17, { "now" }
    assert.same(plain, dsclient.merge_metrics(snapshot))
  end)
end)

describe("merge_metrics", function()
  it("adds counts and times, and keeps the least and the largest", function()
    local one, two = client_of(1), client_of(2)
    local a, b = one:get_all_metrics(), two:get_all_metrics()
    local merged = assert(dsclient.merge_metrics(one:metrics_snapshot(), two:metrics_snapshot()))
    local all = dsclient.get_all_metrics(merged)
    for _, name in ipairs { "get_projects", "get_workflow_instances" } do
      for _, field in ipairs { "call_count", "error_count", "cached_count", "attempts", "retries", "bytes_in",
        "bytes_out", "miss_count" } do
        assert.equal(a[name][field] + b[name][field], all[name][field], name .. "." .. field)
      end
      assert.equal(math.min(a[name].min_duration_ms, b[name].min_duration_ms), all[name].min_duration_ms)
      assert.equal(math.max(a[name].max_duration_ms, b[name].max_duration_ms), all[name].max_duration_ms)
      for kind, count in pairs(all[name].outcomes) do
        assert.equal((a[name].outcomes[kind] or 0) + (b[name].outcomes[kind] or 0), count, kind)
      end
    end
    assert.same({ a["job 1"], b["job 0"] }, { all["job 1"], all["job 0"] })
  end)

  it("keeps the least where nothing was timed", function()
    local timed = client_of(1):metrics_snapshot()
    local hits = { version = 1, operations = { { name = "job 1", calls = { cached = 1 } } } }
    local merged = dsclient.merge_metrics(timed, hits)
    assert.same(dsclient.get_all_metrics(timed)["job 1"].min_duration_ms,
      dsclient.get_all_metrics(merged)["job 1"].min_duration_ms)
  end)

  it("adds what became of what was fetched ahead", function()
    local function snapshot(n)
      return { version = 1, operations = { { name = "job", prefetch_issued = 4 * n, prefetch_used = 2 * n,
        prefetch_wasted = n, refresh_issued = 9 * n, refresh_used = 8 * n, refresh_wasted = n } } }
    end
    local merged = dsclient.merge_metrics(snapshot(1), snapshot(10))
    assert.same(snapshot(11), merged)
    local job = dsclient.get_all_metrics(merged).job
    assert.same({ 44, 22, 11, 99, 88, 11 }, { job.prefetch_issued, job.prefetch_used, job.prefetch_wasted,
      job.refresh_issued, job.refresh_used, job.refresh_wasted })
    assert.equal(44, dsclient.get_metrics_summary(merged).prefetch_issued)
    local text = dsclient.metrics_text(merged)
    for family, counts in pairs { prefetches = { 44, 22, 11 }, refreshes = { 99, 88, 11 } } do
      for i, fate in ipairs { "issued", "used", "wasted" } do
        local line = ('dsclient_%s_total{operation="job",fate="%s"} %d\n'):format(family, fate, counts[i])
        assert.is_truthy(text:find(line, 1, true), line)
      end
    end
  end)

  it("keeps a name of which only one thing was counted", function()
    for _, one in ipairs { { calls = { ok = 1 } }, { missed = 1 }, { attempts = { ok = 1 } },
      { retries = { network = 1 } }, { bytes_in = 1 }, { bytes_out = 1 }, { prefetch_issued = 1 },
      { prefetch_used = 1 }, { prefetch_wasted = 1 }, { refresh_issued = 1 }, { refresh_used = 1 },
      { refresh_wasted = 1 } } do
      one.name = "job"
      local snapshot = { version = 1, operations = { one } }
      assert.same(snapshot, dsclient.merge_metrics(snapshot))
    end
    assert.same({ version = 1, operations = {} },
      dsclient.merge_metrics { version = 1, operations = { { name = "job" } } })
  end)

  it("knows fresh answers of the cache from stale ones", function()
    local snapshot = { version = 1, operations = { { name = "job", calls = { cached = 3, stale = 2 }, missed = 1 } } }
    local job = dsclient.get_all_metrics(dsclient.merge_metrics(snapshot, snapshot)).job
    assert.same({ 10, 0, 10, 6, 4, 2 },
      { job.call_count, job.error_count, job.cached_count, job.fresh_count, job.stale_count, job.miss_count })
    local sum = dsclient.get_metrics_summary(snapshot)
    assert.same({ 5, 3, 2, 1 }, { sum.total_cached, sum.total_fresh, sum.total_stale, sum.total_misses })
    local text = dsclient.metrics_text(snapshot)
    for result, count in pairs { hit = 3, stale = 2, miss = 1 } do
      local line = ('dsclient_cache_requests_total{operation="job",result="%s"} %d\n'):format(result, count)
      assert.truthy(text:find(line, 1, true), result)
    end
  end)

  it("gives the same in any order and grouping", function()
    local parts = {}
    for i = 1, 4 do
      parts[i] = client_of(SEED + i):metrics_snapshot()
    end
    local merge = dsclient.merge_metrics
    local all = merge(parts[1], parts[2], parts[3], parts[4])
    assert.same(all, merge(parts[4], parts[2], parts[1], parts[3]))
    assert.same(all, merge(merge(parts[1], through_json(merge(parts[2], parts[3]))), parts[4]))
  end)

  it("says what is wrong with which snapshot", function()
    local good = client_of(1):metrics_snapshot()
    local function broken(change)
      local snapshot = through_json(good)
      change(snapshot, snapshot.operations[1], snapshot.operations[1].durations)
      return tostring(error_of(good, snapshot))
    end
    local cases = {
      { "snapshot 2: version 1 expected", function(s) s.version = 2 end },
      { "snapshot 2: version 1 expected", function(s) s.version = nil end },
      { "snapshot 2: a list of operations expected", function(s) s.operations = nil end },
      { "snapshot 2: a list of operations expected", function(s) s.operations = cjson.null end },
      { "snapshot 2, operation 2: a table expected", function(s) s.operations[2] = "x" end },
      { "snapshot 2, operation 1: it has no name", function(_, job) job.name = nil end },
      { "operation 1, name: a name of 1 to 128 bytes expected", function(_, job) job.name = "" end },
      { "operation 1, name: a name of 1 to 128 bytes expected", function(_, job) job.name = ("x"):rep(129) end },
      { "operation 1, name: a name of 1 to 128 bytes expected", function(_, job) job.name = 7 end },
      { "operation 1: unknown field", function(_, job) job.nonsense = 1 end },
      { "operation 1: unknown field", function(_, job) job[1] = 1 end },
      { "operation 1, calls: unknown kind", function(_, job) job.calls.nonsense = 1 end },
      { "operation 1, calls: unknown kind", function(_, job) job.calls[1] = 1 end },
      { "operation 1, calls: unknown kind", function(_, job) job.calls["ok\0"] = 1 end },
      { "operation 1, calls: a table expected", function(_, job) job.calls = 3 end },
      { "operation 1, attempts: unknown kind", function(_, job) job.attempts = { cached = 1 } end },
      { "operation 1, retries: a count expected", function(_, job) job.retries = { ok = -1 } end },
      { "operation 1, missed: a count expected", function(_, job) job.missed = 1.5 end },
      { "operation 1, missed: a count expected", function(_, job) job.missed = "1" end },
      { "operation 1, bytes_in: a count expected", function(_, job) job.bytes_in = 2 ^ 53 + 2 end },
      { "operation 1, bytes_out: a count expected", function(_, job) job.bytes_out = 0 / 0 end },
      { "operation 1, durations: a table expected", function(_, job) job.durations = true end },
      { "operation 1, durations, within: a count expected", function(_, _, d) d.within[15] = nil end },
      { "operation 1, durations, within: a table expected", function(_, _, d) d.within = "no" end },
      { "operation 1, durations, buckets: a table expected", function(_, _, d) d.buckets = 1 end },
      { "operation 1, durations, buckets: a count expected", function(_, _, d) d.buckets[1] = 832 end },
      { "operation 1, durations, buckets: a count expected", function(_, _, d) d.buckets[2] = 2 ^ 32 end },
      { "operation 1, durations, buckets: a count expected", function(_, _, d) d.buckets[#d.buckets] = nil end },
      { "operation 1, durations, buckets: too many", function(_, _, d)
        for i = 1, 2 * 832 + 2 do
          d.buckets[i] = 0
        end
      end },
      { "operation 1, durations, max_us: a count expected", function(_, _, d) d.max_us = "long" end },
      { "operation 1, durations: unknown field", function(_, _, d) d.nonsense = 1 end },
      { "operation 1, durations: these don't fit together", function(_, _, d) d.count = d.count + 1 end },
      { "operation 1, durations: these don't fit together", function(_, _, d) d.count = nil end },
      { "operation 1, durations: these don't fit together", function(_, _, d) d.total_us = d.max_us - 1 end },
      { "operation 1, durations: these don't fit together", function(_, _, d) d.max_us = d.min_us - 1 end },
      { "operation 1, durations: these don't fit together", function(_, _, d) d.max_us = 2 * d.max_us end },
      { "operation 1, durations: these don't fit together", function(_, _, d)
        d.min_us = math.floor(d.min_us / 2) - 1
      end },
      { "operation 1, durations: these don't fit together", function(_, _, d) d.min_us = d.max_us end },
      { "operation 1, durations: these don't fit together", function(_, _, d)
        d.buckets[#d.buckets + 1], d.buckets[#d.buckets + 2] = d.buckets[1], d.buckets[2] -- told twice
        d.count, d.within[1], d.total_us = d.count + d.buckets[2], d.within[1] + d.buckets[2], 2 ^ 53
      end },
      { "operation 1, durations: these don't fit together", function(_, _, d) d.within[1] = d.within[1] + 1 end },
      { "operation 1, durations: these don't fit together", function(_, job) job.durations = { total_us = 1 } end },
      { "operation 1, durations: these don't fit together", function(_, job) job.durations = { min_us = 1 } end },
      { "operation 1, durations: these don't fit together", function(_, job) job.durations = { max_us = 1 } end },
      { "operation 1, durations: these don't fit together", function(_, job)
        job.durations = { buckets = { 3, 1 } }
      end },
      { "operation 1, durations: these don't fit together", function(_, _, d) d.buckets[2] = d.buckets[2] + 1 end },
    }
    for i, case in ipairs(cases) do
      local said = broken(case[2])
      assert.truthy(said:find(case[1], 1, true), i .. ": " .. said)
      assert.truthy(said:find("argument: snapshot 2", 1, true), said)
    end
    assert.equal("snapshot 2", error_of(good, {}).argument)
  end)

  it("refuses what is no snapshot at all", function()
    for _, nonsense in ipairs { 1, "text", true, cjson.null, print } do
      assert.equal("argument: snapshot 1: a table expected", tostring(error_of(nonsense)))
      assert.equal("argument", select(2, dsclient.get_all_metrics(nonsense)).kind)
      assert.equal("argument", select(2, dsclient.get_metrics_summary(nonsense)).kind)
      assert.equal("argument", select(2, dsclient.metrics_text(nonsense)).kind)
    end
    assert.equal("argument: snapshot 1: a table expected", tostring(error_of(nil)))
  end)

  it("runs no code of a snapshot", function()
    local trap = setmetatable({}, { __index = error, __len = error, __pairs = error })
    assert.equal("argument: snapshot 1: version 1 expected", tostring(error_of(trap)))
    trap.version, trap.operations = 1, setmetatable({}, getmetatable(trap))
    assert.same({ version = 1, operations = {} }, dsclient.merge_metrics(trap))
  end)

  -- Changes one thing somewhere in it.
  local function damage(value, chance)
    local keys = {}
    for key in pairs(value) do
      keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
      return tostring(a) < tostring(b)
    end)
    local key = keys[1 + math.floor(chance() * #keys)]
    if type(value[key]) == "table" and next(value[key]) and chance() < 0.9 then
      return damage(value[key], chance)
    end
    local others = { -1, 0, 1, 2, 0.5, 2 ^ 31, 2 ^ 32 - 1, 2 ^ 53, 1 / 0, "x", "ok", true, {}, { 1 }, cjson.null }
    local n = 1 + math.floor(chance() * (#others + 1))
    value[key or 1] = others[n] -- or nothing
  end

  it("takes damaged snapshots, or refuses them: what it took it takes again", function()
    local good = client_of(SEED):metrics_snapshot()
    local taken = 0
    for seed = SEED, SEED + 1999 do
      local chance = counters.chance(seed)
      local snapshot = through_json(good)
      damage(snapshot, chance)
      local merged, err = dsclient.merge_metrics(snapshot)
      if merged then
        taken = taken + 1
        assert.same(merged, dsclient.merge_metrics(merged), "seed " .. seed)
        assert.is_string(dsclient.metrics_text(merged))
        assert.is_table(dsclient.get_metrics_summary(merged))
      else
        assert.equal("argument", err.kind, "seed " .. seed)
      end
    end
    assert.is_true(taken > 100 and taken < 1900, taken .. " were taken")
  end)

  it("holds as many names as a client", function()
    local many = { version = 1, operations = {} }
    for i = 1, 5000 do
      many.operations[i] = { name = "job " .. i, calls = { ok = 1 } }
    end
    local merged = dsclient.merge_metrics(many)
    assert.equal(4096, #merged.operations)
    assert.same({ ok = 905 }, dsclient.get_all_metrics(merged)["(other)"].outcomes)
    assert.same(merged, dsclient.merge_metrics(merged))
  end)
end)

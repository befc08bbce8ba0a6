local core = require "dsclient.core"
local counters = require "support.counters"
local units = require "support.units"

local BOUNDS_US = { 5000, 10000, 25000, 50000, 75000, 100000, 250000, 500000, 750000, 1000000, 2500000, 5000000,
  7500000, 10000000 }
local RANGE_US = 2 ^ 30 -- 17.9 min

local QUANTILES = { p50_ms = 0.5, p90_ms = 0.9, p99_ms = 0.99, p999_ms = 0.999 }

local SEED = tonumber(os.getenv "DSCLIENT_SEED") or 1

-- The row and the histogram of these durations (µs).
local function recorded(durations)
  local client = counters.client()
  counters.record(client, "job", durations)
  return core.metrics(client)[1], core.snapshot(client).operations[1].durations
end

local function exactly(durations, part)
  local sorted = { (table.unpack or unpack)(durations) } -- luacheck: ignore
  table.sort(sorted)
  return sorted[math.ceil(#sorted * part)]
end

-- How durations may lie (µs), by a chance in [0, 1).
local SHAPES = {
  tiny = function(chance)
    return math.floor(chance * 64)
  end,
  even = function(chance)
    return math.floor(chance * 3e6)
  end,
  all_octaves = function(chance)
    return math.floor(2 ^ (chance * 30))
  end,
  long_tail = function(chance)
    return math.min(math.floor(-20000 * math.log(1 - chance)), RANGE_US - 1)
  end,
  two_humps = function(chance)
    return chance < 0.9 and 2000 + math.floor(chance * 500) or 9e6
  end,
  constant = function()
    return 123457
  end,
}

describe("a histogram", function()
  for name, shape in pairs(SHAPES) do
    it("tells quantiles within 1/64 of the exact ones: " .. name, function()
      local chance = counters.chance(SEED + #name)
      for _, count in ipairs { 1, 2, 3, 10, 99, 100, 101, 1000, 3000 } do
        local durations = {}
        for i = 1, count do
          durations[i] = shape(chance())
        end
        local row = recorded(durations)
        for field, part in pairs(QUANTILES) do
          local exact_us = exactly(durations, part)
          local told_us = row[field] * 1000
          assert.is_true(math.abs(told_us - exact_us) <= exact_us / 64,
            ("%s of %d, seed %d: %g µs told, %g µs exact"):format(field, count, SEED, told_us, exact_us))
        end
      end
    end)

    it("keeps count, sum, least and largest exactly: " .. name, function()
      local chance, durations, sum_us = counters.chance(SEED), {}, 0
      for i = 1, 500 do
        durations[i] = shape(chance())
        sum_us = sum_us + durations[i]
      end
      local row = recorded(durations)
      table.sort(durations)
      assert.same({ 500, sum_us / 1000, durations[1] / 1000, durations[500] / 1000 },
        { row.timed, row.total_ms, row.min_ms, row.max_ms })
    end)
  end

  it("is exact below 64 µs", function()
    for us = 0, 63 do
      assert.near(us, recorded({ us, us, us }).p90_ms * 1000, 1e-9)
    end
  end)

  it("has 32 buckets an octave, none of which overlaps or leaves a gap", function()
    local last = -1
    local us = 0
    while us < RANGE_US do
      local _, histogram = recorded { us }
      assert.same({ last + 1, 1 }, histogram.buckets, us .. " µs")
      last = histogram.buckets[1]
      local width = us < 64 and 1 or 2 ^ (math.floor(math.log(us) / math.log(2) + 1e-9) - 5)
      assert.same({ last, 1 }, select(2, recorded { us + width - 1 }).buckets, us .. " µs")
      us = us + width
    end
    assert.equal(831, last)
  end)

  it("tells the largest where a quantile lies beyond its range", function()
    local row = recorded { 1000, 2 * RANGE_US, 3 * RANGE_US }
    assert.same({ 3 * RANGE_US / 1000, 3 * RANGE_US / 1000 }, { row.p50_ms, row.p999_ms })
    row = recorded { RANGE_US - 1, RANGE_US - 1 }
    assert.is_true(math.abs(row.p50_ms * 1000 / RANGE_US - 1) <= 1 / 64)
  end)

  it("counts up to each exposed bound exactly", function()
    for i, bound_us in ipairs(BOUNDS_US) do
      local expected = {}
      for n = 1, #BOUNDS_US + 1 do
        expected[n] = n == i and 2 or n == i + 1 and 1 or 0
      end
      assert.same(expected, select(2, recorded { bound_us - 1, bound_us, bound_us + 1 }).within)
    end
  end)

  it("counts a duration that no clock can tell as the largest number there is", function()
    units "counts"
  end)

  it("of nothing tells nothing", function()
    local client = counters.client()
    assert.same({}, (core.metrics(client)))
    local _, sum = core.metrics(client)
    assert.same({ 0, 0, 0, 0, 0, 0 }, { sum.timed, sum.total_ms, sum.min_ms, sum.max_ms, sum.p50_ms, sum.p999_ms })
  end)

  it("takes durations only", function()
    for _, seconds in ipairs { -1e-6, 0 / 0, 1 / 0, -1 / 0, 1e300 } do
      assert.has_error(function()
        counters.record(counters.client(), "job", { seconds })
      end)
    end
  end)
end)

describe("merged histograms", function()
  it("are the histogram of all", function()
    for name, shape in pairs(SHAPES) do
      local chance = counters.chance(SEED + #name)
      local all, parts, snapshots = counters.client(), {}, {}
      for i = 1, 5 do
        parts[i] = counters.client()
      end
      for _ = 1, 500 do
        local one = { shape(chance()) }
        counters.record(all, "job", one)
        counters.record(parts[1 + math.floor(chance() * 4.5)], "job", one) -- the last one has few, or none
      end
      for i, part in ipairs(parts) do
        snapshots[i] = core.snapshot(part)
      end
      local sum = core.sum((table.unpack or unpack)(snapshots)) -- luacheck: ignore
      assert.same(core.snapshot(all), core.snapshot(sum), name)
      assert.same({ core.metrics(all) }, { core.metrics(sum) }, name)
    end
  end)

  -- All in the bucket of 1 ms; how many, and their sum (µs).
  local function full(count, total_us)
    local _, histogram = recorded { 1000 }
    histogram.count, histogram.within[1], histogram.total_us = count, count, total_us
    histogram.buckets[2] = math.min(count, 2 ^ 32 - 1)
    return { version = 1, operations = { { name = "job", durations = histogram } } }
  end

  it("go on counting where a bucket is full", function()
    local one = full(2 ^ 32 - 1, 1000 * (2 ^ 32 - 1))
    local two = core.snapshot(assert(core.sum(one, one)))
    local histogram = two.operations[1].durations
    assert.same({ 2 ^ 33 - 2, 2 ^ 33 - 2, 2 ^ 32 - 1 },
      { histogram.count, histogram.within[1], histogram.buckets[2] })
    local row = core.metrics(assert(core.sum(two, two)))[1]
    assert.same({ 2 ^ 34 - 4, 1, 1 }, { row.timed, row.p50_ms, row.p999_ms })
    local longer = counters.client()
    counters.record(longer, "job", { 2000 })
    assert.equal(1, core.metrics(assert(core.sum(two, core.snapshot(longer))))[1].p999_ms)
  end)

  it("stop at 2^53, the last integer of every Lua, and can be read again", function()
    local most = full(2 ^ 53, 2 ^ 53)
    local sum = core.snapshot(assert(core.sum(most, most, most)))
    local histogram = sum.operations[1].durations
    assert.same({ 2 ^ 53, 2 ^ 53, 2 ^ 53 }, { histogram.count, histogram.total_us, histogram.within[1] })
    assert.same(sum, core.snapshot(assert(core.sum(sum))))
  end)
end)

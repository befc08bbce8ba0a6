local bed = require "support.bed"

local function counter(fn)
  local calls = 0
  return function(...)
    calls = calls + 1
    return fn(...)
  end, function()
    return calls
  end
end

local function new(options)
  return bed.new({ bed.ok() }, options)
end

describe("cached", function()
  it("remembers all results, per typed arguments", function()
    local b = new()
    local fn, calls = counter(function(...)
      return select("#", ...), nil, ...
    end)
    local cached = b.client:cached(fn, { ttl_s = 60, key_prefix = "x" })
    for _ = 1, 2 do
      assert.same({ n = 5, 3, nil, 1, nil, "a" }, { n = select("#", cached(1, nil, "a")), cached(1, nil, "a") })
      cached("1")
      cached(1)
      cached(true)
      cached()
      cached(nil)
    end
    assert.equal(6, calls())
    b.advance(60)
    cached(1)
    assert.equal(7, calls())
  end)

  it("gives each caller his own tables, or the shared ones to a borrower", function()
    local b = new()
    local own = b.client:cached(function()
      return { list = { 1 } }
    end)
    own().list[1] = 99
    assert.same({ list = { 1 } }, own())
    local shared = b.client:cached(function()
      return {}
    end, { borrow = true })
    assert.is_true(rawequal(shared(), shared()))
  end)

  it("never keeps nil, err; and plain nil only with ttl_nil_s", function()
    local b = new()
    local failing, failures = counter(function()
      return nil, "no"
    end)
    local cached = b.client:cached(failing, { ttl_nil_s = 60 })
    cached()
    cached()
    assert.equal(2, failures())
    local nothing, nothings = counter(function()
      return nil
    end)
    local without, with = b.client:cached(nothing), b.client:cached(nothing, { ttl_nil_s = 5 })
    without()
    without()
    assert.equal(2, nothings())
    with()
    with()
    assert.equal(3, nothings())
    local falsy, falses = counter(function()
      return false
    end)
    local false_cached = b.client:cached(falsy)
    false_cached()
    assert.is_false(false_cached())
    assert.equal(1, falses())
  end)

  it("runs each time with the cache off (crash with the cache off)", function()
    local b = new { enable_cache = false }
    local fn, calls = counter(function(x)
      return x
    end)
    local cached = b.client:cached(fn)
    assert.equal(1, cached(1))
    assert.equal(1, cached(1))
    assert.equal(2, calls())
  end)

  it("takes a table only with a key function, and passes errors on", function()
    local b = new()
    local fn = function(t)
      return t.id
    end
    assert.has_error(function()
      b.client:cached(fn)({ id = 1 })
    end)
    local cached = b.client:cached(fn, { key = function(t)
      return t.id
    end })
    assert.equal(1, cached { id = 1 })
    assert.equal(2, cached { id = 2 })
    local marker = {}
    local thrown = select(2, pcall(b.client:cached(function()
      error(marker)
    end)))
    assert.equal(marker, thrown)
  end)

  it("keeps two functions apart, and joins them by a prefix", function()
    local b = new()
    local one = b.client:cached(function() return 1 end) -- luacheck: ignore
    local two = b.client:cached(function() return 2 end) -- luacheck: ignore
    assert.same({ 1, 2 }, { one(), two() })
    local p = b.client:cached(function() return "p" end, { key_prefix = "same" }) -- luacheck: ignore
    local q = b.client:cached(function() return "q" end, { key_prefix = "same" }) -- luacheck: ignore
    assert.same({ "p", "p" }, { p(), q() })
  end)
end)

describe("monitored", function()
  it("counts calls and time under its name", function()
    local b = new()
    local fn = b.client:monitored(function(...)
      b.advance(0.25)
      return ...
    end, "job")
    assert.same({ n = 3, 1, nil, 3 }, { n = select("#", fn(1, nil, 3)), fn(1, nil, 3) })
    local metrics = b.client:get_all_metrics().job
    assert.equal(2, metrics.call_count)
    assert.equal(250, metrics.avg_duration_ms)
    assert.equal(250, metrics.min_duration_ms)
    assert.equal("0%", metrics.error_rate)
  end)

  it("counts a thrown error and rethrows it unchanged; counts nil, err", function()
    local b = new()
    local marker = setmetatable({}, {})
    local fn = b.client:monitored(function(how)
      if how == "throw" then
        error(marker)
      end
      return nil, "err"
    end, "job")
    assert.equal(marker, select(2, pcall(fn, "throw")))
    assert.equal("err", select(2, fn "return"))
    assert.equal(2, b.client:get_all_metrics().job.error_count)
  end)

  it("works with the metrics off and on a closed client", function()
    local b = new { enable_metrics = false }
    local fn = b.client:monitored(function()
      return 1
    end, "job")
    assert.equal(1, fn())
    b.client:close()
    assert.equal(1, fn())
  end)
end)

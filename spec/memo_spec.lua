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

  it("tells arguments apart as Lua does: by type, value, number and place", function()
    local b = new()
    local seen = {}
    local cached = b.client:cached(function(...)
      seen[#seen + 1] = { n = select("#", ...), ... }
      return #seen
    end)
    local function number(...)
      return cached(...)
    end
    local INTEGERS = math.type ~= nil
    local calls = {
      { n = 0 }, { n = 1, nil }, { n = 2, nil, nil }, { n = 1, false }, { n = 1, true }, { n = 1, 1 }, { n = 1, "1" },
      { n = 1, 1.5 }, { n = 1, -1 }, { n = 1, "" }, { n = 1, "nil" }, { n = 1, "n" }, { n = 2, "a", nil },
      { n = 1, "a" }, { n = 2, nil, "a" }, { n = 2, "a", "b" }, { n = 1, "a\0sb" }, { n = 1, "a\0s1:b" },
      { n = 1, 183125606400064 }, { n = 1, 183125606400065 }, { n = 1, 2 ^ 53 }, { n = 1, 2 ^ 53 - 1 },
      { n = 1, 1e300 }, { n = 1, 1 / 0 }, { n = 1, -1 / 0 }, { n = 1, 0.1 }, { n = 1, 0.1 + 2 ^ -56 },
    }
    if INTEGERS then
      local exact = math.tointeger(2 ^ 53)
      calls[#calls + 1] = { n = 1, exact + 1 }
      calls[#calls + 1] = { n = 1, math.maxinteger }
      calls[#calls + 1] = { n = 1, math.maxinteger - 1 }
    end
    local unpack = table.unpack or unpack -- luacheck: ignore
    for _ = 1, 2 do
      for i, arguments in ipairs(calls) do
        assert.equal(i, number(unpack(arguments, 1, arguments.n)))
      end
    end
    assert.equal(number(1), number(1.0)) -- one number in every Lua
    assert.equal(number(2 ^ 53), number(INTEGERS and math.tointeger(2 ^ 53) or 2 ^ 53))
  end)

  it("keeps its results when the token is used first, or changes", function()
    local n = 0
    local function source()
      n = n + 1
      return "t" .. n
    end
    local b = bed.new({ bed.ok(), bed.status(401), bed.ok() }, { token = source })
    local fn, calls = counter(function() return 1 end) -- luacheck: ignore
    local cached = b.client:cached(fn)
    for _ = 1, 3 do
      cached()
      b.client:call("users.current")
    end
    assert.equal(2, n)
    assert.equal(1, calls())
  end)

  it("survives results that can't be copied, go deep, in a circle or hide their metatable", function()
    local b = new()
    local circle = {}
    circle.self = circle
    local deep = {}
    for _ = 1, 5000 do
      deep = { deep }
    end
    local hidden = setmetatable({ 1 }, { __metatable = "hidden" })
    local faked = setmetatable({ 1 }, { __metatable = {} })
    local function never()
      error "asked"
    end
    local asked = setmetatable({ 1 }, { __pairs = never, __index = never })
    local class = { __index = { name = "class" } }
    local object = setmetatable({ inner = {} }, class)
    for _, value in ipairs { circle, deep, hidden, faked, asked, object, print, io.stdout, coroutine.create(print) } do
      local cached = b.client:cached(function() return value end) -- luacheck: ignore
      cached()
      local again = cached()
      assert.equal(type(value), type(again))
      if value == object then
        assert.is_false(rawequal(again.inner, object.inner))
        assert.equal("class", again.name)
      elseif value == circle then
        assert.is_true(rawequal(again, again.self))
        assert.is_false(rawequal(again, circle))
      end
    end
  end)

  it("counts what it keeps in the budget of the cache", function()
    local b = new { cache_bytes_max = 16 * 1024 }
    for _, options in ipairs { {}, { borrow = true } } do
      local cached = b.client:cached(function(n) return { ("x"):rep(n) } end, options) -- luacheck: ignore
      cached(1000)
      assert.is_true(b.client:get_cache_stats().bytes > 1000)
      local before = b.client:get_cache_stats().size
      cached(4000) -- more than an eighth
      assert.equal(before, b.client:get_cache_stats().size)
    end
  end)

  it("runs each time where its key is longer than 2 kB", function()
    local b = new()
    local fn, calls = counter(function(text) return #text end) -- luacheck: ignore
    local cached = b.client:cached(fn)
    for _ = 1, 2 do
      assert.equal(3000, cached(("x"):rep(3000)))
    end
    assert.equal(2, calls())
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
    assert.equal(183125606400064, cached { id = 183125606400064 })
    assert.equal(183125606400065, cached { id = 183125606400065 })
    for _, nothing in ipairs { {}, { id = {} }, { id = true } } do
      local fine, message = pcall(function()
        cached(nothing)
      end)
      assert.is_false(fine)
      assert.truthy(message:find "memo_spec.lua:%d+: cached: the option `key` has to give a string", message)
    end
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
    for _, options in ipairs { { key_prefix = "" }, { key_prefix = "a\0" }, { ttl = 1 }, { ttl_s = -1 }, "x" } do
      assert.has_error(function()
        b.client:cached(print, options)
      end)
    end
    assert.has_error(function()
      b.client:cached "no function"
    end)
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

  it("takes a name of 1 to 128 bytes, and more names than it has places for", function()
    local b = new()
    for _, name in ipairs { "", ("x"):rep(129), 5, false } do
      assert.has_error(function()
        b.client:monitored(print, name)
      end)
    end
    assert.has_error(function()
      b.client:monitored("x", "name")
    end)
    b.client:monitored(tostring, ("x"):rep(128))(1)
    for i = 1, 5000 do
      b.client:monitored(tostring, "job" .. i)(1)
    end
    local metrics, count = b.client:get_all_metrics(), 0
    for _ in pairs(metrics) do
      count = count + 1
    end
    assert.equal(4096, count)
    assert.equal(5001 - 4095, metrics["(other)"].call_count)
    assert.equal(5001, b.client:get_metrics_summary().total_api_calls)
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

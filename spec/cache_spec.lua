local core = require "dsclient.core"

-- The cache alone, by the functions that the Lua layer calls.
local function new(options)
  local config = {
    max_retries = 0, backoff_s = 0, backoff_max_s = 0, jitter = "none", retry_statuses = {}, servers = 1,
    enable_cache = true, enable_metrics = true, virtual_clock = true,
    cache_entries_max = 1000, cache_bytes_max = 2 ^ 26,
  }
  for name, value in pairs(options or {}) do
    config[name] = value
  end
  return core.new(config, {})
end

local function put(client, key, ttl_s)
  return core.store(client, key, '"' .. key .. '"', ttl_s or 100)
end

local function get(client, key)
  return (core.lookup(client, nil, key, false))
end

describe("the cache", function()
  it("gives back what was stored, until its time is over", function()
    local client = new()
    assert.is_true(put(client, "a", 10))
    assert.equal("a", get(client, "a"))
    core.advance(client, 9.999)
    local value, age_s = core.lookup(client, nil, "a", false)
    assert.equal("a", value)
    assert.near(9.999, age_s, 1e-6)
    core.advance(client, 0.001)
    assert.is_nil(get(client, "a"))
    local stats = core.cache_stats(client)
    assert.same({ 2, 1, 1, 0 }, { stats.hits, stats.misses, stats.expired, stats.size })
  end)

  it("keeps nothing with a time to live of 0", function()
    local client = new()
    put(client, "a", 100)
    assert.is_false(put(client, "a", 0))
    assert.is_nil(get(client, "a"))
  end)

  it("holds at most its entries", function()
    local client = new { cache_entries_max = 3 }
    for i = 1, 50 do
      put(client, "k" .. i)
      assert.is_true(core.cache_stats(client).size <= 3)
    end
    assert.equal(47, core.cache_stats(client).evictions)
  end)

  it("holds at most its bytes, and no entry larger than an eighth", function()
    local client = new { cache_bytes_max = 4096 }
    for i = 1, 100 do
      assert.is_true(core.store(client, "k" .. i, '"' .. ("x"):rep(400) .. '"', 10))
      assert.is_true(core.cache_stats(client).bytes <= 4096)
    end
    assert.is_false(core.store(client, "big", '"' .. ("x"):rep(600) .. '"', 10))
  end)

  it("evicts as SIEVE does: what was used since the hand came by stays", function()
    local client = new { cache_entries_max = 3 }
    put(client, "a")
    put(client, "b")
    put(client, "c")
    get(client, "a")
    put(client, "d") -- the hand passes a, takes b
    assert.equal("a", get(client, "a"))
    assert.is_nil(get(client, "b"))
    put(client, "e") -- the hand stands at c
    assert.is_nil(get(client, "c"))
    assert.equal("d", get(client, "d"))
  end)

  -- A plain SIEVE of the paper's figure, kept in a Lua list (newest first).
  local function reference(size)
    local order, used, hand = {}, {}, nil
    return function(key)
      for _, known in ipairs(order) do
        if known == key then
          used[key] = true
          return true
        end
      end
      if #order == size then
        local at = #order
        for i, known in ipairs(order) do
          if known == hand then
            at = i
          end
        end
        while used[order[at]] do
          used[order[at]] = false
          at = at > 1 and at - 1 or #order
        end
        hand = order[at - 1]
        table.remove(order, at)
      end
      table.insert(order, 1, key)
      used[key] = false
      return false
    end
  end

  it("hits and misses as a plain implementation in Lua, on 20,000 random keys", function()
    math.randomseed(7)
    local client, expected = new { cache_entries_max = 20 }, reference(20)
    for _ = 1, 20000 do
      local key = "k" .. math.floor(100 * math.random() ^ 3)
      local hit = get(client, key) ~= nil
      assert.equal(expected(key), hit)
      if not hit then
        put(client, key)
      end
    end
  end)

  it("clears, cleans and drops by prefix", function()
    local client = new()
    put(client, "a1", 10)
    put(client, "a2", 20)
    put(client, "b", 30)
    core.advance(client, 15)
    assert.equal(1, core.clean(client))
    assert.equal(1, core.drop(client, "a"))
    assert.equal("b", get(client, "b"))
    assert.equal(1, core.clear(client))
    assert.equal(0, core.cache_stats(client).size)
    assert.equal(0, core.cache_stats(client).bytes)
  end)

  it("shows no entry to another token, and again to the first", function()
    local client = new()
    core.identify(client, "one")
    put(client, "a")
    core.identify(client, "two")
    assert.is_nil(get(client, "a"))
    core.identify(client, "one")
    assert.equal("a", get(client, "a"))
  end)

  it("drops by prefix what any token has seen, and never what the user keeps", function()
    local client = new()
    core.identify(client, "one")
    put(client, "list")
    core.identify(client, "two")
    put(client, "list")
    core.keep(client, "kept", { 1 }, 100, 10)
    assert.equal(2, core.drop(client, "list"))
    core.identify(client, "one")
    assert.is_nil(get(client, "list"))
    assert.same({ 1 }, core.recall(client, "kept"))
  end)

  it("keeps objects as they are, whoever asks, and apart from texts", function()
    local client = new()
    local object = {}
    core.keep(client, "a", object, 500, 10)
    core.identify(client, "one")
    assert.is_true(rawequal(object, core.recall(client, "a")))
    assert.is_nil(get(client, "a"))
    assert.is_true(core.cache_stats(client).bytes > 500)
    core.keep(client, "a", "new", 0, 10)
    assert.equal("new", core.recall(client, "a"))
    core.advance(client, 10)
    assert.is_nil(core.recall(client, "a"))
    core.keep(client, "a", object, 2 ^ 26, 10)
    assert.is_nil(core.recall(client, "a"))
    core.keep(client, "a", object, 0, 0)
    assert.is_nil(core.recall(client, "a"))
  end)

  it("gives back numbers of the type that was stored", function()
    local client = new()
    core.store(client, "a", core.encode { 1, 7.0, 0.5, 1e300 }, 10)
    local value = core.lookup(client, nil, "a", false)
    local kind = math.type or type
    assert.same({ kind(1), kind(7.0), kind(0.5), kind(1e300) },
      { kind(value[1]), kind(value[2]), kind(value[3]), kind(value[4]) })
  end)

  it("gives each caller his own copy, or the shared one to a borrower", function()
    local client = new()
    core.store(client, "a", core.encode { { id = 1 }, { id = 2 } }, 10)
    local one, two = core.lookup(client, nil, "a", false), core.lookup(client, nil, "a", false)
    assert.same(one, two)
    one[1].id = 99
    assert.equal(1, two[1].id)
    local b, c = core.lookup(client, nil, "a", true), core.lookup(client, nil, "a", true)
    assert.is_true(rawequal(b, c))
    assert.equal(1, b[1].id)
  end)

  it("lets go of borrowed values when their entries go", function()
    local client = new { cache_entries_max = 2 }
    local weak = setmetatable({}, { __mode = "v" })
    for i = 1, 20 do
      core.store(client, "k" .. i, core.encode { i }, 10)
      weak[i] = core.lookup(client, nil, "k" .. i, true)
    end
    collectgarbage()
    collectgarbage()
    local alive = 0
    for _ in pairs(weak) do
      alive = alive + 1
    end
    assert.equal(2, alive)
    core.clear(client)
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)

  it("answers when it is off", function()
    local client = new { enable_cache = false }
    assert.is_false(put(client, "a"))
    assert.is_nil(get(client, "a"))
    assert.equal(0, core.clear(client))
    assert.equal(0, core.clean(client))
    assert.equal(0, core.cache_stats(client).hits)
  end)

  it("does not keep what has a key longer than 2 kB", function()
    local client = new()
    assert.is_false(core.store(client, ("k"):rep(3000), "1", 10))
    assert.is_nil(core.lookup(client, nil, ("k"):rep(3000), false))
  end)
end)

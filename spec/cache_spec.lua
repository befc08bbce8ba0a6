local core = require "dsclient.core"
local new = require "support.core_cache"

local function put(client, key, ttl_s, stale_s)
  return core.store(client, key, '"' .. key .. '"', ttl_s or 100, stale_s or 0)
end

local function get(client, key)
  return (core.lookup(client, nil, key, false))
end

local function stale(client, key, within_s)
  return core.stale(client, nil, key, false, within_s)
end

-- Counters of the cache in this order.
local function counts(client, ...)
  local stats, list = core.cache_stats(client), {}
  for i, name in ipairs { ... } do
    list[i] = stats[name]
  end
  return list
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
    assert.is_false(put(client, "a", 0, 100))
    assert.is_nil(get(client, "a"))
    assert.is_nil(stale(client, "a", 100))
  end)

  it("keeps what is stale for its window, and gives it only to who asks for that", function()
    local client = new()
    put(client, "a", 10, 5)
    core.advance(client, 10)
    for _ = 1, 2 do
      assert.is_nil(get(client, "a"))
    end
    assert.same({ "a", 10, true, false }, { stale(client, "a", 600) })
    core.advance(client, 4.999)
    assert.equal("a", (stale(client, "a", 600)))
    core.advance(client, 0.001)
    assert.is_nil(stale(client, "a", 600))
    assert.same({ 1, 0 }, counts(client, "size", "misses"))
    assert.is_nil(get(client, "a"))
    assert.same({ 0, 1, 1 }, counts(client, "size", "misses", "expired"))
  end)

  it("gives nothing that has been stale for longer than is wished", function()
    local client = new()
    put(client, "a", 10, 100)
    core.advance(client, 15)
    assert.is_nil(get(client, "a"))
    assert.is_nil(stale(client, "a", 0))
    assert.is_nil(stale(client, "a", 5))
    assert.equal("a", (stale(client, "a", 5.001)))
  end)

  it("counts a stale hit as a hit in place of the miss before, a joined flight as a miss", function()
    local client = new()
    put(client, "a", 10, 100)
    core.advance(client, 10)
    get(client, "a")
    stale(client, "a", 100)
    assert.same({ 1, 1, 0, 1 }, counts(client, "hits", "stale_hits", "misses", "expired"))
    stale(client, "a", 100) -- of a refresh: it looked nothing up
    assert.same({ 2, 2, 0 }, counts(client, "hits", "stale_hits", "misses"))
    get(client, "b")
    core.share(client, "b")
    assert.same({ 2, 1, 1 }, counts(client, "hits", "misses", "shared"))
  end)

  it("gives what another call has stored since the miss, as fresh", function()
    local client = new()
    get(client, "a")
    put(client, "a", 10, 100)
    assert.same({ "a", 0, false, false }, { stale(client, "a", 100) })
    assert.same({ 1, 0, 0 }, counts(client, "hits", "stale_hits", "misses"))
  end)

  it("is due when a fifth of its time is left, for one at a time", function()
    local client = new()
    local function due(is_ahead)
      local _, _, is_due = core.lookup(client, nil, "a", false, is_ahead)
      return is_due
    end
    put(client, "a", 100)
    core.advance(client, 79.999)
    assert.is_false(due(true))
    core.advance(client, 0.001)
    assert.is_false(due(false))
    assert.is_true(due(true)) -- his for a quarter of what is left: 5 s
    assert.is_false(due(true))
    core.advance(client, 4.999)
    assert.is_false(due(true))
    core.advance(client, 0.001)
    assert.is_true(due(true))
    core.advance(client, 3)
    assert.is_false(due(true)) -- 3.75 s
    put(client, "a", 100)
    assert.is_false(due(true))
    core.advance(client, 98)
    assert.is_true(due(true))
    core.advance(client, 0.999) -- a second at least
    assert.is_false(due(true))
    core.advance(client, 0.001)
    assert.is_true(due(true))
  end)

  it("is due once it is stale, for one at a time", function()
    local client = new()
    local function due(is_ahead)
      local _, _, _, is_due = core.stale(client, nil, "a", false, 100, is_ahead)
      return is_due
    end
    put(client, "a", 10, 100)
    core.advance(client, 10)
    assert.is_false(due(false))
    assert.is_true(due(true))
    core.advance(client, 0.999)
    assert.is_false(due(true))
    core.advance(client, 0.001)
    assert.is_true(due(true))
  end)

  it("counts what becomes of entries that were fetched ahead", function()
    local client = new { cache_entries_max = 4 }
    local number = core.register(client, { name = "op", replay = "read", timeout_s = 1, attempt_timeout_s = 1 })
    local function ahead(key, kind, ttl_s)
      return core.store(client, key, "1", ttl_s or 10, 100, kind, number)
    end
    local function fates()
      local list = counts(client, "prefetch_issued", "prefetch_used", "prefetch_wasted", "refresh_issued",
        "refresh_used", "refresh_wasted")
      local row = core.metrics(client)[1]
      assert.same(list, { row.prefetch_issued, row.prefetch_used, row.prefetch_wasted, row.refresh_issued,
        row.refresh_used, row.refresh_wasted })
      return list
    end
    for _, key in ipairs { "used", "stale", "shared", "replaced" } do
      ahead(key, "prefetch")
    end
    assert.same({ 4, 0, 0, 0, 0, 0 }, fates())
    for _ = 1, 2 do
      get(client, "used")
      core.share(client, "shared")
    end
    put(client, "replaced")
    assert.same({ 4, 2, 1, 0, 0, 0 }, fates())
    core.advance(client, 11)
    stale(client, "stale", 100)
    assert.same({ 4, 3, 1, 0, 0, 0 }, fates())
    core.clear(client)
    assert.same({ 4, 3, 1, 0, 0, 0 }, fates())
    for _, key in ipairs { "dropped", "expired", "evicted", "used" } do
      ahead(key, "refresh", key == "expired" and 1)
    end
    core.drop(client, "dropped")
    core.advance(client, 1)
    core.clean(client)
    get(client, "used")
    for i = 1, 3 do
      put(client, "other" .. i)
    end
    assert.is_nil(get(client, "evicted"))
    assert.same({ 4, 3, 1, 4, 1, 3 }, fates())
    assert.is_false(ahead("none", "refresh", 0)) -- not kept
    assert.same({ 4, 3, 1, 5, 1, 4 }, fates())
    assert.has_error(function() core.store(client, "a", "1", 1, 1, "guess", number) end)
  end)

  it("tells whether something is fresh, and counts nothing", function()
    local client = new()
    put(client, "a", 10, 10)
    assert.is_true(core.fresh(client, "a"))
    assert.is_false(core.fresh(client, "b"))
    core.advance(client, 10)
    assert.is_false(core.fresh(client, "a"))
    assert.same({ 0, 0, 0 }, counts(client, "hits", "misses", "expired"))
  end)

  it("records fresh and stale answers and misses under the operation", function()
    local client = new()
    local number = core.register(client, { name = "op", replay = "read", timeout_s = 1, attempt_timeout_s = 1 })
    put(client, "a", 10, 100)
    core.lookup(client, number, "a", false)
    core.advance(client, 10)
    core.lookup(client, number, "a", false)
    core.stale(client, number, "a", false, 100)
    core.stale(client, number, "b", false, 100)
    local row = core.metrics(client)[1]
    assert.same({ 1, 1, 1 }, { row.fresh, row.stale, row.missed })
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
      assert.is_true(core.store(client, "k" .. i, '"' .. ("x"):rep(400) .. '"', 10, 0))
      assert.is_true(core.cache_stats(client).bytes <= 4096)
    end
    assert.is_false(core.store(client, "big", '"' .. ("x"):rep(600) .. '"', 10, 0))
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

  it("clears, cleans and drops by prefix", function()
    local client = new()
    put(client, "a1", 10)
    put(client, "a2", 20)
    put(client, "b", 30)
    put(client, "stale", 10, 100)
    core.advance(client, 15)
    assert.equal(2, core.clean(client))
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
    core.store(client, "a", core.encode { 1, 7.0, 0.5, 1e300 }, 10, 0)
    local value = core.lookup(client, nil, "a", false)
    local kind = math.type or type
    assert.same({ kind(1), kind(7.0), kind(0.5), kind(1e300) },
      { kind(value[1]), kind(value[2]), kind(value[3]), kind(value[4]) })
  end)

  it("gives each caller his own copy, or the shared one to a borrower", function()
    local client = new()
    core.store(client, "a", core.encode { { id = 1 }, { id = 2 } }, 10, 0)
    local one, two = core.lookup(client, nil, "a", false), core.lookup(client, nil, "a", false)
    assert.same(one, two)
    one[1].id = 99
    assert.equal(1, two[1].id)
    local b, c = core.lookup(client, nil, "a", true), core.lookup(client, nil, "a", true)
    assert.is_true(rawequal(b, c))
    assert.equal(1, b[1].id)
  end)

  -- Stores and borrows 20 values; how many of them are still held at last.
  local function held_after_20(client)
    local weak = setmetatable({}, { __mode = "v" })
    for i = 1, 20 do
      core.store(client, "k" .. i, core.encode { i }, 10, 0)
      weak[i] = core.lookup(client, nil, "k" .. i, true)
    end
    collectgarbage()
    collectgarbage()
    local alive = 0
    for _ in pairs(weak) do
      alive = alive + 1
    end
    return alive, weak
  end

  it("lets go of borrowed values when their entries go", function()
    local client = new { cache_entries_max = 2 }
    local alive, weak = held_after_20(client)
    assert.equal(2, alive)
    core.clear(client)
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)

  it("lets go of borrowed values whose entries made room for another one's", function()
    local client = new { cache_bytes_max = 8 * 42 } -- with the object, the last one is too much
    local alive = held_after_20(client)
    assert.is_true(alive < 20)
    assert.equal(core.cache_stats(client).size, alive)
  end)

  it("answers when it is off", function()
    local client = new { enable_cache = false }
    assert.is_false(put(client, "a"))
    assert.is_nil(get(client, "a"))
    assert.equal(0, core.clear(client))
    assert.equal(0, core.clean(client))
    assert.is_nil(stale(client, "a", 100))
    core.share(client, "b")
    assert.is_false(core.fresh(client, "a"))
    assert.same({ 0, 0 }, counts(client, "hits", "shared"))
  end)

  it("does not keep what has a key longer than 2 kB", function()
    local client = new()
    assert.is_false(core.store(client, ("k"):rep(3000), "1", 10, 0))
    assert.is_nil(core.lookup(client, nil, ("k"):rep(3000), false))
  end)
end)

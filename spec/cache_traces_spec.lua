--- The cache against a plain SIEVE in Lua, request by request: on traces like
-- the public ones, and with all that a cache is asked for, at random.

local core = require "dsclient.core"
local new_cache = require "support.core_cache"
local policies = require "support.policies"
local traces = require "support.traces"

local REQUESTS, KEYS = 40000, 5000

-- Of the keys, so many fit in.
local SHARES = { 0.01, 0.1 }

--- Runs a trace through the cache and through a policy.
-- @treturn number|nil the request at which they differ
-- @treturn number misses
local function replay(trace, policy)
  local client = new_cache { cache_entries_max = policy.entries_max }
  for i, key in ipairs(trace) do
    local name = "k" .. key
    local hit = core.lookup(client, nil, name, false) ~= nil
    if not hit then
      core.store(client, name, "1", 1e6, 0)
    end
    if hit ~= policy:request(key) then
      return i
    end
  end
  return nil, core.cache_stats(client).misses
end

local function misses_of(trace, policy)
  local misses = 0
  for _, key in ipairs(trace) do
    misses = misses + (policy:request(key) and 0 or 1)
  end
  return misses
end

describe("the cache, on traces from a seed,", function()
  local random = traces.random(20240416)

  for _, exponent in ipairs { 0.6, 0.8, 1, 1.2 } do
    for _, share in ipairs(SHARES) do
      it(("hits as SIEVE does and misses less than LRU: Zipf of %.1f, %g of the keys"):format(exponent, share),
        function()
          local trace = traces.zipf(random, exponent, KEYS, REQUESTS)
          local differ, misses = replay(trace, policies.sieve(KEYS * share))
          assert.is_nil(differ)
          assert.is_true(misses < misses_of(trace, policies.lru(KEYS * share)))
        end)
    end
  end

  it("hits as SIEVE does: a scan", function()
    local trace = traces.scan(REQUESTS)
    local differ, misses = replay(trace, policies.sieve(KEYS * 0.1))
    assert.is_nil(differ)
    assert.equal(REQUESTS, misses)
  end)

  it("hits as SIEVE does: loops that fit in, and that don't", function()
    for _, keys in ipairs { 100, 499, 500, 501, 1000 } do
      local differ, misses = replay(traces.loop(keys, REQUESTS), policies.sieve(500))
      assert.is_nil(differ)
      assert.equal(keys <= 500 and keys or REQUESTS, misses)
    end
  end)

  it("hits as SIEVE does and misses less than LRU: popular keys, scans and loops in turn", function()
    for _, share in ipairs(SHARES) do
      local trace = traces.mix(random, 0.9, KEYS, REQUESTS)
      local differ, misses = replay(trace, policies.sieve(KEYS * share))
      assert.is_nil(differ)
      assert.is_true(misses < misses_of(trace, policies.lru(KEYS * share)))
    end
  end)

  it("hits as SIEVE does in the smallest caches", function()
    for entries_max = 1, 4 do
      local differ = replay(traces.zipf(random, 0.8, 10, REQUESTS), policies.sieve(entries_max))
      assert.is_nil(differ)
    end
  end)

  it("would differ from another policy", function()
    assert.truthy(replay(traces.zipf(random, 0.8, KEYS, REQUESTS), policies.lru(KEYS * 0.1)))
  end)
end)

-- --- all at random -------------------------------------------------------

local IDENTITY_BYTES, OBJECT_FACTOR, ENTRY_SHARE = 8, 6, 8
local NAMES, TOKENS = 12, { "one", "two", "three" }

--- What the cache should be after each step: the policy, and beside it, by
-- identity and name, {text, stored, fresh_until, stale_until, object}.
local function new_model(client, entries_max, bytes_max)
  return {
    client = client, policy = policies.sieve(entries_max, bytes_max), entries = {}, token = TOKENS[1], now = 0,
    entry_max = math.floor(bytes_max / ENTRY_SHARE),
  }
end

local function sync(model)
  for key in pairs(model.entries) do
    if not model.policy:has(key) then
      model.entries[key] = nil
    end
  end
end

local function forget(model, key)
  model.policy:forget(key)
  model.entries[key] = nil
end

local steps = {}

function steps.store(model, random)
  local name = "k" .. random(NAMES)
  -- every second one is small enough for an object beside it
  local text = '"' .. ("x"):rep(random(math.ceil(model.entry_max / (random(2) == 1 and 1 or 10)))) .. '"'
  local ttl_s, stale_s = random(20) - 1, random(20) - 1
  local key = model.token .. name
  forget(model, key)
  local bytes = IDENTITY_BYTES + #name + #text
  local kept = ttl_s > 0 and bytes <= model.entry_max
  if kept then
    model.policy:insert(key, bytes)
    model.entries[key] = {
      text = text, stored = model.now, fresh_until = model.now + ttl_s, stale_until = model.now + ttl_s + stale_s,
    }
  end
  sync(model)
  return kept, core.store(model.client, name, text, ttl_s, stale_s)
end

-- The value is given to somebody, as text; a borrower's object has a weight.
local function give(model, key, borrow)
  local entry = model.entries[key]
  model.policy:use(key)
  local bytes = #entry.text * OBJECT_FACTOR
  if borrow and not entry.object and model.policy.nodes[key].bytes + bytes <= model.entry_max then
    model.policy:grow(key, bytes)
    entry.object = true
    sync(model)
  end
  return entry.text .. (model.now - entry.stored)
end

local function told(value, age_s)
  return value and '"' .. value .. '"' .. math.floor(age_s + 0.5)
end

local function look_up(model, name, borrow)
  local key = model.token .. name
  local entry = model.entries[key]
  local expected
  if entry and model.now < entry.fresh_until then
    expected = give(model, key, borrow)
  elseif entry and model.now >= entry.stale_until then
    forget(model, key)
  end
  return expected, told(core.lookup(model.client, nil, name, borrow))
end

function steps.get(model, random)
  return look_up(model, "k" .. random(NAMES), random(2) == 1)
end

-- After a look-up, or without one, as a refresh does.
function steps.get_stale(model, random)
  local name, borrow, within_s = "k" .. random(NAMES), random(2) == 1, random(20) - 1
  if random(2) == 1 then
    local expected, value = look_up(model, name, borrow)
    if expected or value then
      return expected, value
    end
  end
  local key = model.token .. name
  local entry = model.entries[key]
  local expected
  if entry and model.now < entry.stale_until and model.now - entry.fresh_until < within_s then
    expected = give(model, key, borrow)
  end
  return expected, told(core.stale(model.client, nil, name, borrow, within_s))
end

function steps.identify(model, random)
  model.token = TOKENS[random(#TOKENS)]
  core.identify(model.client, model.token)
end

function steps.advance(model, random)
  local seconds = random(4) - 1
  model.now = model.now + seconds
  core.advance(model.client, seconds)
end

-- Forgets the entries of which this is true; how many.
local function forget_all(model, matches)
  local count = 0
  for key, entry in pairs(model.entries) do
    if matches(key, entry) then
      model.policy:forget(key)
      model.entries[key] = nil
      count = count + 1
    end
  end
  return count
end

function steps.drop(model, random)
  local prefix = "k" .. random(NAMES)
  return forget_all(model, function(key)
    return key:find("^%a-" .. prefix) ~= nil
  end), core.drop(model.client, prefix)
end

function steps.clean(model)
  return forget_all(model, function(_, entry)
    return model.now >= entry.fresh_until
  end), core.clean(model.client)
end

-- How often each step is taken.
local TURNS = { { "store", 24 }, { "get", 24 }, { "get_stale", 12 }, { "identify", 4 }, { "advance", 4 },
  { "drop", 1 }, { "clean", 1 } }

local function chosen(random)
  local sum = 0
  for _, turn in ipairs(TURNS) do
    sum = sum + turn[2]
  end
  local number = random(sum)
  for _, turn in ipairs(TURNS) do
    number = number - turn[2]
    if number <= 0 then
      return turn[1]
    end
  end
end

--- So many steps at random; what went wrong, or nil.
local function live(seed, count)
  local random = traces.random(seed)
  local entries_max, bytes_max = random(NAMES * #TOKENS), 200 + random(2000)
  local client = new_cache { cache_entries_max = entries_max, cache_bytes_max = bytes_max }
  core.identify(client, TOKENS[1])
  local model = new_model(client, entries_max, bytes_max)
  for i = 1, count do
    local name = chosen(random)
    local expected, value = steps[name](model, random)
    local stats = core.cache_stats(client)
    if expected ~= value then
      return ("seed %d, step %d, %s: %s, expected %s"):format(seed, i, name, tostring(value), tostring(expected))
    elseif stats.size ~= model.policy.size or stats.bytes ~= model.policy.bytes then
      return ("seed %d, step %d, %s: %d entries of %d bytes, expected %d of %d"):format(seed, i, name, stats.size,
        stats.bytes, model.policy.size, model.policy.bytes)
    elseif stats.size > entries_max or stats.bytes > bytes_max then
      return ("seed %d, step %d, %s: beyond its budget"):format(seed, i, name)
    end
  end
end

describe("the cache, asked for anything at random,", function()
  it("gives what a plain one in Lua gives: of this identity, within its windows and budgets", function()
    for seed = 1, 400 do
      assert.is_nil(live(seed, 300))
    end
  end)

  it("holds one entry where one is allowed, and none that is larger than its eighth", function()
    local client = new_cache { cache_entries_max = 1, cache_bytes_max = 1024 }
    local largest = ("1"):rep(1024 / ENTRY_SHARE - IDENTITY_BYTES - 1)
    assert.is_true(core.store(client, "a", largest, 10, 0))
    assert.is_true(core.store(client, "b", largest, 10, 0))
    assert.equal(1024 / ENTRY_SHARE, core.cache_stats(client).bytes)
    assert.equal(1, core.cache_stats(client).evictions)
    assert.is_nil(core.lookup(client, nil, "a", false))
    assert.is_false(core.store(client, "b", largest .. "1", 10, 0))
    assert.equal(0, core.cache_stats(client).size)
  end)

  it("makes room for the object of a borrower, never by letting go of its entry", function()
    local client = new_cache { cache_bytes_max = 1024 }
    for i = 10, 89 do
      core.store(client, "k" .. i, "12", 10, 0)
    end
    local filled = core.cache_stats(client)
    -- all have been used, and the hand stands at the oldest
    for i = 90 - filled.size, 89 do
      core.lookup(client, nil, "k" .. i, false)
    end
    local oldest = "k" .. 90 - filled.size
    assert.equal(12, core.lookup(client, nil, oldest, true))
    local stats = core.cache_stats(client)
    assert.equal(filled.evictions + 1, stats.evictions)
    assert.equal(filled.bytes - 13 + 12, stats.bytes)
    assert.equal(12, core.lookup(client, nil, oldest, true))
    assert.equal(stats.bytes, core.cache_stats(client).bytes)
  end)
end)

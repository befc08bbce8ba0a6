-- Clients on one virtual clock, over one store: what processes of one machine are.

local core = require "dsclient.core"
local dict = require "support.dict"
local tasks = require "support.tasks"

local ok, status, failure = tasks.ok, tasks.status, tasks.failure

local PROJECTS = ok '{"totalList":[{"code":1,"name":"alpha"}],"total":1}'

local function merged(base, more)
  for name, value in pairs(more or {}) do
    base[name] = value
  end
  return base
end

--- The timers of a client, and what they begin: they end with its process.
local function timers(t, tasks_of)
  return function(seconds, fn)
    tasks_of[#tasks_of + 1] = t():spawn(function()
      t():sleep(seconds)
      fn()
    end)
  end
end

--- A bed of `count` clients over one store.
-- @tparam table|function script as of support.tasks
-- @tparam table|nil options of all clients; `shared` completes theirs, `entries_max`
--   is of the store, `count` of clients is 2
-- @treturn table of support.tasks, with store and `clients`
local function bed(script, options)
  local given = merged({}, options)
  local t
  local store = dict.new(function()
    return t and t.now or 0
  end, given.entries_max)
  local count, wished = given.count or 2, given.shared
  given.count, given.entries_max = nil, nil
  local begun = {} -- by client, the tasks of its timers

  local function options_of(i)
    begun[i] = {}
    local shared = merged({ entries = store, later = timers(function()
      return t
    end, begun[i]) }, wished)
    shared.later = shared.later or nil -- false: there is none
    return merged(merged({}, given), { shared = shared })
  end

  t = tasks.new(script, options_of(1))
  t.store = store

  --- Another client, with other options.
  function t.add(more)
    return t:another(script, merged(options_of(#t.clients + 1), more))
  end

  --- Ends a process, whose tasks these are.
  function t.kill_process(i, ...)
    for _, list in ipairs { begun[i], { ... } } do
      for _, task in ipairs(list) do
        t:vanish(task)
      end
    end
  end

  for _ = 2, count do
    t.add()
  end
  return t
end

--- Runs fn(t.client, …) in a task to its end.
local function run(t, fn, ...)
  local arguments, count = { ... }, select("#", ...)
  local task = t:spawn(function()
    fn((table.unpack or unpack)(arguments, 1, count)) -- luacheck: ignore
  end)
  t:run()
  if task.err then
    error(task.err, 0)
  end
end

local function second(client)
  return client:get_cache_stats().second
end

describe("the second level of the cache", function()
  it("has what another process fetched, for each a value of his own", function()
    local t = bed { PROJECTS }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      local value, _, meta = a:get_projects()
      assert.is_false(meta.cached)
      local other, err, other_meta = b:get_projects()
      assert.is_nil(err)
      assert.same(value, other)
      assert.is_true(other_meta.cached)
      assert.equal(0, other_meta.attempts)
      other[1].name = "changed"
      assert.equal("alpha", b:get_projects()[1].name)
    end)
    assert.equal(1, #t.requests)
    assert.same({ 1, 0 }, { second(b).hits, second(b).misses })
    assert.same({ 0, 1 }, { second(a).hits, second(a).misses })
    local stats = b:get_cache_stats()
    assert.same({ 2, 0, 1 }, { stats.hits, stats.misses, stats.size })
  end)

  it("keeps the time at which it was fetched", function()
    local t = bed { PROJECTS }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a:get_projects()
      t:sleep(3000)
      local _, _, meta = b:get_projects()
      assert.near(3000, meta.age_s, 1e-3)
      t:sleep(599)
      _, _, meta = b:get_projects()
      assert.near(3599, meta.age_s, 1e-3)
      t:sleep(1)
      _, _, meta = b:get_projects()
      assert.is_false(meta.cached)
    end)
    assert.equal(2, #t.requests)
  end)

  it("gives the object to borrowers, and each process has one of its own", function()
    local t = bed { PROJECTS }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      local value = a:get_projects { borrow = true }
      local other = b:get_projects { borrow = true }
      assert.equal(other, (b:get_projects { borrow = true }))
      assert.not_equal(value, other)
    end)
    assert.equal(1, #t.requests)
  end)

  it("has an old value where the server is at fault", function()
    local down = false
    local t = bed(function()
      return down and failure("connect", "unsent") or PROJECTS
    end, { max_retries = 0 })
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a:get_projects()
      down = true
      t:sleep(3700)
      local value, err, meta = b:get_projects()
      assert.is_nil(err)
      assert.equal("alpha", value[1].name)
      assert.same({ true, true, "connect" }, { meta.cached, meta.stale, meta.error.kind })
      t:sleep(600)
      value, err = b:get_projects()
      assert.is_nil(value)
      assert.equal("connect", err.kind)
    end)
  end)

  it("parts servers, tokens, zones and versions, and holds no token", function()
    local t = bed({ PROJECTS }, { token = "the secret of somebody" })
    local apart = {
      { token = "another" }, { api_url = "http://127.0.0.1:9" }, { server_timezone = "+05:00" },
      { server_version = "3.2.2" },
    }
    run(t, function()
      t.clients[1]:get_projects()
      for _, options in ipairs(apart) do
        local other = t.add(options)
        local before = #t.requests
        assert.is_false(select(3, other:get_projects()).cached)
        assert.equal(before + 1, #t.requests)
      end
      assert.is_true(select(3, t.clients[2]:get_projects()).cached)
    end)
    for name, item in pairs(t.store.items) do
      assert.is_nil((name .. tostring(item.value)):find("secret", 1, true))
    end
  end)

  it("is shared under an identity, whatever the token", function()
    local t = bed({ PROJECTS }, { identity = "monitoring" })
    local other = t.add { token = "another" }
    run(t, function()
      t.client:get_projects()
      assert.is_true(select(3, other:get_projects()).cached)
    end)
  end)

  it("checks what it reads: each byte that is another makes a miss", function()
    local t = bed { PROJECTS }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a:get_projects()
      local name, sound
      for key, item in pairs(t.store.items) do
        if key:sub(1, 1) == "E" then
          name, sound = key, item.value
        end
      end
      local spoiled = { "", "x", 17, true, sound:sub(1, 47), sound:sub(1, -2), sound .. "x" }
      for i = 1, #sound do
        spoiled[#spoiled + 1] = sound:sub(1, i - 1) .. string.char((sound:byte(i) + 1) % 256) .. sound:sub(i + 1)
      end
      for i, bytes in ipairs(spoiled) do
        t.store:set(name, bytes)
        local value, err, meta = b:get_projects()
        assert.is_nil(err)
        assert.equal("alpha", value[1].name)
        assert.is_false(meta.cached)
        assert.equal(i, second(b).broken)
        b:clean_expired()
        core.clear(b)
      end
      assert.equal(1 + #spoiled, #t.requests)
      t.store:set(name, sound)
      assert.is_true(select(3, b:get_projects()).cached)
    end)
  end)

  it("takes an entry for none that is another's, or of a time to come", function()
    local t = bed { PROJECTS }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a.projects:list { search = "a" }
      local entries = {}
      a.projects:list { search = "b" }
      for key, item in pairs(t.store.items) do
        if key:sub(1, 1) == "E" then
          entries[#entries + 1] = item
        end
      end
      entries[1].value, entries[2].value = entries[2].value, entries[1].value
      for _, search in ipairs { "a", "b" } do
        assert.is_false(select(3, b.projects:list { search = search }).cached)
      end
      assert.equal(2, second(b).broken)
      core.advance(a, 5)
      a.projects:list { search = "c" }
      assert.is_false(select(3, b.projects:list { search = "c" }).cached)
      assert.is_true(second(b).broken >= 3)
    end)
  end)

  it("takes what was well sealed for none if it can't be a result", function()
    local t = bed { PROJECTS }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a:get_projects()
      local key = "projects.list\0"
      local name = core.name(a, "E", key, true)
      assert.is_not_nil(t.store.items[name])
      local versions = {}
      for item_name, item in pairs(t.store.items) do
        if item_name:sub(1, 1) == "V" then
          versions[#versions + 1] = item.value
        end
      end
      local stamp = versions[1] + versions[2]
      for i, text in ipairs { "5", '"x"', "true", "null", "[", "" } do
        t.store:set(name, core.seal(a, key, text, stamp, 100, 100))
        assert.is_false(select(3, b:get_projects()).cached)
        assert.equal(i, second(b).broken)
        core.clear(b)
      end
      t.store:set(name, core.seal(a, key, '[{"name":"sealed"}]', stamp, 100, 100))
      assert.equal("sealed", b:get_projects()[1].name)
    end)
  end)

  it("keeps no more rows from a caller than he wants", function()
    local t = bed { ok '{"totalList":[{"code":1},{"code":2}],"total":2}' }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a.projects:list {}
      local value, err = b.projects:list { rows_max = 1 }
      assert.is_nil(value)
      assert.equal("limit", err.kind)
    end)
    assert.equal(1, #t.requests)
  end)

  -- On LuaJIT a method asks the store itself once it knows what is not too old.
  describe("on the short way", function()
    local t, a, b

    local function find(client, search, opts)
      local value, _, meta = assert(client.projects:list({ search = search }, opts))
      return value, meta
    end

    --- b knows what is not too old, and has not seen what a has.
    before_each(function()
      t = bed { ok '{"totalList":[{"code":1,"name":"alpha"},{"code":2}],"total":2}' }
      a, b = t.clients[1], t.clients[2]
      run(t, function()
        for _, search in ipairs { "first", "x", "y" } do
          find(a, search)
        end
        find(b, "first")
        assert.equal(1, second(b).hits)
      end)
    end)

    local function entry()
      local name = core.name(b, "E", "projects.list\0search=1:x\0", true)
      return name, assert(t.store:get(name))
    end

    it("gives what the whole way gives, and counts as it does", function()
      run(t, function()
        t:sleep(5)
        find(b, "first")
        local before = t.store.calls.get
        local value, meta = find(b, "x")
        assert.equal(before + (jit and 1 or 2), t.store.calls.get)
        assert.same({ { code = "1", name = "alpha" }, { code = "2" } }, value)
        assert.same({ true, 0 }, { meta.cached, meta.attempts })
        assert.near(t.now - 0.2, meta.age_s, 0.011)
        local borrowed = find(b, "y", { borrow = true })
        assert.equal(borrowed, (find(b, "y", { borrow = true })))
      end)
      assert.equal(3, #t.requests)
      local stats = b:get_cache_stats()
      assert.same({ 5, 0, 3 }, { stats.hits, stats.misses, stats.second.hits })
      t:run()
      local metrics = a:get_all_metrics()["projects.list"]
      assert.same({ 8, 5 }, { metrics.call_count, metrics.cached_count })
    end)

    it("knows what is broken, too long, or too old", function()
      run(t, function()
        local name, sound = entry()
        t.store:set(name, sound:sub(1, -2))
        assert.is_false(select(2, find(b, "x")).cached)
        assert.equal(1, second(b).broken)
        local _, err = b.projects:list { search = "y", rows_max = 1 }
        assert.equal("limit", err.kind)
        find(b, "first")
        assert(a.projects:create { name = "new" })
        assert.is_false(select(2, find(a, "x")).cached)
        assert.is_false(select(2, find(b, "y")).cached)
        assert.is_true(select(2, find(b, "x")).cached)
      end)
    end)

    it("sees its own writes at once", function()
      run(t, function()
        assert(b.projects:create { name = "new" })
        assert.is_false(select(2, find(b, "x")).cached)
      end)
    end)

    it("does not mix up the calls of two methods", function()
      run(t, function()
        find(b, "x")
        assert.equal("alpha", b:get_projects()[1].name)
        assert.is_true(select(2, find(b, "y")).cached)
      end)
    end)

    it("goes on when the client is closed meanwhile", function()
      local get = t.store.get
      t.store.get = function(...)
        t.store.get = get
        b:close()
        return get(...)
      end
      run(t, function()
        local _, err = b.projects:list { search = "x" }
        assert.is_true(err.kind == "closed" or err.kind == "cancelled")
      end)
    end)
  end)

  it("goes on with a store that is too small for anything", function()
    local t = bed({ PROJECTS }, { entries_max = 1 })
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      for _ = 1, 3 do
        assert.equal("alpha", a:get_projects()[1].name)
        assert.equal("alpha", b:get_projects()[1].name)
        t:sleep(1)
      end
    end)
    assert.is_true(second(a).driven_out > 0)
  end)

  it("goes on with a store that does nothing", function()
    for _, method in ipairs { true, "get", "set", "add", "incr", "delete" } do
      local t = bed({ PROJECTS }, { entries_max = 100 })
      t.store.broken = method
      run(t, function()
        for i, client in ipairs(t.clients) do
          local value, err = client:get_projects()
          assert.is_nil(err)
          assert.equal("alpha", value[1].name)
          assert.is_true(select(3, client:get_projects()).cached)
          assert.is_true((client:execute_failure_recovery("1", i)))
          assert.is_not_nil(client:status())
          assert.is_not_nil(client:get_all_metrics().get_projects)
        end
      end)
      if method ~= "get" and method ~= "delete" then
        assert.is_true(second(t.client).refused > 0, tostring(method))
      end
    end
  end)
end)

describe("invalidation", function()
  local run_id = 0

  local function recover(client)
    run_id = run_id + 1 -- each is held for a while
    return assert(client:execute_failure_recovery("1", run_id))
  end

  local function runs(client)
    return select(3, assert(client:get_workflow_instances("1"))).cached
  end

  local function lists()
    return ok '{"totalList":[{"id":1,"state":"SUCCESS"}],"total":1}'
  end

  local CACHED = { cache_ttl_s = { get_workflow_instances = 100, ["instances.list"] = 100 } }

  it("reaches each process within 20 ms, on the short way too", function()
    local t = bed(lists, CACHED)
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      runs(b)
      assert.is_true(runs(b))
      recover(a)
      t:sleep(0.02)
      assert.is_false(runs(b))
      assert.is_true(runs(a)) -- what b has read is newer than the write
      assert.is_true(runs(b))
    end)
  end)

  it("looks at the store once in 20 ms, however many hits there are", function()
    local t = bed(lists, CACHED)
    run(t, function()
      runs(t.client)
      local before = t.store.calls.get
      for _ = 1, 1000 do
        assert.is_true(runs(t.client))
      end
      assert.equal(before, t.store.calls.get)
      t:sleep(0.02)
      for _ = 1, 1000 do
        assert.is_true(runs(t.client))
      end
      assert.equal(before + 1, t.store.calls.get)
    end)
  end)

  it("makes nothing old but what the write concerns", function()
    local t = bed(function(request)
      return request.path:find "instances" and lists() or PROJECTS
    end, CACHED)
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      b:get_projects()
      recover(a)
      t:sleep(0.02)
      assert.is_true(select(3, b:get_projects()).cached)
      assert.is_true(select(3, a:get_projects()).cached)
    end)
  end)

  it("keeps the answer of a fetch that a write of another process overtook from all", function()
    local t
    t = bed(function(request)
      return request.path:find "execute" and ok "true" or merged(lists(), { takes_s = 1 })
    end, CACHED)
    local a, b = t.clients[1], t.clients[2]
    t:spawn(function()
      runs(b)
    end)
    t:spawn(function()
      t:sleep(0.5)
      recover(a)
    end)
    t:run()
    run(t, function()
      assert.is_false(runs(b))
      assert.is_true(runs(a))
    end)
  end)

  it("of all: clear_cache in one process clears all", function()
    local t = bed { PROJECTS }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a:get_projects()
      b:get_projects()
      assert.equal(1, a:clear_cache())
      t:sleep(0.02)
      assert.is_false(select(3, b:get_projects()).cached)
      assert.is_true(select(3, a:get_projects()).cached)
    end)
  end)

  it("is not undone where the store loses or spoils its versions", function()
    for _, tag in ipairs { "N", "V" } do
      for _, harm in ipairs { "lose", 0, -1, 0.5, 2 ^ 60, math.huge, 0 / 0, "x" } do
        local t = bed(lists, CACHED)
        local a, b = t.clients[1], t.clients[2]
        local function do_harm()
          if harm == "lose" then
            t.store:lose(tag)
          else
            t.store:spoil(tag, function()
              return harm
            end)
          end
          t:sleep(0.02)
        end
        run(t, function()
          runs(a)
          recover(a)
          runs(a)
          do_harm()
          assert.is_boolean(runs(b))
          recover(a)
          t:sleep(0.02)
          assert.is_false(runs(b), tag .. tostring(harm))
          do_harm()
          recover(b)
          t:sleep(0.02)
          assert.is_false(runs(a), tag .. tostring(harm))
          assert.is_true(runs(b))
        end)
      end
    end
  end)
end)

describe("one fetch for all", function()
  local function projects(client, opts)
    return function()
      return client:get_projects(opts)
    end
  end

  --- So many tasks of each client at once; what each got.
  local function all(t, count, opts)
    local fns = {}
    for _, client in ipairs(t.clients) do
      for _ = 1, count do
        fns[#fns + 1] = projects(client, opts)
      end
    end
    return t:all((table.unpack or unpack)(fns)) -- luacheck: ignore
  end

  it("is made of 400 calls in four processes", function()
    local t = bed({ merged({ takes_s = 2 }, PROJECTS) }, { count = 4 })
    local results = all(t, 100)
    assert.equal(1, #t.requests)
    for i, result in ipairs(results) do
      assert.equal("alpha", result.value[1].name)
      -- who is of the fetching process has it at once, the others look every 16 ms
      assert.is_true(result.at <= 2 + (i > 100 and 0.016 or 0) + 1e-9)
    end
    local joined = 0
    for _, client in ipairs(t.clients) do
      local stats = client:get_cache_stats()
      joined = joined + stats.shared
      assert.same({ 0, 100 }, { stats.hits, stats.misses })
    end
    assert.equal(399, joined)
    assert.equal(400, t.client:get_all_metrics().get_projects.call_count)
    assert.equal(0, t.client:get_all_metrics().get_projects.error_count)
  end)

  it("does not bind those of other processes where it failed: each of them tries once, at once", function()
    local t = bed({ merged({ takes_s = 1 }, status(403)) }, { count = 4, max_retries = 0 })
    local results = all(t, 10)
    assert.equal(4, #t.requests)
    for i, result in ipairs(results) do
      assert.equal("http", result.err.kind)
      assert.is_true(result.at <= (i <= 10 and 1 or 2.02))
    end
  end)

  it("ends for each waiting call at its own deadline", function()
    local t = bed { merged({ takes_s = 5 }, PROJECTS) }
    local results = t:all(projects(t.clients[1]), projects(t.clients[2], { timeout_s = 1 }))
    assert.equal("alpha", results[1].value[1].name)
    assert.same({ "deadline", "get_projects" }, { results[2].err.kind, results[2].err.operation })
    assert.near(1, results[2].at, 1e-3)
    assert.equal(1, #t.requests)
  end)

  it("gives a waiting call an old value at its deadline", function()
    local t = bed { merged({ takes_s = 5 }, PROJECTS) }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a:get_projects()
      t:sleep(3600)
    end)
    local results = t:all(projects(a), projects(b, { timeout_s = 1 }))
    assert.is_true(results[2].meta.stale)
    assert.equal("deadline", results[2].meta.error.kind)
  end)

  it("is waited for until the task is cancelled, or the client closed", function()
    local t = bed({ merged({ takes_s = 5 }, PROJECTS) }, { count = 3 })
    local kinds = {}
    local function waiting(i)
      return t:spawn(function()
        local _, err = t.clients[i]:get_projects()
        kinds[i] = err and err.kind or "ok"
      end)
    end
    waiting(1)
    local cancelled = waiting(2)
    waiting(3)
    t:spawn(function()
      t:sleep(1)
      t:cancel(cancelled)
      t.clients[3]:close()
      t:sleep(0.1)
      assert.same({ nil, "cancelled", "cancelled" }, kinds)
    end)
    t:run()
    assert.equal("ok", kinds[1])
    assert.equal(1, #t.requests)
  end)

  it("is not what a refresh waits for", function()
    local t = bed { merged({ takes_s = 1 }, PROJECTS) }
    local results = t:all(projects(t.clients[1]), projects(t.clients[2], { refresh = true }))
    assert.equal(2, #t.requests)
    assert.near(1, results[2].at, 1e-9)
  end)

  -- Four processes, of which the first is killed or what it does vanishes after half a
  -- second, while the others wait.
  local function without_first(t, end_first)
    local victim = t:spawn(projects(t.clients[1]))
    local got = {}
    t:spawn(function()
      t:sleep(0.4)
      for i = 2, 4 do
        t:spawn(function()
          got[i] = { name = t.clients[i]:get_projects()[1].name, at = t.now }
        end)
      end
      t:sleep(0.1)
      end_first(victim)
    end)
    t:run()
    assert.equal(2, #t.requests)
    for i = 2, 4 do
      assert.equal("alpha", got[i].name)
      assert.near(t.requests[2].at + 1, got[i].at, 0.05)
    end
    return t.requests[2].at
  end

  local function slow_first(_, number)
    return merged({ takes_s = number == 1 and 20 or 1 }, PROJECTS)
  end

  it("passes to one other process when its own was killed, after the lease", function()
    local t = bed(slow_first, { count = 4 })
    assert.near(3, without_first(t, function(victim)
      t.kill_process(1, victim)
    end), 0.05)
  end)

  it("passes after the time of an attempt where leases can't be renewed", function()
    local t = bed(slow_first, { count = 4, shared = { later = false } })
    assert.near(25, without_first(t, function(victim)
      t.kill_process(1, victim)
    end), 0.05)
  end)

  it("passes when its task has vanished, and the process lives", function()
    local t = bed(slow_first, { count = 4, mortal = true })
    assert.near(4, without_first(t, function(victim)
      t:vanish(victim)
    end), 0.6)
  end)

  it("passes at once where it is known who is alive", function()
    local dead
    local t
    t = bed(slow_first, { count = 4, shared = {
      owner = function()
        return "worker" .. (#t.requests == 0 and 1 or 2)
      end,
      lives = function(owner)
        return owner ~= dead
      end,
    } })
    assert.near(0.5, without_first(t, function(victim)
      t.kill_process(1, victim)
      dead = "worker1"
    end), 0.02)
  end)

  it("passes within its process at once, when that sees that its task has vanished", function()
    local t = bed(slow_first, { mortal = true })
    local victim = t:spawn(projects(t.clients[1]))
    local at = {}
    for i = 1, 2 do
      t:spawn(function()
        t:sleep(0.5)
        t.clients[i]:get_projects()
        at[i] = t.now
      end)
    end
    t:spawn(function()
      t:sleep(0.6)
      t:vanish(victim)
    end)
    t:run()
    assert.equal(2, #t.requests)
    assert.near(4, t.requests[2].at, 1.01)
    assert.near(t.requests[2].at + 1, at[1], 0.05)
    assert.near(t.requests[2].at + 1, at[2], 0.05)
  end)

  it("is made once, however long it takes", function()
    for _, later in ipairs { false, "as it is" } do
      local t = bed({ merged({ takes_s = 12 }, PROJECTS) }, { shared = later == false and { later = false } or nil })
      local results = t:all(projects(t.clients[1]), projects(t.clients[2]))
      assert.equal(1, #t.requests)
      assert.equal("alpha", results[2].value[1].name)
      assert.near(12, results[2].at, 0.02)
    end
  end)

  it("goes on where the store forgets or spoils the lease", function()
    for _, harm in ipairs { "lose", 5, true, "", "x y z", "99999999999999999 nobody 1", "1 nobody 1" } do
      local t = bed { merged({ takes_s = 3 }, PROJECTS) }
      t:spawn(function()
        t:sleep(1)
        if harm == "lose" then
          t.store:lose "F"
        else
          t.store:set(core.name(t.client, "F", "projects.list\0", true), harm, 0)
        end
      end)
      local results = t:all(projects(t.clients[1]), projects(t.clients[2]))
      for i = 1, 2 do
        assert.equal("alpha", results[i].value[1].name)
        assert.is_true(results[i].at < 4.1)
      end
    end
  end)

  it("is made once for all who fetch anew in the background", function()
    for _, given in ipairs { { { refresh_ahead = true }, 3000 }, { { stale_while_revalidate_s = 600 }, 3700 } } do
      local t = bed({ merged({ takes_s = 1 }, PROJECTS) }, merged({ count = 4 }, given[1]))
      run(t, function()
        for _, client in ipairs(t.clients) do
          client:get_projects()
        end
        assert.equal(1, #t.requests)
        t:sleep(given[2])
        for _, client in ipairs(t.clients) do
          assert.is_true(select(3, client:get_projects()).cached)
        end
        t:sleep(10)
        assert.equal(2, #t.requests)
        for _, client in ipairs(t.clients) do
          local _, _, meta = client:get_projects()
          assert.is_true(meta.cached and meta.age_s < 12)
        end
        assert.equal(2, #t.requests)
      end)
    end
  end)

  it("is made once for all who prefetch", function()
    local t = bed({ merged({ takes_s = 1 }, PROJECTS) }, { count = 3 })
    run(t, function()
      for i = 1, 3 do
        t:spawn(function()
          assert(t.clients[i]:prefetch { { "projects.list" } })
        end)
      end
      t:sleep(3)
      for _, client in ipairs(t.clients) do
        assert.is_true(select(3, client.projects:list()).cached)
      end
      assert.equal(1, #t.requests)
    end)
  end)

  it("gives the lease back where a Lua error ends it", function()
    local t = bed { PROJECTS }
    local wrong = true
    local real = core.encode
    core.encode = function(...) -- luacheck: ignore
      if wrong then
        error("no", 0)
      end
      return real(...)
    end
    local fine, err = pcall(run, t, function()
      t.clients[1]:get_projects()
    end)
    wrong = false
    core.encode = real -- luacheck: ignore
    assert.is_false(fine)
    assert.equal("no", err)
    local before = t.now
    run(t, function()
      t.clients[2]:get_projects()
    end)
    assert.near(before, t.requests[2].at, 1e-9)
  end)
end)

describe("the limits", function()
  local PAGE = ok '{"totalList":[],"total":0}'

  local function list(client, opts)
    return function()
      return client:call("instances.list", { project = "1" }, opts)
    end
  end

  local function times(t)
    local at = {}
    for i, request in ipairs(t.requests) do
      at[i] = math.floor(request.at * 1000 + 0.5)
    end
    return at
  end

  it("are one pace for all", function()
    local t = bed({ PAGE }, { count = 3, rate_limit = { per_s = 10, burst = 2 } })
    local calls = {}
    for i = 1, 9 do
      calls[i] = list(t.clients[i % 3 + 1])
    end
    t:all((table.unpack or unpack)(calls)) -- luacheck: ignore
    assert.same({ 0, 0, 100, 200, 300, 400, 500, 600, 700 }, times(t))
    assert.equal(10, t.clients[2]:status().rate_per_s)
  end)

  it("hold all after a 429 to one", function()
    local t = bed(function(_, number)
      return number == 1 and merged({ takes_s = 0 }, status(429, { ["retry-after"] = "5" })) or PAGE
    end)
    local a, b = t.clients[1], t.clients[2]
    t:spawn(list(a))
    t:spawn(function()
      t:sleep(0.5)
      assert.near(4.5, b:status().hold_s, 1e-3)
      list(b)()
    end)
    t:run()
    assert.equal(0, t.requests[1].at)
    assert.is_true(t.requests[2].at >= 5)
    assert.is_true(t.requests[3].at >= 5.5) -- one a second from now on
  end)

  it("are one retry budget", function()
    local t = bed({ merged({ takes_s = 0 }, failure("connect", "unsent")) },
      { enable_breaker = false, max_retries = 100, backoff_s = 0, count = 4 })
    for i = 1, 4 do
      t:spawn(list(t.clients[i], { timeout_s = 5 }))
    end
    t:run()
    -- 500 tokens, 14 a repeat: 35 repeats of them all
    assert.equal(4 + 35, #t.requests)
    for _, client in ipairs(t.clients) do
      assert.equal(10, client:status().budget)
    end
  end)

  it("are one breaker: where one process finds it open all do, and one probe goes out", function()
    local down, probes = true, {}
    local t
    t = bed(function()
      if t.now >= 1 then
        probes[#probes + 1] = t.now
      end
      return down and merged({ takes_s = 0 }, failure("connect", "unsent")) or PAGE
    end, { count = 4, max_retries = 0 })
    local kinds = {}
    local function call(i)
      local _, err = list(t.clients[i])()
      return err and err.kind or "ok"
    end
    run(t, function()
      for i = 1, 20 do
        assert.equal("connect", call(i % 4 + 1))
      end
      for i = 1, 4 do
        assert.equal("breaker_open", call(i))
        assert.equal("open", t.clients[i]:status().servers[1].state)
      end
      t:sleep(1)
      down = false
      for i = 1, 4 do
        t:spawn(function()
          kinds[i] = call(i)
        end)
      end
      t:sleep(0.05)
      assert.same({ nil, "breaker_open", "breaker_open", "breaker_open" }, kinds)
      t:sleep(0.1)
      assert.equal("ok", kinds[1])
      for i = 1, 4 do
        assert.equal("closed", t.clients[i]:status().servers[1].state)
        assert.equal("ok", call(i))
      end
    end)
    assert.equal(5, #probes)
  end)

  it("don't leave a permit with a probe whose process was killed", function()
    local t = bed(function(_, number)
      return number <= 20 and merged({ takes_s = 0 }, failure("connect", "unsent")) or PAGE
    end, { max_retries = 0 })
    local a, b = t.clients[1], t.clients[2]
    local victim
    run(t, function()
      for _ = 1, 20 do
        list(a)()
      end
      t:sleep(1)
      victim = t:spawn(list(a))
      t:sleep(0.01)
      t:vanish(victim)
      t:sleep(1.98)
      assert.equal("breaker_open", select(2, list(b)()).kind)
      t:sleep(0.02)
      assert.is_table((list(b)()))
    end)
  end)

  it("are of each operation, too", function()
    local t = bed({ merged({ takes_s = 0 }, status(500)) }, { max_retries = 0 })
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      for _ = 1, 20 do
        list(a)()
      end
      assert.equal("breaker_open", select(2, list(b)()).kind)
      assert.equal("server", select(2, b:get_projects()).kind)
      assert.equal("open", b:status().operations["instances.list"].state)
    end)
  end)

  it("are each process's own where the store has lost or spoiled them", function()
    for _, tag in ipairs { "L", "B", "G" } do
      for _, harm in ipairs { "lose", 5, "", ("x"):rep(204), ("x"):rep(140) } do
        local t = bed({ PAGE }, { rate_limit = { per_s = 10 } })
        local a, b = t.clients[1], t.clients[2]
        run(t, function()
          for i = 1, 4 do
            assert.is_table((list(i % 2 == 0 and a or b)()))
            if harm == "lose" then
              t.store:lose(tag)
            else
              t.store:spoil(tag, function()
                return harm
              end)
            end
            t:sleep(0.2)
          end
        end)
        assert.equal(4, #t.requests)
        local broken = second(a).broken + second(b).broken
        assert.equal((harm == "lose" or tag == "G") and 0 or 3, broken, tag .. tostring(harm))
      end
    end
  end)

  it("refuse what was well summed up but can't be", function()
    local t = bed({ PAGE }, { rate_limit = { per_s = 10 } })
    local a, b = t.clients[1], t.clients[2]
    core.advance(a, 100)
    run(t, function()
      list(a)()
      list(b)() -- for which those are of a time to come
    end)
    assert.equal(2, #t.requests)
    assert.near(0.1, t.requests[2].at, 1e-6)
    assert.is_true(second(b).broken >= 1)
  end)

  -- Lua 5.4 has the integers to sum up such bytes.
  if math.type then
    it("let each call come to its end, whatever they say, if it is well summed up", function()
      local siphash = require "support.siphash"
      local function sealed(bytes)
        return string.pack("<i8", siphash(0x243f6a8885a308d3, 0x13198a2e03707344, bytes)) .. bytes
      end
      local t = bed({ merged({ takes_s = 0.01 }, PAGE) }, { rate_limit = { per_s = 100 } })
      local a, b = t.clients[1], t.clients[2]
      local ends, taken = {}, 0
      run(t, function()
        t:sleep(100)
        list(a)()
        local names = { core.name(a, "L", ""), core.name(a, "B", "instances.list") }
        local sound = { t.store:get(names[1]), t.store:get(names[2]) }
        assert.equal(sound[1], sealed(sound[1]:sub(9)))
        local words = { ("\255"):rep(8), ("\0"):rep(8), ("\0"):rep(7) .. "\127", ("\255"):rep(7) .. "\127",
          string.pack("<d", 1e300), string.pack("<d", 0 / 0),
          string.pack("<i8", 1), string.pack("<i8", 90000000) }
        for which = 1, 2 do
          for at = 9, #sound[which] - 7 do
            for _, word in ipairs(words) do
              local bytes = sound[which]:sub(1, at - 1) .. word .. sound[which]:sub(at + 8)
              t.store:set(names[which], sealed(bytes:sub(9)))
              local broken, started = second(b).broken, t.now
              local _, err = list(b, { timeout_s = 2 })()
              ends[err and err.kind or "ok"] = true
              taken = taken + (second(b).broken == broken and 1 or 0)
              assert.is_true(t.now - started <= 2.001)
              local told = b:status()
              assert.is_true(told.budget >= 0 and told.budget <= told.budget_max)
              assert.is_true((told.hold_s or 0) <= 60)
              t.store:set(names[1], sound[1])
              t.store:set(names[2], sound[2])
            end
          end
        end
        assert.is_nil(select(2, list(b)()))
      end)
      ends.ok, ends.deadline, ends.throttled, ends.breaker_open = nil, nil, nil, nil
      assert.same({}, ends)
      assert.is_true(taken > 100) -- some of them are possible
    end)
  end

  it("wait a tenth of a second for a process that was killed with them in its hands", function()
    local t = bed { PAGE }
    run(t, function()
      list(t.client)()
      -- left to itself, spoiled, and one that the store never forgets
      for _, given in ipairs { { 0.1, 0.1, "%.0f somebody 1" }, { 0, 0, "somebody" }, { 0.1, 0, "%.0f somebody 1" } } do
        t.store:set(core.name(t.client, "G", ""), given[3]:format((t.now + given[1]) * 1e6), given[2])
        local before = t.now
        list(t.client)()
        assert.near(0.1 + given[1], t.now - before, 0.002)
      end
      assert.equal(0, second(t.client).unlocked)
    end)
  end)

  it("go on with their own where another process has them for too long", function()
    local t = bed { PAGE }
    run(t, function()
      list(t.client)()
      local get = t.store.get
      t.store.get = function(self, name)
        return name == core.name(t.client, "G", "") and ("%.0f somebody 1"):format((t.now + 1) * 1e6)
          or get(self, name)
      end
      t.store:set(core.name(t.client, "G", ""), "taken", 0)
      local before = t.now
      assert.is_table((list(t.client)()))
      assert.near(0.1 + 2 * 0.151, t.now - before, 0.002)
      assert.equal(2, second(t.client).unlocked)
    end)
  end)
end)

describe("the counters", function()
  local PAGE = ok '{"totalList":[],"total":0}'

  local function list(client)
    return client:call("instances.list", { project = "1" })
  end

  local function total(client)
    return client:get_metrics_summary().total_api_calls
  end

  it("are those of all processes, a second later at most, and stay after their end", function()
    local t = bed({ PAGE }, { count = 4 })
    run(t, function()
      for i, client in ipairs(t.clients) do
        for _ = 1, i do
          list(client)
        end
        assert.equal(i, total(client)) -- those that were not brought are known to it alone
      end
      t:sleep(1.1)
      for _, client in ipairs(t.clients) do
        assert.equal(10, total(client))
        assert.equal(10, client:get_all_metrics()["instances.list"].attempts)
        assert.equal(10, client:metrics_snapshot().operations[1].calls.ok)
        assert.is_not_nil(client:metrics_text():find("dsclient_calls_total%b{} 10\n"))
        assert.is_not_nil(client:metrics_json():find('"total_api_calls":10', 1, true))
      end
      for i = 2, 4 do
        list(t.clients[i])
        t.clients[i]:close()
      end
      assert.equal(13, total(t.client))
    end)
  end)

  it("have every hit of the first level in them", function()
    local t = bed { PROJECTS }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      for i = 1, 500 do
        a:get_projects()
        if i % 50 == 0 then
          t:sleep(0.3)
        end
      end
      t:sleep(1.1)
      assert.equal(500, b:get_all_metrics().get_projects.call_count)
      a:get_projects()
      t:sleep(1.1)
      assert.equal(501, b:get_all_metrics().get_projects.call_count)
    end)
  end)

  it("come by themselves where nobody calls later, with the next call", function()
    local t = bed({ PAGE }, { shared = { later = false } })
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      list(a)
      list(a)
      assert.equal(0, total(b))
      t:sleep(1)
      list(a)
      assert.equal(3, total(b))
    end)
  end)

  it("are lost with a process that is killed as far as they were not brought, and counted once", function()
    local t = bed { PAGE }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      list(a)
      t:sleep(1.1)
      assert.equal(1, total(b))
      assert.equal(1, total(a))
      list(a)
      assert.equal(1, total(b))
      assert.equal(2, total(a))
    end)
  end)

  it("are kept by a process until the store takes them", function()
    local t = bed { PAGE }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      t.store.broken = "set"
      list(a)
      t:sleep(1.1)
      assert.same({ 1, 0 }, { total(a), total(b) })
      t.store.broken = false
      list(a)
      t:sleep(1.1)
      assert.same({ 2, 2 }, { total(a), total(b) })
    end)
  end)

  it("begin anew where the store has spoiled them", function()
    local harms = { 5, "", "{", "[]", '{"version":2,"operations":[]}', '{"version":1,"operations":[{"x":1}]}' }
    for _, harm in ipairs(harms) do
      local t = bed { PAGE }
      local a, b = t.clients[1], t.clients[2]
      run(t, function()
        list(a)
        t:sleep(1.1)
        t.store:spoil("C", function()
          return harm
        end)
        assert.equal(0, total(b))
        assert.is_true(second(b).broken > 0)
        list(b)
        t:sleep(1.1)
        assert.same({ 1, 1 }, { total(a), total(b) })
      end)
    end
  end)

  it("are set to zero for all", function()
    local t = bed { PAGE }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      list(a)
      t:sleep(1.1)
      assert.is_true(b:reset_metrics())
      assert.same({ 0, 0 }, { total(a), total(b) })
    end)
  end)

  it("of a user's function, too", function()
    local t = bed { PAGE }
    local a, b = t.clients[1], t.clients[2]
    run(t, function()
      a:monitored(function()
        return true
      end, "mine")()
      t:sleep(1.1)
      assert.equal(1, b:get_all_metrics().mine.call_count)
    end)
  end)
end)

describe("the option `shared`", function()
  it("is checked", function()
    local store = dict.new(function()
      return 0
    end)
    for _, wrong in ipairs { {}, { entries = {} }, { entries = store, state = 5 }, { entries = store, later = 5 },
      { entries = store, more = 1 }, { entries = store, lives = true }, { state = store } } do
      assert.has_error(function()
        tasks.new({ PROJECTS }, { shared = wrong })
      end)
    end
  end)

  it("takes a store of its own for all that is small", function()
    local state = dict.new(function()
      return 0
    end)
    local t = bed({ PROJECTS }, { shared = { state = state } })
    run(t, function()
      t.client:get_projects()
    end)
    for name in pairs(t.store.items) do
      assert.equal("E", name:sub(1, 1))
    end
    assert.is_not_nil(next(state.items))
  end)
end)

describe("a run", function()
  local RUN = {}

  local function bed_of_runs(options)
    local executes = {}
    local t
    t = bed(function(request)
      if request.path:find "execute" then
        executes[#executes + 1] = t.now
        return merged({ takes_s = 1 }, ok "true")
      end
      return ok(('{"id":7,"state":"%s"}'):format(RUN.state))
    end, options)
    return t, executes
  end

  local function recover(client)
    local value, err = client:execute_failure_recovery("1", 7)
    return value and "sent" or err.kind
  end

  it("is acted on by one process at a time, and held for all then", function()
    local t, executes = bed_of_runs()
    local a, b = t.clients[1], t.clients[2]
    RUN.state = "FAILURE"
    local results = t:all(recover, function()
      return recover(b)
    end)
    assert.same({ "sent", "busy" }, { results[1].value, results[2].value })
    run(t, function()
      assert.equal("busy", recover(b))
      RUN.state = "RUNNING_EXECUTION" -- it shows an effect
      assert.equal("sent", recover(b))
      RUN.state = "FAILURE"
      assert.equal("busy", recover(a))
      t:sleep(10)
      assert.equal("sent", recover(a))
    end)
    assert.equal(3, #executes)
  end)

  it("is free again at the deadline of one whose process was killed, and no sooner", function()
    local t, executes = bed_of_runs { shared = {
      lives = function()
        return false
      end,
    } }
    local a, b = t.clients[1], t.clients[2]
    RUN.state = "FAILURE"
    local victim = t:spawn(function()
      recover(a)
    end)
    run(t, function()
      t:sleep(0.5)
      t:vanish(victim)
      t:sleep(29)
      assert.equal("busy", recover(b))
      t:sleep(0.5)
      assert.equal("sent", recover(b))
    end)
    assert.equal(2, #executes)
  end)

  it("is not in the way of others, nor where nothing was sent", function()
    local t = bed { failure("connect", "unsent") }
    t.store.broken = "add"
    run(t, function()
      for _, client in ipairs { t.clients[1], t.clients[2] } do
        assert.equal("connect", select(2, client:execute_failure_recovery("1", 7, nil)).kind)
      end
      t.store.broken = false
      for _, client in ipairs { t.clients[1], t.clients[2] } do
        assert.equal("connect", select(2, client:execute_failure_recovery("1", 7)).kind)
      end
    end)
  end)
end)

local bed = require "support.bed"
local tasks = require "support.tasks"

local ok = bed.ok

local PROJECTS = '{"totalList":[{"code":11,"name":"alpha"},{"code":12,"name":"beta"}],"total":2}'

-- The server of these specs; a list below a project takes so long.
local function server(takes_s)
  return function(request)
    local answer = ok(request.path:find "/projects%?" and PROJECTS or '{"totalList":[],"total":0}')
    answer.takes_s = request.path:find "/projects%?" and 0.1 or takes_s
    return answer
  end
end

local function paths(b)
  local list = {}
  for i, request in ipairs(b.requests) do
    list[i] = request.path:gsub("^/dolphinscheduler", ""):gsub("%?.*", "")
  end
  return list
end

local function fates(client)
  local stats = client:get_cache_stats()
  return { stats.prefetch_issued, stats.prefetch_used, stats.prefetch_wasted }
end

-- So many calls that differ.
local function calls(count)
  local list = {}
  for i = 1, count do
    list[i] = { "workflows.list", { project = i } }
  end
  return list
end

describe("prefetch", function()
  it("fetches in the background, two at a time, what is then in the cache", function()
    local t = tasks.new(server(1))
    local at, meta
    t:spawn(function()
      assert.is_true(t.client:prefetch(calls(5)))
      at = t.now
      t:sleep(10)
      meta = select(3, t.client.workflows:list { project = 3 })
    end)
    t:run()
    assert.equal(0, at)
    assert.is_true(meta.cached)
    assert.equal(5, #t.requests)
    assert.equal(2, t.in_flight_max)
    assert.same({ 0, 0, 1, 1, 2 }, { t.requests[1].at, t.requests[2].at, t.requests[3].at, t.requests[4].at,
      t.requests[5].at })
    assert.same({ 5, 1, 0 }, fates(t.client))
    assert.same({}, t.failed)
  end)

  it("fetches at once where there are no tasks", function()
    local b = bed.new(server())
    assert.is_true(b.client:prefetch { { "projects.list" }, { "workflows.list", { project = "alpha" } } })
    assert.same({ "/projects", "/projects/11/process-definition" }, paths(b))
    for _ = 1, 2 do
      local _, _, meta = b.client:get_projects()
      assert.is_true(meta.cached)
    end
    assert.same({ 2, 1, 0 }, fates(b.client)) -- the name was looked up in what was fetched
  end)

  it("fetches for several projects", function()
    local t = tasks.new(server(1))
    t:spawn(function()
      t.client:prefetch { { "workflows.list", { projects = "*" } }, { "workflows.simple_list", { projects = "b*" } } }
    end)
    t:run()
    assert.same({ "/projects", "/projects/11/process-definition", "/projects/12/process-definition",
      "/projects/12/process-definition/simple-list" }, paths(t))
    local b = bed.new(server())
    assert.is_true(b.client:prefetch { { "workflows.list", { projects = { "nobody", "beta" } } } })
    assert.same({ "/projects", "/projects/12/process-definition" }, paths(b))
    assert.is_truthy(b.logged[1].message:find("not_found", 1, true))
  end)

  it("fetches nothing twice: what is there, and what another call is at", function()
    local t = tasks.new(server(1))
    t:all(function(client)
      return client.workflows:list { project = 1 }
    end, function(client)
      return client:prefetch(calls(2))
    end)
    assert.equal(2, #t.requests)
    t:all(function(client)
      return client:prefetch(calls(2))
    end)
    assert.equal(2, #t.requests)
    t:all(function(client)
      return client:prefetch { { "workflows.list", { project = 1 }, { refresh = true } } }
    end)
    assert.equal(3, #t.requests)
    assert.same({ 2, 0, 0 }, fates(t.client))
  end)

  it("counts as used what somebody waits for while it comes", function()
    local t = tasks.new(server(1))
    t:all(function(client)
      client:prefetch(calls(1))
      t:sleep(0.5)
      return client.workflows:list { project = 1 }
    end)
    assert.equal(1, #t.requests)
    assert.same({ 1, 1, 0 }, fates(t.client))
    assert.equal(1, t.client:get_cache_stats().shared)
  end)

  it("keeps no longer than it was told, and counts what nobody asked for", function()
    local t = tasks.new(server(1))
    t:all(function(client)
      return client:prefetch { { "instances.list", { project = 1 }, { ttl_s = 5 } } }
    end)
    t:sleep_until(10)
    t.client:clean_expired()
    assert.same({ 1, 0, 1 }, fates(t.client))
    assert.equal(1, t.client:get_all_metrics()["instances.list"].prefetch_wasted)
    assert.is_truthy(t.client:metrics_text():find(
      '# TYPE dsclient_prefetches_total counter\n# HELP dsclient_prefetches_total Results fetched because they will be '
      .. 'asked for: issued, used, wasted.\ndsclient_prefetches_total{operation="instances.list",fate="issued"} 1\n'
      .. 'dsclient_prefetches_total{operation="instances.list",fate="wasted"} 1\n', 1, true))
  end)

  it("gives way to those who wait: half of the connections are theirs", function()
    local t = tasks.new(server(1), { pool_maxsize = 4 })
    for _ = 1, 2 do
      t:spawn(function()
        t.client.instances:list { project = 1 }
      end)
    end
    t:spawn(function()
      t:sleep(0.5)
      t.client:prefetch(calls(2))
    end)
    t:run()
    assert.equal(4, #t.requests)
    assert.equal(2, t.in_flight_max)
    assert.is_true(t.requests[3].at >= 1)
  end)

  it("gives way to those who wait: half of the pace is theirs", function()
    local b = bed.new(server(), { rate_limit = { per_s = 1, burst = 10 } })
    b.client:prefetch(calls(6))
    local at = {}
    for i, request in ipairs(b.requests) do
      at[i] = math.floor(request.at + 0.5)
    end
    assert.same({ 0, 0, 0, 0, 0, 1 }, { at[1], at[2], at[3], at[4], math.min(at[5], 0), at[6] - at[5] })
    b.client.instances:list { project = 1 } -- at once: of ten turns five are left
    assert.equal(b.requests[6].at, b.requests[7].at)
  end)

  it("goes on where two wait for room, and one takes what is left", function()
    local t = tasks.new(function(request)
      return server(request.path:find "instances" and 10 or 1)(request)
    end, { pool_maxsize = 4 })
    local function list(from_s)
      t:spawn(function()
        t:sleep(from_s)
        t.client.instances:list({ project = 1 }, { timeout_s = 60 })
      end)
    end
    for _, from_s in ipairs { 0, 5, 10.1 } do -- room from 10 on; for one more from 15
      list(from_s)
    end
    t:spawn(function()
      t:sleep(6)
      t.client:prefetch(calls(2))
    end)
    t:run()
    assert.equal(5, #t.requests)
    assert.same({ 2, 0, 0 }, fates(t.client))
    assert.same({}, t.failed)
  end)

  it("gives up where there is no room for half a minute", function()
    local t = tasks.new(function(request)
      return server(request.path:find "instances" and 50 or 1)(request)
    end, { pool_maxsize = 2 })
    t:spawn(function()
      t.client.instances:list({ project = 1 }, { timeout_s = 60, attempt_timeout_s = 60 })
    end)
    t:spawn(function()
      t:sleep(1)
      t.client:prefetch(calls(2))
    end)
    t:run()
    assert.equal(1, #t.requests)
    t:all(function(client)
      return client:prefetch(calls(1))
    end)
    assert.equal(2, #t.requests)
  end)

  it("tells the log what fails, and goes on", function()
    local b = bed.new(function(request)
      return request.path:find "/projects/1/" and bed.refused(30002, "no permission") or ok '{"totalList":[],"total":0}'
    end)
    assert.is_true(b.client:prefetch { { "workflows.list", { project = 1 } }, { "workflows.list", { project = true } },
      { "workflows.list", { project = 2 } } })
    assert.equal(2, #b.requests)
    assert.equal("warn", b.logged[1].level)
    assert.equal("workflows.list: not prefetched: workflows.list: api 30002: no permission", b.logged[1].message)
    assert.same({ event = "prefetch", operation = "workflows.list", cause = "api" }, b.logged[1].fields)
    assert.equal("error", b.logged[2].fields.cause)
    assert.same({ 1, 0, 0 }, fates(b.client))
  end)

  it("is no use with the cache off, and does nothing", function()
    local b = bed.new(server(), { enable_cache = false })
    assert.is_true(b.client:prefetch(calls(2)))
    assert.equal(0, #b.requests)
  end)

  it("is of reads that are kept, and says so before anything is sent", function()
    local b = bed.new(server())
    for _, case in ipairs {
      { { "instances.execute", { project = 1, instance_id = 1, execute_type = "STOP" } }, "is no read" },
      { { "instances.list", { project = 1 } }, "is not cached" },
      { { "workflows.list", { project = 1, limit = 0 } }, "a whole number from 1" },
    } do
      local value, err = b.client:prefetch { { "projects.list" }, case[1] }
      assert.is_nil(value)
      assert.equal("argument", err.kind)
      assert.is_truthy(tostring(err):find(case[2], 1, true), tostring(err))
    end
    for _, case in ipairs {
      { 5, "a list of calls expected, got number" },
      { { 5 }, "call 1: {name, args, opts} expected" },
      { { {} }, "call 1: {name, args, opts} expected" },
      { { { "project.list" } }, 'call 1: unknown operation "project.list"; near: projects.list' },
      { { { "projects.list", 5 } }, "call 1: a table of arguments expected, got number" },
      { { { "projects.list", {}, { ttl = 5 } } }, 'call 1: unknown option "ttl"' },
      { { { "projects.list", { serch = "a" } } }, 'unknown argument "serch"; is "search" meant?' },
      { { { "projects.get", { projects = "*" } } }, "it is asked of one project" },
    } do
      local fine, message = pcall(b.client.prefetch, b.client, case[1])
      assert.is_false(fine)
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.is_truthy(message:find("prefetch_spec.lua", 1, true), message)
    end
    assert.equal(0, #b.requests)
    b.client:close()
    local _, err = b.client:prefetch(calls(1))
    assert.equal("closed", err.kind)
  end)

  it("has a limit to what may wait", function()
    local t = tasks.new(server(1))
    local err
    t:spawn(function()
      assert.is_true(t.client:prefetch(calls(10000)))
      err = select(2, t.client:prefetch(calls(1)))
      t.client:close()
    end)
    t:run()
    assert.equal("limit", err.kind)
    assert.equal(0, #t.requests)
  end)

  it("ends with its task, and with the client", function()
    local t = tasks.new(server(1))
    local spawned = {}
    local spawn = t.runtime.spawn
    t.runtime.spawn = function(fn)
      spawned[#spawned + 1] = t:spawn(fn)
    end
    t:spawn(function()
      t.client:prefetch(calls(10))
      t:sleep(1.5)
      t:cancel(spawned[1])
      t:cancel(spawned[2])
    end)
    t:run()
    assert.equal(4, #t.requests)
    assert.equal(1.5, t.now)
    t.runtime.spawn = spawn
    t:spawn(function()
      t.client:prefetch(calls(10))
      t:sleep(1.5)
      t.client:close()
    end)
    t:run()
    assert.same({}, t.failed)
  end)

  it("begins anew where its tasks were killed", function()
    local t = tasks.new(server(1))
    local spawn = t.runtime.spawn
    t.runtime.spawn = function() end
    t:spawn(function()
      t.client:prefetch(calls(3))
    end)
    t:run()
    t.runtime.spawn = spawn
    t:sleep_until(31)
    t:spawn(function()
      t.client:prefetch(calls(1))
    end)
    t:run()
    assert.equal(3, #t.requests)
  end)
end)

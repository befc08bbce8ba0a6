local tasks = require "support.tasks"

local ok, status, failure = tasks.ok, tasks.status, tasks.failure

local PROJECTS = ok '{"totalList":[{"code":1,"name":"alpha"}],"total":1}'

local function projects(opts)
  return function(client)
    return client:get_projects(opts)
  end
end

local function kinds(results)
  local list = {}
  for i, result in ipairs(results) do
    list[i] = result.err and result.err.kind or #result.value
  end
  return list
end

describe("single-flight", function()
  it("makes one request of calls for the same, and gives each a value of his own", function()
    local t = tasks.new { PROJECTS }
    local results = t:all(projects(), projects(), projects())
    assert.equal(1, #t.requests)
    for _, result in ipairs(results) do
      assert.same({ { code = "1", name = "alpha" } }, result.value)
    end
    assert.not_equal(results[1].value, results[2].value)
    assert.not_equal(results[2].value, results[3].value)
    assert.is_nil(results[1].meta.shared)
    assert.is_true(results[3].meta.shared)
    local stats = t.client:get_cache_stats()
    assert.same({ 3, 2, 0 }, { stats.misses, stats.shared, stats.hits })
    local metrics = t.client:get_all_metrics().get_projects
    assert.same({ 3, 1, 0 }, { metrics.call_count, metrics.attempts, metrics.error_count })
    assert.equal(0, t.client:status().flights)
  end)

  it("shares nothing between calls for different things, nor what is not cached", function()
    local t = tasks.new { PROJECTS }
    t:all(projects(), function(client)
      return client.projects:list { search = "x" }
    end)
    assert.equal(2, #t.requests)
    local function runs(client)
      return client.instances:list { project = "1" }
    end
    t:all(runs, runs)
    assert.equal(4, #t.requests)
  end)

  it("gives the error to all, each his own, and keeps none of it", function()
    local t = tasks.new({ status(403), PROJECTS }, { max_retries = 0 })
    local results = t:all(projects(), projects(), projects())
    assert.same({ "http", "http", "http" }, kinds(results))
    assert.not_equal(results[1].err, results[2].err)
    assert.equal(1, #t.requests)
    assert.same({ 1 }, kinds(t:all(projects())))
  end)

  it("fetches anew where the leader ends by his own deadline, and the others go on", function()
    local t = tasks.new { { status = 200, body = PROJECTS.body, takes_s = 2 } }
    local results = t:all(projects { timeout_s = 1 }, projects(), projects())
    assert.same({ "deadline", 1, 1 }, kinds(results))
    assert.equal(2, #t.requests)
    assert.same({ 1, 3, 3 }, { results[1].at, results[2].at, results[3].at })
  end)

  it("ends a follower at his own deadline, while the leader goes on", function()
    local t = tasks.new { { status = 200, body = PROJECTS.body, takes_s = 2 } }
    local results = t:all(projects(), projects { timeout_s = 0.5 })
    assert.same({ 1, "deadline" }, kinds(results))
    assert.equal(0.5, results[2].at)
    assert.equal(1, #t.requests)
  end)

  it("ends a follower whose wait is over, whatever is left of his time by the clock", function()
    local t = tasks.new { { status = 200, body = PROJECTS.body, takes_s = 9 } }
    local runtime, park = t.runtime, t.runtime.park
    function runtime.park(waiter, seconds)
      return park(waiter, seconds - 1e-9) -- a clock that knows nothing finer
    end
    local results = t:all(projects(), projects { timeout_s = 0.5 })
    assert.same({ 1, "deadline" }, kinds(results))
    assert.equal("get_projects", results[2].err.operation)
  end)

  it("tells each caller of his own operation, by the name he used", function()
    local t = tasks.new({ status(403) }, { max_retries = 0 })
    local results = t:all(projects(), function(client)
      return client.projects:list()
    end)
    assert.equal(1, #t.requests)
    assert.equal("get_projects", results[1].err.operation)
    assert.equal("projects.list", results[2].err.operation)
  end)

  it("hands over when the leader is cancelled, or dies of a Lua error", function()
    local t = tasks.new { PROJECTS }
    local results = {}
    local leader = t:spawn(function()
      results[1] = { t.client:get_projects() }
    end)
    t:spawn(function()
      results[2] = { t.client:get_projects() }
    end)
    t:run(0.05)
    t:cancel(leader)
    t:run()
    assert.equal("cancelled", results[1][2].kind)
    assert.equal(1, #results[2][1])
    assert.equal(2, #t.requests)

    local throws = true
    t = tasks.new({ failure("connect", "unsent"), PROJECTS }, { log = function()
      if throws then
        throws = false
        error "of a hook"
      end
    end })
    results = t:all(projects(), projects())
    assert.is_nil(results[1])
    assert.equal(1, #results[2].value)
    assert.same({ 0, 0 }, { t.client:status().flights, t.client:status().in_flight })
  end)

  it("hands over once more when the heir is cancelled as he is woken", function()
    local t = tasks.new { PROJECTS }
    local results = {}
    local all = {}
    for i = 1, 3 do
      all[i] = t:spawn(function()
        results[i] = { t.client:get_projects() }
      end)
    end
    t:run(0.05)
    t:cancel(all[1])
    t:cancel(all[2])
    t:run()
    assert.equal("cancelled", results[2][2].kind)
    assert.equal(1, #results[3][1])
    assert.equal(0, t.client:status().flights)
  end)

  it("is not joined by a call from a hook of its own task", function()
    local inner, t
    t = tasks.new({ failure("connect", "unsent"), PROJECTS }, { log = function()
      inner = inner or t.client:get_projects()
    end })
    local results = t:all(projects())
    assert.equal(1, #inner)
    assert.equal(1, #results[1].value)
  end)

  it("is not joined after a write, whose effect it may have missed, and not kept", function()
    local t = tasks.new(function(request)
      if request.method == "POST" then
        return { status = 200, body = '{"code":0,"data":{"code":2}}', takes_s = 0.1 }
      end
      return { status = 200, body = PROJECTS.body, takes_s = 1 }
    end)
    t:spawn(function()
      t.client:get_projects()
    end)
    t:run(0.2)
    t:spawn(function()
      t.client.projects:create { name = "beta" }
      t.client:get_projects()
    end)
    t:run()
    assert.equal(3, #t.requests)
    assert.equal(1, t.client:get_cache_stats().size)
  end)

  it("does not keep what was read before the cache was emptied, or by another token", function()
    local t = tasks.new { PROJECTS }
    t:spawn(function()
      t.client:get_projects()
    end)
    t:run(0.05)
    t.client:clear_cache()
    t:run()
    assert.equal(0, t.client:get_cache_stats().size)
    local n = 0
    t = tasks.new(function(request)
      n = n + 1
      -- the second request is refused; the first is still under way then
      return n == 2 and status(401) or { status = 200, body = PROJECTS.body, takes_s = n == 1 and 1 or 0.1,
        token = request.headers[2] }
    end, { token = function()
      return "token" .. n
    end })
    t:spawn(function()
      t.client:get_projects()
    end)
    t:spawn(function()
      t.client:get_workflow_instances "1"
    end)
    t:run(0.5)
    assert.equal("token: token2", t.requests[3].headers[2])
    t:run()
    assert.equal(0, t.client:get_cache_stats().size)
  end)

  it("asks once which server line it is", function()
    local t = tasks.new(function(request)
      return request.path:find "workflow%-" and status(404) or ok '{"totalList":[],"total":0}'
    end, { detect = true })
    local function runs(client)
      return client.instances:list { project = "1" }
    end
    assert.same({ 0, 0, 0 }, kinds(t:all(runs, runs, runs)))
    local probes = 0
    for _, request in ipairs(t.requests) do
      probes = probes + (request.path:find "simple%-list" and 1 or 0)
    end
    assert.is_true(probes <= 2)
    assert.is_true(#t.requests <= 5)
  end)

  it("ends all at once when the client is closed", function()
    local t = tasks.new { { status = 200, body = PROJECTS.body, takes_s = 5 } }
    local results = {}
    for i = 1, 3 do
      t:spawn(function()
        results[i] = { at = t.now, err = select(2, t.client:get_projects()), ended = t.now }
      end)
    end
    t:run(1)
    t.client:close()
    t:run()
    for i = 1, 3 do
      assert.equal("cancelled", results[i].err.kind)
      assert.is_true(t.now < 2)
    end
    assert.equal("closed", select(2, t.client:get_projects()).kind)
  end)
end)

--- What is asked for near the end of its time is fetched anew, behind those who ask.

local tasks = require "support.tasks"

local ok, status, failure = tasks.ok, tasks.status, tasks.failure

-- Projects called after the number of their request.
local function numbered(takes_s)
  return function(_, n)
    local answer = ok('{"totalList":[{"code":1,"name":"v' .. n .. '"}],"total":1}')
    answer.takes_s = takes_s
    return answer
  end
end

-- A bed whose client has the projects, kept for 100 s.
local function new(options, script)
  options = options or {}
  options.cache_ttl_s = { ["projects.list"] = 100 }
  if options.refresh_ahead == nil then
    options.refresh_ahead = true
  end
  local t = tasks.new(script or numbered(), options)
  -- Asks at these times; what was seen at each.
  function t.ask(times, opts)
    local seen = {}
    t:spawn(function()
      for i, at in ipairs(times) do
        t:sleep(at - t.now)
        local rows, err = t.client.projects:list(nil, opts)
        seen[i] = rows and rows[1].name or err.kind
      end
    end)
    t:run()
    return seen
  end
  function t.stats()
    local stats = t.client:get_cache_stats()
    return { stats.refresh_issued, stats.refresh_used, stats.refresh_wasted }
  end
  return t
end

describe("refresh_ahead", function()
  it("fetches anew what is asked for in the last fifth of its time, and nobody waits", function()
    local t = new()
    assert.same({ "v1", "v1", "v1", "v2", "v2" }, t.ask { 0, 79, 81, 82, 150 })
    assert.same({ 0, 81 }, { t.requests[1].at, t.requests[2].at })
    assert.equal(2, #t.requests)
    assert.same({ 1, 1, 0 }, t.stats())
  end)

  it("never lets what is hot expire", function()
    local t = new()
    local times = {}
    for i = 1, 1000 do
      times[i] = i - 1
    end
    t.ask(times)
    assert.equal(1, t.client:get_cache_stats().misses)
    assert.equal(0, t.client:get_cache_stats().expired)
    assert.equal(13, #t.requests) -- one in 80 s
    assert.same({ 12, 12, 0 }, t.stats())
  end)

  it("is off unless it is asked for, of the client, the operation or the call", function()
    for expected, given in pairs {
      [0] = { { refresh_ahead = false } },
      [1] = { { refresh_ahead = false }, { refresh_ahead = true } },
      [2] = { { refresh_ahead = false, operations = { ["projects.list"] = { refresh_ahead = true } } } },
      [3] = { { refresh_ahead = true } },
      [-1] = { { refresh_ahead = true }, { refresh_ahead = false } },
      [-2] = { { refresh_ahead = true, operations = { ["projects.list"] = { refresh_ahead = false } } } },
    } do
      local t = new(given[1])
      assert.same({ "v1", "v1", "v1" }, t.ask({ 0, 85, 85 }, given[2]), expected)
      assert.equal(expected > 0 and 2 or 1, #t.requests, expected)
    end
  end)

  it("does not fetch what nobody asks for", function()
    local t = new()
    t.ask { 0, 79 }
    t:spawn(function()
      t:sleep(100)
    end)
    t:run()
    assert.equal(1, #t.requests)
  end)

  it("fetches once, however many ask meanwhile", function()
    local t = new(nil, numbered(5))
    local times = { 0 }
    for i = 1, 40 do
      times[i + 1] = 85 + i / 10
    end
    local seen = t.ask(times)
    assert.equal("v1", seen[40])
    assert.equal(2, #t.requests)
    assert.equal(1, t.in_flight_max)
  end)

  it("tries again where it failed, ever sooner, and gives what there is until it is over", function()
    local t = new({ max_retries = 0, stale_if_error_s = 0 }, function(_, n)
      return n == 1 and numbered()(nil, 1) or status(500)
    end)
    local times = { 0 }
    for i = 1, 200 do
      times[i + 1] = 80 + (i - 1) / 10
    end
    local seen = t.ask(times)
    for i = 1, #seen do
      assert.equal("v1", seen[i])
    end
    local at = {}
    for i, request in ipairs(t.requests) do
      at[i] = math.floor(request.at)
    end
    assert.same({ 0, 80, 85, 88, 91, 93, 95, 96, 97, 98, 99 }, at)
    assert.same({ 0, 0, 0 }, t.stats())
  end)

  it("counts what nobody asked for any more as wasted", function()
    local t = new()
    t.ask { 0, 90, 90 }
    t:sleep_until(300)
    assert.equal(1, t.client:clean_expired())
    assert.same({ 1, 0, 1 }, t.stats())
    local metrics = t.client:get_all_metrics()["projects.list"]
    assert.same({ 1, 0, 1 }, { metrics.refresh_issued, metrics.refresh_used, metrics.refresh_wasted })
    local text = t.client:metrics_text()
    assert.is_truthy(text:find('dsclient_refreshes_total{operation="projects.list",fate="wasted"} 1\n', 1, true))
  end)

  it("leaves half of the connections to those who wait", function()
    local slow = numbered(5)
    local t = new({ pool_maxsize = 4 }, function(request, n)
      return request.path:find "instances" and { takes_s = 5, status = 200,
        body = '{"code":0,"data":{"totalList":[],"total":0}}' } or slow(request, n)
    end)
    local function hold()
      t:spawn(function()
        t:sleep(84)
        t.client.instances:list { project = "1" }
      end)
    end
    hold()
    hold()
    t.ask { 0, 85, 88 }
    assert.equal(3, #t.requests) -- of four connections two are in use
    t = new({ pool_maxsize = 4 }, numbered(5))
    t.ask { 0, 85 }
    assert.equal(2, #t.requests)
  end)

  it("leaves half of the pace to those who wait", function()
    local t = new({ rate_limit = { per_s = 0.1 } })
    t:spawn(function()
      t:sleep(84)
      t.client.users:current() -- a turn of 10 s
    end)
    t.ask { 0, 85, 94, 99 }
    assert.equal(2, #t.requests) -- each second turn is for others: at 104
  end)

  it("holds back while the server refuses", function()
    local t = new({ max_retries = 0 }, function(request, n)
      return request.path:find "users" and status(429, { ["retry-after"] = "60" }) or numbered()(request, n)
    end)
    t:spawn(function()
      t:sleep(80)
      t.client.users:current({}, { timeout_s = 1 })
    end)
    t.ask { 0, 85, 99 }
    assert.equal(2, #t.requests)
  end)

  it("does not outlive the client", function()
    local t = new(nil, numbered(5))
    t:spawn(function()
      t:sleep(86)
      t.client:close()
    end)
    assert.same({ "v1", "v1" }, t.ask { 0, 85 })
    assert.same({}, t.failed)
  end)

  it("is in nobody's way where its task was killed", function()
    local t = new()
    local spawn = t.runtime.spawn
    t.runtime.spawn = function() end
    t.ask { 0, 81 }
    t.runtime.spawn = spawn
    assert.same({ "v1", "v1", "v2" }, t.ask { 85, 86, 87 })
    assert.equal(86, t.requests[2].at) -- a quarter of 19 s later
  end)

  it("needs tasks: nobody is kept waiting for it elsewhere", function()
    local bed = require "support.bed"
    local b = bed.new({ ok '{"totalList":[{"code":1,"name":"a"}],"total":1}' }, { refresh_ahead = true })
    assert(b.client:get_projects())
    b.advance(3500)
    for _ = 1, 2 do
      local _, _, meta = b.client:get_projects()
      assert.is_true(meta.cached)
    end
    assert.equal(1, #b.requests)
  end)

  it("does not count an old value in place of its error", function()
    local t = new({ max_retries = 0 }, function(_, n)
      return n == 1 and numbered()(nil, 1) or failure("connect", "unsent")
    end)
    assert.same({ "v1", "v1" }, t.ask { 0, 85 })
    assert.same({ 1, nil }, { t.client:get_all_metrics()["projects.list"].outcomes.connect,
      t.client:get_all_metrics()["projects.list"].outcomes.stale })
  end)
end)

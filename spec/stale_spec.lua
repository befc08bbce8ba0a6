local bed = require "support.bed"
local tasks = require "support.tasks"

local ok, status, failure, refused = bed.ok, bed.status, bed.failure, bed.refused

local function projects(name)
  return ok('{"totalList":[{"code":1,"name":"' .. name .. '"}],"total":1}')
end

-- A client that has the projects in its cache, an hour and one second old.
local function with_old(answer, options, age_s)
  local b = bed.new(function(_, n)
    return n == 1 and projects "alpha" or answer
  end, options)
  assert(b.client:get_projects())
  b.advance(3600 + (age_s or 1))
  return b
end

describe("an old value", function()
  it("stands in for an error of the server, or of the way to it, and says so", function()
    for _, fault in ipairs { status(503), status(429), failure("connect", "unsent"), failure("tls", "unsent"),
      failure("dns", "unsent"), failure("network", "partial"), failure("timeout", "sent"),
      failure("protocol", "partial") } do
      local b = with_old(fault, { max_retries = 0 })
      local rows, err, meta = b.client:get_projects()
      assert.equal("alpha", rows[1].name)
      assert.is_nil(err)
      assert.is_true(meta.stale and meta.cached)
      assert.is_true(meta.age_s >= 3601)
      assert.is_string(meta.error.kind)
      assert.equal(2, #b.requests)
    end
  end)

  it("does not stand in for what the server decided", function()
    for kind, fault in pairs { auth = status(401), http = status(403), not_api = status(404), api = refused(10113) } do
      local b = with_old(fault, { max_retries = 0 })
      local rows, err = b.client:get_projects()
      assert.is_nil(rows)
      assert.equal(kind, err.kind)
    end
  end)

  it("is given for stale_if_error_s only, of the call, the operation or the client", function()
    local function kind(options, opts, age_s)
      local b = with_old(status(503), options, age_s)
      local _, err = b.client:get_projects(opts)
      return err and err.kind or "stale"
    end
    local function with(more)
      more.max_retries = 0
      return more
    end
    assert.equal("stale", kind(with {}, nil, 599))
    assert.equal("server", kind(with {}, nil, 600))
    assert.equal("server", kind(with { stale_if_error_s = 0 }, nil, 1))
    assert.equal("stale", kind(with { stale_if_error_s = 7200 }, nil, 7199))
    assert.equal("server", kind(with { stale_if_error_s = 7200 }, { stale_if_error_s = 5 }, 5))
    assert.equal("server", kind(with { operations = { get_projects = { stale_if_error_s = 2 } } }, nil, 2))
    assert.equal("stale", kind(with { operations = { ["projects.list"] = { stale_if_error_s = 3 } } }, nil, 2))
  end)

  it("is not given to who asked for a new one, nor kept over a write", function()
    local b = with_old(status(503), { max_retries = 0 })
    assert.equal("server", select(2, b.client:get_projects { refresh = true }).kind)
    b = bed.new({ projects "alpha", ok "{}", status(503) }, { max_retries = 0 })
    assert(b.client:get_projects())
    assert(b.client.projects:create { name = "beta" })
    assert.equal("server", select(2, b.client:get_projects()).kind)
  end)

  it("is given at once while the breaker is open", function()
    local b = with_old(failure("connect", "unsent"), { max_retries = 0 })
    for _ = 1, 30 do
      assert.is_true(select(3, b.client:get_projects()).stale)
    end
    assert.equal(21, #b.requests)
  end)

  it("counts as a hit, and as one call that ended stale", function()
    local b = with_old(status(503), { max_retries = 0 })
    b.client:get_projects()
    local stats = b.client:get_cache_stats()
    assert.same({ 1, 1, 1 }, { stats.hits, stats.stale_hits, stats.misses })
    local row = b.client:get_all_metrics().get_projects
    assert.same({ 2, 0, 1 }, { row.call_count, row.error_count, row.stale_count })
    assert.same({ ok = 1, stale = 1 }, row.outcomes)
    assert.same({ ok = 1, server = 1 }, row.attempt_results)
  end)

  it("is told to the log", function()
    local b = with_old(status(503), { max_retries = 0 })
    b.client:get_projects()
    assert.same({ event = "stale", operation = "get_projects", cause = "server", age_s = 3601 },
      b.logged[#b.logged].fields)
  end)

  it("goes to all who shared the fetch that failed", function()
    local t = tasks.new(function(_, n)
      return n == 1 and projects "alpha" or status(503)
    end, { max_retries = 0 })
    local function get(client)
      return client:get_projects()
    end
    t:all(get)
    t:all(function()
      t:sleep(3601)
    end)
    for _, result in ipairs(t:all(get, get, get)) do
      assert.is_true(result.meta.stale)
    end
    assert.equal(2, #t.requests)
    assert.equal(4, t.client:get_all_metrics().get_projects.call_count)
  end)
end)

describe("stale_while_revalidate_s", function()
  local function old_client(answers, options)
    options = options or {}
    options.stale_while_revalidate_s = 60
    local t = tasks.new(answers, options)
    t:all(function(client)
      return client:get_projects()
    end, function()
      t:sleep(3601)
    end)
    return t
  end

  it("gives the old value at once, and makes one request behind it", function()
    local t = old_client { projects "alpha", projects "beta" }
    local function get(client)
      return client:get_projects()
    end
    local before = t.now
    for _, result in ipairs(t:all(get, get, get)) do
      assert.equal("alpha", result.value[1].name)
      assert.is_true(result.meta.stale)
      assert.equal(before, result.at)
    end
    assert.equal(2, #t.requests)
    assert.equal("beta", t:all(get)[1].value[1].name)
  end)

  it("keeps the old value where the request fails", function()
    local t = old_client({ projects "alpha", status(403) }, { max_retries = 0 })
    local function get(client)
      return client:get_projects()
    end
    t:all(get)
    assert.equal("alpha", t:all(get)[1].value[1].name)
  end)

  it("counts the failure of the request behind it as one, not as an old value given", function()
    local t = old_client({ projects "alpha", failure("connect", "unsent") }, { max_retries = 0 })
    t:all(function(client)
      return client:get_projects()
    end)
    assert.equal(1, t.client:get_cache_stats().stale_hits)
    assert.equal(1, t.client:get_all_metrics().get_projects.error_count)
  end)

  it("is nothing to a client that can only wait", function()
    local b = bed.new({ projects "alpha", projects "beta" }, { stale_while_revalidate_s = 60 })
    b.client:get_projects()
    b.advance(3601)
    assert.equal("beta", b.client:get_projects()[1].name)
  end)
end)

describe("the identity of entries", function()
  it("is the token's, so that another one sees none of them", function()
    local n = 1
    local b = bed.new(function(request)
      local token = request.headers[2]
      return token == "token: t1" and n == 2 and status(401) or projects(token:sub(8))
    end, { token = function()
      return "t" .. n
    end })
    assert.equal("t1", b.client:get_projects()[1].name)
    n = 2
    assert(b.client:get_workflow_instances "1")
    assert.equal("t2", b.client:get_projects()[1].name)
  end)

  it("is the user's word where he gives one", function()
    local n = 1
    local b = bed.new(function(request)
      local token = request.headers[2]
      return token == "token: t1" and n == 2 and status(401) or projects(token:sub(8))
    end, { identity = "monitor", token = function()
      return "t" .. n
    end })
    assert.equal("t1", b.client:get_projects()[1].name)
    n = 2
    assert(b.client:get_workflow_instances "1")
    assert.equal("t1", b.client:get_projects()[1].name)
  end)
end)

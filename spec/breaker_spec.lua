local bed = require "support.bed"
local core = require "dsclient.core"
local tasks = require "support.tasks"

local ok, status, failure = bed.ok, bed.status, bed.failure

local PAGE, list = bed.PAGE, bed.list

local function state(b)
  return b.client:status().servers[1].state
end

-- A client that repeats nothing, so that a call is a request.
local function plain(script, options)
  options = options or {}
  options.max_retries = options.max_retries or 0
  return bed.new(script, options)
end

local function fail(b, count)
  local kind
  for _ = 1, count do
    kind = select(2, list(b.client)).kind
  end
  return kind
end

describe("the breaker of a server", function()
  it("opens at 20 calls of which half failed, and then fails without a request", function()
    local b = plain(function(_, n)
      return n % 2 == 0 and failure("connect", "unsent") or PAGE
    end)
    for n = 1, 19 do
      list(b.client)
      assert.equal("closed", state(b), n)
    end
    list(b.client)
    assert.equal("open", state(b))
    local _, err = list(b.client)
    assert.equal("breaker_open", err.kind)
    assert.same({}, err.attempts)
    assert.equal(20, #b.requests)
  end)

  it("counts what failed in the last ten seconds only", function()
    local b = plain { failure("connect", "unsent") }
    fail(b, 19)
    b.advance(10)
    fail(b, 19)
    assert.equal("closed", state(b))
    assert.same({ 19, 19 }, { b.client:status().servers[1].calls, b.client:status().servers[1].failures })
    fail(b, 1)
    assert.equal("open", state(b))
  end)

  it("stays open for 1, 2, 4, 8 and 8 s, and lets one probe through each time", function()
    local b = plain { failure("network", "sent") }
    fail(b, 20)
    for _, seconds in ipairs { 1, 2, 4, 8, 8 } do
      b.advance(seconds - 0.001)
      local before = #b.requests
      assert.equal("breaker_open", fail(b, 1))
      b.advance(0.001)
      assert.equal("half-open", state(b))
      assert.equal("network", fail(b, 1))
      assert.equal("breaker_open", fail(b, 1))
      assert.equal(before + 1, #b.requests)
    end
  end)

  it("closes with the first probe that succeeds, and forgets", function()
    local healed = false
    local b = plain(function()
      return healed and PAGE or failure("tls", "unsent")
    end)
    fail(b, 20)
    b.advance(1)
    fail(b, 1)
    b.advance(2)
    healed = true
    assert(list(b.client))
    local server = b.client:status().servers[1]
    assert.same({ "closed", 0, 0 }, { server.state, server.calls, server.failures })
    healed = false
    fail(b, 19)
    assert.equal("closed", state(b))
    fail(b, 1)
    b.advance(1)
    assert.equal("half-open", state(b)) -- 1 s again, not 4
  end)

  it("opens for connect, tls, dns, network, 502 and 503, and for nothing else", function()
    local opens = { failure("connect", "unsent"), failure("tls", "unsent"), failure("dns", "unsent"),
      failure("network", "partial"), status(502), status(503) }
    for _, answer in ipairs(opens) do
      local b = plain { answer }
      fail(b, 20)
      assert.equal("open", state(b))
    end
    local others = { status(401), status(403), status(404), status(500), status(504), bed.refused(10113),
      failure("protocol", "partial"), failure("timeout", "sent"), failure("memory", "unsent"),
      failure("network", "sent", { stale = true }) }
    for _, answer in ipairs(others) do
      local b = plain { answer }
      fail(b, 25)
      assert.equal("closed", state(b))
    end
  end)

  it("is one per server, and sends calls to those that are well", function()
    local b = bed.new(function(request)
      return request.url:find "//a" and failure("connect", "unsent") or PAGE
    end, { api_urls = { "http://a", "http://b" } })
    for _ = 1, 40 do
      assert(list(b.client))
    end
    local to_a = 0
    for _, request in ipairs(b.requests) do
      to_a = to_a + (request.url:find "//a" and 1 or 0)
    end
    assert.is_true(to_a <= 20)
  end)

  it("takes the lease of a probe that never comes back from it", function()
    local t = tasks.new(function(_, n)
      local takes_s = n == 21 and 50 or 0.1
      return n <= 20 and failure("connect", "unsent") or { status = 200, body = PAGE.body, takes_s = takes_s }
    end, { max_retries = 0, attempt_timeout_s = 3 })
    t:spawn(function()
      for _ = 1, 20 do
        list(t.client)
      end
    end)
    t:run()
    local probe = t:spawn(function()
      t:sleep(1)
      list(t.client)
    end)
    t:run(t.now + 1.1)
    t.tasks[probe] = nil -- it is forgotten, with all it holds
    local kinds = {}
    for i, delay in ipairs { 1, 1.8, 2.01 } do
      t:spawn(function()
        t:sleep(delay)
        local _, err = list(t.client)
        kinds[i] = err and err.kind or "ok"
      end)
    end
    t:run()
    assert.same({ "breaker_open", "breaker_open", "ok" }, kinds)
  end)

  it("lets a probe that is overdue say nothing: one at a time", function()
    local b = plain { failure("connect", "unsent") }
    fail(b, 20)
    local function begin()
      return core.call(b.client, 0, 30, 5) -- number 0 is the list's
    end
    b.advance(1)
    local overdue, action = begin()
    assert.equal("send", action)
    b.advance(6)
    assert.equal("send", select(2, begin()))
    overdue:failed("closed", "sent", false, "late")
    assert.same({ "fail", "breaker_open" }, { select(2, begin()) })
    assert.equal("half-open", state(b))
  end)

  it("takes a probe that its caller ended for none: the next one may go", function()
    local b = plain { failure("connect", "unsent") }
    fail(b, 20)
    b.advance(1)
    local probe, action = core.call(b.client, 0, 30, 5)
    assert.equal("send", action)
    probe:failed("cancelled", "sent", false, "it was ended")
    assert.equal("send", select(2, core.call(b.client, 0, 30, 5)))
  end)

  it("is told nothing by requests that went out before it opened", function()
    local b = plain { PAGE, failure("connect", "unsent") }
    assert(list(b.client))
    local early, slow = core.call(b.client, 0, 30, 30), core.call(b.client, 0, 30, 30)
    fail(b, 20)
    assert.equal("open", state(b))
    b.advance(0.5)
    early:failed("connect", "unsent", false, "refused")
    b.advance(0.5)
    assert.equal("half-open", state(b))
    assert.equal("send", select(2, core.call(b.client, 0, 30, 5)))
    slow:answered(200, "application/json", "", "", PAGE.body, 1, 1)
    assert.equal("half-open", state(b))
  end)

  it("lets the next probe go where the time-out of one is short", function()
    local b = plain { failure("connect", "unsent") }
    fail(b, 20)
    b.advance(1)
    for _ = 1, 2 do
      assert.equal("send", select(2, core.call(b.client, 0, 30, 1)))
      assert.same({ "fail", "breaker_open" }, { select(2, core.call(b.client, 0, 30, 1)) })
      b.advance(1)
    end
  end)

  it("closes for an answer, though its probe was overdue", function()
    local b = plain { failure("connect", "unsent") }
    fail(b, 20)
    local function begin()
      return core.call(b.client, 0, 30, 5)
    end
    b.advance(1)
    local overdue = begin()
    b.advance(3)
    assert.equal("send", select(2, begin()))
    overdue:answered(200, "application/json", "", "", PAGE.body, 100, 100)
    assert.equal("closed", state(b))
  end)
end)

describe("the breaker of an operation", function()
  it("opens for time-outs, 500 and 504, and leaves other operations alone", function()
    for _, answer in ipairs { failure("timeout", "sent"), status(500), status(504) } do
      local b = plain(function(request)
        return request.path:find "process%-instances" and answer or ok "[]"
      end)
      fail(b, 20)
      assert.equal("breaker_open", fail(b, 1))
      local operations = b.client:status().operations
      assert.equal("open", operations["instances.list"].state)
      assert.equal("closed", state(b))
      assert(b.client:call("workflows.simple_list", { project = "1" }))
      b.advance(1)
      fail(b, 1)
      assert.equal("open", b.client:status().operations["instances.list"].state)
    end
  end)
end)

describe("breakers", function()
  it("can be switched off", function()
    local b = plain({ failure("connect", "unsent") }, { enable_breaker = false })
    assert.equal("connect", fail(b, 60))
    assert.equal(60, #b.requests)
  end)

  it("end the repeats of a call with what it failed with", function()
    local b = bed.new({ failure("connect", "unsent") }, { max_retries = 100, timeout_s = 3600, backoff_s = 0 })
    local _, err = list(b.client)
    assert.equal("connect", err.kind)
    assert.equal(20, #b.requests)
  end)

  it("tell the log when they open and close", function()
    local healed = false
    local b = plain(function()
      return healed and PAGE or failure("connect", "unsent")
    end)
    fail(b, 20)
    b.advance(1)
    healed = true
    assert(list(b.client))
    local told = {}
    for _, line in ipairs(b.logged) do
      told[#told + 1] = line.fields.event == "breaker" and line.fields.state .. " " .. line.fields.server or nil
    end
    local url = "http://127.0.0.1:12345/dolphinscheduler"
    assert.same({ "open " .. url, "closed " .. url }, told)
  end)
end)

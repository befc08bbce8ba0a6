local bed = require "support.bed"

local ok, status, failure = bed.ok, bed.status, bed.failure

local PAGE, list = bed.PAGE, bed.list

describe("client:status", function()
  it("tells of a client at rest", function()
    local b = bed.new { PAGE }
    local s = b.client:status()
    assert.same({
      servers = { { url = "http://127.0.0.1:12345/dolphinscheduler", state = "closed", since_s = 0, calls = 0,
        failures = 0 } },
      operations = {},
      in_flight = 0, in_flight_max = 20, waiting = 0, waiting_max = 1000,
      budget = 500, budget_max = 500,
      flights = 0,
    }, setmetatable(s, nil))
  end)

  it("is one line for a log", function()
    local b = bed.new { PAGE }
    assert.equal("breakers closed, no pace, 0 of 20 in flight, 0 of 1000 waiting, 0 fetched for others, "
      .. "budget 500 of 500", tostring(b.client:status()))
    b = bed.new({ status(429) }, { max_retries = 0 })
    list(b.client)
    assert.truthy(tostring(b.client:status()):find "requests/s at most, held for 0%.%d s")
  end)

  it("names the breakers that are not closed, and since when", function()
    local b = bed.new({ failure("connect", "unsent") }, { max_retries = 0 })
    for _ = 1, 20 do
      list(b.client)
    end
    b.advance(0.5)
    assert.truthy(tostring(b.client:status()):find(
      "http://127.0.0.1:12345/dolphinscheduler open for 0.5 s (20 of 20 calls failed)", 1, true))
    b = bed.new({ status(500) }, { max_retries = 0 })
    for _ = 1, 20 do
      list(b.client)
    end
    assert.truthy(tostring(b.client:status()):find("instances.list open for 0.0 s", 1, true))
  end)

  it("counts connections where the transport does", function()
    local b = bed.new { PAGE }
    function b.transport.stats()
      return { open = 3 }
    end
    assert.equal(3, b.client:status().open)
    assert.truthy(b.client:metrics_text():find('dsclient_connections{state="idle"} 3', 1, true))
    assert.truthy(b.client:metrics_text():find('dsclient_breaker_state{state="closed"} 1', 1, true))
  end)

  it("is an error of kind closed afterwards", function()
    local b = bed.new { PAGE }
    b.client:close()
    assert.equal("closed", select(2, b.client:status()).kind)
  end)
end)

describe("the retry budget", function()
  it("pays 14 for a repeat, 5 after a 429, gets it back with a success, and 1 for a first try", function()
    local function left(script, options)
      local b = bed.new(script, options)
      list(b.client)
      return b.client:status().budget
    end
    assert.equal(500 - 3 * 14, left { status(503) })
    assert.equal(500, left { status(503), PAGE })
    assert.equal(500 - 14, left { status(503), status(503), PAGE })
    assert.equal(500 - 5, left { status(429), status(429), PAGE })
    assert.equal(500, left { failure("network", "sent", { stale = true }), PAGE }) -- for free
    local b = bed.new(function(_, n)
      return n <= 4 and status(503) or PAGE
    end, { max_retries = 3 })
    list(b.client)
    for i = 1, 50 do
      list(b.client)
      assert.equal(math.min(500, 458 + i), b.client:status().budget)
    end
  end)

  it("is refilled by 14 in 10 s, never above 500", function()
    local b = bed.new({ status(503) }, { max_retries = 5, backoff_s = 0 })
    list(b.client)
    assert.equal(430, b.client:status().budget)
    b.advance(9.999)
    assert.equal(430, b.client:status().budget)
    b.advance(0.001)
    assert.equal(444, b.client:status().budget)
    b.advance(25)
    assert.equal(472, b.client:status().budget)
    b.advance(1e6)
    assert.equal(500, b.client:status().budget)
  end)

  it("returns failures at once when it is empty, and tells the log once", function()
    local b = bed.new({ status(500) }, { max_retries = 100, backoff_s = 0, enable_breaker = false })
    assert.equal("server", select(2, list(b.client)).kind)
    assert.equal(1 + math.floor(500 / 14), #b.requests)
    for _ = 1, 5 do
      local _, err = list(b.client)
      assert.equal(1, #err.attempts)
    end
    local told = 0
    for _, line in ipairs(b.logged) do
      told = told + (line.fields.event == "budget" and 1 or 0)
    end
    assert.equal(1, told)
  end)
end)

describe("the policy of repeats", function()
  it("may be another for an operation, and for a call", function()
    local function requests(options, opts)
      local b = bed.new({ status(503) }, options)
      b.client:call("instances.list", { project = "1" }, opts)
      return #b.requests
    end
    assert.equal(4, requests())
    assert.equal(2, requests({ operations = { ["instances.list"] = { max_retries = 1 } } }))
    assert.equal(1, requests({ operations = { ["instances.list"] = { max_retries = 1 } } }, { max_retries = 0 }))
    assert.equal(1, requests({ operations = { ["instances.list"] = { retry_statuses = { 500 } } } }))
    assert.equal(4, requests({ operations = { ["projects.list"] = { max_retries = 1 } } }))
    assert.has_error(function()
      requests { operations = { ["no.such"] = {} } }
    end)
    assert.has_error(function()
      requests { operations = { ["instances.list"] = { pool_maxsize = 3 } } }
    end)
  end)

  it("sends a once call again after a 503 with Retry-After only where that is trusted", function()
    local function run(options, headers)
      local b = bed.new({ status(503, headers), ok() }, options)
      local value, err =
        b.client:call("instances.execute", { project = "1", instance_id = 7, execute_type = "STOP" })
      return value or err.kind, #b.requests
    end
    assert.same({ "outcome_unknown", 1 }, { run({}, { ["retry-after"] = "1" }) })
    assert.same({ true, 2 }, { run({ trust_503 = true }, { ["retry-after"] = "1" }) })
    assert.same({ "outcome_unknown", 1 }, { run({ trust_503 = true }, {}) })
  end)
end)

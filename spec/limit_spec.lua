local bed = require "support.bed"
local core = require "dsclient.core"
local tasks = require "support.tasks"

local ok, status, failure = bed.ok, bed.status, bed.failure

local PAGE, list = bed.PAGE, bed.list

local function times(t)
  local at = {}
  for i, request in ipairs(t.requests) do
    at[i] = math.floor(request.at * 1000 + 0.5)
  end
  return at
end

local function calls(count, fn)
  local all = {}
  for i = 1, count do
    all[i] = fn or list
  end
  return (table.unpack or unpack)(all) -- luacheck: ignore
end

describe("a given rate", function()
  it("lets a burst through, then one after the other", function()
    local t = tasks.new({ PAGE }, { rate_limit = { per_s = 10, burst = 3 } })
    t:all(calls(6))
    assert.same({ 0, 0, 0, 100, 200, 300 }, times(t))
    assert.equal(10, t.client:status().rate_per_s)
  end)

  it("fails a call at once that can't be sent in its time, and takes no turn for it", function()
    local t = tasks.new({ PAGE }, { rate_limit = { per_s = 1 } })
    local results = t:all(list, function(client)
      return list(client, { timeout_s = 0.5 })
    end, list)
    assert.equal("deadline", results[2].err.kind)
    assert.equal(0, results[2].at)
    assert.same({ 0, 1000 }, times(t))
  end)

  it("is checked", function()
    for _, wrong in ipairs { {}, { per_s = 0 }, { per_s = 1, burst = 0 }, { per_s = 1, more = 1 } } do
      assert.has_error(function()
        bed.new({ PAGE }, { rate_limit = wrong })
      end)
    end
  end)
end)

describe("after a 429", function()
  -- A server that takes so many requests a second, one after the other.
  local function limited(per_s, counts)
    local next_at = 0
    return function(_, _, now)
      if now < next_at - 1e-3 then
        counts.refused = counts.refused + 1
        return status(429)
      end
      next_at = now + 1 / per_s
      counts.taken = counts.taken + 1
      return { status = 200, body = PAGE.body, takes_s = 0.02 }
    end
  end

  it("holds the whole client, then goes on at 0.7 of what was taken, and faster by 10 % a second", function()
    local b = bed.new({ PAGE, PAGE, PAGE, PAGE, PAGE, PAGE, PAGE, PAGE, PAGE, PAGE, status(429), PAGE },
      { jitter = "none" })
    for _ = 1, 10 do
      assert(list(b.client))
      b.advance(0.1)
    end
    assert(list(b.client))
    assert.equal(0.5, b.slept[1])
    local slowed = b.client:status()
    assert.is_true(math.abs(slowed.rate_per_s - 0.7 * 10) < 0.5)
    local rate = slowed.rate_per_s
    b.advance(10)
    assert.is_true(math.abs(b.client:status().rate_per_s - rate * 2) < 0.2)
    b.advance(50)
    assert.is_nil(b.client:status().rate_per_s)
    assert.is_nil(b.client:status().slowed_since_s)
  end)

  it("never goes faster than a given rate", function()
    local b = bed.new({ PAGE, status(429), PAGE }, { rate_limit = { per_s = 3, burst = 10 } })
    for _ = 1, 3 do
      assert(list(b.client))
    end
    for _ = 1, 30 do
      assert.is_true(b.client:status().rate_per_s <= 3)
      b.advance(2)
    end
    assert.equal(3, b.client:status().rate_per_s)
  end)

  it("counts what was sent before the 429 for a given rate", function()
    local t = tasks.new({ PAGE, status(429), PAGE }, { rate_limit = { per_s = 1 }, backoff_s = 0.1 })
    t:all(list, list)
    assert.same({ 0, 1000, 2000 }, times(t))
  end)

  it("holds for the server's hint, a minute at most, also for calls that come later", function()
    local t = tasks.new({ bed.status(429), PAGE }, { max_retries = 0 })
    t:all(list)
    local hold = t.client:status().hold_s
    assert.is_true(hold > 0 and hold <= 0.5)
    local results = t:all(function(client)
      return list(client, { timeout_s = hold / 2 })
    end, list)
    assert.equal("throttled", results[1].err.kind)
    assert.is_truthy(results[2].value)
    assert.is_true(t.requests[2].at >= hold)
  end)

  it("sends a hundred calls through a server that takes ten a second, with few refusals", function()
    local counts = { refused = 0, taken = 0 }
    local serve = limited(10, counts)
    local t
    t = tasks.new(function(request, n)
      return serve(request, n, t.now)
    end)
    local results = t:all(calls(100))
    for i = 1, 100 do
      assert.is_truthy(results[i].value)
    end
    assert.equal(100, counts.taken)
    assert.is_true(counts.refused < 50, counts.refused)
    assert.is_true(t.now < 40, t.now)
  end)

  it("moves the turns that were given, where a later one holds for longer", function()
    local b = bed.new { PAGE }
    assert(list(b.client)) -- number 0 is the list's
    local first, second = core.call(b.client, 0, 30), core.call(b.client, 0, 30)
    first:answered(429, "", "2", "", "", 1, 1)
    local waiting, action, seconds = core.call(b.client, 0, 30)
    assert.same({ "sleep", 2 }, { action, seconds })
    second:answered(429, "", "5", "", "", 1, 1)
    b.advance(2)
    assert.same({ "sleep", 3, true, 1 }, { waiting:resumed() })
    b.advance(3)
    assert.equal("send", (waiting:resumed()))
  end)

  it("tells the log", function()
    local b = bed.new { PAGE, status(429), PAGE }
    list(b.client)
    list(b.client)
    local told
    for _, line in ipairs(b.logged) do
      told = line.fields.event == "pace" and line.fields or told
    end
    assert.is_true(told.rate_per_s > 0 and told.hold_s > 0)
  end)
end)

describe("the queue for connections", function()
  it("lets so many requests out at once, the others in the order they came", function()
    local t = tasks.new({ PAGE }, { pool_maxsize = 2 })
    local results = t:all(calls(7))
    assert.equal(2, t.in_flight_max)
    assert.same({ 0, 0, 100, 100, 200, 200, 300 }, times(t))
    for i = 2, 7 do
      assert.is_true(results[i].at >= results[i - 1].at)
    end
    assert.same({ 0, 0 }, { t.client:status().in_flight, t.client:status().waiting })
  end)

  it("shows who waits", function()
    local t = tasks.new({ PAGE }, { pool_maxsize = 2 })
    for _ = 1, 5 do
      t:spawn(function()
        list(t.client)
      end)
    end
    t:run(0.05)
    local s = t.client:status()
    assert.same({ 2, 2, 3, 1000 }, { s.in_flight, s.in_flight_max, s.waiting, s.waiting_max })
    assert.truthy(tostring(s):find("2 of 2 in flight, 3 of 1000 waiting", 1, true))
  end)

  it("lets a call past it that can't wait, and nobody else in its place", function()
    local b, nested
    b = bed.new(function(_, number)
      nested = number == 1 and list(b.client) or nested
      return PAGE
    end, { pool_maxsize = 1 })
    assert(list(b.client))
    assert.is_truthy(nested)
    assert.same({}, b.slept)
    assert.equal(0, b.client:status().in_flight)

    local t = tasks.new({ PAGE }, { pool_maxsize = 1 })
    local current, blocks = t.runtime.current, false
    function t.runtime.current()
      return not blocks and current() or nil
    end
    t:all(list, list, function(client)
      t:sleep(0.05)
      blocks = true
      t:spawn(function()
        blocks = false
      end)
      return list(client)
    end, list)
    assert.equal(2, t.in_flight_max)
    assert.same({ 0, 50, 150, 250 }, times(t))
  end)

  it("refuses more than queue_max with kind limit, at once", function()
    local t = tasks.new({ PAGE }, { pool_maxsize = 1, queue_max = 1 })
    local results = t:all(calls(3))
    assert.equal("limit", results[3].err.kind)
    assert.equal(0, results[3].at)
    assert.equal(2, #t.requests)
  end)

  it("ends a call at its deadline, and one that is cancelled, and goes on with the next", function()
    local t = tasks.new({ PAGE }, { pool_maxsize = 1 })
    local results = {}
    local function start(i, opts)
      return t:spawn(function()
        results[i] = { list(t.client, opts) }
        results[i].at = t.now
      end)
    end
    start(1)
    start(2, { timeout_s = 0.05 })
    local third = start(3)
    start(4)
    t:run(0.02)
    t:cancel(third)
    t:run()
    assert.equal("deadline", results[2][2].kind)
    assert.equal(0.05, math.floor(results[2].at * 1000 + 0.5) / 1000)
    assert.equal("cancelled", results[3][2].kind)
    assert.truthy(results[4][1])
    assert.same({ 0, 100 }, times(t))
  end)

  it("gives the place of one who was cancelled as he got it to the next", function()
    local t = tasks.new({ PAGE }, { pool_maxsize = 1 })
    local second
    local results = {}
    t:spawn(function()
      list(t.client)
      t:cancel(second)
    end)
    second = t:spawn(function()
      results[2] = { list(t.client) }
    end)
    t:spawn(function()
      results[3] = { list(t.client) }
    end)
    t:run()
    assert.equal("cancelled", results[2][2].kind)
    assert.truthy(results[3][1])
    assert.equal(0, t.client:status().in_flight)
  end)

  it("gives the place of one who ended before he was told of it to the next", function()
    local b = bed.new({ PAGE }, { pool_maxsize = 1 })
    assert(list(b.client))
    local first = core.call(b.client, 0, 30)
    local second, wait = core.call(b.client, 0, 30)
    local _, _, _, third = core.call(b.client, 0, 30)
    assert.equal("wait", wait)
    first:finish() -- now it is the second one's turn
    second:cancelled()
    second:finish "cancelled"
    assert.equal(third, core.woken(b.client))
    assert.is_nil(core.woken(b.client))
    assert.same({ 1, 0 }, { b.client:status().in_flight, b.client:status().waiting })
  end)

  it("is empty when the client was closed, whoever waited", function()
    local b = bed.new({ PAGE }, { pool_maxsize = 1 })
    assert(list(b.client))
    local first, second, third = core.call(b.client, 0, 30), core.call(b.client, 0, 30), core.call(b.client, 0, 30)
    first:finish()
    b.client:close()
    assert.is_nil(core.woken(b.client))
    assert.same({ "fail", "cancelled" }, { second:resumed() })
    assert.same({ "fail", "cancelled" }, { third:resumed() })
  end)

  it("holds no connection while it sleeps before a repeat, or a hook runs", function()
    local inner
    local t
    t = tasks.new({ failure("connect", "unsent"), PAGE }, { pool_maxsize = 1, jitter = "none", log = function()
      inner = inner or list(t.client, { timeout_s = 1 })
    end })
    local results = t:all(list)
    assert.truthy(inner)
    assert.truthy(results[1].value)
    t = tasks.new({ failure("connect", "unsent"), PAGE }, { pool_maxsize = 1, jitter = "none" })
    t:all(list, list)
    assert.same({ 0, 100, 600 }, times(t))
  end)
end)

describe("cancelling", function()
  local function run(script, options, at, operation, args)
    local t = tasks.new(script, options)
    local result = {}
    local task = t:spawn(function()
      result.value, result.err = t.client:call(operation or "instances.list", args or { project = "1" })
      result.at = t.now
    end)
    t:run(at)
    return t, result, task
  end

  -- name → script, options, a moment of that state
  local STATES = {
    sending = { { { status = 200, body = PAGE.body, takes_s = 9 } }, {}, 1 },
    ["before a repeat"] = { { status(503) }, { backoff_s = 20, jitter = "none" }, 1 },
    ["for the pace"] = { { status(429, { ["retry-after"] = "20" }), PAGE }, {}, 1 },
  }

  for name, state in pairs(STATES) do
    it("a task ends its call at once: " .. name, function()
      local t, result, task = run(state[1], state[2], state[3])
      assert.is_nil(result.at)
      t:cancel(task)
      t:run()
      assert.equal("cancelled", result.err.kind)
      assert.is_true(result.at <= 1)
      assert.equal(0, t.client:status().in_flight)
    end)

    it("closing the client ends its call at once: " .. name, function()
      local t, result = run(state[1], state[2], state[3])
      t.client:close()
      t:run()
      assert.equal("cancelled", result.err.kind)
      assert.is_true(result.at <= 1)
    end)
  end

  it("a once call that was sent leaves its outcome unknown", function()
    local once = { project = "1", instance_id = 7, execute_type = "STOP" }
    for _, close in ipairs { true, false } do
      local t, result, task = run({ { status = 200, body = PAGE.body, takes_s = 9 } }, {}, 1, "instances.execute", once)
      if close then
        t.client:close()
      else
        t:cancel(task)
      end
      t:run()
      assert.equal("outcome_unknown", result.err.kind)
    end
  end)

  it("two tasks can't act on one run at the same time", function()
    local once = { project = "1", instance_id = 7, execute_type = "STOP" }
    local t = tasks.new { ok() }
    local function act(client)
      return client:call("instances.execute", once)
    end
    local results = t:all(act, act)
    assert.is_true(results[1].value)
    assert.equal("busy", results[2].err.kind)
    assert.equal(1, #t.requests)
  end)
end)

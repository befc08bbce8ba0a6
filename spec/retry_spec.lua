local bed = require "support.bed"
local core = require "dsclient.core"
local tasks = require "support.tasks"
local units = require "support.units"

local ok, refused, status, failure, html = bed.ok, bed.refused, bed.status, bed.failure, bed.html

-- One operation of each replay class.
local READ = { "instances.list", { project = "1" } }
local REPEATABLE = { "workflows.release", { project = "1", workflow = "2", state = "ONLINE" } }
local ONCE = { "instances.execute", { project = "1", instance_id = 7, execute_type = "STOP" } }

local PAGE = bed.PAGE

local function run(operation, script, options)
  local b = bed.new(script, options)
  local value, err = b.client:call(operation[1], operation[2])
  return value, err, b
end

local function no_jitter(more)
  local options = { jitter = "none" }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

describe("the outcome of an attempt", function()
  -- what comes back, and for each class: the kind of the error (or "again")
  local table_of_outcomes = {
    { "connect", failure("connect", "unsent"), "again", "again", "again" },
    { "tls", failure("tls", "unsent"), "again", "again", "again" },
    { "dns", failure("dns", "unsent"), "again", "again", "again" },
    { "connect time-out", failure("timeout", "unsent"), "again", "again", "again" },
    { "reset after sending", failure("network", "sent"), "again", "again", "outcome_unknown" },
    { "cut body", failure("network", "partial"), "again", "again", "outcome_unknown" },
    { "time-out after sending", failure("timeout", "sent"), "again", "again", "outcome_unknown" },
    { "garbage", failure("protocol", "partial"), "again", "again", "outcome_unknown" },
    { "401", status(401), "auth", "auth", "auth" },
    { "401 of a proxy", status(401, nil, "no"), "http", "http", "http" },
    { "429", status(429), "again", "again", "again" },
    { "500", status(500), "again", "again", "outcome_unknown" },
    { "502", status(502), "again", "again", "outcome_unknown" },
    { "503", status(503), "again", "again", "outcome_unknown" },
    { "504", status(504), "again", "again", "outcome_unknown" },
    { "501", status(501), "http", "http", "http" },
    { "403", status(403), "http", "http", "http" },
    { "302", status(302), "http", "http", "http" },
    { "404", status(404, nil, '{"message":"Not Found"}'), "not_api", "not_api", "not_api" },
    { "405", status(405), "not_api", "not_api", "not_api" },
    { "html", html(), "not_api", "not_api", "not_api" },
    { "JSON of another type", status(200, { ["content-type"] = "application/json-x" }, '{"code":10025}'), "not_api",
      "not_api", "not_api" },
    { "JSON with a blank", status(200, { ["content-type"] = "Application/JSON ;charset=x" }, '{"code":10025}'),
      "again", "again", "api" },
    { "no code", status(200, nil, "{}"), "not_api", "not_api", "outcome_unknown" },
    { "broken JSON", status(200, nil, '{"code":0,'), "not_api", "not_api", "outcome_unknown" },
    { "refused", refused(10113), "api", "api", "api" },
    { "no master", refused(10025), "again", "again", "api" },
    { "10000, a refusal", refused(10000, "status is SUCCESS, can not be recovered"), "api", "api", "api" },
    { "10000, anything", refused(10000, "rpc time-out"), "api", "api", "outcome_unknown" },
  }

  for _, case in ipairs(table_of_outcomes) do
    for i, operation in ipairs { READ, REPEATABLE, ONCE } do
      local class = ({ "read", "repeatable", "once" })[i]
      it(case[1] .. ", " .. class .. ": " .. case[2 + i], function()
        local value, err, b = run(operation, { case[2], PAGE })
        if case[2 + i] == "again" then
          assert.is_nil(err)
          assert.is_truthy(value)
          assert.equal(2, #b.requests)
        else
          assert.is_nil(value)
          assert.equal(case[2 + i], err.kind)
          assert.equal(1, #b.requests)
          assert.equal(1, #err.attempts)
        end
      end)
    end
  end

  it("repeats nothing with max_retries = 0, not even a 429", function()
    for _, answer in ipairs { status(429), status(503), failure("network", "sent"), failure("connect", "unsent") } do
      local _, err, b = run(READ, { answer, PAGE }, { max_retries = 0 })
      assert.is_truthy(err)
      assert.equal(1, #b.requests)
    end
  end)

  it("repeats as well where nothing is counted", function()
    local value, _, b = run(READ, { status(503), PAGE }, { enable_metrics = false })
    assert.is_truthy(value)
    assert.equal(2, #b.requests)
  end)

  it("takes a code for success that says that all is so already", function()
    local b = bed.new { PAGE }
    local number = core.register(b.client, { name = "op", replay = "repeatable", timeout_s = 5, attempt_timeout_s = 1,
      max_retries = 0, backoff_s = 0, backoff_max_s = 0, jitter = "none", retry_statuses = {}, already = { 5, 50005 } })
    for code, action in pairs { [5] = "done", [50005] = "done", [50006] = "fail" } do
      local call, first, until_s = core.call(b.client, number)
      assert.same({ "send", 1 }, { first, until_s })
      assert.equal(action, (call:answered(200, "application/json", "", "", ('{"code":%d}'):format(code), 1, 1)))
      call:finish()
    end
  end)

  it("takes for removed what is not there where it may have removed it itself, and for an error else", function()
    local gone = bed.refused(10018)
    for _, case in ipairs {
      { { gone }, "api" },
      { { status(502), gone } },
      { { bed.failure("network", "sent"), gone } },
      { { bed.failure("connect", "unsent"), gone }, "api" },
      { { status(429), gone }, "api" },
      { { status(502), bed.refused(10050) }, "api" },
    } do
      local b = bed.new(case[1])
      local value, err = b.client.projects:delete { project = "1" }
      assert.equal(case[2], err and err.kind)
      assert.equal(not case[2] or nil, value)
    end
  end)

  it("honours retry_statuses", function()
    local _, err, b = run(READ, { status(502), PAGE }, { retry_statuses = { 503 } })
    assert.equal("server", err.kind)
    assert.equal(1, #b.requests)
    local value = run(READ, { status(418), PAGE }, { retry_statuses = { 418 } })
    assert.is_truthy(value)
  end)
end)

describe("what is decided on an outcome", function()
  -- engine.md, 1: what may be done, from what is known
  local LISTED = { [429] = true, [500] = true, [503] = true }
  local AGAIN = { [10025] = true }
  local UNREACHED = { connect = true, tls = true, dns = true }
  local BROKEN = { network = true, timeout = true, protocol = true }

  local function refuses_to_act(o)
    return o.trust and o.status == 503 and o.hint
  end

  local function may_have_acted(o)
    if o.status == 0 then
      return o.phase ~= "unsent"
    elseif o.kind == "server" then
      return not refuses_to_act(o)
    elseif o.kind == "not_api" then
      return o.status >= 200 and o.status <= 299 and o.json
    end
    return o.kind == "api" and o.code == 10000 and not o.refusal
  end

  local function repeated(o, once)
    if UNREACHED[o.kind] then
      return true
    elseif BROKEN[o.kind] then
      return o.phase == "unsent" or not once
    elseif o.kind == "throttled" then
      return LISTED[o.status]
    elseif o.kind == "server" or o.kind == "http" then
      return (not once or refuses_to_act(o)) and LISTED[o.status]
    end
    return o.kind == "api" and not once and AGAIN[o.code]
  end

  local function digit(value)
    return value and "1" or "0"
  end

  it("is the table, for every outcome there may be", function()
    local printed = units "decisions"
    for _, line in ipairs(printed) do
      local kind, phase, number, hint, json, code, refusal, trust, decided =
        line:match "^([%w_]+) (%w+) (%d+) (%d) (%d) (%d+) (%d) (%d): (.*)$"
      local outcome = { kind = kind, phase = phase, status = tonumber(number), hint = hint == "1", json = json == "1",
        code = tonumber(code), refusal = refusal == "1", trust = trust == "1" }
      local again, once, acted = repeated(outcome, false), repeated(outcome, true), may_have_acted(outcome)
      assert.equal(("%s %s %s %s"):format(digit(again), digit(again), digit(once), digit(acted)), decided, line)
      -- a server that was not reached has not been sent anything
      assert.is_true(not (once and acted) or UNREACHED[kind], line)
    end
    assert.equal(4636, #printed)
  end)
end)

describe("waiting", function()
  it("without jitter is the seed's sequence 0.5, 1, 2", function()
    local _, err, b = run(READ, { status(503) }, no_jitter())
    assert.equal("server", err.kind)
    assert.same({ 0.5, 1, 2 }, b.slept)
    assert.equal(4, #err.attempts)
    assert.equal(0.5, err.attempts[1].wait_s)
    assert.equal(503, err.attempts[4].status)
  end)

  it("never passes backoff_max_s", function()
    local _, _, b = run(READ, { status(503) }, no_jitter { max_retries = 6, backoff_max_s = 3 })
    assert.same({ 0.5, 1, 2, 3, 3, 3 }, b.slept)
  end)

  it("with full jitter lies between 0 and the step, after a 429 in its upper half", function()
    local low, high = math.huge, 0
    for _ = 1, 200 do
      local _, _, b = run(READ, { status(503), PAGE })
      low, high = math.min(low, b.slept[1]), math.max(high, b.slept[1])
      local _, _, c = run(READ, { status(429), PAGE })
      assert.is_true(c.slept[1] >= 0.25 and c.slept[1] <= 0.5)
    end
    assert.is_true(low < 0.1 and high > 0.4 and high <= 0.5)
  end)

  it("takes Retry-After of a 429 and a 503, and nothing from garbage", function()
    for _, code in ipairs { 429, 503 } do
      local _, _, b = run(READ, { status(code, { ["retry-after"] = "7" }), PAGE }, no_jitter())
      assert.same({ 7 }, b.slept)
      for _, garbage in ipairs { "-1", "soon", "1e3", "" } do
        local _, _, c = run(READ, { status(code, { ["retry-after"] = garbage }), PAGE }, no_jitter())
        assert.same({ 0.5 }, c.slept)
      end
    end
    local _, _, b = run(READ, { status(502, { ["retry-after"] = "7" }), PAGE }, no_jitter())
    assert.same({ 0.5 }, b.slept)
  end)

  it("takes Retry-After as a date, in its three forms, as the server's clock has it", function()
    local function slept(hint, date)
      local headers = { ["retry-after"] = hint, date = date }
      local _, _, b = run(READ, { status(503, headers), PAGE }, no_jitter())
      return b.slept[1]
    end
    local now = "Sun, 06 Nov 1994 08:49:37 GMT"
    assert.equal(7, slept("Sun, 06 Nov 1994 08:49:44 GMT", now))
    assert.equal(7, slept("Sunday, 06-Nov-94 08:49:44 GMT", now))
    assert.equal(7, slept("Sun Nov  6 08:49:44 1994", now))
    assert.equal(13, slept("Sun Nov 16 08:49:50 1994", "Wednesday, 16-Nov-94 08:49:37 GMT"))
    assert.equal(100, slept("Thu, 29 Feb 2024 00:00:40 GMT", "Wed, 28 Feb 2024 23:59:00 GMT"))
    assert.equal(1, slept("Friday, 01-Jan-27 00:00:00 GMT", "Thu, 31 Dec 2026 23:59:59 GMT"))
    assert.equal(1, slept("Sat, 31 Dec 2016 23:59:60 GMT", "Sat, 31 Dec 2016 23:59:59 GMT"))
    -- the backoff where it is longer, has passed, or can't be told
    assert.equal(0.5, slept(now, now))
    assert.equal(0.5, slept("Sun, 06 Nov 1994 08:49:36 GMT", now))
    assert.equal(0.5, slept("Sun, 06 Nov 1994 08:49:44 GMT", nil))
    assert.equal(0.5, slept("Sun, 06 Nov 1994 08:49:44 GMT", "now"))
    for _, garbage in ipairs {
      "Sun, 06 Nov 1994 08:49:44", "Sun, 06 Nov 1994 08:49:44 UTC", "Sun, 6 Nov 1994 08:49:44 GMT", "Sun, 06 Nov",
      "Sun, 31 Feb 1994 08:49:44 GMT", "Sun, 00 Nov 1994 08:49:44 GMT", "Sun, 06 Nox 1994 08:49:44 GMT", "Sun, ",
      "Sun, 06 Nov 1994 24:49:44 GMT", "Sun, 06 Nov 1994 08:60:44 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", ",", " ", "-",
      "Sun, 06 Nov 0000 08:49:44 GMT", "Sunday, 06-Nov-1994 08:49:44 GMT", "Sun Nov  6 08:49:44 1994 GMT", "Sun Nov",
      "Sun Nov x6 08:49:44 1994", "Sun, 06 No", "7 GMT", ("9"):rep(5000) .. "x",
    } do
      assert.equal(0.5, slept(garbage, now), garbage)
    end
  end)

  it("fails now where Retry-After is longer than the call", function()
    for _, hint in ipairs { "400", "1000000000000000000", "Fri, 31 Dec 9999 23:59:59 GMT" } do
      local headers = { ["retry-after"] = hint, date = "Sun, 06 Nov 1994 08:49:37 GMT" }
      local _, err, b = run(READ, { status(429, headers), PAGE })
      assert.equal("throttled", err.kind)
      assert.is_true(err.retry_after_s >= 400)
      assert.same({}, b.slept)
    end
  end)

  it("does not count 429s as retries: the deadline ends them", function()
    local _, err, b = run(READ, { status(429) }, no_jitter { max_retries = 1, timeout_s = 100, backoff_max_s = 4 })
    assert.equal("throttled", err.kind)
    assert.is_true(#b.requests > 10)
    assert.is_true(b.now() <= 100)
  end)

  it("repeats a time-out after sending once only", function()
    local _, err, b = run(READ, { failure("timeout", "sent") })
    assert.equal("timeout", err.kind)
    assert.equal(2, #b.requests)
  end)

  it("repeats at once on a stale connection, once, and not for `once`", function()
    local stale = failure("network", "sent", { stale = true })
    local value, _, b = run(READ, { stale, PAGE }, { max_retries = 1 })
    assert.is_truthy(value)
    assert.same({}, b.slept)
    assert.is_true(b.requests[2].fresh)
    local _, err, c = run(ONCE, { stale, PAGE })
    assert.equal("outcome_unknown", err.kind)
    assert.equal(1, #c.requests)
  end)

  it("tells the log each repeat, without the token", function()
    local _, _, b = run(READ, { status(503), PAGE }, no_jitter())
    assert.equal(1, #b.logged)
    assert.equal("retry", b.logged[1].fields.event)
    assert.equal(503, b.logged[1].fields.status)
    assert.equal(0.5, b.logged[1].fields.wait_s)
    assert.is_nil(b.logged[1].message:find("secret", 1, true))
  end)
end)

describe("the deadline", function()
  it("bounds attempts and sleeps together", function()
    for _, answer in ipairs {
      { status = 503, body = "", takes_s = 3 },
      failure("network", "sent", { takes_s = 3 }),
      { status = 200, body = "", takes_s = 1000 },
    } do
      local _, err, b = run(READ, { answer }, { timeout_s = 10, max_retries = 100 })
      assert.is_truthy(err)
      assert.is_true(b.now() <= 10 + 1e-6, "ended at " .. b.now())
    end
  end)

  it("is of kind deadline when an attempt runs into it", function()
    local _, err = run(READ, { { status = 200, body = "", takes_s = 1000 } }, { timeout_s = 5 })
    assert.equal("deadline", err.kind)
  end)

  it("leaves a once call of unknown outcome", function()
    local _, err = run(ONCE, { { status = 200, body = "", takes_s = 1000 } }, { timeout_s = 5 })
    assert.equal("outcome_unknown", err.kind)
  end)

  it("covers all pages of a list", function()
    local b = bed.new(function()
      local page = ok('{"totalList":[{"id":' .. math.random(1e9) .. '}],"total":900}')
      page.takes_s = 3
      return page
    end, { timeout_s = 10 })
    local _, err = b.client.instances:list { project = "1" }
    assert.equal("deadline", err.kind)
    assert.equal(4, #b.requests)
  end)

  it("is 30 s for a call, 300 s for a list, 10 and 25 s for an attempt", function()
    local endless = { { status = 200, body = "", takes_s = 1e6 } }
    local _, _, b = run({ "instances.get", { project = "1", instance_id = 1 } }, endless, no_jitter())
    assert.near(20.5, b.now(), 0.01)
    local _, _, c = run(READ, endless, no_jitter())
    assert.near(50.5, c.now(), 0.01)
  end)
end)

describe("several servers", function()
  local urls = { api_urls = { "http://a", "http://b", "http://c" } }

  local function hosts(b)
    local list = {}
    for i, request in ipairs(b.requests) do
      list[i] = request.url:match "//(%w+)"
    end
    return table.concat(list)
  end

  local function options(more)
    local all = no_jitter(more)
    all.api_urls = urls.api_urls
    return all
  end

  it("go round on what was not sent and on a 503, then sleep", function()
    for _, answer in ipairs { failure("connect", "unsent"), status(503) } do
      local script = { answer, answer, answer, PAGE }
      local b = bed.new(script, options())
      assert(b.client:call(READ[1], READ[2]))
      assert.equal("abca", hosts(b))
      assert.same({ 0.5 }, b.slept)
    end
  end)

  it("a once call goes on only when it was not sent", function()
    local b = bed.new({ failure("connect", "unsent"), PAGE }, options())
    assert(b.client:call(ONCE[1], ONCE[2]))
    assert.equal("ab", hosts(b))
    local c = bed.new({ status(503), PAGE }, options())
    local _, err = c.client:call(ONCE[1], ONCE[2])
    assert.equal("outcome_unknown", err.kind)
    assert.equal("a", hosts(c))
  end)

  it("calls beside each other leave a dead one alike", function()
    local asked = {}
    local t = tasks.new(function(request)
      asked[#asked + 1] = request.url:match "//(%w+)"
      return asked[#asked] == "a" and failure("connect", "unsent") or PAGE
    end, { api_urls = urls.api_urls })
    local function list(client)
      return client:call(READ[1], READ[2], { cache = false })
    end
    local results = t:all(list, list, list)
    for i = 1, 3 do
      assert.is_truthy(results[i].value)
    end
    assert.equal("aaabbb", table.concat(asked))
  end)

  it("the one that answered is asked first next time", function()
    local b = bed.new({ failure("connect", "unsent"), PAGE }, options())
    b.client:call(READ[1], READ[2])
    b.client:call(READ[1], READ[2])
    assert.equal("abb", hosts(b))
  end)

  it("the one that failed is not asked first next time, though nothing could be repeated", function()
    local b = bed.new({ failure("connect", "unsent") }, options { max_retries = 100, backoff_s = 0,
      enable_breaker = false })
    b.client:call(READ[1], READ[2]) -- spends the budget
    local before = hosts(b)
    b.client:call(READ[1], READ[2])
    assert.equal(#before + 1, #hosts(b))
    assert.not_equal(before:sub(-1), hosts(b):sub(-1))
  end)
end)

local bed = require "support.bed"
local dialect = require "dsclient.dialect"

local NOT_FOUND = bed.status(404, nil, '{"message":"Not Found","status":"404"}')
local UI = bed.html()
local UNKNOWN_PROJECT = bed.refused(10190, "project not found")
local PAGE = bed.PAGE

-- A server of one line; `missing` is what it says of an unknown path.
local function server(line, missing, limiter)
  local last = -math.huge
  return function(request, b)
    local other = line == "process" and "workflow%-" or "process%-"
    local unknown = request.path:find(other) ~= nil
    if limiter then
      local now = b.now()
      local refused = unknown or now - last < 0.3
      last = refused and last or now
      if refused then
        return bed.status(429)
      end
    end
    if unknown then
      return missing
    end
    return request.path:find "simple%-list" and UNKNOWN_PROJECT or PAGE
  end
end

local function new(answer)
  local b
  b = bed.new(function(request)
    return answer(request, b)
  end, { detect = true })
  return b
end

describe("the server line", function()
  for _, line in ipairs { "process", "workflow" } do
    for name, missing in pairs { ["JSON 404"] = NOT_FOUND, ["HTML 200"] = UI, ["405"] = bed.status(405) } do
      it(line .. " is found where an unknown path gives a " .. name, function()
        local b = new(server(line, missing))
        assert(b.client:get_workflow_instances "1")
        assert.truthy(b.requests[#b.requests].path:find(line .. "-instances", 1, true))
        assert.equal(line == "process" and 3 or 2, #b.requests)
        assert(b.client:get_workflow_instances "1")
        assert.equal(line == "process" and 4 or 3, #b.requests)
      end)
    end

    it(line .. " is found behind the traffic limiter", function()
      local b = new(server(line, nil, true))
      assert(b.client:get_workflow_instances("1", nil, { timeout_s = 60 }))
      assert.truthy(b.requests[#b.requests].path:find(line .. "-instances", 1, true))
      for _, slept in ipairs(b.slept) do
        assert.is_true(slept <= 1)
      end
    end)
  end

  it("that is neither is kind not_api", function()
    local b = new(function()
      return UI
    end)
    local _, err = b.client:get_workflow_instances "1"
    assert.equal("not_api", err.kind)
    assert.equal(2, #b.requests)
  end)

  it("is not guessed from a 401, an outage or endless 429s", function()
    for kind, answer in pairs {
      auth = bed.status(401),
      server = bed.status(503),
      connect = bed.failure("connect", "unsent"),
      throttled = bed.status(429),
    } do
      local b = new(function()
        return answer
      end)
      local _, err = b.client:get_workflow_instances("1", nil, { timeout_s = 20 })
      assert.equal(kind, err.kind)
      assert.is_true(b.now() <= 20.001)
    end
  end)

  it("is looked for under the deadline of the call, whatever the probes take", function()
    for kind, answer in pairs {
      throttled = { status = 429, body = "", takes_s = 2.9 },
      deadline = { status = 404, body = "", takes_s = 2.9 },
    } do
      for _, timeout_s in ipairs { 2, 3, 5, 6.5, 8.9 } do
        local b = new(function(request)
          return request.path:find "simple%-list" and answer or PAGE
        end)
        local _, err = b.client:get_workflow_instances("1", nil, { timeout_s = timeout_s })
        assert.truthy(err.kind == kind or err.kind == "deadline" or timeout_s > 5.8 and err.kind == "not_api", err.kind)
        assert.is_true(b.now() <= timeout_s + 1e-6, "ended at " .. b.now())
      end
    end
  end)

  it("is asked for again after an answer that is not the API's: the server was upgraded", function()
    local line = "process"
    local b = new(function(request, self)
      return server(line, NOT_FOUND)(request, self)
    end)
    assert(b.client:get_workflow_instances "1")
    line = "workflow"
    local before = #b.requests
    assert(b.client:get_workflow_instances "1") -- the call that finds it survives
    assert.equal(3, #b.requests - before)
    assert(b.client:get_workflow_instances "1")
    assert.equal(4, #b.requests - before)
  end)

  it("that is another than before shows no old answer in the server's own form", function()
    local line = "process"
    local b = new(function(request, self)
      return request.path:find "definition%?" and bed.ok('{"totalList":[{"id":1,"of":"' .. line .. '"}],"total":1}')
        or server(line, NOT_FOUND)(request, self)
    end)
    local function of()
      return assert(b.client.workflows:list({ project = "1" }, { raw = true }))[1].of
    end
    assert.equal("process", of())
    line = "workflow"
    assert(b.client:get_workflow_instances "1") -- finds it
    assert.equal("workflow", of())
    assert.equal("workflow", of())
  end)

  it("that is another than before does not make a write be sent twice", function()
    local line = "process"
    local b = new(function(request, self)
      return server(line, NOT_FOUND)(request, self)
    end)
    assert(b.client:get_workflow_instances "1")
    line = "workflow"
    local before = #b.requests
    local _, err = b.client.workflows:start { project = "1", workflow = "2" }
    assert.equal("not_api", err.kind)
    assert.equal(1, #b.requests - before)
  end)

  it("is not looked for in the rest of a microsecond: no probe without a deadline of its own", function()
    for start = 1, 100 do
      local b = new(function(_, self)
        return { status = 404, body = "", takes_s = #self.requests == 1 and 2.9999999 or 1 }
      end)
      b.advance(start / 7)
      local before = b.now()
      local _, err = b.client:get_workflow_instances("1", nil, { timeout_s = 3 })
      assert.equal("deadline", err.kind)
      assert.is_true(b.now() - before < 3.00001)
    end
  end)

  it("is told to the log", function()
    local b = new(server("workflow", NOT_FOUND))
    b.client:get_workflow_instances "1"
    assert.equal("workflow", b.logged[1].fields.dialect)
  end)

  it("is taken from server_version without a request", function()
    local lines = { ["2.0.9"] = "process", ["3.2.2"] = "process", ["3.3"] = "workflow", ["3.10.1"] = "workflow" }
    for version, line in pairs(lines) do
      assert.equal(line, dialect.of(dialect.parse(version)))
      local b = bed.new({ PAGE }, { server_version = version })
      assert(b.client:get_workflow_instances "1")
      assert.equal(1, #b.requests)
    end
  end)

  it("2.0 prints its times in GMT+8, others in UTC, unless told otherwise", function()
    local row = bed.ok '{"totalList":[{"id":1,"startTime":"2024-01-01 08:00:00"}],"total":1}'
    local function started(options)
      return bed.new({ row }, options).client:get_workflow_instances("1")[1].started_at
    end
    assert.equal(1704067200, started { server_version = "2.0.5" })
    assert.equal(1704067200 + 8 * 3600, started { server_version = "3.1.1" })
    assert.equal(1704067200, started { server_version = "3.1.1", server_timezone = "+08:00" })
    assert.equal(1704067200, started { server_version = "3.1.1", server_timezone = "Asia/Shanghai" })
  end)

  it("prints times in a zone with a summer time: each is read by the clocks of its day", function()
    local function started(text)
      local row = bed.ok('{"totalList":[{"id":1,"startTime":"' .. text .. '"}],"total":1}')
      local b = bed.new({ row }, { server_timezone = "Europe/Berlin" })
      return b.client:get_workflow_instances("1")[1].started_at
    end
    for text, seconds in pairs {
      ["2024-01-01 01:00:00"] = 1704067200, -- UTC+1
      ["2024-07-01 02:00:00"] = 1719792000, -- UTC+2
      ["2024-03-31 01:59:59"] = 1711846799, -- the last second of winter
      ["2024-03-31 03:00:00"] = 1711846800, -- and the next one
      ["2024-10-27 01:59:59"] = 1729987199,
      ["2024-10-27 02:30:00"] = 1729992600, -- twice: the later one
      ["2024-10-27 03:00:00"] = 1729994400,
      ["2044-07-01 02:00:00"] = 2350944000,
    } do
      assert.equal(seconds, started(text), text)
    end
  end)
end)

describe("seconds in a filter", function()
  local EPOCH = 1704067200 -- 2024-01-01 00:00:00 UTC

  local function asked(user_json, options)
    options = options or {}
    options.user_timezone = options.user_timezone or false
    local b = bed.new(function(request)
      return request.path:find "get%-user%-info" and bed.ok(user_json) or PAGE
    end, options)
    local rows, err = b.client.instances:list { project = "1", start_date = EPOCH }
    return rows and b.requests[#b.requests].path:match "startDate=([^&]*)", b, err
  end

  it("are told in the zone of the token's user, who is asked for once an hour", function()
    local shown, b = asked '{"id":1,"userName":"a","timeZone":"Asia/Shanghai"}'
    assert.equal("2024-01-01%2008%3A00%3A00", shown)
    assert.equal(2, #b.requests)
    assert(b.client.instances:list { project = "1", start_date = EPOCH })
    assert.equal(3, #b.requests)
    assert(b.client.instances:list { project = "1", start_date = "2024-01-01 00:00:00" })
    assert.equal(4, #b.requests)
  end)

  it("are told in the server's zone where the user has none", function()
    for _, user in ipairs { '{"id":1}', '{"timeZone":null}', '{"timeZone":""}', '{"timeZone":7}' } do
      assert.equal("2024-01-01%2001%3A00%3A00", (asked(user, { server_timezone = "+01:00" })))
    end
  end)

  it("are an error where the user's zone is none that this machine knows", function()
    for _, zone in ipairs { "Mars/Olympus", "../../etc/passwd", "/etc/passwd" } do
      local shown, _, err = asked('{"id":1,"timeZone":"' .. zone .. '"}')
      assert.is_nil(shown)
      assert.equal("argument", err.kind)
      assert.equal("start_date", err.argument)
      assert.truthy(tostring(err):find("user_timezone", 1, true))
    end
  end)

  it("fail as the question for the user fails", function()
    local b = bed.new({ bed.status(401) }, { user_timezone = false })
    local _, err = b.client.instances:list { project = "1", start_date = EPOCH }
    assert.equal("auth", err.kind)
    assert.equal("instances.list", err.operation)
  end)
end)

describe("check_connection", function()
  it("tells who and what line, and fails where it must", function()
    local b = bed.new(function(request)
      return request.path:find "user" and bed.ok '{"id":1,"userName":"admin","timeZone":"UTC"}' or UNKNOWN_PROJECT
    end)
    assert.same({ user = "admin", user_id = 1, time_zone = "UTC", dialect = "process", version = "3.1.1" },
      b.client:check_connection())
    for kind, answer in pairs { auth = bed.status(401), not_api = UI, connect = bed.failure("connect", "unsent") } do
      local info, err = bed.new({ answer }).client:check_connection { timeout_s = 5 }
      assert.is_nil(info)
      assert.equal(kind, err.kind)
    end
  end)
end)

describe("a version that a server tells", function()
  it("stands in no text but by its numbers", function()
    local b = bed.new(function(request)
      if request.path:find("product", 1, true) then
        return bed.ok '{"version":"3.4.1\\n\\u001b[31m secret-token"}'
      end
      return request.path:find "process%-" and bed.status(404) or bed.ok "[]"
    end, { detect = true })
    local _, err = b.client:call("workflows.start", { project = "1", workflow = "2", test_flag = 1 })
    assert.equal("unsupported", err.kind)
    assert.is_nil(tostring(err):find "%c")
    assert.truthy(tostring(err):find("(3.4.1)", 1, true))
    for _, line in ipairs(b.logged) do
      assert.is_nil(line.message:find "%c")
      assert.is_nil(line.message:find("secret-token", 1, true))
      assert.is_nil(line.fields.line and line.fields.line:find "[^%d.]")
    end
  end)
end)

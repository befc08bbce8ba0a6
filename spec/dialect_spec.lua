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
    local _, err = b.client:get_workflow_instances "1"
    assert.equal("not_api", err.kind)
    assert(b.client:get_workflow_instances "1")
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
      assert.equal(line, (dialect.of_version(version)))
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

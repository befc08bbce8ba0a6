local bed = require "support.bed"
local compile = require "support.compile"
local core = require "dsclient.core"
local dsclient = require "dsclient"
local finaliser = require "support.finaliser"

local ok, status, failure = bed.ok, bed.status, bed.failure

local PAGE = bed.PAGE
local ONCE = { project = "1", instance_id = 7, execute_type = "STOP" }

-- Every road into a client that gives `nil, err` where it can't be used.
local ROADS = {
  get_projects = function(c) return c:get_projects() end, -- luacheck: ignore
  by_name = function(c) return c:get_workflow_instances "alpha" end, -- luacheck: ignore
  call = function(c) return c:call("instances.execute", ONCE) end, -- luacheck: ignore
  resource = function(c) return c.instances:list { project = "1" } end, -- luacheck: ignore
  verb = function(c) return c.instances:recover { project = "1", instance_id = 1 } end, -- luacheck: ignore
  pages = function(c) return c.instances:pages({ project = "1" }).next() end, -- luacheck: ignore
  each = function(c)
    local fine, err = pcall(c.instances:each { project = "1" })
    return fine or nil, err
  end,
  check_connection = function(c) return c:check_connection() end, -- luacheck: ignore
  get_cache_stats = function(c) return c:get_cache_stats() end, -- luacheck: ignore
  clear_cache = function(c) return c:clear_cache() end, -- luacheck: ignore
  clean_expired = function(c) return c:clean_expired() end, -- luacheck: ignore
  get_all_metrics = function(c) return c:get_all_metrics() end, -- luacheck: ignore
  get_metrics_summary = function(c) return c:get_metrics_summary() end, -- luacheck: ignore
  reset_metrics = function(c) return c:reset_metrics() end, -- luacheck: ignore
  metrics_text = function(c) return c:metrics_text() end, -- luacheck: ignore
  metrics_snapshot = function(c) return c:metrics_snapshot() end, -- luacheck: ignore
  metrics_json = function(c) return c:metrics_json() end, -- luacheck: ignore
  export_metrics = function(c) return c:export_metrics "/nonexistent/metrics" end, -- luacheck: ignore
  print_stats = function(c) return c:print_stats(function() end) end, -- luacheck: ignore
  cached = function(c) return c:cached(tostring)(1) end, -- luacheck: ignore
}

local function refused_roads(client, message)
  for name, road in pairs(ROADS) do
    local value, err = road(client)
    assert.is_nil(value, name)
    assert.equal("closed", err.kind, name)
    assert.truthy(tostring(err):find(message, 1, true), name .. ": " .. tostring(err))
  end
end

describe("a closed client", function()
  it("refuses each road, and runs monitored functions uncounted", function()
    local b = bed.new { PAGE }
    local cached, monitored = b.client:cached(print), b.client:monitored(tostring, "job")
    local pages = b.client.instances:pages { project = "1" }
    assert(b.client:get_projects()) -- a hit would be there
    b.client:close()
    refused_roads(b.client, "the client is closed")
    assert.equal("closed", select(2, cached()).kind)
    assert.equal("closed", select(2, pages.next()).kind)
    assert.equal("1", monitored(1))
    assert.equal("2", b.client:monitored(tostring, "later")(2))
    assert.equal(1, #b.requests)
  end)

  it("may be closed by a hook, a source or another coroutine while a call is under way", function()
    local b
    local function close()
      b.client:close()
    end
    local function error_of(script, options, operation, args)
      b = bed.new(script, options)
      local value, err = b.client:call(operation or "instances.list", args or { project = "1" })
      assert.is_nil(value)
      return err.kind
    end
    local function closing(answer)
      return function()
        close()
        return answer
      end
    end
    assert.equal("cancelled", error_of({ status(503), PAGE }, { log = close }))
    assert.equal("cancelled", error_of({ PAGE }, { token = function()
      close()
      return "t"
    end }))
    local n = 0
    assert.equal("cancelled", error_of({ status(401) }, { token = function()
      n = n + 1
      return n == 2 and close() or "t" .. n
    end }))
    assert.equal("cancelled", error_of(closing(status(503)))) -- and not sent again
    assert.equal("http", error_of(closing(status(403))))
    assert.equal("cancelled", error_of(closing(failure("connect", "unsent"))))
    assert.equal("cancelled", error_of(closing(bed.refused(10190)), { detect = true }))
    -- what is known of a write is told all the same
    assert.equal("cancelled", error_of(closing(failure("closed", "unsent")), nil, "instances.execute", ONCE))
    assert.equal("outcome_unknown", error_of(closing(failure("closed", "sent")), nil, "instances.execute", ONCE))
    assert.equal("outcome_unknown", error_of(closing(status(502)), nil, "instances.execute", ONCE))
    assert.equal("api", error_of(closing(bed.refused(50006)), nil, "instances.execute", ONCE))
    b = bed.new(closing(ok()))
    assert.is_true(b.client:call("instances.execute", ONCE))
    b = bed.new(closing(PAGE))
    assert.same({}, b.client:call("instances.list", { project = "1" }, { ttl_s = 10 }))
  end)

  it("may be closed by a finaliser at any moment", function()
    finaliser.rounds(jit and 60 or 100, function(round)
      local b = bed.new { ok '{"totalList":[{"id":1,"code":5,"name":"alpha","l":[1,2,{"x":"y"}]}],"total":1}' }
      local client = b.client
      client:cached(function() return { {} } end, { ttl_s = 9 })() -- luacheck: ignore
      assert(client:get_projects { borrow = true })
      return function()
        client:clear_cache()
        if round % 2 == 0 then
          client:close()
        end
      end, function()
        for _, road in pairs(ROADS) do
          local value, err = road(client)
          assert.is_true(value ~= nil or err ~= nil)
        end
      end
    end)
  end)
end)

describe("after a fork", function()
  it("the child's copy of a used client refuses each road, the parent's works on", function()
    local fork = assert(package.loadlib(compile("fork_helper.c", "library"), "luaopen_fork_helper"))()
    local b = bed.new { PAGE }
    assert(b.client:get_projects())
    local code = fork.run(function()
      local fine = pcall(refused_roads, b.client, "forked")
      b.client:close()
      return fine and #b.requests == 1 and 7 or 1
    end)
    assert.equal(7, code)
    assert(b.client:get_projects())
    assert.equal(1, #b.requests)
  end)

  it("a client that nobody used before is the child's own", function()
    local fork = assert(package.loadlib(compile("fork_helper.c", "library"), "luaopen_fork_helper"))()
    local b = bed.new { PAGE }
    assert.equal(7, fork.run(function()
      return b.client:get_projects() and 7 or 1
    end))
    assert(b.client:get_projects())
  end)

  it("children wait for times of their own before they repeat", function()
    local fork = assert(package.loadlib(compile("fork_helper.c", "library"), "luaopen_fork_helper"))()
    local b = bed.new { bed.failure("connect", "unsent") }
    local path, told = os.tmpname(), {}
    for i = 1, 2 do
      assert.equal(7, fork.run(function()
        b.client:get_projects()
        local file = assert(io.open(path, "w"))
        for _, seconds in ipairs(b.slept) do
          file:write(("%.17g "):format(seconds))
        end
        file:close()
        return 7
      end))
      told[i] = assert(io.open(path)):read "*a"
      assert.is_true(#told[i] > 20)
    end
    os.remove(path)
    assert.not_equal(told[1], told[2])
  end)
end)

describe("the log", function()
  local function logged(script, options, operation, args)
    options = options or {}
    options.jitter = "none"
    local b = bed.new(script, options)
    b.client:call(operation or "instances.list", args or { project = "1" })
    local list = {}
    for i, line in ipairs(b.logged) do
      assert.is_string(line.message)
      assert.is_nil(line.message:find("secret", 1, true))
      for _, value in pairs(line.fields) do
        assert.is_nil(tostring(value):find("secret", 1, true))
      end
      list[i] = line.fields
      list[i].level = line.level
    end
    return list
  end

  it("is told each repeat, once, with what is known of it", function()
    local server = "http://127.0.0.1:12345/dolphinscheduler"
    assert.same({
      { level = "warn", event = "retry", operation = "instances.list", cause = "server", status = 503, attempt = 1,
        wait_s = 0.5, server = server },
      { level = "warn", event = "retry", operation = "instances.list", cause = "network", attempt = 2, wait_s = 1,
        server = server },
    }, logged { status(503), failure("network", "sent"), PAGE })
  end)

  it("is told of a repeat at once, on a fresh connection or another server", function()
    assert.same({
      { level = "warn", event = "retry", operation = "instances.list", cause = "network", attempt = 1, wait_s = 0,
        server = "http://127.0.0.1:12345/dolphinscheduler" },
    }, logged { failure("network", "sent", { stale = true }), PAGE })
    assert.equal("http://b/dolphinscheduler",
      logged({ failure("connect", "unsent"), PAGE }, { api_urls = { "http://a", "http://b" } })[1].server)
  end)

  it("is told of a new token, and of the server line", function()
    local n = 0
    local function source()
      n = n + 1
      return "secret" .. n
    end
    assert.same({ { level = "info", event = "token", operation = "instances.list" } },
      logged({ status(401), PAGE }, { token = source }))
    assert.same({ { level = "info", event = "dialect", dialect = "workflow" } },
      logged({ bed.refused(10190), PAGE }, { detect = true }))
  end)

  it("is told nothing of calls that go well or fail at once", function()
    assert.same({}, logged { PAGE })
    assert.same({}, logged { bed.refused(10113) })
    assert.same({}, logged({ status(502) }, nil, "instances.execute", ONCE))
  end)
end)

describe("an error of a call", function()
  it("names the operation that was asked for, wherever it arose", function()
    for _, case in ipairs {
      { { status(401) }, { detect = true } }, -- while the server line is found out
      { { bed.html() }, { detect = true } },
      { { status(401) }, { token = function() return nil end } }, -- luacheck: ignore
      { { PAGE } }, -- the name is unknown
      { { status(403) } },
    } do
      local _, err = bed.new(case[1], case[2]).client:get_workflow_instances "alpha"
      assert.equal("get_workflow_instances", err.operation)
    end
    for _, answer in ipairs { status(401), bed.html(), ok '"x"', ok "null" } do
      local _, err = bed.new({ answer }).client:check_connection()
      assert.equal("check_connection", err.operation)
    end
  end)

  it("carries the attempts, also where a page tells that the list is too long", function()
    local b = bed.new({ status(503), ok '{"totalList":[{"id":1}],"total":9}' }, { rows_max = 5 })
    local _, err = b.client.instances:list { project = "1" }
    assert.equal("limit", err.kind)
    assert.equal(9, err.total)
    assert.equal(2, #err.attempts)
    assert.equal("server", err.attempts[1].kind)
  end)

  it("holds no more of a message than a person reads", function()
    local b = bed.new({ failure("protocol", "partial", { message = ("x"):rep(5000) }) }, { max_retries = 0 })
    local _, err = b.client:call("instances.list", { project = "1" })
    assert.equal(("x"):rep(255), err.message)
  end)

  it("of a write that was sent is outcome_unknown, whatever broke", function()
    for _, kind in ipairs { "network", "timeout", "protocol", "memory", "closed", "cancelled" } do
      for _, phase in ipairs { "sent", "partial" } do
        local _, err = bed.new({ failure(kind, phase) }).client:call("instances.execute", ONCE)
        assert.equal("outcome_unknown", err.kind)
      end
      local _, err = bed.new({ failure(kind, "unsent") }, { max_retries = 0 }).client:call("instances.execute", ONCE)
      assert.equal(kind == "closed" and "cancelled" or kind, err.kind)
    end
  end)
end)

describe("check_connection", function()
  it("puts its questions under one deadline", function()
    local b = bed.new(function(request)
      local user = request.path:find "user"
      return { status = 200, takes_s = user and 3 or 100,
        body = user and '{"code":0,"data":{"id":1,"userName":"admin"}}' or "" }
    end, { detect = true })
    local info, err = b.client:check_connection { timeout_s = 5 }
    assert.is_nil(info)
    assert.equal("deadline", err.kind)
    assert.equal("check_connection", err.operation)
    assert.is_true(b.now() <= 5.001)
  end)

  it("is never answered by the cache, and counted under its own name", function()
    local b = bed.new({ ok '{"id":1,"userName":"admin"}' }, { cache_ttl_s = { ["users.current"] = 60 } })
    for _ = 1, 3 do
      assert.equal("admin", b.client:check_connection().user)
    end
    assert.equal(3, #b.requests)
    assert.equal(3, b.client:get_all_metrics().check_connection.call_count)
  end)

  it("takes what the newest line says of its version", function()
    local function version(product)
      return bed.new(function(request)
        return request.path:find "user" and ok '{"id":1,"userName":"admin"}' or product
      end, { server_version = "3.4.1" }).client:check_connection().version
    end
    assert.equal("3.4.2", version(ok '{"version":"3.4.2"}'))
    for _, odd in ipairs { ok(), ok "7", bed.refused(110003), status(403) } do
      assert.equal("3.4.1", version(odd))
    end
  end)

  it("checks its options", function()
    for _, options in ipairs { { timeout = 5 }, { timeout_s = "5" }, "5", false } do
      assert.has_error(function()
        bed.new({ PAGE }).client:check_connection(options)
      end)
    end
  end)
end)

describe("the machine of a call", function()
  it("is used anew where it is over, and nowhere else", function()
    local b, other = bed.new { PAGE }, bed.new { PAGE }
    assert(b.client:call("instances.list", { project = "1" })) -- number 0 is its
    assert(other.client:call("instances.list", { project = "1" }))
    local call = core.call(b.client, 0, 30)
    for _, spare in ipairs { call, true, {} } do
      assert.has_error(function()
        core.call(b.client, 0, 30, 10, 0, spare)
      end)
    end
    assert.equal(0, call:finish "cancelled")
    local again, action = core.call(b.client, 0, 30, 10, 0, call)
    assert.is_true(rawequal(call, again))
    assert.equal("send", action)
    call:finish "cancelled"
    assert.has_error(function()
      core.call(other.client, 0, 30, 10, 0, call)
    end)
    b.client:close()
    assert.same({ "fail", "closed" }, { select(2, core.call(b.client, 0, 30, 10, 0, call)) })
  end)
end)

describe("the value of an answer", function()
  local function deep(levels)
    return ("["):rep(levels) .. ("]"):rep(levels)
  end

  -- what stands before the value and behind it, and values
  local FRAMES = {
    { '{"code":0,"msg":"success","data":', ',"success":true}' },
    { '{"data":', ',"code":0}' },
    { ' { "code" : 0 , "data" : ', " } " },
    { '{"code":0,"data":[7],"data":', "}" },
    { '{"code":0,"data":', ',"data":8}' },
    { '{"code":0,"data":', ',"data":null}' },
    { '{"c\\u006fde":0,"d\\u0061ta":', "}" },
    { '{"code":10025,"data":', "}" },
    { '{"data":', ',"code":10025}' },
    { '{"code":"0","data":', "}" },
    { '{"code":0.5,"data":', "}" },
    { '{"code":0,"data":', "" },
    { '{"code":0,"data":', "} x" },
    { '{"code":0,"data":', ",}" },
    { '{"code":0,"data"', "}" },
    { '{"a":{"data":1},"code":0,"data":', "}" },
    { '["data",', "]" },
    { "", "" },
  }
  local ROWS = '[{"code":1,"createTime":"2024-02-29 00:00:00"}]'
  local VALUES = {
    '{"code":7,"state":"FAILURE","totalList":' .. ROWS .. ',"n":null}', "[]", "{}", "[null,1.5,true]", "12", "-0",
    '"text"', "true", "false", "null", '"\\u00e9"', "[1,]", '{"a"}', "01", '"', "nul", "", deep(98), deep(99),
    deep(100), deep(101),
  }

  it("is the same whether it is read before the verdict or behind it", function()
    local b, read_before = bed.new { PAGE }, 0
    assert(b.client:call("instances.list", { project = "1" })) -- number 0 is its
    local function answered(body, shape)
      local call = core.call(b.client, 0, 30, 10, 0)
      local action, first, last, value =
        call:answered(200, "application/json", nil, nil, body, #body, 0, nil, shape)
      call:finish(action == "done" and "ok" or "protocol")
      return { action, first, last }, value
    end
    for _, raw in ipairs { true, false } do
      local shape = core.shape { rename = { n = "number" }, rows = "instance", raw = raw }
      for _, frame in ipairs(FRAMES) do
        for _, text in ipairs(VALUES) do
          local body = frame[1] .. text .. frame[2]
          local expected = answered(body)
          local found, value = answered(body, shape)
          assert.same(expected, found, body)
          if value ~= nil then
            read_before = read_before + 1
            assert.same({ (shape:decode(body, found[2], found[3])) }, { value }, body)
          end
        end
      end
    end
    assert.equal(2 * 3 * 12, read_before) -- of both shapes, in three frames, the values that are well-formed
    assert.is_nil(select(2, answered('{"code":0,"data":null}', core.shape())))
    assert.equal("fail", answered(VALUES[1], core.shape())[1])
  end)
end)

describe("the clock of a call", function()
  it("ends a call that is given less than it can tell", function()
    local b = bed.new { PAGE }
    assert(b.client:call("instances.list", { project = "1" })) -- number 0 is its
    local _, action, until_s = core.call(b.client, 0, 1e-7, 1e-7)
    assert.equal("send", action)
    assert.is_true(until_s - b.now() <= 1.1e-6)
  end)

  it("is the client's: core.advance moves it, and only where it is virtual", function()
    local b = bed.new { PAGE }
    b.advance(5)
    assert.equal(5, core.time(b.client))
    local real = dsclient.new { api_url = "http://h", transport = { start = print, close = function() end },
      runtime = { sleep = print } }
    assert.has_error(function()
      core.advance(real, 1)
    end)
  end)
end)

local bed = require "support.bed"
local dsclient = require "dsclient"
local sandbox = require "dsclient.sandbox"
local tcp_server = require "support.tcp_server"

local ok, refused, status, html, failure = bed.ok, bed.refused, bed.status, bed.html, bed.failure

local URL = "http://127.0.0.1:12345/dolphinscheduler"

local function page(rows, total)
  return ok(('{"totalList":[%s],"total":%d,"totalPage":null}'):format(rows, total))
end

-- What a server with these projects answers, by path.
local function server(routes)
  return function(request)
    for pattern, answer in pairs(routes) do
      if request.path:find(pattern) then
        return type(answer) == "function" and answer(request) or answer
      end
    end
    return status(404)
  end
end

describe("a method that is none", function()
  it("throws at the caller, and says which is meant", function()
    local client = bed.new({ bed.PAGE }).client
    for _ = 1, 2 do -- while the operations are loaded, and afterwards
      local fine, message = pcall(function()
        client.workflows:lst {}
      end)
      assert.is_false(fine)
      assert.matches('client_spec.lua:%d+: client.workflows: no operation is called "lst"; is "list" meant%?', message)
    end
    assert.is_nil(client.workflows[1])
  end)
end)

describe("a client", function()
  it("does nothing in `new`, and asks for the token at the first call", function()
    local asked = 0
    local b = bed.new({ page("", 0) }, {
      token = function()
        asked = asked + 1
        return "t" .. asked
      end,
    })
    assert.equal(0, asked)
    assert.equal(0, #b.requests)
    assert(b.client:get_projects())
    assert(b.client:get_projects())
    assert.equal(1, asked)
    assert.equal(1, #b.requests)
  end)

  it("sends the token and asks for JSON", function()
    local b = bed.new { page("", 0) }
    b.client:get_projects()
    local lines = table.concat(b.requests[1].headers, "\n")
    assert.truthy(lines:find("token: secret-token", 1, true))
    assert.truthy(lines:find("accept: application/json", 1, true))
  end)

  it("says who it is without the token", function()
    local b = bed.new { page("", 0) }
    assert.equal("dsclient.client (" .. URL .. ")", tostring(b.client))
    b.client:get_projects()
    assert.is_nil(tostring(b.client):find("secret", 1, true))
    assert.equal("dsclient.client", getmetatable(b.client))
    assert.equal("userdata", type(b.client))
  end)

  it("shows the token in nothing that it prints, returns or exports", function()
    local printed = {}
    local b = bed.new(function(_, number)
      return ({ status(503), refused(10001, "no: secret-token"), status(401, nil, "secret-token"), html(),
        failure("network", "sent", { message = "to secret-token" }) })[number] or page("", 0)
    end, { max_retries = 1, jitter = "none" })
    for _ = 1, 6 do
      local _, err = b.client:get_workflow_instances "1"
      printed[#printed + 1] = tostring(err)
      for _, value in pairs(err or {}) do
        printed[#printed + 1] = tostring(value)
      end
    end
    b.client:print_stats(function(text)
      printed[#printed + 1] = text
    end)
    printed[#printed + 1] = b.client:metrics_json()
    for _, request in ipairs(b.requests) do
      printed[#printed + 1] = request.url
    end
    assert.is_true(#printed > 20)
    assert.is_nil(table.concat(printed, "\n"):find("secret", 1, true))
  end)

  it("keeps the token out of every error", function()
    local b = bed.new { refused(10001, "the token secret-token is secret-token") }
    local _, err = b.client:get_projects()
    assert.is_nil(tostring(err):find("secret-token", 1, true))
    assert.is_nil(err.message:find("secret-token", 1, true))
  end)

  it("keeps out the token that a call was sent with, too, when it has changed twice since", function()
    local n, b = 0, nil
    local function source()
      n = n + 1
      return "secret-" .. n
    end
    b = bed.new(function(_, number)
      if number == 1 then
        b.client:call("users.current")
        b.client:call("users.current")
        return refused(10001, "not with secret-1")
      end
      return number % 2 == 0 and status(401) or bed.ok '{"userName":"admin"}'
    end, { token = source })
    local _, err = b.client:get_projects()
    assert.equal("secret-3", b.requests[#b.requests].headers[2]:match "secret%-%d")
    assert.is_nil(tostring(err):find("secret-1", 1, true))
  end)

  it("takes a different token after a 401, once", function()
    local n = 0
    local function source()
      n = n + 1
      return "t" .. n
    end
    local b = bed.new({ status(401), page("", 0) }, { token = source })
    assert(b.client:get_projects())
    assert.truthy(table.concat(b.requests[2].headers):find("t2", 1, true))
    local c = bed.new({ status(401) }, { token = source })
    local _, err = c.client:get_projects()
    assert.equal("auth", err.kind)
    assert.equal(2, #c.requests)
    local d = bed.new { status(401) }
    _, err = d.client:get_projects()
    assert.equal("auth", err.kind)
    assert.equal(1, #d.requests)
  end)

  it("reads the token of a file, anew after a 401", function()
    local path = os.tmpname()
    local function write(text)
      local file = assert(io.open(path, "w"))
      file:write(text)
      file:close()
    end
    write "first\n"
    local b = bed.new(function(_, number)
      write "second\n"
      return number == 1 and status(401) or page("", 0)
    end, { token_file = path })
    local _, err = b.client:get_projects()
    os.remove(path)
    assert.is_nil(err)
    assert.truthy(table.concat(b.requests[2].headers):find("token: second", 1, true))
  end)

  it("fails with kind auth where the token source does", function()
    for _, source in ipairs {
      function() error "vault is down" end, -- luacheck: ignore
      function() return nil, "no" end, -- luacheck: ignore
      function() return "two\nlines" end, -- luacheck: ignore
      function() return {} end, -- luacheck: ignore
    } do
      local b = bed.new({ page("", 0) }, { token = source })
      local _, err = b.client:get_projects()
      assert.equal("auth", err.kind)
      assert.equal("get_projects", err.operation)
      assert.equal(0, #b.requests)
    end
    local b = bed.new({}, { token = function() error("vault is down", 0) end }) -- luacheck: ignore
    assert.equal("get_projects: auth: the function `token` failed: vault is down", tostring(select(2,
      b.client:get_projects())))
    b = bed.new({}, { token_file = "/nonexistent/token" })
    assert.equal("auth", select(2, b.client:get_projects()).kind)
  end)

  it("asks for the token at no hit, and again after the failure of its source", function()
    local asked = 0
    local b = bed.new({ page("", 0) }, {
      token = function()
        asked = asked + 1
        return asked > 1 and "t" or nil, "not yet"
      end,
    })
    assert.is_nil(b.client:get_projects())
    assert(b.client:get_projects())
    for _ = 1, 3 do
      assert(b.client:get_projects())
    end
    b.client:get_cache_stats()
    assert.equal(2, asked)
  end)

  it("can be closed any number of times, and then says so", function()
    local b = bed.new { page("", 0) }
    b.client:close()
    b.client:close()
    assert.is_true(b.closed)
    for _, call in ipairs {
      function(c) return c:get_projects() end, -- luacheck: ignore
      function(c) return c.instances:list { project = "1" } end, -- luacheck: ignore
      function(c) return c.instances:pages({ project = "1" }).next() end, -- luacheck: ignore
      function(c) return c:get_cache_stats() end, -- luacheck: ignore
      function(c) return c:print_stats() end, -- luacheck: ignore
      function(c) return c:cached(function() end)() end, -- luacheck: ignore
      function(c) return c:check_connection() end, -- luacheck: ignore
    } do
      local value, err = call(b.client)
      assert.is_nil(value)
      assert.equal("closed", err.kind)
    end
    assert.truthy(tostring(b.client):find("closed", 1, true))
  end)

  if _VERSION == "Lua 5.4" then
    it("is closed at the end of its scope", function()
      local b = bed.new { page("", 0) }
      load("local client <close> = ...")(b.client)
      assert.is_true(b.closed)
      assert.equal("closed", select(2, b.client:get_projects()).kind)
    end)
  end

  it("that is collected gives its connections back", function()
    local tcp = tcp_server.start()
    local client = dsclient.new { api_url = tcp.url, token = "t" }
    assert.equal("not_api", select(2, client:get_projects()).kind)
    assert.equal(1, tcp:ask "open")
    client = nil -- luacheck: ignore
    for _ = 1, 4 do
      collectgarbage()
    end
    local open
    for _ = 1, 1000 do
      open = tcp:ask "open"
      if open == 0 then
        break
      end
    end
    tcp:stop()
    assert.equal(0, open)
  end)

  it("takes answers up to body_bytes_max", function()
    local box = sandbox.start { projects = 30 }
    local client = dsclient.new { api_url = box.url, token = box.token, body_bytes_max = 1024, max_retries = 0 }
    local _, err = client:get_projects()
    assert.equal("protocol", err.kind)
    assert.equal(11, #client.projects:list { search = "demo-2", page_size = 2 })
    client:close()
    box:stop()
  end)

  it("can be collected at any time", function()
    local weak = setmetatable({}, { __mode = "v" })
    do
      local b = bed.new { page("", 0) }
      b.client:get_projects({ borrow = true })
      weak[1] = b.client
    end
    for _ = 1, 4 do
      collectgarbage()
    end
    assert.is_nil(weak[1])
  end)

  it("lets one method be replaced for a test, in one client only", function()
    local one, two = bed.new { page("", 0) }, bed.new { page("", 0) }
    one.client.get_projects = function()
      return "stub"
    end
    assert.equal("stub", one.client:get_projects())
    assert.same({}, two.client:get_projects())
  end)

  it("throws where a method is called without its colon", function()
    local b = bed.new { page("", 0) }
    for _, call in ipairs {
      function() b.client.get_projects() end, -- luacheck: ignore
      function() b.client.get_cache_stats({}) end, -- luacheck: ignore
      function() b.client.projects.list() end, -- luacheck: ignore
      function() b.client.projects.list({}) end, -- luacheck: ignore
      function() b.client.projects.pages("x") end, -- luacheck: ignore
      function() b.client.instances.recover({}) end, -- luacheck: ignore
      function() b.client.check_connection() end, -- luacheck: ignore
    } do
      local fine, message = pcall(call)
      assert.is_false(fine)
      assert.truthy(message:find "client_spec.lua:%d+: call it with a colon: client", message)
    end
  end)

  it("names the unknown operation and those near it", function()
    local b = bed.new { page("", 0) }
    local _, message = pcall(b.client.call, b.client, "instance.list")
    assert.truthy(message:find("instances.list", 1, true))
    assert.truthy(message:find "client_spec" or message:find "unknown operation")
  end)

  it("blames the caller for wrong types and unknown arguments", function()
    local b = bed.new { page("", 0) }
    for _, call in ipairs {
      function() b.client.instances:list { project = "1", sate = "FAILURE" } end, -- luacheck: ignore
      function() b.client.instances:list {} end, -- luacheck: ignore
      function() b.client.instances:list { project = true } end, -- luacheck: ignore
      function() b.client:get_workflow_instances("1", "FAILURE") end, -- luacheck: ignore
      function() b.client:get_projects { timeout = 3 } end, -- luacheck: ignore
      function() b.client:execute_failure_recovery("1") end, -- luacheck: ignore
      function() b.client:get_projects(false) end, -- luacheck: ignore
      function() b.client:call("projects.list", {}, { ttl_s = 1 / 0 }) end, -- luacheck: ignore
      function() b.client:call() end, -- luacheck: ignore
      function() b.client:call "projects.lists\n" end, -- luacheck: ignore
      function() b.client:get_process_definitions() end, -- luacheck: ignore
      function() b.client:get_process_definitions(true) end, -- luacheck: ignore
      function() b.client:get_process_definitions({ name = 5 }) end, -- luacheck: ignore
      function() b.client.projects:list { page_size = "10" } end, -- luacheck: ignore
      function() b.client.projects:list { rows_max = {} } end, -- luacheck: ignore
      function() b.client.projects:get { project = "1", page_size = 1 } end, -- luacheck: ignore
      function() for _ in b.client.projects:each({}, { timeout = 1 }) do end end, -- luacheck: ignore
      function() b.client.projects:pages("x") end, -- luacheck: ignore
      -- what the method gives itself
      function() b.client:get_failed_workflow_instances("1", { state = "SUCCESS" }) end, -- luacheck: ignore
      function() b.client:get_workflow_instances("1", { project = "2" }) end, -- luacheck: ignore
      function() b.client.instances:recover { project = "1", instance_id = 1, execute_type = "STOP" } end, -- luacheck: ignore
    } do
      local fine, message = pcall(call)
      assert.is_false(fine)
      assert.truthy(message:find "^%S*client_spec.lua:%d+: [%w_.]+: ", message)
      assert.is_nil(message:find "%c")
    end
    assert.equal(0, #b.requests)
  end)

  it("gives malformed values of a list's own arguments back as values", function()
    local b = bed.new { page("", 0) }
    for _, args in ipairs { { page_size = 0 }, { page_size = 501 }, { page_size = 1.5 }, { rows_max = 0 / 0 } } do
      local rows, err = b.client.projects:list(args)
      assert.is_nil(rows)
      assert.equal("argument", err.kind)
      assert.equal(next(args), err.argument)
    end
  end)

  it("caches what is cached for 1 h, per arguments, and nothing that failed", function()
    local b = bed.new(server {
      ["/projects%?"] = page('{"id":1,"code":1,"name":"p"}', 1),
      ["definition"] = page('{"id":1,"code":2,"name":"w"}', 1),
      ["instances"] = page("", 0),
    })
    for _ = 1, 3 do
      assert(b.client:get_projects())
      assert(b.client:get_process_definitions "1")
      assert(b.client:get_process_definitions "2")
    end
    assert.equal(3, #b.requests)
    b.client:get_workflow_instances "1"
    b.client:get_workflow_instances "1"
    b.client:get_failed_workflow_instances "1"
    b.client:get_task_instances "1"
    b.client:get_task_instances "1"
    assert.equal(8, #b.requests)
    b.advance(3601)
    b.client:get_projects()
    assert.equal(9, #b.requests)
    b.client:get_projects { refresh = true }
    b.client:get_projects { cache = false }
    assert.equal(11, #b.requests)
    local c = bed.new({ status(403), page("", 0) })
    assert.is_nil(c.client:get_projects())
    assert.is_truthy(c.client:get_projects())
    assert.equal(2, #c.requests)
  end)

  it("keeps a result as long as the operation, the client or the call says", function()
    local function requests(seconds, options, call_options)
      local b = bed.new({ page("", 0) }, options)
      b.client:get_workflow_instances("1", nil, call_options)
      b.advance(seconds)
      b.client:get_workflow_instances("1", nil, call_options)
      return #b.requests
    end
    assert.equal(2, requests(0))
    assert.equal(1, requests(4, nil, { ttl_s = 5 }))
    assert.equal(2, requests(5, nil, { ttl_s = 5 }))
    for _, name in ipairs { "instances.list", "get_workflow_instances" } do
      assert.equal(1, requests(29, { cache_ttl_s = { [name] = 30 } }))
      assert.equal(2, requests(30, { cache_ttl_s = { [name] = 30 } }))
      assert.equal(2, requests(0, { cache_ttl_s = { [name] = 30 } }, { ttl_s = 0 }))
      assert.equal(2, requests(0, { cache_ttl_s = { [name] = 30 } }, { cache = false }))
      assert.equal(2, requests(0, { cache_ttl_s = { [name] = 30 } }, { refresh = true }))
    end
    assert.equal(2, requests(0, { cache_ttl_s = { get_failed_workflow_instances = 30 } }))
    local told = bed.new({}, { cache_ttl_s = { ["instances.list"] = 30 } }).client
    assert.same({ 3600, 30, 5, 0, 0 }, { told:ttl_of "projects.list", told:ttl_of "instances.list",
      told:ttl_of("projects.list", { ttl_s = 5 }), told:ttl_of("projects.list", { cache = false }),
      told:ttl_of "instances.execute" })
    local b = bed.new({ page("", 0) }, { cache_ttl_s = { get_projects = 0 } })
    b.client:get_projects()
    b.client:get_projects()
    assert.equal(2, #b.requests)
  end)

  it("gives the answer as the server has it with `raw`, under a key of its own", function()
    local row = '{"id":1,"processDefinitionCode":5,"state":"FAILURE","startTime":"2024-01-01 00:00:00","host":null}'
    local b = bed.new { page(row, 1) }
    local raw, own = { raw = true, ttl_s = 60 }, { ttl_s = 60 }
    for _ = 1, 2 do
      assert.same({ id = 1, processDefinitionCode = 5, state = "FAILURE", startTime = "2024-01-01 00:00:00",
        host = dsclient.null }, b.client:get_workflow_instances("1", nil, raw)[1])
      assert.same({ id = 1, workflowDefinitionCode = "5", state = "FAILURE", failed = true, finished = true,
        running = false, startTime = "2024-01-01 00:00:00", started_at = 1704067200 },
        b.client:get_workflow_instances("1", nil, own)[1])
    end
    assert.equal(2, #b.requests)
  end)

  it("gives each caller his own rows, or the shared ones to a borrower", function()
    local b = bed.new { page('{"id":1,"code":1,"name":"p"}', 1) }
    b.client:get_projects()[1].name = "changed"
    b.client:get_projects()[1].name = "changed"
    assert.equal("p", b.client:get_projects()[1].name)
    local one, two = b.client:get_projects { borrow = true }, b.client:get_projects { borrow = true }
    assert.is_true(rawequal(one, two))
    assert.equal("p", one[1].name)
    assert.is_false(rawequal(one, b.client:get_projects()))
  end)

  it("gives its limits to each request", function()
    local b = bed.new { page("", 0) }
    b.client:get_projects()
    assert.same({ 5, 10, 64 * 1024 * 1024 }, b.requests[1].limits)
    b = bed.new({ page("", 0) }, { connect_timeout_s = 1, idle_timeout_s = 2, body_bytes_max = 4096 })
    b.client:get_projects()
    assert.same({ 1, 2, 4096 }, b.requests[1].limits)
  end)

  it("shares cached lists between the seed's names and the operations", function()
    local b = bed.new { page("", 0) }
    b.client:get_projects()
    b.client.projects:list()
    b.client:call "projects.list"
    assert.equal(1, #b.requests)
  end)

  it("tells in meta where an answer came from", function()
    local b = bed.new { page("", 0) }
    local _, _, meta = b.client:get_projects()
    assert.same({ cached = false, age_s = 0, attempts = 1 }, meta)
    b.advance(5)
    _, _, meta = b.client:get_projects()
    assert.same({ cached = true, age_s = 5, attempts = 0 }, meta)
  end)

  it("drops a cached list when a write makes it old", function()
    local b = bed.new(server {
      ["/projects%?"] = page("", 0),
      ["/projects$"] = { status = 201, body = '{"code":0,"data":{"code":5}}' },
    })
    b.client:get_projects()
    assert.equal("5", b.client.projects:create({ name = "n" }).code)
    b.client:get_projects()
    assert.equal(3, #b.requests)
  end)

  it("drops a cached list also when nobody knows what came of the write", function()
    for answer, requests in pairs { [status(502)] = 3, [refused(10019)] = 2 } do
      local b = bed.new(server { ["/projects%?"] = page("", 0), ["/projects$"] = answer })
      b.client:get_projects()
      assert.is_nil((b.client.projects:create({ name = "n" })))
      b.client:get_projects()
      assert.equal(requests, #b.requests)
    end
  end)

  it("works with the cache and the metrics off", function()
    local b = bed.new({ page('{"id":1,"code":1,"name":"p"}', 1) }, { enable_cache = false, enable_metrics = false })
    assert.equal(1, #b.client:get_projects())
    assert.equal(1, #b.client:get_projects())
    assert.equal(2, #b.requests)
    assert.equal(0, b.client:clear_cache())
    assert.equal(0, b.client:clean_expired())
    assert.equal("0.00%", b.client:get_cache_stats().hit_rate)
    assert.same({}, b.client:get_all_metrics())
    assert.equal(0, b.client:get_metrics_summary().total_api_calls)
    b.client:print_stats(function() end)
  end)

  it("counts calls, errors, attempts and cached answers", function()
    local b = bed.new { status(503), page("", 0), status(403) }
    b.client:get_projects()
    b.client:get_projects()
    b.client:get_workflow_instances "1"
    local metrics = b.client:get_all_metrics()
    local projects = metrics.get_projects
    assert.same({ 2, 0, 1, 2, 1 },
      { projects.call_count, projects.error_count, projects.cached_count, projects.attempts, projects.retries })
    assert.equal("0%", projects.error_rate)
    assert.equal("100.00%", metrics.get_workflow_instances.error_rate)
    assert.equal(3, b.client:get_metrics_summary().total_api_calls)
    b.client:reset_metrics()
    assert.same({}, b.client:get_all_metrics())
  end)

  it("gives bare values their table, and no data as true", function()
    local function call(data)
      return bed.new({ ok(data) }).client:call("instances.get", { project = "1", instance_id = 1 })
    end
    assert.is_true(call "null")
    assert.same({ value = false }, call "false")
    assert.same({ value = 7 }, call "7")
    local b = bed.new { ok "null" }
    assert.same({}, b.client:call("workflows.simple_list", { project = "1" }))
    assert.is_true(b.client:call("instances.execute", { project = "1", instance_id = 1, execute_type = "STOP" }))
  end)
end)

describe("one run, one execute at a time", function()
  local RECOVER = { project = "1", instance_id = 7 }

  local function bed_of(state)
    return bed.new(server {
      ["executors"] = ok(),
      ["instances/7"] = ok(('{"id":7,"state":"%s","runTimes":1}'):format(state)),
    })
  end

  it("reads the run before a second one, and refuses while it has not moved", function()
    local b = bed_of "FAILURE"
    assert(b.client.instances:recover(RECOVER))
    local _, err = b.client.instances:recover(RECOVER)
    assert.equal("busy", err.kind)
    assert.equal(2, #b.requests)
    b.advance(10)
    assert(b.client.instances:recover(RECOVER))
  end)

  it("sends it when the run has moved, and never holds another run", function()
    local b = bed_of "RUNNING_EXECUTION"
    assert(b.client.instances:pause(RECOVER))
    assert(b.client.instances:stop(RECOVER))
    assert(b.client.instances:stop { project = "1", instance_id = 8 })
    assert.equal(4, #b.requests)
  end)

  it("reads a run by its id alone where it is acted on so", function()
    local b = bed.new(server {
      ["execute/"] = ok(),
      ["instances/7$"] = ok '{"id":7,"state":"FAILURE"}',
    }, { server_version = "3.4.1" })
    local args = { instance_id = 7, execute_type = "START_FAILURE_TASK_PROCESS" }
    assert(b.client.instances:execute_by_id(args))
    local _, err = b.client.instances:execute_by_id(args)
    assert.equal("busy", err.kind)
    assert.equal("/v2/workflow-instances/7/execute/START_FAILURE_TASK_PROCESS", b.requests[1].path)
    assert.equal("/v2/workflow-instances/7", b.requests[2].path)
    assert.equal(2, #b.requests)
  end)

  it("sends it when the run was to end and has ended", function()
    for state, act in pairs { PAUSE = "pause", STOP = "stop", SUCCESS = "pause" } do
      local b = bed_of(state)
      assert(b.client.instances[act](b.client.instances, RECOVER))
      assert(b.client.instances:resume(RECOVER))
      local _, err = b.client.instances:resume(RECOVER)
      assert.equal("busy", err.kind)
    end
  end)

  it("holds a run of unknown outcome too, not a refused one", function()
    local b = bed.new(server {
      ["executors"] = status(502),
      ["instances/7"] = ok '{"id":7,"state":"FAILURE"}',
    })
    local _, err = b.client.instances:recover(RECOVER)
    assert.equal("outcome_unknown", err.kind)
    _, err = b.client.instances:recover(RECOVER)
    assert.equal("busy", err.kind)
    local c = bed.new { refused(50006) }
    for _ = 1, 2 do
      _, err = c.client.instances:recover(RECOVER)
      assert.equal(50006, err.code)
    end
    assert.equal(2, #c.requests)
  end)
end)

describe("several runs, one execute at a time", function()
  local BOTH = { project = "1", instance_ids = { 7, 8 } }

  local function bed_of(executors)
    return bed.new(server {
      ["executors"] = executors or ok(),
      ["instances/[78]"] = ok '{"id":7,"state":"FAILURE"}',
    })
  end

  it("are one request, and each of them is held", function()
    local b = bed_of()
    assert.is_true(b.client.instances:recover(BOTH))
    assert.equal("/projects/1/executors/batch-execute", (b.requests[1].path:gsub("^/dolphinscheduler", "")))
    assert.equal("processInstanceIds=7%2C8&executeType=START_FAILURE_TASK_PROCESS", b.requests[1].body)
    for id = 7, 8 do
      local _, err = b.client.instances:recover { project = "1", instance_id = id }
      assert.equal("busy", err.kind)
    end
    local _, err = b.client.instances:stop { project = "1", instance_ids = "9,8" }
    assert.equal("busy", err.kind)
    assert.equal(4, #b.requests)
    assert(b.client.instances:stop { project = "1", instance_id = 9 })
    b.advance(10)
    assert(b.client.instances:execute { project = "1", instance_ids = { 7, 8 }, execute_type = "STOP" })
  end)

  it("are held too where some were refused, and not where the request was never sent", function()
    local b = bed_of(refused(50058, "process instance delete error: 8"))
    local _, err = b.client.instances:recover(BOTH)
    assert.equal(50058, err.code)
    _, err = b.client.instances:recover { project = "1", instance_id = 7 }
    assert.equal("busy", err.kind)
    b = bed_of { failure = true, kind = "connect", phase = "unsent", message = "no" }
    for count = 4, 8, 4 do
      _, err = b.client.instances:recover(BOTH)
      assert.equal("connect", err.kind)
      assert.equal(count, #b.requests)
    end
  end)

  it("are named once", function()
    local b = bed_of()
    local _, err = b.client.instances:recover { project = "1", instance_ids = { 7, "8", "7" } }
    assert.same({ "argument", "instance_ids" }, { err.kind, err.argument })
    assert.equal(0, #b.requests)
    assert(b.client.instances:recover(BOTH))
  end)
end)

describe("from_env", function()
  local real = os.getenv
  local variables

  before_each(function()
    os.getenv = function(name) -- luacheck: ignore
      return variables[name]
    end
  end)

  after_each(function()
    os.getenv = real -- luacheck: ignore
  end)

  it("reads DS_API_URL and DS_TOKEN, which options go before", function()
    variables = { DS_API_URL = "http://h:1/", DS_TOKEN = "secret" }
    assert.equal("dsclient.client (http://h:1/dolphinscheduler)", tostring(dsclient.from_env()))
    assert.equal("dsclient.client (http://i/ds)", tostring(dsclient.from_env { api_url = "http://i/ds" }))
    local sent = {}
    local transport = {
      start = function(_, request)
        sent[#sent + 1] = table.concat(request.headers, "\n")
        return nil, { kind = "connect", phase = "unsent" }
      end,
      close = function() end,
    }
    for _, token in ipairs { "own", false } do
      local client = dsclient.from_env { token = token or nil, transport = transport, max_retries = 0,
        runtime = { sleep = function() end } }
      assert.is_nil(client:get_projects())
    end
    assert.truthy(sent[1]:find("token: own", 1, true))
    assert.truthy(sent[2]:find("token: secret", 1, true))
  end)

  it("gives what is wrong with the environment back as a value", function()
    for name, set in pairs {
      DS_API_URL = { {}, { DS_API_URL = "" }, { DS_API_URL = "ftp://h" }, { DS_API_URL = "http://u:secret@h" } },
      DS_TOKEN = { { DS_API_URL = "http://h", DS_TOKEN = "se\ncret" } },
    } do
      for _, given in ipairs(set) do
        variables = given
        local client, err = dsclient.from_env()
        assert.is_nil(client)
        assert.equal("argument", err.kind)
        assert.equal(name, err.argument)
        assert.is_nil(tostring(err):find "cret")
      end
    end
  end)

  it("is the only one that reads it: `new` needs its options", function()
    variables = { DS_API_URL = "http://h" }
    for _, call in ipairs {
      function() dsclient.new {} end, -- luacheck: ignore
      function() dsclient.from_env { api_uri = "http://h" } end, -- luacheck: ignore
      function() dsclient.from_env "http://h" end, -- luacheck: ignore
    } do
      local fine, message = pcall(call)
      assert.is_false(fine)
      assert.truthy(message:find "client_spec.lua:%d+: dsclient", message)
    end
  end)
end)

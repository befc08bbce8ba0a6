local bed = require "support.bed"
local dsclient = require "dsclient"

local ok, refused, status = bed.ok, bed.refused, bed.status

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
  end)

  it("keeps the token out of every error", function()
    local b = bed.new { refused(10001, "the token secret-token is secret-token") }
    local _, err = b.client:get_projects()
    assert.is_nil(tostring(err):find("secret-token", 1, true))
    assert.is_nil(err.message:find("secret-token", 1, true))
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
    assert.has_error(function()
      b.client.get_projects()
    end)
    assert.has_error(function()
      b.client.get_cache_stats({})
    end)
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
    } do
      local fine, message = pcall(call)
      assert.is_false(fine)
      assert.truthy(message:find "client_spec", message)
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

describe("from_env", function()
  it("is refused as a value without DS_API_URL", function()
    local real = os.getenv
    os.getenv = function() end -- luacheck: ignore
    local client, err = dsclient.from_env()
    os.getenv = real -- luacheck: ignore
    assert.is_nil(client)
    assert.equal("argument", err.kind)
  end)
end)

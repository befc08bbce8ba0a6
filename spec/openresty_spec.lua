-- The client inside nginx workers.

if not jit then
  return -- nginx runs the LuaJIT build
end

local core = require "dsclient.core"
local inside_nginx = require "support.inside_nginx"
local nginx = require "support.nginx"
local sandbox = require "dsclient.sandbox"
local tcp_server = require "spec.support.tcp_server"

-- A client at module level, made before the workers are forked.
local INIT = [[
  init_by_lua_block {
    dsclient = require "dsclient"
    core = require "dsclient.core"
    client = dsclient.new { api_url = "%s", token = "s3cr3t", server_version = "3.1.1", %s }
  }
]]

local server

--- Starts nginx with handlers by name: Lua that may use `client`, and prints.
-- @tparam string options of the client, as Lua
-- @tparam table|nil conf of nginx.start
local function start(url, handlers, options, conf)
  local opts = {}
  for name, text in pairs(conf or {}) do
    opts[name] = text
  end
  local text = { opts.server or "" }
  for name, code in pairs(handlers) do
    text[#text + 1] = ("location /%s { content_by_lua_block { %s } }"):format(name, code)
  end
  opts.http = (opts.http or "") .. INIT:format(url, options or "")
  opts.server = table.concat(text, "\n")
  server = nginx.start(opts)
end

--- What a handler printed as JSON.
local function get(path, serve)
  return core.decode(server:body(path, nil, serve))
end

describe("a client in nginx", function()
  local box

  before_each(function()
    box = sandbox.start { token = "s3cr3t" }
  end)

  after_each(function()
    server:stop()
    box:stop()
  end)

  it("calls the server from a handler, and keeps cache and connections from one request to the next", function()
    start(box.url, { projects = [[
      local projects, err, meta = client:get_projects()
      ngx.print(projects and #projects or tostring(err), " ", tostring(meta and meta.cached))
    ]] })
    assert.equal("3 false", server:body "/projects")
    assert.equal("3 true", server:body "/projects")
  end)

  it("loads the core alone: no libcurl, and no library that nginx had not loaded", function()
    start(box.url, {
      call = [[ ngx.print(tostring(client:get_projects() ~= nil), " ", tostring(package.loaded["dsclient.curl"])) ]],
      idle = "",
    })
    assert.equal("", server:body "/idle")
    local function mapped()
      local names = {}
      for line in io.lines(("/proc/%d/maps"):format(server:workers()[1])) do
        names[line:match "/([^/]+%.so[%d.]*)$" or ""] = true
      end
      return names
    end
    local before = mapped()
    assert.equal("true nil", server:body "/call")
    assert.same(before, mapped())
    assert.is_true(before["core.so"])
    for name in pairs(before) do
      assert.is_nil(name:match "curl")
    end
  end)

  it("tells of itself", function()
    start(box.url, { told = [[
      client:get_projects()
      local printed = {}
      client:print_stats(function(text) printed[#printed + 1] = text end)
      ngx.print(core.encode { table.concat(printed), tostring(client:status()), client:metrics_text() })
    ]] })
    local told = get "/told"
    assert.truthy(told[1]:find("get_projects", 1, true))
    assert.truthy(told[2]:find("0 of 20 in flight", 1, true))
    assert.truthy(told[3]:find('dsclient_calls_total{operation="get_projects",outcome="ok"} 1', 1, true))
  end)

  it("works in a state that is made for each request", function()
    start(box.url, { once = [[
      local dsclient = require "dsclient"
      local client = dsclient.new { api_url = "]] .. box.url .. [[", token = "s3cr3t" }
      local values = assert(client:gather {
        function() return client:get_projects() end,
        function() return client.users:current() end,
      })
      ngx.print(#values[1], " ", tostring(CALLED))
      CALLED = true
    ]] }, nil, { http = "lua_code_cache off;" })
    for _ = 1, 5 do
      assert.equal("3 nil", server:body "/once")
    end
  end)

  it("makes the options of nginx its own, and says which it can't keep", function()
    start(box.url, { new = [[
      local out = {}
      for i, opts in ipairs { { proxy = "http://127.0.0.1:1" }, { tls = { ca_file = "/a" } }, { proxy = false } } do
        opts.api_url = "http://127.0.0.1:1"
        local fine, problem = pcall(dsclient.new, opts)
        out[i] = fine and "fine" or problem:gsub("^.-: ", "", 1)
      end
      ngx.print(core.encode(out))
    ]] })
    assert.same({
      'dsclient.new: option "proxy": cosockets know no proxies',
      'dsclient.new: option "tls": ca_file: cosockets trust whom nginx\'s lua_ssl_trusted_certificate names',
      "fine",
    }, get "/new")
  end)

  it("has what a program asks of it: values, pages, files, errors", function()
    start(box.url, { all = [[
      local out = {}
      local count = 0
      for _ in client.workflows:each { project = "demo-1", page_size = 3 } do
        count = count + 1
      end
      out.each = count
      out.health = client:cluster_health() ~= nil
      out.nowhere = select(2, client.workflows:list { project = "nowhere" }).kind
      out.busy = { client.instances:recover { project = "demo-1", instance_id = 1 } }
      out.busy = out.busy[2] and out.busy[2].kind
      ngx.print(core.encode(out))
    ]] })
    local out = get "/all"
    assert.equal(10, out.each)
    assert.is_true(out.health)
    assert.equal("not_found", out.nowhere)
    assert.equal("api", out.busy)
  end)

  it("runs calls side by side, each in a light thread", function()
    start(box.url, { gather = [[
      local values, errs = client:gather {
        projects = function() return client:get_projects() end,
        user = function() return client.users:current() end,
        slept = function() return client:sleep(0.01) end,
        bad = function() return client.workflows:list { project = "nowhere" } end,
      }
      local names = client:map({ "demo-1", "demo-2", "demo-3" }, function(project)
        return #client.workflows:list { project = project }
      end)
      ngx.print(core.encode { #values.projects, values.user.userName, values.slept, values.bad, errs.bad.kind, names })
    ]], run = [[
      local order = {}
      local first, second = dsclient.run(function()
        local task = dsclient.spawn(function()
          order[#order + 1] = "spawned"
          dsclient.sleep(0.01)
          order[#order + 1] = "slept"
          return 7
        end)
        order[#order + 1] = "main"
        local endless = dsclient.spawn(function()
          local fine, err = dsclient.sleep(1000)
          order[#order + 1] = err.kind
        end)
        local value = task:join()
        endless:cancel()
        endless:join()
        return value, task.over
      end)
      ngx.print(core.encode { first, second, order })
    ]], thrown = [[
      ngx.print(tostring(select(2, pcall(client.gather, client, {
        function() error("on purpose", 0) end,
        function() return client:sleep(1000) end,
      }))):match "^[^\n]*")
    ]], late = [[
      local values, errs = client:gather({ function() return client:sleep(1000) end }, { timeout_s = 0.01 })
      ngx.print(errs[1].kind)
    ]] })
    assert.same({ 3, "admin", true, false, "not_found", { 10, 10, 10 } }, get "/gather")
    assert.same({ 7, true, { "main", "spawned", "slept", "cancelled" } }, get "/run")
    assert.equal("on purpose", server:body "/thrown")
    assert.equal("deadline", server:body "/late")
  end)

  it("can be called wherever a yield is possible, and is not stuck where it is not", function()
    start(box.url, { yields = [[
      local function ask()
        return #assert(client:get_projects { refresh = true })
      end
      local object = setmetatable({}, { __index = ask, __call = ask, __tostring = function() return "" .. ask() end })
      local function iterator(_, last)
        if last < 2 then
          return last + 1, ask()
        end
      end
      local out = { direct = ask(), pcall = select(2, pcall(ask)), xpcall = select(2, xpcall(ask, tostring)),
        wrap = coroutine.wrap(ask)(), index = object.anything, call = object(), tostring = tostring(object) }
      for _, count in iterator, nil, 0 do
        out.iterator = (out.iterator or 0) + count
      end
      local co = coroutine.create(function()
        coroutine.yield(ask())
        return ask()
      end)
      out.first, out.second = select(2, coroutine.resume(co)), select(2, coroutine.resume(co))
      out.nested = coroutine.wrap(function() return coroutine.wrap(ask)() end)()
      out.thread = select(2, ngx.thread.wait(ngx.thread.spawn(ask)))
      out.sort = select(2, pcall(table.sort, { 2, 1 }, ask))
      out.gsub = select(2, pcall(string.gsub, "a", "a", ask))
      package.preload.asking = ask
      out.require = select(2, pcall(require, "asking"))
      for _, name in ipairs { "sort", "gsub", "require" } do
        out[name] = out[name]:match "attempt to yield across C%-call boundary"
      end
      out.after = ask()
      ngx.print(core.encode(out))
    ]] })
    local across = "attempt to yield across C-call boundary"
    assert.same({ direct = 3, pcall = 3, xpcall = 3, wrap = 3, index = 3, call = 3, tostring = "3", iterator = 6,
      first = 3, second = 3, nested = 3, thread = 3, sort = across, gsub = across, require = across, after = 3 },
      get "/yields")
  end)
end)

describe("a phase of nginx", function()
  local box

  before_each(function()
    box = sandbox.start { token = "s3cr3t" }
  end)

  after_each(function()
    server:stop()
    box:stop()
  end)

  -- Keeps for /said what a call comes to, under a name.
  local SAY = [[
    local dsclient = require "dsclient"
    said = said or {}
    local own = dsclient.new { api_url = "%s", token = "s3cr3t", server_version = "3.1.1" }
    local rows, err = own:get_projects()
    said.%s = rows and #rows or err.kind .. ": " .. err.message
  ]]

  --- The directive with such a block.
  local function directive(name, said)
    return ("%s { %s }"):format(name, SAY:format(box.url, said))
  end

  it("in which nothing can wait is said, with what to do", function()
    start(box.url, {
      said = "ngx.print(core.encode(said))",
    }, nil, {
      http = directive("init_worker_by_lua_block", "init_worker"),
      server = ([[
        location /phases {
          set_by_lua_block $unused { %s return "" }
          %s %s %s %s %s %s
        }
        location /timer { content_by_lua_block { ngx.timer.at(0, function() %s end) ngx.sleep(0.05) } }
      ]]):format(SAY:format(box.url, "set"), directive("rewrite_by_lua_block", "rewrite"),
        directive("access_by_lua_block", "access"), directive("content_by_lua_block", "content"),
        directive("header_filter_by_lua_block", "header_filter"),
        directive("body_filter_by_lua_block", "body_filter"), directive("log_by_lua_block", "log"),
        SAY:format(box.url, "timer")),
    })
    server:get "/phases"
    server:get "/timer"
    local said
    server:await("all phases", function()
      said = get "/said"
      return said.log and said.timer
    end)
    for _, phase in ipairs { "rewrite", "access", "content", "timer" } do
      assert.equal(3, said[phase], phase)
    end
    for _, phase in ipairs { "init_worker", "set", "header_filter", "body_filter", "log" } do
      assert.truthy(said[phase]:find("^phase: .* in " .. phase .. "_by_lua%*; ngx%.timer%.at%(0, …%) "), said[phase])
    end
  end)

  it("in which nothing can wait refuses all that waits, and gives what is cached", function()
    start(box.url, {
      fill = "client:get_projects()",
      said = "ngx.print(core.encode(said))",
    }, nil, {
      http = [[
        init_worker_by_lua_block {
          said = {}
          local function kind(value, err)
            return value and "value" or err.kind
          end
          function say(phase)
            said[phase] = {
              call = kind(client:get_projects()),
              write = kind(client.workflows:release { project = 1, workflow = 2, state = "ONLINE" }),
              page = kind(client:page("workflows.list", 1, { project = 1 })),
              acts = kind(client:execute_failure_recovery(1, 2)),
              named = kind(client:get_process_definitions "demo-1"),
              check = kind(client:check_connection()),
              sleep = kind(client:sleep(1)),
              slept = kind(dsclient.sleep(1)),
              run = kind(dsclient.run(function() return true end)),
              gather = kind(nil, select(2, client:gather { function() return client.users:current() end })[1]),
              each = select(2, pcall(client:each("workflows.list", { project = 1 }))).kind,
              metrics = kind(client:metrics_text()),
              status = kind(client:status()),
            }
          end
          say "init_worker"
        }
      ]],
      server = "location /log { return 204; log_by_lua_block { say 'log' } }",
    })
    server:get "/fill"
    server:get "/log"
    local expected = { call = "phase", write = "phase", page = "phase", acts = "phase", named = "phase",
      check = "phase", sleep = "phase", slept = "phase", run = "phase", gather = "phase", each = "phase",
      metrics = "value", status = "value" }
    assert.same(expected, get("/said").init_worker)
    server:await("the phase", function()
      return get("/said").log
    end)
    expected.call = "value"
    assert.same(expected, get("/said").log)
  end)

  it("before the workers are there: require and new work, calls are refused, and the workers can call", function()
    server = nginx.start {
      http = ([[ init_by_lua_block {
        local dsclient = require "dsclient"
        core = require "dsclient.core"
        client = dsclient.new { api_url = "%s", token = "s3cr3t", server_version = "3.1.1" }
        early = { select(2, client:get_projects()).message, client:get_cache_stats().misses }
      } ]]):format(box.url),
      server = [[ location /said { content_by_lua_block {
        local rows, err = client:get_projects()
        ngx.print(core.encode { early, rows and #rows or tostring(err) })
      } } ]],
    }
    local said = get "/said"
    assert.truthy(said[1][1]:find("init_by_lua*; in init_worker_by_lua* ngx.timer.at", 1, true))
    assert.same({ 1, 3 }, { said[1][2], said[2] })
  end)
end)

describe("a call under way in nginx", function()
  local wire

  before_each(function()
    wire = tcp_server.start()
  end)

  after_each(function()
    server:stop()
    wire:stop()
  end)

  --- How many requests for a path the server has got.
  local function count(path)
    return wire:ask("count GET " .. path)
  end

  it("holds up no other request", function()
    start(wire.url .. "/hold", {
      held = [[ ngx.print(select(2, client:request { path = "/a" }).kind) ]],
      other = [[ ngx.print "served" ]],
    })
    local held = {}
    for i = 1, 5 do
      held[i] = server:send "/held"
    end
    server:await("the calls", function()
      return count "/hold/a" == 5
    end)
    for _ = 1, 20 do
      assert.equal("served", server:body "/other")
    end
    for i = 1, 5 do
      assert.is_false(held[i].over)
    end
    wire:ask "release"
    for i = 1, 5 do
      assert.equal("not_api", server:receive(held[i]).body)
    end
  end)

  it("ends when the client is closed by another request", function()
    start(wire.url .. "/stall", {
      stalled = [[ ngx.print(select(2, client:request { path = "/a" }).kind) ]],
      close = [[ client:close() ngx.print(select(2, client:request { path = "/b" }).kind) ]],
    })
    local stalled = server:send "/stalled"
    server:await("the call", function()
      return count "/stall/a" == 1
    end)
    assert.equal("closed", server:body "/close")
    assert.equal("cancelled", server:receive(stalled).body)
  end)

  it("ends when its task is ended, and its connection with it", function()
    start(wire.url .. "/stall", {
      cancelled = [[
        local kind
        dsclient.run(function()
          local task = dsclient.spawn(function()
            kind = select(2, client:request { path = "/a", class = "read" }).kind
          end)
          while client:status().in_flight == 0 do
            dsclient.sleep(0.01)
          end
          dsclient.sleep(0.05)
          task:cancel()
          task:join()
        end)
        ngx.print(kind, " ", client:status().in_flight)
      ]],
    })
    assert.equal("cancelled 0", server:body "/cancelled")
    server:await("the end of the connection", function()
      return wire:ask "open" == 0
    end)
    assert.equal(1, count "/stall/a")
  end)

  it("ends at its deadline", function()
    start(wire.url .. "/stall", {
      late = [[ ngx.print(select(2, client:request({ path = "/a" }, { timeout_s = 0.1 })).kind) ]],
      never = [[ ngx.print(select(2, client:request({ path = "/a" }, { timeout_s = 0.001 })).kind) ]],
    })
    assert.equal("deadline", server:body "/late")
    assert.equal("deadline", server:body "/never")
    server:await("the end of the connections", function()
      return wire:ask "open" == 0
    end)
  end)

  it("whose request is aborted leaves what it fetched to others, and its connection", function()
    start(wire.url .. "/hold", {
      fetch = [[
        local rows, err = client.projects:list()
        ngx.print(err.kind)
      ]],
      status = [[ ngx.print(client:status().in_flight) ]],
    }, "max_retries = 0, attempt_timeout_s = 2", { http = "lua_check_client_abort on;" })
    local leader = server:send "/fetch"
    server:await("the fetch", function()
      return wire:ask "count all" == 1
    end)
    local follower = server:send "/fetch"
    assert.equal("1", server:body "/status")
    leader.close()
    server:await("another fetch", function() -- within some seconds
      return wire:ask "connections" == 2
    end)
    wire:ask "release"
    assert.equal("not_api", server:receive(follower).body)
    server:await("the end of the lease", function()
      return server:body "/status" == "0"
    end)
  end)

  it("whose thread is killed is no call any more", function()
    start(wire.url .. "/hold", {
      killed = [[
        local thread = ngx.thread.spawn(function()
          client:request { path = "/a", class = "read" }
        end)
        ngx.sleep(0.05)
        ngx.print(client:status().in_flight, " ")
        ngx.thread.kill(thread)
        thread = nil
        collectgarbage()
        collectgarbage()
        ngx.print(client:status().in_flight)
      ]],
    })
    assert.equal("1 0", server:body "/killed")
  end)
end)

describe("a fault in nginx", function()
  inside_nginx.define("support.fault_outcomes", { it = it, setup = setup, teardown = teardown })
end)

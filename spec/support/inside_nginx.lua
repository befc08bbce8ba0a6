--- Runs the tests of a suite inside a worker of nginx, one request each, in its
-- content phase. A suite is a module that returns a function (busted) which
-- defines tests by busted.describe, it, setup, teardown, before_each and
-- after_each; it is loaded here for their names, and there to be run. What setup
-- does is done for each test.
--
-- There tcp_server and sandbox.start are proxies: servers run here, and whoever
-- asks them yields, as all that waits in nginx.

local core = require "dsclient.core"

local _M = {}

-- --- in the worker -------------------------------------------------------

--- The suite's tests in their order: {name, befores, test, afters}.
local function collect(suite)
  local tests, befores, afters, names = {}, {}, {}, {}
  local function copy(list)
    return { unpack(list) }
  end
  local busted = {}
  function busted.describe(name, define)
    local outer_befores, outer_afters = befores, afters
    befores, afters = copy(befores), copy(afters)
    names[#names + 1] = name
    define()
    names[#names] = nil
    befores, afters = outer_befores, outer_afters
  end
  function busted.it(name, test)
    local full = table.concat(names, " ") .. " " .. name
    tests[#tests + 1] = { name = full, befores = befores, test = test, afters = afters }
  end
  function busted.before_each(fn)
    befores[#befores + 1] = fn
  end
  function busted.after_each(fn)
    table.insert(afters, 1, fn)
  end
  busted.setup, busted.teardown = busted.before_each, busted.after_each
  require(suite)(busted)
  return tests
end

--- What stands for servers of the spec's process: each has a connection of its own
-- to it, over which one asks in lines of JSON.
local function remote(port)
  local function open()
    local control = ngx.socket.tcp()
    control:settimeouts(1000, 60000, 60000)
    assert(control:connect("127.0.0.1", port))
    return function(...)
      assert(control:send(core.encode(core.array { ... }) .. "\n"))
      local answer = core.decode(assert(control:receive "*l"))
      if answer.thrown then
        error(answer.thrown, 0)
      end
      return answer.result, answer.message
    end
  end

  local tcp_server = {}
  tcp_server.__index = tcp_server

  function tcp_server.start(at)
    local self = setmetatable({ call = open() }, tcp_server)
    self.port = self.call("listen", at or 0)
    self.url = "http://127.0.0.1:" .. self.port
    return self
  end

  function tcp_server:ask(command)
    return (self.call("ask", command))
  end

  function tcp_server:stop()
    self.call "stop"
  end

  local function start_sandbox(options)
    local call = open()
    local box = call("sandbox", options or {})
    return setmetatable(box, {
      __index = function(_, name)
        return function(_, arguments)
          return call("box", name, arguments)
        end
      end,
    })
  end

  return tcp_server, start_sandbox
end

--- One test; prints what is wrong with it, or nothing. Called by nginx.conf.
function _M.serve(suite, control_port)
  local tcp_server, start_sandbox = remote(control_port)
  package.loaded["spec.support.tcp_server"], package.loaded["support.tcp_server"] = tcp_server, tcp_server
  require("dsclient.sandbox").start = start_sandbox
  package.loaded[suite] = nil
  local one = collect(suite)[tonumber(ngx.var.arg_n)]
  local problem
  local function guard(fn)
    local fine, why = xpcall(fn, function(why)
      return type(why) == "table" and tostring(why.message or why) or debug.traceback(tostring(why))
    end)
    problem = problem or not fine and why
    return fine
  end
  local ready = true
  for _, before in ipairs(one.befores) do
    ready = ready and guard(before)
  end
  if ready then
    guard(one.test)
  end
  for _, after in ipairs(one.afters) do
    guard(after)
  end
  ngx.print(problem or "")
end

if ngx then
  return _M
end

-- --- here ----------------------------------------------------------------

local nginx = require "support.nginx"
local sandbox = require "dsclient.sandbox"
local tcp_server = require "spec.support.tcp_server"
local uv = require "luv"

-- What the tests may ask for; each is given the connection, and keeps there what it
-- started.
local commands = {}

function commands.listen(one, port)
  one.server = tcp_server.start(port > 0 and port or nil)
  return one.server.port
end

function commands.ask(one, command)
  return one.server:ask(command)
end

function commands.sandbox(one, options)
  one.server = sandbox.start(options)
  return { url = one.server.url, token = one.server.token }
end

function commands.box(one, method, arguments)
  return one.server[method](one.server, arguments)
end

function commands.stop(one)
  one.server:stop()
  return true
end

local function obey(one, line)
  local command = core.decode(line)
  local fine, result, message = pcall(commands[command[1]], one, command[2], command[3])
  local thrown = not fine and tostring(result) or nil
  return core.encode { result = fine and result or nil, message = message, thrown = thrown }
end

--- Listens for those who want a server, and does what they say when it is called:
-- not in a callback, since that waits, too.
-- @treturn number port
-- @treturn function serve
-- @treturn function close
local function control()
  local listener = uv.new_tcp()
  local connections = {}
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(64, function()
    local one = { socket = uv.new_tcp(), data = "" }
    listener:accept(one.socket)
    connections[one] = true
    one.socket:read_start(function(_, data)
      one.data = one.data .. (data or "")
      one.over = not data
    end)
  end))

  local function serve()
    for one in pairs(connections) do
      local line, rest = one.data:match "^([^\n]*)\n(.*)$"
      if line then
        one.data = rest
        one.socket:write(obey(one, line) .. "\n")
      elseif one.over then
        connections[one] = nil
        one.socket:close()
        if one.server then
          one.server:stop()
        end
      end
    end
  end

  local function close()
    for one in pairs(connections) do
      one.over, one.data = true, ""
    end
    serve()
    listener:close()
    uv.run "nowait"
  end

  return listener:getsockname().port, serve, close
end

local CONF = [[
  location /test {
    content_by_lua_block { require("support.inside_nginx").serve("%s", %d) }
  }
]]

local function nothing() end

--- Defines the tests of a suite here; each is run there.
-- @tparam string suite a module's name
-- @tparam table busted describe, it, setup, teardown
-- @tparam table|nil conf of nginx.start: main, http
function _M.define(suite, busted, conf)
  local server, port, serve, close
  local count = 0

  busted.setup(function()
    port, serve, close = control()
    local opts = { server = CONF:format(suite, port) }
    for name, text in pairs(conf or {}) do
      opts[name] = text
    end
    server = nginx.start(opts)
  end)

  busted.teardown(function()
    server:stop()
    close()
  end)

  require(suite) {
    describe = busted.describe,
    it = function(name)
      count = count + 1
      local n = count
      busted.it(name, function()
        local problem = server:body("/test?n=" .. n, nil, serve)
        if problem ~= "" then
          error(problem, 0)
        end
      end)
    end,
    setup = nothing,
    teardown = nothing,
    before_each = nothing,
    after_each = nothing,
  }
end

return _M

local compile = require "spec.support.compile"
local contract = require "spec.transport_contract"
local curl = require "dsclient.curl"
local failed = require "spec.support.failed"
local finaliser = require "spec.support.finaliser"
local tcp_server = require "spec.support.tcp_server"
local wire_contract = require "spec.wire_contract"
local uv = require "luv"

describe("dsclient.curl keeps the contract:", function()
  contract({new = curl.new, now = curl.now, gzip = true, descriptors = true, caps = true},
    {describe = describe, it = it, before_each = before_each, after_each = after_each})
end)

describe("dsclient.curl takes", function()
  wire_contract({new = curl.new, now = curl.now, gzip = true},
    {describe = describe, it = it, before_each = before_each, after_each = after_each})
end)

local function get(transport, url, more, timeout_s)
  local request = {url = url}
  for key, value in pairs(more or {}) do
    request[key] = value
  end
  return assert(transport:start(request, curl.now() + (timeout_s or 10))):wait()
end

local function temporary_directory()
  return assert(uv.fs_mkdtemp(assert(uv.os_tmpdir()) .. "/dsclient-XXXXXX"))
end

local function remove(directory)
  local scan = assert(uv.fs_scandir(directory))
  for name in uv.fs_scandir_next, scan do
    assert(uv.fs_unlink(directory .. "/" .. name))
  end
  assert(uv.fs_rmdir(directory))
end

local function write_file(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function read_file(path)
  local file = io.open(path)
  if not file then
    return ""
  end
  local text = file:read "*a"
  file:close()
  return text
end

--- Runs a program.
--- @param on_output function|nil called whenever it prints
--- @return table {code, signal, output, errors}
local function run(path, args, env, on_output)
  local result = {output = "", errors = ""}
  local output, errors = uv.new_pipe(), uv.new_pipe()
  local options = {args = args, env = env, stdio = {nil, output, errors}}
  local process = assert(uv.spawn(path, options, function(code, signal)
    result.code, result.signal = code, signal
  end))
  errors:read_start(function(_, data)
    result.errors = result.errors .. (data or "")
    if not data then
      errors:close()
    end
  end)
  output:read_start(function(_, data)
    result.output = result.output .. (data or "")
    if not data then
      output:close()
    elseif on_output then
      on_output()
    end
  end)
  while not (result.code and output:is_closing() and errors:is_closing()) do
    uv.run "once"
  end
  process:close()
  uv.run "nowait"
  return result
end

--- The environment of this process, changed. @return string[]
local function environment(changes)
  local list = {}
  local now = uv.os_environ()
  for name, value in pairs(changes) do
    now[name] = value
  end
  for name, value in pairs(now) do
    list[#list + 1] = name .. "=" .. value
  end
  return list
end

local function preload(path)
  local before = os.getenv "LD_PRELOAD"
  return before and before ~= "" and before .. ":" .. path or path
end

local function interpreter()
  local i = -1
  while arg[i - 1] do
    i = i - 1
  end
  return arg[i]
end

describe("dsclient.curl", function()
  local server, transport

  before_each(function()
    server = tcp_server.start()
    transport = curl.new {}
  end)

  after_each(function()
    transport:close()
    server:stop()
  end)

  it("says its version and the time", function()
    assert.truthy(curl.version():find "^libcurl/%d+%.%d+")
    local before = curl.now()
    assert.is_true(curl.now() >= before)
  end)

  it("throws for an option of a wrong type, naming it", function()
    for name, value in pairs {pool_maxsize = "x", idle_max_s = {}, user_agent = 1, proxy = true, tls = "x"} do
      assert.error_matches(function()
        curl.new {[name] = value}
      end, name)
    end
    assert.error_matches(function()
      curl.new {tls = {verify = "no"}}
    end, "verify")
  end)

  it("sends the user agent and asks for gzip", function()
    local own = curl.new {user_agent = "spec/1"}
    local sent = assert(get(own, server.url .. "/echo")).body
    assert.truthy(sent:find("\r\nUser-Agent: spec/1\r\n", 1, true))
    assert.truthy(sent:find("\r\nAccept-Encoding: gzip\r\n", 1, true))
    own:close()
  end)

  it("counts the bytes that were sent and received", function()
    for _, size in ipairs {0, 10, 60000, 200000} do
      local response = assert(get(transport, server.url .. "/echo", {method = "POST", body = ("x"):rep(size)}))
      assert.equal(#response.body, response.bytes_out)
      assert.is_true(response.bytes_in > #response.body)
    end
  end)

  it("leaves a path as it is", function()
    local sent = assert(get(transport, server.url .. "/echo/../x")).body
    assert.equal("/echo/../x", sent:match "^GET (%S+)")
  end)

  it("speaks http and https only, and without user-info", function()
    for _, url in ipairs {"file:///etc/hostname", "ftp://127.0.0.1/", "http://a:s3cr3t@127.0.0.1/"} do
      local response, failure = get(transport, url)
      assert.is_nil(response)
      assert.equal("argument", failure.kind)
      assert.equal("unsent", failure.phase)
      assert.is_nil(failure.message:find "s3cr3t")
    end
  end)

  it("goes through a proxy, or refuses that of the environment", function()
    local proxied = curl.new {proxy = server.url}
    local response = assert(get(proxied, "http://nowhere.invalid/ok"))
    proxied:close()
    assert.equal(404, response.status)
    uv.os_setenv("http_proxy", server.url)
    local by_environment, refused, empty = curl.new {}, curl.new {proxy = false}, curl.new {proxy = ""}
    assert.equal(404, assert(get(by_environment, "http://nowhere.invalid/ok")).status)
    for _, direct in ipairs {refused, empty} do
      local _, failure = get(direct, "http://nowhere.invalid/ok")
      assert.equal("dns", failure.kind)
      direct:close()
    end
    by_environment:close()
    uv.os_unsetenv "http_proxy"
  end)

  it("keeps idle connections no longer than idle_max_s", function()
    local own = curl.new {idle_max_s = 1}
    assert(get(own, server.url .. "/ok"))
    uv.sleep(2100) -- libcurl counts whole seconds
    assert.is_false(assert(get(own, server.url .. "/ok")).reused)
    own:close()
  end)

  it("counts the requests that found all connections in use", function()
    local small = curl.new {pool_maxsize = 2}
    local transfers = {}
    for i = 1, 5 do
      transfers[i] = small:start({url = server.url .. "/ok"}, curl.now() + 10)
    end
    assert.same({pool_maxsize = 2, running = 5, queued = 3, open = 0}, small:stats())
    for i = 1, 5 do
      assert(transfers[i]:wait())
    end
    assert.same({pool_maxsize = 2, running = 0, queued = 3, open = server:ask "open"}, small:stats())
    small:close()
    assert.same({pool_maxsize = 2, running = 0, queued = 3, open = 0}, small:stats())
  end)

  --- The sockets of this process, by what the kernel calls them, and how many there are.
  local function sockets()
    local set, count = {}, 0
    local scan = assert(uv.fs_scandir "/proc/self/fd")
    for name in uv.fs_scandir_next, scan do
      local target = uv.fs_readlink("/proc/self/fd/" .. name) -- that of the scan itself is gone
      if target and target:find "^socket:" then
        set[target], count = true, count + 1
      end
    end
    return set, count
  end

  it("counts the sockets that are open", function()
    local before = select(2, sockets())
    local function open(expected)
      assert.equal(expected, transport:stats().open)
      assert.equal(expected, select(2, sockets()) - before)
    end
    open(0)
    assert(get(transport, server.url .. "/ok"))
    open(1)
    assert(get(transport, server.url .. "/ok", {fresh = true}))
    open(2)
    local transfers = {}
    for i = 1, 12 do
      transfers[i] = transport:start({url = server.url .. "/ok", fresh = true}, curl.now() + 10)
    end
    for i = 1, 12 do
      assert(transfers[i]:wait())
    end
    assert.equal(14, server:ask "connections")
    open(14)
    assert.is_nil(get(transport, server.url .. "/reset", {fresh = true}))
    open(14)
    assert.is_nil(get(transport, server.url .. "/stall", {fresh = true}, 0.1))
    open(14)
    local cancelled = transport:start({url = server.url .. "/stall", fresh = true}, curl.now() + 10)
    assert.is_nil(get(transport, server.url .. "/stall", {fresh = true}, 0.1))
    open(15)
    cancelled:cancel()
    open(14)
    local other = tcp_server.start()
    before = select(2, sockets()) - 14 -- the pipes to the other one count, too
    local url = other.url:gsub("127.0.0.1", "localhost") .. "/ok"
    assert(get(transport, url)) -- ::1 may be tried as well
    open(15)
    other:stop()
    before = select(2, sockets()) - 15
    assert.is_nil(get(transport, url, {fresh = true}))
    open(15)
    transport:close()
    assert.equal(0, transport:stats().open)
  end)

  it("gives no connection to a program that is started meanwhile", function()
    local before = sockets()
    assert(get(transport, server.url .. "/ok"))
    local output = run("/bin/sh", {"-c", "ls -l /proc/$$/fd"}).output
    local ours = 0
    for name in pairs((sockets())) do
      if not before[name] then
        ours = ours + 1
        assert.is_nil(output:find(name, 1, true))
      end
    end
    assert.equal(1, ours)
  end)

  it("refuses more header lines than it has places for", function()
    local lines = {}
    for i = 1, 65 do
      lines[i] = "x-" .. i .. ": 1"
    end
    local x, failure = transport:start({url = server.url .. "/ok", headers = lines}, curl.now() + 5)
    assert.is_nil(x)
    assert.equal("limit", failure.kind)
  end)

  it("survives a collector that never rests, and forgotten transfers", function()
    local function forget(path)
      transport:start({url = server.url .. path, method = "POST", body = ("x"):rep(5000)}, curl.now() + 10)
    end
    for i = 1, 50 do
      forget "/stall"
      local x = transport:start({url = server.url .. "/huge"}, curl.now() + 10)
      collectgarbage()
      forget "/huge"
      collectgarbage "step"
      assert.equal(2 ^ 20, #assert(x:wait()).body)
      if i % 10 == 0 then
        local other = curl.new {}
        other:start({url = server.url .. "/stall"}, curl.now() + 10)
        get(other, server.url .. "/ok")
      end
    end
    collectgarbage()
    assert.equal(200, assert(get(transport, server.url .. "/ok")).status)
  end)

  it("survives finalisers that close it, or come back for the result", function()
    finaliser.rounds(400, function(round)
      local own = curl.new {pool_maxsize = 1}
      local x = assert(own:start({url = server.url .. "/repeated"}, curl.now() + 10))
      return function()
        if round % 3 == 0 then
          own:close()
        elseif round % 3 == 1 then
          x:wait()
        else
          x:cancel()
        end
      end, function()
        local response, failure = x:wait()
        assert.is_true(response ~= nil or failure.kind == "closed" or failure.kind == "cancelled")
        if response then
          assert.equal("hello", response.body)
          assert.equal("one, two", response.headers["x-thing"])
        end
        own:close()
      end
    end)
    assert.equal(200, assert(get(transport, server.url .. "/ok")).status)
  end)

  it("a transfer keeps its transport alive", function()
    local x = curl.new({}):start({url = server.url .. "/ok"}, curl.now() + 10)
    collectgarbage()
    collectgarbage()
    assert.equal(200, assert(x:wait()).status)
  end)

  it("has of an answer the header fields that are asked for", function()
    local names = {("x-%s"):format "thing", "x-empty"}
    local own = curl.new {headers = names}
    names[1], names[2] = nil, nil
    collectgarbage()
    assert.same({}, assert(get(own, server.url .. "/ok")).headers)
    assert.same({["x-thing"] = "one, two", ["x-empty"] = ""}, assert(get(own, server.url .. "/repeated")).headers)
    own:close()
    for _, headers in ipairs {{1, {}}, {"a", "b", "c", "d", "e", "f", "g", "h", "i"}, "date"} do
      assert.has_error(function()
        curl.new {headers = headers}
      end)
    end
  end)

  it("uses a transfer anew that is over, and no other", function()
    local request = {url = server.url .. "/ok"}
    local function start(spare)
      return transport:start(request, curl.now() + 10, spare)
    end
    local x = assert(start())
    assert.has_error(function()
      start(x)
    end)
    assert.equal("hello", assert(x:wait()).body)
    assert.equal(x, start(x))
    assert.equal("hello", assert(x:wait()).body)
    assert.is_nil((x:wait()))
    assert.equal(x, start(x))
    x:cancel()
    local other = curl.new {}
    assert.has_error(function()
      other:start(request, curl.now() + 10, x)
    end)
    for _, spare in ipairs {true, {}, other} do
      assert.has_error(function()
        start(spare)
      end)
    end
    other:close()
    assert.equal(0, transport:stats().running)
  end)

  it("refuses to work in a forked child, and leaves the parent's connections alone", function()
    local path = compile("fork_helper.c", "library")
    local fork = assert(package.loadlib(path, "luaopen_fork_helper"))()
    assert(get(transport, server.url .. "/ok"))
    local pending = transport:start({url = server.url .. "/ok"}, curl.now() + 10)
    local status = fork.run(function()
      local x, refusal = transport:start({url = server.url .. "/ok"}, curl.now() + 10)
      local response, failure = pending:wait()
      pending:cancel()
      transport:close()
      collectgarbage()
      local told = refusal.kind == "closed" and refusal.phase == "unsent" and refusal.message:find "fork"
      return x == nil and told and response == nil and failure.kind == "closed" and 7 or 1
    end)
    assert.equal(7, status)
    assert.equal(200, assert(pending:wait()).status)
    assert.is_true(assert(get(transport, server.url .. "/ok")).reused)
    assert.equal(1, server:ask "connections")
  end)
end)

describe("a loop that drives the transport", function()
  local server, transport, ready

  before_each(function()
    server, transport, ready = tcp_server.start(), curl.new {}, {}
  end)

  after_each(function()
    transport:close()
    server:stop()
  end)

  local function start(path, more)
    local request = {url = server.url .. path}
    for key, value in pairs(more or {}) do
      request[key] = value
    end
    return assert(transport:start(request, curl.now() + (more and more.timeout_s or 10)))
  end

  -- Steps until so many are ready; their numbers, in the order in which they were told.
  local function step_until(count)
    local told = {}
    repeat
      for i = 1, transport:step(5, ready) do
        told[#told + 1] = ready[i]
      end
    until #told >= count
    return told
  end

  it("is told once of each transfer that is ready, and its result is there at once", function()
    local x = {start "/ok", start "/echo", start "/missing"}
    local ids = {}
    for i, transfer in ipairs(x) do
      assert.is_false(transfer:ready())
      ids[i] = transfer:id()
    end
    local told = step_until(3)
    table.sort(told)
    assert.same(ids, told)
    assert.equal(0, transport:step(0, ready))
    for i, transfer in ipairs(x) do
      assert.is_true(transfer:ready())
      assert.equal(i == 3 and 404 or 200, assert(transfer:wait()).status)
      assert.is_nil(transfer:id())
      assert.is_true(transfer:ready())
    end
  end)

  -- libcurl 7.88 closes a socket that is not connected yet without telling.
  it("can go on after transfers were cancelled that were not connected yet", function()
    local full = uv.new_tcp() -- nobody accepts: the kernel does, one or two, and lets the others wait
    assert(full:bind("127.0.0.1", 0))
    assert(full:listen(1, function() end))
    local url, x = "http://127.0.0.1:" .. full:getsockname().port, {}
    for i = 1, 6 do
      x[i] = assert(transport:start({url = url}, curl.now() + 10))
    end
    transport:step(0.01, ready)
    assert.equal(6, transport:stats().open)
    for i = 1, 6 do
      x[i]:cancel()
    end
    assert.equal(0, transport:stats().open)
    full:close()
    uv.run "nowait"
    for i = 1, 6 do
      x[i] = start("/ok", {fresh = i > 1})
    end
    for i = 1, 6 do
      assert.equal("hello", assert(x[i]:wait()).body)
    end
  end)

  it("has one descriptor, which can be read when there is something to do", function()
    local fd = transport:pollfd()
    assert.equal(fd, transport:getfd())
    assert.equal("r", transport:events())
    assert.is_nil(transport:timeout())
    local x = start "/ok"
    assert.equal(0, transport:timeout()) -- it wants to connect
    while not x:ready() do
      curl.poll({-1, fd}, transport:timeout() or 10)
      transport:step(0, ready)
    end
    assert.equal("hello", assert(x:wait()).body)
    assert.is_nil(transport:timeout())
  end)

  it("is told of a transfer whose time is over", function()
    local x = start("/stall", {timeout_s = 0.05})
    assert.same({x:id()}, step_until(1))
    failed({kind = "timeout", phase = "sent"}, x:wait())
  end)

  it("is told of one that is over though another waited for", function()
    local x, y = start "/ok", start "/stall"
    local id = x:id()
    assert.equal(200, assert(start("/ok"):wait()).status)
    while not x:ready() do
      transport:step(5, ready)
    end
    y:cancel()
    x = start "/ok"
    assert.are_not.equal(id, x:id())
    assert.equal(200, assert(x:wait()).status)
  end)

  it("is told of each piece of a file", function()
    local x, pieces, bytes = start("/file/1000000", {sink = true}), 0, 0
    local piece
    repeat
      while not x:ready() do
        transport:step(5, ready)
      end
      piece = x:piece()
      pieces, bytes = pieces + 1, bytes + #(piece or "")
    until not piece
    assert.equal(1000000, bytes)
    assert.is_true(pieces > 10)
    assert.equal(200, assert(x:wait()).status)
  end)

  it("is left in peace by a connection at rest that the server ends", function()
    assert.equal(200, assert(start("/ok"):wait()).status)
    server:stop()
    local fd, woken = transport:pollfd(), 0
    for _ = 1, 10 do
      woken = woken + curl.poll({fd}, 0.01)
      assert.equal(0, transport:step(0, ready))
    end
    assert.is_true(woken <= 1)
    server = tcp_server.start()
    assert.equal(200, assert(start("/ok"):wait()).status)
  end)

  it("does not wait where nothing is under way", function()
    assert.same({0, 0}, {transport:step(60, ready)})
    local x = start "/stall"
    assert.same({0, 1}, {transport:step(0, ready)})
    x:cancel()
    assert.same({0, 0}, {transport:step(60, ready)})
  end)

  it("has nothing more to do once it is closed", function()
    local x = start "/stall"
    transport:close()
    assert.equal(0, transport:step(0, ready))
    assert.is_nil(transport:pollfd())
    assert.is_nil(transport:timeout())
    assert.is_true(x:ready())
    failed({kind = "closed"}, x:wait())
  end)
end)

describe("a slow resolver", function()
  local directory, server

  before_each(function()
    directory = temporary_directory()
    server = tcp_server.start()
  end)

  after_each(function()
    server:stop()
    remove(directory)
  end)

  --- What a script of a second process prints while names take `seconds` to resolve.
  local function with_slow_dns(seconds, source, path, args)
    local script = directory .. "/script.lua"
    write_file(script, source)
    args = args or {}
    table.insert(args, 1, script)
    return run(path or interpreter(), args, environment {
      LD_PRELOAD = preload(compile("slow_dns.c", "library")),
      SLOW_DNS_LOG = directory .. "/log",
      SLOW_DNS_S = tostring(seconds),
    })
  end

  local LOOK_UP = ([[
    local curl = require "dsclient.curl"
    local function log()
      local file = io.open(%q)
      return file and file:read "*a" or ""
    end
    transport = curl.new {proxy = false}
    local x = transport:start({url = "http://a.slow.invalid/", connect_timeout_s = %s}, curl.now() + %s)
    local _, failure = x:wait()
    io.write(failure.kind, " ", failure.phase, " ", (log():gsub("\n", " ")))
  ]])

  it("does not hold up the deadline, nor the close", function()
    local result = with_slow_dns(30, LOOK_UP:format(directory .. "/log", "5", "1") .. [[
      transport:close()
      io.write(log():find "end" and "waited" or "prompt")
      os.exit(0, true)
    ]])
    assert.equal("timeout unsent begin prompt", result.output)
    assert.equal(0, result.code)
  end)

  it("is told from a slow server", function()
    local result = with_slow_dns(30, LOOK_UP:format(directory .. "/log", "0.2", "10"))
    assert.equal("dns unsent begin ", result.output)
  end)

  it("may outlive the Lua state that loaded the module", function()
    local source = LOOK_UP:format(directory .. "/log", "5", "0.2")
    local result = with_slow_dns(1, source, compile("host.c", "program"), {"2"})
    assert.equal("timeout unsent begin closed\nended\n", result.output)
    assert.equal(0, result.code)
    assert.equal(0, result.signal)
    assert.equal("begin\nend\n", read_file(directory .. "/log"))
  end)

  it("may outlive a state that was closed with transfers under way", function()
    local result = with_slow_dns(1, ([[
      local curl = require "dsclient.curl"
      transport = curl.new {}
      kept = {}
      for _, url in ipairs {"http://a.slow.invalid/", %q, %q} do
        kept[#kept + 1] = transport:start({url = url}, curl.now() + 10)
        transport:start({url = url}, curl.now() + 10)
      end
      kept[#kept + 1] = coroutine.wrap(function()
        local x = transport:start({url = %q}, curl.now() + 10)
        coroutine.yield(x)
        x:wait()
      end)
      kept[#kept]()
      transport:start({url = %q}, curl.now() + 10):wait()
      io.write "sent "
    ]]):format(server.url .. "/stall", server.url .. "/hold", server.url .. "/stall", server.url .. "/ok"),
      compile("host.c", "program"), {"2", "3"})
    assert.equal("sent sent sent closed\nended\n", result.output)
    assert.equal(0, result.code)
    assert.equal(0, result.signal)
  end)
end)

describe("TLS", function()
  local directory, port, server

  local function free_port()
    local socket = uv.new_tcp()
    socket:bind("127.0.0.1", 0)
    local free = socket:getsockname().port
    socket:close()
    uv.run "nowait"
    return free
  end

  local function answers(at)
    local trusting = curl.new {tls = {verify = false}}
    local response = get(trusting, "https://127.0.0.1:" .. at .. "/page", nil, 5)
    trusting:close()
    return response ~= nil
  end

  local function start_server(at)
    local started = {input = uv.new_pipe()}
    started.process = assert(uv.spawn("openssl", {
      args = {"s_server", "-accept", "127.0.0.1:" .. at, "-HTTP", "-quiet", "-verify", "1",
        "-cert", directory .. "/cert.pem", "-key", directory .. "/key.pem"},
      cwd = directory,
      stdio = {started.input, nil, nil},
    }, function()
      started.ended = true
    end))
    for _ = 1, 200 do
      if answers(at) then
        return started
      end
      uv.sleep(20)
    end
    error "openssl s_server does not answer"
  end

  local function stop_server(started)
    if not started.ended then
      started.process:kill "sigkill"
    end
    while not started.ended do
      uv.run "once"
    end
    started.process:close()
    started.input:close()
    uv.run "nowait"
  end

  setup(function()
    directory = temporary_directory()
    local made = run("openssl", {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
      "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
      "-keyout", directory .. "/key.pem", "-out", directory .. "/cert.pem", "-batch"})
    assert.equal(0, made.code)
    write_file(directory .. "/page", "HTTP/1.0 200 ok\r\nContent-Length: 5\r\n\r\nhello")
    port = free_port()
    server = start_server(port)
  end)

  teardown(function()
    stop_server(server)
    remove(directory)
  end)

  local function ask(tls)
    local transport = curl.new {tls = tls}
    local response, failure = get(transport, "https://127.0.0.1:" .. port .. "/page?token=s3cr3t")
    transport:close()
    return response, failure
  end

  local function assert_refused(tls)
    local response, failure = ask(tls)
    assert.is_nil(response)
    assert.equal("tls", failure.kind)
    assert.equal("unsent", failure.phase)
    assert.is_nil(failure.message:find "s3cr3t")
  end

  it("refuses a certificate that nobody vouches for", function()
    assert_refused(nil)
    assert_refused {verify = true}
  end)

  it("accepts the one of ca_file, or any if told so", function()
    for _, tls in ipairs {{ca_file = directory .. "/cert.pem"}, {verify = false}} do
      local transport = curl.new {tls = tls}
      assert.equal("hello", assert(get(transport, "https://127.0.0.1:" .. port .. "/page")).body)
      transport:close()
    end
  end)

  it("refuses a ca_file that is not there or is none", function()
    assert_refused {ca_file = directory .. "/missing.pem"}
    assert_refused {ca_file = directory .. "/page"}
  end)

  it("shows a client certificate, and says when it can't be read", function()
    local transport = curl.new {tls = {
      ca_file = directory .. "/cert.pem", cert = directory .. "/cert.pem", key = directory .. "/key.pem",
    }}
    assert.equal(200, assert(get(transport, "https://127.0.0.1:" .. port .. "/page")).status)
    transport:close()
    assert_refused {ca_file = directory .. "/cert.pem", cert = directory .. "/missing.pem"}
  end)

  it("to a server without TLS is a failure of TLS, unsent", function()
    local plain = tcp_server.start()
    local transport = curl.new {}
    local _, failure = get(transport, (plain.url:gsub("^http", "https")) .. "/ok")
    assert.equal("tls", failure.kind)
    assert.equal("unsent", failure.phase)
    transport:close()
    plain:stop()
  end)

  it("writes to a dead connection without being killed by SIGPIPE", function()
    local script = directory .. "/sigpipe.lua"
    local other = free_port()
    local doomed = start_server(other)
    write_file(script, ([[
      local curl = require "dsclient.curl"
      local transport = curl.new {tls = {verify = false}}
      local request = {url = "https://127.0.0.1:%d/page", method = "POST", body = ("x"):rep(2 ^ 24)}
      io.write "begin "
      io.flush()
      local response, failure = transport:start(request, curl.now() + 20):wait()
      transport:close()
      io.write(response and "answer" or failure.kind, " ", failure.phase)
    ]]):format(other))
    local timer = uv.new_timer()
    local result = run(interpreter(), {script}, environment {}, function()
      if not timer:is_active() and not timer:is_closing() then
        timer:start(500, 0, function()
          timer:close()
          doomed.process:kill "sigkill"
        end)
      end
    end)
    stop_server(doomed)
    assert.equal("begin network sent", result.output)
    assert.equal(0, result.signal)
  end)
end)

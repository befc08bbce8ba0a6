-- The transport of OpenResty, in nginx.

if not jit then
  return -- nginx runs the LuaJIT build
end

local core = require "dsclient.core"
local inside_nginx = require "support.inside_nginx"
local lines = require "support.lines"
local nginx = require "support.nginx"
local tcp_server = require "spec.support.tcp_server"
local uv = require "luv"

describe("dsclient.transport.cosocket keeps the contract:", function()
  inside_nginx.define("support.cosocket_suite",
    { describe = describe, it = it, setup = setup, teardown = teardown })
end)

-- What handlers use: ask(url, options of the transport, more of the request) gives
-- what is worth knowing of the outcome.
local ASK = [[
  init_by_lua_block {
    core = require "dsclient.core"
    transports = {}
    function ask(url, options, more)
      local key = core.encode(options or {})
      local transport = transports[key] or require("dsclient.transport.cosocket").new(options or {})
      transports[key] = transport
      local request = { url = url }
      for name, value in pairs(more or {}) do
        request[name] = value
      end
      local response, failure = transport:start(request, core.now() + 5)
      if response then
        response, failure = response:wait()
      end
      if response then
        return { status = response.status, body = response.body, reused = response.reused }
      end
      return { kind = failure.kind, phase = failure.phase, message = failure.message }
    end
  }
]]

local server

--- Starts nginx with handlers by name: Lua expressions, whose values are printed.
local function start(handlers, conf)
  local text = {}
  for name, expression in pairs(handlers) do
    text[#text + 1] = ("location /%s { content_by_lua_block { ngx.print(core.encode(%s)) } }"):format(name, expression)
  end
  conf.http, conf.server = ASK .. (conf.http or ""), table.concat(text, "\n")
  server = nginx.start(conf)
end

local function get(path)
  return core.decode(server:body(path))
end

describe("dsclient.transport.cosocket", function()
  local wire

  before_each(function()
    wire = tcp_server.start()
  end)

  after_each(function()
    server:stop()
    wire:stop()
  end)

  it("keeps connections for all clients of a worker, also those for requests that wanted fresh ones", function()
    start({
      plain = ('{ ask("%s/ok"), ask("%s/ok", { user_agent = "another" }) }'):format(wire.url, wire.url),
      fresh = ('ask("%s/ok", nil, { fresh = true })'):format(wire.url),
    }, {})
    local first = get "/plain"
    assert.same({ false, true }, { first[1].reused, first[2].reused })
    for _ = 1, 12 do
      assert.is_false(get("/fresh").reused)
    end
    -- one for common use, ten of the fresh ones
    server:await("the end of the others", function()
      return wire:ask "open" == 11
    end)
    for _ = 1, 20 do
      assert.is_true(get("/plain")[1].reused)
    end
    assert.equal(13, wire:ask "connections")
  end)

  it("says who asks, and wants no compression", function()
    start({ echo = ('ask("%s/echo", { user_agent = "spec/1" })'):format(wire.url) }, {})
    local sent = get("/echo").body
    assert.truthy(sent:find("\r\nUser-Agent: spec/1\r\n", 1, true))
    assert.truthy(sent:find("\r\nAccept-Encoding: identity\r\n", 1, true))
    assert.truthy(sent:find("\r\nHost: 127.0.0.1:" .. wire.port .. "\r\n", 1, true))
  end)

  it("refuses an answer that is compressed all the same, and what is no URL of a server", function()
    start({
      gzip = ('ask("%s/gzip")'):format(wire.url),
      bad = [[ { ask("ftp://h/"), ask("http://user:s3cr3t@h/"), ask("http://h:1x/"), ask("http:///"),
        ask("http://h#a") } ]],
    }, {})
    assert.equal("protocol", get("/gzip").kind)
    for _, outcome in ipairs(get "/bad") do
      assert.same({ "argument", "unsent" }, { outcome.kind, outcome.phase })
      assert.is_nil(outcome.message:find("s3cr3t", 1, true))
    end
  end)

  it("takes an answer that comes before a large request was sent", function()
    start({
      early = ('ask("%s/early", nil, { method = "POST", body = ("x"):rep(2 ^ 23) })'):format(wire.url),
      refused = ('ask("%s/earlyrefusal", nil, { method = "POST", body = ("x"):rep(2 ^ 23) })'):format(wire.url),
      unread = ('ask("%s/earlyunread", nil, { method = "POST", body = ("x"):rep(2 ^ 23) })'):format(wire.url),
      ok = ('ask("%s/ok")'):format(wire.url),
    }, {})
    for path, status in pairs { ["/early"] = 200, ["/refused"] = 413, ["/unread"] = 413 } do
      assert.equal(status, get(path).status, path)
      assert.equal("hello", get("/ok").body)
    end
  end)

  it("never takes for an answer what nobody asked for", function()
    start({
      ok = ('ask("%s/ok")'):format(wire.url),
      settle = "{ ngx.sleep(0.01) or true }", -- what was pushed has come to the worker then
      more = ('{ ask("%s/garbageafter"), ask("%s/twoanswers"), ask("%s/short"), ask("%s/closing") }')
        :gsub("%%s", wire.url),
    }, {})
    for _, how in ipairs { "stay", "close" } do
      get "/ok"
      wire:ask("push " .. how)
      get "/settle"
      assert.equal("hello", get("/ok").body)
    end
    for i, outcome in ipairs(get "/more") do
      assert.equal(200, outcome.status)
      assert.equal(i == 1, outcome.reused)
    end
    assert.is_false(get("/ok").reused)
  end)

  it("says how names are found where one is not", function()
    start({ name = 'ask "http://nowhere.invalid/"' }, {})
    local outcome = get "/name"
    assert.same({ "dns", "unsent" }, { outcome.kind, outcome.phase })
    assert.truthy(outcome.message:find("no resolver defined", 1, true))
    assert.truthy(outcome.message:find("`resolver`", 1, true))
  end)
end)

describe("names", function()
  local socket, wire

  --- A resolver that knows one name, is silent on another, and has never heard of
  -- the rest.
  local function start_resolver()
    socket = uv.new_udp()
    socket:bind("127.0.0.1", 0)
    socket:recv_start(function(_, query, from)
      local name = (query or ""):sub(13):match "^[^%z]+"
      if not name or name:find "silent" then
        return
      end
      local known = name:find "known" and query:byte(-3) == 1 -- an address of IPv4
      local head = query:sub(1, 2) .. (known and "\129\128\0\1\0\1\0\0\0\0" or "\129\131\0\1\0\0\0\0\0\0")
      local answer = known and "\192\12\0\1\0\1\0\0\0\60\0\4\127\0\0\1" or ""
      socket:send(head .. query:sub(13) .. answer, from.ip, from.port)
    end)
    return socket:getsockname().port
  end

  before_each(function()
    wire = tcp_server.start()
  end)

  after_each(function()
    server:stop()
    wire:stop()
    socket:close()
    uv.run "nowait"
  end)

  it("are found by the resolver, or not, or not in time", function()
    local port = start_resolver()
    start({
      known = ('ask "http://known.test:%d/ok"'):format(wire.port),
      unknown = ('ask "http://other.test:%d/ok"'):format(wire.port),
      silent = ('ask("http://silent.test:%d/ok", nil, { connect_timeout_s = 0.2 })'):format(wire.port),
    }, { http = ("resolver 127.0.0.1:%d ipv6=off;"):format(port) })
    assert.equal("hello", get("/known").body)
    local outcome = get "/unknown"
    assert.same({ "dns", "unsent" }, { outcome.kind, outcome.phase })
    outcome = get "/silent"
    assert.same({ "connect", "unsent" }, { outcome.kind, outcome.phase })
  end)
end)

describe("TLS in nginx", function()
  local directory
  local secure = [[
    server {
      listen 127.0.0.1:{port_1} ssl;
      ssl_certificate %s/cert.pem;
      ssl_certificate_key %s/key.pem;
      ssl_verify_client optional_no_ca;
      location / { return 200 "$ssl_server_name $ssl_client_s_dn"; }
    }
  ]]

  --- A certificate of its own for a name.
  local function make(prefix, name)
    lines(([[openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=%s" -keyout "%s/%skey.pem"
      -out "%s/%scert.pem" -batch 2>/dev/null]]):format(name, directory, prefix, directory, prefix):gsub("\n", " "))
  end

  setup(function()
    directory = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/dsclient-XXXXXX"))
    make("", "127.0.0.1")
    make("other-", "another.host")
    make("client-", "the client")
    uv.fs_copyfile("/dev/null", directory .. "/empty.pem")
    local file = io.open(directory .. "/empty.pem", "w")
    file:close()
  end)

  teardown(function()
    lines(("rm -r '%s'"):format(directory))
  end)

  after_each(function()
    server:stop()
  end)

  local function url()
    return '"https://127.0.0.1:" .. ngx.shared.ports:get "secure"'
  end

  --- Starts nginx with a secure server beside.
  local function start_secure(handlers, trusted, prefix)
    local cert = secure:gsub("%%s/", directory .. "/" .. (prefix or ""))
    start(handlers, {
      ports = 1,
      http = cert .. "lua_shared_dict ports 1m; init_worker_by_lua_block { ngx.shared.ports:set('secure', {port_1}) }"
        .. (trusted and ("lua_ssl_trusted_certificate %s/%s;"):format(directory, trusted) or ""),
    })
  end

  it("verifies the server, whom it names, and says where to name whom to trust", function()
    start_secure { get = ("ask(%s)"):format(url()) }
    local outcome = get "/get"
    assert.same({ "tls", "unsent" }, { outcome.kind, outcome.phase })
    assert.truthy(outcome.message:find("lua_ssl_trusted_certificate", 1, true), outcome.message)
    assert.truthy(outcome.message:find("lua_ssl_verify_depth", 1, true), outcome.message)
    server:stop()
    start_secure({ get = ("{ ask(%s), ask(%s) }"):format(url(), url()) }, "cert.pem")
    local both = get "/get"
    assert.same({ 200, "127.0.0.1 ", false }, { both[1].status, both[1].body, both[1].reused })
    assert.same({ 200, true }, { both[2].status, both[2].reused })
  end)

  it("refuses a certificate of another host, though it is trusted", function()
    start_secure({ get = ("ask(%s)"):format(url()) }, "other-cert.pem", "other-")
    local outcome = get "/get"
    assert.same({ "tls", "unsent" }, { outcome.kind, outcome.phase })
    assert.truthy(outcome.message:find("mismatch", 1, true), outcome.message)
  end)

  it("verifies nothing where it is told so, over connections that no other client uses", function()
    start_secure {
      trusting = ("ask(%s, { tls = { verify = false } })"):format(url()),
      verifying = ("ask(%s, { tls = { verify = true } })"):format(url()),
    }
    assert.equal(200, get("/trusting").status)
    assert.equal("tls", get("/verifying").kind)
    assert.is_true(get("/trusting").reused)
  end)

  it("shows a client certificate, and says when it can't be read", function()
    local function with(cert, key)
      return ("ask(%s, { tls = { verify = false, cert = %q, key = %q } })"):format(url(), cert, key)
    end
    local cert, key = directory .. "/client-cert.pem", directory .. "/client-key.pem"
    start_secure {
      shown = with(cert, key),
      anonymous = ("ask(%s, { tls = { verify = false } })"):format(url()),
      missing = with(directory .. "/missing.pem", key),
      empty = with(cert, directory .. "/empty.pem"),
    }
    assert.equal("127.0.0.1 CN=the client", get("/shown").body)
    assert.equal("127.0.0.1 ", get("/anonymous").body)
    assert.is_true(get("/shown").reused)
    for path, name in pairs { ["/missing"] = "tls.cert: ", ["/empty"] = "tls.key: " } do
      local outcome = get(path)
      assert.same({ "tls", "unsent" }, { outcome.kind, outcome.phase })
      assert.equal(name, outcome.message:sub(1, #name))
    end
  end)

  it("to a server without TLS is a failure of TLS, unsent", function()
    local plain = tcp_server.start()
    start({ get = ('ask "https://127.0.0.1:%d/ok"'):format(plain.port) }, {})
    local outcome = get "/get"
    plain:stop()
    assert.same({ "tls", "unsent" }, { outcome.kind, outcome.phase })
  end)
end)

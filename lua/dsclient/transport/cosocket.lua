--- The transport of OpenResty: cosockets, and the core's HTTP/1.1. No libcurl, no
-- OpenSSL but nginx's own.
--
-- An exchange is done by a light thread, so that whoever waits for it can be woken
-- before its end. Connections belong to that thread; between exchanges they rest
-- in the worker's pools, whose names tell all that makes one connection unlike
-- another. A transport itself holds none: it may live at module level.

local core = require "dsclient.core"
local runtime = require "dsclient.runtime.nginx"

local ngx = ngx
local format, math = string.format, math
local kill, spawn, tcp = ngx.thread.kill, ngx.thread.spawn, ngx.socket.tcp
local now, park, wake = core.now, runtime.park, runtime.wake
local current, status_of = coroutine.running, coroutine.status

local _M = {}

-- The server's Jetty closes idle connections after 30 s.
local IDLE_MAX_S = 25
local CONNECT_TIMEOUT_S = 5
local POOL_CONNECTIONS = 10
local BODY_BYTES_MAX = 64 * 1024 * 1024
-- As much is received at once, and of a file as much is kept until it is taken.
local BLOCK_BYTES = 64 * 1024
-- What the kernel surely takes at once; more is sent while an answer may come.
local SMALL_BYTES = 64 * 1024
local SLASH = ("/"):byte()
local SLACK_MS = 100
local LOOK_MS = 1000
-- The longest time-out that nginx takes.
local TIMEOUT_MS_MAX = 2 ^ 31 - 1

--- The time-outs of what is done on a cosocket. Whoever waits for the exchange ends
-- it in time; this is for when nobody does, and later than that: nginx counts from
-- the begin of its turn. Who waits for an answer looks around now and then.
local function set_timeouts(x, sock)
  local left_ms = math.min(math.max(x.deadline - now(), 0) * 1000 + SLACK_MS, TIMEOUT_MS_MAX)
  sock:settimeouts(left_ms, left_ms, math.min(left_ms, LOOK_MS))
end

-- The threads that wait for exchanges, which are not kept for our sake.
local owners = setmetatable({}, { __mode = "kv" })

--- Does nobody wait for the exchange any more? He has ended, or was killed.
local function is_deserted(x)
  local owner = owners[x]
  return x.over or not owner or status_of(owner) == "dead"
end

-- --- requests ------------------------------------------------------------

local function check(name, value, expected)
  if type(value) ~= expected then
    error(format("%s: expected %s, got %s", name, expected, type(value)), 0)
  end
  return value
end

local PORTS = { http = 80, https = 443 }

--- A server that requests go to.
-- @treturn table|nil {scheme, host, port, authority, pool}
local function new_place(transport, origin)
  local scheme, authority = origin:match "^(https?)://(.*)$"
  local host, port = authority:match "^(%[[%x:.]+%])(.*)$"
  if not host then
    host, port = authority:match "^([%w%-._]+)(.*)$"
  end
  if not host or not (port == "" or port:find "^:%d%d?%d?%d?%d?$") then
    return nil
  end
  return { scheme = scheme, host = host, port = tonumber(port:sub(2)) or PORTS[scheme], authority = authority,
    pool = transport.pool .. origin }
end

--- The server of a URL, and what is asked of it; nil where it is none.
local function place_of(transport, url)
  local origin, target = url:match "^(https?://[^/?]+)(.*)$"
  if not origin then
    return nil
  end
  local place = transport.places[origin] or new_place(transport, origin)
  transport.places[origin] = place
  return place, target:byte() == SLASH and target or "/" .. target
end

-- Methods whose requests have no body unless one is given.
local BODILESS = { DELETE = true, GET = true, HEAD = true }

--- The head of a request as a text; nil where a part of it has no place there.
local function head_of(transport, request, place, target)
  local lines = { "Accept-Encoding: identity", transport.agent }
  for i, line in ipairs(request.headers and check("headers", request.headers, "table") or {}) do
    lines[#lines + 1] = check(format("headers[%d]", i), line, "string")
  end
  local method, body = request.method or "GET", request.body
  local length = body and #check("body", body, "string") or not BODILESS[method] and 0 or nil
  return core.http1_head(method, target, place.authority, lines, length)
end

local function refusal(kind, message)
  return { kind = kind, phase = "unsent", message = message, reused = false, stale = false, delivered = 0 }
end

-- --- exchanges -----------------------------------------------------------

local Exchange = {}
Exchange.__index = Exchange

--- Ends an exchange, unless it has ended already.
local function fail(x, kind, message)
  if x.over then
    return
  end
  x.over = true
  x.failure = {
    kind = kind,
    phase = x.phase,
    message = (message:gsub("%c", " ")),
    reused = x.reused,
    stale = x.reused and x.phase ~= "partial" and kind == "network",
    delivered = x.delivered,
  }
  wake(x.waiter)
end

--- How long one waits for what comes next.
local function limit_of(x)
  return x.phase == "unsent" and x.connect_until or x.deadline
end

--- It is over: which?
local function fail_late(x)
  if now() >= x.deadline then
    fail(x, "timeout", "the deadline passed")
  elseif x.phase == "unsent" then
    fail(x, "connect", "no connection in time (connect_timeout_s)")
  else
    fail(x, "timeout", "the server was silent for too long")
  end
end

--- An error of a cosocket after the request was sent.
local function fail_broken(x, err)
  if err == "timeout" then
    return fail_late(x)
  end
  fail(x, "network", x.phase == "sent" and x.reused and "the reused connection ended before an answer came: " .. err
    or "the connection ended before the answer did: " .. err)
end

-- --- connecting ----------------------------------------------------------

local RESOLVER = "; nginx finds names by its `resolver`, which does not read /etc/hosts"
local TRUST = "; nginx trusts whom lua_ssl_trusted_certificate names, over lua_ssl_verify_depth (1) steps"

local function fail_unconnected(x, err)
  if err == "timeout" then
    return fail_late(x)
  elseif err:find("resolve", 1, true) or err:find("host not found", 1, true) then
    return fail(x, "dns", err .. RESOLVER)
  end
  fail(x, "connect", err)
end

local function fail_untrusted(x, err)
  if err == "timeout" then
    return fail_late(x)
  end
  fail(x, "tls", err .. (err:find "^%d+: " and TRUST or "")) -- a number of OpenSSL's X509_V_ERR
end

local function read_file(path)
  local file, problem = io.open(path, "rb")
  if not file then
    return nil, problem
  end
  local text = file:read "*a"
  file:close()
  return text
end

--- Reads and parses a file once.
local function parsed(transport, name, parser)
  if not transport[name] then
    local value, problem = read_file(transport.tls[name])
    if value then
      value, problem = require("ngx.ssl")[parser](value)
    end
    if not value then
      return nil, format("tls.%s: %s", name, problem)
    end
    transport[name] = value
  end
  return transport[name]
end

--- Shows the client's certificate, where it has one.
local function set_certificate(transport, sock)
  if not transport.tls.cert then
    return true
  end
  local cert, key, err
  cert, err = parsed(transport, "cert", "parse_pem_cert")
  if cert then
    key, err = parsed(transport, "key", "parse_pem_priv_key")
  end
  if err then
    return nil, err
  end
  return sock:setclientcert(cert, key)
end

--- Secures a new connection.
local function handshake(x, sock)
  local fine, err = set_certificate(x.transport, sock)
  if fine then
    fine, err = sock:sslhandshake(false, x.place.host, x.transport.tls.verify)
  end
  return fine, err
end

--- A connection to the server of x, secured where it is to be.
-- @return the cosocket; nil where there is none
local function connect(x)
  local place, transport = x.place, x.transport
  local sock = tcp()
  set_timeouts(x, sock)
  local fine, err = sock:connect(place.host, place.port, { pool = x.pool, pool_size = transport.pool_connections })
  if not fine then
    return fail_unconnected(x, err)
  end
  x.reused = sock:getreusedtimes() > 0
  if place.scheme == "https" and not x.reused then
    fine, err = handshake(x, sock)
    if not fine then
      sock:close()
      return fail_untrusted(x, err)
    end
  end
  return sock
end

-- --- sending and receiving -----------------------------------------------

--- Sends a large body while the answer may come already.
local function send_aside(x, sock)
  x.sending = true
  x.sender = spawn(function()
    local fine, from = sock:send(x.head), 1
    while fine and from <= #x.body and not x.over do
      fine = sock:send(x.body:sub(from, from + SMALL_BYTES - 1))
      from = from + SMALL_BYTES
    end
    x.sending = not fine
  end)
end

--- @return boolean|nil was it sent? An answer may have come all the same
-- @return string|nil why not
local function send(x, sock)
  x.phase = "sent"
  set_timeouts(x, sock)
  if #x.body > SMALL_BYTES then
    send_aside(x, sock)
    return true
  end
  return sock:send { x.head, x.body }
end

--- Waits until what has come of a file is taken.
local function offer(x)
  x.full, x.taken = true, {}
  wake(x.waiter)
  park(x.taken, x.deadline - now())
end

local function feed(x, block)
  x.first_byte_s = x.first_byte_s or now() - x.started_s
  x.phase = "partial"
  x.bytes_in = x.bytes_in + #block
  return x.reader:feed(block)
end

--- The next bytes of the answer; or nil and why there are none. A server may think
-- as long as the deadline allows; once it has begun to answer it has no reason to
-- be silent for long.
local function receive(x, sock)
  local until_s = x.deadline
  if x.phase == "partial" and x.idle_timeout_s > 0 then
    until_s = math.min(until_s, now() + x.idle_timeout_s)
    sock:settimeout(math.min(x.idle_timeout_s * 1000 + 1, LOOK_MS))
  end
  local block, err = sock:receiveany(BLOCK_BYTES)
  while err == "timeout" and not is_deserted(x) and now() < until_s do
    block, err = sock:receiveany(BLOCK_BYTES)
  end
  return block, err
end

--- @return "done" and what the reader says then; nil where it failed
local function read_answer(x, sock)
  local event, a, b, c, d, e
  repeat
    local block, err = receive(x, sock)
    if block then
      event, a, b, c, d, e = feed(x, block)
    else
      event, a, b, c, d, e = x.reader:finish()
    end
    if x.over then
      return nil
    elseif block and not event then
      return fail(x, a, b)
    elseif not block and (not event or err ~= "closed") then
      return fail_broken(x, err)
    elseif event == "more" and a >= BLOCK_BYTES then
      offer(x)
    end
  until event == "done"
  return event, a, b, c, d, e
end

-- Pools of one connection each, which was to be a fresh one: { name, until } by
-- the name of the pool that it would be in otherwise. Whoever comes next may take
-- it from there.
local spares, serial = {}, 0

local function pool_of(name, is_fresh)
  if is_fresh then
    serial = serial + 1
    return format("%s|%.0f", name, serial)
  end
  local list = spares[name]
  local spare = list and table.remove(list)
  while spare and spare.until_s < now() do
    spare = table.remove(list)
  end
  return spare and spare.name or name
end

--- Puts the connection where the next exchange finds it.
local function keep(x, sock)
  local size, common = x.transport.pool_connections, x.place.pool
  local list = spares[common] or {}
  local is_common = x.pool == common
  if not is_common and #list >= size or not sock:setkeepalive(IDLE_MAX_S * 1000, size) then
    sock:close()
  elseif not is_common then
    list[#list + 1] = { name = x.pool, until_s = now() + IDLE_MAX_S }
    spares[common] = list
  end
end

local function release(x, sock, is_reusable)
  if x.sender then
    kill(x.sender)
  end
  if is_reusable and not x.sending then
    keep(x, sock)
  else
    sock:close()
  end
end

local function succeed(x, status, headers, body, held)
  local encoding = headers["content-encoding"]
  if encoding and encoding ~= "identity" then
    return fail(x, "protocol", "the answer is compressed, which nobody asked for")
  end
  x.over = true
  x.held = held
  x.response = {
    status = status,
    headers = headers,
    body = body,
    reused = x.reused,
    bytes_in = x.bytes_in,
    bytes_out = #x.head + #x.body,
    timings = { total_s = now() - x.started_s, connect_s = x.connect_s, first_byte_s = x.first_byte_s },
  }
  wake(x.waiter)
end

local function exchange(x)
  local sock = connect(x)
  if not sock then
    return
  end
  x.connect_s = now() - x.started_s
  if is_deserted(x) then
    return sock:close()
  end
  local fine, err = send(x, sock)
  if not fine and err == "timeout" then
    fail_late(x)
    return sock:close()
  end
  local event, status, headers, body, is_reusable, held = read_answer(x, sock)
  release(x, sock, event and is_reusable)
  if event then
    succeed(x, status, headers, body, held)
  end
end

--- What a light thread throws is only logged: whoever waits is to get it.
local function run(x)
  local fine, problem = pcall(exchange, x)
  if not fine then
    x.over, x.thrown = true, { problem }
    wake(x.waiter)
  end
end

-- --- whoever waits -------------------------------------------------------

--- Ends the thread of an exchange that is over; needs not have come to its end.
local function end_thread(x)
  local thread = x.thread
  if thread then
    x.thread = nil
    kill(thread)
  end
end

--- Waits until the exchange is over, or a piece of a file is there.
local function await(x)
  while not x.over and not x.full do
    x.waiter = {}
    if park(x.waiter, limit_of(x) - now()) == "cancelled" then
      fail(x, "cancelled", "it was cancelled")
    elseif now() >= limit_of(x) and not x.full then
      fail_late(x)
    end
  end
  if x.over then
    end_thread(x)
  end
end

--- Waits for the answer.
-- @treturn table|nil {status, headers (by lower-case names), body, reused,
--   delivered, timings, bytes_in, bytes_out}; or nil and a failure {kind, phase,
--   message, reused, stale, delivered}
function Exchange:wait()
  if self.is_taken then
    return nil, { kind = "closed", phase = self.phase, message = "the result was already taken" }
  end
  await(self)
  if self.thrown then
    error(self.thrown[1], 0)
  elseif self.full or self.held > 0 then
    error("the pieces of the file have to be taken first", 2)
  end
  self.is_taken = true
  local result = self.response or self.failure
  result.delivered = self.delivered
  return self.response, self.failure
end

--- The next bytes of a file; nil once it is over, failed, or none: then wait tells.
function Exchange:piece()
  await(self)
  local piece = self.reader:piece()
  self.held = 0
  self.delivered = self.delivered + #(piece or "")
  if self.full then
    self.full = false
    wake(self.taken)
  end
  return piece
end

local function give_up(x, kind, message)
  if not x.is_taken and (not x.over or x.response) then
    x.over, x.response, x.full, x.held = false, nil, false, 0
    fail(x, kind, message)
    x.reader:close()
  end
  end_thread(x)
end

--- Gives it up. Idempotent.
function Exchange:cancel()
  give_up(self, "cancelled", "it was cancelled")
end

-- --- the transport -------------------------------------------------------

local Transport = {}
Transport.__index = Transport

--- Begins an exchange.
-- @tparam table request method (GET), url, headers (array of lines), body, once
--   or fresh (never on a connection that was used before), connect_timeout_s,
--   idle_timeout_s, body_bytes_max, sink (true: see `piece`)
-- @tparam number deadline seconds on the clock of core.now
-- @treturn table|nil exchange; or nil and a failure
function Transport:start(request, deadline)
  local place, target = place_of(self, check("url", request.url, "string"))
  local head = place and head_of(self, request, place, target)
  if self.closed then
    return nil, refusal("closed", "the transport is closed")
  elseif not head then
    return nil, refusal("argument", "a part of the request holds CR, LF, NUL or what isn't allowed")
  elseif type(request.sink) == "number" then
    return nil, refusal("argument", "cosockets can't write to a file descriptor: give a function or a file handle")
  end
  local started_s = now()
  if deadline <= started_s then
    return nil, refusal("timeout", "the deadline passed before it began")
  end
  local connect_timeout_s = request.connect_timeout_s or CONNECT_TIMEOUT_S
  local x = setmetatable({
    transport = self,
    place = place,
    head = head,
    body = request.body or "",
    reader = core.http1(request.method == "HEAD", request.body_bytes_max or BODY_BYTES_MAX, request.sink == true),
    started_s = started_s,
    deadline = deadline,
    connect_until = math.min(started_s + connect_timeout_s, deadline),
    idle_timeout_s = request.idle_timeout_s or 0,
    phase = "unsent",
    reused = false,
    over = false,
    full = false,
    held = 0,
    delivered = 0,
    bytes_in = 0,
    waiter = {},
    pool = pool_of(place.pool, request.fresh or request.once),
  }, Exchange)
  owners[x] = current()
  self.exchanges[x] = true
  x.thread = spawn(run, x)
  return x
end

--- Ends what is under way; nothing starts any more. Idempotent. Connections at
-- rest stay in the worker's pools for their time.
function Transport:close()
  self.closed = true
  for x in pairs(self.exchanges) do
    if not x.over then
      fail(x, "closed", "the transport was closed")
    end
  end
end

--- @treturn table {running, queued}: how many exchanges are under way; none waits
--   for a connection here
function Transport:stats()
  local running = 0
  for x in pairs(self.exchanges) do
    running = running + (x.over and 0 or 1)
  end
  return { running = running, queued = 0 }
end

--- Makes a transport; does no I/O.
-- @tparam table options user_agent; pool_connections (10): how many connections
--   to one server may rest; tls {verify, cert, key}: files
function _M.new(options)
  local given = options.tls or {}
  local tls = { verify = given.verify ~= false, cert = given.cert, key = given.key or given.cert }
  return setmetatable({
    agent = options.user_agent and "User-Agent: " .. options.user_agent,
    pool_connections = options.pool_connections or POOL_CONNECTIONS,
    tls = tls,
    cert = nil, -- once it was read
    key = nil,
    places = {},
    pool = format("dsclient|%s|%s|%s|", tostring(tls.verify), tls.cert or "", tls.cert and tls.key or ""),
    exchanges = setmetatable({}, { __mode = "k" }),
    closed = false,
  }, Transport)
end

return _M

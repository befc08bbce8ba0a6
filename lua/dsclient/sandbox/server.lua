--- The sandbox over HTTP/1.1 on 127.0.0.1, with luv: as a DolphinScheduler
-- server it keeps connections alive and sends JSON in chunks.

local faults = require "dsclient.sandbox.faults"
local sites = require "dsclient.sandbox.site"
local uv = require "luv"

local format = string.format

local _M = {}

-- A server closes what was idle for so long (measured: 30.0 s).
local IDLE_MS = 30000

-- Of a request: 8 KB for the head, 5 MB for the body, as Jetty has them.
local HEAD_BYTES_MAX, BODY_BYTES_MAX = 8192, 5 * 1024 * 1024

local REASONS = {
  [200] = "OK", [201] = "Created", [401] = "Unauthorized", [404] = "Not Found", [405] = "Method Not Allowed",
  [413] = "Payload Too Large", [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [500] = "Server Error", [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

local VARY = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"

local function head_of(answer)
  local lines = { format("HTTP/1.1 %d %s\r\n", answer.status, REASONS[answer.status] or "Status"), VARY }
  for name, value in pairs(answer.headers) do
    lines[#lines + 1] = format("%s: %s\r\n", name, value)
  end
  return table.concat(lines)
end

local function chunk(data)
  return format("%x\r\n%s\r\n", #data, data)
end

--- Head and body as they go over the wire, and where the body begins.
local function bytes_of(answer)
  local head = head_of(answer)
  if answer.body ~= "" and (answer.headers["content-type"] or ""):find("json", 1, true) then
    return head .. "Transfer-Encoding: chunked\r\n\r\n", chunk(answer.body) .. "0\r\n\r\n"
  elseif not answer.headers["content-length"] then
    head = head .. format("Content-Length: %d\r\n", #answer.body)
  end
  return head .. "\r\n", answer.body
end

local Connection = {}
Connection.__index = Connection

function Connection:send(data, after)
  if self.socket:is_closing() then
    return
  end
  local count = self.site.count
  count.bytes_out = count.bytes_out + #data
  self.socket:write(data, after)
end

function Connection:close()
  if not self.socket:is_closing() then
    self.socket:close()
  end
  if self.timer and not self.timer:is_closing() then
    self.timer:close()
  end
  self.open[self] = nil
end

function Connection:reset()
  if not self.socket:is_closing() then
    self.socket:close_reset()
  end
  self:close()
end

--- Calls `act` after so many milliseconds, unless the connection ends before.
function Connection:after(ms, act)
  self.timer = self.timer or uv.new_timer()
  self.timer:start(ms, 0, act)
end

function Connection:next()
  self.busy = false
  self:after(IDLE_MS, function()
    self:close()
  end)
  self:read_requests()
end

function Connection:answer(answer)
  local head, body = bytes_of(answer)
  self:send(head .. body)
  self:next()
end

local wires = {}

function wires.reset(connection)
  connection:reset()
end

-- The client gives up first, or the server's end ends it.
function wires.stall() end

function wires.cut(connection, answer)
  local head, body = bytes_of(answer)
  connection:send(head .. body:sub(1, math.floor(#body / 2)), function()
    connection:close()
  end)
end

function wires.garbage(connection)
  connection:send(faults.GARBAGE, function()
    connection:close()
  end)
end

-- In so many pieces.
local PIECES = 10

function wires.slow(connection, answer)
  local head, body = bytes_of(answer)
  local size, at = math.max(1, math.ceil(#body / PIECES)), 1
  connection:send(head)
  local function piece()
    connection:send(body:sub(at, at + size - 1))
    at = at + size
    if at > #body then
      return connection:next()
    end
    connection:after(faults.SLOW_S * 1000 / PIECES, piece)
  end
  connection:after(faults.SLOW_S * 1000 / PIECES, piece)
end

function Connection:serve(request)
  local served = self.site:serve(request)
  local wire = wires[served.wire]
  if wire then
    return wire(self, served.answer)
  end
  self:answer(served.answer)
end

local function parse_head(head)
  local method, path = head:match "^(%u+) (%S+) HTTP/1%.1\r\n"
  local headers = {}
  for name, value in head:gmatch "\r\n([^:%s]+):[ \t]*([^\r]*)" do
    headers[name:lower()] = value:gsub("%s+$", "")
  end
  return method, path, headers
end

--- Takes the next whole request from what came in; it stays out of the way
-- while one is being answered.
function Connection:read_requests()
  if self.busy or self.socket:is_closing() then
    return
  end
  local head_end = select(2, self.data:find("\r\n\r\n", 1, true))
  if not head_end then
    if #self.data > HEAD_BYTES_MAX then
      self:refuse(431)
    end
    return
  end
  local method, path, headers = parse_head(self.data:sub(1, head_end))
  local length = tonumber(headers["content-length"] or 0)
  if not method or not length or headers["transfer-encoding"] then
    return self:reset()
  elseif head_end > HEAD_BYTES_MAX or length > BODY_BYTES_MAX then
    return self:refuse(head_end > HEAD_BYTES_MAX and 431 or 413)
  elseif #self.data < head_end + length then
    return
  end
  local body = self.data:sub(head_end + 1, head_end + length)
  self.data = self.data:sub(head_end + length + 1)
  self.busy = true
  local request = { method = method, path = path, headers = headers, body = body }
  local delay_ms = math.floor(self.site.delay_s * 1000 + 0.5)
  if delay_ms == 0 then
    return self:serve(request)
  end
  self:after(delay_ms, function()
    self:serve(request)
  end)
end

function Connection:refuse(status)
  self.busy = true
  local head = format("HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status, REASONS[status])
  self:send(head, function()
    self:close()
  end)
end

local function accept(server, listener)
  local site = server.site
  local connection = setmetatable({ socket = uv.new_tcp(), data = "", site = site, open = server.open }, Connection)
  listener:accept(connection.socket)
  site.count.connections = site.count.connections + 1
  server.open[connection] = true
  connection.socket:nodelay(true)
  connection.socket:read_start(function(_, data)
    if not data then
      return connection:close()
    end
    site.count.bytes_in = site.count.bytes_in + #data
    connection.data = connection.data .. data
    connection:read_requests()
  end)
end

local Server = {}
Server.__index = Server

sites.give_methods(Server)

--- Ends all connections and the listener.
function Server:close()
  for connection in pairs(self.open) do
    connection:close()
  end
  if not self.listener:is_closing() then
    self.listener:close()
  end
end

--- Moves the sandbox's clock on.
function Server:advance(seconds)
  self.ahead_s = self.ahead_s + seconds
end

local function machine_time()
  local seconds, microseconds = uv.gettimeofday()
  return seconds + microseconds / 1e6
end

--- Serves on 127.0.0.1, from the loop that luv runs.
-- @tparam table options checked ones of the sandbox
-- @tparam number port 0 for a free one
-- @treturn table|nil {url, token, site, close, advance}; or nil, message
function _M.listen(options, port)
  local server = setmetatable({ open = {}, ahead_s = 0, token = options.token }, Server)
  local listener = uv.new_tcp()
  local bound, message = listener:bind("127.0.0.1", port)
  if bound then
    bound, message = listener:listen(1024, function()
      accept(server, listener)
    end)
  end
  if not bound then
    listener:close()
    return nil, message
  end
  server.listener = listener
  server.site = sites.new(options, function()
    return machine_time() + server.ahead_s
  end)
  server.url = format("http://127.0.0.1:%d/dolphinscheduler", listener:getsockname().port)
  return server
end

return _M

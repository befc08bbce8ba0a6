--- A small scripted HTTP server that misbehaves on demand. It runs in a child process, which ends with its parent.
--- What happens to a request is its path: see `behaviours`. It counts connections and requests.
---
---     local server = require("spec.support.tcp_server").start()
---     server.url .. "/ok"       -- http://127.0.0.1:<port>/ok
---     server:ask("count POST /reset")  --> 3
---     server:stop()
local child = require "spec.support.child"
local uv = require "luv"

local SOURCE = debug.getinfo(1, "S").source:sub(2)

local function parse_head(head)
  local method, path = head:match "^(%u+) (%S+) HTTP/1%.1\r\n"
  local length = tonumber(head:lower():match "\r\ncontent%-length:%s*(%d+)") or 0
  return method, path, length
end

local function answer(body, headers)
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" .. (headers or "") ..
    ("Content-Length: %d\r\n\r\n"):format(#body) .. body
end

local function chunk(data)
  return ("%x\r\n%s\r\n"):format(#data, data)
end

local TLS_HANDSHAKE = 22 -- the type of a client's first TLS record

local FILLER = "X-Filler: " .. ("x"):rep(1000) .. "\r\n"

local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

local function write(connection, data, after)
  connection.socket:write(data, after and function()
    after(connection)
  end)
end

local function reset(connection)
  if not connection.socket:is_closing() then
    connection.socket:close_reset()
  end
end

local function close(connection)
  if not connection.socket:is_closing() then
    connection.socket:close()
  end
end

-- "hello" in gzip, made by zlib
local GZIP_HELLO = "\31\139\8\0\0\0\0\0\2\3\203\72\205\201\201\7\0\134\166\16\54\5\0\0\0"

-- Each is given the connection and the request {method, path, head, body}; connection.requests counts from 1.
local behaviours = {}

function behaviours.ok(connection)
  write(connection, answer "hello")
end

function behaviours.echo(connection, request)
  write(connection, answer(request.head .. request.body))
end

function behaviours.repeated(connection)
  write(connection, answer("hello", "X-Thing:  one \r\nx-thing: two\r\nX-EMPTY:\r\n"))
end

function behaviours.interim(connection)
  write(connection, "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n" .. answer "hello")
end

function behaviours.missing(connection)
  write(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
end

function behaviours.redirect(connection)
  write(connection, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n")
end

function behaviours.gzip(connection)
  write(connection, answer(GZIP_HELLO, "Content-Encoding: gzip\r\n"))
end

function behaviours.badgzip(connection)
  write(connection, answer("no gzip at all", "Content-Encoding: gzip\r\n"))
end

function behaviours.chunked(connection)
  write(connection, CHUNKED .. chunk "hel" .. chunk "lo" .. "0\r\nX-Trailer: yes\r\n\r\n")
end

function behaviours.cut(connection)
  write(connection, CHUNKED .. chunk "hel", close)
end

function behaviours.badchunk(connection)
  write(connection, CHUNKED .. "zz\r\nhel\r\n", close)
end

function behaviours.half(connection)
  write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", close)
end

function behaviours.halfreset(connection)
  write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", reset)
end

function behaviours.garbage(connection)
  write(connection, ("\1\2garbage\255"):rep(20), close)
end

function behaviours.reset(connection)
  reset(connection)
end

function behaviours.close(connection)
  close(connection)
end

-- die on a connection that has served before, answer on a fresh one
for name, die in pairs {resetreused = reset, closereused = close} do
  behaviours[name] = function(connection)
    if connection.requests > 1 then
      die(connection)
    else
      write(connection, answer "hello")
    end
  end
end

function behaviours.stall() end

function behaviours.stallbody(connection)
  write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
end

-- writes so much each 20 ms, for ever
local function drip(connection, data)
  local timer = uv.new_timer()
  timer:start(20, 20, function()
    if connection.socket:is_closing() then
      timer:close()
    else
      write(connection, data)
    end
  end)
end

function behaviours.drip(connection)
  write(connection, CHUNKED)
  drip(connection, chunk "x")
end

function behaviours.hugehead(connection)
  write(connection, answer("", FILLER:rep(80)))
end

function behaviours.manyinterim(connection)
  write(connection, ("HTTP/1.1 103 Early Hints\r\n" .. FILLER .. "\r\n"):rep(80) .. answer "hello")
end

-- one MiB, of no length that is told before
function behaviours.huge(connection)
  write(connection, CHUNKED .. chunk(("x"):rep(1024)):rep(1024) .. "0\r\n\r\n")
end

-- A file of so many bytes, as the path says: numbered lines. It goes out as an attachment, without a length.
local FILE = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
  .. "Content-Disposition: attachment; filename=\"a.log\"\r\n"

local function file_of(request)
  local size, lines = tonumber(request.path:match "(%d+)"), {}
  for i = 1, math.ceil(size / 8) do
    lines[i] = ("%07d\n"):format(i)
  end
  return table.concat(lines):sub(1, size)
end

function behaviours.file(connection, request)
  local data, parts = file_of(request), {FILE .. "Transfer-Encoding: chunked\r\n\r\n"}
  for from = 1, #data, 10000 do
    parts[#parts + 1] = chunk(data:sub(from, from + 9999))
  end
  write(connection, table.concat(parts) .. "0\r\nX-Trailer: yes\r\n\r\n")
end

-- of a length that is told
function behaviours.lengthfile(connection, request)
  local data = file_of(request)
  write(connection, FILE .. ("Content-Length: %d\r\n\r\n"):format(#data) .. data)
end

-- of one byte more than comes
function behaviours.cutfile(connection, request)
  local data = file_of(request)
  write(connection, FILE .. ("Content-Length: %d\r\n\r\n"):format(#data + 1) .. data, close)
end

function behaviours.stallfile(connection, request)
  local data = file_of(request)
  write(connection, FILE .. ("Content-Length: %d\r\n\r\n"):format(#data + 1) .. data)
end

-- what looks like a file, and is none: no success, or two minds about it
function behaviours.lostfile(connection)
  write(connection, "HTTP/1.1 500 No\r\nContent-Disposition: attachment\r\nContent-Length: 5\r\n\r\nhello")
end

function behaviours.twofile(connection)
  write(connection, answer("hello", "Content-Disposition: inline\r\nContent-Disposition: attachment\r\n"))
end

-- a refusal of the API in place of a file
function behaviours.nofile(connection)
  write(connection, answer '{"code":10103,"msg":"view task instance log error","data":null}')
end

-- an empty list, as the API answers it; to a write it is a success as well
function behaviours.api(connection)
  write(connection, answer '{"code":0,"msg":"success","data":{"totalList":[],"total":0}}')
end

-- a gzip body of the spec's choice: `give`
local given = ""

-- an answer with its head
function behaviours.raw(connection)
  write(connection, given)
end

function behaviours.given(connection)
  write(connection, answer(given, "Content-Encoding: gzip\r\n"))
end

-- answers when the spec says so: `release`
function behaviours.hold(connection)
  connection.held = true
end

-- a head of one line that is longer than all heads may be
function behaviours.longline(connection)
  write(connection, answer("hello", "X-Long: " .. ("x"):rep(200000) .. "\r\n"))
end

function behaviours.longstatus(connection)
  write(connection, "HTTP/1.1 200 " .. ("x"):rep(200000))
end

-- a trailer of that size
function behaviours.hugetrailer(connection)
  write(connection, CHUNKED .. chunk "hello" .. "0\r\n" .. FILLER:rep(80) .. "\r\n")
end

-- a head of which a byte comes each 20 ms, for ever
function behaviours.slowhead(connection)
  write(connection, "HTTP/1.1 200 OK\r\nX-Slow: ")
  drip(connection, "x")
end

function behaviours.slowstatus(connection)
  write(connection, "HTTP/1.1 200 ")
  drip(connection, "x")
end

-- the connection ends with the answer: after its length, or instead of one
function behaviours.closing(connection)
  write(connection, answer("hello", "Connection: close\r\n"), close)
end

function behaviours.closedelimited(connection)
  write(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", close)
end

function behaviours.closedelimitedreset(connection)
  write(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", reset)
end

-- more than was asked for
function behaviours.garbageafter(connection)
  write(connection, answer "hello" .. ("\1garbage"):rep(20))
end

function behaviours.twoanswers(connection)
  write(connection, answer "hello" .. answer "not asked for")
end

-- a length that is less than what comes
function behaviours.short(connection)
  write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello")
end

-- lengths that are none
for name, length in pairs {negativelength = "-1", wordlength = "five", hugelength = ("9"):rep(40)} do
  behaviours[name] = function(connection)
    write(connection, "HTTP/1.1 200 OK\r\nContent-Length: " .. length .. "\r\n\r\nhello", close)
  end
end

-- What is done as soon as the head is there. The body is then skipped, but where these say that it is not read at all.
local at_head = {}

-- resets while the body is still being sent
at_head.resetupload = reset

local REFUSAL = "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nhello"

function at_head.early(connection)
  write(connection, answer "hello")
end

function at_head.earlyrefusal(connection)
  write(connection, REFUSAL)
end

function at_head.earlyunread(connection)
  connection.socket:read_stop()
  write(connection, REFUSAL)
end

local function count(counts, key)
  counts[key] = (counts[key] or 0) + 1
end

local function serve_next(state, connection)
  local skipped = math.min(connection.skip, #connection.data)
  connection.skip, connection.data = connection.skip - skipped, connection.data:sub(skipped + 1)
  local head_end = select(2, connection.data:find("\r\n\r\n", 1, true))
  if not head_end then
    return false
  end
  local head = connection.data:sub(1, head_end)
  local method, path, length = parse_head(head)
  local name = (path or "/"):match "^/(%a*)"
  if at_head[name] then
    count(state.counts, method .. " " .. path)
    at_head[name](connection)
    connection.skip = head_end + length
    return true
  end
  if #connection.data < head_end + length then
    return false
  end
  local body = connection.data:sub(head_end + 1, head_end + length)
  connection.data = connection.data:sub(head_end + length + 1)
  connection.requests = connection.requests + 1
  state.requests = state.requests + 1
  count(state.counts, method .. " " .. path)
  local behaviour = behaviours[name] or behaviours.missing
  behaviour(connection, {method = method, path = path, head = head, body = body})
  return true
end

local function accept(state, listener)
  local connection = {socket = uv.new_tcp(), data = "", skip = 0, requests = 0}
  listener:accept(connection.socket)
  state.accepted = state.accepted + 1
  if state.refuse then
    return reset(connection)
  end
  state.open[connection] = true
  connection.socket:read_start(function(_, data)
    if not data then
      state.open[connection] = nil
      return close(connection)
    end
    connection.data = connection.data .. data
    if data:byte() == TLS_HANDSHAKE then
      return write(connection, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", close)
    end
    while not connection.socket:is_closing() and serve_next(state, connection) do
      count(state.counts, "all")
    end
  end)
end

-- What a spec may ask; each returns one word.
local commands = {}

function commands.count(state, key)
  return state.counts[key] or 0
end

function commands.connections(state)
  return state.accepted
end

function commands.open(state)
  local n = 0
  for _ in pairs(state.open) do
    n = n + 1
  end
  return n
end

--- Resets (or closes) all connections, as a server that is killed (or stopped) does.
function commands.drop(state, how)
  for connection in pairs(state.open) do
    state.open[connection] = nil
    if how == "reset" then
      reset(connection)
    else
      close(connection)
    end
  end
  return "done"
end

--- Sends what nobody asked for on each connection, and closes it where it is told to, as a server that gives up an
--- idle one.
function commands.push(state, how)
  for connection in pairs(state.open) do
    write(connection, answer "not asked for", how == "close" and close or nil)
  end
  return "done"
end

--- From now on connections are reset before anything is read.
function commands.refuse(state)
  state.refuse = true
  return "done"
end

--- Connections die at their next request, before it is answered; new ones live.
function commands.poison(state, how)
  for connection in pairs(state.open) do
    connection.socket:read_stop()
    connection.socket:read_start(function()
      if how == "reset" then
        reset(connection)
      else
        close(connection)
      end
    end)
    state.open[connection] = nil
  end
  return "done"
end

--- The bytes, in hexadecimal digits, that /given and /raw answer from now on.
function commands.give(_, digits)
  given = digits:gsub("%x%x", function(byte)
    return string.char(tonumber(byte, 16))
  end)
  return "done"
end

function commands.release(state)
  for connection in pairs(state.open) do
    if connection.held then
      connection.held = false
      write(connection, answer "hello")
    end
  end
  return "done"
end

if child.is_one(SOURCE) then
  local state = {accepted = 0, requests = 0, counts = {}, open = {}}
  local listener = uv.new_tcp()
  assert(listener:bind("127.0.0.1", child.argument()))
  assert(listener:listen(1024, function()
    accept(state, listener)
  end))
  return child.serve(commands, state, listener:getsockname().port)
end

--- Starts a server on 127.0.0.1. @param port number|nil a free one where there is none
-- @return table {port, url, ask, stop}; see child.lua
return {
  start = function(port)
    local server = child.start(SOURCE, port or 0)
    server.port = server.greeting
    server.url = "http://127.0.0.1:" .. server.port
    return server
  end,
}

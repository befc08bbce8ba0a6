--- A server that gives one answer to everything, for benchmarks: keep-alive,
-- one chunk. It serves until its standard input ends.
--
--     lua bench/server.lua BODY_FILE    prints its port

local uv = require "luv"

local file = assert(io.open(arg[1], "rb"))
local body = file:read "*a"
file:close()

local ANSWER = table.concat({
  "HTTP/1.1 200 OK",
  "Content-Type: application/json",
  "Transfer-Encoding: chunked",
  "",
  ("%x"):format(#body),
  body,
  "0",
  "",
  "",
}, "\r\n")

local function serve(client)
  local pending = ""
  client:read_start(function(_, chunk)
    if not chunk then
      return client:is_closing() or client:close()
    end
    pending = pending .. chunk
    local head_end = select(2, pending:find("\r\n\r\n", 1, true))
    while head_end do
      pending = pending:sub(head_end + 1)
      client:write(ANSWER)
      head_end = select(2, pending:find("\r\n\r\n", 1, true))
    end
  end)
end

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", 0))
server:listen(128, function()
  local client = uv.new_tcp()
  server:accept(client)
  client:nodelay(true)
  serve(client)
end)
print(server:getsockname().port)
io.stdout:flush()

local stdin = uv.new_pipe(false)
stdin:open(0)
stdin:read_start(function(_, data)
  if not data then
    os.exit(0)
  end
end)
uv.run()

--- A server of recorded answers, for benchmarks where there is no nginx:
-- keep-alive, one chunk. Every path below /NAME/ gives the file of that name. It
-- serves until its standard input ends.
--
--     lua bench/server.lua FILE...    prints its port

local uv = require "luv"

local function answer_of(path)
  local file = assert(io.open(path, "rb"))
  local body = file:read "*a"
  file:close()
  return table.concat({
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
end

local answers = {}
for _, path in ipairs(arg) do
  answers[path:match "[^/]+$"] = answer_of(path)
end

local function serve(client)
  local pending = ""
  client:read_start(function(_, chunk)
    if not chunk then
      return client:is_closing() or client:close()
    end
    pending = pending .. chunk
    local head_end = select(2, pending:find("\r\n\r\n", 1, true))
    while head_end do
      client:write(answers[pending:match "^GET /([^/]+)/"])
      pending = pending:sub(head_end + 1)
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

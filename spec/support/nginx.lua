--- nginx with its Lua module, in a directory of its own that is gone afterwards.
--
--     local server = nginx.start {
--       http = "lua_shared_dict kept 1m;",
--       server = [[location /hello { content_by_lua_block { ngx.say "hello" } }]],
--     }
--     server:get("/hello").body
--     server:stop()
--
-- Workers find the modules of the tree and of spec/, and run the LuaJIT build:
-- specs that use this are those of LuaJIT. A request is waited for in luv's loop,
-- so that this process can serve meanwhile.

local lines = require "support.lines"
local uv = require "luv"

local format = string.format

local _M = {}

local Server = {}
Server.__index = Server

local SECOND_MS = 1000
-- What takes longer than this never ends.
local PATIENCE_MS = 60 * SECOND_MS

local CONF = [[
{modules}
{user}
daemon off;
worker_processes {workers};
pid nginx.pid;
error_log error.log {level};
{main}
events { worker_connections {connections}; }
http {
  access_log off;
  client_body_temp_path body;
  fastcgi_temp_path fastcgi;
  proxy_temp_path proxy;
  scgi_temp_path scgi;
  uwsgi_temp_path uwsgi;
  lua_package_path "{lua}/?.lua;{lua}/?/init.lua;{tree}/spec/?.lua;{tree}/?.lua;;";
  lua_package_cpath "{modules_path}/?.so;;";
  {http}
  server {
    listen 127.0.0.1:{port};
    {server}
  }
}
]]

-- --- conf ----------------------------------------------------------------

--- The modules of nginx that are files; OpenResty has them in its program.
local function load_modules()
  local directory = lines("nginx -V 2>&1")
  directory = table.concat(directory, " "):match "%-%-modules%-path=(%S+)"
  local list = {}
  for _, name in ipairs { "ndk_http_module", "ngx_http_lua_module" } do
    local path = directory and format("%s/%s.so", directory, name)
    if path and uv.fs_stat(path) then
      list[#list + 1] = "load_module " .. path .. ";"
    end
  end
  return table.concat(list, "\n")
end

--- Workers keep the rights of who runs the spec: root would give up its own.
local function user()
  return uv.getuid() == 0 and "user root;" or ""
end

local function write_conf(self, opts)
  local core = assert(package.searchpath("dsclient.core", package.cpath))
  local values = {
    modules = load_modules(),
    user = user(),
    workers = opts.workers or 1,
    connections = opts.connections or 1024,
    level = opts.level or "info",
    main = opts.main or "",
    tree = uv.cwd(),
    lua = opts.lualib or uv.cwd() .. "/lua",
    modules_path = opts.lualib or uv.fs_realpath(core):gsub("/dsclient/core%.so$", ""),
    http = (opts.http or ""):gsub("{port_(%d)}", function(i)
      return self.ports[tonumber(i)]
    end),
    port = self.port,
    server = opts.server or "",
  }
  local file = assert(io.open(self.directory .. "/nginx.conf", "w"))
  file:write((CONF:gsub("{([%l_]+)}", values)))
  file:close()
end

-- --- files ---------------------------------------------------------------

local function remove(path)
  local entries = {}
  local scan = assert(uv.fs_scandir(path))
  for name, kind in uv.fs_scandir_next, scan do
    entries[name] = kind
  end
  for name, kind in pairs(entries) do
    if kind == "directory" then
      remove(path .. "/" .. name)
    else
      uv.fs_unlink(path .. "/" .. name)
    end
  end
  uv.fs_rmdir(path)
end

local function read_file(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

-- --- process -------------------------------------------------------------

--- Runs luv's loop until something holds.
local function await(what, condition)
  local late = false
  local timer = uv.new_timer()
  uv.update_time() -- the loop may not have run for long, and timers go by its clock
  timer:start(PATIENCE_MS, 0, function()
    late = true
  end)
  while not late and not condition() do
    uv.run "once"
  end
  timer:close()
  if late then
    error("not seen: " .. what, 0)
  end
end

--- The socket is bound here and handed over, as nginx hands over its own when its
-- program is renewed: no other process can take the port in between.
local function listen()
  local socket = uv.new_tcp()
  assert(socket:bind("127.0.0.1", 0))
  assert(socket:listen(4096, function() end))
  return socket, socket:getsockname().port
end

local INHERITED = 3 -- behind standard input, output and error

local function environment(count)
  local inherited = {}
  for i = 0, count - 1 do
    inherited[#inherited + 1] = INHERITED + i .. ";"
  end
  local list = { "NGINX=" .. table.concat(inherited) }
  for name, value in pairs(uv.os_environ()) do
    list[#list + 1] = name .. "=" .. value
  end
  return list
end

--- Starts nginx.
-- @tparam table opts text of the conf: `main`, `http`, `server`; `workers` (1),
--   `connections` (1024) of each, `level` of the error log (info); `lualib`: a folder
--   with the Lua files and the modules, in place of the tree's; `ports`: more that
--   other servers in `http` listen on, where {port_1}, {port_2} stand
function _M.start(opts)
  assert(jit, "nginx runs the LuaJIT build: VM=luajit")
  local self = setmetatable({ code = false, ports = {} }, Server)
  local sockets, descriptors = {}, {}
  for i = 0, opts.ports or 0 do
    sockets[i], self.ports[i] = listen()
    descriptors[i + 1] = sockets[i]:fileno()
  end
  self.port = self.ports[0]
  self.url = "http://127.0.0.1:" .. self.port
  self.directory = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/dsclient-nginx-XXXXXX"))
  uv.fs_chmod(self.directory, tonumber("755", 8))
  write_conf(self, opts)
  self.process, self.pid = assert(uv.spawn("nginx", {
    args = { "-p", self.directory, "-c", "nginx.conf", "-e", "error.log" },
    env = environment(#descriptors),
    stdio = { nil, nil, 2, unpack(descriptors) },
  }, function(code)
    self.code = code
  end))
  for i = 0, #sockets do
    sockets[i]:close()
  end
  return self
end

--- All that nginx said.
function Server:log()
  return read_file(self.directory .. "/error.log")
end

--- Sends a signal to the master, or to another process of this nginx.
function Server:signal(name, pid)
  assert(uv.kill(pid or self.pid, "sig" .. name:lower()))
end

--- The processes that serve.
-- @treturn table array of process ids; one that is about to end may be among them
function Server:workers()
  local pids = {}
  for pid in read_file(format("/proc/%d/task/%d/children", self.pid, self.pid)):gmatch "%d+" do
    pids[#pids + 1] = tonumber(pid)
  end
  return pids
end

--- Waits until something holds, serving meanwhile.
function Server:await(what, condition) -- luacheck: ignore self
  local timer = uv.new_timer()
  timer:start(0, 10, function() end) -- the loop turns, whatever comes
  local fine, problem = pcall(await, what, condition)
  timer:close()
  if not fine then
    error(problem .. "\n" .. self:log(), 2)
  end
end

--- Ends nginx and waits for it; its directory is gone then. Idempotent.
function Server:stop()
  if not self.directory then
    return
  end
  local workers = self:workers()
  if not self.code then
    self.process:kill "sigterm"
  end
  local fine = pcall(await, "the end of nginx", function()
    return self.code
  end)
  if not fine then
    self.process:kill "sigkill"
    for _, pid in ipairs(workers) do
      uv.kill(pid, "sigkill")
    end
    await("the end of nginx", function()
      return self.code
    end)
  end
  self.process:close()
  uv.run "nowait"
  remove(self.directory)
  self.directory = nil
end

-- --- requests ------------------------------------------------------------

local function parse(text)
  local head, body = text:match "^(.-\r\n)\r\n(.*)$"
  local status = tonumber((head or ""):match "^HTTP/1%.[01] (%d%d%d)")
  if not status then
    return nil
  end
  local headers = {}
  for name, value in head:gmatch "\r\n([^:\r\n]+):%s*([^\r\n]*)" do
    headers[name:lower()] = value
  end
  return { status = status, headers = headers, body = body }
end

--- Sends a request and does not wait for its answer.
-- @tparam table|nil more method, headers (array of lines), body
-- @treturn table request: `over` once the connection has ended, `answer` then;
--   request.close() ends it as a client does that goes away
function Server:send(path, more)
  more = more or {}
  local request = { over = false, text = "", answer = nil }
  local body = more.body or ""
  local head = { format("%s %s HTTP/1.0", more.method or "GET", path), "Host: 127.0.0.1",
    "Content-Length: " .. #body }
  for _, line in ipairs(more.headers or {}) do
    head[#head + 1] = line
  end
  local socket = uv.new_tcp()
  function request.close()
    if not request.over then
      socket:close()
      request.over = true
      request.answer = parse(request.text)
    end
  end
  socket:connect("127.0.0.1", self.port, function(problem)
    if problem then
      return request.close()
    end
    socket:write(table.concat(head, "\r\n") .. "\r\n\r\n" .. body)
    socket:read_start(function(_, data)
      if data then
        request.text = request.text .. data
      else
        request.close()
      end
    end)
  end)
  return request
end

--- The answer to a request that was sent; throws, with what nginx said, where
-- there is none.
-- @tparam function|nil serve called again and again meanwhile
-- @treturn table {status, headers, body}
function Server:receive(request, serve)
  local fine, problem = pcall(await, "an answer", function()
    if serve then
      serve()
    end
    return request.over or self.code
  end)
  request.close()
  uv.run "nowait"
  if not fine or not request.answer then
    error((problem or "nginx gave no answer") .. "\n" .. self:log(), 2)
  end
  return request.answer
end

--- Asks for a path and waits for the answer.
function Server:get(path, more, serve)
  return self:receive(self:send(path, more), serve)
end

--- The body of an answer of status 200; throws, with what nginx said, for others.
function Server:body(path, more, serve)
  local answer = self:get(path, more, serve)
  if answer.status ~= 200 then
    error(format("%d %s\n%s\n%s", answer.status, path, answer.body, self:log()), 2)
  end
  return answer.body
end

return _M

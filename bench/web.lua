--- Servers for the benchmarks, each in a process of its own on 127.0.0.1, which
-- ends with this one: nginx, and where there is none bench/server.lua, which
-- can do less.

local measure = require "bench.measure"
local uv = require "luv"

local format = string.format

local _M = {}

-- --- processes -----------------------------------------------------------

--- Starts a command; `stop` ends it by its id.
local function spawn(command, args, options)
  local process = { exited = false }
  options.args = args
  local handle, pid = uv.spawn(command, options, function()
    process.exited = true
  end)
  assert(handle, pid)
  function process.stop()
    if not process.exited then
      handle:kill "sigterm"
    end
    while not process.exited do
      uv.run "once"
    end
    handle:close()
    for _, pipe in ipairs(options.stdio or {}) do
      if type(pipe) == "userdata" then
        pipe:close()
      end
    end
    uv.run "nowait"
  end
  process.pid = pid
  return process
end

--- Writes a file for a server.
function _M.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local write = _M.write

-- --- nginx ---------------------------------------------------------------

local function find_nginx()
  local path = measure.output_of "PATH=$PATH:/usr/sbin command -v nginx":match "%S+"
  local version = path and measure.output_of(path .. " -v 2>&1"):match "nginx/(%S+)"
  return version and path or nil, version
end

_M.nginx, _M.nginx_version = find_nginx()

local CONFIGURATION = [[
%s
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 4096; }
http {
  client_body_temp_path tmp;
  proxy_temp_path tmp;
  fastcgi_temp_path tmp;
  uwsgi_temp_path tmp;
  scgi_temp_path tmp;
  default_type application/json;
  log_format bench "$request_uri $connection $request_length $bytes_sent";
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=100;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
%s
  server {
    listen 127.0.0.1:%d %s;
%s
  }
}
]]

--- A port that nobody listens on now.
local function free_port()
  local socket = uv.new_tcp()
  assert(socket:bind("127.0.0.1", 0))
  local port = socket:getsockname().port
  socket:close()
  uv.run "nowait"
  return port
end

local function is_open(port)
  local socket, state = uv.new_tcp(), nil
  socket:connect("127.0.0.1", port, function(err)
    state = err or "open"
  end)
  while not state do
    uv.run "once"
  end
  socket:close()
  uv.run "nowait"
  return state == "open"
end

-- Somebody may have taken the port meanwhile; nginx needs a moment to begin.
local TRIES, LOOKS, LOOK_MS = 5, 200, 10

--- A directory for a server alone.
function _M.make_room(room)
  uv.fs_mkdir(room, 493)
end

--- Starts nginx with one server.
-- @tparam string room a directory for it alone
-- @tparam string server the lines of its block `server`
-- @tparam string|nil listen what stands behind its address
-- @tparam string|nil main lines of the conf itself
-- @tparam string|nil http lines of its block `http`
-- @treturn number its port
-- @treturn function ends it
function _M.start_nginx(room, server, listen, main, http)
  assert(_M.nginx, "no nginx here")
  _M.make_room(room)
  for _ = 1, TRIES do
    local port = free_port()
    write(room .. "/nginx.conf", format(CONFIGURATION, main or "", http or "", port, listen or "", server))
    -- the kernel ends it with us, whatever ends us
    local process = spawn("setpriv", { "--pdeathsig", "TERM", _M.nginx, "-p", uv.fs_realpath(room), "-c", "nginx.conf",
      "-e", "error.log" }, { stdio = { nil, nil, 2 } })
    for _ = 1, LOOKS do
      if is_open(port) and not process.exited then
        return port, process.stop
      elseif process.exited then
        break
      end
      uv.sleep(LOOK_MS)
      uv.run "nowait"
    end
    process.stop()
  end
  error("nginx does not begin: see " .. room .. "/error.log", 0)
end

-- Debian's modules are files; OpenResty has its own in the program.
local MODULES = "include /etc/nginx/modules-enabled/*.conf;"

--- A directory for a server alone, in which Debian's conf of its modules finds them.
local function make_lua_room(room)
  _M.make_room(room)
  local modules = measure.output_of(_M.nginx .. " -V 2>&1"):match "%-%-modules%-path=(%S+)"
  if modules and not uv.fs_lstat(room .. "/modules") then
    assert(uv.fs_symlink(modules, room .. "/modules"))
  end
end

local LUA = [[
  lua_package_path "{tree}/lua/?.lua;{tree}/lua/?/init.lua;{tree}/?.lua;;";
  lua_package_cpath "{tree}/build/luajit/?.so;;";
]]

--- Starts nginx with its Lua module, which finds the tree and the LuaJIT build.
-- @tparam string room a directory for it alone
-- @tparam string server the lines of its block `server`
-- @tparam string|nil http lines of its block `http`
-- @treturn number its port
-- @treturn function ends it
function _M.start_nginx_lua(room, server, http)
  make_lua_room(room)
  return _M.start_nginx(room, server, nil, MODULES, LUA:gsub("{tree}", uv.cwd()) .. (http or ""))
end

--- Why there is no nginx with Lua and dsclient in it.
-- @tparam string room a directory for a trial
-- @treturn string|nil what is not here; nil where all is
function _M.lacks_nginx_lua(room)
  if not _M.nginx then
    return "nginx"
  elseif not uv.fs_stat "build/luajit/dsclient/core.so" then
    return "build for LuaJIT"
  end
  make_lua_room(room)
  write(room .. "/trial.conf", MODULES .. "\npid trial.pid;\nevents {}\nhttp { init_by_lua_block { assert(jit) } }\n")
  local trial = format("%s -t -p '%s' -c trial.conf -e error.log -q 2>/dev/null && echo fine", _M.nginx,
    uv.fs_realpath(room))
  return not measure.output_of(trial):find "fine" and "Lua module of nginx" or nil
end

-- --- recorded answers ----------------------------------------------------

--- Serves these bodies with bench/server.lua.
local function start_server(paths)
  local stdin, stdout = uv.new_pipe(false), uv.new_pipe(false)
  local args = { "bench/server.lua", (table.unpack or unpack)(paths) }
  local process = spawn(uv.exepath(), args, { stdio = { stdin, stdout, 2 } })
  local port
  stdout:read_start(function(_, data)
    port = port or data and data:match "%d+"
  end)
  repeat
    uv.run "once"
  until port or process.exited
  assert(port, "bench/server.lua has ended")
  return port, process.stop
end

--- Serves recorded answers: every path below a name gives its body, as JSON.
-- @tparam string room a directory for the server alone
-- @tparam table bodies name → body
-- @treturn string the URL above the names
-- @treturn function ends it
-- @treturn string what it is
function _M.serve(room, bodies)
  _M.make_room(room)
  local paths = {}
  for name, body in pairs(bodies) do
    paths[#paths + 1] = room .. "/" .. name
    write(paths[#paths], body)
  end
  local port, stop, what
  if _M.nginx then
    port, stop = _M.start_nginx(room, '    root .;\n    location / { rewrite "^/([^/]+)/" /$1 break; }')
    what = "nginx " .. _M.nginx_version
  else
    port, stop = start_server(paths)
    what = "bench/server.lua, as there is no nginx here"
  end
  return "http://127.0.0.1:" .. port, stop, what
end

return _M

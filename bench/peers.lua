--- Other HTTP clients, where they are here: each is a command that makes calls
-- and prints the CPU time of one in µs, and how many there were in a second.
-- dsclient is one of them, too, so that all are measured alike.

local measure = require "bench.measure"

local format = string.format

local _M = {}

--- A python3 that has a module: the first one, or Debian's.
-- @treturn string|nil command
-- @treturn string|nil the module's version, where it tells
function _M.python(module)
  for _, python in ipairs { "python3", "/usr/bin/python3" } do
    local found = measure.output_of(
      format([[%s -c 'import %s as m; print("found", getattr(m, "__version__", ""))' 2>/dev/null]], python, module))
    if found:find "found" then
      return python, found:match "found (%S+)"
    end
  end
end

--- The note of a peer that is not here.
function _M.left_out(what)
  return format("no %s here: left out", what)
end

local function has(vm, module)
  return measure.output_of(format([[%s -e 'require "%s" print "found"' 2>/dev/null]], vm, module)):find "found"
end

local function python_peer(module)
  return function()
    local python, version = _M.python(module)
    return python and format("%s bench/python_call.py %s", python, module), version
  end
end

--- A way of lua_call.lua.
-- @tparam string|nil vm another one than ours, that was built, too
function _M.own(setup, way, vm)
  local lua = vm and format("LUA_CPATH='build/%s/?.so;;' %s", vm, vm) or setup.lua
  return format("%s bench/lua_call.lua %s", lua, way)
end

-- Peers in Lua run where they are: on our VM, else on the one beside it.
local function lua_peer(module, way)
  return function(setup)
    if has(setup.lua, module) then
      return _M.own(setup, way), setup.vm
    elseif setup.beside and has(setup.beside, module) then
      return _M.own(setup, way, setup.beside), setup.beside
    end
  end
end

local PEERS = {
  {
    name = "requests", what = "requests of Python", label = "Python requests %s, urllib3's Retry",
    find = python_peer "requests",
  },
  { name = "aiohttp", what = "aiohttp of Python", label = "Python aiohttp %s", find = python_peer "aiohttp" },
  {
    name = "go", what = "Go", label = "Go %s, net/http and encoding/json",
    find = function(setup)
      return setup.go, setup.go and measure.output_of "go env GOVERSION":match "go(%S+)"
    end,
  },
  {
    name = "luasocket", what = "LuaSocket", label = "LuaSocket's http on %s, a connection each, lua-cjson",
    find = lua_peer("socket.http", "luasocket"),
  },
  {
    name = "lua_http", what = "lua-http", label = "lua-http on %s, lua-cjson",
    find = lua_peer("http.client", "lua_http"),
  },
}

--- Other clients than ours.
-- @tparam table setup
-- @treturn table name → {label, command}
-- @treturn table list of notes, one for each that is not here
function _M.find(setup)
  local found, notes = {}, {}
  for _, peer in ipairs(PEERS) do
    local command, version = peer.find(setup)
    if command then
      found[peer.name] = { label = peer.label:format(version or ""), command = command }
    else
      notes[#notes + 1] = _M.left_out(peer.what)
    end
  end
  return found, notes
end

--- A sample of a command.
-- @tparam string url of a list of runs
-- @tparam number count of calls
-- @tparam number at_once so many of them side by side
-- @treturn function → CPU time of a call (µs), calls a second
function _M.sample(command, url, count, at_once)
  return function()
    local text = measure.output_of(format("%s '%s' %d %d", command, url, count, at_once))
    local cpu_us, per_s = text:match "^(%S+) (%S+)\n$"
    return assert(tonumber(cpu_us), command .. " gave no figure"), tonumber(per_s)
  end
end

return _M

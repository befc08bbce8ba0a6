--- Calls as a Lua program makes them, one way or another. Prints the CPU time of
-- one call of this process in µs, and how many there were in a second.
--
--     lua bench/lua_call.lua WAY URL COUNT [AT_ONCE]
--
-- URL is that of a list of runs of the project 1, with its query; dsclient asks
-- for the same by its own means.

local curl = require "dsclient.curl"

local way, url, count, at_once = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4] or 1)

local HEADER = "token: x"

-- --- libcurl -------------------------------------------------------------

local function bare(method, decodes)
  return function()
    local decode = decodes and require("cjson").decode
    local measured = require("bench.bare_curl").open(url, HEADER, at_once)
    return function(turns)
      if method == "get" then
        for _ = 1, turns do
          decode(measured:get())
        end
      else
        measured[method](measured, turns, decode)
      end
    end
  end
end

-- --- dsclient ------------------------------------------------------------

local function dsclient_way(opts)
  return function()
    local dsclient = require "dsclient"
    local client = dsclient.new { api_url = url:match "^(.-)/projects/1/", token = "x", server_version = "3.2.2" }
    local args = { project = "1" }
    local function call()
      return assert(client.instances:list(args, opts))
    end
    assert(#call() > 0)
    local made = 1
    if at_once == 1 then
      return function(turns)
        for _ = 1, turns do
          call()
        end
      end
    end
    return function(turns)
      local list = {}
      for i = 1, turns do
        list[i] = i
      end
      dsclient.run(function()
        local _, errs = client:map(list, function()
          call() -- as the peers do, it keeps no value
        end, { concurrency = at_once })
        assert(not errs)
      end)
      made = made + turns
      assert(client:get_all_metrics()["instances.list"].attempts == made, "calls shared a request")
    end
  end
end

-- --- others --------------------------------------------------------------

--- LuaSocket's own HTTP: it has no keep-alive.
local function luasocket()
  local http, decode = require "socket.http", require("cjson").decode
  local ltn12 = require "ltn12"
  return function(turns)
    for _ = 1, turns do
      local pieces = {}
      local ok, status = http.request { url = url, headers = { token = "x" }, sink = ltn12.sink.table(pieces) }
      assert(ok and status == 200, status)
      decode(table.concat(pieces))
    end
  end
end

--- lua-http over one connection.
local function lua_http()
  local client, headers = require "http.client", require "http.headers"
  local decode = require("cjson").decode
  local host, port, path = url:match "^http://([^:/]+):(%d+)(/.*)$"
  local connection = assert(client.connect { host = host, port = tonumber(port), tls = false, version = 1.1 })
  local function call()
    local stream = assert(connection:new_stream())
    local head = headers.new()
    head:append(":method", "GET")
    head:append(":scheme", "http")
    head:append(":authority", host .. ":" .. port)
    head:append(":path", path)
    head:append("token", "x")
    assert(stream:write_headers(head, true))
    assert(assert(stream:get_headers()):get ":status" == "200")
    decode(assert(stream:get_body_as_string()))
  end
  return function(turns)
    for _ = 1, turns do
      call()
    end
  end
end

local WAYS = {
  loop = bare("loop"),
  multi = bare("many"),
  bare = bare("get", true),
  multi_cjson = bare("many", true),
  raw = dsclient_way { raw = true },
  dsclient = dsclient_way(),
  luasocket = luasocket,
  lua_http = lua_http,
}

local run = WAYS[way]()
run(2 * at_once) -- connections, caches
collectgarbage()
local began, cpu = curl.now(), os.clock()
run(count)
cpu, began = os.clock() - cpu, curl.now() - began
print(("%.3f %.1f"):format(cpu / count * 1e6, count / began))

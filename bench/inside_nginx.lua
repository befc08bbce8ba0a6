--- The side of bench/nginx.lua that runs in the worker: what its locations do.

local cjson = require "cjson"
local measure = require "bench.measure"
local resty_dsclient = require "resty.dsclient"

local assert, tonumber, ngx = assert, tonumber, ngx
local format = string.format

local _M = {}

-- --- calls -----------------------------------------------------------------

local RUNS = "/projects/1/process-instances?pageNo=1&pageSize=200"
local ARGS = { project = "1" }
--- assert, for errors that are tables: nginx would not tell them.
local function must(value, err)
  assert(value, tostring(err))
  return value
end

local NORMAL, RAW = { cache = false }, { cache = false, raw = true }

local POOL_IDLE_MS, POOL_SIZE = 10000, 32

--- What one writes by hand: no deadline, no limits, no second try, only lengths.
local function by_hand(port, path)
  local socket = ngx.socket.tcp()
  assert(socket:connect("127.0.0.1", port))
  assert(socket:send(format("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\ntoken: x\r\n\r\n", path)))
  local status = assert(socket:receive()):match "^HTTP/1.1 (%d+)"
  local length
  repeat
    local line = assert(socket:receive())
    length = length or tonumber(line:match "^[Cc]ontent%-[Ll]ength: (%d+)")
  until line == ""
  local body = assert(socket:receive(length))
  assert(socket:setkeepalive(POOL_IDLE_MS, POOL_SIZE))
  assert(status == "200", status)
  return cjson.decode(body).data.totalList
end

--- Makes what the locations call.
-- @tparam number port of the server of recorded answers
function _M.open(port)
  local url = "http://127.0.0.1:" .. port
  local function new(path, shm, entries_max)
    return resty_dsclient.new {
      api_url = url .. path, token = "x", server_version = "3.2.2", shm = shm, cache_entries_max = entries_max,
    }
  end
  local client, slow = new "/runs", new "/slow"
  _M.kept, _M.small = new("/cached", "dsclient"), new("/cached", "dsclient", 1)
  function _M.normal()
    return #must(client.instances:list(ARGS, NORMAL))
  end
  function _M.raw()
    return #must(client.instances:list(ARGS, RAW))
  end
  function _M.by_hand()
    return #by_hand(port, "/runs" .. RUNS)
  end
  function _M.slow()
    return #must(slow.instances:list(ARGS, NORMAL))
  end
end

function _M.nothing()
  return 0
end

--- The CPU time of this process, in s.
function _M.cpu()
  return os.clock()
end

-- --- hits ------------------------------------------------------------------

local BORROW = { borrow = true }
-- So many keys are hit in turn; the first level of `small` holds one.
local KEYS = 100

local function sample_of(loop)
  local count = tonumber(ngx.var.arg_count)
  if ngx.var.arg_jit == "off" then
    jit.off()
    jit.flush()
  end
  loop(count) -- compiles, and fills
  local sample = measure.loop(loop, count, 1e9)()
  jit.on()
  return sample
end

--- What a hit of the first level takes, in ns.
function _M.first()
  local client = _M.kept
  must(client:get_projects())
  return sample_of(function(count)
    for _ = 1, count do
      client:get_projects(BORROW)
    end
  end)
end

--- A loop that hits lists of as many keys in turn, which are in the dict then.
-- @tparam function list of a group of operations
-- @tparam string name of its argument
local function hitting(group, list, name)
  local args = {}
  for i = 1, KEYS do
    args[i] = { [name] = "key " .. i }
    must(list(group, args[i]))
  end
  return function(count)
    for i = 1, count do
      list(group, args[i % KEYS + 1], BORROW)
    end
  end
end

--- What a hit of the first level takes that has arguments, in ns.
function _M.arguments()
  return sample_of(hitting(_M.kept.projects, _M.kept.projects.list, "search"))
end

local function second_sample(loop)
  local before = _M.small:get_cache_stats().second
  local sample = sample_of(loop)
  local after = _M.small:get_cache_stats().second
  assert(after.hits - before.hits == 2 * tonumber(ngx.var.arg_count) and after.misses == before.misses,
    "not all were hits of the second level")
  return sample
end

--- What a hit of the second level takes, of a list with one text, in ns.
function _M.second()
  return second_sample(hitting(_M.small.task_types, _M.small.task_types.list, "category"))
end

--- … of a list with one row.
function _M.second_row()
  return second_sample(hitting(_M.small.projects, _M.small.projects.list, "search"))
end

--- What it takes to get that row from a dict by hand, in ns.
function _M.dict()
  local dict, names = ngx.shared.by_hand, {}
  local text = cjson.encode(must(_M.kept.projects:list()))
  for i = 1, KEYS do
    names[i] = "projects.list:key " .. i
    assert(dict:set(names[i], text))
  end
  return sample_of(function(count)
    for i = 1, count do
      cjson.decode(dict:get(names[i % KEYS + 1]))
    end
  end)
end

--- Answers with what a function of these returns.
function _M.serve(name)
  local text = tostring(_M[name]())
  ngx.header["Content-Length"] = #text
  ngx.print(text)
end

return _M

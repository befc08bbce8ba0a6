--- dsclient inside nginx: the same client, over cosockets and light threads, whose
-- workers share what can be shared.
--
--     -- http { lua_shared_dict dsclient 10m; init_by_lua_block { … } }
--     local dsclient = require "resty.dsclient"
--     client = dsclient.new{api_url = "http://ds:12345", token = token, shm = "dsclient"}
--
-- A client is configuration: one is made at module level or in init_by_lua, and each
-- worker works with it. Nothing is sent or started before the first call.

local dsclient = require "dsclient"
local errors = require "dsclient.errors"
local worker = require "resty.dsclient.worker"

local ffi = require "ffi"

local ngx, type, pairs, setmetatable = ngx, type, pairs, setmetatable
local format = string.format

ffi.cdef "int kill(int pid, int sig);"

local _M = setmetatable({ _VERSION = dsclient._VERSION }, { __index = dsclient })

local NEW = "dsclient.new"

-- --- what sharing wants of a worker ----------------------------------------

local function owner()
  return format("%d", ngx.worker.pid())
end

local ESRCH = 3

--- Is there such a process? One that is not ours to ask is.
local function lives(pid)
  return ffi.C.kill(tonumber(pid), 0) == 0 or ffi.errno() ~= ESRCH
end

--- Runs fn in so many seconds; when the worker ends, before. A worker that is
-- about to end starts no timers.
local function later(seconds, fn)
  return ngx.timer.at(seconds, fn) ~= nil
end

--- The option `shared` of dsclient.new, for dicts.
local function shared_of(opts)
  if opts.shm == nil then
    if opts.shm_state ~= nil then
      errors.throw 'dsclient.new: option "shm_state": it goes with shm'
    end
    return nil
  end
  return {
    entries = worker.dict(NEW, "shm", opts.shm),
    state = opts.shm_state ~= nil and worker.dict(NEW, "shm_state", opts.shm_state) or nil,
    owner = owner,
    lives = lives,
    later = later,
  }
end

-- --- the client --------------------------------------------------------------

--- Makes a client: dsclient.new for nginx. Works in every phase, and does no I/O.
-- @tparam table opts of dsclient.new, and
--   shm: name of a lua_shared_dict, in which the workers share the cache, fetches,
--     invalidation, limits and counters
--   shm_state: name of another one for all but the cache, so that a full cache drives
--     nothing else out
--   log: ngx.log where it is not given; false: nowhere
-- @treturn userdata client
function _M.new(opts)
  if type(opts) ~= "table" then
    errors.throw("dsclient.new: a table of options expected, got " .. type(opts))
  end
  local given = {}
  for name, value in pairs(opts) do
    given[name] = value
  end
  given.shm, given.shm_state = nil, nil
  given.shared = opts.shared or shared_of(opts)
  if given.log == nil then
    given.log = worker.log
  end
  given.log = given.log or nil
  return dsclient.new(given)
end

return _M

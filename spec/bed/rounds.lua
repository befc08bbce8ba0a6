--- Rounds of the fault bed, one after the other, each of a seed of its own; between them nothing may be left: no
-- descriptor and no memory.

local rounds = require "spec.bed.round"
local servers = require "spec.bed.server"
local uv = require "luv"

local _M = {}

--- So many calls has a round, of so many tasks.
_M.CALLS, _M.TASKS = 4000, 200

-- How many requests of a thousand meet a fault: calm, windy, storm.
local PERMILLES = { 20, 150, 400 }

-- The first rounds load what is loaded once, and fill what is kept.
local FIRST_ROUNDS = 3

-- What Lua may have more than then. LuaJIT keeps what it compiled.
local LUA_KB_MAX = jit and 4096 or 128

-- What the process may have more than then: malloc keeps pages.
local RSS_KB_MAX = 16384

-- A sanitizer keeps what was freed.
local KEEPS_FREED = (os.getenv "LD_PRELOAD" or ""):find "asan" ~= nil

-- None has a higher number here. (To list the directory would be shorter, and luv
-- would keep a note of it for ever.)
local DESCRIPTORS_MAX = 1024

local function count_descriptors()
  local count = 0
  for fd = 0, DESCRIPTORS_MAX - 1 do
    count = count + (uv.fs_readlink("/proc/self/fd/" .. fd) and 1 or 0)
  end
  return count
end

local function rss_kb()
  local file = assert(io.open "/proc/self/status")
  local text = file:read "*a"
  file:close()
  return tonumber(text:match "VmRSS:%s*(%d+)")
end

--- Collects what is of no use any more: what finalisers kept needs another cycle.
local function collect()
  local kept_kb
  repeat
    kept_kb = collectgarbage "count"
    collectgarbage()
  until collectgarbage "count" > kept_kb - 1
end

--- What the process has now.
-- @treturn table {descriptors, lua_kb, rss_kb}
function _M.measure()
  collect()
  return { descriptors = count_descriptors(), lua_kb = collectgarbage "count", rss_kb = rss_kb() }
end

local function check_left(before, settled, now)
  if now.descriptors ~= before.descriptors then
    return ("no descriptor is left: %d, not %d"):format(now.descriptors, before.descriptors)
  elseif settled and now.lua_kb > settled.lua_kb + LUA_KB_MAX then
    return ("no memory is left: Lua has %.0f KB, not %.0f"):format(now.lua_kb, settled.lua_kb)
  elseif settled and not KEEPS_FREED and now.rss_kb > settled.rss_kb + RSS_KB_MAX then
    return ("no memory is left: %d KB, not %d"):format(now.rss_kb, settled.rss_kb)
  end
end

local function add(sums, counts)
  for what, count in pairs(counts) do
    sums[what] = (sums[what] or 0) + count
  end
end

local function run_all(server, seed, go_on)
  local sums, number, settled = { calls = 0 }, 0, nil
  local before = _M.measure()
  while go_on(sums, number, before) do
    local failure, counts = rounds.run(server, { seed = seed + number, calls = _M.CALLS, tasks = _M.TASKS,
      permille = PERMILLES[(seed + number) % #PERMILLES + 1] })
    add(sums, counts)
    before.now = _M.measure()
    number = number + 1
    failure = failure or check_left(before, settled, before.now)
    if failure then
      return sums, ("seed %d: %s"):format(seed + number - 1, failure)
    end
    settled = settled or number == FIRST_ROUNDS and before.now or nil
  end
  return sums
end

--- Runs rounds as long as go_on(sums, number of rounds) says so.
-- @tparam number seed of the first round; each next one has the next
-- @treturn table sums of all counts: calls, requests, ends by kind, …
-- @treturn string|nil the seed that failed, and why
function _M.run(seed, go_on)
  local server = servers.start()
  local ok, sums, failure = pcall(run_all, server, seed, go_on)
  server:stop()
  if not ok then
    error(sums, 0)
  end
  return sums, failure
end

return _M

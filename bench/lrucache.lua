--- The peer for the cache in LuaJIT: lua-resty-lrucache. Prints the CPU time in
-- ns of one hit, or of one set that evicts, their keys made of two arguments.
--
--     luajit bench/lrucache.lua on|off hit|set COUNT
--
-- The first argument is whether LuaJIT may compile.

-- nginx tells its time once in each round of its loop
ngx = { now = function() return 0 end } -- luacheck: ignore

local lrucache = require "resty.lrucache"

local CAPACITY, HITS = 1000, 100

if arg[1] == "off" then
  jit.off()
end
local cache = assert(lrucache.new(CAPACITY))
local what, count = arg[2], tonumber(arg[3])
local value, args = {}, {}
for i = 1, what == "hit" and HITS or 2 * CAPACITY do
  args[i] = { project = ("%015d"):format(i), search = "a b" }
end

local function key_of(given)
  return "workflows.list:" .. given.project .. ":" .. given.search
end

local runs = {}

function runs.hit()
  for i = 1, count do
    assert(cache:get(key_of(args[i % #args + 1])))
  end
end

function runs.set()
  for i = 1, count do
    cache:set(key_of(args[i % #args + 1]), value, 3600)
  end
end

for i = 1, #args do
  cache:set(key_of(args[i]), value, 3600)
end
runs[what]() -- once to warm up
local started = os.clock()
runs[what]()
print(("%.2f"):format((os.clock() - started) / count * 1e9))

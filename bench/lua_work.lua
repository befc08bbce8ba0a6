--- What one call makes Lua do, as a count and not as a time: prints how many
-- instructions of the VM, how many bytes that the collector has to find again,
-- then where most of the instructions are.
--
--     lua bench/lua_work.lua URL AT_ONCE COUNT
--
-- URL is that of the API.

local dsclient = require "dsclient"

local url, at_once, count = arg[1], tonumber(arg[2]), tonumber(arg[3])

-- Of so many instructions one is looked at.
local EVERY = 100
-- So many files are named.
local FILES = 6

local client = dsclient.new { api_url = url, token = "x", server_version = "3.2.2" }
local args, list = { project = "1" }, {}
for i = 1, count do
  list[i] = i
end

local function call()
  assert(client.instances:list(args))
end

local function run()
  if at_once == 1 then
    for _ = 1, count do
      call()
    end
    return
  end
  dsclient.run(function()
    local _, errs = client:map(list, call, { concurrency = at_once })
    assert(not errs)
  end)
end

local function bytes_of(fn)
  collectgarbage()
  collectgarbage "stop"
  local before = collectgarbage "count"
  fn()
  local bytes = (collectgarbage "count" - before) * 1024
  collectgarbage "restart"
  return bytes
end

--- Instructions by file.
local function instructions_of(fn)
  local seen, create = {}, coroutine.create
  local function look()
    local name = debug.getinfo(2, "S").short_src:match "[^/]+$"
    seen[name] = (seen[name] or 0) + EVERY
  end
  function coroutine.create(body) -- luacheck: ignore
    local made = create(body)
    debug.sethook(made, look, "", EVERY)
    return made
  end
  debug.sethook(look, "", EVERY)
  fn()
  debug.sethook()
  coroutine.create = create -- luacheck: ignore
  return seen
end

if rawget(_G, "jit") then
  jit.off() -- what is compiled calls no hook
end
run()
local bytes = bytes_of(run)
local seen, names, total = instructions_of(run), {}, 0
for name, instructions in pairs(seen) do
  total = total + instructions
  names[#names + 1] = name
end
table.sort(names, function(a, b)
  return seen[a] > seen[b]
end)
local texts = {}
for i = 1, math.min(FILES, #names) do
  texts[i] = ("%s %.0f"):format(names[i], seen[names[i]] / count)
end
print(("%.0f %.0f %s"):format(total / count, bytes / count, table.concat(texts, ", ")))

--- What a process that holds a client has of memory, over one that does not.
-- Prints one number.
--
--     lua bench/lua_memory.lua WHAT URL [FILE]
--
--   client      KB: over a Lua state in which libcurl is loaded and initialised
--   private     KB: of it, what it shares with no other process
--   operations  KB more with the first file of operations
--   entry       bytes of a cached list, each the answer in FILE
--   borrowed    … with the table that its borrowers share
--   connection  bytes of an idle connection to URL

local bare_curl = require "bench.bare_curl"

local what, url, path = arg[1], arg[2], arg[3]

-- So many of them are made, then so many more are measured.
local ENTRIES, CONNECTIONS = 200, 100

--- The bytes of this process that are in memory, at rest.
local function resident(field)
  collectgarbage()
  collectgarbage()
  for line in io.lines "/proc/self/smaps_rollup" do
    local kilobytes = line:match("^" .. (field or "Rss") .. ":%s+(%d+) kB")
    if kilobytes then
      return kilobytes * 1024
    end
  end
end

local function new(options)
  options.api_url, options.token, options.server_version = url, "x", "3.2.2"
  return require("dsclient").new(options)
end

-- What is held until the end.
kept = { bare_curl.open(url, "token: x") } -- luacheck: ignore

local ways = {}

function ways.client(field)
  local before = resident(field)
  kept[2] = new {} -- luacheck: ignore
  return (resident(field) - before) / 1024
end

function ways.private()
  return ways.client "Anonymous"
end

function ways.operations()
  local client = new {}
  local before = resident()
  kept[2] = client.instances.list -- luacheck: ignore
  return (resident() - before) / 1024
end

function ways.entry(borrows)
  local file = assert(io.open(path))
  local transport = require("bench.measure").ready(file:read "*a")
  file:close()
  local client = new { transport = transport, runtime = { sleep = function() end }, cache_entries_max = 2 * ENTRIES }
  local made = 0
  local function fill()
    for _ = 1, ENTRIES do
      made = made + 1
      local args = { project = ("1%014d"):format(made) }
      assert(client.workflows:list(args))
      assert(not borrows or client.workflows:list(args, { borrow = true }))
      collectgarbage() -- what calls leave to it needs no place
    end
  end
  fill()
  local before = resident()
  fill()
  return (resident() - before) / ENTRIES
end

function ways.borrowed()
  return ways.entry(true)
end

function ways.connection()
  local curl = require "dsclient.curl"
  local pool = curl.new { pool_maxsize = 2 * CONNECTIONS }
  local function open(count)
    local transfers = {}
    for i = 1, count do
      transfers[i] = assert(pool:start({ method = "GET", url = url, headers = {} }, curl.now() + 10))
    end
    for i = 1, count do
      assert(transfers[i]:wait())
    end
  end
  open(CONNECTIONS)
  local before = resident()
  open(2 * CONNECTIONS)
  return (resident() - before) / CONNECTIONS
end

print(("%.1f"):format(ways[what]()))

--- What the cache costs: hits with all that a call of theirs does, sets that
-- evict, and both beside other caches, which look up and do nothing else. Those
-- hand the same table to all, as to our borrowers.

local core = require "dsclient.core"
local dsclient = require "dsclient"
local measure = require "bench.measure"
local peers = require "bench.peers"

local COUNT, C_COUNT, PEER_COUNT = 100000, 1000000, 30000

local PAGE = measure.recorded("3.2.2", "projects-pagesize-100000")

-- So many keys are hit in turn; so many entries does the smaller cache hold.
local HITS, CAPACITY = 100, 1000
local TEXT = '"' .. ("x"):rep(510) .. '"'

local function new(options)
  local given = {
    api_url = "http://127.0.0.1:1",
    token = "x",
    server_version = "3.2.2",
    transport = measure.ready(PAGE),
    runtime = { sleep = function() end },
  }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return dsclient.new(given)
end

local BORROW = { borrow = true }

-- The arguments of so many lists of workflows.
local function arguments(count)
  local list = {}
  for i = 1, count do
    list[i] = { project = ("1%014d"):format(i), search = "a b" }
  end
  return list
end

-- Each sample loops by itself: a call of a function would count.
local function hits_of(setup, client)
  local workflows, all = client.workflows, arguments(HITS)
  for _, args in ipairs(all) do
    assert(workflows:list(args))
  end
  assert(client:get_projects())
  return {
    {
      name = "hit_borrowed", label = "hit, borrowed: client:get_projects(BORROW)", goal = 150,
      sample = measure.loop(function(count)
        for _ = 1, count do
          client:get_projects(BORROW)
        end
      end, setup.count(COUNT), 1e9),
    },
    {
      name = "hit_private", label = "hit, a copy of 3 rows: client:get_projects()",
      sample = measure.loop(function(count)
        for _ = 1, count do
          client:get_projects()
        end
      end, setup.count(COUNT / 10), 1e9),
    },
    {
      name = "hit_arguments", label = "hit, borrowed: client.workflows:list(ARGS, BORROW), 100 ARGS in turn",
      sample = measure.loop(function(count)
        for i = 1, count do
          workflows:list(all[i % HITS + 1], BORROW)
        end
      end, setup.count(COUNT), 1e9),
    },
  }
end

-- The keys are like those of the peers.
local function set_of(setup, client)
  local keys = {}
  for i, args in ipairs(arguments(2 * CAPACITY)) do
    keys[i] = "workflows.list:" .. args.project .. ":" .. args.search
  end
  local function set(count)
    for i = 1, count do
      core.store(client, keys[i % #keys + 1], TEXT, 3600, 0)
    end
  end
  set(CAPACITY)
  return {
    name = "set", label = "set that evicts, of 512 bytes",
    sample = measure.loop(set, setup.count(COUNT), 1e9),
  }
end

-- --- peers ---------------------------------------------------------------

local function command(setup, text, count)
  return function()
    return tonumber(measure.output_of(("%s %d"):format(text, setup.count(count))))
  end
end

local function found(text)
  return measure.output_of(text .. " 2>/dev/null"):find "1"
end

local LRUCACHE = [[luajit -e 'ngx = { now = os.time } require "resty.lrucache" print(1)']]

-- The peers for one of our figures: "hit" or "set".
local function add_peers(ways, setup, what, against)
  for _, jit in ipairs { "on", "off" } do
    ways[#ways + 1] = found(LRUCACHE) and {
      name = what .. "_lrucache_" .. jit, label = "… by lua-resty-lrucache in LuaJIT, JIT " .. jit, against = against,
      sample = command(setup, ("luajit bench/lrucache.lua %s %s"):format(jit, what), PEER_COUNT),
    }
  end
  local peer = peers.python "cachetools"
  ways[#ways + 1] = peer and {
    name = what .. "_cachetools", label = "… by cachetools of Python", against = against,
    sample = command(setup, ("%s bench/python_cache.py %s"):format(peer, what), PEER_COUNT),
  }
end

return function(setup)
  local client, small = new(), new { cache_entries_max = CAPACITY }
  local ways = hits_of(setup, client)
  add_peers(ways, setup, "hit", "hit_arguments")
  ways[#ways + 1] = set_of(setup, small)
  add_peers(ways, setup, "set", "set")
  for _, loop in ipairs { { "hit", "a look-up that hits" }, { "miss", "a look-up that misses" },
    { "set", "a set that evicts, of 512 bytes" } } do
    ways[#ways + 1] = {
      name = "core_" .. loop[1], label = "in C: " .. loop[2], sample = measure.core(setup, loop[1], C_COUNT),
    }
  end
  local lines, figures = measure.compare(ways, "ns", setup.rounds)
  client:close()
  small:close()
  local notes = {}
  if not figures.hit_lrucache_on then
    notes[#notes + 1] = peers.left_out "lua-resty-lrucache"
  end
  if not figures.hit_cachetools then
    notes[#notes + 1] = peers.left_out "cachetools of Python"
  end
  return { { name = "cache", title = "The cache. CPU", lines = lines, figures = figures, notes = notes } }
end

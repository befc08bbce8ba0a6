--- What a call costs its process (CPU), one after the other, and how many there
-- are in a second with 20 in flight: beside libcurl with nothing around it, with
-- lua-cjson, and clients of other kinds.

local measure = require "bench.measure"
local peers = require "bench.peers"
local web = require "bench.web"

local format = string.format

-- Lists of runs, as a 3.2.2 server sent them.
local ANSWERS = {
  { name = "1kb", recording = "instances-running", requests_goal = 15 },
  { name = "10kb", recording = "instances-failure", requests_goal = 10 },
}

local LABELS = {
  loop = "libcurl, an easy loop in C", multi = "libcurl, a multi loop in C", bare = "easy loop + lua-cjson",
  multi_cjson = "multi loop + lua-cjson", raw = "dsclient, raw", dsclient = "dsclient",
}

-- The ways of ours and of libcurl; `base` is what the others are compared with,
-- on the same VM; `beside` those that are measured on the VM beside, too.
local ONE = {
  name = "call", title = "A call, its answer a list of runs of %.1f KB. CPU of the caller", at_once = 1,
  own = { "loop", "multi", "bare", "multi_cjson", "raw", "dsclient" }, beside = { "bare", "raw", "dsclient" },
  base = "bare", goals = { raw = 1.15, dsclient = 1.5 }, count = 500, unit = "µs",
  others = { "lua_http", "luasocket", "go", "aiohttp", "requests" }, others_count = 200,
}
local MANY = {
  name = "many", title = "20 calls in flight, each answer a list of runs of %.1f KB", at_once = 20,
  own = { "multi", "multi_cjson", "raw", "dsclient" }, beside = { "multi_cjson", "raw", "dsclient" },
  base = "multi_cjson", goals = { raw = 0.9, dsclient = 0.9 }, at_least = true, count = 1000, unit = "calls/s",
  second = "%s µs of CPU a call", others = { "go", "aiohttp", "requests" }, others_count = 300, swap = true,
}

--- A sample of calls a second, then of the CPU time of one.
local function swapped(sample)
  return function()
    local cpu_us, per_s = sample()
    return per_s, cpu_us
  end
end

local function ways_of(setup, kind, found, page, requests_goal)
  local ways = {}
  local function add(way, command, count)
    local sample = peers.sample(command, page, setup.count(count), kind.at_once)
    way.sample = kind.swap and swapped(sample) or sample
    ways[#ways + 1] = way
  end
  local function add_own(names, vm, prefix, label)
    for _, name in ipairs(names) do
      local against = name ~= kind.base and prefix .. kind.base or nil
      add({
        name = prefix .. name, label = label .. LABELS[name], against = against, than = LABELS[kind.base],
        goal = kind.goals[name], at_least = kind.at_least,
      }, peers.own(setup, name, vm), kind.count)
    end
  end
  add_own(kind.own, nil, "", "")
  if setup.beside then
    add_own(kind.beside, setup.beside, "beside_", setup.beside .. ": ")
  end
  for _, name in ipairs(kind.others) do
    if found[name] then
      local goal = kind == ONE and name == "requests" and requests_goal or nil
      add({ name = name, label = found[name].label, against = "raw", than = "dsclient, raw",
        goal = goal, at_least = true },
        found[name].command, kind.others_count)
    end
  end
  return ways
end

return function(setup)
  local found, notes = peers.find(setup)
  local bodies, parts = {}, {}
  for _, answer in ipairs(ANSWERS) do
    bodies[answer.name] = measure.recorded("3.2.2", answer.recording)
  end
  local url, stop, what = web.serve(setup.room .. "/web", bodies)
  table.insert(notes, 1, "the server is " .. what)
  if not setup.beside then
    notes[#notes + 1] = "no other VM was built for this run: left out"
  end
  for _, kind in ipairs { ONE, MANY } do
    for _, answer in ipairs(ANSWERS) do
      local page = format("%s/%s/projects/1/process-instances?pageNo=1&pageSize=200", url, answer.name)
      local ways = ways_of(setup, kind, found, page, answer.requests_goal)
      local lines, figures = measure.compare(ways, kind.unit, setup.rounds, kind.second)
      parts[#parts + 1] = {
        name = kind.name .. "_" .. answer.name, title = format(kind.title, #bodies[answer.name] / 1000), lines = lines,
        figures = figures, notes = notes,
      }
    end
  end
  stop()
  return parts
end

--- What dsclient costs where there is no network. The parts in C are measured in
-- C, by bench/core.c; the cache has a part of its own.

local arguments = require "dsclient.arguments"
local dsclient = require "dsclient"
local measure = require "bench.measure"
local names = require "dsclient.names"
local operations = require "dsclient.operations"
local peers = require "bench.peers"

local COUNT, C_COUNT, PEER_COUNT = 100000, 1000000, 20000

local PROJECTS = measure.recorded("3.2.2", "projects-pagesize-100000")

-- So many tasks share one fetch.
local TASKS = 100

--- A client in a runtime of bare coroutines, and what runs a round of tasks that
-- all want the same.
local function sharing()
  local ready, running, ready_count = {}, nil, 0
  local function resume(task)
    ready_count = ready_count + 1
    ready[ready_count] = task
  end
  local client = dsclient.new {
    api_url = "http://127.0.0.1:1",
    token = "x",
    server_version = "3.2.2",
    transport = measure.ready(PROJECTS, function()
      resume(running)
      coroutine.yield()
    end),
    runtime = {
      sleep = function() end,
      current = function()
        return running
      end,
      park = function(waiter)
        waiter.task = running
        coroutine.yield()
        return "woken"
      end,
      wake = function(waiter)
        resume(waiter.task)
      end,
    },
  }
  local REFRESHED = { ttl_s = 1 }
  local function ask()
    client:get_projects(REFRESHED)
  end
  local function round(count)
    client:clear_cache()
    for _ = 1, count do
      resume(coroutine.create(ask))
    end
    local at = 1
    while at <= ready_count do
      running = ready[at]
      assert(coroutine.resume(running))
      at = at + 1
    end
    ready_count = 0
  end
  return client, round
end

--- What one more task costs that joins a fetch: a round of many, less one of one.
local function join_sample(setup, round)
  local many = measure.cpu(function()
    round(TASKS + 1)
  end, setup.count(COUNT / TASKS / 4), 1e9)
  local one = measure.cpu(function()
    round(1)
  end, setup.count(COUNT / TASKS / 4), 1e9)
  return function()
    return (many() - one()) / TASKS
  end
end

-- A list of runs by five arguments, in pages.
local ARGS = { project = "181535832683296", workflow = "181535832683297", state = "FAILURE",
  start_date = "2024-02-29 00:00:00", end_date = "2024-02-29 23:59:59" }
local PAGE = { "pageNo", "1", "pageSize", "200" }
local CONTEXT = { resolve = names.resolver(function() end) }

local function ways_of(setup, client, round)
  local row = operations.find "instances.list"
  local bound = assert(arguments.bind(row, ARGS, CONTEXT, 1))
  local UNCACHED = { cache = false }
  local function cpu(fn, count)
    return measure.cpu(fn, setup.count(count), 1e9)
  end
  return {
    { name = "nothing", label = "a call of an empty function, for comparison", sample = cpu(function() end, COUNT) },
    {
      name = "uncached", label = "a whole call of 3 rows, its answer at hand",
      sample = cpu(function()
        client:get_projects(UNCACHED)
      end, COUNT / 10),
    },
    {
      name = "bind", label = "checking five arguments",
      sample = cpu(function()
        arguments.bind(row, ARGS, CONTEXT, 1)
      end, COUNT / 10),
    },
    {
      name = "request", label = "building a request of five arguments", goal = 3000,
      sample = cpu(function()
        arguments.request(row, bound, "workflow", PAGE)
      end, COUNT / 10),
    },
    {
      name = "core_policy", label = "in C: the policy of a call (miss, begin, answer, end)", goal = 500,
      sample = measure.core(setup, "policy", C_COUNT),
    },
    {
      name = "core_limits", label = "in C: of it, the gates of a request (breakers, queue, pace, budget)",
      sample = measure.core(setup, "limits", C_COUNT),
    },
    {
      name = "core_repeat", label = "in C: a call that fails once, and its wait",
      sample = measure.core(setup, "repeat", C_COUNT),
    },
    {
      name = "join", label = "a task that joins another's fetch, its copy of 3 rows included",
      sample = join_sample(setup, round),
    },
  }
end

return function(setup)
  local client = dsclient.new {
    api_url = "http://127.0.0.1:1",
    token = "x",
    server_version = "3.2.2",
    transport = measure.ready(PROJECTS),
    runtime = { sleep = function() end },
  }
  local sharer, round = sharing()
  local ways = ways_of(setup, client, round)
  local python = peers.python "urllib3"
  if python then
    ways[#ways + 1] = {
      name = "urllib3", label = "a failure and its wait by urllib3's Retry, in Python", against = "core_repeat",
      sample = function()
        local command = ("%s bench/python_retry.py %d"):format(python, setup.count(PEER_COUNT))
        return tonumber(measure.output_of(command))
      end,
    }
  end
  local lines, figures = measure.compare(ways, "ns", setup.rounds)
  client:close()
  sharer:close()
  local notes = { not python and peers.left_out "urllib3 of Python" or nil }
  return { { name = "inside", title = "Without a network: CPU", lines = lines, figures = figures, notes = notes } }
end

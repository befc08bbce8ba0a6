--- What dsclient costs where there is no network: hits of the cache, and its
-- parts. The parts in C are measured in C, by bench/core.c.

local dsclient = require "dsclient"
local measure = require "bench.measure"

local COUNT, C_COUNT = 100000, 1000000

local PROJECTS = measure.recorded("3.2.2", "projects-pagesize-100000")

--- A transport that always has the same answer ready.
local function ready(body)
  local response = {
    status = 200, headers = { ["content-type"] = "application/json" }, body = body, bytes_in = #body, bytes_out = 200,
  }
  local exchange = {}
  function exchange.wait()
    return response
  end
  return {
    start = function()
      return exchange
    end,
    close = function() end,
  }
end

local function core(setup, loop)
  return function()
    return tonumber(measure.output_of(("%s %s %d"):format(setup.core, loop, setup.count(C_COUNT))))
  end
end

local function ways_of(setup, client)
  local BORROW, UNCACHED, NO_ARGS = { borrow = true }, { cache = false }, {}
  local projects = client.projects
  local function cpu(fn, count)
    return measure.cpu(fn, setup.count(count), 1e9)
  end
  return {
    { name = "nothing", label = "a call of an empty function, for comparison", sample = cpu(function() end, COUNT) },
    {
      name = "hit_borrowed", label = "hit, borrowed: client:get_projects(BORROW)", goal = 150,
      sample = cpu(function()
        client:get_projects(BORROW)
      end, COUNT),
    },
    {
      name = "hit_by_operation", label = "hit, borrowed: client.projects:list({}, BORROW)",
      sample = cpu(function()
        projects:list(NO_ARGS, BORROW)
      end, COUNT),
    },
    {
      name = "hit_private", label = "hit, a copy of 3 rows: client:get_projects()",
      sample = cpu(function()
        client:get_projects()
      end, COUNT / 10),
    },
    {
      name = "uncached", label = "a whole call of 3 rows, its answer at hand",
      sample = cpu(function()
        client:get_projects(UNCACHED)
      end, COUNT / 10),
    },
    { name = "core_hit", label = "in C: a look-up that hits", sample = core(setup, "hit") },
    {
      name = "core_policy", label = "in C: the policy of a call (miss, begin, answer, end)", goal = 500,
      sample = core(setup, "policy"),
    },
    { name = "core_record", label = "in C: a call and its attempt counted", goal = 30, sample = core(setup, "record") },
  }
end

return function(setup)
  local client = dsclient.new {
    api_url = "http://127.0.0.1:1",
    token = "x",
    server_version = "3.2.2",
    transport = ready(PROJECTS),
    runtime = { sleep = function() end },
  }
  client:get_projects()
  local lines, figures = measure.compare(ways_of(setup, client), "ns", setup.rounds)
  client:close()
  return { { name = "inside", title = "Without a network: CPU", lines = lines, figures = figures } }
end

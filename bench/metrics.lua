--- What counting costs, and telling Prometheus of it; beside Prometheus' own
-- library for Python.

local measure = require "bench.measure"
local peers = require "bench.peers"

local C_COUNT, PYTHON_COUNT = 1000000, 30000

local WAYS = {
  { loop = "record", label = "a call and its attempt counted", goal = 30 },
  { loop = "text", label = "a series of the text", goal = 500 },
}

local function ways_of(setup, peer)
  local ways = {}
  for _, way in ipairs(WAYS) do
    ways[#ways + 1] =
      { name = way.loop, label = way.label, goal = way.goal, sample = measure.core(setup, way.loop, C_COUNT) }
    ways[#ways + 1] = peer and {
      name = way.loop .. "_python", label = "… by prometheus_client of Python", against = way.loop, goal = 10,
      at_least = true,
      sample = function()
        local command = ("%s bench/python_metrics.py %s %d"):format(peer, way.loop, setup.count(PYTHON_COUNT))
        return tonumber(measure.output_of(command))
      end,
    }
  end
  return ways
end

return function(setup)
  local peer = peers.python "prometheus_client"
  local lines, figures = measure.compare(ways_of(setup, peer), "ns", setup.rounds)
  local notes = { not peer and peers.left_out "prometheus_client of Python" or nil }
  return { { name = "metrics", title = "Metrics, in C. CPU", lines = lines, figures = figures, notes = notes } }
end

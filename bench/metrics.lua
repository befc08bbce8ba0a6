--- What counting costs, and telling Prometheus of it; beside Prometheus' own
-- library for Python.

local measure = require "bench.measure"

local C_COUNT, PYTHON_COUNT = 1000000, 30000

--- A python3 that has Prometheus' library, or nil: Debian's is for its own.
local function python()
  for _, command in ipairs { "python3", "/usr/bin/python3" } do
    if measure.output_of(command .. " -c 'import prometheus_client; print(1)' 2>/dev/null"):find "1" then
      return command
    end
  end
end

local WAYS = {
  { loop = "record", label = "a call and its attempt counted", goal = 30 },
  { loop = "text", label = "a series of the text", goal = 500 },
}

local function ways_of(setup)
  local ways, peer = {}, python()
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
  local lines, figures = measure.compare(ways_of(setup), "ns", setup.rounds)
  return { { name = "metrics", title = "Metrics, in C. CPU", lines = lines, figures = figures } }
end

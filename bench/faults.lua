--- How many calls fail when one request in twenty does, without retries and
-- with them; on a virtual clock, with a seed for each round.

local measure = require "bench.measure"
local sandbox = require "dsclient.sandbox"

local CALLS, SHORT_CALLS, RATE = 2000, 200, 0.05
local DELAY_S = 0.03

-- Half of them are refused, half lose their connection within the answer.
local FAULTS = { "status_503", "cut" }

local WAYS = {
  { name = "naive", label = "without retries", options = { enable_cache = false, max_retries = 0 } },
  { name = "dsclient", label = "with retries", options = { enable_cache = false } },
}

local METRICS = {
  { "failed", "calls that fail", "%" },
  { "requests", "requests of a call", "" },
  { "call_ms", "time of a call", "ms" },
}

local function sample(options, calls, seed)
  local box = sandbox.new { delay_s = DELAY_S, seed = seed }
  local client = box:client(options)
  for _, fault in ipairs(FAULTS) do
    assert(box:fault { fault = fault, operation = "instances.list", rate = RATE / #FAULTS })
  end
  local project = box:projects()[1].code
  for _ = 1, calls do
    client:get_workflow_instances(project)
  end
  local counted = client:get_all_metrics().get_workflow_instances
  client:close()
  return {
    failed = counted.error_ratio * 100,
    requests = counted.attempts / calls,
    call_ms = counted.avg_duration_ms,
  }
end

local function figures_of(way, setup)
  local lists = {}
  for _, metric in ipairs(METRICS) do
    lists[metric[1]] = {}
  end
  for seed = 1, setup.rounds do
    for name, value in pairs(sample(way.options, setup.short and SHORT_CALLS or CALLS, seed)) do
      lists[name][seed] = value
    end
  end
  local figures = {}
  for _, metric in ipairs(METRICS) do
    local figure = measure.spread(lists[metric[1]])
    figure.unit = metric[3]
    figures[way.name .. "_" .. metric[1]] = figure
  end
  return figures
end

return function(setup)
  local lines, figures = { { "" } }, {}
  for i, metric in ipairs(METRICS) do
    lines[i + 1] = { metric[2] }
  end
  for _, way in ipairs(WAYS) do
    local of_way = figures_of(way, setup)
    table.insert(lines[1], way.label)
    for i, metric in ipairs(METRICS) do
      local name = way.name .. "_" .. metric[1]
      figures[name] = of_way[name]
      table.insert(lines[i + 1], measure.cell(figures[name], "median"))
    end
  end
  local title = ("One request in %d fails; an answer takes %d ms (virtual clock)"):format(1 / RATE, DELAY_S * 1000)
  return { { name = "faults", title = title, lines = lines, figures = figures } }
end

--- What the benchmarks share: answers of real servers, a server in a child
-- process, ways of doing the same measured in turn, and how figures look.

local cjson = require "cjson"
local uv = require "luv"

local format = string.format

local _M = {}

-- --- what is measured against --------------------------------------------

--- The body of a recorded answer of a real server.
function _M.recorded(line, name)
  for text in io.lines("spec/recordings/" .. line .. ".jsonl") do
    local exchange = cjson.decode(text)
    if exchange.name == name then
      return exchange.response.body
    end
  end
  error("no recorded exchange " .. line .. "/" .. name)
end

--- Starts bench/server.lua with this body.
-- @treturn string base URL
-- @treturn function ends it
function _M.serve(body)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(body)
  file:close()
  local stdin, stdout = uv.new_pipe(false), uv.new_pipe(false)
  local exited = false
  local process = assert(uv.spawn(uv.exepath(), {
    args = { "bench/server.lua", path },
    stdio = { stdin, stdout, 2 },
  }, function()
    exited = true
  end))
  local port
  stdout:read_start(function(_, data)
    port = port or data and data:match "%d+"
  end)
  repeat
    uv.run "once"
  until port or exited
  os.remove(path)
  assert(port, "bench/server.lua has ended")
  return "http://127.0.0.1:" .. port .. "/dolphinscheduler", function()
    stdin:close()
    stdout:close()
    process:kill "sigterm"
    while not exited do
      uv.run "once"
    end
    process:close()
    uv.run "nowait"
  end
end

--- A transport that always has the same answer ready.
-- @tparam function before called before each answer, or nil
function _M.ready(body, before)
  local response = {
    status = 200, headers = { ["content-type"] = "application/json" }, body = body, bytes_in = #body, bytes_out = 200,
  }
  local exchange = {}
  function exchange.wait()
    if before then
      before()
    end
    return response
  end
  return {
    start = function()
      return exchange
    end,
    close = function() end,
  }
end

--- What a command prints.
function _M.output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- A python3 that has requests, or nil.
function _M.python()
  local found = _M.output_of "python3 -c 'import requests; print(requests.__version__)' 2>/dev/null"
  return found:find "%d" and "python3" or nil, found:match "%S+"
end

-- --- samples -------------------------------------------------------------

--- A sample of the CPU time of a loop in this process.
-- @tparam function loop of the number of its turns
-- @tparam number count so many
-- @tparam number factor of the unit: 1e6 for µs
-- @treturn function → the time of one turn
function _M.loop(loop, count, factor)
  return function()
    local started = os.clock()
    loop(count)
    return (os.clock() - started) / count * factor
  end
end

--- The same of a function that is called so often.
function _M.cpu(fn, count, factor)
  return _M.loop(function(turns)
    for _ = 1, turns do
      fn()
    end
  end, count, factor)
end

--- A sample of a loop of bench/core.c, in ns.
function _M.core(setup, loop, count)
  return function()
    return tonumber(_M.output_of(("%s %s %d"):format(setup.core, loop, setup.count(count))))
  end
end

--- The least, the middle and the largest of a list.
function _M.spread(samples)
  local sorted = {}
  for i, sample in ipairs(samples) do
    sorted[i] = sample
  end
  table.sort(sorted)
  local half = math.floor(#sorted / 2)
  local median = #sorted % 2 == 1 and sorted[half + 1] or (sorted[half] + sorted[half + 1]) / 2
  return { min = sorted[1], median = median, max = sorted[#sorted] }
end

--- Samples of each way, one after the other, so that what disturbs the machine
-- disturbs them alike; every second round goes backwards.
-- @tparam table ways list of {sample = function → number}
-- @treturn table list of samples by way
function _M.in_turn(ways, rounds)
  local samples = {}
  for _, way in ipairs(ways) do
    samples[way] = {}
  end
  for round = 1, rounds do
    for i = 1, #ways do
      local way = ways[round % 2 == 1 and i or #ways + 1 - i]
      collectgarbage() -- what the others left is not this one's
      samples[way][round] = way.sample()
    end
  end
  return samples
end

local function ratios(samples, base)
  local list = {}
  for i, sample in ipairs(samples) do
    list[i] = sample / base[i]
  end
  return _M.spread(list)
end

-- --- tables --------------------------------------------------------------

--- Three digits that count.
function _M.digits(value)
  local places = (value >= 100 or value % 1 == 0) and 0 or value >= 10 and 1 or 2
  return format("%." .. places .. "f", value)
end
local digits = _M.digits

--- The least and the largest, as they stand beside the middle.
function _M.range(spread)
  return format("(%s … %s)", digits(spread.min), digits(spread.max))
end

--- A figure in one cell.
-- @tparam string middle what stands for it: "median" or "mean"
function _M.cell(figure, middle)
  local text = digits(figure[middle]) .. (figure.unit == "" and "" or " " .. figure.unit)
  return figure.min == figure.max and text or text .. " " .. _M.range(figure)
end

local function width(text)
  return #text:gsub("[\128-\191]", "") -- of UTF-8
end

local function pad(text, columns, left)
  local blanks = (" "):rep(columns - width(text))
  return left and text .. blanks or blanks .. text
end

--- Prints lines of cells in columns: the first to the left, the others right.
function _M.print_table(lines, out)
  local widths = {}
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do
      widths[i] = math.max(widths[i] or 0, width(cell))
    end
  end
  for _, line in ipairs(lines) do
    local cells = {}
    for i, cell in ipairs(line) do
      cells[i] = pad(cell, widths[i], i == 1)
    end
    out:write("  ", (table.concat(cells, "  "):gsub("%s+$", "")), "\n")
  end
end

--- A goal is of the ratio, where there is one, else of the figure.
local function goal_of(way, figure)
  if not way.goal then
    return ""
  end
  local reached = (figure.ratio or figure).median
  local met = way.at_least and reached >= way.goal or not way.at_least and reached <= way.goal
  return format("goal %s %g: %s", way.at_least and "≥" or "≤", way.goal, met and "met" or "missed")
end

--- Measures ways of doing the same.
-- @tparam table ways list of {name, label, sample, against = name of another
--   way, goal, at_least}
-- @tparam string unit
-- @treturn table lines for print_table
-- @treturn table figures by name: {unit, min, median, max, ratio = {…}}
function _M.compare(ways, unit, rounds)
  local samples, samples_of = _M.in_turn(ways, rounds), {}
  for _, way in ipairs(ways) do
    samples_of[way.name] = samples[way]
  end
  local lines, figures = {}, {}
  for _, way in ipairs(ways) do
    local figure = _M.spread(samples[way])
    local ratio, ratio_range = "", ""
    if way.against then
      figure.ratio = ratios(samples[way], samples_of[way.against])
      ratio, ratio_range = digits(figure.ratio.median) .. " × " .. way.against, _M.range(figure.ratio)
    end
    figure.unit = unit
    figures[way.name] = figure
    lines[#lines + 1] =
      { way.label, digits(figure.median) .. " " .. unit, _M.range(figure), ratio, ratio_range, goal_of(way, figure) }
  end
  return lines, figures
end

return _M

--- What the benchmarks share: answers of real servers, ways of doing the same measured in turn, and how figures look.

local cjson = require "cjson"

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
    return tonumber(_M.output_of(("%s/core %s %d"):format(setup.room, loop, setup.count(count))))
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
-- @tparam table ways list of {sample = function → number, a second one or nil}
-- @treturn table list of samples by way
-- @treturn table list of the second numbers by way
function _M.in_turn(ways, rounds)
  local samples, seconds = {}, {}
  for _, way in ipairs(ways) do
    samples[way], seconds[way] = {}, {}
  end
  for round = 1, rounds do
    for i = 1, #ways do
      local way = ways[round % 2 == 1 and i or #ways + 1 - i]
      collectgarbage() -- what the others left is not this one's
      samples[way][round], seconds[way][round] = way.sample()
    end
  end
  return samples, seconds
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

--- The least and the largest, as they stand beside the middle; nothing where all
-- are the same.
function _M.range(spread)
  return spread.min == spread.max and "" or format("(%s … %s)", digits(spread.min), digits(spread.max))
end

--- A figure in one cell.
-- @tparam string middle what stands for it: "median" or "mean"
function _M.cell(figure, middle)
  local text = digits(figure[middle]) .. (figure.unit == "" and "" or " " .. figure.unit)
  local range = _M.range(figure)
  return range == "" and text or text .. " " .. range
end

local function width(text)
  return #text:gsub("[\128-\191]", "") -- of UTF-8
end

local function pad(text, columns, left)
  local blanks = (" "):rep(columns - width(text))
  return left and text .. blanks or blanks .. text
end

--- Prints lines of cells in columns: the first to the left, the others right.
-- @tparam string|nil indent before each line; two blanks
function _M.print_table(lines, out, indent)
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
    out:write(indent or "  ", (table.concat(cells, "  "):gsub("%s+$", "")), "\n")
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

--- The line of a way in a table.
-- @tparam table way as of `compare`
-- @tparam table samples list
-- @tparam table|nil base samples that they are compared with
-- @tparam string|nil second what is told of the second numbers
-- @tparam table|nil seconds these
-- @treturn table cells
-- @treturn table figure {unit, min, median, max, ratio = {…}, second = {…}}
function _M.line_of(way, samples, base, second, seconds)
  local figure = _M.spread(samples)
  figure.unit = way.unit
  local unit = way.unit == "" and "" or " " .. way.unit
  local line = { way.label, digits(figure.median) .. unit, _M.range(figure), "", "" }
  if base then
    figure.ratio = ratios(samples, base)
    line[4], line[5] = digits(figure.ratio.median) .. " × " .. (way.than or way.against), _M.range(figure.ratio)
  end
  if second then
    figure.second = _M.spread(seconds)
    line[6] = figure.second.max > 0 and format(second, digits(figure.second.median)) or ""
  end
  line[#line + 1] = goal_of(way, figure)
  return line, figure
end

--- Measures ways of doing the same.
-- @tparam table ways list of {name, label, sample, against = name of another
--   way, than = what that is called (its name), goal, at_least, unit}
-- @tparam string|nil unit of all ways that have none of their own
-- @tparam number rounds
-- @tparam string|nil second what is told of the second numbers: "%s µs of CPU"
-- @treturn table lines for print_table
-- @treturn table figures by name
function _M.compare(ways, unit, rounds, second)
  local samples, seconds = _M.in_turn(ways, rounds)
  local samples_of = {}
  for _, way in ipairs(ways) do
    samples_of[way.name] = samples[way]
  end
  local lines, figures = {}, {}
  for i, way in ipairs(ways) do
    way.unit = way.unit or unit
    lines[i], figures[way.name] = _M.line_of(way, samples[way], samples_of[way.against], second, seconds[way])
  end
  return lines, figures
end

return _M

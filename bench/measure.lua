--- What the benchmarks share: a server in a child process, CPU time of this
-- process, medians of paired runs, and how figures are printed.

local cjson = require "cjson"
local uv = require "luv"

local _M = {}

--- The body of a recorded answer of a real server.
function _M.recorded(line, name)
  for text in io.lines("spec/recordings/" .. line .. ".jsonl") do
    local exchange = cjson.decode(text)
    if exchange.name == name and exchange.response.body then
      return exchange.response.body
    end
  end
  error("no recorded exchange " .. line .. "/" .. name)
end

--- Starts bench/server.lua with this body.
-- @treturn string base URL
-- @treturn function ends it
function _M.serve(body, latency_ms)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(body)
  file:close()
  local stdin, stdout = uv.new_pipe(false), uv.new_pipe(false)
  local process = assert(uv.spawn(arg[-1] or "lua5.4", {
    args = { "bench/server.lua", path, tostring(latency_ms or 0) },
    stdio = { stdin, stdout, 2 },
  }, function() end))
  local port
  stdout:read_start(function(_, data)
    port = port or data and data:match "%d+"
  end)
  repeat
    uv.run "once"
  until port
  os.remove(path)
  return "http://127.0.0.1:" .. port .. "/dolphinscheduler", function()
    stdin:close()
    stdout:close()
    process:kill "sigterm"
    process:close()
    uv.run "nowait"
  end
end

--- CPU time of one call of fn, in µs: the median of `rounds` rounds.
function _M.cpu_us(fn, count, rounds)
  local times = {}
  for round = 1, rounds or 5 do
    local started = os.clock()
    for _ = 1, count do
      fn()
    end
    times[round] = (os.clock() - started) / count * 1e6
  end
  table.sort(times)
  return times[math.floor(#times / 2) + 1]
end

--- What a command prints as its last number.
function _M.number_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return tonumber(text:match "([%d.]+)%s*$")
end

function _M.has(command)
  return os.execute(command .. " >/dev/null 2>&1") == 0 or (os.execute(command .. " >/dev/null 2>&1")) == true
end

function _M.line(name, value, unit, note)
  print(("  %-46s %10.2f %-6s %s"):format(name, value, unit, note or ""))
end

return _M

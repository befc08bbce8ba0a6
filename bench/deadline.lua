--- How late calls end that can't end in time, over real sockets: a server that
-- does not answer, one that drips, one that only says 503 or 429, one that is
-- not there. Beside it, a sleep of the same time, which nothing can delay but
-- the machine.

local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local measure = require "bench.measure"
local sandbox = require "dsclient.sandbox"

-- Of a call (s), and calls for each fault.
local TIMEOUT_S, CALLS = 0.05, 50

local ARGS = { project = "1" }

local FAULTS = { "stall_before", "stall_after", "slow", "status_503", "status_429" }

-- The sample that so many of a thousand do not pass.
local function at_most(samples, per_mille)
  table.sort(samples)
  return samples[math.max(math.ceil(#samples * per_mille / 1000), 1)]
end

--- Adds how late each of the calls ended (ms).
local function call(client, count, late)
  for _ = 1, count do
    local began = curl.now()
    local value = client:call("instances.list", ARGS)
    assert(value == nil, "a call that can't end in time came to something")
    late[#late + 1] = math.max((curl.now() - began - TIMEOUT_S) * 1e3, 0)
  end
end

local function new(url, token)
  return dsclient.new { api_url = url, token = token, server_version = "3.1.1", timeout_s = TIMEOUT_S,
    enable_breaker = false, max_retries = 100, backoff_s = 0.02 }
end

local function calls(box, count)
  local late = {}
  for _, fault in ipairs(FAULTS) do
    assert(box:fault { fault = fault })
    local client = new(box.url, box.token)
    call(client, count, late)
    client:close()
    assert(box:heal())
  end
  local client = new("http://127.0.0.1:1", "x")
  call(client, count, late)
  client:close()
  return late
end

local function sleeps(count)
  local late = {}
  for i = 1, count do
    local began = curl.now()
    curl.sleep(TIMEOUT_S)
    late[i] = (curl.now() - began - TIMEOUT_S) * 1e3
  end
  return late
end

return function(setup)
  local count = setup.count(CALLS)
  local box = sandbox.start()
  local ok, late = pcall(calls, box, count)
  box:stop()
  if not ok then
    error(late, 0)
  end
  local idle = sleeps(count)
  local function way(name, label, samples, goal)
    return {
      name = name, label = label, goal = goal,
      sample = function()
        return at_most(samples, 999)
      end,
    }
  end
  local lines, figures = measure.compare({
    way("idle", "for comparison, a sleep of 50 ms, at p99.9", idle),
    way("late", "calls that can't end in time, at p99.9", late, 5),
  }, "ms", 1)
  return {
    {
      name = "deadline",
      title = ("How late %d calls end: no answer, a slow one, 503, 429, no server"):format(#late),
      lines = lines,
      figures = figures,
    },
  }
end

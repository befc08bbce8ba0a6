--- What a call costs this process (CPU), beside its peers in the same run:
-- libcurl with nothing around it, with lua-cjson, and Python's requests.

local bare_curl = require "bench.bare_curl"
local cjson = require "cjson"
local dsclient = require "dsclient"
local measure = require "bench.measure"

local COUNT, PYTHON_COUNT = 500, 300

-- Lists of runs, as a 3.2.2 server sent them.
local ANSWERS = {
  { name = "call_1kb", recording = "instances-running", python_goal = 15 },
  { name = "call_10kb", recording = "instances-failure", python_goal = 10 },
}

local function python_way(setup, page, goal)
  return {
    name = "python", label = "Python requests " .. setup.requests, against = "raw", goal = goal, at_least = true,
    sample = function()
      local command = ("%s bench/python_call.py '%s' %d"):format(setup.python, page, setup.count(PYTHON_COUNT))
      return tonumber(measure.output_of(command))
    end,
  }
end

local function ways_of(setup, answer, url, client)
  local page = url .. "/projects/1/process-instances"
  local bare = bare_curl.open(page .. "?pageNo=1&pageSize=200", "token: x")
  local count = setup.count(COUNT)
  local args = { project = "1" }
  local function list(opts)
    return measure.cpu(function()
      assert(client.instances:list(args, opts))
    end, count, 1e6)
  end
  local ways = {
    {
      name = "loop", label = "libcurl, a loop in C", against = "bare",
      sample = measure.cpu(function()
        bare:loop(count)
      end, 1, 1e6 / count),
    },
    {
      name = "bare", label = "libcurl + lua-cjson",
      sample = measure.cpu(function()
        cjson.decode(bare:get())
      end, count, 1e6),
    },
    { name = "raw", label = "dsclient, raw", against = "bare", goal = 1.15, sample = list { raw = true } },
    { name = "dsclient", label = "dsclient", against = "bare", goal = 1.5, sample = list() },
  }
  if setup.python then
    ways[#ways + 1] = python_way(setup, page, answer.python_goal)
  end
  return ways
end

local function part(setup, answer)
  local body = measure.recorded("3.2.2", answer.recording)
  local url, stop = measure.serve(body)
  -- every answer holds all rows there are, so a list is one request
  local client = dsclient.new { api_url = url, token = "x", server_version = "3.2.2" }
  local rows = assert(client.instances:list { project = "1" })
  assert(#rows == cjson.decode(body).data.total)
  local lines, figures = measure.compare(ways_of(setup, answer, url, client), "µs", setup.rounds)
  client:close()
  stop()
  return {
    name = answer.name,
    title = ("A call, its answer a list of %.1f KB (runs: %d). CPU of the caller"):format(#body / 1000, #rows),
    lines = lines,
    figures = figures,
  }
end

return function(setup)
  local parts = {}
  for i, answer in ipairs(ANSWERS) do
    parts[i] = part(setup, answer)
  end
  return parts
end

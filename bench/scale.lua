--- How a round grows with the server: the failed runs of 10, 100 and 1,000
-- projects with 100 workflows, 8 calls at once; beside the time that the server
-- alone takes for so many calls, and a loop of libcurl's multi in C.

local bare_curl = require "bench.bare_curl"
local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local measure = require "bench.measure"
local sandbox = require "dsclient.sandbox"

local format = string.format

local AT_ONCE = 8
local FULL = { sizes = { 10, 100, 1000 }, workflows = 100, delay_s = 0.03, rounds = 5 }
local SHORT = { sizes = { 2, 4, 16 }, workflows = 5, delay_s = 0.001, rounds = 2 }

--- Of the workflows of a project one fails.
local function kinds_of(workflows)
  local kinds = {}
  for i = 1, workflows do
    kinds[i] = i < workflows and "good" or "broken"
  end
  return kinds
end

--- The memory of a process, in KB.
local function resident(pid)
  for line in io.lines(format("/proc/%s/status", pid or "self")) do
    local kilobytes = line:match "^VmRSS:%s+(%d+)"
    if kilobytes then
      return tonumber(kilobytes)
    end
  end
end

--- A round over so many projects.
-- @treturn function → ms, CPU µs of a call
local function round_of(client, projects, count)
  local some = {}
  for i = 1, count do
    some[i] = projects[i]
  end
  return function()
    local began, cpu, found = curl.now(), os.clock(), 0
    local _, errs = client:map(some, function(project)
      local rows = assert(client:get_failed_workflow_instances(project.code))
      found = found + #rows
    end, { concurrency = AT_ONCE })
    assert(not errs and found == count, "a failed run was not found")
    return (curl.now() - began) * 1e3, (os.clock() - cpu) / count * 1e6
  end
end

local function bare_sample(box, project, count)
  local url = format("%s/projects/%s/process-instances?pageNo=1&pageSize=200&stateType=FAILURE", box.url, project.code)
  local bare = bare_curl.open(url, "token: " .. box.token, AT_ONCE)
  return function()
    local began, cpu = curl.now(), os.clock()
    bare:many(count)
    return (curl.now() - began) * 1e3, (os.clock() - cpu) / count * 1e6
  end
end

local function ways_of(plan, box, client, projects, times, growth)
  local ways = {}
  for i, count in ipairs(plan.sizes) do
    local round = round_of(client, projects, count)
    local middle, largest = i == #plan.sizes - 1, i == #plan.sizes
    local ideal = format("ideal_%d", i)
    times[i] = {}
    ways[#ways + 1] = {
      name = ideal, label = format("%d projects: ideal (calls × delay / %d, whole waves)", count, AT_ONCE),
      sample = function()
        return math.ceil(count / AT_ONCE) * plan.delay_s * 1e3, 0
      end,
    }
    ways[#ways + 1] = {
      name = format("round_%d", i), label = format("%d projects: dsclient", count), against = ideal, than = "ideal",
      goal = 1.1,
      sample = function()
        local before = resident()
        local time, cpu = round()
        table.insert(times[i], time / count)
        if largest then
          collectgarbage()
          table.insert(growth, resident() - before)
        end
        return time, cpu
      end,
    }
    ways[#ways + 1] = middle and {
      name = "bare", label = format("%d projects: libcurl, a multi loop in C", count), against = ideal, than = "ideal",
      sample = bare_sample(box, projects[1], count),
    } or nil
  end
  return ways
end

--- What is told beside the times: is growth linear, is memory flat?
local function add_growth(lines, figures, times, growth)
  local small, large, ratios = times[2], times[3], {}
  for i = 1, #large do
    ratios[i] = large[i] / small[i]
  end
  local ways = {
    { name = "linear", label = "time of a project: the largest number of them / the middle one", unit = "", goal = 1.1,
      samples = ratios },
    { name = "memory", label = "memory after a round of the largest, over the round before", unit = "KB",
      samples = growth },
  }
  for _, way in ipairs(ways) do
    lines[#lines + 1], figures[way.name] = measure.line_of(way, way.samples)
  end
end

local function run(plan, box)
  local client = dsclient.new { api_url = box.url, token = box.token, server_version = "3.1.1", user_timezone = "UTC" }
  local projects = assert(client:get_projects())
  round_of(client, projects, #projects)() -- connections, memory
  local times, growth = {}, {}
  local ways = ways_of(plan, box, client, projects, times, growth)
  local lines, figures = measure.compare(ways, "ms", plan.rounds, "%s µs of CPU a call")
  add_growth(lines, figures, times, growth)
  client:close()
  return lines, figures
end

return function(setup)
  local plan = setup.short and SHORT or FULL
  local largest = plan.sizes[#plan.sizes]
  local box = sandbox.start {
    projects = largest, workflows = plan.workflows, kinds = kinds_of(plan.workflows), delay_s = plan.delay_s,
  }
  local ok, lines, figures = pcall(run, plan, box)
  local server_mb = resident(box.process:get_pid()) / 1024
  box:stop()
  if not ok then
    error(lines, 0)
  end
  return {
    {
      name = "scale",
      title = format("The failed runs of up to %d projects with %d workflows, %d calls at once; an answer takes %g ms",
        largest, plan.workflows, AT_ONCE, plan.delay_s * 1000),
      lines = lines, figures = figures,
      notes = { format("the sandbox, with a run of each workflow, takes %.0f MB", server_mb) },
    },
  }
end

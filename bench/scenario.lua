--- The scenario of the design: 3 projects with 10 workflows are looked at every
-- 60 s, for an hour. Before: a list for each project and each workflow, every
-- time, over a new connection each (as a script writes it that has nothing but
-- an HTTP client; once more in Python). After: the cache, one connection, and
-- the failed runs only.
--
-- The minutes between two checks pass on the clocks of the client and of the
-- sandbox, not on the wall. As an idle connection does not live that long (the
-- server closes it after 30 s), each check begins without one.

local core = require "dsclient.core"
local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local measure = require "bench.measure"
local sandbox = require "dsclient.sandbox"

local INTERVAL_S = 60
-- An hour: the time to live of what is cached. A short run takes two.
local CHECKS, SHORT_CHECKS = 60, 2
-- The checks without optimisation remember nothing: some of the hour will do.
local EVERY = 12
local DELAY_S = 0.03
-- Of ten workflows two fail; of each there are the runs of some hours.
local KINDS = { "good", "good", "good", "good", "flaky", "good", "good", "good", "good", "broken" }
local RUNS = 6
local WINDOW_S = 86400

-- --- the checks ----------------------------------------------------------

--- Before: a client for each request, with everything off.
local function naive_check(box)
  local failed = {}
  local function ask(method, ...)
    local client = dsclient.new {
      api_url = box.url,
      user_timezone = "UTC",
      token = box.token,
      server_version = "3.1.1",
      enable_cache = false,
      enable_metrics = false,
      max_retries = 0,
    }
    local rows = assert(client[method](client, ...))
    client:close()
    return rows
  end
  for _, project in ipairs(ask "get_projects") do
    for _, workflow in ipairs(ask("get_process_definitions", project.code)) do
      for _, run in ipairs(ask("get_workflow_instances", project.code, { workflow = workflow.code })) do
        if run.state == "FAILURE" then
          failed[#failed + 1] = run.id
        end
      end
    end
  end
  return failed
end

local BORROW = { borrow = true }

--- After: what is cached is asked for, too, as names and codes are needed.
local function check(client, now)
  local failed = {}
  for _, project in ipairs(assert(client:get_projects(BORROW))) do
    assert(client:get_process_definitions(project.code, BORROW))
    local filter = { start_date = now - WINDOW_S }
    for _, run in ipairs(assert(client:get_failed_workflow_instances(project.code, filter))) do
      failed[#failed + 1] = run.id
    end
  end
  return failed
end

--- A client whose clock can be moved on; time that really passes counts, too.
-- @treturn userdata client
-- @treturn function (seconds) moves it on, and ends the connections
local function movable_client(box)
  local client
  local pool = curl.new {}
  local transport = {}
  function transport.start(_, request, deadline)
    local began = curl.now()
    local transfer, failed = pool:start(request, began + deadline - core.time(client))
    if not transfer then
      return nil, failed
    end
    return {
      wait = function()
        local response, failure = transfer:wait()
        core.advance(client, curl.now() - began)
        return response, failure
      end,
    }
  end
  function transport.close()
    pool:close()
  end
  client = dsclient.new {
    api_url = box.url,
    user_timezone = "UTC",
    token = box.token,
    transport = transport,
    runtime = {
      virtual = true,
      sleep = function(seconds)
        curl.sleep(seconds)
        core.advance(client, seconds)
      end,
    },
    server_version = "3.1.1",
  }
  return client, function(seconds)
    core.advance(client, seconds)
    pool:close()
    pool = curl.new {}
  end
end

-- --- measuring them ------------------------------------------------------

--- What one check of this process took and what came of it.
local function watch(act, ...)
  local time_s, cpu_s = curl.now(), os.clock()
  local failed = act(...)
  return { cpu_s = os.clock() - cpu_s, time_s = curl.now() - time_s, failed = failed }
end

local function python_check(setup, box)
  local command = ("%s bench/python_check.py '%s' %s"):format(setup.python, box.url, box.token)
  return core.decode(measure.output_of(command))
end

--- Adds what the server counted meanwhile.
local function count(box, act, ...)
  local before = box:requests()
  local seen = act(...)
  local after = box:requests()
  seen.calls = after.total - before.total
  seen.connections = after.connections - before.connections
  seen.kilobytes = (after.bytes_in + after.bytes_out - before.bytes_in - before.bytes_out) / 1000
  seen.time_ms, seen.cpu_ms = seen.time_s * 1000, seen.cpu_s * 1000
  seen.answer_ms = seen.time_ms / seen.calls
  table.sort(seen.failed)
  seen.found = table.concat(seen.failed, " ")
  return seen
end

--- An hour of checks.
-- @treturn table lists of what was seen, by way; how long a sleep took (ms)
local function hour(setup, box, delay_s)
  local seen = { naive = {}, python = setup.python and {} or nil, dsclient = {}, idle = {} }
  local client, move_on = movable_client(box)
  for number = 0, (setup.short and SHORT_CHECKS or CHECKS) - 1 do
    local now = box:now()
    local this = count(box, watch, check, client, now)
    table.insert(seen.dsclient, this)
    if number % EVERY == 0 then
      local others = { naive = count(box, watch, naive_check, box) }
      others.python = setup.python and count(box, python_check, setup, box) or nil
      for name, other in pairs(others) do
        table.insert(seen[name], other)
        assert(other.found == this.found, name .. " found " .. other.found .. ", not " .. this.found)
      end
      table.insert(seen.idle, watch(curl.sleep, delay_s).time_s * 1000)
    end
    box:advance(INTERVAL_S)
    move_on(INTERVAL_S)
  end
  client:close()
  return seen
end

-- --- the table -----------------------------------------------------------

local METRICS = {
  { "calls", "calls", "" },
  { "connections", "new connections", "" },
  { "kilobytes", "bytes", "KB" },
  { "time_ms", "time", "ms" },
  { "answer_ms", "time of a call", "ms" },
  { "cpu_ms", "CPU of the client", "ms" },
}

local WAYS = {
  { "python", "before, Python requests" },
  { "naive", "before, Lua" },
  { "dsclient", "after" },
}

--- A figure of a way: the mean, as of an hour, and the spread of its checks.
local function figure_of(list, metric, unit)
  local values, sum = {}, 0
  for i, one in ipairs(list) do
    values[i] = one[metric]
    sum = sum + one[metric]
  end
  local figure = measure.spread(values)
  figure.mean, figure.unit = sum / #list, unit
  return figure
end

local function line_of(seen, metric, figures)
  local name, label, unit = metric[1], metric[2], metric[3]
  local line = { label }
  for _, way in ipairs(WAYS) do
    if seen[way[1]] then
      local figure = figure_of(seen[way[1]], name, unit)
      figures[way[1] .. "_" .. name] = figure
      line[#line + 1] = measure.cell(figure, "mean")
    end
  end
  local after = figures["dsclient_" .. name]
  after.ratio = figures["naive_" .. name].mean / after.mean
  line[#line + 1] = measure.digits(after.ratio) .. " ×"
  return line
end

local function table_of(seen)
  local heads, figures = { "" }, {}
  for _, way in ipairs(WAYS) do
    if seen[way[1]] then
      heads[#heads + 1] = way[2]
    end
  end
  heads[#heads + 1] = "before / after"
  local lines = { heads }
  for _, metric in ipairs(METRICS) do
    lines[#lines + 1] = line_of(seen, metric, figures)
  end
  return lines, figures
end

return function(setup)
  local delay_s = setup.short and 0.001 or DELAY_S
  local box = sandbox.start { kinds = KINDS, runs = RUNS, delay_s = delay_s }
  local ok, seen = pcall(hour, setup, box, delay_s)
  box:stop()
  if not ok then
    error(seen, 0)
  end
  local lines, figures = table_of(seen)
  local idle = measure.spread(seen.idle)
  idle.unit = "ms"
  figures.idle = idle
  return {
    {
      name = "scenario",
      title = ("A check of 3 projects with 10 workflows, every %d s; a server that takes %d ms an answer"):format(
        INTERVAL_S, delay_s * 1000),
      notes = {
        ("mean of the checks of one hour (least … largest); %d runs failed, all ways found the same"):format(
          #seen.dsclient[1].failed),
        ("for comparison, a sleep of %d ms: %s ms %s"):format(delay_s * 1000, measure.digits(idle.median),
          measure.range(idle)),
        "the sandbox does not compress its answers, as real servers do",
      },
      lines = lines,
      figures = figures,
    },
  }
end

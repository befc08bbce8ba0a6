--- The scenario of the design: 3 projects with 10 workflows are looked at every
-- 60 s. Before: a list for each project and each workflow, every time, over a new
-- connection each (as a script writes it that has nothing but an HTTP client; once
-- more in Python). The design's own form: what changes seldom is cached, and the
-- failed runs are asked for, one project after the other over one connection.
-- dsclient: one request that counts tells whether any run failed, and only then
-- the projects are asked, side by side.
--
-- As an idle connection does not live for 60 s (the server closes it after 30),
-- each check begins without one. For the design's form an hour passes on the
-- clocks of client and sandbox: the time to live of what is cached.

local checks = require "bench.checks"
local core = require "dsclient.core"
local curl = require "dsclient.curl"
local measure = require "bench.measure"
local peers = require "bench.peers"
local sandbox = require "dsclient.sandbox"
local web = require "bench.web"

local format = string.format

local INTERVAL_S = 60
-- An hour. A short run takes two.
local CHECKS, SHORT_CHECKS = 60, 2
-- The checks that remember nothing: some of the hour will do.
local EVERY = 12
-- Checks of dsclient, of each kind.
local ROUNDS = 12
local DELAY_S = 0.03
-- Of ten workflows two fail; of each there are the runs of some hours.
local KINDS = { "good", "good", "good", "good", "flaky", "good", "good", "good", "good", "broken" }
local RUNS = 6

local METRICS = {
  { "calls", "calls", "" },
  { "connections", "new connections", "" },
  { "kilobytes", "bytes", "KB" },
  { "gzip_kilobytes", "bytes, compressed", "KB" },
  { "time_ms", "time", "ms" },
  { "answer_ms", "time of a call", "ms" },
  { "cpu_ms", "CPU of the client", "ms" },
}

-- Those of dsclient are, in turn: nothing failed; a run failed after all was
-- well; runs had failed a minute ago, too.
local WAYS = {
  { name = "python", label = "before, Python" },
  { name = "naive", label = "before, Lua" },
  { name = "cached", label = "the design's form" },
  { name = "quiet", label = "dsclient: quiet", had_failed = false },
  { name = "news", label = "a new failure", had_failed = false },
  { name = "failures", label = "failures", had_failed = true },
}

local GOALS = {
  { way = "quiet", metric = "calls", label = "a quiet check: calls", goal = 1 },
  { way = "quiet", metric = "kilobytes", label = "… bytes", goal = 2, unit = "KB" },
  { way = "quiet", metric = "cpu_ms", label = "… CPU", goal = 0.5, unit = "ms" },
  { way = "quiet", metric = "round_trips", label = "… time, in answers of the server", goal = 1.5 },
  { way = "failures", metric = "calls", label = "a check with failures: calls", goal = 3 },
  { way = "failures", metric = "round_trips", label = "… time, in answers of the server", goal = 1.5 },
}

-- --- measuring -----------------------------------------------------------

--- What one check of this process took and what came of it.
local function watch(act, ...)
  local time_s, cpu_s = curl.now(), os.clock()
  local failed = act(...)
  return { cpu_s = os.clock() - cpu_s, time_s = curl.now() - time_s, failed = failed }
end

local function python_check(python, box)
  local command = format("%s bench/python_check.py '%s' %s", python, box.url, box.token)
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

local function check_found(name, one, wanted)
  assert(one.found == wanted, name .. " found " .. one.found .. ", not " .. wanted)
end

--- An hour of the design's form, and some checks without optimisation.
local function hour(run)
  local client, move_on = checks.movable_client(run.failing)
  for number = 0, (run.short and SHORT_CHECKS or CHECKS) - 1 do
    local this = count(run.failing, watch, checks.cached, client, run.failing:now())
    table.insert(run.seen.cached, this)
    if number % EVERY == 0 then
      local others = { naive = count(run.failing, watch, checks.naive, run.failing) }
      others.python = run.python and count(run.failing, python_check, run.python, run.failing) or nil
      for name, other in pairs(others) do
        table.insert(run.seen[name], other)
        check_found(name, other, this.found)
      end
    end
    run.failing:advance(INTERVAL_S)
    move_on(INTERVAL_S)
  end
  client:close()
end

--- Checks of dsclient, of one kind.
local function rounds(run, way)
  local box = way.name == "quiet" and run.quiet or run.failing
  local client, lose = checks.losing_client(box)
  local wanted = count(box, watch, checks.cached, client, box:now()).found
  assert((wanted == "") == (way.name == "quiet"), "the sandbox has other runs than meant")
  for _ = 1, run.short and SHORT_CHECKS or ROUNDS do
    lose()
    local this = count(box, watch, checks.gated, client, box:now(), way.had_failed)
    this.round_trips = this.time_ms / (run.delay_s * 1000)
    check_found(way.name, this, wanted)
    table.insert(run.seen[way.name], this)
  end
  client:close()
end

-- --- compressed ----------------------------------------------------------

-- As a real server does.
local GZIP = [[
    access_log access.log bench;
    gzip on;
    gzip_types application/json;
    gzip_min_length 0;
    gzip_proxied any;
    location / {
      proxy_pass http://127.0.0.1:%s;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }]]

--- How many requests there are in a log of nginx, and their bytes.
local function logged(path)
  local requests, bytes = 0, 0
  for line in io.lines(path) do
    local length_in, length_out = line:match "(%d+) (%d+)$"
    requests, bytes = requests + 1, bytes + length_in + length_out
  end
  return requests, bytes
end

-- nginx writes its log a moment after the answer.
local LOOKS, LOOK_S = 500, 0.01

--- A server before the sandbox that compresses.
-- @treturn table {url, token}
-- @treturn function (act) → KB of what act does over it
-- @treturn function ends it
local function compressing(room, box)
  web.make_room(room)
  assert(io.open(room .. "/access.log", "wb")):close()
  local port, stop = web.start_nginx(room, format(GZIP, box.url:match ":(%d+)/"))
  local total = box:requests().total
  local function all_bytes()
    local calls = box:requests().total - total
    for _ = 1, LOOKS do
      local requests, bytes = logged(room .. "/access.log")
      if requests >= calls then -- nginx may have had one that the client gave up
        return bytes
      end
      curl.sleep(LOOK_S)
    end
    error "nginx has not logged all requests"
  end
  local function kilobytes(act)
    local before = all_bytes()
    act()
    return (all_bytes() - before) / 1000
  end
  return { url = box.url:gsub(":%d+/", ":" .. port .. "/", 1), token = box.token }, kilobytes, stop
end

--- One check of each way that has seen this box, compressed.
local function compress(run, box, names)
  local proxy, kilobytes, stop = compressing(run.room .. "/gzip", box)
  local client = checks.losing_client(proxy)
  checks.cached(client, box:now()) -- what is cached is there
  local acts = {
    python = function()
      return python_check(run.python, proxy)
    end,
    naive = function()
      return checks.naive(proxy)
    end,
    cached = function()
      return checks.cached(client, box:now())
    end,
  }
  for _, way in ipairs(WAYS) do
    if names[way.name] and run.seen[way.name] then
      local one = kilobytes(acts[way.name] or function()
        return checks.gated(client, box:now(), way.had_failed)
      end)
      for _, seen in ipairs(run.seen[way.name]) do
        seen.gzip_kilobytes = one
      end
    end
  end
  client:close()
  stop()
end

-- --- the tables ----------------------------------------------------------

--- A figure of a way: the mean, and the spread of its checks.
local function figure_of(list, metric, unit)
  local values, sum = {}, 0
  for i, one in ipairs(list) do
    values[i] = one[metric]
    sum = sum + one[metric]
  end
  local figure = measure.spread(values)
  figure.mean, figure.unit = sum / #list, unit
  return figure, values
end

local function line_of(seen, metric, figures)
  local name, label, unit = metric[1], metric[2], metric[3]
  local line = { label }
  for _, way in ipairs(WAYS) do
    if seen[way.name] then
      local figure = figure_of(seen[way.name], name, unit)
      figures[way.name .. "_" .. name] = figure
      line[#line + 1] = measure.cell(figure, "mean")
    end
  end
  for _, way in ipairs { "cached", "quiet", "failures" } do
    local figure = figures[way .. "_" .. name]
    figure.ratio = figures["naive_" .. name].mean / figure.mean
  end
  return line
end

local function table_of(seen)
  local heads, figures = { "" }, {}
  for _, way in ipairs(WAYS) do
    heads[#heads + 1] = seen[way.name] and way.label or nil
  end
  local lines = { heads }
  for _, metric in ipairs(METRICS) do
    if seen.naive[1][metric[1]] then
      lines[#lines + 1] = line_of(seen, metric, figures)
    end
  end
  return lines, figures
end

local function goals_of(seen)
  local lines, figures = {}, {}
  for i, goal in ipairs(GOALS) do
    local _, values = figure_of(seen[goal.way], goal.metric)
    goal.unit = goal.unit or ""
    lines[i], figures[goal.way .. "_" .. goal.metric] = measure.line_of(goal, values)
  end
  return lines, figures
end

-- --- the whole -----------------------------------------------------------

local function see(run)
  for _, way in ipairs(WAYS) do
    run.seen[way.name] = {}
  end
  run.seen.python = run.python and {} or nil
  hour(run)
  for _, way in ipairs(WAYS) do
    if way.had_failed ~= nil then
      rounds(run, way)
    end
  end
  if web.nginx then
    compress(run, run.quiet, { quiet = true })
    compress(run, run.failing, { python = true, naive = true, cached = true, news = true, failures = true })
  end
end

return function(setup)
  local delay_s = setup.short and 0.001 or DELAY_S
  local run = {
    short = setup.short, room = setup.room, delay_s = delay_s, python = peers.python "requests", seen = {},
    failing = sandbox.start { kinds = KINDS, runs = RUNS, delay_s = delay_s },
    quiet = sandbox.start { kinds = { "good" }, runs = RUNS, delay_s = delay_s },
  }
  local ok, problem = pcall(see, run)
  run.failing:stop()
  run.quiet:stop()
  if not ok then
    error(problem, 0)
  end
  local lines, figures = table_of(run.seen)
  local goal_lines, goal_figures = goals_of(run.seen)
  local notes = {
    format("mean of the checks, of an hour in the design's form (least … largest); %d runs failed, all found the same",
      #run.seen.cached[1].failed),
    "before: 34 lists; the design's form: the lists of projects and workflows from the cache, once an hour anew",
    "dsclient: a count of states, then the lists side by side; it keeps only the list of projects, 1 call more an hour",
    web.nginx and "compressed by nginx, which stands before the sandbox as a real server's own compression does"
      or "no nginx here: what is compressed is left out",
  }
  notes[#notes + 1] = not run.python and peers.left_out "requests of Python" or nil
  return {
    {
      name = "scenario",
      title = format("A check of 3 projects with 10 workflows, every %d s; a server that takes %d ms an answer",
        INTERVAL_S, delay_s * 1000),
      notes = notes, lines = lines, figures = figures,
    },
    { name = "scenario_goals", title = "… and its goals", lines = goal_lines, figures = goal_figures },
  }
end

--- What a seed stands for: the options of the client, the faults and when, the
-- tasks and what they call. A plan is plain data, so that parts of it can be
-- left out.
--
-- Each seed leaves most features alone and takes a few of them seriously
-- (swarm testing): what is drawn for all seeds alike hides what needs quiet.

local chance = require "spec.sim.chance"
local faults = require "spec.sim.faults"
local servers = require "spec.sim.server"

local _M = {}

local SECOND = 1e6

-- The options of a client: how often each is given, and which values.
local OPTIONS = {
  { "timeout_s", 0.6, { 0.2, 1, 3, 10, 30 } },
  { "attempt_timeout_s", 0.6, { 0.1, 0.5, 2, 10 } },
  { "connect_timeout_s", 0.3, { 0.05, 0.3, 1 } },
  { "idle_timeout_s", 0.3, { 0.1, 1, 5 } },
  { "max_retries", 0.4, { 0, 1, 2, 5, 8 } },
  { "backoff_s", 0.4, { 0, 0.01, 0.1, 2 } },
  { "backoff_max_s", 0.2, { 0.05, 1, 5 } },
  { "jitter", 0.3, { "auto", "full", "equal", "none" } },
  { "retry_statuses", 0.1, { {}, { 429 }, { 500, 503 }, { 403, 429, 502 } } },
  { "trust_503", 0.2, { true } },
  { "pool_maxsize", 0.6, { 1, 2, 3, 6 } },
  { "queue_max", 0.3, { 0, 1, 3, 10 } },
  {
    "rate_limit",
    0.3,
    { { per_s = 2, burst = 1 }, { per_s = 5, burst = 3 }, { per_s = 20, burst = 1 }, { per_s = 50, burst = 10 } },
  },
  { "stale_if_error_s", 0.5, { 0, 0.5, 3, 20 } },
  { "stale_while_revalidate_s", 0.4, { 0.5, 3, 20 } },
  { "cache_entries_max", 0.2, { 1, 2, 4 } },
  { "enable_cache", 0.06, { false } },
  { "enable_breaker", 0.15, { false } },
  { "enable_metrics", 0.04, { false } },
  { "identity", 0.1, { "somebody" } },
  { "page_size", 0.2, { 1, 2, 3 } },
  { "refresh_ahead", 0.5, { true } },
}

local TTLS = { 0.3, 1, 4, 30 }

-- The options of a call.
local CALL_OPTIONS = {
  { "timeout_s", 0.3, { 0.001, 0.05, 0.4, 2, 8 } },
  { "attempt_timeout_s", 0.1, { 0.05, 0.3, 2 } },
  { "max_retries", 0.1, { 0, 1, 4 } },
}
local READ_OPTIONS = {
  { "cache", 0.1, { false, true } },
  { "refresh", 0.1, { true } },
  { "ttl_s", 0.1, { 0, 0.2, 5 } },
  { "borrow", 0.2, { true } },
  { "raw", 0.05, { true } },
  { "stale_if_error_s", 0.1, { 0, 2, 600 } },
  { "stale_while_revalidate_s", 0.1, { 0, 2, 600 } },
  { "refresh_ahead", 0.1, { false, true } },
}

-- How heavy an operation may weigh, and whether it only reads.
local OPERATIONS = {
  { name = "projects.list", weight = 6, reads = true },
  { name = "get_projects", weight = 2, reads = true },
  { name = "workflows.list", weight = 4, reads = true, project = true },
  { name = "instances.list", weight = 4, reads = true, project = true },
  { name = "instances.get", weight = 6, reads = true, project = true, run = true },
  { name = "projects.create", weight = 2 },
  { name = "projects.delete", weight = 0.5, project = true },
  { name = "workflows.release", weight = 2, project = true },
  { name = "instances.execute", weight = 5, project = true, run = true },
  { name = "clear_cache", weight = 0.3 },
}

local function draw(random, table_of, into)
  for _, row in ipairs(table_of) do
    local given, value = random:hit(row[2]), random:pick(row[3])
    if given then
      into[row[1]] = value
    end
  end
  return into
end

-- Of the options, each seed knows only some.
local function draw_options(random)
  local known = {}
  for _, row in ipairs(OPTIONS) do
    if random:hit(0.5) then
      known[#known + 1] = row
    end
  end
  local options = draw(random, known, {})
  if random:hit(0.8) then
    options.cache_ttl_s = { ["projects.list"] = random:pick(TTLS), ["workflows.list"] = random:pick(TTLS) }
  end
  if random:hit(0.1) then
    options.operations = { ["instances.list"] = { timeout_s = random:pick { 0.5, 5 }, max_retries = random:int(0, 4) } }
  end
  return options
end

-- --- faults --------------------------------------------------------------

local RATES = { 0.02, 0.1, 0.3, 0.9 }

local function draw_rates(random, plan)
  local rates = {}
  for i = 1, random:int(0, 4) do
    rates[i] = { fault = random:pick(faults.NAMES), rate = random:pick(RATES) }
  end
  if plan.options.rate_limit and random:hit(0.5) then
    rates[#rates + 1] = { fault = "s429", rate = 0.3 } -- a limit below the given one
  end
  return rates
end

local function draw_phase(random, plan, from_us)
  local phase = { from_us = from_us, until_us = from_us + math.floor(random:exponential(6 * SECOND)), rates = {} }
  phase.server = plan.servers > 1 and random:hit(0.4) and random:int(1, plan.servers) or nil
  if random:hit(0.35) then
    phase.outage = random:pick(faults.OUTAGES)
  else
    phase.rates = draw_rates(random, plan)
  end
  if random:hit(0.25) then
    phase.limit = { per_s = random:pick { 1, 4, 10, 30 }, burst = random:pick { 1, 3, 10 } }
  end
  return phase
end

local function draw_phases(random, plan)
  local phases, from_us = {}, 0
  for i = 1, random:int(0, 5) do
    from_us = from_us + math.floor(random:exponential(2 * SECOND))
    phases[i] = draw_phase(random, plan, from_us)
    phases[i].number = i
    from_us = random:hit(0.7) and phases[i].until_us or from_us
  end
  return phases
end

-- --- tasks ---------------------------------------------------------------

local function draw_weights(random)
  local weights, total = {}, 0
  for i, operation in ipairs(OPERATIONS) do
    weights[i] = random:hit(0.6) and operation.weight * random:real() or 0
    total = total + weights[i]
  end
  if total == 0 then
    weights[1], total = 1, 1
  end
  return weights, total
end

local function pick_operation(random, weights, total)
  local at = random:real() * total
  for i, operation in ipairs(OPERATIONS) do
    at = at - weights[i]
    if at < 0 then
      return operation
    end
  end
  return OPERATIONS[1]
end

local function draw_args(random, plan, operation)
  local args = {}
  local number = random:int(1, plan.projects)
  local code = ("%d"):format(1000 + number)
  if operation.project then
    args.project = plan.names and "p" .. number or code
  end
  if operation.run then
    args.instance_id = servers.run_id(code, random:int(1, plan.runs))
  end
  if operation.name == "instances.execute" then
    args.execute_type = random:pick { "REPEAT_RUNNING", "STOP" }
  elseif operation.name == "projects.create" then
    args.name = "new-" .. random:int(1, 6)
  elseif operation.name == "workflows.release" then
    args.workflow, args.state = code .. "1", random:pick { "ONLINE", "OFFLINE" }
  end
  return args
end

local function draw_call(random, plan, weights, total)
  local operation = pick_operation(random, weights, total)
  local opts = draw(random, CALL_OPTIONS, {})
  if operation.reads then
    draw(random, READ_OPTIONS, opts)
  end
  return {
    name = operation.name,
    args = draw_args(random, plan, operation),
    opts = opts,
    think_us = math.floor(random:exponential(plan.pause_us)),
    spoils = random:hit(0.3),
  }
end

local function draw_tasks(random, plan)
  local weights, total = draw_weights(random)
  local span_us = random:pick { 0, 1, 10, 30 } * SECOND
  local cancels = random:hit(0.4) and not plan.blocking and 0.3 or 0
  local tasks = {}
  for i = 1, plan.blocking and 1 or random:pick { 1, 3, 8, 16, 30 } do
    local task = { number = i, from_us = math.floor(random:real() * span_us), calls = {} }
    for c = 1, plan.blocking and random:int(10, 40) or random:int(1, 6) do
      task.calls[c] = draw_call(random, plan, weights, total)
    end
    if random:hit(cancels) then
      task.cancel_us = task.from_us + math.floor(random:exponential(3 * SECOND))
    end
    tasks[i] = task
  end
  return tasks
end

-- --- scopes --------------------------------------------------------------

-- So deep are scopes within scopes.
local DEPTH_MAX = 3

local draw_item

local function draw_scope(random, next_call, depth)
  local scope = {
    kind = random:pick { "gather", "map", "run" },
    items = {},
    catches = random:hit(0.7),
    timeout_us = random:maybe(0.3, { 0, 1000, 100000, SECOND, 5 * SECOND }),
    concurrency = random:maybe(0.4, { 1, 2, 4 }),
  }
  for i = 1, random:int(1, 6) do
    scope.items[i] = draw_item(random, next_call, scope, depth)
  end
  return scope
end

--- What is done in a scope: a call of the task's, or something else. Tasks of a
-- `run` can be joined and ended by its first item, which is its body.
function draw_item(random, next_call, scope, depth)
  local at, us = random:real(), math.floor(random:exponential(SECOND / 2))
  if at < 0.5 then
    return { kind = "call", call = next_call() }
  elseif at < 0.65 and depth < DEPTH_MAX then
    return draw_scope(random, next_call, depth + 1)
  elseif at < 0.72 then
    return { kind = "throw", us = us, text = random:hit(0.7) }
  elseif at < 0.8 and scope.kind == "run" then
    return { kind = "end", us = us, which = random:int(2, 6), joins = random:hit(0.5) }
  end
  return { kind = "sleep", us = us }
end

--- Scopes in place of a task's calls one by one; calls that are used up are made
-- again, as others.
local function draw_scopes(random, task)
  local count, used = #task.calls, 0
  local function next_call()
    used = used + 1
    if used > count then
      local again = {}
      for name, value in pairs(task.calls[(used - 1) % count + 1]) do
        again[name] = value
      end
      task.calls[used] = again
    end
    return used
  end
  task.scopes = {}
  for i = 1, random:int(1, 3) do
    task.scopes[i] = draw_scope(random, next_call, 1)
  end
end

-- --- the rest ------------------------------------------------------------

local function draw_token(random)
  local token = { mode = random:pick { "static", "function", "function", "minting" }, changes_us = {} }
  for i = 1, random:maybe(0.4, { 1, 2, 4, 12 }) or 0 do
    token.changes_us[i] = math.floor(random:real() * 30 * SECOND)
  end
  table.sort(token.changes_us)
  if token.mode ~= "static" then
    token.lag_us = random:maybe(0.3, { 100000, 2 * SECOND }) or 0
    token.hook = random:maybe(0.15, { "fails", "throws", "calls" })
  end
  return token
end

--- The plan of a seed.
-- @tparam number seed a whole number from 1
function _M.of(seed)
  local random = chance.of(seed)
  local plan = {
    seed = seed,
    servers = random:pick { 1, 1, 2, 3 },
    projects = random:int(1, 4),
    runs = random:int(1, servers.RUNS),
    latency_us = random:pick { 200, 5000, 50000 },
    think_us = random:pick { 100, 10000, 200000, 1000000 },
    pause_us = random:pick { 0, 100000, 2 * SECOND },
    names = random:hit(0.15),
    detects = random:hit(0.15),
    blocking = random:hit(0.1),
    spawns = random:hit(0.7),
    log = random:pick { "plain", "plain", "plain", "calls", "throws", "closes", false },
  }
  plan.options = draw_options(random)
  if plan.names or plan.detects then
    plan.options.attempt_timeout_s = nil -- these questions know no other
  end
  plan.idle_timeout_us = (plan.options.idle_timeout_s or 10) * SECOND
  plan.token = draw_token(random)
  plan.phases = draw_phases(random, plan)
  plan.tasks = draw_tasks(random, plan)
  plan.close_us = random:hit(0.15) and not plan.blocking and math.floor(random:real() * 20 * SECOND) or nil
  local own = chance.of(seed, 3)
  plan.real = not plan.blocking and own:hit(0.6)
  plan.driven = plan.real and own:hit(0.8)
  plan.options.refresh_ahead = own:hit(0.2) or nil
  local scoped = plan.real and own:hit(0.7) and own:pick { 0.2, 1 } or 0
  for _, task in ipairs(plan.tasks) do
    if own:hit(scoped) then
      draw_scopes(own, task)
    end
  end
  plan.heal_us = 0
  for _, phase in ipairs(plan.phases) do
    plan.heal_us = math.max(plan.heal_us, phase.until_us)
  end
  return plan
end

--- Calls fn(path, name) for a scope and all items in it; a path is a list of the
-- places that lead there.
local function each_item(item, name, fn, path)
  path = path or {}
  fn(path, ("%s, %s"):format(name, item.kind))
  for i, inner in ipairs(item.items or {}) do
    local longer = { (table.unpack or unpack)(path) } -- luacheck: ignore unpack
    longer[#longer + 1] = i
    each_item(inner, ("%s.%d"):format(name, i), fn, longer)
  end
end

local function follow(item, path)
  for _, i in ipairs(path) do
    item = item.items[i]
  end
  return item
end

--- All parts that can be left out: name → function (plan) that does so.
-- @treturn table array of {name, remove}
function _M.parts(plan)
  local parts = {}
  local function part(name, remove)
    parts[#parts + 1] = { name = name, remove = remove }
  end
  for i = 1, #plan.tasks do
    part("task " .. plan.tasks[i].number, function(it)
      it.tasks[i].off = true
    end)
  end
  for i, task in ipairs(plan.tasks) do
    for c = 1, #task.calls do
      part(("call %d of task %d"):format(c, task.number), function(it)
        it.tasks[i].calls[c].off = true
      end)
      for name in pairs(task.calls[c].opts) do
        part(("option %s of call %d of task %d"):format(name, c, task.number), function(it)
          it.tasks[i].calls[c].opts[name] = nil
        end)
      end
    end
    for s in ipairs(task.scopes or {}) do
      each_item(task.scopes[s], ("scope %d"):format(s), function(path, name)
        part(("%s of task %d"):format(name, task.number), function(it)
          follow(it.tasks[i].scopes[s], path).off = true
        end)
      end)
    end
    if task.cancel_us then
      part("cancel of task " .. task.number, function(it)
        it.tasks[i].cancel_us = nil
      end)
    end
  end
  for i, phase in ipairs(plan.phases) do
    part("phase " .. i, function(it)
      it.phases[i].off = true
    end)
    for r, rate in ipairs(phase.rates) do
      part(("fault %s of phase %d"):format(rate.fault, i), function(it)
        it.phases[i].rates[r].off = true
      end)
    end
    if phase.limit then
      part("limit of phase " .. i, function(it)
        it.phases[i].limit = nil
      end)
    end
  end
  for name in pairs(plan.options) do
    part("option " .. name, function(it)
      it.options[name] = nil
    end)
  end
  for i in ipairs(plan.token.changes_us) do
    part("token change " .. i, function(it)
      it.token.changes_us[i] = false
    end)
  end
  for _, name in ipairs { "close_us", "log", "names", "detects", "spawns", "driven" } do
    if plan[name] then
      part(name, function(it)
        it[name] = nil
      end)
    end
  end
  if plan.token.hook then
    part("token hook", function(it)
      it.token.hook = nil
    end)
  end
  table.sort(parts, function(a, b)
    return a.name < b.name
  end)
  return parts
end

-- --- for people ----------------------------------------------------------

local function shown(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for name, field in pairs(value) do
    parts[#parts + 1] = type(name) == "number" and shown(field) or ("%s=%s"):format(name, shown(field))
  end
  table.sort(parts)
  return "{" .. table.concat(parts, " ") .. "}"
end

local function shown_phase(phase)
  local what = {}
  for _, rate in ipairs(phase.rates) do
    if not rate.off then
      what[#what + 1] = ("%s %g"):format(rate.fault, rate.rate)
    end
  end
  what[#what + 1] = phase.outage and "outage: " .. phase.outage
  what[#what + 1] = phase.limit and ("%g a second"):format(phase.limit.per_s)
  return ("phase %d, %.3f to %.3f, %s: %s"):format(phase.number, phase.from_us / SECOND, phase.until_us / SECOND,
    phase.server and "server " .. phase.server or "all servers", table.concat(what, ", "))
end

--- What there is in a plan, a line each.
function _M.describe(plan)
  local lines = { ("%d servers, latency %g ms, thinking %g ms"):format(plan.servers, plan.latency_us / 1000,
    plan.think_us / 1000) }
  for _, name in ipairs { "options", "token", "log", "names", "detects", "blocking", "real", "driven", "spawns",
    "close_us" } do
    if plan[name] and (type(plan[name]) ~= "table" or next(plan[name])) then
      lines[#lines + 1] = name .. ": " .. shown(plan[name])
    end
  end
  for _, phase in ipairs(plan.phases) do
    lines[#lines + 1] = not phase.off and shown_phase(phase) or nil
  end
  return lines
end

return _M

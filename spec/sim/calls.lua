--- Calls of a simulated client, each with its place in the ledger.

local operations = require "dsclient.operations"

local format = string.format

local _M = {}

-- As drive.lua has them.
local TIMEOUT_S, LIST_TIMEOUT_S = 30, 300

-- What is called and is no operation: it drops what is cached of all.
local CLEAR = { name = "clear_cache", operation = "clear_cache", replay = "clear", params = {} }

local function special(world, row)
  local given = world.plan.options.operations
  return given and (given[row.name] or given[row.operation]) or {}
end

local function timeout_us(world, row, opts)
  local list = row.result == "page" or row.result == "list"
  local seconds = opts.timeout_s or special(world, row).timeout_s or world.plan.options.timeout_s
    or (list and LIST_TIMEOUT_S or TIMEOUT_S)
  return math.floor(seconds * 1e6 + 0.5)
end

local function copy(from)
  local to = {}
  for name, value in pairs(from) do
    to[name] = value
  end
  return to
end

local function shown(values)
  local parts = {}
  for name, value in pairs(values) do
    parts[#parts + 1] = format("%s=%s", name, tostring(value))
  end
  table.sort(parts)
  return table.concat(parts, " ")
end

local function outcome(call)
  if call.thrown then
    return "threw " .. tostring(call.thrown)
  elseif call.err then
    return tostring(call.err)
  end
  local meta = call.meta or {}
  return format("ok%s%s%s", meta.cached and ", cached" or "", meta.stale and ", stale" or "",
    meta.shared and ", shared" or "")
end

-- Fills in what came of it.
local function take(call, ok, value, err, meta)
  if not ok then
    call.thrown = value
  else
    call.value, call.err, call.meta = value, err, meta
  end
end

-- By its name or by its method: the latter have a shorter way to the cache.
local function do_call(world, call)
  local client = world.client
  if call.row == CLEAR then
    return pcall(client.clear_cache, client)
  end
  local resource, verb = call.name:match "^(.*)%.(.*)$"
  if call.number % 2 == 0 then
    return pcall(client.call, client, call.name, copy(call.args), copy(call.opts))
  elseif resource then
    return pcall(client[resource][verb], client[resource], copy(call.args), copy(call.opts))
  end
  return pcall(client[call.name], client, copy(call.opts))
end

--- Performs a call in the running task, and has it looked at.
-- @tparam table wanted {name, args, opts}
-- @tparam number number that tells it from all others of the run
function _M.perform(world, wanted, number, label)
  local row = wanted.name == CLEAR.name and CLEAR or operations.find(wanted.name)
  local ledger = world.ledger
  local call = ledger:begin_call {
    number = number,
    label = label,
    name = wanted.name,
    row = row,
    args = wanted.args,
    opts = wanted.opts,
    timeout_us = timeout_us(world, row, wanted.opts),
    was_closed = world.closed_us ~= nil,
    is_nested = ledger:current() ~= nil,
  }
  call.deadline_us = call.begun_us + call.timeout_us
  ledger:say("%s %s{%s} %s", label, wanted.name, shown(wanted.args), shown(wanted.opts))
  take(call, do_call(world, call))
  ledger:end_call(call)
  ledger:say("%s = %s", label, outcome(call))
  world.checks:call_ended(call)
  return call
end

-- The caller's own copy is his: he may do with it what he likes.
local function spoil(value)
  if type(value) ~= "table" then
    return
  end
  for _, row in ipairs(value) do
    row.description, row.host, row.name = "spoiled", "spoiled", "spoiled"
  end
  value.description, value.host = "spoiled", "spoiled"
  value[1] = nil
end

--- The c-th call of a task of the plan.
function _M.one(world, task_plan, c)
  local wanted = task_plan.calls[c]
  world.scheduler:sleep(wanted.think_us)
  local call = _M.perform(world, wanted, task_plan.number * 100 + c, format("%d.%d", task_plan.number, c))
  if wanted.spoils and not wanted.opts.borrow then
    spoil(call.value)
  end
  return call
end

--- A task of the plan, from its first call to its last.
function _M.task(world, task_plan)
  for c, wanted in ipairs(task_plan.calls) do
    if not wanted.off then
      _M.one(world, task_plan, c)
    end
  end
end

-- What a hook calls.
local NESTED = {
  { name = "projects.list", args = {}, opts = { timeout_s = 1 } },
  { name = "instances.get", args = { project = "1001", instance_id = 1 }, opts = { timeout_s = 1 } },
  { name = "get_projects", args = {}, opts = { timeout_s = 1, refresh = true } },
}

--- A call from within a hook of another.
function _M.nested(world, outer)
  outer.hooked = true
  outer.nested = (outer.nested or 0) + 1
  local number = 100000 + outer.number * 10 + outer.nested % 10
  world.ledger:mark "a hook called"
  _M.perform(world, NESTED[outer.number % #NESTED + 1], number, outer.label .. "/hook" .. outer.nested)
  outer.hook_ended_us = world.scheduler.now_us
  outer.hooked = nil
end

--- What the client does in a task of its own, for a call that is over by then.
function _M.background(world, outer, fn)
  outer.spawned = (outer.spawned or 0) + 1
  local call = world.ledger:begin_call {
    number = 1000000 + outer.number * 10 + outer.spawned % 10,
    label = format("%s/background", outer.label),
    name = outer.name,
    row = outer.row,
    args = outer.args,
    opts = outer.opts,
    is_background = true,
  }
  -- it may be for a name that was looked up
  call.timeout_us = math.max(outer.timeout_us, timeout_us(world, operations.find "projects.list", {}))
  call.deadline_us = call.begun_us + call.timeout_us
  take(call, pcall(fn))
  world.ledger:end_call(call)
  world.checks:call_ended(call)
end

return _M

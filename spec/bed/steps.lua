--- What the tasks of a round do: calls of all sorts, alone, side by side and in tasks of their own, ended at random.
-- Each step is a function (round, random, slot): see round.lua.

local dsclient = require "dsclient"
local errors = require "dsclient.errors"
local servers = require "spec.bed.server"

local _M = {}

-- --- calls ---------------------------------------------------------------

-- Mostly none; some too short for any answer.
local TIMES = { false, false, false, false, false, false, false, false, false, 0.001, 0.01, 0.1, 0.5 }

local function options(random, own)
  own.timeout_s = random:pick(TIMES) or nil
  own.attempt_timeout_s = random:hit(0.05) and 0.02 or nil
  own.max_retries = random:hit(0.1) and 0 or nil
  return own
end

--- Is the answer its asker's?
local function check_mark(round, call, got)
  if got ~= call.mark then
    round:fail("each answer goes to its asker", "%d got the one of %s", call.mark, tostring(got))
  end
end

local EXECUTE_TYPES = { "REPEAT_RUNNING", "STOP", "PAUSE" }

-- Each is (round, client, call, random) → value or nil, err.
local writes = {
  function(round, client, call, random)
    local request = { method = "POST", path = "/bed", form = { mark = call.mark } }
    local value, err = client:request(request, options(random, {}))
    if value then
      check_mark(round, call, value.mark)
    end
    return value, err
  end,
  function(_, client, call, random)
    return client.instances:execute({ project = "1", instance_id = call.mark,
      execute_type = random:pick(EXECUTE_TYPES) }, options(random, {}))
  end,
  function(round, client, call, random)
    local value, err = client.projects:create({ name = "m" .. call.mark }, options(random, {}))
    if value then
      check_mark(round, call, value.id)
      check_mark(round, call, tonumber(value.name:sub(2)))
    end
    return value, err
  end,
}

local function write(round, random, client)
  local call = round:begin(true)
  return round:finish(call, random:pick(writes)(round, client, call, random))
end

local function read(round, random, client)
  local call = round:begin(false)
  local value, err
  if random:hit(0.7) then
    value, err = client.instances:get({ project = "1", instance_id = call.mark }, options(random, {}))
    call.got = value and value.id
  else
    value, err = client:request({ path = "/bed", query = { mark = call.mark } }, options(random, {}))
    call.got = value and value.mark
  end
  if value then
    check_mark(round, call, call.got)
  end
  return round:finish(call, value, err)
end

-- Marks that several ask for at the same time, below those of single calls.
_M.SHARED = 12
-- So long are they kept (s).
local SHARED_TTL_S = 0.02

--- Takes part in the fetch of another, or is given what the cache has.
local function shared(round, random, client)
  local call = round:begin(false, random:int(1, _M.SHARED))
  local opts = options(random, { ttl_s = SHARED_TTL_S, refresh = random:hit(0.1) or nil })
  local value, err, meta = client.instances:get({ project = "1", instance_id = call.mark }, opts)
  if value then
    check_mark(round, call, value.id)
    value.id = false -- it is ours alone
    round:count(meta.cached and "cached" or meta.shared and "shared" or "fetched")
  end
  return round:finish(call, value, err)
end

--- Asks for shared reads before anybody does, in the background.
local function prefetch(_, random, slot)
  local list = {}
  for i = 1, random:int(1, 4) do
    list[i] = { "instances.get", { project = "1", instance_id = random:int(1, _M.SHARED) }, { ttl_s = SHARED_TTL_S } }
  end
  slot.client:prefetch(list)
end

--- A file, in pieces, for a sink that may wait, or want no more.
local function file(round, random, client)
  local call, parts = round:begin(false), {}
  local patience = random:hit(0.2) and random:int(0, 3) or math.huge
  local value, err = client:call("task_instances.download_log", { task_instance_id = call.mark }, options(random, {
    sink = function(piece)
      parts[#parts + 1] = piece
      if random:hit(0.2) then
        dsclient.sleep(0)
      end
      return #parts <= patience
    end,
  }))
  if value and table.concat(parts) ~= servers.file_of(call.mark) then
    round:fail("a file is whole", "that of %d is not", call.mark)
  end
  return round:finish(call, value, err)
end

local calls = { read, read, read, read, write, write, write, write, shared, shared, file }

local function any_call(round, random, slot)
  return random:pick(calls)(round, random, slot.client)
end

-- --- side by side --------------------------------------------------------

--- A function for gather or map, which notes that it ran, and what it gave.
local function noting(round, random, slot, group, key)
  group.keys[key] = true
  return function()
    group.running = group.running + 1
    group.ran[key] = (group.ran[key] or 0) + 1
    local value, err = any_call(round, random, slot)
    group.running = group.running - 1
    return value and key, err
  end
end

local function new_group(random)
  return { keys = {}, ran = {}, running = 0, opts = {
    timeout_s = random:hit(0.3) and random:pick { 0, 0.001, 0.01, 0.1, 0.5 } or nil,
    concurrency = random:hit(0.4) and random:int(1, 4) or nil,
  } }
end

local function check_group(round, group, values, errs)
  if group.running ~= 0 then
    round:fail("nothing of a scope runs once it is left", "%d do", group.running)
  end
  for key in pairs(group.keys) do
    local value, err = values[key], errs and errs[key]
    if (group.ran[key] or 0) > 1 then
      round:fail("a slot is worked on once", "%d times", group.ran[key])
    elseif value ~= key and not (value == false and errors.is(err)) or value == key and err then
      round:fail("a slot has its own value or an error", "%s, %s", tostring(value), tostring(err))
    end
  end
end

local function gather(round, random, slot)
  local group, fns = new_group(random), {}
  for i = 1, random:int(1, 6) do
    local key = random:hit(0.5) and i or "k" .. i
    fns[key] = noting(round, random, slot, group, key)
  end
  check_group(round, group, slot.client:gather(fns, group.opts))
end

local function map(round, random, slot)
  local group, fns = new_group(random), {}
  for i = 1, random:int(0, 12) do
    fns[i] = noting(round, random, slot, group, i)
  end
  check_group(round, group, slot.client:map(fns, function(fn)
    return fn()
  end, group.opts))
end

--- A Lua error of one ends the others, and is thrown here.
local function throwing(round, random, slot)
  local group, fns = new_group(random), {}
  for i = 1, random:int(1, 4) do
    fns[i] = noting(round, random, slot, group, i)
  end
  local planted = random:hit(0.5) and "a fault" or { "a fault" }
  fns.throws = function()
    dsclient.sleep(random:pick { 0, 0, 0.001, 0.005 })
    error(planted)
  end
  local ok, problem = pcall(slot.client.gather, slot.client, fns)
  local same = problem == planted or type(planted) == "string" and type(problem) == "string"
    and problem:find "a fault\nstack traceback:\n"
  if ok or not same then
    round:fail("a Lua error is thrown where the scope is left", "%s", tostring(problem))
  elseif group.running ~= 0 then
    round:fail("nothing of a scope runs once it is left", "%d do", group.running)
  end
end

-- --- tasks ---------------------------------------------------------------

--- A task of its own, which is joined, or ended under way and joined.
local function child(round, random, slot)
  local own = round:spawn(function()
    any_call(round, random, slot)
    any_call(round, random, slot)
  end)
  if random:hit(0.5) then
    dsclient.sleep(random:pick { 0, 0.0005, 0.002 })
    own.task:cancel()
  end
  local result, err = own.task:join()
  local mine = result == nil and errors.is(err) and err.kind == "cancelled" -- it is this one that was ended
  if not mine and (result ~= "over" or not own.over) then
    round:fail("a task that is joined is over", "%s, %s", tostring(result), tostring(err))
  end
end

--- A scope of its own: what is left of it when it is left, is ended.
local function inner(round, random, slot)
  local running = 0
  local result = dsclient.run(function()
    for _ = 1, random:int(1, 4) do
      dsclient.spawn(function()
        running = running + 1
        any_call(round, random, slot)
        running = running - 1
      end)
    end
    any_call(round, random, slot)
    return "left"
  end)
  if result ~= "left" or running ~= 0 then
    round:fail("nothing of a scope runs once it is left", "%d do; %s", running, tostring(result))
  end
end

local function pause(_, random, slot)
  local seconds = random:pick { 0, 0, 0.001, 0.01 }
  if random:hit(0.5) then
    dsclient.sleep(seconds)
  else
    slot.client:sleep(seconds)
  end
end

local function cancel_another(round, random)
  round:cancel(random:int(1, 1000000))
end

local function renew(round, _, slot)
  round:renew(slot)
end

-- {how often of a thousand, step}
local STEPS = {
  { 430, function(round, random, slot)
    any_call(round, random, slot)
  end },
  { 140, gather }, { 100, map }, { 20, throwing }, { 120, child }, { 60, inner }, { 90, pause },
  { 28, cancel_another }, { 10, prefetch }, { 2, renew },
}

--- The next step of a task.
function _M.take(round, random, slot)
  local at = random:int(1, 1000)
  for _, row in ipairs(STEPS) do
    at = at - row[1]
    if at <= 0 then
      return row[2](round, random, slot)
    end
  end
end

return _M

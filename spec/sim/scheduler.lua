--- Tasks on virtual time. What is due at the same moment runs in an order that
-- the seed decides; who came first is told by nothing but the time.
--
-- All times are whole microseconds. A task is a coroutine; it waits by `park`
-- (the runtime contract of wait.lua) or `suspend`. Cancellation is for good:
-- a cancelled task runs on, but can wait for nothing any more.

local chance = require "spec.sim.chance"
local heaps = require "dsclient.heap"

local _M = {}
_M.__index = _M

-- So many steps without any time between them, and it spins; so many
-- instructions of the VM within one step, and it hangs.
local STEPS_AT_ONCE_MAX, INSTRUCTIONS_MAX = 20000, 5000000

--- @tparam number seed
-- @tparam function moved (us) → the clock has gone on by so much
-- @tparam function stepped () → called after each step
function _M.new(seed, moved, stepped)
  local self = setmetatable({
    base = chance.base(seed),
    moved = moved,
    stepped = stepped,
    now_us = 0,
    heap = heaps.new(),
    tasks = 0,
    alive = 0,
    steps = 0,
    at_once = 0,
  }, _M)
  -- called each so many instructions of a task: twice in one step
  self.guard = function()
    if self.guarded == self.steps then
      error("it hangs: a step does not end", 0)
    end
    self.guarded = self.steps
  end
  return self
end

--- Has a coroutine ended that hangs.
function _M:guard_over(thread)
  debug.sethook(thread, self.guard, "", INSTRUCTIONS_MAX)
end

-- The place of an item among those of its moment, as a part of its time.
function _M:add(item, at_us, key, count)
  item.at = math.max(at_us, self.now_us) + chance.fraction(self.base, key, count)
  self.heap:push(item)
  return item
end

--- The task that runs, or nil.
function _M:current()
  return self.running
end

--- Runs fn at a time. The key tells this event from others of its moment.
function _M:at(at_us, key, fn)
  self:add({ fn = fn }, at_us, key, 0)
end

-- The task goes on at that time, with the value; whatever else was to wake it
-- is void.
function _M:ready(task, value, at_us)
  task.steps = task.steps + 1
  task.item = self:add({ task = task, value = value }, at_us, task.id, task.steps)
end

--- A new task.
-- @tparam number id that tells it from others; nil: the next free one
-- @tparam function fn of the task
function _M:spawn(id, fn, at_us)
  self.tasks = self.tasks + 1
  local task = { id = id or 1000 + self.tasks, steps = 0, coroutine = coroutine.create(fn) }
  self:guard_over(task.coroutine)
  self.alive = self.alive + 1
  self:ready(task, task, at_us)
  return task
end

--- The running task waits until somebody calls resume(task, value).
-- @tparam function on_cancel called at once when the task is cancelled
function _M:suspend(on_cancel)
  local task = self.running
  task.on_cancel = on_cancel
  local value = coroutine.yield()
  task.on_cancel = nil
  return value
end

function _M:resume(task, value)
  if task.item == nil or task.item.value == "timeout" then
    self:ready(task, value, self.now_us)
  end
end

--- Cancels a task: it is told where it waits, and wherever it waits next.
function _M:cancel(task)
  if task.dead or task.cancelled_us then
    return
  end
  task.cancelled_us = self.now_us
  if task.on_cancel then
    task.on_cancel()
  elseif task.waiter then
    task.stopped = task.call
    self:resume(task, "cancelled")
  end
end

-- --- the runtime contract ------------------------------------------------

function _M:park(waiter, us)
  local task = self.running
  if task.cancelled_us then
    return "cancelled"
  elseif waiter.woken and task.id % 2 == 0 then
    return "woken"
  end
  waiter.task, task.waiter = task, waiter
  if waiter.woken then
    self:ready(task, "woken", self.now_us)
  else
    self:ready(task, "timeout", self.now_us + us)
  end
  local how = coroutine.yield()
  task.waiter = nil
  return how
end

function _M:wake(waiter)
  waiter.woken = true
  local task = waiter.task
  if task and task.waiter == waiter then
    self:resume(task, "woken")
  end
end

function _M:sleep(us)
  self:park({}, us)
end

-- --- the loop ------------------------------------------------------------

local function trace_of(task, err)
  if type(err) == "table" then
    return err
  end
  return debug.traceback(task.coroutine, tostring(err))
end

function _M:step_task(task, value)
  task.item = nil
  self.running = task
  local ok, err = coroutine.resume(task.coroutine, value)
  self.running = nil
  if coroutine.status(task.coroutine) == "dead" then
    task.dead = true
    self.alive = self.alive - 1
  end
  if not ok then
    error(trace_of(task, err), 0)
  end
end

function _M:move_to(at_us)
  if at_us > self.now_us then
    local us = at_us - self.now_us
    self.now_us, self.at_once = at_us, 0
    self.moved(us)
  end
  self.steps = self.steps + 1
  self.at_once = self.at_once + 1
  if self.at_once > STEPS_AT_ONCE_MAX then
    error("it spins: no time passes", 0)
  end
end

--- One step: the next event, or the next task that goes on. False at the end.
function _M:step()
  local item = self.heap:pop(math.huge)
  if not item then
    return false
  end
  local task = item.task
  if task and task.item ~= item then
    return true -- void
  end
  self:move_to(math.floor(item.at))
  if task then
    self:step_task(task, item.value)
  else
    item.fn()
  end
  self.stepped()
  return true
end

--- Goes on until nothing is left to be done.
function _M:run()
  repeat
    local more = self:step()
  until not more
end

return _M

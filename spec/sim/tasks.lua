--- The scheduler of lua/dsclient/runtime/tasks.lua on virtual time, behind the
-- interface of scheduler.lua. It counts in whole microseconds, where others give
-- it seconds.
--
-- Events that are no task's, as those of the network, are a source of it: what
-- else would it wait for?

local runtimes = require "dsclient.runtime.tasks"
local schedulers = require "spec.sim.scheduler"

local huge = math.huge

local _M = setmetatable({}, { __index = schedulers })
_M.__index = _M

-- --- the source ----------------------------------------------------------

function _M:busy()
  return self.heap.size > 0
end

function _M:timeout()
  return math.max(math.floor(self.heap[1].at) - self.now_us, 0)
end

--- One event, if it is due within so long; else the time goes on.
function _M:advance(us)
  if self.heap.size > 0 and self:timeout() <= us then
    local event = self.heap:pop(huge)
    self:move_to(math.floor(event.at))
    event.fn()
  elseif us == huge then
    error("what is under way never ends", 0)
  else
    self:move_to(self.now_us + us)
  end
  self.stepped()
end

-- --- the clock -----------------------------------------------------------

local function clock_of(self)
  return {
    now = function()
      return self.now_us
    end,
    sleep = function()
      error("who is no task can't wait here", 0)
    end,
    poll = function(sources, us)
      self:advance(us)
      for _, source in ipairs(sources) do
        if source ~= self then
          source:step(0)
        end
      end
    end,
  }
end

--- As of scheduler.lua.
function _M.new(seed, moved, stepped)
  local self = setmetatable(schedulers.new(seed, moved, stepped), _M)
  self.runtime = runtimes.new(clock_of(self))
  self.woken, self.went_on = 0, 0 -- places in the order in which tasks are woken
  return self
end

function _M:current()
  return self.runtime.current()
end

function _M:at(at_us, key, fn)
  schedulers.at(self, at_us, key, fn)
  self.runtime.watch(self)
end

-- --- tasks ---------------------------------------------------------------

local function traced(err)
  return type(err) == "table" and err or debug.traceback(tostring(err), 2)
end

function _M:spawn(id, fn, at_us)
  self.tasks = self.tasks + 1
  local task = self.runtime.spawn(function()
    self:guard_over(coroutine.running())
    if at_us > self.now_us then
      self.runtime.park({}, at_us - self.now_us, true)
    end
    local ok, err = xpcall(fn, traced)
    if not ok then
      error(err, 0)
    end
  end)
  task.id = id or 1000 + self.tasks
  return task
end

function _M:suspend(on_cancel)
  local task = self:current()
  task.on_cancel, task.suspended = on_cancel, {}
  self.runtime.park(task.suspended, huge, true)
  task.on_cancel = nil
end

function _M:resume(task)
  self.runtime.wake(task.suspended)
end

function _M:cancel(task)
  if task.over or task.cancelled_us then
    return
  end
  task.cancelled_us = self.now_us
  if task.on_cancel then
    task.on_cancel()
  elseif task.waits and not task.waits.shielded then
    task.stopped = task.call
  end
  self.runtime.cancel(task)
end

function _M:park(waiter, us, shielded)
  waiter.parked = true
  local how = self.runtime.park(waiter, us, shielded)
  waiter.parked = false
  if how == "woken" and waiter.place then
    if waiter.place < self.went_on then
      error("who is woken first goes on first", 0)
    end
    self.went_on = waiter.place
  end
  return how
end

function _M:wake(waiter)
  if waiter.parked and not waiter.place then
    self.woken = self.woken + 1
    waiter.place = self.woken
  end
  self.runtime.wake(waiter)
end

function _M:run()
  while self.runtime.count() > 0 or self.heap.size > 0 do
    if self.runtime.count() > 0 then
      self.runtime.step(huge)
    else
      self:advance(huge)
    end
  end
end

return _M

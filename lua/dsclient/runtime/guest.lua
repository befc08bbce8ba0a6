--- What the runtimes have in common that are guests in an event loop of the
-- user's, as luv.lua and cqueues.lua: each coroutine that the loop runs is a task.
-- See wait.lua for the contract.
--
-- A guest has what the tasks of one loop wait for. It is told by its host, which
-- is a table of functions:
--
--   prepare(waiter)  a task is going to wait: makes what is needed to wake it
--   suspend(waiter)  yields until waiter.over, whoever resumes the task before
--   changed()        look(), take() or due() may have something new to tell
--   watch(source)    its descriptor, if it has one, has to be watched
--   forget(source)   it has not
--
-- The host calls look() and take() when they have something to do, and lets the
-- tasks go on whose waiters it takes: one that begins, where waiter.begins.

local chain = require "dsclient.chain"
local curl = require "dsclient.curl"
local heap = require "dsclient.heap"
local wait = require "dsclient.wait"

local huge = math.huge

local Guest = {}
Guest.__index = Guest

local waiters = {} -- of the tasks that wait, by task
local cancelled = setmetatable({}, { __mode = "k" }) -- tasks

--- Needs no memory. What is called may find none all the same, on Lua 5.4: then it
-- is not ready, or the host is not told of it.
local function make_ready(waiter, how)
  local self = waiter.guest
  self.ready:add(waiter)
  waiter.how, waiter.waits = how, false
  waiters[waiter.task] = nil
  self.host.changed()
end

--- @tparam boolean begins the task does, with this; else it waits
local function enter(self, waiter, task, begins)
  waiter.guest, waiter.task, waiter.begins = self, task, begins
  waiter.how, waiter.waits, waiter.over, waiter.previous, waiter.following = false, false, false, false, false
  self.host.prepare(waiter)
  self.waiting = self.waiting + 1
end

--- Whoever may end the wait can find the waiter.
local function register(self, waiter, task, seconds)
  waiters[task] = waiter
  if seconds < huge then
    waiter.at = curl.now() + math.max(seconds, 0)
    self.timers:push(waiter)
  end
end

local function park(self, task, waiter, seconds, shielded)
  local ends = cancelled[task] and not shielded
  if waiter.woken and not ends then
    return "woken"
  elseif not ends then
    register(self, waiter, task, seconds)
  end
  enter(self, waiter, task, false)
  waiter.shielded = shielded
  if ends then
    make_ready(waiter, "cancelled") -- others go on meanwhile
  else
    waiter.waits = true
    self.host.changed()
  end
  self.host.suspend(waiter)
  self.timers:remove(waiter)
  return waiter.how
end

--- Does what there is to do for the sources, and ends the waits whose time is over.
function Guest:look()
  for source in pairs(self.sources) do
    source:step(0)
  end
  local now_s = curl.now()
  local waiter = self.timers:pop(now_s)
  while waiter do
    if waiter.waits then
      make_ready(waiter, "timeout")
    end
    waiter = self.timers:pop(now_s)
  end
end

--- The waiter whose turn it is to go on; nil: none.
function Guest:take()
  local waiter = self.ready.first
  if not waiter then
    return nil
  end
  self.ready:remove(waiter)
  self.waiting = self.waiting - 1
  waiter.over = true
  return waiter
end

--- In how many seconds look() or take() has something to do though nothing came;
-- math.huge: never.
function Guest:due()
  local nearest = self.timers[1]
  local seconds = self.ready.first and 0 or nearest and math.max(nearest.at - curl.now(), 0) or huge
  for source in pairs(self.sources) do
    if source:busy() then
      seconds = math.min(seconds, source:timeout() or huge, source:pollfd() and huge or wait.LOOK_S)
    else
      self.sources[source] = nil
      self.host.forget(source)
    end
  end
  return seconds
end

local _M = {}

function _M.new(host)
  return setmetatable({ host = host, waiting = 0, timers = heap.new(), ready = chain.new(), sources = {} }, Guest)
end

--- The runtime that they make.
-- @tparam function current () → the coroutine that runs, where it may yield to its
--   loop; or nil
-- @tparam function here () → the guest of that loop
-- @tparam table all guests
function _M.runtime(current, here, all)
  if not wait.HAS_TASKS then
    return { sleep = curl.sleep }
  end
  local runtime = { current = current }

  --- Blocks where no task runs.
  function runtime.sleep(seconds)
    local task = current()
    if task then
      park(here(), task, {}, seconds)
    else
      curl.sleep(seconds)
    end
  end

  function runtime.park(waiter, seconds, shielded)
    return park(here(), current(), waiter, seconds, shielded)
  end

  function runtime.wake(waiter)
    waiter.woken = true
    if waiter.waits then
      make_ready(waiter, "woken")
    end
  end

  --- Runs fn as a task of the loop that runs now, soon.
  function runtime.spawn(fn)
    local self, waiter, task = here(), {}, coroutine.create(fn)
    enter(self, waiter, task, true)
    make_ready(waiter)
    return task
  end

  function runtime.cancel(task)
    local waiter = waiters[task]
    cancelled[task] = true
    if waiter and waiter.waits and not waiter.shielded then
      make_ready(waiter, "cancelled")
    end
  end

  function runtime.watch(source)
    if current() then
      local guest = here()
      guest.host.watch(source)
      guest.sources[source] = true
    end
    for _, guest in pairs(all) do
      if guest.sources[source] then
        guest.host.changed()
      end
    end
  end

  function runtime.forget(source)
    for _, guest in pairs(all) do
      guest.sources[source] = nil
      guest.host.forget(source)
    end
  end

  return runtime
end

return _M

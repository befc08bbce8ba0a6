--- The runtime of plain Lua: tasks (coroutines) side by side in one thread, over
-- transports that each have one descriptor, as libcurl's.
--
-- Outside of `run` there are no tasks, and all that waits blocks. Neither are
-- there in a coroutine that a task made itself: to yield would be to yield to
-- its maker. Its calls block the other tasks, and are right otherwise.
--
-- A loop of the user's own may drive it instead of `run`: it calls `step()`
-- whenever the descriptor of a client can be read, or `timeout()` seconds have
-- passed, as long as there are tasks (`count()`): see client:step().

local curl = require "dsclient.curl"
local heap = require "dsclient.heap"
local values = require "dsclient.values"
local wait = require "dsclient.wait"

local huge = math.huge
local pack, unpack = values.pack, values.unpack

--- Notes what of the sources is under way, and the nearest of their times.
-- Needs no memory but for more of them than ever.
local function look_at_sources(self, seconds)
  local busy, count = self.busy, 0
  for source in pairs(self.sources) do
    if source:busy() then
      count = count + 1
      busy[count] = source
      seconds = math.min(seconds, source:timeout() or huge)
    else
      self.sources[source] = nil
    end
  end
  for i = #busy, count + 1, -1 do
    busy[i] = nil
  end
  return seconds
end

--- Waits on the descriptors of several.
local function poll_all(sources, seconds)
  local descriptors = {}
  for i, source in ipairs(sources) do
    local fd = source:pollfd()
    descriptors[i] = fd or -1
    seconds = fd and seconds or math.min(seconds, wait.LOOK_S)
  end
  curl.poll(descriptors, seconds)
  for _, source in ipairs(sources) do
    source:step(0)
  end
end

local REAL = {
  now = curl.now,
  sleep = curl.sleep,
  --- Waits until something comes for one of the sources, or so long at most.
  poll = function(sources, seconds)
    if #sources == 1 then
      sources[1]:step(seconds)
    elseif #sources > 1 then
      poll_all(sources, seconds)
    elseif seconds > 0 then
      curl.sleep(seconds)
    end
  end,
}

-- What follows changes the lists where nothing is called in between: on Lua 5.4 a
-- call may find no memory, and would leave the rest undone.

--- Puts a task at the end of those that can run.
local function enqueue(self, task, how)
  task.waits, task.how, task.following = false, how, false
  if self.last then
    self.last.following = task
  else
    self.first = task
  end
  self.last = task
end

--- Wakes the task that waits, with an outcome of its wait.
local function wake(self, waiter, how)
  local task = waiter.task
  if task and task.waits == waiter then
    enqueue(self, task, how)
  end
  waiter.woken = true
end

local function current(self)
  local task = self.running
  return task and coroutine.running() == task.thread and task or nil
end

local function park(self, waiter, seconds, shielded)
  local task = self.running
  if task.cancelled and not shielded then
    coroutine.yield() -- others may run
    return "cancelled"
  elseif waiter.woken then
    return "woken"
  end
  waiter.task, waiter.woken, waiter.shielded = task, false, shielded
  if seconds < huge then
    waiter.at = self.clock.now() + math.max(seconds, 0)
    self.timers:push(waiter)
  end
  task.waits = waiter
  local how = coroutine.yield()
  self.timers:remove(waiter)
  return how
end

local function spawn(self, fn)
  local task = { thread = coroutine.create(fn), waits = false, how = false, cancelled = false, over = false,
    unheard = false, following = false, elder = false, younger = false }
  enqueue(self, task, nil)
  task.elder = self.youngest
  if task.elder then
    task.elder.younger = task
  end
  self.youngest = task
  self.count = self.count + 1
  return task
end

--- A task is over.
local function bury(self, task)
  if task.younger then
    task.younger.elder = task.elder
  else
    self.youngest = task.elder
  end
  if task.elder then
    task.elder.younger = task.younger
  end
  self.count = self.count - 1
  task.over = true
end

local function cancel(self, task)
  local waiter = task.waits
  task.cancelled = true
  if waiter and not waiter.shielded then
    wake(self, waiter, "cancelled")
  end
end

--- Lets the first of those that can run go on, until it waits or is over. Until
-- then it is the one that was taken: who finds it later knows that it was not let.
local function resume_first(self)
  local task, running, taken = self.first, self.running, self.taken
  self.first = task.following
  if not self.first then
    self.last = false
  end
  self.running, self.taken = task, task
  local fine, problem = coroutine.resume(task.thread, task.how)
  self.running = running
  if coroutine.status(task.thread) == "dead" then
    bury(self, task)
  elseif not task.waits then -- a yield of the user's own, or of one who was ended
    enqueue(self, task, nil)
  end
  self.taken = taken
  if not fine and not task.unheard then
    error(problem, 0)
  end
end

local function run_ready(self)
  if self.taken ~= self.running then
    enqueue(self, self.taken, "woken")
    self.taken = self.running
  end
  local last = self.last
  local task
  while self.first and task ~= last do
    task = self.first
    resume_first(self)
  end
end

--- One turn: those that can run do, once each, then what is waited for is looked
-- after, for so long at most: not at all once the task is over that is waited for.
local function turn(self, seconds, awaited)
  run_ready(self)
  if self.count == 0 or awaited and awaited.over then
    return
  end
  local now_s = self.clock.now()
  local nearest = self.timers[1]
  local wait_s = self.first and 0 or math.min(seconds, nearest and math.max(nearest.at - now_s, 0) or huge)
  local due_s = look_at_sources(self, wait_s)
  if due_s == huge and #self.busy == 0 then
    error("all tasks wait, and nothing is left that could wake one", 0)
  end
  self.clock.poll(self.busy, due_s)
  now_s = self.clock.now()
  local waiter = self.timers:pop(now_s)
  while waiter do
    wake(self, waiter, "timeout")
    waiter = self.timers:pop(now_s)
  end
end

--- @return true; or false, and what was thrown in the turn
local function guarded_turn(self, seconds, awaited)
  local running = self.running
  local fine, problem = pcall(turn, self, seconds, awaited)
  self.running = running
  return fine, problem
end

-- So many turns may fail: then there is not even memory for the calls that let a
-- task go on. Those that are left end in a later run.
local TURNS_MAX = 20

--- Until no task is left. What they throw is of no interest any more; those that
-- wait for others are told to look again.
local function end_all(self)
  local turns = 0
  while self.count > 0 and turns < TURNS_MAX do
    local task = self.youngest
    while task do
      task.unheard = true
      cancel(self, task)
      if task.waits then
        wake(self, task.waits, "woken")
      end
      task = task.elder
    end
    turns = guarded_turn(self, huge) and 0 or turns + 1
  end
end

--- Runs fn(…) as a task, and all others until it is over.
local function run(self, fn, ...)
  local arguments, results = pack(...), nil
  local outermost = not self.running
  local main = spawn(self, function()
    results = pack(fn(unpack(arguments, 1, arguments.n)))
  end)
  local fine, problem = true, nil
  while fine and not main.over do
    fine, problem = guarded_turn(self, huge, main)
  end
  if outermost then
    end_all(self)
  end
  if not fine then
    error(problem, 0)
  end
  return unpack(results, 1, results.n)
end

--- Seconds until a step has something to do though nothing came; nil: never.
local function timeout(self)
  if self.first then
    return 0
  end
  local nearest = self.timers[1]
  local seconds = look_at_sources(self, nearest and math.max(nearest.at - self.clock.now(), 0) or huge)
  return seconds < huge and seconds or nil
end

local _M = {}

--- Makes a runtime; see wait.lua for the contract.
-- @tparam table|nil clock {now = () → seconds, sleep = (seconds), poll =
--   (sources, seconds)}: the system's, where none is given
function _M.new(clock)
  local self = {
    clock = clock or REAL,
    timers = heap.new(), -- waiters
    sources = {},
    busy = {}, -- those of them that are under way
    count = 0, -- of tasks
    youngest = false, -- of all tasks, linked by `elder` and `younger`
    first = false, -- of those that can run, linked by `following`
    last = false,
    running = false, -- the innermost, where a task runs others in turn
    taken = false, -- from those that can run, to be let
  }
  local runtime = { sleep = self.clock.sleep }
  if not wait.HAS_TASKS then
    return runtime
  end

  function runtime.sleep(seconds)
    if current(self) then
      park(self, {}, seconds)
    else
      self.clock.sleep(seconds)
    end
  end

  --- The task that runs; nil outside of one.
  function runtime.current()
    return current(self)
  end

  function runtime.park(waiter, seconds, shielded)
    return park(self, waiter, seconds, shielded)
  end

  function runtime.wake(waiter)
    wake(self, waiter, "woken")
  end

  --- Runs fn as a task of its own, soon.
  function runtime.spawn(fn)
    return spawn(self, fn)
  end

  function runtime.cancel(task)
    cancel(self, task)
  end

  function runtime.watch(source)
    self.sources[source] = true
  end

  --- Runs fn(…) as a task, and all others, until it is over; ends those that are
  -- left then.
  -- @return what fn returns; a Lua error in any task that nobody caught is thrown
  function runtime.run(fn, ...)
    return run(self, fn, ...)
  end

  --- One turn of the loop, which waits for so many seconds at most: none, where
  -- another loop drives it.
  function runtime.step(seconds)
    local fine, problem = guarded_turn(self, seconds or 0)
    if not fine then
      error(problem, 0)
    end
  end

  --- In how many seconds a step has something to do though nothing came; nil:
  -- never.
  function runtime.timeout()
    return timeout(self)
  end

  --- How many tasks there are.
  function runtime.count()
    return self.count
  end

  return runtime
end


local default

--- The runtime of this Lua state.
function _M.default()
  default = default or _M.new()
  return default
end

return _M

--- Waiting: all that a client ever waits for goes through here, so that what
-- waits can be woken, and is when the client is closed.
--
-- A runtime is how waiting is done. It has `sleep(seconds)`. One that runs
-- many tasks side by side also has
--
--   current() → the task that runs now: any value that differs between tasks;
--     nil where nothing runs that could wait while others run
--   park(waiter, seconds, shielded) → "woken", "timeout" or "cancelled": the
--     running task waits until wake(waiter), at most so long (which may be
--     math.huge); it was cancelled meanwhile, unless it is shielded
--   wake(waiter)  idempotent; one that comes before the park is not lost; of
--     one that is parked it needs no memory, so that nobody is forgotten
--
-- and may have
--
--   spawn(fn) → task  runs fn soon, in a task of its own
--   cancel(task)  ends its waiting, now and from now on
--   run(fn, …)  for who is in no task: runs fn(…) in one, until it is over
--   watch(source)  where a transport has to be driven, as libcurl's: while
--     source:busy(), source:step() is to be called whenever source:pollfd() (nil:
--     this system has none) can be read, or source:timeout() seconds (nil: never)
--     have passed. Told again when that time may have changed
--   forget(source)  its descriptor is about to be closed
--   detach(fn)  runs fn soon, in a task that outlives the one that asked for it:
--     or never, where there is no place for it
--   obstacle() → nil; or a text: why nothing can wait where the caller is, and
--     what to do about it
--   follows_forks  true where a client that was used may be used in a child of
--     the process, too: neither it nor its transport has anything open then
--   seen(task) → where tasks can vanish without a word: when this one was seen
--     last, on the client's clock; while it waits, not longer ago than a second
--
-- A waiter is a table, a new one for each wait; the runtime may keep fields in
-- it. When a task is cancelled, what it waits for of the transport ends with
-- the kind "cancelled".

local core = require "dsclient.core"
local errors = require "dsclient.errors"

local huge = math.huge

-- Who was not seen for so long has vanished. A worker that was busy for as long
-- is believed to have lost its tasks: what they do is then done once more.
local LEASE_S = 3
local SEEN_S = 1

local _M = {
  -- In PUC Lua 5.1 a coroutine can't yield across pcall.
  HAS_TASKS = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil,
  -- Where the system has no descriptor for a source, it is looked at so often.
  LOOK_S = 0.01,
}

--- Does a task run that can wait while others do?
function _M.is_concurrent(runtime)
  local current = runtime.current
  return current ~= nil and current() ~= nil and runtime.park ~= nil and runtime.wake ~= nil
end

--- Runs fn(…) → how, while list[key] is the value: also where it throws.
local function listed(list, key, value, fn, ...)
  list[key] = value
  local ok, how = pcall(fn, ...)
  list[key] = nil
  if not ok then
    error(how, 0)
  end
  return how
end

--- The error of those who can't wait where they are; nil where they can.
function _M.obstacle(runtime, operation)
  local why = runtime.obstacle and runtime.obstacle()
  return why and errors.new { kind = "phase", operation = operation, message = why } or nil
end

--- Can something be done that nobody waits for?
function _M.has_background(runtime)
  return runtime.detach ~= nil or runtime.spawn ~= nil and _M.is_concurrent(runtime)
end

--- Does something that nobody waits for, soon.
function _M.detach(runtime, fn)
  local begin = runtime.detach or runtime.spawn
  begin(fn)
end

--- Has the task vanished, so that what it was to do is left to others?
function _M.is_gone(state, task)
  local seen = state.runtime.seen
  return seen ~= nil and task ~= false and core.time(state.client) - seen(task) > LEASE_S
end

--- For how long one may wait for others before one looks after them.
function _M.look_s(runtime)
  return runtime.seen and SEEN_S or huge
end

--- Waits for so long, or until the waiter is woken.
-- @treturn string "woken", "timeout" or "cancelled"
function _M.park(state, waiter, seconds)
  if not _M.is_concurrent(state.runtime) then
    state.runtime.sleep(seconds)
    return "timeout"
  end
  return listed(state.parked, waiter, true, state.runtime.park, waiter, seconds)
end

local function wake_granted(state)
  local key = next(state.queued) and core.woken(state.client)
  while key do
    local waiter = state.queued[key]
    if waiter then
      state.runtime.wake(waiter)
    end
    key = core.woken(state.client)
  end
end

--- Looks now and then after connections of those who have vanished.
local function park_looking(state, waiter, seconds)
  local look_s = _M.look_s(state.runtime)
  local until_s = core.time(state.client) + seconds
  local how = _M.park(state, waiter, math.min(seconds, look_s))
  while how == "timeout" and core.enter(state.client) and until_s - core.time(state.client) > 0 do
    wake_granted(state)
    how = _M.park(state, waiter, math.min(until_s - core.time(state.client), look_s))
  end
  return how
end

--- Waits until the connection queue of the core gives the key.
function _M.for_connection(state, key, seconds)
  local waiter = {}
  local park = seconds > _M.look_s(state.runtime) and park_looking or _M.park
  return listed(state.queued, key, waiter, park, state, waiter, seconds)
end

-- A client's transfers, for those who drive its transport; see `watch` above.
local Source = {}
Source.__index = Source

function Source:busy()
  return next(self.waiters) ~= nil
end

function Source:pollfd()
  return self.transport:pollfd()
end

function Source:events()
  return self.transport:events()
end

function Source:timeout()
  return self.transport:timeout()
end

--- Nothing is under way. Who is listed all the same, since there was no memory to
-- take him off or to wake him, waits for nothing.
local function let_go(self)
  local id, waiter = next(self.waiters)
  while id do
    self.runtime.wake(waiter)
    self.waiters[id] = nil
    id, waiter = next(self.waiters)
  end
end

--- Does what there is to do, waits for so long at most (0) where there is
-- nothing, and wakes those whose transfers are ready, who then wait for them no
-- more: also those whom the last step, without memory, did not come to.
function Source:step(seconds)
  if self.woken == self.told then
    self.woken, self.told = 0, 0
    local told, running = self.transport:step(seconds or 0, self.ready)
    self.told = told
    if told == 0 and running == 0 then
      let_go(self)
    end
  end
  while self.woken < self.told do
    local id = self.ready[self.woken + 1]
    local waiter = self.waiters[id]
    if waiter then
      self.runtime.wake(waiter)
      self.waiters[id] = nil
    end
    self.woken = self.woken + 1
  end
end

--- nil where the transport is one whose transfers wait for themselves.
function _M.source(transport, runtime)
  local driven = transport.step and transport.pollfd and runtime.watch
  local source = { transport = transport, runtime = runtime, waiters = {}, ready = {}, told = 0, woken = 0 }
  return driven and setmetatable(source, Source) or nil
end

local function park_watched(state, waiter)
  state.runtime.watch(state.source)
  return _M.park(state, waiter, huge)
end

--- Lets the other tasks run until a transfer can be read without waiting. Where
-- they can't, their transfers go on all the same.
function _M.for_transfer(state, transfer)
  local source = state.source
  if not source or not _M.is_concurrent(state.runtime) then
    return
  end
  while not transfer:ready() do
    local waiter = {}
    if listed(source.waiters, transfer:id(), waiter, park_watched, state, waiter) == "cancelled" then
      transfer:cancel()
    end
  end
end

--- After each step of a call: it may have moved the times of other transfers, or
-- have brought their answers, and have freed a connection, which somebody got.
function _M.stepped(state)
  local source = state.source
  if source and next(source.waiters) then
    state.runtime.watch(source)
  end
  wake_granted(state)
end

--- The client's descriptor is about to be closed: nobody waits for it any more.
-- Needs no memory.
function _M.forget(state)
  local source = state.source
  local id = source and next(source.waiters)
  while id do
    source.waiters[id] = nil
    id = next(source.waiters)
  end
  if source and state.runtime.forget then
    state.runtime.forget(source)
  end
end

--- Wakes all, since the client is closed. Needs no memory.
function _M.wake_all(state)
  local waiter = next(state.parked)
  while waiter do
    state.parked[waiter] = nil
    state.runtime.wake(waiter)
    waiter = next(state.parked)
  end
end

return _M

--- Waiting: all that a client ever waits for goes through here, so that what
-- waits can be woken, and is when the client is closed.
--
-- A runtime is how waiting is done. It has `sleep(seconds)`. One that runs
-- many tasks side by side also has
--
--   current() → the task that runs now: any value that differs between tasks
--   park(waiter, seconds) → "woken", "timeout" or "cancelled": the running task
--     waits until wake(waiter), at most so long; it was cancelled meanwhile
--   wake(waiter)  idempotent; one that comes before the park is not lost; of
--     one that is parked it needs no memory, so that nobody is forgotten
--   spawn(fn)     optional: runs fn soon, in a task of its own
--
-- A waiter is a table, a new one for each wait; the runtime may keep fields in
-- it. When a task is cancelled, what it waits for of the transport ends with
-- the kind "cancelled".

local core = require "dsclient.core"

local _M = {}

--- Can one task wait while another runs?
function _M.is_concurrent(runtime)
  return runtime.park ~= nil and runtime.wake ~= nil and runtime.current ~= nil
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

--- Waits for so long, or until the waiter is woken.
-- @treturn string "woken", "timeout" or "cancelled"
function _M.park(state, waiter, seconds)
  if not state.concurrent then
    state.runtime.sleep(seconds)
    return "timeout"
  end
  return listed(state.parked, waiter, true, state.runtime.park, waiter, seconds)
end

--- Waits until the connection queue of the core gives the key.
function _M.for_connection(state, key, seconds)
  local waiter = {}
  return listed(state.queued, key, waiter, _M.park, state, waiter, seconds)
end

--- Wakes those who got a connection: after each step that may have freed one.
function _M.wake_granted(state)
  if not next(state.queued) then
    return
  end
  local key = core.woken(state.client)
  while key do
    local waiter = state.queued[key]
    if waiter then
      state.runtime.wake(waiter)
    end
    key = core.woken(state.client)
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

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

--- Waits for so long, or until the waiter is woken.
-- @treturn string "woken", "timeout" or "cancelled"
function _M.park(state, waiter, seconds)
  if not state.concurrent then
    state.runtime.sleep(seconds)
    return "timeout"
  end
  state.parked[waiter] = true
  local ok, how = pcall(state.runtime.park, waiter, seconds)
  state.parked[waiter] = nil
  if not ok then
    error(how, 0)
  end
  return how
end

--- Waits until the connection queue of the core gives the key.
function _M.for_connection(state, key, seconds)
  local waiter = {}
  state.queued[key] = waiter
  local ok, how = pcall(_M.park, state, waiter, seconds)
  state.queued[key] = nil
  if not ok then
    error(how, 0)
  end
  return how
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

--- Single-flight: tasks that want the same thing at the same time share one
-- fetch. Its answer, or its error, goes to all; each waits under his own
-- deadline. Where the leader ends without either (cancelled, out of time, a
-- Lua error), the one who has waited longest fetches anew, for himself and
-- those behind him. Where he vanished, it is the first who sees that.
--
-- A flight is {leader, waiters}; once it has landed also {landed, parcel, err}.
-- All fields are there from the begin, and what registers something is undone
-- where it throws: without memory, too, a flight lands or is handed over.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local wait = require "dsclient.wait"

local _M = {}

-- Ends of a call that are its caller's own: his deadline, his limits.
local OWN = { cancelled = true, closed = true, deadline = true, limit = true, memory = true }

local function forget(state, key, flight)
  if state.flights[key] == flight then
    state.flights[key] = nil
  end
end

--- The leader is gone: the first who waits leads from now on.
local function hand_over(state, key, flight)
  local heir = flight.waiters[1]
  flight.leader = heir and heir.task or false
  if heir then
    table.remove(flight.waiters, 1)
    heir.leads = true
    state.runtime.wake(heir)
  else
    forget(state, key, flight)
  end
end

local function land(state, key, flight, parcel, err)
  forget(state, key, flight)
  flight.landed, flight.parcel, flight.err = true, parcel, err
  for _, waiter in ipairs(flight.waiters) do
    state.runtime.wake(waiter)
  end
end

local function fly(state, key, flight, fetch, begins)
  flight.leader = state.runtime.current()
  if begins then
    state.flights[key] = flight
  end
  return fetch()
end

local function lead(state, key, flight, fetch, begins)
  local ok, value, err, meta, parcel, joined = pcall(fly, state, key, flight, fetch, begins)
  if not ok then
    hand_over(state, key, flight)
    error(value, 0)
  elseif parcel ~= nil or value == nil and not OWN[err.kind] then
    land(state, key, flight, parcel, err)
  else
    hand_over(state, key, flight)
  end
  return value, err, meta, parcel, joined
end

local function copy(err)
  local fields = {}
  for name, value in pairs(err) do
    fields[name] = value
  end
  return errors.new(fields)
end

local function leave(flight, waiter)
  for i, one in ipairs(flight.waiters) do
    if one == waiter then
      table.remove(flight.waiters, i)
      return
    end
  end
end

--- The error of a wait for somebody who fetches the same; nil where it is not over.
-- @tparam string|boolean how the park ended that was to last until then
function _M.ended(state, how, deadline)
  if how == "cancelled" or not core.enter(state.client) then
    return errors.new { kind = "cancelled", message = "it was ended while another call fetched the same" }
  elseif how == "timeout" or core.time(state.client) >= deadline then
    return errors.new { kind = "deadline", message = "another call was fetching the same" }
  end
end

--- Waits until the flight has landed, or is this one's to lead, or the wait is
-- over. @return how the wait ended, and the error where it did
local function await(state, flight, waiter, deadline)
  local look_s = wait.look_s(state.runtime)
  flight.waiters[#flight.waiters + 1] = waiter
  local how, err
  repeat
    if wait.is_gone(state, flight.leader) then
      flight.leader, waiter.leads = waiter.task, true
      leave(flight, waiter)
    else
      local left_s = math.max(deadline - core.time(state.client), 0)
      how = wait.park(state, waiter, math.min(left_s, look_s))
      err = _M.ended(state, how == "timeout" and left_s > look_s and "looked" or how, deadline)
    end
  until flight.landed or waiter.leads or err
  return how, err
end

local function follow(state, key, flight, deadline, fetch)
  local waiter = { leads = false, task = state.runtime.current() }
  local ok, how, err = pcall(await, state, flight, waiter, deadline)
  if ok and flight.landed and how ~= "cancelled" then
    return nil, flight.err and copy(flight.err) or nil, nil, flight.parcel or nil, true
  elseif ok and not err then
    return lead(state, key, flight, fetch)
  end
  leave(flight, waiter)
  if waiter.leads then
    hand_over(state, key, flight)
  end
  if not ok then
    error(how, 0)
  end
  return nil, err, nil, nil, true
end

--- Fetches, or waits for another task that fetches under the same key.
-- @tparam function fetch () → value, nil, meta, parcel; or nil, err. The parcel
--   is what others get: nil where there is nothing that can be shared. Where it
--   took part in the fetch of another process: nil, err, nil, parcel, true
-- @tparam boolean anew don't join a flight that has begun already
-- @return value, nil, meta; or nil, err. One who followed another gets nil,
--   err, nil, parcel, true
function _M.share(state, key, deadline, fetch, anew)
  if not wait.is_concurrent(state.runtime) then
    return fetch()
  end
  local flight = state.flights[key]
  if not flight then
    flight = { leader = false, waiters = {}, landed = false, parcel = false, err = false }
    return lead(state, key, flight, fetch, true)
  elseif anew or flight.leader == state.runtime.current() then
    return fetch() -- its own thread can't wait for itself
  end
  return follow(state, key, flight, deadline, fetch)
end

--- Does anybody fetch this?
function _M.is_under_way(state, key)
  local flight = state.flights[key]
  return flight ~= nil and not wait.is_gone(state, flight.leader)
end

--- Nobody joins the flights under keys that begin so any more: what they bring
-- is older than what has just been written.
local function detach(state, prefix)
  for key in pairs(state.flights) do
    if key:sub(1, #prefix) == prefix then
      state.flights[key] = nil
    end
  end
end

--- Drops the results of an operation, and nobody waits for older ones any more.
function _M.outdate(state, operation)
  state.writes[operation] = (state.writes[operation] or 0) + 1
  core.drop(state.client, operation .. "\0")
  detach(state, operation .. "\0")
end

--- Drops all results; how many there were.
function _M.outdate_all(state)
  state.cleared = state.cleared + 1
  detach(state, "")
  return core.clear(state.client)
end

return _M

--- The runtime of luv: calls wait in the loop of libuv.
--
--     local client = dsclient.new { …, runtime = require "dsclient.runtime.luv" }
--     coroutine.wrap(function()
--       print(#assert(client:get_projects()))
--     end)()
--     uv.run()
--
-- Each coroutine is a task. In a callback, which luv runs in the main one, calls
-- block the loop, and are right otherwise. A coroutine that is another's iterator
-- can't wait: to yield would be to give its maker a value.
--
-- While somebody waits there are a timer, and a poll for each client that has
-- something under way; they are closed then. An error that a task throws goes out
-- of luv's callback.

local guests = require "dsclient.runtime.guest"
local uv = require "luv"

local host, polls, timer = {}, {}, nil
local guest = guests.new(host)
local turning = false

local function resume_all()
  for _ = 1, guest.ready.count do
    local waiter = guest:take()
    if not waiter then
      return -- a turn within this one took it
    end
    local fine, problem = coroutine.resume(waiter.task)
    if not fine then
      error(type(problem) == "string" and debug.traceback(waiter.task, problem) or problem, 0)
    end
  end
end

local turn

--- Lets the loop call when there is something to do, or not at all.
local function arm()
  local seconds = guest:due()
  if guest.waiting == 0 then
    timer:close()
    timer = nil
  elseif seconds < math.huge then
    timer:start(math.ceil(seconds * 1000), 0, turn)
  else
    timer:stop()
  end
end

function turn()
  turning = true
  local fine, problem = pcall(guest.look, guest)
  if fine then
    fine, problem = pcall(resume_all)
  end
  turning = false
  if timer then
    arm()
  end
  if not fine then
    error(problem, 0)
  end
end

function host.changed()
  if not turning and timer then
    arm()
  end
end

function host.prepare()
  timer = timer or assert(uv.new_timer())
end

function host.suspend(waiter)
  repeat
    coroutine.yield()
  until waiter.over
end

function host.watch(source)
  local fd = not polls[source] and source:pollfd()
  if fd then
    polls[source] = assert(uv.new_poll(fd))
    assert(polls[source]:start("r", turn))
  end
end

function host.forget(source)
  local poll = polls[source]
  if poll then
    polls[source] = nil
    poll:close()
  end
end

return guests.runtime(function()
  local task, is_main = coroutine.running()
  return not is_main and task or nil
end, function()
  return guest
end, { guest })

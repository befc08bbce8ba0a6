--- The runtime of OpenResty: light threads side by side in one worker; see
-- wait.lua for the contract. Nothing here blocks, and nothing is begun before the
-- first wait.
--
-- A request that is aborted, and a light thread that is killed, vanish without a
-- word: no code of theirs runs any more. So whoever waits here shows now and then
-- that he is still there.

local semaphore = require "ngx.semaphore"

local ngx = ngx
local coroutine, math = coroutine, math
local format = string.format
local kill, spawn = ngx.thread.kill, ngx.thread.spawn
local now = require("dsclient.core").now

local _M = {
  -- What the master has made is the workers'.
  follows_forks = true,
}

-- The phases in which one can wait (NGX_HTTP_LUA_CONTEXT_YIELDABLE).
local WAITABLE = {
  access = true, content = true, precontent = true, rewrite = true, server_rewrite = true, ssl_cert = true,
  ssl_client_hello = true, ssl_session_fetch = true, timer = true, preread = true,
}

-- The shortest wait in which plain nginx looks at what has come.
local MILLISECOND = 0.001

-- Who waits shows at least as often that he is there.
local PULSE_S = 1

--- The tasks by their coroutines. ngx_lua uses those of a request that is over
-- again for another one, whose `ngx.ctx` is another table.
local tasks = setmetatable({}, { __mode = "k" })

local function new_task()
  return { ctx = ngx.ctx, sema = semaphore.new(), cancelled = false, over = false, seen_s = now(), children = {} }
end

local function running()
  local thread = coroutine.running()
  local task = tasks[thread]
  if not task or task.ctx ~= ngx.ctx then
    task = new_task()
    tasks[thread] = task
  end
  task.seen_s = now()
  return task
end

--- Lets go of the threads that are over: nobody waits for them.
local function reap(task)
  for child, thread in pairs(task.children) do
    if child.over then
      task.children[child] = nil
      kill(thread)
    end
  end
end

local function outcome(task, waiter, left_s)
  if task.cancelled and not waiter.shielded then
    return "cancelled"
  end
  return waiter.woken and "woken" or left_s <= 0 and "timeout" or nil
end

-- What to do about it.
local ADVICE = "ngx.timer.at(0, …) begins a timer, in which all calls can be made"

function _M.obstacle()
  local phase = ngx.get_phase()
  if WAITABLE[phase] then
    return nil
  end
  return format("nothing can be sent, nor waited for, in %s_by_lua*; %s%s", phase,
    phase == "init" and "in init_worker_by_lua* " or "", ADVICE)
end

--- The task that runs; nil where none can wait.
function _M.current()
  return WAITABLE[ngx.get_phase()] and running() or nil
end

function _M.park(waiter, seconds, shielded)
  local task, until_s = running(), now() + seconds
  waiter.shielded = shielded
  waiter.task = task
  local left_s = seconds
  local how = outcome(task, waiter, left_s)
  if how == "cancelled" then
    ngx.sleep(MILLISECOND) -- others go on meanwhile
  end
  while not how do
    -- whole milliseconds: what is less would be no time
    task.sema:wait(math.ceil(math.min(left_s, PULSE_S) * 1000) / 1000)
    task.seen_s = now()
    left_s = until_s - task.seen_s
    how = outcome(task, waiter, left_s)
  end
  reap(task)
  return how
end

function _M.wake(waiter)
  if not waiter.woken then
    waiter.woken = true
    if waiter.task then
      waiter.task.sema:post()
    end
  end
end

function _M.seen(task)
  return task.seen_s
end

function _M.sleep(seconds)
  ngx.sleep(seconds)
end

--- Runs fn as a light thread of its own, which is the request's: it ends with it,
-- and the request with the last of them. It begins when the one that asks waits.
function _M.spawn(fn)
  local parent, child = running(), new_task()
  parent.children[child] = spawn(function()
    tasks[coroutine.running()] = child
    child.sema:wait(PULSE_S)
    fn()
    child.over = true
  end)
  child.sema:post()
  return child
end

function _M.cancel(task)
  task.cancelled = true
  task.sema:post()
end

--- Runs fn on its own, whatever becomes of the request: in a timer. Where there
-- are too many of them, or the worker ends, it is not run.
function _M.detach(fn)
  if ngx.get_phase() == "init" then
    return -- there are none yet
  end
  ngx.timer.at(0, function(premature)
    if not premature then
      fn()
    end
  end)
end

return _M

--- Structured concurrency: tasks that belong to the function that begins them,
-- and are over when it is left.
--
-- A scope is {runtime, waiter, running, reason, failed, problem}. The error of one
-- task (a Lua error, not `nil, err`) ends the others, and is thrown where the
-- scope is left, with the traceback of the task that it is of.
--
-- Where the runtime has no tasks the functions run one after the other.

local chain = require "dsclient.chain"
local core = require "dsclient.core"
local errors = require "dsclient.errors"
local load = require "dsclient.load"
local options = require "dsclient.options"
local values = require "dsclient.values"
local wait = require "dsclient.wait"

local huge = math.huge
local pack, unpack = values.pack, values.unpack

local _M = {}

-- Below the 10 database connections that a server has unless told otherwise.
local CONCURRENCY = 8

local TRACEBACK = "\nstack traceback:\n"

--- What is thrown for a Lua error: text gets the traceback of the task that it
-- is of, other values stay.
local function traced(problem)
  local is_text = type(problem) == "string" and not problem:find(TRACEBACK, 1, true)
  return is_text and debug.traceback(problem, 2) or problem
end

-- --- scopes --------------------------------------------------------------

local Task = {}
Task.__index = Task

local function new_scope(runtime)
  return { runtime = runtime, waiter = {}, running = chain.new(), reason = false, failed = false, problem = false }
end

--- Ends the tasks of a scope, for a reason: "timeout", "cancelled" or "failed".
local function end_tasks(scope, reason)
  scope.reason = scope.reason or reason
  local task = scope.running.first
  while task and scope.runtime.cancel do
    scope.runtime.cancel(task.own)
    task = task.following
  end
end

--- A Lua error of one is the end of all; the first is the one that is told.
local function fail(scope, problem)
  if not scope.failed then
    scope.failed, scope.problem = true, problem
    end_tasks(scope, "failed")
  end
end

local function finish(scope, task, fine, results)
  task.over, task.results = true, fine and results or nil
  scope.running:remove(task)
  if not fine then
    fail(scope, results)
  end
  scope.runtime.wake(scope.waiter)
  for _, waiter in ipairs(task.waiters) do
    scope.runtime.wake(waiter)
  end
end

--- Begins fn(…) as a task of the scope.
local function begin(scope, fn, ...)
  local arguments = pack(...)
  local task = setmetatable({ scope = scope, over = false, results = false, waiters = {}, own = false,
    previous = false, following = false }, Task)
  task.own = scope.runtime.spawn(function()
    local results
    local fine, problem = xpcall(function()
      results = pack(fn(unpack(arguments, 1, arguments.n)))
    end, traced)
    finish(scope, task, fine, fine and results or problem)
  end)
  scope.running:add(task)
  return task
end

local function await(scope, left_s, body)
  while scope.running.first do
    if body and body.over then
      end_tasks(scope, "cancelled")
    end
    scope.waiter = {}
    local how = scope.runtime.park(scope.waiter, scope.reason and huge or left_s(), scope.reason ~= false)
    if how ~= "woken" and not scope.reason then
      end_tasks(scope, how)
    end
  end
end

--- Waits until all tasks of the scope are over. Those that are left after so many
-- seconds, or when the one who waits is ended, or the body is over, are ended.
-- @tparam function left_s () → seconds
-- @tparam table|nil body a task
local function leave(scope, left_s, body)
  local fine, problem = pcall(await, scope, left_s, body)
  if not fine then -- without memory to wait
    end_tasks(scope, "failed")
    error(problem, 0)
  elseif scope.failed then
    error(scope.problem, 0)
  end
end

local function forever()
  return huge
end

-- --- run, spawn, join ----------------------------------------------------

-- The scopes that tasks were begun in, by what the runtime calls the task.
local scopes = setmetatable({}, { __mode = "k" })

-- A task from whose function `spawn` may be called.
local function begin_within(scope, fn, ...)
  return begin(scope, function(...)
    scopes[scope.runtime.current()] = scope
    return fn(...)
  end, ...)
end

local function scoped(runtime, fn, ...)
  local scope = new_scope(runtime)
  local body = begin_within(scope, fn, ...)
  leave(scope, forever, body)
  return unpack(body.results, 1, body.results.n)
end

--- Runs fn(…), which may begin tasks, and returns what it returns; those that are
-- left then are ended.
function _M.run(runtime, fn, ...)
  local obstacle = wait.obstacle(runtime, "run")
  if obstacle then
    return nil, obstacle
  elseif wait.is_concurrent(runtime) then
    return scoped(runtime, fn, ...)
  elseif not runtime.run then
    errors.throw "run: there are no tasks here: Lua 5.2 or newer, or LuaJIT, is needed"
  end
  return runtime.run(scoped, runtime, fn, ...)
end

--- Begins fn(…) as a task of the innermost `run` around.
-- @treturn table task: task:join(), task:cancel()
function _M.spawn(runtime, fn, ...)
  local scope = wait.is_concurrent(runtime) and scopes[runtime.current()]
  if not scope then
    errors.throw "spawn: a task belongs to a dsclient.run(…) around it"
  elseif type(fn) ~= "function" then
    errors.throw("spawn: a function expected, got " .. type(fn))
  end
  return begin_within(scope, fn, ...)
end

--- Begins fn(…) as a task of nobody's, in which `spawn` may be called. A Lua error
-- in it is thrown where the runtime is driven.
function _M.start(runtime, fn, ...)
  if not runtime.spawn then
    errors.throw "start: there are no tasks here: Lua 5.2 or newer, or LuaJIT, is needed"
  elseif type(fn) ~= "function" then
    errors.throw("start: a function expected, got " .. type(fn))
  end
  local arguments = pack(...)
  runtime.spawn(function()
    scoped(runtime, fn, unpack(arguments, 1, arguments.n))
  end)
end

local function ended(message)
  return errors.new { kind = "cancelled", message = message }
end

--- Waits until the task is over.
-- @return what its function returned; or nil and an error of kind "cancelled"
--   where it threw, or where the one who waits was ended
function Task:join()
  while not self.over do
    local waiter = {}
    self.waiters[#self.waiters + 1] = waiter
    if self.scope.runtime.park(waiter, huge) == "cancelled" then
      return nil, ended "join: the task that waits was ended"
    end
  end
  if self.results then
    return unpack(self.results, 1, self.results.n)
  end
  return nil, ended "join: the task failed"
end

--- Ends what it waits for, now and from now on: its calls return an error of kind
-- "cancelled", or "outcome_unknown" where the server may have acted.
function Task:cancel()
  if not self.over then
    self.scope.runtime.cancel(self.own)
  end
end

-- Nobody means to wait for longer than 30 days.
local SLEEP_MAX_S = 2592000

--- Throws unless it is a time that one may sleep.
function _M.check_seconds(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= SLEEP_MAX_S) then
    errors.throw(string.format("sleep: seconds, from 0 to %d, expected", SLEEP_MAX_S))
  end
end

--- Waits while other tasks run; blocks where there are none.
-- @treturn boolean|nil true; or nil and an error of kind "cancelled"
function _M.sleep(runtime, seconds)
  _M.check_seconds(seconds)
  local obstacle = wait.obstacle(runtime, "sleep")
  if obstacle then
    return nil, obstacle
  elseif not wait.is_concurrent(runtime) then
    runtime.sleep(seconds)
  elseif runtime.park({}, seconds) == "cancelled" then
    return nil, ended "sleep: it was ended"
  end
  return true
end

-- --- gather, map ---------------------------------------------------------

local OPTIONS = {
  concurrency = { type = "integer", min = 1, max = 1000 },
  timeout_s = { type = "number", min = 0, max = 86400 },
  progress = { type = "progress" },
}

--- Why a slot has no value though its function was never called, or was ended.
local ENDED = {
  timeout = { kind = "deadline", message = "the time of all together is over" },
  cancelled = { kind = "cancelled", message = "it was ended" },
  failed = { kind = "cancelled", message = "another one failed" },
}

local function why(reason)
  return errors.new { kind = ENDED[reason].kind, message = ENDED[reason].message }
end

--- One function's outcome into its slot.
local function settle(job, key, value, err)
  if value == nil and err == nil then
    value = true
  end
  if value == nil or value == false and err ~= nil then
    job.values[key] = false
    job.errs = job.errs or {}
    local late = job.scope.reason == "timeout" and errors.is(err) and err.kind == "cancelled"
    job.errs[key] = late and why "timeout" or err
  else
    job.values[key] = value
  end
end

--- Calls the function of a slot, unless all is over. What it throws as an error of
-- ours, as `each` does, is its outcome; another Lua error is everybody's.
local function call(job, key)
  if job.scope.reason then
    return settle(job, key, nil, why(job.scope.reason))
  end
  local value, err
  local fine, problem = xpcall(function()
    value, err = job.call(key)
  end, traced)
  if not fine and not errors.is(problem) then
    error(problem, 0)
  elseif not fine then
    value, err = nil, problem
  end
  settle(job, key, value, err)
  if job.counting then
    job.counting:step()
  end
end

--- Takes one slot after the other until none is left, or all is over.
local function work(job)
  while job.taken < #job.keys do
    job.taken = job.taken + 1
    call(job, job.keys[job.taken])
  end
end

local function side_by_side(job)
  local scope = job.scope
  for _ = 1, math.min(job.concurrency, #job.keys) do
    local fine, problem = pcall(begin, scope, work, job)
    if not fine then
      fail(scope, problem)
      break
    end
  end
  leave(scope, job.left_s)
end

local function one_by_one(job)
  for _, key in ipairs(job.keys) do
    job.scope.reason = job.scope.reason or job.left_s() <= 0 and "timeout"
    call(job, key)
  end
end

local function call_all(job)
  local runtime = job.scope.runtime
  if wait.is_concurrent(runtime) then
    side_by_side(job)
  elseif runtime.run then
    runtime.run(side_by_side, job)
  else
    one_by_one(job)
  end
end

--- The same, with what counts the slots: it is ended, too, where one throws.
local function call_all_counted(job)
  local fine, problem = pcall(call_all, job)
  job.counting:done()
  if not fine then
    error(problem, 0)
  end
end

--- The functions' outcomes by key.
local function perform(state, name, keys, fn, opts, concurrency)
  opts = options.verify(name, opts or {}, OPTIONS)
  local deadline = opts.timeout_s and core.time(state.client) + opts.timeout_s or huge
  local job = { keys = keys, call = fn, taken = 0, values = {}, errs = nil,
    concurrency = opts.concurrency or concurrency, scope = new_scope(state.runtime) }
  function job.left_s()
    return deadline - core.time(state.client)
  end
  if opts.progress then
    job.counting = load("dsclient.progress").new(opts.progress, #keys, function()
      return core.time(state.client)
    end)
    call_all_counted(job)
  else
    call_all(job)
  end
  return job.values, job.errs
end

local function check(name, what, value, expected)
  if type(value) ~= expected then
    errors.throw(name .. ": " .. what .. ": " .. expected .. " expected, got " .. type(value))
  end
end

--- Calls functions side by side.
-- @tparam table state the client's insides
-- @tparam table fns by any keys; each () → value | nil, err
-- @tparam table|nil opts concurrency (how many at once: all), timeout_s (of all
--   together: those that are not done then fail with kind "deadline"), progress (see
--   progress.lua)
-- @treturn table values under the same keys; false where one failed
-- @treturn table|nil errors by key; nil where none failed
function _M.gather(state, fns, opts)
  check("gather", "functions by key", fns, "table")
  local keys = {}
  for key, fn in pairs(fns) do
    check("gather", tostring(key), fn, "function")
    keys[#keys + 1] = key
  end
  return perform(state, "gather", keys, function(key)
    return fns[key]()
  end, opts, huge)
end

--- Calls a function for each item of a list, some side by side.
-- @tparam table state the client's insides
-- @tparam table list array
-- @tparam function fn item, index → value | nil, err
-- @tparam table|nil opts concurrency (8), timeout_s, progress, as of gather
-- @treturn table array of values in the order of the list; false where one failed
-- @treturn table|nil errors by index; nil where none failed
function _M.map(state, list, fn, opts)
  check("map", "the list", list, "table")
  check("map", "what to call", fn, "function")
  local keys = {}
  for i = 1, #list do
    keys[i] = i
  end
  return perform(state, "map", keys, function(i)
    return fn(list[i], i)
  end, opts, CONCURRENCY)
end

return _M

--- What will be asked for is fetched before: `client:prefetch`. In the background
-- where tasks run, a few at a time, and never in the way of those who wait: only
-- while less than half of the connections and of the pace are in use. Where no task
-- runs it is done at once.
--
-- What waits is a queue of the client: {first, last, workers, [i] = {row, args, opts}}.

local batch = require "dsclient.batch"
local calls = require "dsclient.call"
local core = require "dsclient.core"
local driver = require "dsclient.drive"
local errors = require "dsclient.errors"
local operations = require "dsclient.operations"
local options = require "dsclient.options"
local wait = require "dsclient.wait"

local format = string.format

local _M = {}

-- So many are fetched at once, and so many may wait. Where there is no room for so
-- long (s), all that waits is given up.
local AT_ONCE, WAITING_MAX, PATIENCE_S = 2, 10000, 30

-- Between two looks for room (s): ever longer.
local LOOK_S, LOOK_MAX_S = 0.05, 1

-- --- what is asked for ---------------------------------------------------

local function bad_call(i, message)
  return nil, errors.new { kind = "argument", operation = "prefetch", argument = "call " .. i, message = message }
end

--- One of the calls; throws on a wrong type or an unknown name.
-- @treturn table|nil {row, args, opts}; or nil, err
local function call_of(state, i, given)
  local what = format("prefetch: call %d", i)
  if type(given) ~= "table" or type(given[1]) ~= "string" then
    errors.throw(what .. ": {name, args, opts} expected")
  end
  local row, args, opts = operations.find(given[1]), given[2], given[3]
  if not row then
    local near = operations.near(given[1])
    errors.throw(format("%s: unknown operation %s%s", what, errors.quoted(given[1]),
      near[1] and "; near: " .. table.concat(near, ", ") or ""))
  elseif args ~= nil and type(args) ~= "table" then
    errors.throw(format("%s: a table of arguments expected, got %s", what, type(args)))
  end
  args, opts = args or {}, options.verify(what, opts or {}, calls.OPTIONS)
  local unfit = batch.check(row, args)
  if unfit then
    return nil, unfit
  elseif row.replay ~= "read" then
    return bad_call(i, row.name .. " is no read")
  elseif state.options.enable_cache and calls.ttl_of(state, row, opts) == 0 then
    return bad_call(i, row.name .. " is not cached: give it a time by ttl_s, or cache_ttl_s of the client")
  end
  return { row = row, args = args, opts = opts }
end

-- --- fetching ------------------------------------------------------------

--- Waits until there is room.
-- @treturn boolean false where there is none
local function wait_for_room(state)
  local look_s = LOOK_S
  local now_s = core.enter(state.client)
  local until_s = now_s and now_s + PATIENCE_S
  while now_s and now_s < until_s and not core.has_room(state.client) do
    if wait.park(state, {}, math.min(look_s, until_s - now_s)) == "cancelled" then
      return false
    end
    look_s = math.min(look_s * 2, LOOK_MAX_S)
    now_s = core.enter(state.client)
  end
  return now_s ~= nil and now_s < until_s
end

local function tell(state, item, problem)
  if state.options.log and core.enter(state.client) then
    local operation = item.row.name
    state.options.log("warn", errors.line(format("%s: not prefetched: %s", operation, tostring(problem))),
      { event = "prefetch", operation = operation, cause = errors.is(problem) and problem.kind or "error" })
  end
end

local function add(queue, row, args, opts)
  queue.last = queue.last + 1
  queue[queue.last] = { row = row, args = args, opts = opts }
end

local function take(queue)
  local item = queue[queue.first]
  if item then
    queue[queue.first], queue.first = nil, queue.first + 1
  end
  return item
end

local function waiting(queue)
  return queue.last - queue.first + 1
end

-- The task is over, or the client.
local FINAL = { cancelled = true, closed = true }

--- Fetches one; of several projects each is one more that waits.
-- @tparam table worker {until_s}: when it is given up, if it does not come back
-- @treturn boolean does it make sense to go on?
local function fetch(state, queue, worker, item)
  local timeout_s = item.opts.timeout_s or driver.known_of(state, item.row).timeout_s
  worker.until_s = core.time(state.client) + PATIENCE_S + timeout_s
  local is_batch = item.args.projects ~= nil
  local fine, result, err = pcall(is_batch and batch.args_of or calls.prefetch, state, item.row, item.args, item.opts)
  if fine and err and FINAL[err.kind] then
    return false
  elseif not fine or err then
    tell(state, item, err or result)
  end
  for _, args in ipairs(fine and is_batch and result or {}) do
    add(queue, item.row, args, item.opts)
  end
  return true
end

--- Fetches what waits, one after the other, until nothing does.
local function work(state, queue, worker)
  while waiting(queue) > 0 and wait_for_room(state) do
    local item = take(queue) -- another one may have taken the last
    if item and not fetch(state, queue, worker, item) then
      return
    end
  end
  while take(queue) do end -- there is no room
end

--- Begins tasks for what waits. One that was killed does not count for ever.
local function begin(state, queue, now_s)
  local count = 0
  for worker in pairs(queue.workers) do
    if worker.until_s < now_s then
      queue.workers[worker] = nil
    else
      count = count + 1
    end
  end
  for _ = count + 1, math.min(AT_ONCE, waiting(queue)) do
    local worker = { until_s = now_s + PATIENCE_S }
    queue.workers[worker] = true
    wait.detach(state.runtime, function()
      work(state, queue, worker)
      queue.workers[worker] = nil
    end)
  end
end

--- client:prefetch(list): fetches into the cache what is not there.
-- @tparam table state the client's insides
-- @tparam table list array of calls: {name, args, opts}, as of client:call; only
--   reads whose results are cached
-- @treturn boolean|nil true: what comes of it is told to the log, and counted
--   (get_cache_stats: prefetch_issued, _used, _wasted); or nil and an error of kind
--   "argument", "limit" (too many wait already) or "closed"; nothing was begun then
function _M.prefetch(state, list)
  local now_s, err = calls.enter(state, "prefetch")
  if type(list) ~= "table" then
    errors.throw("prefetch: a list of calls expected, got " .. type(list))
  end
  local wanted = {}
  for i, given in ipairs(list) do
    local call, unfit = call_of(state, i, given)
    if not call then
      return nil, unfit
    end
    wanted[i] = call
  end
  if not now_s then
    return nil, err
  elseif not state.options.enable_cache then
    return true
  end
  local queue = state.prefetching or { first = 1, last = 0, workers = {} }
  if waiting(queue) + #wanted > WAITING_MAX then
    local message = format("more than %d calls would wait", WAITING_MAX)
    return nil, errors.new { kind = "limit", operation = "prefetch", message = message }
  end
  state.prefetching = queue
  for _, call in ipairs(wanted) do
    add(queue, call.row, call.args, call.opts)
  end
  if wait.has_background(state.runtime) then
    begin(state, queue, now_s)
  else
    work(state, queue, {})
  end
  return true
end

return _M

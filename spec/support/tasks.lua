--- Tasks side by side on a virtual clock, over a scripted transport: the
-- smallest runtime that keeps the contract of lua/dsclient/wait.lua.

local bed = require "support.bed"
local core = require "dsclient.core"
local dsclient = require "dsclient"

local _M = {}
_M.__index = _M

local function due(self, task, value, at)
  self.order = self.order + 1
  task.due, task.value, task.order = at, value, self.order
end

--- The running task waits until the time, or for somebody who makes it due.
local function suspend(self, value, at)
  local task = self.running
  due(self, task, value, at)
  local got = coroutine.yield()
  task.waiter = nil
  return got
end

local function runtime_of(self)
  return {
    virtual = true,
    sleep = function(seconds)
      self:sleep(seconds)
    end,
    current = function()
      return self.running
    end,
    park = function(waiter, seconds)
      local task = self.running
      if task.cancelled then
        return "cancelled"
      elseif waiter.woken then
        return "woken"
      end
      waiter.task, waiter.woken, task.waiter = task, false, waiter
      return suspend(self, "timeout", self.now + seconds)
    end,
    wake = function(waiter)
      waiter.woken = true
      if waiter.task and waiter.task.waiter == waiter then
        due(self, waiter.task, "woken", self.now)
      end
    end,
    spawn = function(fn)
      self:spawn(fn)
    end,
    seen = self.mortal and function(task)
      return task.vanished_at or self.now
    end or nil,
  }
end

-- An exchange takes answer.takes_s (0.1), in which its task can be cancelled.
local function wait_for(self, transport, answer, deadline)
  local task = self.running
  local takes_s, left_s = answer.takes_s or 0.1, deadline - core.time(transport.client)
  self.in_flight = self.in_flight + 1
  self.in_flight_max = math.max(self.in_flight_max, self.in_flight)
  task.waiter = { transport = transport }
  local how = task.cancelled and "cancelled" or suspend(self, "timeout", self.now + math.min(takes_s, left_s))
  self.in_flight = self.in_flight - 1
  if how == "cancelled" then
    return nil, { kind = "cancelled", phase = answer.phase or "sent", message = "cancelled" }
  elseif transport.closed then
    return nil, { kind = "closed", phase = answer.phase or "sent", message = "closed" }
  elseif takes_s >= left_s then
    return nil, { kind = "timeout", phase = "sent", message = "no answer in time" }
  elseif answer.failure then
    return nil, answer
  end
  local headers = { ["content-type"] = "application/json" }
  for name, value in pairs(answer.headers or {}) do
    headers[name] = value
  end
  return { status = answer.status, headers = headers, body = answer.body, bytes_in = #answer.body, bytes_out = 100,
    reused = false }
end

local function transport_of(self, script)
  local transport = { closed = false }
  function transport.start(_, request, deadline)
    self.requests[#self.requests + 1] = { path = request.path, headers = request.headers, at = self.now }
    local answer = type(script) == "function" and script(request, #self.requests)
      or script[math.min(#self.requests, #script)]
    return {
      wait = function()
        return wait_for(self, transport, answer, deadline)
      end,
      cancel = function() end,
    }
  end
  function transport.close()
    transport.closed = true
    for task in pairs(self.tasks) do
      if task.waiter and task.waiter.transport == transport then
        due(self, task, "closed", self.now)
      end
    end
  end
  return transport
end

--- Another client on the same clock: what another process has.
-- @tparam table options of dsclient.new; with `detect` it finds out the server
--   line itself, else it is told 3.1.1
function _M:another(script, options)
  local transport = transport_of(self, script)
  local given = { api_url = "http://127.0.0.1:12345", token = "secret", server_version = "3.1.1",
    transport = transport, runtime = self.runtime }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  if given.api_urls then
    given.api_url = nil
  end
  given.mortal = nil
  if given.detect then
    given.detect, given.server_version = nil, nil
  end
  local client = dsclient.new(given)
  core.advance(client, self.now)
  transport.client = client
  self.clients[#self.clients + 1] = client
  return client
end

--- @tparam table|function script as of support.bed
-- @tparam table options of dsclient.new; see `another`
function _M.new(script, options)
  local self = setmetatable({ now = 0, order = 0, tasks = {}, clients = {}, requests = {}, in_flight = 0,
    in_flight_max = 0, logged = {}, failed = {}, mortal = options and options.mortal }, _M)
  self.runtime = runtime_of(self)
  self.client = self:another(script, options)
  return self
end

--- A new task; it runs at the next step.
function _M:spawn(fn)
  self.order = self.order + 1
  local task = { coroutine = coroutine.create(fn), due = self.now, order = self.order }
  self.tasks[task] = true
  return task
end

--- The running task sleeps.
function _M:sleep(seconds)
  suspend(self, "timeout", self.now + seconds)
end

--- Lets the time pass.
function _M:sleep_until(at)
  self:spawn(function()
    self:sleep(at - self.now)
  end)
  self:run()
end

--- Ends the waiting of a task, now and later.
function _M:cancel(task)
  task.cancelled = true
  if task.waiter then
    due(self, task, "cancelled", self.now)
  end
end

--- A task that waits is no more, and no code of it runs: as a request that is
-- aborted in nginx, or whose worker is killed.
function _M:vanish(task)
  task.vanished_at = self.now
  task.coroutine, task.waiter = nil, nil
  self.tasks[task] = nil
end

local function next_task(self)
  local best
  for task in pairs(self.tasks) do
    if not best or task.due < best.due or task.due == best.due and task.order < best.order then
      best = task
    end
  end
  return best
end

--- Runs all tasks to their ends, or until the time.
function _M:run(until_s)
  local task = next_task(self)
  while task and task.due <= (until_s or math.huge) do
    if task.due > self.now then
      for _, client in ipairs(self.clients) do
        core.advance(client, task.due - self.now)
      end
      self.now = task.due
    end
    self.running = task
    task.due = math.huge
    local ok, err = coroutine.resume(task.coroutine, task.value)
    self.running = nil
    if coroutine.status(task.coroutine) == "dead" then
      self.tasks[task] = nil
      task.done = true
    end
    if not ok then
      task.err = err
      self.failed[#self.failed + 1] = err
    end
    task = next_task(self)
  end
end

--- Calls side by side; what each gave, in their order: {value, err, meta, at}.
function _M:all(...)
  local results = {}
  for i, fn in ipairs { ... } do
    self:spawn(function()
      local value, err, meta = fn(self.client)
      results[i] = { value = value, err = err, meta = meta, at = self.now }
    end)
  end
  self:run()
  return results
end

_M.ok, _M.failure, _M.status = bed.ok, bed.failure, bed.status

return _M

--- One run: a plan, carried out with a client of its own on virtual time.

local calls = require "spec.sim.calls"
local checks = require "spec.sim.checks"
local core = require "dsclient.core"
local dsclient = require "dsclient"
local healing = require "spec.sim.healing"
local insides = require "spec.support.insides"
local ledgers = require "spec.sim.ledger"
local networks = require "spec.sim.network"
local phases = require "spec.sim.phases"
local schedulers = require "spec.sim.scheduler"
local scopes = require "spec.sim.scopes"
local servers = require "spec.sim.server"
local tasks = require "spec.sim.tasks"
local tokens = require "spec.sim.tokens"

local format = string.format

local _M = {}

local World = {}
World.__index = World

--- An invariant does not hold. What is wrong first is what is reported, also
-- where the client catches the error.
function World:fail(invariant, ...)
  self.failure = self.failure or { invariant = invariant, message = format(...) }
  self.ledger:say("!! %s: %s", invariant, self.failure.message)
  error(self.failure, 0)
end

-- --- what the client is given --------------------------------------------

--- What a hook throws.
World.HOOK_ERROR = "the hook throws"

--- What a hook does besides its work: see plan.lua.
function World:hook(kind)
  local call = self.ledger:current()
  if self.healed or not call or call.hooked or call.is_nested then
    return
  elseif kind == "throws" then
    self.ledger:mark "a hook threw"
    error(self.HOOK_ERROR, 0)
  elseif kind == "calls" then
    calls.nested(self, call)
  elseif kind == "closes" and #self.ledger.calls > 5 then
    self.ledger:mark "a hook closed the client"
    self:close()
  end
end

local function log_function(self)
  if not self.plan.log then
    return nil
  end
  return function(level, message, fields)
    self.ledger:say("log %s: %s", level, message)
    self.checks:logged(message, fields)
    self:hook(self.plan.log)
  end
end

local function to_us(seconds)
  return math.floor(seconds * 1e6 + 0.5)
end

local function runtime_of(self)
  local scheduler, ledger, plan = self.scheduler, self.ledger, self.plan
  local runtime = { virtual = true, seed = plan.seed }
  function runtime.sleep(seconds)
    scheduler:sleep(to_us(seconds))
  end
  if plan.blocking then
    return runtime
  end
  function runtime.current()
    return scheduler:current()
  end
  function runtime.park(waiter, seconds, shielded)
    local task, from_us = scheduler:current(), scheduler.now_us
    self.parks = self.parks + 1
    task.granted_from_us, waiter.number = nil, self.parks
    local how = scheduler:park(waiter, to_us(seconds), shielded)
    if how == "woken" then
      task.granted_from_us = from_us
    end
    return how
  end
  function runtime.wake(waiter)
    self:wake(waiter)
  end
  if plan.spawns or plan.real then
    function runtime.detach(fn)
      local outer = ledger:current()
      ledger:mark "background"
      scheduler:spawn(nil, function()
        calls.background(self, outer, fn)
      end, scheduler.now_us)
    end
  end
  if plan.real then
    function runtime.spawn(fn)
      return scheduler:spawn(nil, fn, scheduler.now_us)
    end
    function runtime.cancel(task)
      scheduler:cancel(task)
    end
    runtime.watch = scheduler.runtime.watch
  end
  return runtime
end

local function transport_of(self)
  local network = self.network
  local transport = {
    start = function(_, request, deadline)
      return network:start(request, deadline)
    end,
    close = function()
      network:close()
    end,
  }
  if self.plan.driven then
    function transport.step(_, _, ready)
      return network:step(ready)
    end
    function transport.timeout()
      return network:timeout()
    end
    function transport.pollfd() end -- there is nothing that could be polled
  end
  return transport
end

local function urls_of(plan)
  local urls = {}
  for i = 1, plan.servers do
    urls[i] = format("http://s%d.sim/ds", i)
  end
  return urls
end

local function make_client(self)
  local plan = self.plan
  local options = {
    api_urls = urls_of(plan),
    token = self.tokens:source(),
    server_version = not plan.detects and "3.1.1" or nil,
    transport = transport_of(self),
    runtime = runtime_of(self),
    log = log_function(self),
  }
  for name, value in pairs(plan.options) do
    options[name] = value
  end
  return dsclient.new(options)
end

--- Wakes a waiter; those that the client wakes when it is closed, in an order
-- that is the same each time, whatever their addresses.
function World:wake(waiter)
  if self.woken then
    self.woken[#self.woken + 1] = waiter
  else
    self.scheduler:wake(waiter)
  end
end

local function before(a, b)
  return a.number < b.number
end

--- Closes the client, be it from within a hook.
function World:close()
  if self.closed_us then
    return
  end
  self.closed_us, self.closed_seq = self.scheduler.now_us, self.ledger:next_seq()
  self.ledger:say("the client is closed")
  self.woken = {}
  self.client:close()
  local woken = self.woken
  self.woken = nil
  table.sort(woken, before)
  for _, waiter in ipairs(woken) do
    self.scheduler:wake(waiter)
  end
end

-- --- the run -------------------------------------------------------------

local function start_tasks(self)
  for _, task_plan in ipairs(self.plan.tasks) do
    if not task_plan.off then
      local task = self.scheduler:spawn(task_plan.number, function()
        local perform = task_plan.scopes and scopes.task or calls.task
        perform(self, task_plan)
      end, task_plan.from_us)
      if task_plan.cancel_us then
        self.scheduler:at(task_plan.cancel_us, 100 + task_plan.number, function()
          self.ledger:say("task %d is cancelled", task_plan.number)
          self.scheduler:cancel(task)
        end)
      end
    end
  end
end

local function new(plan, traced)
  local self = setmetatable({ plan = plan, parks = 0 }, World)
  self.scheduler = (plan.real and tasks or schedulers).new(plan.seed, function(us)
    core.advance(self.client, us / 1e6)
  end, function()
    self.checks:stepped()
  end)
  self.ledger = ledgers.new(self.scheduler, traced)
  self.server = servers.new(plan.projects)
  self.tokens = tokens.new(self)
  self.network = networks.new(self)
  self.phases = phases.new(plan, self.scheduler, function(server)
    self.network:restart(server)
  end)
  self.client = make_client(self)
  self.state = insides(self.client)
  self.checks = checks.new(self)
  return self
end

local function carry_out(self)
  start_tasks(self)
  if self.plan.close_us then
    self.scheduler:at(self.plan.close_us, 90, function()
      self:close()
    end)
  end
  self.scheduler:run()
  self.checks:settled()
  if not self.closed_us then
    healing.prove(self)
    self.checks:settled()
    self.checks:summed()
  end
  self:close()
  self.checks:ended()
end

--- Carries out a plan.
-- @tparam boolean traced keep a trace for people?
-- @treturn table {failure = {invariant, message} or nil, ledger}
function _M.run(plan, traced)
  local self = new(plan, traced)
  local ok, err = pcall(carry_out, self)
  local failure = self.failure
  if not ok and not failure then
    failure = { invariant = "no Lua error", message = tostring(err) }
  end
  return { failure = failure, ledger = self.ledger, now_us = self.scheduler.now_us }
end

return _M

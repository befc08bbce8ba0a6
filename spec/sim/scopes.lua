--- Scopes of a simulated client: gather, map and run of lua/dsclient/scope.lua,
-- within each other, with calls, time-outs and Lua errors in them, and what must
-- hold of them:
--
-- nothing of a scope runs once it is left; each slot is worked on once, and holds
-- what came of it; the first Lua error is thrown where the scope is left, with
-- one traceback, and none is lost; a scope ends in time.

local calls = require "spec.sim.calls"
local errors = require "dsclient.errors"
local scope = require "dsclient.scope"

local format = string.format

local _M = {}

-- A scope that is under way: {world, plan, node, label, outer, left, slots,
-- problems: what was thrown in it, in order}.
local Scope = {}
Scope.__index = Scope

--- This and all scopes around it are not left yet.
function Scope:check_open()
  local one = self
  while one do
    if one.left then
      self.world:fail("nothing of a scope runs once it is left", "%s after %s", self.label, one.label)
    end
    one = one.outer
  end
end

--- Throws in a slot of it.
function Scope:throw(slot, problem)
  slot.threw = true
  self.problems[#self.problems + 1] = problem
  error(problem, 0)
end

-- --- items ---------------------------------------------------------------

local items = {}
local perform

-- Each is (scope, item, slot) → value or nil, err; or throws.
function items.call(self, item, slot)
  local call = calls.one(self.world, self.plan, item.call)
  if call.thrown then
    self:throw(slot, call.thrown)
  end
  return call.value ~= nil and call.label or nil, call.err
end

function items.sleep(self, item)
  return self.world.client:sleep(item.us / 1e6)
end

function items.throw(self, item, slot)
  self.world.client:sleep(item.us / 1e6)
  self.world.ledger:mark "a scope threw"
  self:throw(slot, item.text and "planted in " .. slot.label or { slot.label })
end

--- Ends another task of its `run`, or joins it; nobody waits for one before him,
-- who may wait for him.
items["end"] = function(self, item, slot)
  self.world.client:sleep(item.us / 1e6)
  local other = self.slots[item.which]
  if not other or not other.task then
    return true
  elseif not item.joins then
    other.task:cancel()
  elseif other.number > slot.number then
    self:join(other)
  end
  return true
end

local function inner_scope(self, item, slot)
  local problem = perform(self.world, self.plan, item, slot.label, self)
  if problem ~= nil then
    self:throw(slot, problem)
  end
  return true
end
items.gather, items.map, items.run = inner_scope, inner_scope, inner_scope

--- Does what a slot is for, once.
function Scope:work(i)
  local item, slot = self.node.items[i], self.slots[i]
  self:check_open()
  slot.begun = slot.begun + 1
  slot.value, slot.err = items[item.kind](self, item, slot)
  slot.ended = true
  self:check_open()
  return slot.value, slot.err
end

-- --- scopes --------------------------------------------------------------

local kinds = {}

local function options(node)
  return { timeout_s = node.timeout_us and node.timeout_us / 1e6, concurrency = node.concurrency }
end

-- Why a slot has an error that is not its function's own.
local ENDED = { deadline = true, cancelled = true }

--- What gather and map gave, against what their functions did.
local function check_values(self, values, errs)
  local world = self.world
  for i, slot in pairs(self.slots) do
    local value, err = values[i], errs and errs[i]
    local fits
    if slot.begun == 0 then
      fits = value == false and errors.is(err) and ENDED[err.kind]
    elseif slot.value then
      fits = value == slot.value and err == nil
    else
      local late = self.node.timeout_us and errors.is(err) and err.kind == "deadline" and slot.err.kind == "cancelled"
      fits = value == false and (err == slot.err or late)
    end
    if not fits then
      world:fail("a slot holds what came of it", "%s: %s, %s", slot.label, tostring(value), tostring(err))
    end
  end
end

function kinds.gather(self)
  local fns = {}
  for i in pairs(self.slots) do
    fns[i] = function()
      return self:work(i)
    end
  end
  local client = self.world.client
  check_values(self, client:gather(fns, options(self.node)))
end

function kinds.map(self)
  local list, client = {}, self.world.client
  for i in pairs(self.slots) do
    list[#list + 1] = i
  end
  table.sort(list)
  local values, errs = client:map(list, function(i)
    return self:work(i)
  end, options(self.node))
  local by_slot, errs_by_slot = {}, {}
  for place, i in ipairs(list) do
    by_slot[i], errs_by_slot[i] = values[place], errs and errs[place]
  end
  check_values(self, by_slot, errs_by_slot)
end

--- The body is the first item, and begins tasks for all others.
function kinds.run(self)
  local world = self.world
  local runtime, label = world.state.runtime, self.label
  local result = scope.run(runtime, function()
    for i = 2, #self.node.items do
      local slot = self.slots[i]
      if slot then
        slot.task = scope.spawn(runtime, Scope.work, self, i)
      end
    end
    if self.slots[1] then
      self:work(1)
    end
    return label
  end)
  if result ~= label then
    world:fail("run returns what its function does", "%s: %s", label, tostring(result))
  end
end

function Scope:join(slot)
  local task = self.world.scheduler:current()
  local value, err = slot.task:join()
  local mine = task.cancelled_us and value == nil and errors.is(err) and err.kind == "cancelled"
  if not mine and (not slot.ended or value ~= slot.value or err ~= slot.err) then
    self.world:fail("who joins gets what the task returned", "%s: %s, %s", self.label, tostring(value), tostring(err))
  end
  self.world.ledger:mark "joined"
end

-- --- what must hold when one is left -------------------------------------

local TRACEBACK = "\nstack traceback:\n"

--- Is what was thrown the first thing that was thrown in it, with one traceback?
local function is_first(self, problem)
  local first = self.problems[1]
  if type(first) ~= "string" or first:find(TRACEBACK, 1, true) then
    return problem == first
  end
  local _, tracebacks = tostring(problem):gsub(TRACEBACK, "")
  return type(problem) == "string" and problem:sub(1, #first + #TRACEBACK) == first .. TRACEBACK and tracebacks == 1
end

local function check_thrown(self, ok, problem)
  local world = self.world
  if ok and #self.problems > 0 then
    world:fail("no Lua error is lost", "%s: %s", self.label, tostring(self.problems[1]))
  elseif not ok and (#self.problems == 0 or not is_first(self, problem)) then
    world:fail("the first Lua error is thrown, with its traceback", "%s: %s", self.label, tostring(problem))
  end
end

local function check_slots(self)
  for _, slot in pairs(self.slots) do
    if slot.begun > 1 then
      self.world:fail("a slot is worked on once", "%s: %d times", slot.label, slot.begun)
    elseif slot.begun == 1 and not slot.ended and not slot.threw then
      self.world:fail("nothing of a scope runs once it is left", "%s does", slot.label)
    end
  end
end

-- The client's clock and ours are rounded, each for itself.
local ROUNDING_US = 2

--- In time, and at once where its task is ended; but for what a hook takes.
local function check_time(self)
  local world = self.world
  local now_us, hooks = world.scheduler.now_us, world.plan.log == "calls" or world.plan.token.hook
  local cancelled_us = world.scheduler:current().cancelled_us or math.huge
  local timeout_us = self.node.kind ~= "run" and self.node.timeout_us or math.huge
  local until_us = math.min(cancelled_us, self.begun_us + timeout_us)
  if not hooks and now_us > math.max(until_us, self.begun_us) + ROUNDING_US then
    world:fail("a scope ends in time", "%s: %.6f s late", self.label, (now_us - until_us) / 1e6)
  end
end

local function check_left(self, ok, problem)
  if self.world.failure then
    error(self.world.failure, 0)
  end
  check_slots(self)
  check_thrown(self, ok, problem)
  check_time(self)
end

-- --- the whole -----------------------------------------------------------

local function new(world, plan, node, label, outer)
  local self = setmetatable({ world = world, plan = plan, node = node, label = label, outer = outer, left = false,
    slots = {}, problems = {}, begun_us = world.scheduler.now_us }, Scope)
  for i, item in ipairs(node.items) do
    self.slots[i] = not item.off and { number = i, label = format("%s.%d", label, i), begun = 0 } or nil
  end
  return self
end

--- Carries out a scope.
-- @return what was thrown in it, where it is to be thrown on
function perform(world, plan, node, label, outer)
  local self = new(world, plan, node, label, outer)
  world.ledger:say("%s %s begins", label, node.kind)
  world.ledger:mark("scope: " .. node.kind)
  local ok, problem = pcall(kinds[node.kind], self)
  self.left = true
  local thrown = type(problem) == "string" and problem:match "[^\n]*" or type(problem)
  world.ledger:say("%s %s is left%s", label, node.kind, ok and "" or ": " .. thrown)
  check_left(self, ok, problem)
  return not ok and not node.catches and outer and problem or nil
end

--- A task of the plan that has scopes.
function _M.task(world, plan)
  for i, node in ipairs(plan.scopes) do
    if not node.off then
      perform(world, plan, node, format("%d/%d", plan.number, i))
    end
  end
end

return _M

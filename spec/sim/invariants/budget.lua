--- The retry budget, beside a model of it that knows only what was logged and
-- what the attempts came to: engine.md, section 2.

local FULL, COST, COST_THROTTLED, EARNED = 500, 14, 5, 1
local REFILL, REFILL_US = 14, 10e6

local Budget = {}
Budget.__index = Budget

local function refill(self)
  local periods = math.floor(self.world.scheduler.now_us / REFILL_US)
  self.tokens = math.min(FULL, self.tokens + (periods - self.periods) * REFILL)
  self.periods = periods
end

-- What is known of a request that is repeated until it succeeds: a call may
-- look up names by others, before its own.
local function request_of(attempt)
  local requests, operation = attempt.call.requests or {}, attempt.request.operation
  attempt.call.requests = requests
  requests[operation] = requests[operation] or {}
  return requests[operation]
end

-- The log is told of each repeat in the moment it is paid for.
function Budget:logged(_, fields)
  local call = self.world.ledger:current()
  if fields.event == "stale" then
    call.requests = nil -- given up; a name may be looked up once more
  end
  if fields.event ~= "retry" then
    return
  end
  refill(self)
  local last = call.attempts[#call.attempts]
  local request = request_of(last)
  if last.stale and not request.repeated_free then
    request.repeated_free = true
    self.world.ledger:mark "a free repeat"
    return
  end
  request.cost = fields.cause == "throttled" and COST_THROTTLED or COST
  self.tokens = self.tokens - request.cost
  if self.tokens < 0 then
    self.world:fail("the budget is never overdrawn", "%s: %d tokens", call.label, self.tokens)
  end
end

-- Was the answer a success, as the client judges it?
local function succeeded(attempt)
  return attempt.kind == "answer" and attempt.status == 200 and attempt.code == 0
end

function Budget:attempt_told(attempt)
  if succeeded(attempt) and not self.world.closed_us then
    refill(self)
    self.tokens = math.min(FULL, self.tokens + (request_of(attempt).cost or EARNED))
    attempt.call.requests[attempt.request.operation] = nil
  end
end

-- A model that does not see all repeats knows nothing exactly.
local function is_exact(self)
  return self.world.plan.log and not self.world.plan.detects
end

function Budget:stepped()
  local world = self.world
  if world.closed_us or not self.changed then
    return
  end
  self.changed = false
  local budget = world.client:status().budget
  refill(self)
  if budget < 0 or budget > FULL then
    world:fail("the budget stays within its bounds", "%d tokens", budget)
  elseif is_exact(self) and budget ~= self.tokens then
    world:fail("the budget is what was spent and earned", "%d tokens, not %d", budget, self.tokens)
  end
  if budget < COST then
    world.ledger:mark "the budget is empty"
  end
end

function Budget:call_ended()
  self.changed = true
end

return function(world)
  return setmetatable({ world = world, tokens = FULL, periods = 0 }, Budget)
end

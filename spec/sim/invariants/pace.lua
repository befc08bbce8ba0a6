--- The pace: never faster than the rate that was given (GCRA), and nothing
-- while the server wants to be left alone.

-- As limit.c has it.
local HOLD_MAX_S = 60

local Pace = {}
Pace.__index = Pace

function Pace:attempt_begun(attempt)
  local world, now_us = self.world, self.world.scheduler.now_us
  if now_us < self.hold_until_us then
    world:fail("a client that was refused waits", "%s is sent %.6f s too early", attempt.label,
      (self.hold_until_us - now_us) / 1e6)
  end
  local rate = world.plan.options.rate_limit
  if not rate then
    return
  end
  local interval_us = math.floor(1e6 / rate.per_s)
  local early = now_us < self.arrival_us - interval_us * (rate.burst - 1) - 1
  local missed = attempt.call.hook_ended_us == now_us -- its turn, which the log took from it
  if early and not missed then
    world:fail("no more is sent than the rate and its burst", "%s: %.6f s too early", attempt.label,
      (self.arrival_us - interval_us * (rate.burst - 1) - now_us) / 1e6)
  end
  self.arrival_us = (missed and self.arrival_us or math.max(self.arrival_us, now_us)) + interval_us
end

function Pace:attempt_told(attempt)
  local world = self.world
  if attempt.kind ~= "answer" or attempt.status ~= 429 then
    return
  end
  world.last_429_us = world.scheduler.now_us
  local hint_us = math.min(attempt.hint_s or 0, HOLD_MAX_S) * 1e6
  self.hold_until_us = math.max(self.hold_until_us, world.scheduler.now_us + hint_us)
  world.ledger:mark "throttled"
end

return function(world)
  return setmetatable({ world = world, hold_until_us = 0, arrival_us = 0 }, Pace)
end

--- A request with a side effect is carried out at most once where it may not
-- be repeated, and what is reported of it is what happened.

-- What the server surely refused, or never saw.
local function surely_not_done(world, attempt)
  if attempt.phase == "unsent" or attempt.kind ~= "answer" then
    return attempt.phase == "unsent"
  end
  local put_off = attempt.status == 503 and attempt.hint_s and world.plan.options.trust_503
  return attempt.status == 429 or attempt.status == 401 or put_off
end

local Once = {}
Once.__index = Once

function Once:attempt_begun(attempt)
  local world = self.world
  if not attempt.once then
    return
  end
  if attempt.reused then
    world:fail("a once request has a fresh connection", "%s does not", attempt.label)
  end
  for _, before in ipairs(attempt.call.attempts) do
    if before ~= attempt and before.once and not surely_not_done(world, before) then
      world:fail("a once request is not repeated after it may have been done", "%s, after %s ended with %s, %s",
        attempt.label, before.label, before.status or before.kind, before.phase)
    end
  end
end

function Once:served(attempt)
  local effect = attempt.effect
  if not effect then
    return
  end
  local call = attempt.call
  call.effects = call.effects + 1
  if attempt.once and call.effects > 1 then
    self.world:fail("a once request is executed at most once", "%s is executed for the second time", attempt.label)
  elseif effect.wedges then
    self.world:fail("a run is not acted on before it has moved", "%s: run %s was told to move at %.6f", attempt.label,
      effect.what, effect.wedges / 1e6)
  end
  self.world.ledger:mark("executed " .. (call.ended_us and "late" or "in time"))
end

function Once:call_ended(call)
  local row = call.row
  if row.replay == "read" or row.replay == "clear" or call.thrown or call.is_background then
    return
  end
  local kind = call.value ~= nil and "ok" or call.err and call.err.kind
  local was_so = row.already or row.gone -- it may have been another's doing
  if kind == "ok" and call.effects == 0 and not was_so then
    self.world:fail("a success was executed", "%s was not", call.label)
  elseif row.replay == "once" and kind ~= "ok" and kind ~= "outcome_unknown" and call.effects > 0 then
    self.world:fail("what may have been done is of unknown outcome", "%s was executed and is %s", call.label, kind)
  end
  self.world.ledger:mark("once " .. kind)
end

-- Also what reaches the server after the call is over.
function Once:ended()
  for _, call in ipairs(self.world.ledger.calls) do
    self:call_ended(call)
  end
end

return function(world)
  return setmetatable({ world = world }, Once)
end

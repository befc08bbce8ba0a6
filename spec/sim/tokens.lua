--- The tokens of a run: which one the server takes, which one the client has.

local format = string.format

local _M = {}
_M.__index = _M

--- @tparam table world {plan, scheduler, ledger}
function _M.new(world)
  local tokens = setmetatable({ world = world, all = {}, uses = {}, valid = 1, refused = false }, _M)
  tokens.all[1] = format("secret-%d-1", world.plan.seed)
  for i, at_us in ipairs(world.plan.token.changes_us) do
    if at_us then
      world.scheduler:at(at_us, 40 + i, function()
        tokens:change()
      end)
    end
  end
  return tokens
end

function _M:mint()
  self.valid = self.valid + 1
  self.all[self.valid] = format("secret-%d-%d", self.world.plan.seed, self.valid)
end

--- The server knows another token from now on; or none, until the next change,
-- where the client's is always the same, or its source mints a new one each time.
function _M:change()
  self.world.ledger:say("the token changes")
  if self.world.plan.token.mode == "function" then
    self:mint()
    self.changed_us = self.world.scheduler.now_us
  else
    self.refused = not self.refused
  end
end

function _M:heal()
  self.refused, self.healed = false, true
end

function _M:is_valid(token)
  local minting = self.world.plan.token.mode == "minting"
  return not self.refused and (minting or token == self.all[self.valid])
end

--- What the client is given for a token: itself, or a function.
function _M:source()
  local plan, world = self.world.plan.token, self.world
  if plan.mode == "static" then
    self:give(1)
    return self.all[1]
  end
  return function()
    if plan.hook and not self.healed then
      world:hook(plan.hook)
      if plan.hook == "fails" and #self.uses > 0 then
        return nil, "no token now"
      end
    end
    if plan.mode == "minting" and #self.uses > 0 then
      self:mint()
    end
    local lags = self.changed_us and world.scheduler.now_us < self.changed_us + plan.lag_us
    return self:give(lags and self.valid - 1 or self.valid)
  end
end

function _M:give(number)
  local last = self.uses[#self.uses]
  if not last or last.token ~= self.all[number] then
    self.uses[#self.uses + 1] = { token = self.all[number], from_seq = self.world.ledger:next_seq() }
  end
  return self.all[number]
end

--- Was the client using this token at some time since then?
function _M:was_used(token, since_seq)
  for i = #self.uses, 1, -1 do
    if self.uses[i].token == token then
      return true
    elseif self.uses[i].from_seq < since_seq then
      return false
    end
  end
  return false
end

--- The token that the client has now.
function _M:in_use()
  return self.uses[#self.uses] and self.uses[#self.uses].token
end

--- A token that this text holds, or nil.
function _M:leaked_in(text)
  for _, token in ipairs(self.all) do
    if text:find(token, 1, true) then
      return token
    end
  end
end

return _M

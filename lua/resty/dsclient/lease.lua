--- A right that one worker at a time has, by a shared dict. Who has it renews it;
-- where he is killed it ends by itself.

local core = require "dsclient.core"

local format = string.format
local now = core.now

local _M = {}

local Lease = {}
Lease.__index = Lease

--- @tparam table dict
-- @tparam string name in the dict
-- @tparam number seconds that it lasts; to be renewed well before
function _M.new(dict, name, seconds)
  return setmetatable({
    dict = dict,
    name = name,
    seconds = seconds,
    holder = format("%d %.6f", ngx.worker.pid(), now()), -- and nobody else
    until_s = 0, -- on the clock of core.now
  }, Lease)
end

--- Is it still ours? A worker that was stopped for a while has lost it, whatever
-- the dict says.
function Lease:is_held()
  return now() < self.until_s and self.dict:get(self.name) == self.holder
end

local function hold(self, since_s)
  self.until_s = since_s + self.seconds
  return true
end

--- Makes it last longer. Between the look and the renewal it may become another's:
-- then it is his that lasts longer.
-- @treturn boolean false: it was lost
function Lease:renew()
  local since_s = now()
  return self:is_held() and self.dict:expire(self.name, self.seconds) and hold(self, since_s) or false
end

--- Takes it where nobody has it. One that never ends is none of ours: it goes.
-- @treturn boolean
-- @treturn string|nil why not: "exists" where another worker has it
function Lease:take()
  local since_s = now()
  if self.dict:ttl(self.name) == 0 then
    self.dict:delete(self.name)
  end
  local taken, why = self.dict:add(self.name, self.holder, self.seconds)
  return taken and hold(self, since_s) or false, why
end

--- Gives it back. Idempotent.
function Lease:release()
  if self:is_held() then
    self.dict:delete(self.name)
  end
  self.until_s = 0
end

return _M

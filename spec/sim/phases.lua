--- Which faults there are when: the phases of a plan, until all is healed.

local chance = require "spec.sim.chance"
local faults = require "spec.sim.faults"

local _M = {}
_M.__index = _M

--- @tparam table plan
-- @tparam function restart (server) → it has lost its connections
function _M.new(plan, scheduler, restart)
  local phases = setmetatable({ base = chance.base(plan.seed, 2), list = {}, healed = false }, _M)
  for i, phase in ipairs(plan.phases) do
    if not phase.off then
      phases.list[#phases.list + 1] = phase
    end
    if not phase.off and phase.outage then
      scheduler:at(phase.from_us, i, function()
        for server = 1, plan.servers do
          if not phase.server or phase.server == server then
            restart(server)
          end
        end
      end)
    end
  end
  return phases
end

local function covers(phase, server, now_us)
  return now_us >= phase.from_us and now_us < phase.until_us and (not phase.server or phase.server == server)
end

--- No faults from now on, but one: all servers but `only` refuse connections.
-- @tparam number only nil: none does
function _M:heal(only)
  self.list, self.only = {}, only
end

--- The fault that an attempt meets, or nil.
function _M:fault_of(attempt, now_us)
  if self.only and self.only ~= attempt.server then
    return faults.ALL.refused
  end
  for _, phase in ipairs(self.list) do
    if covers(phase, attempt.server, now_us) then
      if phase.outage then
        return faults.ALL[phase.outage]
      end
      for r, rate in ipairs(phase.rates) do
        if not rate.off and chance.fraction(self.base, attempt.key, phase.number * 10 + r) < rate.rate then
          return faults.ALL[rate.fault]
        end
      end
    end
  end
end

--- The traffic limit of a server now, or nil.
function _M:limit_of(server, now_us)
  for _, phase in ipairs(self.list) do
    if phase.limit and covers(phase, server, now_us) then
      return phase.limit
    end
  end
end

return _M

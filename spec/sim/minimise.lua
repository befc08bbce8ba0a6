--- Makes a failing run small: parts of its plan are left out as long as the
-- same invariant is still broken (delta debugging, greedily).

local plans = require "spec.sim.plan"
local worlds = require "spec.sim.world"

local _M = {}

-- So many runs are worth it: a few seconds.
local RUNS_MAX = 800

local function without(seed, parts, left_out)
  local plan = plans.of(seed)
  for i, part in ipairs(parts) do
    if left_out[i] then
      part.remove(plan)
    end
  end
  return plan
end

--- @tparam number seed
-- @tparam string invariant that its run breaks
-- @treturn table the plan that is left
-- @treturn number runs it took
function _M.plan(seed, invariant)
  local parts, left_out, runs = plans.parts(plans.of(seed)), {}, 0
  local function still_fails(from, to)
    local tried = setmetatable({}, { __index = left_out })
    for i = from, to do
      tried[i] = true
    end
    runs = runs + 1
    local failure = worlds.run(without(seed, parts, tried)).failure
    return failure ~= nil and failure.invariant == invariant
  end
  local size = math.ceil(#parts / 2)
  local again
  repeat
    again = false
    for from = 1, #parts, size do
      local to = math.min(from + size - 1, #parts)
      local new = false
      for i = from, to do
        new = new or not left_out[i]
      end
      if new and runs < RUNS_MAX and still_fails(from, to) then
        for i = from, to do
          left_out[i] = true
        end
        again = true
      end
    end
    again = again and size == 1
    size = math.max(math.floor(size / 2), 1)
  until runs >= RUNS_MAX or size == 1 and not again and runs > #parts
  return without(seed, parts, left_out), runs
end

return _M

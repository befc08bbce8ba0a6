--- Shared fetches: who waits for another is told when there is something to be
-- told, and nobody waits for a fetch that nobody makes.

local Flights = {}
Flights.__index = Flights

-- Is there another call under way that may be fetching the same, or was there
-- until this moment?
local function is_fetched(self, call)
  local names = self.world.plan.names -- whose look-ups are fetches of any call
  for _, other in ipairs(self.world.ledger.calls) do
    local under_way = not other.ended_us or other.ended_us >= call.ended_us
    if other ~= call and under_way and (names or other.row.operation == call.row.operation) then
      return true
    end
  end
  return false
end

function Flights:call_ended(call)
  local world, err = self.world, call.err
  local waited = err and err.kind == "deadline" and err.message:find "another call"
  if waited then
    world.ledger:mark "the deadline of a follower"
    if not world.plan.detects and not is_fetched(self, call) then
      world:fail("nobody waits for a fetch that nobody makes", "%s: %s", call.label, tostring(err))
    end
  end
end

function Flights:summed()
  local flights = self.world.client:status().flights
  if flights ~= 0 then
    self.world:fail("every flight lands", "%d have not", flights)
  end
end

return function(world)
  return setmetatable({ world = world }, Flights)
end

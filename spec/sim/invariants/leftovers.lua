--- Where nothing is under way, nobody waits: not in the client's own lists either.

local Leftovers = {}
Leftovers.__index = Leftovers

local LISTS = { "parked", "queued", "flights" }

function Leftovers:settled()
  local world, state = self.world, self.world.state
  for _, name in ipairs(LISTS) do
    if next(state[name]) ~= nil then
      world:fail("nothing is left under way", "%s", name)
    end
  end
  if state.source and state.source:busy() then
    world:fail("nothing is left under way", "a transfer")
  end
  for id, hold in pairs(state.held) do
    if hold.acting then
      world:fail("nothing is left under way", "an execute of run %s", id)
    end
  end
end

function Leftovers:ended()
  self:settled()
end

return function(world)
  return setmetatable({ world = world }, Leftovers)
end

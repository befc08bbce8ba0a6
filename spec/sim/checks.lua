--- What must hold, and when it is looked at. Each file of invariants/ gives a
-- function (world) → a table with some of these methods:
--
--   attempt_begun(attempt), served(attempt), attempt_told(attempt): the client
--   is told how it ended, call_ended(call), logged(message, fields), stepped()
--   settled()   nothing is under way
--   summed()    the same, on an open client, at the end
--   ended()     the client is closed

local _M = {}
_M.__index = _M

local FILES = {
  "breakers", "budget", "cache", "counts", "ends", "flights", "leftovers", "once", "pace", "queue", "repeats", "texts",
}
local EVENTS = {
  "attempt_begun", "served", "attempt_told", "call_ended", "logged", "stepped", "settled", "summed", "ended",
}

for _, event in ipairs(EVENTS) do
  _M[event] = function(self, ...)
    for _, invariant in ipairs(self[event .. "_list"]) do
      invariant[event](invariant, ...)
    end
  end
end

--- All invariants, for one run.
function _M.new(world)
  local self = setmetatable({}, _M)
  for _, event in ipairs(EVENTS) do
    self[event .. "_list"] = {}
  end
  for _, name in ipairs(FILES) do
    local invariant = require("spec.sim.invariants." .. name)(world)
    for _, event in ipairs(EVENTS) do
      if invariant[event] then
        table.insert(self[event .. "_list"], invariant)
      end
    end
  end
  return self
end

return _M

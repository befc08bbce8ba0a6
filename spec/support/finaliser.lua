--- Lua code that runs at a moment of the collector's choice, in any allocation:
-- what a user's object with __gc does.

local _M = {}

local STEP_BYTES_LOG2 = 13 -- of Lua 5.4: it has no way to ask

--- Makes the collector work a little in each allocation. @return a function
-- that sets it back
local function hurry()
  local pause, multiplier = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000)
  local mode = _VERSION == "Lua 5.4" and collectgarbage("incremental", 0, 0, 1)
  return function()
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", multiplier)
    if mode then
      collectgarbage("incremental", 0, 0, STEP_BYTES_LOG2)
      collectgarbage(mode)
    end
  end
end

--- @param fn function called once, when the collector finds what nobody holds
local function leave(fn)
  if newproxy then
    getmetatable(newproxy(true)).__gc = fn
  else
    setmetatable({}, { __gc = fn })
  end
end

--- Runs `act` many times, each time with another number of allocations between
-- the moment when the finaliser's object is dropped and the act.
-- @param prepare function of the round's number → finaliser, act
function _M.rounds(count, prepare)
  local calm = hurry()
  local fine, message = pcall(function()
    for round = 1, count do
      local finaliser, act = prepare(round)
      leave(finaliser)
      for _ = 1, round * 7 % 200 do
        local _ = {}
      end
      act()
    end
  end)
  calm()
  assert(fine, message)
end

return _M

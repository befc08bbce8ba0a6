--- Looks again and again until something is there.

local LOOKS_MAX, PAUSE_S = 600, 0.2

--- @tparam string what for the error when it never comes
-- @tparam function condition its first value that is true is returned
-- @tparam function sleep of seconds
return function(what, condition, sleep)
  for _ = 1, LOOKS_MAX do
    local value = condition()
    if value then
      return value
    end
    sleep(PAUSE_S)
  end
  error("not seen: " .. what, 2)
end

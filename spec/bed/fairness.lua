--- Who waits for a connection: that nobody gets one before another who asked the same client earlier, and still waits.

local core = require "dsclient.core"
local wait = require "dsclient.wait"

local _M = {}

-- One who asked before this one and still waits: one who was granted a connection
-- before, or whose time is over, has gone on by now.
local function overtaken(line, own)
  for _, other in ipairs(line) do
    if other == own then
      return nil
    elseif not other.left then
      return other
    end
  end
end

local function forget_first(line)
  while line[1] and line[1].left do
    table.remove(line, 1)
  end
end

--- Looks at all clients, until the function that it returns is called.
-- @tparam function fail (invariant, format, …)
-- @treturn table {waits = how often one waited, granted = how often one got it}
-- @treturn function
function _M.watch(fail)
  local for_connection, lines = wait.for_connection, setmetatable({}, { __mode = "k" })
  local seen = { waits = 0, granted = 0 }
  function wait.for_connection(state, key, seconds)
    local line = lines[state] or {}
    lines[state] = line
    seen.waits = seen.waits + 1
    local own = { number = seen.waits, left = false }
    line[#line + 1] = own
    local how = for_connection(state, key, seconds)
    own.left = true
    if how == "woken" and core.enter(state.client) then
      seen.granted = seen.granted + 1
      local other = overtaken(line, own)
      if other then
        fail("who waits longer gets a connection first", "wait %d before %d", own.number, other.number)
      end
    end
    forget_first(line)
    return how
  end
  return seen, function()
    wait.for_connection = for_connection
  end
end

return _M

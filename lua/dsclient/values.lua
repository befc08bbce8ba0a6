--- Any number of values as one, nils among them, on every Lua.

local _M = {}

--- @treturn table array of the values, with `n`, how many there are
function _M.pack(...)
  return { n = select("#", ...), ... }
end

_M.unpack = table.unpack or unpack -- luacheck: ignore unpack

return _M

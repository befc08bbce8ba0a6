--- Loads a part of this library when it is first used. On Lua 5.1 and LuaJIT a
-- module whose loading ended without memory is marked, and would never load
-- again: the mark is taken away, so that the next call may try.

-- What a module of ours may be. The mark is a light userdata, which LuaJIT shows as
-- a number.
local MODULE = { ["function"] = true, table = true }

local function forget_marks()
  for name, module in pairs(package.loaded) do
    if not MODULE[type(module)] and name:find "^dsclient%." then
      package.loaded[name] = nil
    end
  end
end

return function(name)
  local fine, module = pcall(require, name)
  if not fine then
    forget_marks()
    error(module, 0)
  end
  return module
end

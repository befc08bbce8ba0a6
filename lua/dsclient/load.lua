--- load(name): loads a part of this library when it is first used. On Lua 5.1 and
-- LuaJIT a module whose loading ended without memory is marked, and would never
-- load again: the mark is taken away, so that the next call may try.

-- What our modules load that is not ours.
local NEEDED = { cjson = true }

-- What a module may be. The mark is a light userdata, which LuaJIT shows as
-- a number.
local MODULE = { ["function"] = true, table = true }

local function forget_marks()
  for name, module in pairs(package.loaded) do
    if not MODULE[type(module)] and (NEEDED[name] or name:find "^dsclient%.") then
      package.loaded[name] = nil
    end
  end
end

local function load(_, name)
  local fine, module = pcall(require, name)
  if not fine then
    forget_marks()
    error(module, 0)
  end
  return module
end

--- A module that is loaded when something of it is first used: a table that is
-- filled then. For modules that change nothing of their own later.
local function later(name)
  return setmetatable({}, {
    __index = function(self, key)
      for field, value in pairs(load(nil, name)) do
        rawset(self, field, value)
      end
      setmetatable(self, nil)
      return self[key]
    end,
  })
end

return setmetatable({ later = later }, { __call = load })

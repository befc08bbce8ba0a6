-- Run by starve.c: each module is loaded without memory, then with it.
-- lua-cjson is loaded before: it ends the process where it finds none.
require "cjson"

local scenarios = {}

for i, module in ipairs { "dsclient.core", "dsclient.sys", "dsclient.curl", "dsclient" } do
  scenarios[i] = {
    name = "require " .. module,

    prepare = function() end,

    act = function()
      return require(module)
    end,

    check = function(_, thrown)
      assert(thrown == nil or tostring(thrown):find "memory", tostring(thrown))
      for name, value in pairs(package.loaded) do
        -- Lua 5.1 leaves a mark of its own where a module threw
        if name:find "^dsclient" and type(value) ~= "table" then
          package.loaded[name] = nil
        end
      end
      assert(type(require(module)) == "table")
      local client = require("dsclient").new { api_url = "http://127.0.0.1:1", token = "x" }
      assert(tostring(client):find "127.0.0.1")
      client:close()
    end,
  }
end

return scenarios

--- Each allocation of what users do fails in turn: no crash, no leak, and the
-- client works afterwards.

local compile = require "spec.support.compile"
local sandbox = require "dsclient.sandbox"

-- Most memory of LuaJIT does not come from malloc, and the sanitizer brings a
-- malloc of its own.
local asan = (os.getenv "LD_PRELOAD" or ""):find "asan"

if not jit and not asan then
  describe("starved of memory", function()
    local box, shim

    setup(function()
      box = sandbox.start()
      shim = compile("fail_malloc.c", "library")
    end)

    teardown(function()
      box:stop()
    end)

    for _, mode in ipairs { "once", "for_good" } do
      it("all goes on: each allocation fails " .. mode, function()
        local command = ("LD_PRELOAD='%s' %s spec/support/starve.lua '%s' '%s' '%s' %s 2>&1; echo status=$?"):format(
          shim, arg[-1], shim, box.url, box.token, mode)
        local pipe = io.popen(command)
        local output = pipe:read "*a"
        pipe:close()
        assert.truthy(output:find("status=0", 1, true), output)
        local _, scenarios = output:gsub("failed in turn", "")
        assert.equal(7, scenarios)
      end)
    end
  end)
end

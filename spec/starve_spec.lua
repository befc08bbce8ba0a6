--- Each allocation of what users do fails in turn: no crash, no leak, and the
-- client works afterwards.

local compile = require "spec.support.compile"
local sandbox = require "dsclient.sandbox"
local tcp_server = require "spec.support.tcp_server"

-- Most memory of LuaJIT does not come from malloc, and the sanitizer brings a
-- malloc of its own.
local asan = (os.getenv "LD_PRELOAD" or ""):find "asan"

if not jit and not asan then
  describe("starved of memory", function()
    local box, shim, server

    setup(function()
      box = sandbox.start()
      server = tcp_server.start()
      shim = compile("fail_malloc.c", "library")
    end)

    teardown(function()
      box:stop()
      server:stop()
    end)

    for _, mode in ipairs { "once", "for_good" } do
      it("all goes on: each allocation fails " .. mode, function()
        local command = ("LD_PRELOAD='%s' %s spec/support/starve.lua '%s' '%s' '%s' %s '%s' 2>&1; echo status=$?")
          :format(shim, arg[-1], shim, box.url, box.token, mode, server.url .. "/file/200000")
        local pipe = io.popen(command)
        local output = pipe:read "*a"
        pipe:close()
        assert.truthy(output:find("status=0", 1, true), output)
        local _, scenarios = output:gsub("failed in turn", "")
        assert.equal(11, scenarios)
      end)
    end
  end)
end

-- So many places of each scenario; all of them by DSCLIENT_STARVE=0.
local RUNS = tonumber(os.getenv "DSCLIENT_STARVE") or 40

if not asan then
  describe("a Lua state that has no memory", function()
    for _, script in ipairs { "require", "client", "tasks", "http1" } do
      for _, mode in ipairs { "once", "twice", "on", "end" } do
        it("fails and goes on: " .. script .. ", " .. mode, function()
          local host = compile("starve.c", "program", "-lcurl -ldl")
          local command = ("%s spec/support/starve_%s.lua lua %s %d"):format(host, script, mode, RUNS)
          command = ('LUA_PATH="spec/?.lua;$LUA_PATH" %s 2>&1; echo status=$?'):format(command)
          local pipe = io.popen(command)
          local output = pipe:read "*a"
          pipe:close()
          assert.truthy(output:find("status=0", 1, true), output)
          assert.truthy(output:find("failed in turn", 1, true), output)
        end)
      end
    end
  end)
end

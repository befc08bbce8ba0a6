--- Each allocation of a full call fails in turn: no crash, no leak, and the
-- client works afterwards. (On LuaJIT most memory does not come from malloc.)

local compile = require "spec.support.compile"
local measure = require "bench.measure"

local BODY = '{"code":0,"msg":"success","data":{"totalList":[{"id":1,"code":181535832683296,"name":"n",'
  .. '"startTime":"2024-01-01 00:00:00","state":"FAILURE"}],"total":1}}'

describe("starved of memory", function()
  local url, stop, shim

  setup(function()
    url, stop = measure.serve(BODY)
    shim = compile("fail_malloc.c", "library")
  end)

  teardown(function()
    stop()
  end)

  for _, mode in ipairs { "once", "for_good" } do
    it("a call survives: each allocation fails " .. mode, function()
      local asan = os.getenv "LD_PRELOAD" or ""
      if jit or asan:find "asan" then
        return -- the sanitizer brings its own malloc
      end
      local pipe = io.popen(("LD_PRELOAD='%s' %s spec/support/starve.lua '%s' '%s' %s 2>&1; echo status=$?"):format(
        shim, arg[-1] or "lua5.4", shim, url, mode))
      local output = pipe:read "*a"
      pipe:close()
      assert.truthy(output:find("status=0", 1, true), output)
      assert.truthy(output:find("failed in turn", 1, true), output)
    end)
  end
end)

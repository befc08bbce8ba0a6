-- The runtime of OpenResty, in nginx.

if not jit then
  return -- nginx runs the LuaJIT build
end

local inside_nginx = require "support.inside_nginx"

describe("the runtime of nginx keeps the contract:", function()
  inside_nginx.define("support.nginx_runtime_suite",
    { describe = describe, it = it, setup = setup, teardown = teardown })
end)

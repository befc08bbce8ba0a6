--- What every runtime must do, in light threads and over cosockets: see
-- inside_nginx.lua.

local contract = require "spec.runtime_contract"

return function(busted)
  contract({
    runtime = ngx and require "dsclient.runtime.nginx" or { park = true },
    in_tasks = true,
    run = function(fn)
      fn()
    end,
  }, busted)
end

--- Calls in a loop of libuv: while a coroutine waits for the server, the others go on, and what else the loop does.
--
--     DS_API_URL=http://127.0.0.1:12345 DS_TOKEN=… lua5.4 examples/luv_loop.lua

local dsclient = require "dsclient"
local uv = require "luv"

local client = assert(dsclient.from_env { runtime = require "dsclient.runtime.luv" })

-- Something else that the loop does.
local ticks, ticker = 0, uv.new_timer()
ticker:start(0, 1, function()
  ticks = ticks + 1
end)

-- Any coroutine may call; in a callback, which luv runs outside of one, calls block the loop.
coroutine.wrap(function()
  local projects = assert(client:get_projects())
  local runs, errs = client:map(projects, function(project) -- 8 calls at a time
    return client:get_failed_workflow_instances(project.code)
  end)
  for i, project in ipairs(projects) do
    print(project.name, runs[i] and #runs[i] .. " failed" or errs[i])
  end
  print(ticks > 0 and "the timer went on" or "the timer stood still")
  client:close()
  ticker:close()
end)()

uv.run() -- ends once nothing is under way any more

--- Calls in a controller of cqueues: while a coroutine waits for the server, the others go on.
--
--     DS_API_URL=http://127.0.0.1:12345 DS_TOKEN=… lua5.4 examples/cqueues_loop.lua

local cqueues = require "cqueues"
local dsclient = require "dsclient"

local client = assert(dsclient.from_env { runtime = require "dsclient.runtime.cqueues" })
local loop = cqueues.new()
local over = false

-- Something else that the loop does.
local ticks = 0
loop:wrap(function()
  while not over do
    cqueues.sleep(0.001)
    ticks = ticks + 1
  end
end)

loop:wrap(function()
  local projects = assert(client:get_projects())
  local runs, errs = client:map(projects, function(project) -- 8 calls at a time
    return client:get_failed_workflow_instances(project.code)
  end)
  for i, project in ipairs(projects) do
    print(project.name, runs[i] and #runs[i] .. " failed" or errs[i])
  end
  print(ticks > 0 and "the timer went on" or "the timer stood still")
  client:close()
  over = true
end)

assert(loop:loop()) -- ends with the last coroutine; an error in one comes out here

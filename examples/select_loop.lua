--- Calls in a loop of one's own, here over LuaSocket's select: a client is an object to select, and what is given to
-- dsclient.start goes on whenever client:step is called.
--
--     DS_API_URL=http://127.0.0.1:12345 DS_TOKEN=… lua5.4 examples/select_loop.lua

local dsclient = require "dsclient"
local socket = require "socket"

local client = assert(dsclient.from_env())

-- Something else that the loop does: it tells who connects how many projects were looked at.
local listener = assert(socket.bind("127.0.0.1", 0))
local looked_at = 0

local function answer()
  local peer = listener:accept()
  peer:send(looked_at .. " projects\n")
  peer:close()
end

dsclient.start(function()
  local projects = assert(client:get_projects())
  local runs, errs = client:map(projects, function(project) -- 8 calls at a time
    local list, err = client:get_failed_workflow_instances(project.code)
    looked_at = looked_at + 1
    return list, err
  end)
  for i, project in ipairs(projects) do
    print(project.name, runs[i] and #runs[i] .. " failed" or errs[i])
  end
end)

-- Somebody who connects.
local address, port = listener:getsockname()
local visitor = assert(socket.connect(address, port))

while client:step() > 0 do
  local readable = socket.select({ client, listener }, nil, client:timeout())
  if readable[listener] then
    answer()
  end
end
print("the visitor heard: " .. visitor:receive())
client:close()

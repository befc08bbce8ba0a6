--- The failed runs of all projects in the last day, and how well the client did.
--
--     DS_API_URL=http://127.0.0.1:12345 DS_TOKEN=… lua5.4 examples/failed_runs.lua

local dsclient = require "dsclient"

local DAY_S = 86400

local client = assert(dsclient.from_env {})
for _, project in ipairs(assert(client:get_projects())) do
  local runs, err = client:get_failed_workflow_instances(project.code, { start_date = os.time() - DAY_S })
  if not runs then
    io.stderr:write(project.name .. ": " .. err .. "\n")
  end
  for _, run in ipairs(runs or {}) do
    print(project.name, run.id, run.name, run.startTime, "run " .. run.runTimes)
  end
end
client:print_stats()
client:close()

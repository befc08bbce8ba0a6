-- Starts a workflow, waits for its end, and tells why it failed:
--
--   DS_API_URL=… DS_TOKEN=… lua examples/run_and_wait.lua PROJECT WORKFLOW

local dsclient = require "dsclient"

local project, workflow = arg[1], arg[2]
if not workflow then
  io.stderr:write "usage: lua examples/run_and_wait.lua PROJECT WORKFLOW\n"
  os.exit(2)
end

local client = assert(dsclient.from_env())
local run = assert(client.workflows:run_and_wait({ project = project, workflow = workflow }, { timeout_s = 600 }))
print(("run %d: %s after %g s"):format(run.instance_id, run.state, run.duration_s or 0))
if not run.ok then
  local diagnosis = assert(client.instances:diagnose { project = project, instance_id = run.instance_id })
  for _, task in ipairs(diagnosis.failed_tasks) do
    print(("%s failed%s: %s"):format(table.concat(task.path, " / "),
      task.exit_code and " with exit code " .. task.exit_code or "", task.cause or "cause unknown"))
    print(table.concat(task.log_tail, "\n"))
  end
end
client:close()
os.exit(run.ok and 0 or 1)

--- Definitions of workflows for a real server: tasks, one after the other.

local core = require "dsclient.core"

local _M = {}

-- The steps of a workflow. The folder above the one in which a task works belongs
-- to the run, and outlives the task.
local STEPS = {
  good = { "seq -f 'line %g' 1200" },
  flaky = { "echo the first step", "[ -e ../tried ] || { touch ../tried; exit 1; }" },
  broken = { "echo the first step", "echo the second fails; exit 3" },
  late = { "sleep 4", "echo at last" },
  hanging = { "sleep 3600" },
}

--- How many tasks a workflow of a kind has.
function _M.count(kind)
  return #STEPS[kind]
end

--- A workflow runs for a tenant, who in 3.1 must have an account on the
-- server's machine: ours.
function _M.tenant(client)
  local pipe = assert(io.popen "id -un")
  local tenant = pipe:read "*l"
  pipe:close()
  local created, err = client.tenants:create { tenant = tenant }
  local TAKEN = 10009
  assert(created or err.code == TAKEN, err)
  return tenant
end

--- One task.
function _M.one(code, name, script)
  return {
    code = code,
    name = name,
    taskType = "SHELL",
    flag = "YES",
    workerGroup = "default",
    taskParams = { localParams = core.array {}, resourceList = core.array {}, rawScript = script },
    taskPriority = "MEDIUM",
    environmentCode = "-1",
    failRetryTimes = 0,
    failRetryInterval = 1,
    timeoutFlag = "CLOSE",
    timeout = 0,
    delayTime = 0,
    taskExecuteType = "BATCH",
  }
end

local function relation(before, code)
  return {
    name = "",
    preTaskCode = before,
    preTaskVersion = 0,
    postTaskCode = code,
    postTaskVersion = 0,
    conditionType = "NONE",
    conditionParams = {},
  }
end

--- Tasks, relations and locations, a task for each code. A kind with fewer steps
-- repeats its last.
function _M.definition(codes, kind)
  local steps = STEPS[kind]
  local tasks, relations, locations = {}, {}, {}
  for i, code in ipairs(codes) do
    tasks[i] = _M.one(code, "step-" .. i, steps[i] or steps[#steps])
    relations[i] = relation(codes[i - 1] or "0", code)
    locations[i] = { taskCode = code, x = 200 * i, y = 100 }
  end
  return { tasks = tasks, relations = relations, locations = locations }
end

--- Defines a workflow.
-- @tparam string|nil state ONLINE where it is to be taken online
-- @treturn table the row of the server
function _M.workflow(client, project, name, kind, state)
  local codes = assert(client.tasks:generate_codes { project = project.code, count = _M.count(kind) })
  local definition = _M.definition(codes, kind)
  definition.project, definition.name, definition.tenant = project.code, name, _M.tenant(client)
  local workflow = assert(client.workflows:create(definition))
  if state then
    assert(client.workflows:release { project = project.code, workflow = workflow.code, state = state })
  end
  return workflow
end

return _M

--- Fills a server through dsclient itself, as the sandbox fills itself:
-- projects `<prefix>-1` and on, in each workflows of the given kinds in turn,
-- called `<kind>-<n>`, and one run of each workflow.

local core = require "dsclient.core"
local wait_for = require "spec.support.wait_for"

-- The steps of a workflow, one after the other. The folder above the one in
-- which a task works belongs to the run, and outlives the task.
local STEPS = {
  good = { "seq -f 'line %g' 1200" },
  flaky = { "echo the first step", "[ -e ../tried ] || { touch ../tried; exit 1; }" },
  broken = { "echo the first step", "echo the second fails; exit 3" },
  late = { "sleep 4", "echo at last" },
  hanging = { "sleep 3600" },
}

--- A workflow runs for a tenant, who in 3.1 must have an account on the
-- server's machine: ours.
local function ensure_tenant(client)
  local pipe = assert(io.popen "id -un")
  local tenant = pipe:read "*l"
  pipe:close()
  local created, err = client.tenants:create { tenant = tenant }
  local TAKEN = 10009
  assert(created or err.code == TAKEN, err)
  return tenant
end

local function task(code, number, script)
  return {
    code = code,
    name = "step-" .. number,
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

--- Defines a workflow, takes it online and starts a run.
local function add_workflow(client, project, kind, name, tenant)
  local steps = STEPS[kind]
  local tasks, relations, locations = {}, {}, {}
  local codes = assert(client.tasks:generate_codes { project = project.code, count = #steps })
  for i, code in ipairs(codes) do
    tasks[i] = task(code, i, steps[i])
    relations[i] = relation(codes[i - 1] or "0", code)
    locations[i] = { taskCode = code, x = 200 * i, y = 100 }
  end
  local workflow = assert(client.workflows:create {
    project = project.code,
    name = name,
    tasks = tasks,
    relations = relations,
    locations = locations,
    tenant = tenant,
  })
  assert(client.workflows:release { project = project.code, workflow = workflow.code, state = "ONLINE" })
  assert(client.workflows:start { project = project.code, workflow = workflow.code })
  return { code = workflow.code, name = name, kind = kind }
end

--- Have all runs come to where they stay?
local function is_settled(client, project)
  local kinds, count = {}, 0
  for _, workflow in ipairs(project.workflows) do
    kinds[workflow.code] = workflow.kind
  end
  for _, run in ipairs(assert(client.instances:list { project = project.code })) do
    local hangs = kinds[run.workflowDefinitionCode] == "hanging" and run.state == "RUNNING_EXECUTION"
    count = count + ((run.finished or hangs) and 1 or 0)
  end
  return count == #project.workflows
end

--- Seeds, and waits until the runs have ended (a hanging one: has begun).
-- @tparam userdata client
-- @tparam table given prefix; projects, workflows (of each): how many; kinds;
--   sleep: a function of seconds
-- @treturn table {{code, name, workflows = {{code, name, kind}}}}
return function(client, given)
  local tenant = ensure_tenant(client)
  local projects, counts = {}, {}
  for p = 1, given.projects do
    local name = given.prefix .. "-" .. p
    local project = { code = assert(client.projects:create { name = name }).code, name = name, workflows = {} }
    for w = 1, given.workflows do
      local kind = given.kinds[(w - 1) % #given.kinds + 1]
      counts[kind] = (counts[kind] or 0) + 1
      project.workflows[w] = add_workflow(client, project, kind, kind .. "-" .. counts[kind], tenant)
    end
    projects[p] = project
  end
  for _, project in ipairs(projects) do
    wait_for("the end of the runs of " .. project.name, function()
      return is_settled(client, project)
    end, given.sleep)
  end
  return projects
end

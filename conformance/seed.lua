--- Fills a server through dsclient itself, as the sandbox fills itself:
-- projects `<prefix>-1` and on, in each workflows of the given kinds in turn,
-- called `<kind>-<n>`, and one run of each workflow.

local progress = require "dsclient.progress"
local sys = require "dsclient.sys"
local tasks = require "conformance.tasks"
local wait_for = require "spec.support.wait_for"

--- Defines a workflow, takes it online and starts a run.
local function add_workflow(client, project, kind, name)
  local workflow = tasks.workflow(client, project, name, kind, "ONLINE")
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
--   sleep: a function of seconds; progress: of the workflows, as of a client's calls
-- @treturn table {{code, name, workflows = {{code, name, kind}}}}
return function(client, given)
  local projects, counts = {}, {}
  local counting = progress.new(given.progress, given.projects * given.workflows, sys.monotonic)
  for p = 1, given.projects do
    local name = given.prefix .. "-" .. p
    local project = { code = assert(client.projects:create { name = name }).code, name = name, workflows = {} }
    for w = 1, given.workflows do
      local kind = given.kinds[(w - 1) % #given.kinds + 1]
      counts[kind] = (counts[kind] or 0) + 1
      project.workflows[w] = add_workflow(client, project, kind, kind .. "-" .. counts[kind])
      counting:step()
    end
    projects[p] = project
  end
  counting:done()
  for _, project in ipairs(projects) do
    wait_for("the end of the runs of " .. project.name, function()
      return is_settled(client, project)
    end, given.sleep)
  end
  return projects
end

-- The command dsmonitor on a real server: what it says it did is held against
-- the server's own records, which are the runs, the task instances that each
-- try left behind, and the log of requests.

local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local new_command = require "conformance.command"
local seed = require "conformance.seed"
local wait_for = require "spec.support.wait_for"

local KINDS = { "good", "flaky", "broken", "good", "late" }
local PROJECTS, WORKFLOWS = 3, 10
local ALL = "demo-*"

-- How often dsmonitor tries one run, if not told otherwise.
local MAX_ATTEMPTS = 3

-- By default it leaves alone what had failed before it first came, and does
-- nothing when so many have; and it would take its time.
local CONFIG = [[
return { recover_existing = true, storm_min = 12, max_recoveries_per_round = 12, cooldown = "12s" }
]]

describe("dsmonitor on a real server", function()
  local url, token = assert(os.getenv "DS_API_URL"), assert(os.getenv "DS_TOKEN")
  local access_log = assert(os.getenv "DS_RUN") .. "/logs/access.log"
  local client, projects, command

  --- Starts dsmonitor on projects, with further arguments.
  local function launch(project, ...)
    return command:launch("--state", command.folder .. "/state", "--project", project, "--once", "--json", ...)
  end

  --- Exit status, and events by name.
  local function finish(process)
    local status, out = command:finish(process)
    return status, command:events(out)
  end

  local function run(...)
    return finish(launch(...))
  end

  setup(function()
    client = dsclient.new { api_url = url, token = token }
    projects = seed(client, {
      prefix = "demo",
      projects = PROJECTS,
      workflows = WORKFLOWS,
      kinds = KINDS,
      sleep = curl.sleep,
      progress = true,
    })
    command = new_command(url, token)
    command:write("config", CONFIG)
  end)

  teardown(function()
    command:close()
    client:close()
  end)

  --- How many executes reached the server, as it wrote them down itself.
  local function executes(project)
    local count = 0
    for line in io.lines(access_log) do
      if line:find("POST /dolphinscheduler/projects/" .. project.code .. "/executors/execute ", 1, true) then
        count = count + 1
      end
    end
    return count
  end

  --- The runs as they are, with the kinds of their workflows.
  local function all_runs()
    local kinds, all = {}, {}
    for _, project in ipairs(projects) do
      for _, workflow in ipairs(project.workflows) do
        kinds[workflow.code] = workflow.kind
      end
      for _, row in ipairs(assert(client.instances:list { project = project.code })) do
        all[#all + 1] = {
          id = row.id,
          project = project.name,
          project_code = project.code,
          kind = kinds[row.workflowDefinitionCode],
          state = row.state,
          run_times = row.runTimes,
          restarted_at = row.restarted_at,
        }
      end
    end
    table.sort(all, function(a, b)
      return a.id < b.id
    end)
    return all
  end

  local function all_executes()
    local counts = {}
    for i, project in ipairs(projects) do
      counts[i] = executes(project)
    end
    return counts
  end

  --- How often each run occurs in the events; {} where there are none.
  local function counted(events)
    local counts = {}
    for _, event in ipairs(events or {}) do
      counts[event.instance_id] = (counts[event.instance_id] or 0) + 1
    end
    return counts
  end

  --- Run → number, for the runs that `number_of` gives one.
  local function expected(number_of)
    local counts = {}
    for _, one in ipairs(all_runs()) do
      counts[one.id] = number_of(one) or nil
    end
    return counts
  end

  local function is_bad(one)
    return (one.kind == "flaky" or one.kind == "broken") and 1 or nil
  end

  local function of_last_project(one)
    return one.project == projects[PROJECTS].name
  end

  it("observes: it tells of each failed run once, and changes nothing", function()
    local before = all_runs()
    assert.equal(PROJECTS * WORKFLOWS, #before)
    local status, events = run(ALL)
    assert.equal(1, status)
    assert.same(expected(is_bad), counted(events.failed))
    assert.same(expected(is_bad), counted(events.would_recover))
    assert.is_nil(events.recovering)
    assert.same(before, all_runs())
    assert.same({ 0, 0, 0 }, all_executes())
  end)

  it("leaves alone what it finds failed at first, all in a storm, and all while it is paused", function()
    local before = all_runs()
    local status, events = run("demo-1", "--state", command.folder .. "/known.state", "--recover", "demo-1/*")
    assert.equal(1, status)
    assert.equal(4, #events.skipped)
    assert.truthy(events.skipped[1].reason:find "^known")
    status, events = run(ALL, "--state", command.folder .. "/storm.state", "--recover", "demo-*/*")
    assert.equal(1, status)
    assert.equal(1, #events.storm)
    command:write("paused.state.pause", "maintenance")
    status, events = run(ALL, "--state", command.folder .. "/paused.state", "--config", command.folder .. "/config",
      "--recover", "demo-*/*")
    assert.equal(1, status)
    assert.truthy(events.paused[1].reason:find "maintenance")
    assert.same(before, all_runs())
    assert.same({ 0, 0, 0 }, all_executes())
  end)

  it("recovers only what is on the list", function()
    local status, events = run(ALL, "--config", command.folder .. "/config", "--recover", "demo-3/flaky-*")
    local function listed(one)
      return of_last_project(one) and one.kind == "flaky" and 1 or nil
    end
    assert.equal(1, status)
    assert.same(expected(listed), counted(events.recovering))
    assert.same(expected(listed), counted(events.recovered))
    for _, one in ipairs(all_runs()) do
      assert.equal(listed(one) and 2 or 1, one.run_times)
      assert.equal(is_bad(one) and not listed(one) and "FAILURE" or "SUCCESS", one.state)
    end
    assert.same({ 0, 0, 2 }, all_executes())
  end)

  it("recovers each failed run, not more often than allowed, and alone", function()
    local monitor = launch(ALL, "--config", command.folder .. "/config", "--recover", "demo-*/*")
    wait_for("a recovery", function()
      return command:said(monitor):find '"recovering"'
    end, curl.sleep)
    local status, events = run(ALL, "--recover", "demo-*/*")
    assert.equal(5, status)
    assert.same({}, events)
    status, events = finish(monitor)
    assert.equal(1, status)

    local function attempts(one)
      return one.kind == "broken" and MAX_ATTEMPTS or one.kind == "flaky" and not of_last_project(one) and 1 or nil
    end
    assert.same(expected(attempts), counted(events.recovering))
    assert.same(expected(function(one)
      return one.kind == "flaky" and attempts(one)
    end), counted(events.recovered))
    assert.same(expected(function(one)
      return one.kind == "broken" and attempts(one)
    end), counted(events.failed_again))
    assert.is_nil(events.double_run)
    assert.is_nil(events.outcome_unknown)
    local run_times = { flaky = 2, broken = 1 + MAX_ATTEMPTS }
    for _, one in ipairs(all_runs()) do
      assert.equal(run_times[one.kind] or 1, one.run_times)
      assert.equal(one.kind == "broken" and "FAILURE" or "SUCCESS", one.state)
    end
  end)

  it("executed nothing twice, as the server tells", function()
    -- of each project 2 flaky and 2 broken ones
    local once_each = 2 + 2 * MAX_ATTEMPTS
    assert.same({ once_each, once_each, once_each }, all_executes())
    for _, one in ipairs(all_runs()) do
      local tries, valid = {}, {}
      for _, task in ipairs(assert(client:get_task_instances(one.project, { instance_id = one.id }))) do
        tries[task.name] = (tries[task.name] or 0) + 1
        valid[task.name] = (valid[task.name] or 0) + (task.flag == "YES" and 1 or 0)
      end
      local bad = one.kind == "flaky" or one.kind == "broken"
      assert.same(bad and one.run_times or nil, bad and tries["step-2"] or nil)
      assert.equal(1, tries["step-1"])
      for _, count in pairs(valid) do
        assert.equal(1, count)
      end
    end
  end)

  it("does nothing more, with its state and without", function()
    local before = all_runs()
    for _ = 1, 2 do
      local status, events = run(ALL, "--config", command.folder .. "/config", "--recover", "demo-*/*")
      assert.equal(1, status)
      assert.is_nil(events.recovering)
      assert.same(before, all_runs())
      os.remove(command.folder .. "/state") -- the second one has forgotten
    end
  end)

  it("ends with 0 where all is well", function()
    seed(client, { prefix = "healthy", projects = 1, workflows = 1, kinds = { "good" }, sleep = curl.sleep })
    local status, events = run("healthy-*")
    assert.equal(0, status)
    assert.is_nil(events.failed)
    assert.equal(1, #events.round)
  end)

  it("ends with 3 where nothing listens, with 4 where it is refused", function()
    local status = run(ALL, "--api-url", "http://127.0.0.1:1", "--state", command.folder .. "/other")
    assert.equal(3, status)
    status = run(ALL, "--token-file", command:write("wrong", "wrong"))
    assert.equal(4, status)
  end)
end)

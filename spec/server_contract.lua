--- What holds between dsclient and a server, whichever it is: a real
-- DolphinScheduler (conformance/) or the sandbox. A spec calls this inside a
-- `describe`:
--
--     contract({version = "3.1.1", start = function() return server end},
--       {describe = describe, it = it, setup = setup, teardown = teardown})
--
-- A server is {url, token, sleep = function(seconds), stop = function()}, and
-- gets a project of its own. busted gives these functions to spec files only.

local assert = require "luassert"
local dsclient = require "dsclient"
local seed = require "conformance.seed"
local wait_for = require "spec.support.wait_for"

local KINDS = { "good", "flaky", "broken", "late", "hanging" }

-- What differs between the lines: the dialect, and the codes of refusals (none:
-- it is not refused).
local LINES = {
  ["3.1.1"] = {
    dialect = "process",
    wrong_state = 50006, wrong_action = 50015, wrong_project = 10190, unknown_workflow = 50014, offline = 50004,
  },
  ["3.2.2"] = {
    dialect = "process",
    wrong_state = 50015, wrong_action = 50015, wrong_project = 10190, unknown_workflow = 50014, offline = 50004,
  },
  ["3.4.1"] = { dialect = "workflow", wrong_state = 10000, wrong_action = 50015, unknown_workflow = 10000 },
}
local RAW_CODE = { process = "processDefinitionCode", workflow = "workflowDefinitionCode" }

local UNKNOWN_CODE, UNKNOWN_ID = "12345", 999999

-- Nothing listens there.
local DEAD_URL = "http://127.0.0.1:1"

local function ids(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.id
  end
  table.sort(list)
  return list
end

local function where(rows, condition)
  local list = {}
  for _, row in ipairs(rows) do
    if condition(row) then
      list[#list + 1] = row
    end
  end
  return list
end

local function find(rows, key, value)
  return where(rows, function(row)
    return row[key] == value
  end)[1]
end

--- Writes a file of this name anew.
local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

return function(given, busted)
  local describe, it = busted.describe, busted.it
  local line = LINES[given.version]
  local server, client, project

  --- A client; with options of `dsclient.new` that replace the common ones.
  local function connect(options)
    local all = { api_url = server.url, token = server.token, max_retries = 0 }
    for name, value in pairs(options or {}) do
      all[name] = value or nil
    end
    return dsclient.new(all)
  end

  busted.setup(function()
    server = given.start()
    client = connect()
    project = seed(client, {
      prefix = "contract",
      projects = 1,
      workflows = #KINDS,
      kinds = KINDS,
      sleep = server.sleep,
    })[1]
  end)

  busted.teardown(function()
    client:close()
    server.stop()
  end)

  local function workflow(kind)
    return find(project.workflows, "kind", kind)
  end

  local function runs(filter)
    filter = filter or {}
    filter.project = project.code
    return assert(client.instances:list(filter))
  end

  local function get(id)
    return assert(client.instances:get { project = project.code, instance_id = id })
  end

  --- The run that the seed made, which no spec acts on.
  local function seeded_run(kind)
    local all = runs { workflow = workflow(kind).code }
    local first = ids(all)[1]
    return find(all, "id", first)
  end

  local function wait_for_state(id, state, run_times)
    return wait_for(("run %d %s, runTimes %d"):format(id, state, run_times), function()
      local run = get(id)
      return run.state == state and run.runTimes == run_times and run
    end, server.sleep)
  end

  --- Starts a run and waits until it is in this state; up to 3.1 the answer
  -- does not say which it is.
  local function start(kind, state)
    local filter = { workflow = workflow(kind).name }
    local newest = ids(runs(filter))
    newest = newest[#newest]
    assert(client.workflows:start { project = project.name, workflow = workflow(kind).name })
    local run = wait_for("a new run of " .. kind, function()
      return where(runs(filter), function(row)
        return row.id > newest
      end)[1]
    end, server.sleep)
    return wait_for_state(run.id, state, 1).id
  end

  local function address(id)
    return { project = project.code, instance_id = id }
  end

  --- It failed as expected: a table of fields of the error.
  local function fails(expected, value, err)
    assert.is_nil(value)
    for field, wanted in pairs(expected) do
      assert.equal(wanted, err[field], tostring(err))
    end
    assert.is_nil(tostring(err):find(server.token, 1, true))
    return err
  end

  local function refused(code, value, err)
    return fails({ kind = "api", code = code }, value, err)
  end

  describe("a connection", function()
    it("finds out the server line and the user by itself, once", function()
      local found = {}
      local one = connect {
        log = function(_, _, fields)
          found[#found + 1] = fields.dialect
        end,
      }
      local about = assert(one:check_connection())
      assert.equal(line.dialect, about.dialect)
      assert.equal("admin", about.user)
      assert.equal("UTC", about.time_zone)
      assert.equal(1, about.user_id)
      assert(one.instances:list { project = project.code })
      assert.same({ line.dialect }, found)
      one:close()
    end)

    it("asks nothing where the version is told", function()
      local one = connect { server_version = given.version }
      local about = assert(one:check_connection())
      assert.equal(line.dialect, about.dialect)
      assert.equal(given.version, about.version)
      assert.same(ids(runs()), ids(assert(one.instances:list { project = project.name })))
      assert.is_nil(one:get_all_metrics()["server.detect"])
      one:close()
    end)

    it("with a wrong token is refused, for reading as for acting", function()
      local one = connect { token = "wrong-" .. server.token }
      fails({ kind = "auth", status = 401 }, one:check_connection())
      fails({ kind = "auth", status = 401 }, one:get_projects())
      fails({ kind = "auth", status = 401 }, one.instances:recover(address(seeded_run("broken").id)))
      one:close()
      one = connect { token = false }
      fails({ kind = "auth", status = 401 }, one:get_projects())
      one:close()
      assert.equal(1, seeded_run("broken").runTimes)
    end)

    it("takes the token from a file, and reads it again when it was refused", function()
      local path = os.tmpname()
      write(path, "not-yet\n")
      local one = connect { token = false, token_file = path }
      fails({ kind = "auth" }, one:get_projects())
      write(path, server.token .. "\n")
      local projects, err = one:get_projects()
      os.remove(path)
      assert.is_nil(err)
      assert.truthy(find(projects, "code", project.code))
      -- from here on it is remembered
      assert(one:get_projects { refresh = true })
      one:close()
    end)

    it("to a wrong base path is told apart from a server that refuses", function()
      local root = server.url:match "^(%a+://[^/]+)"
      for _, base in ipairs { root .. "/elsewhere", server.url .. "/elsewhere" } do
        local one = connect { api_url = base }
        fails({ kind = "not_api" }, one:check_connection())
        fails({ kind = "not_api" }, one:get_projects())
        fails({ kind = "not_api" }, one.instances:list { project = project.code })
        fails({ kind = "not_api" }, one.instances:recover(address(seeded_run("broken").id)))
        one:close()
      end
    end)

    it("goes on to the next server where nothing listens, for acting too", function()
      local one = connect { api_url = false, api_urls = { DEAD_URL, server.url }, max_retries = 2, backoff_s = 0 }
      assert.same(ids(runs()), ids(assert(one.instances:list { project = project.code })))
      refused(line.wrong_state, one.instances:recover(address(seeded_run("good").id)))
      one:close()
      one = connect { api_url = DEAD_URL }
      fails({ kind = "connect" }, one:check_connection())
      one:close()
    end)
  end)

  describe("a list", function()
    it("has the projects, from the cache the second time", function()
      local projects, _, meta = client:get_projects { refresh = true }
      assert.equal(project.code, find(projects, "name", project.name).code)
      assert.is_false(meta.cached)
      local again
      again, _, meta = client:get_projects()
      assert.is_true(meta.cached)
      assert.same(projects, again)
    end)

    it("has the definitions, by code and by name of the project", function()
      for _, given_project in ipairs { project.code, project.name, { name = project.name } } do
        local rows = assert(client:get_process_definitions(given_project, { cache = false }))
        assert.equal(#KINDS, #rows)
        for _, expected in ipairs(project.workflows) do
          local row = find(rows, "code", expected.code)
          assert.equal(expected.name, row.name)
          assert.equal("ONLINE", row.releaseState)
          assert.equal(project.code, row.projectCode)
        end
      end
      local simple = assert(client.workflows:simple_list { project = project.code })
      for _, expected in ipairs(project.workflows) do
        assert.equal(expected.name, find(simple, "code", expected.code).name)
      end
    end)

    it("has rows with codes as strings, ids as integers, states and times", function()
      for kind, state in pairs { good = "SUCCESS", flaky = "FAILURE", broken = "FAILURE", late = "SUCCESS",
        hanging = "RUNNING_EXECUTION" } do
        local run = seeded_run(kind)
        assert.equal(state, run.state)
        assert.equal(workflow(kind).code, run.workflowDefinitionCode)
        assert.equal(1, run.workflowDefinitionVersion)
        assert.equal(1, run.runTimes)
        assert.equal(("%d"):format(run.id), tostring(run.id))
        assert.equal("START_PROCESS", run.commandType)
        assert.same({ state == "FAILURE", kind ~= "hanging", kind == "hanging" },
          { run.failed, run.finished, run.running })
        assert.equal(run.startTime, os.date("!%Y-%m-%d %H:%M:%S", run.started_at))
        assert.equal(kind ~= "hanging", run.ended_at ~= nil and run.ended_at >= run.started_at)
      end
    end)

    it("is the same whatever the page's size", function()
      local small = { page_size = 2 }
      local function both(list)
        local whole, paged = list {}, list(small)
        assert.is_true(#whole > 2)
        assert.same(ids(whole), ids(paged))
      end
      both(function(args)
        return assert(client.instances:list { project = project.code, page_size = args.page_size })
      end)
      both(function(args)
        return assert(client.task_instances:list { project = project.code, page_size = args.page_size })
      end)
      both(function(args)
        return assert(client.workflows:list({ project = project.code, page_size = args.page_size }, { cache = false }))
      end)
      local rows = {}
      for row in client.instances:each { project = project.code, page_size = 1 } do
        rows[#rows + 1] = row
      end
      assert.same(ids(runs()), ids(rows))
      local pages, count = client.instances:pages { project = project.code, page_size = 3 }, 0
      for page in pages.next do
        count = count + #page
      end
      assert.equal(#rows, count)
    end)

    it("that is longer than rows_max is an error that tells its length", function()
      local err = fails({ kind = "limit" },
        client.instances:list { project = project.code, rows_max = 1, page_size = 1 })
      assert.equal(#runs(), err.total)
    end)

    it("can be filtered by state", function()
      local all = runs()
      for _, state in ipairs { "FAILURE", "SUCCESS", "RUNNING_EXECUTION", "STOP", "READY_PAUSE" } do
        local expected = where(all, function(run)
          return run.state == state
        end)
        assert.same(ids(expected), ids(runs { state = state }), state)
      end
      local failed = assert(client:get_failed_workflow_instances(project.name))
      assert.truthy(find(failed, "id", seeded_run("broken").id))
      assert.same(ids(runs { state = "FAILURE" }), ids(failed))
    end)

    it("can be filtered by definition, by a part of the name, by who and where", function()
      local one = workflow "flaky"
      local expected = where(runs(), function(run)
        return run.workflowDefinitionCode == one.code
      end)
      assert.is_true(#expected > 0)
      for _, filter in ipairs {
        { workflow = one.code },
        { workflow = one.name },
        { workflow = { name = one.name } },
        { search = one.name },
      } do
        assert.same(ids(expected), ids(runs(filter)))
      end
      assert.same({ seeded_run("flaky").id }, ids(runs { search = seeded_run("flaky").name }))
      assert.same({}, runs { search = "no run is called so" })
      assert.same({}, runs { workflow = UNKNOWN_CODE })
      assert.same(ids(runs()), ids(runs { executor = "admin" }))
      assert.same({}, runs { executor = "nobody" })
      assert.truthy(find(runs { host = seeded_run("good").host }, "id", seeded_run("good").id))
      assert.same({}, runs { host = "192.0.2.1" })
    end)

    it("can be filtered by the time of the start", function()
      local all = runs()
      local at = seeded_run("late").started_at
      local function within(from, to)
        return ids(where(all, function(run)
          return (not from or run.started_at >= from) and (not to or run.started_at <= to)
        end))
      end
      -- The server compares fractions of a second that it does not tell: bounds
      -- lie where no run started.
      local function free(second, step)
        while find(all, "started_at", second) or find(all, "started_at", second - 1) do
          second = second + step
        end
        return second
      end
      local before, after = free(at, -1), free(at + 1, 1)
      for _, window in ipairs { { before, nil }, { nil, after }, { before, after }, { after, nil }, { nil, before } } do
        local from, to = window[1], window[2]
        assert.same(within(from, to), ids(runs { start_date = from, end_date = to }))
        assert.same(within(from, to), ids(runs {
          start_date = from and os.date("!%Y-%m-%d %H:%M:%S", from),
          end_date = to and os.date("!%Y-%m-%d %H:%M:%S", to),
        }))
      end
      assert.truthy(find(runs { start_date = before, end_date = after }, "id", seeded_run("late").id))
      assert.same({}, runs { end_date = before - 86400 })
    end)

    it("is refused with a state or a date that the server does not know", function()
      refused(10113, client.instances:list { project = project.code, state = "NO_SUCH_STATE" })
      fails({ kind = "argument", argument = "state" },
        client.instances:list { project = project.code, state = "failure" })
      fails({ kind = "argument", argument = "start_date" },
        client.instances:list { project = project.code, start_date = "yesterday" })
    end)

    it("gives the server's own form on demand", function()
      local rows = assert(client.instances:list({ project = project.code }, { raw = true }))
      assert.equal("number", type(rows[1][RAW_CODE[line.dialect]]))
      assert.is_nil(rows[1].started_at)
    end)
  end)

  describe("what is not there", function()
    it("is an error with near names, where names are looked up", function()
      local err = fails({ kind = "not_found", argument = "project" },
        client.instances:list { project = project.name .. "x" })
      assert.equal(project.name, err.near[1])
      err = fails({ kind = "not_found", argument = "workflow" },
        client.instances:list { project = project.code, workflow = "flakey-1" })
      assert.equal(workflow("flaky").name, err.near[1])
      fails({ kind = "not_found", argument = "workflow" },
        client.workflows:start { project = project.code, workflow = "flakey-1" })
    end)

    it("is refused by the server, where codes and ids are given", function()
      refused(10018, client.projects:get { project = UNKNOWN_CODE })
      refused(10190, client.workflows:list { project = UNKNOWN_CODE })
      refused(10190, client.instances:list { project = UNKNOWN_CODE })
      refused(10190, client:get_task_instances(UNKNOWN_CODE))
      refused(50003, client.workflows:get { project = project.code, workflow = UNKNOWN_CODE })
      refused(50001, client.instances:get(address(UNKNOWN_ID)))
      refused(50001, client.instances:tasks(address(UNKNOWN_ID)))
      refused(10008, client.task_instances:log_part { task_instance_id = UNKNOWN_ID })
      assert.same({}, client.task_instances:list(address(UNKNOWN_ID)))
    end)
  end)

  describe("a definition", function()
    it("comes back as it was written", function()
      local late = workflow "late"
      local definition = assert(client.workflows:get { project = project.name, workflow = late.name })
      assert.equal(late.code, definition.workflowDefinition.code)
      local tasks = definition.taskDefinitionList
      table.sort(tasks, function(a, b)
        return a.name < b.name
      end)
      assert.same({ "step-1", "step-2" }, { tasks[1].name, tasks[2].name })
      assert.equal("sleep 4", tasks[1].taskParams.rawScript)
      local first = find(definition.workflowTaskRelationList, "preTaskCode", "0")
      local second = find(definition.workflowTaskRelationList, "preTaskCode", tasks[1].code)
      assert.equal(tasks[1].code, first.postTaskCode)
      assert.equal(tasks[2].code, second.postTaskCode)
    end)

    it("that is offline is not started, and cannot be removed online", function()
      local good = { project = project.code, workflow = workflow("good").code }
      local before = #runs { workflow = good.workflow }
      assert(client.workflows:release { project = project.code, workflow = good.workflow, state = "OFFLINE" })
      if line.offline then
        refused(line.offline, client.workflows:start(good))
      end
      local row = find(assert(client.workflows:list({ project = project.code })), "code", good.workflow)
      assert.equal("OFFLINE", row.releaseState)
      for _ = 1, 2 do
        assert(client.workflows:release { project = project.code, workflow = good.workflow, state = "ONLINE" })
      end
      refused(50021, client.workflows:delete(good))
      assert.equal(before, #runs { workflow = good.workflow })
    end)
  end)

  describe("a project", function()
    it("whose name is made of digits is created, found, and removed", function()
      local name = "20240229"
      local created = assert(client.projects:create { name = name })
      refused(10019, client.projects:create { name = name })
      local row = assert(client.projects:get { project = { name = name } })
      assert.equal(created.code, row.code)
      assert.same({}, client.workflows:list { project = { name = name } })
      assert(client.projects:delete { project = created.code })
      fails({ kind = "not_found" }, client.projects:get { project = { name = name } })
    end)
  end)

  describe("a run", function()
    it("tells of itself the same as in the list, with its definition", function()
      local listed = seeded_run "flaky"
      local run = get(listed.id)
      for _, key in ipairs { "id", "name", "state", "runTimes", "workflowDefinitionCode", "startTime", "endTime",
        "started_at", "ended_at", "failed", "finished", "running" } do
        assert.equal(listed[key], run[key], key)
      end
      assert.equal(workflow("flaky").code, run.dagData.workflowDefinition.code)
      assert.equal(2, #run.dagData.taskDefinitionList)
    end)

    it("has tasks, which are among the task instances of the project", function()
      local id = seeded_run("flaky").id
      local tasks = assert(client.instances:tasks(address(id)))
      assert.equal("FAILURE", tasks.workflowInstanceState)
      assert.same({ "SUCCESS", "FAILURE" },
        { find(tasks.taskList, "name", "step-1").state, find(tasks.taskList, "name", "step-2").state })
      local listed = assert(client.task_instances:list(address(id)))
      assert.same(ids(tasks.taskList), ids(listed))
      local failed = assert(client:get_task_instances(project.name, { instance_id = id, state = "FAILURE" }))
      assert.same({ find(tasks.taskList, "name", "step-2").id }, ids(failed))
      assert.same(ids(failed), ids(assert(client.task_instances:list {
        project = project.code,
        instance_id = id,
        task_name = "step-2",
      })))
      assert.is_true(failed[1].failed)
      assert.equal(id, failed[1].workflowInstanceId)
      assert.equal(seeded_run("flaky").name, failed[1].workflowInstanceName)
    end)

    it("has logs, which are read to their end in parts of any size", function()
      local task = assert(client.task_instances:list(address(seeded_run("good").id)))[1]
      local function read(limit)
        local parts, skip = {}, 0
        repeat
          local part = assert(client.task_instances:log_part { task_instance_id = task.id, skip = skip, limit = limit })
          parts[#parts + 1] = part.message
          skip = skip + part.lineNum
        until part.message == ""
        return table.concat(parts)
      end
      local whole, number = read(), 0
      for n in whole:gmatch "line (%d+)%s" do
        number = number + 1
        assert.equal(number, tonumber(n))
      end
      assert.is_true(number >= 20)
      assert.equal(whole, read(7 * number))
      assert.equal(whole, read(math.ceil(number / 5)))
    end)
  end)

  describe("acting on a run", function()
    --- None of these verbs is taken, and nothing comes of it.
    local function takes_none(id, verbs)
      local before = get(id)
      for _, verb in ipairs(verbs) do
        refused(line.wrong_state, client.instances[verb](client.instances, address(id)))
      end
      local run = get(id)
      assert.same({ before.state, before.runTimes }, { run.state, run.runTimes })
    end

    it("is refused where its state does not allow it", function()
      takes_none(seeded_run("good").id, { "recover", "pause", "stop", "resume" })
      takes_none(seeded_run("broken").id, { "pause", "stop", "resume" })
      takes_none(seeded_run("hanging").id, { "recover", "rerun", "resume" })
    end)

    it("is refused where there is no such run, project, workflow or action", function()
      local id = seeded_run("broken").id
      refused(50001, client.instances:recover(address(UNKNOWN_ID)))
      if line.wrong_project then
        refused(line.wrong_project, client.instances:recover { project = UNKNOWN_CODE, instance_id = id })
      end
      refused(line.wrong_action, client.instances:execute {
        project = project.code,
        instance_id = id,
        execute_type = "NO_SUCH_ACTION",
      })
      refused(line.unknown_workflow, client.workflows:start { project = project.code, workflow = UNKNOWN_CODE })
      assert.equal(1, get(id).runTimes)
    end)

    it("starts one, which succeeds, and runs it again", function()
      local id = start("good", "SUCCESS")
      assert.is_true(client.instances:rerun(address(id)))
      wait_for_state(id, "SUCCESS", 2)
    end)

    it("recovers it once, though asked twice at once", function()
      local id = start("flaky", "FAILURE")
      local failed = find(assert(client.task_instances:list(address(id))), "state", "FAILURE")
      assert.is_true(client:execute_failure_recovery(project.name, id))
      local second, err = client:execute_failure_recovery(project.name, id)
      assert.is_nil(second)
      assert.is_true(err.kind == "busy" or err.code == line.wrong_state, tostring(err))
      local run = wait_for_state(id, "SUCCESS", 2)
      assert.equal("START_FAILURE_TASK_PROCESS", run.commandType)
      assert.is_false(run.failed)
      -- the tried task is put aside, another one was made for it
      local tasks = assert(client.task_instances:list(address(id)))
      assert.equal("NO", find(tasks, "id", failed.id).flag)
      local again = where(tasks, function(task)
        return task.name == failed.name and task.flag == "YES"
      end)
      assert.equal(1, #again)
      assert.equal("SUCCESS", again[1].state)
      assert.same({}, where(assert(client.instances:tasks(address(id))).taskList, function(task)
        return task.id == failed.id
      end))
    end)

    it("recovers one that fails again", function()
      local id = start("broken", "FAILURE")
      assert.is_true(client.instances:recover(address(id)))
      assert.is_true(wait_for_state(id, "FAILURE", 2).failed)
    end)

    it("pauses and resumes it", function()
      local id = start("late", "RUNNING_EXECUTION")
      assert.is_true(client.instances:pause(address(id)))
      local run = wait_for_state(id, "PAUSE", 1)
      assert.same({ false, true, false }, { run.failed, run.finished, run.running })
      assert.is_true(client.instances:resume(address(id)))
      wait_for("the end of run " .. id, function()
        return get(id).state == "SUCCESS"
      end, server.sleep)
    end)

    it("stops it", function()
      local id = start("hanging", "RUNNING_EXECUTION")
      assert.is_true(client.instances:stop(address(id)))
      local run = wait_for_state(id, "STOP", 1)
      assert.same({ false, true, false }, { run.failed, run.finished, run.running })
      takes_none(id, { "recover", "pause", "stop" })
    end)
  end)
end

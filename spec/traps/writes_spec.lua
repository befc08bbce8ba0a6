--- What must not be sent twice, what may be, and what a start or an execute does
-- that nobody expects. The numbers in the titles are those of the facts about the
-- server's API; traps_spec.lua sees to it that none is missing.

local bed = require "support.bed"
local operations = require "dsclient.operations"
local set = require "support.set"

local ok, refused, status = bed.ok, bed.refused, bed.status

local START = { project = "1", workflow = "2" }
local RUN = { project = "1", instance_id = 7 }

--- All rows that fit, by name.
local function rows_where(fits)
  local found = {}
  for _, name in ipairs(operations.names()) do
    local row = operations.find(name)
    found[name] = row.name == row.operation and fits(row) or nil
  end
  return found
end

--- A server where run 7 is in this state, and all else is fine.
local function bed_of(state, options)
  return bed.new(function(request)
    if request.method == "GET" and request.path:find "instances/7$" then
      return ok(('{"id":7,"state":"%s","runTimes":1}'):format(type(state) == "function" and state() or state))
    end
    return ok()
  end, options)
end

local function kind_of(_, err)
  return err and err.kind or "ok"
end

--- The kind of a failed call, its code, and how often it was sent.
local function refusal(answer, name, args, options)
  local b = bed.new({ answer }, options)
  local _, err = b.client:call(name, args)
  return { err.kind, err.code, #b.requests }
end

describe("a trap of the server's writes:", function()
  it("fact 6: in 3.2 a second execute is taken, too: the client sends none while the run has not moved", function()
    local b = bed_of("FAILURE", { server_version = "3.2.2" })
    assert(b.client.instances:recover(RUN))
    assert.equal("busy", kind_of(b.client.instances:recover(RUN)))
    local posts = 0
    for _, request in ipairs(b.requests) do
      posts = posts + (request.method == "POST" and 1 or 0)
    end
    assert.equal(1, posts)
  end)

  it("fact 7: two GETs switch a version: each is sent, none is cached, shared or taken for a read", function()
    local switching = rows_where(function(row)
      return row.method == "GET" and row.replay ~= "read"
    end)
    assert.same(set "workflows.switch_version tasks.switch_version", switching)
    local b = bed.new({ ok() }, { cache_ttl_s = {} })
    for _ = 1, 3 do
      assert(b.client.workflows:switch_version({ project = "1", workflow = "2", version = 3 }, { ttl_s = 60 }))
    end
    assert.equal(3, #b.requests)
  end)

  it("fact 8: some POSTs read, and no other one does", function()
    assert.same(set [[
      access_tokens.generate alert_groups.get clusters.verify_name datasources.connect environments.verify_name
      lineages.verify_delete namespaces.verify queues.verify schedules.all schedules.preview schedules.search
      task_instances.get tasks.search workflows.batch_export workflows.search workflows.start_check
    ]], rows_where(function(row)
      return row.method ~= "GET" and row.replay == "read"
    end))
    local b = bed.new({ status(502), ok "[]" })
    assert(b.client.schedules:all { project = "1" })
    assert.equal(2, #b.requests)
  end)

  it("fact 9: some GETs have a JSON body, and some without one have to say that they send JSON", function()
    local function request_of(name, args)
      local b = bed.new({ bed.PAGE }, { server_version = "3.4.1" })
      b.client:call(name, args)
      return b.requests[1], table.concat(b.requests[1].headers, "\n"):lower()
    end
    local request, headers = request_of("instances.search", { project_name = "p", workflow_name = "w" })
    assert.equal("GET", request.method)
    assert.truthy(request.body:find('"projectName":"p"', 1, true))
    assert.truthy(headers:find("content-type: application/json", 1, true))
    request, headers = request_of("statistics.workflow_states_count", {})
    assert.equal("{}", request.body)
    assert.truthy(headers:find("content-type: application/json", 1, true))
    request, headers = request_of("task_instances.get", { project = "1", task_instance_id = 7 })
    assert.equal("POST", request.method)
    assert.truthy(headers:find("content-type: application/json", 1, true))
    local posted = rows_where(function(row)
      return row.method == "GET" and row.body ~= nil
    end)
    assert.same(set [[ instances.search statistics.task_states_count statistics.workflow_states_count
      statistics.workflow_users_count ]], posted)
  end)

  it("§5.1: what asks a worker or another service reads, and is kept by no cache of its own accord", function()
    for _, name in ipairs { "datasources.test", "datasources.databases", "datasources.tables",
      "datasources.columns", "cloud.azure_factories", "task_instances.log_part", "task_instances.download_log" } do
      local row = operations.find(name)
      assert.equal("read", row.replay, name)
      assert.is_nil(row.ttl_s, name)
    end
  end)

  it("§5.2: a command that waits, or a state that forbids it, refuses a second execute: nothing is repeated", function()
    for _, code in ipairs { 50009, 50006, 50015, 50001, 30002 } do
      assert.same({ "api", code, 1 }, refusal(refused(code), "instances.execute",
        { project = "1", instance_id = 7, execute_type = "REPEAT_RUNNING" }))
    end
  end)

  it("§5.3: what has no key that makes it the same is sent once, whatever breaks", function()
    local once = {
      ["workflows.start"] = START, ["workflows.batch_start"] = { project = "1", workflows = "2" },
      ["instances.execute"] = { project = "1", instance_id = 7, execute_type = "STOP" },
      ["instances.batch_execute"] = { project = "1", instance_ids = "7", execute_type = "STOP" },
      ["tasks.start"] = { project = "1", task = "2", version = 1 },
      ["access_tokens.create"] = { user_id = 1, expires = "2099-01-01 00:00:00" },
      ["workflows.batch_copy"] = { project = "1", workflows = "2", target_project = "3" },
      ["task_instances.savepoint"] = { project = "1", task_instance_id = 7 },
      ["instances.batch_delete"] = { project = "1", instance_ids = "7" },
      ["projects.create"] = { name = "x" },
    }
    for name, args in pairs(once) do
      assert.equal("once", operations.find(name).replay, name)
      for _, answer in ipairs { status(502), bed.failure("network", "sent"), bed.failure("timeout", "sent") } do
        assert.same({ "outcome_unknown", nil, 1 }, refusal(answer, name, args))
      end
    end
  end)

  it("§5.3: what ends in the same state is sent again", function()
    for name, args in pairs {
      ["workflows.release"] = { project = "1", workflow = "2", state = "ONLINE" },
      ["projects.delete"] = { project = "1" },
      ["schedules.online"] = { project = "1", schedule_id = 3 },
      ["users.grant_project"] = { user_id = 1, project = "2" },
    } do
      local b = bed.new({ status(502), ok() })
      assert(b.client:call(name, args), name)
      assert.equal(2, #b.requests)
    end
  end)

  it("§5.3: right after its workflows were removed a project may be refused for a moment: it is asked again", function()
    local b = bed.new { refused(10137), ok() }
    assert(b.client.projects:delete { project = "1" })
    assert.equal(2, #b.requests)
  end)

  it("live 27: an unknown tenant is refused here: some servers take it, and the run then fails", function()
    local b = bed.new(function(request)
      return request.path:find "tenants" and ok '[{"id":1,"tenantCode":"etl"}]' or ok "[7]"
    end, { server_version = "3.4.1" })
    local _, err = b.client.workflows:start { project = "1", workflow = "2", tenant = "etlx" }
    assert.same({ "not_found", "tenant", { "etl" } }, { err.kind, err.argument, err.near })
    assert.equal("GET", b.requests[#b.requests].method)
    assert(b.client.workflows:start { project = "1", workflow = "2", tenant = "etl" })
    assert(b.client.workflows:start { project = "1", workflow = "2", tenant = "default" })
  end)

  it("live 28: an unknown workflow is 50014 or 10000, a wrong project 50003: refusals, sent once", function()
    assert.same({ "api", 50014, 1 }, refusal(refused(50014), "workflows.start", START))
    assert.same({ "api", 50003, 1 }, refusal(refused(50003), "workflows.start", START))
    local words = "Internal Server Error: Cannot find the workflow: 2"
    assert.same({ "api", 10000, 1 }, refusal(refused(10000, words), "workflows.start", START))
  end)

  it("live 29: who has no right gets 30002, and is not asked again", function()
    for name, args in pairs {
      ["workflows.start"] = START, ["instances.list"] = { project = "1" },
      ["workflows.release"] = { project = "1", workflow = "2", state = "OFFLINE" },
    } do
      assert.same({ "api", 30002, 1 }, refusal(refused(30002), name, args))
    end
  end)

  it("live 30: no run is there right after a start: the list and the trigger are empty, or say 10113", function()
    local b = bed.new({ ok "11964055605440", bed.PAGE, ok "[]", refused(10113) }, { server_version = "3.2.2" })
    local code = b.client.workflows:start(START).trigger_code
    assert.same({}, (b.client.instances:list { project = "1" }))
    assert.same({}, (b.client.instances:trigger { project = "1", trigger_code = code }))
    assert.equal("api", kind_of(b.client.instances:trigger { project = "1", trigger_code = code }))
  end)

  it("live 31: an unknown worker group is refused here: on 3.2.2 it stalls all dispatching", function()
    local b = bed.new(function(request)
      return request.path:find "worker%-groups" and ok '["gpu"]' or ok()
    end)
    local _, err = b.client.workflows:start { project = "1", workflow = "2", worker_group = "gpus" }
    assert.same({ "not_found", "worker_group", { "gpu" } }, { err.kind, err.argument, err.near })
    assert.equal("GET", b.requests[#b.requests].method)
    assert(b.client.workflows:start { project = "1", workflow = "2", worker_group = "gpu" })
  end)

  it("live 32: that a schedule is in that state already is a success, by 10126 up to 3.2.0 and by 0 later", function()
    for _, answer in ipairs { refused(10126), ok() } do
      for _, verb in ipairs { "online", "offline" } do
        assert.is_true((bed.new({ answer }).client.schedules[verb](bed.new({ answer }).client.schedules,
          { project = "1", schedule_id = 3 })))
      end
    end
    assert.same({ "api", 10204, 1 }, refusal(refused(10204), "schedules.create",
      { project = "1", workflow = "2", schedule = "{}" }))
  end)

  for fact, version in pairs {
    ["live 33: 3.1 may take two executes of the same moment"] = "3.1.1",
    ["live 34: 3.2 takes two executes, whenever they come"] = "3.2.2",
    ["live 35: of two executes of the same moment a run of 3.3 may never end"] = "3.3.1",
  } do
    it(fact .. ": only one of them is sent", function()
      local b, kinds = nil, {}
      b = bed.new(function(request)
        if request.method == "POST" and #kinds == 0 then
          kinds[1] = kind_of(b.client.instances:recover(RUN)) -- while the first one is under way
        end
        return request.method == "POST" and ok() or ok '{"id":7,"state":"FAILURE"}'
      end, { server_version = version })
      assert(b.client.instances:recover(RUN))
      assert.same({ "busy" }, kinds)
      assert.equal("busy", kind_of(b.client.instances:recover(RUN)))
    end)
  end

  it("live 36: a rerun has no guard on the server: it is held as a recovery is, and beside one", function()
    local b = bed_of "FAILURE"
    assert(b.client.instances:rerun(RUN))
    for _, verb in ipairs { "rerun", "recover", "resume" } do
      assert.equal("busy", kind_of(b.client.instances[verb](b.client.instances, RUN)))
    end
  end)

  it("live 37: a STOP during READY_PAUSE is sent: the run is under way", function()
    local b = bed_of "READY_PAUSE"
    assert(b.client.instances:pause(RUN))
    assert(b.client.instances:stop(RUN))
  end)

  it("live 39: a batch that failed in part is an error with a line for each, and is not sent again", function()
    local words = "process instance 7: state\\nprocess instance 8: state"
    local b = bed.new { refused(50058, words) }
    local _, err = b.client.instances:batch_execute { project = "1", instance_ids = { 7, 8 }, execute_type = "STOP" }
    assert.same({ "api", 50058, 1 }, { err.kind, err.code, #b.requests })
    assert.truthy(err.message:find("instance 7", 1, true) and err.message:find("instance 8", 1, true))
  end)

  it("live 39: a batch of none never reaches the server, which would do nothing, or refuse it", function()
    local b = bed.new { ok() }
    for _, none in ipairs { {}, "" } do
      local _, err = b.client.instances:batch_execute { project = "1", instance_ids = none, execute_type = "STOP" }
      assert.same({ "argument", "instance_ids" }, { err.kind, err.argument })
    end
    assert.equal(0, #b.requests)
  end)

  it("live 40: the project of a run is always sent, though not every line looks at it", function()
    local b = bed.new { ok() }
    assert.is_false((pcall(b.client.instances.recover, b.client.instances, { instance_id = 7 })))
    assert(b.client.instances:recover(RUN))
    assert.equal("/projects/1/executors/execute", b.requests[1].path)
  end)

  it("live 41: codes for tasks are asked for 1 to 100 at a time", function()
    local b = bed.new { ok "[181535832683296]" }
    for _, count in ipairs { 0, -1, 101 } do
      local _, err = b.client.tasks:generate_codes { project = "1", count = count }
      assert.same({ "argument", "count" }, { err.kind, err.argument })
    end
    assert.equal(0, #b.requests)
    for _, count in ipairs { 1, 100 } do
      assert.same({ "181535832683296" }, (b.client.tasks:generate_codes { project = "1", count = count }))
    end
  end)

  it("live 42: for a moment a run that is recovered still reads FAILURE: it is held until it has moved", function()
    local state = "FAILURE"
    local b = bed_of(function()
      return state
    end)
    assert(b.client.instances:recover(RUN))
    b.advance(0.5)
    assert.equal("busy", kind_of(b.client.instances:recover(RUN)))
    b.advance(0.5)
    state = "RUNNING_EXECUTION"
    assert(b.client.instances:pause(RUN))
  end)
end)

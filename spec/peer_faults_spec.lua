--- What the closest peer does wrong, one fault a test; those of its monitor are
-- kept away by the specs of ours.

local bed = require "support.bed"
local sandbox = require "dsclient.sandbox"

local function run_of(box, kind)
  for _, run in ipairs(box:runs()) do
    if run.kind == kind then
      return run
    end
  end
end

describe("faults of the closest peer:", function()
  for _, version in ipairs { "3.1.1", "3.3.1" } do
    it("only 100 definitions read (250), " .. version, function()
      local box = sandbox.new { projects = 1, workflows = 250, runs = 0, server_version = version }
      local client = box:client {}
      for _, rows in ipairs { client:get_process_definitions "demo-1",
        client.workflows:list { project = "demo-1", page_size = 100 } } do
        local names = {}
        for _, row in ipairs(rows) do
          names[row.name] = true
        end
        assert.equal(250, #rows)
        for _, workflow in ipairs(box:projects()[1].workflows) do
          assert.is_true(names[workflow.name])
        end
      end
    end)

    it("POST retried after 502 or a time-out, " .. version, function()
      for _, fault in ipairs { "status_502_after", "status_500_after", "stall_after", "reset_after", "cut" } do
        local box = sandbox.new { projects = 1, workflows = 2, kinds = { "broken" }, server_version = version }
        local client = box:client { max_retries = 5 }
        box:sleep(60)
        local run = run_of(box, "broken")
        box:fault { fault = fault, operation = "instances.execute" }
        box:fault { fault = fault, operation = "workflows.start" }
        local done, err = client:execute_failure_recovery("demo-1", run.id)
        assert.is_nil(done, fault)
        assert.equal("outcome_unknown", err.kind, fault)
        assert.equal(1, #err.attempts, fault)
        assert.equal(1, box:executed()[tostring(run.id)], fault)
        done, err = client.workflows:start { project = "demo-1", workflow = "broken-2" }
        assert.is_nil(done, fault)
        assert.equal("outcome_unknown", err.kind, fault)
        local starts = 0
        for _, entry in ipairs(box:ledger()) do
          starts = starts + (entry.operation == "workflows.start" and 1 or 0)
        end
        assert.equal(1, starts, fault)
      end
    end)
  end

  it("empty list of a failed call cached", function()
    local box = sandbox.new { projects = 3 }
    for _, fault in ipairs { "status_500", "status_401", "html", "bad_json", "garbage", "reset_before", "cut" } do
      local client = box:client { max_retries = 0 }
      box:fault { fault = fault, operation = "projects.list" }
      local rows, err = client:get_projects()
      assert.is_nil(rows, fault)
      assert.is_string(err.kind)
      box:heal()
      assert.equal(3, #client:get_projects(), fault)
    end
  end)

  it("crash with the cache off", function()
    local box = sandbox.new { projects = 2, workflows = 3 }
    local client = box:client { enable_cache = false, enable_metrics = false }
    for _ = 1, 2 do
      assert.equal(2, #client:get_projects())
      assert.equal(3, #client:get_process_definitions "demo-1")
      assert.equal(7, client:cached(function() return 7 end)()) -- luacheck: ignore
    end
    assert.equal(0, client:clear_cache())
    assert.equal(0, client:clean_expired())
    assert.same({ 0, 0, 0, "0.00%" }, (function(stats)
      return { stats.size, stats.hits, stats.misses, stats.hit_rate }
    end)(client:get_cache_stats()))
    assert.is_true(client:print_stats(function() end))
  end)

  it("connection check always true", function()
    local box = sandbox.new {}
    assert.equal("process", assert(box:client({}):check_connection()).dialect)
    for fault, kind in pairs { status_401 = "auth", status_503 = "server", html = "not_api", reset_before = "network",
      stall_before = "timeout", garbage = "protocol" } do
      box:fault { fault = fault }
      local info, err = box:client({ max_retries = 0 }):check_connection()
      box:heal()
      assert.is_nil(info, fault)
      assert.equal(kind, err.kind, fault)
    end
    local info, err = box:client({ token = "wrong" }):check_connection()
    assert.is_nil(info)
    assert.equal("auth", err.kind)
  end)

  it("int or string states", function()
    for _, state in ipairs { "6", '"FAILURE"', "\"WorkflowExecutionStatus{code=6, desc='failure'}\"" } do
      local b = bed.new { bed.ok('{"totalList":[{"id":1,"state":' .. state .. '}],"total":1}') }
      local run = b.client:get_failed_workflow_instances("1")[1]
      assert.same({ "FAILURE", true, true, false }, { run.state, run.failed, run.finished, run.running })
    end
    for _, version in ipairs { "3.1.1", "3.3.1" } do
      local box = sandbox.new { projects = 1, workflows = 5, server_version = version }
      box:sleep(3)
      local seen = {}
      for _, run in ipairs(box:client({}):get_workflow_instances "demo-1") do
        assert.is_string(run.state)
        seen[run.state] = true
      end
      assert.is_true(seen.SUCCESS and seen.FAILURE)
    end
  end)
end)

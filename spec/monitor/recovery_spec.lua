local bed = require "support.bed"
local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"

local ALL = { "*/*" }

local function box_of(kinds, options)
  local given = { projects = 1, workflows = #kinds, kinds = kinds }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return sandbox.new(given)
end

describe("a recovery", function()
  after_each(watches.clean)

  describe("is not sent when, read just before,", function()
    -- What happens between the reading of the list and the decision, and what
    -- is said then.
    local CASES = {
      { "the run ended well meanwhile", "changed: now SUCCESS", function(box)
        box:set_run { id = 1, state = "SUCCESS" }
      end },
      { "the run goes on again", "changed: now RUNNING_EXECUTION", function(box)
        box:set_run { id = 1, state = "RUNNING_EXECUTION" }
      end },
      { "somebody ran it again, and it failed", "changed: somebody ran it again", function(box)
        box:set_run { id = 1, run_times = 2 }
      end },
      { "its definition has another version", "changed: another version of the definition", function(box)
        box:set_run { id = 1, definition_version = 2 }
      end },
      { "the run is gone", "changed: the run is gone", function(box)
        box:remove_run { id = 1 }
      end },
      { "it is a part of another run", "sub_workflow: the run above it is to be recovered", function(box)
        box:set_run { id = 1, is_sub = true }
      end },
      { "its definition is offline", "offline: the definition is not online", function(box)
        box:set { project = "demo-1", workflow = "flaky-1", release_state = "OFFLINE" }
      end },
      { "a later run is under way", "superseded: the later run #2 is RUNNING_EXECUTION", function(box)
        box:set { project = "demo-1", workflow = "flaky-1", kind = "hanging" }
        box:run { project = "demo-1", workflow = "flaky-1" }
        box:sleep(2)
      end },
      { "a later run ended well", "superseded: the later run #2 is SUCCESS", function(box)
        box:set { project = "demo-1", workflow = "flaky-1", kind = "good" }
        box:run { project = "demo-1", workflow = "flaky-1" }
        box:sleep(10)
      end },
    }

    for _, case in ipairs(CASES) do
      it(case[1], function()
        for _, version in ipairs { "3.1.1", "3.4.1" } do
          local box = box_of({ "flaky" }, { server_version = version })
          local watch = watches.box(box, {
            recover = ALL,
            on = {
              failed = function(event)
                if event.instance_id == 1 then
                  case[3](box)
                end
              end,
            },
          })
          watch.monitor:round()
          assert.same({}, box:ledger())
          assert.same({ "failed", "skipped" }, watch:names(1))
          assert.equal(case[2], watch:reason(1))
        end
      end)
    end
  end)

  it("is sent when a later run failed, too, or an earlier one ended well", function()
    local box = box_of { "broken" }
    box:run { project = "demo-1", workflow = "broken-1" }
    box:sleep(10)
    local watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    assert.same({ ["1"] = 1, ["2"] = 1 }, box:executed())
    box = box_of { "good" }
    box:set { project = "demo-1", workflow = "good-1", kind = "broken" }
    box:run { project = "demo-1", workflow = "good-1" }
    box:sleep(10)
    watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    assert.same({ ["2"] = 1 }, box:executed())
  end)

  it("finds a later success behind more than a page of failed runs", function()
    local box = box_of { "broken" }
    box:set { project = "demo-1", workflow = "broken-1", kind = "good" }
    box:run { project = "demo-1", workflow = "broken-1" }
    box:sleep(10)
    box:set { project = "demo-1", workflow = "broken-1", kind = "broken" }
    for _ = 1, 30 do
      box:run { project = "demo-1", workflow = "broken-1" }
      box:sleep(10)
    end
    local watch = watches.box(box, { recover = ALL, max_running_recoveries = 100 })
    watch.monitor:round()
    assert.equal("superseded: the later run #2 is SUCCESS", watch:reason(1))
    assert.is_nil(box:executed()["1"])
    assert.equal(1, box:executed()["3"])
  end)

  it("takes a repeated run for a later one", function()
    local box = box_of { "good" }
    box:set { project = "demo-1", workflow = "good-1", kind = "broken" }
    box:run { project = "demo-1", workflow = "good-1" }
    box:sleep(10)
    box:set_run { id = 1, started_at = box:now(), run_times = 2 }
    local watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    assert.equal("superseded: the later run #1 is SUCCESS", watch:reason(2))
    assert.same({}, box:ledger())
  end)

  it("that something outside speaks against is looked at again, rarely", function()
    local box = box_of { "flaky" }
    box:set { project = "demo-1", workflow = "flaky-1", release_state = "OFFLINE" }
    local watch = watches.box(box, { recover = ALL })
    watch:run(900)
    local reads = box:requests().operations["instances.get"]
    assert.equal(2, reads)
    box:set { project = "demo-1", workflow = "flaky-1", release_state = "ONLINE" }
    watch:run(900)
    assert.same({ "failed", "skipped", "recovering", "recovered" }, watch:names(1))
  end)

  describe("whose answer is lost", function()
    it("is followed by reading, and not sent again", function()
      for _, fault in ipairs { "reset_after", "stall_after", "cut", "bad_json", "status_502_after" } do
        local box = box_of { "flaky" }
        box:fault { fault = fault, operation = "instances.execute", times = 1 }
        local watch = watches.box(box, { recover = ALL })
        watch:run(600)
        assert.same({ ["1"] = 1 }, box:executed(), fault)
        assert.equal(1, box:requests().operations["instances.execute"])
        assert.same({ "failed", "recovering", "outcome_unknown", "recovered" }, watch:names(1), fault)
      end
    end)

    it("and never arrived stays unknown, and is not sent again", function()
      for _, fault in ipairs { "reset_before", "stall_before", "garbage", "status_502" } do
        local box = box_of { "flaky" }
        box:fault { fault = fault, operation = "instances.execute", times = 1 }
        local watch = watches.box(box, { recover = ALL })
        watch:run(7200)
        assert.same({}, box:executed(), fault)
        assert.equal(1, box:requests().operations["instances.execute"])
        assert.same({ "failed", "recovering", "outcome_unknown" }, watch:names(1), fault)
        assert.equal(1, watch.monitor:totals().open)
      end
    end)

    it("is unknown after a restart, until runTimes moves, and never sent again", function()
      local box = box_of({ "flaky" }, { duration_s = 100 })
      box:sleep(300)
      local client = box:client()
      local path = watches.state_file()
      -- ended between intent and answer, as by kill -9
      local first = watches.box(box, {
        recover = ALL,
        state_file = path,
        on = {
          recovering = function(event)
            client:execute_failure_recovery(event.project_code, event.instance_id)
          end,
        },
      })
      function first.monitor.client.instances.recover()
        error "killed"
      end
      assert.is_false((pcall(first.monitor.round, first.monitor)))
      first:close()
      local second = watches.box(box, { recover = ALL, state_file = path })
      second:run(600)
      assert.same({ ["1"] = 1 }, box:executed())
      assert.same({ "outcome_unknown", "recovered" }, second:names(1))
      assert.equal(1, box:requests().operations["instances.execute"])
    end)
  end)

  it("that ran twice is told as a double run", function()
    local box = box_of { "flaky" }
    local watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    box:sleep(10)
    box:set_run { id = 1, run_times = 3 }
    watch:run(60)
    assert.same({ "failed", "recovering", "double_run", "recovered" }, watch:names(1))
    assert.equal(3, watch:of("recovered")[1].run_times)
  end)

  it("that was overtaken by another outcome is told as what it is", function()
    local box = box_of { "flaky" }
    box:fault { fault = "reset_before", operation = "instances.execute", times = 1 }
    local watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    box:set_run { id = 1, state = "SUCCESS" }
    watch:run(60)
    assert.same({ "failed", "recovering", "outcome_unknown", "resolved" }, watch:names(1))
  end)

  it("that ends in another state than FAILURE is not tried again", function()
    local box = box_of { "flaky" }
    local watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    box:sleep(10)
    box:set_run { id = 1, state = "STOP" }
    watch:run(900)
    assert.equal("failed_again", watch:names(1)[3])
    assert.equal("STOP", watch:of("failed_again")[1].reason)
    assert.same({ ["1"] = 1 }, box:executed())
  end)

  it("of a run that disappears is forgotten", function()
    local box = box_of { "flaky" }
    local watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    box:remove_run { id = 1 }
    watch:run(60)
    assert.same({}, watch.monitor:entries())
  end)

  local RUN = '{"id":7,"state":"FAILURE","runTimes":1,"name":"w-1","processDefinitionCode":8,'
    .. '"processDefinitionVersion":1}'

  -- One run that stays failed; execute is answered as told.
  local function refusing(answers)
    local executes = 0
    return bed.new(function(request)
      if request.path:find "^/projects%?" then
        return bed.ok '{"total":1,"totalList":[{"code":5,"name":"p"}]}'
      elseif request.path:find "simple%-list" then
        return bed.ok '[{"code":8,"name":"w"}]'
      elseif request.path:find "process%-definition" then
        return bed.ok '{"total":1,"totalList":[{"code":8,"name":"w","releaseState":"ONLINE"}]}'
      elseif request.path:find "process%-instances/7" then
        return bed.ok(RUN)
      elseif request.path:find "execute" then
        executes = executes + 1
        return answers[math.min(executes, #answers)]
      end
      return bed.ok('{"total":1,"totalList":[' .. RUN .. "]}")
    end, { max_retries = 0 })
  end

  local function executes(b)
    local count = 0
    for _, request in ipairs(b.requests) do
      count = count + (request.path:find "execute" and 1 or 0)
    end
    return count
  end

  it("that never left is tried again, and is no attempt", function()
    local b = refusing { bed.failure("connect", "unsent"), bed.failure("connect", "unsent"),
      bed.failure("connect", "unsent"), bed.failure("connect", "unsent"), bed.ok() }
    local watch = watches.bed(b, { recover = ALL })
    watch:run(290)
    assert.equal(5, executes(b))
    assert.equal(1, watch.monitor:entries()[1].attempts)
    assert.equal("refused: connect: scripted", watch:of("skipped")[1].reason)
  end)

  it("that was accepted and shows no effect becomes unknown", function()
    local b = refusing { bed.ok() }
    local watch = watches.bed(b, { recover = ALL })
    watch:run(600)
    assert.equal(1, executes(b))
    assert.same({ "failed", "recovering", "outcome_unknown" }, watch:names(7))
    assert.matches("^accepted %d+ s ago, and not begun$", watch:reason(7))
  end)

  it("that the server refuses counts, and is tried again after the cooldown", function()
    local b = refusing { bed.refused(50006, "no") }
    local watch = watches.bed(b, { recover = ALL })
    watch:run(3600)
    assert.equal(3, executes(b))
    assert.equal("max_attempts: 3 of 3", watch:reason(7))
    assert.is_false(watch.monitor.report.refused)
  end)

  it("that collides with somebody else's is put off, and is no attempt", function()
    local b = refusing { bed.refused(50009, "is executing the command"), bed.ok() }
    local watch = watches.bed(b, { recover = ALL })
    watch.monitor:round()
    assert.equal("busy: another execute of this run is under way", watch:reason(7))
    assert.equal(0, watch.monitor:entries()[1].attempts)
  end)

  it("that the user has no right to is told", function()
    local b = refusing { bed.refused(30002, "no permission") }
    local watch = watches.bed(b, { recover = ALL })
    local report = watch.monitor:round()
    assert.is_true(report.refused)
    assert.equal("refused: api: 30002 no permission", watch:reason(7))
  end)

  it("is not sent when its intent can't be written down", function()
    local box = box_of { "flaky" }
    local watch = watches.box(box, { recover = ALL })
    function watch.monitor.state.save()
      return nil, "disk full"
    end
    watch.monitor:round()
    assert.same({}, box:ledger())
    assert.equal("state_unwritable: disk full", watch:reason(1))
    assert.equal("the state can't be written: disk full", watch.log[1])
  end)

  it("has its intent on disk before it is sent", function()
    local box = box_of { "flaky" }
    local watch = watches.box(box, { recover = ALL })
    local instances = watch.monitor.client.instances
    local stored
    function instances.recover(_, args)
      local file = assert(io.open(watch.state_file))
      stored = file:read "*a"
      file:close()
      instances.recover = nil
      return instances:recover(args)
    end
    watch.monitor:round()
    assert.matches('"status":"intent"', stored)
    assert.same({ ["1"] = 1 }, box:executed())
  end)

  it("is not sent while the monitor is paused", function()
    local box = box_of { "flaky" }
    local watch = watches.box(box, { recover = ALL })
    watches.write(watch.state_file .. ".pause", "maintenance until noon\n")
    watch:run(300)
    assert.same({}, box:ledger())
    assert.same({ "failed" }, watch:names(1))
    assert.equal(1, #watch:of "paused")
    assert.equal("maintenance until noon", watch:of("paused")[1].reason)
    os.remove(watch.state_file .. ".pause")
    watch:run(120)
    assert.same({ "failed", "recovering", "recovered" }, watch:names(1))
    watches.write(watch.state_file .. ".pause", "")
    box:set { project = "demo-1", workflow = "flaky-1", kind = "broken" }
    box:run { project = "demo-1", workflow = "flaky-1" }
    watch:run(120)
    assert.equal(2, #watch:of "paused")
  end)

  it("is not sent when the pause begins within a round", function()
    local box = box_of { "flaky", "flaky" }
    local watch
    watch = watches.box(box, {
      recover = ALL,
      on = {
        recovering = function()
          watches.write(watch.state_file .. ".pause", "stop")
        end,
      },
    })
    watch.monitor:round()
    assert.same({ ["1"] = 1 }, box:executed())
  end)

  it("is put off while the run can't be read", function()
    local box = box_of { "flaky" }
    box:fault { fault = "status_500", operation = "instances.get", times = 4 }
    local watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    assert.same({}, box:ledger())
    assert.matches("^run 1 is not recovered now, it can't be read: ", watch.log[1])
    watch:run(120)
    assert.same({ "failed", "recovering", "recovered" }, watch:names(1))
  end)

  it("is followed when the server is back", function()
    local box = box_of { "flaky" }
    local watch = watches.box(box, { recover = ALL })
    watch.monitor:round()
    box:fault { fault = "status_503", operation = "instances.list" }
    watch:run(120)
    assert.same({ "failed", "recovering" }, watch:names(1))
    box:heal()
    watch:run(120)
    assert.same({ "failed", "recovering", "recovered" }, watch:names(1))
  end)
end)

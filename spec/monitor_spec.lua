local bed = require "support.bed"
local prometheus = require "support.prometheus"
local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"

-- One project with one workflow of each of these kinds, run once; the ids of
-- the runs are 1, 2, …
local function box_of(kinds, options)
  local given = { projects = 1, workflows = #kinds, kinds = kinds }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return sandbox.new(given)
end

local ALL = { "*/*" }

local function ids(events)
  local list = {}
  for i, event in ipairs(events) do
    list[i] = event.instance_id
  end
  table.sort(list)
  return list
end

describe("a monitor", function()
  after_each(watches.clean)

  describe("that observes", function()
    for _, version in ipairs { "3.1.1", "3.2.1", "3.4.1" } do
      it("finds all of 45 failed runs, on a server of " .. version .. " (only page 1 read)", function()
        local kinds = {}
        for i = 1, 45 do
          kinds[i] = "broken"
        end
        local watch = watches.box(box_of(kinds, { server_version = version }), {}, { page_size = 10 })
        local report = watch.monitor:round()
        assert.equal(45, report.failed)
        assert.equal(45, report.open)
        assert.is_true(report.complete)
        local expected = {}
        for id = 1, 45 do
          expected[id] = id
        end
        assert.same(expected, ids(watch:of "failed"))
        assert.same(expected, ids(watch:of "would_recover"))
      end)
    end

    it("acts on nothing", function()
      local box = box_of { "flaky", "broken", "good" }
      local watch = watches.box(box, {})
      watch:run(600)
      assert.same({}, box:ledger())
      assert.same({ "failed", "would_recover" }, watch:names(1))
      assert.equal("observe", watch:reason(1))
      assert.same({}, watch:names(3))
    end)

    it("says a failure once, and a second one of the same run once more", function()
      local box = box_of { "broken" }
      local watch = watches.box(box, {})
      watch:run(300)
      box:set_run { id = 1, state = "FAILURE", run_times = 2 }
      watch:run(300)
      assert.same({ "failed", "would_recover", "failed", "would_recover" }, watch:names(1))
      assert.equal(2, watch:of("failed")[2].run_times)
    end)

    it("gives an event all that a script needs", function()
      local box = box_of { "broken" }
      local watch = watches.box(box, {})
      watch.monitor:round()
      local event, run = watch:of("failed")[1], box:runs()[1]
      assert.equal(1, event.v)
      assert.equal("2026-01-01T00:00:00Z", event.time)
      assert.equal("demo-1", event.project)
      assert.equal(run.project_code, event.project_code)
      assert.equal("broken-1", event.workflow)
      assert.equal(run.workflow_code, event.workflow_code)
      assert.equal(1, event.instance_id)
      assert.equal(1, event.run_times)
      assert.equal(("%s/ui/projects/%s/workflow/instances/1?code=%s"):format(box.url, run.project_code,
        run.workflow_code), event.url)
    end)

    it("looks at the projects and workflows that are chosen only", function()
      local box = sandbox.new { projects = 3, workflows = 2, kinds = { "broken" } }
      local watch = watches.box(box, { projects = { "demo-1", "demo-3" }, exclude = { "demo-3", "*/broken-2" } })
      local report = watch.monitor:round()
      assert.equal(1, report.projects)
      assert.same({ 1 }, ids(watch:of "failed"))
      assert.equal(1, report.open)
    end)

    it("sees states that are numbers, texts of numbers, or texts of Java", function()
      local states = { "6", '"6"', '"FAILURE"', [["WorkflowExecutionStatus{code=6, desc='failure'}"]] }
      local rows = {}
      for i, state in ipairs(states) do
        rows[i] = ('{"id":%d,"state":%s,"runTimes":1,"name":"w-1","processDefinitionCode":7}'):format(i, state)
      end
      local b = bed.new(function(request)
        if request.path:find "^/projects%?" then
          return bed.ok '{"total":1,"totalList":[{"code":5,"name":"p"}]}'
        elseif request.path:find "simple%-list" then
          return bed.ok '[{"code":7,"name":"w"}]'
        end
        return bed.ok('{"total":4,"totalList":[' .. table.concat(rows, ",") .. "]}")
      end)
      local watch = watches.bed(b, {})
      watch.monitor:round()
      assert.same({ 1, 2, 3, 4 }, ids(watch:of "failed"))
    end)

    it("knows a workflow that is newer than the cached list", function()
      local box = box_of { "good" }
      local watch = watches.box(box, {})
      box:set { project = "demo-1", workflow = "good-1", kind = "broken" }
      box:run { project = "demo-1", workflow = "good-1" }
      box:sleep(10)
      watch.monitor:round()
      local client = box:client()
      local project = client:get_projects()[1].code
      assert(client.workflows:create { project = project, name = "broken", tasks = { { name = "a" } }, relations = {} })
      assert(client.workflows:release { project = project, workflow = "broken", state = "ONLINE" })
      assert(client.workflows:start { project = project, workflow = "broken" })
      box:sleep(60)
      watch.monitor:round()
      assert.same({ "good-1", "broken" }, { watch:of("failed")[1].workflow, watch:of("failed")[2].workflow })
    end)

    it("says that a run ended well without it, or goes on", function()
      local box = box_of { "broken", "broken", "broken", "broken" }
      local watch = watches.box(box, {})
      watch.monitor:round()
      box:set_run { id = 1, state = "SUCCESS" }
      box:set_run { id = 2, state = "RUNNING_EXECUTION", run_times = 2 }
      box:set_run { id = 3, state = "STOP" }
      box:remove_run { id = 4 }
      local report = watch.monitor:round()
      assert.equal("resolved", watch:names(1)[3])
      assert.equal("changed: now RUNNING_EXECUTION", watch:reason(2))
      assert.equal("changed: now STOP", watch:reason(3))
      assert.equal(2, #watch:names(4))
      assert.equal(0, report.open)
      box:set_run { id = 2, state = "FAILURE", run_times = 2 }
      watch.monitor:round()
      assert.same({ "failed", "would_recover", "skipped", "failed", "would_recover" }, watch:names(2))
    end)

    it("looks at what began or ended within the window", function()
      local box = box_of { "broken", "broken", "broken" }
      local now = box:now()
      box:set_run { id = 1, started_at = now - 90000, restarted_at = now - 90000, ended_at = now - 86500 }
      box:set_run { id = 2, started_at = now - 90000, restarted_at = now - 90000, ended_at = now - 80000 }
      local watch = watches.box(box, {})
      watch.monitor:round()
      assert.same({ 2, 3 }, ids(watch:of "failed"))
    end)

    it("forgets what has left the window, and does not say it again", function()
      local box = box_of { "broken" }
      local watch = watches.box(box, { interval_s = 3600 })
      watch:run(100000)
      assert.equal(1, #watch:of "failed")
      assert.same({}, watch.monitor:entries())
    end)
  end)

  describe("that recovers", function()
    it("recovers what is on its list, once, and nothing else", function()
      local box = box_of { "flaky", "flaky", "broken", "good" }
      local watch = watches.box(box, { recover = { "demo-*/flaky-1" } })
      watch:run(300)
      assert.same({ ["1"] = 1 }, box:executed())
      assert.same({ "failed", "recovering", "recovered" }, watch:names(1))
      assert.same({ "failed", "skipped" }, watch:names(2))
      assert.equal("not_allowed", watch:reason(2))
      assert.equal("SUCCESS", box:runs()[1].state)
    end)

    it("believes the server's records, not its acceptance (recovered = accepted)", function()
      local box = box_of({ "flaky" }, { duration_s = 200 })
      box:sleep(400)
      local watch = watches.box(box, { recover = ALL })
      watch:run(150)
      assert.same({ "failed", "recovering" }, watch:names(1))
      watch:run(150)
      assert.same({ "failed", "recovering", "recovered" }, watch:names(1))
      assert.equal("SUCCESS", watch:reason(1))
      assert.equal(2, watch:of("recovered")[1].run_times)
    end)

    it("tries three times at most, a minute and then two apart", function()
      local box = box_of { "broken" }
      local watch = watches.box(box, { recover = ALL })
      watch:run(3600)
      assert.same({ ["1"] = 3 }, box:executed())
      assert.same({ "failed", "recovering", "failed_again", "recovering", "failed_again", "recovering",
        "failed_again", "skipped" }, watch:names(1))
      assert.equal("max_attempts: 3 of 3", watch:reason(1))
      local ledger = box:ledger()
      assert.is_true(ledger[2].at - ledger[1].at >= 60)
      assert.is_true(ledger[3].at - ledger[2].at >= 120)
    end)

    it("counts the attempts of others, so that a lost state repeats nothing", function()
      local box = box_of { "broken" }
      watches.box(box, { recover = ALL }):run(3600)
      local watch = watches.box(box, { recover = ALL })
      watch:run(3600)
      assert.same({ ["1"] = 3 }, box:executed())
      assert.same({ "failed", "skipped" }, watch:names(1))
    end)

    it("waits for no outcome (a check blocked for 30 s after each recovery)", function()
      local kinds = {}
      for i = 1, 20 do
        kinds[i] = "flaky"
      end
      local box = box_of(kinds, { duration_s = 500 })
      box:sleep(1000)
      local watch = watches.box(box, { recover = ALL, max_running_recoveries = 20 })
      local began = box:now()
      local report = watch.monitor:round()
      assert.equal(20, report.recoveries)
      assert.equal(began, box:now())
    end)

    it("has ten under way at most, and the others wait", function()
      local kinds = {}
      for i = 1, 12 do
        kinds[i] = "flaky"
      end
      local box = box_of(kinds)
      local watch = watches.box(box, { recover = ALL })
      assert.equal(10, watch.monitor:round().recoveries)
      assert.equal("too_many_running: waits for one of 10 recoveries to end", watch:reason(12))
      watch:run(200)
      assert.equal(12, watch.monitor:totals().recovered)
    end)

    it("with dry_run says what it would do, and does nothing", function()
      local box = box_of { "flaky", "broken" }
      local watch = watches.box(box, { recover = { "*/flaky*" }, dry_run = true })
      watch:run(300)
      assert.same({}, box:ledger())
      assert.same({ "failed", "would_recover" }, watch:names(1))
      assert.same({ "failed", "skipped" }, watch:names(2))
    end)

    it("does not say again after a restart what it said before", function()
      local box = box_of { "broken", "flaky" }
      local first = watches.box(box, { recover = { "*/flaky*" } })
      first:run(100)
      first:close()
      local second = watches.box(box, { recover = { "*/flaky*" }, state_file = first.state_file })
      second:run(100)
      assert.same({}, second:names(1))
      assert.same({}, second:names(2))
    end)

    it("is alone on its state (unlocked double run)", function()
      local box = box_of { "flaky" }
      local first = watches.box(box, { recover = ALL })
      local second, err = watches.box(box, { recover = ALL, state_file = first.state_file })
      assert.is_nil(second)
      assert.equal("busy", err.kind)
      first:close()
      assert.is_table(watches.box(box, { recover = ALL, state_file = first.state_file }))
    end)
  end)

  describe("in a round", function()
    it("is not blinded by a project that can't be read", function()
      local box = sandbox.new { projects = 3, workflows = 1, kinds = { "broken" } }
      box:fault { fault = "status_500", operation = "instances.list", times = 8 }
      local watch = watches.box(box, {})
      local report = watch.monitor:round()
      assert.is_false(report.complete)
      assert.equal(2, report.unreadable)
      assert.same({ "server: " }, { watch:of("project_unreadable")[1].reason:match "^server: " })
      assert.equal(1, #watch:of "failed")
      assert.matches("^incomplete: ", watch:of("round")[1].reason)
      watch.monitor:round()
      assert.equal(3, #watch:of "failed")
      assert.equal(2, #watch:of "project_unreadable")
    end)

    it("keeps what it knew of a project that can't be read, and leaves it alone", function()
      local box = box_of { "broken" }
      local watch = watches.box(box, { recover = ALL })
      watch:run(30)
      assert.equal("failed_again", watch:names(1)[3])
      box:sleep(60) -- the next attempt is due
      box:fault { fault = "status_500", operation = "instances.list", times = 4 }
      local report = watch.monitor:round()
      assert.equal(1, report.open)
      assert.same({ ["1"] = 1 }, box:executed())
    end)

    it("ends at once when the server is out of reach", function()
      local b = bed.new { bed.failure("connect", "unsent") }
      local watch = watches.bed(b, {})
      local report = watch.monitor:round()
      assert.is_false(report.complete)
      assert.equal("connect", report.err.kind)
      assert.is_false(report.refused)
      assert.equal("incomplete: connect: scripted", watch:of("round")[1].reason)
    end)

    it("says that the server refuses the token", function()
      local box = box_of { "broken" }
      local watch = watches.box(box, {}, { token = "wrong" })
      local report = watch.monitor:round()
      assert.is_true(report.refused)
      assert.equal("auth", report.err.kind)
    end)

    it("calls those who asked for events, and survives their errors", function()
      local box = box_of { "broken" }
      local seen = {}
      local watch = watches.box(box, {
        on = {
          failed = function(event)
            seen[#seen + 1] = event.workflow
            error "oops"
          end,
          round = function(event)
            seen[#seen + 1] = event.event
          end,
        },
      })
      watch.monitor:round()
      assert.same({ "broken-1", "round" }, seen)
      assert.matches('^the callback of "failed" failed: .*oops', watch.log[1])
    end)
  end)

  describe("over time", function()
    it("begins a round each interval", function()
      local box = box_of { "good" }
      local watch = watches.box(box, { interval_s = 30 })
      watch:run(301)
      assert.equal(11, #watch:of "round")
    end)

    it("goes on when the clock is set back", function()
      local box = box_of { "good" }
      local shift = 0
      local watch = watches.box(box, {
        now = function()
          return box:now() - shift
        end,
        on = {
          round = function()
            shift = shift + 3600
          end,
        },
      })
      local ends_at = box:now() + 10
      watch.stopped = function()
        return box:now() > ends_at or #watch.events > 2
      end
      watch.monitor:run()
      assert.equal(3, #watch.events)
    end)

    it("stops when told, between two calls", function()
      local box = sandbox.new { projects = 3, workflows = 1, kinds = { "broken" } }
      local watch
      watch = watches.box(box, {
        on = {
          failed = function()
            watch.monitor:stop()
          end,
        },
      })
      local totals = watch.monitor:run()
      assert.equal(1, totals.failed)
      assert.equal(1, totals.rounds)
      assert.is_false(watch.monitor.report.complete)
    end)

    it("once: one round, and the outcomes of what it began", function()
      local box = box_of({ "flaky", "broken" }, { duration_s = 20 })
      box:sleep(100)
      local watch = watches.box(box, { recover = ALL })
      local began = box:now()
      local report = watch.monitor:once()
      assert.is_true(box:now() - began < 60 + 120 + 60) -- two cooldowns, and the last try
      assert.equal(1, report.recovered)
      assert.equal(3, report.failed_again)
      assert.equal(1, report.open)
      assert.equal(1, #watch:of "round")
      assert.same({ ["1"] = 1, ["2"] = 3 }, box:executed())
    end)

    it("once: waits as long as it may, and no longer", function()
      local box = box_of({ "flaky" }, { duration_s = 1000 })
      box:sleep(2000)
      local watch = watches.box(box, { recover = ALL, wait_s = 300 })
      local began = box:now()
      local report = watch.monitor:once()
      assert.equal(began + 300, box:now())
      assert.equal(1, report.running)
      assert.equal(1, report.open)
    end)

    it("once: has nothing to wait for where it observes", function()
      local box = box_of { "flaky" }
      local watch = watches.box(box, {})
      local began = box:now()
      watch.monitor:once()
      assert.equal(began, box:now())
    end)
  end)

  describe("that somebody else drives", function()
    --- A store in memory; see state.lua.
    local function new_store()
      local store = { name = "memory", closed = 0 }
      function store.read()
        return store.text
      end
      function store:write(text)
        if self.broken then
          return nil, "it is broken"
        end
        self.text = text
        return true
      end
      store.keep = store.write
      function store.paused()
        return store.pause
      end
      function store.close()
        store.closed = store.closed + 1
      end
      return store
    end

    it("says how long there is nothing to do, and then does what is due", function()
      local box = box_of { "flaky" }
      local watch = watches.box(box, { recover = ALL, interval_s = 60 })
      local monitor = watch.monitor
      assert.equal(0, monitor:due_s())
      monitor:turn()
      assert.same({ "failed", "recovering" }, watch:names(1))
      assert.equal(0.5, monitor:due_s()) -- the first look at what came of it
      box:sleep(30)
      assert.equal(0, monitor:due_s())
      monitor:turn()
      assert.same({ "failed", "recovering", "recovered" }, watch:names(1))
      assert.equal(1, #watch:of "round")
      assert.equal(30, monitor:due_s())
      box:sleep(30)
      monitor:turn()
      assert.equal(2, #watch:of "round")
      assert.equal(60, monitor:due_s())
    end)

    it("keeps its state where it is told to", function()
      local box, store = box_of { "broken" }, new_store()
      local watch = watches.box(box, { store = store })
      watch.monitor:turn()
      watch:close()
      assert.equal(1, store.closed)
      watch = watches.box(box, { store = store })
      watch.monitor:turn()
      assert.same({}, watch:names(1))
      assert.equal(1, watch.monitor.report.open)
      watch:close()

      store.text = store.text:gsub("sandbox.invalid", "another.invalid")
      local none, err = watches.box(box, { store = store })
      assert.is_nil(none)
      assert.equal("argument", err.kind)
      assert.matches("^memory: is of another server", err.message)
      assert.equal(3, store.closed)
    end)

    it("says so when the state can't be kept, and goes on", function()
      local store = new_store()
      store.broken = true
      local watch = watches.box(box_of { "broken" }, { store = store })
      watch.monitor:turn()
      assert.same({ "failed", "would_recover" }, watch:names(1))
      assert.same({ "the state can't be written: it is broken" }, watch.log)
    end)

    it("gives its metrics to who wants them, after each round", function()
      local texts = {}
      local watch = watches.box(box_of { "broken" }, {
        metrics = function(text)
          texts[#texts + 1] = text
        end,
      })
      watch.monitor:turn()
      assert.equal(1, #texts)
      assert.matches('\ndsmonitor_workflow_failed{project="demo%-1",workflow="broken%-1"} 1\n', texts[1])
      assert.equal("", (prometheus.check(texts[1])))
    end)
  end)
end)

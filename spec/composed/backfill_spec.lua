--- A backfill starts what is missing, in order, and nothing twice.

local backfill = require "dsclient.composed.backfill"
local bed = require "support.bed"
local masters = require "support.master"

local LINES = { "3.0.6", "3.1.1", "3.2.2", "3.4.1" }

local function day(number)
  return ("2025-12-%02d 00:00:00"):format(number)
end

local function days(from, to)
  return { project = "1", workflow = "11", from = day(from), to = day(to) }
end

local function started(master)
  local list = {}
  for i, start in ipairs(master.starts) do
    list[i] = start.schedule
  end
  return list
end

local function statuses(report)
  local list = {}
  for i, line in ipairs(report.dates) do
    list[i] = line.status
  end
  return list
end

describe("a backfill", function()
  it("runs each date once, in order, on every line", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version)
      local report = assert(backfill.backfill(master.client, days(1, 4)))
      assert.same({ day(1), day(2), day(3), day(4) }, started(master))
      assert.is_true(report.complete)
      assert.same({}, report.holes)
      assert.equal(4, report.started)
      assert.same({ date = day(2), status = "done", instance_id = 2, state = "SUCCESS" }, report.dates[2])
      -- one after the other
      for i = 2, 4 do
        assert.is_true(master.runs[i].at >= master.runs[i - 1].at + 60)
      end
    end
  end)

  it("tells how many dates are over", function()
    local master = masters.new "3.4.1"
    master:add { command = "SCHEDULER", schedule = day(2), duration_s = 0 }
    local told = {}
    assert(backfill.backfill(master.client, days(1, 4), { progress = function(done, total)
      told[#told + 1] = done .. "/" .. total
    end }))
    assert.same({ "1/4", "2/4", "3/4", "4/4" }, told)
  end)

  it("does only what is missing, whoever did the rest", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version)
      master:add { command = "SCHEDULER", schedule = day(1), duration_s = 0 }
      master:add { command = "COMPLEMENT_DATA", schedule = day(3), duration_s = 0, executor = "somebody" }
      master:add { schedule = nil, duration_s = 0 }
      master:add { command = "START_FAILURE_TASK_PROCESS", schedule = day(4), duration_s = 0 }
      local report = assert(backfill.backfill(master.client, days(1, 4)))
      assert.same({ day(2) }, started(master))
      assert.is_true(report.complete)
      report = assert(backfill.backfill(master.client, days(1, 5)))
      assert.same({ day(2), day(5) }, started(master))
      assert.equal(1, report.started)
    end
  end)

  it("goes on where it was cut short", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version)
      local _, err = backfill.backfill(master.client, days(1, 5), { timeout_s = 100 })
      assert.equal("deadline", err.kind)
      assert.same({ "done", "running", "absent", "absent", "absent" }, statuses(err.report))
      local report = assert(backfill.backfill(master.client, days(1, 5)))
      assert.is_true(report.complete)
      assert.same({ day(1), day(2), day(3), day(4), day(5) }, started(master))
    end
  end)

  it("has at most so many under way, others' included", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version)
      master:add { command = "SCHEDULER", schedule = day(6), duration_s = 200 }
      assert(backfill.backfill(master.client, days(1, 9), { concurrency = 3 }))
      local most = 0
      for _, run in ipairs(master.runs) do
        local under_way = 0
        for _, other in ipairs(master.runs) do
          if other.at <= run.at and other.at + other.duration_s > run.at then
            under_way = under_way + 1
          end
        end
        most = math.max(most, under_way)
      end
      assert.equal(3, most)
      assert.equal(9, #master.runs)
    end
  end)

  it("only tells what is there as a plan", function()
    local master = masters.new "3.1.1"
    master:add { command = "SCHEDULER", schedule = day(1), duration_s = 0 }
    master:add { command = "SCHEDULER", schedule = day(2), duration_s = 0, state = "FAILURE" }
    master:add { command = "SCHEDULER", schedule = day(3), duration_s = 600 }
    local report = assert(backfill.backfill(master.client, days(1, 4), { plan = true }))
    assert.same({ "done", "failed", "running", "absent" }, statuses(report))
    assert.same({ day(2), day(4) }, { report.holes[1].date, report.holes[2].date })
    assert.is_false(report.complete)
    assert.same({}, master.starts)
  end)

  it("reports holes, and runs what failed anew when asked", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version, { outcomes = { [day(2)] = "FAILURE" } })
      local report = assert(backfill.backfill(master.client, days(1, 3)))
      assert.same({ "done", "failed", "done" }, statuses(report))
      assert.same({ { date = day(2), status = "failed", instance_id = 2, state = "FAILURE" } }, report.holes)
      assert(backfill.backfill(master.client, days(1, 3)))
      assert.equal(3, #master.starts)
      master.outcomes = {}
      assert.is_true(assert(backfill.backfill(master.client, days(1, 3), { rerun_failed = true })).complete)
      assert.equal(4, #master.starts)
      assert.same({}, assert(backfill.backfill(master.client, days(1, 3))).holes)
    end
  end)

  it("starts none after one failed when asked", function()
    local master = masters.new("3.4.1", { outcomes = { [day(2)] = "STOP" } })
    local report = assert(backfill.backfill(master.client, days(1, 4), { stop_on_failure = true }))
    assert.same({ "done", "failed", "absent", "absent" }, statuses(report))
    assert.equal(2, report.started)
  end)

  it("sends no start twice whose answer was lost", function()
    for _, version in ipairs(LINES) do
      local master = masters.new(version, { lose = bed.failure("network", "sent") })
      assert.is_true(assert(backfill.backfill(master.client, days(1, 3))).complete)
      assert.same({ day(1), day(2), day(3) }, started(master))
    end
  end)

  it("outlives an outage of the server while runs go on", function()
    local master = masters.new "3.4.1"
    master.answer = function()
      return master:now() > 5 and master:now() < 400 and bed.failure("connect", "unsent")
    end
    local report = assert(backfill.backfill(master.client, days(1, 2)))
    assert.is_true(report.complete)
    assert.same({ day(1), day(2) }, started(master))
  end)

  it("ends in time, whatever the server has to show", function()
    -- a history without end
    local master, pages = masters.new "3.4.1", 0
    master.answer = function(_, path)
      if path:find "instances$" then
        pages = pages + 1
        local answer = bed.ok(([[{"totalList":[{"id":%d,"commandType":"START_PROCESS"}],
          "total":1000000000}]]):format(pages))
        answer.takes_s = 10
        return answer
      end
    end
    local _, err = backfill.backfill(master.client, days(1, 2), { timeout_s = 500 })
    assert.equal("deadline", err.kind)
    assert.is_true(master:now() <= 500, master:now())
    -- a run that does not show
    master = masters.new("3.1.1", { latency_s = 500 })
    _, err = backfill.backfill(master.client, days(1, 2), { timeout_s = 20 })
    assert.is_true(err.started)
    assert.is_true(master:now() <= 20.1, master:now())
    -- a limiter that lets nothing through
    master = masters.new "3.1.1"
    master.answer = function()
      return #master.starts > 0 and bed.status(429)
    end
    _, err = backfill.backfill(master.client, days(1, 2), { timeout_s = 100 })
    assert.is_true(err.started)
    assert.is_true(master:now() <= 100.1, master:now())
  end)

  it("starts nothing where the server does not tell what was done", function()
    for _, version in ipairs(LINES) do
      for _, data in ipairs { "null", "{}", "true", '"x"' } do
        local master = masters.new(version)
        master.answer = function(_, path)
          return path:find "instances$" and bed.ok(data)
        end
        local _, err = backfill.backfill(master.client, days(1, 2))
        assert.equal("protocol", err.kind)
        assert.same({}, started(master))
      end
    end
  end)

  it("goes on beside another of the same user", function()
    local master = masters.new "3.1.1"
    master.answer = function(_, path)
      if path:find "executors" then
        master:add { command = "COMPLEMENT_DATA", schedule = day(20 + #master.starts), at = master:now() + 1 }
      end
    end
    local report = assert(backfill.backfill(master.client, days(1, 3)))
    assert.is_true(report.complete)
    assert.same({ day(1), day(2), day(3) }, started(master))
    for _, line in ipairs(report.dates) do
      assert.equal(line.date, master.runs[line.instance_id].schedule)
    end
  end)

  it("stops where a start is refused, and tells how far it came", function()
    local master = masters.new "3.1.1"
    master.answer = function(_, path)
      return path:find "executors" and #master.starts == 2 and bed.refused(50004, "not online")
    end
    local _, err = backfill.backfill(master.client, days(1, 4))
    assert.equal(50004, err.code)
    assert.same({ "done", "done", "absent", "absent" }, statuses(err.report))
  end)

  it("tells a start that was accepted and whose run does not show", function()
    local master = masters.new("3.1.1", { latency_s = 500 })
    local _, err = backfill.backfill(master.client, days(1, 2))
    assert.is_true(err.started)
    assert.same({ "running", "absent" }, statuses(err.report))
    assert.equal(1, #master.starts)
  end)

  it("stops where the server shows other dates than it was given, until it is told", function()
    local master = masters.new "3.4.1"
    local row = master.row
    master.row = function(self, run, single)
      local made = row(self, run, single)
      made.scheduleTime = made.scheduleTime and made.scheduleTime:gsub(" 00:", " 08:")
      return made
    end
    local _, err = backfill.backfill(master.client, days(1, 3))
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find("shift_s = 28800", 1, true))
    assert.equal(1, #master.starts)
    assert.is_true(assert(backfill.backfill(master.client, days(1, 3), { shift_s = 28800 })).complete)
    assert.equal(3, #master.starts)
  end)

  it("takes a list of dates, and further arguments of the start", function()
    local master = masters.new "3.4.1"
    local args = { project = "1", workflow = "11", dates = { day(7), day(5) }, start = { start_params = { a = "b" } } }
    assert(backfill.backfill(master.client, args))
    assert.same({ day(5), day(7) }, started(master))
    assert.equal('{"a":"b"}', master.starts[1].params)
  end)

  it("takes no text for a list of dates, and nothing but a table for arguments of the start", function()
    for _, args in ipairs { { dates = "2025-12-01" }, { dates = { "2025-12-01" }, start = "tenant" } } do
      args.project, args.workflow = "1", "11"
      local _, err = backfill.backfill(masters.new("3.4.1").client, args)
      assert.equal("argument", err.kind)
      assert.equal(args.start and "start" or "dates", err.argument)
    end
  end)

  it("is an error where dates are none, or the history can't be read", function()
    local master = masters.new "3.4.1"
    local _, err = backfill.backfill(master.client, { project = "1", workflow = "11", from = "x", to = day(1) })
    assert.equal("argument", err.kind)
    assert.equal("from", err.argument)
    master.answer = function()
      return bed.refused(30002, "no permission")
    end
    _, err = backfill.backfill(master.client, days(1, 2))
    assert.equal(30002, err.code)
    assert.is_nil(err.report)
    assert.has_error(function()
      backfill.backfill(master.client, { project = "1", workflw = "11" })
    end, 'workflows.backfill: unknown argument "workflw"; is "workflow" meant?')
  end)
end)

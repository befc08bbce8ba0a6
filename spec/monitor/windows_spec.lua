local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"

local HOUR, DAY = 3600, 86400

local function box_of(kinds, options)
  local given = { projects = 1, workflows = #kinds, kinds = kinds }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return sandbox.new(given)
end

local function start(box, workflow, kind)
  box:set { project = "demo-1", workflow = workflow, kind = kind }
  box:run { project = "demo-1", workflow = workflow }
end

-- The failed runs there are, by the box's own records.
local function failed_ids(box)
  local ids = {}
  for _, run in ipairs(box:runs()) do
    if run.state == "FAILURE" then
      ids[#ids + 1] = run.id
    end
  end
  return ids
end

local function told_ids(watch)
  local ids = {}
  for i, event in ipairs(watch:of "failed") do
    ids[i] = event.instance_id
  end
  table.sort(ids)
  return ids
end

describe("the window of a round", function()
  after_each(watches.clean)

  it("shows a daily failure that takes the place of yesterday's", function()
    local box = box_of({ "broken" }, { every_s = DAY })
    local watch = watches.box(box, { interval_s = 600 })
    watch:run(5 * DAY)
    assert.same(failed_ids(box), told_ids(watch))
    assert.is_true(#told_ids(watch) >= 5)
  end)

  it("shows what failed, was recovered and failed again between two rounds", function()
    local box = box_of { "broken" }
    local client = box:client()
    local watch = watches.box(box, {})
    watch:run(90)
    client.instances:recover { project = "demo-1", instance_id = 1 }
    box:sleep(10)
    client.instances:recover { project = "demo-1", instance_id = 1 }
    watch:run(90)
    local told = watch:of "failed"
    assert.equal(1, told[1].run_times)
    assert.equal(3, told[#told].run_times)
  end)

  it("shows the failure of a run that took longer than the window", function()
    local box = box_of { "good" }
    start(box, "good-1", "hanging")
    local watch = watches.box(box, { interval_s = 600 })
    watch:run(3 * DAY)
    assert.same({}, watch:of "failed")
    box:set_run { id = 2, state = "FAILURE", ended_at = box:now() }
    watch:run(1200)
    assert.same({ 2 }, told_ids(watch))
  end)

  it("shows it though the run was in other states for a while", function()
    local box = box_of { "good" }
    start(box, "good-1", "hanging")
    local watch = watches.box(box, { interval_s = 600 })
    watch:run(3 * DAY)
    box:set_run { id = 2, state = "READY_STOP" }
    watch:run(2 * HOUR)
    box:set_run { id = 2, state = "FAILURE", ended_at = box:now() }
    watch:run(1200)
    assert.same({ 2 }, told_ids(watch))
  end)

  it("shows it after a restart", function()
    local box = box_of { "good" }
    start(box, "good-1", "hanging")
    local first = watches.box(box, { state_file = watches.state_file(), interval_s = 600 })
    first:run(3 * DAY)
    first:close()
    box:set_run { id = 2, state = "FAILURE", ended_at = box:now() }
    local second = watches.box(box, { state_file = first.state_file })
    second:run(10)
    assert.same({ 2 }, told_ids(second))
  end)

  it("shows it when the first start came after its beginning", function()
    local box = box_of { "good" }
    start(box, "good-1", "hanging")
    box:sleep(10 * DAY)
    local watch = watches.box(box, {})
    watch:run(100)
    box:set_run { id = 2, state = "FAILURE", ended_at = box:now() }
    watch:run(100)
    assert.same({ 2 }, told_ids(watch))
  end)

  it("begins where the last complete round was, after 60 hours without a monitor", function()
    local box = box_of({ "flaky" }, { every_s = 6 * HOUR })
    local first = watches.box(box, { recover = { "*/*" } })
    first:run(100)
    first:close()
    box:sleep(60 * HOUR)
    local second = watches.box(box, { recover = { "*/*" }, state_file = first.state_file })
    second:run(2 * HOUR)
    assert.is_true(#told_ids(second) >= 10)
    local all = told_ids(first)
    for _, id in ipairs(told_ids(second)) do
      all[#all + 1] = id
    end
    local expected = {}
    for id = 1, #box:runs() do
      expected[id] = id
    end
    assert.same(expected, all)
  end)

  it("keeps trying what it found there", function()
    local box = box_of { "broken" }
    local first = watches.box(box, { recover = { "*/*" } })
    first:run(1000)
    first:close()
    start(box, "broken-1", "broken")
    box:sleep(60 * HOUR)
    local second = watches.box(box, { recover = { "*/*" }, state_file = first.state_file })
    second:run(1000)
    assert.equal(3, box:executed()["2"])
  end)

  it("begins there only when that round was complete", function()
    local box = sandbox.new { projects = 2, workflows = 1, kinds = { "good" } }
    local watch = watches.box(box, { interval_s = 600 }, { max_retries = 0 })
    watch:run(100)
    -- of demo-2 nothing can be read from now on
    local pages = watch.client.instances.pages
    local code = box:projects()[2].code
    rawset(watch.client.instances, "pages", function(self, args, opts)
      if args.project == code then
        return {
          next = function()
            return nil, require("dsclient.errors").new { kind = "server" }
          end,
        }
      end
      return pages(self, args, opts)
    end)
    box:set { project = "demo-2", workflow = "good-1", kind = "broken" }
    box:run { project = "demo-2", workflow = "good-1" }
    watch:run(3 * DAY)
    rawset(watch.client.instances, "pages", nil)
    watch:run(1000)
    assert.same({ 3 }, told_ids(watch))
  end)

  it("does not say again what it said, however wide it is", function()
    local box = box_of({ "broken", "good" }, { every_s = 4 * HOUR })
    start(box, "good-2", "hanging")
    local watch = watches.box(box, { interval_s = 300 })
    watch:run(4 * DAY)
    assert.same(failed_ids(box), told_ids(watch))
  end)

  it("costs nothing more for what failed long before", function()
    local box = box_of { "broken" }
    local first = watches.box(box, { state_file = watches.state_file() })
    first:run(100)
    first:close()
    for _ = 1, 10 do
      start(box, "broken-1", "broken")
      box:sleep(10)
    end
    box:sleep(60 * HOUR)
    local second = watches.box(box, { state_file = first.state_file })
    second:run(60)
    local before = box:requests().total
    second:run(540)
    assert.equal(10, #told_ids(second))
    assert.equal(9, box:requests().total - before)
  end)

  it("costs a request a project, and two now and then", function()
    local box = sandbox.new { projects = 3, workflows = 2, kinds = { "good" } }
    local watch = watches.box(box, {})
    watch:run(60)
    local before = box:requests().total
    watch:run(600)
    -- ten rounds of three, one survey of two states, and the zone
    assert.is_true(box:requests().total - before <= 10 * 3 + 3 * 2 + 2)
  end)
end)

describe("times in three zones", function()
  after_each(watches.clean)

  -- answers in +08:00, filters read in the user's -08:00, the monitor in UTC
  for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
    it("hide no failure, and show none that is too old, " .. version, function()
      local box = box_of({ "broken", "broken" }, {
        server_version = version,
        server_offset_s = 8 * HOUR,
        user_timezone = "America/Los_Angeles",
        user_offset_s = -8 * HOUR,
      })
      local now = box:now()
      box:set_run { id = 1, started_at = now - 26 * HOUR, restarted_at = now - 26 * HOUR, ended_at = now - 25 * HOUR }
      box:set_run { id = 2, started_at = now - 23 * HOUR, restarted_at = now - 23 * HOUR, ended_at = now - 22 * HOUR }
      local watch = watches.box(box, {})
      watch.monitor:round()
      assert.same({ 2 }, told_ids(watch))
      start(box, "broken-1", "broken")
      watch:run(120)
      assert.same({ 2, 3 }, told_ids(watch))
    end)
  end

  it("that change in the night hide and repeat nothing", function()
    local box = box_of({ "broken" }, { every_s = 2 * HOUR, server_offset_s = 2 * HOUR })
    local watch = watches.box(box, { interval_s = 300 })
    watch:run(1.5 * DAY)
    box.site.world.server_offset_s = HOUR
    watch:run(1.5 * DAY)
    box.site.world.server_offset_s = 2 * HOUR
    watch:run(1.5 * DAY)
    assert.same(failed_ids(box), told_ids(watch))
  end)
end)

local metrics = require "dsclient.monitor.metrics"
local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"

local HOUR, DAY = 3600, 86400

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

-- name{labels} → value
local function samples(text)
  local values = {}
  for line in text:gmatch "[^\n]+" do
    if line:sub(1, 1) ~= "#" then
      local name, value = line:match "^(.+) (%S+)$"
      values[name] = tonumber(value)
    end
  end
  return values
end

local function success_of(project, workflow)
  return ('dsmonitor_workflow_last_success_timestamp_seconds{project="%s",workflow="%s"}'):format(project, workflow)
end

describe("the metrics file", function()
  after_each(watches.clean)

  it("tells what node_exporter is to show", function()
    local box = sandbox.new { projects = 1, workflows = 3, kinds = { "good", "flaky", "broken" } }
    local path = watches.state_file()
    local watch = watches.box(box, { recover = { "*/*" }, metrics_file = path })
    watch:run(100)
    local values, runs = samples(read(path)), box:runs()
    assert.equal(watch.monitor.state.last_complete_at, values.dsmonitor_last_complete_round_timestamp_seconds)
    assert.equal(math.floor(runs[1].ended_at), values[success_of("demo-1", "good-1")])
    assert.equal(math.floor(runs[2].ended_at), values[success_of("demo-1", "flaky-2")])
    assert.is_nil(values[success_of("demo-1", "broken-3")])
    assert.equal(0, values['dsmonitor_workflow_failed{project="demo-1",workflow="good-1"}'])
    assert.equal(0, values['dsmonitor_workflow_failed{project="demo-1",workflow="flaky-2"}'])
    assert.equal(1, values['dsmonitor_workflow_failed{project="demo-1",workflow="broken-3"}'])
    assert.equal(1, values['dsmonitor_recoveries_total{project="demo-1",outcome="recovered"}'])
    assert.equal(2, values['dsmonitor_recoveries_total{project="demo-1",outcome="failed_again"}'])
    assert.equal(1, values['dsmonitor_project_readable{project="demo-1"}'])
  end)

  it("has a HELP and a TYPE for each family", function()
    local box = sandbox.new { projects = 1, workflows = 1, kinds = { "good" } }
    local text
    local watch = watches.box(box, {
      metrics = function(given)
        text = given
      end,
    })
    watch.monitor:round()
    local helps, types = select(2, text:gsub("# HELP dsmonitor_", "")), select(2, text:gsub("# TYPE dsmonitor_", ""))
    assert.equal(5, helps)
    assert.equal(5, types)
    assert.matches("\n$", text)
  end)

  it("may be read by others", function()
    local box = sandbox.new { projects = 1, workflows = 1, kinds = { "good" } }
    local path = watches.state_file()
    watches.box(box, { metrics_file = path }).monitor:round()
    local pipe = io.popen("stat -c %a " .. path)
    assert.equal("644", pipe:read "*l")
    pipe:close()
  end)

  it("counts over restarts", function()
    local box = sandbox.new { projects = 1, workflows = 1, kinds = { "broken" } }
    local path = watches.state_file()
    local first = watches.box(box, { recover = { "*/*" }, metrics_file = path })
    first:run(30)
    first:close()
    local second = watches.box(box, { recover = { "*/*" }, metrics_file = path, state_file = first.state_file })
    second:run(100)
    assert.equal(2, samples(read(path))['dsmonitor_recoveries_total{project="demo-1",outcome="failed_again"}'])
  end)

  it("says which project can't be read", function()
    local box = sandbox.new { projects = 2, workflows = 1, kinds = { "good" } }
    local path = watches.state_file()
    local watch = watches.box(box, { metrics_file = path })
    watch.monitor:round()
    box:fault { fault = "status_500", operation = "instances.list", times = 4 }
    watch.monitor:round()
    local values = samples(read(path))
    assert.equal(0, values['dsmonitor_project_readable{project="demo-1"}'])
    assert.equal(1, values['dsmonitor_project_readable{project="demo-2"}'])
  end)

  it("knows successes of runs of any length, and reads few rows for it", function()
    local box = sandbox.new { projects = 1, workflows = 2, kinds = { "good", "good" }, every_s = 900 }
    box:sleep(DAY)
    box:runs() -- lets the day happen
    box:set { project = "demo-1", workflow = "good-2", kind = "hanging" }
    local path = watches.state_file()
    local watch = watches.box(box, { metrics_file = path, interval_s = 300 }, { page_size = 10 })
    watch:run(2 * HOUR)
    local long
    for _, run in ipairs(box:runs()) do
      long = long or run.state == "RUNNING_EXECUTION" and run.workflow == "good-2" and run.id
    end
    watch:run(5 * HOUR)
    local before = box:requests().operations["instances.list"]
    watch:run(HOUR)
    -- a round: the failed ones, 4 pages of running ones, 2 of the 14 of good ones; and six surveys of running ones
    assert.is_true(box:requests().operations["instances.list"] - before <= 12 * (1 + 4 + 2) + 6 * (4 + 1) + 12)
    box:set_run { id = long, state = "SUCCESS", ended_at = box:now() }
    watch:run(600)
    assert.equal(math.floor(box:runs()[long].ended_at), samples(read(path))[success_of("demo-1", "good-2")])
  end)

  it("escapes names", function()
    local text
    local monitor = watches.box(sandbox.new { projects = 0 }, {
      metrics = function(given)
        text = given
      end,
    }).monitor
    monitor.projects = { { code = "5", name = 'a"b\\c\nd' } }
    monitor.workflows = { ["5"] = { ["7"] = "w" } }
    metrics.write(monitor)
    assert.is_truthy(text:find('{project="a\\"b\\\\c\\nd",workflow="w"} 0', 1, true))
  end)

  it("that can't be written stops nothing", function()
    local box = sandbox.new { projects = 1, workflows = 1, kinds = { "broken" } }
    local watch = watches.box(box, { metrics_file = watches.state_file() .. "/none/file" })
    watch.monitor:round()
    assert.matches("^the metrics can't be written: ", watch.log[1])
    assert.equal(1, #watch:of "failed")
  end)
end)

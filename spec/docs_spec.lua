--- The examples in docs/ are what the monitor really says. After a change:
-- DSCLIENT_WRITE_DOCS=1 make spec SPEC=spec/docs_spec.lua

local events = require "dsclient.monitor.events"
local sandbox = require "dsclient.sandbox"
local uv = require "luv"
local watches = require "support.watch"

local PATH = "docs/events.md"

--- A run on the sandbox in which each event occurs.
local function story()
  local box = sandbox.new { projects = 2, workflows = 4, kinds = { "good", "flaky", "broken", "late" }, runs = 1 }
  local said = {}
  local function listen(config)
    config.on = {
      event = function(event)
        said[#said + 1] = event
      end,
    }
    return config
  end
  local CLIENT = { jitter = "none" } -- the same each time
  local observer = watches.box(box, listen {}, CLIENT)
  observer.monitor:round()
  observer:close()

  local state = watches.state_file()
  local function live(config)
    config.recover, config.state_file = config.recover or { "*/flaky-*" }, state
    return watches.box(box, listen(config), CLIENT)
  end
  watches.write(state .. ".pause", "maintenance until noon")
  local watch = live {}
  watch.monitor:round()
  os.remove(state .. ".pause")
  watch:close()
  watch = live { storm_min = 0, storm_share = 0 }
  watch.monitor:round()
  watch:close()
  box:fault { fault = "reset_after", operation = "instances.execute", times = 1 }
  watch = live {}
  watch:run(120)
  watch:close()
  watch = live { recover = { "demo-1/broken-*" } }
  watch.monitor:round()
  box:sleep(5)
  box:set_run { id = 3, run_times = 3, state = "FAILURE" }
  watch.monitor:round()
  box:set_run { id = 7, run_times = 2, state = "SUCCESS" }
  box:fault { fault = "status_500", operation = "instances.list", times = 8 }
  watch.monitor:round()
  box:heal()
  watch.monitor:round()
  watch:close()
  return said
end

local function examples()
  local first, lines, json = {}, {}, {}
  for _, event in ipairs(story()) do
    first[event.event] = first[event.event] or event
  end
  for _, name in ipairs(events.NAMES) do
    local event = first[name]
    if name ~= "stats" then
      assert.is_table(event, name .. " was not said")
      -- the zone of this machine is not the reader's
      lines[#lines + 1] = os.date("!%Y-%m-%d %H:%M:%S", math.floor(event.at)) .. events.line(event, {}):sub(20)
      json[#json + 1] = events.json(event)
    end
  end
  return { lines = table.concat(lines, "\n"), json = table.concat(json, "\n") }
end

describe("docs/events.md", function()
  teardown(watches.clean)

  it("shows what the monitor says", function()
    local file = assert(io.open(PATH))
    local text = file:read "*a"
    file:close()
    local shown = examples()
    local right = text:gsub("(<!%-%- (%a+) %-%->\n).-(<!%-%- end %-%->)", function(head, name, foot)
      return head .. "\n```\n" .. shown[name] .. "\n```\n\n" .. foot
    end)
    if os.getenv "DSCLIENT_WRITE_DOCS" then
      watches.write(PATH, right)
      text = right
    end
    assert.equal(right, text)
  end)

  it("names each event", function()
    local file = assert(io.open(PATH))
    local text = file:read "*a"
    file:close()
    for _, name in ipairs(events.NAMES) do
      assert.truthy(text:find("\n| `" .. name .. "` |", 1, true), name)
    end
  end)
end)

describe("examples/failed_runs.lua", function()
  it("prints the failed runs and the report", function()
    local box = sandbox.start { projects = 2, workflows = 4, kinds = { "good", "broken" } }
    local command = "DS_API_URL='%s' DS_TOKEN='%s' '%s' examples/failed_runs.lua 2>&1"
    local pipe = io.popen(command:format(box.url, box.token, uv.exepath()))
    local output = pipe:read "*a"
    pipe:close()
    box:stop()
    local runs = {}
    for project, workflow in output:gmatch "(demo%-%d)\t%d+\t(%a+%-%d)" do
      runs[#runs + 1] = project .. "/" .. workflow
    end
    table.sort(runs)
    assert.same({ "demo-1/broken-2", "demo-1/broken-4", "demo-2/broken-2", "demo-2/broken-4" }, runs)
    assert.truthy(output:find("API call statistics", 1, true), output)
  end)
end)

describe("examples/run_and_wait.lua", function()
  it("tells the end of a run, and why one failed", function()
    local box = assert(sandbox.start { projects = 1, workflows = 2, kinds = { "good", "broken" }, speed = 20 })
    local function run(workflow)
      local command = "DS_API_URL='%s' DS_TOKEN='%s' '%s' examples/run_and_wait.lua demo-1 %s 2>&1; echo $?"
      local pipe = assert(io.popen(command:format(box.url, box.token, arg[-1], workflow)))
      local text = pipe:read "*a"
      pipe:close()
      return text
    end
    local good, broken = run "good-1", run "broken-2"
    box:stop()
    assert.matches("^run %d+: SUCCESS after %d+ s\n0\n$", good)
    assert.matches("^run %d+: FAILURE after", broken)
    assert.matches("failed with exit code %d+: ", broken)
    assert.matches("\n1\n$", broken)
  end)
end)

-- What each of them says beside the failed runs, and the library that it needs.
local LOOPS = {
  luv = { library = "luv", says = "^the timer went on\n$" },
  cqueues = { library = "cqueues", says = "^the timer went on\n$" },
  select = { library = "socket", says = "^the visitor heard: %d projects\n$" },
}

for name, loop in pairs(LOOPS) do
  describe("examples/" .. name .. "_loop.lua", function()
    if not pcall(require, loop.library) then
      pending("is not run: there is no " .. loop.library .. " for this Lua")
      return
    end
    it("prints the failed runs of each project, while the loop does something else", function()
      local box = sandbox.start { projects = 3, workflows = 2, kinds = { "good", "broken" }, delay_s = 0.02 }
      local command = "DS_API_URL='%s' DS_TOKEN='%s' '%s' examples/%s_loop.lua 2>&1"
      local pipe = assert(io.popen(command:format(box.url, box.token, uv.exepath(), name)))
      local output = pipe:read "*a"
      pipe:close()
      box:stop()
      local rest, projects = output:gsub("demo%-%d\t1 failed\n", "")
      assert.equal(3, projects, output)
      assert.matches(loop.says, rest)
    end)
  end)
end

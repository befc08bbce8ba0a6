local core = require "dsclient.core"
local events = require "dsclient.monitor.events"

local NOW = 1767225600.5

local RUN = {
  project = "p",
  project_code = "23804249005824",
  workflow = "w",
  workflow_code = "23804249006016",
  id = 7,
  run_times = 2,
  attempts = 1, -- of the monitor's own
}

describe("an event", function()
  it("as JSON is one object on one line, its keys in order", function()
    local event = events.new("failed", RUN, "why: not", NOW)
    event.url = "http://h/x"
    assert.equal('{"v":1,"time":"2026-01-01T00:00:00Z","event":"failed","project":"p","project_code":"23804249005824",'
      .. '"workflow":"w","workflow_code":"23804249006016","instance_id":7,"run_times":2,"reason":"why: not",'
      .. '"url":"http://h/x"}', events.json(event))
  end)

  it("leaves out what it does not have", function()
    assert.equal('{"v":1,"time":"2026-01-01T00:00:00Z","event":"round","reason":"r"}',
      events.json(events.new("round", nil, "r", NOW)))
  end)

  it("is JSON whatever stands in names and reasons", function()
    for _, text in ipairs { 'a"b\\c\n\27[31m', "数据", "Gr\252n, no UTF-8" } do
      local line = events.json(events.new("failed", { project = text }, text, NOW))
      assert.is_nil(line:find "[%c]")
      assert.is_string(assert(core.decode(line)).reason)
    end
  end)

  it("is a line for people", function()
    local line = events.line(events.new("failed", RUN, "why: not", NOW), {})
    assert.matches("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d failed          p/w #7 run 2: why: not$", line)
    assert.matches("^%d%d:%d%d:%d%d failed ", events.line(events.new("failed", RUN, nil, NOW), { short = true }))
  end)

  it("says how loud it is by colour, where there are colours", function()
    local event = events.new("failed", RUN, nil, NOW)
    assert.matches("\27%[31mfailed         \27%[0m p/w", events.line(event, { colour = true }))
    assert.is_nil(events.line(event, {}):find "\27")
    assert.is_nil(events.line(events.new("round", nil, "r", NOW), { colour = true }):find "\27")
  end)

  it("moves no cursor, whatever stands in names", function()
    local line = events.line(events.new("failed", { project = "a\27[2Jb\r\nc\194\155d" }, nil, NOW), {})
    assert.matches("a%?%[2Jb%?%?c%?d$", line)
  end)
end)

describe("the summary", function()
  local totals = { rounds = 1, projects = 2, failed = 3, recoveries = 4, recovered = 5, failed_again = 6,
    outcome_unknown = 7, resolved = 8, open = 9, running = 10 }

  it("tells each number with its name", function()
    local text = events.summary(totals, "en")
    for _, line in ipairs { "Rounds: 1", "Projects watched: 2", "Failed runs seen: 3", "Recoveries sent: 4",
      "Recovered: 5", "Failed again: 6", "Outcome unknown: 7", "Ended well without us: 8", "Failed now: 9",
      "Recoveries under way: 10" } do
      assert.is_truthy(text:find("\n  " .. line .. "\n", 1, true), line)
    end
  end)

  it("speaks Chinese, too", function()
    assert.matches("恢复成功: 5\n", events.summary(totals, "zh"))
  end)
end)

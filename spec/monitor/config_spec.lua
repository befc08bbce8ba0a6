local configs = require "dsclient.monitor.config"
local watches = require "support.watch"

local function problem(given)
  local ok, message = pcall(configs.check, given)
  assert.is_false(ok)
  return message
end

describe("a duration", function()
  it("is seconds, or has a unit", function()
    for text, seconds in pairs {
      ["30"] = 30, ["30s"] = 30, ["5m"] = 300, ["24h"] = 86400, ["7d"] = 604800, ["1.5h"] = 5400, ["0"] = 0,
    } do
      assert.equal(seconds, configs.duration(text), text)
    end
  end)

  it("is nothing else", function()
    for _, text in ipairs { "", "s", "-5", "5x", "5 m", "1h30m", "0x10", "inf", "1.2.3", "5S" } do
      assert.is_nil(configs.duration(text), text)
    end
  end)
end)

describe("the options of a monitor", function()
  it("have defaults that only observe", function()
    local config = configs.check()
    assert.same({ "*" }, config.projects)
    assert.is_true(config.observes)
    assert.equal(60, config.interval_s)
    assert.equal(86400, config.window_s)
    assert.equal(3, config.max_attempts)
    assert.equal(60, config.cooldown_s)
  end)

  it("recover with an allow-list or a rule that says so", function()
    assert.is_false(configs.check({ recover = { "a/b" }, state_file = "s" }).observes)
    assert.is_false(configs.check({ rules = { { match = "a/b", recover = true } }, state_file = "s" }).observes)
    assert.is_true(configs.check({ rules = { { match = "a/b", recover = false } } }).observes)
  end)

  it("need a state file to recover", function()
    assert.matches("recovering needs a state_file", problem { recover = { "a/b" } })
    assert.is_table(configs.check { recover = { "a/b" }, dry_run = true })
  end)

  it("are named right, and have the right type", function()
    assert.matches('unknown option "intervals"', problem { intervals = 5 })
    assert.matches("a number from", problem { interval_s = "60s" })
    assert.matches("a list, each item a string", problem { projects = { 5 } })
    assert.matches('on: unknown option "fialed"; is "failed" meant', problem { on = { fialed = print } })
    assert.matches("a function expected", problem { on = { failed = true } })
  end)

  it("take PROJECT/WORKFLOW where workflows are meant", function()
    assert.matches('"recover": PROJECT/WORKFLOW expected, got "etl"', problem { recover = { "etl" }, state_file = "s" })
    local config = configs.check { exclude = { "old_*", "dw/tmp_*" } }
    assert.same({ "old_*" }, config.exclude_projects)
    assert.same({ { project = "dw", workflow = "tmp_*" } }, config.exclude_workflows)
  end)
end)

describe("the rules of a monitor", function()
  it("say which workflows they are for", function()
    assert.matches('"rules%[2%]": "match" is missing', problem { rules = { { match = "a/b" }, { recover = true } } })
    assert.matches('"rules%[1%]": PROJECT/WORKFLOW expected, got "a"', problem { rules = { { match = "a" } } })
  end)

  it("are named right, and have the right type", function()
    assert.matches('rules%[1%]: unknown option "recovers"; is "recover" meant', problem {
      rules = { { match = "a/b", recovers = true } },
    })
    assert.matches("one of STOP, KILL, NEED_FAULT_TOLERANCE", problem {
      rules = { { match = "a/b", states = { "PAUSE" } } },
    })
    assert.matches("each item a table", problem { rules = { "a/b" } })
  end)
end)

describe("the zone of a monitor", function()
  it("is a name or an offset", function()
    assert.equal(3600, configs.check({ server_timezone = "+01:00" }).zone:offset(0))
    assert.matches('"server_timezone": the time zone "Nowhere" can\'t be read', problem { server_timezone = "Nowhere" })
  end)
end)

describe("a file of options", function()
  after_each(watches.clean)

  local function load(text)
    local path = watches.state_file()
    watches.write(path, text)
    return configs.load(path, configs.RULES)
  end

  it("is a table, durations with units", function()
    assert.same({
      projects = { "dw" },
      interval_s = 300,
      window_s = 86400,
      wait_s = 30,
      max_attempts = 1,
      rules = { { match = "dw/settle_*", recover = false }, { match = "etl_*/big", max_attempts = 1 } },
    }, load [[
      return {
        projects = { "dw" },
        interval = "5m",
        window = "24h",
        wait = 30,
        max_attempts = 1,
        rules = {{match = "dw/settle_*", recover = false}, {match = "etl_*/big", max_attempts = 1}},
      }]])
  end)

  it("can reach nothing", function()
    for _, text in ipairs { 'return { projects = { os.getenv "HOME" } }', "print(1)", "return { x = require 'os' }",
      "error { }", "return _G.os" } do
      local loaded, message = load(text)
      assert.is_nil(loaded, text)
      assert.is_string(message)
    end
    assert.is_nil(rawget(_G, "leaked"))
    load "leaked = true return {}"
    assert.is_nil(rawget(_G, "leaked"))
  end)

  it("is text, not compiled code", function()
    local loaded, message = load(string.dump(function()
      return {}
    end))
    assert.is_nil(loaded)
    assert.matches("compiled code, not text", message)
  end)

  it("that is broken, or no table, or not there, is told", function()
    local loaded, message = load "return {"
    assert.is_nil(loaded)
    assert.matches(":1:", message)
    loaded, message = load "return 5"
    assert.is_nil(loaded)
    assert.matches("return { … } expected", message)
    loaded, message = configs.load(watches.state_file(), configs.RULES)
    assert.is_nil(loaded)
    assert.matches("No such file", message)
  end)

  it("has no option that nobody knows, and no wrong value", function()
    for text, expected in pairs {
      ["return { intervall = 5 }"] = 'unknown option "intervall"; is "interval" meant',
      ["return { interval_s = 5 }"] = 'unknown option "interval_s"; is "interval" meant',
      ['return { interval = "soon" }'] = 'option "interval": a number from 0.1 to 86400 expected, got "soon"',
      ["return { projects = 5 }"] = 'option "projects": a list',
      ["return { on = {} }"] = 'unknown option "on"',
      ["return { token = 'secret' }"] = 'unknown option "token"',
    } do
      local ok, message = pcall(load, text)
      assert.is_false(ok, text)
      assert.is_truthy(message:find(expected, 1, true), message)
    end
  end)
end)

local command = require "dsclient.monitor.command"
local core = require "dsclient.core"
local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"

local function sink()
  local file = { text = "" }
  function file.write(self, ...)
    self.text = self.text .. table.concat({ ... })
  end
  function file.flush() end
  return file
end

-- Runs the command on a box, for so many seconds of its clock.
-- → exit status, what it wrote to out, what to err, the options of its client
local function run(box, arguments, seconds, env, report_at)
  local out, err, client_options = sink(), sink(), nil
  local until_s = box:now() + (seconds or math.huge)
  local status = command.main(arguments, {
    out = out,
    err = err,
    getenv = function(name)
      return env and env[name]
    end,
    client = function(options)
      client_options = options
      return box:client { log = options.log }
    end,
    now = function()
      return box:now()
    end,
    sleep = function(s)
      box:sleep(s)
    end,
    signals = {
      ended = function()
        return box:now() >= until_s
      end,
      wants_report = function()
        return report_at and box:now() >= report_at
      end,
    },
  })
  return status, out.text, err.text, client_options
end

local function one_project(kinds)
  return sandbox.new { projects = 1, workflows = #kinds, kinds = kinds }
end

local function objects(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    list[#list + 1] = assert(core.decode(line))
  end
  return list
end

local function names(list)
  local found = {}
  for i, event in ipairs(list) do
    found[i] = event.event
  end
  return found
end

describe("dsmonitor", function()
  after_each(watches.clean)

  describe("--once ends with", function()
    it("0 when nothing is failed", function()
      assert.equal(0, (run(one_project { "good" }, { "--once" })))
    end)

    it("1 when something is failed, and was not recovered", function()
      assert.equal(1, (run(one_project { "flaky" }, { "--once" })))
      local arguments = { "--once", "--recover", "*/*", "--state", watches.state_file() }
      assert.equal(1, (run(one_project { "broken" }, arguments)))
    end)

    it("0 when all that failed was recovered", function()
      local box = one_project { "flaky", "flaky" }
      local arguments = { "--once", "--recover", "*/*", "--recover-existing", "--state", watches.state_file() }
      assert.equal(0, (run(box, arguments)))
      assert.same({ ["1"] = 1, ["2"] = 1 }, box:executed())
    end)

    it("1 when an outcome is still open", function()
      local box = sandbox.new { projects = 1, workflows = 1, kinds = { "flaky" }, duration_s = 200 }
      box:sleep(600)
      local arguments = { "--once", "--wait", "2m", "--recover", "*/*", "--recover-existing", "--state",
        watches.state_file() }
      assert.equal(1, (run(box, arguments)))
    end)

    it("2 when it is used wrongly, and says how", function()
      local box = one_project { "good" }
      for _, case in ipairs {
        { { "--onec" }, "unknown option '--onec'" },
        { { "--interval", "soon" }, "'soon' is no duration such as 30s, 5m or 24h" },
        { { "--interval", "0" }, "interval_s" },
        { { "--recover", "etl", "--state", "s" }, "PROJECT/WORKFLOW expected, got \"etl\"" },
        { { "--recover", "a/b" }, "recovering needs a state_file" }, -- and no HOME
        { { "--lang", "fr" }, "must be one of 'en', 'zh'" },
        { { "--token", "secret-token" }, "unknown option '--token'" },
        { { "--token=secret-token" }, "unknown option '--token'" },
      } do
        local status, out, err = run(box, case[1])
        assert.equal(2, status, case[2])
        assert.equal("", out)
        assert.is_truthy(err:find(case[2], 1, true), err)
        assert.is_nil(err:find "secret%-token")
        assert.is_nil(err:find "%.lua:%d")
      end
      assert.equal(0, box:requests().total)
    end)

    it("3 when the server can't be read, or not wholly", function()
      local box = one_project { "good" }
      box:fault { fault = "status_500", operation = "instances.list" }
      assert.equal(3, (run(box, { "--once" })))
      box:fault { fault = "reset_before" }
      assert.equal(3, (run(box, { "--once" })))
    end)

    it("4 when the token is refused, or a right is missing", function()
      local box = one_project { "good" }
      box:fault { fault = "status_401" }
      local status, _, err = run(box, { "--once" })
      assert.equal(4, status)
      assert.is_nil(err:find(box.token, 1, true))
    end)

    it("5 when another monitor holds the state, or it can't be used", function()
      local box, path = one_project { "flaky" }, watches.state_file()
      local other = watches.box(box, { recover = { "*/*" }, state_file = path })
      local status, _, err = run(box, { "--once", "--recover", "*/*", "--state", path })
      assert.equal(5, status)
      assert.is_truthy(err:find("another monitor holds this state", 1, true))
      other:close()
      watches.write(path, "{}")
      assert.equal(5, (run(box, { "--once", "--recover", "*/*", "--state", path })))
      assert.same({}, box:ledger())
    end)
  end)

  it("without a URL talks to nobody", function()
    local err = sink()
    local status = command.main({ "--once" }, { out = sink(), err = err, getenv = function() end })
    assert.equal(2, status)
    assert.is_truthy(err.text:find("Give --api-url, or DS_API_URL", 1, true))
  end)

  it("says events on stdout and the rest on stderr", function()
    local _, out, err = run(one_project { "broken" }, { "--once" })
    local lines = {}
    for line in out:gmatch "[^\n]+" do
      lines[#lines + 1] = line:match "^%S+ %S+ (%S+)"
    end
    assert.same({ "failed", "would_recover", "round" }, lines)
    assert.is_truthy(err:find("Monitor:\n", 1, true))
    assert.is_truthy(err:find("API call statistics:\n", 1, true))
  end)

  it("says a round again only when it tells something new", function()
    local box = one_project { "good" }
    local _, out = run(box, {}, 600)
    assert.equal(1, select(2, out:gsub("round", "")))
    _, out = run(box, { "--json" }, 600)
    assert.equal(10, select(2, out:gsub('"round"', "")))
  end)

  it("--json says each event as an object, and the report as one, too", function()
    local _, out, err = run(one_project { "flaky" }, { "--once", "--json", "--recover", "*/*",
      "--recover-existing", "--state", watches.state_file() })
    local list = objects(out)
    assert.same({ "failed", "recovering", "round", "recovered", "stats" }, names(list))
    for _, event in ipairs(list) do
      assert.equal(1, event.v)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", event.time)
    end
    assert.equal(1, list[5].stats.monitor.recovered)
    assert.is_number(list[5].stats.api.total_api_calls)
    assert.is_number(list[5].stats.cache.hits)
    assert.equal("", err)
  end)

  it("speaks Chinese in its report", function()
    local _, _, err = run(one_project { "good" }, { "--once", "--lang", "zh" })
    assert.is_truthy(err:find("监控项目数: 1", 1, true))
    assert.is_truthy(err:find("API 缓存统计:", 1, true))
  end)

  it("takes several globs, one after the other or each with its option", function()
    local box = sandbox.new { projects = 4, workflows = 1, kinds = { "broken" } }
    local _, out = run(box, { "--once", "--json", "--project", "demo-1", "demo-2", "--project", "demo-4" })
    assert.equal(3, select(2, out:gsub('"event":"failed"', "")))
  end)

  it("reads durations with units", function()
    local box = one_project { "good" }
    local began = box:now()
    local _, out = run(box, { "--json", "--interval", "5m" }, 3600)
    assert.equal(12, select(2, out:gsub('"round"', "")))
    assert.equal(began + 3600, box:now())
  end)

  it("--window leaves out what is older", function()
    local box = one_project { "broken" }
    box:sleep(7200)
    assert.equal(0, (run(box, { "--once", "--window", "1h" })))
    assert.equal(1, (run(box, { "--once", "--window", "24h" })))
  end)

  it("--dry-run does nothing", function()
    local box = one_project { "flaky" }
    local status, out = run(box, { "--once", "--dry-run", "--recover", "*/*", "--recover-existing" })
    assert.equal(1, status)
    assert.is_truthy(out:find("would_recover", 1, true))
    assert.same({}, box:ledger())
  end)

  it("gives its client the URL and the file of the token", function()
    local _, _, _, options = run(one_project { "good" }, { "--once", "--api-url", "http://h:1", "--token-file", "f" })
    assert.equal("http://h:1", options.api_url)
    assert.equal("f", options.token_file)
  end)

  it("ended from outside is healthy, and reports", function()
    local status, _, err = run(one_project { "broken" }, {}, 100)
    assert.equal(0, status)
    assert.is_truthy(err:find("Rounds: 2\n", 1, true))
  end)

  describe("--config", function()
    local function config(text)
      local path = watches.state_file()
      watches.write(path, text)
      return path
    end

    it("says what flags say, and more; flags win", function()
      local box = sandbox.new { projects = 3, workflows = 1, kinds = { "broken" } }
      local path = config [[return {
        api_url = "http://h:1", projects = { "demo-1", "demo-2" }, once = true, json = true, lang = "zh",
        rules = { { match = "demo-2/*", max_attempts = 1 } }, interval = "5m",
      }]]
      local status, out, _, options = run(box, { "--config", path })
      assert.equal(1, status)
      assert.equal("http://h:1", options.api_url)
      assert.equal(2, select(2, out:gsub('"event":"failed"', "")))
      _, out, _, options = run(box, { "--config", path, "--project", "demo-3", "--api-url", "http://h:2" })
      assert.equal("http://h:2", options.api_url)
      assert.equal(1, select(2, out:gsub('"event":"failed"', "")))
    end)

    it("makes a monitor recover by its rules", function()
      local box = one_project { "flaky" }
      local path = config(([[return {
        once = true, recover_existing = true, rules = { { match = "*/flaky-*", recover = true } }, state_file = %q,
      }]]):format(watches.state_file()))
      assert.equal(0, (run(box, { "--config", path })))
      assert.same({ ["1"] = 1 }, box:executed())
    end)

    it("that is wrong is wrong usage", function()
      local box = one_project { "good" }
      for text, expected in pairs {
        ["return { intervall = 5 }"] = 'unknown option "intervall"; is "interval" meant',
        ["return { rules = { { match = 'a/b', recovr = true } } }"] = 'unknown option "recovr"',
        ["return {"] = "expected",
      } do
        local status, _, err = run(box, { "--once", "--config", config(text) })
        assert.equal(2, status)
        assert.is_truthy(err:find(expected, 1, true), err)
      end
      assert.equal(2, (run(box, { "--once", "--config", watches.state_file() })))
      assert.equal(0, box:requests().total)
    end)
  end)

  describe("without --state", function()
    local folder

    before_each(function()
      local pipe = io.popen "mktemp -d"
      folder = pipe:read "*l"
      pipe:close()
    end)

    after_each(function()
      os.execute("rm -r " .. folder)
    end)

    local function exists(path)
      local file = io.open(path)
      if file then
        file:close()
      end
      return file ~= nil
    end

    it("keeps its state in $STATE_DIRECTORY, else in the home, for each server a file", function()
      local arguments = { "--once", "--recover", "*/*" }
      run(one_project { "good" }, arguments, nil, { STATE_DIRECTORY = folder .. ":/nowhere", HOME = "/nowhere" })
      assert.is_true(exists(folder .. "/sandbox.invalid_dolphinscheduler.json"))
      run(one_project { "good" }, arguments, nil, { HOME = folder .. "/it's home" })
      assert.is_true(exists(folder .. "/it's home/.local/state/dsmonitor/sandbox.invalid_dolphinscheduler.json"))
    end)

    it("keeps none where it only observes", function()
      run(one_project { "broken" }, { "--once" }, nil, { STATE_DIRECTORY = folder })
      run(one_project { "broken" }, { "--once", "--dry-run", "--recover", "*/*" }, nil, { STATE_DIRECTORY = folder })
      assert.is_false(exists(folder .. "/sandbox.invalid_dolphinscheduler.json"))
    end)
  end)

  it("prints its report every so often, on a signal, and at the end", function()
    local _, out = run(one_project { "good" }, { "--json", "--stats-every", "1h" }, 3 * 3600 + 100)
    assert.equal(4, select(2, out:gsub('"event":"stats"', "")))
    local box, asked = one_project { "good" }, false
    local reports = 0
    command.main({}, {
      out = sink(),
      err = sink(),
      report = {
        write = function(_, text)
          reports = reports + select(2, text:gsub("Monitor:", ""))
        end,
      },
      getenv = function() end,
      client = function()
        return box:client()
      end,
      now = function()
        return box:now()
      end,
      sleep = function(s)
        box:sleep(s)
      end,
      signals = {
        ended = function()
          return asked
        end,
        wants_report = function()
          local first = not asked
          asked = true
          return first
        end,
      },
    })
    assert.equal(2, reports)
  end)

  it("--metrics-file writes metrics", function()
    local path = watches.state_file()
    run(one_project { "broken" }, { "--once", "--metrics-file", path })
    local file = assert(io.open(path))
    assert.is_truthy(file:read("*a"):find('dsmonitor_workflow_failed{project="demo-1",workflow="broken-1"} 1', 1, true))
    file:close()
  end)

  it("--exclude leaves out projects and workflows", function()
    local box = sandbox.new { projects = 3, workflows = 2, kinds = { "broken" } }
    local _, out = run(box, { "--once", "--json", "--exclude", "demo-1", "*/broken-2" })
    assert.equal(2, select(2, out:gsub('"event":"failed"', "")))
  end)

  it("--recover-existing recovers what had failed before", function()
    local box = one_project { "flaky" }
    run(box, { "--once", "--recover", "*/*", "--state", watches.state_file() })
    assert.same({}, box:ledger())
    run(box, { "--once", "--recover", "*/*", "--recover-existing", "--state", watches.state_file() })
    assert.same({ ["1"] = 1 }, box:executed())
  end)

  describe("check", function()
    it("is healthy where all is as needed", function()
      local box = one_project { "broken" }
      local status, out, err = run(box, { "check", "--recover", "*/*", "--project", "demo-*" })
      assert.equal(0, status)
      assert.is_truthy(out:find("1 workflows watched, 1 recoverable", 1, true))
      assert.equal("", err)
      assert.same({}, box:ledger())
    end)

    it("tells by its exit status what is not", function()
      local box = one_project { "broken" }
      assert.equal(2, (run(box, { "check", "--recover", "demo" })))
      box:fault { fault = "status_500", operation = "instances.list", times = 4 }
      assert.equal(4, (run(box, { "check" })))
      box:fault { fault = "status_401" }
      assert.equal(4, (run(box, { "check" })))
      box:heal()
      box:fault { fault = "reset_before" }
      assert.equal(3, (run(box, { "check" })))
    end)
  end)
end)

-- The command as a process of its own, over HTTP.

local sandbox = require "dsclient.sandbox"
local uv = require "luv"
local watches = require "support.watch"

local interpreter = "lua"
for index = -1, -10, -1 do
  interpreter = arg and arg[index] or interpreter
end

local LIMIT_MS = 60000 -- nothing here takes long

local children = {}

local function environment(changes)
  local list = {}
  for name, value in pairs(uv.os_environ()) do
    if changes[name] == nil then
      list[#list + 1] = name .. "=" .. value
    end
  end
  for name, value in pairs(changes) do
    list[#list + 1] = value and name .. "=" .. value or nil
  end
  return list
end

local function collect(child, key)
  local pipe = uv.new_pipe()
  child[key] = ""
  return pipe, function()
    pipe:read_start(function(_, data)
      if data then
        child[key] = child[key] .. data
      else
        pipe:close()
      end
    end)
  end
end

-- Starts the command; `env` changes its environment, false takes a name out.
local function start(arguments, env)
  local child = {}
  local out, read_out = collect(child, "out")
  local err, read_err = collect(child, "err")
  child.process, child.pid = uv.spawn(interpreter, {
    args = { "bin/dsmonitor", (table.unpack or unpack)(arguments) }, -- luacheck: ignore
    stdio = { nil, out, err },
    env = environment(env or {}),
  }, function(status, signal)
    child.status, child.signal = status, signal
  end)
  assert(child.process, child.pid)
  read_out()
  read_err()
  children[#children + 1] = child
  return child
end

local function wait(condition)
  local over = false
  local timer = uv.new_timer()
  timer:start(LIMIT_MS, 0, function()
    over = true
  end)
  while not condition() and not over do
    uv.run "once"
  end
  timer:close()
  assert(not over, "took too long")
end

local function finish(child)
  wait(function()
    return child.status
  end)
  child.process:close()
  uv.run "nowait"
  return child.status
end

local function wait_for(child, text)
  wait(function()
    return child.out:find(text, 1, true) or child.status
  end)
  assert.is_truthy(child.out:find(text, 1, true), child.err)
end

describe("bin/dsmonitor", function()
  local box

  after_each(function()
    for _, child in ipairs(children) do
      if not child.status then
        child.process:kill "sigkill"
        finish(child)
      end
    end
    children = {}
    if box then
      box:stop()
      box = nil
    end
    watches.clean()
  end)

  local function boxed(kinds)
    box = sandbox.start { projects = 1, workflows = #kinds, kinds = kinds, duration_s = 0.1 }
    return { DS_API_URL = box.url, DS_TOKEN = box.token }
  end

  it("without a URL is used wrongly", function()
    local child = start({ "--once" }, { DS_API_URL = false, DS_TOKEN = false })
    assert.equal(2, finish(child))
    assert.equal("", child.out)
  end)

  it("says what it can do", function()
    local child = start { "--help" }
    assert.equal(0, finish(child))
    for _, text in ipairs { "--api-url", "--token-file", "--project", "--recover", "--interval", "--window", "--once",
      "--json", "--state", "--lang", "Exit status", "DS_TOKEN" } do
      assert.is_truthy(child.out:find(text, 1, true), text)
    end
  end)

  it("tells by its exit status whether all is well", function()
    local env = boxed { "good" }
    assert.equal(0, finish(start({ "--once" }, env)))
    box:set { project = "demo-1", workflow = "good-1", kind = "broken" }
    assert(box:run { project = "demo-1", workflow = "good-1" })
    box:advance(10)
    assert.equal(1, finish(start({ "--once" }, env)))
  end)

  it("tells a server that is not there from one that refuses the token", function()
    local env = boxed { "good" }
    assert.equal(3, finish(start({ "--once", "--api-url", "http://127.0.0.1:1" }, env)))
    env.DS_TOKEN = "00000000000000000000000000000000"
    local child = start({ "--once" }, env)
    assert.equal(4, finish(child))
    assert.is_nil((child.out .. child.err):find(env.DS_TOKEN, 1, true))
  end)

  it("takes the token from a file", function()
    local env = boxed { "good" }
    env.DS_TOKEN = false
    local path = watches.state_file()
    watches.write(path, box.token .. "\n")
    assert.equal(0, finish(start({ "--once", "--token-file", path }, env)))
  end)

  it("recovers, and proves it", function()
    local env, path = boxed { "flaky", "broken", "good" }, watches.state_file()
    local child = start({ "--once", "--json", "--wait", "5s", "--recover", "*/*", "--recover-existing", "--state",
      path }, env)
    assert.equal(1, finish(child))
    assert.same({ ["1"] = 1, ["2"] = 1 }, box:executed())
    assert.is_truthy(child.out:find('"event":"recovered"', 1, true))
    assert.is_truthy(child.out:find('"event":"failed_again"', 1, true))
    assert.is_nil((child.out .. child.err):find(box.token, 1, true))
  end)

  for _, signal in ipairs { "sigint", "sigterm" } do
    it("ends on " .. signal .. " with its report, healthy", function()
      local env = boxed { "broken" }
      local child = start({}, env)
      wait_for(child, "round")
      child.process:kill(signal)
      assert.equal(0, finish(child))
      assert.equal(0, child.signal)
      assert.is_truthy(child.err:find("API call statistics:\n", 1, true))
    end)
  end

  it("is alone on its state, and leaves it to the next when it is killed", function()
    local env, path = boxed { "flaky" }, watches.state_file()
    local arguments = { "--recover", "*/*", "--recover-existing", "--state", path }
    local first = start(arguments, env)
    wait_for(first, "recovered")
    local second = start(arguments, env)
    assert.equal(5, finish(second))
    assert.equal("", second.out)
    first.process:kill "sigkill"
    finish(first)
    assert.equal(0, finish(start({ "--once", "--recover", "*/*", "--state", path }, env)))
    assert.same({ ["1"] = 1 }, box:executed())
  end)

  it("has no colours where there is no terminal", function()
    local env = boxed { "broken" }
    local child = start({ "--once" }, env)
    finish(child)
    assert.is_nil(child.out:find "\27")
  end)

  it("has colours on a terminal, unless NO_COLOR says no", function()
    local env = boxed { "broken" }
    local function on_terminal(no_color)
      local words = "NO_COLOR='%s' TERM=xterm DS_API_URL='%s' DS_TOKEN='%s' '%s' bin/dsmonitor --once"
      words = words:format(no_color, env.DS_API_URL, env.DS_TOKEN, interpreter)
      local pipe = io.popen('script -qec "' .. words .. '" /dev/null </dev/null')
      local output = pipe:read "*a"
      pipe:close()
      assert.truthy(output:find("failed", 1, true), output)
      return output:find "\27%[31mfailed" ~= nil
    end
    assert.is_true(on_terminal "")
    assert.is_false(on_terminal "1")
  end)
end)

describe("examples/demo.lua", function()
  it("observes, recovers, sums up, and leaves nothing behind", function()
    local child = {}
    local out, read_out = collect(child, "out")
    local err, read_err = collect(child, "err")
    child.process = uv.spawn(interpreter, {
      args = { "examples/demo.lua" },
      stdio = { nil, out, err },
      env = environment { SECONDS = "6", DRY_RUN = "" },
    }, function(status)
      child.status = status
    end)
    read_out()
    read_err()
    assert.equal(0, finish(child), child.err)
    assert.equal("", child.err)
    local observed, recovered = child.out:match "^(.-)%-%-recover '%*/%*' (.*)$"
    assert.is_truthy(observed:find "would_recover")
    assert.is_nil(observed:find "recovering")
    assert.is_truthy(recovered:find "recovered")
    assert.is_truthy(recovered:find "Recovered: %d")
    assert.is_truthy(recovered:find "API call statistics:")
    local path = child.out:match "%-%-state (%S+)"
    assert.is_nil(io.open(path))
    assert.is_nil(io.open(path .. ".lock"))
  end)
end)

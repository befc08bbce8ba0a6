-- What keeps dsmonitor from doing harm on a real server: it leaves alone what
-- it should, survives kill -9 at the worst moment, and can be asked first.

local core = require "dsclient.core"
local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local new_command = require "conformance.command"
local seed = require "conformance.seed"
local uv = require "luv"
local wait_for = require "spec.support.wait_for"

local EXECUTE = "POST /dolphinscheduler/projects/%d+/executors/execute "

--- A relay between dsmonitor and the server. With `on_execute` set, that is
-- called once an execute was passed on, and its answer is not.
local function new_relay(url)
  local relay = { sockets = {} }
  local port = tonumber(url:match ":(%d+)/")
  local listener = uv.new_tcp()
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(16, function()
    local near, far, mute = uv.new_tcp(), uv.new_tcp(), false
    relay.sockets[#relay.sockets + 1] = near
    relay.sockets[#relay.sockets + 1] = far
    listener:accept(near)
    local function close()
      for _, socket in ipairs { near, far } do
        if not socket:is_closing() then
          socket:close()
        end
      end
    end
    far:connect("127.0.0.1", port, function(failed)
      assert(not failed, failed)
      far:read_start(function(_, data)
        if not data then
          return close()
        elseif mute then
          return mute()
        end
        near:write(data)
      end)
      near:read_start(function(_, data)
        if not data then
          return close()
        elseif relay.on_execute and data:find(EXECUTE) then
          mute = relay.on_execute
        end
        far:write(data)
      end)
    end)
  end))
  relay.url = ("http://127.0.0.1:%d/dolphinscheduler"):format(listener:getsockname().port)
  function relay.close()
    relay.sockets[#relay.sockets + 1] = listener
    for _, socket in ipairs(relay.sockets) do
      if not socket:is_closing() then
        socket:close()
      end
    end
    uv.run "nowait"
  end
  return relay
end

describe("dsmonitor on a real server, with care:", function()
  local url, token = assert(os.getenv "DS_API_URL"), assert(os.getenv "DS_TOKEN")
  local client, command

  setup(function()
    client = dsclient.new { api_url = url, token = token }
    command = new_command(url, token)
  end)

  teardown(function()
    command:close()
    client:close()
  end)

  local function seeded(prefix, kinds)
    return seed(client, { prefix = prefix, projects = 1, workflows = #kinds, kinds = kinds, sleep = curl.sleep })[1]
  end

  local function runs_of(project)
    local runs = assert(client.instances:list { project = project.code })
    table.sort(runs, function(a, b)
      return a.id < b.id
    end)
    return runs
  end

  local function recover(project, state, ...)
    return command:once("--project", project.name, "--state", command.folder .. "/" .. state, "--recover", "*/*",
      "--recover-existing", ...)
  end

  it("a run is left alone when a later one ended well", function()
    local project = seeded("superseded", { "flaky" })
    local workflow = project.workflows[1].code
    assert(client.workflows:start { project = project.code, workflow = workflow })
    local second = wait_for("the failure of the second run", function()
      local runs = runs_of(project)
      return runs[2] and runs[2].state == "FAILURE" and runs[2]
    end, curl.sleep)
    assert(client.instances:recover { project = project.code, instance_id = second.id })
    wait_for("the success of the second run", function()
      return runs_of(project)[2].state == "SUCCESS"
    end, curl.sleep)
    local status, events = recover(project, "superseded")
    assert.equal(1, status)
    assert.is_nil(events.recovering)
    assert.matches("^superseded: the later run #" .. second.id, events.skipped[1].reason)
    assert.equal(1, runs_of(project)[1].runTimes)
  end)

  it("a run is left alone when its definition is offline", function()
    local project = seeded("offline", { "flaky" })
    assert(client.workflows:release {
      project = project.code,
      workflow = project.workflows[1].code,
      state = "OFFLINE",
    })
    local status, events = recover(project, "offline")
    assert.equal(1, status)
    assert.is_nil(events.recovering)
    assert.matches("^offline", events.skipped[1].reason)
    assert.equal(1, runs_of(project)[1].runTimes)
  end)

  it("killed between an execute and its answer, it finds out, and sends no second one", function()
    local project = seeded("killed", { "broken" })
    local relay = new_relay(url)
    local function launch(...)
      return command:launch("--once", "--json", "--api-url", relay.url, "--project", project.name, "--state",
        command.folder .. "/killed", "--recover", "*/*", "--recover-existing", ...)
    end
    local process
    relay.on_execute = function()
      relay.on_execute = nil
      process.handle:kill "sigkill"
    end
    process = launch()
    wait_for("the kill", function()
      uv.run "nowait"
      return process.status
    end, curl.sleep)
    assert.matches('"recovering"', command:said(process))
    wait_for("the end of the second try", function()
      local run = runs_of(project)[1]
      return run.runTimes == 2 and run.finished
    end, curl.sleep)
    local status, out = command:finish(launch("--wait", "5s"))
    local events = command:events(out)
    relay.close()
    assert.equal(1, status)
    assert.equal(1, #events.failed_again) -- its runTimes has moved: that was ours
    assert.equal(2, events.failed_again[1].run_times)
    assert.is_nil(events.recovering) -- the next attempt is not due yet
    assert.equal(2, runs_of(project)[1].runTimes)
  end)

  it("tells an admin and a user without rights what they may do, and changes nothing", function()
    local project = seeded("checked", { "broken" })
    local before = runs_of(project)
    local status, out = command:finish(command:launch("check", "--project", project.name, "--recover", "*/*"))
    assert.equal(0, status)
    assert.matches("user: +admin, an admin", out)
    assert.matches("checked%-1: readable, executable, 1 workflows watched, 1 recoverable", out)

    local transport = curl.new {}
    local function post(path, form)
      local answer = assert(assert(transport:start({
        method = "POST",
        url = url .. path,
        headers = { "token: " .. token, "accept: application/json", "content-type: application/x-www-form-urlencoded" },
        body = form,
      }, curl.now() + 10)):wait())
      return assert(core.decode(answer.body)).data
    end
    local user = post("/users/create", "userName=guest&userPassword=guest123&tenantId=1&phone=&queue=&state=1"
      .. "&email=guest%40example.com")
    local guest = post("/access-tokens", "expireTime=2099-12-31+00%3A00%3A00&userId=" .. ("%d"):format(user.id))
    transport:close()
    local plain = new_command(url, guest.token)
    status, out = plain:finish(plain:launch("check", "--recover", "*/*"))
    plain:close()
    assert.matches("user: +guest", out)
    assert.is_nil(out:find("executable", 1, true))
    assert.is_number(status)
    assert.same(before, runs_of(project))
  end)
end)

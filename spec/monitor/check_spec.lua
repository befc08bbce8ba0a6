local bed = require "support.bed"
local checks = require "dsclient.monitor.check"
local sandbox = require "dsclient.sandbox"

-- → what `run` returns, and the lines
local function check(client, options, now)
  local text = ""
  local well, err = checks.run(client, options, function(line)
    text = text .. line
  end, now)
  return well, err, text
end

local function check_box(box, options, client_options)
  return check(box:client(client_options), options, function()
    return box:now()
  end)
end

describe("dsmonitor check", function()
  it("tells server, user, zones, clock, projects and workflows, and changes nothing", function()
    for version, line in pairs {
      ["3.1.1"] = "up to 3.2 (process-*)",
      ["3.4.1"] = "3.3 or later (workflow-*), says it is 3.4.1",
    } do
      local box = sandbox.new {
        server_version = version,
        projects = 2,
        server_offset_s = 28800,
        user_timezone = "Asia/Shanghai",
        user_offset_s = 28800,
      }
      local well, _, text = check_box(box, { projects = { "demo-*" }, recover = { "demo-1/flaky-*" } })
      assert.is_true(well)
      assert.equal(table.concat({
        "server:  http://sandbox.invalid/dolphinscheduler, " .. line,
        "user:    admin, an admin",
        "zones:   filters are read in Asia/Shanghai, the user's; answers are printed in +08:00 (measured)",
        "clock:   as this machine's",
        "project: demo-1: readable, executable, 10 workflows watched, 2 recoverable",
        "project: demo-2: readable, executable, 10 workflows watched, 0 recoverable",
        "all:     2 projects, 20 workflows watched, 2 recoverable",
      }, "\n") .. "\n", text)
      assert.same({}, box:ledger())
      for operation in pairs(box:requests().operations) do
        assert.is_nil(operation:find "execute")
      end
    end
  end)

  it("leaves out what is excluded", function()
    local _, _, text = check_box(sandbox.new {}, { exclude = { "demo-2", "*/good-*" }, recover = { "*/*" } })
    assert.matches("all:     2 projects, 12 workflows watched, 12 recoverable", text)
  end)

  it("says that a user without rights may read and not recover", function()
    local box = sandbox.new { users = { { name = "joe", token = "joe", projects = { "demo-1" } } } }
    local well, _, text = check_box(box, { recover = { "*/*" } }, { token = "joe" })
    assert.is_false(well)
    assert.matches("user:    joe\n", text)
    assert.matches("demo%-1: readable, NOT executable", text)
    assert.matches("projects NOT as needed: 1\n", text)
    -- which is no problem for one that observes
    well = check_box(box, {}, { token = "joe" })
    assert.is_true(well)
  end)

  it("knows who may act on a project: its owner, and those with a right to write", function()
    for row, executable in pairs {
      ['"perm":7,"userId":1'] = true, ['"perm":2,"userId":1'] = false, ['"perm":0,"userId":1'] = false,
      ['"perm":0,"userId":9'] = true, ['"perm":6,"userId":1'] = true,
    } do
      local b = bed.new(function(request)
        if request.path:find "get%-user%-info" then
          return bed.ok '{"id":9,"userName":"joe","userType":"GENERAL_USER","timeZone":"UTC"}'
        elseif request.path:find "^/projects%?" then
          return bed.ok('{"total":1,"totalList":[{"code":5,"name":"p",' .. row .. "}]}")
        elseif request.path:find "simple%-list" then
          return bed.ok '[{"code":7,"name":"w"}]'
        end
        return request.path:find "pageNo" and bed.PAGE or bed.ok "[]"
      end)
      local _, _, text = check(b.client, { recover = { "*/*" } }, os.time)
      assert.equal(executable, text:find("p: readable, executable", 1, true) ~= nil, row)
    end
  end)

  it("goes on with a project that can't be read", function()
    local box = sandbox.new {}
    box:fault { fault = "status_500", operation = "instances.list", times = 4 }
    local well, _, text = check_box(box, {})
    assert.is_false(well)
    assert.matches("project: demo%-1: NOT readable: server: ", text)
    assert.matches("project: demo%-3: readable", text)
  end)

  it("says when clocks differ, and when nobody tells the time", function()
    local box = sandbox.new {}
    local _, _, text = check(box:client(), {}, function()
      return box:now() + 90
    end)
    assert.matches("clock:   90 s behind this machine's\n", text)
    _, _, text = check(box:client(), {}, function()
      return box:now() - 3600
    end)
    assert.matches("clock:   3600 s ahead of this machine's\n", text)
    box:fault { fault = "status_500", operation = "server.nodes" }
    _, _, text = check_box(box, {})
    assert.matches("answers are printed in UTC %(assumed%)\n", text)
    assert.matches("clock:   no master tells its time: not compared\n", text)
    _, _, text = check_box(box, { server_timezone = "+01:00" })
    assert.matches("answers are printed in %+01:00 %(configured%)\n", text)
  end)

  it("gives the error where nothing can be read", function()
    local box = sandbox.new {}
    local well, err = check_box(box, {}, { token = "wrong" })
    assert.is_nil(well)
    assert.equal("auth", err.kind)
    box:fault { fault = "reset_before", operation = "projects.list" }
    well, err = check_box(box, {})
    assert.is_nil(well)
    assert.equal("network", err.kind)
  end)
end)

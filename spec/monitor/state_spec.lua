local files = require "dsclient.monitor.file"
local states = require "dsclient.monitor.state"
local watches = require "support.watch"

local SERVER = "http://h:1/dolphinscheduler"

--- The state in a file.
local function open(path)
  local file, err = files.open(path)
  if not file then
    return nil, err
  end
  return states.open(file, SERVER)
end

describe("a state", function()
  after_each(watches.clean)

  it("is there after a restart, ids and all", function()
    local path = watches.state_file()
    local state = assert(open(path))
    state.runs["5/7"] = {
      id = 7,
      project_code = "5",
      run_times = 2,
      state = "FAILURE",
      noted_at = 1,
      last_at = 1.5,
      sent = { at = 1.5, status = "intent" },
    }
    state.last_complete_at = 1767225600.25
    assert.is_true(state:save())
    state:close()
    local again = assert(open(path))
    assert.same(state.runs, again.runs)
    assert.equal(1767225600.25, again.last_complete_at)
    assert.equal("7", ("%d"):format(again.runs["5/7"].id))
    again:close()
  end)

  it("is for its owner only", function()
    local path = watches.state_file()
    local state = assert(open(path))
    assert(state:save())
    local pipe = io.popen("stat -c %a " .. path)
    assert.equal("600", pipe:read "*l")
    pipe:close()
  end)

  it("is not written again when nothing changed", function()
    local path = watches.state_file()
    local state = assert(open(path))
    assert(state:save())
    os.remove(path)
    assert(state:save())
    assert.is_nil(io.open(path))
    state.last_complete_at = 1
    assert(state:save())
    assert(io.open(path)):close()
  end)

  it("is held by one at a time", function()
    local path = watches.state_file()
    local state = assert(open(path))
    local other, err = open(path)
    assert.is_nil(other)
    assert.equal("busy", err.kind)
    state:close()
    state:close()
    assert(open(path)):close()
  end)

  it("is refused when it is no state, of a newer version or of another server, and is given free", function()
    for text, message in pairs {
      ["{"] = "is no state of a monitor",
      ["[1]"] = "is no state of a monitor",
      ['{"version":"1","runs":{}}'] = "is no state of a monitor",
      ['{"version":1}'] = "is no state of a monitor",
      ['{"version":1.5,"runs":{}}'] = "is no state of a monitor",
      ['{"version":0,"runs":{}}'] = "is no state of a monitor",
      ['{"version":2,"runs":{"1/2":7},"server":"' .. SERVER .. '"}'] = "is no state of a monitor",
      ['{"version":2,"runs":{"1/2":{"id":2}},"server":"' .. SERVER .. '"}'] = "is no state of a monitor",
      ['{"version":2,"runs":{},"said":1,"server":"' .. SERVER .. '"}'] = "is no state of a monitor",
      ['{"version":2,"runs":{},"unfinished":[{"at":1}],"server":"' .. SERVER .. '"}'] = "is no state of a monitor",
      ['{"version":99,"runs":{},"server":"' .. SERVER .. '"}'] = "was written by a newer version (99)",
      ['{"version":2,"runs":{},"server":"http://other"}'] = "is of another server, http://other",
    } do
      local path = watches.state_file()
      watches.write(path, text)
      local state, err = open(path)
      assert.is_nil(state)
      assert.equal("argument", err.kind)
      assert.equal(path .. ": " .. message, err.message)
      os.remove(path)
      assert(open(path)):close()
    end
  end)

  it("of an older version is brought up to date, and a copy is kept", function()
    local path = watches.state_file()
    local old = '{"last_complete_at":17,"runs":{"5/7":{"id":7,"project_code":"5","run_times":1,"attempts":2}},'
      .. '"server":"' .. SERVER .. '","version":1}\n'
    watches.write(path, old)
    local state = assert(open(path))
    assert.equal(2, state.runs["5/7"].attempts)
    assert.equal(17, state.last_complete_at)
    assert.same({ ["5"] = true }, state.read) -- so that its later failures are not taken for known ones
    local file = assert(io.open(path .. ".bak"))
    assert.equal(old, file:read "*a")
    file:close()
    assert(state:save())
    state:close()
    os.remove(path .. ".bak")
    state = assert(open(path))
    assert.same({ ["5"] = true }, state.read)
    assert.is_nil(io.open(path .. ".bak"))
    state:close()
  end)

  it("says why it can't be opened or written", function()
    local path = watches.state_file()
    local state, err = open(path .. "/none/state")
    assert.is_nil(state)
    assert.equal("argument", err.kind)
    assert.matches("No such file", err.message)
    state = assert(open(path))
    state.store.name = path .. "/none"
    local saved, message = state:save()
    assert.is_nil(saved)
    assert.is_string(message)
    state.runs["5/7"] = { name = "\255" }
    assert.is_nil((state:save()))
    state:close()
  end)

  it("without a file is kept in memory only", function()
    local state = assert(states.open(nil, SERVER))
    assert.is_true(state:save())
    assert.is_nil(state:paused())
    state:close()
  end)

  it("is paused while a file says so", function()
    local path = watches.state_file()
    local state = assert(open(path))
    assert.is_nil(state:paused())
    watches.write(path .. ".pause", "  maintenance until noon\n")
    assert.equal("maintenance until noon", state:paused())
    watches.write(path .. ".pause", "")
    assert.equal("", state:paused())
    os.remove(path .. ".pause")
    assert.is_nil(state:paused())
    state:close()
  end)
end)

local sys = require "dsclient.sys"

local interpreter = "lua"
for index = -1, -10, -1 do
  interpreter = arg and arg[index] or interpreter
end

local folder
local children = {}

local function path(name)
  return folder .. "/" .. name
end

local function read(name)
  local file = assert(io.open(path(name), "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A command line that runs Lua code with `sys` and, as `path`, our folder.
local function script(code)
  return ("exec %s -e %s 2>&1"):format(interpreter,
    quoted(('local sys = require "dsclient.sys"; local folder = %q; io.stdout:setvbuf("no") '):format(folder) .. code))
end

-- Starts Lua code that first prints its process id; ended after the test.
local function start(code, before)
  local pipe = assert(io.popen((before or "") .. script("print(sys.pid()) " .. code)))
  local child = { pipe = pipe, pid = assert(tonumber(pipe:read("*l"))) }
  children[#children + 1] = child
  return child
end

local function signal(child, name)
  os.execute(("kill -%s %d"):format(name, child.pid))
end

-- Everything the child still says, until it has ended.
local function finish(child)
  local text = child.pipe:read("*a")
  child.pipe:close()
  child.pipe = nil
  return text
end

describe("dsclient.sys", function()
  before_each(function()
    folder = output("mktemp -d"):match("%S+")
  end)

  after_each(function()
    for _, child in ipairs(children) do
      if child.pipe then
        signal(child, "KILL")
        finish(child)
      end
    end
    children = {}
    sys.release()
    os.execute("rm -rf " .. folder)
  end)

  describe("lock", function()
    local HOLD = [[local lock = assert(sys.lock(folder .. "/lock")) print "held" sys.sleep(60)]]

    it("is refused while another process holds it", function()
      local child = start(HOLD)
      assert.equal("held", child.pipe:read("*l"))
      local lock, message, why = sys.lock(path("lock"))
      assert.is_nil(lock)
      assert.matches("^cannot lock " .. path("lock"):gsub("%p", "%%%0"), message)
      assert.equal("locked", why)
    end)

    it("is free after the holder was killed", function()
      local child = start(HOLD)
      assert.equal("held", child.pipe:read("*l"))
      signal(child, "KILL")
      finish(child)
      assert.is_userdata(sys.lock(path("lock")))
    end)

    it("can be released twice, and then be taken again", function()
      local lock = assert(sys.lock(path("lock")))
      assert.equal("locked", select(3, sys.lock(path("lock"))))
      lock:release()
      lock:release()
      local again = assert(sys.lock(path("lock")))
      lock:release()
      assert.equal("locked", select(3, sys.lock(path("lock"))))
      again:release()
    end)

    it("is released by the collector and by __close", function()
      local lock = assert(sys.lock(path("lock")))
      assert.is_function(getmetatable(lock).__close)
      getmetatable(lock).__close(lock)
      lock = assert(sys.lock(path("lock")))
      assert.is_userdata(lock)
      lock = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert(sys.lock(path("lock"))):release()
    end)

    it("is not kept by a child process", function()
      local lock = assert(sys.lock(path("lock")))
      local child = assert(io.popen("sleep 60 & echo $!"))
      local pid = child:read("*l")
      lock:release()
      local again = sys.lock(path("lock"))
      os.execute("kill " .. pid)
      child:close()
      assert.is_userdata(again)
    end)

    it("tells a missing folder from a lock that is held", function()
      local lock, message, why = sys.lock(path("none/lock"))
      assert.is_nil(lock)
      assert.matches("^cannot open the lock .*none/lock: No such file", message)
      assert.is_nil(why)
    end)

    it("is for its owner only", function()
      sys.lock(path("lock")):release()
      assert.equal("600", output("stat -c %a " .. path("lock")):match("%d+"))
    end)

    it("refuses another object", function()
      local release = assert(sys.lock(path("lock"))).release
      assert.has_error(function() release(io.stdout) end)
    end)
  end)

  describe("write_atomic", function()
    local function mode(name)
      return output("stat -c %a " .. path(name)):match("%d+")
    end

    local function names()
      return output("ls -A " .. folder):gsub("%s+$", "")
    end

    it("writes bytes as they are, and leaves nothing else in the folder", function()
      local text = ("a\0b\n\255"):rep(100000)
      assert.is_true(sys.write_atomic(path("state"), text))
      assert.is_true(read("state") == text)
      assert.equal("state", names())
    end)

    it("gives a new file the mode asked for, 0600 by default", function()
      assert.is_true(sys.write_atomic(path("a"), ""))
      assert.is_true(sys.write_atomic(path("b"), "", "0644"))
      assert.equal("600", mode("a"))
      assert.equal("644", mode("b"))
      assert.has_error(function() sys.write_atomic(path("c"), "", "0777") end)
    end)

    it("keeps the mode of a file that is there", function()
      sys.write_atomic(path("state"), "old", "0600")
      os.execute("chmod 0664 " .. path("state"))
      sys.write_atomic(path("state"), "new", "0600")
      assert.equal("664", mode("state"))
      assert.equal("new", read("state"))
    end)

    it("takes a path without a folder", function()
      assert.equal("true\n", output("cd " .. folder .. " && " .. script [[print(sys.write_atomic("state", "here"))]]))
      assert.equal("here", read("state"))
    end)

    it("replaces the file: a reader keeps the one it has open", function()
      sys.write_atomic(path("state"), "old")
      local reader = assert(io.open(path("state")))
      sys.write_atomic(path("state"), "new")
      assert.equal("old", reader:read("*a"))
      reader:close()
    end)

    it("leaves the old file whole when the disk is full", function()
      sys.write_atomic(path("state"), "old")
      local said = output("trap '' XFSZ; ulimit -f 8; " ..
        script [[print(sys.write_atomic(folder .. "/state", ("x"):rep(1000000)))]])
      assert.matches("^nil\tcannot write .*/state: File too large", said)
      assert.equal("old", read("state"))
      assert.equal("state", names())
    end)

    it("leaves the old file whole when the folder may not be written", function()
      sys.write_atomic(path("state"), "old")
      os.execute("chmod 0500 " .. folder)
      -- root may write everywhere, unless this right is taken away
      local drop = output("id -u"):match("^0") and "setpriv --bounding-set=-dac_override " or ""
      local said = output((script [[print(sys.write_atomic(folder .. "/state", "new"))]]):gsub("^exec ", "%0" .. drop))
      os.execute("chmod 0700 " .. folder)
      assert.matches("^nil\tcannot make a temporary file for .*/state: Permission denied", said)
      assert.equal("old", read("state"))
      assert.equal("state", names())
    end)

    it("removes its temporary file when the name is a folder", function()
      os.execute("mkdir " .. path("state"))
      local done, message = sys.write_atomic(path("state"), "new")
      assert.is_nil(done)
      assert.matches("^cannot write ", message)
      assert.equal("state", names())
    end)
  end)

  describe("signals", function()
    it("are counted since last asked", function()
      assert.is_true(sys.catch("USR1", "USR2"))
      local me = { pid = sys.pid() }
      signal(me, "USR1")
      signal(me, "USR1")
      assert.is_true(sys.caught("USR1") >= 1) -- equal signals may melt into one
      assert.equal(0, sys.caught("USR1"))
      assert.equal(0, sys.caught("USR2"))
    end)

    it("end a sleep early", function()
      local child = start [[sys.catch("TERM") print "ready" print(sys.sleep(60), sys.caught("TERM"))]]
      assert.equal("ready", child.pipe:read("*l"))
      signal(child, "TERM")
      assert.equal("false\t1\n", finish(child))
    end)

    it("end the next sleep when they came before it", function()
      sys.catch("USR1")
      signal({ pid = sys.pid() }, "USR1")
      assert.is_false(sys.sleep(60))
      sys.caught("USR1")
      assert.is_true(sys.sleep(0.001))
    end)

    it("do again what they did after release", function()
      local child = start [[
        sys.catch("TERM")
        sys.catch("TERM")
        sys.release()
        print "ready"
        sys.sleep(60)
        print "survived"]]
      assert.equal("ready", child.pipe:read("*l"))
      signal(child, "TERM")
      assert.equal("", finish(child))
    end)

    it("stay ignored after release when they were ignored before", function()
      local child = start([[
        sys.catch("USR1")
        sys.release()
        os.execute("kill -USR1 " .. sys.pid())
        print "survived"]], "trap '' USR1; ")
      assert.equal("survived\n", finish(child))
    end)

    it("refuses a name it does not know, and then catches none", function()
      assert.has_error(function() sys.catch("USR1", "KILL") end, nil)
      assert.has_error(function() sys.caught("SIGINT") end, nil)
      local child = start [[pcall(sys.catch, "TERM", "KILL") print "ready" sys.sleep(60) print "survived"]]
      assert.equal("ready", child.pipe:read("*l"))
      signal(child, "TERM")
      assert.equal("", finish(child))
    end)
  end)

  it("sleeps for no less than was asked", function()
    local before = sys.monotonic()
    assert.is_true(sys.sleep(0.02))
    assert.is_true(sys.monotonic() - before >= 0.02)
    assert.is_true(sys.sleep(0))
    assert.has_error(function() sys.sleep(-1) end)
    assert.has_error(function() sys.sleep(0 / 0) end)
  end)

  it("has clocks", function()
    local before, now, after = os.time(), sys.now(), os.time()
    assert.is_true(before <= now and now < after + 1)
    assert.is_true(sys.monotonic() <= sys.monotonic())
  end)

  it("knows a terminal from a file", function()
    local said = output(script [[io.stderr:write(tostring(sys.isatty(1)), " ", sys.terminal_width(), "\n")]])
    assert.equal("false 80\n", said)
    assert.is_false(sys.isatty(-1))
  end)

  it("reads the width of a terminal", function()
    local report = path("report")
    local inner = ("stty cols 123; %s -e %s"):format(interpreter, quoted(
      ('local s = require "dsclient.sys" io.open(%q, "w"):write(tostring(s.isatty(1)), " ", s.terminal_width())')
      :format(report)))
    os.execute(("script -qec %s /dev/null >/dev/null 2>&1 </dev/null"):format(quoted(inner)))
    assert.equal("true 123", read("report"))
  end)

  it("has a process id", function()
    assert.equal(sys.pid(), tonumber(output("echo $PPID")))
  end)
end)

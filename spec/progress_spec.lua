local clients = require "support.bed"
local progress = require "dsclient.progress"
local sys = require "dsclient.sys"

local interpreter = "lua"
for index = -1, -10, -1 do
  interpreter = arg and arg[index] or interpreter
end

-- A clock, and what was told.
local function bed(total)
  local b = { at = 100, told = {} }
  b.progress = progress.new(function(done, all, rate, eta_s)
    b.told[#b.told + 1] = { done = done, total = all, rate = rate, eta_s = eta_s }
  end, total, function()
    return b.at
  end)
  -- The last that was told.
  function b.last()
    return b.told[#b.told]
  end
  return b
end

describe("progress by a function", function()
  it("tells the first step at once, and then at most ten times a second", function()
    local b = bed(1000)
    for _ = 1, 1000 do
      b.progress:step()
      b.at = b.at + 0.001953125 -- exact: 512 a second
    end
    b.progress:done()
    -- 1.953 s: at 0, 0.1015625, …
    assert.equal(21, #b.told)
    assert.same({ done = 1, total = 1000, rate = 0 }, b.told[1])
    for i = 2, 20 do
      assert.is_true(b.told[i].done - b.told[i - 1].done >= 51, i)
    end
    assert.equal(1000, b.last().done)
    assert.equal(0, b.last().eta_s)
    assert.is_true(math.abs(b.last().rate - 512) < 1e-9)
  end)

  it("tells the end once more where something is left to tell", function()
    local b = bed(3)
    b.progress:step()
    b.progress:step(2)
    b.progress:done()
    b.progress:done()
    assert.same({ 1, 3 }, { b.told[1].done, b.told[2].done })
    assert.equal(2, #b.told)
    b = bed()
    b.progress:done()
    assert.equal(0, #b.told)
  end)

  it("knows when it will end, by what was done of late", function()
    local b = bed(1000)
    for _ = 1, 20 do -- 10 a second for 20 s
      b.at = b.at + 1
      b.progress:step(10)
    end
    assert.same({ done = 200, total = 1000, rate = 10, eta_s = 80 }, b.last())
    for _ = 1, 10 do -- 40 a second: the slow begin is forgotten
      b.at = b.at + 1
      b.progress:step(40)
    end
    assert.same({ done = 600, total = 1000, rate = 40, eta_s = 10 }, b.last())
    b.at = b.at + 60 -- nothing for a minute
    b.progress:step(1)
    assert.equal(1 / 60, b.last().rate)
  end)

  it("keeps no more than the window", function()
    local b = bed()
    for _ = 1, 10000 do
      b.at = b.at + 1
      b.progress:step()
    end
    assert.is_true(#b.progress.marks <= 12)
    assert.same({ done = 10000, rate = 1 }, b.last())
  end)

  it("may learn later how much there is", function()
    local b = bed()
    b.at = b.at + 1
    b.progress:step()
    assert.same({ done = 1, rate = 1 }, b.last())
    b.progress:expect(3)
    b.at = b.at + 1
    b.progress:step()
    assert.same({ done = 2, total = 3, rate = 1, eta_s = 1 }, b.last())
    b.at = b.at + 1
    b.progress:step(5) -- more than there should be
    assert.equal(0, b.last().eta_s)
  end)

  it("hands on what the function throws", function()
    local thrown = {}
    local counting = progress.new(function()
      error(thrown)
    end, 1, os.time)
    local ok, err = pcall(counting.step, counting)
    assert.is_false(ok)
    assert.equal(thrown, err)
  end)
end)

describe("progress of a list", function()
  -- 5 rows in pages of 2.
  local function client()
    return clients.new(function(request)
      local number = tonumber(request.path:match "pageNo=(%d+)")
      local rows = {}
      for id = 2 * number - 1, math.min(2 * number, 5) do
        rows[#rows + 1] = ('{"id":%d}'):format(id)
      end
      local answer = clients.ok(('{"totalList":[%s],"total":5}'):format(table.concat(rows, ",")))
      answer.takes_s = 1
      return number <= 3 and answer or clients.refused(1)
    end, { max_retries = 0 })
  end

  local function telling()
    local told = {}
    return told, function(done, total)
      told[#told + 1] = done .. "/" .. tostring(total)
    end
  end

  it("is told row by row, or page by page", function()
    local told, tell = telling()
    local b = client()
    for _ in b.client.instances:each({ project = "1", page_size = 2 }, { progress = tell }) do
      b.advance(1)
    end
    assert.same({ "1/5", "2/5", "3/5", "4/5", "5/5" }, told)
    told, tell = telling()
    local pages = client().client.instances:pages({ project = "1", page_size = 2 }, { progress = tell })
    repeat
      local rows = pages.next()
    until not rows
    assert.same({ "2/5", "4/5", "5/5" }, told)
    told, tell = telling()
    local args = { project = "1", limit = 3, page_size = 2 }
    local list = client().client:each("instances.list", args, { progress = tell })
    assert.same({ 1, 2, 3 }, { list().id, list().id, list().id })
    assert.is_nil(list())
    assert.same({ "1/3", "3/3" }, told)
  end)

  it("ends where a page fails, and where a loop is left", function()
    local ended = 0
    local new = progress.new
    progress.new = function()
      return { step = function() end, expect = function() end, done = function()
        ended = ended + 1
      end }
    end
    finally(function()
      progress.new = new
    end)
    local b = clients.new({ clients.refused(1) })
    assert.has_error(function()
      b.client.instances:each({ project = "1" }, { progress = true })()
    end)
    assert.equal(1, ended)
    for row in client().client.instances:each({ project = "1", page_size = 2 }, { progress = true }) do
      if row.id == 2 then
        break
      end
    end
    assert.equal(_VERSION == "Lua 5.4" and 2 or 1, ended)
  end)

  it("is true or a function", function()
    local b = client()
    assert.has_error(function()
      b.client.instances:list({ projects = "*" }, { progress = "yes" })
    end)
  end)
end)

describe("progress that is off", function()
  it("looks at nothing and keeps nothing", function()
    local function never()
      error "it has no need of the time"
    end
    for _, option in ipairs { false, "none" } do
      local off = progress.new(option ~= "none" and option or nil, 5, never)
      off:step()
      off:expect(7)
      off:done()
      assert.is_nil(off.count)
    end
  end)
end)

describe("progress on a terminal", function()
  local stderr, isatty = io.stderr, sys.isatty

  after_each(function()
    io.stderr, sys.isatty = stderr, isatty -- luacheck: ignore
  end)

  -- A line of a terminal, by what was written.
  local function terminal(is_one)
    local screen = { writes = 0, column = 0, cells = {} }
    sys.isatty = function(fd)
      return is_one and fd == 2
    end
    io.stderr = { -- luacheck: ignore
      write = function(_, text)
        screen.writes = screen.writes + 1
        for char in text:gmatch "." do
          screen.column = char == "\r" and 0 or screen.column + 1
          if char ~= "\r" then
            screen.cells[screen.column] = char
          end
        end
      end,
    }
    function screen.shown()
      return (table.concat(screen.cells):gsub(" +$", ""))
    end
    return screen
  end

  it("draws a line over the one before, and takes it away", function()
    local screen = terminal(true)
    local at = 0
    local counting = progress.new(true, 120, function()
      return at
    end)
    assert.equal(0, screen.writes)
    counting:step()
    assert.equal("1 of 120 (0 %)", screen.shown())
    at = 0.05
    counting:step()
    assert.equal(1, screen.writes)
    at = 4
    counting:step(10)
    assert.equal("12 of 120 (10 %), 3.0/s, 36 s left", screen.shown())
    at = 5
    counting:step(107)
    assert.equal("119 of 120 (99 %), 23.8/s, 1 s left", screen.shown())
    counting:step()
    counting:done()
    assert.equal("", screen.shown())
    assert.equal(0, screen.column)
  end)

  it("has words for slow and for long work", function()
    local screen = terminal(true)
    local at = 0
    local counting = progress.new(true, 1000, function()
      return at
    end)
    at = 120
    counting:step(5)
    assert.equal("5 of 1000 (0 %), 2.5/min, 6 h 38 min left", screen.shown())
    at = 130
    counting:step(900)
    assert.equal("905 of 1000 (90 %), 90.0/s, 2 s left", screen.shown())
    at = 400
    counting:step(30)
    assert.equal("935 of 1000 (93 %), 6.7/min, 9 min 45 s left", screen.shown())
    counting:done()
    assert.equal("", screen.shown())
  end)

  it("writes nothing where nothing was done, and nothing where it is none", function()
    local screen = terminal(true)
    local clock = function()
      return 0
    end
    progress.new(true, 5, clock):done()
    assert.equal(0, screen.writes)
    screen = terminal(false)
    local counting = progress.new(true, 5, clock)
    counting:step()
    counting:done()
    assert.equal(0, screen.writes)
  end)

  it("asks the system which it is", function()
    local code = [[local p = require("dsclient.progress").new(true, 2, os.time) p:step() p:step() p:done() print "ran"]]
    local pipe = assert(io.popen(("exec %s -e '%s' 2>&1"):format(interpreter, code)))
    local said = pipe:read "*a"
    pipe:close()
    assert.equal("ran\n", said)
    pipe = assert(io.popen(("script -qec \"%s -e '%s' 2>/dev/tty >/dev/null\" /dev/null </dev/null")
      :format(interpreter, code:gsub('"', '\\"'))))
    said = pipe:read "*a"
    pipe:close()
    assert.equal("\r1 of 2 (50 %)\r             \r", said)
  end)
end)

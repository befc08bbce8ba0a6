local bed = require "support.bed"
local core = require "dsclient.core"
local dsclient = require "dsclient"
local errors = require "dsclient.errors"
local scope = require "dsclient.scope"
local tasks = require "dsclient.runtime.tasks"

--- The runtime on a clock that jumps to what is due; state is as of a client's.
local function virtual()
  local v = { now = 0 }
  local function pass(seconds)
    v.now = v.now + seconds
    core.advance(v.client, seconds)
  end
  v.runtime = tasks.new {
    now = function()
      return v.now
    end,
    sleep = pass,
    poll = function(_, seconds)
      pass(seconds)
    end,
  }
  local transport = { start = error, close = function() end }
  v.client = dsclient.new { api_url = "http://127.0.0.1:1", token = "secret", server_version = "3.1.1",
    transport = transport, runtime = setmetatable({ virtual = true }, { __index = v.runtime }) }
  return v
end

local function kinds(errs)
  local list = {}
  for key, err in pairs(errs) do
    list[key] = type(err) == "table" and err.kind or err
  end
  return list
end

describe("run", function()
  local v, runtime, log

  before_each(function()
    v, log = virtual(), {}
    runtime = v.runtime
  end)

  local function note(text)
    log[#log + 1] = text
  end

  local function noting(text, seconds)
    return function()
      note(text .. " begins")
      local ok, err = scope.sleep(runtime, seconds)
      note(ok and text .. " ends" or text .. " " .. err.kind)
    end
  end

  it("returns what its function returns, nils included", function()
    local function count(...)
      return select("#", ...), ...
    end
    local n, a, b, c = count(scope.run(runtime, function(...)
      return ..., nil
    end, 1, nil))
    assert.equal(2, n)
    assert.same({ 1, nil, nil }, { a, b, c })
    assert.equal(0, runtime.count())
  end)

  it("lets tasks run while others wait, and joins them", function()
    local got = { scope.run(runtime, function()
      local a = scope.spawn(runtime, noting("a", 2))
      scope.spawn(runtime, noting("b", 1))
      local c = scope.spawn(runtime, function(x, y)
        return y, x
      end, 1, 2)
      note "body"
      local x, y = c:join()
      a:join()
      return x, y
    end) }
    assert.same({ 2, 1 }, got)
    assert.same({ "body", "a begins", "b begins", "b ends", "a ends" }, log)
    assert.equal(2, v.now)
  end)

  it("ends the tasks that are left when it is left", function()
    scope.run(runtime, function()
      scope.spawn(runtime, noting("a", 100))
      scope.sleep(runtime, 1)
      note "left"
    end)
    assert.same({ "a begins", "left", "a cancelled" }, log)
    assert.equal(1, v.now)
    assert.equal(0, runtime.count())
  end)

  it("ends siblings and body where one throws, and throws that, with its traceback", function()
    local ok, problem = pcall(scope.run, runtime, function()
      scope.spawn(runtime, noting("sibling", 100))
      scope.spawn(runtime, function()
        scope.sleep(runtime, 1)
        local function the_place_that_throws()
          error "the fault"
        end
        the_place_that_throws()
      end)
      noting("body", 100)()
    end)
    assert.is_false(ok)
    assert.truthy(problem:find("scope_spec.lua:%d+: the fault\nstack traceback:\n"))
    assert.truthy(problem:find("the_place_that_throws", 1, true))
    local _, tracebacks = problem:gsub("stack traceback", "")
    assert.equal(1, tracebacks)
    assert.same({ "body begins", "sibling begins", "body cancelled", "sibling cancelled" }, log)
    assert.equal(1, v.now)
    assert.equal(0, runtime.count())
  end)

  it("throws what is no text as it is", function()
    local value = {}
    local ok, problem = pcall(scope.run, runtime, function()
      error(value)
    end)
    assert.is_false(ok)
    assert.equal(value, problem)
  end)

  it("may be within another: its tasks are its own", function()
    scope.run(runtime, function()
      scope.spawn(runtime, noting("outer", 3))
      local ok = pcall(scope.run, runtime, function()
        scope.spawn(runtime, noting("inner", 5))
        scope.sleep(runtime, 1)
        error "of the inner one"
      end)
      assert.is_false(ok)
      assert.is_true(scope.sleep(runtime, 5))
    end)
    assert.same({ "outer begins", "inner begins", "inner cancelled", "outer ends" }, log)
    assert.equal(6, v.now)
  end)

  it("ends a task that is to be ended, which then waits for nothing more", function()
    scope.run(runtime, function()
      local task = scope.spawn(runtime, function()
        local ok, err = scope.sleep(runtime, 10)
        note(tostring(ok) .. " " .. err.kind)
        ok, err = scope.sleep(runtime, 10)
        note(tostring(ok) .. " " .. err.kind)
        return "done"
      end)
      scope.sleep(runtime, 1)
      task:cancel()
      note(task:join())
      task:cancel()
    end)
    assert.same({ "nil cancelled", "nil cancelled", "done" }, log)
    assert.equal(1, v.now)
  end)

  it("lets a task be joined by many, and tells who joins in vain", function()
    scope.run(runtime, function()
      local slow = scope.spawn(runtime, function()
        scope.sleep(runtime, 2)
        return 7
      end)
      local joins = {}
      for i = 1, 3 do
        joins[i] = scope.spawn(runtime, function()
          local value, err = slow:join()
          note(value or err.kind)
        end)
      end
      scope.sleep(runtime, 1)
      joins[2]:cancel()
      slow:join()
      assert.equal(7, slow:join())
      scope.sleep(runtime, 0)
    end)
    assert.same({ "cancelled", 7, 7 }, log)
  end)

  it("says so where all wait for each other", function()
    local ok, problem = pcall(scope.run, runtime, function()
      local a
      a = scope.spawn(runtime, function()
        return a:join()
      end)
      a:join()
    end)
    assert.is_false(ok)
    assert.truthy(problem:find("all tasks wait", 1, true))
    assert.equal(0, runtime.count())
  end)

  it("lets who goes on though ended keep nobody from running", function()
    local rounds = 0
    scope.run(runtime, function()
      scope.spawn(runtime, function()
        while rounds < 100 do
          scope.sleep(runtime, 1)
          rounds = rounds + 1
        end
      end)
      scope.spawn(runtime, noting("other", 0.5))
    end)
    assert.equal(100, rounds)
    assert.same({ "other begins", "other cancelled" }, log)
  end)

  it("takes a yield of the user's own for a wish to let others run", function()
    scope.run(runtime, function()
      local task = scope.spawn(runtime, function()
        note "a"
        coroutine.yield()
        note "b"
      end)
      scope.spawn(runtime, noting("other", 0))
      task:join()
    end)
    assert.same({ "a", "other begins", "b" }, { log[1], log[2], log[3] })
  end)

  it("lets a coroutine that a task made block the others, and be right", function()
    local got = scope.run(runtime, function()
      scope.spawn(runtime, noting("other", 1))
      local steps = coroutine.wrap(function()
        for i = 1, 2 do
          scope.sleep(runtime, 1)
          coroutine.yield(i)
        end
      end)
      local values = { steps(), steps() }
      scope.sleep(runtime, 1)
      return values
    end)
    assert.same({ 1, 2 }, got)
    assert.same({ "other begins", "other ends" }, log)
  end)

  it("takes functions only, and tasks within it only", function()
    assert.has_error(function()
      scope.spawn(runtime, print)
    end, "spawn: a task belongs to a dsclient.run(…) around it")
    scope.run(runtime, function()
      assert.has_error(function()
        scope.spawn(runtime, 5)
      end, "spawn: a function expected, got number")
    end)
  end)
end)

describe("gather", function()
  local v

  before_each(function()
    v = virtual()
  end)

  local function after(seconds, ...)
    local n, results = select("#", ...), { ... }
    return function()
      local ok, err = v.client:sleep(seconds)
      if not ok then
        return nil, err
      end
      return (table.unpack or unpack)(results, 1, n) -- luacheck: ignore unpack
    end
  end

  it("calls all at once, and gives their values under their keys", function()
    local values, errs = v.client:gather { a = after(3, "x"), b = after(2), [1] = after(1, { 5 }) }
    assert.same({ a = "x", b = true, [1] = { 5 } }, values)
    assert.is_nil(errs)
    assert.equal(3, v.now)
  end)

  it("gives the errors of those that failed", function()
    local values, errs = v.client:gather { a = after(1, "x"), b = after(1, nil, "why"), c = after(1, false),
      d = function()
        errors.raise(errors.new { kind = "timeout", message = "a page" })
      end }
    assert.same({ a = "x", b = false, c = false, d = false }, values)
    assert.same({ b = "why", d = "timeout" }, kinds(errs))
  end)

  it("ends what is not done in time", function()
    local values, errs = v.client:gather({ a = after(1, "x"), b = after(10, "y") }, { timeout_s = 2 })
    assert.same({ a = "x", b = false }, values)
    assert.same({ b = "deadline" }, kinds(errs))
    assert.equal(2, v.now)
  end)

  it("runs so many at once as it is told", function()
    local fns = {}
    for i = 1, 6 do
      fns[i] = after(1, i)
    end
    assert.same({ 1, 2, 3, 4, 5, 6 }, (v.client:gather(fns, { concurrency = 2 })))
    assert.equal(3, v.now)
    local values, errs = v.client:gather(fns, { concurrency = 4, timeout_s = 1.5 })
    assert.same({ 1, 2, 3, 4, false, false }, values)
    assert.same({ nil, nil, nil, nil, "deadline", "deadline" }, kinds(errs))
  end)

  it("throws the Lua error of one, and ends the others", function()
    local ended
    local ok, problem = pcall(v.client.gather, v.client, {
      function()
        v.client:sleep(1)
        error "a fault"
      end,
      function()
        ended = select(2, v.client:sleep(100)).kind
      end,
    })
    assert.is_false(ok)
    assert.truthy(problem:find "a fault\nstack traceback:")
    assert.equal("cancelled", ended)
    assert.equal(1, v.now)
  end)

  it("works within a task, and ends with it", function()
    local inner
    scope.run(v.runtime, function()
      local task = scope.spawn(v.runtime, function()
        inner = { v.client:gather { after(1, "x"), after(50, "y") } }
      end)
      scope.sleep(v.runtime, 2)
      task:cancel()
      task:join()
    end)
    assert.same({ "x", false }, inner[1])
    assert.same({ nil, "cancelled" }, kinds(inner[2]))
    assert.equal(2, v.now)
  end)

  it("may gather in what it gathers", function()
    local values = v.client:gather {
      function()
        return v.client:gather { after(1, 1), after(2, 2) }
      end,
      function()
        return v.client:map({ 3, 4 }, function(n)
          return after(2, n)()
        end)
      end,
    }
    assert.same({ { 1, 2 }, { 3, 4 } }, values)
    assert.equal(2, v.now)
  end)

  it("goes one by one where there are no tasks", function()
    local b = bed.new { bed.PAGE }
    local order = {}
    local values, errs = b.client:map({ "a", "b", "c" }, function(item, i)
      order[#order + 1] = item .. i
      return b.client:sleep(1) and item
    end, { timeout_s = 1.5 })
    assert.same({ "a1", "b2" }, order)
    assert.same({ "a", "b", false }, values)
    assert.same({ nil, nil, "deadline" }, kinds(errs))
    assert.is_false(pcall(scope.run, { sleep = error }, print))
  end)

  it("wants functions, and a list and a function", function()
    assert.has_error(function()
      v.client:gather(5)
    end, "gather: functions by key: table expected, got number")
    assert.has_error(function()
      v.client:gather { a = 5 }
    end, "gather: a: function expected, got number")
    assert.has_error(function()
      v.client:map({}, nil)
    end, "map: what to call: function expected, got nil")
    assert.has_error(function()
      v.client:map({}, print, { cocurrency = 5 })
    end)
    assert.same({}, (v.client:map({}, print)))
    assert.same({}, (v.client:gather {}))
  end)
end)

describe("map", function()
  it("keeps the order of the list, eight at a time, whatever the order of the answers", function()
    local v = virtual()
    local list, running, most = {}, 0, 0
    for i = 1, 30 do
      list[i] = i
    end
    local values, errs = v.client:map(list, function(item, i)
      running = running + 1
      most = math.max(most, running)
      v.client:sleep((item * 7) % 5 + 1)
      running = running - 1
      if item % 10 == 0 then
        return nil, "no " .. i
      end
      return item * 2
    end)
    assert.equal(8, most)
    for i = 1, 30 do
      assert.equal(i % 10 ~= 0 and i * 2, values[i])
    end
    assert.same({ [10] = "no 10", [20] = "no 20", [30] = "no 30" }, errs)
  end)

  it("tells how far it is, and that it has ended, well or not", function()
    local v, told = virtual(), {}
    local function tell(done, total, rate)
      told[#told + 1] = { done, total, rate }
    end
    v.client:map({ 1, 2, 3, 4, 5 }, function(n)
      v.client:sleep(n)
      return n ~= 3 or nil, "no"
    end, { concurrency = 5, progress = tell })
    assert.same({ { 1, 5, 1 }, { 2, 5, 1 }, { 3, 5, 1 }, { 4, 5, 1 }, { 5, 5, 1 } }, told)
    told = {}
    v.client:gather({ function() end, function() end, function() end }, { progress = tell })
    assert.same({ { 1, 3, 0 }, { 3, 3, 0 } }, told)
    told = {}
    local fine, problem = pcall(v.client.map, v.client, { 1, 2 }, function(n)
      return n == 1 or error "a fault"
    end, { concurrency = 1, progress = tell })
    assert.is_false(fine)
    assert.is_truthy(problem:find("a fault", 1, true))
    assert.same({ { 1, 2, 0 } }, told)
    assert.has_error(function()
      v.client:map({}, print, { progress = 5 })
    end, "map: option \"progress\": true, or a function expected, got 5")
  end)
end)

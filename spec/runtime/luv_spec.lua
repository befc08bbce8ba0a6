local contract = require "spec.runtime_contract"
local dsclient = require "dsclient"
local luv = require "dsclient.runtime.luv"
local script = require "spec.support.script"
local tcp_server = require "spec.support.tcp_server"
local uv = require "luv"

--- The handles that are open, and those of them that keep the loop going.
local function handles()
  local open, held = {}, {}
  uv.walk(function(handle)
    if not handle:is_closing() then
      open[handle] = true
      held[#held + 1] = handle:has_ref() and handle or nil
    end
  end)
  return open, held
end

--- Runs fn in a coroutine, and the loop for what that waits for, not for the servers of the specs.
local function run(fn)
  local before, held = handles()
  local over, problem = false, nil
  for _, handle in ipairs(held) do
    handle:unref()
  end
  coroutine.wrap(function()
    local fine, why = pcall(fn)
    over, problem = true, not fine and { why }
  end)()
  local is_alive = uv.run()
  for _, handle in ipairs(held) do
    handle:ref()
  end
  if problem then
    error(problem[1], 0)
  end
  assert(over and not is_alive, "the loop ended before the task")
  for handle in pairs((handles())) do
    assert(before[handle], "left open: " .. tostring(handle))
  end
end

describe("the runtime of luv keeps the contract:", function()
  contract({
    runtime = luv,
    run = run,
    fails = function(source)
      return script(([[
        local runtime, uv = require "dsclient.runtime.luv", require "luv"
        coroutine.wrap(function() %s end)()
        uv.run()
      ]]):format(source))
    end,
    --- In a callback; it comes back once that has run.
    aside = function(fn)
      local waiter, fine, why = {}, nil, nil
      local timer = uv.new_timer()
      timer:start(0, 0, function()
        fine, why = pcall(fn)
        timer:close()
        luv.wake(waiter)
      end)
      luv.park(waiter, math.huge)
      if not fine then
        error(why, 0)
      end
    end,
  }, { describe = describe, it = it, setup = setup, teardown = teardown, before_each = before_each,
    after_each = after_each })
end)

describe("a coroutine of luv", function()
  local server

  setup(function()
    server = tcp_server.start()
  end)

  teardown(function()
    server:stop()
  end)

  local function client_of(path)
    return dsclient.new { api_url = server.url .. path, token = "x", server_version = "3.2.2", runtime = luv }
  end

  --- Waits as people do who have no library for it.
  local function own_sleep(ms)
    local task, timer = coroutine.running(), uv.new_timer()
    timer:start(ms, 0, function()
      timer:close()
      assert(coroutine.resume(task, "own"))
    end)
    return coroutine.yield()
  end

  it("may wait in its own ways in between: neither takes the other's wake", function()
    local client = client_of "/api"
    run(function()
      local waiter = {}
      assert.equal("own", own_sleep(1))
      assert.same({}, (assert(client:get_projects { cache = false })))
      assert.equal("timeout", luv.park(waiter, 0))
      luv.wake(waiter) -- it waits no more for this one
      assert.equal("own", own_sleep(1))
      assert.is_true(client:sleep(0.001))
    end)
    client:close()
  end)

  it("goes on waiting where somebody else resumes it", function()
    run(function()
      local task, waiter, resumed = coroutine.running(), {}, 0
      local timer = uv.new_timer()
      timer:start(0, 1, function()
        resumed = resumed + 1
        assert(coroutine.resume(task))
        if resumed == 3 then
          timer:close()
          luv.wake(waiter)
        end
      end)
      assert.equal("woken", luv.park(waiter, math.huge))
      assert.equal(3, resumed)
    end)
  end)

  it("runs in a loop that is run once at a time, too", function()
    local client = client_of "/api"
    local over = false
    coroutine.wrap(function()
      for _ = 1, 5 do
        assert(client:get_projects { cache = false })
      end
      over = true
    end)()
    while not over do
      uv.run "once"
    end
    client:close()
    uv.run "nowait"
    for handle in pairs((handles())) do
      assert.is_nil(("poll timer"):find(handle:get_type(), 1, true))
    end
  end)
end)

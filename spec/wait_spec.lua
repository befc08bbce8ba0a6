local bed = require "support.bed"
local dsclient = require "dsclient"
local insides = require "support.insides"
local tasks = require "support.tasks"
local wait = require "dsclient.wait"

describe("a runtime", function()
  it("has tasks only where it has park, wake and current, and one runs", function()
    local task = {}
    local function f()
      return task
    end
    assert.is_true(wait.is_concurrent { sleep = f, park = f, wake = f, current = f })
    for _, part in ipairs { "park", "wake", "current" } do
      local runtime = { sleep = f, park = f, wake = f, current = f }
      runtime[part] = nil
      assert.is_false(wait.is_concurrent(runtime))
    end
    task = nil
    assert.is_false(wait.is_concurrent { sleep = f, park = f, wake = f, current = f })
  end)

  it("that only sleeps is asked to sleep, also while it can wait for nobody", function()
    local b = bed.new({ bed.status(503), bed.PAGE }, { jitter = "none" })
    assert(b.client:call("instances.list", { project = "1" }))
    assert.same({ 0.5 }, b.slept)
  end)

  it("sleeps less before a repeat where the log took its time", function()
    local b
    b = bed.new({ bed.status(503), bed.PAGE }, {
      jitter = "none",
      log = function()
        b.advance(0.3)
      end,
    })
    assert(b.client:call("instances.list", { project = "1" }))
    assert.equal(0.2, math.floor(b.slept[1] * 1e6 + 0.5) / 1e6)
    b.client:close()
    b = bed.new({ bed.status(503) }, {
      jitter = "none",
      log = function()
        b.advance(2)
      end,
    })
    local _, err = b.client:call("instances.list", { project = "1" }, { timeout_s = 1 })
    assert.equal("deadline", err.kind)
    assert.same({}, b.slept)
  end)

  it("that drives transfers is told after each step that others' times may have changed, and of the close", function()
    local log = {}
    local runtime = { sleep = print, forget = function(source)
      log[#log + 1] = source
    end }
    runtime.watch = runtime.forget
    local transport = { step = print, pollfd = print, close = function() end }
    function transport.start()
      return {
        wait = function()
          return nil, { kind = "network", phase = "sent", message = "scripted" }
        end,
      }
    end
    local client = dsclient.new { api_url = "http://127.0.0.1:1", token = "x", server_version = "3.1.1",
      transport = transport, runtime = runtime, max_retries = 0 }
    local source = insides(client).source
    assert.is_nil((bed.list(client)))
    assert.same({}, log) -- nobody else waits
    source.waiters[1] = {}
    assert.is_true(source:busy())
    assert.is_nil((bed.list(client)))
    assert.is_true(#log > 0)
    assert.equal(source, log[#log])
    log = {}
    client:close()
    assert.is_false(source:busy())
    assert.equal(1, #log)
  end)

  it("with tasks is left without a parked one when all is over", function()
    local t = tasks.new({ bed.status(503), bed.PAGE }, { pool_maxsize = 1 })
    for _, result in ipairs(t:all(bed.list, bed.list, bed.list)) do
      assert.is_truthy(result.value)
    end
    assert.same({}, t.tasks)
  end)
end)

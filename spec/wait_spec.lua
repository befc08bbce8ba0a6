local bed = require "support.bed"
local tasks = require "support.tasks"
local wait = require "dsclient.wait"

describe("a runtime", function()
  it("is one of many tasks only where it has park, wake and current", function()
    local function f() end
    assert.is_true(wait.is_concurrent { sleep = f, park = f, wake = f, current = f })
    for _, part in ipairs { "park", "wake", "current" } do
      local runtime = { sleep = f, park = f, wake = f, current = f }
      runtime[part] = nil
      assert.is_false(wait.is_concurrent(runtime))
    end
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

  it("with tasks is left without a parked one when all is over", function()
    local t = tasks.new({ bed.status(503), bed.PAGE }, { pool_maxsize = 1 })
    for _, result in ipairs(t:all(bed.list, bed.list, bed.list)) do
      assert.is_truthy(result.value)
    end
    assert.same({}, t.tasks)
  end)
end)

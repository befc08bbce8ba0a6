--- Waiting ever more rarely, until a deadline; and the client's own sleep.

local bed = require "support.bed"
local tasks = require "support.tasks"
local watches = require "dsclient.composed.watch"

local function watch_of(b, opts)
  local given = { timeout_s = 100, poll_s = 1, poll_max_s = 30 }
  for name, value in pairs(opts or {}) do
    given[name] = value
  end
  return watches.new(b.client, given, "workflows.run")
end

describe("a watch", function()
  it("waits longer each time, at most poll_max_s, and never beyond its end", function()
    local b = bed.new { bed.PAGE }
    local watch = watch_of(b, { poll_max_s = 4, timeout_s = 12 })
    repeat
      local waited, err = watch:pause "it is not there"
    until not waited or err
    assert.same({ 1, 1.5, 2.25, 3.375, 3.875 }, b.slept)
    local _, err = watch:pause "it is not there"
    assert.equal("deadline", err.kind)
    assert.equal("workflows.run: deadline: it is not there after 12 s", tostring(err))
  end)

  it("begins anew when quickened", function()
    local b = bed.new { bed.PAGE }
    local watch = watch_of(b)
    watch:pause()
    watch:pause()
    watch:quicken()
    watch:pause()
    assert.same({ 1, 1.5, 1 }, b.slept)
  end)

  it("gives calls no more time than is left", function()
    local b = bed.new { bed.PAGE }
    local watch = watch_of(b)
    assert.same({ timeout_s = 100 }, watch:call_options())
    assert.is_nil(watch_of(b, { timeout_s = 301 }):call_options())
    b.advance(90)
    assert.same({ timeout_s = 10 }, watch:call_options())
    b.advance(90)
    assert.same({ timeout_s = 0.001 }, watch:call_options())
    assert.equal(0, watch:left_s())
  end)

  it("has parts that end before it does", function()
    local b = bed.new { bed.PAGE }
    local watch = watch_of(b)
    assert.equal(60, watch:part(60):left_s())
    b.advance(80)
    assert.equal(20, watch:part(60):left_s())
  end)
end)

describe("client:sleep", function()
  it("waits, and tells a closed client", function()
    local b = bed.new { bed.PAGE }
    assert.is_true(b.client:sleep(5))
    assert.same({ 5 }, b.slept)
    b.client:close()
    local _, err = b.client:sleep(5)
    assert.equal("closed", err.kind)
  end)

  it("takes seconds that end, and nothing else", function()
    local b = bed.new { bed.PAGE }
    assert.is_true(b.client:sleep(0))
    for _, bad in ipairs { "5", -1, 0 / 0, 1 / 0, 1e10, {} } do
      assert.has_error(function()
        b.client:sleep(bad)
      end, "sleep: seconds, from 0 to 2592000, expected")
    end
    assert.has_error(function()
      b.client:sleep()
    end)
  end)

  it("lets other tasks go on, and ends when the client is closed", function()
    local t = tasks.new { bed.PAGE }
    local order = {}
    t:all(function()
      local _, err = t.client:sleep(5)
      order[#order + 1] = err.kind
    end, function()
      order[#order + 1] = "close"
      t.client:close()
    end)
    assert.same({ "close", "cancelled" }, order)
  end)
end)

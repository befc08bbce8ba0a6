local faults = require "dsclient.sandbox.faults"

local function always(value)
  return function()
    return value
  end
end

describe("faults", function()
  it("are met by the operation they are for, so many times", function()
    local f = faults.new(always(0))
    assert(f:add { fault = "reset_after", operation = "instances.execute", times = 2 })
    assert.is_nil(f:pick "instances.list")
    assert.equal("reset_after", f:pick("instances.execute").name)
    assert.is_true(f:pick("instances.execute").effect)
    assert.is_nil(f:pick "instances.execute")
  end)

  it("are met at their rate", function()
    local draws = { 0.1, 0.9, 0.29, 0.31 }
    local f = faults.new(function()
      return table.remove(draws, 1)
    end)
    f:add { fault = "cut", rate = 0.3 }
    local met = {}
    for i = 1, 4 do
      met[i] = f:pick "x" and true or false
    end
    assert.same({ true, false, true, false }, met)
  end)

  it("go in order, and go away", function()
    local f = faults.new(always(0))
    f:add { fault = "status_503", times = 1, retry_after = "2" }
    f:add { fault = "slow" }
    local first = f:pick "x"
    assert.same({ 503, "2", false }, { first.status, first.retry_after, first.effect })
    assert.equal("slow", f:pick("x").wire)
    f:clear()
    assert.is_nil(f:pick "x")
  end)

  it("that do not exist are refused", function()
    local added, message = faults.new(always(0)):add { fault = "flood" }
    assert.is_nil(added)
    assert.truthy(message:find("flood", 1, true))
  end)
end)

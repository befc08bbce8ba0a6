local bed = require "support.bed"

-- A line that knows no request for several runs, but for the given answers by run.
local function old_bed(answers)
  return bed.new(function(request)
    local id = tonumber(request.body:match "processInstanceId=(%d+)")
    return answers[id] or bed.ok()
  end, { server_version = "3.0.1" })
end

describe("several runs on a line without a request for them", function()
  it("are acted on one by one", function()
    for _, ids in ipairs { { 7, 8 }, "7,8" } do
      local b = old_bed {}
      assert.is_true(b.client.instances:stop { project = "1", instance_ids = ids })
      assert.same({ "processInstanceId=7&executeType=STOP", "processInstanceId=8&executeType=STOP" },
        { b.requests[1].body, b.requests[2].body })
    end
    local b = old_bed {}
    assert.is_true(b.client.instances:stop { project = "1", instance_ids = 7 })
    assert.equal(1, #b.requests)
  end)

  it("are all tried, and those that were refused are named", function()
    local b = old_bed { [7] = bed.refused(50006, "seven"), [9] = bed.refused(50006, "nine") }
    local value, err = b.client.instances:stop { project = "1", instance_ids = { 7, 8, 9 } }
    assert.is_nil(value)
    assert.equal("seven", err.message)
    assert.same({ 7, 9 }, err.failed_ids)
    assert.equal(3, #b.requests)
  end)

  it("are checked before", function()
    local b = old_bed {}
    for _, ids in ipairs { {}, "", { 0 }, { "x" } } do
      local _, err = b.client.instances:stop { project = "1", instance_ids = ids }
      assert.same({ "argument", "instance_ids" }, { err.kind, err.argument })
    end
    assert.has_error(function()
      b.client.instances:stop { project = "1", instance_ids = true }
    end)
    assert.equal(0, #b.requests)
  end)
end)

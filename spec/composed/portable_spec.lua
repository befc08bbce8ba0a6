--- The form of definitions in files, and what makes two of them the same.

local core = require "dsclient.core"
local portable = require "dsclient.composed.portable"

local function row(changes)
  local task = {
    code = "23804249263680", name = "step", taskType = "SHELL", environmentCode = "-1", isCache = "NO", id = 7,
    taskParams = { rawScript = "echo" }, createTime = "2026-01-01 00:00:00",
  }
  local made = {
    workflowDefinition = {
      code = "23804249336512", name = "w", projectCode = "23804249005760", globalParams = "[]", version = 3,
      locations = '[{"taskCode": 23804249263680, "x": 120}]', executionType = "PARALLEL", timeout = 0,
    },
    workflowTaskRelationList = {
      { id = 2, preTaskCode = "0", postTaskCode = "23804249263680", conditionType = "NONE" },
    },
    taskDefinitionList = { task },
  }
  for key, value in pairs(changes or {}) do
    task[key] = value
  end
  return made
end

local function fingerprint(changes)
  return portable.fingerprint(portable.read(row(changes)))
end

describe("a definition", function()
  it("is the same out of an answer and out of a file", function()
    local bundle = portable.read(row())
    local text = core.encode(portable.write(bundle), true)
    assert.equal(portable.fingerprint(bundle), portable.fingerprint(portable.read(core.decode(text))))
    assert.truthy(text:find('"code":23804249336512', 1, true))
    assert.truthy(text:find([["locations":"[{\"taskCode\":23804249263680,\"x\":120}]"]], 1, true))
    assert.is_nil(text:find("createTime", 1, true))
    assert.is_nil(text:find("references", 1, true))
  end)

  it("is the same where a line tells less, and another where anything differs", function()
    local told = fingerprint()
    for _, changes in ipairs {
      { cpuQuota = -1, memoryMax = -1, delayTime = 0, taskExecuteType = "BATCH", description = "" },
      { version = 9, updateTime = "2026-02-02 00:00:00", taskParams = '{"rawScript":"echo"}' },
    } do
      assert.equal(told, fingerprint(changes))
    end
    for _, changes in ipairs {
      { name = "other" }, { taskParams = { rawScript = "echo 2" } }, { failRetryTimes = 3 },
      { environmentCode = "23804249263999" }, { flag = "NO" }, { isCache = "YES" },
    } do
      assert.are_not.equal(told, fingerprint(changes))
    end
  end)

  it("gets other codes wherever they stand as a whole", function()
    local bundle = portable.read(row { taskParams = { rawScript = "23804249263680 x", nodes = { 23804249263680 } } })
    local mapped = portable.with_codes(bundle, { ["23804249263680"] = "99999999999999" })
    assert.equal("99999999999999", mapped.tasks[1].code)
    assert.same({ 99999999999999 }, mapped.tasks[1].taskParams.nodes)
    assert.equal("23804249263680 x", mapped.tasks[1].taskParams.rawScript)
    assert.equal("99999999999999", mapped.relations[1].postTaskCode)
    assert.equal("0", mapped.relations[1].preTaskCode)
    assert.equal(99999999999999, mapped.locations[1].taskCode)
    assert.equal("23804249263680", bundle.tasks[1].code)
  end)

  it("keeps numbers that are no codes, however short the codes of a file are", function()
    local bundle = portable.read(row { code = 1, failRetryTimes = 1, taskParams = { timeout = 1, successNode = { 1 },
      conditions = { { nodeCode = 1, value = "1" } } } })
    bundle.relations[1].postTaskCode = 1
    local mapped = portable.with_codes(bundle, { ["1"] = "99999999999999", ["0"] = "88888888888888" })
    local task, params = mapped.tasks[1], mapped.tasks[1].taskParams
    assert.equal("99999999999999", task.code)
    assert.equal(1, task.failRetryTimes)
    assert.same({ timeout = 1, successNode = { 99999999999999 },
      conditions = { { nodeCode = 99999999999999, value = "1" } } }, params)
    assert.equal("0", mapped.relations[1].preTaskCode)
    assert.equal(99999999999999, mapped.relations[1].postTaskCode)
  end)

  it("is none where its tasks or relations are none", function()
    for _, wrong in ipairs { 5, "x", core.null, true } do
      local one = row()
      one.taskDefinitionList[2] = wrong
      assert.is_nil(portable.read(one))
      one = row()
      one.workflowTaskRelationList[2] = wrong
      assert.is_nil(portable.read(one))
    end
    assert.is_nil(portable.read(row { code = "x" }))
  end)

  it("has no text that another shares where it has none", function()
    local fields = row()
    fields.workflowDefinition.globalParams = { a = 1 }
    assert.is_nil(portable.fingerprint(portable.read(fields)))
  end)

  it("is none without a name and a code", function()
    for _, value in ipairs { {}, "text", 5, { workflowDefinition = 1 }, { workflowDefinition = { name = "x" } },
      { workflowDefinition = { name = "x", code = "no" } } } do
      assert.is_nil(portable.read(value))
    end
  end)

  it("may lack everything else", function()
    local bundle = portable.read { processDefinition = { name = "x", code = 5, locations = core.null } }
    assert.same({}, bundle.tasks)
    assert.equal("5", bundle.code)
    assert.is_string(portable.fingerprint(bundle))
    portable.each_reference(bundle, error)
  end)
end)

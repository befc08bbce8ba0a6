--- Definitions as files: the way out, the way in, and what is never written.

local bed = require "support.bed"
local core = require "dsclient.core"
local export_definitions = require("dsclient.composed.export").export_definitions
local import_definitions = require("dsclient.composed.import").import_definitions
local sandbox = require "dsclient.sandbox"

-- --- a server that keeps what it is sent ---------------------------------

local Shelf = {}
Shelf.__index = Shelf

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function ok(data)
  return bed.ok(core.encode(data, true))
end

local function find(list, key, value)
  for _, item in ipairs(list) do
    if item[key] == value then
      return item
    end
  end
end

function Shelf:new_code()
  self.codes = self.codes + 1
  return ("%.0f"):format(self.first_code + self.codes)
end

--- Keeps a definition as the server does: with its own fields around it.
function Shelf:put(project, code, fields)
  local noun = self.noun
  local one = find(self.stored, "code", code)
  if not one then
    one = { code = code, project = project }
    self.stored[#self.stored + 1] = one
  end
  one.name = fields.name
  one.dag = {
    [noun .. "Definition"] = {
      id = 1, code = code, name = fields.name, projectCode = project, description = fields.description,
      globalParams = fields.globalParams, locations = fields.locations, timeout = tonumber(fields.timeout),
      executionType = fields.executionType, tenantCode = fields.tenantCode, version = 1, releaseState = "OFFLINE",
    },
    taskDefinitionList = core.decode(fields.taskDefinitionJson),
    [noun .. "TaskRelationList"] = core.decode(fields.taskRelationJson),
  }
  self.writes = self.writes + 1
end

local function answer(self, request)
  local path, query = request.path:match "^([^?]*)%??(.*)$"
  local fields = {}
  for name, value in (query .. "&" .. (request.body or "")):gmatch "([^&=]+)=([^&]*)" do
    fields[name] = unescape(value)
  end
  local project, rest = path:match "/projects/(%d+)/?(.*)$"
  if path:find "get%-user%-info" then
    return ok { id = 1, userName = "admin" }
  elseif path:find "/projects$" then
    return ok { totalList = core.array(self.projects), total = #self.projects }
  elseif path:find "/tenants" then
    return ok(core.array { { id = 1, tenantCode = "default" }, { id = 2, tenantCode = "root" } })
  elseif rest == "" then
    return ok(find(self.projects, "code", project))
  elseif rest:find "gen%-task%-codes" then
    local codes = core.array {}
    for i = 1, tonumber(fields.genNum) do
      codes[i] = tonumber(self:new_code())
    end
    assert(#codes <= 100)
    return ok(codes)
  elseif rest:find "simple%-list" then
    local rows = core.array {}
    for _, one in ipairs(self.stored) do
      if one.project == project then
        rows[#rows + 1] = { id = 1, code = one.code, name = one.name, projectCode = project }
      end
    end
    return ok(rows)
  elseif request.method == "POST" then
    if self.refuse then
      return self.refuse
    end
    self:put(project, self:new_code(), fields)
    return self.lose or ok { code = self.stored[#self.stored].code, name = fields.name }
  end
  local one = find(self.stored, "code", rest:match "%d+$")
  if request.method == "PUT" then
    if self.refuse then
      return self.refuse
    end
    self:put(project, one.code, fields)
  end
  return one and ok(one.dag) or bed.refused(50003, "no such definition")
end

--- A server of a line, with the projects 100 (one) and 200 (two).
local function shelf(version, first_code)
  local self = setmetatable({
    noun = version == "3.4.1" and "workflow" or "process",
    first_code = first_code or 1e13,
    codes = 0,
    writes = 0,
    stored = {},
    projects = { { id = 1, code = "100", name = "one" }, { id = 2, code = "200", name = "two" } },
  }, Shelf)
  self.client = bed.new(function(request)
    if request.path:find "query%-product%-info" then
      return ok { version = version }
    end
    return answer(self, request)
  end, { server_version = version }).client
  return self
end

-- --- what stands on it ---------------------------------------------------

local function task(code, name, fields)
  local row = {
    code = code, name = name, taskType = "SHELL", taskParams = { rawScript = "echo " .. name }, flag = "YES",
    environmentCode = "-1", workerGroup = "default",
  }
  for key, value in pairs(fields or {}) do
    row[key] = value
  end
  return row
end

local function definition(self, project, name, tasks)
  local relations, locations, before = core.array {}, core.array {}, "0"
  for i, one in ipairs(tasks) do
    relations[i] = { name = "", preTaskCode = before, postTaskCode = one.code, conditionType = "NONE" }
    locations[i] = { taskCode = one.code, x = i, y = 1 }
    before = one.code
  end
  local code = self:new_code()
  self:put(project, code, {
    name = name, description = "about " .. name, globalParams = "[]", timeout = "0", executionType = "PARALLEL",
    tenantCode = self.noun == "process" and "root" or nil, locations = core.encode(locations, true),
    taskDefinitionJson = core.encode(core.array(tasks), true), taskRelationJson = core.encode(relations, true),
  })
  return code
end

--- A workflow that runs another, depends on a third, and branches.
local function furnish(self)
  local sub_key = self.noun .. "DefinitionCode"
  local leaf = definition(self, "100", "leaf", { task("11111111111111", "load") })
  local far = definition(self, "200", "far", { task("22222222222222", "extract") })
  definition(self, "100", "all", {
    task("33333333333331", "sub", {
      taskType = self.noun == "workflow" and "SUB_WORKFLOW" or "SUB_PROCESS",
      taskParams = { [sub_key] = leaf },
    }),
    task("33333333333332", "wait", {
      taskType = "DEPENDENT",
      taskParams = {
        dependence = { dependTaskList = { { dependItemList = {
          { projectCode = "100", definitionCode = leaf, depTaskCode = "11111111111111" },
          { projectCode = "200", definitionCode = far, depTaskCode = "22222222222222" },
          { projectCode = "200", definitionCode = far, depTaskCode = "0" },
        } } } },
      },
    }),
    task("33333333333333", "branch", {
      taskType = "CONDITIONS",
      taskParams = { conditionResult = { successNode = { 33333333333331 }, failedNode = { 33333333333332 } } },
    }),
  })
end

--- The stored workflow of this name: its code, definition, tasks by name, relations.
local function look(self, project, name)
  for _, one in ipairs(self.stored) do
    if one.project == project and one.name == name then
      local tasks = {}
      for _, row in ipairs(one.dag.taskDefinitionList) do
        tasks[row.name] = row
      end
      return one.code, one.dag[self.noun .. "Definition"], tasks, one.dag[self.noun .. "TaskRelationList"]
    end
  end
end

local function number(code)
  return tonumber(code)
end

describe("definitions", function()
  local PAIRS = {
    { "3.1.1", "3.1.1" }, { "3.1.1", "3.4.1" }, { "3.4.1", "3.1.1" }, { "3.4.1", "3.4.1" }, { "3.2.2", "3.4.1" },
  }

  for _, pair in ipairs(PAIRS) do
    it(("go from %s to %s with all that refers to others"):format(pair[1], pair[2]), function()
      local from, to = shelf(pair[1]), shelf(pair[2], 5e13)
      furnish(from)
      local far = definition(to, "200", "far", { task("44444444444444", "extract") })
      local text = assert(export_definitions(from.client, { project = "one" }))
      local result = assert(import_definitions(to.client, { project = "one", text = text }))
      assert.same({ "leaf", "all" }, result.created)
      assert.same({}, result.failed)
      assert.same({}, result.unresolved)
      local leaf, _, leaf_tasks = look(to, "100", "leaf")
      local _, about, tasks, relations = look(to, "100", "all")
      local sub_type = to.noun == "workflow" and "SUB_WORKFLOW" or "SUB_PROCESS"
      assert.equal(sub_type, tasks.sub.taskType)
      assert.equal(number(leaf), tasks.sub.taskParams[to.noun .. "DefinitionCode"])
      assert.same({
        { projectCode = 100, definitionCode = number(leaf), depTaskCode = leaf_tasks.load.code },
        { projectCode = 200, definitionCode = number(far), depTaskCode = 44444444444444 },
        { projectCode = 200, definitionCode = number(far), depTaskCode = 0 },
      }, tasks.wait.taskParams.dependence.dependTaskList[1].dependItemList)
      assert.same({ successNode = { tasks.sub.code }, failedNode = { tasks.wait.code } },
        tasks.branch.taskParams.conditionResult)
      assert.equal(0, relations[1].preTaskCode)
      assert.equal(tasks.sub.code, relations[1].postTaskCode)
      assert.equal(tasks.sub.code, relations[2].preTaskCode)
      assert.equal(tasks.wait.code, relations[2].postTaskCode)
      assert.equal(tasks.sub.code, core.decode(about.locations)[1].taskCode)
      assert.equal("about all", about.description)
      -- none of them is a code of before
      for _, row in pairs(tasks) do
        assert.is_true(row.code > 5e13)
      end
    end)
  end

  it("read and written back unchanged are not written at all", function()
    for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
      local self = shelf(version)
      furnish(self)
      local text = assert(export_definitions(self.client, { project = "one" }))
      local writes = self.writes
      local result = assert(import_definitions(self.client, { project = "one", text = text },
        { update = true }))
      assert.same({ "leaf", "all" }, result.unchanged)
      assert.equal(writes, self.writes)
      -- nor where they were brought in a moment ago
      assert(import_definitions(self.client, { project = "two", text = text }))
      writes = self.writes
      result = assert(import_definitions(self.client, { project = "two", text = text }, { update = true }))
      assert.same({ "leaf", "all" }, result.unchanged)
      assert.equal(writes, self.writes)
    end
  end)

  it("that are there are left alone, or updated under their codes when asked", function()
    for _, version in ipairs { "3.1.1", "3.4.1" } do
      local self = shelf(version)
      furnish(self)
      local text = assert(export_definitions(self.client, { project = "one", workflows = { "leaf" } }))
      text = text:gsub("echo load", "echo more")
      local code, _, before = look(self, "100", "leaf")
      local result = assert(import_definitions(self.client, { project = "one", text = text }))
      assert.same({ "leaf" }, result.skipped)
      assert.equal("echo load", before.load.taskParams.rawScript)
      result = assert(import_definitions(self.client, { project = "one", text = text }, { update = true }))
      assert.same({ "leaf" }, result.updated)
      local now, about, after = look(self, "100", "leaf")
      assert.equal(code, now)
      assert.equal("echo more", after.load.taskParams.rawScript)
      assert.equal(before.load.code, after.load.code)
      assert.equal(version == "3.1.1" and "root" or nil, about.tenantCode)
    end
  end)

  it("that wait for themselves, or for each other, do so under their new codes", function()
    for _, version in ipairs { "3.1.1", "3.4.1" } do
      local from, to = shelf(version), shelf(version, 5e13)
      local codes = { ("%.0f"):format(1e13 + 1), ("%.0f"):format(1e13 + 2) }
      for i, name in ipairs { "a", "b" } do
        local items = {}
        for j, code in ipairs(codes) do
          items[j] = { projectCode = "100", definitionCode = code, depTaskCode = "0" }
        end
        definition(from, "100", name, { task(("7777777777777%d"):format(i), "wait", {
          taskType = "DEPENDENT", taskParams = { dependence = { dependTaskList = { { dependItemList = items } } } },
        }) })
      end
      local text = assert(export_definitions(from.client, { project = "one" }))
      local result = assert(import_definitions(to.client, { project = "one", text = text }))
      assert.equal(2, #result.created)
      assert.same({}, result.failed)
      assert.same({}, result.unresolved)
      for _, name in ipairs { "a", "b" } do
        local _, _, tasks = look(to, "100", name)
        for i, item in ipairs(tasks.wait.taskParams.dependence.dependTaskList[1].dependItemList) do
          assert.equal(number((look(to, "100", i == 1 and "a" or "b"))), item.definitionCode)
        end
      end
      result = assert(import_definitions(to.client, { project = "one", text = text }, { update = true }))
      assert.equal(2, #result.unchanged)
    end
  end)

  it("of a line with tenants update those of one without", function()
    local from, to = shelf "3.1.1", shelf("3.4.1", 5e13)
    furnish(from)
    local text = assert(export_definitions(from.client, { project = "one" }))
    assert(import_definitions(to.client, { project = "two", text = text }))
    local result = assert(import_definitions(to.client,
      { project = "two", text = (text:gsub("echo load", "echo more")) }, { update = true }))
    assert.same({ { "leaf" }, { "all" }, {} }, { result.updated, result.unchanged, result.failed })
  end)

  it("that refer to what is not here are brought in, and it is told", function()
    local from, to = shelf "3.1.1", shelf("3.4.1", 5e13)
    furnish(from)
    local text = assert(export_definitions(from.client, { project = "one", workflows = { "all" } }))
    local result = assert(import_definitions(to.client, { project = "one", text = text }))
    assert.same({ "all" }, result.created)
    assert.same({ "all / sub: one / leaf is not here", "all / wait: one / leaf is not here",
      "all / wait: two / far is not here", "all / wait: two / far is not here" }, result.unresolved)
  end)

  it("take as many codes as they have tasks, 100 at a time", function()
    local from, to = shelf "3.4.1", shelf("3.4.1", 5e13)
    local tasks = {}
    for i = 1, 250 do
      tasks[i] = task(("%.0f"):format(6e13 + i), "t" .. i)
    end
    definition(from, "100", "large", tasks)
    local text = assert(export_definitions(from.client, { project = "one" }))
    local result = assert(import_definitions(to.client, { project = "one", text = text }))
    assert.same({ "large" }, result.created)
    local _, _, rows = look(to, "100", "large")
    local seen, count = {}, 0
    for _, row in pairs(rows) do
      assert.is_nil(seen[row.code])
      seen[row.code], count = true, count + 1
    end
    assert.equal(250, count)
  end)

  it("are made once, though the answer is lost, and refusals are told by name", function()
    local from, to = shelf "3.4.1", shelf("3.1.1", 5e13)
    furnish(from)
    local text = assert(export_definitions(from.client, { project = "one", workflows = { "leaf" } }))
    to.lose = bed.failure("network", "sent")
    assert.same({ "leaf" }, assert(import_definitions(to.client, { project = "one", text = text })).created)
    assert.equal(1, to.writes)
    to.lose, to.refuse = nil, bed.refused(10105, "create process definition error")
    local result = assert(import_definitions(to.client, { project = "two", text = text }))
    assert.equal("leaf", result.failed[1].name)
    assert.equal(10105, result.failed[1].err.code)
  end)

  it("stand in a file, too", function()
    local from, to, path = shelf "3.1.1", shelf("3.1.1", 5e13), os.tmpname()
    furnish(from)
    local text = assert(export_definitions(from.client, { project = "one" }, { path = path }))
    local file = assert(io.open(path))
    assert.equal(text, file:read "*a")
    file:close()
    assert.equal(2, #assert(import_definitions(to.client, { project = "one", path = path })).created)
    os.remove(path)
    local _, err = import_definitions(to.client, { project = "one", path = path })
    assert.equal("path", err.argument)
    _, err = export_definitions(from.client, { project = "one" }, { path = "/nowhere/at/all" })
    assert.equal("path", err.argument)
  end)

  it("of an older server's own export come in", function()
    local from, to = shelf "3.1.1", shelf("3.4.1", 5e13)
    furnish(from)
    local own = {}
    for _, one in ipairs(from.stored) do
      own[#own + 1] = one.project == "100" and one.dag or nil
    end
    local text = core.encode(core.array(own), true)
    assert.same({ "leaf", "all" },
      assert(import_definitions(to.client, { project = "one", text = text })).created)
  end)

  it("that are none are refused", function()
    local to = shelf "3.4.1"
    for _, text in ipairs { "", "{", "[]", "[{}]", "[1]", '{"a":1}', '[{"workflowDefinition":{"name":"x"}}]' } do
      local _, err = import_definitions(to.client, { project = "one", text = text })
      assert.equal("argument", err.kind)
    end
    assert.equal(0, to.writes)
    assert.has_error(function()
      import_definitions(to.client, { project = "one", txt = "" })
    end, 'workflows.import_definitions: unknown argument "txt"; is "text" meant?')
  end)

  it("go through the sandbox", function()
    for _, version in ipairs { "3.1.1", "3.4.1" } do
      local box = sandbox.new { projects = 2, workflows = 3, server_version = version }
      local client = box:client { server_version = version }
      assert(client:call("projects.create", { name = "copy" }))
      local text = assert(export_definitions(client, { project = "demo-1" }))
      assert.equal(3, #assert(import_definitions(client, { project = "copy", text = text })).created)
      assert.equal(3, #assert(import_definitions(client, { project = "copy", text = text },
        { update = true })).unchanged)
    end
  end)
end)

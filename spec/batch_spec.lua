local bed = require "support.bed"
local core = require "dsclient.core"
local tasks = require "support.tasks"

local PROJECTS = { "alpha", "beta", "load_a", "load_b", "twin", "twin" }

-- The code of the n-th project: fifteen digits, as a server has them.
local function code(n)
  return ("10000000000000%d"):format(n)
end

local function projects_json(names)
  local rows = {}
  for i, name in ipairs(names) do
    rows[i] = ('{"id":%d,"code":%s,"name":"%s"}'):format(i, code(i), name)
  end
  return ('{"totalList":[%s],"total":%d}'):format(table.concat(rows, ","), #rows)
end

-- A page of so many rows, whose ids begin with the digit of their project.
local function page_json(n, count, from)
  local rows = {}
  for i = 1, count do
    rows[i] = ('{"id":%d,"name":"run"}'):format(n * 1000 + (from or 0) + i)
  end
  return ('{"totalList":[%s],"total":%d}'):format(table.concat(rows, ","), count)
end

-- Answers by project: counts[n] is how many rows it has (1), answers[n] another
-- answer; asked[…] are the projects in the order in which they were asked.
local function server(given)
  given = given or {}
  local self = { asked = {}, lists = 0, counts = given.counts or {}, answers = given.answers or {},
    names = given.names or PROJECTS }
  function self.script(request)
    local path = request.path:gsub("^/dolphinscheduler", "")
    local n = tonumber(path:match "^/projects/10000000000000(%d)/")
    if path:find "^/projects%?" then
      self.lists = self.lists + 1
      return self.projects or bed.ok(projects_json(self.names))
    elseif not n then
      self.asked[#self.asked + 1] = path
      return bed.ok(given.all)
    end
    self.asked[#self.asked + 1] = n
    local answer = self.answers[n]
    if type(answer) == "function" then
      answer = answer(path)
    end
    return answer or bed.ok(page_json(n, self.counts[n] or 1))
  end
  return self
end

local function new(given, options)
  local s = server(given)
  local b = bed.new(s.script, options)
  s.bed, s.client = b, b.client
  return s
end

local function ids(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.id
  end
  return list
end

describe("several projects", function()
  it("are asked one by one, and their rows come together, marked, in the order given", function()
    local s = new { counts = { 2, 3, 1 } }
    local rows, err, meta = s.client.instances:list { projects = { "beta", code(1) } }
    assert.is_nil(err)
    assert.same({ 2001, 2002, 2003, 1001, 1002 }, ids(rows))
    for i, row in ipairs(rows) do
      assert.equal(i <= 3 and code(2) or code(1), row.project_code)
      assert.equal(i <= 3 and "beta" or "alpha", row.project_name)
    end
    assert.same({ cached = false, age_s = 0, attempts = 2, projects = 2 }, meta)
    assert.same({ 2, 1 }, s.asked)
  end)

  it("are all that the token's user may see, or those that a glob fits, each once", function()
    local s = new()
    assert.same({ 1001, 2001, 3001, 4001, 5001, 6001 }, ids(s.client.instances:list { projects = "*" }))
    assert.same({ 3001, 4001 }, ids(s.client.instances:list { projects = "load_?" }))
    assert.same({ 4001, 3001 }, ids(s.client.instances:list { projects = { "load_b", "load_*", code(4) } }))
    assert.same({ 2001 }, ids(s.client.instances:list { projects = "beta" }))
    assert.same({ 2001 }, ids(s.client.instances:list { projects = { name = "beta" } }))
    assert.equal(1, s.lists)
  end)

  it("may be none at all", function()
    local s = new { names = {} }
    local rows, _, meta = s.client.instances:list { projects = "*" }
    assert.same({}, rows)
    assert.equal("[]", core.encode(rows))
    assert.equal(0, meta.projects)
    assert.same({}, s.client.instances:list { projects = {} })
    assert.same({}, s.asked)
  end)

  it("are given under all names of the operation", function()
    local s = new()
    assert.same({ 1001, 2001 }, ids(s.client:call("task_instances.list", { projects = { "alpha", "beta" } })))
    assert.same({ 1001 }, ids(s.client.workflows:list { projects = { "alpha" } }))
    assert.same({ 1001 }, ids(s.client:get_failed_workflow_instances(nil, { projects = { "alpha" } })))
    local requests = s.bed.requests
    assert.is_truthy(requests[#requests].path:find("stateType=FAILURE", 1, true))
  end)

  it("have a cache each", function()
    local s = new()
    assert.same({ 1001, 2001 }, ids(s.client.workflows:list { projects = { "alpha", "beta" } }))
    local rows, _, meta = s.client.workflows:list { projects = "*" }
    assert.same({ 1001, 2001, 3001, 4001, 5001, 6001 }, ids(rows))
    assert.is_false(meta.cached)
    assert.same({ 1, 2, 3, 4, 5, 6 }, s.asked)
    s.bed.advance(10)
    rows, _, meta = s.client.workflows:list { projects = { "alpha", "beta" } }
    assert.equal("beta", rows[2].project_name)
    assert.same({ cached = true, age_s = 10, attempts = 0, projects = 2 }, meta)
    assert.equal(6, #s.asked)
  end)

  it("mark nobody else's rows", function()
    local s = new()
    local borrowed = s.client.workflows:list({ project = "alpha" }, { borrow = true })
    local rows = s.client.workflows:list({ projects = "alpha" }, { borrow = true })
    assert.equal("alpha", rows[1].project_name)
    assert.is_nil(borrowed[1].project_name)
    assert.is_nil(s.client.workflows:list({ project = "alpha" })[1].project_name)
  end)

  it("keep what the server's rows say of them", function()
    local s = new { answers = { bed.ok '{"totalList":[{"id":1,"projectCode":7,"projectName":"x"},5,null],"total":3}' } }
    local rows = s.client.instances:list { projects = "alpha" }
    assert.same({ id = 1, projectCode = "7", projectName = "x", project_code = code(1), project_name = "alpha" },
      rows[1])
    assert.equal(5, rows[2])
  end)
end)

describe("limits of several projects", function()
  it("are those of all together: so many rows are enough", function()
    local s = new { counts = { 2, 3, 3, 3, 3, 3 } }
    assert.same({ 1001, 1002, 2001, 2002 }, ids(s.client.instances:list { projects = "*", limit = 4 }))
    assert.same({ 1, 2 }, s.asked)
    assert.same({ 1001, 1002, 2001, 2002, 2003 }, ids(s.client.instances:list { projects = "*", limit = 5 }))
    assert.same({ 1, 2, 1, 2 }, s.asked)
  end)

  it("are those of all together: more than rows_max is an error", function()
    local s = new { counts = { 2, 3, 3, 3, 3, 3 } }
    local rows, err = s.client.instances:list { projects = "*", rows_max = 7 }
    assert.is_nil(rows)
    assert.equal("limit", err.kind)
    assert.equal(8, err.total)
    assert.same({ 1, 2, 3 }, s.asked)
    assert.equal(8, #s.client.instances:list { projects = { "alpha", "beta", "load_a" }, rows_max = 8 })
  end)

  it("is one deadline", function()
    local s = new { answers = { bed.ok(page_json(1, 1)), bed.ok(page_json(2, 1)), bed.ok(page_json(3, 1)) } }
    for n = 1, 3 do
      s.answers[n].takes_s = 2
    end
    local rows, err = s.client.instances:list({ projects = "*" },
      { timeout_s = 5, attempt_timeout_s = 5, max_retries = 0 })
    assert.is_nil(rows)
    assert.equal("load_a", err.project_name)
    assert.equal(5, s.bed.now())
  end)
end)

describe("projects that fail", function()
  it("make the whole fail, and no other is asked", function()
    local s = new { answers = { [2] = bed.refused(30002, "no permission") } }
    local rows, err = s.client.instances:list { projects = "*" }
    assert.is_nil(rows)
    assert.equal("api", err.kind)
    assert.equal(30002, err.code)
    assert.equal(code(2), err.project_code)
    assert.equal("beta", err.project_name)
    assert.equal('instances.list: api 30002: project "beta": no permission', tostring(err))
    assert.same({ 1, 2 }, s.asked)
  end)

  it("are told of beside the rows, where a part was asked for", function()
    local s = new { answers = { [2] = bed.refused(30002), [4] = bed.html() } }
    local rows, err, meta = s.client.instances:list({ projects = { "alpha", "beta", "nobody", "load_a", "load_b" } },
      { partial = true })
    assert.is_nil(err)
    assert.same({ 1001, 3001 }, ids(rows))
    assert.same({ 3, "beta", "not_found", "load_b" },
      { #meta.errors, meta.errors[1].project_name, meta.errors[2].kind, meta.errors[3].project_name })
    rows, err, meta = s.client.instances:list({ projects = { "alpha", "load_a" } }, { partial = true })
    assert.same({ 1001, 3001 }, ids(rows))
    assert.is_nil(err or meta.errors)
  end)

  it("do not count as a part where all fail", function()
    local s = new { answers = { [2] = bed.refused(30002), [3] = bed.refused(30002) } }
    local rows, err = s.client.instances:list({ projects = { "beta", "load_a" } }, { partial = true })
    assert.is_nil(rows)
    assert.equal("beta", err.project_name)
  end)

  it("stand in no way of a limit", function()
    local s = new { answers = { [2] = bed.refused(30002) }, counts = { 2, 3, 3, 3 } }
    local rows, _, meta = s.client.instances:list({ projects = "*", limit = 4 }, { partial = true })
    assert.same({ 1001, 1002, 3001, 3002 }, ids(rows))
    assert.equal(1, #meta.errors)
    assert.same({ 1, 2, 3 }, s.asked)
  end)

  it("never make a part of it look whole where the client is closed", function()
    local s
    s = new { answers = { [2] = function()
      s.client:close()
      return bed.ok(page_json(2, 1))
    end } }
    local rows, err = s.client.instances:list({ projects = "*" }, { partial = true })
    assert.is_nil(rows)
    assert.equal("cancelled", err.kind)
  end)
end)

describe("the names of projects", function()
  it("are looked up anew where the list may be too old", function()
    local s = new { names = { "alpha" } }
    assert.equal(1, #s.client.instances:list { projects = "*" })
    s.names = { "alpha", "new" }
    assert.same({ 2001 }, ids(s.client.instances:list { projects = { "new" } }))
    assert.equal(2, s.lists)
    s.names = { "alpha", "new", "newer" }
    assert.same({ 3001 }, ids(s.client.instances:list { projects = { code(3) } }))
    assert.equal(3, s.lists)
  end)

  it("give errors that say what is near", function()
    local s = new()
    for _, case in ipairs {
      { "alpa", "not_found", 'no project is called "alpa"', "alpha" },
      { "loda_*", "not_found", 'no project is called "loda_*"' },
      { "twin", "ambiguous", '2 of the projects are called "twin": give the code', code(5) },
      { "", "not_found", 'no project is called ""', "beta" },
      { { name = "load_*" }, "not_found", 'no project is called "load_*"', "load_a" },
      { "123", "not_found", "no project has the code 123" },
      { -5, "argument", "a code is decimal digits" },
      { 1.5, "argument", "a code is decimal digits" },
    } do
      local rows, err = s.client.instances:list { projects = { "beta", case[1] } }
      assert.is_nil(rows)
      assert.equal(case[2], err.kind)
      assert.equal("projects", err.argument)
      assert.equal("instances.list", err.operation)
      assert.is_truthy(err.message:find(case[3], 1, true), err.message)
      assert.equal(case[4], err.near and err.near[1])
    end
    assert.same({ 2, 2, 2, 2, 2, 2, 2, 2 }, s.asked) -- beta, which comes before
  end)

  it("are a list without gaps", function()
    local s = new()
    local rows, err = s.client.instances:list { projects = { "alpha", x = "beta" } }
    assert.is_nil(rows)
    assert.equal("argument", err.kind)
    assert.equal("projects", err.argument)
    assert.same({}, s.asked)
  end)

  it("come from a server that may say anything", function()
    local s = new()
    local hostile = '{"totalList":[5,null,{},{"code":"x","name":"y"},{"code":7,"name":[]}],"total":5}'
    for _, data in ipairs { "[]", "5", hostile } do
      s.projects = bed.ok(data)
      s.client:clear_cache()
      local rows, err = s.client.instances:list { projects = "*" }
      assert.is_true(rows ~= nil and #rows == 0 or err.kind == "protocol")
    end
    s.client:clear_cache()
    s.projects = bed.refused(10000)
    local rows, err = s.client.instances:list({ projects = "*" }, { partial = true })
    assert.is_nil(rows)
    assert.equal("projects.list", err.operation)
  end)
end)

describe("wrong arguments for several projects", function()
  it("throw", function()
    local s = new()
    for _, case in ipairs {
      { { projects = true }, "codes, names or globs expected, got a boolean" },
      { { projects = { {} } }, "codes, names or globs expected, got a table" },
      { { projects = { { name = 5 } } }, "codes, names or globs expected, got a table" },
      { { projects = { "alpha" }, project = "alpha" }, "either `project` or `projects`" },
      { { projects = { "alpha" }, stat = "FAILURE" }, 'unknown argument "stat"; is "state" meant?' },
      { { projects = { "alpha" }, limit = "x" }, "a whole number expected" },
    } do
      local ok, message = pcall(s.client.instances.list, s.client.instances, case[1])
      assert.is_false(ok)
      assert.is_truthy(tostring(message):find(case[2], 1, true), message)
      assert.is_truthy(tostring(message):find("batch_spec.lua", 1, true), message)
    end
    local ok, message = pcall(s.client.instances.get, s.client.instances, { projects = "*", instance_id = 1 })
    assert.is_false(ok)
    assert.is_truthy(message:find("it is asked of one project", 1, true))
    assert.has_error(function() s.client.instances:page(1, { projects = "*" }) end)
    assert.same({}, s.asked)
  end)

  it("are errors where a value is wrong", function()
    local s = new()
    local _, err = s.client.instances:list { projects = "*", limit = 0 }
    assert.equal("limit", err.argument)
    _, err = s.client.instances:pages({ projects = "*", limit = 0 }).next()
    assert.equal("limit", err.argument)
    _, err = s.client.instances:list { projects = "*", start_date = "soon" }
    assert.equal("start_date", err.argument)
    assert.same({}, s.asked)
  end)
end)

describe("what the server has of all projects together", function()
  it("is one request", function()
    local s = new { all = '{"totalCount":3,"workflowInstanceStatusCounts":[{"state":"FAILURE","count":3}]}' }
    local counts = s.client.analysis:workflow_state_count { projects = "*" }
    assert.same({ totalCount = 3, workflowInstanceStatusCounts = { { state = "FAILURE", count = 3 } } }, counts)
    assert.same({ "/projects/analysis/process-state-count" }, s.asked)
    assert.equal(0, s.lists)
  end)

  it("is added up of some of them", function()
    local answers = {
      '{"totalCount":5,"taskCountDtos":[{"taskStateType":"FAILURE","count":2},{"taskStateType":"SUCCESS","count":3}]}',
      '{"totalCount":4,"taskCountDtos":[{"taskStateType":"STOP","count":3},{"taskStateType":"SUCCESS","count":1}]}',
      "null", '{"totalCount":"x","taskCountDtos":[5,{"taskStateType":"STOP","count":"y"}]}',
    }
    local b
    b = bed.new(function(request)
      local n = tonumber(request.path:match "projectCode=10000000000000(%d)")
      return bed.ok(n and answers[n] or projects_json(PROJECTS))
    end)
      local counts, _, meta = b.client.analysis:workflow_state_count { projects = { "alpha", "beta", "load_a" } }
    assert.same({
      totalCount = 9,
      workflowInstanceStatusCounts = {
        { state = "FAILURE", count = 2 }, { state = "SUCCESS", count = 4 }, { state = "STOP", count = 3 },
      },
    }, counts)
    assert.equal(3, meta.projects)
    counts = b.client.analysis:workflow_state_count { projects = { "alpha", "load_b" } }
    assert.equal(5, counts.totalCount)
  end)
end)

describe("several projects page by page", function()
  it("come one after another", function()
    local s = new { counts = { 2, 0, 1 } }
    local pages = s.client.instances:pages { projects = { "alpha", "beta", "load_a" } }
    assert.same({}, s.asked)
    assert.same({ 1001, 1002 }, ids(pages.next()))
    assert.same({ 1, 2, 3 }, s.asked)
    assert.same({}, pages.next())
    local rows = pages.next()
    assert.same({ 3001, "load_a" }, { rows[1].id, rows[1].project_name })
    assert.is_nil(pages.next())
    assert.is_nil(pages.next())
    local found = {}
    for row in s.client.instances:each { projects = "*", limit = 3 } do
      found[#found + 1] = row.id
    end
    assert.same({ 1001, 1002, 3001 }, found)
    assert.same({ 1, 2, 3, 1, 2, 3 }, s.asked) -- with a limit no more than is needed
  end)

  it("begin side by side, and come in order, whatever is on the next page", function()
    local s = server {}
    for n = 1, 6 do
      s.answers[n] = function(path)
        local number = tonumber(path:match "pageNo=(%d)")
        local answer = bed.ok(('{"totalList":[{"id":%d}],"total":%d}'):format(n * 1000 + number, n == 2 and 3 or 1))
        answer.takes_s = 1
        return answer
      end
    end
    local t = tasks.new(s.script)
    local results = t:all(function(client)
      local found = {}
      for row in client.instances:each { projects = "*", page_size = 1 } do
        found[#found + 1] = row.id
      end
      return found
    end)
    assert.same({ 1001, 2001, 2002, 2003, 3001, 4001, 5001, 6001 }, results[1].value)
    assert.equal(6, t.in_flight_max)
    assert.is_true(math.abs(results[1].at - 3.1) < 1e-6) -- the list, and three pages one after the other
  end)

  it("end with the error of one of them", function()
    local s = new { answers = { [2] = bed.refused(30002) } }
    local pages = s.client.instances:pages { projects = "*" }
    assert.same({ 1001 }, ids(pages.next()))
    for _ = 1, 2 do
      local rows, err = pages.next()
      assert.is_nil(rows)
      assert.equal("beta", err.project_name)
    end
    local found = {}
    local ok, err = pcall(function()
      for row in s.client.instances:each { projects = "*" } do
        found[#found + 1] = row.id
      end
    end)
    assert.is_false(ok)
    assert.equal("beta", err.project_name)
    assert.same({ 1001 }, found)
    local _, unknown = s.client.instances:pages({ projects = { "alpa" } }).next()
    assert.equal("not_found", unknown.kind)
  end)

  it("are one list where the server has one", function()
    local s = new({ all = page_json(9, 2) }, { server_version = "3.2.2" })
    local rows = s.client:pages("analysis.commands", { projects = "*" }).next()
    assert.same({ 9001, 9002 }, ids(rows))
  end)
end)

describe("the progress of several projects", function()
  it("is told by projects", function()
    local s = new { answers = { [6] = bed.refused(1) } }
    local told = {}
    local function tell(done, total)
      told[#told + 1] = done .. "/" .. total
    end
    for n = 1, 5 do
      s.answers[n] = bed.ok(page_json(n, 1))
      s.answers[n].takes_s = 1
    end
    s.client.instances:list({ projects = "*" }, { progress = tell })
    assert.same({ "1/6", "2/6", "3/6", "4/6", "5/6", "6/6" }, told)
    local thrown = pcall(s.client.instances.list, s.client.instances, { projects = "*" }, { progress = error })
    assert.is_false(thrown)
  end)
end)

describe("several projects in tasks", function()
  it("are asked eight at a time, and come in order whoever is first", function()
    local names = {}
    for i = 1, 9 do
      names[i] = "p" .. i
    end
    local s = server { names = names }
    for n = 1, 9 do
      s.answers[n] = bed.ok(page_json(n, 1))
      s.answers[n].takes_s = 1 - n / 10
    end
    local t = tasks.new(s.script)
    local results = t:all(function(client)
      return client.instances:list { projects = "*" }
    end)
    assert.same({ 1001, 2001, 3001, 4001, 5001, 6001, 7001, 8001, 9001 }, ids(results[1].value))
    assert.equal(8, t.in_flight_max)
    -- the list (0.1); the eighth ends after 0.2, and the ninth takes 0.1: all wait for the first
    assert.is_true(math.abs(results[1].at - 1) < 1e-6, results[1].at)
  end)
end)

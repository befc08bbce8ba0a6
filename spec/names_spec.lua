local bed = require "support.bed"

local PROJECTS = '{"totalList":[{"id":1,"code":11,"name":"alpha"},{"id":2,"code":12,"name":"beta"},'
  .. '{"id":3,"code":13,"name":"2024"},{"id":4,"code":14,"name":"twin"},{"id":5,"code":15,"name":"twin"}],"total":5}'
local WORKFLOWS = '[{"id":1,"code":21,"name":"load","projectCode":11}]'
local PAGE = '{"totalList":[],"total":0}'

local function new()
  return bed.new(function(request)
    local path = request.path
    return bed.ok(path:find "^/projects%?" and PROJECTS or path:find "simple%-list" and WORKFLOWS or PAGE)
  end)
end

describe("a name", function()
  it("is looked up once, through the cache", function()
    local b = new()
    for _ = 1, 3 do
      assert(b.client:get_workflow_instances("beta"))
    end
    assert.equal(4, #b.requests)
    assert.truthy(b.requests[2].path:find("/projects/12/", 1, true))
  end)

  it("of a workflow is looked up in its project", function()
    local b = new()
    assert(b.client.instances:list { project = "alpha", workflow = "load" })
    assert.truthy(b.requests[3].path:find("/projects/11/process-instances?processDefineCode=21", 1, true))
  end)

  it("made of digits is given as {name =}; digits alone are a code", function()
    local b = new()
    assert(b.client:get_workflow_instances { name = "2024" })
    assert.truthy(b.requests[2].path:find("/projects/13/", 1, true))
    assert(b.client:get_workflow_instances "2024")
    assert.truthy(b.requests[3].path:find("/projects/2024/", 1, true))
  end)

  it("that is unknown is an error that lists near ones", function()
    local b = new()
    local _, err = b.client:get_workflow_instances "aplha"
    assert.equal("not_found", err.kind)
    assert.equal("project", err.argument)
    assert.same({ "alpha" }, err.near)
    assert.equal('get_workflow_instances: not_found: no project is called "aplha"; near: alpha', tostring(err))
    _, err = b.client.instances:list { project = "alpha", workflow = "lod" }
    assert.equal("workflow", err.argument)
    assert.same({ "load" }, err.near)
  end)

  it("that two share is an error that lists their codes", function()
    local _, err = new().client:get_workflow_instances "twin"
    assert.equal("ambiguous", err.kind)
    assert.equal("project", err.argument)
    assert.same({ "14", "15" }, err.near)
  end)

  it("is found among rows of whatever the server sent", function()
    local rows = '1,"alpha",null,[],{},{"name":"alpha"},{"name":"alpha","code":null},{"name":"alpha","code":"x/../y"},'
      .. '{"name":5,"code":6},{"name":["alpha"],"code":7},{"name":null,"code":8},{"name":"alpha","code":-1},'
    local b = bed.new(function(request)
      return bed.ok(request.path:find "^/projects%?" and
        ('{"totalList":[%s{"name":"alpha","code":11}],"total":13}'):format(rows) or PAGE)
    end)
    assert(b.client:get_workflow_instances "alpha")
    assert.truthy(b.requests[2].path:find("/projects/11/", 1, true))
    local _, err = b.client:get_workflow_instances "beta"
    assert.equal("not_found", err.kind)
    for _, odd in ipairs { "null", "[]", "7", '"x"', '{"totalList":7,"total":0}', '{"totalList":{"a":1},"total":0}' } do
      _, err = bed.new({ bed.ok(odd) }).client:get_workflow_instances "alpha"
      assert.truthy(err.kind == "not_found" or err.kind == "protocol", odd)
    end
  end)

  it("may hold anything, and is quoted on one line", function()
    local _, err = new().client:get_workflow_instances 'a"b\n\27[31m/../%00'
    assert.equal("not_found", err.kind)
    assert.is_nil(tostring(err):find "%c")
    local b = new()
    for _, name in ipairs { "", " " } do
      _, err = b.client:get_workflow_instances(name)
      assert.truthy(err.kind == "argument" or err.kind == "not_found")
    end
  end)

  it("is told with near ones on one line, none with the token in it", function()
    local b = bed.new { bed.ok '{"totalList":[{"id":1,"code":1,"name":"abc\\n\\u001b[31m secret-token"}],"total":1}' }
    local _, err = b.client:get_workflow_instances "abc"
    assert.equal("not_found", err.kind)
    assert.equal(1, #err.near)
    assert.is_nil(tostring(err):find "%c")
    assert.is_nil(tostring(err):find("secret-token", 1, true))
    assert.is_nil(err.near[1]:find("secret-token", 1, true))
  end)

  it("that is newer than the cached list is found", function()
    local known = '{"totalList":[],"total":0}'
    local b = bed.new(function(request)
      return bed.ok(request.path:find "^/projects%?" and known or PAGE)
    end)
    b.client:get_projects()
    known = PROJECTS
    assert(b.client:get_workflow_instances "alpha")
  end)

  it("is looked up under the deadline of the call", function()
    local b = bed.new { { status = 200, body = "", takes_s = 1000 } }
    local _, err = b.client:get_workflow_instances("alpha", nil, { timeout_s = 3 })
    assert.equal("deadline", err.kind)
    assert.is_true(b.now() <= 3.001)
  end)

  it("that was found when the time was over sends nothing more", function()
    local answer = bed.ok '{"totalList":[{"code":1,"name":"a"}],"total":1}'
    answer.takes_s = 1
    local b = bed.new { answer }
    assert(b.client:get_projects { ttl_s = 1 })
    b.advance(2)
    local _, err = b.client:call("instances.get", { project = "a", instance_id = 1 }, { timeout_s = 0.5 })
    assert.equal("deadline", err.kind)
    assert.equal("instances.get", err.operation)
    assert.equal(2, #b.requests)
  end)

  it("whose list fails gives that failure", function()
    local b = bed.new { bed.status(401) }
    local _, err = b.client:get_workflow_instances "alpha"
    assert.equal("auth", err.kind)
    assert.is_nil(err.argument)
    assert.equal("get_workflow_instances", err.operation)
  end)
end)

--- What the server answers that nobody expects. The numbers in the titles are
-- those of the facts about its API; traps_spec.lua sees to it that none is missing.

local bed = require "support.bed"
local dsclient = require "dsclient"

local ok, refused, status = bed.ok, bed.refused, bed.status

--- How one call ends: its error, or nothing, and the bed.
local function outcome(script, name, args, options)
  options = options or {}
  options.max_retries = options.max_retries or 0
  local b = bed.new(script, options)
  local value, err = b.client:call(name, args or {})
  return err or {}, value, b
end

local START = { project = "1", workflow = "2" }

describe("a trap of the server's answers:", function()
  it("fact 1: HTTP 200 and 201 do not mean success", function()
    for _, code in ipairs { 200, 201 } do
      local answer = refused(10019, "project demo already exists")
      answer.status = code
      local err, value = outcome({ answer }, "projects.create", { name = "demo" })
      assert.same({ "api", code, 10019 }, { err.kind, err.status, err.code })
      assert.is_nil(value)
    end
  end)

  it("fact 2: a page of 200 in place of an answer is no answer, of a read, a write or a file", function()
    for name, args in pairs {
      ["instances.list"] = { project = "1" }, ["workflows.start"] = START, ["projects.delete"] = { project = "1" },
      ["task_instances.download_log"] = { task_instance_id = 1 }, ["instances.execute_by_id"] =
        { instance_id = 1, execute_type = "STOP" },
    } do
      assert.equal("not_api", outcome({ bed.html() }, name, args, { server_version = "3.2.2" }).kind, name)
    end
  end)

  it("fact 3: a wrong or expired token is a 401 without a word", function()
    local err, _, b = outcome({ status(401) }, "projects.list", nil, { max_retries = 3 })
    assert.same({ "auth", 401 }, { err.kind, err.status })
    assert.equal(1, #b.requests)
  end)

  it("fact 4: a 429 has no body and no hint; it did nothing, so that a start is sent again", function()
    local err, value, b = outcome({ status(429), status(429), ok() }, "workflows.start", START, { max_retries = 3 })
    assert.is_nil(err.kind)
    assert.is_table(value)
    assert.equal(3, #b.requests)
    assert.equal(2, #b.slept)
  end)

  it("fact 19: the number that the server tells is not asked for where the paths decide", function()
    local b = bed.new(function(request)
      return request.path:find "workflow%-" and status(404) or request.path:find "/0/" and refused(10190) or bed.PAGE
    end, { detect = true })
    assert(b.client:call("instances.list", { project = "1" }))
    for _, request in ipairs(b.requests) do
      assert.is_nil(request.path:find "api%-docs" or request.path:find "product%-info")
    end
  end)

  it("fact 20: no session is used, and closing signs nobody out", function()
    local b = bed.new { bed.PAGE }
    b.client:get_projects()
    b.client:close()
    local headers = table.concat(b.requests[1].headers, "\n"):lower()
    assert.is_nil(headers:find "cookie" or headers:find "sessionid")
    assert.equal(1, #b.requests)
  end)

  it("§2.1: three answers have no envelope: the groups of a project, a task instance, a file", function()
    local V3 = { server_version = "3.4.1" }
    local groups = { status = 200, body = '{"status":"SUCCESS","msg":"success","data":[{"workerGroup":"g"}]}' }
    local _, value = outcome({ groups }, "project_worker_groups.list", { project = "1" }, V3)
    assert.equal("g", value[1].workerGroup)
    _, value = outcome({ { status = 200, body = '{"id":7,"taskCode":181535832683296,"state":"FAILURE"}' } },
      "task_instances.get", { project = "1", task_instance_id = 7 }, V3)
    assert.same({ "181535832683296", true }, { value.taskCode, value.failed })
    _, value = outcome({ status(200, { ["content-disposition"] = "attachment" }, '{"code":1}') },
      "task_instances.download_log", { task_instance_id = 7 }, V3)
    assert.equal('{"code":1}', value)
  end)

  it("§2.2: what is no 2xx is judged by its status, whatever its body", function()
    local success = ok("1").body
    for code, kind in pairs {
      [302] = "http", [400] = "http", [401] = "auth", [403] = "http", [404] = "not_api", [405] = "not_api",
      [406] = "http", [413] = "http", [414] = "http", [415] = "http", [429] = "throttled", [431] = "http",
      [500] = "server", [501] = "http", [502] = "server", [503] = "server", [504] = "server",
    } do
      local body = code ~= 401 and success or ""
      local err = outcome({ status(code, nil, body) }, "projects.all", {}, { timeout_s = 5 })
      assert.same({ kind, code }, { err.kind, err.status })
    end
    for _, code in ipairs { 200, 201, 202 } do
      assert.is_nil(outcome({ { status = code, body = success } }, "projects.get", { project = "1" }).kind)
    end
  end)

  it("§2.3: on an unknown path a write is not repeated, and the line is looked for again", function()
    local err, _, b = outcome({ bed.html() }, "workflows.start", START, { max_retries = 3 })
    assert.equal("not_api", err.kind)
    assert.equal(1, #b.requests)
  end)

  it("§2.7: the code is given as it came; what it means is the reader's", function()
    for _, code in ipairs { 10057, 10117, 10139, 10200, 50004, 50014, 50017, 50026, 50028, 50071, 30001, 30002 } do
      local err = outcome({ refused(code, "some words") }, "projects.get", { project = "1" })
      assert.same({ "api", code, "some words" }, { err.kind, err.code, err.message })
    end
  end)

  it("§2.7: a code that passes by itself is asked again: no master, a delete too soon, no host yet", function()
    for _, code in ipairs { 10025, 10137, 10191 } do
      local script = { refused(code), ok '{"id":1}' }
      local _, value, b = outcome(script, "projects.get", { project = "1" }, { max_retries = 1 })
      assert.equal(1, value.id)
      assert.equal(2, #b.requests)
    end
  end)

  it("live 4: a wrong method is a 405, a wrong type a 415, each in HTML: neither is a success", function()
    local html = { ["content-type"] = "text/html" }
    assert.equal("not_api", outcome({ status(405, html, "<html>") }, "projects.all").kind)
    assert.equal("http", outcome({ status(415, html, "<html>") }, "projects.all").kind)
  end)

  it("live 5: an empty token is refused before anything is sent", function()
    assert.is_false((pcall(dsclient.new, { api_url = "http://h", token = "" })))
    local b = bed.new({ bed.PAGE }, { token = function() return "" end }) -- luacheck: ignore
    local _, err = b.client:get_projects()
    assert.equal("auth", err.kind)
    assert.equal(0, #b.requests)
  end)

  it("live 6: the token stands in a header, never in the query, the path or the body", function()
    local b = bed.new { ok '{"code":7}' }
    b.client.projects:list { search = "x" }
    b.client.workflows:create { project = "1", name = "w", tasks = "[]", relations = "[]" }
    for _, request in ipairs(b.requests) do
      assert.is_nil((request.url or ""):find("secret-token", 1, true))
      assert.is_nil((request.path .. (request.body or "")):find("secret-token", 1, true))
    end
    -- a slash too many would do no harm here, and does elsewhere
    assert.equal("dsclient.client (http://h/x)", tostring(dsclient.new { api_url = "http://h/x//", token = "t" }))
  end)

  it("live 8: words with grouped numbers, holes and SQL are shown on one line", function()
    local words = "process instance 999,999,999 does not exist\\n### Error: {0} SELECT * FROM t\\n" .. ("x"):rep(5000)
    local err = outcome({ refused(50001, words) }, "instances.get", { project = "1", instance_id = 7 })
    assert.equal(50001, err.code)
    assert.is_nil(tostring(err):find "%c")
    assert.is_true(#tostring(err) < 400)
    assert.truthy(err.message:find("999,999,999", 1, true))
  end)

  it("live 10: connections are kept, and a body that was cut is no value", function()
    local whole = ok('[{"id":1,"name":"a"},{"id":2,"name":"b"}]').body
    for length = 0, #whole - 1 do
      local err, value, b = outcome({ { status = 200, body = whole:sub(1, length) } }, "projects.all", {})
      assert.is_nil(value)
      assert.equal("not_api", err.kind)
      assert.is_nil(table.concat(b.requests[1].headers, "\n"):lower():find "connection:")
    end
  end)

  it("live 12: long lists go into the form, where the head of 8 KiB does not bound them", function()
    local ids = {}
    for i = 1, 2000 do
      ids[i] = i
    end
    for name, args in pairs {
      ["instances.batch_delete"] = { project = "1", instance_ids = ids },
      ["instances.batch_execute"] = { project = "1", instance_ids = ids, execute_type = "STOP" },
      ["workflows.batch_delete"] = { project = "1", workflows = ids },
      ["workflows.batch_start"] = { project = "1", workflows = ids },
    } do
      local _, _, b = outcome({ ok() }, name, args)
      assert.is_true(#b.requests[1].path < 200 and #b.requests[1].body > 8192, name)
    end
  end)

  it("live 12: a head that is too long is a 414 or 431 in HTML, and is not repeated", function()
    for _, code in ipairs { 414, 431 } do
      local err, _, b = outcome({ status(code, { ["content-type"] = "text/html" }, "<html>") }, "projects.all", {},
        { max_retries = 3 })
      assert.same({ "http", code }, { err.kind, err.status })
      assert.equal(1, #b.requests)
    end
  end)

  it("live 13: a form that is too large is a refusal in a 200, or a reset: an unknown outcome", function()
    local large = { project = "1", name = "w", tasks = ("x"):rep(5100000), relations = "[]" }
    assert.equal("api", outcome({ refused(10105, "create process definition error") }, "workflows.create", large).kind)
    local err, _, b = outcome({ bed.failure("network", "sent") }, "workflows.create", large, { max_retries = 3 })
    assert.equal("outcome_unknown", err.kind)
    assert.equal(1, #b.requests)
    assert.is_nil(table.concat(b.requests[1].headers, "\n"):lower():find "content%-encoding")
  end)

  it("live 14: behind the limiter a wrong token is a 429 first and a 401 then", function()
    local err, _, b = outcome({ status(429), status(401) }, "projects.all", {}, { max_retries = 1 })
    assert.equal("auth", err.kind)
    assert.equal(2, #b.requests)
  end)

  it("live 24: a log-in is sent once: each makes a new session and ends the one before", function()
    local err, _, b = outcome({ status(502) }, "sessions.login", { name = "a", password = "b" }, { max_retries = 3 })
    assert.equal("outcome_unknown", err.kind)
    assert.equal(1, #b.requests)
  end)

  it("live 43: that the server is well is asked of the API, with the token, not of its health page", function()
    local b = bed.new { ok '{"id":1,"userName":"admin"}' }
    assert(b.client:check_connection())
    for _, request in ipairs(b.requests) do
      assert.is_nil(request.path:find "actuator")
    end
  end)
end)

--- The six server lines: which has what, how a client finds out which one it
-- speaks to, and what it does with what that one lacks. A server here has exactly
-- the probed paths of its line, as a table of this file tells them.

local bed = require "support.bed"
local dialect = require "dsclient.dialect"
local set = require "support.set"

local LINES = { "2.0", "3.0", "3.1", "3.2", "3.3", "3.4" }

-- --- servers -------------------------------------------------------------

-- The paths that tell lines apart, and the lines that have them.
local PROBED = {
  ["/projects/0/workflow-definition/simple-list"] = set "3.3 3.4",
  ["/projects/0/process-definition/simple-list"] = set "2.0 3.0 3.1 3.2",
  ["/dynamic/taskCategories"] = set "3.2 3.3 3.4",
  ["/favourite/taskTypes"] = set "3.1 3.2 3.3 3.4",
  ["/task-group/list-paging"] = set "3.0 3.1 3.2 3.3 3.4",
}

-- Operations that not all lines have: where they are, and since or up to when.
local PARTIAL = {
  ["projects.with_level"] = { "/projects/project-with-authorized-level", "3.2 3.3 3.4" },
  ["projects.list_dependent"] = { "/projects/list-dependent", "3.1 3.2 3.3 3.4" },
  ["task_groups.of_status"] = { "/task-group/query-list-by-status", "3.0 3.1 3.2 3.3 3.4" },
  ["data_quality.rules"] = { "/data-quality/rule/page", "3.0 3.1 3.2" },
  ["resources.view_by_id"] = { "/resources/7/view", "2.0 3.0 3.1" },
  ["tasks.list"] = { "/projects/1/task-definition", "2.0 3.0 3.1 3.2" },
}
local ARGS = {
  ["projects.with_level"] = { user_id = 1 },
  ["resources.view_by_id"] = { resource_id = 7 },
  ["tasks.list"] = { project = "1" },
  ["workflows.batch_export"] = { project = "1", workflows = "2" },
}

local MISSING = {
  ["JSON 404"] = bed.status(404, nil, '{"message":"Not Found","status":"404"}'),
  ["HTML 200"] = bed.html(),
  ["405"] = bed.status(405, { ["content-type"] = "text/html" }, "<html></html>"),
}

local UNKNOWN_PROJECT = bed.refused(10190, "project not found")
local FILE = { status = 200, headers = { ["content-disposition"] = 'attachment; filename="w.json"' }, body = "[]" }

--- What the server says of itself: lines up to 3.2 don't know the question.
local function product_info(site)
  if site.line < "3.3" then
    return bed.refused(110003, "query plugins error")
  end
  return bed.ok(('{"version":"%s"}'):format(site.version or site.line .. ".1"))
end

local function is_there(site, path)
  local lines = PROBED[path]
  for _, one in pairs(PARTIAL) do
    lines = one[1] == path and set(one[2]) or lines
  end
  return not lines or lines[site.line] or false
end

-- The traffic limiter, cold: what follows a request that was let through sooner.
local LIMITER_S = 0.29

--- Does the traffic limiter refuse this? An unknown path always is.
local function refused(site, path, now_s)
  if site.limiter and is_there(site, path) and now_s - (site.let_through_s or -1) >= LIMITER_S then
    site.let_through_s = now_s
    return false
  end
  return site.limiter
end

local function answer_of(site, request, now_s)
  local path = request.path:match "^[^?]*"
  if refused(site, path, now_s) then
    return bed.status(429)
  elseif not is_there(site, path) then
    return site.missing or MISSING["JSON 404"]
  elseif path:find "query%-product%-info" then
    return product_info(site)
  elseif path:find "batch%-export" then
    return FILE
  end
  return path:find "/projects/0/" and UNKNOWN_PROJECT or bed.PAGE
end

--- A client of a server of a line that it has to find out itself.
-- @tparam table site {line, version, missing, limiter, answer}: may be changed later
local function bed_of(site, options)
  local b
  options = options or {}
  options.detect = not options.server_version
  b = bed.new(function(request)
    return site.answer and site.answer(request) or answer_of(site, request, b.now())
  end, options)
  return b
end

local function call(b, name)
  return b.client:call(name, ARGS[name] or {}, { cache = false })
end

--- The last line that the log was told of.
local function told_line(b)
  local line
  for _, entry in ipairs(b.logged) do
    line = entry.fields.event == "dialect" and entry.fields.line or line
  end
  return line
end

-- --- what a line has -----------------------------------------------------

describe("a version", function()
  it("is three numbers, or a line", function()
    assert.same({ line = 301, patch = 1 }, dialect.parse "3.1.1")
    assert.same({ line = 304 }, dialect.parse "3.4")
    assert.same({ line = 310, patch = 12 }, dialect.parse "3.10.12-SNAPSHOT")
    for _, text in ipairs { "", "3", "dev", "V1", "x3.1" } do
      assert.is_nil(dialect.parse(text))
    end
  end)

  it("has a dialect and a zone", function()
    for dialect_name, versions in pairs { process = "2.0 3.0.6 3.2 3.2.2", workflow = "3.3 3.4.1 3.10 4.0" } do
      for version in versions:gmatch "%S+" do
        assert.equal(dialect_name, dialect.of(dialect.parse(version)))
      end
    end
    assert.equal(8 * 3600, dialect.utc_offset_s(dialect.parse "2.0.9"))
    assert.equal(0, dialect.utc_offset_s(dialect.parse "3.0"))
  end)
end)

-- Of each range: the versions that have it, that have it not, and that may.
local RANGES = {
  { {}, "all versions", "2.0 2.0.9 3.1 3.4.1 9.9", "", "" },
  { { since = "3.2" }, "from 3.2 on", "3.2 3.2.0 3.2.2 3.3 3.4.1 3.10 4.0", "2.0 3.0.6 3.1 3.1.9", "" },
  { { since = "3.2.0" }, "from 3.2.0 on", "3.2 3.2.0", "3.1.9", "" },
  { { since = "3.2.2" }, "from 3.2.2 on", "3.2.2 3.2.9 3.3 4.0", "3.1 3.2.0 3.2.1", "3.2" },
  { { upto = "3.1" }, "up to 3.1", "2.0 2.0.9 3.1 3.1.9 3.1.99", "3.2 3.2.0 4.0", "" },
  { { upto = "3.2.1" }, "up to 3.2.1", "2.0 3.1.9 3.2.0 3.2.1", "3.2.2 3.3 4.0", "3.2" },
  { { upto = "3.2.0" }, "up to 3.2.0", "3.1 3.2.0", "3.2.1 3.3", "3.2" },
  { { since = "3.0", upto = "3.2" }, "from 3.0 to 3.2", "3.0 3.1.1 3.2 3.2.2", "2.0 2.0.9 3.3 3.4.1", "" },
  { { since = "3.2", upto = "3.2" }, "3.2 only", "3.2 3.2.0 3.2.9", "3.1 3.3", "" },
  { { since = "3.2.1", upto = "3.2.2" }, "from 3.2.1 to 3.2.2", "3.2.1 3.2.2", "3.1 3.2.0 3.2.3 3.3", "3.2" },
  { { since = "2.0.1", upto = "2.0.3" }, "from 2.0.1 to 2.0.3", "2.0.1 2.0.3", "2.0.0 2.0.4 3.0", "2.0" },
}

local function each_version(versions, act)
  for version in versions:gmatch "%S+" do
    act(dialect.parse(version), version)
  end
end

describe("a row of the table", function()
  for _, range in ipairs(RANGES) do
    local item = range[1]
    it("that is there in " .. range[2] .. " is there in those and in no other", function()
      assert.equal(range[2], dialect.range(item))
      for i, verdict in ipairs { true, false } do
        each_version(range[i + 2], function(version, text)
          assert.equal(verdict, dialect.has(item, version), text)
        end)
      end
      each_version(range[5], function(version, text)
        assert.is_nil(dialect.has(item, version), text)
      end)
    end)
  end

  it("may be decided by the dialect alone", function()
    local cases = {
      { {}, true, true }, { { since = "3.3" }, false, true }, { { upto = "3.2" }, true, false },
      { { since = "3.2" }, nil, true }, { { upto = "3.1" }, nil, false }, { { since = "2.0" }, true, true },
      { { since = "3.0", upto = "3.2" }, nil, false }, { { since = "3.2.2" }, nil, true },
      { { upto = "3.4.0" }, true, nil }, { { since = "3.4" }, false, nil }, { { since = "3.3.2" }, false, nil },
    }
    for _, case in ipairs(cases) do
      assert.equal(case[2], dialect.all_have(case[1], "process"), dialect.range(case[1]))
      assert.equal(case[3], dialect.all_have(case[1], "workflow"), dialect.range(case[1]))
    end
  end)
end)

-- --- which line it is ----------------------------------------------------

--- Asks for each operation that not all lines have: what comes of it is what
-- this line has, and nothing is asked that it has not.
local function check_operations(b, site)
  for name, one in pairs(PARTIAL) do
    local before = #b.requests
    local value, err = call(b, name)
    if set(one[2])[site.line] then
      assert(value, tostring(err))
      assert.equal(one[1], b.requests[#b.requests].path:match "^[^?]*")
    else
      assert.same({ "unsupported", name }, { err.kind, err.operation })
      for i = before + 1, #b.requests do
        assert.not_equal(one[1], b.requests[i].path:match "^[^?]*")
      end
    end
  end
end

describe("the line of a server", function()
  for _, line in ipairs(LINES) do
    for how, missing in pairs(MISSING) do
      it(line .. " is found where an unknown path gives " .. how, function()
        local site = { line = line, missing = missing }
        local b = bed_of(site)
        check_operations(b, site)
        if line < "3.3" then
          assert.equal(line, told_line(b))
        end
        local before = #b.requests
        check_operations(b, site) -- and is known from then on
        for i = before + 1, #b.requests do
          assert.is_nil(b.requests[i].path:find("/projects/0/", 1, true))
        end
      end)
    end

    it(line .. " is found behind the traffic limiter, though others send with the same token", function()
      local site, asked = { line = line, limiter = true }, {}
      function site.answer(request)
        local is_first = not asked[request.path]
        asked[request.path] = true
        return is_first and bed.status(429) or nil -- it came too close after another's
      end
      local b = bed_of(site, { timeout_s = 60, max_retries = 20 })
      local _, err = call(b, "resources.view_by_id")
      assert.equal(line > "3.1" and "unsupported" or nil, err and err.kind)
      if line < "3.3" then
        assert.equal(line, told_line(b))
      end
      assert.is_true(b.now() < 20, "took " .. b.now())
    end)
  end

  it("is told by the server itself from 3.3 on, and is 3.3 where it says nothing that fits", function()
    for version, known in pairs {
      ["3.3.2"] = "3.3.2", ["3.4.0"] = "3.4.0", ["3.4.1"] = "3.4.1", ["3.5.0"] = "3.5.0",
      ["3.2.2"] = "3.3", dev = "3.3", [""] = "3.3",
    } do
      local b = bed_of { line = "3.4", version = version }
      local value, err = call(b, "workflows.batch_export") -- up to 3.4.0
      assert.equal(known, told_line(b))
      assert.equal(known <= "3.4.0", value ~= nil)
      assert.equal(known > "3.4.0" and "unsupported" or nil, err and err.kind)
    end
    for _, data in ipairs { "null", "7", "[]", '{"version":null}', '{"version":{}}' } do
      local site = { line = "3.4" }
      function site.answer(request)
        return request.path:find "product%-info" and bed.ok(data) or nil
      end
      local b = bed_of(site)
      assert(call(b, "workflows.batch_export"))
      assert.equal("3.3", told_line(b))
    end
  end)

  it("is asked for with as few requests as its line allows", function()
    -- two or one for the dialect, one for each line that it is not, and itself
    for line, count in pairs { ["2.0"] = 6, ["3.0"] = 5, ["3.1"] = 4, ["3.2"] = 3, ["3.3"] = 1, ["3.4"] = 1 } do
      local site = { line = line }
      local b = bed_of(site)
      local value = call(b, "projects.with_level")
      assert.equal(count, #b.requests - (value and 1 or 0), line)
    end
  end)

  it("is not asked for where the dialect alone decides", function()
    local b = bed_of { line = "3.1" }
    assert(b.client:call("workflows.list", { project = "1" }))
    assert.equal(3, #b.requests)
    local _, err = b.client:call("server.product_info", {})
    assert.equal("unsupported", err.kind)
    assert.equal(3, #b.requests)
    b = bed_of { line = "3.4" }
    _, err = b.client:call("resources.view_by_id", { resource_id = 7 })
    assert.equal("unsupported", err.kind)
    assert.equal(1, #b.requests)
  end)

  it("is not asked for where nothing differs, and the answer has the newest names all the same", function()
    local site = { line = "3.1" }
    function site.answer()
      return bed.ok '[{"id":1,"processDefinitionCode":7,"processDefinitionName":"a"}]'
    end
    local b = bed_of(site)
    assert.same({ { id = 1, workflowDefinitionCode = "7", workflowDefinitionName = "a" } },
      b.client.schedules:all { project = "1" })
    assert.equal(1, #b.requests)
  end)

  it("is not asked for where it is told", function()
    for version, kind in pairs { ["3.2.0"] = "ok", ["3.1.9"] = "unsupported" } do
      local b = bed_of({ line = "3.2" }, { server_version = version })
      local value, err = call(b, "projects.with_level")
      assert.equal(kind, value and "ok" or err.kind)
      assert.equal(value and 1 or 0, #b.requests)
    end
  end)

  it("is not guessed from a 401, an outage or endless 429s", function()
    local unfit = {
      auth = bed.status(401), server = bed.status(503), throttled = bed.status(429), http = bed.status(403),
      connect = bed.failure("connect", "unsent"),
    }
    for kind, answer in pairs(unfit) do
      -- from the first probe on, or from the first one of the line; where that is
      -- refused by the limiter, it goes on to the last one, which all lines have
      for _, path in ipairs { "/projects/0/", kind ~= "throttled" and "^/dynamic/" or "/projects/0/process" } do
        local site, from_here_on = { line = "3.0" }, false
        function site.answer(request)
          from_here_on = from_here_on or request.path:find(path) ~= nil
          return from_here_on and answer or nil
        end
        local b = bed_of(site, { timeout_s = 20, max_retries = 1 })
        local value, err = call(b, "projects.with_level")
        assert.is_nil(value)
        assert.equal(kind, err.kind, path)
        assert.equal("projects.with_level", err.operation)
        assert.is_nil(told_line(b))
        assert.is_true(b.now() <= 20.001)
      end
    end
  end)

  it("is looked for anew where the first search failed", function()
    local site, down = { line = "3.1" }, true
    function site.answer(request)
      return down and request.path:find "taskCategories" and bed.status(401) or nil
    end
    local b = bed_of(site)
    assert.equal("auth", select(2, call(b, "projects.list_dependent")).kind)
    down = false
    assert(call(b, "projects.list_dependent"))
    assert.equal("3.1", told_line(b))
  end)
end)

-- --- what a line lacks ---------------------------------------------------

describe("an operation that the line lacks", function()
  local function refusal(name, args, version)
    local b = bed_of({ line = "3.1" }, { server_version = version })
    local value, err = b.client:call(name, args)
    assert.is_nil(value)
    assert.equal("unsupported", err.kind)
    assert.equal(name, err.operation)
    assert.equal(0, #b.requests)
    return err
  end

  it("is refused without a request, with the versions that have it", function()
    local cases = {
      { "projects.with_level", { user_id = 1 }, "3.1.9", "from 3.2 on" },
      { "resources.view_by_id", { resource_id = 1 }, "3.2.0", "up to 3.1" },
      { "data_quality.rules", {}, "3.3.1", "from 3.0 to 3.2" },
      { "data_quality.rules", {}, "2.0.9", "from 3.0 to 3.2" },
      { "task_instances.remove_cache", { project = "1", task_instance_id = 1 }, "3.3.1", "3.2 only" },
      { "server.nodes", { kind = "MASTER" }, "3.2.1", "from 3.2.2 on" },
      { "server.masters", {}, "3.2.2", "up to 3.2.1" },
      { "workflows.batch_export", { project = "1", workflows = "2" }, "3.4.1", "up to 3.4.0" },
    }
    for _, case in ipairs(cases) do
      local err = refusal(case[1], case[2], case[3])
      assert.is_nil(err.argument)
      for _, words in ipairs { case[1], case[3], case[4] } do
        assert.truthy(tostring(err):find(words, 1, true), tostring(err))
      end
    end
  end)

  it("is refused as an argument is, where only that is lacking", function()
    local cases = {
      { "task_instances.list", { project = "1", task = "5" }, "3.1.1", "task", "from 3.2 on" },
      { "workflows.start", { project = "1", workflow = "2", timeout = 5 }, "3.3.1", "timeout", "up to 3.2" },
      { "workflows.start", { project = "1", workflow = "2", version = 5 }, "3.1.1", "version", "3.2 only" },
      { "users.update", { user_id = 1, name = "a", password = "", tenant_id = 1, email = "e", time_zone = "UTC" },
        "2.0.9", "time_zone", "from 3.0 on" },
    }
    for _, case in ipairs(cases) do
      local err = refusal(case[1], case[2], case[3])
      assert.equal(case[4], err.argument)
      assert.truthy(tostring(err):find(case[5], 1, true), tostring(err))
    end
  end)
end)

describe("a parameter that only some lines have", function()
  local function body(version, name, args)
    local b = bed_of({ line = "3.1" }, { server_version = version })
    assert(b.client:call(name, args))
    return b.requests[#b.requests].body or b.requests[#b.requests].path
  end

  it("is left out where it has a default and nobody gave it", function()
    local args = { type = "FILE", full_name = "" }
    assert.is_nil(body("3.3.1", "resources.list", args):find("tenantCode", 1, true))
    assert.truthy(body("3.2.2", "resources.list", args):find("tenantCode=default", 1, true))
    assert.is_nil(body("3.2.2", "resources.list", args):find("id=", 1, true))
    assert.truthy(body("3.1.1", "resources.list", { type = "FILE" }):find("id=-1", 1, true))
  end)

  it("is missed only where the line demands it, and then says where", function()
    local tables = { datasource_id = 1 }
    assert(body("3.1.1", "datasources.tables", tables))
    local b = bed_of({ line = "3.2" }, { server_version = "3.2.2" })
    local _, err = b.client:call("datasources.tables", tables)
    assert.same({ "argument", "database" }, { err.kind, err.argument })
    assert.truthy(tostring(err):find("from 3.2 on", 1, true))
    assert.equal(0, #b.requests)
    b = bed_of { line = "3.2" }
    _, err = b.client:call("datasources.tables", tables)
    assert.same({ "argument", "database" }, { err.kind, err.argument })
    b = bed_of { line = "3.1" }
    assert(b.client:call("datasources.tables", tables))
  end)

  it("is sent where the patch decides and is not known, and left out where it has a default", function()
    local b = bed_of { line = "3.2" }
    assert(b.client:call("audit.list", { model_name = "x" }))
    assert.truthy(b.requests[#b.requests].path:find("modelName=x", 1, true))
  end)
end)

-- --- where the patch decides ---------------------------------------------

describe("an operation that some patches of a line have", function()
  local NODES = "/monitor/MASTER"

  local function ask(missing, options)
    local site = { line = "3.2" }
    function site.answer(request)
      return request.path == NODES and missing or nil
    end
    local b = bed_of(site, options)
    local value, err = b.client:call("server.nodes", { kind = "MASTER" })
    return err and err.kind or "ok", b, err, value
  end

  it("is tried, and unsupported where the path is not there", function()
    for how, missing in pairs(MISSING) do
      local kind, b, err = ask(missing)
      assert.equal("unsupported", kind, how)
      assert.truthy(tostring(err):find("from 3.2.2 on", 1, true))
      assert.equal(NODES, b.requests[#b.requests].path)
      -- the line is known: it is not another server
      local before = #b.requests
      assert(b.client:call("workflows.list", { project = "1" }))
      assert.equal(1, #b.requests - before)
    end
    assert.equal("ok", (ask(bed.ok "[]")))
    assert.equal("api", (ask(bed.refused(10045, "list masters error"))))
  end)

  it("is not tried where the patch is told", function()
    assert.equal("unsupported", (ask(bed.ok "[]", { server_version = "3.2.1" })))
    assert.equal("not_api", (ask(MISSING["JSON 404"], { server_version = "3.2.2" })))
    assert.equal("unsupported", (ask(MISSING["JSON 404"], { server_version = "3.2" })))
  end)
end)

-- --- a server that is upgraded -------------------------------------------

describe("a server that is upgraded under the client", function()
  it("from 3.1 to 3.2 is found out at the first refusal after ten minutes", function()
    local site = { line = "3.1" }
    local b = bed_of(site)
    assert.equal("unsupported", select(2, call(b, "projects.with_level")).kind)
    site.line = "3.2"
    b.advance(599)
    local before = #b.requests
    assert.equal("unsupported", select(2, call(b, "projects.with_level")).kind)
    assert.equal(before, #b.requests)
    b.advance(2)
    assert(call(b, "projects.with_level"))
    assert.equal("3.2", told_line(b))
    b.advance(3600)
    before = #b.requests
    assert(call(b, "projects.with_level")) -- what is there needs no proof
    assert.equal(1, #b.requests - before)
  end)

  it("and stays what it was is asked again every ten minutes at most", function()
    local site = { line = "3.1" }
    local b = bed_of(site)
    call(b, "projects.with_level")
    for _ = 1, 3 do
      b.advance(601)
      local before = #b.requests
      for _ = 1, 5 do
        assert.equal("unsupported", select(2, call(b, "projects.with_level")).kind)
      end
      assert.equal(4, #b.requests - before) -- two for the dialect, two for the line
    end
  end)

  it("from 3.2 to 3.3 is found out at once, by the call that meets it", function()
    local site = { line = "3.2" }
    function site.answer(request)
      local other = site.line == "3.2" and "workflow%-" or "process%-"
      return not request.path:find "/projects/0/" and request.path:find(other) and MISSING["HTML 200"] or nil
    end
    local b = bed_of(site)
    assert(b.client:call("instances.list", { project = "1" }))
    assert(b.client:call("data_quality.rules", {}))
    site.line = "3.3"
    assert(b.client:call("instances.list", { project = "1" }))
    assert.truthy(b.requests[#b.requests].path:find("workflow-instances", 1, true))
    local before = #b.requests
    assert.equal("unsupported", select(2, b.client:call("data_quality.rules", {})).kind)
    assert.equal(before, #b.requests)
    assert(b.client:call("server.product_info", {}))
  end)

  it("is never looked at again where the version was told", function()
    local site = { line = "3.2" }
    local b = bed_of(site, { server_version = "3.1.1" })
    b.advance(10000)
    assert.equal("unsupported", select(2, call(b, "projects.with_level")).kind)
    assert.equal(0, #b.requests)
  end)
end)

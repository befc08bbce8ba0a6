--- The table of operations: complete and right by the catalogue of the server's
-- API, and each row as the head of operations/init.lua has it.

local check = require("support.operations_check").check
local lines = require "support.lines"
local operations = require "dsclient.operations"

local BROWSER = "a step of a log-in in a browser"
local TWIN = "the same as the path without v2"

-- Rows of the catalogue that no operation needs.
local SKIPPED = {
  ["DELETE /cookies"] = BROWSER,
  ["GET /login/oauth2/code/{providerId}"] = BROWSER,
  ["GET /login/sso"] = BROWSER,
  ["GET /oauth2-provider"] = BROWSER,
  ["GET /oauth2/authorization/{providerId}"] = BROWSER,
  ["GET /oidc-providers"] = BROWSER,
  ["GET /redirect/login/oauth2"] = BROWSER,
  ["ANY /error"] = "where the server sends what it has no path for",
  ["GET /v2/projects"] = TWIN,
  ["POST /v2/projects"] = TWIN,
  ["GET /v2/projects/authed-project"] = TWIN,
  ["GET /v2/projects/authed-user"] = TWIN,
  ["GET /v2/projects/created-and-authed"] = TWIN,
  ["GET /v2/projects/list"] = TWIN,
  ["GET /v2/projects/list-dependent"] = TWIN,
  ["GET /v2/projects/unauth-project"] = TWIN,
  ["GET /v2/projects/{code}"] = TWIN,
  ["PUT /v2/projects/{code}"] = TWIN,
  ["DELETE /v2/projects/{code}"] = TWIN,
  ["GET /v2/queues"] = TWIN,
  ["POST /v2/queues"] = TWIN,
  ["GET /v2/queues/list"] = TWIN,
  ["POST /v2/queues/verify"] = TWIN,
  ["PUT /v2/queues/{id}"] = TWIN,
  ["POST /v2/access-tokens"] = TWIN,
  ["GET /v2/projects/{projectCode}/task-instances"] = TWIN,
  ["POST /v2/projects/{projectCode}/task-instances/{id}/force-success"] = TWIN,
  ["POST /v2/projects/{projectCode}/task-instances/{id}/savepoint"] = TWIN,
  ["POST /v2/projects/{projectCode}/task-instances/{id}/stop"] = TWIN,
}

-- Where a row is right and the catalogue is not the last word: problem → why.
local EXCEPTIONS = {
  -- sending it always saves asking which line it is
  ["workflows.create: 2.0.0: execution_type sends the unknown executionType"] = "ignored there",
  ["workflows.create: 3.2.0: tenant sends the unknown tenantCode"] = "ignored there",
}

local function rows_of(resources)
  local rows = {}
  for _, resource in ipairs(resources) do
    for _, row in pairs(operations.of(resource)) do
      rows[#rows + 1] = row
    end
  end
  return rows
end

--- The problems that nothing excuses.
local function unexcused(problems, excused)
  local left, used = {}, {}
  for _, problem in ipairs(problems) do
    used[problem] = excused[problem] ~= nil
    left[#left + 1] = not excused[problem] and problem or nil
  end
  for problem in pairs(excused) do
    left[#left + 1] = not used[problem] and "excused for nothing: " .. problem or nil
  end
  return left
end

describe("the table of operations", function()
  it("has a file for each resource, and no other", function()
    local found = {}
    for _, file in ipairs(lines "ls lua/dsclient/operations") do
      found[#found + 1] = file ~= "init.lua" and file:gsub("%.lua$", "") or nil
    end
    table.sort(found)
    assert.same(found, operations.RESOURCES)
  end)

  it("says what the server has: each path, line, parameter, kind and result", function()
    local problems, count = check(rows_of(operations.RESOURCES), SKIPPED)
    print(("operations: %d of 354 rows of the catalogue mapped, %d skipped"):format(count.mapped, count.skipped))
    assert.same({}, unexcused(problems, EXCEPTIONS))
  end)
end)

describe("the check of the table", function()
  local tenants = {
    resource = "tenants", verb = "list", operation = "tenants.list", name = "tenants.list",
    summary = "the tenants, all pages", method = "GET", path = "/tenants", replay = "read", result = "page",
    params = { { "search", "string", "searchVal" } },
  }

  --- The problems of the row above, changed, that are its own.
  local function problems_of(changes)
    local row, found = {}, {}
    for _, fields in ipairs { tenants, changes } do
      for name, value in pairs(fields) do
        row[name] = value
      end
    end
    for _, problem in ipairs((check({ row }, SKIPPED))) do
      found[#found + 1] = problem:match "^tenants%.%w+: (.*)$"
    end
    return found
  end

  it("is content with a good row", function()
    assert.same({}, problems_of {})
  end)

  it("finds each thing that can be wrong with a row", function()
    local search = tenants.params[1]
    for expected, changes in pairs {
      ["2.0.0: the server has no such path"] = { path = "/tenant" },
      ["2.0.0: name sends the unknown name"] = { params = { search, { "name", "string", "name" } } },
      ["replay is once, the server's kind R"] = { replay = "once" },
      ["result is list, the server's Page<Tenant>"] = { result = "list", params = {
        search, { "page", "integer", "pageNo", required = true }, { "size", "integer", "pageSize", default = 10 },
      } },
      ["unknown field trap"] = { trap = "" },
      ["search has the unknown type text"] = { params = { { "search", "text", "searchVal" } } },
      ["searchVal is not snake_case"] = { params = { { "searchVal", "string", "searchVal" } } },
      ["search has the unknown field ttl"] = { params = { { "search", "string", "searchVal", ttl = 1 } } },
      ["search is there twice"] = { params = { search, search } },
      ["search must have either a place in the path or a wire name"] = { params = { { "search", "string" } } },
      ["invalidates the unknown tenants.all"] = { method = "POST", replay = "once", result = "object",
        invalidates = { "tenants.all" }, params = {
          { "tenant", "string", "tenantCode", required = true }, { "queue_id", "id", "queueId", default = 1 },
        } },
      ["a read has already, gone, partial or invalidates"] = { already = { 1 } },
      ["its name is not snake_case"] = { verb = "listAll" },
      ["no summary"] = { summary = "" },
      ["the summary is a sentence"] = { summary = "the tenants." },
      ["the summary is too long"] = { summary = ("x"):rep(101) },
      ["body is json, the server's nil"] = { body = "json" },
      ["holds the unknown id"] = { holds = "id" },
      ["since is no version"] = { since = "v3" },
    } do
      assert.same({ expected }, problems_of(changes))
    end
  end)

  it("finds what the server wants and no parameter sends", function()
    local create = { method = "POST", replay = "once", result = "object" }
    create.params = { { "tenant", "string", "tenantCode" } }
    assert.same({ "2.0.0: queueId is never sent", "2.0.0: tenantCode must be sent" }, problems_of(create))
    create.ttl_s = 1
    create.params = { { "tenant", "string", "tenantCode", default = "x" }, { "q", "id", "queueId", required = true } }
    assert.same({ "a write has ttl_s" }, problems_of(create))
  end)

  it("finds a row without operation, on all versions or on one", function()
    local problems = check({ tenants }, {})
    local text = "\n" .. table.concat(problems, "\n") .. "\n"
    assert.is_truthy(text:find("\nDELETE /cookies: no operation\n", 1, true))
    assert.is_nil(text:find("\nGET /tenants:", 1, true))
    tenants.since = "3.2"
    text = table.concat((check({ tenants }, {})), "\n")
    tenants.since = nil
    assert.is_truthy(text:find("GET /tenants: 2.0.0: no operation on this version", 1, true))
    assert.is_truthy(table.concat((check({}, { ["GET /x"] = "" })), "\n"):find("GET /x: is skipped", 1, true))
  end)
end)

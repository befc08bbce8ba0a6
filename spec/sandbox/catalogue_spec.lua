--- The catalogue: that no row was lost, and that each is read as it is meant.

local catalogue = require "dsclient.sandbox.catalogue"
local set = require "support.set"

-- Endpoints of each controller of 3.4.1, and what older versions have beside.
local COUNTS = {
  AccessToken = 6, AccessTokenV2 = 1, AlertGroup = 7, AlertPluginInstance = 8, AuditLog = 3, Cloud = 3, Cluster = 7,
  DataAnalysis = 7, DataSource = 15, DynamicTaskType = 2, Environment = 7, Executor = 6, FavTask = 3, K8sNamespace = 7,
  Logger = 4, Login = 9, Monitor = 2, Project = 13, ProjectParameter = 6, ProjectPreference = 3, ProjectV2 = 11,
  ProjectWorkerGroup = 2, Queue = 6, QueueV2 = 5, Resources = 12, ScheduleV2 = 5, Scheduler = 9, StatisticsV2 = 7,
  TaskDefinition = 7, TaskDefinitionV2 = 2, TaskGroup = 10, TaskInstance = 4, TaskInstanceV2 = 5, Tenant = 6,
  UiPlugin = 3, Users = 20, WorkerGroup = 5, WorkflowDefinition = 23, WorkflowInstance = 13, WorkflowInstanceV2 = 4,
  WorkflowLineage = 5, WorkflowTaskRelation = 7, WorkflowTaskRelationV2 = 3, WorkflowV2 = 5,
  Legacy = 56,
}
local METHODS = { GET = 160, POST = 92, PUT = 21, DELETE = 25 }

-- How many rows each version has: those of its own controllers.
local VERSIONS = { ["2.0.9"] = 195, ["3.0.6"] = 230, ["3.1.9"] = 258, ["3.2.0"] = 328, ["3.2.1"] = 322,
  ["3.2.2"] = 325, ["3.4.1"] = 298 }

local function counted(rows, name_of)
  local counts = {}
  for _, row in ipairs(rows) do
    local name = name_of(row)
    if name then
      counts[name] = (counts[name] or 0) + 1
    end
  end
  return counts
end

describe("the catalogue", function()
  local rows = catalogue.rows()

  local function row(method, path)
    for _, one in ipairs(rows) do
      if one.method == method and one.path == path then
        return one
      end
    end
  end

  it("has as many rows as the server has endpoints, by controller, method and version", function()
    assert.equal(354, #rows)
    assert.same(COUNTS, counted(rows, function(one)
      return one.controller
    end))
    assert.same(METHODS, counted(rows, function(one)
      return one.controller ~= "Legacy" and one.method or nil
    end))
    for version, count in pairs(VERSIONS) do
      local here = counted(rows, function(one)
        return catalogue.has(one, version) and "here" or nil
      end)
      assert.equal(count, here.here, version)
    end
  end)

  it("has 46 paths under another spelling up to 3.2, and each path once on each side", function()
    local renamed, seen = 0, {}
    for _, one in ipairs(rows) do
      renamed = renamed + (one.controller ~= "Legacy" and one.old ~= one.path and 1 or 0)
      for side, path in pairs { old = one.old, path = one.path } do
        local key = side .. one.method .. path:gsub("{[^}]*}", "{}")
        assert.is_nil(seen[key], key)
        seen[key] = true
      end
    end
    assert.equal(46, renamed)
  end)

  it("has only kinds, statuses and versions that there are", function()
    local kinds, statuses = set "R W X W!", { [200] = true, [201] = true, [302] = true }
    for _, one in ipairs(rows) do
      assert.is_true(kinds[one.kind], one.path)
      assert.is_true(statuses[one.status], one.path)
      assert.is_true(one.kind ~= "W!" or one.method == "GET", one.path)
      for _, param in ipairs(one.params) do
        for _, range in ipairs { one, param } do
          assert.is_true(range.since == nil or range.since:find "^[23]%.%d" ~= nil, one.path)
          assert.is_true(range.upto == nil or range.upto:find "^[23]%.%d" ~= nil, one.path)
        end
        assert.is_true(param.name:find "^%a%w*$" ~= nil and param.old:find "^%a%w*$" ~= nil, one.path)
      end
    end
  end)

  it("reads renamed parameters, ranges, defaults and bodies", function()
    local list = row("GET", "/projects/{projectCode}/workflow-instances")
    assert.same({ "/projects/{projectCode}/process-instances", 200, "R", "Page<WorkflowInstance>", 10113 },
      { list.old, list.status, list.kind, list.result, list.error })
    assert.same({ old = "processDefineCode", name = "workflowDefinitionCode", type = "long", optional = true,
      default = "0" }, list.params[1])
    local update = row("PUT", "/projects/{code}")
    assert.same({ old = "userName", name = "userName", type = "string", optional = false, upto = "3.2.0" },
      update.params[3])
    local count = row("GET", "/v2/statistics/tasks/states/count")
    assert.same({ "json", 9 }, { count.body, #count.params })
    assert.same({ true, "json" }, { row("POST", "/v2/projects").json, row("POST", "/v2/projects").body })
    assert.same({ true, 3 }, { row("GET", "/v2/projects").json, #row("GET", "/v2/projects").params })
    assert.is_true(row("POST", "/datasources").body_open)
    assert.equal("list", row("POST", "/users/batch/activate").body)
    assert.equal("3.2", row("DELETE", "/cookies").since)
  end)

  it("knows which version has what", function()
    assert.is_true(catalogue.has({ since = "3.2", upto = "3.2" }, "3.2.2"))
    assert.is_true(catalogue.has({}, "2.0.0"))
    assert.is_false(catalogue.has({ since = "3.2.1" }, "3.2.0"))
    assert.is_false(catalogue.has({ upto = "3.2.0" }, "3.2.1"))
    assert.is_true(catalogue.has({ since = "3.3" }, "3.10.0"))
  end)
end)

--- What newer servers do otherwise than 3.4.1. The numbers in the titles are those
-- of the facts about the server's API; traps_spec.lua sees to it that none is
-- missing.

local bed = require "support.bed"

local ok, refused = bed.ok, bed.refused

local NEWEST = { server_version = "3.4.3" }

describe("a change after 3.4.1:", function()
  it("§6.5: rights are asked for where they were not: 30001, 30002 and 10190 are normal answers", function()
    for name, args in pairs {
      ["datasources.test"] = { datasource_id = 1 }, ["instances.view_gantt"] = { project = "1", instance_id = 7 },
      ["instances.view_variables"] = { project = "1", instance_id = 7 }, ["lineages.list"] = { project = "1" },
      ["workflows.names"] = { project = "1" }, ["workflows.task_list"] = { project = "1", workflow = "2" },
      ["workflows.start"] = { project = "1", workflow = "2" }, ["alert_instances.list"] = {},
      ["instances.execute"] = { project = "1", instance_id = 7, execute_type = "STOP" },
      ["schedules.online"] = { project = "1", schedule_id = 3 }, ["access_tokens.create"] =
        { user_id = 2, expires = "2099-01-01 00:00:00" },
    } do
      for _, code in ipairs { 30001, 30002, 10190 } do
        local b = bed.new({ refused(code, "user has no operation privilege") }, NEWEST)
        local value, err = b.client:call(name, args)
        assert.is_nil(value)
        assert.same({ "api", code, 1 }, { err.kind, err.code, #b.requests }, name)
      end
    end
  end)

  it("§6.5: a list of users or data sources may have names and ids only: names are looked up all the same", function()
    local b = bed.new(function(request)
      if request.path:find "list%-all" then
        return ok '[{"id":5,"userName":"ada"}]'
      elseif request.path:find "/datasources%?" then
        return ok '{"totalList":[{"id":6,"name":"dwh"}],"total":1}'
      end
      return ok "[]"
    end, NEWEST)
    assert(b.client.projects:authorized { user_id = "ada" })
    assert.truthy(b.requests[#b.requests].path:find("userId=5", 1, true))
    assert(b.client.datasources:databases { datasource_id = "dwh" })
    assert.truthy(b.requests[#b.requests].path:find("6", 1, true))
  end)

  it("§6.5: who may not see the list of users may still give an id, and say who he is", function()
    local b = bed.new(function(request)
      if request.path:find "list%-all" then
        return refused(30001)
      end
      return request.path:find "get%-user%-info" and ok '{"id":5,"userName":"ada"}' or ok "[]"
    end, NEWEST)
    assert(b.client.projects:authorized { user_id = 5 })
    local _, err = b.client.projects:authorized { user_id = "ada" }
    assert.same({ "api", 30001 }, { err.kind, err.code })
    assert.equal("ada", b.client:check_connection().user)
  end)

  it("§6.5: a log that is too large to download is a refusal, and is no file", function()
    local b = bed.new({ refused(10103, "the log is larger than 47 MB") }, NEWEST)
    local value, err = b.client.task_instances:download_log { task_instance_id = 7 }
    assert.is_nil(value)
    assert.same({ "api", 10103 }, { err.kind, err.code })
  end)

  it("§6.5: fields may be missing: a row of nothing is a row", function()
    for _, list in ipairs { "instances.list", "task_instances.list", "workflows.list" } do
      local b = bed.new({ ok '{"totalList":[{},{"id":1}],"total":2}' }, NEWEST)
      assert.same({ {}, { id = 1 } }, (b.client:call(list, { project = "1" })))
    end
  end)
end)

--- What is put into the sandbox is read, changed and deleted again.

local cjson = require "cjson"
local sandbox = require "dsclient.sandbox"

local TOKEN = "0123456789abcdef0123456789abcdef"

local function sender(version, token)
  local box = sandbox.new { server_version = version or "3.2.2", projects = 2, workflows = 1, kinds = { "good" } }
  local function send(method, path, form, with)
    local answer = box.site:serve({
      method = method,
      path = "/dolphinscheduler" .. path,
      headers = { token = with or token or TOKEN, ["content-type"] = "application/x-www-form-urlencoded" },
      body = form or "",
    }).answer
    local json = answer.body ~= "" and cjson.decode(answer.body) or {}
    return json.code or answer.status, json.data, json.msg, answer.status
  end
  return send, box
end

local SCHEDULE = 'schedule={"startTime":"2026-01-01 00:00:00","endTime":"2099-01-01 00:00:00",'
  .. '"crontab":"0 0 3 * * ? *","timezoneId":"UTC"}'

describe("the store", function()
  it("has queues: created, listed, changed, deleted, a second one of a name refused", function()
    local send = sender()
    local code, queue, _, status = send("POST", "/queues", "queue=a&queueName=A")
    assert.same({ 0, 201, "A" }, { code, status, queue.queueName })
    assert.equal(10129, (send("POST", "/queues", "queue=a&queueName=B")))
    assert.equal(10130, (send("POST", "/queues/verify", "queue=b&queueName=A")))
    local _, page = send("GET", "/queues?pageNo=1&pageSize=1&searchVal=a")
    assert.same({ 2, "A", 2 }, { page.total, page.totalList[1].queueName, page.totalPage })
    assert.equal(0, (send("PUT", ("/queues/%d"):format(queue.id), "queue=a&queueName=C")))
    local _, all = send("GET", "/queues/list")
    assert.same({ "default", "C" }, { all[1].queueName, all[2].queueName })
    assert.equal(0, (send("DELETE", ("/queues/%d"):format(queue.id))))
    assert.equal(10128, (send("DELETE", ("/queues/%d"):format(queue.id))))
  end)

  it("has environments and clusters, which are found by codes", function()
    for prefix, by in pairs { environment = "environmentCode", cluster = "clusterCode" } do
      local send = sender "3.4.1"
      local _, code = send("POST", "/" .. prefix .. "/create", "name=a&config=export&description=d")
      local query = ("/%s/query-by-code?%s=%.0f"):format(prefix, by, code)
      local _, row = send("GET", query)
      assert.same({ "a", "export", code }, { row.name, row.config, row.code })
      assert.equal(0, (send("POST", "/" .. prefix .. "/update", ("code=%.0f&name=b&config=x"):format(code))))
      assert.equal("b", select(2, send("GET", query)).name)
      assert.equal(0, (send("POST", "/" .. prefix .. "/delete", ("%s=%.0f"):format(by, code))))
      assert.is_true((send("GET", query)) > 1000)
    end
  end)

  it("has parameters of projects, each of its own", function()
    local send, box = sender "3.3.1"
    local one, other = box:projects()[1].code, box:projects()[2].code
    local path = "/projects/%s/project-parameter"
    local form = "projectParameterName=p&projectParameterValue=1&projectParameterDataType=VARCHAR"
    local _, row = send("POST", path:format(one), form)
    assert.same({ "p", "1", "VARCHAR" }, { row.paramName, row.paramValue, row.paramDataType })
    assert.equal(10218, (send("POST", path:format(one), form)))
    assert.equal(0, (send("POST", path:format(other), form)))
    assert.equal(1, select(2, send("GET", path:format(one) .. "?pageNo=1&pageSize=9")).total)
    assert.equal(0, (send("POST", path:format(one) .. "/batch-delete", ("codes=%.0f"):format(row.code))))
    assert.equal(0, select(2, send("GET", path:format(one) .. "?pageNo=1&pageSize=9")).total)
    assert.equal(1, select(2, send("GET", path:format(other) .. "?pageNo=1&pageSize=9")).total)
  end)

  it("has worker groups, whose one call creates and changes, and groups of tasks and alerts", function()
    local send = sender()
    local _, group = send("POST", "/worker-groups", "name=gpu&addrList=10.0.0.1:1234")
    assert.equal(0, (send("POST", "/worker-groups", ("id=%d&name=gpus&addrList=10.0.0.1:1234"):format(group.id))))
    assert.same({ "default", "gpus" }, select(2, send("GET", "/worker-groups/all")))
    local _, tasks = send("POST", "/task-group/create", "name=g&description=&groupSize=2")
    assert.equal(130019, (send("POST", "/task-group/start-task-group", ("id=%d"):format(tasks.id))))
    assert.equal(0, (send("POST", "/task-group/close-task-group", ("id=%d"):format(tasks.id))))
    assert.equal("NO", select(2, send("GET", "/task-group/list-paging?pageNo=1&pageSize=9")).totalList[1].status)
    assert.equal(0, (send("POST", "/alert-groups", "groupName=ops&alertInstanceIds=1")))
    assert.equal(10012, (send("POST", "/alert-groups", "groupName=ops&alertInstanceIds=1")))
    assert.equal("ops", select(2, send("POST", "/alert-groups/query", "id=2")).groupName)
  end)

  it("has tokens that log in", function()
    local send = sender()
    assert.equal(401, (send("GET", "/tenants/list", "", "mine")))
    assert.equal(0, (send("POST", "/access-tokens", "userId=1&expireTime=2099-01-01+00:00:00&token=mine")))
    assert.equal(0, (send("GET", "/tenants/list", "", "mine")))
    local _, made = send("POST", "/access-tokens", "userId=1&expireTime=2099-01-01+00:00:00")
    assert.equal(32, #made.token)
    assert.equal(2, #select(2, send("GET", "/access-tokens/user/1")))
    assert.equal(0, (send("DELETE", ("/access-tokens/%d"):format(made.id))))
  end)

  for version, line in pairs {
    ["3.1.1"] = { noun = "process", again = 10126, second = 0, unknown = 10022 },
    ["3.2.2"] = { noun = "process", again = 0, second = 10204, unknown = 0 },
    ["3.4.1"] = { noun = "workflow", again = 0, second = 10204, unknown = 0 },
  } do
    it("has schedules as " .. version .. " has them", function()
      local send, box = sender(version)
      local project = box:projects()[1]
      local path = "/projects/" .. project.code .. "/schedules"
      local form = ("%sDefinitionCode=%s&%s"):format(line.noun, project.workflows[1].code, SCHEDULE)
      local _, row = send("POST", path, form)
      assert.same({ "OFFLINE", "0 0 3 * * ? *", "2099-01-01 00:00:00" }, { row.releaseState, row.crontab, row.endTime })
      assert.equal(line.second, (send("POST", path, form)))
      assert.equal("good-1", select(2, send("POST", path .. "/list"))[1][line.noun .. "DefinitionName"])
      assert.equal(0, (send("POST", path .. "/1/online")))
      assert.equal(line.again, (send("POST", path .. "/1/online")))
      assert.equal(line.unknown, (send("POST", path .. "/999999/online")))
      assert.equal(50023, (send("DELETE", path .. "/1")))
      assert.equal(0, (send("POST", path .. "/1/offline")))
      assert.equal(0, (send("PUT", path .. "/1", (SCHEDULE:gsub("0 0 3", "0 0 4")))))
      local list = ("?pageNo=1&pageSize=9&%sDefinitionCode=%s"):format(line.noun, project.workflows[1].code)
      local _, page = send("GET", path .. list)
      assert.equal("0 0 4 * * ? *", page.totalList[page.total].crontab)
      assert.equal(0, (send("DELETE", path .. "/1")))
      assert.equal(5, #select(2, send("POST", path .. "/preview", SCHEDULE)))
      assert.equal(10140, (send("POST", path .. "/preview", 'schedule={"crontab":"nope"}')))
    end)
  end

  it("writes what was done into the ledger", function()
    local send, box = sender()
    send("POST", "/tenants", "tenantCode=a&queueId=1")
    send("GET", "/tenants/list")
    local entries = box:ledger()
    assert.same({ "tenants.create", "admin" }, { entries[#entries].operation, entries[#entries].user })
  end)
end)

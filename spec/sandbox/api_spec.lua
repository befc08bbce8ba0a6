--- What the sandbox answers, without a client between. That answers have the
-- keys of recorded ones is in recordings_spec.lua.

local cjson = require "cjson"
local sandbox = require "dsclient.sandbox"

local TOKEN = "0123456789abcdef0123456789abcdef"

local function box_of(options)
  return sandbox.new(options)
end

local function ask(box, method, path, body, headers)
  local served = box.site:serve {
    method = method,
    path = path:sub(1, 2) == "//" and path:sub(2) or "/dolphinscheduler" .. path,
    headers = headers or { token = TOKEN, ["content-type"] = "application/x-www-form-urlencoded" },
    body = body or "",
  }
  local answer = served.answer
  local json = answer.body:find "^{" and cjson.decode(answer.body)
  return json, answer
end

local function code_of(...)
  return ask(...).code
end

local function first(box)
  local project = box:projects()[1]
  return project.code, project.workflows[1].code
end

describe("the sandbox's API", function()
  it("wants a token, also for paths that it does not have", function()
    local box = box_of {}
    for _, headers in ipairs { {}, { token = "wrong" }, { token = "" } } do
      for _, path in ipairs { "/projects?pageNo=1&pageSize=1", "/no/such/path" } do
        local _, answer = ask(box, "GET", path, nil, headers)
        assert.equal(401, answer.status)
        assert.equal("", answer.body)
        assert.equal("0", answer.headers["content-length"])
      end
    end
  end)

  it("answers unknown paths as the server does, with and without UI files", function()
    local box = box_of {}
    for _, method in ipairs { "GET", "POST", "PUT", "DELETE" } do
      local json, answer = ask(box, method, "/no/such/path")
      assert.same({ 404, "404", "/dolphinscheduler/no/such/path" }, { answer.status, json.status, json.url })
    end
    local ui = box_of { ui = true }
    for _, method in ipairs { "GET", "PUT", "DELETE" } do
      local _, answer = ask(ui, method, "/no/such/path")
      assert.same({ 200, "text/html" }, { answer.status, answer.headers["content-type"] })
    end
    assert.equal("405", ask(ui, "POST", "/no/such/path").status)
    assert.equal("/projects", ask(box, "GET", "//projects").url)
    local _, wrong_method = ask(box, "DELETE", "/projects", nil, {})
    assert.equal(405, wrong_method.status)
  end)

  it("has the paths of one dialect only", function()
    local dialects = { ["3.0.6"] = "process", ["3.2.0"] = "process", ["3.3.2"] = "workflow", ["3.4.1"] = "workflow" }
    for version, here in pairs(dialects) do
      local box = box_of { server_version = version }
      local project = first(box)
      local there = here == "process" and "workflow" or "process"
      assert.equal(0, code_of(box, "GET", "/projects/" .. project .. "/" .. here .. "-definition/simple-list"))
      local _, answer = ask(box, "GET", "/projects/" .. project .. "/" .. there .. "-definition/simple-list")
      assert.equal(404, answer.status)
    end
  end)

  it("pages: past the end is empty, no and odd numbers are refused, 3.2.1 has no totalPage", function()
    local box = box_of {}
    local data = ask(box, "GET", "/projects?pageNo=9&pageSize=2").data
    assert.same({ 0, 3, 2, 9, 16 }, { #data.totalList, data.total, data.totalPage, data.currentPage, data.start })
    assert.equal(10001, code_of(box, "GET", "/projects?pageNo=1&pageSize=0"))
    assert.equal(10001, code_of(box, "GET", "/projects?pageNo=-1&pageSize=1"))
    assert.equal(10049, code_of(box, "GET", "/projects"))
    assert.equal(10049, code_of(box, "GET", "/projects?pageNo=1&pageSize=abc"))
    assert.equal(10049, code_of(box, "GET", "/projects?pageNo=1&pageSize=2147483648"))
    local gap = ask(box_of { server_version = "3.2.1" }, "GET", "/projects?pageNo=1&pageSize=2").data
    assert.equal(cjson.null, gap.totalPage)
    assert.equal(1, ask(box_of { projects = 0 }, "GET", "/projects?pageNo=1&pageSize=2").data.totalPage)
  end)

  it("filters runs by state, workflow, name and start, in the zone of the token's user", function()
    local box = box_of { user_timezone = "Asia/Shanghai", user_offset_s = 8 * 3600 }
    local project, workflow = first(box)
    local function total(more)
      local json = ask(box, "GET", "/projects/" .. project .. "/process-instances?pageNo=1&pageSize=50&" .. more)
      return json.code == 0 and json.data.total or json.code
    end
    assert.equal(10, total "")
    assert.equal(4, total "stateType=FAILURE")
    assert.equal(10, total "stateType=")
    assert.equal(1, total("processDefineCode=" .. workflow))
    assert.equal(10, total("workflowDefinitionCode=" .. workflow))
    assert.equal(2, total "searchVal=FLAKY")
    assert.equal(2, total "searchVal=f_aky")
    assert.equal(0, total "searchVal=%25")
    -- they began at 22:50 UTC, which is 06:50 of the next day there
    assert.equal(0, total "endDate=2026-01-01%2006:49:59")
    assert.equal(10, total "startDate=2026-01-01%2006:50:00")
    assert.equal(10, total "startDate=2026-01-01+06:50:00&endDate=2026-01-01+06:50:00")
    assert.equal(0, total "startDate=2026-01-01%2006:50:01")
    assert.equal(10113, total "stateType=FAILED")
    assert.equal(10001, total "startDate=2026/01/01")
    assert.equal(0, total "executorName=nobody")
  end)

  it("prints times in the zone of the server", function()
    local box = box_of { server_offset_s = 8 * 3600 }
    local rows = ask(box, "GET", "/projects/" .. first(box) .. "/process-instances?pageNo=1&pageSize=1").data.totalList
    assert.equal("2026-01-01 06:50:00", rows[1].startTime)
  end)

  it("refuses what users have no right to", function()
    local box = box_of { users = { { name = "guest", token = "guest-token", projects = { "demo-2" } } } }
    local headers = { token = "guest-token", ["content-type"] = "application/x-www-form-urlencoded" }
    local list = ask(box, "GET", "/projects?pageNo=1&pageSize=9", nil, headers).data.totalList
    assert.same({ 1, "demo-2" }, { #list, list[1].name })
    local refused = ask(box, "POST", "/projects/" .. first(box) .. "/executors/execute",
      "processInstanceId=2&executeType=START_FAILURE_TASK_PROCESS", headers)
    assert.equal(30002, refused.code)
    assert.truthy(refused.msg:find("user guest is not has project 23,804", 1, true))
    assert.same({}, box:ledger())
  end)

  it("knows what is not there, and says which", function()
    for version, noun in pairs { ["3.1.1"] = "process", ["3.3.1"] = "workflow" } do
      local box = box_of { server_version = version }
      local project = first(box)
      assert.equal(10018, code_of(box, "GET", "/projects/123456789012345"))
      assert.equal(10190, code_of(box, "GET", "/projects/123456789012345/" .. noun .. "-instances?pageNo=1&pageSize=1"))
      local run = ask(box, "GET", "/projects/" .. project .. "/" .. noun .. "-instances/999999999")
      assert.same({ 50001, noun .. " instance 999,999,999 does not exist" }, { run.code, run.msg })
      assert.equal(50003, code_of(box, "GET", "/projects/" .. project .. "/" .. noun .. "-definition/123456789012345"))
      assert.equal(10116, code_of(box, "GET", "/projects/" .. project .. "/" .. noun .. "-instances/99999999999"))
    end
  end)

  it("creates, releases, starts and deletes, each written down once", function()
    for version, noun in pairs { ["3.1.1"] = "process", ["3.2.2"] = "process", ["3.3.1"] = "workflow" } do
      local box = box_of { server_version = version, projects = 0 }
      local created, answer = ask(box, "POST", "/projects", "projectName=new+one&description=%E4%B8%AD")
      assert.equal(201, answer.status)
      assert.equal("\228\184\173", created.data.description)
      local again, refused = ask(box, "POST", "/projects", "projectName=new+one")
      assert.same({ 201, 10019 }, { refused.status, again.code })
      local project = ("%.0f"):format(created.data.code)
      local definitions = "/projects/" .. project .. "/" .. noun .. "-definition"
      local body = "name=flaky+thing&taskRelationJson=%5B%5D&taskDefinitionJson="
        .. "%5B%7B%22code%22:7,%22name%22:%22a%22%7D%5D"
      local definition = ask(box, "POST", definitions, body)
      assert.equal(0, definition.code)
      assert.equal(10168, code_of(box, "POST", definitions, body))
      assert.equal(50017, code_of(box, "POST", definitions, "name=x&taskRelationJson=%5B%5D&taskDefinitionJson=nope"))
      assert.equal(10105, code_of(box, "POST", definitions, "name=x"))
      local code = ("%.0f"):format(definition.data.code)
      local start = "/projects/" .. project .. "/executors/start-" .. noun .. "-instance"
      local form = noun .. "DefinitionCode=" .. code .. "&scheduleTime=&failureStrategy=CONTINUE&warningType=NONE"
      -- 3.3 starts an offline one, too
      assert.equal(version == "3.3.1" and 0 or 50004, code_of(box, "POST", start, form))
      assert.equal(0, code_of(box, "POST", definitions .. "/" .. code .. "/release", "releaseState=ONLINE"))
      assert.equal(10108, code_of(box, "POST", definitions .. "/" .. code .. "/release", "releaseState=UP"))
      assert.equal(50021, code_of(box, "DELETE", definitions .. "/" .. code))
      local started = ask(box, "POST", start, form)
      assert.equal(({ ["3.1.1"] = "userdata", ["3.2.2"] = "number", ["3.3.1"] = "table" })[version], type(started.data))
      assert.equal(50014, code_of(box, "POST", start, noun .. "DefinitionCode=" .. code))
      box:sleep(30)
      local runs = box:runs()
      assert.equal("flaky", runs[#runs].kind)
      assert.equal(10137, code_of(box, "DELETE", "/projects/" .. project))
      ask(box, "POST", definitions .. "/" .. code .. "/release", "releaseState=OFFLINE")
      assert.equal(0, code_of(box, "DELETE", definitions .. "/" .. code))
      assert.equal(0, code_of(box, "DELETE", "/projects/" .. project))
      local done = {}
      for _, entry in ipairs(box:ledger()) do
        done[entry.operation] = (done[entry.operation] or 0) + 1
        assert.equal("admin", entry.user)
      end
      assert.same({
        ["projects.create"] = 1,
        ["workflows.create"] = 1,
        ["workflows.release"] = 2,
        ["workflows.start"] = version == "3.3.1" and 2 or 1,
        ["workflows.delete"] = 1,
        ["projects.delete"] = 1,
      }, done)
    end
  end)

  it("gives a log in parts: the last is an empty message that counts a line", function()
    local box = box_of {}
    local function part(skip, limit)
      return ask(box, "GET", ("/log/detail?taskInstanceId=1&skipLineNum=%d&limit=%d"):format(skip, limit)).data
    end
    local whole = part(0, 1000)
    local skip, text = 0, ""
    repeat
      local piece = part(skip, 7)
      skip, text = skip + piece.lineNum, text .. piece.message
    until piece.message == ""
    assert.equal(whole.message, text)
    assert.equal(1, part(1000, 5).lineNum)
    assert.equal(10008, code_of(box, "GET", "/log/detail?taskInstanceId=999&skipLineNum=0&limit=1"))
    assert.equal(10103, code_of(box, "GET", "/log/detail?taskInstanceId=1"))
  end)

  it("limits traffic: cold requests must lie 0.28 s apart, unknown paths are always refused", function()
    local box = box_of { traffic_limit = true }
    local function status(path)
      return select(2, ask(box, "GET", path)).status
    end
    local known = "/projects?pageNo=1&pageSize=1"
    assert.equal(429, status "/no/such/path")
    assert.equal(200, status(known))
    assert.equal(429, status(known))
    for _ = 1, 20 do
      box:sleep(0.3)
      assert.equal(200, status(known))
    end
    local _, answer = ask(box, "GET", known)
    assert.same({ 429, "", "0" }, { answer.status, answer.body, answer.headers["content-length"] })
    assert.is_nil(answer.headers["retry-after"])
  end)

  it("acts on runs in the states of its line and writes down what was done", function()
    local box = box_of {}
    local path = "/projects/" .. first(box) .. "/executors/execute"
    local function execute(form)
      local json = ask(box, "POST", path, form)
      return json.code, json.msg
    end
    assert.equal(50015, (execute ""))
    assert.equal(50015, (execute "processInstanceId=1&executeType=NOPE"))
    assert.equal(50001, (execute "processInstanceId=99&executeType=STOP"))
    local code, msg = execute "processInstanceId=1&executeType=START_FAILURE_TASK_PROCESS"
    assert.equal(50006, code)
    assert.truthy(msg:find("is WorkflowExecutionStatus{code=7, desc='success'},Cannot perform", 1, true))
    assert.equal(0, (execute "processInstanceId=2&executeType=START_FAILURE_TASK_PROCESS"))
    local ledger = box:ledger()
    assert.same({ 1, "instances.execute", 2, "admin" },
      { #ledger, ledger[1].operation, ledger[1].instance_id, ledger[1].user })
  end)

  it("gives the log of a task as a file, too: once it held the name of the path", function()
    for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
      local box = box_of { server_version = version }
      box:sleep(60)
      local part = ask(box, "GET", "/log/detail?taskInstanceId=1&skipLineNum=0&limit=1000").data.message
      for _, path in ipairs { "/log/download-log", "/log/" .. first(box) .. "/download-log" } do
        local _, answer = ask(box, "GET", path .. "?taskInstanceId=1")
        assert.equal(part, answer.body)
        assert.equal(10000, code_of(box, "GET", path .. "?taskInstanceId=99999"))
      end
    end
  end)

  it("says in a log what became of a task when it has ended, not before", function()
    local box = box_of { kinds = { "hanging", "good" } }
    box:sleep(60)
    local function log(id)
      return ask(box, "GET", "/log/detail?skipLineNum=0&limit=1000&taskInstanceId=" .. id).data.message
    end
    assert.is_nil(log(1):find "current task status")
    assert.truthy(log(2):find "current task status: SUCCESS")
  end)

  it("counts runs by their states: of a time, of a project, of those that the user may see, and none twice", function()
    for version, names in pairs { ["3.1.1"] = { "process", "taskCountDtos", "taskStateType" },
      ["3.2.2"] = { "process", "workflowInstanceStatusCounts", "state" },
      ["3.4.1"] = { "workflow", "workflowInstanceStatusCounts", "state" } } do
      local box = box_of { server_version = version, projects = 2, workflows = 3, kinds = { "good", "broken", "good" },
        runs = 2, users = { { name = "guest", token = "guest", projects = { "demo-2" } } } }
      local function counts(query, token)
        local path = "/projects/analysis/" .. names[1] .. "-state-count?" .. query
        local answer, of = ask(box, "GET", path, nil, { token = token }), {}
        if answer.code ~= 0 then
          return answer.code
        end
        for _, one in ipairs(answer.data[names[2]]) do
          of[one[names[3]]] = one.count
        end
        return { of.SUCCESS, of.FAILURE, of.PAUSE, answer.data.totalCount }
      end
      assert.same({ 8, 4, 0, 12 }, counts("", TOKEN))
      assert.same({ 4, 2, 0, 6 }, counts("projectCode=" .. first(box), TOKEN))
      assert.same({ 4, 2, 0, 6 }, counts("projectCode=0", "guest"))
      assert.equal(30002, counts("projectCode=" .. first(box), "guest"))
      local from = os.date("!%Y-%m-%d+%H:%M:%S", box:now() - 5400)
      assert.same({ 4, 2, 0, 6 }, counts("startDate=" .. from, TOKEN))
      assert.same({ 4, 2, 0, 6 }, counts("endDate=" .. from, TOKEN))
      box:remove_run { id = 1 }
      assert.same({ 7, 4, 0, 11 }, counts("projectCode=0", TOKEN))
    end
  end)

  it("knows the runs of a trigger code from others", function()
    local box = box_of { server_version = "3.2.2" }
    local project, workflow = first(box)
    local form = "processDefinitionCode=" .. workflow .. "&scheduleTime=&failureStrategy=CONTINUE&warningType=NONE"
    local code = ask(box, "POST", "/projects/" .. project .. "/executors/start-process-instance", form).data
    box:sleep(5)
    local path = ("/projects/%s/process-instances/trigger?triggerCode=%%.0f"):format(project)
    assert.equal(1, #ask(box, "GET", path:format(code)).data)
    assert.equal(0, #ask(box, "GET", path:format(code + 1)).data)
  end)

  it("remembers how a run was started: a backfill has its date, its command and its parameters", function()
    for _, version in ipairs { "3.1.1", "3.4.1" } do
      local box = box_of { server_version = version, runs = 0 }
      local noun = version == "3.1.1" and "process" or "workflow"
      local project, workflow = first(box)
      local form = noun .. "DefinitionCode=" .. workflow .. "&failureStrategy=CONTINUE&warningType=NONE&dryRun=1"
        .. "&execType=COMPLEMENT_DATA&startParams={\"a\":\"b\"}"
        .. "&scheduleTime={\"complementScheduleDateList\":\"2026-01-01 00:00:00,2026-01-02 00:00:00\"}"
      assert.equal(0, code_of(box, "POST", "/projects/" .. project .. "/executors/start-" .. noun .. "-instance", form))
      box:sleep(5)
      local run = ask(box, "GET", "/projects/" .. project .. "/" .. noun .. "-instances/2").data
      assert.same({ "2026-01-02 00:00:00", "COMPLEMENT_DATA", 1 }, { run.scheduleTime, run.commandType, run.dryRun })
      assert.equal('{"a":"b"}', cjson.decode(run.commandParam).StartParams)
    end
  end)
end)

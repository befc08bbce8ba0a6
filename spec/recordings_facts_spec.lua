--- What recorded answers of real servers teach a client, each
-- fact with the answers that show it. That no answer at all is misread is in
-- recordings_spec.lua.

local recordings = require "support.recordings"

local SERVERS = recordings.SERVERS
local ask, find = recordings.ask, recordings.find

--- The error that a recorded request ends in, with its answer or with that of
-- another.
local function refusal(server, name, answer_to)
  local value, err = ask(server, name, { find(server, answer_to or name).response })
  assert.is_nil(value)
  return err
end

--- A fact that each server shows.
-- @tparam function check (server, is it of the older dialect?)
local function fact(text, check)
  for _, server in ipairs(SERVERS) do
    it(text .. " (" .. server.name .. ")", function()
      check(server, server.dialect == "process")
    end)
  end
end

describe("real servers teach that", function()
  fact("a refusal can come with 201, which is no success: a name that is taken", function(server)
    local project = refusal(server, "project-create-duplicate")
    assert.same({ "api", 201, 10019 }, { project.kind, project.status, project.code })
    local definition = refusal(server, "definition-create-duplicate")
    assert.same({ "api", 200, 10168 }, { definition.kind, definition.status, definition.code })
    local tenant = refusal(server, "tenant-create-duplicate")
    assert.same({ "api", 200, 10009 }, { tenant.kind, tenant.status, tenant.code })
  end)

  fact("an unknown path can be a JSON 404: JSON does not mean that it is there", function(server)
    local response = find(server, "unknown-path-get").response
    assert.equal("application/json", response.headers["content-type"])
    for _, name in ipairs { "projects-search", "instances-all", "execute-pause-running", "definition-delete" } do
      local err = refusal(server, name, "unknown-path-get")
      assert.same({ "not_api", 404 }, { err.kind, err.status })
    end
  end)

  fact("a page in place of an answer is no success, not even of a DELETE", function(server)
    local page = find(server, "ui-unknown-path-delete").response
    assert.same({ 200, "text/html" }, { page.status, page.headers["content-type"] })
    for name in ("project-delete definition-delete execute-pause-running start-ok instances-all"):gmatch "%S+" do
      assert.equal("not_api", refusal(server, name, "ui-unknown-path-delete").kind)
    end
    assert.equal("not_api", refusal(server, "start-ok", "ui-unknown-path-post").kind)
  end)

  fact("who does not ask for JSON may get XML, so it is asked for, and XML is no answer", function(server)
    local err = refusal(server, "projects-search", "accept-xml")
    assert.equal(server.name == "3.1.1" and "http" or "not_api", err.kind)
    local _, _, player = ask(server, "projects-search")
    assert.truthy(table.concat(player.requests[1].headers, "\n"):lower():find("accept: application/json", 1, true))
  end)

  fact("a bad token is a 401 without a word, with and without a length", function(server)
    local bare = { status = 401, headers = {}, body = "" }
    for _, response in ipairs { find(server, "bad-token").response, find(server, "bad-token-post").response, bare } do
      local _, err = ask(server, "projects-search", { response })
      assert.same({ "auth", 401 }, { err.kind, err.status })
    end
    -- behind the limiter a wrong token may see a 429
    assert.equal("throttled", refusal(server, "projects-search", "limiter-bad-token-second").kind)
  end)

  fact("a 429 gives no hint, and was not executed: a create is sent again", function(server)
    local options = { max_retries = 1, backoff_s = 1, jitter = "none" }
    local responses = recordings.responses(server, { "limiter-third-post", "project-create" })
    assert.is_nil(responses[1].headers["retry-after"])
    local project, err, player = ask(server, "project-create", responses, options)
    assert.is_nil(err)
    assert.equal("rec-project", project.name)
    assert.same({ 1 }, player.slept)
    project, err = ask(server, "project-create", { responses[1] })
    assert.is_nil(project)
    assert.same({ "throttled", 429 }, { err.kind, err.status })
    assert.is_nil(err.retry_after_s)
  end)

  fact("the state beside the tasks of a run is Java's toString() up to 3.2", function(server, old)
    local data = recordings.data(find(server, "instance-tasks").response)
    assert.equal(old and "WorkflowExecutionStatus{code=7, desc='success'}" or "SUCCESS",
      data[old and "processInstanceState" or "workflowInstanceState"])
    assert.equal("SUCCESS", ask(server, "instance-tasks").workflowInstanceState)
    assert.equal("FAILURE", ask(server, "instance-tasks-failed").workflowInstanceState)
    assert.equal("RUNNING_EXECUTION", ask(server, "instance-running-tasks").workflowInstanceState)
  end)

  fact("a state says whether a run or a task has failed, and times are in UTC", function(server)
    local run = ask(server, "instances-failure")[1]
    assert.same({ "FAILURE", true, true, false }, { run.state, run.failed, run.finished, run.running })
    assert.equal(run.endTime, os.date("!%Y-%m-%d %H:%M:%S", run.ended_at))
    local under_way = ask(server, "instances-running")[1]
    assert.same({ false, false, true }, { under_way.failed, under_way.finished, under_way.running })
    assert.is_nil(under_way.ended_at)
    local task = ask(server, "instance-tasks-failed").taskList[1]
    assert.same({ "FAILURE", true }, { task.state, task.failed })
    assert.equal(task.startTime, os.date("!%Y-%m-%d %H:%M:%S", task.started_at))
    assert.is_true(ask(server, "task-instances-of-failed")[1].failed)
  end)

  fact("a schedule has its workflow's name under the newest name, a task instance under the oldest", function(server)
    local schedule = ask(server, "schedules-page")[1]
    assert.is_string(schedule.workflowDefinitionName)
    assert.is_nil(schedule.processDefinitionName)
    for _, task in ipairs(ask(server, "task-instances-of-failed")) do
      assert.is_nil(task.workflowDefinitionName)
    end
  end)

  fact("a log's next part begins at skip + lineNum, and an empty one is its end", function(server)
    local skip, number, text = 0, 0, {}
    repeat
      local exchange = find(server, "log-big-page" .. number)
      assert.equal(exchange.request.fields.skipLineNum, ("%d"):format(skip))
      local part = assert(ask(server, exchange.name))
      skip, number = skip + part.lineNum, number + 1
      text[#text + 1] = part.message
    until part.message == ""
    assert.equal(6, number)
    local whole, at = table.concat(text), 1
    for line = 1, 2999 do
      at = assert(whole:find("\tline " .. line .. " of a long log", at, true), line)
    end
  end)

  it("a start answers nothing (3.1), a trigger code (3.2) or the ids of runs (3.3)", function()
    assert.same({}, (ask(SERVERS[1], "start-ok")))
    assert.same({ trigger_code = "190434920557504" }, (ask(SERVERS[2], "start-ok")))
    assert.same({ instance_ids = { 33 } }, (ask(SERVERS[3], "start-ok")))
  end)

  fact("no environment is the code -1, no task before the code 0: strings, too", function(server)
    local dag = assert(ask(server, "definition-one"))
    assert.equal("0", dag.workflowTaskRelationList[1].preTaskCode)
    assert.equal(dag.taskDefinitionList[1].code, dag.workflowTaskRelationList[1].postTaskCode)
    assert.equal("-1", dag.taskDefinitionList[1].environmentCode)
    assert.equal("-1", ask(server, "task-instances-of-failed")[1].environmentCode)
    for _, code in ipairs(ask(server, "gen-task-codes-3")) do
      assert.truthy(code:find "^%d+$")
    end
  end)

  fact("a log file is called JSON when JSON is asked for, and is none", function(server)
    local exchange = find(server, "log-download")
    assert.equal("application/json", exchange.response.headers["content-type"])
    assert.truthy(exchange.response.headers["content-disposition"])
    local _, err = recordings.player(server):send(exchange)
    assert.equal("not_api", err.kind)
    _, err = recordings.player(server):send(find(server, "log-download-unknown"))
    assert.same({ "api", 10000 }, { err.kind, err.code })
  end)

  fact("words have grouped numbers and holes: they are shown as they are", function(server, old)
    assert.equal((old and "process" or "workflow") .. " instance 999,999,999 does not exist",
      refusal(server, "instance-unknown").message)
    local _, err = recordings.player(server):send(find(server, "instances-bad-date"))
    assert.equal(server.name == "3.1.1" and "request parameter {0} is not valid"
      or "request parameter startDate,endDate is not valid", err.message)
  end)

  it("words can hold SQL and a stack trace: one line of them is shown", function()
    local _, err = recordings.player(SERVERS[3]):send(find(SERVERS[3], "instance-trigger-unknown"))
    assert.equal("query workflow instance list paging error: ### Error querying database.", err.message:sub(1, 71))
    assert.is_nil(err.message:find "%c")
    assert.is_true(#err.message < 256)
  end)

  fact("an unknown project is 10018 by itself and 10190 below, an unknown run 50001", function(server)
    local codes = { ["project-unknown"] = 10018, ["project-unknown-instances"] = 10190,
      ["project-unknown-simple-list"] = 10190, ["instance-unknown"] = 50001, ["instance-tasks-unknown"] = 50001 }
    for name, code in pairs(codes) do
      assert.equal(code, refusal(server, name).code)
    end
  end)

  it("10000 of an execute or a start is a refusal where its words say so", function()
    local server, count = SERVERS[3], 0
    for _, exchange in ipairs(recordings.of(server)) do
      local row = recordings.row(exchange)
      local _, code = recordings.verdict(exchange.response)
      if row and row.replay == "once" and code == 10000 then
        assert.equal("api", refusal(server, exchange.name).kind)
        count = count + 1
      end
    end
    assert.equal(18, count)
    local response = find(server, "execute-repeat-on-running").response
    local hidden = recordings.changed(response, "status is [^\"]*", "connection reset")
    local _, err = ask(server, "execute-repeat-on-running", { hidden })
    assert.same({ "outcome_unknown", 10000 }, { err.kind, err.code })
  end)

  it("an answer without a code is none of the API's: health, metrics, 3.2.2's worker groups", function()
    for server, name in pairs { [SERVERS[1]] = "actuator-info", [SERVERS[2]] = "project-worker-group",
      [SERVERS[3]] = "actuator-health" } do
      local _, err = recordings.player(server):send(find(server, name))
      assert.same({ "not_api", 200 }, { err.kind, err.status })
    end
  end)

  fact("success can come without data, an empty name and any character of Unicode", function(server)
    assert.equal("", ask(server, "project-create-empty-name").name)
    assert.equal("Prüfung-测试-😀", ask(server, "project-create-utf8").name)
    assert.equal(true, ask(server, "definition-release-online-again"))
    if server.name == "3.1.1" then
      assert.equal(true, recordings.player(server):send(find(server, "v2-projects")))
    end
  end)
end)

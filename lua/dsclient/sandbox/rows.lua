--- Rows of answers: what the world knows, in the keys of the server line.

local core = require "dsclient.core"
local lines = require "dsclient.sandbox.lines"
local shapes = require "dsclient.sandbox.shapes"
local world_of = require "dsclient.sandbox.world"

local format = string.format

local NULL = core.null

local _M = {}

local function date(world, at)
  return world_of.date(at, world.server_offset_s) or NULL
end

--- "1s", "2m 3s" …, as DateUtils.format2Duration prints it.
local function duration(from, to)
  if not from or not to then
    return NULL
  end
  local seconds = math.max(1, math.ceil(to - from))
  local parts = {}
  for _, unit in ipairs { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } } do
    local count = math.floor(seconds / unit[1])
    seconds = seconds - count * unit[1]
    if count > 0 then
      parts[#parts + 1] = format("%d%s", count, unit[2])
    end
  end
  return table.concat(parts, " ")
end

--- @param user_name "admin" unless given: a single project has none
function _M.project(world, project, user_name)
  return shapes.row(world.line_name, "project", {
    id = project.id,
    userName = user_name or "admin",
    code = project.code,
    name = project.name,
    description = project.description,
    createTime = date(world, project.created_at),
    updateTime = date(world, project.created_at),
    defCount = #project.definitions,
  })
end

function _M.user(world, user)
  return shapes.row(world.line_name, "user", {
    id = user.id,
    userName = user.name,
    userType = user.admin and "ADMIN_USER" or "GENERAL_USER",
    timeZone = user.time_zone,
    createTime = date(world, 0),
    updateTime = date(world, 0),
  })
end

--- @tparam table live keys that this answer fills differently
function _M.definition(world, definition, live)
  local row = {
    id = definition.id,
    code = definition.code,
    name = definition.name,
    version = definition.version,
    releaseState = definition.release_state,
    projectCode = definition.project.code,
    description = definition.description,
    globalParams = definition.global_params,
    locations = definition.locations,
    createTime = date(world, definition.created_at),
    updateTime = date(world, definition.created_at),
  }
  for key, value in pairs(live or {}) do
    row[key] = value
  end
  return shapes.row(world.line_name, "definition", row)
end

local function relations(world, definition, created)
  local list, before = core.array {}, "0"
  for i, task in ipairs(definition.tasks) do
    list[i] = shapes.row(world.line_name, "relation", {
      id = i,
      projectCode = definition.project.code,
      workflowDefinitionCode = definition.code,
      preTaskCode = before,
      preTaskVersion = before == "0" and 0 or 1,
      postTaskCode = task.code,
      createTime = created,
      updateTime = created,
      operateTime = created,
    })
    before = task.code
  end
  return list
end

--- A definition with its tasks and how they follow each other.
function _M.dag(world, definition)
  local created = date(world, definition.created_at)
  local tasks = core.array {}
  for i, task in ipairs(definition.tasks) do
    tasks[i] = shapes.row(world.line_name, "task_definition", {
      id = i,
      code = task.code,
      name = task.name,
      projectCode = definition.project.code,
      taskParams = { localParams = core.array {}, resourceList = core.array {}, rawScript = task.script },
      createTime = created,
      updateTime = created,
      operateTime = created,
    })
  end
  return {
    [shapes.name(world.line_name, "workflowDefinition")] = _M.definition(world, definition, { tenantCode = "default" }),
    [shapes.name(world.line_name, "workflowTaskRelationList")] = relations(world, definition, created),
    taskDefinitionList = tasks,
  }
end

local function state_history(world, run)
  local list = core.array {}
  for i, change in ipairs(run.history) do
    list[i] = { time = date(world, change.time), state = change.state, desc = change.desc }
  end
  return core.encode(list)
end

-- What rows tell on 3.2 and later; 3.1 tells it of a single run only.
local DETAILS = {
  commandParam = "{}",
  taskDependType = "TASK_POST",
  failureStrategy = "CONTINUE",
  warningType = "NONE",
  warningGroupId = 0,
  isSubWorkflow = "NO",
  workflowInstancePriority = "MEDIUM",
  workerGroup = "default",
  environmentCode = "-1",
  varPool = "[]",
}

--- A run; a single one comes with its definition, a listed one with names.
function _M.run(world, run, single)
  -- told by the history of commands, which lists of 3.1 don't read
  local backfill = run.commands[1] == "COMPLEMENT_DATA" and (single or world.line_name ~= "3.1")
  local row = {
    id = run.id,
    workflowDefinitionCode = run.definition.code,
    workflowDefinitionVersion = run.definition_version,
    projectCode = run.project.code,
    state = run.state,
    stateHistory = state_history(world, run),
    startTime = date(world, run.started_at),
    endTime = date(world, run.ended_at),
    restartTime = date(world, run.restarted_at),
    runTimes = run.run_times,
    name = run.name,
    commandType = run.command_type,
    cmdTypeIfComplement = backfill and "COMPLEMENT_DATA" or run.command_type,
    complementData = backfill,
    isSubWorkflow = run.is_sub and "YES" or nil,
    dryRun = run.dry_run,
  }
  if single or world.line_name ~= "3.1" then
    row.commandParam, row.scheduleTime = run.command_param, run.schedule_date
    for key, value in pairs(DETAILS) do
      row[key] = row[key] or value
    end
    row.historyCmd = table.concat(run.commands, ",")
    row.commandStartTime = world.line_name ~= "3.3" and row.startTime or nil
    row.tenantCode = world.line_name ~= "3.1" and "default" or nil
  end
  row.globalParams = world.line_name == "3.3" and "[]" or nil
  if single then
    row.dagData = _M.dag(world, run.definition)
    row.locations = run.definition.locations
  else
    row.executorName = "admin"
    row.duration = duration(run.restarted_at, run.ended_at)
  end
  return shapes.row(world.line_name, "instance", row)
end

--- A task instance; a listed one comes with names.
function _M.task(world, task, listed)
  local run, old = task.run, world.line_name ~= "3.3"
  local day = os.date("!%Y%m%d", math.floor(task.started_at))
  local row = {
    id = task.id,
    name = task.name,
    workflowInstanceId = run.id,
    projectCode = run.project.code,
    taskCode = task.code,
    state = task.state,
    flag = task.flag,
    firstSubmitTime = date(world, task.started_at),
    submitTime = date(world, task.started_at),
    startTime = date(world, task.started_at),
    endTime = date(world, task.ended_at),
    logPath = format("/opt/dolphinscheduler/logs/%s/%s_1-%d-%d.log", day, run.definition.code, run.id, task.id),
    taskParams = core.encode { localParams = core.array {}, resourceList = core.array {}, rawScript = task.script },
  }
  if old then
    row.executePath = format("/opt/dolphinscheduler/data/exec/process/root/%s/%s_1/%d/%d", run.project.code,
      run.definition.code, run.id, task.id)
  end
  if listed or world.line_name ~= "3.1" then
    row.workflowInstanceName = run.name
  end
  if listed or not old then
    row.executorName = "admin"
  end
  if listed then
    row.duration = duration(task.started_at, task.ended_at)
  end
  if listed and world.line_name == "3.1" then
    row.cpuQuota, row.memoryMax = NULL, NULL
  end
  return shapes.row(world.line_name, "task", row)
end

--- The state of a run and its valid task instances, the newest first.
function _M.tasks_of_run(world, run)
  local list = core.array {}
  for step = #run.valid, 1, -1 do
    local row = _M.task(world, run.valid[step], false)
    if world.line_name == "3.3" then
      row.taskInstanceDependentResult = NULL
    end
    list[#list + 1] = row
  end
  local key = shapes.name(world.line_name, "workflowInstanceState")
  return { [key] = world.line.noun == "process" and lines.java_state(run.state) or run.state, taskList = list }
end

local function log_lines(world, task)
  local at = os.date("!%Y-%m-%d %H:%M:%S.000", math.floor(task.started_at) + world.server_offset_s)
  local texts = { "Begin to pulling task", "Begin to initialize task", "raw script : " .. task.script }
  for i = 1, 20 do
    texts[#texts + 1] = format("\tline %d", i)
  end
  if task.state == "SUCCESS" or task.state == "FAILURE" then
    local code = task.state == "SUCCESS" and 0 or 1
    texts[#texts + 1] = format("process has exited. execute path:/tmp/exec/%d, processId:%d ,exitStatusCode:%d ,"
      .. "processWaitForStatus:true ,processExitValue:%d", task.id, task.id, code, code)
  end
  if task.ended_at then
    texts[#texts + 1] = "Send task execute result to master, the current task status: " .. task.state
  end
  for i, text in ipairs(texts) do
    texts[i] = at .. " [INFO] - " .. text .. "\r\n"
  end
  return texts
end

--- A part of a log: the head line shares the first element, and an empty page
-- still says that it has one line.
function _M.log(world, task, skip, limit)
  local texts, part = log_lines(world, task), {}
  for i = skip + 1, math.min(skip + limit, #texts) do
    part[#part + 1] = texts[i]
  end
  local message = table.concat(part)
  if skip == 0 then
    message = "[LOG-PATH]: /opt/dolphinscheduler/logs/task.log, [HOST]: 127.0.0.1:1234\n" .. message
  end
  return { lineNum = math.max(1, #part), message = message }
end

function _M.master(world)
  local now_ms = format('{"startupTime":%.0f,"reportTime":%.0f}', 0, world.clock * 1000)
  return shapes.row(world.line_name, "master", {
    createTime = date(world, world.clock - 86400),
    lastHeartbeatTime = date(world, world.clock),
    resInfo = now_ms,
    heartBeatInfo = now_ms,
  })
end

return _M

--- What a DolphinScheduler server answers to a request, without any network;
-- its paths are in routes.lua.

local asking = require "dsclient.sandbox.asking"
local catalogue = require "dsclient.sandbox.catalogue"
local core = require "dsclient.core"
local generic = require "dsclient.sandbox.generic"
local lines = require "dsclient.sandbox.lines"
local format_code = require("dsclient.types").format_code
local routes = require "dsclient.sandbox.routes"
local rows = require "dsclient.sandbox.rows"
local store = require "dsclient.sandbox.store"
local world_of = require "dsclient.sandbox.world"

local contains, grouped, page, refuse = asking.contains, asking.grouped, asking.page, asking.refuse
local format = string.format

local NULL = core.null

local _M = {}

local CONTEXT = "/dolphinscheduler"

local MAX_INT = 2147483647

-- --- answers -------------------------------------------------------------

local function json(status, value)
  return { status = status, headers = { ["content-type"] = "application/json" }, body = core.encode(value, true) }
end

local function envelope(status, code, msg, data)
  return json(status, { code = code, msg = msg, data = data, success = code == 0, failed = code ~= 0 })
end

local function plain(status, body, content_type)
  return { status = status, headers = { ["content-type"] = content_type }, body = body }
end

local function servlet_error(status, message, path)
  local body = '{\n"servlet":"dispatcherServlet",\n"message":"%s",\n"url":"%s",\n"status":"%d"\n}'
  return plain(status, format(body, message, path, status), "application/json")
end

local WHITELABEL = "<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for "
  .. "/error, so you are seeing this as a fallback.</p><div id='created'>null</div><div>There was an unexpected error "
  .. "(type=null, status=null).</div></body></html>"

local UI_PAGE = "<!DOCTYPE html><html><head><title>DolphinScheduler</title></head>"
  .. '<body><div id="app"></div></body></html>\n'

local function empty(status)
  return { status = status, headers = { ["content-length"] = "0" }, body = "" }
end

-- --- parameters ----------------------------------------------------------

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function read_form(text, fields)
  for name, value in (text or ""):gmatch "([^&=]+)=?([^&]*)" do
    name = unescape(name)
    if fields[name] == nil then
      fields[name] = unescape(value)
    end
  end
end

--- The parts of a multipart body: name → content.
local function read_parts(body, boundary, fields)
  local from = body:find("--" .. boundary, 1, true)
  while from do
    local head_end = body:find("\r\n\r\n", from, true)
    local to = head_end and body:find("\r\n--" .. boundary, head_end, true)
    if not to then
      return
    end
    local name = body:sub(from, head_end):match '[; ]name="([^"]*)"'
    fields[name or ""] = body:sub(head_end + 4, to - 1)
    from = to + 2
  end
end

--- A JSON body: its members are fields, a list is one that is called as the
-- endpoint's only parameter.
local function read_json_body(body, endpoint, fields)
  local value = core.decode(body)
  if type(value) ~= "table" then
    return
  elseif endpoint.body == "list" then
    fields[endpoint.params[1].name] = value
  else
    for name, member in pairs(value) do
      fields[name] = member
    end
  end
  fields[endpoint] = true -- it could be read
end

local function read_body(request, route, fields)
  local kind = request.headers["content-type"] or ""
  local boundary = kind:match 'boundary="?([^";]+)'
  if kind:find("x-www-form-urlencoded", 1, true) then
    read_form(request.body, fields)
  elseif boundary then
    read_parts(request.body, boundary, fields)
  elseif route.endpoint and route.endpoint.body and kind:find("application/json", 1, true) then
    read_json_body(request.body, route.endpoint, fields)
  end
end

local TASK_STATES = {
  SUBMITTED_SUCCESS = true, RUNNING_EXECUTION = true, PAUSE = true, STOP = true, FAILURE = true, SUCCESS = true,
  NEED_FAULT_TOLERANCE = true, KILL = true, DELAY_EXECUTION = true, FORCED_SUCCESS = true, DISPATCH = true,
}

local function one_of(names)
  return function(text)
    return names[text] and text
  end
end

local function integer(text)
  local number = text:find "^-?%d+$" and tonumber(text)
  return number and math.abs(number) <= MAX_INT and number or nil
end

-- By the names of Java, which texts of 3.3 tell.
local types = {
  int = integer,
  Integer = integer,
  long = function(text)
    return text:find "^%d+$" and text
  end,
  String = function(text)
    return text
  end,
  WorkflowExecutionStatus = one_of(lines.STATES),
  TaskExecutionStatus = one_of(TASK_STATES),
  ReleaseState = one_of { ONLINE = true, OFFLINE = true },
  ExecuteType = one_of { NONE = true, REPEAT_RUNNING = true, START_FAILURE_TASK_PROCESS = true,
    RECOVER_SUSPENDED_PROCESS = true, STOP = true, PAUSE = true },
  FailureStrategy = one_of { CONTINUE = true, END = true },
  WarningType = one_of { NONE = true, SUCCESS = true, FAILURE = true, ALL = true },
  TaskExecuteType = one_of { BATCH = true, STREAM = true },
  RegistryNodeType = one_of { MASTER = true, WORKER = true, ALERT_SERVER = true },
  -- … and those of the catalogue
  Code = function(text)
    return text:find "^-?%d+$" and text
  end,
  bool = function(text)
    return ({ ["true"] = "true", ["false"] = "false" })[text]
  end,
  double = tonumber,
  file = function(content)
    return content
  end,
  json = function(value)
    return value
  end,
}

--- Of any other enum: a name, whatever it is.
local function any_name(text)
  return text:find "^%u[%u%d_]*$" and text
end

--- The route's own error; from 3.2 on some have a hole, 3.3 tells the cause, too.
local function refuse_params(ask, route, cause)
  local code, text, hole = route.error[1], route.error[2], route.error[3]
  if hole and ask.world.line_name ~= "3.1" then
    text = text .. hole
  end
  refuse(code, text .. (ask.world.line.cause and ":" .. cause or ""))
end

local NOT_PRESENT = "Required request parameter '%s' for method parameter type %s is not present"
local NOT_CONVERTED = "Failed to convert value of type 'java.lang.String'"

--- Checks and converts what the route names; the rest passes as text.
local function read_params(ask, route)
  local endpoint = route.endpoint
  if endpoint and endpoint.body and not ask.fields[endpoint] then
    refuse_params(ask, route, "JSON parse error")
  end
  for _, param in ipairs(route.params) do
    local name, kind, optional, under = param[1], param[2], param[3], param[4]
    local text = ask.fields[name]
    if text ~= nil and (text ~= "" or kind == "String") then
      local value = (types[kind] or any_name)(text)
      if value == nil or value == false then
        refuse_params(ask, route, NOT_CONVERTED)
      end
      ask.fields[under] = value
    elseif not optional then
      refuse_params(ask, route, format(NOT_PRESENT, name, kind))
    end
  end
end

-- --- what handlers share -------------------------------------------------

local PROJECT_UNKNOWN = {
  [10018] = "project  not found ",
  [10190] = "This project was not found. Please refresh page.",
}

--- A code in a text of a start or a release, which group digits from 3.2 on.
local function shown_code(ask, code)
  return ask.world.line_name == "3.1" and code or grouped(code)
end

--- The project of the path, whoever may see it; `wanted` is the code of its
-- refusal.
local function existing_project(ask, wanted)
  local project = ask.world.projects[ask.project]
  if not project or project.deleted then
    refuse(wanted or 10190, PROJECT_UNKNOWN[wanted or 10190])
  end
  return project
end

-- Lists of 3.1 refuse with the holes of their text unfilled.
local UNFILLED = { ["instances.list"] = true, ["task_instances.list"] = true }

--- The project of the path, if the user has a right to it.
local function project_of(ask, wanted)
  local project = existing_project(ask, wanted)
  if not ask.user.admin and not ask.user.projects[project.name] then
    local user, what = ask.user.name, wanted == 10018 and project.name or grouped(project.code)
    if ask.world.line_name == "3.1" and UNFILLED[ask.operation] then
      user, what = "{0}", "{1}"
    end
    refuse(30002, format("user %s is not has project %s permission", user, what))
  end
  return project
end

local function unknown_definition(ask, code)
  refuse(50003, format("%s definition %s does not exist", ask.world.line.noun, code))
end

local function definition_of(ask, code)
  local project = project_of(ask)
  local definition = ask.world.definitions[code]
  if not definition or definition.project ~= project then
    unknown_definition(ask, code)
  end
  return definition
end

local function run_of(ask, id)
  local run = ask.world.runs[id]
  if not run then
    refuse(50001, format("%s instance %s does not exist", ask.world.line.noun, grouped(id)))
  end
  return run
end

local DATE = "^(%d%d%d%d)%-(%d%d)%-(%d%d) (%d%d):(%d%d):(%d%d)$"

-- Days since 1970 of a date of the civil calendar.
local function days(year, month, day)
  year = month <= 2 and year - 1 or year
  local era = math.floor(year / 400)
  local of_era = year - era * 400
  local of_year = math.floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5) + day - 1
  return era * 146097 + of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100) + of_year - 719468
end

--- A filter's date, read in the zone of the token's user.
local function date_of(ask, name)
  local text = ask.fields[name]
  if not text or text == "" then
    return nil
  end
  local year, month, day, hour, minute, second = text:match(DATE)
  if not year then
    refuse(10001, ask.world.line_name == "3.1" and "request parameter {0} is not valid"
      or "request parameter startDate,endDate is not valid")
  end
  return days(tonumber(year), tonumber(month), tonumber(day)) * 86400 + hour * 3600 + minute * 60 + second
    - ask.user.offset_s
end

local function in_window(at, from, to)
  return not (from or to) or at and (not from or at >= from) and (not to or at <= to + 0.999)
end

-- --- handlers ------------------------------------------------------------

local handle = {}

handle["projects.list"] = function(ask)
  local found = {}
  for i = #ask.world.project_list, 1, -1 do
    local project = ask.world.project_list[i]
    local visible = ask.user.admin or ask.user.projects[project.name]
    if not project.deleted and visible and contains(project.name, ask.fields.searchVal) then
      found[#found + 1] = project
    end
  end
  return page(ask, found, function(project)
    return rows.project(ask.world, project)
  end)
end

handle["projects.get"] = function(ask)
  return rows.project(ask.world, project_of(ask, 10018), NULL)
end

handle["projects.create"] = function(ask)
  local name = ask.fields.projectName
  if ask.world:find_project(name) then
    refuse(10019, format("project %s already exists", name), 201)
  end
  local project = ask.world:new_project(name, ask.fields.description)
  ask.world:record("projects.create", ask.by, { project = name })
  return rows.project(ask.world, project)
end

handle["projects.delete"] = function(ask)
  local project = project_of(ask, ask.world.line_name == "3.1" and 10190 or 10018)
  if #project.definitions > 0 then
    refuse(10137, format("please delete the %s definitions in project first!", ask.world.line.noun))
  end
  project.deleted = true
  ask.world:record("projects.delete", ask.by, { project = project.name })
  return true
end

local function newest_definitions(project, search)
  local found = {}
  for i = #project.definitions, 1, -1 do
    if contains(project.definitions[i].name, search) then
      found[#found + 1] = project.definitions[i]
    end
  end
  return found
end

handle["workflows.list"] = function(ask)
  return page(ask, newest_definitions(project_of(ask), ask.fields.searchVal), function(definition)
    return rows.definition(ask.world, definition, {
      modifyBy = "admin",
      userName = ask.world.line_name ~= "3.1" and "admin" or nil,
    })
  end)
end

handle["workflows.simple_list"] = function(ask)
  local list = core.array {}
  for i, definition in ipairs(newest_definitions(project_of(ask))) do
    list[i] = {
      id = definition.id,
      code = definition.code,
      name = definition.name,
      projectCode = definition.project.code,
    }
  end
  return list
end

handle["workflows.get"] = function(ask)
  return rows.dag(ask.world, definition_of(ask, ask.definition))
end

local function read_json(text)
  local value = core.decode(text)
  if type(value) ~= "table" then
    refuse(50017, format("data %s not valid", text))
  end
  return value
end

--- The tasks of a definition that is created, and how its runs will behave: a
-- kind that its description or its name holds, else good.
local function kind_of(fields)
  for _, text in ipairs { fields.description or "", fields.name } do
    for word in text:lower():gmatch "%a+" do
      if world_of.KINDS[word] then
        return word
      end
    end
  end
  return "good"
end

handle["workflows.create"] = function(ask)
  local project, fields, world = project_of(ask), ask.fields, ask.world
  if world_of.find_definition(project, fields.name) then
    refuse(10168, format("%s definition name %s already exists", world.line.noun, fields.name))
  end
  local tasks = {}
  for i, task in ipairs(read_json(fields.taskDefinitionJson)) do
    local params = type(task.taskParams) == "table" and task.taskParams or {}
    tasks[i] = { code = format_code(task.code), name = task.name, script = params.rawScript }
  end
  read_json(fields.taskRelationJson)
  if #tasks == 0 then
    refuse(50017, format("data %s not valid", fields.taskDefinitionJson))
  end
  local definition = world:new_definition(project, {
    name = fields.name,
    kind = kind_of(fields),
    description = fields.description,
    locations = fields.locations,
    global_params = fields.globalParams,
    tasks = tasks,
  })
  world:record("workflows.create", ask.by, { workflow = fields.name })
  return rows.definition(world, definition, {
    id = world.line_name == "3.1" and NULL or definition.id,
    version = 0,
    releaseState = NULL,
    globalParamList = NULL,
  })
end

handle["workflows.release"] = function(ask)
  local world = ask.world
  local definition = world.definitions[ask.definition]
  -- from 3.2 on the project of the path is not looked at
  if world.line_name == "3.1" or not definition then
    project_of(ask)
    if not definition or definition.project.code ~= ask.project then
      unknown_definition(ask, shown_code(ask, ask.definition))
    end
  end
  ask.project = definition.project.code
  project_of(ask)
  definition.release_state = ask.fields.releaseState
  world:record("workflows.release", ask.by, { workflow = definition.name, release_state = definition.release_state })
  return world.line_name == "3.1" and NULL or true
end

handle["workflows.delete"] = function(ask)
  local definition = definition_of(ask, ask.definition)
  if definition.release_state == "ONLINE" then
    refuse(50021, format("%s definition [%s] is already online", ask.world.line.noun, definition.name))
  end
  ask.world:delete_definition(definition)
  ask.world:record("workflows.delete", ask.by, { workflow = definition.name })
  return NULL
end

--- Only 3.2 looks at the tenant of a start.
local function refuse_tenant(ask)
  local name = ask.fields.tenantCode
  local known = ask.world.line_name ~= "3.2" or name == nil or name == "default"
  for _, tenant in ipairs(store.rows(ask.world, "tenants")) do
    known = known or tenant.tenantCode == name
  end
  if not known then
    refuse(10017, format("tenant [%s] not exists", name))
  end
end

local function exec_type_of(ask)
  return ask.fields.execType == "COMPLEMENT_DATA" and "COMPLEMENT_DATA" or "START_PROCESS"
end

--- The schedule dates that a start is for, a run each: array, of false where it is
-- for none. Of a range only the first: the server goes on to the next by the cron.
local function dates_of_start(ask)
  local text = exec_type_of(ask) == "COMPLEMENT_DATA" and ask.fields.scheduleTime or ""
  local given, dates = core.decode(text), {}
  given = type(given) == "table" and given or {}
  local listed = given.complementScheduleDateList or given.complementStartDate or text:match "^[^,{]+"
  for date in tostring(listed or ""):gmatch "[^,]+" do
    dates[#dates + 1] = date
  end
  return dates[1] and dates or { false }
end

--- What a run keeps of its start.
local function command_param(ask, date)
  local param, start_params = {}, ask.fields.startParams
  param.StartParams = start_params ~= "" and start_params or nil
  param.complementScheduleDateList = date or nil
  return next(param) and core.encode(param) or nil
end

handle["workflows.start"] = function(ask)
  local world, code = ask.world, ask.fields.definition
  local definition = world.definitions[code]
  -- rights are not looked at from 3.2 on, nor is the project from 3.3 on
  local project = world.line.cause and definition and definition.project
    or world.line_name == "3.2" and existing_project(ask) or project_of(ask)
  if not definition and world.line.cause then
    refuse(10000, "Internal Server Error: Cannot find the workflow: " .. code)
  elseif not definition then
    refuse(50014, "start process instance error")
  elseif definition.project ~= project then
    unknown_definition(ask, shown_code(ask, code))
  elseif definition.release_state ~= "ONLINE" and not world.line.cause then
    local shown = shown_code(ask, code)
    refuse(50004, format("process definition %s process version %d not online", shown, definition.version))
  end
  refuse_tenant(ask)
  local trigger_code, ids = world.line_name == "3.2" and world:new_code() or nil, core.array {}
  for i, date in ipairs(dates_of_start(ask)) do
    local run = world:start(definition, exec_type_of(ask))
    run.trigger_code, run.schedule_date, run.dry_run = trigger_code, date or nil, tonumber(ask.fields.dryRun)
    run.command_param = command_param(ask, date)
    world:record("workflows.start", ask.by, { workflow = definition.name, instance_id = run.id })
    ids[i] = run.id
  end
  if world.line_name == "3.1" then
    return NULL
  end
  -- a bare number on the wire: exact, as codes are below 2^53
  return trigger_code and tonumber(trigger_code) or ids
end

local function runs_of(world, project)
  local found = {}
  for i = #project.runs, 1, -1 do
    local run = project.runs[i]
    if world.runs[run.id] then -- it was not removed
      found[#found + 1] = run
    end
  end
  table.sort(found, function(a, b)
    return a.started_at > b.started_at or a.started_at == b.started_at and a.id > b.id
  end)
  return found
end

handle["instances.list"] = function(ask)
  local fields, found = ask.fields, {}
  local from, to = date_of(ask, "startDate"), date_of(ask, "endDate")
  for _, run in ipairs(runs_of(ask.world, project_of(ask))) do
    local fits = (not fields.stateType or fields.stateType == "" or run.state == fields.stateType)
      and (not fields.definition or fields.definition == "0" or run.definition.code == fields.definition)
      and contains(run.name, fields.searchVal)
      and contains("127.0.0.1:5678", fields.host)
      and (not fields.executorName or fields.executorName == "" or fields.executorName == "admin")
      and in_window(run.started_at, from, to)
    if fits then
      found[#found + 1] = run
    end
  end
  return page(ask, found, function(run)
    return rows.run(ask.world, run, false)
  end)
end

-- What an answer with counts of states calls them, up to 3.2.0 and since.
local COUNTS_OLD, COUNTS = { "taskCountDtos", "taskStateType" }, { "workflowInstanceStatusCounts", "state" }

handle["GET /projects/analysis/workflow-state-count"] = function(ask)
  local world, wanted = ask.world, ask.fields.projectCode
  local from, to = date_of(ask, "startDate"), date_of(ask, "endDate")
  if wanted == "0" then
    wanted = nil
  elseif wanted then
    ask.project = wanted
    project_of(ask)
  end
  local counts = {}
  for _, project in ipairs(world.project_list) do
    if project.code == wanted or not wanted and (ask.user.admin or ask.user.projects[project.name]) then
      for _, run in ipairs(project.runs) do
        local fits = world.runs[run.id] and in_window(run.started_at, from, to)
        counts[run.state] = (counts[run.state] or 0) + (fits and 1 or 0)
      end
    end
  end
  local names = catalogue.has({ upto = "3.2.0" }, world.version) and COUNTS_OLD or COUNTS
  local total, list = 0, {}
  for i, state in ipairs(world.line.counted) do
    total = total + (counts[state] or 0)
    list[i] = { [names[2]] = state, count = counts[state] or 0 }
  end
  return { totalCount = total, [names[1]] = list }
end

local function run_in_path(ask)
  local project = project_of(ask)
  local run = run_of(ask, ask.id)
  if run.project ~= project then
    unknown_definition(ask, ask.id)
  end
  return run
end

handle["instances.get"] = function(ask)
  return rows.run(ask.world, run_in_path(ask), true)
end

handle["instances.tasks"] = function(ask)
  return rows.tasks_of_run(ask.world, run_in_path(ask))
end

handle["instances.execute"] = function(ask)
  local world = ask.world
  local run
  if world.line.cause then
    -- 3.3 takes the project of the run, whatever the path says
    run = run_of(ask, ask.fields.instance)
    ask.project = run.project.code
    project_of(ask)
  else
    local project = project_of(ask)
    run = run_of(ask, ask.fields.instance)
    if run.project ~= project then
      if world.line_name == "3.2" then
        refuse(50015, "execute process instance error")
      end
      unknown_definition(ask, run.definition.code)
    end
  end
  local code, msg = world:execute(run, ask.fields.executeType, ask.by)
  if code then
    refuse(code, msg)
  end
  return NULL
end

handle["task_instances.list"] = function(ask)
  local project, fields, found = project_of(ask), ask.fields, {}
  local from, to = date_of(ask, "startDate"), date_of(ask, "endDate")
  for i = #ask.world.tasks, 1, -1 do
    local task = ask.world.tasks[i]
    local fits = task.run.project == project
      and (not fields.instance or fields.instance == 0 or task.run.id == fields.instance)
      and contains(task.run.name, fields.instance_name)
      and (not fields.taskName or fields.taskName == "" or task.name == fields.taskName)
      and (not fields.stateType or fields.stateType == "" or task.state == fields.stateType)
      and contains(task.name, fields.searchVal)
      and contains("127.0.0.1:1234", fields.host)
      and fields.taskExecuteType ~= "STREAM"
      and in_window(task.started_at, from, to)
    if fits then
      found[#found + 1] = task
    end
  end
  return page(ask, found, function(task)
    return rows.task(ask.world, task, true)
  end)
end

--- The task whose log is asked for; code and text of the error where there is none.
local function logged_task(ask, code, message)
  local task = ask.world.tasks[ask.fields.taskInstanceId]
  if not task then
    refuse(code, message)
  end
  if ask.world.line_name ~= "3.1" then
    ask.project = task.run.project.code
    project_of(ask)
  end
  return task
end

handle["task_instances.log_part"] = function(ask)
  local task = logged_task(ask, 10008, "task instance not found")
  local skip, limit = ask.fields.skipLineNum, ask.fields.limit
  if ask.world.line_name ~= "3.1" and math.min(skip, limit) < 0 then
    refuse(10103, format("view task instance log error: %d", math.min(skip, limit)))
  end
  return rows.log(ask.world, task, skip, limit)
end

local function whole_log(ask)
  local task = logged_task(ask, 10000, "Internal Server Error: task instance is null or host is null")
  return nil, rows.log(ask.world, task, 0, math.huge).message
end

handle["GET /log/download-log"] = whole_log
handle["GET /log/{projectCode}/download-log"] = whole_log

handle["tasks.generate_codes"] = function(ask)
  local count = ask.fields.genNum
  if count < 1 or count > 100 then
    refuse(50017, format("data %d not valid", count))
  end
  local codes = core.array {}
  for i = 1, count do
    codes[i] = tonumber(ask.world:new_code())
  end
  return codes
end

handle["users.current"] = function(ask)
  return rows.user(ask.world, ask.user)
end

handle["server.product_info"] = function(ask)
  if not ask.world.line.cause then
    refuse(110003, "query plugins error")
  end
  return { version = ask.world.version }
end

handle["server.nodes"] = function(ask)
  return core.array { rows.master(ask.world) }
end

-- --- requests -------------------------------------------------------------

-- What a path segment in braces must be; else the request's parameter is bad.
local SEGMENTS = {
  project = "long", definition = "long", id = "Integer", node = "RegistryNodeType",
  -- … and those of the catalogue
  code = "long", preTaskCode = "long", postTaskCode = "long", taskCode = "long", workFlowCode = "long",
  workflowCode = "long", workflowDefinitionCode = "long", resourceId = "Integer", taskInstanceId = "Integer",
  userId = "Integer", version = "Integer", workflowInstanceId = "Integer", nodeType = "RegistryNodeType",
}

local function read_segments(ask, route, segments)
  for i, wanted in ipairs(route.segments) do
    local name = wanted:match "^{([%w-]+)}$"
    if name then
      local value = types[SEGMENTS[name] or "String"](segments[i])
      if not value then
        refuse_params(ask, route, NOT_CONVERTED)
      end
      ask[name] = value
    end
  end
end

--- What an endpoint without a handler of its own says.
local function from_catalogue(ask, endpoint)
  if ask.project then
    project_of(ask)
  end
  local stored = store.handler(endpoint)
  if stored then
    return stored(ask)
  end
  return generic.answer(ask, endpoint)
end

local function attachment(bytes)
  local answer = plain(200, bytes, "application/octet-stream")
  answer.headers["content-disposition"] = 'attachment; filename="file"'
  return answer
end

local function run_handler(ask, route, segments)
  local ok, result, bytes, bare = pcall(function()
    read_segments(ask, route, segments)
    read_params(ask, route)
    return (handle[route.operation] or from_catalogue)(ask, route.endpoint)
  end)
  if ok and bytes then
    return attachment(bytes)
  elseif ok and bare then
    return json(route.status, bare)
  elseif ok then
    return envelope(route.status, 0, "success", result)
  elseif type(result) == "table" and result.code then
    return envelope(result.status, result.code, result.msg, NULL)
  end
  error(result, 0)
end

--- Does the path want a request that says it sends JSON, and this one does not?
local function wants_json(route, request)
  return route.endpoint and route.endpoint.json
    and not (request.headers["content-type"] or ""):find("application/json", 1, true)
end

local function unknown_path(world, method, path)
  if not world.ui then
    return servlet_error(404, "Not Found", path)
  elseif method == "POST" then
    return servlet_error(405, "Request method &apos;POST&apos; not supported", path)
  end
  return plain(200, UI_PAGE, "text/html")
end

--- Who asks, by the token.
local function user_of(world, request)
  local token = request.headers.token
  return token and world.users[token]
end

--- What is to be done with a request.
-- @tparam table world
-- @tparam table request {method, path (with query), headers, body, number}
-- @treturn string the operation, or "unknown"
-- @treturn function () → answer {status, headers, body}; it has the effect
function _M.route(world, request)
  local path, query = request.path:match "^([^?]*)%??(.*)$"
  if path:sub(1, #CONTEXT + 1) ~= CONTEXT .. "/" then
    return "unknown", function()
      return json(404, { message = "Not Found", url = path, status = "404" })
    end
  end
  local below = path:sub(#CONTEXT + 1)
  local route, other_method, segments = routes.find(world, request.method, below)
  if not route and other_method then
    return "unknown", function()
      return plain(405, WHITELABEL, "text/html;charset=utf-8")
    end
  end
  if route and wants_json(route, request) then
    return "unknown", function()
      return plain(415, WHITELABEL, "text/html;charset=utf-8")
    end
  end
  local user = user_of(world, request)
  local operation = route and route.operation or "unknown"
  if not user then
    return operation, function()
      return empty(401)
    end
  elseif not route then
    return operation, function()
      return unknown_path(world, request.method, path)
    end
  end
  return operation, function()
    local ask = {
      world = world,
      user = user,
      operation = operation,
      fields = {},
      by = { user = user.name, request = request.number },
    }
    read_form(query, ask.fields)
    read_body(request, route, ask.fields)
    return run_handler(ask, route, segments)
  end
end

--- An answer without a body, as the limiter and the log-in check give.
_M.empty = empty

return _M

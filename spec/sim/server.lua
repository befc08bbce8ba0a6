--- A small DolphinScheduler, at the level of request and answer. Each answer
-- that holds data carries its number in every row, so that a value tells, by
-- whatever way it came, which answer it was made of.

local format = string.format

local _M = {}
_M.__index = _M

--- Runs of each project, by id.
_M.RUNS = 6
local WORKFLOWS = 3

-- A run moves so long after it was told to, and ends so long after that.
local MOVES_US, RUNS_US = 700000, 4000000

local CODE_BAD, CODE_GONE, CODE_TAKEN = 10001, 10018, 10019

--- The id of the i-th run of a project: no two runs have the same.
function _M.run_id(project, i)
  return (tonumber(project) - 1001) * 10 + i
end

--- @tparam number projects how many there are
function _M.new(projects)
  local server = setmetatable({ projects = {}, answers = {}, effects = {}, runs = {}, taken = {} }, _M)
  for i = 1, projects do
    server:add_project("p" .. i, 0)
  end
  return server
end

function _M:add_project(name, now_us)
  local project = { code = format("%d", 1001 + #self.projects), name = name, from_us = now_us, until_us = math.huge }
  self.projects[#self.projects + 1] = project
  self.taken[name] = project
  return project
end

local function success(data)
  return { code = 0, body = '{"code":0,"msg":"success","data":' .. data .. "}", data = true }
end

local function refusal(code, message)
  return { code = code, body = format('{"code":%d,"msg":"%s","data":null,"failed":true}', code, message) }
end
_M.refusal = refusal

-- --- what was done -------------------------------------------------------

local function note(self, request, kind, what)
  local effect = { kind = kind, what = what, at_us = request.now_us, attempt = request.attempt }
  self.effects[#self.effects + 1] = effect
  request.attempt.effect = effect
  return effect
end

-- --- the operations ------------------------------------------------------

local function page_of(request, rows)
  local size = tonumber(request.query.pageSize)
  local first = (tonumber(request.query.pageNo) - 1) * size
  local shown = {}
  for i = first + 1, math.min(first + size, #rows) do
    shown[#shown + 1] = rows[i]
  end
  return success(format('{"totalList":[%s],"total":%d,"totalPage":%d,"pageSize":%d}', table.concat(shown, ","), #rows,
    math.ceil(#rows / size), size))
end

local function find_project(self, code, now_us)
  for _, project in ipairs(self.projects) do
    if project.code == code and project.until_us > now_us then
      return project
    end
  end
end

local operations = {}

operations["projects.list"] = function(self, request)
  local rows = {}
  for _, project in ipairs(self.projects) do
    if project.until_us > request.now_us then
      rows[#rows + 1] = format('{"id":%s,"code":%s,"name":"%s","description":"a%d"}', project.code, project.code,
        project.name, request.answer)
    end
  end
  return page_of(request, rows)
end

operations["projects.create"] = function(self, request)
  local name = request.query.projectName
  if self.taken[name] and self.taken[name].until_us > request.now_us then
    return refusal(CODE_TAKEN, "project " .. name .. " already exists")
  end
  local project = self:add_project(name, request.now_us)
  note(self, request, "create", project)
  return success(format('{"id":%s,"code":%s,"name":"%s","description":"a%d"}', project.code, project.code, name,
    request.answer))
end

operations["projects.delete"] = function(self, request)
  local project = find_project(self, request.project, request.now_us)
  if not project then
    return refusal(CODE_GONE, "project not found")
  end
  project.until_us = request.now_us
  note(self, request, "delete", project)
  return success "null"
end

local function workflow_row(project, i, answer)
  return format('{"id":%d,"code":%s%d,"name":"w%d","description":"a%d"}', i, project, i, i, answer)
end

operations["workflows.list"] = function(_, request)
  local rows = {}
  for i = 1, WORKFLOWS do
    rows[i] = workflow_row(request.project, i, request.answer)
  end
  return page_of(request, rows)
end

operations["workflows.simple_list"] = function(_, request)
  local rows = {}
  for i = 1, WORKFLOWS do
    rows[i] = workflow_row(request.project, i, request.answer)
  end
  return success("[" .. table.concat(rows, ",") .. "]")
end

operations["workflows.release"] = function(self, request)
  note(self, request, "release", request.query.releaseState)
  return success "null"
end

-- --- runs ----------------------------------------------------------------

-- What a run is doing: it fails until it is told to run again.
local function state_of(run, now_us)
  if not run or now_us < run.moves_us or now_us >= run.ends_us then
    return "FAILURE"
  end
  return "RUNNING_EXECUTION"
end

local function run_row(self, id, request)
  local state = state_of(self.runs[id], request.now_us)
  return format('{"id":%d,"name":"run-%d","state":"%s","host":"a%d","runTimes":1}', id, id, state, request.answer)
end

operations["instances.list"] = function(self, request)
  local rows = {}
  for i = 1, _M.RUNS do
    rows[i] = run_row(self, _M.run_id(request.project, i), request)
  end
  return page_of(request, rows)
end

operations["instances.get"] = function(self, request)
  return success(run_row(self, tonumber(request.instance), request))
end

operations["instances.execute"] = function(self, request)
  local id, now_us = tonumber(request.query.processInstanceId), request.now_us
  if not id then
    return refusal(CODE_BAD, "request parameter processInstanceId is not valid")
  end
  local run = self.runs[id]
  local effect = note(self, request, "execute", id)
  if request.query.executeType == "STOP" then
    self.runs[id] = nil
    return success "null"
  end
  -- two orders for a run that has not moved yet can wedge it for ever
  effect.wedges = run and now_us < run.moves_us and run.ordered_us or nil
  self.runs[id] = { ordered_us = now_us, moves_us = now_us + MOVES_US, ends_us = now_us + MOVES_US + RUNS_US }
  return success "null"
end

-- --- routes --------------------------------------------------------------

-- The operation of method and path; what the pattern catches.
local ROUTES = {
  { "GET", "^/projects$", "projects.list" },
  { "POST", "^/projects$", "projects.create" },
  { "DELETE", "^/projects/(%d+)$", "projects.delete", "project" },
  { "GET", "^/projects/0/(%l+)%-definition/simple%-list$", "server.detect", "dialect" },
  { "GET", "^/projects/(%d+)/(%l+)%-definition$", "workflows.list", "project", "dialect" },
  { "GET", "^/projects/(%d+)/(%l+)%-definition/simple%-list$", "workflows.simple_list", "project", "dialect" },
  { "POST", "^/projects/(%d+)/(%l+)%-definition/%d+/release$", "workflows.release", "project", "dialect" },
  { "GET", "^/projects/(%d+)/(%l+)%-instances$", "instances.list", "project", "dialect" },
  { "GET", "^/projects/(%d+)/(%l+)%-instances/(%d+)$", "instances.get", "project", "dialect", "instance" },
  { "POST", "^/projects/(%d+)/executors/execute$", "instances.execute", "project" },
}

local known = {} -- paths and what they are: few, and asked for often

local function parse(method, path)
  local key = method .. path
  local parsed = known[key]
  if not parsed then
    for _, route in ipairs(ROUTES) do
      local caught = { path:match(route[2]) }
      if method == route[1] and caught[1] then
        parsed = { operation = route[3] }
        for i, what in ipairs(caught) do
          parsed[route[i + 3] or "path"] = what
        end
        break
      end
    end
    known[key] = parsed
  end
  return parsed
end

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- What a request asks for: {operation, project, instance, query, …}.
-- @tparam string target path and query, below the base path
function _M.read(method, target, body)
  local path, query = target:match "^([^?]*)%??(.*)$"
  local request = { query = {} }
  for name, value in pairs(parse(method, path)) do
    request[name] = value
  end
  for name, value in (body or query):gmatch "([^&=]+)=([^&]*)" do
    request.query[name] = unescape(value)
  end
  return request
end

operations["server.detect"] = function()
  return refusal(CODE_GONE, "project 0 not found")
end

-- The paths of newer servers are not there.
local function not_there()
  return { status = 404, body = '{"status":404}' }
end

--- Carries out a request now, and answers it.
-- @tparam table attempt of the ledger, whose `request` was read
-- @treturn table {code | status, body}
function _M:serve(attempt, now_us)
  local request = attempt.request
  request.now_us, request.attempt, request.answer = now_us, attempt, #self.answers + 1
  local answer = (request.dialect == "workflow" and not_there or operations[request.operation])(self, request)
  self.answers[request.answer] = attempt
  attempt.answer, attempt.made_us = request.answer, now_us
  return answer
end

return _M

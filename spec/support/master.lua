--- A scripted server with one workflow (11, of project 1) whose runs come some
-- time after their start and go on for a while: what specs of composed calls
-- need on each line. Times are those of the client's virtual clock.

local bed = require "support.bed"
local core = require "dsclient.core"

local _M = {}

local Master = {}
Master.__index = Master

-- --- requests ------------------------------------------------------------

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function fields_of(request)
  local path, query = request.path:match "^([^?]*)%??(.*)$"
  local fields = {}
  for name, value in (query .. "&" .. (request.body or "")):gmatch "([^&=]+)=([^&]*)" do
    fields[name] = unescape(value)
  end
  return path, fields
end

local function ok(data)
  return bed.ok(data == nil and "null" or core.encode(data, true))
end

-- --- runs ----------------------------------------------------------------

--- A run, which others may have started.
-- @tparam table fields command, executor, schedule, params, at (when it begins),
--   duration_s, state (its last)
function Master:add(fields)
  local run = { id = #self.runs + 1, command = "START_PROCESS", executor = "admin", at = self:now(), state = "SUCCESS",
    duration_s = self.duration_s }
  for name, value in pairs(fields or {}) do
    run[name] = value
  end
  self.runs[run.id] = run
  return run
end

function Master:now()
  return self.bed and self.bed.now() or 0
end

local function date(at)
  return os.date("!%Y-%m-%d %H:%M:%S", math.floor(at))
end

function Master:row(run, single)
  local ends_at = run.at + run.duration_s
  local ended = ends_at <= self:now()
  local lists_all = single or self.line ~= "3.1"
  local row = {
    id = run.id,
    name = "run-" .. ("%04d"):format(run.id),
    state = ended and run.state or "RUNNING_EXECUTION",
    commandType = run.command,
    executorName = not single and run.executor or nil,
    startTime = date(run.at),
    endTime = ended and date(ends_at) or nil,
    dryRun = 0,
    scheduleTime = lists_all and run.schedule or nil,
    commandParam = single and core.encode { StartParams = run.params, complementScheduleDateList = run.schedule }
      or nil,
  }
  row[self.noun .. "DefinitionCode"] = "11"
  return row
end

function Master:visible(fits)
  local found = {}
  for i = #self.runs, 1, -1 do
    if self.runs[i].at <= self:now() and (not fits or fits(self.runs[i])) then
      found[#found + 1] = self.runs[i]
    end
  end
  return found
end

-- --- answers -------------------------------------------------------------

local handle = {}

handle["/users/get%-user%-info$"] = function()
  return ok { id = 1, userName = "admin" }
end

--- The date of a start, in the form of the line; false where it is in another.
local function schedule_of(self, fields)
  if fields.execType ~= "COMPLEMENT_DATA" then
    return nil
  elseif self.line == "3.0" then
    local from, to = fields.scheduleTime:match "^([^,{]+),([^,]+)$"
    return from ~= nil and from == to and from
  end
  return core.decode(fields.scheduleTime).complementScheduleDateList
end

handle["/executors/start%-"] = function(self, fields)
  local schedule = schedule_of(self, fields)
  if schedule == false then
    return bed.refused(50014, "start process instance error")
  end
  self.starts[#self.starts + 1] = { at = self:now(), schedule = schedule, params = fields.startParams }
  local run = self:add {
    command = fields.execType,
    at = self:now() + self.latency_s,
    schedule = schedule,
    params = fields.startParams,
    state = self.outcomes[schedule or #self.starts],
    code = 900 + #self.starts,
  }
  if self.lose then
    return self.lose
  elseif self.line == "3.2" then
    return ok(run.code)
  end
  return ok(self.line == "3.3" and core.array { run.id } or nil)
end

handle["%-instances/trigger$"] = function(self, fields)
  local rows = core.array {}
  for i, run in ipairs(self:visible(function(run)
    return run.code == tonumber(fields.triggerCode)
  end)) do
    rows[i] = self:row(run)
  end
  return ok(rows)
end

handle["%-instances/%d+$"] = function(self, _, path)
  local run = self.runs[tonumber(path:match "%d+$")]
  if not run or run.at > self:now() then
    return bed.refused(50001, "no such run")
  end
  return ok(self:row(run, true))
end

-- "process-instances", "workflow-instances", and no "task-instances"
handle["/projects/1/%a+[sw]%-instances$"] = function(self, fields)
  local found = self:visible(function(run)
    return self:row(run).name:find(fields.searchVal or "", 1, true)
  end)
  local page, size = tonumber(fields.pageNo), tonumber(fields.pageSize)
  local rows = core.array {}
  for i = (page - 1) * size + 1, math.min(page * size, #found) do
    rows[#rows + 1] = self:row(found[i])
  end
  return ok { totalList = rows, total = #found }
end

handle["/projects/1/task%-instances$"] = function(self, fields)
  local id = tonumber(fields.processInstanceId or fields.workflowInstanceId)
  return ok { totalList = self.tasks[id] or core.array {}, total = #(self.tasks[id] or {}) }
end

handle["/log/detail$"] = function(self, fields)
  local text = self.logs[tonumber(fields.taskInstanceId)]
  if not text then
    return bed.refused(10103, "the log is gone")
  end
  local skip, limit, lines = tonumber(fields.skipLineNum), tonumber(fields.limit), {}
  local number, bytes = 0, 0
  for line in text:gmatch "[^\n]*\n" do
    if number >= skip and #lines < limit and bytes < 65535 then
      lines[#lines + 1], bytes = line, bytes + #line
    end
    number = number + 1
  end
  return ok { lineNum = math.max(1, #lines), message = table.concat(lines) }
end

--- @tparam string version "3.0.6", "3.1.1", "3.2.2" or "3.4.1"
-- @tparam table|nil given latency_s until a run is there, duration_s, outcomes (last
--   states by date or number), lose (the answer that comes in place of a start's),
--   answer (request, path, fields) → answer, before all else
function _M.new(version, given)
  local self = setmetatable({
    line = version == "3.4.1" and "3.3" or version:match "^%d+%.%d+",
    noun = version == "3.4.1" and "workflow" or "process",
    latency_s = version == "3.4.1" and 0 or 1.2,
    duration_s = 60,
    outcomes = {},
    runs = {},
    starts = {}, -- all that were accepted
    tasks = {}, -- rows, by the run
    logs = {}, -- by the task instance
  }, Master)
  for name, value in pairs(given or {}) do
    self[name] = value
  end
  self.bed = bed.new(function(request)
    local path, fields = fields_of(request)
    local answer = self.answer and self.answer(request, path, fields)
    for pattern, act in pairs(handle) do
      answer = answer or path:find(pattern) and act(self, fields, path)
    end
    return answer or bed.refused(10000, "no such thing: " .. path)
  end, { server_version = version })
  self.client = self.bed.client
  return self
end

return _M

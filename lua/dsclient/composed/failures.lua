--- Why a run failed: its failed tasks, through sub-workflows, with the end of
-- their logs and a likely cause.

local answers = require "dsclient.composed.answers"
local causes = require "dsclient.composed.causes"
local errors = require "dsclient.errors"
local options = require "dsclient.options"
local watches = require "dsclient.composed.watch"

local format = string.format

local _M = {}

local function text_of(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function number_of(value)
  return type(value) == "number" and value or nil
end

--- Is this the last try of its task, and did it end badly?
local function is_failed(row)
  return row.flag ~= "NO" and (row.failed or row.state == "KILL")
end

local function task_of(row)
  return {
    task_instance_id = row.id,
    name = text_of(row.name),
    type = text_of(row.taskType),
    state = row.state,
    host = text_of(row.host),
    retries = number_of(row.retryTimes),
    started_at = number_of(row.started_at),
    ended_at = number_of(row.ended_at),
  }
end

--- The failed tasks of a run; tries that were repeated don't count.
-- @treturn table|nil array {task_instance_id, name, type, state, host, retries,
--   started_at, ended_at}, the first to fail first; or nil, err
function _M.tasks_of(client, project, instance_id, opts)
  local rows, err = answers.rows(client, "task_instances.list", { project = project, instance_id = instance_id }, opts)
  if not rows then
    return nil, err
  end
  local tasks = {}
  for _, row in ipairs(answers.with_id(rows)) do
    if is_failed(row) then
      tasks[#tasks + 1] = task_of(row)
    end
  end
  table.sort(tasks, function(a, b)
    local a_at, b_at = a.ended_at or math.huge, b.ended_at or math.huge
    return a_at < b_at or a_at == b_at and a.task_instance_id < b.task_instance_id
  end)
  return tasks
end

-- --- sub-workflows -------------------------------------------------------

-- Types of tasks that are runs of other workflows.
local SUB_TYPES = { SUB_PROCESS = true, SUB_WORKFLOW = true }

-- Up to 3.2, and later.
local SUB_ID = { "subWorkflowInstanceId", "subProcessInstanceId" }

--- The runs below a task: array of ids; or nil, err.
local function runs_below(self, project, task)
  local args = { project = project, task_instance_id = task.task_instance_id }
  if task.type == "DYNAMIC" then
    local rows, err = answers.rows(self.client, "instances.dynamic_sub_workflows", args, self.watch:call_options())
    local ids = {}
    for _, row in ipairs(rows or {}) do
      ids[#ids + 1] = answers.id(row.workflowInstanceId) or answers.id(row.processInstanceId)
    end
    return rows and ids, err
  elseif not SUB_TYPES[task.type] then
    return {}
  end
  local sub, err = answers.object(self.client, "instances.sub_workflow", args, self.watch:call_options())
  if not sub then
    return nil, err
  end
  for _, name in ipairs(SUB_ID) do
    if answers.id(sub[name]) then
      return { sub[name] }
    end
  end
  return {}
end

-- --- one task ------------------------------------------------------------

local function examine(self, task)
  local lines, err = self.client.task_instances:tail(task.task_instance_id, self.log_lines, self.watch:call_options())
  task.log_tail = lines or {}
  task.log_error = err and tostring(err)
  task.exit_code = causes.exit_code(task.log_tail)
  task.cause, task.cause_line = causes.of(task.log_tail, task.exit_code, task.state)
end

local function path_to(path, name)
  local longer = {}
  for i, part in ipairs(path) do
    longer[i] = part
  end
  longer[#longer + 1] = name or "?"
  return longer
end

local function problem(self, path, message)
  self.problems[#self.problems + 1] = errors.line(format("%s: %s", table.concat(path, " / "), message))
end

local visit

--- What failed below a task; false where nothing did, or it can't be read.
local function visit_below(self, project, task, depth)
  local ids, err = runs_below(self, project, task)
  if err then
    problem(self, task.path, "its runs can't be read: " .. tostring(err))
  end
  local found = false
  for _, id in ipairs(ids or {}) do
    if not self.watch:goes_on() then
      self.truncated = true
      return found
    elseif self.seen[id] then
      problem(self, task.path, format("run %d was looked at already", id))
    elseif depth >= self.depth_max then
      problem(self, task.path, format("run %d is more than %d levels down: not looked at", id, self.depth_max))
    else
      local done
      done, err = visit(self, project, id, task.path, depth + 1)
      found = found or done
      if err then
        problem(self, task.path, format("the tasks of run %d can't be read: %s", id, tostring(err)))
      end
    end
  end
  return found
end

--- Looks at the failed tasks of a run.
-- @treturn boolean|nil were there any? nil, err where they can't be read
function visit(self, project, instance_id, path, depth)
  self.seen[instance_id] = true
  local tasks, err = _M.tasks_of(self.client, project, instance_id, self.watch:call_options())
  if not tasks then
    return nil, err
  end
  for _, task in ipairs(tasks) do
    task.instance_id, task.path = instance_id, path_to(path, task.name)
    local found = visit_below(self, project, task, depth)
    if self.truncated then
      return true
    elseif not found then
      if #self.failed_tasks == self.tasks_max or not self.watch:goes_on() then
        self.truncated = true
        return true
      end
      self.failed_tasks[#self.failed_tasks + 1] = task
      examine(self, task)
    end
  end
  return #tasks > 0
end

local DIAGNOSE = {
  timeout_s = { type = "number", min = 0.1, max = 86400, default = 600 },
  log_lines = { type = "integer", min = 1, max = 1000, default = 30 },
  depth_max = { type = "integer", min = 0, max = 100, default = 10 },
  tasks_max = { type = "integer", min = 1, max = 10000, default = 100 },
}

--- client.instances:diagnose(args, opts): why a run failed.
--
-- The causes are guesses by the log, the exit code and the state: "out of memory",
-- "disk full", "worker lost", "connection refused", "permission denied", "command
-- not found", "no such file", "timeout", "killed" and more (see causes.lua).
-- @tparam table args project, instance_id
-- @tparam table|nil opts log_lines (30) of each log; depth_max (10) of levels of
--   sub-workflows; tasks_max (100); timeout_s (600), after which no more is looked at
-- @treturn table|nil {instance_id, name, state, failed_tasks, truncated, problems}:
--   each failed task with path (the names that lead to it), instance_id (of the
--   run it is in), task_instance_id, name, type, state, host, retries, started_at,
--   ended_at, exit_code, log_tail (array of lines), log_error (why there is none),
--   cause, cause_line; `problems` says in lines what could not be looked at. Or
--   nil, err, where the run itself can't be read
function _M.diagnose(client, args, opts)
  local self = options.check("instances.diagnose", opts or {}, DIAGNOSE)
  self.watch = watches.new(client, { timeout_s = self.timeout_s, poll_s = 1, poll_max_s = 1 }, "instances.diagnose")
  local run, err = answers.object(client, "instances.get", args, self.watch:call_options())
  if not run then
    return nil, err
  end
  self.client, self.seen, self.failed_tasks, self.problems = client, {}, {}, {}
  local _
  local instance_id = tonumber(args.instance_id)
  _, err = visit(self, args.project, instance_id, {}, 0)
  if err then
    return nil, err
  end
  return {
    instance_id = instance_id,
    name = run.name,
    state = run.state,
    failed_tasks = self.failed_tasks,
    truncated = self.truncated or false,
    problems = self.problems,
  }
end

return _M

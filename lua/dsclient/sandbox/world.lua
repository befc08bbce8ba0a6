--- A small DolphinScheduler without any network: projects, workflows, and runs
-- that go on with a clock. What is really done is written into a ledger.

local heap = require "dsclient.heap"
local lines = require "dsclient.sandbox.lines"

local format = string.format

local World = {}
World.__index = World

local _M = {}

-- How a kind of workflow behaves: how many steps it has, how many times longer
-- they take, and in which the n-th try of a run fails.
local KINDS = {
  good = { steps = 1, factor = 1 },
  flaky = {
    steps = 2,
    factor = 1,
    fails = function(step, try)
      return step == 2 and try == 1
    end,
  },
  broken = {
    steps = 1,
    factor = 1,
    fails = function()
      return true
    end,
  },
  late = { steps = 1, factor = 10 },
  hanging = { steps = 1, factor = math.huge },
}
_M.KINDS = KINDS

-- A master takes a command up after 0.1 to 1 s (measured on 3.1.1).
local TAKE_UP_S = 0.5

-- Runs of the beginning lie so far apart, the last one so long ago.
local APART_S, AGO_S = 3600, 600

local ACTIVE = { SUBMITTED_SUCCESS = true, RUNNING_EXECUTION = true, READY_PAUSE = true, READY_STOP = true }

--- Seconds since 1970 as the server prints them; nil for none.
function _M.date(at, offset_s)
  return at and os.date("!%Y-%m-%d %H:%M:%S", math.floor(at) + (offset_s or 0))
end

-- --- projects and workflows ----------------------------------------------

function World:new_code()
  self.codes = self.codes + 1
  return format("%.0f", self.line.first_code + self.codes * 64)
end

function World:new_project(name, description)
  local project = {
    id = #self.project_list + 1,
    code = self:new_code(),
    name = name,
    description = description or "",
    created_at = self.clock,
    definitions = {},
    runs = {}, -- in the order of their ids
  }
  self.project_list[project.id] = project
  self.projects[project.code] = project
  return project
end

function World:find_project(name)
  for _, project in ipairs(self.project_list) do
    if project.name == name and not project.deleted then
      return project
    end
  end
end

--- @tparam table fields name, kind, description, tasks (a list of names) …
function World:new_definition(project, fields)
  local kind = KINDS[fields.kind]
  local definition = {
    id = self.definition_count + 1,
    code = self:new_code(),
    project = project,
    name = fields.name,
    kind = fields.kind,
    description = fields.description or "",
    version = 1,
    release_state = fields.release_state or "OFFLINE",
    created_at = self.clock,
    locations = fields.locations or "[]",
    global_params = fields.global_params or "[]",
    tasks = {},
  }
  self.definition_count = definition.id
  for i = 1, fields.tasks and #fields.tasks or kind.steps do
    local given = fields.tasks and fields.tasks[i]
    definition.tasks[i] = {
      code = given and given.code or self:new_code(),
      name = given and given.name or format("step-%d", i),
      script = given and given.script or "echo " .. fields.kind,
    }
  end
  self.definitions[definition.code] = definition
  project.definitions[#project.definitions + 1] = definition
  return definition
end

function _M.find_definition(project, name)
  for _, definition in ipairs(project.definitions) do
    if definition.name == name then
      return definition
    end
  end
end

--- Takes a definition out of its project.
function World:delete_definition(definition)
  local list = definition.project.definitions
  for i, one in ipairs(list) do
    if one == definition then
      table.remove(list, i)
    end
  end
  self.definitions[definition.code] = nil
end

-- --- runs ----------------------------------------------------------------

local function note_state(world, run, state, reason)
  run.state = state
  run.history[#run.history + 1] = { time = world.clock, state = state, desc = reason }
end

function World:later(seconds, run, act)
  self.coming:push { at = self.clock + seconds, run = run, epoch = run and run.epoch, act = act }
end

--- What is written into the ledger; `by` is {user, request}.
function World:record(operation, by, fields)
  local entry = { at = self.clock, operation = operation, user = by and by.user, request = by and by.request }
  for name, value in pairs(fields) do
    entry[name] = value
  end
  self.entries[#self.entries + 1] = entry
end

local function new_task(world, run, step)
  local task = {
    id = #world.tasks + 1,
    run = run,
    step = step,
    name = run.definition.tasks[step].name,
    code = run.definition.tasks[step].code,
    script = run.definition.tasks[step].script,
    state = "RUNNING_EXECUTION",
    flag = "YES",
    started_at = world.clock,
  }
  world.tasks[task.id] = task
  run.valid[step] = task
  return task
end

local begin_step

local function end_run(world, run, state)
  run.epoch = run.epoch + 1
  run.ended_at = world.clock
  note_state(world, run, state, "update by workflow executor")
end

local function end_step(world, run, task)
  local kind = KINDS[run.kind]
  task.ended_at = world.clock
  if kind.fails and kind.fails(task.step, run.run_times) then
    task.state = "FAILURE"
    return end_run(world, run, "FAILURE")
  end
  task.state = "SUCCESS"
  if task.step == #run.definition.tasks then
    return end_run(world, run, "SUCCESS")
  end
  begin_step(world, run, task.step + 1)
end

function begin_step(world, run, step)
  local task = new_task(world, run, step)
  local seconds = world.duration_s * KINDS[run.kind].factor / world.speed
  if seconds < math.huge then
    world:later(seconds, run, function()
      end_step(world, run, task)
    end)
  end
end

--- The first step that has no good task instance.
local function first_open_step(run)
  for step, task in ipairs(run.valid) do
    if task.state ~= "SUCCESS" then
      return step
    end
  end
  return math.min(#run.valid + 1, #run.definition.tasks)
end

local function hide_tasks(run, from)
  for step = from, #run.valid do
    run.valid[step].flag = "NO"
    run.valid[step] = nil
  end
end

--- Starts a run, as a schedule or a user does. The master makes it after a
-- moment (`submits`: at once).
-- @treturn table the run; its `id` is nil until it is there
function World:start(definition, command_type)
  local run = {
    definition = definition,
    project = definition.project,
    kind = definition.kind,
    definition_version = definition.version,
    command_type = command_type,
    commands = { command_type },
    valid = {}, -- the task instance of each step that was begun
    history = {},
    epoch = 0,
    run_times = 1,
    pending = 0,
  }
  local function appear()
    self.run_count = self.run_count + 1
    run.id = self.run_count
    run.started_at, run.restarted_at = self.clock, self.clock
    local stamp = os.date("!%Y%m%d%H%M%S", math.floor(self.clock)) .. format("%03d", self.run_count % 1000)
    run.name = self.line.noun == "process" and format("%s-%d-%s", definition.name, definition.version, stamp)
      or definition.name .. "-" .. stamp
    self.runs[run.id] = run
    table.insert(run.project.runs, run)
    note_state(self, run, self.line.submits and "SUBMITTED_SUCCESS" or "RUNNING_EXECUTION", "start a new process")
  end
  local function begin()
    if not run.id then
      appear()
    elseif run.state ~= "RUNNING_EXECUTION" then
      note_state(self, run, "RUNNING_EXECUTION", "start a new process")
    end
    begin_step(self, run, 1)
  end
  if self.line.submits then
    appear()
  end
  self:later(TAKE_UP_S / self.speed, run, begin)
  return run
end

--- The master takes up a command that was accepted.
local function take_up(world, run, execute_type)
  run.pending = run.pending - 1
  run.run_times = run.run_times + 1
  run.command_type = execute_type
  run.commands[#run.commands + 1] = execute_type
  if ACTIVE[run.state] and run.state ~= "SUBMITTED_SUCCESS" then
    return -- a second command finds the run under way: it is only counted
  end
  local step = execute_type == "REPEAT_RUNNING" and 1 or first_open_step(run)
  hide_tasks(run, step)
  run.epoch = run.epoch + 1
  run.restarted_at, run.ended_at = world.clock, nil
  if execute_type == "REPEAT_RUNNING" and not world.line.submits then
    run.started_at = world.clock
  end
  note_state(world, run, "RUNNING_EXECUTION", execute_type)
  begin_step(world, run, step)
end

local function halt(world, run, ready, final)
  note_state(world, run, ready, "by user")
  run.epoch = run.epoch + 1
  world:later(TAKE_UP_S / world.speed, run, function()
    local task = run.valid[#run.valid]
    if task and not task.ended_at then
      task.state, task.ended_at = final == "STOP" and "KILL" or "PAUSE", world.clock
    end
    end_run(world, run, final)
  end)
end

local HALTS = { STOP = { "READY_STOP", "STOP" }, PAUSE = { "READY_PAUSE", "PAUSE" } }

--- Acts on a run, as the line does.
-- @treturn number|nil code and text of the refusal; nil when accepted
function World:execute(run, execute_type, by)
  local line = self.line
  local allowed = line.allowed[execute_type]
  if run.pending > 0 and not line.waits and not line.submits then
    return 50009, format("process instance %s is executing the command, please wait ...", run.definition.code)
  elseif not allowed or not allowed[run.state] then
    return line.refuse(run, execute_type)
  end
  self:record("instances.execute", by, { instance_id = run.id, execute_type = execute_type, run_times = run.run_times })
  local ending = HALTS[execute_type]
  if ending then
    halt(self, run, ending[1], run.state == "READY_PAUSE" and line.submits and "PAUSE" or ending[2])
    return nil
  end
  run.pending = run.pending + 1
  if line.submits then
    note_state(self, run, "SUBMITTED_SUCCESS", execute_type)
  end
  self.coming:push {
    at = self.clock + TAKE_UP_S / self.speed,
    act = function()
      take_up(self, run, execute_type)
    end,
  }
  return nil
end

-- --- time ----------------------------------------------------------------

--- Lets happen what is due.
function World:settle()
  local now = self.now()
  local item = self.coming:pop(now)
  while item do
    self.clock = math.max(self.clock, item.at)
    if not item.run or item.run.epoch == item.epoch then
      item.act()
    end
    item = self.coming:pop(now)
  end
  self.clock = now
end

local function schedule(world, definition, first_s)
  local function fire()
    if world.definitions[definition.code] and definition.release_state == "ONLINE" then
      world:start(definition, "SCHEDULER")
    end
    world:later(world.every_s, nil, fire)
  end
  world:later(first_s, nil, fire)
end

local function populate(world, options)
  local kinds = options.kinds
  local start_at = world.now() - AGO_S - options.runs * APART_S
  world.clock = start_at
  for p = 1, options.projects do
    local project = world:new_project(format("demo-%d", p), format("seeded project %d", p))
    for w = 1, options.workflows do
      local kind = kinds[(w - 1) % #kinds + 1]
      world:new_definition(project, {
        name = format("%s-%d", kind, w),
        kind = kind,
        description = kind,
        release_state = "ONLINE",
      })
    end
  end
  for r = 1, options.runs do
    for _, project in ipairs(world.project_list) do
      for _, definition in ipairs(project.definitions) do
        world.coming:push {
          at = start_at + (r - 1) * APART_S,
          act = function()
            world:start(definition, "START_PROCESS")
          end,
        }
      end
    end
  end
  world:settle()
end

local function schedule_all(world)
  local count, index = world.definition_count, 0
  for _, project in ipairs(world.project_list) do
    for _, definition in ipairs(project.definitions) do
      index = index + 1
      -- spread over the interval, so that not all begin at once
      schedule(world, definition, world.every_s * index / count)
    end
  end
end

local function users_of(options)
  local users = {
    [options.token] = {
      id = 1,
      name = "admin",
      admin = true,
      time_zone = options.user_timezone,
      offset_s = options.user_offset_s,
    },
  }
  for i, given in ipairs(options.users) do
    local projects = {}
    for _, name in ipairs(given.projects or {}) do
      projects[name] = true
    end
    users[given.token] = { id = i + 1, name = given.name, projects = projects, time_zone = "UTC", offset_s = 0 }
  end
  return users
end

--- Makes a world.
-- @tparam table options checked ones of the sandbox
-- @tparam function now seconds since 1970, never back
function _M.new(options, now)
  local line_name = lines.of_version(options.server_version)
  local world = setmetatable({
    now = now,
    clock = now(),
    line_name = line_name,
    line = lines.LINES[line_name],
    version = options.server_version,
    duration_s = options.duration_s,
    speed = options.speed,
    every_s = options.every_s,
    server_offset_s = options.server_offset_s,
    ui = options.ui,
    users = users_of(options), -- by token
    codes = 0,
    project_list = {},
    projects = {},
    definitions = {},
    definition_count = 0,
    runs = {},
    run_count = 0,
    tasks = {},
    store = {}, -- kind → rows, see store.lua
    entries = {},
    coming = heap.new(),
  }, World)
  populate(world, options)
  if world.every_s then
    schedule_all(world)
  end
  return world
end

return _M

--- The sandbox as a whole, without the network: the traffic limiter, faults,
-- the API over the world, and what tests ask and tell it.

local api = require "dsclient.sandbox.api"
local faults = require "dsclient.sandbox.faults"
local lines = require "dsclient.sandbox.lines"
local world = require "dsclient.sandbox.world"

local _M = {}

-- --- chance --------------------------------------------------------------

--- Numbers in [0, 1) that are the same for the same seed on every Lua
-- (Park and Miller's generator; good enough for faults).
local function generator(seed)
  local state = seed % 2147483646 + 1
  return function()
    state = state * 48271 % 2147483647
    return (state - 1) / 2147483646
  end
end

-- --- the traffic limiter -------------------------------------------------

-- Of 10 a second it accepts one each 0.1 s, but only when warm: cold ones must
-- lie 0.28 s apart (measured on 3.1.1, 3.2.2, 3.3).
local WARM_S, COLD_S, STEP_S = 0.1, 0.28, 0.03

local function limiter()
  local last, interval = -math.huge, COLD_S
  return function(now)
    local apart = now - last
    if apart < interval then
      return false
    end
    interval = apart > 1 and COLD_S or math.max(WARM_S, interval - STEP_S)
    last = now
    return true
  end
end

-- --- requests ------------------------------------------------------------

local Site = {}
Site.__index = Site

--- @tparam table options checked ones of the sandbox
-- @tparam function now seconds since 1970
function _M.new(options, now)
  return setmetatable({
    world = world.new(options, now),
    faults = faults.new(generator(options.seed)),
    accepts = options.traffic_limit and limiter(),
    delay_s = options.delay_s,
    count = { total = 0, connections = 0, bytes_in = 0, bytes_out = 0, operations = {} },
  }, Site)
end

--- Carries a request out, or not.
-- @tparam table request {method, path, headers, body}
-- @treturn table {answer = {status, headers, body}, wire = what happens to it}
function Site:serve(request)
  local count = self.count
  self.world:settle()
  count.total = count.total + 1
  request.number = count.total
  local operation, act = api.route(self.world, request)
  count.operations[operation] = (count.operations[operation] or 0) + 1
  -- it counts before the token is looked at, and refuses every unknown path
  if self.accepts and (operation == "unknown" or not self.accepts(self.world.clock)) then
    return { answer = api.empty(429) }
  end
  local fault = self.faults:pick(operation)
  if not fault then
    return { answer = act() }
  end
  local answer = fault.effect and act() or api.empty(200)
  if fault.status then
    answer = api.empty(fault.status)
    answer.headers["retry-after"] = fault.retry_after
  elseif fault.wire == "page" then
    answer = { status = 200, headers = { ["content-type"] = "text/html" }, body = "<html></html>" }
  elseif fault.wire == "bad_json" then
    answer.body = answer.body:sub(1, math.floor(#answer.body / 2))
  end
  return { answer = answer, wire = fault.wire }
end

-- --- what tests ask and tell ---------------------------------------------

--- The control methods of a box; each takes the site and one table.
local control = {}
_M.control = control -- the names, for those who pass them on

--- Seconds since 1970 on the sandbox's clock.
function control.now(site)
  return site.world.now()
end

--- {{code, name, workflows = {{code, name, kind, release_state}}}}
function control.projects(site)
  local list = {}
  for _, project in ipairs(site.world.project_list) do
    local workflows = {}
    for i, definition in ipairs(project.definitions) do
      workflows[i] = {
        code = definition.code,
        name = definition.name,
        kind = definition.kind,
        release_state = definition.release_state,
      }
    end
    if not project.deleted then
      list[#list + 1] = { code = project.code, name = project.name, workflows = workflows }
    end
  end
  return list
end

--- The runs as they really are, by id: {{id, project, workflow, kind, state,
-- run_times, name, project_code, workflow_code, started_at, ended_at}}
function control.runs(site)
  local list = {}
  site.world:settle()
  for id = 1, site.world.run_count do
    local run = site.world.runs[id]
    if run then
      list[#list + 1] = {
        id = id,
        project = run.project.name,
        project_code = run.project.code,
        workflow = run.definition.name,
        workflow_code = run.definition.code,
        kind = run.kind,
        state = run.state,
        run_times = run.run_times,
        name = run.name,
        started_at = run.started_at,
        ended_at = run.ended_at,
      }
    end
  end
  return list
end

--- What was really done, in order: one entry for each effect, {at, operation,
-- user, request (its number), and instance_id, execute_type, workflow …}.
function control.ledger(site)
  return site.world.entries
end

--- How many executes took effect, by the run's id as text.
function control.executed(site)
  local counts = {}
  for _, entry in ipairs(site.world.entries) do
    if entry.operation == "instances.execute" then
      local key = ("%d"):format(entry.instance_id)
      counts[key] = (counts[key] or 0) + 1
    end
  end
  return counts
end

--- What came in: {total, operations = {name = n}, connections, bytes_in,
-- bytes_out}; the last three over HTTP only.
function control.requests(site)
  return site.count
end

--- From now on requests meet a fault: {fault, operation, times, rate,
-- retry_after}; see faults.lua.
function control.fault(site, rule)
  return site.faults:add(rule)
end

--- No faults any more.
function control.heal(site)
  site.faults:clear()
  return true
end

local function find_definition(site, args)
  local project = site.world:find_project(args.project)
  local definition = project and world.find_definition(project, args.workflow)
  if not definition then
    return nil, "no such workflow"
  end
  return definition
end

--- Starts a run of {project, workflow} as a schedule does; its id, once it is
-- there: nil before the master took it up.
function control.run(site, args)
  local definition, message = find_definition(site, args)
  if not definition then
    return nil, message
  end
  site.world:settle()
  return site.world:start(definition, args.command_type or "SCHEDULER").id or true
end

local SETTABLE = { kind = true, release_state = true, version = true }

--- Changes {project, workflow}: kind, release_state, version.
function control.set(site, args)
  local definition, message = find_definition(site, args)
  if not definition then
    return nil, message
  end
  for name, value in pairs(args) do
    if SETTABLE[name] then
      definition[name] = value
    end
  end
  return true
end

--- Changes the run {id}: state, run_times, started_at, ended_at, command_type,
-- is_sub, definition_version.
function control.set_run(site, args)
  site.world:settle()
  local run = site.world.runs[args.id]
  if not run then
    return nil, "no such run"
  end
  run.epoch = run.epoch + 1
  for name, value in pairs(args) do
    if name == "command_type" then
      run.commands[1] = value
    end
    run[name] = value
  end
  return true
end

--- A run disappears, as when the server cleans up.
function control.remove_run(site, args)
  site.world.runs[args.id] = nil
  return true
end

--- From now on each answer takes so long: {delay_s}.
function control.delay(site, args)
  site.delay_s = args.delay_s
  return true
end

--- Gives a class these methods; its objects have a `site`.
function _M.give_methods(class)
  for name, act in pairs(control) do
    class[name] = function(self, args)
      return act(self.site, args or {})
    end
  end
end

-- --- options -------------------------------------------------------------

--- The options of a sandbox; see init.lua.
_M.OPTIONS = {
  server_version = { type = "string", default = "3.1.1" },
  projects = { type = "integer", min = 0, max = 10000, default = 3 },
  workflows = { type = "integer", min = 0, max = 10000, default = 10 },
  kinds = { type = "list", item = "string", min = 1, default = { "good", "flaky", "broken", "good", "late" } },
  runs = { type = "integer", min = 0, max = 10000, default = 1 },
  duration_s = { type = "number", min = 0, max = 1e6, default = 1 },
  speed = { type = "number", min = 1e-3, max = 1e6, default = 1 },
  every_s = { type = "number", min = 0.01, max = 1e9 },
  delay_s = { type = "number", min = 0, max = 3600, default = 0 },
  seed = { type = "integer", min = 0, max = 2 ^ 31, default = 1 },
  traffic_limit = { type = "boolean", default = false },
  ui = { type = "boolean", default = false },
  token = { type = "string", default = "0123456789abcdef0123456789abcdef" },
  users = { type = "list", item = "table", default = {} },
  user_timezone = { type = "string", default = "UTC" },
  user_offset_s = { type = "integer", min = -50400, max = 50400, default = 0 },
  server_offset_s = { type = "integer", min = -50400, max = 50400, default = 0 },
  now = { type = "number", min = 0, max = 253402300799, default = 1767225600 },
}

--- What the checker can't see; nil when all is well.
function _M.problem(options)
  if not lines.of_version(options.server_version) then
    return "server_version: a version such as 3.1.1 expected"
  end
  for _, kind in ipairs(options.kinds) do
    if not world.KINDS[kind] then
      return "kinds: no such kind: " .. kind
    end
  end
end

return _M

--- The monitor in nginx: dsclient.monitor in one worker at a time, the others
-- stand by.
--
--     -- http { lua_shared_dict dsmonitor 2m; }
--     -- init_by_lua
--     watcher = require "resty.dsclient.monitor".new(client, {
--       shm = "dsmonitor", projects = { "etl_*" },
--       on = { failed = function(event) … end },
--     })
--     -- init_worker_by_lua
--     watcher:start()
--
-- Which worker it is says a lease (lease.lua) in the dict. What is remembered is in
-- the dict, too, or in the state_file: it outlives workers, and reloads. Each step
-- is a timer of its own, so that its memory is given back.
--
-- Events are not handed over when they are found: they are put into the state,
-- which is replaced as a whole, and then handed over from there, by whichever
-- worker is the next one. So none is lost or found twice, whenever a worker is
-- killed; a callback that was running then is called again, with the same `seq`.

local configs = require "dsclient.monitor.config"
local core = require "dsclient.core"
local errors = require "dsclient.errors"
local events = require "dsclient.monitor.events"
local leases = require "resty.dsclient.lease"
local monitors = require "dsclient.monitor"
local options = require "dsclient.options"
local worker = require "resty.dsclient.worker"

local debug, ngx = debug, ngx
local format = string.format
local ceil, max, min = math.ceil, math.max, math.min
local exiting = ngx.worker.exiting

local _M = {}

local NEW = "monitor.new"

--- The options beside those of dsclient.monitor (config.lua). `metrics` is of another
-- type here, and `log` has a default.
local RULES = {
  -- the dict, and what parts monitors of one server in it
  shm = { type = "string" },
  name = { type = "string", default = "monitor" },
  -- a worker that was killed is replaced after so long (s)
  lease_s = { type = "number", min = 0.1, max = 3600, default = 10 },
  -- what `recover` and `rules` allow is done, by a worker
  recover_in_worker = { type = "boolean", default = false },
  -- metrics.lua's text can be asked for; costs two more lists a project and round
  metrics = { type = "boolean", default = false },
}

-- What is its own business.
local OWN = { "now", "sleep", "stopped", "store" }

-- The lease is renewed, and looked for, so often while it lasts.
local BEATS = 3

-- Of more failed runs than this the view has the latest only.
local SHOWN_MAX = 100

local Watcher = {}
Watcher.__index = Watcher

--- What goes on is said once.
local function say_problem(self, level, message)
  if self.problem ~= message then
    self.problem = message
    self.given.log(level, message)
  end
end

-- --- events --------------------------------------------------------------

--- Where nobody wants them they are logged.
local function log_event(self)
  return function(event)
    self.given.log(event.event == "round" and "info" or "notice", events.line(event, { short = true }))
  end
end

--- Puts an event into the state.
local function keep_event(self)
  return function(event)
    local told = self.monitor.state.told
    told.last = told.last + 1
    event.seq = told.last
    told.events[#told.events + 1] = event
  end
end

local function is_count(value)
  return type(value) == "number" and value >= 0 and value % 1 == 0
end

--- The number of the last event that was handed over.
local function handed_over(self)
  local seq = self.dict:get(self.names.delivered)
  return is_count(seq) and seq or 0
end

--- What the state has of events: all of it may come from outside.
local function check_told(self)
  local state, kept = self.monitor.state, {}
  local told = state.told
  for _, event in ipairs(type(told.events) == "table" and told.events or {}) do
    if type(event) == "table" and is_count(event.seq) and type(event.event) == "string" then
      kept[#kept + 1] = event
    end
  end
  -- a number that was used must not come again, though the state may be lost
  local last = is_count(told.last) and told.last or 0
  state.told = { last = max(last, handed_over(self)), events = kept }
end

--- Hands over what is in the state.
local function hand_over(self)
  local told, seq = self.monitor.state.told, handed_over(self)
  for _, event in ipairs(told.events) do
    if not self.lease:is_held() then
      return -- the next one does
    elseif event.seq > seq then
      events.tell(self.on, event, function(message)
        self.given.log("warn", message)
      end)
      self.dict:set(self.names.delivered, event.seq)
    end
  end
  told.events = {}
  self.monitor:save()
end

-- --- what all workers may see --------------------------------------------

--- The failed runs, the latest first.
local function failed_runs(monitor)
  local failed, count = {}, 0
  local entries = monitor:entries()
  for i = #entries, 1, -1 do
    local entry = entries[i]
    if monitor:is_open(entry) then
      count = count + 1
      failed[#failed + 1] = #failed < SHOWN_MAX and {
        project = entry.project,
        workflow = entry.workflow,
        instance_id = entry.id,
        state = entry.state,
        run_times = entry.run_times,
        last_at = entry.last_at,
        recovering = entry.sent ~= nil,
        url = monitor:url_of(entry),
      } or nil
    end
  end
  return failed, count
end

local function publish(self)
  local monitor = self.monitor
  local failed, count = failed_runs(monitor)
  local problem = monitor.report.err
  self.dict:set(self.names.view, core.encode {
    at = ngx.now(),
    worker = ngx.worker.pid(),
    totals = monitor:totals(),
    complete = monitor.report.complete,
    problem = problem and tostring(problem) or nil,
    failed = core.array(failed),
    failed_count = count,
  })
end

--- How the monitor stood after its last step; in every phase.
-- @treturn table|nil at (seconds since 1970), worker (process id), totals (see
--   dsclient.monitor), complete (was all read?), problem (why nothing could be),
--   failed: {project, workflow, instance_id, state, run_times, last_at,
--   recovering, url} of the latest, failed_count; nil where there was none yet
function Watcher:view()
  local text = self.dict:get(self.names.view)
  local view = type(text) == "string" and core.decode(text)
  local is_one = type(view) == "table" and type(view.at) == "number" and type(view.totals) == "table"
    and type(view.failed) == "table"
  for _, run in ipairs(is_one and view.failed or {}) do
    is_one = is_one and type(run) == "table"
  end
  return is_one and view or nil
end

--- The metrics after the last round, with the option `metrics`.
-- @treturn string|nil for Prometheus
function Watcher:metrics_text()
  local text = self.dict:get(self.names.metrics)
  return type(text) == "string" and text:find "^# HELP dsmonitor_" and text or nil
end

-- --- the state -----------------------------------------------------------

--- The dict as a store of state.lua. Only the holder of the lease writes.
local function store_of(self)
  local dict, name = self.dict, self.names.state
  local store = { name = format("%q in the dict", name) }
  function store.read()
    local text = dict:get(name)
    return type(text) == "string" and text or nil
  end
  function store.write(_, text)
    if not self.lease:is_held() then
      return nil, "another worker has the lease"
    end
    local kept, why = dict:set(name, text)
    return kept or nil, why
  end
  function store.keep()
    return true
  end
  function store.paused()
    return nil
  end
  function store.close() end
  return store
end

--- Opens the state. What is in a dict may be spoilt, and is given up then; a file
-- is left to its owner.
local function open(self)
  local monitor, err = monitors.new(self.client, self.given)
  if not monitor and self.given.store then
    self.given.log("error", "the monitor begins anew: " .. tostring(err))
    self.dict:delete(self.names.state)
    monitor, err = monitors.new(self.client, self.given)
  end
  if not monitor then
    -- after a reload the worker before may still have the file
    say_problem(self, err.kind == "busy" and "info" or "error", "no monitor: " .. tostring(err))
    return nil
  end
  self.problem = nil
  self.monitor = monitor
  check_told(self)
  return monitor
end

local function drop(self)
  if self.monitor then
    self.monitor:close()
    self.monitor = nil
  end
end

-- --- steps ---------------------------------------------------------------

--- What takes its time: others must see meanwhile that we are there.
local function while_renewed(self, act)
  local renewing = ngx.thread.spawn(function()
    while true do
      ngx.sleep(self.beat_s)
      self.lease:renew()
    end
  end)
  local fine, problem = xpcall(act, debug.traceback, self)
  ngx.thread.kill(renewing)
  if not fine then
    drop(self)
    self.given.log("error", "the monitor failed: " .. tostring(problem))
  end
end

local function act(self)
  self.monitor:turn()
  if self.lease:is_held() then
    self.monitor:save()
    hand_over(self)
    publish(self)
  end
end

--- Has this worker the lease now? Who has lost it forgets what he knew.
local function is_elected(self)
  if self.lease:renew() then
    return true
  end
  drop(self)
  local taken, why = self.lease:take()
  if not taken and why ~= "exists" then
    say_problem(self, "warn", "no lease: " .. tostring(why))
  end
  return taken
end

--- Looks whether it is for this worker to do something, and does it.
-- @treturn number seconds until the next look
local function beat(self)
  if not is_elected(self) or not (self.monitor or open(self)) then
    return self.beat_s
  elseif self.monitor:due_s() == 0 then
    while_renewed(self, act)
  end
  return min(self.monitor and self.monitor:due_s() or self.beat_s, self.beat_s)
end

--- Leaves everything to the next worker.
local function resign(self)
  drop(self)
  self.lease:release()
end

--- The timer. Where there are too many of them it goes on by itself.
local function tick(premature, self)
  while not premature and not exiting() do
    -- whole milliseconds, as nginx's clock goes: a timer is not to be back too early
    local wait_s = max(ceil(beat(self) * 1000), 1) / 1000
    if ngx.timer.at(wait_s, tick, self) then
      return
    end
    ngx.sleep(min(wait_s, 1))
  end
  resign(self)
end

--- Begins to watch, or to stand by, in this worker. For init_worker_by_lua; idempotent.
-- @treturn boolean|nil true; or nil and an error of kind "phase" or "limit"
function Watcher:start()
  if self.lease then
    return true
  elseif ngx.get_phase() == "init" then
    return nil, errors.new { kind = "phase", message = "a monitor starts in a worker: init_worker_by_lua" }
  end
  local lease = leases.new(self.dict, self.names.lease, self.lease_s)
  local started, why = ngx.timer.at(0, tick, self)
  if not started then
    return nil, errors.new { kind = "limit", message = "no timer for the monitor: " .. why }
  end
  self.lease = lease
  return true
end

-- --- making --------------------------------------------------------------

--- Parts the options: those of RULES, checked, and the others.
local function split(given)
  local own, others = {}, {}
  for name, value in pairs(given) do
    local part = RULES[name] and own or others
    part[name] = value
  end
  for _, name in ipairs(OWN) do
    if others[name] ~= nil then
      errors.throw(format("%s: option %q: nginx has its own", NEW, name))
    end
  end
  return options.check(NEW, own, RULES), others
end

--- Checks the options of dsclient.monitor. That a worker recovers by request only
-- is said before what else recovering needs.
local function check(given, own)
  local dry_run = given.dry_run
  given.dry_run = true
  local observes = configs.check(given).observes
  given.dry_run = dry_run
  if not (observes or dry_run or own.recover_in_worker) then
    errors.throw(format('%s: option "recover": a worker recovers only with recover_in_worker = true', NEW))
  end
  configs.check(given)
end

--- Makes a monitor of a client; no I/O, in every phase.
-- @tparam userdata client
-- @tparam table opts shm, and other options of RULES and of dsclient.monitor;
--   without `on` events are logged
-- @treturn table watcher: start(), view(), metrics_text()
function _M.new(client, opts)
  if type(opts) ~= "table" then
    errors.throw(format("%s: a table of options expected, got %s", NEW, type(opts)))
  end
  local own, given = split(opts)
  given.log = given.log or worker.log
  check(given, own)
  if given.state_file or given.metrics_file then
    require "dsclient.sys" -- where it is missing that is to be known now
  end
  local self = setmetatable({
    client = client,
    given = given,
    lease_s = own.lease_s,
    beat_s = own.lease_s / BEATS,
    dict = worker.dict(NEW, "shm", own.shm),
    names = {},
  }, Watcher)
  for _, name in ipairs { "delivered", "lease", "metrics", "state", "view" } do
    self.names[name] = format("dsclient %s of %s: %s", own.name, client.api_url, name)
  end
  self.on = given.on or { event = log_event(self) }
  given.on = { event = keep_event(self) }
  given.now = ngx.now
  given.sleep = ngx.sleep
  function given.stopped()
    return exiting() or not self.lease:is_held()
  end
  if not given.state_file then
    given.store = store_of(self)
  end
  if own.metrics then
    function given.metrics(text)
      self.dict:set(self.names.metrics, text)
    end
  end
  return self
end

return _M

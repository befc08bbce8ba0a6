--- A monitor: looks at projects again and again, says what failed, and
-- recovers what it may.
--
--     local monitor = assert(require("dsclient.monitor").new(client, {
--       projects = { "etl_*" },
--       recover = { "etl_*/load_*" },
--       state_file = "state.json",
--       on = { failed = function(event) print(event.project, event.workflow) end },
--     }))
--     monitor:run()
--
-- Where to read on: `config.lua` is what can be told, `events.lua` what it
-- says, `round.lua` one round, `reading.lua` what is asked of the server,
-- `windows.lua` and `zones.lua` of which time, `policy.lua` and `recovery.lua`
-- when and how it acts, `state.lua` and `file.lua` what it remembers,
-- `metrics.lua` the text for Prometheus, `check.lua` and `command.lua` the command
-- dsmonitor. In nginx it is resty.dsclient.monitor that drives one.

local configs = require "dsclient.monitor.config"
local events = require "dsclient.monitor.events"
local file = require "dsclient.monitor.file"
local policy = require "dsclient.monitor.policy"
local reading = require "dsclient.monitor.reading"
local recovery = require "dsclient.monitor.recovery"
local rounds = require "dsclient.monitor.round"
local states = require "dsclient.monitor.state"

local format = string.format

local _M = {}

local COUNTERS = { "failed", "recoveries", "recovered", "failed_again", "outcome_unknown", "resolved" }

local Monitor = {}
Monitor.__index = Monitor

local function zeros()
  local counters = {}
  for _, name in ipairs(COUNTERS) do
    counters[name] = 0
  end
  return counters
end

-- --- what the parts use --------------------------------------------------

--- Seconds since 1970.
function Monitor:now()
  return self.config.now()
end

--- A diagnostic.
-- @tparam string level "info" or "warn"
function Monitor:log(level, message)
  if self.config.log then
    self.config.log(level, message)
  end
end

--- Is it to end now, between two calls?
function Monitor:is_ending()
  self.ending = self.ending or self.config.stopped ~= nil and self.config.stopped()
  return self.ending
end

function Monitor:count(name)
  self.counts[name] = self.counts[name] + 1
  self.report[name] = self.report[name] + 1
end

--- Counts what became of a recovery, over restarts, too.
function Monitor:count_outcome(entry, name)
  local recoveries = self.state.recoveries
  recoveries[entry.project] = recoveries[entry.project] or {}
  recoveries[entry.project][name] = (recoveries[entry.project][name] or 0) + 1
  self:count(name)
end

function Monitor:save()
  local ok, message = self.state:save()
  if not ok then
    self:log("warn", "the state can't be written: " .. message)
  end
end

--- The runs it knows of, the oldest first.
function Monitor:entries()
  local list = {}
  for _, entry in pairs(self.state.runs) do
    list[#list + 1] = entry
  end
  table.sort(list, function(a, b)
    return a.id < b.id or a.id == b.id and a.project_code < b.project_code
  end)
  return list
end

function Monitor:forget(entry)
  self.state.runs[states.key(entry.project_code, entry.id)] = nil
end

--- Is it a run that we watch, and failed as far as we know?
function Monitor:is_open(entry)
  return (entry.sent ~= nil or policy.is_failed(self.config, entry, entry.state))
    and policy.is_watched(self.config, entry.project, entry.workflow)
end

--- Calls `act` with the project, code and name of each watched workflow.
function Monitor:each_workflow(act)
  for _, project in ipairs(self.projects) do
    for code, name in pairs(self.workflows[project.code] or {}) do
      if policy.is_watched(self.config, project.name, name) then
        act(project, code, name)
      end
    end
  end
end

--- So many recoveries may still be sent within this interval.
function Monitor:budget()
  if self:now() >= self.budget_from + self.config.interval_s then
    self:renew_budget()
  end
  return self.budget_left
end

function Monitor:renew_budget()
  self.budget_from, self.budget_left = self:now(), self.config.max_recoveries_per_round
end

function Monitor:take_from_budget()
  self.budget_left = self.budget_left - 1
end

-- --- saying --------------------------------------------------------------

--- Where the server's pages show a run.
function Monitor:url_of(entry)
  return format("%s/ui/projects/%s/workflow/instances/%d?code=%s", self.client.api_url, entry.project_code, entry.id,
    entry.workflow_code)
end

--- Tells an event to those who asked for it; an error there stops nothing.
-- @tparam string name see events.lua
-- @tparam table about a run, {project, project_code}, or nil
function Monitor:say(name, about, reason)
  local event = events.new(name, about, reason, self:now())
  event.url = about and about.id and self:url_of(about)
  events.tell(self.config.on, event, function(message)
    self:log("warn", message)
  end)
end

--- Says a decision on a run when it changes: the event, or the reason's first
-- word.
function Monitor:decide(name, entry, reason)
  local decision = name .. " " .. reason:match "^[^:]*"
  if entry.decision ~= decision then
    entry.decision = decision
    self:say(name, entry, reason)
  end
end

--- A run that we know ended or went on, and not by our doing.
function Monitor:ended_otherwise(entry, row)
  if reading.is_good(row) then
    self:count "resolved"
    entry.run_times = row.runTimes
    self:say("resolved", entry, row.state)
  else
    self:decide("skipped", entry, "changed: now " .. row.state)
  end
  if row.finished then
    return self:forget(entry)
  end
  entry.state = row.state
end

--- Is nothing to be executed now? Says so when it begins.
function Monitor:is_paused()
  local reason, said = self.state:paused(), self.state.said
  if reason and said.paused ~= reason then
    self:say("paused", nil, reason)
  end
  said.paused = reason
  return reason ~= nil
end

-- --- rounds --------------------------------------------------------------

--- Looks at all projects once, and acts.
-- @treturn table report: complete, projects, workflows, unreadable (projects),
--   open (failed now), running (recoveries), refused, err (why nothing could
--   be read), and counters of this round: failed, recoveries, recovered,
--   failed_again, outcome_unknown, resolved
function Monitor:round()
  local report = zeros()
  rounds.run(self, report)
  self.counts.rounds = self.counts.rounds + 1
  return report
end

--- When something is to be done before the next round.
-- @treturn number|nil
local function next_at(self)
  local first
  for _, entry in pairs(self.state.runs) do
    local at
    if entry.sent then
      at = recovery.look_at(self, entry)
    elseif rounds.is_undecided(self, entry) then
      at = entry.retry_at
    end
    if at and (not first or at < first) then
      first = at
    end
  end
  return first
end

--- What is to be done between two rounds: follows recoveries, and tries again
-- what is to be tried.
local function attend(self)
  recovery.follow(self)
  rounds.act(self)
  self:save()
end

--- One round, and the outcomes of its recoveries, at most `wait_s` later.
-- @treturn table the report of the round, with all that came of it
function Monitor:once()
  local report, from = self:round(), self:now()
  local now, due = from, next_at(self)
  while due and now >= from and now < from + self.config.wait_s and not self:is_ending() do
    local wait_s = math.min(due, from + self.config.wait_s) - now
    if wait_s > 0 then
      self.config.sleep(wait_s)
    else
      attend(self)
    end
    now, due = self:now(), next_at(self)
  end
  rounds.finish(self)
  return report
end

--- For those who wait themselves: how long until there is something to do. A
-- clock that is set back ends the wait, too.
-- @treturn number seconds; 0: now
function Monitor:due_s()
  local now, began = self:now(), self.round_began_at
  if not began or now < began then
    return 0
  end
  local round_at = began + self.config.interval_s
  return math.max(math.min(next_at(self) or round_at, round_at) - now, 0)
end

--- Does what is due: a round, or what is between two of them.
function Monitor:turn()
  local now, began = self:now(), self.round_began_at
  if not began or now < began or now >= began + self.config.interval_s then
    self.round_began_at = now
    self:round()
  else
    attend(self)
  end
end

--- Round after round, until it is stopped.
-- @treturn table totals
function Monitor:run()
  self.round_began_at = nil
  while not self:is_ending() do
    local wait_s = self:due_s()
    if wait_s > 0 then
      self.config.sleep(wait_s)
    else
      self:turn()
    end
  end
  rounds.finish(self)
  return self:totals()
end

--- Ends `run` or `once` after the call that is under way; for callbacks.
function Monitor:stop()
  self.ending = true
end

--- What it did since it was made, and what there is now.
-- @treturn table rounds, projects, workflows, open, running, and the counters
--   of `round`
function Monitor:totals()
  local totals = {}
  for name, count in pairs(self.counts) do
    totals[name] = count
  end
  rounds.measure(self)
  for _, name in ipairs { "projects", "workflows", "open", "running" } do
    totals[name] = self.report[name]
  end
  return totals
end

--- Gives the state free. Idempotent.
function Monitor:close()
  self.state:close()
end

--- Makes a monitor; its state is locked until `close`.
-- @tparam userdata client
-- @tparam table given see config.lua
-- @treturn table|nil the monitor; or nil and an error: "busy" when another one
--   holds the state, "argument" when the state can't be used
function _M.new(client, given)
  local config = configs.check(given)
  for _, name in ipairs { "now", "sleep" } do
    config[name] = config[name] or require("dsclient.sys")[name]
  end
  local store, err = config.store, nil
  if config.state_file then
    store, err = file.open(config.state_file)
  end
  local state
  if not err then
    state, err = states.open(store, client.api_url)
  end
  if not state then
    return nil, err
  end
  local self = setmetatable({
    client = client,
    config = config,
    state = state,
    projects = {}, -- that are watched, by the last list
    workflows = {}, -- project code → workflow code → name
    unreadable = {}, -- project code → true
    watched = {}, -- project code → what metrics.lua saw last
    counts = zeros(),
    report = zeros(),
  }, Monitor)
  self.counts.rounds, self.report.projects, self.report.workflows = 0, 0, 0
  self:renew_budget()
  return self
end

return _M

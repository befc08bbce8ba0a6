--- One round: all projects are read, what failed is noted, what can be decided
-- is decided.

local policy = require "dsclient.monitor.policy"
local reading = require "dsclient.monitor.reading"
local recovery = require "dsclient.monitor.recovery"
local metrics = require "dsclient.monitor.metrics"
local states = require "dsclient.monitor.state"
local windows = require "dsclient.monitor.windows"
local zones = require "dsclient.monitor.zones"

local format = string.format

local _M = {}

-- So much longer than the window is a run remembered: it must not be news
-- again when clocks or zones move a little.
local REMEMBER_S = 7200

-- --- one run -------------------------------------------------------------

local function new_entry(project, row, now)
  return {
    id = row.id,
    project_code = project.code,
    workflow_code = row.workflowDefinitionCode,
    name = row.name,
    noted_at = now,
  }
end

local function describe(monitor, entry, row)
  entry.run_times, entry.state = row.runTimes, row.state
  entry.workflow_version = row.workflowDefinitionVersion
  entry.backfill = policy.is_backfill(row) or nil
  entry.started_at = zones.at(monitor, row, "started_at")
  entry.last_at = reading.last_at(monitor, row) or monitor:now()
end

--- A failed run of the list. It is news when we don't know it, or when it ran
-- again without us.
local function note(monitor, project, row, workflow)
  local key = states.key(project.code, row.id)
  local entry = monitor.state.runs[key] or new_entry(project, row, monitor:now())
  entry.project, entry.workflow = project.name, workflow or entry.workflow
  local watched = policy.is_watched(monitor.config, entry.project, entry.workflow)
  if not watched or not policy.is_failed(monitor.config, entry, row.state) then
    return
  end
  monitor.state.runs[key] = entry
  monitor.seen[entry] = true
  if entry.sent then
    return recovery.judge(monitor, entry, row)
  end
  local news = entry.run_times ~= row.runTimes or entry.state ~= row.state
  describe(monitor, entry, row)
  if news then
    entry.decision, entry.retry_at, entry.recheck_at = nil, nil, nil
    entry.known = not monitor.state.read[project.code] or nil
    monitor:count "failed"
    monitor:say("failed", entry, row.state ~= "FAILURE" and row.state or nil)
  end
end

--- What became of a run that the list of failed ones no longer shows.
local function find_absent(monitor, entry)
  local row, err = reading.run(monitor, entry)
  if not row and reading.is_gone(err) then
    monitor:forget(entry)
  elseif not row then
    monitor:log("warn", format("run %d can't be read now: %s", entry.id, tostring(err)))
  elseif row.state ~= entry.state then
    monitor:ended_otherwise(entry, row)
  end
end

-- --- one project ---------------------------------------------------------

--- All that is read of a project in a round.
-- @treturn boolean|nil true; or nil, err
local function read_project(monitor, project, window)
  local rows, err = reading.failed_runs(monitor, project, window, function(row)
    return monitor.state.runs[states.key(project.code, row.id)] ~= nil
  end)
  local names
  if rows then
    names, err = reading.workflow_names(monitor, project, rows)
  end
  if not names then
    return nil, err
  end
  monitor.workflows[project.code] = names
  for i = #rows, 1, -1 do -- the oldest first
    note(monitor, project, rows[i], names[rows[i].workflowDefinitionCode])
  end
  monitor.state.read[project.code] = true
  if metrics.are_wanted(monitor.config) then
    return metrics.read(monitor, project)
  end
  return true
end

local function find_all_absent(monitor, project)
  for _, entry in ipairs(monitor:entries()) do
    local absent = entry.project_code == project.code and not monitor.seen[entry] and not entry.sent
    if absent and not monitor:is_ending() then
      find_absent(monitor, entry)
    end
  end
end

--- A project that can't be read is said once, keeps what is known of it, and
-- blinds no other.
local function unreadable(monitor, project, err)
  local report, said = monitor.report, monitor.state.said
  local kind = err.kind
  report.complete = false
  report.unreadable = report.unreadable + 1
  report.refused = report.refused or reading.is_refused(err)
  said.unreadable = said.unreadable or {}
  monitor.unreadable[project.code] = true
  if said.unreadable[project.code] ~= kind then
    said.unreadable[project.code] = kind
    monitor:say("project_unreadable", { project = project.name, project_code = project.code }, reading.reason(err))
  end
end

local function readable(monitor, project)
  monitor.unreadable[project.code] = nil
  if monitor.state.said.unreadable then
    monitor.state.said.unreadable[project.code] = nil
  end
end

-- --- all projects --------------------------------------------------------

--- The server can't be read at all.
local function lose(monitor, err)
  local report = monitor.report
  report.complete, report.err = false, err
  report.refused = report.refused or reading.is_refused(err)
end

--- Calls `act` with each project until one says that the server is lost.
-- @treturn boolean were all of them tried?
local function each_project(monitor, projects, act)
  for _, project in ipairs(projects) do
    if monitor:is_ending() then
      monitor.report.complete = false
      return false
    end
    local ok, err = act(project)
    if ok then
      readable(monitor, project)
    elseif reading.is_out_of_reach(err) then
      lose(monitor, err)
      return false
    else
      unreadable(monitor, project, err)
    end
  end
  return true
end

local function survey(monitor, projects)
  local oldest
  local all = each_project(monitor, projects, function(project)
    local began, err = windows.survey(monitor, project)
    if began and (not oldest or began < oldest) then
      oldest = began
    end
    return began ~= nil, err
  end)
  if all then
    monitor.surveyed_at = monitor:now()
    windows.note_unfinished(monitor, oldest or monitor.surveyed_at)
  end
end

local function read_all(monitor)
  local projects, err = reading.projects(monitor)
  if not projects then
    return lose(monitor, err)
  end
  zones.keep(monitor)
  monitor.projects = projects
  monitor.report.projects = #projects
  local window = windows.of(monitor)
  local all = each_project(monitor, projects, function(project)
    local ok, problem = read_project(monitor, project, window)
    if ok then
      find_all_absent(monitor, project)
    end
    return ok, problem
  end)
  if all and windows.is_survey_due(monitor) then
    survey(monitor, projects)
  end
end

-- --- deciding ------------------------------------------------------------

--- Says a storm once, as long as it lasts.
local function watch_for_storm(monitor)
  local said, failed, seen = monitor.state.said, 0, {}
  for _, entry in pairs(monitor.state.runs) do
    if monitor:is_open(entry) and not entry.sent and not seen[entry.workflow_code] then
      seen[entry.workflow_code] = true
      failed = failed + 1
    end
  end
  local watched = monitor.report.workflows
  local storm = not monitor.config.observes and policy.is_storm(monitor.config, failed, watched)
  if storm and not said.storm then
    monitor:say("storm", nil, format("%d of %d watched workflows are failed: nothing is recovered", failed, watched))
  end
  said.storm = storm or nil
end

--- Is there something to decide on? Not while its project can't be read.
function _M.is_undecided(monitor, entry)
  local known = not monitor.report.err and not monitor.unreadable[entry.project_code]
  return known and not entry.sent and monitor:is_open(entry)
end

--- Decides on the failed runs whose time has come.
function _M.act(monitor)
  local now = monitor:now()
  for _, entry in ipairs(monitor:entries()) do
    local due = (entry.retry_at or entry.recheck_at or 0) <= now
    if due and _M.is_undecided(monitor, entry) and not monitor:is_ending() then
      entry.retry_at, entry.recheck_at = nil, nil
      local event, reason = policy.verdict(monitor.config, entry)
      if event then
        monitor:decide(event, entry, reason)
      else
        recovery.try(monitor, entry)
      end
    end
  end
end

-- --- the whole -----------------------------------------------------------

local function forget_old(monitor)
  local from = monitor:now() - monitor.config.window_s - REMEMBER_S
  for _, entry in ipairs(monitor:entries()) do
    local at = entry.sent and entry.sent.at or math.max(entry.noted_at, entry.last_at)
    if at < from then
      monitor:forget(entry)
    end
  end
end

local function count_workflows(monitor)
  local count = 0
  monitor:each_workflow(function()
    count = count + 1
  end)
  return count
end

--- What there is now, for reports.
function _M.measure(monitor)
  local report = monitor.report
  report.open, report.running = 0, recovery.count_running(monitor)
  for _, entry in pairs(monitor.state.runs) do
    if monitor:is_open(entry) then
      report.open = report.open + 1
    end
  end
end

local function summary_of(report)
  if report.err then
    return "incomplete: " .. reading.reason(report.err)
  end
  local text = format("%d projects, %d workflows, %d failed, %d being recovered", report.projects, report.workflows,
    report.open, report.running)
  return report.complete and text or "incomplete: " .. text
end

--- Leaves everything behind as it is now.
function _M.finish(monitor)
  _M.measure(monitor)
  metrics.write(monitor)
end

--- A round.
-- @tparam table monitor
-- @tparam table report zeros, to be filled; see monitor:round
function _M.run(monitor, report)
  local started_at = monitor:now()
  report.complete, report.projects, report.unreadable, report.refused = true, 0, 0, false
  monitor.report, monitor.seen = report, {}
  read_all(monitor)
  report.workflows = count_workflows(monitor)
  recovery.follow(monitor)
  watch_for_storm(monitor)
  monitor:renew_budget()
  _M.act(monitor)
  forget_old(monitor)
  if report.complete then
    monitor.state.last_complete_at = started_at
  end
  monitor:save()
  _M.finish(monitor)
  monitor:say("round", nil, summary_of(report))
end

return _M

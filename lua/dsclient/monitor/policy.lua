--- What is done about a failed run, as far as it can be told without asking the
-- server; recovery.lua asks the rest.

local glob = require "dsclient.glob"

local format = string.format

local _M = {}

--- Is a project of this name watched?
function _M.is_watched_project(config, name)
  return glob.any(config.projects, name) and not glob.any(config.exclude_projects, name)
end

--- Is a workflow of this name, if it is known, watched?
function _M.is_watched(config, project, workflow)
  return _M.is_watched_project(config, project)
    and not (workflow and glob.any_pair(config.exclude_workflows, project, workflow))
end

--- What the rules say of a workflow.
-- @treturn any nil where they say nothing
local function setting(config, entry, name)
  for _, rule in ipairs(config.rules) do
    if rule[name] ~= nil and entry.workflow and glob.any_pair(rule.globs, entry.project, entry.workflow) then
      return rule[name]
    end
  end
end

--- How often a run may be tried.
function _M.max_attempts(config, entry)
  return setting(config, entry, "max_attempts") or config.max_attempts
end

--- Attempts so far: a lost state file repeats nothing, as runTimes counts too.
function _M.attempts(entry)
  return math.max(entry.attempts or 0, entry.run_times - 1)
end

local function has(list, value)
  for _, one in ipairs(list) do
    if one == value then
      return true
    end
  end
  return false
end

--- Does a run in this state count as failed?
function _M.is_failed(config, entry, state)
  return state == "FAILURE" or has(setting(config, entry, "states") or {}, state)
end

--- The states in which a project has failed runs.
-- @treturn table array of names
function _M.failed_states(config, project)
  local states = { "FAILURE" }
  for _, rule in ipairs(config.rules) do
    if glob.any({ rule.globs[1].project }, project) then
      for _, state in ipairs(rule.states or {}) do
        if not has(states, state) then
          states[#states + 1] = state
        end
      end
    end
  end
  return states
end

--- Is this a run of a backfill? A recovered one tells by its history only,
-- which lists show from 3.2 on.
function _M.is_backfill(row)
  return row.commandType == "COMPLEMENT_DATA" or row.complementData == true
    or (row.historyCmd or ""):find("^COMPLEMENT_DATA") ~= nil
end

local BACKFILL = "backfill: its runs are recovered where a rule says so"

--- What the details of a run say against touching it.
-- @treturn string|nil reason
function _M.untouchable(config, entry, row)
  if row.isSubWorkflow == "YES" then
    return "sub_workflow: the run above it is to be recovered"
  elseif _M.is_backfill(row) and not setting(config, entry, "backfill") then
    return BACKFILL
  end
end

local function is_allowed(config, entry)
  local said = setting(config, entry, "recover")
  if said == nil then
    return glob.any_pair(config.recover, entry.project, entry.workflow)
  end
  return said
end

--- The decision on a failed run.
-- @treturn string|nil the event that says it; nil: it is to be recovered
-- @treturn string its reason
function _M.verdict(config, entry)
  local attempts, allowed = _M.attempts(entry), _M.max_attempts(config, entry)
  if attempts >= allowed then
    return "skipped", format("max_attempts: %d of %d", attempts, allowed)
  elseif entry.backfill and not setting(config, entry, "backfill") then
    return "skipped", BACKFILL
  elseif config.observes then
    return "would_recover", "observe"
  elseif not entry.workflow then
    return "skipped", "not_allowed: the name of its workflow can't be read"
  elseif not is_allowed(config, entry) then
    return "skipped", "not_allowed"
  elseif entry.known and not config.recover_existing then
    return "skipped", "known: it had failed before this monitor's first start"
  end
end

--- May a run of this workflow be recovered at all?
function _M.is_recoverable(config, project, workflow)
  return not config.observes and is_allowed(config, { project = project, workflow = workflow })
end

--- Are more workflows failed than a monitor should repair?
function _M.is_storm(config, failed, watched)
  return failed > math.max(config.storm_min, config.storm_share * watched)
end

return _M

--- What a monitor reads of the server: projects, failed runs, one run as it
-- is now. What a decision to act rests on is never cached.

local policy = require "dsclient.monitor.policy"
local zones = require "dsclient.monitor.zones"

local _M = {}

-- A filter's times are read in the zone of the token's user, answers are
-- printed in the server's: zones are at most 26 h apart.
local ZONES_S = 26 * 3600

-- A run that is looked for by its name, or the latest ones of a workflow.
local FEW_ROWS = 20

local NOT_FOUND = 50001 -- of a run

--- The projects that are watched, by the cached list.
-- @treturn table|nil array of rows; or nil, err
function _M.projects(monitor)
  local rows, err = monitor.client.projects:list({}, { borrow = true })
  if not rows then
    return nil, err
  end
  local watched = {}
  for _, row in ipairs(rows) do
    if policy.is_watched_project(monitor.config, row.name) then
      watched[#watched + 1] = row
    end
  end
  table.sort(watched, function(a, b)
    return a.name < b.name
  end)
  return watched
end

--- When a run last began or ended, as far as the row tells.
function _M.last_at(monitor, row)
  local latest
  for _, key in ipairs { "started_at", "restarted_at", "ended_at" } do
    local at = zones.at(monitor, row, key)
    if at and (not latest or at > latest) then
      latest = at
    end
  end
  return latest
end

--- Calls `act` with each row of all pages of a list.
-- @treturn boolean|nil true; or nil, err
local function each_row(pages, act)
  local rows, err = pages.next()
  while rows do
    for _, row in ipairs(rows) do
      act(row)
    end
    rows, err = pages.next()
  end
  if err then
    return nil, err
  end
  return true
end

--- The failed runs of a project: all pages, or an error.
-- @tparam table window news, from, to; see windows.lua
-- @tparam function is_known (row) → is it to be told, though it is no news?
function _M.failed_runs(monitor, project, window, is_known)
  local failed = {}
  for _, state in ipairs(policy.failed_states(monitor.config, project.name)) do
    local pages = monitor.client.instances:pages {
      project = project.code,
      state = state,
      start_date = window.from - ZONES_S,
      end_date = window.to + ZONES_S,
    }
    local ok, err = each_row(pages, function(row)
      local at = _M.last_at(monitor, row)
      if not at or at >= window.news or is_known(row) then
        failed[#failed + 1] = row
      end
    end)
    if not ok then
      return nil, err
    end
  end
  return failed
end

--- When the oldest run of a project in a state began.
-- @treturn number|boolean|nil seconds since 1970; false: there is none; or nil,
--   err
function _M.oldest_start(monitor, project, state)
  local oldest = false
  local pages = monitor.client.instances:pages { project = project.code, state = state }
  local ok, err = each_row(pages, function(row)
    local at = zones.at(monitor, row, "started_at")
    if at and (not oldest or at < oldest) then
      oldest = at
    end
  end)
  if not ok then
    return nil, err
  end
  return oldest
end

--- The names of the workflows of a project by code, from the cached list; read
-- again when a code is not there.
-- @tparam table rows runs whose workflows are needed
-- @treturn table|nil code → name; or nil, err
function _M.workflow_names(monitor, project, rows)
  local names, list, err, meta
  local function fill(opts)
    list, err, meta = monitor.client.workflows:simple_list({ project = project.code }, opts)
    names = list and {}
    for _, workflow in ipairs(list or {}) do
      names[workflow.code] = workflow.name
    end
  end
  fill { borrow = true }
  for _, row in ipairs(rows) do
    if names and not names[row.workflowDefinitionCode] and meta.cached then
      fill { borrow = true, refresh = true }
    end
  end
  return names, err
end

local function find(rows, id)
  for _, row in ipairs(rows) do
    if row.id == id then
      return row
    end
  end
end

--- Is it sure that there is no such run any more?
function _M.is_gone(err)
  return err.kind == "api" and err.code == NOT_FOUND
end

--- One run with all that is known of it, by its id: with its definition, large.
-- @treturn table|nil row; or nil, err
function _M.details(monitor, entry)
  return monitor.client.instances:get { project = entry.project_code, instance_id = entry.id }
end

--- One run as it is now: by its name from the list, which is small; by its id
-- where that does not show it.
-- @treturn table|nil row; or nil, err
function _M.run(monitor, entry)
  local rows, err = monitor.client.instances:pages({
    project = entry.project_code,
    search = entry.name,
    page_size = FEW_ROWS,
  }).next()
  if err then
    return nil, err
  end
  local row = find(rows or {}, entry.id)
  if row then
    return row
  end
  return _M.details(monitor, entry)
end

local ENDED_WELL = { SUCCESS = true, FORCED_SUCCESS = true }

--- Did this run end well?
function _M.is_good(row)
  return ENDED_WELL[row.state] or false
end

-- A repeated run keeps its id and begins anew.
local function is_later(monitor, row, entry)
  return row.id > entry.id or (zones.at(monitor, row, "started_at") or 0) > (entry.started_at or math.huge)
end

--- The run that supersedes this one: a later run of the same workflow that is
-- under way or ended well.
-- @treturn table|boolean|nil its row, or false; or nil, err
function _M.superseding(monitor, entry)
  local pages = monitor.client.instances:pages {
    project = entry.project_code,
    workflow = entry.workflow_code,
    page_size = FEW_ROWS,
  }
  local rows, err = pages.next()
  while rows and rows[1] do
    for _, row in ipairs(rows) do
      if is_later(monitor, row, entry) and (row.running or _M.is_good(row)) then
        return row
      end
    end
    -- the latest stand first
    if find(rows, entry.id) or not is_later(monitor, rows[#rows], entry) then
      return false
    end
    rows, err = pages.next()
  end
  if err then
    return nil, err
  end
  return false
end

local function find_definition(monitor, entry, search)
  local args = { project = entry.project_code, search = search }
  local rows, err = monitor.client.workflows:list(args, { cache = false })
  for _, row in ipairs(rows or {}) do
    if row.code == entry.workflow_code then
      return row
    end
  end
  return rows and false, err
end

--- The definition of the run as it is now. A name that has changed, or that the
-- server's search does not take literally, is looked for in the whole list.
-- @treturn table|boolean|nil its row, or false; or nil, err
function _M.definition(monitor, entry)
  local row, err = find_definition(monitor, entry, entry.workflow)
  if row == false then
    row, err = find_definition(monitor, entry)
  end
  return row, err
end

-- No answer, or none of a server that works: nothing more can be read now.
local OUT_OF_REACH = { connect = true, dns = true, tls = true, breaker_open = true, closed = true, auth = true }

function _M.is_out_of_reach(err)
  return OUT_OF_REACH[err.kind] or false
end

local NO_PERMISSION = { [30001] = true, [30002] = true }

--- Does the server refuse the token, or its user the right?
function _M.is_refused(err)
  return err.kind == "auth" or err.kind == "api" and NO_PERMISSION[err.code] or false
end

--- An error as the reason of an event: its kind, then what was said.
function _M.reason(err)
  local said = err.message or ""
  if err.code then
    said = string.format("%d %s", err.code, said)
  elseif said == "" and err.status then
    said = string.format("HTTP %d", err.status)
  end
  return err.kind .. ": " .. said
end

return _M

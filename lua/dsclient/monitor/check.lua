--- `dsmonitor check`: can a monitor with this configuration do its work? Reads,
-- and writes nothing.

local configs = require "dsclient.monitor.config"
local policy = require "dsclient.monitor.policy"
local reading = require "dsclient.monitor.reading"
local zones = require "dsclient.monitor.zones"

local format = string.format

local _M = {}

-- A master reports every 10 s. A report that is older, or comes from the
-- future, means clocks that differ.
local HEARTBEAT_S = 30

local WRITE = 4 -- the bit of `perm`: 7 is all, 2 reading (3.2 and later)

local LINES = { process = "up to 3.2 (process-*)", workflow = "3.3 or later (workflow-*)" }

--- May the user act on the runs of a project? As far as its row tells.
local function may_execute(user, project)
  local perm = tonumber(project.perm) or 0
  return user.userType == "ADMIN_USER" or project.userId == user.id or math.floor(perm / WRITE) % 2 == 1
end

local function check_server(check)
  local about, err = check.client:check_connection()
  local user
  if about then
    user, err = check.client.users:current({})
  end
  if not user then
    return nil, err
  end
  check.user = user
  local version = about.version and ", says it is " .. about.version or ""
  check:tell("server", "%s, %s%s", check.client.api_url, LINES[about.dialect], version)
  check:tell("user", "%s%s", user.userName, user.userType == "ADMIN_USER" and ", an admin" or "")
  return true
end

local function check_times(check)
  local zone, _, told_at = zones.measure(check.client)
  local configured = check.config.zone
  check:tell("zones", "filters are read in %s, the user's; answers are printed in %s", check.user.timeZone or "UTC",
    configured and configured.name .. " (configured)" or zone and zone.name .. " (measured)" or "UTC (assumed)")
  if not told_at then
    return check:tell("clock", "no master tells its time: not compared")
  end
  local age_s = check.now() - told_at
  local right = age_s >= -HEARTBEAT_S and age_s <= HEARTBEAT_S
  check:tell("clock", right and "as this machine's" or "%.0f s %s this machine's", math.abs(age_s),
    age_s > 0 and "behind" or "ahead of")
end

--- Counts the workflows of a project that are watched, and that may be
-- recovered.
local function count(check, project, names)
  local watched, recoverable = 0, 0
  for _, name in pairs(names) do
    if policy.is_watched(check.config, project.name, name) then
      watched = watched + 1
      recoverable = recoverable + (policy.is_recoverable(check.config, project.name, name) and 1 or 0)
    end
  end
  return watched, recoverable
end

local function check_project(check, project)
  local _, err = check.client.instances:pages({ project = project.code, page_size = 1 }).next()
  local names
  if not err then
    names, err = reading.workflow_names(check, project, {})
  end
  if err then
    check.problems = check.problems + 1
    return check:tell("project", "%s: NOT readable: %s", project.name, reading.reason(err))
  end
  local watched, recoverable = count(check, project, names)
  local executable = may_execute(check.user, project)
  if recoverable > 0 and not executable then
    check.problems = check.problems + 1
  end
  check.watched, check.recoverable = check.watched + watched, check.recoverable + recoverable
  check:tell("project", "%s: readable, %s, %d workflows watched, %d recoverable", project.name,
    executable and "executable" or "NOT executable", watched, recoverable)
end

local Check = {}
Check.__index = Check

--- A line: what it is about, and what is found.
function Check:tell(label, text, ...)
  self.write(format("%-8s ", label .. ":") .. format(text, ...):gsub("%c", "?") .. "\n")
end

--- Looks, and tells.
-- @tparam userdata client
-- @tparam table given the options of the monitor
-- @tparam function write takes lines
-- @tparam function now seconds since 1970
-- @treturn boolean|nil is all well? nil, err: nothing could be read
function _M.run(client, given, write, now)
  given.dry_run = true -- no state is needed
  local check = setmetatable({
    client = client,
    config = configs.check(given),
    write = write,
    now = now,
    problems = 0,
    watched = 0,
    recoverable = 0,
  }, Check)
  local ok, err = check_server(check)
  if not ok then
    return nil, err
  end
  check_times(check)
  local projects
  projects, err = reading.projects(check)
  if not projects then
    return nil, err
  end
  for _, project in ipairs(projects) do
    check_project(check, project)
  end
  check:tell("all", "%d projects, %d workflows watched, %d recoverable%s", #projects, check.watched, check.recoverable,
    check.problems > 0 and format("; projects NOT as needed: %d", check.problems) or "")
  return check.problems == 0
end

return _M

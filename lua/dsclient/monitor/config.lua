--- What a monitor is told: checked, with defaults, globs taken apart.

local errors = require "dsclient.errors"
local events = require "dsclient.monitor.events"
local glob = require "dsclient.glob"
local options = require "dsclient.options"
local tz = require "dsclient.tz"

local format = string.format

local _M = {}

local DAY_S = 86400

--- The options of `monitor.new`. Times are in seconds.
_M.RULES = {
  -- which projects are watched, and which projects or PROJECT/WORKFLOWs not
  projects = { type = "list", item = "string", default = { "*" } },
  exclude = { type = "list", item = "string", default = {} },
  -- what is recovered, as PROJECT/WORKFLOW globs; without any, nothing is
  recover = { type = "list", item = "string", default = {} },
  -- what else holds for some workflows; see WORKFLOW_RULES
  rules = { type = "list", item = "table", default = {} },
  -- failures that were there at the first start, too
  recover_existing = { type = "boolean", default = false },
  dry_run = { type = "boolean", default = false },
  -- attempts on one run; those of others count, too
  max_attempts = { type = "integer", min = 1, max = 100, default = 3 },
  max_recoveries_per_round = { type = "integer", min = 1, max = 10000, default = 5 },
  max_running_recoveries = { type = "integer", min = 1, max = 10000, default = 10 },
  -- before the second attempt on a run; doubles with each further one
  cooldown_s = { type = "number", min = 0, max = DAY_S, default = 60 },
  -- with more failed workflows than both of these, nothing is recovered: a
  -- number, and a share of those that are watched
  storm_min = { type = "integer", min = 0, max = 1000000, default = 10 },
  storm_share = { type = "number", min = 0, max = 1, default = 0.2 },
  interval_s = { type = "number", min = 0.1, max = DAY_S, default = 60 },
  window_s = { type = "number", min = 60, max = 366 * DAY_S, default = DAY_S },
  -- how long `once` waits for the outcomes of its recoveries
  wait_s = { type = "number", min = 0, max = DAY_S, default = 900 },
  -- JSON, with a lock file beside it; recovering needs it
  state_file = { type = "string" },
  -- of the server's answers: a name or an offset; measured where not given
  server_timezone = { type = "string" },
  -- for the textfile collector of Prometheus' node_exporter
  metrics_file = { type = "string" },
}

--- What only code can give.
local HOOKS = {
  -- event name → function(event); `event` gets all of them
  on = { type = "table", default = {} },
  -- function(level, message): diagnostics
  log = { type = "function" },
  -- keeps the state where no state_file does; see state.lua
  store = { type = "object", methods = { "read", "write", "keep", "paused", "close" } },
  -- function(text): what metrics_file has, after each round
  metrics = { type = "function" },
  -- the outside: seconds since 1970; a wait that a signal ends early; is the
  -- monitor to end?
  now = { type = "function" },
  sleep = { type = "function" },
  stopped = { type = "function" },
}

--- What a rule can say of the workflows it matches. Of several rules the first
-- one that says something about a setting decides.
local WORKFLOW_RULES = {
  match = { type = "string" }, -- PROJECT/WORKFLOW globs
  recover = { type = "boolean" },
  max_attempts = _M.RULES.max_attempts,
  -- states beside FAILURE that count as failed; STOP and KILL are resumed
  states = { type = "list", item = "choice", values = { "STOP", "KILL", "NEED_FAULT_TOLERANCE" } },
  -- runs of a backfill (COMPLEMENT_DATA), too
  backfill = { type = "boolean" },
}

local UNITS = { [""] = 1, s = 1, m = 60, h = 3600, d = DAY_S }

--- "30", "30s", "5m", "24h", "7d" in seconds.
-- @treturn number|nil
function _M.duration(text)
  local number, unit = text:match "^(%d+%.?%d*)(%a?)$"
  local factor = number and UNITS[unit]
  return factor and tonumber(number) * factor
end

local function fail(name, message)
  errors.throw(format("monitor.new: option %q: %s", name, message))
end

local function parse_pair(name, text)
  return glob.pair(text) or fail(name, format("PROJECT/WORKFLOW expected, got %q", text))
end

local function parse_pairs(name, texts)
  local parsed = {}
  for i, text in ipairs(texts) do
    parsed[i] = parse_pair(name, text)
  end
  return parsed
end

--- A glob with a slash excludes workflows, one without whole projects.
local function split_exclude(globs)
  local projects, workflows = {}, {}
  for _, text in ipairs(globs) do
    local list = text:find("/", 1, true) and workflows or projects
    list[#list + 1] = text
  end
  return projects, parse_pairs("exclude", workflows)
end

local function parse_rules(given)
  local rules = {}
  for i, rule in ipairs(given) do
    local name = format("rules[%d]", i)
    rules[i] = options.check("monitor.new: " .. name, rule, WORKFLOW_RULES)
    if not rule.match then
      fail(name, '"match" is missing: for which PROJECT/WORKFLOWs?')
    end
    rules[i].globs = { parse_pair(name, rule.match) }
  end
  return rules
end

local function check_callbacks(callbacks)
  local rules = { event = { type = "function" } }
  for _, name in ipairs(events.NAMES) do
    rules[name] = rules.event
  end
  options.verify("monitor.new: on", callbacks, rules)
end

local function recovers_nothing(config)
  for _, rule in ipairs(config.rules) do
    if rule.recover then
      return false
    end
  end
  return #config.recover == 0
end

local ALL_RULES = {}
for _, rules in ipairs { _M.RULES, HOOKS } do
  for name, rule in pairs(rules) do
    ALL_RULES[name] = rule
  end
end

--- Checks the options; a wrong one throws.
-- @treturn table
function _M.check(given)
  local config = options.check("monitor.new", given or {}, ALL_RULES)
  check_callbacks(config.on)
  config.recover = parse_pairs("recover", config.recover)
  config.rules = parse_rules(config.rules)
  config.exclude_projects, config.exclude_workflows = split_exclude(config.exclude)
  config.observes = recovers_nothing(config)
  if not config.observes and not config.dry_run and not config.state_file then
    fail("recover", "recovering needs a state_file, which tells what was sent already")
  end
  if config.server_timezone then
    local message
    config.zone, message = tz.load(config.server_timezone)
    if not config.zone then
      fail("server_timezone", message)
    end
  end
  return config
end

-- --- files ---------------------------------------------------------------

--- The value of Lua text that can reach nothing.
local function evaluate(text, path)
  local name = "@" .. path
  if text:byte(1) == 27 then
    return nil, path .. ": compiled code, not text"
  end
  local chunk, message
  if setfenv then -- Lua 5.1 and LuaJIT
    chunk, message = loadstring(text, name)
    chunk = chunk and setfenv(chunk, {})
  else
    chunk, message = load(text, name, "t", {})
  end
  if not chunk then
    return nil, message
  end
  local ok, value = pcall(chunk)
  if not ok then
    return nil, tostring(value)
  end
  return value
end

--- The names of options in a file: durations have no "_s" there, and may have a
-- unit.
local function file_names(rules)
  local names = {}
  for name, rule in pairs(rules) do
    names[name:gsub("_s$", "")] = { name = name, rule = rule }
  end
  return names
end

--- Reads the options in a file: Lua text that returns a table.
-- @tparam table rules name → rule, of all the options that may be there
-- @treturn table|nil options; or nil and a message
function _M.load(path, rules)
  local file, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local text = file:read "*a"
  file:close()
  local given
  given, message = evaluate(text or "", path)
  if type(given) ~= "table" then
    return nil, message or path .. ": return { … } expected"
  end
  local by_name, names, loaded = {}, file_names(rules), {}
  for name, entry in pairs(names) do
    by_name[name] = entry.rule
    local seconds = entry.name ~= name and type(given[name]) == "string" and _M.duration(given[name])
    given[name] = seconds or given[name]
  end
  options.verify(path, given, by_name)
  for name, value in pairs(given) do
    loaded[names[name].name] = value
  end
  return loaded
end

return _M

--- The command dsmonitor: arguments in, events out, an exit status.

local checks = require "dsclient.monitor.check"
local configs = require "dsclient.monitor.config"
local dsclient = require "dsclient"
local events = require "dsclient.monitor.events"
local monitors = require "dsclient.monitor"
local reading = require "dsclient.monitor.reading"
local report = require "dsclient.report"

local format = string.format

local _M = {}

--- The exit statuses.
local HEALTHY, FAILED, USAGE, UNREACHABLE, REFUSED, HELD = 0, 1, 2, 3, 4, 5

local EPILOG = [[
PROJECT and WORKFLOW are names or globs (* any text, ? one character); durations are 30, 30s, 5m, 24h, 7d.
DS_API_URL and DS_TOKEN of the environment are used where the options don't say otherwise.
`dsmonitor check` tells what the token's user may read and recover with these options, and changes nothing.
While a file STATE.pause exists, nothing is recovered; the text in it is the reason.

Exit status: 0 ended by a signal, or with --once: nothing is failed; 1 failed and not recovered; 2 wrong usage; 3 the
server can't be read; 4 the token or its user is refused; 5 the state can't be used, or another monitor holds it.]]

-- --- arguments -----------------------------------------------------------

local function seconds(text)
  local value = configs.duration(text)
  return value, format("'%s' is no duration such as 30s, 5m or 24h", text)
end

-- {flag, name of the value, what it is, the name of the option of the monitor
-- or of the client that it becomes}.
local OPTIONS = {
  { "--api-url", "URL", "the server, such as http://ds:12345/dolphinscheduler", "api_url" },
  { "--token-file", "FILE", "where the access token stands, in the first line", "token_file" },
  { "--config", "FILE", "these options, and more, from a Lua table; flags win", "config" },
  { "--project", "GLOB", "watch these projects (all)", "projects", many = true },
  { "--exclude", "GLOB", "do not watch these projects, or PROJECT/WORKFLOWs", "exclude", many = true },
  { "--recover", "PROJECT/WORKFLOW", "recover these; without any, nothing is recovered", "recover", many = true },
  { "--interval", "TIME", "between two rounds (60s)", "interval_s", convert = seconds },
  { "--window", "TIME", "runs that began or ended so long ago are looked at (24h)", "window_s", convert = seconds },
  { "--wait", "TIME", "with --once: wait so long for the outcomes of recoveries (15m)", "wait_s", convert = seconds },
  { "--state", "FILE", "what is remembered (in $STATE_DIRECTORY, or ~/.local/state/dsmonitor)", "state_file" },
  { "--metrics-file", "FILE", "metrics for the textfile collector of node_exporter", "metrics_file" },
  { "--stats-every", "TIME", "print the report so often; SIGUSR1 prints it, too", "stats_every_s", convert = seconds },
  { "--lang", "en|zh", "the language of the report (en)", "lang", choices = { "en", "zh" } },
}

local FLAGS = {
  { "--once", "one round, then the outcomes of its recoveries, then an end", "once" },
  { "--dry-run", "say what would be recovered, and do nothing", "dry_run" },
  { "--recover-existing", "recover what had failed before the first start, too", "recover_existing" },
  { "--json", "events as JSON, one object a line", "json" },
}

local function new_parser()
  local parser = require "argparse"("dsmonitor", "Finds failed workflow runs of Apache DolphinScheduler, and recovers "
    .. "those it may, once.", EPILOG)
  for _, option in ipairs(OPTIONS) do
    local made = parser:option(option[1], option[3]):argname("<" .. option[2] .. ">"):target(option[4])
    if option.many then
      made:args "+":count "*"
    end
    if option.convert then
      made:convert(option.convert)
    end
    if option.choices then
      made:choices(option.choices)
    end
  end
  for _, flag in ipairs(FLAGS) do
    parser:flag(flag[1], flag[2]):target(flag[3])
  end
  parser:require_command(false):command_target "command"
  parser:command("check", "tell what this monitor may read and recover, and change nothing")
  return parser
end

--- All values of an option that was given several times, with several each.
local function flatten(lists)
  local flat = {}
  for _, list in ipairs(lists) do
    for _, value in ipairs(list) do
      flat[#flat + 1] = value
    end
  end
  return flat[1] and flat or nil
end

-- What a --config file may hold beside the options of a monitor.
local FILE_RULES = {
  api_url = { type = "string" },
  token_file = { type = "string" },
  stats_every_s = { type = "number", min = 1, max = 1e9 },
  lang = { type = "choice", values = { "en", "zh" } },
  once = { type = "boolean" },
  json = { type = "boolean" },
}
for name, rule in pairs(configs.RULES) do
  FILE_RULES[name] = rule
end

--- A wrong option throws; who gave it wants the message only.
local function checked(fn, ...)
  local ok, result, err = pcall(fn, ...)
  if not ok then
    return nil, tostring(result):gsub("^[^\n]-:%d+: ", "")
  end
  return result, err
end

--- Options of the command line, and below them those of the file.
-- @treturn table|nil; or nil and a message
local function read_arguments(parser, arguments)
  local ok, args = parser:pparse(arguments)
  if not ok then
    return nil, parser:get_usage() .. "\n" .. args
  end
  for _, name in ipairs { "projects", "exclude", "recover" } do
    args[name] = flatten(args[name])
  end
  if args.config then
    local loaded, message = checked(configs.load, args.config, FILE_RULES)
    if not loaded then
      return nil, message
    end
    for name, value in pairs(loaded) do
      if args[name] == nil then
        args[name] = value
      end
    end
  end
  args.lang = args.lang or "en"
  return args
end

--- Where the state stands when nobody says so: for each server a file.
-- @treturn string|nil
local function default_state_file(outside, api_url)
  local name = api_url:gsub("^%a+://", ""):gsub("[^%w.-]+", "_") .. ".json"
  local folder = (outside.getenv "STATE_DIRECTORY" or ""):match "^[^:]+"
  if not folder then
    local home = outside.getenv "HOME"
    folder = home and home .. "/.local/state/dsmonitor"
    if folder then
      os.execute("mkdir -p -m 700 '" .. folder:gsub("'", "'\\''") .. "'")
    end
  end
  return folder and folder .. "/" .. name
end

-- --- output --------------------------------------------------------------

local function style_of(outside)
  local terminal = outside.out == io.stdout and require("dsclient.sys").isatty(1)
  local no_colour = outside.getenv "NO_COLOR"
  return {
    colour = terminal and (not no_colour or no_colour == "") and outside.getenv "TERM" ~= "dumb",
    short = terminal,
  }
end

--- Events for people: a line each, a round only when it tells something new.
local function print_lines(out, style)
  local last_round
  return function(event)
    if event.event ~= "round" or event.reason ~= last_round then
      out:write(events.line(event, style), "\n")
      out:flush()
    end
    last_round = event.event == "round" and event.reason or last_round
  end
end

local function print_json(out)
  return function(event)
    out:write(events.json(event), "\n")
    out:flush()
  end
end

local function print_stats(outside, args, monitor, client)
  if args.json then
    local about = {
      stats = { monitor = monitor:totals(), api = report.summary(client), cache = client:get_cache_stats() },
    }
    return print_json(outside.out)(events.new("stats", about, nil, monitor:now()))
  end
  outside.report:write(events.summary(monitor:totals(), args.lang))
  client:print_stats(function(text)
    outside.report:write(text)
  end, { lang = args.lang })
end

-- --- running -------------------------------------------------------------

--- How `once` ends, by its report.
local function status_of(result)
  if result.refused then
    return REFUSED
  elseif not result.complete then
    return UNREACHABLE
  end
  return result.open > 0 and FAILED or HEALTHY
end

local ENDS = { "INT", "TERM", "HUP" }

--- Signals, and the clock: {ended(), wants_report()}. The first signal ends the
-- monitor after the call under way, a second one at once.
local function watch_signals()
  local sys = require "dsclient.sys"
  sys.catch("USR1", ENDS[1], ENDS[2], ENDS[3])
  local came = false
  return {
    ended = function()
      for _, name in ipairs(ENDS) do
        came = sys.caught(name) > 0 or came
      end
      if came then
        sys.release()
      end
      return came
    end,
    wants_report = function()
      return sys.caught "USR1" > 0
    end,
  }
end

local function make_client(outside, args)
  return checked(outside.client or dsclient.from_env, {
    api_url = args.api_url,
    token_file = args.token_file,
    log = outside.log,
  })
end

--- The options of the monitor among those of the command.
local function monitor_options(args)
  local options = {}
  for name in pairs(configs.RULES) do
    options[name] = args[name]
  end
  return options
end

local function make_monitor(outside, args, client, stopped)
  local options = monitor_options(args)
  if (args.recover or args.rules) and not args.dry_run then
    options.state_file = options.state_file or default_state_file(outside, client.api_url)
  end
  options.on = { event = args.json and print_json(outside.out) or print_lines(outside.out, style_of(outside)) }
  options.log, options.stopped, options.now, options.sleep = outside.log, stopped, outside.now, outside.sleep
  return checked(monitors.new, client, options)
end

--- Prints the report on a signal, and every so often; asked between two calls.
local function reporter(outside, args, client, signals)
  local due
  return function(monitor)
    local now = monitor:now()
    due = due or now + (args.stats_every_s or math.huge)
    if signals.wants_report() or now >= due then
      due = now + (args.stats_every_s or math.huge)
      print_stats(outside, args, monitor, client)
    end
  end
end

local function watch(outside, args, client)
  local signals = outside.signals or watch_signals()
  local report_if_due = reporter(outside, args, client, signals)
  local monitor, problem
  monitor, problem = make_monitor(outside, args, client, function()
    report_if_due(monitor)
    return signals.ended()
  end)
  if not monitor then
    outside.diagnose(tostring(problem))
    return type(problem) == "table" and HELD or USAGE
  end
  local result
  if args.once then
    result = monitor:once()
  else
    monitor:run()
  end
  local status = result and not monitor:is_ending() and status_of(result) or HEALTHY
  print_stats(outside, args, monitor, client)
  monitor:close()
  return status
end

local function check(outside, args, client)
  local now = outside.now or require("dsclient.sys").now
  local well, err = checked(checks.run, client, monitor_options(args), function(text)
    outside.out:write(text)
  end, now)
  if well ~= nil then
    return well and HEALTHY or REFUSED
  end
  outside.diagnose(tostring(err))
  if type(err) == "string" then
    return USAGE
  end
  return reading.is_refused(err) and REFUSED or UNREACHABLE
end

--- Runs the command.
-- @tparam table arguments as on the command line
-- @tparam table outside what a test, or a program with a monitor inside, puts
--   in place of the real one: out, err, report (files), getenv, client (a
--   function of client options), now, sleep, signals {ended(), wants_report()}
-- @treturn number the exit status
function _M.main(arguments, outside)
  outside = setmetatable(outside or {}, { __index = { out = io.stdout, err = io.stderr, getenv = os.getenv } })
  outside.report = outside.report or outside.err
  function outside.diagnose(message)
    outside.err:write("dsmonitor: ", message, "\n")
  end
  function outside.log(level, message)
    if level ~= "info" then
      outside.diagnose(message)
    end
  end
  local args, message = read_arguments(new_parser(), arguments)
  if not args then
    outside.diagnose(message)
    return USAGE
  end
  local client, problem = make_client(outside, args)
  if not client then
    outside.diagnose(type(problem) == "table" and problem.argument == "DS_API_URL"
      and "which server? Give --api-url, or DS_API_URL in the environment" or tostring(problem))
    return USAGE
  end
  local status = (args.command and check or watch)(outside, args, client)
  client:close()
  return status
end

return _M

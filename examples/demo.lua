-- What `make monitor` runs: dsmonitor on a sandbox server with workflows that
-- fail, live until Ctrl-C. SECONDS=20 ends it by itself; DRY_RUN=1 only
-- observes.

local command = require "dsclient.monitor.command"
local dsclient = require "dsclient"
local sandbox = require "dsclient.sandbox"
local sys = require "dsclient.sys"

local SIGNALS = { "INT", "TERM", "HUP" }
local PAUSE_S = 2 -- to read what was observed

local seconds = tonumber(os.getenv "SECONDS" or "") or math.huge
local dry_run = (os.getenv "DRY_RUN" or "") ~= ""
local ends_at = sys.monotonic() + seconds
local stopped = false

local function is_stopped()
  for _, name in ipairs(SIGNALS) do
    stopped = sys.caught(name) > 0 or stopped
  end
  return stopped or sys.monotonic() >= ends_at
end

local function sleep(time_s)
  sys.sleep(math.max(0, math.min(time_s, ends_at - sys.monotonic())))
end

--- Shows a command line and runs it, in this process.
local function dsmonitor(box, report, ...)
  local words = { ... }
  print("\n$ dsmonitor --api-url " .. box.url .. " " .. table.concat(words, " "):gsub("%*/%*", "'*/*'") .. "\n")
  return command.main(words, {
    report = report,
    sleep = sleep,
    signals = {
      ended = is_stopped,
      wants_report = function() end,
    },
    client = function(options)
      options.api_url, options.token = box.url, box.token
      return dsclient.new(options)
    end,
  })
end

local NOWHERE = { write = function() end }

local function show(box, state_file)
  print "A sandbox server with 3 projects of 4 workflows each: some fail once, some always."
  if dry_run then
    print "Without --recover it only observes. Ctrl-C ends it."
    return dsmonitor(box, io.stdout, "--interval", "2s")
  end
  print "Without --recover it only observes:"
  dsmonitor(box, NOWHERE, "--once")
  sleep(PAUSE_S)
  print "\nWith --recover it recovers what is on the list, and follows the outcome. Ctrl-C ends it."
  return dsmonitor(box, io.stdout, "--recover", "*/*", "--recover-existing", "--state", state_file,
    "--interval", "2s")
end

io.stdout:setvbuf "line"
sys.catch(SIGNALS[1], SIGNALS[2], SIGNALS[3])
local state_file = os.tmpname()
os.remove(state_file)
local box = sandbox.start { workflows = 4, kinds = { "good", "flaky", "late", "broken" }, every_s = 24 }
local ok, status = xpcall(show, debug.traceback, box, state_file)
box:stop()
os.remove(state_file)
os.remove(state_file .. ".lock")
if not ok then
  io.stderr:write(status, "\n")
end
os.exit(ok and status or 1, true)

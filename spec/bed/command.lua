--- The fault bed's commands: see `make soak`.
--
--   command.lua soak SECONDS       goes on for so long, and looks at memory
--   command.lua worker SEED COUNT  so many rounds, for those who plant faults

local curl = require "dsclient.curl"
local rounds = require "spec.bed.rounds"

local format = string.format

-- What the process may grow by, over the second half: KB for each hour, and what
-- malloc may keep of its busiest moment, however short the half.
local SLOPE_KB_MAX, PAGES_KB_MAX = 512, 1024

-- So often is a line printed (s).
local LINE_S = 30

--- The line that is nearest to points (least squares), none of which is kept.
local function new_line()
  return { n = 0, x = 0, y = 0, xx = 0, xy = 0 }
end

local function add(line, x, y)
  line.n, line.x, line.y = line.n + 1, line.x + x, line.y + y
  line.xx, line.xy = line.xx + x * x, line.xy + x * y
end

local function slope(line)
  return (line.n * line.xy - line.x * line.y) / (line.n * line.xx - line.x * line.x)
end

local function print_line(at_s, sums, measured)
  print(format("%6.0f s %9d calls %8d KB %8.0f KB of Lua %4d descriptors", at_s, sums.calls, measured.rss_kb,
    measured.lua_kb, measured.descriptors))
  io.stdout:flush()
end

local commands = {}

function commands.soak(seconds)
  local from_s, half_s, told_s, line = curl.now(), seconds / 2, 0, new_line()
  local sums, failure = rounds.run(1, function(sums, _, measured)
    local at_s = curl.now() - from_s
    if measured.now and at_s >= half_s then
      add(line, at_s, measured.now.rss_kb)
    end
    if measured.now and at_s >= told_s then
      told_s = at_s + LINE_S
      print_line(at_s, sums, measured.now)
    end
    return at_s < seconds
  end)
  if failure then
    print(failure)
    return false
  end
  local kb_per_s = slope(line)
  local fine = kb_per_s * half_s <= SLOPE_KB_MAX * half_s / 3600 + PAGES_KB_MAX
  print(format("%d calls, %d requests in %.0f s; over the second half memory grows by %.0f KB an hour: %s", sums.calls,
    sums.requests, curl.now() - from_s, kb_per_s * 3600, fine and "well" or "too much"))
  return fine
end

function commands.worker(seed, count)
  local _, failure = rounds.run(seed, function(_, number)
    return number < count
  end)
  print(failure and "failure " .. failure:gsub("^seed (%d+): ", "%1 ") or "sums")
  return true
end

os.exit(commands[arg[1]](tonumber(arg[2]), tonumber(arg[3])) and 0 or 1)

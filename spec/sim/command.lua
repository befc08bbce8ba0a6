--- The simulator's command: see `make sim`.
--
--   command.lua seeds FIRST COUNT JOBS   runs seeds, in so many processes
--   command.lua seed SEED                replays one, with its trace
--   command.lua worker FIRST LAST STEP   one of the processes
--   command.lua outage SEED              an outage, see outage.lua

local marks = require "spec.sim.marks"
local minimise = require "spec.sim.minimise"
local outage = require "spec.sim.outage"
local plans = require "spec.sim.plan"
local worlds = require "spec.sim.world"

local format = string.format

-- So many failures are looked into.
local SHOWN_MAX = 3
-- With so many seeds, all that is worth being reached is reached.
local MARKED_MIN = 2000

local function print_failure(seed, failure)
  print(format("seed %d: %s: %s", seed, failure.invariant, failure.message))
end

local function print_trace(title, plan)
  local run = worlds.run(plan, true)
  print(title)
  for _, line in ipairs(plans.describe(plan)) do
    print("  " .. line)
  end
  for _, line in ipairs(run.ledger.lines) do
    print(line)
  end
  return run.failure
end

local function print_minimal(seed, invariant)
  local plan, runs = minimise.plan(seed, invariant)
  print_trace(format("what is left of it after %d runs:", runs), plan)
  print(format("replay it with: make sim SEED=%d", seed))
end

-- --- one process ---------------------------------------------------------

local function add(sums, run)
  sums.seeds = sums.seeds + 1
  sums.calls = sums.calls + #run.ledger.calls
  sums.requests = sums.requests + #run.ledger.attempts
  sums.seconds = sums.seconds + run.now_us / 1e6
end

local function report(seed, failure)
  if failure then
    print(format("failure %d %s\t%s", seed, failure.invariant, (failure.message:gsub("%c", " "))))
  end
end

-- Failures, marks and sums, a line each.
local function run_seeds(first, last, step)
  local sums, reached = { seeds = 0, calls = 0, requests = 0, seconds = 0 }, {}
  for seed = first, last, step do
    local run = worlds.run(plans.of(seed))
    add(sums, run)
    for name in pairs(run.ledger.marks) do
      reached[name] = true
    end
    report(seed, run.failure or outage.check(seed))
  end
  for name in pairs(reached) do
    print("mark " .. name)
  end
  print(format("sums %d %d %d %.0f", sums.seeds, sums.calls, sums.requests, sums.seconds))
end

-- --- many ----------------------------------------------------------------

local readers = {}

function readers.failure(total, rest)
  local seed, invariant, message = rest:match "^(%d+) ([^\t]*)\t(.*)$"
  table.insert(total.failures, { seed = tonumber(seed), invariant = invariant, message = message })
end

function readers.mark(total, rest)
  total.marks[rest] = true
end

function readers.sums(total, rest)
  local seeds, calls, requests, seconds = rest:match "^(%d+) (%d+) (%d+) (%d+)$"
  total.seeds, total.calls = total.seeds + seeds, total.calls + calls
  total.requests, total.seconds = total.requests + requests, total.seconds + seconds
end

local function read(total, pipe)
  for line in pipe:lines() do
    local kind, rest = line:match "^(%l+) (.*)$"
    if readers[kind] then
      readers[kind](total, rest)
    else
      print(line)
    end
  end
  pipe:close()
end

local function run_many(first, count, jobs)
  local total = { seeds = 0, calls = 0, requests = 0, seconds = 0, failures = {}, marks = {} }
  local pipes, last = {}, first + count - 1
  for job = 1, jobs do
    pipes[job] = io.popen(format("'%s' '%s' worker %d %d %d", arg[-1], arg[0], first + job - 1, last, jobs))
  end
  for _, pipe in ipairs(pipes) do
    read(total, pipe)
  end
  table.sort(total.failures, function(a, b)
    return a.seed < b.seed
  end)
  return total
end

local function missing_marks(total)
  local missing = {}
  for _, name in ipairs(marks) do
    if total.seeds >= MARKED_MIN and not total.marks[name] then
      missing[#missing + 1] = name
    end
  end
  return missing
end

local commands = {}

function commands.seeds(first, count, jobs)
  local started = os.time()
  local total = run_many(first, count, jobs)
  for i, failure in ipairs(total.failures) do
    if i <= SHOWN_MAX then
      print_failure(failure.seed, failure)
      print_minimal(failure.seed, failure.invariant)
    end
  end
  local missing = missing_marks(total)
  if #missing > 0 then
    print("never reached: " .. table.concat(missing, ", "))
  end
  local took_s = math.max(os.time() - started, 1)
  print(format("%d seeds from %d: %d calls, %d requests, %.0f hours of virtual time in %d s (%.0f seeds a second)",
    total.seeds, first, total.calls, total.requests, total.seconds / 3600, took_s, total.seeds / took_s))
  print(format("%d failed", #total.failures))
  return #total.failures == 0 and #missing == 0 and total.seeds == count
end

function commands.seed(seed)
  local failure = print_trace(format("seed %d", seed), plans.of(seed))
  if failure then
    print_failure(seed, failure)
    print_minimal(seed, failure.invariant)
  end
  return not failure
end

function commands.worker(first, last, step)
  run_seeds(first, last, step)
  return true
end

function commands.outage(seed)
  report(seed, (outage.run(seed)))
  print "sums"
  return true
end

os.exit(commands[arg[1]](tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4])) and 0 or 1)

--- Measures dsclient beside its peers, prints a table for each part, and
-- writes all figures as JSON. Run from the top of the tree, by `make bench`.
--
--     lua bench/run.lua ROOM OUTPUT [--short] [--beside VM]
--
-- ROOM is build/VM/bench, with what bench/*.c were made into. What was built for
-- the VM beside is measured, too. --short takes too few samples to say anything:
-- it shows that all parts work.

local cjson = require "cjson"
local curl = require "dsclient.curl"
local measure = require "bench.measure"
local uv = require "luv"

local PARTS = {
  "scenario", "scale", "idle", "faults", "deadline", "call", "work", "memory", "inside", "cache", "metrics", "json",
  "nginx",
}

-- What bench/go_call.go was made into, where Go is.
local GO = "build/bench/go_call"

-- Of each way in a part.
local ROUNDS, SHORT_ROUNDS = 7, 2
-- The part of a count that a short run keeps.
local SHORT = 0.01

local function options_of(given)
  local options, at = { room = given[1], output = given[2] }, 3
  while given[at] do
    if given[at] == "--short" then
      options.short = true
    elseif given[at] == "--beside" and given[at + 1] then
      at = at + 1
      options.beside = given[at]
    else
      return nil
    end
    at = at + 1
  end
  return options.output and options
end

local options = options_of(arg)
if not options then
  io.stderr:write("usage: lua bench/run.lua ROOM OUTPUT [--short] [--beside VM]\n")
  os.exit(2)
end

local function contents(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

local function processor()
  local model = contents "/proc/cpuinfo":match "model name%s*:%s*([^\n]+)" or "unknown processor"
  local cpu = contents "/proc/self/status":match "Cpus_allowed_list:%s*(%d+)\n"
  local system = contents "/etc/os-release":match 'PRETTY_NAME="([^"]*)"'
  return model .. (cpu and ", all on CPU " .. cpu or "") .. (system and ", " .. system or "")
end

local setup = {
  short = options.short,
  rounds = options.short and SHORT_ROUNDS or ROUNDS,
  count = function(full)
    return math.ceil(full * (options.short and SHORT or 1))
  end,
  room = options.room,
  vm = options.room:match "^build/([^/]+)/",
  lua = uv.exepath(),
  beside = options.beside,
  go = uv.fs_stat(GO) and GO or nil,
}

local began = curl.now()
local vm = jit and jit.version or _VERSION
local machine = ("%s, libcurl %s"):format(processor(), curl.version():match "libcurl/(%S+)")
-- What others did meanwhile is told: it stretches times, CPU times less.
local load_before = ("%.1f on %d processors"):format(uv.loadavg(), #uv.cpu_info())
local result = {
  vm = vm, machine = machine, load = load_before, date = os.date "!%Y-%m-%d", short = options.short or false,
  parts = {}, tables = {},
}

print(("%s; %s; load before: %s"):format(vm, machine, load_before))
if options.short then
  print "a short run: all parts work, the figures say nothing"
end
for _, name in ipairs(PARTS) do
  for _, part in ipairs(require("bench." .. name)(setup)) do
    io.stdout:write("\n", part.title, "\n")
    measure.print_table(part.lines, io.stdout)
    for _, note in ipairs(part.notes or {}) do
      io.stdout:write("  (", note, ")\n")
    end
    io.stdout:flush()
    result.parts[part.name] = part.figures
    table.insert(result.tables, { title = part.title, lines = part.lines, notes = part.notes })
  end
end
result.seconds = curl.now() - began
print(("\nin %.0f s"):format(result.seconds))

local file = assert(io.open(options.output, "w"))
file:write(cjson.encode(result), "\n")
file:close()

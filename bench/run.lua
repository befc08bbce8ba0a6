--- Measures dsclient beside its peers, prints a table for each part, and
-- writes all figures as JSON. Run from the top of the tree, by `make bench`.
--
--     lua bench/run.lua CORE OUTPUT [--short]
--
-- CORE is what bench/core.c was made into. --short takes too few samples to
-- say anything: it shows that all parts work.

local cjson = require "cjson"
local curl = require "dsclient.curl"
local measure = require "bench.measure"

local PARTS = { "scenario", "faults", "deadline", "call", "inside", "cache", "metrics", "json" }

-- Of each way in a part.
local ROUNDS, SHORT_ROUNDS = 15, 2
-- The part of a count that a short run keeps.
local SHORT = 0.01

local short = arg[3] == "--short"
if not arg[2] or arg[3] and not short then
  io.stderr:write("usage: lua bench/run.lua CORE OUTPUT [--short]\n")
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
  return model .. (cpu and ", all on CPU " .. cpu or "")
end

local python, requests = measure.python()
local setup = {
  short = short,
  rounds = short and SHORT_ROUNDS or ROUNDS,
  count = function(full)
    return math.ceil(full * (short and SHORT or 1))
  end,
  core = arg[1],
  python = python,
  requests = requests,
}

local began = curl.now()
local vm = jit and jit.version or _VERSION
local machine = ("%s, libcurl %s"):format(processor(), curl.version():match "libcurl/(%S+)")
local result = { vm = vm, machine = machine, short = short, requests = requests, parts = {} }

print(("%s; %s"):format(vm, machine))
if not python then
  print "no python3 with requests here: what compares with it is left out"
end
if short then
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
  end
end
result.seconds = curl.now() - began

local file = assert(io.open(arg[2], "w"))
file:write(cjson.encode(result), "\n")
file:close()

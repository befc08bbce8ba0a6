--- A check of the checkers: plants each fault of plants.lua into a copy of the
-- tree, and wants the simulator, or the fault bed, to find it; see `make
-- sim-plants`.
--
--   plant.lua DIRECTORY JOBS [NUMBER …]     in so many processes
--   plant.lua DIRECTORY worker [NUMBER …]   one of them

local plants = require "spec.sim.plants"

local format = string.format

-- A fault that is not found within so many seeds is not found. Most are in the
-- first step; within so many rounds of the bed. What never ends is given up after
-- HANGS_S.
local SEEDS, STEP, ROUNDS = 1500, 50, 4
local HANGS_S = 60

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "*a"
  local ok = pipe:close()
  return ok == true or ok == 0, text
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

--- The text with the part replaced, which has to be in it once: what is planted
-- does not rot unseen.
local function replaced(text, part, by, path)
  local from, to = text:find(part, 1, true)
  if not from or text:find(part, to + 1, true) then
    error(format("%s does not have this once: %s", path, part), 0)
  end
  return text:sub(1, from - 1) .. by .. text:sub(to + 1)
end

local function edit(directory, edits)
  for _, one in ipairs(edits) do
    local path = directory .. "/" .. one[1]
    local text = replaced(read(path), one[2], one[3], one[1])
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  end
end

-- A copy keeps the times of its files, so that only what is changed is built.
local function copy(base, directory)
  assert(run(format("rm -rf '%s' && cp -a '%s' '%s'", directory, base, directory)))
end

-- What the make that runs us was told to build is not for the copies, and a
-- fault may well leave a warning, which CI makes an error.
local function build(directory)
  return run(format("env -u MAKEFLAGS -u CI make -s -C '%s' VM=lua5.4 SAN=", directory))
end

-- Runs one of the beds on the tree in a directory.
local function try(directory, bed, what)
  local path = format("LUA_PATH='./?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/lua5.4/?.so;;'",
    directory, directory, directory)
  local ended, text = run(format("%s timeout %d '%s' spec/%s/command.lua %s", path, HANGS_S, arg[-1], bed, what))
  return ended and text or text .. "\nit ends by itself or hangs"
end

--- The first sign that something is wrong: a broken invariant, or no end.
local function sign(text)
  return text:match "failure (%d+ [^\t\n]*)" or not text:find "sums" and (text:match "^[^\n]+" or "none") or nil
end

local look = {}

function look.sim(directory, plant)
  if plant.outage then
    return sign(try(directory, "sim", "outage " .. plant.outage))
  end
  for first = 1, SEEDS, STEP do
    local found = sign(try(directory, "sim", format("worker %d %d 1", first, first + STEP - 1)))
    if found then
      return found
    end
  end
end

function look.bed(directory)
  return sign(try(directory, "bed", format("worker 1 %d", ROUNDS)))
end

--- The sign that the last of those saw who have to find it, if all did.
local function look_by_all(directory, plant)
  local found
  for _, bed in ipairs(plant.by or { "sim" }) do
    found = look[bed](directory, plant)
    if not found then
      return nil, "not found by " .. bed
    end
  end
  return found
end

local function check(root, number, plant)
  local directory = format("%s/%d", root, number)
  copy(root .. "/base", directory)
  edit(directory, plant.edits)
  local built, text = build(directory)
  if not built then
    return nil, "it does not compile: " .. text
  end
  local found, missing = look_by_all(directory, plant)
  run(format("rm -rf '%s'", directory))
  return found, missing
end

-- The tree as it is, in which nothing is found.
local function prepare(root)
  assert(run(format("rm -rf '%s' && mkdir -p '%s/base' && cp -a Makefile csrc lua '%s/base'", root, root, root)))
  local built, text = build(root .. "/base")
  assert(built, text)
  for bed, look_at in pairs { sim = STEP, bed = ROUNDS } do
    local found = sign(try(root .. "/base", bed, format("worker 1 %d 1", look_at)))
    if found then
      error(bed .. " finds something in the tree as it is: " .. found, 0)
    end
  end
end

local function work(root, numbers)
  for _, number in ipairs(numbers) do
    local plant = plants[number]
    local checked, found, why = pcall(check, root, number, plant)
    if not checked then
      found, why = nil, found
    end
    print(format("%s %d - %s: %s", found and "ok" or "not ok", number, plant.why,
      found and "seed " .. found or why))
    io.stdout:flush()
  end
end

local function wanted()
  local numbers = {}
  for i = 3, #arg do
    numbers[#numbers + 1] = tonumber(arg[i])
  end
  for number = 1, #arg == 2 and #plants or 0 do
    numbers[number] = number
  end
  return numbers
end

-- Deals them out, one after the other.
local function run_all(root, jobs, numbers)
  prepare(root)
  local pipes, missed = {}, 0
  for job = 1, jobs do
    local dealt = {}
    for i = job, #numbers, jobs do
      dealt[#dealt + 1] = numbers[i]
    end
    if #dealt > 0 then
      pipes[#pipes + 1] = io.popen(format("'%s' '%s' '%s' worker %s", arg[-1], arg[0], root, table.concat(dealt, " ")))
    end
  end
  local seen = 0
  for _, pipe in ipairs(pipes) do
    for line in pipe:lines() do
      print(line)
      seen = seen + 1
      missed = missed + (line:find "^ok" and 0 or 1)
    end
    pipe:close()
  end
  return missed == 0 and seen == #numbers
end

if arg[2] == "worker" then
  work(arg[1], wanted())
  os.exit(0)
end
os.exit(run_all(arg[1], tonumber(arg[2]), wanted()) and 0 or 1)

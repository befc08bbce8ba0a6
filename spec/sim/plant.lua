--- A check of the checker: plants each fault of plants.lua into a copy of the
-- tree, and wants the simulator to find it; see `make sim-plants`.
--
--   plant.lua DIRECTORY [NUMBER …]

local plants = require "spec.sim.plants"

local format = string.format

-- A fault that is not found within so many seeds is not found. They take less
-- than a second, of the tree as it is; with a fault they may never end.
local SEEDS, STEP = 600, 60
local HANGS_S = 20

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

--- The text with the part replaced, which has to be in it once.
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

local function seeds_in(directory, first, last)
  local path = format("LUA_PATH='%s/?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s/build/lua5.4/?.so;;'", ".",
    directory, directory, directory)
  local command = format("timeout %d lua5.4 spec/sim/command.lua worker %d %d 1", HANGS_S, first, last)
  local ended, text = run(path .. " " .. command)
  return ended and text or text .. "\nit ends by itself or hangs"
end

--- The first sign that something is wrong: a broken invariant, or no end.
local function sign(text)
  return text:match "failure (%d+ [^\t\n]*)" or not text:find "sums %d" and (text:match "^[^\n]+" or "none") or nil
end

local function look(directory)
  for first = 1, SEEDS, STEP do
    local found = sign(seeds_in(directory, first, first + STEP - 1))
    if found then
      return found
    end
  end
end

local function check(root, number, plant)
  local directory = format("%s/%d", root, number)
  copy(root .. "/base", directory)
  edit(directory, plant.edits)
  local built, text = build(directory)
  if not built then
    return nil, "it does not compile: " .. text
  end
  local found = look(directory)
  run(format("rm -rf '%s'", directory))
  return found
end

local root = arg[1]
assert(run(format("rm -rf '%s' && mkdir -p '%s/base' && cp -a Makefile csrc lua '%s/base'", root, root, root)))
assert(build(root .. "/base"))
local wanted, missed = {}, 0
for i = 2, #arg do
  wanted[tonumber(arg[i])] = true
end
if sign(seeds_in(root .. "/base", 1, STEP)) then
  error("the simulator finds something in the tree as it is", 0)
end
for number, plant in ipairs(plants) do
  if #arg == 1 or wanted[number] then
    local found, why = check(root, number, plant)
    missed = missed + (found and 0 or 1)
    print(format("%s %d - %s: %s", found and "ok" or "not ok", number, plant.why,
      found and "seed " .. found or why or "not found"))
  end
end
os.exit(missed == 0 and 0 or 1)

--- What the specs reached of the C sources, and whether that is enough:
--
--     lua coverage.lua OBJECTS     the directory with the objects of
--                                  csrc/core and csrc/lua, and what gcov's
--                                  runtime has counted beside them
--
-- Prints lines and branches of each file, and those branches of csrc/core that
-- were never taken, one `file:line` for each. The exit status is 1 below the
-- goals. All branches count: there is no way to leave one out.

local cjson = require "cjson"

--- Of the branches of csrc/core, in percent.
local BRANCHES_MIN = 95

--- What decides whether a request is sent again: all of their branches.
local DECIDING = { "dsc_judge", "dsc_retryable", "dsc_may_have_acted", "is_json", "read_seconds", "retry_after_us",
  "overloaded", "contains", "refused", "put_off", "listed", "code_again" }
local DECIDING_FILE = "csrc/core/retry.c"

local function new_count()
  return { lines = 0, lines_reached = 0, branches = 0, branches_taken = 0 }
end

local function add(count, line)
  count.lines = count.lines + 1
  count.lines_reached = count.lines_reached + (line.count > 0 and 1 or 0)
  for _, branch in ipairs(line.branches) do
    count.branches = count.branches + 1
    count.branches_taken = count.branches_taken + (branch.count > 0 and 1 or 0)
  end
end

local function percent(part, whole)
  return whole == 0 and 100 or 100 * part / whole
end

local function print_count(name, count)
  print(("%-24s %6.2f %% of %4d lines   %6.2f %% of %4d branches"):format(name,
    percent(count.lines_reached, count.lines), count.lines, percent(count.branches_taken, count.branches),
    count.branches))
end

--- Reads what gcov says of the objects of a room.
-- @return function that gives one source file after the other
local function sources(objects, room)
  local command = "gcov --branch-probabilities --json-format --stdout %s/%s/*.gcno"
  local pipe = assert(io.popen(command:format(objects, room)))
  local files = {}
  for text in pipe:lines() do
    for _, file in ipairs(cjson.decode(text).files) do
      if file.file:find("^csrc/" .. room .. "/[%w_]+%.c$") then
        files[#files + 1] = file
      end
    end
  end
  assert(pipe:close())
  assert(#files > 0, "gcov knows no file of csrc/" .. room)
  table.sort(files, function(a, b)
    return a.file < b.file
  end)
  return files
end

local function measure(objects, room, visit)
  local all = new_count()
  for _, file in ipairs(sources(objects, room)) do
    local count = new_count()
    for _, line in ipairs(file.lines) do
      add(count, line)
      add(all, line)
      visit(file.file, line)
    end
    print_count(file.file, count)
  end
  print_count("csrc/" .. room, all)
  return all
end

local function main(objects)
  local missed, deciding, seen = {}, new_count(), {}
  for _, name in ipairs(DECIDING) do
    seen[name] = false
  end
  local core = measure(objects, "core", function(file, line)
    local name = line.function_name
    for _, branch in ipairs(line.branches) do
      missed[#missed + 1] = branch.count == 0 and ("%s:%d"):format(file, line.line_number) or nil
    end
    if file == DECIDING_FILE and seen[name] ~= nil then
      seen[name] = true
      add(deciding, line)
    end
  end)
  print()
  measure(objects, "lua", function() end)
  print()
  print_count("what decides on repeats", deciding)
  if #missed > 0 then
    print("never taken:\n  " .. table.concat(missed, "\n  "))
  end
  for _, name in ipairs(DECIDING) do
    assert(seen[name], DECIDING_FILE .. " has no function " .. name)
  end
  return percent(core.branches_taken, core.branches) >= BRANCHES_MIN and deciding.branches_taken == deciding.branches
end

if not main(arg[1]) then
  print(("below the goals: %d %% of the branches of csrc/core, all of what decides on repeats"):format(BRANCHES_MIN))
  os.exit(false)
end

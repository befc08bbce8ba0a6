--- Writes docs/performance.md: what was learnt, which people write into the
-- template, and the tables of a run. Run from the top of the tree, by
-- `make bench-docs`.
--
--     lua bench/docs.lua FIGURES [OUTPUT]
--
-- FIGURES is what bench/run.lua wrote; without OUTPUT the page is printed.

package.path = "./?.lua;" .. package.path

local cjson = require "cjson"
local measure = require "bench.measure"

local TEMPLATE = "docs/templates/performance.md.in"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

--- Takes what a printer writes.
local function printed(print_to)
  local pieces = {}
  local out = {}
  function out.write(_, ...)
    for _, piece in ipairs { ... } do
      pieces[#pieces + 1] = piece
    end
  end
  print_to(out)
  return table.concat(pieces)
end

local function section(part)
  local pieces = { "### " .. part.title }
  if part.lines[1] then
    pieces[2] = "```text\n" .. printed(function(out)
      measure.print_table(part.lines, out, "")
    end) .. "```"
  end
  for i, note in ipairs(part.notes or {}) do
    part.notes[i] = "- " .. note
  end
  pieces[#pieces + 1] = part.notes and part.notes[1] and table.concat(part.notes, "\n")
  return table.concat(pieces, "\n\n")
end

--- The lines whose goal was missed, as lines of a table.
-- @treturn string
-- @treturn number how many
-- @treturn number of so many goals
local function missed(tables)
  local texts, goals = {}, 0
  for _, part in ipairs(tables) do
    for _, line in ipairs(part.lines) do
      local goal = line[#line]
      goals = goals + (goal:find "^goal " and 1 or 0)
      if goal:find ": missed$" then
        local reached = (line[4] or "") ~= "" and line[4] or line[2]
        texts[#texts + 1] = ("| %s | %s | %s | %s |"):format(part.title, line[1], reached,
          goal:match "^goal (.*): missed$")
      end
    end
  end
  return table.concat(texts, "\n"), #texts, goals
end

local result = cjson.decode(read(arg[1]))
assert(not result.short, "a short run says nothing")
local sections = {}
for i, part in ipairs(result.tables) do
  sections[i] = section(part)
end
local list, missed_count, goals = missed(result.tables)
local parts = {
  vm = result.vm,
  machine = result.machine,
  date = result.date,
  load = result.load,
  seconds = ("%.0f"):format(result.seconds),
  goals = ("%d"):format(goals),
  met = ("%d"):format(goals - missed_count),
  missed = list,
  tables = table.concat(sections, "\n\n"),
}
local page = read(TEMPLATE):gsub("{{(%w+)}}", function(name)
  return assert(parts[name], TEMPLATE .. ": nothing is called " .. name)
end)
local out = arg[2] and assert(io.open(arg[2], "w")) or io.stdout
out:write(page)
out:close()

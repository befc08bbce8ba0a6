--- What a call makes Lua do, as counts, which no noise disturbs: instructions of
-- the VM, and bytes for the collector.

local measure = require "bench.measure"
local web = require "bench.web"

local format = string.format

local COUNT = 500

local WAYS = {
  { name = "one_1kb", label = "one after the other, answers of 1.4 KB", at_once = 1, recording = "instances-running" },
  { name = "one_10kb", label = "… of 10 KB", at_once = 1, recording = "instances-failure" },
  { name = "many_1kb", label = "20 in flight, answers of 1.4 KB", at_once = 20, recording = "instances-running" },
  { name = "many_10kb", label = "… of 10 KB", at_once = 20, recording = "instances-failure" },
}

return function(setup)
  local bodies = {}
  for _, way in ipairs(WAYS) do
    bodies[way.recording] = measure.recorded("3.2.2", way.recording)
  end
  local url, stop = web.serve(setup.room .. "/web", bodies)
  local lines, figures, notes = {}, {}, {}
  for i, way in ipairs(WAYS) do
    local command = format("%s bench/lua_work.lua '%s/%s' %d %d", setup.lua, url, way.recording, way.at_once,
      setup.count(COUNT))
    local instructions, bytes, where = measure.output_of(command):match "^(%d+) (%d+) (.*)\n$"
    local figure = measure.spread { tonumber(instructions) }
    figure.unit = "instructions"
    figures[way.name .. "_instructions"] = figure
    figures[way.name .. "_bytes"] = measure.spread { tonumber(bytes) }
    figures[way.name .. "_bytes"].unit = "B"
    lines[i] = { way.label, instructions .. " instructions", bytes .. " B for the collector" }
    if way.name:find "_1kb" then
      notes[#notes + 1] = format("most instructions, %s: %s", way.label, where)
    end
  end
  stop()
  return { { name = "work", title = "What a call makes Lua do", lines = lines, figures = figures, notes = notes } }
end

--- What a client takes of memory: each figure by a process of its own.

local measure = require "bench.measure"
local web = require "bench.web"

local format = string.format

local SMALL, LARGE = "instances-running", "instances-failure"

local function ways_of(setup, page)
  local function sample(what, file)
    local command = format("%s bench/lua_memory.lua %s '%s' %s", setup.lua, what, page, file or "")
    return function()
      return assert(tonumber(measure.output_of(command)), command .. " gave no figure")
    end
  end
  local room = setup.room .. "/web/"
  return {
    {
      name = "client", label = "a client, over a Lua state with libcurl loaded", unit = "KB", goal = 300,
      sample = sample "client",
    },
    {
      name = "private", label = "… of it, shared with no other process", unit = "KB", sample = sample "private",
    },
    {
      name = "operations", label = "the first file of operations that is loaded", unit = "KB",
      sample = sample "operations",
    },
    { name = "entry_1kb", label = "a cached list, its answer", sample = sample("entry", room .. SMALL) },
    {
      name = "borrowed_1kb", label = "… and the table that its borrowers share",
      sample = sample("borrowed", room .. SMALL),
    },
    { name = "entry_10kb", label = "a cached list, its answer", sample = sample("entry", room .. LARGE) },
    {
      name = "borrowed_10kb", label = "… and the table that its borrowers share",
      sample = sample("borrowed", room .. LARGE),
    },
    { name = "connection", label = "an idle connection", sample = sample "connection" },
  }
end

return function(setup)
  local small, large = measure.recorded("3.2.2", SMALL), measure.recorded("3.2.2", LARGE)
  local url, stop = web.serve(setup.room .. "/web", { [SMALL] = small, [LARGE] = large })
  local ways = ways_of(setup, url .. "/" .. SMALL .. "/projects/1/process-instances")
  for _, way in ipairs(ways) do
    way.unit = way.unit or "B"
    local body = way.name:find "_1kb" and small or way.name:find "_10kb" and large
    way.label = body and way.label:gsub("answer$", format("answer of %d B", #body)) or way.label
  end
  local lines, figures = measure.compare(ways, nil, setup.rounds)
  stop()
  return {
    {
      name = "memory", title = "Memory (resident)", lines = lines, figures = figures,
      notes = { "what a file gives (code, libraries) counts where it was read, though processes share it" },
    },
  }
end

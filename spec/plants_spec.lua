--- The simulator finds each fault that is planted: a check of the checker. Once
-- is enough, on plain Lua 5.4.

if jit or (os.getenv "LD_PRELOAD" or ""):find "asan" then
  return
end

local plants = require "spec.sim.plants"

describe("the simulator finds that", function()
  local lines = {}

  setup(function()
    local pipe = io.popen(("'%s' spec/sim/plant.lua build/plants 2>&1"):format(arg[-1]))
    for line in pipe:lines() do
      local number = line:match "^ok (%d+) "
      lines[tonumber(number) or #lines + 1000] = line
    end
    pipe:close()
  end)

  for number, plant in ipairs(plants) do
    it(plant.why, function()
      assert.is_string(lines[number], table.concat(lines, "\n"))
    end)
  end
end)

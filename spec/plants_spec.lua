--- The simulator finds each fault that is planted: a check of the checker. Once
-- is enough, on plain Lua 5.4.

if jit or (os.getenv "LD_PRELOAD" or ""):find "asan" then
  return
end

local plants = require "spec.sim.plants"

describe("the simulator finds that", function()
  local found, text = {}, nil

  setup(function()
    local pipe = io.popen(("'%s' spec/sim/plant.lua build/plants 2 2>&1"):format(arg[-1]))
    text = pipe:read "*a"
    pipe:close()
    for number in ("\n" .. text):gmatch "\nok (%d+) " do
      found[tonumber(number)] = true
    end
  end)

  for number, plant in ipairs(plants) do
    it(plant.why, function()
      assert.is_true(found[number], text)
    end)
  end
end)

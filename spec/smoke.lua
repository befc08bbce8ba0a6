-- What has to hold on every version of Lua, also on those that don't run the
-- whole suite: each module loads, and the C modules do what they are for.

local function modules()
  local names = {}
  local pipe = assert(io.popen("cd lua && find dsclient -name '*.lua' | sort"))
  for file in pipe:lines() do
    names[#names + 1] = file:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  end
  pipe:close()
  return names
end

describe("smoke, " .. _VERSION, function()
  for _, name in ipairs { "dsclient.core", "dsclient.curl", "dsclient.sys" } do
    it("loads " .. name, function()
      assert.is_table(require(name))
    end)
  end

  for _, name in ipairs(modules()) do
    it("loads " .. name, function()
      assert.is_truthy(require(name))
    end)
  end

  it("sleeps, locks and writes", function()
    local sys = require "dsclient.sys"
    assert.is_true(sys.sleep(0))
    local name = os.tmpname()
    local lock = assert(sys.lock(name))
    assert.equal("locked", select(3, sys.lock(name)))
    lock:release()
    assert.is_true(sys.write_atomic(name, "text"))
    os.remove(name)
  end)
end)

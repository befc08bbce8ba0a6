local load = require "dsclient.load"

describe("a part that is loaded at its first use", function()
  local name, path = "dsclient.spec_of_load", os.tmpname()

  local function write(text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  end

  setup(function()
    package.preload[name] = function()
      return assert(loadfile(path))()
    end
  end)

  teardown(function()
    package.preload[name], package.loaded[name] = nil, nil
    os.remove(path)
  end)

  it("gives its error as it is, and may be loaded again", function()
    for _ = 1, 2 do
      write 'error("no memory", 0)'
      local fine, message = pcall(load, name)
      assert.is_false(fine)
      assert.matches("no memory", message)
    end
    write "return { works = true }"
    assert.is_true(load(name).works)
    assert.equal(load(name), require(name))
  end)
end)

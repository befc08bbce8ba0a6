-- The rockspecs name files by hand or by script; what counts is that they name
-- those of the tree.

local lines = require "support.lines"

local NAMES = { "dsclient-core", "lua-resty-dsclient", "dsclient", "dsclient-sandbox" }

local function load_rockspec(name)
  local file = assert(io.open(("rockspec/%s-scm-1.rockspec"):format(name)))
  local text = file:read("*a")
  file:close()
  local rockspec = {}
  if _VERSION == "Lua 5.1" then
    setfenv(assert(loadstring(text)), rockspec)() -- luacheck: ignore
  else
    assert(load(text, name, "t", rockspec))()
  end
  return rockspec
end

local function module_name(file)
  return (file:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

describe("rockspecs", function()
  local rockspecs = {}
  local installed = {} -- file of the tree -> the rock it is in
  local compiled = {} -- C source -> true

  -- The file goes into one rock only; C sources may be in two modules.
  local function claim(file, rock)
    assert.is_nil(installed[file], file .. " is in " .. rock .. " too")
    installed[file] = rock
  end

  setup(function()
    for _, name in ipairs(NAMES) do
      rockspecs[name] = load_rockspec(name)
      for module, built in pairs(rockspecs[name].build.modules) do
        claim("module " .. module, name)
        if type(built) == "table" then
          for _, source in ipairs(built.sources) do
            compiled[source] = true
          end
        else
          assert.equal(module_name(built), module)
          claim(built, name)
        end
      end
      for command, file in pairs((rockspecs[name].build.install or { bin = {} }).bin) do
        assert.equal("bin/" .. command, file)
        claim(file, name)
      end
    end
  end)

  it("are as LuaRocks wants them", function()
    for _, name in ipairs(NAMES) do
      assert.equal(name, rockspecs[name].package)
      assert.equal("scm-1", rockspecs[name].version)
      assert.equal("MIT", rockspecs[name].description.license)
      assert.equal("builtin", rockspecs[name].build.type)
    end
  end)

  it("hold every Lua file and every command, once", function()
    local files = lines "find lua bin -type f"
    assert.is_true(#files > 0)
    local found = {}
    for _, file in ipairs(files) do
      found[file] = true
      assert.is_string(installed[file], file .. " is in no rock; run `make rockspecs`")
    end
    for file in pairs(installed) do
      assert.is_true(found[file] or file:match "^module " ~= nil, file .. " is not in the tree; run `make rockspecs`")
    end
  end)

  it("hold every C source", function()
    local found = {}
    for _, file in ipairs(lines "find csrc -name '*.c'") do
      found[file] = true
      assert.is_true(compiled[file], file .. " is in no rock; run `make rockspecs`")
    end
    for file in pairs(compiled) do
      assert.is_true(found[file], file .. " is not in the tree; run `make rockspecs`")
    end
  end)

  it("give the core without libcurl, and commands apart from it", function()
    assert.equal("dsclient-core", installed["module dsclient.core"])
    assert.is_nil(rockspecs["dsclient-core"].external_dependencies)
    assert.is_nil(rockspecs["dsclient-core"].build.install)
    assert.equal("dsclient", installed["module dsclient.curl"])
    assert.equal("dsclient", installed["module dsclient.sys"])
    assert.is_nil(rockspecs["lua-resty-dsclient"].external_dependencies)
    assert.same({ "lua >= 5.1", "dsclient-core" }, rockspecs["lua-resty-dsclient"].dependencies)
    for file, rock in pairs(installed) do
      assert.equal(file:match "sandbox" ~= nil, rock == "dsclient-sandbox", file)
      assert.equal(file:match "resty[/.]" ~= nil, rock == "lua-resty-dsclient", file)
    end
  end)

  it("install into one empty tree, and so does make", function()
    local status = os.execute("rockspec/check >build/rockspec_check.log 2>&1")
    local file = assert(io.open("build/rockspec_check.log"))
    local said = file:read("*a")
    file:close()
    assert.is_true(status == 0 or status == true, said)
  end)
end)

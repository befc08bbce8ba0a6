--- What the C modules are made of: the core has no I/O and no memory of its own,
-- and libcurl is linked by one module only.

local lines = require "support.lines"

local function path_of(module)
  return assert(package.searchpath(module, package.cpath))
end

--- The libraries that a module is linked with, and theirs.
local function libraries(module)
  local found = {}
  for _, line in ipairs(lines("ldd '" .. path_of(module) .. "'")) do
    found[line:match "([%w_+-]+)%.so"] = true
  end
  return found
end

local ALLOWED = { "linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64", "libc", "libm" }
-- with a sanitizer come the libraries that it needs
local SANITIZED = { "libasan", "libubsan", "libdl", "libpthread", "librt", "libgcc_s", "libstdc++" }

describe("dsclient.core", function()
  it("links nothing but the C library", function()
    local found = libraries "dsclient.core"
    assert.is_true(found.libc)
    for _, names in ipairs { ALLOWED, found.libasan and SANITIZED or {} } do
      for _, name in ipairs(names) do
        found[name] = nil
      end
    end
    assert.same({}, found)
  end)

  it("asks neither clock, chance nor malloc, and opens no socket, but through its environment", function()
    local forbidden = {}
    for _, name in ipairs { "malloc", "calloc", "realloc", "free", "rand", "random", "time", "gettimeofday", "socket",
      "connect", "send", "recv", "poll", "select", "pthread_create", "nanosleep", "usleep", "sleep", "abort",
      "exit" } do
      forbidden[name] = true
    end
    local seen = 0
    for _, line in ipairs(lines("nm -D --undefined-only '" .. path_of "dsclient.core" .. "'")) do
      local name = line:match "U ([%w_]+)"
      seen = seen + (name and 1 or 0)
      assert.is_nil(forbidden[name or ""] and name)
    end
    assert.is_true(seen > 10)
  end)

  it("knows neither Lua nor libcurl in the files of its policy", function()
    local files = lines "ls csrc/core/*.[ch]"
    assert.is_true(#files > 20)
    for _, name in ipairs(files) do
      for line in io.lines(name) do
        local header = line:match '^#include [<"]([^>"]+)'
        assert.is_true(header == nil or header:find "^core/" ~= nil
          or (" math.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h "):find(" " .. header .. " ", 1,
          true) ~= nil, name .. " includes " .. tostring(header))
      end
    end
  end)
end)

describe("dsclient.curl", function()
  it("is the only module that links libcurl", function()
    assert.is_true(libraries("dsclient.curl").libcurl)
    assert.is_nil(libraries("dsclient.core").libcurl)
    assert.is_nil(libraries("dsclient.sys").libcurl)
  end)

  it("is loaded by `new` only, and not where a transport is given", function()
    local program = [[
      local dsclient = require "dsclient"
      local transport = { start = function() end, close = function() end }
      dsclient.new { api_url = "http://h", transport = transport, runtime = { sleep = function() end } }
      assert(not package.loaded["dsclient.curl"])
      dsclient.new { api_url = "http://h" }
      assert(package.loaded["dsclient.curl"])
      io.write "done"
    ]]
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write(program)
    file:close()
    assert.same({ "done" }, lines(("'%s' '%s' 2>&1"):format(arg[-1], name)))
    os.remove(name)
  end)
end)

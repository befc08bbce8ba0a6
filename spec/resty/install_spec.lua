-- What `make install-openresty` puts where OpenResty looks for it is all that a
-- worker needs.

if not jit then
  return -- nginx runs the LuaJIT build
end

local lines = require "support.lines"
local nginx = require "support.nginx"
local sandbox = require "dsclient.sandbox"
local uv = require "luv"
local watches = require "support.watch"

local DESTDIR = "build/resty"

local function install(arguments)
  return table.concat(lines(("rm -rf %s; make -s --no-print-directory install-openresty DESTDIR=%s %s 2>&1; echo $?")
    :format(DESTDIR, DESTDIR, arguments)), "\n")
end

--- The Lua files of a rock, without "lua/".
local function files_of(rock)
  local list = {}
  for line in io.lines(("rockspec/%s-scm-1.rockspec"):format(rock)) do
    list[#list + 1] = line:match '= "lua/(.-%.lua)",$'
  end
  return list
end

describe("make install-openresty", function()
  local box, server

  after_each(function()
    if server then
      server:stop()
      server = nil
    end
    if box then
      box:stop()
      box = nil
    end
    watches.clean()
  end)

  it("installs the two rocks for nginx and the module for state files, and nothing of libcurl", function()
    assert.equal("0", install "PREFIX=/opt/openresty")
    local expected = { "dsclient/core.so", "dsclient/sys.so" }
    for _, rock in ipairs { "dsclient-core", "lua-resty-dsclient" } do
      for _, file in ipairs(files_of(rock)) do
        expected[#expected + 1] = file
      end
    end
    table.sort(expected)
    local lualib = DESTDIR .. "/opt/openresty/site/lualib"
    assert.same(expected, lines(("cd %s && find . -type f | sed 's|^./||' | LC_ALL=C sort"):format(lualib)))
    for _, module in ipairs { "core", "sys" } do
      for _, line in ipairs(lines(("ldd %s/dsclient/%s.so"):format(lualib, module))) do
        assert.is_nil(line:match "curl" or line:match "ssl" or line:match "crypto", line)
      end
    end
  end)

  it("puts them where it is told, by default below OpenResty's own prefix", function()
    assert.equal("0", install "")
    assert.is_table(uv.fs_stat(DESTDIR .. "/usr/local/openresty/site/lualib/resty/dsclient.lua"))
    assert.equal("0", install "RESTY_LUADIR=/lua RESTY_LIBDIR=/lib")
    assert.is_table(uv.fs_stat(DESTDIR .. "/lua/resty/dsclient/monitor.lua"))
    assert.is_table(uv.fs_stat(DESTDIR .. "/lib/dsclient/sys.so"))
  end)

  it("installs what works: client, handlers and a monitor with a state file", function()
    assert.equal("0", install "PREFIX=/opt/openresty")
    box = sandbox.start { projects = 1, workflows = 1, kinds = { "broken" }, duration_s = 0.05 }
    local state_file = watches.state_file()
    server = nginx.start {
      lualib = uv.cwd() .. "/" .. DESTDIR .. "/opt/openresty/site/lualib",
      http = ([[
        lua_shared_dict kept 1m;
        init_by_lua_block {
          local client = require "resty.dsclient".new { api_url = %q, token = %q, shm = "kept" }
          watcher = require "resty.dsclient.monitor".new(client, { shm = "kept", state_file = %q })
          handlers = require "resty.dsclient.handlers".new(client, {
            monitor = watcher, operations = { "projects.list" }, authorise = function() return true end,
          })
        }
        init_worker_by_lua_block { assert(watcher:start()) }
      ]]):format(box.url, box.token, state_file),
      server = [[
        location /status { content_by_lua_block { handlers:status() } }
        location /api/ { content_by_lua_block { handlers:proxy() } }
        location /loaded {
          content_by_lua_block {
            for name in pairs(package.loaded) do
              if name:find "^dsclient" or name:find "^resty%.dsclient" then
                ngx.say(package.searchpath(name, package.path) or package.searchpath(name, package.cpath))
              end
            end
          }
        }
      ]],
    }
    server:await("the monitor", function()
      uv.sleep(10)
      return server:body "/status":find('"failed_count":1', 1, true)
    end)
    assert.truthy(server:body "/api/projects.list":find("demo-1", 1, true))
    for path in server:body "/loaded":gmatch "[^\n]+" do
      assert.truthy(path:find(DESTDIR, 1, true), path)
    end
    assert.is_table(uv.fs_stat(state_file))
  end)
end)

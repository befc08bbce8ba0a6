-- What a worker of nginx pays for a client before its first call.

if not jit then
  return -- nginx runs the LuaJIT build
end

local nginx = require "support.nginx"
local sandbox = require "dsclient.sandbox"

local HTTP = [[
  lua_shared_dict kept 1m;
  init_by_lua_block {
    local function memory_kb()
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local before = memory_kb()
    local dsclient = require "resty.dsclient"
    client = dsclient.new { api_url = "%s", token = "%s", shm = "kept" }
    made_kb = memory_kb() - before
    before = memory_kb()
    dsclient.preload()
    preload_kb = memory_kb() - before
  }
]]

local SERVER = [[
  location /memory { content_by_lua_block { ngx.print(made_kb, " ", preload_kb) } }
  location /timers { content_by_lua_block { ngx.print(ngx.timer.running_count() + ngx.timer.pending_count()) } }
  location /call { content_by_lua_block { ngx.print(#client:get_projects()) } }
]]

describe("a client in nginx costs before its first call", function()
  local box, server

  setup(function()
    box = sandbox.start {}
    server = nginx.start { http = HTTP:format(box.url, box.token), server = SERVER }
  end)

  teardown(function()
    server:stop()
    box:stop()
  end)

  it("at most 300 KB of Lua memory a worker, and 500 KB more with all operations loaded", function()
    local made_kb, preload_kb = server:body "/memory":match "^(%S+) (%S+)$"
    assert.is_true(tonumber(made_kb) <= 300, made_kb)
    assert.is_true(tonumber(preload_kb) <= 500, preload_kb)
  end)

  it("no timer and no socket", function()
    assert.equal("0", server:body "/timers")
    assert.equal(0, box:requests().connections)
    assert.equal("3", server:body "/call")
    assert.equal(1, box:requests().connections)
  end)
end)

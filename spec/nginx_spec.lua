-- What specs of OpenResty stand on: nginx starts, serves, is heard and ends.

if not jit then
  return -- nginx runs the LuaJIT build
end

local nginx = require "support.nginx"

describe("nginx", function()
  local server

  after_each(function()
    server:stop()
  end)

  it("serves, finds the modules, and says what went wrong", function()
    server = nginx.start {
      server = [[
        location /version { content_by_lua_block { ngx.print(require "dsclient"._VERSION, " ", #ngx.arg) } }
        location /broken { content_by_lua_block { error "on purpose" } }
      ]],
    }
    assert.equal(200, server:get("/version").status)
    assert.truthy(server:body("/version"):find "^%d+%.%d+%.%d+ 0$")
    assert.equal(404, server:get("/nowhere").status)
    assert.error_matches(function()
      server:body "/broken"
    end, "on purpose")
  end)

  it("has as many workers as wished, which come back when they are killed", function()
    server = nginx.start { workers = 2, server = "location / { return 204; }" }
    assert.equal(204, server:get("/").status)
    server:await("two workers", function()
      return #server:workers() == 2
    end)
    local first = server:workers()[1]
    server:signal("KILL", first)
    server:await("another worker", function()
      local pids = server:workers()
      return #pids == 2 and pids[1] ~= first and pids[2] ~= first
    end)
    assert.equal(204, server:get("/").status)
  end)

  it("leaves nothing", function()
    server = nginx.start {}
    local directory = server.directory
    assert.equal(404, server:get("/").status)
    server:stop()
    assert.is_nil(io.open(directory .. "/nginx.conf"))
    assert.has_error(function()
      server:get "/"
    end)
  end)
end)

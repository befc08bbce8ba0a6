-- Calls in an nginx worker leave no memory behind: so many by DSCLIENT_REQUESTS.

if not jit then
  return -- nginx runs the LuaJIT build
end

local nginx = require "support.nginx"

local CALLS = tonumber(os.getenv "DSCLIENT_REQUESTS") or 20000
-- Of each request from outside.
local AT_ONCE = 100
-- What a worker's allocators may take and not give back, whatever it does.
local SLACK_KB = 4096

local HTTP = [[
  lua_shared_dict kept 4m;
  init_by_lua_block {
    client = require "resty.dsclient".new {
      api_url = "http://127.0.0.1:{port_1}/dolphinscheduler", token = "t", server_version = "3.1.1", shm = "kept",
    }
    local args, cold = { project = "1" }, { cache = false }
    function calls(count)
      for i = 1, count / 4 do
        assert(client.instances:list(args, cold))
        assert(client.instances:list({ project = tostring(i % 50 + 1) }, { ttl_s = 1 }))
        local values, errs = client:gather {
          function() return client.instances:list(args, cold) end,
          function() return client:get_projects() end,
        }
        assert(values and not errs)
      end
      return count
    end
  }
  server {
    listen 127.0.0.1:{port_1};
    location / {
      default_type application/json;
      return 200 '{"code":0,"msg":"success","data":{"totalList":[],"total":0}}';
    }
  }
]]

local function resident_kb(pid)
  local file = assert(io.open(("/proc/%d/status"):format(pid)))
  local text = file:read "*a"
  file:close()
  return tonumber(text:match "VmRSS:%s*(%d+)")
end

describe("a worker", function()
  it("is as large after many calls as after some", function()
    local server = nginx.start {
      ports = 1,
      http = HTTP,
      server = ("location /calls { content_by_lua_block { ngx.print(calls(%d)) } }"):format(AT_ONCE),
    }
    local done, sizes = 0, {}
    for part = 1, 4 do
      while done < CALLS / 4 * part do
        done = done + tonumber(server:body "/calls")
      end
      sizes[part] = resident_kb(server:workers()[1])
    end
    server:stop()
    assert.is_true(done >= CALLS)
    local grown = sizes[4] - sizes[1]
    assert.is_true(grown < SLACK_KB, ("%s KB after each quarter of %d calls"):format(table.concat(sizes, ", "), done))
  end)
end)

--- A client inside an nginx worker whose requests are answered by nobody: each is
-- written down in a dict that all workers see, and takes a while.

local runtime = require "dsclient.runtime.nginx"

local _M = {}

local ANSWER = '{"code":0,"msg":"success","data":%s}'

--- A list of one row, whose name tells of which version it is, and is as long as wished.
local function page(upstream)
  return ('{"totalList":[{"code":1,"name":"alpha %d","note":"%s"}],"total":1}'):format(upstream:get "version" or 0,
    ("x"):rep(upstream:get "length" or 0))
end

local function transport(upstream)
  local self = {}
  function self:start(request) -- luacheck: ignore self
    upstream:incr("requests", 1, 0)
    upstream:add("first_ms", ngx.now() * 1000)
    upstream:set("last_ms", ngx.now() * 1000)
    return {
      wait = function()
        local data = request.method == "GET" and page(upstream) or "true"
        ngx.sleep(upstream:get "takes" or 0.05)
        local status = upstream:get "status" or 200
        return { status = status, headers = { ["content-type"] = "application/json" },
          body = status == 200 and ANSWER:format(data) or "", bytes_in = 1, bytes_out = 1, reused = false }
      end,
      cancel = function() end,
    }
  end
  function self:close() end -- luacheck: ignore self
  return self
end

--- Options of resty.dsclient.new for such a client.
-- @tparam table|nil more options
function _M.options(more)
  local options = { api_url = "http://127.0.0.1:9", token = "secret", server_version = "3.1.1",
    user_timezone = "UTC", transport = transport(ngx.shared.upstream), runtime = runtime, shm = "kept" }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

return _M

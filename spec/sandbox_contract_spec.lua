local contract = require "spec.server_contract"
local limiter_contract = require "spec.limiter_contract"
local sandbox = require "dsclient.sandbox"

for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
  describe("the sandbox of " .. version, function()
    contract({
      version = version,
      start = function()
        local box = sandbox.start { server_version = version, projects = 0 }
        return {
          url = box.url,
          token = box.token,
          sleep = function(seconds)
            box:advance(seconds)
          end,
          stop = function()
            box:stop()
          end,
        }
      end,
    }, { describe = describe, it = it, setup = setup, teardown = teardown })
  end)
end

describe("the sandbox behind its traffic limiter", function()
  local box = sandbox.new { traffic_limit = true, projects = 0 }
  limiter_contract({
    url = box.url,
    sleep = function(seconds)
      box:sleep(seconds)
    end,
    connect = function(options)
      return box:client(options)
    end,
  }, { it = it })
end)

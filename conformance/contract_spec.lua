local contract = require "spec.server_contract"
local curl = require "dsclient.curl"

describe("a real server", function()
  contract({
    version = "3.1.1",
    start = function()
      return {
        url = assert(os.getenv "DS_API_URL"),
        token = assert(os.getenv "DS_TOKEN"),
        sleep = curl.sleep,
        stop = function() end,
      }
    end,
  }, { describe = describe, it = it, setup = setup, teardown = teardown })
end)

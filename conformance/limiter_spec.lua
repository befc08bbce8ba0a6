local contract = require "spec.limiter_contract"
local curl = require "dsclient.curl"
local dsclient = require "dsclient"

describe("a real server behind its traffic limiter", function()
  local url, token = assert(os.getenv "DS_LIMITED_API_URL"), assert(os.getenv "DS_LIMITED_TOKEN")
  contract({
    url = url,
    sleep = curl.sleep,
    connect = function(options)
      options.api_url, options.token = options.api_url or url, options.token or token
      return dsclient.new(options)
    end,
  }, { it = it })
end)

local contract = require "spec.runtime_contract"
local curl = require "dsclient.curl"

describe("a runtime that only sleeps keeps what it can of the contract:", function()
  contract({
    runtime = { sleep = curl.sleep },
    run = function(fn)
      fn()
    end,
  }, { describe = describe, it = it, setup = setup, teardown = teardown, before_each = before_each,
    after_each = after_each })
end)

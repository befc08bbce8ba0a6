--- What every transport must do, and what real servers sent, over cosockets: see inside_nginx.lua.

local contract = require "spec.transport_contract"
local core = require "dsclient.core"
local wire_contract = require "spec.wire_contract"

return function(busted)
  local given = {
    new = function(options)
      return require("dsclient.transport.cosocket").new(options)
    end,
    now = core.now,
  }
  busted.describe("as all transports:", function()
    contract(given, busted)
  end)
  busted.describe("taking", function()
    wire_contract(given, busted)
  end)
end

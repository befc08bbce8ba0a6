--- What is composed hangs where it is said to.

local bed = require "support.bed"
local composed = require "dsclient.composed"
local operations = require "dsclient.operations"

describe("what is composed", function()
  it("is there, and under no name of an operation", function()
    local client = bed.new({ bed.PAGE }).client
    for resource, methods in pairs(composed) do
      for method, place in pairs(methods) do
        assert.is_function(require("dsclient.composed." .. place[1])[place[2]])
        assert.is_function(client[resource][method])
        assert.is_nil(operations.find(resource .. "." .. method))
      end
    end
    assert.is_function(client.cluster_health)
  end)
end)

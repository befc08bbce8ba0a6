--- An exchange of a transport failed as expected: nil, and a failure that has
-- these fields.
local assert = require "luassert"

return function(expected, response, failure)
  assert.is_nil(response)
  for key, value in pairs(expected) do
    assert.equal(value, failure[key], key .. ": " .. failure.message)
  end
end

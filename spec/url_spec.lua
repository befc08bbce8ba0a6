local core = require "dsclient.core"

describe("core.escape", function()
  it("leaves what RFC 3986 calls unreserved, and nothing else", function()
    local kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    assert.equal(kept, core.escape(kept))
    for byte = 0, 255 do
      local char = string.char(byte)
      assert.equal(kept:find(char, 1, true) and char or ("%%%02X"):format(byte), core.escape(char))
    end
    assert.equal("", core.escape "")
    assert.equal(("%20"):rep(10000), core.escape((" "):rep(10000)))
  end)

  it("takes text only", function()
    for _, other in ipairs { {}, true, print } do
      assert.has_error(function()
        core.escape(other)
      end)
    end
  end)
end)

describe("core.form", function()
  it("joins names and values", function()
    assert.equal("", core.form {})
    assert.equal("a=", core.form { "a", "" })
    assert.equal("a%26=b%3D&c=%E9%A1%B9", core.form { "a&", "b=", "c", "项" })
  end)

  it("takes as many fields as one likes", function()
    local fields = {}
    for i = 1, 4000 do
      fields[i] = "x"
    end
    assert.equal(2000 * 4 - 1, #core.form(fields))
    assert.has_error(function()
      core.form { "a", {} }
    end)
    assert.has_error(function()
      core.form "a=b"
    end)
  end)
end)

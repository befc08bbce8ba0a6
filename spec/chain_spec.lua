local chain = require "dsclient.chain"

local function names(list)
  local text, back = "", ""
  local item = list.first
  while item do
    text = text .. item.name
    item = item.following
  end
  item = list.last
  while item do
    back = item.name .. back
    item = item.previous
  end
  assert.equal(text, back)
  assert.equal(#text, list.count)
  return text
end

describe("a chain", function()
  it("keeps the order in which items came, whichever is taken out", function()
    for _, case in ipairs { { "a", "bcd" }, { "b", "acd" }, { "d", "abc" }, { "", "abcd" } } do
      local list, items = chain.new(), {}
      for name in ("abcd"):gmatch "." do
        items[name] = { name = name }
        list:add(items[name])
      end
      if items[case[1]] then
        list:remove(items[case[1]])
      end
      assert.equal(case[2], names(list))
      if items[case[1]] then
        list:add(items[case[1]])
        assert.equal(case[2] .. case[1], names(list))
      end
    end
  end)

  it("may become empty, and be filled again", function()
    local list, item = chain.new(), { name = "x" }
    for _ = 1, 2 do
      assert.equal("", names(list))
      list:add(item)
      assert.equal("x", names(list))
      list:remove(item)
    end
    assert.same({ name = "x", previous = false, following = false }, item)
  end)
end)

local heap = require "dsclient.heap"

describe("the heap of things to come", function()
  it("gives them by time, those of the same time as they were added", function()
    local h, expected = heap.new(), {}
    local random = math.random
    for i = 1, 500 do
      local at = random(1, 40)
      h:push { at = at, i = i }
      expected[i] = { at, i }
    end
    table.sort(expected, function(a, b)
      return a[1] < b[1] or a[1] == b[1] and a[2] < b[2]
    end)
    for _, pair in ipairs(expected) do
      local item = h:pop(40)
      assert.same(pair, { item.at, item.i })
    end
    assert.is_nil(h:pop(40))
  end)

  it("keeps what is not due", function()
    local h = heap.new()
    h:push { at = 5 }
    assert.is_nil(h:pop(4.9))
    assert.equal(5, h:pop(5).at)
    h:push { at = 7 }
    assert.equal(7, h:pop(100).at)
  end)

  it("lets any of them be taken out, once", function()
    local h, items, expected = heap.new(), {}, {}
    for i = 1, 300 do
      items[i] = { at = math.random(1, 40), i = i }
      h:push(items[i])
    end
    for i, item in ipairs(items) do
      if i % 3 == 0 then
        h:remove(item)
        h:remove(item)
      else
        expected[#expected + 1] = { item.at, i }
      end
    end
    table.sort(expected, function(a, b)
      return a[1] < b[1] or a[1] == b[1] and a[2] < b[2]
    end)
    for _, pair in ipairs(expected) do
      local item = h:pop(40)
      assert.same(pair, { item.at, item.i })
    end
    assert.equal(0, h.size)
    h:remove(items[1])
  end)
end)

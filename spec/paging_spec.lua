local bed = require "support.bed"

-- A server's list of `total` rows in pages as asked; `change(list, number)`
-- may alter it before each page.
local function lister(total, change, cut)
  local rows = {}
  for id = 1, total do
    rows[id] = id
  end
  return function(request, number)
    if change then
      change(rows, number)
    end
    local page, size = request.path:match "pageNo=(%d+)&pageSize=(%d+)"
    size = math.min(tonumber(size), cut or 1000)
    local out = {}
    for i = (page - 1) * size + 1, math.min(page * size, #rows) do
      out[#out + 1] = ('{"id":%d,"state":"FAILURE"}'):format(rows[i])
    end
    return bed.ok(('{"totalList":[%s],"total":%d,"totalPage":null,"currentPage":null}'):format(table.concat(out, ","), #rows))
  end
end

local function ids(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.id
  end
  table.sort(list)
  return list
end

local function range(from, to)
  local list = {}
  for id = from, to do
    list[#list + 1] = id
  end
  return list
end

local P = { project = "1" }

describe("a list", function()
  it("is read to its end, with totalPage null (only page 1 read)", function()
    local b = bed.new(lister(45), { page_size = 10 })
    assert.same(range(1, 45), ids(assert(b.client:get_failed_workflow_instances("1"))))
    assert.equal(5, #b.requests)
  end)

  it("takes one request where it fits into one page, and where it is empty", function()
    for _, total in ipairs { 0, 1, 10 } do
      local b = bed.new(lister(total), { page_size = 10 })
      assert.equal(total, #b.client:get_workflow_instances "1")
      assert.equal(1, #b.requests)
    end
  end)

  it("survives servers that cut pages (500 rows on 2.0 and 3.0)", function()
    local b = bed.new(lister(95, nil, 10), { page_size = 50 })
    assert.same(range(1, 95), ids(assert(b.client.instances:list(P))))
  end)

  it("holds each row once when new ones push it to the next page", function()
    local b = bed.new(lister(30, function(rows, number)
      if number > 1 then
        table.insert(rows, 1, 100 + number)
      end
    end), { page_size = 10 })
    local got = ids(assert(b.client.instances:list(P)))
    for id = 1, 30 do
      assert.equal(id, got[id])
    end
  end)

  it("is read again when it shrinks, so that no row is passed over", function()
    local b = bed.new(lister(30, function(rows, number)
      if number == 2 then
        table.remove(rows, 1)
      end
    end), { page_size = 10 })
    assert.same(range(2, 30), ids(assert(b.client.instances:list(P))))
  end)

  it("that shrinks for ever is an error, not a part of it", function()
    local b = bed.new(lister(300, function(rows)
      table.remove(rows, 1)
    end), { page_size = 10 })
    local rows, err = b.client.instances:list(P)
    assert.is_nil(rows)
    assert.equal("protocol", err.kind)
  end)

  it("longer than rows_max is refused after page 1", function()
    local b = bed.new(lister(50), { rows_max = 49, page_size = 10 })
    local rows, err = b.client.instances:list(P)
    assert.is_nil(rows)
    assert.equal("limit", err.kind)
    assert.equal(50, err.total)
    assert.equal(1, #b.requests)
    assert.equal(50, #b.client.instances:list { project = "1", rows_max = 50 })
  end)

  it("with a page that fails is an error, and nothing is cached", function()
    local calls = 0
    local b = bed.new(function(request, number)
      calls = calls + 1
      if calls == 2 then
        return bed.refused(10113)
      end
      return lister(20)(request, number)
    end, { page_size = 10 })
    local rows, err = b.client:get_projects()
    assert.is_nil(rows)
    assert.equal(10113, err.code)
    assert.equal(20, #b.client:get_projects())
  end)

  it("null where rows should be is an empty list", function()
    local b = bed.new { bed.ok '{"totalList":null,"total":0}', bed.ok "null" }
    assert.same({}, b.client.instances:list(P))
    assert.same({}, b.client.instances:list(P))
  end)
end)

describe("each", function()
  it("goes over all rows, whatever rows_max", function()
    local b = bed.new(lister(45), { page_size = 10, rows_max = 1 })
    local got = {}
    for row in b.client.instances:each(P) do
      got[#got + 1] = row
    end
    assert.same(range(1, 45), ids(got))
  end)

  it("throws on a failed page, so that its loop does not look complete", function()
    local b = bed.new(function(request, number)
      return number == 2 and bed.refused(10113, "broken") or lister(20)(request, number)
    end, { page_size = 10 })
    local count = 0
    local fine, err = pcall(function()
      for _ in b.client.instances:each(P) do
        count = count + 1
      end
    end)
    assert.is_false(fine)
    assert.equal(10113, err.code)
    assert.equal(10, count)
  end)
end)

describe("pages", function()
  it("gives page after page, then nil for ever", function()
    local b = bed.new(lister(25), { page_size = 10 })
    local pages = b.client.instances:pages(P)
    assert.equal(10, #pages.next())
    assert.equal(10, #pages:next())
    assert.equal(5, #pages.next())
    assert.same({ n = 0 }, { n = select("#", pages.next()) - select("#", pages.next()) })
    assert.is_nil((pages.next()))
    assert.equal(3, #b.requests)
  end)

  it("gives nil and the error", function()
    local b = bed.new { bed.refused(10113) }
    local rows, err = b.client.instances:pages(P).next()
    assert.is_nil(rows)
    assert.equal("api", err.kind)
  end)
end)

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
    return bed.ok(('{"totalList":[%s],"total":%d,"totalPage":null,"currentPage":null}'):format(
      table.concat(out, ","), #rows))
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

-- The last row of a page of 10 stands on the next one again, in place of
-- another that is on none.
local function places_changed(total)
  local list = lister(total)
  return function(request, number)
    local answer = list(request, number)
    if request.path:find "pageNo=[23]&pageSize=10$" then
      answer.body = answer.body:gsub('"id":(%d)1,', function(tens)
        return ('"id":%d,'):format(tens * 10)
      end)
    end
    return answer
  end
end

-- It counts `total` rows, and never gives the last ten.
local function counts_too_many(total)
  local list = lister(total - 10)
  return function(request, number)
    local answer = list(request, number)
    answer.body = answer.body:gsub('"total":%d+', ('"total":%d'):format(total))
    return answer
  end
end

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

  it("is read again in larger pages when rows of the same second change places", function()
    -- as H2 and MySQL do: a row on two pages, another one on none
    local b = bed.new(places_changed(30), { page_size = 10 })
    assert.same(range(1, 30), ids(assert(b.client.instances:list(P))))
    assert.equal(4 + 2, #b.requests)
  end)

  it("that never has as many rows as it counts is an error, not a part of it", function()
    local b = bed.new(counts_too_many(100), { page_size = 10 })
    local rows, err = b.client.instances:list(P)
    assert.is_nil(rows)
    assert.equal("protocol", err.kind)
  end)

  it("that was asked for in one page is what came, whatever it counts", function()
    local b = bed.new(counts_too_many(80), { page_size = 10 })
    assert.same(range(1, 70), ids(assert(b.client.instances:list(P))))
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

  it("longer than rows_max is refused from the cache, too", function()
    local b = bed.new(lister(50))
    assert.equal(50, #b.client:get_projects())
    local rows, err = b.client.projects:list { rows_max = 49 }
    assert.is_nil(rows)
    assert.equal("limit", err.kind)
    assert.equal(50, err.total)
    assert.equal(50, #b.client.projects:list { rows_max = 50 })
    assert.equal(1, #b.requests)
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

  it("of a server that sends the same page for ever is an error, not an endless loop", function()
    local b = bed.new({ bed.ok '{"totalList":[{"id":1},{"id":2}],"total":9000}' }, { page_size = 2, timeout_s = 3600 })
    local rows, err = b.client.instances:list(P)
    assert.is_nil(rows)
    assert.equal("protocol", err.kind)
    assert.is_true(#b.requests < 10)
    local pages = b.client.instances:pages(P)
    repeat
      rows, err = pages.next()
    until not rows
    assert.equal("protocol", err.kind)
    assert.is_true(#b.requests < 20)
  end)

  it("whose total is no count is an error, not a part of it", function()
    for _, total in ipairs { "null", '"1"', "-1", "{}", "true", "1e300", "99999999999999999999" } do
      local b = bed.new { bed.ok(('{"totalList":[{"id":1}],"total":%s}'):format(total)) }
      local rows, err = b.client.instances:list(P)
      assert.is_nil(rows, total)
      assert.truthy(err.kind == "protocol" or err.kind == "limit", total)
    end
    local b = bed.new { bed.ok '{"totalList":[{"id":1}]}' }
    assert.equal("protocol", select(2, b.client.instances:list(P)).kind)
    b = bed.new { bed.ok '{"totalList":[{"id":1}],"total":null}' }
    assert.equal("protocol", select(2, b.client.instances:list(P, { raw = true })).kind)
  end)

  it("of rows that are none is what came", function()
    local b = bed.new { bed.ok '{"totalList":[1,"x",{"id":null},{"id":{}},{"id":"a"},{"id":"a"},{}],"total":6}' }
    assert.equal(6, #b.client.instances:list(P))
  end)

  it("null where rows should be is an empty list", function()
    local b = bed.new { bed.ok '{"totalList":null,"total":0}', bed.ok "null" }
    assert.same({}, b.client.task_instances:list(P))
    assert.same({}, b.client.task_instances:list(P))
  end)

  it("is not empty where there is no list: runs are started by what is not there", function()
    for _, data in ipairs { "{}", '{"a":1}', "[]", "true", '"x"', '{"totalList":5}', "null" } do
      local b = bed.new { bed.ok(data) }
      local rows, err = b.client.instances:list(P)
      assert.is_nil(rows, data)
      assert.equal("protocol", err.kind)
      rows, err = b.client.instances:page(1, P)
      assert.is_nil(rows, data)
      assert.equal("protocol", err.kind)
      rows, err = b.client.instances:pages(P).next()
      assert.is_nil(rows, data)
      assert.equal("protocol", err.kind)
    end
  end)
end)

describe("page, pages and each by name", function()
  local VERSIONS = { project = "1", workflow = "2", page_size = 2 }

  local function client_of()
    return bed.new(function(request) -- two pages, of three rows
      local number = tonumber(request.path:match "pageNo=(%d+)")
      local rows = { '{"id":1},{"id":2}', '{"id":3}' }
      return bed.ok(('{"totalList":[%s],"total":3}'):format(rows[number] or ""))
    end).client
  end

  it("read any list that comes in pages", function()
    local client, got = client_of(), {}
    for row in client:each("workflows.versions", VERSIONS) do
      got[#got + 1] = row.id
    end
    assert.same({ 1, 2, 3 }, got)
    local rows, err, meta = client:page("workflows.versions", 2, VERSIONS)
    assert.same({ { id = 3 }, nil, { total = 3 } }, { rows[1], err, meta })
    local pages = client:pages("workflows.versions", VERSIONS)
    assert.same({ 2, 1 }, { #pages.next(), #pages.next() })
    assert.is_nil(pages.next())
  end)

  it("refuse what comes in one answer, and names that are none", function()
    local client = client_of()
    for _, call in ipairs {
      function() client:each("projects.all") end,
      function() client:pages("projects.everything") end,
      function() client:page("projects.list", 0) end,
      function() client:page("projects.list", "1") end,
    } do
      assert.has_error(call)
    end
  end)

  it("stop after as many rows as are wanted", function()
    local client = client_of()
    assert.same({ { id = 1 } }, client.workflows:versions { project = "1", workflow = "2", limit = 1 })
    assert.equal(3, #client.workflows:versions { project = "1", workflow = "2", limit = 9, page_size = 2 })
    local rows, err = client.workflows:versions { project = "1", workflow = "2", rows_max = 2, page_size = 2 }
    assert.is_nil(rows)
    assert.equal("limit", err.kind)
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
    assert.truthy(tostring(err):find("^%S*paging_spec.lua:%d+: instances.list: api 10113: broken$"), tostring(err))
  end)

  it("throws what a malformed argument gives, at the loop", function()
    local fine, err = pcall(function()
      for _ in bed.new({ bed.ok() }).client.instances:each { project = "1", state = "failure" } do
        error "never"
      end
    end)
    assert.is_false(fine)
    assert.equal("argument", err.kind)
    assert.equal("state", err.argument)
    assert.truthy(tostring(err):find "paging_spec.lua:%d+: ")
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

  it("gives the rows that changed places, each once, or an error at the end", function()
    local function read(script)
      local pages, rows = bed.new(script, { page_size = 10 }).client.instances:pages(P), {}
      local page, err = pages.next()
      while page do
        for _, row in ipairs(page) do
          rows[#rows + 1] = row
        end
        page, err = pages.next()
      end
      return ids(rows), err
    end
    local rows, err = read(places_changed(30))
    assert.is_nil(err)
    assert.same(range(1, 30), rows)
    rows, err = read(counts_too_many(100))
    assert.equal("protocol", err.kind)
    assert.same(range(1, 90), rows)
  end)

  it("gives nil and the error", function()
    local b = bed.new { bed.refused(10113) }
    local rows, err = b.client.instances:pages(P).next()
    assert.is_nil(rows)
    assert.equal("api", err.kind)
  end)

  it("refuse a limit that is none", function()
    local client = bed.new(lister(30)).client
    for _, bad in ipairs { 0, -1, 1.5, 1 / 0, 0 / 0 } do
      local _, err = client.instances:pages({ project = "1", limit = bad }).next()
      assert.equal("limit", err.argument)
    end
    assert.has_error(function()
      client.instances:pages({ project = "1", limit = "5" }).next()
    end)
    assert.has_error(function()
      client.instances:pages({ project = "1", page_size = "5" }).next()
    end)
  end)

  it("end after as many rows as were wanted, and ask for no more pages", function()
    for limit, wanted in pairs { [1] = 1, [10] = 10, [15] = 15, [1000] = 30 } do
      local b = bed.new(lister(30), { page_size = 10 })
      local args = { project = P.project, limit = limit }
      local found, pages = {}, b.client.instances:pages(args)
      for rows in pages.next do
        for _, row in ipairs(rows) do
          found[#found + 1] = row
        end
      end
      assert.same(range(1, wanted), ids(found))
      assert.equal(math.ceil(wanted / 10), #b.requests)
      found = {}
      for row in b.client.instances:each(args) do
        found[#found + 1] = row
      end
      assert.same(range(1, wanted), ids(found))
    end
  end)

  it("gives the error again when asked again: it never looks complete", function()
    local b = bed.new(function(request, number)
      return number == 2 and bed.refused(10113) or lister(30)(request, number)
    end, { page_size = 10 })
    local pages = b.client.instances:pages(P)
    assert.equal(10, #pages.next())
    for _ = 1, 3 do
      local rows, err = pages.next()
      assert.is_nil(rows)
      assert.equal(10113, err.code)
    end
    assert.equal(2, #b.requests)
  end)
end)

--- What is odd about the server's lists, logs and names. The numbers in the titles
-- are those of the facts about its API; traps_spec.lua sees to it that none is missing.

local bed = require "support.bed"
local dsclient = require "dsclient"

local ok = bed.ok
local P = { project = "1" }

--- A server of `total` rows, whose pages have these other fields; it cuts them.
local function lister(total, fields, cut)
  return function(request)
    local number, size = request.path:match "pageNo=(%d+)&pageSize=(%d+)"
    number, size = tonumber(number), math.min(tonumber(size), cut or 1e9)
    local rows = {}
    for id = (number - 1) * size + 1, math.min(number * size, total) do
      rows[#rows + 1] = ('{"id":%d}'):format(id)
    end
    local more = type(fields) == "function" and fields(number, size) or fields or ""
    return ok(('{"totalList":[%s],"total":%d%s}'):format(table.concat(rows, ","), total, more))
  end
end

describe("a trap of the server's lists:", function()
  it("fact 10: no page of more than 500 rows is asked for, where older lines skip rows", function()
    assert.is_false((pcall(dsclient.new, { api_url = "http://h", token = "t", page_size = 501 })))
    local b = bed.new(lister(1500, nil, 500), { server_version = "3.0.6" })
    local _, err = b.client.instances:list { project = "1", page_size = 1000 }
    assert.same({ "argument", "page_size" }, { err.kind, err.argument })
    assert.equal(1500, #b.client.instances:list { project = "1", page_size = 500 })
    assert.equal(3, #b.requests)
  end)

  it("fact 11: pageNo of an answer is an offset, totalPage may be null: only total and the rows count", function()
    for _, fields in ipairs {
      ',"totalPage":null,"currentPage":null', ',"totalPage":1,"pageNo":0,"currentPage":1',
      ',"totalPage":99,"pageNo":400', ',"totalPage":0,"currentPage":7,"pageNo":"x","pageSize":-1', "",
    } do
      local b = bed.new(lister(450, fields))
      assert.equal(450, #b.client.instances:list(P))
      assert.equal(3, #b.requests)
    end
  end)

  it("§2.4: an empty list is one, be it null, [] or past its end, with totalPage 1", function()
    for _, data in ipairs {
      '{"totalList":null,"total":0,"totalPage":1}', '{"totalList":[],"total":0,"totalPage":1}', '{"total":0}',
    } do
      assert.same({}, (bed.new { ok(data) }.client.instances:list(P)))
    end
  end)

  it("§2.4: pages are counted from 1, and both numbers are always sent", function()
    local b = bed.new(lister(5))
    b.client.instances:list(P)
    assert.truthy(b.requests[1].path:find "pageNo=1&pageSize=%d+")
    assert.is_false((pcall(b.client.instances.page, b.client.instances, 0, P)))
  end)

  it("§2.5: rows that a new one pushed to the next page are there once", function()
    local b = bed.new(function(request)
      local second = request.path:find "pageNo=2"
      return ok(('{"totalList":[%s],"total":3}'):format(second and '{"id":2},{"id":1}' or '{"id":3},{"id":2}'))
    end, { page_size = 2 })
    local ids = {}
    for i, row in ipairs(assert(b.client.instances:list(P))) do
      ids[i] = row.id
    end
    assert.same({ 3, 2, 1 }, ids)
  end)

  it("live 17: a page has `start` and no `pageNo`, or both, or neither", function()
    for _, name in ipairs { "start", "pageNo" } do
      local b = bed.new(lister(450, function(number, size)
        return (',"%s":%d'):format(name, (number - 1) * size)
      end))
      assert.equal(450, #b.client.instances:list(P))
    end
  end)

  it("live 18: a page size of 0, -1 or 2^31 and a date that is none never reach the server", function()
    local b = bed.new { bed.PAGE }
    for name, values in pairs {
      page_size = { 0, -1, 2 ^ 31, 100000 }, start_date = { "2024/01/01", "2024-01-01T00:00:00Z", "" },
    } do
      for _, value in ipairs(values) do
        local _, err = b.client.instances:list { project = "1", [name] = value }
        assert.same({ "argument", name }, { err.kind, err.argument })
      end
    end
    assert.equal(0, #b.requests)
  end)

  it("live 18: % and _ of a search are sent as they are; what matches them is the server's", function()
    local b = bed.new { bed.PAGE }
    b.client.projects:list { search = "50%_" }
    assert.truthy(b.requests[1].path:find("searchVal=50%25_&", 1, true))
  end)

  it("live 21: data that is null is no error, of a list no rows", function()
    local b = bed.new { ok "null" }
    assert.same({}, (b.client.projects:all {}))
    assert.same({}, (b.client.projects:list {}))
    assert.is_true((b.client.projects:get { project = "1" }))
  end)

  it("live 21: 10116 of top-n is an error as any other", function()
    local _, err = bed.new({ bed.refused(10116) }).client.instances:top_n {
      project = "1", size = 3, start_time = "2024-01-01 00:00:00", end_time = "2024-01-02 00:00:00",
    }
    assert.same({ "api", 10116 }, { err.kind, err.code })
  end)

  it("fact 17: names are looked up in the cheap list, never in those that build every graph", function()
    local b = bed.new(function(request)
      return request.path:find "simple%-list" and ok '[{"code":7,"name":"w"}]' or ok '{"code":1}'
    end)
    assert(b.client.workflows:get { project = "1", workflow = "w" })
    assert(b.client.workflows:release { project = "1", workflow = "w", state = "ONLINE" })
    for _, request in ipairs(b.requests) do
      assert.is_nil(request.path:find "/list$" or request.path:find "/all$")
    end
  end)

  it("fact 18: a log's part ends where it ends: its lineNum and message are given as they come", function()
    local b = bed.new { ok '{"lineNum":1,"message":""}' }
    local part = b.client.task_instances:log_part { task_instance_id = 7, skip = 5, limit = 100 }
    assert.same({ lineNum = 1, message = "" }, part)
    assert.truthy(b.requests[1].path:find("skipLineNum=5&limit=100", 1, true))
  end)

  it("live 23: a log is never asked for from before its beginning, which hangs 3.1.1 for 10 s", function()
    local b = bed.new { ok '{"lineNum":1,"message":""}' }
    for name, value in pairs { skip = -1, limit = -1 } do
      local _, err = b.client.task_instances:log_part { task_instance_id = 7, [name] = value }
      assert.same({ "argument", name }, { err.kind, err.argument })
    end
    assert.equal(0, #b.requests)
    assert(b.client.task_instances:log_part { task_instance_id = 7, limit = 0 })
  end)
end)

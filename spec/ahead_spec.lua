--- Pages are fetched one ahead where the runtime has tasks.

local tasks = require "support.tasks"

local P = { project = "1", page_size = 2 }

local function page(first, total)
  local rows = {}
  for id = first, math.min(first + 1, total) do
    rows[#rows + 1] = ('{"id":%d}'):format(id)
  end
  return tasks.ok(('{"totalList":[%s],"total":%d}'):format(table.concat(rows, ","), total))
end

--- A server of so many rows; each page takes 0.1 s.
local function serving(total, special)
  return function(request)
    local number = tonumber(request.path:match "pageNo=(%d+)")
    return special and special(number) or page(2 * number - 1, total)
  end
end

--- Reads the list, working on each row for 0.05 s.
local function read(t, limit)
  local ids, err = {}, nil
  local task = t:spawn(function()
    local ok, problem = pcall(function()
      for row in t.client.instances:each(P) do
        ids[#ids + 1] = row.id
        t:sleep(0.05)
        if #ids == limit then
          break
        end
      end
    end)
    err = not ok and problem or nil
  end)
  return ids, function()
    return err
  end, task
end

describe("each", function()
  it("fetches a page while the caller works on the one before", function()
    local t = tasks.new(serving(6))
    local ids = read(t)
    t:run()
    assert.same({ 1, 2, 3, 4, 5, 6 }, ids)
    assert.equal(3, #t.requests)
    -- 0.1 for the first page; the others come while 0.1 s of work is done
    assert.is_true(t.now < 0.1 + 6 * 0.05 + 0.01, t.now)
  end)

  it("asks for nothing beyond the last page", function()
    for total = 0, 5 do
      local t = tasks.new(serving(total))
      local ids = read(t)
      t:run()
      assert.equal(total, #ids)
      assert.equal(math.max(math.ceil(total / 2), 1), #t.requests)
    end
  end)

  it("throws the error of the page that was fetched ahead when the caller comes to it", function()
    local t = tasks.new(serving(6, function(number)
      return number == 2 and { status = 401, body = "" } or nil
    end))
    local ids, err = read(t)
    t:run()
    assert.same({ 1, 2 }, ids)
    assert.equal("auth", err().kind)
  end)

  it("that ends early leaves one page unused, and nothing waiting", function()
    local t = tasks.new(serving(100))
    local ids = read(t, 2)
    t:run()
    assert.equal(2, #ids)
    assert.equal(2, #t.requests)
    assert.is_nil(next(t.tasks))
  end)

  it("ends when its task is cancelled or the client is closed, while a page is on its way", function()
    for _, ending in ipairs { "cancel", "close" } do
      local t = tasks.new(serving(100, function()
        return nil
      end))
      local ids, err, task = read(t)
      t:run(0.16) -- the second page was asked for at 0.1
      t:spawn(function()
        t:sleep(0.06) -- the caller waits for it, or soon will
        if ending == "cancel" then
          t:cancel(task)
        else
          t.client:close()
        end
      end)
      t:run(30)
      assert.truthy(#ids <= 6, ending)
      assert.truthy(err(), ending)
      assert.truthy(err().kind == "cancelled" or err().kind == "closed", tostring(err()))
      assert.is_nil(next(t.tasks))
    end
  end)

  it("does not depend on a runtime that never gets to the page ahead", function()
    local t = tasks.new(serving(6))
    t.runtime.spawn = function() end
    local ids = read(t)
    t:run()
    assert.same({ 1, 2, 3, 4, 5, 6 }, ids)
    assert.equal(3, #t.requests)
  end)
end)

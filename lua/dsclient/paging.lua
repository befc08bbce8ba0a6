--- Lists come in pages. `total` decides how many there are: `totalPage` is
-- null in 3.2.1, 2.0 and 3.0 cut pages at 500 rows, and rows move while runs
-- start. So pages are read until as many rows as `total` are there, and rows
-- are told apart by their id.

local core = require "dsclient.core"
local errors = require "dsclient.errors"

local _M = {}

-- A list that shrinks while it is read may have moved a row to a page that
-- was read already: it is read again, so often.
local RESTARTS_MAX = 3

local function rows_of(page)
  return type(page.totalList) == "table" and page.totalList or {}
end

--- A reader of pages: next() → rows, total; nil at the end; nil, err.
local function reader(source, rows_max, operation)
  local seen, count, number, first_total, ended = {}, 0, 0, nil, false
  return function()
    if ended then
      return nil
    end
    number = number + 1
    local page, err = source(number)
    if not page then
      ended = true
      return nil, err
    end
    local total = page.total or 0
    if rows_max and total > rows_max then
      ended = true
      return nil, errors.new {
        kind = "limit",
        operation = operation,
        total = total,
        message = string.format("%d rows are more than rows_max (%d): narrow the filter, or use each or pages",
          total, rows_max),
      }
    end
    local shrunk = first_total and total < first_total
    first_total = first_total or total
    local rows = core.array {}
    local got = rows_of(page)
    for _, row in ipairs(got) do
      local id = type(row) == "table" and row.id
      if id == nil or not seen[id] then
        rows[#rows + 1] = row
        if id then
          seen[id] = true
        end
      end
    end
    count = count + #rows
    ended = #got == 0 or count >= total
    return rows, shrunk
  end
end

local function read_once(source, rows_max, operation)
  local next_page = reader(source, rows_max, operation)
  local all = core.array {}
  while true do
    local rows, more = next_page()
    if not rows then
      if more then
        return nil, more
      end
      return all
    end
    if more then
      return nil, nil, true
    end
    for _, row in ipairs(rows) do
      all[#all + 1] = row
    end
  end
end

--- Reads a list to its end: all rows, or an error.
-- @tparam function source page number → page object | nil, err
-- @tparam number rows_max more are an error of kind "limit"
-- @tparam string operation for errors
function _M.read(source, rows_max, operation)
  for _ = 0, RESTARTS_MAX do
    local all, err, shrunk = read_once(source, rows_max, operation)
    if not shrunk then
      return all, err
    end
  end
  return nil, errors.new {
    kind = "protocol",
    operation = operation,
    message = "the list lost rows each time it was read: narrow the filter",
  }
end

--- The pages of a list: an object whose next() gives rows, or nil at the end,
-- or nil and an error. A list that shrinks meanwhile may hide a row.
function _M.pages(source)
  local next_page = reader(source)
  return {
    next = function()
      local rows, err = next_page()
      if rows then
        return rows
      end
      return nil, err
    end,
  }
end

return _M

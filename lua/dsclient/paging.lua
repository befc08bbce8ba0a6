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

-- Rows that began in the same second stand in any order, on each page in
-- another: one may be on two pages and its neighbour on none (H2, MySQL). What
-- is missing at the end is looked for so often, in pages twice as large.
local ENLARGED_MAX = 3

-- Pages in a row that hold nothing new, beyond those that what was seen before
-- can fill: a server that says more says the same for ever.
local STALE_MAX = 3

-- What the server counts must be a count; an empty page needs none. What is no
-- page at all is not an empty one: who acts on what is not there acted twice.
local function parts_of(page)
  local is_page = type(page.totalList) == "table"
  local rows = is_page and page.totalList or {}
  local total = page.total
  if is_page and #rows == 0 and type(total) ~= "number" then
    total = 0
  end
  return rows, type(total) == "number" and total >= 0 and total or nil
end

--- The error of a list that is longer than wanted.
function _M.too_long(total, rows_max, operation)
  return errors.new {
    kind = "limit",
    operation = operation,
    total = total,
    message = string.format("%.0f rows are more than rows_max (%d): narrow the filter, or use each or pages",
      total, rows_max),
  }
end

local function no_list(operation, message)
  return errors.new { kind = "protocol", operation = operation, message = message }
end

local function unsteady(operation)
  return no_list(operation, "the list lost rows each time it was read: narrow the filter")
end

--- Those of the rows that were not seen before.
local function unseen(got, seen)
  local rows = core.array {}
  for _, row in ipairs(got) do
    local id = type(row) == "table" and row.id
    if id == nil or not seen[id] then
      rows[#rows + 1] = row
      if id then
        seen[id] = true
      end
    end
  end
  return rows
end

--- One page: its rows, and how many there are in all; or nil and an error.
local function read_page(source, number, page_size, rows_max, operation)
  local page, err = source(number, page_size)
  if not page then
    return nil, err
  end
  local got, total = parts_of(page)
  if not total then
    return nil, no_list(operation, "a page without the total of its list")
  elseif rows_max and total > rows_max then
    return nil, _M.too_long(total, rows_max, operation)
  end
  return got, total
end

--- A reader of pages: next() → rows, shrunk, total; nil at the end; nil, err from
-- an error on.
local function reader(source, page_size, rows_max, operation)
  local seen, count, number, stale, enlarged = {}, 0, 0, 0, 0
  local first_total, ended, failure
  local function fail(err)
    ended, failure = true, err
    return nil, err
  end
  return function()
    if ended then
      return nil, failure
    end
    number = number + 1
    local got, total = read_page(source, number, page_size, rows_max, operation)
    if not got then
      return fail(total)
    end
    local shrunk = first_total and total < first_total
    first_total = first_total or total
    local rows = unseen(got, seen)
    count, stale = count + #rows, #rows == 0 and stale + 1 or 0
    -- asked for in one page, it is what came, whatever is counted
    ended = count >= total or #got == 0 and page_size >= total
    if #got > 0 and stale > count / #got + STALE_MAX then
      return fail(no_list(operation, "the server sends the same rows again and again"))
    elseif #got == 0 and not ended then
      if enlarged == ENLARGED_MAX then
        return fail(unsteady(operation))
      end
      number, stale, enlarged, page_size = 0, 0, enlarged + 1, 2 * page_size
    end
    return rows, shrunk, total
  end
end

local function read_once(source, page_size, rows_max, operation)
  local next_page = reader(source, page_size, rows_max, operation)
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

--- The first rows of a list, at most `limit`.
local function read_first(source, page_size, limit, operation)
  local next_page = reader(source, math.min(page_size, limit), nil, operation)
  local first = core.array {}
  while #first < limit do
    local rows, err = next_page()
    if not rows then
      if err then
        return nil, err
      end
      break
    end
    for i = 1, math.min(#rows, limit - #first) do
      first[#first + 1] = rows[i]
    end
  end
  return first
end

--- The rows of a first page that is the whole list, where there is nothing to tell
-- apart; nil where it is not.
-- @tparam number rows_max so many, at most
function _M.whole(page, rows_max)
  local rows, total = page.totalList, page.total
  if type(rows) == "table" and total == #rows and total > 0 and total <= rows_max then
    return rows
  end
end

--- A source whose first page is there already.
function _M.starting_with(page, source)
  return function(number, page_size)
    local first = page
    page = nil
    if first then
      return first
    end
    return source(number, page_size)
  end
end

--- Reads a list to its end: all rows, or an error.
-- @tparam function source page number, page size → page object | nil, err
-- @tparam number page_size
-- @tparam number rows_max more are an error of kind "limit"
-- @tparam string operation for errors
-- @tparam number|nil limit so many rows are enough
function _M.read(source, page_size, rows_max, operation, limit)
  if limit then
    return read_first(source, page_size, limit, operation)
  end
  local page, err = source(1, page_size)
  if not page then
    return nil, err
  end
  local rows = _M.whole(page, rows_max)
  if rows then
    return rows
  end
  source = _M.starting_with(page, source)
  for _ = 0, RESTARTS_MAX do
    local all, shrunk
    all, err, shrunk = read_once(source, page_size, rows_max, operation)
    if not shrunk then
      return all, err
    end
  end
  return nil, unsteady(operation)
end

--- The rows of one page; then nil, and {total}, the rows of all pages.
function _M.rows_of(page, operation)
  local rows, total = parts_of(page)
  if not total then
    return nil, no_list(operation, "a page without the total of its list")
  end
  return rows, nil, { total = total }
end

--- The pages of a list: an object whose next() gives rows, or nil at the end,
-- or nil and an error, from then on the same; its `total` is how many rows are to
-- come in all, as the last page told. A list that shrinks meanwhile may hide a row.
-- @tparam number|nil limit so many rows are enough
function _M.pages(source, page_size, operation, limit)
  local next_page = reader(source, limit and math.min(page_size, limit) or page_size, nil, operation)
  local left, begun = limit or math.huge, false
  local pages = {}
  function pages.next()
    if begun and left <= 0 then
      return nil
    end
    begun = true -- a limit that is none is refused by the first page
    local rows, err, total = next_page()
    if not rows then
      return nil, err
    end
    pages.total = math.min(total, limit or total)
    for i = #rows, left + 1, -1 do
      rows[i] = nil
    end
    left = left - #rows
    return rows
  end
  return pages
end

return _M

--- Pages fetched ahead: while a caller works on one page the next is on its way,
-- where the runtime can do both.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local wait = require "dsclient.wait"

local _M = {}

-- No call takes longer (options.lua): who waits for a page is woken before.
local LONGEST_S = 86400

--- Begins to fetch a page in a task of its own.
local function begin(state, source, number, page_size)
  local one = { number = number, page_size = page_size, begun = false, given_up = false, landed = false }
  wait.detach(state.runtime, function()
    if one.given_up then
      return
    end
    one.begun = true
    one.ok, one.page, one.err = pcall(source, number, page_size)
    one.landed = true
    if one.waiter then
      state.runtime.wake(one.waiter)
    end
  end)
  return one
end

--- What came of it; each page has a deadline of its own, so it does end.
local function await(state, one)
  while not one.landed do
    one.waiter = {}
    local how = wait.park(state, one.waiter, LONGEST_S)
    if how == "cancelled" or not one.landed and not core.enter(state.client) then
      return nil, errors.new { kind = "cancelled", message = "it was ended while a page was on its way" }
    end
  end
  if not one.ok then
    error(one.page, 0)
  end
  return one.page, one.err
end

local function goes_on(page, number, page_size)
  return type(page.total) == "number" and page.total > number * page_size
end

--- A source of pages that is one page ahead of its caller.
-- @tparam table state the client's insides
-- @tparam function source number, page size → page | nil, err
-- @treturn function the same
function _M.source(state, source)
  if not state.runtime.spawn or not wait.is_concurrent(state.runtime) then
    return source
  end
  local ahead
  return function(number, page_size)
    local one = ahead
    local page, err
    ahead = nil
    if one and one.begun and one.number == number and one.page_size == page_size then
      page, err = await(state, one)
    else
      if one then
        one.given_up = true -- the runtime has not come to it yet
      end
      page, err = source(number, page_size)
    end
    if page and goes_on(page, number, page_size) then
      ahead = begin(state, source, number + 1, page_size)
    end
    return page, err
  end
end

return _M

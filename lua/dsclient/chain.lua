--- A list of tables in the order in which they were added, linked by fields of
-- their own, `previous` and `following`. Where they have these from the begin,
-- adding and removing need no memory. A table is in one chain at most.

local _M = {}
_M.__index = _M

function _M.new()
  return setmetatable({ first = false, last = false, count = 0 }, _M)
end

function _M:add(item)
  item.previous, item.following = self.last, false
  if self.last then
    self.last.following = item
  else
    self.first = item
  end
  self.last = item
  self.count = self.count + 1
end

--- Takes out an item that is in.
function _M:remove(item)
  if item.previous then
    item.previous.following = item.following
  else
    self.first = item.following
  end
  if item.following then
    item.following.previous = item.previous
  else
    self.last = item.previous
  end
  item.previous, item.following = false, false
  self.count = self.count - 1
end

return _M

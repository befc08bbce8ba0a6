--- Things to come, the earliest first; of the same time, the first one added.
--
-- Nothing is called while things are moved: on Lua 5.4 a call may find no memory,
-- and would leave the rest undone.

local _M = {}
_M.__index = _M

function _M.new()
  return setmetatable({ size = 0, added = 0 }, _M)
end

--- Adds an item that has a number `at`; `order` and `index` are the heap's.
function _M:push(item)
  self.added = self.added + 1
  item.order, item.index = self.added, 0
  self[self.size + 1] = item -- what needs memory comes first
  self.size = self.size + 1
  local i, at = self.size, item.at
  while i > 1 do
    local parent = (i - i % 2) / 2
    if self[parent].at <= at then
      break
    end
    self[i] = self[parent]
    self[i].index = i
    i = parent
  end
  self[i] = item
  item.index = i
end

--- Takes an item out, wherever it is; nothing where it is in no more. Needs no
-- memory.
function _M:remove(item)
  local i = item.index
  if not i or self[i] ~= item then
    return
  end
  local last = self[self.size]
  local at, order = last.at, last.order
  self[self.size] = nil
  self.size = self.size - 1
  item.index = nil
  if last == item then
    return
  end
  local up, down = (i - i % 2) / 2, 2 * i
  while up >= 1 and (at < self[up].at or at == self[up].at and order < self[up].order) do
    self[i] = self[up]
    self[i].index = i
    i, up, down = up, (up - up % 2) / 2, 2 * up
  end
  while down <= self.size do
    local a, b = self[down], self[down + 1]
    if b and (b.at < a.at or b.at == a.at and b.order < a.order) then
      a, down = b, down + 1
    end
    if at < a.at or at == a.at and order < a.order then
      break
    end
    self[i] = a
    a.index = i
    i, down = down, 2 * down
  end
  self[i] = last
  last.index = i
end

--- Removes and returns the earliest item that is due at `now`, or nil.
function _M:pop(now)
  local first = self[1]
  if not first or first.at > now then
    return nil
  end
  self:remove(first)
  return first
end

return _M

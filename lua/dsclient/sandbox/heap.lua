--- Things to come, the earliest first; of the same time, the first one added.

local _M = {}
_M.__index = _M

function _M.new()
  return setmetatable({ size = 0, added = 0 }, _M)
end

local function before(a, b)
  return a.at < b.at or a.at == b.at and a.order < b.order
end

--- Adds an item that has a number `at`.
function _M:push(item)
  self.added = self.added + 1
  item.order = self.added
  local i = self.size + 1
  self.size = i
  while i > 1 do
    local parent = math.floor(i / 2)
    if not before(item, self[parent]) then
      break
    end
    self[i] = self[parent]
    i = parent
  end
  self[i] = item
end

--- Removes and returns the earliest item that is due at `now`, or nil.
function _M:pop(now)
  local first = self[1]
  if not first or first.at > now then
    return nil
  end
  local last = self[self.size]
  self[self.size] = nil
  self.size = self.size - 1
  local i = 1
  while self.size > 0 do
    local child = 2 * i
    if child < self.size and before(self[child + 1], self[child]) then
      child = child + 1
    end
    if child > self.size or not before(self[child], last) then
      self[i] = last
      break
    end
    self[i] = self[child]
    i = child
  end
  return first
end

return _M

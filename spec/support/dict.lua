--- A store as ngx.shared.DICT is, in a plain table on a virtual clock. It can be made
-- small, spoiled and broken.

local _M = {}
_M.__index = _M

--- @tparam function now () → seconds
-- @tparam number|nil entries_max more drive out those that were not used for longest
function _M.new(now, entries_max)
  return setmetatable({ now = now, entries_max = entries_max or math.huge, items = {}, uses = 0, calls = {},
    broken = false }, _M)
end

local function find(self, name)
  local item = self.items[name]
  if item and item.until_s <= self.now() then
    self.items[name] = nil
    return nil
  end
  if item then
    self.uses = self.uses + 1
    item.used = self.uses
  end
  return item
end

--- Drives out one, where there is no room.
local function make_room(self)
  local count, oldest = 0, nil
  for name, item in pairs(self.items) do
    count = count + 1
    oldest = (not oldest or item.used < self.items[oldest].used) and name or oldest
  end
  if count >= self.entries_max then
    self.items[oldest] = nil
    return true
  end
  return false
end

local function put(self, name, value, seconds)
  local forced = not self.items[name] and make_room(self)
  local until_s = (seconds or 0) > 0 and self.now() + seconds or math.huge
  self.uses = self.uses + 1
  self.items[name] = { value = value, until_s = until_s, used = self.uses }
  return true, nil, forced
end

local function called(self, method)
  self.calls[method] = (self.calls[method] or 0) + 1
  return self.broken == true or self.broken == method
end

function _M:get(name)
  local item = not called(self, "get") and find(self, name)
  if item then
    return item.value
  end
  return nil
end

function _M:set(name, value, seconds)
  if called(self, "set") then
    return false, "no memory"
  end
  return put(self, name, value, seconds)
end

function _M:add(name, value, seconds)
  if called(self, "add") then
    return false, "no memory"
  elseif find(self, name) then
    return false, "exists"
  end
  return put(self, name, value, seconds)
end

function _M:incr(name, number, first)
  if called(self, "incr") then
    return nil, "no memory"
  end
  local item = find(self, name)
  if item and type(item.value) ~= "number" then
    return nil, "not a number"
  elseif item then
    item.value = item.value + number
    return item.value
  elseif not first then
    return nil, "not found"
  end
  put(self, name, first + number)
  return first + number
end

function _M:delete(name)
  if not called(self, "delete") then
    self.items[name] = nil
  end
end

--- Changes all values under names that begin with the tag; how many.
function _M:spoil(tag, change)
  local count = 0
  for name, item in pairs(self.items) do
    if name:sub(1, 1) == tag then
      item.value = change(item.value)
      count = count + 1
    end
  end
  return count
end

--- Forgets all under names that begin with the tag.
function _M:lose(tag)
  for name in pairs(self.items) do
    self.items[name] = name:sub(1, 1) ~= tag and self.items[name] or nil
  end
end

return _M

--- Eviction as papers tell it, with no thought of speed: what the cache in C is
-- compared with. Entries have a weight in bytes; a policy holds at most so many
-- entries and bytes.

local _M = {}

-- --- a list of nodes, from the oldest to the newest ----------------------

local function unlink(list, node)
  if node.newer then
    node.newer.older = node.older
  else
    list.newest = node.older
  end
  if node.older then
    node.older.newer = node.newer
  else
    list.oldest = node.newer
  end
end

local function append(list, node)
  node.newer, node.older = nil, list.newest
  if list.newest then
    list.newest.newer = node
  else
    list.oldest = node
  end
  list.newest = node
end

-- --- what both have ------------------------------------------------------

local Policy = {}

local function new(entries_max, bytes_max, class)
  return setmetatable({
    nodes = {}, -- by key
    size = 0,
    bytes = 0,
    entries_max = entries_max,
    bytes_max = bytes_max or math.huge,
  }, { __index = setmetatable(class, { __index = Policy }) })
end

function Policy:has(key)
  return self.nodes[key] ~= nil
end

function Policy:forget(key)
  local node = self.nodes[key]
  if node then
    self:leave(node)
    unlink(self, node)
    self.nodes[key] = nil
    self.size, self.bytes = self.size - 1, self.bytes - node.bytes
  end
end

--- A new entry, which is no larger than the whole; others go for it.
function Policy:insert(key, bytes)
  while self.size + 1 > self.entries_max or self.bytes + bytes > self.bytes_max do
    self:forget(self:victim())
  end
  local node = { key = key, bytes = bytes }
  append(self, node)
  self.nodes[key] = node
  self.size, self.bytes = self.size + 1, self.bytes + bytes
end

--- More bytes for an entry that stays; others go for them.
function Policy:grow(key, bytes)
  while self.bytes + bytes > self.bytes_max do
    self:forget(self:victim(key))
  end
  self.nodes[key].bytes = self.nodes[key].bytes + bytes
  self.bytes = self.bytes + bytes
end

--- One request of a trace in which all weigh the same: was it a hit?
function Policy:request(key)
  if self:has(key) then
    self:use(key)
    return true
  end
  self:insert(key, 0)
  return false
end

-- --- SIEVE (Zhang et al., NSDI 2024, algorithm 1) ------------------------

local Sieve = {}

function Sieve:use(key)
  self.nodes[key].visited = true
end

-- The hand goes from old to new, and from the newest to the oldest.
function Sieve:victim(kept)
  local node = self.hand or self.oldest
  while node.visited or node.key == kept do
    node.visited = false
    node = node.newer or self.oldest
  end
  self.hand = node
  return node.key
end

function Sieve:leave(node)
  if self.hand == node then
    self.hand = node.newer
  end
end

function _M.sieve(entries_max, bytes_max)
  return new(entries_max, bytes_max, Sieve)
end

-- --- LRU -----------------------------------------------------------------

local Lru = {}

function Lru:use(key)
  local node = self.nodes[key]
  unlink(self, node)
  append(self, node)
end

function Lru:victim()
  return self.oldest.key
end

Lru.leave = function() end

function _M.lru(entries_max)
  return new(entries_max, nil, Lru)
end

return _M

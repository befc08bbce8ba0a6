--- Requests as caches get them, from a seed: the same on each VM. A trace is an
-- array of keys, which are numbers from 1 on.

local _M = {}

--- Numbers in [0, 1), by Park and Miller: all products are exact in a double.
-- @tparam number seed from 1 to 2^31 - 2
function _M.random(seed)
  local state = seed
  return function(n)
    state = state * 16807 % 2147483647
    local fraction = (state - 1) / 2147483646
    return n and math.floor(fraction * n) + 1 or fraction
  end
end

-- The first index whose sum is above the number.
local function index_above(sums, number)
  local from, to = 1, #sums
  while from < to do
    local middle = math.floor((from + to) / 2)
    if sums[middle] > number then
      to = middle
    else
      from = middle + 1
    end
  end
  return from
end

--- Key k is asked for in proportion to 1 / k^exponent.
function _M.zipf(random, exponent, keys, count)
  local sums, sum = {}, 0
  for key = 1, keys do
    sum = sum + key ^ -exponent
    sums[key] = sum
  end
  local trace = {}
  for i = 1, count do
    trace[i] = index_above(sums, random() * sum)
  end
  return trace
end

--- The same keys in the same order, again and again.
function _M.loop(keys, count)
  local trace = {}
  for i = 1, count do
    trace[i] = (i - 1) % keys + 1
  end
  return trace
end

--- Each key once.
function _M.scan(count)
  return _M.loop(count, count)
end

--- Zipf, with scans and loops of keys of their own in between, in pieces of
-- 1 to 500 requests.
function _M.mix(random, exponent, keys, count)
  local popular = _M.zipf(random, exponent, keys, count)
  local trace, scanned = {}, 2 * keys
  while #trace < count do
    local kind, length = random(4), random(500)
    for i = 1, math.min(length, count - #trace) do
      if kind == 1 then
        scanned = scanned + 1
        trace[#trace + 1] = scanned
      elseif kind == 2 then
        trace[#trace + 1] = keys + i % 100 + 1
      else
        trace[#trace + 1] = popular[#trace + 1]
      end
    end
  end
  return trace
end

return _M

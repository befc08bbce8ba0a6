--- Seeded chance: the same numbers for the same seed, on every Lua.
--
-- A stream is drawn from in order. What happens to one request is drawn from
-- a stream of its own, keyed by call and attempt, so that a plan without some
-- of its tasks meets the same faults in the others: only so can a failing run
-- be made smaller.

local _M = {}
_M.__index = _M

-- All products stay below 2^53, for numbers that are doubles.
local MODULUS, MULTIPLIER = 2147483647, 48271

local function mix(state, value)
  state = (state * MULTIPLIER + value % MODULUS) % MODULUS
  -- not linear, so that neighbours have nothing in common
  return (state * 69621 + (state % 1009) * (state % 9973)) % MODULUS
end

local function hash(...)
  local state = 1
  for i = 1, select("#", ...) do
    state = mix(mix(state, (select(i, ...))), i)
  end
  return state
end

--- A stream for a key of whole numbers, from 0.
function _M.of(...)
  return setmetatable({ state = hash(...) % (MODULUS - 1) + 1 }, _M)
end

--- What the fractions of a key begin with.
_M.base = hash

--- A single number in [0, 1) for two whole numbers and a base.
function _M.fraction(base, a, b)
  return mix(mix(base, a), b) / MODULUS
end

--- The next number in [0, 1).
function _M:real()
  self.state = self.state * MULTIPLIER % MODULUS
  return (self.state - 1) / (MODULUS - 1)
end

--- A whole number from low to high.
function _M:int(low, high)
  return low + math.floor(self:real() * (high - low + 1))
end

--- True with this probability.
function _M:hit(probability)
  return self:real() < probability
end

--- One of a list.
function _M:pick(list)
  return list[self:int(1, #list)]
end

--- One of a list or nothing, with the probability of something.
function _M:maybe(probability, list)
  local value = self:pick(list)
  return self:hit(probability) and value or nil
end

--- Around the mean, mostly less, at times much more.
function _M:exponential(mean)
  return -math.log(1 - self:real()) * mean
end

return _M

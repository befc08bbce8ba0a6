--- Faults on demand: which request meets which. A rule is {fault, operation,
-- times, rate, retry_after}; the first that fits a request is taken.

local _M = {}
_M.__index = _M

--- What a fault does: `effect`: is the request carried out? then what of the
-- answer goes out: nothing and a reset, nothing for ever, half of it, slowly,
-- bytes that are no HTTP, JSON that breaks off, a page, or a status.
_M.FAULTS = {
  reset_before = { effect = false, wire = "reset" },
  reset_after = { effect = true, wire = "reset" },
  stall_before = { effect = false, wire = "stall" },
  stall_after = { effect = true, wire = "stall" },
  cut = { effect = true, wire = "cut" },
  slow = { effect = true, wire = "slow" },
  garbage = { effect = false, wire = "garbage" },
  bad_json = { effect = true, wire = "bad_json" },
  html = { effect = false, wire = "page" },
  status_401 = { effect = false, status = 401 },
  status_429 = { effect = false, status = 429 },
  status_500 = { effect = false, status = 500 },
  status_502 = { effect = false, status = 502 },
  status_503 = { effect = false, status = 503 },
  status_504 = { effect = false, status = 504 },
  status_500_after = { effect = true, status = 500 },
  status_502_after = { effect = true, status = 502 },
}

--- So long does a slow answer take (s).
_M.SLOW_S = 3

_M.GARBAGE = ("\1\2garbage\255"):rep(20)

--- @tparam function random → a number in [0, 1), of a seed
function _M.new(random)
  return setmetatable({ rules = {}, random = random }, _M)
end

--- Adds a rule.
-- @treturn boolean|nil true; or nil and what is wrong with it
function _M:add(rule)
  if not _M.FAULTS[rule.fault] then
    return nil, "no such fault: " .. tostring(rule.fault)
  end
  self.rules[#self.rules + 1] = {
    name = rule.fault,
    operation = rule.operation,
    left = rule.times or math.huge,
    rate = rule.rate or 1,
    retry_after = rule.retry_after,
  }
  return true
end

function _M:clear()
  self.rules = {}
end

--- The fault that this request meets.
-- @tparam string operation "instances.list" …
-- @treturn table|nil {effect, wire, status, retry_after, name}
function _M:pick(operation)
  for _, rule in ipairs(self.rules) do
    local fits = rule.left > 0 and (not rule.operation or rule.operation == operation)
    if fits and (rule.rate >= 1 or self.random() < rule.rate) then
      rule.left = rule.left - 1
      local fault = _M.FAULTS[rule.name]
      return {
        name = rule.name,
        effect = fault.effect,
        wire = fault.wire,
        status = fault.status,
        retry_after = rule.retry_after,
      }
    end
  end
end

return _M

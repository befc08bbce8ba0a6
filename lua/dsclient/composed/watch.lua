--- Looking at something again and again, ever more rarely, until a deadline.

local core = require "dsclient.core"
local errors = require "dsclient.errors"

local _M = {}

-- A run that takes minutes needs no look each second.
local GROWTH = 1.5

--- Options of all that watches; `timeout_s` is each one's own.
-- @tparam table more the options of its own
function _M.options(more)
  local rules = {
    poll_s = { type = "number", min = 0.01, max = 86400, default = 1 },
    poll_max_s = { type = "number", min = 0.01, max = 86400, default = 30 },
  }
  for name, rule in pairs(more) do
    rules[name] = rule
  end
  return rules
end

local Watch = {}
Watch.__index = Watch

--- @tparam table opts checked ones: timeout_s, poll_s, poll_max_s
-- @tparam string operation for errors
function _M.new(client, opts, operation)
  return setmetatable({
    client = client,
    operation = operation,
    ends_at = core.time(client) + opts.timeout_s,
    timeout_s = opts.timeout_s,
    poll_s = opts.poll_s,
    poll_max_s = math.max(opts.poll_max_s, opts.poll_s),
    wait_s = opts.poll_s,
  }, Watch)
end

--- A watch for a part of the time of this one, at most `timeout_s`.
function Watch:part(timeout_s)
  return _M.new(self.client, {
    timeout_s = math.min(timeout_s, self:left_s()),
    poll_s = self.poll_s,
    poll_max_s = self.poll_max_s,
  }, self.operation)
end

function Watch:left_s()
  return math.max(0, self.ends_at - core.time(self.client))
end

-- What a call takes at most by itself (s): a list.
local CALL_S = 300

--- Options of a call that is not to outlast the watch.
function Watch:call_options()
  local left_s = self:left_s()
  return left_s < CALL_S and { timeout_s = math.max(left_s, 0.001) } or nil
end

--- Is there time left?
-- @tparam string|nil what is not done, for the error
-- @treturn boolean|nil true; or nil and an error of kind "deadline"
function Watch:goes_on(what)
  if self:left_s() > 0 then
    return true
  end
  return nil, errors.new {
    kind = "deadline",
    operation = self.operation,
    message = string.format("%s after %g s", what or "it has not ended", self.timeout_s),
  }
end

--- From now on looks follow each other closely again.
function Watch:quicken()
  self.wait_s = self.poll_s
end

--- Waits for the next look.
-- @tparam string|nil what is waited for, for the error
-- @treturn boolean|nil true; or nil and an error: of kind "deadline", or of a
--   client that was closed
function Watch:pause(what)
  local there_is_time, why = self:goes_on(what)
  if not there_is_time then
    return nil, why
  end
  local slept, err = self.client:sleep(math.min(self.wait_s, self:left_s()))
  self.wait_s = math.min(self.wait_s * GROWTH, self.poll_max_s)
  return slept, err
end

-- The next look may find the server well again.
local PASSING = {
  breaker_open = true, connect = true, deadline = true, dns = true, network = true, protocol = true, server = true,
  throttled = true, timeout = true, tls = true,
}

--- Is this error one that the next look may not meet?
function _M.is_passing(err)
  return PASSING[err.kind] or false
end

return _M

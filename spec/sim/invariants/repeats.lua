--- Repeats: none that may not be, none less than may be.

local operations = require "dsclient.operations"

-- As the client has them by default.
local MAX_RETRIES, BACKOFF_S, BACKOFF_MAX_S = 3, 0.5, 20
local STATUSES = { 429, 500, 502, 503, 504 }

-- As retry.c has them.
local COST, COST_THROTTLED = 14, 5
local CODES_AGAIN = { [10025] = true }

local Repeats = {}
Repeats.__index = Repeats

local function setting(world, call, name, default)
  local options = world.plan.options
  local special = options.operations and (options.operations[call.name] or options.operations[call.row.operation])
  local value = call.opts[name]
  if value == nil then
    value = special and special[name]
  end
  if value == nil then
    value = options[name]
  end
  return value == nil and default or value
end

local function is_listed(world, call, status)
  for _, listed in ipairs(setting(world, call, "retry_statuses", STATUSES)) do
    if listed == status then
      return true
    end
  end
  return false
end

local function succeeded(attempt)
  return attempt.kind == "answer" and attempt.status == 200 and attempt.code == 0
end

-- The attempts of the call's last request: of its own operation, since the last
-- one that succeeded.
local function last_request(call)
  local request = {}
  for _, attempt in ipairs(call.attempts) do
    if attempt.request.operation == call.row.operation then
      if request[#request] and succeeded(request[#request]) then
        request = {}
      end
      request[#request + 1] = attempt
    end
  end
  return request
end

local function count(request, fits)
  local number = 0
  for _, attempt in ipairs(request) do
    number = number + (fits(attempt) and 1 or 0)
  end
  return number
end

local function is_throttled(attempt)
  return attempt.status == 429
end

local function is_unknown_token(attempt)
  return attempt.status == 401
end

local function is_late(attempt)
  return attempt.kind == "timeout" and attempt.phase ~= "unsent"
end

local function is_stale(attempt)
  return attempt.stale
end

-- Another server may be asked at once.
local function is_elsewhere(attempt)
  return attempt.phase == "unsent" or attempt.status == 503
end

-- --- too many ------------------------------------------------------------

local function check_most(self, call, request)
  local world = self.world
  local free = math.min(count(request, is_stale), 1) + count(request, is_throttled) + count(request, is_unknown_token)
  if world.plan.servers > 1 then
    free = free + count(request, is_elsewhere)
  end
  local max_retries = setting(world, call, "max_retries", MAX_RETRIES)
  if #request - 1 - free > max_retries then
    world:fail("no more repeats than max_retries", "%s: %d attempts, %d of them for free", call.label, #request, free)
  elseif count(request, is_late) > 2 then
    world:fail("a time-out is repeated once", "%s: %d of them", call.label, count(request, is_late))
  elseif count(request, is_unknown_token) > 2 then
    world:fail("another token is tried once", "%s: %d refusals", call.label, count(request, is_unknown_token))
  end
end

-- --- too few -------------------------------------------------------------

local UNSENT = { connect = true, tls = true, dns = true }
local ON_THE_WAY = { network = true, timeout = true, protocol = true }

-- Would the client try again after this, if it can?
local function may_repeat(world, call, attempt)
  local replayable = operations.find(call.row.operation).replay ~= "once"
  if attempt.kind ~= "answer" then
    return UNSENT[attempt.kind] or ON_THE_WAY[attempt.kind] and (attempt.phase == "unsent" or replayable)
  elseif attempt.status == 429 then
    return is_listed(world, call, 429)
  elseif attempt.status == 200 then
    return replayable and CODES_AGAIN[attempt.code]
  end
  return attempt.status ~= 401 and attempt.status ~= 404 and replayable and is_listed(world, call, attempt.status)
end

-- The longest wait that could come next (us).
local function longest_wait_us(world, call, request)
  local backoff_s = setting(world, call, "backoff_s", BACKOFF_S) * 2 ^ (#request - 1)
  backoff_s = math.min(backoff_s, setting(world, call, "backoff_max_s", BACKOFF_MAX_S))
  local last = request[#request]
  local hint_s = (last.status == 429 or last.status == 503) and last.hint_s or 0
  return math.max(backoff_s, hint_s) * 1e6 + 2
end

-- May the wait after a 429 be none?
local function may_be_instant(world, call)
  return setting(world, call, "backoff_s", BACKOFF_S) == 0 or setting(world, call, "jitter", "auto") == "full"
end

-- Does a gate stand between a repeat and the server?
local function is_gated(world, call)
  local status = world.client:status()
  local shut = status.operations[call.name] ~= nil
  for _, server in ipairs(status.servers) do
    shut = shut or server.state ~= "closed"
  end
  return shut or world.plan.options.queue_max or world.plan.options.rate_limit or world.last_429_us
end

local function check_least(self, call, request)
  local world, last = self.world, request[#request]
  -- later it is a gate that did not let it through
  local at_once = last.ended_us == call.ended_us and not call.hook_ended_us
  if not at_once or world.closed_us or call.err.kind == "cancelled" or not may_repeat(world, call, last) then
    return
  end
  local throttled = is_throttled(last)
  local retries = #request - 1 - count(request, is_throttled) + (throttled and 1 or 0)
  local max_retries = setting(world, call, "max_retries", MAX_RETRIES)
  local cost = throttled and COST_THROTTLED or COST
  local excused = retries >= max_retries and not (throttled and max_retries > 0)
    or is_late(last) and count(request, is_late) > 1
    or longest_wait_us(world, call, request) >= call.deadline_us - call.ended_us
    or world.client:status().budget < cost
    or is_gated(world, call) and (not throttled or may_be_instant(world, call))
  if not excused then
    world:fail("a call does not give up too soon", "%s: %s after %d attempts", call.label, tostring(call.err), #request)
  end
end

function Repeats:call_ended(call)
  if call.row.replay == "clear" or call.thrown then
    return
  end
  local request = last_request(call)
  if #request == 0 then
    return
  end
  check_most(self, call, request)
  if call.err then
    check_least(self, call, request)
  end
end

return function(world)
  return setmetatable({ world = world }, Repeats)
end

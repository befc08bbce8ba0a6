--- Finds out which server line it is, where nobody told: by the paths that are
-- there (see dialect.lua).

local core = require "dsclient.core"
local dialects = require "dsclient.dialect"
local driver = require "dsclient.drive"
local flight = require "dsclient.flight"
local wait = require "dsclient.wait"

local _M = {}

local DETECT = { name = "server.detect", method = "GET", replay = "read", result = "object" }

-- What the probe of a path tells before its call is over.
local VERDICTS = { api = "there", not_api = "absent", throttled = "throttled" }

local function ask(state, call, request, action, a, b, c)
  while action ~= "done" and action ~= "fail" do
    local done = action
    action, a, b, c = driver.advance(state, call, request, action, a, b, c)
    local verdict = done == "send" and action ~= "done" and VERDICTS[call:report().cause]
    if verdict then
      return verdict
    end
    a = driver.log_turn(state, DETECT, call, done, action, a, b, c)
  end
  if action == "fail" then
    return nil, driver.call_failure(state, DETECT, call, request, a)
  end
  return "there"
end

--- One probe: "there", "absent", "throttled", or nil and an error.
local function probe(state, path, timeout_s)
  local request = driver.new_request(state, DETECT)
  request.path = path
  local call, action, a, b, c = core.call(state.client, driver.number_of(state, DETECT), timeout_s)
  local verdict, err = driver.guarded(state, call, ask, state, call, request, action, a, b, c)
  driver.finish(state, call, err and err.kind)
  return verdict, err
end

--- Waits a little; false where the call was cancelled.
local function pause(state, deadline)
  local now_s = driver.enter(state)
  local seconds = now_s and math.min(dialects.PROBE_PAUSE_S, math.max(deadline - now_s, 0))
  return not seconds or wait.park(state, {}, seconds) ~= "cancelled"
end

--- Finds out which dialect the server speaks. A 429 decides nothing: behind
-- the limiter an unknown path is always refused, a known one only sometimes.
local function detect(state, deadline)
  local absent, throttled = {}, false
  while not (absent[1] and absent[2]) do
    for i, one in ipairs(dialects.PROBES) do
      local now_s, err = driver.enter(state)
      if not now_s then
        return nil, err
      elseif driver.is_over(now_s, deadline) then
        local message = "the time of the call is over before the server line was found"
        return nil, driver.failure(state, DETECT, { kind = throttled and "throttled" or "deadline", message = message })
      end
      local verdict = "absent"
      if not absent[i] then
        verdict, err = probe(state, one.path, deadline - now_s)
      end
      if verdict == "there" then
        return one.dialect
      elseif not verdict then
        return nil, err
      end
      absent[i] = verdict == "absent"
      throttled = verdict == "throttled"
      if throttled and not pause(state, deadline) then
        return nil, driver.failure(state, DETECT, { kind = "cancelled", message = "it was ended" })
      end
    end
  end
  local message = "neither workflow-* nor process-* paths are there: is the base path right?"
  return nil, driver.failure(state, DETECT, { kind = "not_api", message = message })
end

local function set_dialect(state, dialect)
  if state.dialect ~= dialect and state.options.log then
    state.options.log("info", "the server speaks the dialect " .. dialect, { event = "dialect", dialect = dialect })
  end
  state.dialect = dialect
end

--- The dialect for a row, found out at the first row that needs to know, and
-- again once it became doubtful.
-- @treturn string|nil "process" or "workflow"; nil and an error
function _M.dialect_for(state, row, deadline)
  if state.dialect and not state.dialect_doubtful then
    return state.dialect
  end
  local needed = row.rows or type(row.path) == "table"
  for _, param in ipairs(row.params) do
    needed = needed or type(param[3]) == "table"
  end
  if not needed then
    return state.dialect or "workflow"
  end
  local dialect, err, _, found = flight.share(state, "detect", deadline, function()
    local dialect, err = detect(state, deadline)
    if dialect then
      set_dialect(state, dialect)
      state.dialect_doubtful = nil
    end
    return dialect, err, nil, dialect
  end)
  return dialect or found, err
end

return _M

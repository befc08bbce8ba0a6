--- Finds out which server line it is, where nobody told: by the paths that are
-- there (see dialect.lua).

local core = require "dsclient.core"
local dialects = require "dsclient.dialect"
local driver = require "dsclient.drive"

local _M = {}

local DETECT = { name = "server.detect", method = "GET", replay = "read", result = "object" }

--- One probe: "there", "absent", "throttled", or nil and an error.
local function probe(state, path, timeout_s)
  local call, action, a, b, c = core.call(state.client, driver.number_of(state, DETECT), timeout_s)
  local request = driver.new_request(state, DETECT)
  request.path = path
  while action ~= "done" and action ~= "fail" do
    local done = action
    action, a, b, c = driver.advance(state, call, request, action, a, b, c)
    local cause = call:report().cause
    if action ~= "done" and (cause == "throttled" or cause == "not_api" or cause == "api") then
      call:finish(false)
      return cause == "api" and "there" or cause == "not_api" and "absent" or "throttled"
    end
    driver.log_turn(state, DETECT, call, done, action, a, b)
  end
  call:finish(action == "fail")
  if action == "fail" then
    return nil, driver.call_failure(state, DETECT, call, a)
  end
  return "there"
end

local function pause(state, deadline)
  local now_s = driver.enter(state)
  if now_s then
    state.runtime.sleep(math.min(dialects.PROBE_PAUSE_S, math.max(deadline - now_s, 0)))
  end
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
      elseif now_s >= deadline then
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
      if throttled then
        pause(state, deadline)
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
  local dialect, err = detect(state, deadline)
  if not dialect then
    return nil, err
  end
  set_dialect(state, dialect)
  state.dialect_doubtful = nil
  return dialect
end

return _M

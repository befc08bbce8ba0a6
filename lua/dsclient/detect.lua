--- Finds out which server line it is, where nobody told: by the paths that are
-- there (see dialect.lua).

local core = require "dsclient.core"
local dialects = require "dsclient.dialect"
local driver = require "dsclient.drive"
local flight = require "dsclient.flight"
local wait = require "dsclient.wait"

local _M = {}

local NOTHING = {}

local DETECT = { name = "server.detect", method = "GET", replay = "read", result = "object" }

-- What the probe of a path tells before its call is over.
local VERDICTS = { api = "there", not_api = "absent", throttled = "throttled" }

local function ask(ticket, path, timeout_s)
  local state = ticket.state
  local request = driver.new_request(ticket, path)
  local action, a, b, c
  ticket.call, action, a, b, c = core.call(state.client, driver.number_of(ticket), timeout_s)
  while action ~= "done" and action ~= "fail" do
    local done = action
    action, a, b, c = driver.advance(ticket, request, action, a, b, c)
    local verdict = done == "send" and action ~= "done" and VERDICTS[ticket.call:report().cause]
    if verdict then
      return verdict
    end
    a = driver.log_turn(ticket, done, action, a, b, c)
  end
  if action == "fail" then
    return nil, driver.call_failure(ticket, request, a)
  end
  return "there"
end

--- One probe: "there", "absent", "throttled", or nil and an error.
local function probe(state, path, timeout_s)
  local ticket = { state = state, row = DETECT, known = driver.known_of(state, DETECT), opts = NOTHING, call = false }
  local verdict, err = driver.guarded(ask, ticket, path, timeout_s)
  driver.finish(ticket, err and err.kind)
  return verdict, err
end

--- Waits a little; false where the call was cancelled.
local function pause(state, deadline)
  local now_s = driver.enter(state)
  local seconds = now_s and math.min(dialects.PROBE_PAUSE_S, math.max(deadline - now_s, 0))
  return not seconds or wait.park(state, {}, seconds) ~= "cancelled"
end

--- Asks for a path while the limiter refuses it, `asks` times at most.
-- @tparam table seen `late`: the kind of error when the time of the call is over
-- @treturn string|nil as probe
local function probe_often(state, path, deadline, asks, seen)
  for _ = 1, asks do
    local now_s, err = driver.enter(state)
    if not now_s then
      return nil, err
    elseif driver.is_over(now_s, deadline) then
      local message = "the time of the call is over before the server line was found"
      return nil, driver.failure(state, DETECT, { kind = seen.late, message = message })
    end
    local verdict
    verdict, err = probe(state, path, deadline - now_s)
    if verdict ~= "throttled" then
      return verdict, err
    end
    seen.late = "throttled"
    if not pause(state, deadline) then
      return nil, driver.failure(state, DETECT, { kind = "cancelled", message = "it was ended" })
    end
  end
  return "throttled"
end

--- Asks probes until one is there, round after round while some were refused: a
-- 429 decides nothing, for behind the limiter an unknown path is always refused, a
-- known one only sometimes.
-- @tparam number asks how often a refused one is asked before the next is
-- @treturn string|nil the verdict of the one that is there; nil, nil where none
--   is; nil and an error
local function first_there(state, probes, deadline, asks)
  local absent, left, seen = {}, #probes, { late = "deadline" }
  while left > 0 do
    for i, one in ipairs(probes) do
      if not absent[i] then
        local verdict, err = probe_often(state, one.path, deadline, asks, seen)
        if verdict == "there" then
          return one.verdict
        elseif not verdict then
          return nil, err
        elseif verdict == "absent" then
          absent[i], left = true, left - 1
        end
      end
    end
  end
  return nil
end

local function log_line(state, message, fields)
  if state.options.log then
    fields.event = "dialect"
    state.options.log("info", message, fields)
  end
end

local function find_dialect(state, deadline)
  local dialect, err = first_there(state, dialects.PROBES, deadline, 1)
  if dialect then
    if state.dialect ~= dialect then
      log_line(state, "the server speaks the dialect " .. dialect, { dialect = dialect })
    end
    state.dialect, state.dialect_doubtful, state.version, state.line = dialect, nil, nil, nil
    state.known_at_s = core.time(state.client)
  elseif not err then
    local message = "neither workflow-* nor process-* paths are there: is the base path right?"
    err = driver.failure(state, DETECT, { kind = "not_api", message = message })
  end
  return dialect, err, nil, dialect
end

--- Is it on some lines only?
local function is_bounded(item)
  return item.since ~= nil or item.upto ~= nil
end

--- Does this row go out otherwise, or come back otherwise, by the dialect?
local function differs(row)
  if row.rows or is_bounded(row) or type(row.path) == "table" then
    return true
  end
  for _, param in ipairs(row.params) do
    if type(param[3]) == "table" or is_bounded(param) then
      return true
    end
  end
  return false
end

-- So old may be what was found out when a call is refused by it: a server that
-- was upgraded gives no other sign.
local KNOWN_MAX_S = 600

--- As far as it is known: has the server an operation or a parameter?
-- @treturn boolean|nil nil where the line, or its patch, decides and is not known
local function known_to_have(state, item)
  local verdict = dialects.all_have(item, state.dialect)
  if verdict == nil and state.version then
    verdict = dialects.has(item, state.version)
  end
  return verdict
end

--- Is a refusal by what is known of the server too old to trust?
local function is_stale(state, item)
  return is_bounded(item) and not state.options.server_version and known_to_have(state, item) == false
    and core.time(state.client) - state.known_at_s > KNOWN_MAX_S
end

--- The dialect for a row, found out at the first row that needs to know, and
-- again once it became doubtful.
-- @treturn string|nil "process" or "workflow"; nil and an error
function _M.dialect_for(state, row, deadline)
  if state.dialect and not state.dialect_doubtful and not is_stale(state, row) then
    return state.dialect
  elseif not differs(row) then
    return state.dialect or "process" -- of the two the one whose answers get other names
  end
  local dialect, err, _, found = flight.share(state, "detect", deadline, function()
    return find_dialect(state, deadline)
  end)
  return dialect or found, err
end

-- --- the line ------------------------------------------------------------

--- From 3.3 on the server tells its version; before, the paths do.
local function ask_line(state, deadline)
  if state.dialect == "workflow" then
    local product = state.context.perform("server.product_info", {}, { deadline = deadline, uncounted = true })
    local version = type(product) == "table" and type(product.version) == "string"
      and product.version:match "^%d%d?%.%d%d?%.?%d?%d?"
    return version and dialects.of(dialects.parse(version)) == "workflow" and version or "3.3"
  end
  return first_there(state, dialects.LINE_PROBES, deadline, dialects.LINE_ASKS)
end

local function find_version(state, deadline)
  local line, err = ask_line(state, deadline)
  local now_s = line and driver.enter(state)
  if now_s then
    log_line(state, "the server is of the line " .. line, { dialect = state.dialect, line = line })
    state.version, state.line, state.known_at_s = dialects.parse(line), line, now_s
  end
  return line, err, nil, line
end

--- Has this server an operation or a parameter? Asks for its line where that
-- decides.
-- @treturn boolean|nil nil where it can't be told; then with the error, if any
local function has(state, item, deadline)
  if not is_bounded(item) then
    return true
  end
  local verdict = known_to_have(state, item)
  if not state.version and verdict == nil or is_stale(state, item) then
    local line, err = flight.share(state, "line", deadline, function()
      return find_version(state, deadline)
    end)
    if not line and err then
      return nil, err
    end
    verdict = known_to_have(state, item)
  end
  return verdict
end

-- What is known of the server's version, in words.
local function server_in_words(state)
  return state.options.server_version or state.line or state.dialect == "process" and "up to 3.2" or "3.3 or later"
end

local function lacking(state, row, item, title)
  local message = string.format("%s is not on this server (%s): %s", title, server_in_words(state),
    dialects.range(item))
  local argument = item ~= row and item[1] or nil
  return driver.failure(state, row, { kind = "unsupported", message = message, argument = argument })
end

-- Of each row: those of its parameters that are on some lines only; `any`: are
-- there such, or is the row itself?
local bounded_of = setmetatable({}, {
  __mode = "k",
  __index = function(known, row)
    local bounded = { any = is_bounded(row) }
    for _, param in ipairs(row.params) do
      bounded[#bounded + 1] = is_bounded(param) and param or nil
    end
    bounded.any = bounded.any or #bounded > 0
    known[row] = bounded
    return bounded
  end,
})

--- Is all of this call on the server's line?
-- @treturn boolean|nil true; false where it may be
-- @treturn table|nil error
local function check(state, row, bound, args, deadline)
  local there, err = has(state, row, deadline)
  if err or there == false then
    return nil, err or lacking(state, row, row, row.operation)
  end
  local sure, bounded = there == true, bounded_of[row]
  for i = 1, #bounded do
    local param = bounded[i]
    local name = param[1]
    local given = args[name] ~= nil
    there = nil
    if bound[name] or param.required then
      there, err = has(state, param, deadline)
    end
    if err then
      return nil, err
    elseif there == false and given then
      return nil, lacking(state, row, param, string.format("argument %q", name))
    elseif there == false then
      bound[name] = nil
    elseif param.required and not bound[name] then
      local message = string.format("it is missing: needed %s", dialects.range(param))
      return nil, driver.failure(state, row, { kind = "argument", argument = name, message = message })
    end
  end
  return sure
end

--- The dialect for a call; all of it is on the server's line. Drops from `bound`
-- what the line lacks and nobody gave.
-- @treturn string|nil "process" or "workflow"; nil where there is an error
-- @treturn boolean is it sure that the server has the operation? Not where the
--   patch decides
-- @treturn table|nil error of kind "unsupported", or of the detection
function _M.line_for(state, row, bound, args, deadline)
  if state.dialect and not state.dialect_doubtful and not bounded_of[row].any then
    return state.dialect, true
  end
  local dialect, sure, err
  dialect, err = _M.dialect_for(state, row, deadline)
  if dialect then
    sure, err = check(state, row, bound, args, deadline)
  end
  return not err and dialect or nil, sure, err
end

--- What a path that is not there means for a row that may not be on the line.
function _M.lacking(state, row)
  return lacking(state, row, row, row.operation)
end

return _M

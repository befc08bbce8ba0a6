--- The way of one call: arguments, cache, server line, requests, value; read it
-- from `perform` on. drive.lua is the loop that sends and waits.

local arguments = require "dsclient.arguments"
local core = require "dsclient.core"
local detect = require "dsclient.detect"
local dialects = require "dsclient.dialect"
local driver = require "dsclient.drive"
local operations = require "dsclient.operations"
local paging = require "dsclient.paging"
local token = require "dsclient.token"

local enter, failure = driver.enter, driver.failure

local _M = { enter = enter }

-- So long is a run held after an execute. Two at the same moment are both
-- accepted, and on the newest line a run may then never end; its state moves
-- within a second or so (measured on 3.1.1, 3.2.2 and 3.3-dev).
local HOLD_S = 10

local CALL_OPTIONS = {
  timeout_s = { type = "number", min = 0.001, max = 86400 },
  attempt_timeout_s = { type = "number", min = 0.001, max = 86400 },
  cache = { type = "boolean" },
  refresh = { type = "boolean" },
  ttl_s = { type = "number", min = 0, max = 2 ^ 31 },
  borrow = { type = "boolean" },
  raw = { type = "boolean" },
}
_M.OPTIONS = CALL_OPTIONS

local function ensure_token(state)
  if state.token then
    return true
  end
  local given, err = token.ask(state.options)
  if not given then
    return nil, err
  end
  local now_s
  now_s, err = enter(state) -- the source may have closed the client
  if not now_s then
    return nil, err
  end
  token.use(state, given)
  return true
end

-- --- values --------------------------------------------------------------

local function shape_of(state, row, dialect, raw)
  local shapes = state.shapes[raw and "raw" or dialect]
  local shape = shapes[row]
  if not shape then
    shape = core.shape {
      rename = dialects.RENAMED[dialect],
      codes = row.codes,
      rows = row.rows,
      utc_offset_s = state.utc_offset_s,
      raw = raw,
    }
    shapes[row] = shape
  end
  return shape
end

local finish = {}

function finish.object(value)
  if type(value) == "table" then
    return value
  end
  return value == nil and true or { value = value }
end

finish.none = function()
  return true
end

function finish.list(value)
  return type(value) == "table" and value or core.array {}
end

--- A start answers nothing (up to 3.1), a trigger code (3.2) or a list of ids.
function finish.started(value)
  if type(value) == "table" then
    return { instance_ids = value }
  end
  return { trigger_code = value }
end

--- What a call needs before its first request: token, server line, machine.
-- @treturn table|nil the ticket that the functions below work on
local function open(state, row, bound, opts, deadline)
  local usable, err = ensure_token(state)
  if not usable then
    err.operation = row.name
    return nil, err
  end
  local dialect, now_s
  dialect, err = detect.dialect_for(state, row, deadline)
  if dialect then
    now_s, err = enter(state)
  end
  if not now_s then
    err.operation = row.name
    return nil, err
  end
  local left_s = math.max(deadline - now_s, 1e-6)
  local _, attempt_timeout_s = driver.timeouts(state, row, opts)
  local call, action, a, b, c = core.call(state.client, driver.number_of(state, row), left_s, attempt_timeout_s)
  return {
    state = state,
    row = row,
    bound = bound,
    dialect = dialect,
    shape = shape_of(state, row, dialect, opts.raw),
    call = call,
    action = action,
    a = a,
    b = b,
    c = c,
  }
end

--- Sends the next request of a ticket and decodes its answer.
-- @treturn boolean did it succeed?
-- @return the value (nil where there is no data), or the error
local function exchange(ticket, extra)
  local state, row, call = ticket.state, ticket.row, ticket.call
  local request = driver.new_request(state, row)
  request.path, request.body = arguments.request(row, ticket.bound, ticket.dialect, extra)
  if not ticket.action then
    ticket.action, ticket.a, ticket.b, ticket.c = call:request()
  end
  local outcome, first, last = driver.drive(state, row, call, request, ticket.action, ticket.a, ticket.b, ticket.c)
  ticket.action = nil
  if outcome == "fail" then
    if first == "not_api" and not state.options.server_version then
      state.dialect_doubtful = true
    end
    return false, driver.call_failure(state, row, call, first)
  elseif not first then
    return true, nil
  end
  local value, message = ticket.shape:decode(request.answer, first, last)
  if value == nil and message then
    return false, failure(state, row, { kind = "protocol", message = message })
  end
  return true, value
end

--- A source of pages, as paging.lua reads them.
local function page_source(ticket)
  return function(number, page_size)
    local ok, page = exchange(ticket,
      { "pageNo", string.format("%d", number), "pageSize", string.format("%d", page_size) })
    if not ok then
      return nil, page
    end
    return type(page) == "table" and page or {}
  end
end

local function rows_max_of(state, args)
  return args.rows_max or state.options.rows_max
end

local function page_size_of(state, args)
  return args.page_size or state.options.page_size
end

local function fetch(state, row, bound, opts, args, deadline)
  local ticket, err = open(state, row, bound, opts, deadline)
  if not ticket then
    return nil, err
  end
  local value, ok
  if row.result == "page" then
    value, err = paging.read(page_source(ticket), page_size_of(state, args), rows_max_of(state, args), row.name)
  else
    ok, value = exchange(ticket)
    if ok then
      value = finish[row.result](value)
    else
      value, err = nil, value
    end
  end
  ticket.call:finish(value == nil)
  if err then
    err.attempts = err.attempts or ticket.call:report().attempts
  end
  return value, err, ticket.call:attempts()
end

-- --- one run, one execute at a time --------------------------------------

local function prune(held, now)
  for id, hold in pairs(held) do
    if hold.until_s <= now then
      held[id] = nil
    end
  end
end

-- What they act on was under way: that it has ended is their effect.
local HALTS = { PAUSE = true, STOP = true }

--- May this run be acted on now? Within the hold it is read first, and must
-- have moved: be under way, that is, or have ended where it was to end.
local function free_to_act(state, row, bound, deadline)
  local now_s, err = enter(state, row.name)
  if not now_s then
    return nil, err
  end
  prune(state.held, now_s)
  local id = bound[row.holds]
  local held = state.held[id]
  if not held then
    return true
  end
  local args = { project = bound.project, instance_id = tonumber(id) }
  local run
  run, err = _M.perform(state, "instances.get", args, { deadline = deadline })
  if not run then
    err.operation = row.name
    return nil, err
  elseif run ~= true and (run.running or held.halts and run.finished) then
    return true
  end
  local message = string.format("another execute of run %s was sent less than %d s ago and shows no effect yet", id,
    HOLD_S)
  return nil, failure(state, row, { kind = "busy", message = message })
end

local function hold(state, row, bound, now_s)
  state.held[bound[row.holds]] = {
    until_s = now_s + HOLD_S,
    halts = HALTS[bound.execute_type],
  }
end

-- --- the whole -----------------------------------------------------------

local NO_OPTIONS = {}

local function ttl_for(state, row, opts)
  if opts.ttl_s then
    return opts.ttl_s
  end
  local changed = state.options.cache_ttl_s
  return changed and (changed[row.name] or changed[row.operation]) or row.ttl_s or 0
end

--- What the cache holds under the key: value, nil, meta; nothing; nil and an
-- error where it is longer than is wanted now.
local function from_cache(state, row, args, opts, key)
  if opts.refresh then
    return nil
  end
  local number = not opts.uncounted and driver.number_of(state, row) or nil
  local value, age_s = core.lookup(state.client, number, key, opts.borrow)
  if value == nil then
    return nil
  elseif row.result == "page" and #value > rows_max_of(state, args) then
    return nil, paging.too_long(#value, rows_max_of(state, args), row.name)
  end
  return value, nil, { cached = true, age_s = age_s, attempts = 0 }
end

local function invalidate(state, row)
  for _, operation in ipairs(row.invalidates or {}) do
    core.drop(state.client, operation .. "\0")
  end
end

--- When the call has to end, on the client's clock.
local function deadline_of(state, row, opts)
  local now_s, err = enter(state, row.name)
  if not now_s then
    return nil, err
  end
  return opts.deadline or now_s + driver.timeouts(state, row, opts)
end

--- What each call begins with: its deadline, and its arguments as the server
-- wants them.
-- @treturn number|nil
-- @treturn table bound arguments; or the error
local function begin(state, row, args, opts)
  local deadline, err = deadline_of(state, row, opts)
  if not deadline then
    return nil, err
  end
  local bound
  bound, err = arguments.bind(row, args, state.context, deadline)
  return bound and deadline, bound or err
end

--- Performs an operation.
-- @tparam table state the client's insides
-- @tparam table|string row of the operations table, or its name
-- @tparam table args by name
-- @tparam table opts call options (checked), or nil
-- @return value, nil, meta; or nil, error
function _M.perform(state, row, args, opts)
  row = type(row) == "table" and row or operations.find(row)
  opts = opts or NO_OPTIONS
  local deadline, bound = begin(state, row, args, opts)
  if not deadline then
    return nil, bound
  end
  local err
  local ttl_s = ttl_for(state, row, opts)
  local key
  if row.replay == "read" and ttl_s > 0 and opts.cache ~= false and state.options.enable_cache then
    key = arguments.key(row, bound) .. (opts.raw and "raw" or "")
    local value, meta
    value, err, meta = from_cache(state, row, args, opts, key)
    if value ~= nil or err then
      return value, err, meta
    end
  end
  if row.holds then
    local free
    free, err = free_to_act(state, row, bound, deadline)
    if not free then
      return nil, err
    end
  end
  local value, attempts
  value, err, attempts = fetch(state, row, bound, opts, args, deadline)
  local now_s = core.enter(state.client) -- it may be closed by now
  if now_s and (value ~= nil or err.kind == "outcome_unknown") then
    if row.holds then
      hold(state, row, bound, now_s)
    end
    invalidate(state, row)
  end
  if value == nil then
    return nil, err
  end
  local text = now_s and key and core.encode(value)
  if text then
    core.store(state.client, key, text, ttl_s)
  end
  return value, nil, { cached = false, age_s = 0, attempts = attempts }
end

--- The pages of a list one by one, each a call under a deadline of its own;
-- see paging.pages.
function _M.pages(state, row, args, opts)
  opts = opts or NO_OPTIONS
  return paging.pages(function(number, page_size)
    local deadline, bound = begin(state, row, args, opts)
    if not deadline then
      return nil, bound
    end
    local ticket, err = open(state, row, bound, opts, deadline)
    if not ticket then
      return nil, err
    end
    local page
    page, err = page_source(ticket)(number, page_size)
    ticket.call:finish(page == nil)
    return page, err
  end, page_size_of(state, args), row.name)
end

local WHO = operations.alias("check_connection", "users.current")

local function not_this_api(state)
  return failure(state, WHO, { kind = "protocol", message = "the server did not tell who the token's user is" })
end

--- Who we are, and which line the server is; three questions at most, under one
-- deadline. None is answered by the cache.
-- @treturn table|nil {user, user_id, time_zone, dialect, version}; or nil, err
function _M.check_connection(state, opts)
  local deadline, user, dialect, err
  deadline, err = deadline_of(state, WHO, opts or NO_OPTIONS)
  if not deadline then
    return nil, err
  end
  local under = { deadline = deadline, cache = false, attempt_timeout_s = opts and opts.attempt_timeout_s }
  user, err = _M.perform(state, WHO, {}, under)
  if not user then
    return nil, err
  elseif type(user) ~= "table" or user.userName == nil then
    return nil, not_this_api(state)
  end
  dialect, err = detect.dialect_for(state, operations.find "workflows.list", deadline)
  if not dialect then
    err.operation = WHO.name
    return nil, err
  end
  local product = dialect == "workflow" and _M.perform(state, "server.product_info", {}, under)
  return {
    user = user.userName,
    user_id = user.id,
    time_zone = user.timeZone,
    dialect = dialect,
    version = type(product) == "table" and product.version or state.options.server_version,
  }
end

return _M

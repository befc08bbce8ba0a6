--- The way of one call: arguments, cache, server line, requests, value.
-- `advance` below is the only place in the library that may wait.

local arguments = require "dsclient.arguments"
local core = require "dsclient.core"
local dialects = require "dsclient.dialect"
local errors = require "dsclient.errors"
local operations = require "dsclient.operations"
local paging = require "dsclient.paging"
local token = require "dsclient.token"

local _M = {}

-- Of a call, of an attempt (s): lists are slow on large servers, and an
-- abandoned one is still worked on there.
local TIMEOUT_S, LIST_TIMEOUT_S = 30, 300
local ATTEMPT_TIMEOUT_S, LIST_ATTEMPT_TIMEOUT_S = 10, 25

-- So long is a run held after an execute (ds-api.md §11, 33 to 36: two at
-- once can wedge it; the state moves within a second or so).
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

--- The time on the client's clock. Every call begins here.
-- @treturn number|nil seconds; nil and an error where the client is closed, or
--   belongs to the process that this one was forked from
local function enter(state, operation)
  local now_s, why = core.enter(state.client)
  if not now_s then
    return nil, errors.new { kind = "closed", operation = operation, message = why }
  end
  return now_s
end
_M.enter = enter

--- An error of this call; no text of it holds the token.
local function failure(state, row, fields)
  fields.operation = fields.operation or row.name
  local secret = state.token
  if secret and secret ~= "" and fields.message then
    local from, to = fields.message:find(secret, 1, true)
    while from do
      fields.message = fields.message:sub(1, from - 1) .. "***" .. fields.message:sub(to + 1)
      from, to = fields.message:find(secret, from + 3, true)
    end
  end
  return errors.new(fields)
end

-- What the machine's verdict leaves unsaid.
local HINTS = {
  auth = "the token is missing, wrong or expired (HTTP 401)",
  throttled = "the server refuses more requests for now (HTTP 429)",
  not_api = "no answer of the DolphinScheduler API: is the base path right?",
  deadline = "the time of the call is over",
  outcome_unknown = "sent, but no answer tells what came of it: read before sending again",
}

local function call_failure(state, row, call, kind)
  local report = call:report()
  report.kind = kind
  local said = report.message
  local hint = HINTS[kind]
  report.message = hint and said and hint .. ": " .. said or hint or said or ""
  return failure(state, row, report)
end

local function attempt(state, request, deadline, server, fresh)
  request.url = state.urls[server] .. request.path
  request.headers = request.body and state.form_headers or state.headers
  request.fresh = fresh
  local exchange, failed = state.transport:start(request, deadline)
  if not exchange then
    return nil, failed
  end
  return exchange:wait()
end

local function log_repeat(state, row, call, wait_s, server)
  local report = call:report()
  state.options.log("warn", row.name .. ": " .. report.cause .. (wait_s > 0 and ", again after a pause" or ", again"), {
    event = "retry",
    operation = row.name,
    cause = report.cause,
    status = report.status,
    code = report.code,
    attempt = call:attempts(),
    wait_s = wait_s,
    server = server and state.urls[server],
  })
end

--- Tells the log what is worth telling of one turn of the loop: what was done,
-- and what the machine asks for next.
local function log_turn(state, row, call, done, action, a, b)
  if not state.options.log then
    return
  elseif done == "send" and action == "send" then
    log_repeat(state, row, call, 0, b)
  elseif done == "send" and action == "sleep" then
    log_repeat(state, row, call, a)
  elseif done == "token" and action == "send" then
    state.options.log("info", row.name .. ": refused (401), again with the new token",
      { event = "token", operation = row.name })
  end
end

--- Does what the machine asks for, tells it what came of it, and returns what
-- it asks for next (with the answer's body when it is done).
local function advance(state, call, request, action, a, b, c)
  if action == "send" then
    local response, failed = attempt(state, request, a, b, c)
    if not response then
      return call:failed(failed.kind, failed.phase, failed.stale, failed.message)
    end
    request.answer = response.body
    local headers = response.headers
    return call:answered(response.status, headers["content-type"], headers["retry-after"], headers.date,
      response.body, response.bytes_in, response.bytes_out)
  elseif action == "sleep" then
    if enter(state) then -- the log may have closed the client
      state.runtime.sleep(a)
    end
    return call:resumed()
  end
  local fresh = token.ask(state.options)
  local different = fresh and fresh ~= state.token and enter(state) ~= nil
  if different then
    token.use(state, fresh)
  end
  return call:renewed(different)
end

local function drive(state, row, call, request, action, a, b, c)
  while action ~= "done" and action ~= "fail" do
    local done = action
    action, a, b, c = advance(state, call, request, action, a, b, c)
    log_turn(state, row, call, done, action, a, b)
  end
  return action, a, b
end

local function timeouts(state, row, opts)
  local list = row.result == "page" or row.result == "list"
  local options = state.options
  return opts.timeout_s or options.timeout_s or (list and LIST_TIMEOUT_S or TIMEOUT_S),
    opts.attempt_timeout_s or options.attempt_timeout_s or (list and LIST_ATTEMPT_TIMEOUT_S or ATTEMPT_TIMEOUT_S)
end

--- The machine's number of a row; registered at its first use.
local function number_of(state, row)
  local number = state.numbers[row]
  if not number then
    local timeout_s, attempt_timeout_s = timeouts(state, row, {})
    number = core.register(state.client, {
      name = row.name,
      replay = row.replay,
      timeout_s = timeout_s,
      attempt_timeout_s = attempt_timeout_s,
      already = row.already,
    })
    state.numbers[row] = number
  end
  return number
end
_M.number_of = number_of

local function new_request(state, row)
  return {
    method = row.method,
    once = row.replay == "once",
    connect_timeout_s = state.options.connect_timeout_s,
    idle_timeout_s = state.options.idle_timeout_s,
    body_bytes_max = state.options.body_bytes_max,
  }
end

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

-- --- server lines --------------------------------------------------------

local DETECT = { name = "server.detect", method = "GET", replay = "read", result = "object" }

--- One probe: "there", "absent", "throttled", or nil and an error.
local function probe(state, path, timeout_s)
  local call, action, a, b, c = core.call(state.client, number_of(state, DETECT), timeout_s)
  local request = new_request(state, DETECT)
  request.path = path
  while action ~= "done" and action ~= "fail" do
    local done = action
    action, a, b, c = advance(state, call, request, action, a, b, c)
    local cause = call:report().cause
    if action ~= "done" and (cause == "throttled" or cause == "not_api" or cause == "api") then
      call:finish(false)
      return cause == "api" and "there" or cause == "not_api" and "absent" or "throttled"
    end
    log_turn(state, DETECT, call, done, action, a, b)
  end
  call:finish(action == "fail")
  if action == "fail" then
    return nil, call_failure(state, DETECT, call, a)
  end
  return "there"
end

local function pause(state, deadline)
  local now_s = enter(state)
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
      local now_s, err = enter(state)
      if not now_s then
        return nil, err
      elseif now_s >= deadline then
        local message = "the time of the call is over before the server line was found"
        return nil, failure(state, DETECT, { kind = throttled and "throttled" or "deadline", message = message })
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
  return nil, failure(state, DETECT, { kind = "not_api", message = message })
end

local function set_dialect(state, dialect)
  if state.dialect ~= dialect and state.options.log then
    state.options.log("info", "the server speaks the dialect " .. dialect, { event = "dialect", dialect = dialect })
  end
  state.dialect = dialect
end

--- The dialect for a row, found out at the first row that needs to know.
local function dialect_for(state, row, deadline)
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
  dialect, err = dialect_for(state, row, deadline)
  if dialect then
    now_s, err = enter(state)
  end
  if not now_s then
    err.operation = row.name
    return nil, err
  end
  local left_s = math.max(deadline - now_s, 1e-6)
  local _, attempt_timeout_s = timeouts(state, row, opts)
  local call, action, a, b, c = core.call(state.client, number_of(state, row), left_s, attempt_timeout_s)
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
  local request = new_request(state, row)
  request.path, request.body = arguments.request(row, ticket.bound, ticket.dialect, extra)
  if not ticket.action then
    ticket.action, ticket.a, ticket.b, ticket.c = call:request()
  end
  local outcome, first, last = drive(state, row, call, request, ticket.action, ticket.a, ticket.b, ticket.c)
  ticket.action = nil
  if outcome == "fail" then
    if first == "not_api" and not state.options.server_version then
      state.dialect_doubtful = true
    end
    return false, call_failure(state, row, call, first)
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
  local number = not opts.uncounted and number_of(state, row) or nil
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
  return opts.deadline or now_s + timeouts(state, row, opts)
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
  local deadline, bound, err
  deadline, err = deadline_of(state, row, opts)
  if not deadline then
    return nil, err
  end
  bound, err = arguments.bind(row, args, state.context, deadline)
  if not bound then
    return nil, err
  end
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
    local deadline, bound, err
    deadline, err = deadline_of(state, row, opts)
    if not deadline then
      return nil, err
    end
    bound, err = arguments.bind(row, args, state.context, deadline)
    if not bound then
      return nil, err
    end
    local ticket
    ticket, err = open(state, row, bound, opts, deadline)
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
  dialect, err = dialect_for(state, operations.find "workflows.list", deadline)
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

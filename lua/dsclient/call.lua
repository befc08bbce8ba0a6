--- The way of one call: arguments, cache, server line, requests, value.
-- `advance` below is the only place in the library that may wait.

local arguments = require "dsclient.arguments"
local core = require "dsclient.core"
local dialects = require "dsclient.dialect"
local errors = require "dsclient.errors"
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

local function log_repeat(state, row, call, wait_s)
  if not state.options.log then
    return
  end
  local report = call:report()
  state.options.log("warn", row.name .. ": " .. report.cause .. ", again after a pause", {
    event = "retry",
    operation = row.name,
    cause = report.cause,
    status = report.status,
    code = report.code,
    attempt = #report.attempts,
    wait_s = wait_s,
  })
end

--- Does what the machine asks for, tells it what came of it, and returns what
-- it asks for next (with the answer's body when it is done).
local function advance(state, row, call, request, action, a, b, c)
  if action == "send" then
    local response, failed = attempt(state, request, a, b, c)
    if not response then
      return call:failed(failed.kind, failed.phase, failed.stale, failed.message)
    end
    request.answer = response.body
    local headers = response.headers
    return call:answered(response.status, headers["content-type"], headers["retry-after"], response.body,
      response.bytes_in, response.bytes_out)
  elseif action == "sleep" then
    log_repeat(state, row, call, a)
    state.runtime.sleep(a)
    return call:resumed()
  end
  local fresh = token.ask(state.options)
  local different = fresh and fresh ~= state.token
  if different then
    token.use(state, fresh)
  end
  return call:renewed(different)
end

local function drive(state, row, call, request, action, a, b, c)
  while action ~= "done" and action ~= "fail" do
    action, a, b, c = advance(state, row, call, request, action, a, b, c)
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
    action, a, b, c = advance(state, DETECT, call, request, action, a, b, c)
    local cause = call:report().cause
    if action ~= "done" and (cause == "throttled" or cause == "not_api" or cause == "api") then
      call:finish(false)
      return cause == "api" and "there" or cause == "not_api" and "absent" or "throttled"
    end
  end
  call:finish(action == "fail")
  if action == "fail" then
    return nil, call_failure(state, DETECT, call, a)
  end
  return "there"
end

--- Finds out which dialect the server speaks. A 429 decides nothing: behind
-- the limiter an unknown path is always refused, a known one only sometimes.
local function detect(state, deadline)
  local absent, verdict, err = {}, nil, nil
  while not (absent[1] and absent[2]) do
    for i, one in ipairs(dialects.PROBES) do
      local left_s = deadline - core.time(state.client)
      if left_s <= 0 then
        local message = "the time of the call is over before the server line was found"
        return nil, failure(state, DETECT, { kind = verdict or "deadline", message = message })
      end
      if not absent[i] then
        verdict, err = probe(state, one.path, left_s)
        if verdict == "there" then
          return one.dialect
        elseif not verdict then
          return nil, err
        end
        absent[i] = verdict == "absent"
        if verdict == "throttled" then
          state.runtime.sleep(math.min(dialects.PROBE_PAUSE_S, left_s))
        end
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
  local needed = type(row.path) == "table"
  for _, param in ipairs(row.params) do
    needed = needed or type(param[3]) == "table"
  end
  if not needed and not row.rows or state.dialect and not state.dialect_doubtful then
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
_M.dialect_for = dialect_for

-- --- values --------------------------------------------------------------

local function shape_of(state, row, dialect, raw)
  local key = (row.rows or "") .. ":" .. table.concat(row.codes or {}, ",") .. ":" .. dialect .. (raw and ":raw" or "")
  local shape = state.shapes[key]
  if not shape then
    shape = core.shape {
      rename = dialects.RENAMED[dialect],
      codes = row.codes,
      rows = row.rows,
      utc_offset_s = state.utc_offset_s,
      raw = raw,
    }
    state.shapes[key] = shape
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
  local dialect
  dialect, err = dialect_for(state, row, deadline)
  if not dialect then
    return nil, err
  end
  local left_s = math.max(deadline - core.time(state.client), 1e-6)
  local _, attempt_timeout_s = timeouts(state, row, opts)
  local ticket = { state = state, row = row, bound = bound, dialect = dialect }
  ticket.shape = shape_of(state, row, dialect, opts.raw)
  ticket.call, ticket.action, ticket.a, ticket.b, ticket.c =
    core.call(state.client, number_of(state, row), left_s, attempt_timeout_s)
  return ticket
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
local function page_source(ticket, page_size)
  return function(number)
    local ok, page = exchange(ticket,
      { "pageNo", string.format("%d", number), "pageSize", string.format("%d", page_size) })
    if not ok then
      return nil, page
    end
    return type(page) == "table" and page or {}
  end
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
    local source = page_source(ticket, page_size_of(state, args))
    value, err = paging.read(source, args.rows_max or state.options.rows_max, row.name)
  else
    ok, value = exchange(ticket)
    if ok then
      value = finish[row.result](value)
    else
      value, err = nil, value
    end
  end
  ticket.call:finish(value == nil)
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

--- May this run be acted on now? Within the hold it is read first, and must
-- have moved: be under way, that is.
local function free_to_act(state, row, bound, timeout_s)
  prune(state.held, core.time(state.client))
  local id = bound[row.holds]
  if not state.held[id] then
    return true
  end
  local args = { project = bound.project, instance_id = tonumber(id) }
  local run, err = _M.perform(state, "instances.get", args, { timeout_s = timeout_s })
  if not run then
    return nil, err
  elseif run.running then
    return true
  end
  local message = "another execute of run " .. id .. " was sent less than " .. HOLD_S .. " s ago and shows no effect yet"
  return nil, failure(state, row, { kind = "busy", message = message })
end

local function hold(state, row, bound)
  state.held[bound[row.holds]] = { until_s = core.time(state.client) + HOLD_S }
end

-- --- the whole -----------------------------------------------------------

local NO_OPTIONS = {}

local function closed(state, row)
  return failure(state, row, { kind = "closed", message = "the client is closed" })
end

local function ttl_for(state, row, opts)
  if opts.ttl_s then
    return opts.ttl_s
  end
  local changed = state.options.cache_ttl_s
  return changed and (changed[row.name] or changed[row.operation]) or row.ttl_s or 0
end

local function invalidate(state, row)
  for _, operation in ipairs(row.invalidates or {}) do
    core.drop(state.client, operation .. "\0")
  end
end

local function deadline_of(state, row, opts)
  return core.time(state.client) + timeouts(state, row, opts)
end

--- Performs an operation.
-- @tparam table state the client's insides
-- @tparam table|string row of the operations table, or its name
-- @tparam table args by name
-- @tparam table opts call options (checked), or nil
-- @return value, nil, meta; or nil, error
function _M.perform(state, row, args, opts)
  row = type(row) == "table" and row or state.row(row)
  opts = opts or NO_OPTIONS
  if state.closed then
    return nil, closed(state, row)
  end
  local deadline = deadline_of(state, row, opts)
  local bound, err = arguments.bind(row, args, state.context, deadline)
  if not bound then
    return nil, err
  end
  local ttl_s = ttl_for(state, row, opts)
  local key
  if row.replay == "read" and ttl_s > 0 and opts.cache ~= false then
    key = arguments.key(row, bound) .. (opts.raw and "raw" or "")
    if not opts.refresh then
      local number = not opts.uncounted and number_of(state, row) or nil
      local value, age_s = core.lookup(state.client, number, key, opts.borrow)
      if value ~= nil then
        return value, nil, { cached = true, age_s = age_s, attempts = 0 }
      end
    end
  end
  if row.holds then
    local free
    free, err = free_to_act(state, row, bound, deadline - core.time(state.client))
    if not free then
      return nil, err
    end
  end
  local value, attempts
  value, err, attempts = fetch(state, row, bound, opts, args, deadline)
  local acted = value ~= nil or err.kind == "outcome_unknown"
  if acted and row.holds then
    hold(state, row, bound)
  end
  if acted then
    invalidate(state, row)
  end
  if value == nil then
    return nil, err
  end
  local text = key and core.encode(value)
  if text then
    core.store(state.client, key, text, ttl_s)
  end
  return value, nil, { cached = false, age_s = 0, attempts = attempts }
end

--- The pages of a list one by one, each a call under a deadline of its own;
-- see paging.pages.
function _M.pages(state, row, args, opts)
  opts = opts or NO_OPTIONS
  return paging.pages(function(number)
    if state.closed then
      return nil, closed(state, row)
    end
    local deadline = deadline_of(state, row, opts)
    local bound, err = arguments.bind(row, args, state.context, deadline)
    if not bound then
      return nil, err
    end
    local ticket
    ticket, err = open(state, row, bound, opts, deadline)
    if not ticket then
      return nil, err
    end
    local page
    page, err = page_source(ticket, page_size_of(state, args))(number)
    ticket.call:finish(page == nil)
    return page, err
  end)
end

return _M

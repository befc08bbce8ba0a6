--- The way of one call: arguments, cache, server line, requests, value; read it
-- from `perform` on. drive.lua is the loop that sends and waits.

local ahead = require "dsclient.ahead"
local arguments = require "dsclient.arguments"
local core = require "dsclient.core"
local detect = require "dsclient.detect"
local dialects = require "dsclient.dialect"
local driver = require "dsclient.drive"
local errors = require "dsclient.errors"
local flight = require "dsclient.flight"
local names = require "dsclient.names"
local operations = require "dsclient.operations"
local paging = require "dsclient.paging"
local shortcut = require "dsclient.shortcut"
local token = require "dsclient.token"
local tz = require "dsclient.tz"

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
  stale_if_error_s = { type = "number", min = 0, max = 2 ^ 31 },
  stale_while_revalidate_s = { type = "number", min = 0, max = 2 ^ 31 },
  borrow = { type = "boolean" },
  raw = { type = "boolean" },
  max_retries = { type = "integer", min = 0, max = 100 },
  sink = { type = "sink" }, -- of results that are files
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
  row = row.counted or row
  local shapes = state.shapes[raw and "raw" or dialect]
  local shape = shapes[row]
  if not shape then
    shape = core.shape {
      rename = dialects.renamed(row, dialect),
      codes = row.codes,
      rows = row.rows or "plain",
      utc_offset_s = state.zone:first_offset(),
      changes = state.zone:changes(),
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

finish.bytes = function(value)
  return value
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
local function open(state, row, bound, opts, args, deadline)
  local usable, err = ensure_token(state)
  if not usable then
    err.operation = row.name
    return nil, err
  end
  local dialect, sure, now_s
  dialect, err = detect.dialect_for(state, row, deadline)
  if dialect then
    sure, err = detect.check(state, row, bound, args, deadline)
  end
  if not err then
    now_s, err = enter(state)
  end
  if now_s and driver.is_over(now_s, deadline) then
    err = failure(state, row, { kind = "deadline", message = "the time of the call is over before it was sent" })
  end
  if err then
    err.operation = row.name
    return nil, err
  end
  local _, attempt_timeout_s = driver.timeouts(state, row, opts)
  local ticket = {
    state = state,
    row = row,
    bound = bound,
    dialect = dialect,
    deadline = deadline,
    raw = opts.raw,
    sure = sure, -- that the server has it
    shape = shape_of(state, row, dialect, opts.raw),
    sink = opts.sink,
    call = false,
    action = false,
    a = false,
    b = false,
    c = false,
  }
  -- it may hold a connection from now on: nothing here needs memory any more
  ticket.call, ticket.action, ticket.a, ticket.b, ticket.c =
    core.call(state.client, driver.number_of(state, row), deadline - now_s, attempt_timeout_s, opts.max_retries)
  return ticket
end

-- After these the server may have acted.
local DOUBTFUL = { network = true, protocol = true, server = true, timeout = true }

--- Is what was to be removed not there, where an earlier attempt of this call may
-- have removed it?
local function is_gone(row, err)
  local told = false
  for _, code in ipairs(row.gone or {}) do
    told = told or err.code == code
  end
  for i = 1, told and #err.attempts - 1 or 0 do
    if DOUBTFUL[err.attempts[i].kind] then
      return true
    end
  end
  return false
end

--- An answer that is none of the API: the path is not on this line, or the
-- server is another than before.
local function not_there(ticket, err)
  local state = ticket.state
  if not ticket.sure then
    return detect.lacking(state, ticket.row)
  elseif not state.options.server_version then
    state.dialect_doubtful = true
  end
  return err
end

--- A file that came: its bytes, or how many of them the sink has got. Some
-- transports keep whole what they should have delivered.
local function file_of(ticket, request, body)
  if not ticket.sink then
    return true, body
  end
  local why = body ~= "" and driver.deliver(ticket.sink, body)
  if why then
    return false, failure(ticket.state, ticket.row, { kind = "argument", argument = "sink", message = why })
  end
  return true, { bytes = request.delivered + #body }
end

--- Sends the next request of a ticket and decodes its answer.
-- @treturn boolean did it succeed?
-- @return the value (nil where there is no data), or the error
local function exchange(ticket, extra)
  local state, row, call = ticket.state, ticket.row, ticket.call
  local request = driver.new_request(state, row, ticket.sink)
  request.path, request.body, request.content_type = arguments.request(row, ticket.bound, ticket.dialect, extra)
  if not ticket.action then
    ticket.action, ticket.a, ticket.b, ticket.c = call:request()
  end
  local outcome, first, last = driver.drive(state, row, call, request, ticket.action, ticket.a, ticket.b, ticket.c)
  ticket.action = nil
  if request.identity ~= (ticket.identity or request.identity) then
    ticket.identity = false -- of two identities: nobody's
  elseif ticket.identity == nil then
    ticket.identity = request.identity
  end
  if outcome == "fail" then
    local err = driver.call_failure(state, row, call, request, first)
    if is_gone(row, err) then
      return true, nil
    end
    return false, first == "not_api" and not_there(ticket, err) or err
  elseif row.result == "bytes" then
    return file_of(ticket, request, first and request.answer or "")
  elseif not first then
    return true, nil
  end
  local value, message = ticket.shape:decode(request.answer, first, last)
  if value == nil and message then
    return false, failure(state, row, { kind = "protocol", message = message })
  end
  return true, value
end

local function read_page(ticket, number, page_size)
  local ok, page = exchange(ticket,
    { "pageNo", string.format("%d", number), "pageSize", string.format("%d", page_size) })
  if not ok then
    return nil, page
  elseif page == nil and ticket.row.rows ~= "instance" then
    return { totalList = {}, total = 0 } -- runs are started by what their list lacks: it is never null
  end
  return type(page) == "table" and page or {}
end

local function rows_max_of(state, args)
  return args.rows_max or state.options.rows_max
end

local function page_size_of(state, args)
  return args.page_size or state.options.page_size
end

local function read_all(ticket, args)
  local state, row = ticket.state, ticket.row
  if row.result == "page" then
    return paging.read(function(number, page_size)
      return read_page(ticket, number, page_size)
    end, page_size_of(state, args), rows_max_of(state, args), row.name, args.limit)
  end
  local ok, value = exchange(ticket)
  if not ok then
    return nil, value
  end
  return finish[row.result](value)
end

--- Reads all that is asked for; a read that finds that the server has become
-- another begins anew, once.
local function read_on(ticket, args)
  local state, row = ticket.state, ticket.row
  local value, err = read_all(ticket, args)
  if err and err.kind == "not_api" and row.replay == "read" and state.dialect_doubtful then
    local dialect = detect.dialect_for(state, row, ticket.deadline)
    if dialect and dialect ~= ticket.dialect and not state.dialect_doubtful then
      ticket.dialect, ticket.shape = dialect, shape_of(state, row, dialect, ticket.raw)
      return read_all(ticket, args)
    end
  end
  return value, err
end

--- One logical call, from its first request to its value.
-- @tparam function rescue what is asked, with the error, whether it is a failure
--   for the caller: false where he is given something else; may be nil
-- @return value, nil, attempts, identity (of the token it was read with); or
--   nil, err
local function fetch(state, row, bound, opts, args, deadline, rescue)
  local started_s = core.time(state.client)
  local ticket, err = open(state, row, bound, opts, args, deadline)
  if not ticket then
    local rescued = rescue and rescue(err)
    driver.record(state, row, rescued and "stale" or err.kind, started_s)
    return nil, err
  end
  local value
  value, err = driver.guarded(state, ticket.call, read_on, ticket, args)
  local rescued = err and rescue and rescue(err)
  driver.finish(state, ticket.call, rescued and "stale" or err and err.kind)
  if err then
    err.attempts = err.attempts or ticket.call:report().attempts
  end
  return value, err, ticket.call:attempts(), ticket.identity
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

local function busy(state, row, id)
  local message = string.format("another execute of run %s was sent less than %d s ago and shows no effect yet", id,
    HOLD_S)
  return failure(state, row, { kind = "busy", message = message })
end

--- May this run be acted on now? Within the hold it is read first, and must
-- have moved: be under way, that is, or have ended where it was to end.
local function free_to_act(state, row, bound, held, deadline)
  local now_s, err = enter(state, row.name)
  if not now_s then
    return nil, err
  elseif not held or held.until_s <= now_s then
    return true
  end
  local id = bound[row.holds]
  local args = { project = bound.project, instance_id = tonumber(id) }
  local run
  local read = bound.project and "instances.get" or "instances.get_by_id"
  run, err = _M.perform(state, read, args, { deadline = deadline })
  if not run then
    err.operation = row.name
    return nil, err
  elseif run ~= true and (run.running or held.halts and run.finished) then
    return true
  end
  return nil, busy(state, row, id)
end

--- Acts on a run, while no other call of this client does; holds it then. All
-- that needs memory comes before the mark is set, or is undone with it.
local function act(state, row, bound, opts, args, deadline)
  local id = bound[row.holds]
  local held = state.held[id]
  if held and held.acting then
    return nil, busy(state, row, id)
  end
  local hold = { acting = true, until_s = math.huge, halts = HALTS[bound.execute_type] }
  local ok, value, err, attempts = pcall(function()
    state.held[id] = hold
    local free, why = free_to_act(state, row, bound, held, deadline)
    if not free then
      return nil, why
    end
    return fetch(state, row, bound, opts, args, deadline)
  end)
  local now_s = ok and core.enter(state.client) -- it may be closed by now
  if now_s and (value ~= nil or err.kind == "outcome_unknown") then
    hold.acting, hold.until_s = nil, now_s + HOLD_S
  else
    state.held[id] = held
  end
  if not ok then
    error(value, 0)
  elseif now_s then
    prune(state.held, now_s)
  end
  return value, err, attempts
end

-- --- the whole -----------------------------------------------------------

local NO_OPTIONS = {}

-- One of the two windows in which an old value may still be given (s).
local function window(state, row, opts, name)
  return opts[name] or driver.special(state, row)[name] or state.options[name]
end

--- Drops what a success of this row makes old, and nobody waits for it any more.
local function invalidate(state, row)
  for _, operation in ipairs(row.invalidates or {}) do
    state.writes[operation] = (state.writes[operation] or 0) + 1
    core.drop(state.client, operation .. "\0")
    flight.detach(state, operation .. "\0")
  end
end

--- Empties the cache; how many entries it had.
function _M.clear(state)
  state.cleared = state.cleared + 1
  flight.detach(state, "")
  return core.clear(state.client)
end

-- What else parts the results of one request in the cache.
local function variant_of(state, row, opts, args)
  local limit = row.result == "page" and args.limit
  return (opts.raw and "raw " .. (state.dialect or "") or "") .. (limit and string.format("limit %.0f", limit) or "")
end

--- A read through the cache: what all steps below work on.
-- @field number under which the look-up is counted; nil where it is not
local function reading(state, row, bound, opts, args, deadline)
  return {
    state = state,
    row = row,
    bound = bound,
    opts = opts,
    args = args,
    deadline = deadline,
    key = arguments.key(row, bound) .. variant_of(state, row, opts, args),
    number = not opts.uncounted and driver.number_of(state, row) or nil,
  }
end

--- A value of the cache, or another's, as the answer of this call.
local function given(read, value, meta)
  local rows_max = rows_max_of(read.state, read.args)
  if read.row.result == "page" and #value > rows_max and not read.args.limit then
    return nil, paging.too_long(#value, rows_max, read.row.name)
  end
  return value, nil, meta
end

local function fresh_one(read)
  local value, age_s = core.lookup(read.state.client, read.number, read.key, read.opts.borrow)
  if value ~= nil then
    return given(read, value, { cached = true, age_s = age_s, attempts = 0 })
  end
end

local function stale_one(read, number, within_s, err)
  if within_s <= 0 or not core.enter(read.state.client) then
    return nil
  end
  local value, age_s, stale = core.stale(read.state.client, number, read.key, read.opts.borrow, within_s)
  if value ~= nil then
    return given(read, value, { cached = true, stale = stale, age_s = age_s, attempts = 0, error = err })
  end
end

-- The server, or the way to it, is at fault: an old value is better than none.
local FAULTS = {
  breaker_open = true, connect = true, deadline = true, dns = true, limit = true, network = true, protocol = true,
  server = true, throttled = true, timeout = true, tls = true,
}

--- Puts an old value in the place of the error, where there is one.
-- @treturn boolean was there one?
local function rescue(read, err)
  local state, row, opts = read.state, read.row, read.opts
  if not FAULTS[err.kind] or err.total or opts.refresh or read.unseen then
    return false
  end
  local value, _, meta = stale_one(read, nil, window(state, row, opts, "stale_if_error_s"), err)
  if value == nil then
    return false
  end
  read.value, read.meta = value, meta
  driver.log_stale(state, row, meta)
  return true
end

--- Fetches, and stores what may be stored: nothing that a write or another
-- token has overtaken.
-- @return value, nil, meta, text; or nil, err
local function fetch_and_store(read, ttl_s)
  local state, row, opts = read.state, read.row, read.opts
  local writes, cleared = state.writes[row.operation], state.cleared
  local value, err, attempts, identity = fetch(state, row, read.bound, opts, read.args, read.deadline, function(err)
    return rescue(read, err)
  end)
  if value == nil then
    return nil, err
  end
  local text = core.enter(state.client) and core.encode(value) or nil
  local overtaken = identity ~= state.identity or writes ~= state.writes[row.operation] or cleared ~= state.cleared
  if text and not overtaken then
    local stale_s =
      math.max(window(state, row, opts, "stale_if_error_s"), window(state, row, opts, "stale_while_revalidate_s"))
    core.store(state.client, read.key, text, ttl_s, stale_s)
  end
  return value, nil, { cached = false, age_s = 0, attempts = attempts }, text
end

--- Fetches, or takes part in another task's fetch.
local function shared_fetch(read, ttl_s)
  local state = read.state
  local started_s = core.time(state.client)
  local key = read.key .. "\0" .. state.identity
  local value, err, meta, text, joined = flight.share(state, key, read.deadline, function()
    return fetch_and_store(read, ttl_s)
  end, read.opts.refresh)
  if joined then
    core.share(state.client)
    if err then
      err.operation = read.row.name -- the other call may have another name for it
    end
    if text then
      value, err, meta = given(read, core.decode(text), { cached = false, shared = true, age_s = 0, attempts = 0 })
    end
    local rescued = err and rescue(read, err)
    driver.record(state, read.row, rescued and "stale" or err and err.kind or "ok", started_s)
  end
  if read.value ~= nil then
    return read.value, nil, read.meta
  end
  return value, err, meta
end

-- So long a fetch in the background may take to begin. It is a lease: one that
-- never began is in nobody's way.
local SPAWN_S = 1

--- A fetch in the background, where nobody is at it already.
local function revalidate(read, ttl_s)
  local state = read.state
  local now_s = core.time(state.client)
  if (state.revalidating[read.key] or now_s) > now_s then
    return
  end
  state.revalidating[read.key] = now_s + SPAWN_S
  state.runtime.spawn(function()
    state.revalidating[read.key] = nil
    local begun_s = core.enter(state.client)
    if begun_s then
      read.deadline = begun_s + driver.timeouts(state, read.row, read.opts)
      read.unseen = true -- nobody is given an old value in place of an error
      shared_fetch(read, ttl_s)
    end
  end)
end

local function read_through(read, ttl_s)
  local state, row, opts = read.state, read.row, read.opts
  if not opts.refresh then
    local value, err, meta = fresh_one(read)
    if value ~= nil or err then
      return value, err, meta
    elseif state.runtime.spawn and state.concurrent then
      value, err, meta = stale_one(read, read.number, window(state, row, opts, "stale_while_revalidate_s"))
      if value ~= nil or err then
        revalidate(read, ttl_s)
        return value, err, meta
      end
    end
  end
  return shared_fetch(read, ttl_s)
end

--- The results of a call that had begun: that the client is closed ended it.
local function under_way(value, err, meta)
  if err and err.kind == "closed" then
    err.kind = "cancelled"
  end
  return value, err, meta
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
  if opts.sink and row.result ~= "bytes" then
    errors.throw(row.name .. ": option \"sink\": its result is no file")
  end
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
  local ttl_s = row.result == "bytes" and 0 or opts.ttl_s or shortcut.ttl_s(state, row)
  if row.replay == "read" and ttl_s > 0 and opts.cache ~= false and state.options.enable_cache then
    return under_way(read_through(reading(state, row, bound, opts, args, deadline), ttl_s))
  end
  local value, err, attempts = (row.holds and act or fetch)(state, row, bound, opts, args, deadline)
  if (value ~= nil or err.kind == "outcome_unknown") and core.enter(state.client) then
    invalidate(state, row)
  end
  if value == nil then
    return under_way(nil, err)
  end
  return value, nil, { cached = false, age_s = 0, attempts = attempts }
end

--- One page of a list, as a call under a deadline of its own.
-- @treturn table|nil what the server sent; or nil and an error
local function one_page(state, row, number, page_size, args, opts)
  local deadline, bound = begin(state, row, args, opts)
  if not deadline then
    return nil, bound
  end
  local ticket, err = open(state, row, bound, opts, args, deadline)
  if not ticket then
    return nil, err
  end
  local page
  page, err = driver.guarded(state, ticket.call, read_page, ticket, number, page_size)
  driver.finish(state, ticket.call, err and err.kind)
  return page, err
end

--- One page of a list: its rows, nil, meta {total}: the rows of all pages.
function _M.page(state, row, number, args, opts)
  local page, err = one_page(state, row, number, page_size_of(state, args), args, opts or NO_OPTIONS)
  if not page then
    return nil, err
  end
  return paging.rows_of(page, row.name)
end

--- The pages of a list one by one; see paging.pages.
-- @tparam boolean is_ahead is the next page fetched before it is asked for?
function _M.pages(state, row, args, opts, is_ahead)
  local function source(number, page_size)
    return one_page(state, row, number, page_size, args, opts or NO_OPTIONS)
  end
  local limit = type(args.limit) == "number" and args.limit or nil
  source = is_ahead and not limit and ahead.source(state, source) or source
  return paging.pages(source, page_size_of(state, args), row.name, limit)
end

-- Names and the user's zone are kept for so long.
local USER_TTL_S = 3600

--- What arguments are bound with: look-ups by name, and the zone in which the
-- server reads times: that of the token's user, else its own.
function _M.context(state)
  local context = {}

  function context.perform(name, args, opts)
    return _M.perform(state, operations.find(name), args, opts)
  end

  local resolve = names.resolver(context.perform)

  --- What names are near is the server's word, too.
  function context.resolve(...)
    local text, problem, expected = resolve(...)
    if type(problem) == "table" then
      problem = failure(state, { name = problem.operation }, problem)
    end
    return text, problem, expected
  end

  function context.zone_of_user(deadline)
    if state.user_zone then
      return state.user_zone
    end
    local user, err = context.perform("users.current", {},
      { deadline = deadline, borrow = true, uncounted = true, ttl_s = USER_TTL_S })
    if not user then
      return nil, err
    end
    local name = type(user) == "table" and user.timeZone
    if type(name) ~= "string" or name == "" then
      return state.zone
    end
    local zone, message = tz.load(name)
    if zone then
      return zone
    end
    return nil, failure(state, operations.find "users.current",
      { kind = "argument", message = message .. ": give the time as text, or user_timezone" })
  end

  return context
end

local WHO
local function who()
  WHO = WHO or operations.alias("check_connection", "users.current")
  return WHO
end

local function not_this_api(state)
  return failure(state, who(), { kind = "protocol", message = "the server did not tell who the token's user is" })
end

--- Who we are, and which line the server is; three questions at most, under one
-- deadline. None is answered by the cache.
-- @treturn table|nil {user, user_id, time_zone, dialect, version}; or nil, err
function _M.check_connection(state, opts)
  local deadline, user, dialect, err
  deadline, err = deadline_of(state, who(), opts or NO_OPTIONS)
  if not deadline then
    return nil, err
  end
  local under = { deadline = deadline, cache = false, attempt_timeout_s = opts and opts.attempt_timeout_s }
  user, err = _M.perform(state, who(), {}, under)
  if not user then
    return nil, err
  elseif type(user) ~= "table" or user.userName == nil then
    return nil, not_this_api(state)
  end
  dialect, err = detect.dialect_for(state, operations.find "workflows.list", deadline)
  if not dialect then
    err.operation = who().name
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

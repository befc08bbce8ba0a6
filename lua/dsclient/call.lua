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
local token = require "dsclient.token"
local tz = require "dsclient.tz"
local wait = require "dsclient.wait"

local chosen, enter, failure, known_of = driver.chosen, driver.enter, driver.failure, driver.known_of

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
  refresh_ahead = { type = "boolean" },
  borrow = { type = "boolean" },
  raw = { type = "boolean" },
  max_retries = { type = "integer", min = 0, max = 100 },
  sink = { type = "sink" }, -- of results that are files
  partial = { type = "boolean" }, -- of several projects
  progress = { type = "progress" }, -- of several projects, and of lists page by page
}
_M.OPTIONS = CALL_OPTIONS

--- Takes the token of the source into use.
-- @treturn table|nil the error where there is none
local function fetch_token(state)
  local given, err = token.ask(state.options)
  local usable = given
  if given then
    usable, err = enter(state) -- the source may have closed the client
  end
  if usable then
    token.use(state, given)
  end
  return err
end

-- --- values --------------------------------------------------------------

local function new_shape(state, row, dialect, raw)
  return core.shape {
    rename = dialects.renamed(row, dialect),
    codes = row.codes,
    rows = row.rows or "plain",
    utc_offset_s = state.zone:first_offset(),
    changes = state.zone:changes(),
    raw = raw,
  }
end

--- The shape of a call's answers, once its dialect is known.
local function shape_of(ticket)
  local shapes, form = ticket.known.shapes, ticket.opts.raw and "raw" or ticket.dialect
  local shape = shapes[form]
  if not shape then
    shape = new_shape(ticket.state, ticket.row.counted or ticket.row, ticket.dialect, ticket.opts.raw)
    shapes[form] = shape
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

--- Makes sure of what a call needs before its first request: token, server line,
-- time.
-- @treturn table|nil the error where one is lacking
local function open(ticket)
  local state, now_s = ticket.state, nil
  local err = wait.obstacle(state.runtime)
  if not err and not state.token then
    err = fetch_token(state)
  end
  if not err then
    ticket.dialect, ticket.sure, err = detect.line_for(state, ticket.row, ticket.bound, ticket.args, ticket.deadline)
  end
  if not err then
    now_s, err = enter(state)
  end
  if now_s and driver.is_over(now_s, ticket.deadline) then
    err = failure(state, ticket.row,
      { kind = "deadline", message = "the time of the call is over before it was sent" })
  end
  if err then
    err.operation = ticket.row.name
    return err
  end
  ticket.left_s = ticket.deadline - now_s
  ticket.shape = shape_of(ticket)
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
  local sink = ticket.opts.sink
  if not sink then
    return true, body
  end
  local why = body ~= "" and driver.deliver(sink, body)
  if why then
    return false, failure(ticket.state, ticket.row, { kind = "argument", argument = "sink", message = why })
  end
  return true, { bytes = (request.delivered or 0) + #body }
end

--- Asks the machine for the next request of a call, and what to do first. It may
-- hold a connection from now on.
local function next_request(ticket)
  if ticket.call then
    return ticket.call:request()
  end
  local state, opts = ticket.state, ticket.opts
  local spare = state.spare_call
  state.spare_call = nil
  local action, a, b, c
  ticket.call, action, a, b, c = core.call(state.client, driver.number_of(ticket), ticket.left_s,
    opts.attempt_timeout_s or ticket.known.attempt_timeout_s, opts.max_retries, spare)
  return action, a, b, c
end

--- Sends the next request of a call and decodes its answer.
-- @treturn boolean did it succeed?
-- @return the value (nil where there is no data), or the error
local function exchange(ticket, extra)
  local row = ticket.row
  local request = driver.new_request(ticket, arguments.request(row, ticket.bound, ticket.dialect, extra))
  local outcome, first, last, value = driver.drive(ticket, request, next_request(ticket))
  if ticket.identity == nil then
    ticket.identity = request.identity
  elseif ticket.identity ~= request.identity then
    ticket.identity = false
  end
  if outcome == "fail" then
    local err = driver.call_failure(ticket, request, first)
    if is_gone(row, err) then
      return true, nil
    end
    return false, first == "not_api" and not_there(ticket, err) or err
  elseif row.result == "bytes" then
    return file_of(ticket, request, first and request.answer or "")
  elseif not first or value ~= nil then
    return true, value
  end
  local message
  value, message = ticket.shape:decode(request.answer, first, last)
  if value == nil and message then
    return false, failure(ticket.state, row, { kind = "protocol", message = message })
  end
  return true, value
end

local function page_fields(number, page_size)
  return arguments.fields { "pageNo", string.format("%d", number), "pageSize", string.format("%d", page_size) }
end

-- What the first page of a size is asked for with: most lists have no other.
local first_pages = setmetatable({}, {
  __index = function(known, page_size)
    known[page_size] = page_fields(1, page_size)
    return known[page_size]
  end,
})

local function read_page(ticket, number, page_size)
  local ok, page = exchange(ticket, number == 1 and first_pages[page_size] or page_fields(number, page_size))
  if not ok then
    return nil, page
  elseif page == nil and ticket.row.rows ~= "instance" then
    return { totalList = {}, total = 0 } -- runs are started by what their list lacks: it is never null
  end
  return type(page) == "table" and page or {}
end

local function rows_max_of(ticket)
  return ticket.args.rows_max or ticket.state.options.rows_max
end

local function page_size_of(state, args)
  return args.page_size or state.options.page_size
end

--- Most lists have one page.
local function read_list(ticket)
  local limit, page_size, rows_max = ticket.args.limit, page_size_of(ticket.state, ticket.args), rows_max_of(ticket)
  local first, err
  if not limit then
    first, err = read_page(ticket, 1, page_size)
    local rows = first and paging.whole(first, rows_max)
    if rows or err then
      return rows, err
    end
  end
  return paging.read(paging.starting_with(first, function(number, size)
    return read_page(ticket, number, size)
  end), page_size, rows_max, ticket.row.name, limit)
end

local function read_all(ticket)
  local row = ticket.row
  if row.result == "page" then
    return read_list(ticket)
  end
  local ok, value = exchange(ticket)
  if not ok then
    return nil, value
  end
  return finish[row.result](value)
end

--- Reads all that is asked for; a read that finds that the server has become
-- another begins anew, once.
local function read_on(ticket)
  local value, err = read_all(ticket)
  if err and err.kind == "not_api" and ticket.row.replay == "read" and ticket.state.dialect_doubtful then
    local dialect = detect.dialect_for(ticket.state, ticket.row, ticket.deadline)
    if dialect and dialect ~= ticket.dialect and not ticket.state.dialect_doubtful then
      ticket.dialect = dialect
      ticket.shape = shape_of(ticket)
      return read_all(ticket)
    end
  end
  return value, err
end

--- One logical call, from its first request to its value.
-- @tparam function rescue (ticket, error) is asked whether it is a failure for the
--   caller: true where he is given something else; may be nil
-- @return value, nil, attempts; or nil, err
local function fetch(ticket, rescue)
  local state = ticket.state
  local started_s = core.time(state.client)
  local err = open(ticket)
  if err then
    local rescued = rescue and rescue(ticket, err)
    driver.record(ticket, rescued and "stale" or err.kind, started_s)
    return nil, err
  end
  local value
  value, err = driver.guarded(read_on, ticket)
  local rescued = err and rescue and rescue(ticket, err)
  local attempts = driver.finish(ticket, rescued and "stale" or err and err.kind)
  if err then
    err.attempts = err.attempts or ticket.call:report().attempts
  else
    state.spare_call = ticket.call
  end
  return value, err, attempts
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
local function free_to_act(ticket, id, held)
  local state, row, bound = ticket.state, ticket.row, ticket.bound
  local now_s, err = enter(state, row.name)
  if not now_s then
    return nil, err
  elseif not held or held.until_s <= now_s then
    return true
  end
  local args = { project = bound.project, instance_id = tonumber(id) }
  local run
  local read = bound.project and "instances.get" or "instances.get_by_id"
  run, err = _M.perform(state, operations.find(read), args, { deadline = ticket.deadline })
  if not run then
    err.operation = row.name
    return nil, err
  elseif run ~= true and (run.running or held.halts and run.finished) then
    return true
  end
  return nil, busy(state, row, id)
end

--- The runs that a call acts on, and how each is held until now.
-- @treturn table|nil array of ids; or nil, err
-- @treturn table by id its hold, where there is one
local function runs_of(state, row, bound)
  local ids, seen, before, now_s = {}, {}, {}, core.time(state.client)
  for id in bound[row.holds]:gmatch "[^,]+" do
    if seen[id] then
      return nil, failure(state, row, { kind = "argument", argument = row.holds, message = id .. " is given twice" })
    elseif state.held[id] and state.held[id].acting and state.held[id].until_s > now_s then
      return nil, busy(state, row, id)
    end
    ids[#ids + 1], seen[id], before[id] = id, true, state.held[id]
  end
  return ids, before
end

--- Did some of what was asked for happen, though it was refused?
local function some_done(row, err)
  return row.partial and err.kind == "api"
end

--- Acts on runs, while no other call of this client does, nor one of a process that
-- shares; holds them then. All that needs memory comes before the mark is set, or is
-- undone with it.
local function act(ticket)
  local state = ticket.state
  local ids, before = runs_of(state, ticket.row, ticket.bound)
  if not ids then
    return nil, before
  end
  local leases, taken
  if state.shared then
    leases, taken = state.shared.take_runs(state, ids, before, ticket.deadline)
    if not leases then
      return nil, busy(state, ticket.row, taken)
    end
  end
  -- whoever vanishes has acted by the end of his time, if at all
  local hold = { acting = true, until_s = ticket.deadline + HOLD_S, halts = HALTS[ticket.bound.execute_type] }
  local ok, value, err, attempts = pcall(function()
    for _, id in ipairs(ids) do
      state.held[id] = hold
    end
    for _, id in ipairs(ids) do
      local free, why = free_to_act(ticket, id, before[id])
      if not free then
        return nil, why
      end
    end
    return fetch(ticket)
  end)
  local now_s = ok and core.enter(state.client) -- it may be closed by now
  if now_s and (value ~= nil or err.kind == "outcome_unknown" or some_done(ticket.row, err)) then
    hold.acting, hold.until_s = nil, now_s + HOLD_S
  else
    for _, id in ipairs(ids) do
      if state.held[id] == hold then
        state.held[id] = before[id]
      end
    end
  end
  if not ok then
    error(value, 0)
  elseif now_s then
    prune(state.held, now_s)
  end
  if now_s and leases then
    state.shared.leave_runs(state, leases, not hold.acting and hold)
  end
  return value, err, attempts
end

-- --- the whole -----------------------------------------------------------

local NO_OPTIONS = {}

--- What an option is for this call.
local function option(read, name)
  return chosen(read.state, read.row, read.opts, name)
end

--- Drops what a success of this row makes old, here and in other processes.
local function invalidate(state, row)
  for _, operation in ipairs(row.invalidates) do
    flight.outdate(state, operation)
    if state.shared then
      state.shared.outdated(state, operation)
    end
  end
end

--- Empties the cache; how many entries it had.
function _M.clear(state)
  if state.shared then
    state.shared.all_outdated(state)
  end
  return flight.outdate_all(state)
end

-- What else parts the results of one request in the cache.
local function variant_of(read)
  local limit = read.row.result == "page" and read.args.limit
  return (read.opts.raw and "raw " .. (read.state.dialect or "") or "")
    .. (limit and string.format("limit %.0f", limit) or "")
end

--- The key of its result.
local function key_of(read)
  return arguments.key(read.row, read.bound) .. variant_of(read)
end

--- A value of the cache, or another's, as the answer of this call.
-- @return value, nil, meta; or nil, err where it is a list that is too long
local function given(read, value, meta)
  local rows_max = rows_max_of(read)
  if read.row.result == "page" and #value > rows_max and not read.args.limit then
    return nil, paging.too_long(#value, rows_max, read.row.name)
  end
  return value, nil, meta
end

--- A fresh value; and is it this one's to fetch it anew, behind it?
-- @return value, err, meta, due
local function fresh_one(read, is_ahead)
  local value, age_s, due = core.lookup(read.state.client, read.number, read.key, read.opts.borrow, is_ahead)
  if value == nil and read.state.shared then
    value, age_s = read.state.shared.find(read)
  end
  if value ~= nil then
    local meta = { cached = true, age_s = age_s, attempts = 0 }
    local rows, err = given(read, value, meta)
    return rows, err, rows and meta, due
  end
end

--- One that is no longer fresh; the same.
local function stale_one(read, number, within_s, err, is_ahead)
  if within_s <= 0 or not core.enter(read.state.client) then
    return nil
  end
  local value, age_s, stale, due =
    core.stale(read.state.client, number, read.key, read.opts.borrow, within_s, is_ahead)
  if value ~= nil then
    local meta = { cached = true, stale = stale, age_s = age_s, attempts = 0, error = err }
    local rows, too_long = given(read, value, meta)
    return rows, too_long, rows and meta, due
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
  if not FAULTS[err.kind] or err.total or read.opts.refresh or read.unseen then
    return false
  end
  local value, _, meta = stale_one(read, nil, option(read, "stale_if_error_s"), err)
  if value == nil then
    return false
  end
  read.value, read.meta = value, meta
  driver.log_stale(read.state, read.row, meta)
  return true
end

--- Fetches, and stores what may be stored: nothing that a write or another
-- token has overtaken.
-- @return value, nil, meta, text; or nil, err
local function fetch_and_store(read, ttl_s)
  local state, row = read.state, read.row
  local writes, cleared = state.writes[row.operation], state.cleared
  local value, err, attempts = fetch(read, rescue)
  if value == nil then
    return nil, err
  end
  local text = core.enter(state.client) and core.encode(value) or nil
  if state.shared then
    state.shared.look(state, row.operation)
  end
  local overtaken = read.identity ~= state.identity or writes ~= state.writes[row.operation]
    or cleared ~= state.cleared
  if text and not overtaken then
    local stale_s = math.max(option(read, "stale_if_error_s"), option(read, "stale_while_revalidate_s"))
    local number = read.ahead and driver.number_of(read)
    core.store(state.client, read.key, text, ttl_s, stale_s, read.ahead, number)
    if state.shared then
      state.shared.keep(read, text, ttl_s, stale_s)
    end
  end
  return value, nil, { cached = false, age_s = 0, attempts = attempts }, text
end

local function flight_key(read)
  return read.key .. "\0" .. read.state.identity
end

--- Fetches, or takes part in another task's fetch, or another process's.
local function shared_fetch(read, ttl_s)
  local state = read.state
  local obstacle = wait.obstacle(state.runtime, read.row.name)
  if obstacle then
    return nil, obstacle
  end
  local started_s = core.time(state.client)
  local function fetch_it()
    return fetch_and_store(read, ttl_s)
  end
  local once = state.shared and not read.opts.refresh and state.shared.once
  local value, err, meta, text, joined = flight.share(state, flight_key(read), read.deadline, once and function()
    return once(read, fetch_it)
  end or fetch_it, read.opts.refresh)
  if joined then
    core.share(state.client, read.key)
    if err then
      err.operation = read.row.name -- the other call may have another name for it
    end
    if text then
      value, err, meta = given(read, core.decode(text), { cached = false, shared = true, age_s = 0, attempts = 0 })
    end
    local rescued = err and rescue(read, err)
    driver.record(read, rescued and "stale" or err and err.kind or "ok", started_s)
  end
  if read.value ~= nil then
    return read.value, nil, read.meta
  end
  return value, err, meta
end

--- A fetch that nobody waits for: in a time of its own, and nobody is given an old
-- value in place of its error.
local function fetch_behind(read, ttl_s)
  local state = read.state
  local now_s = core.enter(state.client)
  if now_s and not flight.is_under_way(state, flight_key(read)) and (not read.ahead or core.has_room(state.client)) then
    read.deadline = now_s + (read.opts.timeout_s or read.known.timeout_s)
    read.unseen = true
    if state.shared then
      state.shared.look(state, read.row.operation)
    end
    return shared_fetch(read, ttl_s)
  end
end

--- The same in a task. One that never begins is in nobody's way: what it was begun
-- for is due again after a while.
-- @tparam string|nil why "refresh" where what it replaces is fresh
-- @tparam number stored_s when that was stored
local function revalidate(read, ttl_s, why, stored_s)
  read.ahead, read.stored_s = why, stored_s
  if not flight.is_under_way(read.state, flight_key(read)) then
    wait.detach(read.state.runtime, function()
      fetch_behind(read, ttl_s)
    end)
  end
end

--- Asks the cache, then the server.
-- @tparam table read the ticket; it gets the `number` under which the look-up is
--   counted, nil where it is not, and the `value` and `meta` that are given in the
--   place of an error
local function read_through(read, ttl_s)
  local state = read.state
  read.key = key_of(read)
  if state.shared then
    state.shared.look(state, read.row.operation)
  end
  read.number = not read.opts.uncounted and driver.number_of(read) or nil
  if not read.opts.refresh then
    local has_background = wait.has_background(state.runtime)
    local value, err, meta, due = fresh_one(read, has_background and option(read, "refresh_ahead"))
    if value == nil and not err and has_background then
      value, err, meta, due = stale_one(read, read.number, option(read, "stale_while_revalidate_s"), nil, true)
    end
    if due then
      local stored_s = meta and core.time(state.client) - meta.age_s
      revalidate(read, ttl_s, not (meta and meta.stale) and "refresh" or nil, stored_s)
    end
    if value ~= nil or err then
      return value, err, meta
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
_M.under_way = under_way

local function deadline_from(now_s, known, opts)
  return opts.deadline or now_s + (opts.timeout_s or known.timeout_s)
end

--- When a call has to end, on the client's clock.
function _M.deadline_of(state, row, opts)
  local now_s, err = enter(state, row.name)
  if not now_s then
    return nil, err
  end
  return deadline_from(now_s, known_of(state, row), opts)
end

--- What each call begins with: its deadline, and its arguments as the server
-- wants them.
-- @treturn table|nil the ticket that all steps of the call work on; or nil and an
--   error
local function begin(state, row, args, opts)
  if opts.sink and row.result ~= "bytes" then
    errors.throw(row.name .. ": option \"sink\": its result is no file")
  end
  local known = known_of(state, row)
  local bound, deadline
  local now_s, err = enter(state, row.name)
  if now_s then
    deadline = deadline_from(now_s, known, opts)
    bound, err = arguments.bind(row, args, state.context, deadline)
  end
  if not bound then
    return nil, err
  end
  return {
    state = state,
    row = row,
    known = known, -- of the row
    args = args,
    opts = opts,
    bound = bound,
    deadline = deadline,
    call = false, -- the machine, from the first request on
    -- added by `open`: dialect; sure (that the server has it); shape (of answers);
    -- left_s (until the deadline). By requests: identity, of the token that it was
    -- read with; false: of two
  }
end

--- How long the result of a call is kept (s); 0 where it is not.
function _M.ttl_of(state, row, opts)
  if row.replay ~= "read" or row.result == "bytes" or opts.cache == false or not state.options.enable_cache then
    return 0
  end
  return opts.ttl_s or known_of(state, row).ttl_s
end

--- Fetches what will be asked for, where it is not there and nobody is at it, as long
-- as there is room.
-- @return anything; or nil and an error
function _M.prefetch(state, row, args, opts)
  local read, err = begin(state, row, args, opts)
  if not read then
    return nil, err
  end
  read.key, read.ahead = key_of(read), "prefetch"
  if not opts.refresh and core.fresh(state.client, read.key) then
    return true
  end
  return fetch_behind(read, _M.ttl_of(state, row, opts))
end

--- Performs an operation.
-- @tparam table state the client's insides
-- @tparam table row of the operations table
-- @tparam table args by name
-- @tparam table opts call options (checked), or nil
-- @return value, nil, meta; or nil, error
function _M.perform(state, row, args, opts)
  local ticket, err = begin(state, row, args, opts or NO_OPTIONS)
  if not ticket then
    return nil, err
  end
  local ttl_s = _M.ttl_of(state, row, ticket.opts)
  local value
  if ttl_s > 0 then
    local meta
    value, err, meta = read_through(ticket, ttl_s)
    if state.shared then
      state.shared.tally_soon(state)
    end
    return under_way(value, err, meta)
  end
  local attempts
  value, err, attempts = (row.holds and act or fetch)(ticket)
  local is_done = value ~= nil or err.kind == "outcome_unknown" or some_done(row, err)
  if row.invalidates and is_done and core.enter(state.client) then
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
  local ticket, err = begin(state, row, args, opts)
  err = err or open(ticket)
  if err then
    return nil, err
  end
  local page
  page, err = driver.guarded(read_page, ticket, number, page_size)
  driver.finish(ticket, err and err.kind)
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
  deadline, err = _M.deadline_of(state, who(), opts or NO_OPTIONS)
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
  local product = dialect == "workflow" and _M.perform(state, operations.find "server.product_info", {}, under)
  return {
    user = user.userName,
    user_id = user.id,
    time_zone = user.timeZone,
    dialect = dialect,
    version = type(product) == "table" and product.version or state.options.server_version,
  }
end

return _M

--- The one loop of the library: it does what the machine of a call (csrc/core/
-- call.h) asks for, and tells it what came of it.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local shortcut = require "dsclient.shortcut"
local token = require "dsclient.token"
local wait = require "dsclient.wait"

-- Of a call, of an attempt (s), by the result of the row: lists are slow on
-- large servers, and an abandoned one is still worked on there; a file may take
-- its time as long as it comes (idle_timeout_s).
local TIMES = { { 30, 10 }, page = { 300, 25 }, list = { 300, 25 }, bytes = { 300, 300 } }

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

-- The core's clock knows nothing shorter.
local MICROSECOND = 1e-6

--- Is there no time left to do anything in?
local function is_over(now_s, deadline)
  return deadline - now_s < MICROSECOND
end

local NOTHING = {}

--- The text, which may be nil, without the secret, which may be none.
local function hide(text, secret)
  if not text or not secret or secret == "" then
    return text
  end
  local from, to = text:find(secret, 1, true)
  while from do
    text = text:sub(1, from - 1) .. "***" .. text:sub(to + 1)
    from, to = text:find(secret, from + 3, true)
  end
  return text
end

--- An error of this call; no text of it holds the token, or the one before, or
-- the one that it was asked with.
local function failure(state, row, fields, asked_with)
  fields.operation = fields.operation or row.name
  fields.message = fields.message and hide(errors.line(fields.message), asked_with)
  for _, secret in ipairs(state.secrets) do
    fields.message = hide(fields.message, secret)
    for i, name in ipairs(fields.near or NOTHING) do
      fields.near[i] = hide(name, secret)
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
  cancelled = "it was ended before its answer came",
  breaker_open = "not sent: most of the last calls failed, it is tried again in a few seconds",
  limit = "not sent: too many calls wait for a connection (queue_max)",
  outcome_unknown = "sent, but no answer tells what came of it: read before sending again",
}

--- The error of a call that the machine gave up, with all that it knows.
local function call_failure(ticket, request, kind)
  local report = ticket.call:report()
  report.kind = kind
  report.argument = kind == "argument" and request.target and "sink" or nil
  local said = report.message
  local hint = HINTS[kind]
  report.message = hint and said and hint .. ": " .. said or hint or said or ""
  return failure(ticket.state, ticket.row, report, request.token)
end

--- The header lines of a request: a body is a form unless it is told otherwise.
local function headers_of(state, request)
  if not request.content_type then
    return request.body and state.form_headers or state.headers
  end
  local lines = { "content-type: " .. request.content_type }
  for _, line in ipairs(state.headers) do
    lines[#lines + 1] = line
  end
  return lines
end

--- Hands a part of a file to the caller's sink.
-- @treturn string|nil why it takes no more
local function deliver(sink, piece)
  local fine, why
  if type(sink) == "function" then
    fine, why = sink(piece)
  elseif type(sink) == "number" then
    why = "this transport writes to no file descriptor"
  else
    fine, why = sink:write(piece)
  end
  if fine == false or why then
    return "the sink takes no more: " .. tostring(why or "it said so")
  end
end

local function next_piece(state, exchange)
  wait.for_transfer(state, exchange)
  return exchange:piece()
end

local function pour(state, exchange, sink)
  local why
  local piece = next_piece(state, exchange)
  while piece and not why do
    why = deliver(sink, piece)
    piece = not why and next_piece(state, exchange)
  end
  return why
end

--- Hands a file over piece by piece, between the steps of the transport: the
-- sink may wait, and may throw.
-- @treturn table|nil the failure of the exchange, where it was the sink's
local function received(state, exchange, sink)
  local ok, why = pcall(pour, state, exchange, sink)
  if not ok or why then
    exchange:cancel()
  end
  if not ok then
    error(why, 0)
  end
  return why and { kind = "argument", phase = "partial", message = why }
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
    server = state.urls[server],
  })
end

local CHANGES = {}

function CHANGES.breaker(state, event)
  event.server = event.server and state.urls[event.server]
  return event.state == "closed" and "info" or "warn",
    (event.operation or event.server) .. ": the circuit breaker is " .. event.state
end

function CHANGES.pace(_, event)
  return "warn", string.format("refused (429): held for %.3f s, then %.1f requests a second", event.hold_s,
    event.rate_per_s)
end

function CHANGES.budget()
  return "warn", "the retry budget is empty: failures are returned at once"
end

--- Tells the log what has changed of the limits.
local function log_changes(state)
  local event = core.told(state.client)
  while event do
    local level, message = CHANGES[event.event](state, event)
    state.options.log(level, message, event)
    event = core.told(state.client)
  end
end

--- Tells the log what is worth telling of one turn of the loop: what was done,
-- and what the machine asks for next. Nothing is told while a connection is
-- held: the log may call the client.
-- @return the seconds, less those that the log took of a sleep
local function log_turn(ticket, done, action, seconds, pacing, server)
  local state, row = ticket.state, ticket.row
  if not state.options.log or action == "send" then
    return seconds
  end
  local told_s = core.time(state.client)
  if done == "send" and action == "sleep" and not pacing then
    log_repeat(state, row, ticket.call, seconds, server)
  elseif done == "token" and action == "sleep" then
    state.options.log("info", row.name .. ": refused (401), again with the new token",
      { event = "token", operation = row.name })
  end
  log_changes(state)
  return action == "sleep" and math.max(seconds - (core.time(state.client) - told_s), 0) or seconds
end

--- Tells the log that an old value was given in place of an error.
local function log_stale(state, row, meta)
  if state.options.log then
    local cause, age_s = meta.error.kind, meta.age_s
    state.options.log("warn", string.format("%s: %s; a value %.0f s old is given", row.name, cause, age_s),
      { event = "stale", operation = row.name, cause = cause, age_s = age_s })
  end
end

--- Is there another token than the one that was refused? Another call may have
-- brought it.
local function renew(state, refused)
  if refused ~= state.token then
    return true
  end
  local fresh = token.ask(state.options)
  local different = fresh and fresh ~= state.token and enter(state) ~= nil
  if different then
    token.use(state, fresh)
  end
  return different
end

local steps = {}

--- What came of an exchange that was started: its answer, or nil and a failure.
local function outcome(state, request, exchange)
  if request.sink == true and exchange.piece then
    local failed = received(state, exchange, request.target)
    if failed then
      return nil, failed
    end
  end
  if state.source then
    wait.for_transfer(state, exchange)
  end
  local response, failed = exchange:wait()
  if not response and failed.kind == "cancelled" then
    exchange:cancel()
  end
  return response, failed
end

function steps.send(ticket, request, deadline, server, fresh)
  local state, call = ticket.state, ticket.call
  request.url = state.urls[server] .. request.path
  request.headers = headers_of(state, request)
  request.token, request.identity = state.token, state.identity
  request.fresh = fresh
  local spare, response = state.spare_transfer, nil
  state.spare_transfer = nil
  local exchange, failed = state.transport:start(request, deadline, spare)
  if exchange then
    response, failed = outcome(state, request, exchange)
  end
  if not response then
    return call:failed(failed.kind, failed.phase, failed.stale, failed.message, (failed.delivered or 0) > 0)
  end
  state.spare_transfer = exchange
  request.answer, request.delivered = response.body, response.delivered
  local headers = response.headers
  return call:answered(response.status, headers["content-type"], headers["retry-after"], headers.date, response.body,
    response.bytes_in, response.bytes_out, headers["content-disposition"], ticket.shape)
end

function steps.sleep(ticket, _, seconds)
  local state = ticket.state
  -- the log may have closed the client
  if seconds > 0 and enter(state) and wait.park(state, {}, seconds) == "cancelled" then
    return ticket.call:cancelled()
  end
  return ticket.call:resumed()
end

function steps.wait(ticket, _, seconds, key)
  local state = ticket.state
  if not wait.is_concurrent(state.runtime) then
    return ticket.call:admitted() -- those who have the connections can't run meanwhile
  elseif enter(state) and wait.for_connection(state, key, seconds) == "cancelled" then
    return ticket.call:cancelled()
  end
  return ticket.call:resumed()
end

function steps.token(ticket, request)
  return ticket.call:renewed(renew(ticket.state, request.token))
end

function steps.weigh(ticket)
  return ticket.state.shared.weigh(ticket)
end

--- Does what the machine asks for, tells it what came of it, and returns what
-- it asks for next.
-- @tparam table ticket of the call: {state, row, call}
local function advance(ticket, request, action, a, b, c)
  local x, y, z, w = steps[action](ticket, request, a, b, c)
  if x == "weigh" then
    local value = w
    x, y, z, w = steps.weigh(ticket)
    w = x == "done" and value or w
  end
  wait.stepped(ticket.state)
  return x, y, z, w
end

--- Runs fn(ticket, …) → two values; a Lua error in it ends the call, and goes on.
-- @tparam table ticket whose `call` is false before it has begun
local function guarded(fn, ticket, x, y)
  local ok, a, b = pcall(fn, ticket, x, y)
  if not ok then
    if ticket.call then
      ticket.call:finish "cancelled"
      wait.stepped(ticket.state)
    end
    error(a, 0)
  end
  return a, b
end

--- Closes the books of a call: nil, or how it ended otherwise.
-- @treturn number how many attempts it took
local function finish(ticket, ended)
  local attempts = ticket.call:finish(ended)
  wait.stepped(ticket.state)
  if ticket.state.shared then
    ticket.state.shared.tally_soon(ticket.state)
  end
  return attempts
end

--- Goes on until the call is done or has failed.
-- @return "done" [, first, last [, value]] or "fail", kind; see csrc/lua/call.c
local function drive(ticket, request, action, a, b, c)
  local log = ticket.state.options.log
  while action ~= "done" and action ~= "fail" do
    local done = action
    action, a, b, c = advance(ticket, request, action, a, b, c)
    if log then
      a = log_turn(ticket, done, action, a, b, c)
    end
  end
  return action, a, b, c
end

-- What the client's options say of one operation, under any of its names.
local function special(state, row)
  local given = state.options.operations
  return given[row.name] or given[row.operation] or NOTHING
end

--- What the call says of an option, or the operation, or the client.
local function chosen(state, row, opts, name)
  local value = opts[name]
  if value == nil then
    value = special(state, row)[name]
  end
  if value == nil then
    value = state.options[name]
  end
  return value
end

--- What a client knows of a row, worked out at its first use. The rows of requests
-- that no operation stands for share what is known of their class.
-- @treturn table {timeout_s, attempt_timeout_s and ttl_s where a call says nothing
--   else; number in the core, false before it is needed; shapes of answers, by
--   dialect, or "raw"}
local function known_of(state, row)
  row = row.counted or row
  local known = state.known[row]
  if not known then
    local times = TIMES[row.result] or TIMES[1]
    local options, own = state.options, special(state, row)
    known = {
      timeout_s = own.timeout_s or options.timeout_s or times[1],
      attempt_timeout_s = own.attempt_timeout_s or options.attempt_timeout_s or times[2],
      ttl_s = shortcut.ttl_s(state, row),
      number = false,
      shapes = {},
    }
    state.known[row] = known
  end
  return known
end

-- The options of the client that one operation may have otherwise.
local POLICY = { "max_retries", "backoff_s", "backoff_max_s", "jitter", "retry_statuses", "trust_503" }

local function register(state, row, known)
  local policy = {}
  for _, name in ipairs(POLICY) do
    policy[name] = chosen(state, row, NOTHING, name)
  end
  policy.name = row.name
  policy.replay = row.replay
  policy.form = row.result == "bytes" and "file" or row.bare and "bare" or nil
  policy.timeout_s = known.timeout_s
  policy.attempt_timeout_s = known.attempt_timeout_s
  policy.already = row.already
  known.number = core.register(state.client, policy)
  shortcut.open(state, row, known.number, chosen(state, row, NOTHING, "refresh_ahead"))
end

--- The machine's number of a call's row; registered at its first use.
local function number_of(ticket)
  local known = ticket.known
  if not known.number then
    register(ticket.state, ticket.row.counted or ticket.row, known)
  end
  return known.number
end

--- Records a call that the machine had no part in.
local function record(ticket, ended, started_s)
  local now_s = core.enter(ticket.state.client)
  if now_s then
    core.record(ticket.state.client, number_of(ticket), ended, now_s - started_s)
    if ticket.state.shared then
      ticket.state.shared.tally_soon(ticket.state)
    end
  end
end

--- A request, as transports are given it. Each attempt adds `url`, `headers`,
-- `fresh`, and for this module the `token` and `identity` that it was asked with,
-- its `answer` (the body) and `delivered` (bytes that the sink has got). The
-- caller's sink is `target`; the transport is given it where it is a file
-- descriptor, and hands out pieces where it is not.
local function new_request(ticket, path, body, content_type)
  local row, options, sink = ticket.row, ticket.state.options, ticket.opts.sink
  return {
    method = row.method,
    path = path,
    body = body,
    content_type = content_type,
    once = row.replay == "once",
    connect_timeout_s = options.connect_timeout_s,
    idle_timeout_s = options.idle_timeout_s,
    body_bytes_max = options.body_bytes_max,
    target = sink,
    sink = sink and (type(sink) == "number" and sink or true),
  }
end

return {
  enter = enter,
  is_over = is_over,
  failure = failure,
  call_failure = call_failure,
  deliver = deliver,
  log_turn = log_turn,
  log_stale = log_stale,
  advance = advance,
  drive = drive,
  guarded = guarded,
  finish = finish,
  record = record,
  chosen = chosen,
  known_of = known_of,
  number_of = number_of,
  new_request = new_request,
}

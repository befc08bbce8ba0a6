--- The one loop of the library: it does what the machine of a call (csrc/core/
-- call.h) asks for, and tells it what came of it. Only here is anything waited
-- for, but for the pause between two probes of detect.lua.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local token = require "dsclient.token"

-- Of a call, of an attempt (s): lists are slow on large servers, and an
-- abandoned one is still worked on there.
local TIMEOUT_S, LIST_TIMEOUT_S = 30, 300
local ATTEMPT_TIMEOUT_S, LIST_ATTEMPT_TIMEOUT_S = 10, 25

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

--- The error of a call that the machine gave up, with all that it knows.
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

--- Goes on until the call is done or has failed.
-- @return "done" [, first, last] or "fail", kind; see csrc/lua/call.c
local function drive(state, row, call, request, action, a, b, c)
  while action ~= "done" and action ~= "fail" do
    local done = action
    action, a, b, c = advance(state, call, request, action, a, b, c)
    log_turn(state, row, call, done, action, a, b)
  end
  return action, a, b
end

--- The seconds of a call and of an attempt: of these call options, of the
-- client, or of the row's sort.
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

--- What all requests of a row have; path and body are to be added.
local function new_request(state, row)
  return {
    method = row.method,
    once = row.replay == "once",
    connect_timeout_s = state.options.connect_timeout_s,
    idle_timeout_s = state.options.idle_timeout_s,
    body_bytes_max = state.options.body_bytes_max,
  }
end

return {
  enter = enter,
  failure = failure,
  call_failure = call_failure,
  log_turn = log_turn,
  advance = advance,
  drive = drive,
  timeouts = timeouts,
  number_of = number_of,
  new_request = new_request,
}

--- The transport of a simulated client: connections, the way of a request and
-- its answer, and what goes wrong with them. As a transport of libcurl is, but
-- on virtual time.

local chance = require "spec.sim.chance"
local faults = require "spec.sim.faults"
local servers = require "spec.sim.server"

local format = string.format

local _M = {}
_M.__index = _M

-- So long does a slow server think, and one without any trouble.
local SLOW_US, QUICK_US = 3e6, 10000

-- An idle connection is dropped by the client, and closed by the server.
local IDLE_MAX_US, IDLE_SERVER_US = 25e6, 30e6

--- @tparam table world {plan, scheduler, ledger, server, checks, tokens}; `news`
-- are the exchanges that nobody was told of, where the transport is driven
function _M.new(world)
  local network = setmetatable({
    world = world,
    busy = {},
    in_flight = 0,
    freed_us = 0,
    idle = {}, -- connections, by server
    generations = {}, -- of connections, by server
    limiters = {},
    news = world.plan.driven and {} or nil,
  }, _M)
  for i = 1, world.plan.servers do
    network.idle[i], network.generations[i] = {}, 0
  end
  return network
end

local Exchange = {}
Exchange.__index = Exchange

-- --- its end -------------------------------------------------------------

local function finish(exchange, response, failure)
  local network, attempt = exchange.network, exchange.attempt
  if exchange.finished then
    return
  end
  exchange.finished, exchange.response, exchange.failure = true, response, failure
  network.busy[exchange] = nil
  network.in_flight, network.freed_us = network.in_flight - 1, network.world.scheduler.now_us
  network.world.ledger:end_attempt(attempt, failure and failure.kind or "answer", failure and failure.phase or "sent")
  network.world.ledger:say("%s <- %s", attempt.label, failure and format("%s, %s%s", failure.kind, failure.phase,
    failure.stale and ", stale" or "") or format("%d%s", response.status, attempt.said or ""))
  if exchange.waiting then
    network.world.scheduler:resume(exchange.waiting, true)
  elseif network.news then
    network.news[#network.news + 1] = attempt.key
  end
end

local function fail(exchange, kind, phase, message, stale)
  exchange.attempt.stale = stale
  message = (message or kind):gsub("TOKEN", exchange.attempt.token)
  finish(exchange, nil, { kind = kind, phase = phase, message = message, stale = stale })
end

-- How far it has got by now.
local function phase_of(exchange)
  return exchange.network.world.scheduler.now_us < exchange.written_us and "unsent" or "sent"
end

function Exchange:abort(kind)
  fail(self, kind, phase_of(self), "it was ended")
end

function Exchange:wait()
  local scheduler = self.network.world.scheduler
  if not self.finished and self.network.news then
    self.network.world:fail("nobody blocks the others", "%s waits in the transport", self.attempt.label)
  elseif not self.finished and scheduler:current().cancelled_us then
    self:abort "cancelled"
  elseif not self.finished then
    self.waiting = scheduler:current()
    scheduler:suspend(function()
      self:abort "cancelled"
    end)
  end
  if self.throws then
    error(faults.THROWN, 0)
  end
  scheduler:current().granted_from_us = nil -- what it was woken for since was the answer
  self.network.world.checks:attempt_told(self.attempt)
  return self.response, self.failure
end

--- Can it be read without waiting? Where the transport is driven.
function Exchange:ready()
  return self.finished
end

function Exchange:id()
  return self.attempt.key
end

function Exchange:cancel()
  self.network.world.ledger:mark "exchange cancelled"
  self:abort "cancelled"
end

-- --- its way -------------------------------------------------------------

local function after(exchange, us, what, fn)
  local scheduler = exchange.network.world.scheduler
  scheduler:at(scheduler.now_us + us, exchange.attempt.key + what, fn)
end

-- At its deadline, or once its patience is over, whatever comes first.
local function time_out(exchange, kind, patience_us, phase)
  local attempt, now_us = exchange.attempt, exchange.network.world.scheduler.now_us
  local left_us = attempt.deadline_us - now_us
  after(exchange, math.min(left_us, patience_us or left_us), 1, function()
    local timed_out = not patience_us or left_us <= patience_us
    fail(exchange, timed_out and "timeout" or kind, phase, "no answer in time, TOKEN")
  end)
end

-- It fails so, unless the deadline comes first.
local function fail_after(exchange, us, kind, phase, message, stale)
  local now_us = exchange.network.world.scheduler.now_us
  if now_us + us >= exchange.attempt.deadline_us then
    return time_out(exchange, "timeout", nil, phase)
  end
  after(exchange, us, 1, function()
    fail(exchange, kind, phase, message, stale)
  end)
end

local function keep(exchange)
  local network, attempt = exchange.network, exchange.attempt
  table.insert(network.idle[attempt.server],
    { since_us = network.world.scheduler.now_us, generation = exchange.generation })
end

-- The answer is on its way back, and comes in time or not.
local function deliver(exchange, answer, us)
  local attempt = exchange.attempt
  if attempt.begun_us + exchange.spent_us + us >= attempt.deadline_us then
    return time_out(exchange, "timeout", nil, "sent")
  end
  after(exchange, us, 2, function()
    if exchange.finished then
      return
    end
    keep(exchange)
    attempt.status, attempt.code, attempt.hint_s = answer.status or 200, answer.code, answer.hint_s
    attempt.said = answer.code and answer.code ~= 0 and format(", code %d", answer.code) or answer.said
    local body = answer.body
    attempt.bytes_in, attempt.bytes_out = #body, #attempt.url + 20
    finish(exchange, {
      status = attempt.status,
      headers = {
        ["content-type"] = answer.content_type or "application/json",
        ["retry-after"] = answer.hint,
        date = answer.date,
      },
      body = body,
      bytes_in = attempt.bytes_in,
      bytes_out = attempt.bytes_out,
      reused = attempt.reused,
    })
  end)
end

-- What is answered in place of the server's own answer.
local function replaced(fault, answer, attempt, random)
  if fault.code then
    answer = servers.refusal(fault.code, fault.message)
  elseif fault.cut then
    answer = { status = answer.status, body = answer.body:sub(1, -random:int(2, 12)), said = ", cut" }
  else
    answer = { status = fault.status, body = fault.body, content_type = fault.content_type, said = ", " .. fault.name }
  end
  answer.body = answer.body:gsub("TOKEN", attempt.token)
  if fault.hints then
    answer.hint, answer.hint_s, answer.date = faults.hint(random)
    answer.said = format(", Retry-After: %s", answer.hint)
  end
  return answer
end

-- The server's traffic limiter, where it has one now: may this one pass?
local function is_admitted(network, server, now_us)
  local limit = network.world.phases:limit_of(server, now_us)
  if not limit then
    return true
  end
  local limiter = network.limiters[server] or { full_us = 0 }
  network.limiters[server] = limiter
  local cost_us = 1e6 / limit.per_s
  if limiter.full_us > now_us + cost_us * (limit.burst - 1) then
    return false
  end
  limiter.full_us = math.max(limiter.full_us, now_us) + cost_us
  return true
end

local THROTTLED = { status = 429, body = "", said = ", by the limiter" }
local UNKNOWN_TOKEN = { status = 401, body = "" }

-- It has reached the server.
local function arrive(exchange)
  local network, attempt, fault = exchange.network, exchange.attempt, exchange.fault
  local world, random = network.world, exchange.random
  attempt.arrived = true
  if exchange.finished then
    world.server:serve(attempt, world.scheduler.now_us)
    world.checks:served(attempt)
    return
  end
  local thinks_us = exchange.slow and SLOW_US or world.healed and QUICK_US or world.plan.think_us
  local think_us = math.floor(random:exponential(thinks_us))
  local back_us = exchange.half_us + think_us
  if not is_admitted(network, attempt.server, world.scheduler.now_us) then
    return deliver(exchange, THROTTLED, exchange.half_us)
  elseif not world.tokens:is_valid(attempt.token) then
    return deliver(exchange, UNKNOWN_TOKEN, exchange.half_us)
  end
  local answer
  if not fault or fault.effect then
    answer = world.server:serve(attempt, world.scheduler.now_us)
    world.checks:served(attempt)
  end
  if not fault or fault.slower then
    return deliver(exchange, answer, back_us)
  elseif fault.at == "answer" then
    attempt.replaced = true
    return deliver(exchange, replaced(fault, answer, attempt, random), back_us)
  elseif fault.at == "time" then
    return time_out(exchange, "timeout", fault.idle and world.plan.idle_timeout_us or nil, fault.phase)
  end
  local stale = attempt.reused and fault.phase == "sent"
  fail_after(exchange, exchange.half_us, fault.kind, fault.phase, fault.kind .. " TOKEN", stale)
end

-- Until it is written; then it reaches the server, even where nobody waits for
-- the answer any more (for half of those).
local function set_out(exchange, connect_us)
  local attempt = exchange.attempt
  local arrives_us = connect_us + exchange.half_us
  exchange.spent_us = arrives_us
  if attempt.begun_us + connect_us >= attempt.deadline_us then
    return time_out(exchange, "timeout", nil, "unsent")
  elseif attempt.begun_us + arrives_us >= attempt.deadline_us then
    return time_out(exchange, "timeout", nil, "sent")
  end
  after(exchange, arrives_us, 3, function()
    local written = exchange.written_us <= (attempt.ended_us or math.huge)
    if not exchange.finished or written and exchange.random:hit(0.5) then
      arrive(exchange)
    end
  end)
end

local function connect(exchange, connect_us)
  local fault, attempt = exchange.fault, exchange.attempt
  if fault and fault.at == "transport" then
    exchange.written_us = math.huge
    return after(exchange, math.min(connect_us, attempt.deadline_us - attempt.begun_us), 1, function()
      exchange.throws = not exchange.finished
      fail(exchange, "thrown", "unsent", fault.name)
    end)
  elseif fault and fault.at == "idle" then
    exchange.fault = nil -- a new connection is not
  elseif fault and fault.at == "connect" then
    exchange.written_us = math.huge
    if fault.stalls then
      return time_out(exchange, fault.kind, exchange.connect_timeout_us, "unsent")
    end
    return fail_after(exchange, connect_us, fault.kind, "unsent", fault.name .. " TOKEN")
  end
  set_out(exchange, connect_us)
end

-- A kept connection, the one used last; nil where there is none.
local function take_idle(network, server, now_us)
  local idle = network.idle[server]
  while #idle > 0 do
    local connection = table.remove(idle)
    if now_us - connection.since_us < IDLE_MAX_US then
      return connection
    end
  end
end

-- A server that can't be reached has closed what it had, too.
local function is_dead(exchange, connection, now_us)
  local fault = exchange.fault
  return connection.generation ~= exchange.network.generations[exchange.attempt.server]
    or now_us - connection.since_us >= IDLE_SERVER_US or fault and (fault.at == "idle" or fault.at == "connect")
end

local operations = require "dsclient.operations"

local function read_attempt(request, deadline_s)
  local server, target = request.url:match "^http://s(%d+)%.sim/ds(.*)$"
  local token
  for _, line in ipairs(request.headers) do
    token = token or line:match "^token: (.*)$"
  end
  return {
    request = servers.read(request.method, target, request.body),
    url = request.url,
    server = tonumber(server),
    deadline_us = math.floor(deadline_s * 1e6 + 0.5),
    token = token or "",
  }
end

--- The transport contract: starts a request, that has to end by a time.
function _M:start(request, deadline_s)
  local world = self.world
  if self.closed then
    return nil, { kind = "closed", phase = "unsent", message = "the transport is closed" }
  end
  local now_us = world.scheduler.now_us
  local attempt = world.ledger:begin_attempt(read_attempt(request, deadline_s))
  local row = operations.find(attempt.request.operation)
  attempt.once = row ~= nil and row.replay == "once"
  local call = attempt.call
  attempt.key = call.number * 1000 + attempt.number * 10
  attempt.label = format("%s.%d", call.label, attempt.number)
  local random = chance.of(world.plan.seed, call.number, attempt.number)
  local exchange = setmetatable({
    network = self,
    attempt = attempt,
    random = random,
    half_us = math.floor(random:exponential(world.plan.latency_us / 2)) + 50,
    connect_timeout_us = request.connect_timeout_s * 1e6,
  }, Exchange)
  exchange.fault = world.phases:fault_of(attempt, now_us)
  exchange.slow = exchange.fault and exchange.fault.slower
  attempt.fault = exchange.fault
  local connection = not request.once and not request.fresh and take_idle(self, attempt.server, now_us)
  attempt.reused = connection and true or false
  exchange.generation = connection and connection.generation or self.generations[attempt.server]
  local connect_us = connection and 0 or math.floor(random:exponential(world.plan.latency_us)) + 50
  exchange.written_us = now_us + connect_us
  self.busy[exchange] = true
  self.in_flight = self.in_flight + 1
  world.ledger:say("%s -> server %d: %s%s%s", attempt.label, attempt.server, attempt.request.operation,
    attempt.reused and ", reused" or "", exchange.fault and " [" .. exchange.fault.name .. "]" or "")
  world.checks:attempt_begun(attempt)
  if connection and is_dead(exchange, connection, now_us) then
    fail_after(exchange, exchange.half_us, "network", "sent", "the connection was closed, TOKEN", true)
  else
    connect(exchange, connect_us)
  end
  return exchange
end

--- The server has lost its connections: the idle ones are dead.
function _M:restart(server)
  self.generations[server] = self.generations[server] + 1
end

--- The contract of a driven transport: which exchanges can be read. The
-- scheduler knows when something happens.
function _M:step(ready)
  local count = #self.news
  for i = 1, count do
    ready[i], self.news[i] = self.news[i], nil
  end
  return count
end

function _M:timeout()
  return self.news[1] and 0 or nil
end

--- The transport contract: all that is under way ends.
function _M:close()
  self.closed = true
  local busy = {}
  for exchange in pairs(self.busy) do
    busy[#busy + 1] = exchange
  end
  table.sort(busy, function(a, b)
    return a.attempt.begun_seq < b.attempt.begun_seq
  end)
  for _, exchange in ipairs(busy) do
    exchange:abort "closed"
  end
end

return _M

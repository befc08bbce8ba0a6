--- A sandbox in this process, on a clock that only moves when told: no
-- sockets, hours in milliseconds, and the same each time.

local core = require "dsclient.core"
local dsclient = require "dsclient"
local faults = require "dsclient.sandbox.faults"
local sites = require "dsclient.sandbox.site"

local _M = {}

local Box = {}
Box.__index = Box

sites.give_methods(Box)

--- Moves the clock on, and the clocks of all clients of the box.
function Box:sleep(seconds)
  self.time = self.time + seconds
  for client in pairs(self.clients) do
    core.advance(client, seconds)
  end
end

Box.advance = Box.sleep

-- --- the transport -------------------------------------------------------

local function headers_of(request)
  local headers = {}
  for _, line in ipairs(request.headers or {}) do
    local name, value = line:match "^([^:]+):%s*(.*)$"
    headers[name:lower()] = value
  end
  return headers
end

local function failure(kind, phase, message)
  return nil, { kind = kind, phase = phase, message = message }
end

-- What the client sees of an answer that the wire does not let through whole,
-- and what curl.so says in the same case.
local wires = {}

function wires.reset(_, _, reused)
  local response, failed = failure("network", "sent", "connection reset by peer")
  failed.stale = reused
  return response, failed
end

function wires.stall(box, left_s)
  box:sleep(left_s)
  return failure("timeout", "sent", "no answer in time")
end

function wires.cut()
  return failure("network", "partial", "the answer was cut")
end

function wires.garbage()
  return failure("protocol", "partial", "the answer is not HTTP")
end

function wires.slow(box, left_s)
  if faults.SLOW_S >= left_s then
    box:sleep(left_s)
    return failure("timeout", "partial", "no answer in time")
  end
  box:sleep(faults.SLOW_S)
end

local function exchange(box, client, connection, request, deadline)
  local function left_s()
    return deadline - core.time(client)
  end
  local reused = connection.open and not request.once and not request.fresh
  if left_s() <= box.site.delay_s then
    box:sleep(math.max(0, left_s()))
    return failure("timeout", "unsent", "no answer in time")
  end
  box:sleep(box.site.delay_s)
  local served = box.site:serve {
    method = request.method or "GET",
    path = request.url:match "^%a+://[^/]+(.*)$",
    headers = headers_of(request),
    body = request.body or "",
  }
  local wire = wires[served.wire]
  if wire then
    local _, failed = wire(box, left_s(), reused)
    if failed then
      connection.open = false
      return nil, failed
    end
  end
  connection.open = true
  local answer = served.answer
  return {
    status = answer.status,
    headers = answer.headers,
    body = answer.body,
    bytes_in = #answer.body,
    bytes_out = #request.url + #(request.body or ""),
    reused = reused,
  }
end

--- A client that is wired to the box.
-- @tparam table options of dsclient.new; url and token are filled in
function Box:client(options)
  local transport, connection, client = {}, { open = false }, nil
  function transport.start(_, request, deadline)
    return {
      wait = function()
        return exchange(self, client, connection, request, deadline)
      end,
      cancel = function() end,
    }
  end
  function transport.close()
    self.clients[client] = nil
  end
  local given = {
    api_url = self.url,
    token = self.token,
    transport = transport,
    runtime = {
      virtual = true,
      sleep = function(seconds)
        self:sleep(seconds)
      end,
    },
  }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  client = dsclient.new(given)
  self.clients[client] = true
  return client
end

--- @tparam table options checked ones of the sandbox
function _M.new(options)
  local box = setmetatable({
    url = "http://sandbox.invalid/dolphinscheduler",
    token = options.token,
    time = options.now,
    clients = {}, -- until they are closed: a weak table still shows those that are being collected
  }, Box)
  box.site = sites.new(options, function()
    return box.time
  end)
  return box
end

return _M

--- How a client stands: what limits it now, and since when.

local core = require "dsclient.core"
local driver = require "dsclient.drive"

local format = string.format

local _M = {}

local Status = {}
Status.__index = Status
Status.__name = "dsclient.status"

-- A breaker that is not closed, as in "instances.list open for 1.2 s".
local function breaker_text(name, breaker)
  return format("%s %s for %.1f s (%d of %d calls failed)", name, breaker.state, breaker.since_s, breaker.failures,
    breaker.calls)
end

local function trouble(status)
  local parts = {}
  for _, server in ipairs(status.servers) do
    if server.state ~= "closed" then
      parts[#parts + 1] = breaker_text(server.url, server)
    end
  end
  local names = {}
  for name in pairs(status.operations) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    parts[#parts + 1] = breaker_text(name, status.operations[name])
  end
  return parts
end

--- One line for a log.
function Status:__tostring()
  local parts = trouble(self)
  if #parts == 0 then
    parts[1] = "breakers closed"
  end
  parts[#parts + 1] = self.rate_per_s and format("%.1f requests/s at most", self.rate_per_s) or "no pace"
  if self.hold_s then
    parts[#parts + 1] = format("held for %.1f s", self.hold_s)
  end
  parts[#parts + 1] = format("%d of %d in flight", self.in_flight, self.in_flight_max)
  parts[#parts + 1] = self.open and format("%d open", self.open) or nil
  parts[#parts + 1] = format("%d of %d waiting", self.waiting, self.waiting_max)
  parts[#parts + 1] = format("%d fetched for others", self.flights)
  parts[#parts + 1] = format("budget %d of %d", self.budget, self.budget_max)
  return table.concat(parts, ", ")
end

local function open_connections(state)
  local pool = state.transport.stats and state.transport:stats()
  return pool and pool.open
end

--- @tparam table state the insides of an open client
-- @treturn table|nil nil and an error where it is closed by now
--   servers: per URL {url, state ("closed", "open", "half-open"), since_s, calls,
--     failures} of its circuit breaker, counted over the last 10 s;
--   operations: the same by name, of those that are not closed;
--   in_flight, in_flight_max: requests; waiting, waiting_max: calls that wait for
--     one; open: connections, where the transport counts them;
--   rate_per_s: requests a second, where there is a pace; hold_s: none goes out
--     for so long; slowed_since_s: how long ago the last 429 came;
--   budget, budget_max: of retries; flights: fetches that others may join
function _M.of(state)
  if state.shared then
    state.shared.pull_limits(state)
  end
  local status = core.status(state.client)
  if not status then
    return driver.enter(state) -- a finaliser has closed it
  end
  for i, server in ipairs(status.servers) do
    server.url = state.urls[i]
  end
  status.open = open_connections(state)
  status.flights = 0
  for _ in pairs(state.flights) do
    status.flights = status.flights + 1
  end
  return setmetatable(status, Status)
end

--- The same, as the gauges of the exposition (enum dsc_gauge in csrc/core/).
function _M.gauges(state)
  local status = _M.of(state)
  if not status then
    return {}
  end
  local servers = { closed = 0, open = 0, ["half-open"] = 0 }
  for _, server in ipairs(status.servers) do
    servers[server.state] = servers[server.state] + 1
  end
  local gauges = {
    breakers_closed = servers.closed,
    breakers_open = servers.open,
    breakers_half_open = servers["half-open"],
    retry_tokens = status.budget,
  }
  if not state.shared then -- nobody sums up what each process has of its own
    gauges.connections_active = status.in_flight
    gauges.connections_idle = status.open and math.max(status.open - status.in_flight, 0)
    gauges.connections_waiting = status.waiting
    gauges.connections_max = status.in_flight_max
  end
  return gauges
end

return _M

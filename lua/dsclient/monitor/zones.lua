--- The zone that the server prints its times in, and times of rows in it.

local core = require "dsclient.core"
local tz = require "dsclient.tz"

local _M = {}

-- A zone may have a summer time: it is measured anew this often. Zones lie a
-- multiple of a quarter of an hour from UTC.
local MEASURE_EVERY_S, QUARTER_S = 3600, 900

local TEXTS = { started_at = "startTime", restarted_at = "restartTime", ended_at = "endTime" }

--- A time of a row.
-- @tparam string key "started_at", "restarted_at" or "ended_at"
-- @treturn number|nil seconds since 1970
function _M.at(monitor, row, key)
  local text = row[TEXTS[key]]
  local shown = monitor.zone and type(text) == "string" and tz.parse(text)
  return shown and monitor.zone:utc(shown) or row[key]
end

-- How a server says that it has not got a path (3.2.2 takes "masters" for a kind
-- of machine, and refuses that).
local ABSENT = { api = true, not_api = true, unsupported = true }

--- The masters, by the path of this line.
local function masters(client)
  local rows, err = client:call("server.masters", {})
  if not rows and ABSENT[err.kind] then
    rows, err = client:call("server.nodes", { kind = "MASTER" })
  end
  return rows, err
end

--- The zone of answers: a master tells its last heartbeat in that zone, and
-- beside it in milliseconds since 1970.
-- @treturn table|nil a zone; nil where it can't be told
-- @treturn table|nil err
-- @treturn number|nil when, by the server's clock, it was told
function _M.measure(client)
  local rows, err = masters(client)
  for _, row in ipairs(rows or {}) do
    local about = core.decode(row.heartBeatInfo or "")
    local reported_ms = type(about) == "table" and tonumber(about.reportTime)
    local shown = type(row.lastHeartbeatTime) == "string" and tz.parse(row.lastHeartbeatTime)
    if reported_ms and shown then
      local ahead_s = shown - reported_ms / 1000
      return tz.fixed(math.floor(ahead_s / QUARTER_S + 0.5) * QUARTER_S), nil, reported_ms / 1000
    end
  end
  return nil, err
end

--- Keeps `monitor.zone` right: the one that is configured, else the measured
-- one, else that of the client's own times.
function _M.keep(monitor)
  local now = monitor:now()
  if monitor.config.zone then
    monitor.zone = monitor.config.zone
  elseif now >= (monitor.measure_at or 0) then
    monitor.measure_at = now + MEASURE_EVERY_S
    monitor.zone = _M.measure(monitor.client) or monitor.zone
  end
end

return _M

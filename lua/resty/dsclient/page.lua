--- The status page: one HTML page without scripts, of what handlers.lua knows. All
-- texts come from outside, and are escaped.

local format = string.format

local _M = {}

--- Nothing but its own style is loaded.
_M.POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(value)
  return (tostring(value):gsub("[&<>\"']", ESCAPES))
end

local PAGE = [[
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>dsclient</title>
<style>
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; }
table { border-collapse: collapse; margin-bottom: 1.5em; }
td, th { border-bottom: 1px solid #ccc; padding: .2em 1em .2em 0; text-align: left; }
.bad { color: #b00; }
</style></head>
<body>
<h1>dsclient</h1>
%s
</body></html>
]]

--- An element; its content is HTML already.
local function element(name, content)
  return format("<%s>%s</%s>", name, content, name)
end

--- A table; its cells are HTML already.
-- @tparam table|nil heads
local function table_of(heads, rows)
  local lines = { heads and element("tr", element("th", table.concat(heads, "</th><th>"))) }
  for _, cells in ipairs(rows) do
    lines[#lines + 1] = element("tr", element("td", table.concat(cells, "</td><td>")))
  end
  return element("table", table.concat(lines, "\n"))
end

local function class(name, content)
  return format('<span class="%s">%s</span>', name, content)
end

local function servers_of(status)
  local rows = {}
  for i, server in ipairs(status.servers) do
    local state = escape(server.state)
    rows[i] = { escape(server.url), server.state == "closed" and "well" or class("bad", "breaker " .. state),
      format("%d of %d", server.failures, server.calls) }
  end
  return table_of({ "server", "state", "failed in the last 10 s" }, rows)
end

local function counts_of(facts)
  local status, cache, calls = facts.client, facts.cache, facts.calls
  return table_of(nil, {
    { "calls", format("%d, %s failed", calls.total_api_calls, escape(calls.error_rate)) },
    { "answered by the cache", format("%s of %d look-ups", escape(cache.hit_rate), cache.hits + cache.misses) },
    { "cached entries", format("%d", cache.size) },
    { "in flight", format("%d of %d", status.in_flight, status.in_flight_max) },
    { "waiting", format("%d of %d", status.waiting, status.waiting_max) },
  })
end

--- A link, where that leads to a server and not to a script.
local function link(url, content)
  if type(url) == "string" and url:find "^https?://" then
    return format('<a href="%s" rel="noreferrer">%s</a>', escape(url), content)
  end
  return content
end

local YEAR_10000_S = 253402300800

local function time(seconds)
  local is_one = type(seconds) == "number" and seconds >= 0 and seconds < YEAR_10000_S
  return is_one and os.date("!%Y-%m-%d %H:%M:%S", seconds) .. " UTC" or ""
end

local function failed_of(view)
  local rows = {}
  for i, run in ipairs(view.failed) do
    rows[i] = {
      link(run.url, escape(run.instance_id)),
      escape(run.project or "") .. "/" .. escape(run.workflow or "?"),
      class("bad", escape(run.state)) .. (run.recovering and ", being recovered" or ""),
      time(run.last_at),
    }
  end
  return table_of({ "run", "workflow", "state", "since" }, rows)
end

--- @tparam table|nil view resty.dsclient.monitor's
local function monitor_of(view, now)
  if not view then
    return element("p", "No monitor has reported.")
  end
  local count = tonumber(view.failed_count) or #view.failed
  local told = format("%d runs are failed; looked at %.0f s ago by worker %s.", count, math.max(now - view.at, 0),
    escape(view.worker))
  local parts = { element("p", told) }
  if view.problem then
    parts[#parts + 1] = element("p", class("bad", escape(view.problem)))
  end
  if #view.failed < count then
    parts[#parts + 1] = element("p", format("The latest %d:", #view.failed))
  end
  parts[#parts + 1] = #view.failed > 0 and failed_of(view) or nil
  return table.concat(parts, "\n")
end

--- @tparam table facts see handlers.lua
-- @treturn string
function _M.of(facts)
  return format(PAGE, table.concat({
    element("h2", "Client"), servers_of(facts.client), counts_of(facts),
    element("h2", "Failed runs"), monitor_of(facts.monitor, facts.at),
    element("p", escape(format("worker %d of %d, %s", facts.worker.pid, facts.worker.count, time(facts.at)))),
  }, "\n"))
end

return _M

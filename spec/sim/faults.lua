--- What may happen to a request. `at`: where it goes wrong; `effect`: is it
-- carried out all the same? `kind` and `phase` are what a transport tells.
--
--   at = "connect"   before anything was sent
--   at = "idle"      a kept connection turns out to be dead
--   at = "way"       on the way: sent, and no whole answer
--   at = "answer"    answered, but with something else
--   at = "transport" the transport itself throws a Lua error
--   at = "time"      later than usual, or never

local _M = {}

-- The hints of Retry-After, and what they come to (s); nil: nothing.
local HINTS = {
  { "0", 0 }, { "1", 1 }, { "2", 2 }, { "7", 7 }, { "600", 600 }, { "1000000000000000000", 1000000 },
  { "-3" }, { "soon" }, { "1.5" }, { "" },
  { "Wed, 21 Oct 2015 07:28:03 GMT", 3, date = "Wed, 21 Oct 2015 07:28:00 GMT" },
  { "Wed, 21 Oct 2015 07:28:00 GMT", date = "Wed, 21 Oct 2015 07:28:09 GMT" },
}

_M.ALL = {
  refused = { at = "connect", kind = "connect" },
  tls = { at = "connect", kind = "tls" },
  dns = { at = "connect", kind = "dns" },
  connect_stall = { at = "connect", kind = "connect", stalls = true },
  reset_unsent = { at = "connect", kind = "network" },
  dead_idle = { at = "idle", kind = "network", phase = "sent" },
  throws = { at = "transport" },
  reset_before = { at = "way", kind = "network", phase = "sent" },
  reset_after = { at = "way", kind = "network", phase = "sent", effect = true },
  cut = { at = "way", kind = "network", phase = "partial", effect = true },
  garbage = { at = "way", kind = "protocol", phase = "partial" },
  too_large = { at = "way", kind = "protocol", phase = "partial", effect = true },
  drip = { at = "time", kind = "timeout", phase = "partial", effect = true, idle = true },
  stall_before = { at = "time", kind = "timeout", phase = "sent" },
  stall_after = { at = "time", kind = "timeout", phase = "sent", effect = true },
  slow = { at = "time", effect = true, slower = true },
  html = { at = "answer", status = 200, body = "<html>TOKEN</html>", content_type = "text/html" },
  bad_json = { at = "answer", status = 200, effect = true, cut = true },
  no_code = { at = "answer", status = 200, body = '{"status":"UP"}', effect = true },
  s403 = { at = "answer", status = 403, body = "denied: TOKEN" },
  s404 = { at = "answer", status = 404, body = "" },
  s429 = { at = "answer", status = 429, body = "" },
  s429_hint = { at = "answer", status = 429, body = "", hints = true },
  s500 = { at = "answer", status = 500, body = "" },
  s500_after = { at = "answer", status = 500, body = "", effect = true },
  s502 = { at = "answer", status = 502, body = "<html>bad gateway</html>" },
  s502_after = { at = "answer", status = 502, body = "", effect = true },
  s503 = { at = "answer", status = 503, body = "" },
  s503_hint = { at = "answer", status = 503, body = "", hints = true },
  s504 = { at = "answer", status = 504, body = "" },
  api_again = { at = "answer", status = 200, code = 10025, message = "no master, TOKEN" },
  api_refused = { at = "answer", status = 200, code = 30001, message = "no right, TOKEN" },
  api_internal = { at = "answer", status = 200, code = 10000, message = "Internal Server Error", effect = true },
}

_M.NAMES = {}
for name, fault in pairs(_M.ALL) do
  fault.name = name
  _M.NAMES[#_M.NAMES + 1] = name
end
table.sort(_M.NAMES)

--- What a transport throws.
_M.THROWN = "the transport throws"

--- Those that a whole server may be down with.
_M.OUTAGES = { "refused", "connect_stall", "dns", "reset_before", "stall_before", "s502", "s503", "s503_hint", "s500" }

--- A hint for an answer that has one: text, seconds or nil, date or nil.
function _M.hint(random)
  local hint = random:pick(HINTS)
  return hint[1], hint[2], hint.date
end

return _M

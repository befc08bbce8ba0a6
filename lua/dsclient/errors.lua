--- Errors as values: `nil, err` is how everything that comes from outside
-- fails. `err.kind` is what a program decides on.
--
-- kind       what happened
-- ---------- ------------------------------------------------------------
-- connect, tls, dns   the server was not reached; nothing was sent
-- network    the connection broke after the request was sent
-- timeout    no answer in time; deadline: the call's whole time is over
-- protocol   not HTTP, or larger than the limit, or a list that won't hold still
-- auth       401: the token is missing, wrong or expired
-- throttled  429; server: 500, 502, 503, 504; http: another status
-- not_api    an answer, but not of this API (a wrong path or line, a proxy)
-- api        the server refused: see err.code and err.message
-- outcome_unknown  it was sent, it may have happened: read before you act
-- busy       another execute of this run is under way
-- limit      a list is longer than rows_max; err.total tells
-- argument, not_found, ambiguous   err.argument names it, err.near lists names
-- phase      inside nginx: nothing can wait where the call was made
-- unsupported, closed, cancelled, memory, breaker_open
--
-- Of several projects asked at once err.project_code and err.project_name tell which.

local concat = table.concat

local _M = {}

local Error = {}
Error.__index = Error
Error.__name = "dsclient.error"

--- One readable line: operation, kind, what was said, how often it was tried.
function Error:__tostring()
  local parts = { self.where and self.where .. ": " }
  if self.operation then
    parts[#parts + 1] = self.operation .. ": "
  end
  parts[#parts + 1] = self.kind
  if self.status and self.status ~= 200 then
    parts[#parts + 1] = " (HTTP " .. self.status .. ")"
  end
  if self.code then
    parts[#parts + 1] = " " .. self.code
  end
  if self.kind == "argument" and self.argument and (self.message or ""):sub(1, #self.argument) ~= self.argument then
    parts[#parts + 1] = " " .. _M.quoted(self.argument)
  end
  if self.message and self.message ~= "" then
    parts[#parts + 1] = ": " .. self.message
  end
  if self.near and #self.near > 0 then
    parts[#parts + 1] = "; near: " .. _M.line(concat(self.near, ", "))
  end
  if self.attempts and #self.attempts > 1 then
    parts[#parts + 1] = " (" .. #self.attempts .. " attempts)"
  end
  return concat(parts)
end

function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

--- Makes an error of the fields given; `kind` is a must.
function _M.new(fields)
  return setmetatable(fields, Error)
end

-- Where this library's own files are, as the VM names them: dsclient/, and
-- resty/dsclient beside it.
local OWN = debug.getinfo(1, "S").source:gsub("errors%.lua$", "")
local OWN_RESTY = OWN:gsub("dsclient[/\\]$", "resty/dsclient")

local function is_own(source)
  return source:sub(1, #OWN) == OWN or source:sub(1, #OWN_RESTY) == OWN_RESTY
end

-- The first caller that is no file of this library: its level for the function
-- that asks, and its frame.
local function outside()
  local level = 3
  local frame = debug.getinfo(level, "Sl")
  while frame and (frame.what == "C" or frame.what == "tail" or is_own(frame.source)) do
    level = level + 1
    frame = debug.getinfo(level, "Sl")
  end
  return level - 1, frame
end

--- Throws at the caller outside: he gave a wrong type or an unknown name.
function _M.throw(message)
  local level = outside()
  error(message, level)
end

--- Throws an error value; its text then says where the caller outside stands.
function _M.raise(err)
  local _, frame = outside()
  err.where = frame and frame.short_src .. ":" .. frame.currentline
  error(err, 0)
end

--- A text on one line, whoever it came from.
function _M.line(text)
  return (text:gsub("%c", " "))
end

-- Of a longer text this much is shown.
local QUOTED = 200

-- What is shown as a text is; of the rest, which may be anything, the type is.
local PLAIN = { string = true, number = true, boolean = true }

--- A value in quotes, on one line and not too long, for a message.
function _M.quoted(value)
  local text = PLAIN[type(value)] and tostring(value) or "a " .. type(value)
  if #text > QUOTED then
    text = text:sub(1, QUOTED) .. "…"
  end
  return _M.line(string.format("%q", text))
end

--- Is this value an error of ours?
function _M.is(value)
  return getmetatable(value) == Error
end

-- Longer names are compared by their beginnings: this is for typing errors.
local COMPARED = 64

--- The names of `candidates` that are likest to `name`, at most `most`: those
-- that contain it or are contained, and those a few letters away.
-- @param name as a caller gave it; to what is no string nothing is like
-- @tparam table candidates array of strings
-- @treturn table array of strings, the likest first
function _M.near(name, candidates, most)
  if type(name) ~= "string" then
    return {}
  end
  local wanted, scored = name:lower(), {}
  for _, candidate in ipairs(candidates) do
    local distance = _M.distance(wanted, candidate:lower())
    local part = candidate:lower():find(wanted, 1, true) or wanted:find(candidate:lower(), 1, true)
    if part or distance < #name and distance <= math.ceil(math.min(#name, COMPARED) / 3) then
      scored[#scored + 1] = { candidate, part and distance / 4 or distance }
    end
  end
  table.sort(scored, function(a, b)
    if a[2] ~= b[2] then
      return a[2] < b[2]
    end
    return a[1] < b[1]
  end)
  local near = {}
  for i = 1, math.min(#scored, most or 5) do
    near[i] = scored[i][1]
  end
  return near
end

--- The Levenshtein distance of two strings.
function _M.distance(a, b)
  a, b = a:sub(1, COMPARED), b:sub(1, COMPARED)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
      diagonal, row[j] = row[j], best
    end
  end
  return row[#b]
end

return _M

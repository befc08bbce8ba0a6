--- Time zones: by their names, as the system's zoneinfo files (TZif, RFC 8536)
-- tell, or as offsets. The server prints and reads times without any zone.

local errors = require "dsclient.errors"

local format = string.format

local _M = {}

local DAY_S, HOUR_S, MINUTE_S = 86400, 3600, 60

-- --- the calendar --------------------------------------------------------

--- Days since 1970-01-01 in the Gregorian calendar (Hinnant 2013).
local function days_from_civil(year, month, day)
  year = month <= 2 and year - 1 or year
  local era = math.floor(year / 400)
  local of_era = year - era * 400
  local of_year = math.floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5) + day - 1
  return era * 146097 + of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100) + of_year - 719468
end

local function year_of(seconds)
  return tonumber(os.date("!%Y", math.floor(seconds)))
end

local DATE = "^(%d%d%d%d)%-(%d%d)%-(%d%d) (%d%d):(%d%d):(%d%d)$"

--- A time as the server prints it, as if its zone were UTC.
-- @treturn number|nil seconds since 1970
function _M.parse(text)
  local year, month, day, hour, minute, second = text:match(DATE)
  if not year then
    return nil
  end
  return days_from_civil(tonumber(year), tonumber(month), tonumber(day)) * DAY_S + hour * HOUR_S
    + minute * MINUTE_S + second
end

-- --- rules of years to come: the TZ variable of POSIX --------------------

local function take_abbreviation(text)
  local rest = text:match "^%a%a%a+(.*)$"
  return rest or text:match "^<[%w+-]+>(.*)$"
end

--- "[+-]hh[:mm[:ss]]" in seconds, and what follows.
local function take_time(text)
  local sign, hours, rest = text:match "^([+-]?)(%d%d?%d?)(.*)$"
  if not sign then
    return nil
  end
  local seconds = tonumber(hours) * HOUR_S
  for _, unit in ipairs { MINUTE_S, 1 } do
    local digits, after = rest:match "^:(%d%d)(.*)$"
    if not digits then
      break
    end
    seconds, rest = seconds + tonumber(digits) * unit, after
  end
  return sign == "-" and -seconds or seconds, rest
end

--- When in a year a rule of the form Mm.w.d, Jn or n comes, in days since 1970.
local function day_of_rule(rule, year)
  local new_year = days_from_civil(year, 1, 1)
  if rule.kind == "J" then -- 1 to 365, February 29 is never counted
    local leap = days_from_civil(year, 3, 1) - new_year == 60
    return new_year + rule.day - 1 + (leap and rule.day >= 60 and 1 or 0)
  elseif rule.kind == "n" then
    return new_year + rule.day
  end
  local first = days_from_civil(year, rule.month, 1)
  local days = first + (rule.day - (first + 4)) % 7 + (rule.week - 1) * 7 -- 1970-01-01 was a Thursday
  local next_month = rule.month == 12 and days_from_civil(year + 1, 1, 1) or days_from_civil(year, rule.month + 1, 1)
  return days < next_month and days or days - 7
end

local function take_rule(text)
  local month, week, day, rest = text:match "^,M(%d%d?)%.(%d)%.(%d)(.*)$"
  local rule = month and { kind = "M", month = tonumber(month), week = tonumber(week), day = tonumber(day) }
  if not rule then
    local kind
    kind, day, rest = text:match "^,(J?)(%d+)(.*)$"
    if not kind then
      return nil
    end
    rule = { kind = kind == "J" and "J" or "n", day = tonumber(day) }
  end
  rule.time = 2 * HOUR_S
  if rest:sub(1, 1) == "/" then
    rule.time, rest = take_time(rest:sub(2))
  end
  return rule.time and rule, rest
end

--- What a TZ text says.
-- @treturn table|nil {standard, summer, from, to}: offsets in seconds east of
--   UTC, and when in a year summer time begins and ends
local function parse_rules(text)
  local rest = take_abbreviation(text)
  local west
  west, rest = take_time(rest or "")
  if not west then
    return nil
  end
  local rules = { standard = -west }
  if rest == "" then
    return rules
  end
  rest = take_abbreviation(rest)
  if not rest then
    return nil
  end
  rules.summer = rules.standard + HOUR_S
  if rest:find "^[+-]?%d" then
    west, rest = take_time(rest)
    rules.summer = -west
  end
  rules.from, rest = take_rule(rest)
  rules.to, rest = take_rule(rest or "")
  return rules.from and rules.to and rest == "" and rules or nil
end

local function offset_of_rules(rules, utc_s)
  if not rules.summer then
    return rules.standard
  end
  local year = year_of(utc_s + rules.standard)
  local from = day_of_rule(rules.from, year) * DAY_S + rules.from.time - rules.standard
  local to = day_of_rule(rules.to, year) * DAY_S + rules.to.time - rules.summer
  local summer
  if from < to then
    summer = utc_s >= from and utc_s < to
  else -- south of the equator
    summer = utc_s >= from or utc_s < to
  end
  return summer and rules.summer or rules.standard
end

-- --- zoneinfo files ------------------------------------------------------

--- A signed number of `size` bytes, the highest first.
local function integer(data, at, size)
  local value = data:byte(at)
  value = value >= 128 and value - 256 or value
  for i = at + 1, at + size - 1 do
    value = value * 256 + data:byte(i)
  end
  return value
end

local HEADER_BYTES, TYPE_BYTES = 44, 6

--- @treturn table|nil counts, and where the block begins and ends
local function read_header(data, at, time_bytes)
  if data:sub(at, at + 3) ~= "TZif" or #data < at + HEADER_BYTES - 1 then
    return nil
  end
  local counts = {}
  for i, name in ipairs { "isut", "isstd", "leap", "time", "type", "char" } do
    counts[name] = integer(data, at + 16 + i * 4, 4)
    if counts[name] < 0 then
      return nil
    end
  end
  counts.from = at + HEADER_BYTES
  counts.to = counts.from + counts.time * (time_bytes + 1) + counts.type * TYPE_BYTES + counts.char
    + counts.leap * (time_bytes + 4) + counts.isstd + counts.isut
  return counts.type > 0 and counts.to - 1 <= #data and counts or nil
end

--- @treturn table|nil {times, offsets, first}: from times[i] on offsets[i] holds
local function read_block(data, counts, time_bytes)
  local zone = { times = {}, offsets = {} }
  local indexes = counts.from + counts.time * time_bytes
  local types = indexes + counts.time
  local function offset_of(index)
    return integer(data, types + index * TYPE_BYTES, 4)
  end
  for i = 1, counts.time do
    local index = data:byte(indexes + i - 1)
    if index >= counts.type then
      return nil
    end
    zone.times[i] = integer(data, counts.from + (i - 1) * time_bytes, time_bytes)
    zone.offsets[i] = offset_of(index)
  end
  zone.first = offset_of(0)
  return zone
end

local function read_tzif(data)
  local counts, time_bytes = read_header(data, 1, 4), 4
  if counts and data:byte(5) >= 50 then -- "2" and later: again, with 64 bits
    time_bytes = 8
    counts = read_header(data, counts.to, time_bytes)
  end
  local zone = counts and read_block(data, counts, time_bytes)
  if zone and time_bytes == 8 then
    zone.rules = parse_rules(data:match("^\n([^\n]+)\n", counts.to) or "")
  end
  return zone
end

-- --- zones ---------------------------------------------------------------

local Zone = {}
Zone.__index = Zone

--- The offset that holds at a time: seconds east of UTC.
-- @tparam number utc_s seconds since 1970
function Zone:offset(utc_s)
  local times = self.times
  if self.rules and (not times[1] or utc_s >= times[#times]) then
    return offset_of_rules(self.rules, utc_s)
  end
  local low, high = 0, #times -- times[low] <= utc_s < times[high + 1]
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if times[middle] <= utc_s then
      low = middle
    else
      high = middle - 1
    end
  end
  return low == 0 and self.first or self.offsets[low]
end

--- The time that the clocks of the zone show as `local_s`: seconds since 1970.
-- Of an hour that comes twice it is the later one.
-- @tparam number local_s what `parse` gives
function Zone:utc(local_s)
  local before, after = self:offset(local_s - DAY_S), self:offset(local_s + DAY_S)
  local first, second = local_s - before, local_s - after
  if before ~= after and self:offset(second) == after and (second > first or self:offset(first) ~= before) then
    return second
  end
  return first
end

-- Between these the clocks of a zone are looked at for changes: before the first
-- server, after the last that anybody asks today.
local CHANGES_FROM_S, CHANGES_TO_S = days_from_civil(2015, 1, 1) * DAY_S, days_from_civil(2045, 1, 1) * DAY_S

--- Its offset before the first of these changes.
function Zone:first_offset()
  return self:offset(CHANGES_FROM_S)
end

--- When the offset of the zone changes, from 2015 to 2044.
-- @treturn table {local_s, offset_s, …}: from that time of its clocks on, that
--   many seconds east of UTC; empty where it never changes
function Zone:changes()
  if self.changed then
    return self.changed
  end
  local changed, offset = {}, self:offset(CHANGES_FROM_S)
  self.changed = changed
  local moves = self.rules and self.rules.summer or (self.times[#self.times] or 0) > CHANGES_FROM_S
  for day_s = CHANGES_FROM_S, moves and CHANGES_TO_S or 0, DAY_S do
    local next_offset = self:offset(day_s + DAY_S)
    if next_offset ~= offset then
      local before, after = day_s, day_s + DAY_S -- it changes between them
      while after - before > 1 do
        local middle = math.floor((before + after) / 2)
        if self:offset(middle) == offset then
          before = middle
        else
          after = middle
        end
      end
      changed[#changed + 1], changed[#changed + 2] = after + next_offset, next_offset
      offset = next_offset
    end
  end
  return changed
end

local function fixed(name, offset_s)
  return setmetatable({ name = name, times = {}, offsets = {}, rules = { standard = offset_s } }, Zone)
end

--- "+08:00", "UTC+8", "GMT-03:30", as Java writes them.
local function parse_offset(name)
  if name == "UTC" or name == "GMT" or name == "Z" then
    return 0
  end
  local sign, digits, minutes = name:gsub("^UTC", ""):gsub("^GMT", ""):match "^([+-])(%d%d?):?(%d*)$"
  local hours = tonumber(digits)
  minutes = minutes == "" and 0 or tonumber(minutes)
  if not sign or hours > 18 or minutes > 59 then
    return nil
  end
  local seconds = hours * HOUR_S + minutes * MINUTE_S
  return sign == "-" and -seconds or seconds
end

-- A name may come from a server: it must not lead out of the folder.
local NAME = "^[%w][%w+%-_/]*$"

local FOLDER = "/usr/share/zoneinfo"

--- The zone of this offset.
-- @tparam number offset_s seconds east of UTC
function _M.fixed(offset_s)
  local minutes = math.floor(math.abs(offset_s) / MINUTE_S)
  return fixed(format("%s%02d:%02d", offset_s < 0 and "-" or "+", math.floor(minutes / 60), minutes % 60), offset_s)
end

--- A zone by its name ("Europe/Berlin", from the folder TZDIR or the system's)
-- or as an offset ("UTC", "+08:00", "GMT+8").
-- @treturn table|nil {name, offset(utc_s), utc(local_s)}; or nil and a message
function _M.load(name)
  local offset_s = parse_offset(name)
  if offset_s then
    return fixed(name, offset_s)
  elseif not name:find(NAME) then
    return nil, errors.quoted(name) .. " is no name of a time zone"
  end
  local file, message = io.open((os.getenv "TZDIR" or FOLDER) .. "/" .. name, "rb")
  local data = file and file:read "*a"
  if file then
    file:close()
  end
  local zone = data and read_tzif(data)
  if not zone then
    return nil, format("the time zone %s can't be read: %s", errors.quoted(name), message or "no zoneinfo file")
  end
  zone.name = name
  return setmetatable(zone, Zone)
end

return _M

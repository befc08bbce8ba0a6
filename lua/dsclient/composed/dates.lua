--- Schedule dates: texts without a zone, as the server takes and shows them.

local tz = require "dsclient.tz"

local _M = {}

local HOUR_S = 3600
local DAY_S = 24 * HOUR_S

local STEPS = { hour = HOUR_S, day = DAY_S, week = 7 * DAY_S }

-- More dates than anybody can wait for are a typing error.
local DATES_MAX = 10000

function _M.text(seconds)
  return os.date("!%Y-%m-%d %H:%M:%S", seconds)
end

--- A date, whose time may be left out, in seconds as if its zone were UTC.
-- @treturn number|nil
function _M.parse(text)
  if type(text) ~= "string" then
    return nil
  end
  local seconds = tz.parse(text) or tz.parse(text .. " 00:00:00")
  -- 31 February is 3 March, which nobody wrote
  return seconds and _M.text(seconds):sub(1, #text) == text and seconds or nil
end

--- The date `count` months later, or the last of that month.
local function months_later(seconds, count)
  local date = os.date("!*t", seconds)
  local month = date.year * 12 + date.month - 1 + count
  local year = math.floor(month / 12)
  local time = seconds % DAY_S
  for day = date.day, 28, -1 do
    local found = _M.parse(string.format("%04d-%02d-%02d", year, month - year * 12 + 1, day))
    if found then
      return found + time
    end
  end
  local found = _M.parse(string.format("%04d-%02d-%02d", year, month - year * 12 + 1, date.day))
  return found and found + time or math.huge -- beyond the year 9999
end

local function checked(list)
  if type(list) ~= "table" then
    return nil, "a list of dates expected"
  end
  local dates, seen = {}, {}
  for i, given in ipairs(list) do
    local seconds = _M.parse(given)
    if not seconds then
      return nil, string.format("date %d: yyyy-MM-dd, with HH:mm:ss or without, expected", i)
    end
    local text = _M.text(seconds)
    if not seen[text] then
      seen[text] = true
      dates[#dates + 1] = text
    end
  end
  table.sort(dates)
  return dates
end

--- The dates from one to another, or those of a list: in order, each once.
-- @tparam table args dates; or from, to and step: "hour", "day", "week", "month" or
--   seconds
-- @treturn table|nil array of texts; nil, message, argument
function _M.of(args)
  if args.dates then
    local dates, message = checked(args.dates)
    return dates, message, "dates"
  end
  local from, to = _M.parse(args.from), _M.parse(args.to)
  local step = args.step or "day"
  local step_s = STEPS[step] or type(step) == "number" and step >= 1 and step % 1 == 0 and step or nil
  if not from or not to then
    return nil, "yyyy-MM-dd, with HH:mm:ss or without, expected", not from and "from" or "to"
  elseif not step_s and step ~= "month" then
    return nil, '"hour", "day", "week", "month" or a whole number of seconds expected', "step"
  end
  local dates, at = {}, from
  while at <= to do
    if #dates == DATES_MAX then
      return nil, string.format("these are more than %d dates", DATES_MAX), "to"
    end
    dates[#dates + 1] = _M.text(at)
    at = step_s and at + step_s or months_later(from, #dates)
  end
  return dates
end

return _M

--- The types of parameters: what a caller may give, and its one form on the
-- wire. Each is a function (value, param, context, deadline) → text; or nil and
-- what is wrong with the value, as a text or an error; or nil, nil and what Lua
-- type was expected, which throws. Types of what has a name are in names.lua.

local core = require "dsclient.core"
local dialects = require "dsclient.dialect"

local format = string.format

local _M = {}

local ID_MAX = 2147483647 -- every id is a signed 32-bit int
local CODE_MAX = "9223372036854775807" -- every code a signed 64-bit one
local EXACT_MAX = 2 ^ 53 -- the largest float that is a number of one code only

-- The one function that formats a code: nothing else does.
-- @treturn string|nil decimal digits
local function format_code(value)
  if type(value) == "string" then
    local digits = value:match "^[1-9]%d*$" or value:match "^0$"
    local fits = digits and (#digits < #CODE_MAX or #digits == #CODE_MAX and digits <= CODE_MAX)
    return fits and digits or nil
  elseif type(value) == "number" and value >= 0 and value % 1 == 0 then
    if math.type and math.type(value) == "integer" then
      return format("%d", value)
    elseif value < EXACT_MAX then
      return format("%.0f", value + 0) -- never -0
    end
  end
  return nil
end
_M.format_code = format_code

--- The types whose digits are sent as they are, unless they are too many to be
-- sure that they fit: below so many digits any number does.
_M.is_code = { code = true, project = true, workflow = true, task = true, environment = true, cluster = true }
_M.PLAIN_MAX = #CODE_MAX - 1

--- What is wrong with a code that is none.
_M.NO_CODE = "a code is decimal digits, a whole number below 2^53 or a 64-bit integer"

local convert = {}
_M.convert = convert

function convert.code(value)
  if type(value) ~= "string" and type(value) ~= "number" then
    return nil, nil, "a code: decimal digits as a string, or a whole number"
  end
  local code = format_code(value)
  return code, not code and _M.NO_CODE
end

function convert.id(value)
  local number = type(value) == "string" and value:find "^%d+$" and tonumber(value) or value
  if type(value) ~= "string" and type(value) ~= "number" then
    return nil, nil, "an id: a whole number"
  end
  if type(number) ~= "number" or number % 1 ~= 0 or number < 1 or number > ID_MAX then
    return nil, "an id is a whole number from 1 to 2147483647"
  end
  return format("%.0f", number)
end

local function within(value, param)
  return value >= (param.min or value) and value <= (param.max or value)
end

local function range_of(param, min, max)
  return format("from %.0f to %.0f", param.min or min, param.max or max)
end

function convert.integer(value, param)
  if type(value) ~= "number" then
    return nil, nil, "a whole number"
  end
  if value % 1 ~= 0 or value < -ID_MAX or value > ID_MAX then
    return nil, "a whole number of 32 bits expected"
  elseif not within(value, param) then
    return nil, "a whole number expected, " .. range_of(param, -ID_MAX, ID_MAX)
  end
  return format("%.0f", value + 0)
end

function convert.number(value, param)
  if type(value) ~= "number" then
    return nil, nil, "a number"
  elseif value ~= value or value == math.huge or value == -math.huge then
    return nil, "a finite number expected"
  elseif not within(value, param) then
    return nil, "a number expected, " .. range_of(param, -EXACT_MAX, EXACT_MAX)
  end
  return format("%.17g", value + 0)
end

function convert.boolean(value)
  if type(value) ~= "boolean" then
    return nil, nil, "a boolean"
  end
  return value and "true" or "false"
end

function convert.string(value)
  if type(value) ~= "string" then
    return nil, nil, "a string"
  end
  return value
end

-- The set is open: each server line has its own names.
function convert.enum(value)
  if type(value) ~= "string" then
    return nil, nil, "a name in capitals, as a string"
  end
  if not value:find "^[A-Z][A-Z0-9_]*$" then
    return nil, "a name in capitals expected, such as FAILURE"
  end
  return value
end

-- --- lists ---------------------------------------------------------------

--- The items of a table, without asking its metatable; nil where it has other
-- keys than 1 to n, for which NO_LIST has the words.
local function items_of(list)
  local items, count = {}, 0
  for _ in next, list do
    count = count + 1
    items[count] = rawget(list, count)
  end
  return #items == count and items or nil
end
_M.items_of = items_of

_M.NO_LIST = "a list without gaps expected, with no keys but 1 to n"

--- A list as a table of values of a type, or as one text with commas.
-- @tparam function one a type, as above
-- @tparam string expected for the message
local function list_of(one, expected)
  return function(value, param, ...)
    if type(value) == "number" then
      value = { value }
    elseif type(value) == "string" then
      local items = {}
      for item in (value .. ","):gmatch "([^,]*)," do
        items[#items + 1] = item
      end
      value = items
    elseif type(value) ~= "table" then
      return nil, nil, expected
    end
    local items = items_of(value)
    if not items then
      return nil, _M.NO_LIST
    end
    local texts = {}
    for i = 1, #items do
      local text, problem, other = one(items[i], param, ...)
      if type(problem) == "table" then
        return nil, problem
      elseif not text then
        return nil, format("item %d: %s", i, problem or other .. " expected, got " .. type(items[i]))
      elseif text:find(",", 1, true) then
        return nil, format("item %d holds a comma, which parts the items", i)
      end
      texts[i] = text
    end
    if #texts == 0 then
      return nil, "a list with an item at least expected"
    end
    return table.concat(texts, ",")
  end
end
_M.list_of = list_of

convert.codes = list_of(convert.code, "a list of codes: a table, or text with commas")
convert.ids = list_of(convert.id, "a list of ids: a table, or text with commas")
convert.strings = list_of(convert.string, "a list of strings: a table, or text with commas")

-- --- times ---------------------------------------------------------------

-- Seconds of the last day of the year 9998: no zone makes five digits of it.
local SECONDS_MAX = 253370764799

local DATE = "^%d%d%d%d%-(%d%d)%-(%d%d) (%d%d):(%d%d):(%d%d)$"
local DAYS = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- 29 February is left to the server, which knows its years.
local function is_date(text)
  local month, day, hour, minute, second = text:match(DATE)
  local days = month and DAYS[tonumber(month)]
  return days and day > "00" and tonumber(day) <= days and hour < "24" and minute < "60" and second < "60"
end

--- Seconds are told in the zone in which the server reads them: that of the
-- token's user, who may have to be asked for.
function convert.date(value, _, context, deadline)
  if type(value) == "number" then
    if not (value >= 0 and value <= SECONDS_MAX) then
      return nil, "a time is given in seconds since 1970"
    end
    local seconds = math.floor(value)
    local zone, err = context.zone_of_user(deadline)
    return zone and os.date("!%Y-%m-%d %H:%M:%S", seconds + zone:offset(seconds)), err
  elseif type(value) ~= "string" then
    return nil, nil, "a date: a string or seconds since 1970"
  end
  return is_date(value) and value, "a date has the form yyyy-MM-dd HH:mm:ss"
end

-- --- JSON and files ------------------------------------------------------

-- Names of definitions as lines up to 3.2 read them.
local old_names = {}
for old, name in pairs(dialects.RENAMED.process) do
  old_names[name] = old
end
local OLD_SHAPE = core.shape { rename = old_names }

--- JSON text as it is given, or of a table; where keys were renamed on the way
-- here, {process = text, workflow = text}: they get their names back.
function convert.json(value, param)
  if type(value) == "string" then
    return value
  elseif type(value) ~= "table" then
    return nil, nil, "a table, or JSON text"
  end
  local text, problem = core.encode(value, true)
  if not text or not param.renamed then
    return text, problem
  end
  return { workflow = text, process = core.encode(value, OLD_SHAPE) }
end

local function read(path)
  local file, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local content
  content, message = file:read "*a"
  file:close()
  return content, message
end

--- {name, content}, or {path} with or without a name: {name, content}.
function convert.file(value)
  local is_table = type(value) == "table"
  local path, content = is_table and rawget(value, "path") or nil, is_table and rawget(value, "content") or nil
  local is_path = path == nil or type(path) == "string" and not path:find("\0", 1, true)
  if not is_path or type(content or path) ~= "string" then
    return nil, nil, "a file: {path = …} or {name = …, content = …}"
  end
  local name = rawget(value, "name") or path and path:match "[^/]+$"
  if type(name) ~= "string" or name == "" or name:find "[%c\"]" then
    return nil, "a file needs a name of one line without quotes"
  end
  local message
  if not content then
    content, message = read(path)
  end
  return content and { name = name, content = content }, message
end

-- Types whose text on the wire is a JSON value, too.
local LITERAL = { boolean = true, code = true, id = true, integer = true, json = true, number = true,
  environment = true, cluster = true, project = true, workflow = true, task = true }

--- A bound value as JSON.
function _M.literal(kind, text)
  if LITERAL[kind] or kind:find "_id$" then
    return text
  end
  return core.encode(text)
end

return _M

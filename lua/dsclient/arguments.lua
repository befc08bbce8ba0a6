--- What a caller gives becomes what the server wants: checked, in canonical
-- form, under the names of the server line. A wrong Lua type or an unknown
-- name throws; a malformed value returns an error that names the argument.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local options = require "dsclient.options"

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
      return format("%.0f", value)
    end
  end
  return nil
end
_M.format_code = format_code

local convert = {}

function convert.code(value)
  if type(value) ~= "string" and type(value) ~= "number" then
    return nil, nil, "a code: decimal digits as a string, or a whole number"
  end
  if value == "-1" or value == -1 then
    return "-1" -- no environment
  end
  local code = format_code(value)
  return code, not code and "a code is decimal digits, a whole number below 2^53 or a 64-bit integer"
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

function convert.integer(value)
  if type(value) ~= "number" then
    return nil, nil, "a whole number"
  end
  if value % 1 ~= 0 or value < -ID_MAX or value > ID_MAX then
    return nil, "a whole number of 32 bits expected"
  end
  return format("%.0f", value)
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

-- Seconds of the last day of the year 9998: no zone makes five digits of it.
local SECONDS_MAX = 253370764799

local DATE = "^(%d%d%d%d)%-(%d%d)%-(%d%d) (%d%d):(%d%d):(%d%d)$"
local DAYS = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- 29 February is left to the server, which knows its years.
local function is_date(text)
  local year, month, day, hour, minute, second = text:match(DATE)
  local days = year and DAYS[tonumber(month)] or 0
  return tonumber(day or 0) >= 1 and tonumber(day) <= days and tonumber(hour) < 24 and tonumber(minute) < 60
    and tonumber(second) < 60
end

function convert.date(value, context)
  if type(value) == "number" then
    if not (value >= 0 and value <= SECONDS_MAX) then
      return nil, "a time is given in seconds since 1970"
    end
    return os.date("!%Y-%m-%d %H:%M:%S", math.floor(value) + context.utc_offset_s)
  elseif type(value) ~= "string" then
    return nil, nil, "a date: a string or seconds since 1970"
  end
  return is_date(value) and value, "a date has the form yyyy-MM-dd HH:mm:ss"
end

function convert.json(value)
  if type(value) == "string" then
    return value
  elseif type(value) ~= "table" then
    return nil, nil, "a table, or JSON text"
  end
  return core.encode(value, true)
end

local function wire_name(param, dialect)
  local wire = param[3]
  return type(wire) == "table" and wire[dialect] or wire
end

-- What the client itself reads of a list's arguments, in the ranges of the
-- options.
local OWN = { page_size = options.CLIENT.page_size, rows_max = options.CLIENT.rows_max }

local function check_own(row, args)
  if args.page_size == nil and args.rows_max == nil then
    return nil
  end
  for name, rule in pairs(OWN) do
    local value = args[name]
    if value ~= nil and type(value) ~= "number" then
      errors.throw(format("%s: argument %q: a whole number expected, got %s", row.name, name, type(value)))
    elseif value and not (value % 1 == 0 and value >= rule.min and value <= rule.max) then
      local message = format("a whole number from %d to %d expected", rule.min, rule.max)
      return errors.new { kind = "argument", operation = row.name, argument = name, message = message }
    end
  end
end

local function check_names(row, args)
  for name in pairs(args) do
    local known = row.result == "page" and OWN[name]
    for _, param in ipairs(row.params) do
      known = known or param[1] == name
    end
    if not known then
      local names = {}
      for _, param in ipairs(row.params) do
        names[#names + 1] = param[1]
      end
      local near = errors.near(tostring(name), names, 1)[1]
      errors.throw(format("%s: unknown argument %s%s", row.name, errors.quoted(tostring(name)),
        near and format("; is %q meant?", near) or ""))
    end
  end
end

--- Binds arguments to a row.
-- @tparam table row of the operations table
-- @tparam table args as given by the caller
-- @tparam table context the client's: resolve(kind, value, bound, deadline) →
--   code | nil, err; utc_offset_s
-- @tparam number deadline of the call, under which names are looked up
-- @treturn table|nil name → text on the wire
-- @treturn table|nil error of kind "argument", "not_found", "ambiguous" …
function _M.bind(row, args, context, deadline)
  check_names(row, args)
  local unfit = check_own(row, args)
  if unfit then
    return nil, unfit
  end
  local bound = {}
  for _, param in ipairs(row.params) do
    local name, kind = param[1], param[2]
    local value = args[name]
    if value == nil then
      value = param.default
    end
    if value == nil and (param.path or param.required) then
      errors.throw(format("%s: argument %q is missing", row.name, name))
    end
    if value ~= nil then
      local text, problem, expected
      if kind == "project" or kind == "workflow" then
        text, problem, expected = context.resolve(kind, value, bound, deadline)
      else
        text, problem, expected = convert[kind](value, context)
      end
      if expected then
        errors.throw(format("%s: argument %q: %s expected, got %s", row.name, name, expected, type(value)))
      elseif not text then
        if type(problem) == "table" then
          problem.operation = row.name
          return nil, problem
        end
        return nil, errors.new { kind = "argument", operation = row.name, argument = name, message = problem }
      end
      bound[name] = text
    end
  end
  return bound
end

--- What a cache key has of one argument. The length keeps a value from passing
-- for two. csrc/lua/shortcut.c makes the same.
function _M.key_part(name, text)
  return name .. "=" .. #text .. ":" .. text .. "\0"
end

--- The cache key of a bound operation: the same for the same request.
function _M.key(row, bound)
  local key = row.operation .. "\0"
  for _, param in ipairs(row.params) do
    local value = bound[param[1]]
    if value then
      key = key .. _M.key_part(param[1], value)
    end
  end
  return key
end

-- Of each path of the operations table: text, name, text, name, …, text.
local paths = {}

local function pieces_of(path)
  local pieces = paths[path]
  if not pieces then
    pieces = {}
    for text, name in (path .. "{}"):gmatch "([^{]*){([%w_]*)}" do
      pieces[#pieces + 1] = text
      pieces[#pieces + 1] = name ~= "" and name or nil
    end
    paths[path] = pieces
  end
  return pieces
end

--- The request of a bound operation: path with query, and form body.
-- @tparam table extra further fields {name, value, …}, may be nil
-- @treturn string path and query
-- @treturn string|nil form body
function _M.request(row, bound, dialect, extra)
  local path = type(row.path) == "table" and row.path[dialect] or row.path
  local pieces = pieces_of(path)
  path = pieces[1]
  for i = 2, #pieces, 2 do
    path = path .. core.escape(bound[pieces[i]]) .. pieces[i + 1]
  end
  local fields = {}
  for _, param in ipairs(row.params) do
    local value = bound[param[1]]
    if value and not param.path then
      fields[#fields + 1] = wire_name(param, dialect)
      fields[#fields + 1] = value
    end
  end
  for _, field in ipairs(extra or {}) do
    fields[#fields + 1] = field
  end
  local form = core.form(fields)
  if row.method == "GET" or row.method == "DELETE" then
    return form == "" and path or path .. "?" .. form
  end
  return path, form
end

return _M

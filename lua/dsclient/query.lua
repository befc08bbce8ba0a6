--- Arguments that come as texts, as those of a URL's query, become what a caller
-- gives: numbers, booleans, lists. Whatever is wrong with them is an error and
-- never throws: they come from outside.

local errors = require "dsclient.errors"

local format = string.format

local _M = {}

-- What a list takes beside its parameters: its other own arguments are for who
-- has the server to himself.
local LIMIT = { "limit", "integer" }

-- Types that may be given several times.
local LISTS = { codes = true, ids = true, strings = true, workflows = true }

-- The largest number of digits that no number loses.
local DIGITS_MAX = 15

local readers = {}

function readers.integer(text)
  local digits = text:match "^%-?(%d+)$"
  return digits and #digits <= DIGITS_MAX and tonumber(text) or nil, "a whole number expected"
end

function readers.number(text)
  return text:find "^%-?%d+%.?%d*$" and tonumber(text) or nil, "a number expected"
end

function readers.boolean(text)
  if text == "true" or text == "false" then
    return text == "true"
  end
  return nil, "true or false expected"
end

--- Seconds since 1970, or a date as the server has it.
function readers.date(text)
  return text:find "^%d+$" and #text <= DIGITS_MAX and tonumber(text) or text
end

local function params_of(row)
  local params = {}
  for _, param in ipairs(row.params) do
    params[param[1]] = param
  end
  if row.result == "page" then
    params.limit = LIMIT
  end
  return params
end

local function refuse(row, name, message, near)
  return nil, errors.new { kind = "argument", operation = row.name, argument = name, message = message, near = near }
end

local function refuse_name(row, name, params)
  local names = {}
  for known in pairs(params) do
    names[#names + 1] = known
  end
  return refuse(row, errors.line(name), "there is no such argument", errors.near(name, names, 1))
end

--- @treturn boolean|number|string|table|nil the argument
-- @treturn string|nil what is wrong with it
local function read(kind, value)
  if type(value) == "table" then
    if LISTS[kind] then
      return value
    end
    return nil, "it is given more than once"
  elseif type(value) ~= "string" then
    return nil, "it has no value"
  elseif readers[kind] then
    return readers[kind](value)
  end
  return value
end

--- What is missing that every server line wants.
local function missing(row, args)
  for _, param in ipairs(row.params) do
    local needed = param.path or param.required and not param.since and not param.upto
    if needed and param.default == nil and args[param[1]] == nil then
      return param[1]
    end
  end
end

--- @tparam table row of the operations table
-- @tparam table texts name → text, or an array of them; as ngx.req.get_uri_args
--   gives them
-- @treturn table|nil arguments for client:call; or nil and an error of kind
--   "argument"
function _M.arguments(row, texts)
  local params, args = params_of(row), {}
  for name, value in pairs(texts) do
    local param = params[name]
    if not param then
      return refuse_name(row, name, params)
    end
    local argument, problem = read(param[2], value)
    if argument == nil then
      return refuse(row, name, problem)
    end
    args[name] = argument
  end
  local name = missing(row, args)
  if name then
    return refuse(row, name, format("%s is missing", name))
  end
  return args
end

return _M

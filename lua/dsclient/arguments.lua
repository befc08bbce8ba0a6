--- What a caller gives becomes what the server wants: checked, in canonical
-- form, under the names of the server line. A wrong Lua type or an unknown
-- name throws; a malformed value returns an error that names the argument.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local options = require "dsclient.options"
local types = require "dsclient.types"

local find, format = string.find, string.format

local _M = {}

-- What the client itself reads of a list's arguments, in the ranges of the
-- options.
local OWN = {
  page_size = options.CLIENT.page_size,
  rows_max = options.CLIENT.rows_max,
  limit = options.CLIENT.rows_max,
}

local function check_own(row, args)
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

-- Of each row: `names` of its arguments, true where it is one of its parameters;
-- `own`, how many of them are none; `last`, the place of the last parameter that
-- says something where it is not given.
local outlines = setmetatable({}, {
  __mode = "k",
  __index = function(known, row)
    local outline = { names = {}, own = 0, last = 0 }
    for name in pairs(row.result == "page" and OWN or {}) do
      outline.names[name], outline.own = false, outline.own + 1
    end
    for i, param in ipairs(row.params) do
      outline.names[param[1]] = true
      outline.last = (param.default ~= nil or param.path or param.required) and i or outline.last
    end
    known[row] = outline
    return outline
  end,
})

local function refuse_name(row, name, names)
  local all = {}
  for one in pairs(names) do
    all[#all + 1] = one
  end
  local near = errors.near(name, all, 1)[1]
  errors.throw(format("%s: unknown argument %s%s", row.name, errors.quoted(name),
    near and format("; is %q meant?", near) or ""))
end

--- How many of a row's parameters are given, and how many arguments that the
-- client itself reads; as many as there are where a metatable may give some.
local function count_given(row, args, outline)
  local names, count, own = outline.names, 0, 0
  for name in next, args do
    local is_parameter = names[name]
    if is_parameter then
      count = count + 1
    elseif is_parameter == false then
      own = own + 1
    else
      refuse_name(row, name, names)
    end
  end
  if getmetatable(args) then
    return #row.params, outline.own
  end
  return count, own
end

-- What a part of a path must not be: it would lead to another operation.
local ELSEWHERE = { [""] = "an empty text", ["."] = '"."', [".."] = '".."' }

local IS_JSON = { json = true, list = true }

--- Why a text can't be sent where it is to stand; nil where it can.
local function trouble_with(row, param, text)
  if param.path then
    return ELSEWHERE[text] and "it stands in the path and can't be " .. ELSEWHERE[text]
  elseif IS_JSON[row.body] and not param.query and type(text) == "string" then
    -- JSON text that is none could add members of its own
    local _, problem = (param[2] == "json" and core.decode or core.encode)(text)
    return problem
  end
  return nil
end

-- Errors that say which argument they are about; unsupported is a look-up where
-- the line has no list of names.
local NAMES_ARGUMENT = { argument = true, not_found = true, ambiguous = true, unsupported = true }

--- One argument as the server wants it; throws on a wrong Lua type.
-- @treturn string|table|nil
-- @treturn table|nil error of kind "argument", "not_found", "ambiguous" …
local function convert(row, param, value, bound, context, deadline)
  local name, kind = param[1], param[2]
  local text, problem, expected
  if types.is_code[kind] and type(value) == "string" and #value <= types.PLAIN_MAX and find(value, "^[1-9]%d*$") then
    return value -- most are
  elseif types.convert[kind] then
    text, problem, expected = types.convert[kind](value, param, context, deadline)
  else
    text, problem, expected = context.resolve(kind, value, bound, deadline)
  end
  if expected then
    errors.throw(format("%s: argument %q: %s expected, got %s", row.name, name, expected, type(value)))
  end
  problem = text and trouble_with(row, param, text) or not text and problem
  if not problem then
    return text
  elseif type(problem) == "table" then
    problem.operation = row.name
    problem.argument = NAMES_ARGUMENT[problem.kind] and name or nil
    return nil, problem
  end
  return nil, errors.new { kind = "argument", operation = row.name, argument = name, message = problem }
end

--- Checks what can be checked before any value is looked at: throws where a
-- name is none.
-- @treturn table|nil error of kind "argument"
function _M.check(row, args)
  local _, own = count_given(row, args, outlines[row])
  return own > 0 and check_own(row, args) or nil
end

--- Binds arguments to a row.
-- @tparam table row of the operations table
-- @tparam table args as given by the caller
-- @tparam table context the client's: resolve(kind, value, bound, deadline) →
--   code | nil, err; zone_of_user(deadline) → zone | nil, err
-- @tparam number deadline of the call, under which names are looked up
-- @treturn table|nil name → text on the wire; a file is {name, content}, JSON whose
--   keys differ by dialect {process, workflow}
-- @treturn table|nil error of kind "argument", "not_found", "ambiguous" …
function _M.bind(row, args, context, deadline)
  local outline = outlines[row]
  local left, own = count_given(row, args, outline)
  local unfit = own > 0 and check_own(row, args)
  if unfit then
    return nil, unfit
  end
  local bound, params, last = {}, row.params, outline.last
  for i = 1, #params do
    if left == 0 and i > last then
      break
    end
    local param = params[i]
    local name = param[1]
    local value = args[name]
    if value == nil then
      value = param.default
    else
      left = left - 1
    end
    if value ~= nil then
      local text, err = convert(row, param, value, bound, context, deadline)
      if not text then
        return nil, err
      end
      bound[name] = text
    elseif param.path or param.required and not param.since and not param.upto then
      -- what only some lines want is missed once the line is known
      errors.throw(format("%s: argument %q is missing", row.name, name))
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

-- --- requests ------------------------------------------------------------

local JSON = "application/json"
local NOTHING = {}

local bodies = {}

-- The content type of a form is the transport's own default.
bodies.form = core.form

--- @tparam table fields {name, text, …}
-- @tparam table kinds name → type of the parameter; the rest are numbers
function bodies.json(fields, kinds)
  local members = {}
  for i = 1, #fields, 2 do
    local name = fields[i]
    members[#members + 1] = core.encode(name) .. ":" .. types.literal(kinds[name] or "integer", fields[i + 1])
  end
  return "{" .. table.concat(members, ",") .. "}", JSON
end

--- The document is one list of strings, or JSON as it was given.
function bodies.list(fields, kinds)
  local text = fields[2]
  if kinds[fields[1]] ~= "strings" then
    return text, JSON
  end
  local items = core.array {}
  for item in (text .. ","):gmatch "([^,]*)," do
    items[#items + 1] = item
  end
  return core.encode(items), JSON
end

local function has(parts, text)
  for _, part in ipairs(parts) do
    if part:find(text, 1, true) then
      return true
    end
  end
  return false
end

--- RFC 7578; the boundary is one that no part has in it.
function bodies.multipart(fields)
  local parts = {}
  for i = 1, #fields, 2 do
    local value = fields[i + 1]
    local file = type(value) == "table" and value
    local about = file and format("; filename=\"%s\"\r\nContent-Type: application/octet-stream", file.name) or ""
    parts[#parts + 1] = format("Content-Disposition: form-data; name=\"%s\"%s\r\n\r\n", fields[i], about)
      .. (file and file.content or value) .. "\r\n"
  end
  local number = 1
  while has(parts, "dsclient-part-" .. number) do
    number = number + 1
  end
  local boundary = "dsclient-part-" .. number
  local line = "--" .. boundary
  return line .. "\r\n" .. table.concat(parts, line .. "\r\n") .. line .. "--\r\n",
    "multipart/form-data; boundary=" .. boundary
end

-- Types whose texts are digits, which need no escape.
local DIGITS = { id = true, integer = true }
for kind in pairs(types.is_code) do
  DIGITS[kind] = true
end

--- How the requests of a row are put together in a dialect.
-- @treturn table {pieces: text, name, text, …, text of the path; digits: names of
--   what is in the path as digits; query, body:
--   {parameter, wire name, …}; kinds: wire name → type; write: of the body}
local function plan_of(row, dialect)
  local path = type(row.path) == "table" and row.path[dialect] or row.path
  local plan = { pieces = {}, digits = {}, query = {}, body = {}, kinds = {} }
  for text, name in (path .. "{}"):gmatch "([^{]*){([%w_]*)}" do
    plan.pieces[#plan.pieces + 1] = text
    plan.pieces[#plan.pieces + 1] = name ~= "" and name or nil
  end
  local has_body = row.body or row.method ~= "GET" and row.method ~= "DELETE"
  plan.write = has_body and bodies[row.body or row.json and "json" or "form"]
  plan.content_type = row.json and JSON or nil
  for _, param in ipairs(row.params) do
    if param.path then
      plan.digits[param[1]] = DIGITS[param[2]]
    else
      local list = has_body and not param.query and plan.body or plan.query
      local wire = type(param[3]) == "table" and param[3][dialect] or param[3]
      list[#list + 1], list[#list + 2] = param[1], wire
      plan.kinds[wire] = param[2]
    end
  end
  return plan
end

-- By dialect and row; the rows of single requests are not kept.
local plans = {}
for _, dialect in ipairs { "process", "workflow" } do
  plans[dialect] = setmetatable({}, {
    __mode = "k",
    __index = function(known, row)
      local plan = plan_of(row, dialect)
      known[row] = plan
      return plan
    end,
  })
end

--- Fields that are asked for often, with their form.
-- @tparam table fields {name, text, …}; not to be changed any more
-- @treturn table the same
function _M.fields(fields)
  fields.form = core.form(fields)
  return fields
end

local function fill(list, bound, dialect, extra)
  local fields, count = nil, 0
  for i = 1, #list, 2 do
    local value = bound[list[i]]
    if value then
      fields = fields or {}
      fields[count + 1], fields[count + 2] = list[i + 1], type(value) == "table" and value[dialect] or value
      count = count + 2
    end
  end
  if not fields then
    return extra or NOTHING
  end
  for i = 1, extra and #extra or 0 do
    fields[count + i] = extra[i]
  end
  return fields
end

--- The request of a bound operation.
-- @tparam table extra further fields, numbers, {name, text, …}, also of
--   `arguments.fields`; may be nil
-- @treturn string path and query
-- @treturn string|nil body
-- @treturn string|nil its content type, where it is no form
function _M.request(row, bound, dialect, extra)
  local plan = plans[dialect][row]
  local pieces = plan.pieces
  local path = pieces[1]
  for i = 2, #pieces, 2 do
    local name = pieces[i]
    local text = bound[name]
    path = path .. (plan.digits[name] and text or core.escape(text)) .. pieces[i + 1]
  end
  local query = fill(plan.query, bound, dialect, not plan.write and extra or nil)
  if query[1] then
    path = path .. "?" .. (query.form or core.form(query))
  end
  if plan.write then
    return path, plan.write(fill(plan.body, bound, dialect, extra), plan.kinds)
  end
  return path, nil, plan.content_type
end

return _M

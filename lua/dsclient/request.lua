--- The row of a request that no operation stands for: `client:request`.

local errors = require "dsclient.errors"

local format = string.format

local _M = {}

local METHODS = { GET = true, POST = true, PUT = true, DELETE = true }

-- One row a class and method is counted, whatever its path.
local counted = {}

local function counted_row(method, class)
  local name = class .. method
  counted[name] = counted[name] or { name = "request", operation = "request", replay = class, result = "object" }
  return counted[name]
end

local FIELDS = { class = "string", form = "table", method = "string", path = "string", query = "table" }

--- Does a path lead up, or nowhere? Servers and libcurl take %2e for a dot, and
-- servers what follows a semicolon for no part of the name.
local function leads_up(path)
  for segment in path:gmatch "[^/]+" do
    local name = segment:gsub("%%2[eE]", "."):gsub(";.*", "")
    if name == "." or name == ".." then
      return true
    end
  end
  return false
end

local function check(request)
  if type(request) ~= "table" then
    errors.throw("request: a table expected, got " .. type(request))
  end
  for name, value in pairs(request) do
    if name ~= "json" and not FIELDS[name] then
      errors.throw("request: unknown field " .. errors.quoted(name))
    elseif name ~= "json" and type(value) ~= FIELDS[name] then
      errors.throw(format("request: %s: a %s expected, got %s", name, FIELDS[name], type(value)))
    end
  end
  if not METHODS[request.method or "GET"] then
    errors.throw "request: method: GET, POST, PUT or DELETE expected"
  elseif request.form and request.json ~= nil then
    errors.throw "request: either form or json"
  elseif request.class and request.class ~= "read" and request.class ~= "once" then
    errors.throw 'request: class: "read" or "once" expected'
  end
end

local function check_path(path)
  if not path or not path:find "^/" or path:find "[%c?# ]" or leads_up(path) then
    errors.throw "request: path: it begins with /, is escaped and leads down; what is asked for stands in query"
  end
end

local function text_of(name, value)
  if type(value) == "number" then
    return format(value % 1 == 0 and math.abs(value) < 2 ^ 63 and "%.0f" or "%.17g", value)
  elseif type(value) == "string" or type(value) == "boolean" then
    return tostring(value)
  end
  errors.throw(format("request: field %s: a string, number or boolean expected, got %s", errors.quoted(name),
    type(value)))
end

--- The names of fields, sorted.
local function names_of(fields)
  local names = {}
  for name in pairs(fields) do
    if type(name) ~= "string" then
      errors.throw "request: the names of fields are strings"
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Adds fields to the parameters of a row.
-- @treturn table {count, arguments: name of a field → name of the argument}
local function add_params(params, fields, in_query)
  local names, arguments = names_of(fields), {}
  for _, name in ipairs(names) do
    local own = (in_query and "query " or "form ") .. name
    params[#params + 1] = { own, "string", name, query = in_query }
    arguments[name] = own
  end
  return { count = #names, arguments = arguments }
end

local NOTHING = {}

local function new_row(request, method, class)
  check_path(request.path)
  local base, params = counted_row(method, class), {}
  local row = {
    name = base.name,
    operation = "request " .. method .. " " .. request.path,
    counted = base,
    replay = base.replay,
    result = base.result,
    method = method,
    path = request.path:gsub("[{}]", { ["{"] = "%7B", ["}"] = "%7D" }),
    body = request.json ~= nil and "list" or nil,
    params = params,
    query = add_params(params, request.query or NOTHING, true),
    form = add_params(params, request.form or NOTHING, false),
  }
  if request.json ~= nil then
    params[#params + 1] = { "json", "json", "json" }
  end
  return row
end

--- Takes the values of fields; false where they are others than those of the row.
local function take(args, known, fields)
  local count = 0
  for name, value in pairs(fields or NOTHING) do
    local own = known.arguments[name]
    if not own then
      return false
    end
    args[own], count = text_of(name, value), count + 1
  end
  return count == known.count
end

--- The arguments of a request; nil where the row is another's.
local function args_for(row, request)
  local args, json = {}, request.json
  if (json ~= nil) ~= (row.body ~= nil) or not take(args, row.query, request.query)
    or not take(args, row.form, request.form) then
    return nil
  elseif json ~= nil and type(json) ~= "table" and type(json) ~= "string" then
    errors.throw("request: json: a table or JSON text expected, got " .. type(json))
  end
  args.json = json
  return args
end

-- Those who ask for the same again have their row ready: by class, method and path
-- those that differ in the names of their fields. So many are kept.
local ROWS_MAX, FAMILY_MAX = 256, 8
local families, count = {}, 0

local function keep(key, row)
  if count == ROWS_MAX then
    families, count = {}, 0
  end
  local family = families[key] or {}
  if #family < FAMILY_MAX then
    families[key], count = family, count + 1
    family[#family + 1] = row
  end
end

--- A row for this request, and its arguments.
function _M.of(request)
  check(request)
  local method = request.method or "GET"
  local class = request.class or (method == "GET" and "read" or "once")
  local key = class .. method .. (request.path or "")
  for _, row in ipairs(families[key] or NOTHING) do
    local args = args_for(row, request)
    if args then
      return row, args
    end
  end
  local row = new_row(request, method, class)
  keep(key, row)
  return row, args_for(row, request)
end

return _M

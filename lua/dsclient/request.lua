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
  local path = request.path
  if not path or not path:find "^/" or path:find "[%c?# ]" or leads_up(path) then
    errors.throw "request: path: it begins with /, is escaped and leads down; what is asked for stands in query"
  elseif not METHODS[request.method or "GET"] then
    errors.throw "request: method: GET, POST, PUT or DELETE expected"
  elseif request.form and request.json ~= nil then
    errors.throw "request: either form or json"
  elseif request.class and request.class ~= "read" and request.class ~= "once" then
    errors.throw 'request: class: "read" or "once" expected'
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

--- Adds the fields of a table, sorted by their names, as parameters.
local function add(params, args, fields, in_query)
  local names = {}
  for name in pairs(fields or {}) do
    if type(name) ~= "string" then
      errors.throw "request: the names of fields are strings"
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local own = (in_query and "query " or "form ") .. name
    params[#params + 1] = { own, "string", name, query = in_query }
    args[own] = text_of(name, fields[name])
  end
end

--- A row for this request, and its arguments.
function _M.of(request)
  check(request)
  local method = request.method or "GET"
  local class = request.class or (method == "GET" and "read" or "once")
  local params, args = {}, {}
  add(params, args, request.query, true)
  add(params, args, request.form, false)
  local json = request.json
  if json ~= nil then
    if type(json) ~= "table" and type(json) ~= "string" then
      errors.throw("request: json: a table or JSON text expected, got " .. type(json))
    end
    params[#params + 1] = { "json", "json", "json" }
    args.json = json
  end
  local base = counted_row(method, class)
  local path = request.path:gsub("[{}]", { ["{"] = "%7B", ["}"] = "%7D" })
  local row = {
    counted = base,
    operation = "request " .. method .. " " .. request.path,
    method = method,
    path = path,
    body = json ~= nil and "list" or nil,
    params = params,
  }
  return setmetatable(row, { __index = base }), args
end

return _M

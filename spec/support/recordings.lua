--- Recorded exchanges with three real servers (spec/recordings/), what each
-- answer is, told from the recorded facts alone, and a client they are given to.

local calls = require "dsclient.call"
local cjson = require "cjson"
local core = require "dsclient.core"
local dialects = require "dsclient.dialect"
local dsclient = require "dsclient"
local insides = require "support.insides"
local operations = require "dsclient.operations"

local _M = {}

--- The servers: name of the file, how many exchanges it holds, dialect.
_M.SERVERS = {
  { name = "3.1.1", count = 446, version = "3.1.1", dialect = "process" },
  { name = "3.2.2", count = 446, version = "3.2.2", dialect = "process" },
  { name = "3.3-dev", count = 453, version = "3.3.0", dialect = "workflow" },
}

local CONTEXT = "/dolphinscheduler"
_M.CONTEXT = CONTEXT

-- --- reading -------------------------------------------------------------

--- A value of a query or a form as it went over the wire.
local function text_of(value)
  return type(value) == "number" and ("%.0f"):format(value) or value
end

local function fields_of(request)
  local fields = {}
  for _, part in ipairs { request.query or {}, request.form or {}, request.json or {} } do
    for name, value in pairs(part) do
      fields[name] = text_of(value)
    end
  end
  return fields
end

local read = {}

--- The exchanges of a server, in the order of the file: {server, name,
-- request = {method, path, headers, fields = query, form and JSON}, response =
-- {status, headers, body, body_base64}}.
function _M.of(server)
  local list = read[server]
  if not list then
    list = {}
    for line in io.lines("spec/recordings/" .. server.name .. ".jsonl") do
      local exchange = cjson.decode(line)
      exchange.server = server
      exchange.request.fields = fields_of(exchange.request)
      if exchange.response.body == cjson.null then
        exchange.response.body = nil
      end
      list[#list + 1] = exchange
    end
    read[server] = list
  end
  return list
end

local by_name = {}

--- The exchange of this name with a server.
function _M.find(server, name)
  local names = by_name[server]
  if not names then
    names = {}
    for _, exchange in ipairs(_M.of(server)) do
      names[exchange.name] = exchange
    end
    by_name[server] = names
  end
  return names[name] or error("no exchange is called " .. name)
end

--- The recorded answers of exchanges that are given by their names.
function _M.responses(server, names)
  local responses = {}
  for i, name in ipairs(names) do
    responses[i] = _M.find(server, name).response
  end
  return responses
end

--- A recorded answer with another body.
function _M.changed(response, pattern, replacement)
  local body, count = response.body:gsub(pattern, replacement)
  assert(count > 0, pattern)
  return { status = response.status, headers = response.headers, body = body }
end

local DIGITS = {}
for digit in ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):gmatch "." do
  DIGITS[#DIGITS + 1], DIGITS[digit] = digit, #DIGITS
end

--- The bytes of a body that was not recorded as text.
function _M.bytes(response)
  local text, padding = response.body_base64:gsub("=", "A")
  local bytes = text:gsub("(.)(.)(.)(.)", function(a, b, c, d)
    local bits = ((DIGITS[a] * 64 + DIGITS[b]) * 64 + DIGITS[c]) * 64 + DIGITS[d]
    return string.char(math.floor(bits / 65536), math.floor(bits / 256) % 256, bits % 256)
  end)
  return bytes:sub(1, #bytes - padding)
end

-- --- the verdict ---------------------------------------------------------

--- The body as cjson reads it; nil where it is no JSON object.
function _M.object(response)
  local body = response.body or ""
  local ok, value = pcall(cjson.decode, body)
  return ok and type(value) == "table" and body:find "^%s*{" and value or nil
end

--- What cjson reads as the `data` of an answer; nil for null. The whole answer
-- where it is a file, and the whole document where that has no frame.
function _M.data(response, row)
  if row and row.result == "bytes" then
    return response.body
  end
  local object = _M.object(response)
  if row and row.bare and object.code == nil and object.status == nil then
    return object
  elseif object.data ~= cjson.null then
    return object.data
  end
end

--- Is it a code that counts as a success?
local function was_so_before(row, code)
  for _, known in ipairs(row and row.already or {}) do
    if known == code then
      return true
    end
  end
  return false
end

local function verdict_of_body(response, row)
  if row and row.result == "bytes" and response.headers["content-disposition"] then
    return "ok"
  end
  local media_type = response.headers["content-type"] or ""
  local object = media_type:lower():match "^application/json%f[%A]" and _M.object(response)
  if object and type(object.code) == "number" then
    return (object.code == 0 or was_so_before(row, object.code)) and "ok" or "api", object.code, object.msg
  end
  return object and row and row.bare and "ok" or "not_api"
end

--- What the answer is: "ok", or the kind of the error, with code and text.
function _M.verdict(response, row)
  local status = response.status
  if status == 401 then
    return "auth"
  elseif status == 429 then
    return "throttled"
  elseif status == 404 or status == 405 then
    return "not_api"
  elseif status < 200 or status > 299 then
    return "http"
  end
  return verdict_of_body(response, row)
end

-- --- the rows ------------------------------------------------------------

local function escape(text)
  return (text:gsub("%W", "%%%0"))
end

-- What stands in a path for a parameter of a type; digits for all others.
local SEGMENTS = { enum = "(%u[%u_]*)", string = "([^/]+)", codes = "([%d,]+)" }

local function route_of(row, dialect)
  local kinds, names = {}, {}
  for _, param in ipairs(row.params) do
    kinds[param[1]] = param[2]
  end
  local path = type(row.path) == "table" and row.path[dialect] or row.path
  local pattern = escape(CONTEXT .. path):gsub("%%{([%w%%_]+)%%}", function(name)
    name = name:gsub("%%", "")
    names[#names + 1] = name
    return SEGMENTS[kinds[name]] or "(%d+)"
  end)
  return { row = row, pattern = "^" .. pattern .. "$", names = names }
end

-- Every path of the table that a server has, those that say most first:
-- {row, pattern, names of parameters}.
local function routes_of(server)
  local routes, version = {}, dialects.parse(server.version)
  for _, name in ipairs(operations.names()) do
    local row = operations.find(name)
    if row.name == row.operation and dialects.has(row, version) then
      routes[#routes + 1] = route_of(row, server.dialect)
    end
  end
  table.sort(routes, function(a, b)
    if #a.names ~= #b.names then
      return #a.names < #b.names
    end
    return a.row.operation < b.row.operation
  end)
  return routes
end

local routes = {}

--- The row of the table that a request belongs to, and its path's parameters.
function _M.row(exchange)
  local server, request = exchange.server, exchange.request
  routes[server] = routes[server] or routes_of(server)
  for _, route in ipairs(routes[server]) do
    local found = { request.path:match(route.pattern) }
    if route.row.method == request.method and found[1] then
      local args = {}
      for i, name in ipairs(route.names) do
        args[name] = found[i]
      end
      return route.row, args
    end
  end
end

--- The operations of the table, sorted.
function _M.operations()
  local list = {}
  for _, name in ipairs(operations.names()) do
    list[#list + 1] = operations.find(name).operation == name and name or nil
  end
  return list
end

--- The fields that recorded requests have: operation → dialect → name → true.
function _M.field_names()
  local names = {}
  for _, server in ipairs(_M.SERVERS) do
    for _, exchange in ipairs(_M.of(server)) do
      local row = _M.row(exchange)
      if row then
        names[row.operation] = names[row.operation] or { process = {}, workflow = {} }
        for name in pairs(exchange.request.fields) do
          names[row.operation][server.dialect][name] = true
        end
      end
    end
  end
  return names
end

local function wire_name(param, dialect)
  return type(param[3]) == "table" and param[3][dialect] or param[3]
end

-- Larger pages are never asked for: 2.0 and 3.0 cut them.
local PAGE_SIZE_MAX = 500

-- What a recorded text is in Lua, by type of parameter; the rest are texts.
local IN_LUA = { integer = tonumber, number = tonumber }
function IN_LUA.boolean(text)
  return text == "true"
end

--- The fields of a row that only other lines have: wire name → true.
function _M.of_other_lines(row, server)
  local names, version = {}, dialects.parse(server.version)
  for _, param in ipairs(row.params) do
    if not param.path and not dialects.has(param, version) then
      names[wire_name(param, server.dialect)] = true
    end
  end
  return names
end

--- The arguments of an operation that make a recorded request.
function _M.arguments(exchange)
  local server, fields = exchange.server, exchange.request.fields
  local row, args = _M.row(exchange)
  local others = _M.of_other_lines(row, server)
  for _, param in ipairs(row.params) do
    local wire = not param.path and wire_name(param, server.dialect)
    local text = args[param[1]] or wire and not others[wire] and fields[wire] or nil
    args[param[1]] = text and (IN_LUA[param[2]] or tostring)(text)
  end
  local size = tonumber(fields.pageSize)
  if row.result == "page" and size and size >= 1 and size <= PAGE_SIZE_MAX then
    args.page_size = size
  end
  return args
end

--- How many tables in it are marked as arrays?
function _M.count_arrays(value)
  if type(value) ~= "table" then
    return 0
  end
  local count = getmetatable(value) == core.array_mt and 1 or 0
  for _, member in pairs(value) do
    count = count + _M.count_arrays(member)
  end
  return count
end

-- --- playing -------------------------------------------------------------

-- A run that was acted on is held for a while: the clock moves on in between.
local BETWEEN_S = 60

-- What stands in for rows that the table does not have yet, by replay class.
local GENERIC = {}
for _, replay in ipairs { "read", "once" } do
  GENERIC[replay] = { name = "recorded", operation = "recorded", replay = replay, result = "object", params = {},
    codes = { "taskNames[]" } }
end

--- Lists that know the names in these arguments: path → answer.
local function lists_with(row, args)
  local lists = {}
  for _, param in ipairs(row.params) do
    local name = args[param[1]]
    if name and param[2] == "tenant" then
      lists["/tenants/list"] = cjson.encode { { tenantCode = name } }
    elseif name and param[2] == "worker_group" then
      lists["/worker-groups/all"] = cjson.encode { name }
    end
  end
  return lists
end

local Player = {}
Player.__index = Player

--- Performs an operation (a row, or its name) whose requests get these recorded
-- answers in turn; one request too many gets none and fails.
-- @return as call.perform: value, nil, meta; or nil, error
function Player:perform(row, args, responses, opts)
  self.known = lists_with(row, args)
  self.responses, self.requests = responses, {}
  if self.state.runtime.virtual then
    core.advance(self.client, BETWEEN_S)
  end
  opts = opts or {}
  opts.cache = false
  return calls.perform(self.state, row, args, opts)
end

--- The first page of a list; the rest is as with perform.
function Player:first_page(row, args, responses, opts)
  self.known = {}
  self.responses, self.requests = responses, {}
  return calls.pages(self.state, row, args, opts).next()
end

--- Sends a recorded request that no row covers, and gives it its answer.
function Player:send(exchange, opts)
  local request = exchange.request
  local safe = request.method == "GET" or request.method == "HEAD"
  local row = GENERIC[safe and "read" or "once"]
  row.method, row.path = request.method, request.path
  return self:perform(row, {}, { exchange.response }, opts)
end

local JSON = { ["content-type"] = "application/json" }

local function transport_of(player)
  local transport = {}
  function transport.start(_, request)
    local list = player.known[request.path]
    local response = list and { status = 200, headers = JSON, body = '{"code":0,"data":' .. list .. "}" }
    if not list then
      player.requests[#player.requests + 1] = request
      response = player.responses[#player.requests]
    end
    return {
      wait = function()
        if not response then
          return nil, { kind = "network", phase = "sent", message = "no answer was recorded" }
        end
        return {
          status = response.status,
          headers = response.headers,
          body = response.body,
          bytes_in = #response.body,
          bytes_out = 0,
          reused = true,
        }
      end,
    }
  end
  function transport.close() end
  return transport
end

--- The sleep of a client that has no reason to.
function _M.never()
  error "a client that never repeats anything sleeps"
end

--- A runtime that sleeps on the player's clock, and writes down how long.
local function sleeper(player)
  player.slept = {}
  return {
    virtual = true,
    sleep = function(seconds)
      table.insert(player.slept, seconds)
      core.advance(player.client, seconds)
    end,
  }
end

--- A client of a server that is known by its recordings. It never repeats a
-- request, and never sleeps, but where the options let it repeat them.
function _M.player(server, options)
  local player = setmetatable({ known = {} }, Player)
  local given = {
    api_url = "http://127.0.0.1:12345" .. CONTEXT,
    token = "TOKEN",
    server_version = server.version,
    max_retries = 0,
    transport = transport_of(player),
    runtime = { virtual = true, sleep = _M.never },
  }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  if given.max_retries > 0 then
    given.runtime = sleeper(player)
  end
  player.client = dsclient.new(given)
  player.state = insides(player.client)
  return player
end

--- Performs the operation that a recorded request belongs to.
-- @tparam table responses other answers than the recorded one, or nil
-- @tparam table options of the client, or nil
-- @return value; or nil, error; and the player
function _M.ask(server, name, responses, options)
  local exchange = _M.find(server, name)
  local player = _M.player(server, options)
  local value, err = player:perform(_M.row(exchange), _M.arguments(exchange), responses or { exchange.response })
  return value, err, player
end

return _M

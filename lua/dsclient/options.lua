--- The options of `dsclient.new`, and the one checker for tables of options.
-- A wrong name, type or range throws, and says option, expected and given.

local errors = require "dsclient.errors"

local format = string.format

local _M = {}

--- One line per option: type, bounds and default. Times are in seconds.
-- `number`: min, max; `integer` likewise; `string`: never empty, one line;
-- `list`: of `item`, of `min` (0) to `max` (10,000) of them; `choice`: one of `values`;
-- `object`: has `methods`; `table`: looked into by its owner; `sink`: takes a file;
-- `progress`: of progress.lua; `any`: looked into by its owner.
_M.CLIENT = {
  -- where, and who asks
  api_url = { type = "string" },
  api_urls = { type = "list", item = "string", min = 1, max = 64 },
  token = { type = "secret" },
  token_file = { type = "string" },
  server_version = { type = "string" },
  -- the zone that the server prints times in, and the one in which it reads them,
  -- that of the token's user, who is asked for it where it is not told: a name as
  -- "Asia/Shanghai", or an offset as "+08:00"
  server_timezone = { type = "string" },
  user_timezone = { type = "string" },
  headers = { type = "table" },
  user_agent = { type = "string", default = "dsclient" },
  proxy = { type = "proxy" },
  tls = { type = "table" },
  -- time: of a whole call (30, lists 300), of an attempt (10, lists 25), for
  -- connecting, and the longest silence within an answer that has begun
  timeout_s = { type = "number", min = 0.001, max = 86400 },
  attempt_timeout_s = { type = "number", min = 0.001, max = 86400 },
  connect_timeout_s = { type = "number", min = 0.001, max = 3600, default = 5 },
  idle_timeout_s = { type = "number", min = 0.001, max = 3600, default = 10 },
  -- retries
  max_retries = { type = "integer", min = 0, max = 100, default = 3 },
  backoff_s = { type = "number", min = 0, max = 3600, default = 0.5 },
  backoff_max_s = { type = "number", min = 0, max = 3600, default = 20 },
  jitter = { type = "choice", values = { "auto", "full", "equal", "none" }, default = "auto" },
  retry_statuses = { type = "list", item = "status", min = 0, max = 16, default = { 429, 500, 502, 503, 504 } },
  -- a 503 with Retry-After did nothing: what must not happen twice is sent again
  trust_503 = { type = "boolean", default = false },
  enable_breaker = { type = "boolean", default = true },
  -- {per_s, burst}: requests a second, and how many of them at once
  rate_limit = { type = "table" },
  -- what single operations have otherwise: name → OPERATION
  operations = { type = "table" },
  -- cache
  enable_cache = { type = "boolean", default = true },
  cache_entries_max = { type = "integer", min = 1, max = 10000000, default = 1000 },
  cache_bytes_max = { type = "integer", min = 1024, max = 2 ^ 40, default = 64 * 1024 * 1024 },
  cache_ttl_s = { type = "table" },
  -- how long after its time an old value is given: in place of an error, and
  -- while it is fetched anew in the background
  stale_if_error_s = { type = "number", min = 0, max = 2 ^ 31, default = 600 },
  stale_while_revalidate_s = { type = "number", min = 0, max = 2 ^ 31, default = 0 },
  -- what is asked for near the end of its time is fetched anew in the background
  refresh_ahead = { type = "boolean", default = false },
  -- what is shared with other processes, and where: SHARED
  shared = { type = "table" },
  -- whose the entries are, whatever the token
  identity = { type = "string" },
  -- connections
  pool_connections = { type = "integer", min = 1, max = 1000, default = 10 },
  pool_maxsize = { type = "integer", min = 1, max = 1000, default = 20 },
  -- calls that wait for a connection
  queue_max = { type = "integer", min = 0, max = 1000000, default = 1000 },
  -- answers
  body_bytes_max = { type = "integer", min = 1024, max = 2 ^ 31, default = 64 * 1024 * 1024 },
  page_size = { type = "integer", min = 1, max = 500, default = 200 },
  rows_max = { type = "integer", min = 1, max = 10000000, default = 10000 },
  -- what is seen
  enable_metrics = { type = "boolean", default = true },
  log = { type = "function" },
  -- how bytes travel and waiting is done (wait.lua); the defaults are libcurl,
  -- and the tasks of plain Lua
  transport = { type = "object", methods = { "start", "close" } },
  runtime = { type = "object", methods = { "sleep" } },
}

--- What `operations` may say of one of them.
_M.OPERATION = {}
for _, name in ipairs {
  "timeout_s", "attempt_timeout_s", "max_retries", "backoff_s", "backoff_max_s", "jitter", "retry_statuses",
  "trust_503", "stale_if_error_s", "stale_while_revalidate_s", "refresh_ahead",
} do
  local rule = {}
  for field, value in pairs(_M.CLIENT[name]) do
    rule[field] = field ~= "default" and value or nil
  end
  _M.OPERATION[name] = rule
end

_M.RATE_LIMIT = {
  per_s = { type = "number", min = 0.001, max = 1e6 },
  burst = { type = "integer", min = 1, max = 1000000, default = 1 },
}

-- See shared.lua.
local STORE = { type = "object", methods = { "get", "set", "add", "incr", "delete" } }

_M.SHARED = {
  entries = STORE,
  state = STORE,
  later = { type = "function" },
  owner = { type = "function" },
  lives = { type = "function" },
}

_M.TLS = {
  ca_file = { type = "string" },
  cert = { type = "string" },
  key = { type = "string" },
  verify = { type = "boolean", default = true },
}

local checks = {}

local function plural(expected)
  return function(value)
    if type(value) ~= expected then
      return "a " .. expected
    end
  end
end

checks.boolean = plural "boolean"
checks.table = plural "table"
checks["function"] = plural "function"

function checks.object(value, rule)
  local fits = type(value) == "table" or type(value) == "userdata"
  for _, method in ipairs(rule.methods) do
    fits = fits and value[method] ~= nil
  end
  if not fits then
    return "an object with the methods " .. table.concat(rule.methods, ", ")
  end
end

checks.any = function() end

function checks.progress(value)
  if type(value) ~= "boolean" and type(value) ~= "function" then
    return "true, or a function"
  end
end

local HANDLE = { methods = { "write" } }

function checks.sink(value)
  local number = type(value) == "number" and value >= 0 and value % 1 == 0
  if not number and type(value) ~= "function" and checks.object(value, HANDLE) then
    return "a function, a file handle or the number of a file descriptor"
  end
end

function checks.string(value)
  if type(value) ~= "string" or value == "" then
    return "a string that is not empty"
  elseif value:find "%c" then
    return "a string without control characters"
  end
end

function checks.secret(value)
  if type(value) ~= "function" and (type(value) ~= "string" or value == "") then
    return "a string that is not empty, or a function that returns one"
  end
  if type(value) == "string" and value:find "%c" then
    return "a token without control characters"
  end
end

function checks.proxy(value)
  if value ~= false and checks.string(value) then
    return "a proxy's URL, or false for none"
  end
end

function checks.number(value, rule)
  local fits = type(value) == "number" and value >= rule.min and value <= rule.max
  if not fits then
    return format("a number from %g to %g", rule.min, rule.max)
  end
end

function checks.integer(value, rule)
  local fits = type(value) == "number" and value >= rule.min and value <= rule.max and value % 1 == 0
  if not fits then
    return format("a whole number from %.0f to %.0f", rule.min, rule.max)
  end
end

function checks.status(value)
  return checks.integer(value, { min = 100, max = 599 })
end

function checks.choice(value, rule)
  for _, allowed in ipairs(rule.values) do
    if value == allowed then
      return nil
    end
  end
  return "one of " .. table.concat(rule.values, ", ")
end

-- A list without a bound of its own; nobody writes a longer one by hand.
local LIST_MAX = 10000

function checks.list(value, rule)
  local count, min, max = 0, rule.min or 0, rule.max or LIST_MAX
  for _ in pairs(type(value) == "table" and value or {}) do
    count = count + 1
  end
  if type(value) ~= "table" or count ~= #value or count < min or count > max then
    return format("a list of %d to %d items", min, max)
  end
  for _, item in ipairs(value) do
    local expected = checks[rule.item](item, rule)
    if expected then
      return "a list, each item " .. expected
    end
  end
end

-- What may hold a secret is not shown.
local HIDDEN = { secret = true, proxy = true }

local function shown(value, rule)
  if type(value) == "table" or HIDDEN[rule.type] then
    return "a " .. type(value)
  elseif type(value) == "string" then
    return errors.quoted(value)
  elseif type(value) == "number" then
    return format("%.14g", value)
  end
  return tostring(value)
end

local function refuse_name(what, name, rules)
  local names = {}
  for known in pairs(rules) do
    names[#names + 1] = known
  end
  local near = errors.near(name, names, 1)[1]
  errors.throw(format("%s: unknown option %s%s", what, errors.quoted(name),
    near and format("; is %q meant?", near) or ""))
end

--- Checks a table against the rules.
-- @tparam string what how messages begin, e.g. "dsclient.new"
-- @tparam table given
-- @tparam table rules as CLIENT above
-- @treturn table the one given
function _M.verify(what, given, rules)
  if type(given) ~= "table" then
    errors.throw(what .. ": a table of options expected, got " .. type(given))
  end
  for name, value in pairs(given) do
    local rule = rules[name] or refuse_name(what, name, rules)
    local expected = checks[rule.type](value, rule)
    if expected then
      errors.throw(format("%s: option %q: %s expected, got %s", what, name, expected, shown(value, rule)))
    end
  end
  return given
end

--- Checks a table, too, and fills in the defaults.
-- @treturn table a new one
function _M.check(what, given, rules)
  _M.verify(what, given, rules)
  local checked = {}
  for name, rule in pairs(rules) do
    checked[name] = given[name]
    if checked[name] == nil then
      checked[name] = rule.default
    end
  end
  return checked
end

local CONTEXT = "/dolphinscheduler"
local URL_MAX = 2048

--- Parses the URL of an API server strictly.
-- A trailing slash is dropped; without any path the server's default one,
-- /dolphinscheduler, is added.
-- @treturn string|nil the base URL, without a slash at its end
-- @treturn string|nil what is wrong with it
function _M.parse_url(url)
  local scheme, authority, path = url:match "^(%a+)://([^/?#]*)([^?#]*)$"
  if not scheme then
    return nil, "http://host:port/path expected, without query or fragment"
  elseif #url > URL_MAX then
    return nil, "a shorter URL expected"
  end
  scheme = scheme:lower()
  if scheme ~= "http" and scheme ~= "https" then
    return nil, "http or https expected"
  end
  if authority:find("@", 1, true) then
    return nil, "a user in the URL is not supported; give `token`"
  end
  local host, port = authority:match "^(%[[%x:.]+%])(.*)$"
  if not host then
    host, port = authority:match "^([%w%-._]+)(.*)$"
  end
  if not host or not (port == "" or port:find "^:%d%d?%d?%d?%d?$") then
    return nil, "a host, and perhaps a port, expected after ://"
  end
  local number = tonumber(port:sub(2)) or 1
  if number < 1 or number > 65535 then
    return nil, "a port is a number from 1 to 65535"
  end
  if path:gsub("%%%x%x", ""):find "[^%w%-._~!$&'()*+,;=:@/]" then
    return nil, "a character that has no place in a URL's path"
  end
  path = path:gsub("/+$", "")
  return scheme .. "://" .. host:lower() .. port .. (path == "" and CONTEXT or path)
end

return _M

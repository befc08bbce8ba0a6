--- Ready-made handlers for content_by_lua: a page that tells how the client stands,
-- metrics, and some read operations as an API with cache headers.
--
--     -- init_by_lua
--     handlers = require "resty.dsclient.handlers".new(client, {
--       monitor = watcher,
--       operations = { "projects.list", ["instances.list"] = { ttl_s = 5 } },
--     })
--     -- location /ds/status   handlers:status()
--     -- location /ds/metrics  handlers:metrics()
--     -- location /ds/api/     handlers:proxy(), for /ds/api/projects.list?search=etl
--
-- Nothing is public: a handler answers 403 unless the access phase has set
-- ngx.ctx.dsclient_authorised = true, or the option `authorise` says yes.

local calls = require "dsclient.call"
local core = require "dsclient.core"
local errors = require "dsclient.errors"
local operations = require "dsclient.operations"
local options = require "dsclient.options"
local page = require "resty.dsclient.page"
local query = require "dsclient.query"

local ngx = ngx
local floor, format, max = math.floor, string.format, math.max

local _M = {}

local NEW = "handlers.new"

local RULES = {
  -- resty.dsclient.monitor's
  monitor = { type = "object", methods = { "view", "metrics_text" } },
  -- function(handler, operation) → may who asks see it? "status", "metrics", or
  -- "proxy" and the operation
  authorise = { type = "function" },
  -- what `proxy` gives: a list of reads, or name → OPERATION
  operations = { type = "table", default = {} },
}

-- How an operation is called.
local OPERATION = {}
for _, name in ipairs { "timeout_s", "ttl_s", "stale_if_error_s", "stale_while_revalidate_s" } do
  OPERATION[name] = calls.OPTIONS[name]
end

-- More arguments than any operation has.
local ARGUMENTS_MAX = 64

local Handlers = {}
Handlers.__index = Handlers

-- --- answers -------------------------------------------------------------

local JSON = "application/json"
local NO_STORE = "no-store"

--- @tparam table|nil headers name → value
local function answer(status, content_type, body, headers)
  ngx.status = status
  ngx.header["Content-Type"] = content_type
  ngx.header["Content-Length"] = #body
  ngx.header["X-Content-Type-Options"] = "nosniff"
  ngx.header["Cache-Control"] = NO_STORE
  for name, value in pairs(headers or {}) do
    ngx.header[name] = value
  end
  if ngx.req.get_method() ~= "HEAD" then
    ngx.print(body)
  end
end

-- The status that an error's kind becomes: 4xx is for who asked, 502 and 504 for the
-- server behind, or our token there, 503 for what passes by itself; all else is 500.
local STATUSES = {
  argument = 400, not_found = 404, ambiguous = 409, api = 422, unsupported = 501,
  auth = 502, connect = 502, dns = 502, http = 502, network = 502, not_api = 502, protocol = 502, server = 502,
  tls = 502,
  breaker_open = 503, busy = 503, cancelled = 503, limit = 503, throttled = 503,
  deadline = 504, timeout = 504,
}

local SHOWN = { "kind", "message", "operation", "argument", "near", "code" }

--- Text that is no UTF-8, say of a URL, is no JSON: what is odd is masked.
local function printable(value)
  local is_odd = type(value) == "string" and not core.encode(value)
  return is_odd and value:gsub("[\128-\255]", "?") or value
end

--- Answers an error.
-- @tparam table err the client's; or kind and message
-- @tparam number|nil status where it is none of the client's
local function fail(err, status, headers)
  local shown = {}
  for _, name in ipairs(SHOWN) do
    shown[name] = printable(err[name])
  end
  headers = headers or {}
  headers["Retry-After"] = err.retry_after_s and format("%.0f", max(err.retry_after_s, 1)) or nil
  answer(status or STATUSES[err.kind] or 500, JSON, core.encode { error = shown }, headers)
end

-- --- who may, and how ----------------------------------------------------

local READS = { GET = true, HEAD = true }

local function is_authorised(self, handler, operation)
  if ngx.ctx.dsclient_authorised == true then
    return true
  elseif not self.authorise then
    return false
  end
  local fine, verdict = pcall(self.authorise, handler, operation)
  if not fine then
    ngx.log(ngx.ERR, "dsclient: authorise failed: ", tostring(verdict))
  end
  return fine and verdict == true
end

--- May this request go on? Where not it is answered.
local function admit(self, handler, operation)
  if not is_authorised(self, handler, operation) then
    fail({ kind = "forbidden", message = "not authorised: that is for the access phase to say" }, 403)
    return false
  elseif not READS[ngx.req.get_method()] then
    fail({ kind = "method", message = "GET or HEAD expected" }, 405, { Allow = "GET, HEAD" })
    return false
  end
  return true
end

-- --- status --------------------------------------------------------------

--- All there is to know.
-- @treturn table|nil nil and an error where the client is closed
local function facts_of(self)
  local client = self.client
  local status, err = client:status()
  if not status then
    return nil, err
  end
  return {
    at = ngx.now(),
    worker = { pid = ngx.worker.pid(), count = ngx.worker.count() },
    client = status,
    cache = client:get_cache_stats(),
    calls = client:get_metrics_summary(),
    monitor = self.monitor and self.monitor:view() or nil,
  }
end

local function wants_page()
  local form = ngx.var.arg_format
  return form == "html" or form ~= "json" and (ngx.var.http_accept or ""):find("text/html", 1, true) ~= nil
end

--- How the client and the monitor stand: a page for browsers, JSON for programs
-- (?format=json, or an Accept without text/html).
function Handlers:status()
  if not admit(self, "status") then
    return
  end
  local facts, err = facts_of(self)
  if not facts then
    return fail(err)
  elseif wants_page() then
    return answer(200, "text/html; charset=utf-8", page.of(facts), {
      ["Content-Security-Policy"] = page.POLICY,
      ["Referrer-Policy"] = "no-referrer",
    })
  end
  answer(200, JSON, core.encode(facts))
end

--- Counters for Prometheus: of all workers where the client has a shm, else of this
-- one; and those of the monitor, where they are wanted.
function Handlers:metrics()
  if not admit(self, "metrics") then
    return
  end
  local text, err = self.client:metrics_text()
  if not text then
    return fail(err)
  end
  local more = self.monitor and self.monitor:metrics_text() or ""
  answer(200, "text/plain; version=0.0.4; charset=utf-8", text .. more)
end

-- --- operations ----------------------------------------------------------

--- How old it is, and how long it may be kept by who asked, who alone is
-- authorised.
local function cache_headers(meta, ttl_s)
  local age_s = floor(meta.age_s or 0)
  local left_s = meta.stale and 0 or max(floor(ttl_s - age_s), 0)
  return {
    ["Age"] = format("%d", age_s),
    ["Cache-Control"] = ttl_s > 0 and format("private, max-age=%d", left_s) or NO_STORE,
    ["X-Cache"] = meta.stale and "stale" or meta.cached and "hit" or "miss",
  }
end

--- The last part of the path names the operation, the query has its arguments, as
-- client:call takes them.
function Handlers:proxy()
  local name = ngx.var.uri:match "[^/]*$"
  if not admit(self, "proxy", name) then
    return
  end
  local operation = self.operations[name]
  if not operation then
    return fail { kind = "not_found", message = "no such operation here" }
  end
  local texts, why = ngx.req.get_uri_args(ARGUMENTS_MAX)
  if why then
    return fail { kind = "argument", message = "too many arguments" }
  end
  local args, err = query.arguments(operation.row, texts)
  local value, meta
  if args then
    value, err, meta = self.client:call(name, args, operation.opts)
  end
  if value == nil then
    return fail(err)
  end
  answer(200, JSON, core.encode(value), cache_headers(meta, self.client:ttl_of(name, operation.opts)))
end

-- --- making --------------------------------------------------------------

local function bad_operation(message, ...)
  errors.throw(format("%s: option \"operations\": ", NEW) .. format(message, ...))
end

--- @treturn table {row, opts} of one operation
local function check_operation(name, given)
  local row = type(name) == "string" and operations.find(name)
  if not row then
    bad_operation("unknown operation %s", errors.quoted(name))
  elseif row.replay ~= "read" or row.result == "bytes" then
    bad_operation("%s is no read, or gives a file", name)
  end
  local opts = options.check(format("%s: operations: %s", NEW, name), given, OPERATION)
  opts.borrow = true
  return { row = row, opts = opts }
end

local function check_operations(given)
  local checked = {}
  for key, value in pairs(given) do
    local is_name = type(key) == "number"
    checked[is_name and value or key] = check_operation(is_name and value or key, is_name and {} or value)
  end
  return checked
end

--- Makes the handlers of a client; no I/O, in every phase.
-- @tparam userdata client
-- @tparam table|nil opts see RULES
function _M.new(client, opts)
  local given = options.check(NEW, opts or {}, RULES)
  return setmetatable({
    client = client,
    monitor = given.monitor,
    authorise = given.authorise,
    operations = check_operations(given.operations),
  }, Handlers)
end

return _M

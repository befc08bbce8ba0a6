--- A client on a virtual clock over a scripted transport: hours of traffic in
-- milliseconds, and the same each time.

local core = require "dsclient.core"
local dsclient = require "dsclient"

local _M = {}

local function merge(base, more)
  for name, value in pairs(more or {}) do
    base[name] = value
  end
  return base
end

--- An answer of the API.
function _M.ok(data_json)
  return { status = 200, body = '{"code":0,"msg":"success","data":' .. (data_json or "null") .. "}" }
end

function _M.refused(code, msg)
  return { status = 200, body = ('{"code":%d,"msg":"%s","data":null}'):format(code, msg or "no") }
end

function _M.status(status, headers, body)
  return { status = status, headers = headers or {}, body = body or "" }
end

function _M.html()
  return { status = 200, headers = { ["content-type"] = "text/html" }, body = "<html></html>" }
end

--- The answer to a list: no rows.
_M.PAGE = _M.ok '{"totalList":[],"total":0}'

--- The call of these specs: a list of runs.
function _M.list(client, opts)
  return client:call("instances.list", { project = "1" }, opts)
end

--- A failure of the transport.
function _M.failure(kind, phase, fields)
  return merge({ failure = true, kind = kind, phase = phase, message = "scripted" }, fields)
end

--- A bed. With the option `detect` the client finds out the server line
-- itself, else it is told 3.1.1; with user_timezone = false it asks for that.
-- `script` is a list of answers, the last one repeated, or a function (request,
-- number) → answer. An answer's `takes_s` moves the clock.
-- @treturn table {client, transport, requests, slept, logged, advance, now}
function _M.new(script, options)
  local bed = { requests = {}, slept = {}, logged = {} }
  local transport = {}
  function transport:start(request, deadline) -- luacheck: ignore self
    bed.requests[#bed.requests + 1] = {
      method = request.method,
      url = request.url,
      path = request.path,
      body = request.body,
      headers = request.headers,
      fresh = request.fresh,
      once = request.once,
      limits = { request.connect_timeout_s, request.idle_timeout_s, request.body_bytes_max },
      at = core.time(bed.client),
    }
    local answer = type(script) == "function" and script(request, #bed.requests)
      or script[math.min(#bed.requests, #script)]
    return {
      wait = function()
        local now = core.enter(bed.client) -- the script may have closed it
        local takes_s = answer.takes_s or 0
        if now and takes_s >= deadline - now then
          core.advance(bed.client, deadline - now)
          return nil, { kind = "timeout", phase = answer.timeout_phase or "sent", message = "scripted time-out" }
        elseif now then
          core.advance(bed.client, takes_s)
        end
        if answer.failure then
          return nil, answer
        end
        return {
          status = answer.status,
          headers = merge({ ["content-type"] = "application/json" }, answer.headers),
          body = answer.body,
          bytes_in = #answer.body,
          bytes_out = 100,
          reused = false,
        }
      end,
      cancel = function() end,
    }
  end
  function transport:close() -- luacheck: ignore self
    bed.closed = true
  end
  local runtime = { virtual = true }
  function runtime.sleep(seconds)
    bed.slept[#bed.slept + 1] = seconds
    core.advance(bed.client, seconds)
  end
  local single = not (options and options.api_urls)
  local given = merge({
    api_url = single and "http://127.0.0.1:12345/dolphinscheduler" or nil,
    token = not (options and options.token_file) and "secret-token" or nil,
    server_version = not (options and options.detect) and "3.1.1" or nil,
    user_timezone = "UTC",
    transport = transport,
    runtime = runtime,
    log = function(level, message, fields)
      bed.logged[#bed.logged + 1] = { level = level, message = message, fields = fields }
    end,
  }, options)
  given.detect = nil
  given.user_timezone = given.user_timezone or nil
  bed.transport = transport
  bed.client = dsclient.new(given)
  function bed.advance(seconds)
    core.advance(bed.client, seconds)
  end
  function bed.now()
    return core.time(bed.client)
  end
  return bed
end

return _M

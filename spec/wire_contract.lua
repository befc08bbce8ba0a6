--- What real servers sent comes through a transport as it was recorded. A spec calls this inside a `describe`:
---
---     contract({new = function(options) return transport end, now = …, gzip = true}, {describe = describe, …})
---
--- as spec/transport_contract.lua.
local assert = require "luassert"
local recordings = require "support.recordings"
local tcp_server = require "spec.support.tcp_server"

-- Answers are cut into chunks of so many bytes.
local CHUNK_BYTES = 700

local function chunked(body)
  local parts = {}
  for from = 1, #body, CHUNK_BYTES do
    local part = body:sub(from, from + CHUNK_BYTES - 1)
    parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#part, part)
  end
  return table.concat(parts) .. "0\r\n\r\n"
end

local function has_body(exchange)
  return exchange.request.method ~= "HEAD" and exchange.response.status ~= 204 and exchange.response.status ~= 304
end

local function body_of(exchange)
  local response = exchange.response
  if not has_body(exchange) then
    return ""
  end
  return response.body_base64 and recordings.bytes(response) or response.body or ""
end

--- The bytes of a recorded answer. A length is what it is of what was recorded: some were cut.
local function bytes_of(exchange)
  local response = exchange.response
  local head = { ("HTTP/1.1 %d %s\r\n"):format(response.status, response.reason or "") }
  local body = body_of(exchange)
  for name, value in pairs(response.headers) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      if name ~= "content-length" or not has_body(exchange) then
        head[#head + 1] = ("%s: %s\r\n"):format(name, one)
      end
    end
  end
  if has_body(exchange) and response.headers["transfer-encoding"] then
    body = chunked(body)
  elseif has_body(exchange) then
    head[#head + 1] = ("content-length: %d\r\n"):format(#body)
  end
  return table.concat(head) .. "\r\n" .. body
end

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

return function(given, busted)
  local describe, it = busted.describe, busted.it
  local server, transport

  busted.before_each(function()
    server = tcp_server.start()
    transport = given.new {}
  end)

  busted.after_each(function()
    transport:close()
    server:stop()
  end)

  local function check(exchange)
    local title = exchange.server.name .. " " .. exchange.name
    server:ask("give " .. hexadecimal(bytes_of(exchange)))
    local request = { method = exchange.request.method, url = server.url .. "/raw" }
    local response, failure = assert(transport:start(request, given.now() + 10)):wait()
    if exchange.response.headers["content-encoding"] and not given.gzip then
      assert.equal("protocol", failure.kind, title)
      return
    end
    assert.is_nil(failure, title)
    assert.equal(exchange.response.status, response.status, title)
    if not exchange.response.body_base64 then
      assert.equal(body_of(exchange), response.body, title)
    end
    for name, value in pairs(exchange.response.headers) do
      value = name == "content-length" and has_body(exchange) and tostring(#body_of(exchange)) or value
      assert.equal(type(value) == "table" and table.concat(value, ", ") or value, response.headers[name], title)
    end
  end

  describe("a recorded answer", function()
    for _, one in ipairs(recordings.SERVERS) do
      it("comes through as it was sent: " .. one.name, function()
        local list = recordings.of(one)
        assert.equal(one.count, #list)
        for _, exchange in ipairs(list) do
          check(exchange)
        end
        assert.is_true(server:ask "connections" < one.count / 10) -- they were used again
      end)
    end
  end)
end

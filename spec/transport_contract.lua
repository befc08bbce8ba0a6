--- What every transport must do. A spec calls this inside a `describe`:
---
---     contract({new = function(options) return transport end, now = function() return seconds end},
---       {describe = describe, it = it, before_each = before_each, after_each = after_each})
---
--- A request with `sink` delivers a file of any size with bounded memory: the body of a 2xx answer with
--- `Content-Disposition: attachment`. `sink = true`: x:piece() → string, until there are no more, then x:wait();
--- `sink = fd`: it is written there. All other bodies are kept. `delivered` of response and failure counts the bytes.
--- busted gives these functions to spec files only. `gzip = true` where the transport decodes it, `descriptors = true`
--- where it writes to one, `caps = true` where it never has more than pool_maxsize connections itself.
--- The server of the specs is spec/support/tcp_server.lua.
local assert = require "luassert"
local failed = require "spec.support.failed"
local tcp_server = require "spec.support.tcp_server"

local TOKEN = "token: s3cr3t-token"

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

  local function request(path, more)
    local r = {method = "GET", url = server.url .. path .. "?secret=query", headers = {TOKEN}}
    for key, value in pairs(more or {}) do
      r[key] = value
    end
    return r
  end

  local function start(path, more, timeout_s)
    return assert(transport:start(request(path, more), given.now() + (timeout_s or 10)))
  end

  local function get(path, more, timeout_s)
    return start(path, more, timeout_s):wait()
  end

  local function fails(expected, path, more, timeout_s)
    local response, failure = get(path, more, timeout_s)
    failed(expected, response, failure)
    assert.is_string(failure.message)
    assert.is_nil(failure.message:find("s3cr3t", 1, true))
    assert.is_nil(failure.message:find("secret=query", 1, true))
    assert.is_nil(failure.message:find "%c")
    return failure
  end

  describe("an answer", function()
    it("has status, headers, body and measures", function()
      local response = assert(get("/ok", {timed = true}))
      assert.equal(200, response.status)
      assert.equal("hello", response.body)
      assert.equal("application/json", response.headers["content-type"])
      assert.is_false(response.reused)
      for _, name in ipairs {"total_s", "connect_s", "first_byte_s"} do
        assert.is_true(response.timings[name] >= 0, name)
      end
      assert.is_true(response.timings.first_byte_s <= response.timings.total_s)
      assert.is_true(response.bytes_in >= #"hello")
    end)

    it("joins repeated headers, whatever their case, and keeps empty ones", function()
      local headers = assert(get "/repeated").headers
      assert.equal("one, two", headers["x-thing"])
      assert.equal("", headers["x-empty"])
    end)

    it("is not an interim one", function()
      local response = assert(get "/interim")
      assert.equal(200, response.status)
      assert.is_nil(response.headers["x-early"])
    end)

    it("may have any status, a redirect is not followed", function()
      assert.equal(404, assert(get "/missing").status)
      local response = assert(get "/redirect")
      assert.equal(302, response.status)
      assert.equal("/ok", response.headers.location)
      assert.equal(0, server:ask "count GET /ok?secret=query")
    end)

    it("may be chunked", function()
      local response = assert(get "/chunked")
      assert.equal("hello", response.body)
      assert.is_nil(response.headers["x-trailer"])
    end)

    if given.gzip then
      it("may be compressed", function()
        assert.equal("hello", assert(get "/gzip").body)
        fails({kind = "protocol", phase = "partial"}, "/badgzip")
      end)
    end

    it("may be as large as is allowed, not larger", function()
      assert.equal(2 ^ 20, #assert(get("/huge", {body_bytes_max = 2 ^ 20})).body)
      fails({kind = "protocol", phase = "partial"}, "/huge", {body_bytes_max = 2 ^ 20 - 1})
      assert.equal("hello", assert(get("/ok", {body_bytes_max = 5})).body)
      fails({kind = "protocol", phase = "partial"}, "/ok", {body_bytes_max = 4})
    end)

    it("has a head of at most 64 KiB, interim answers included", function()
      fails({kind = "protocol", phase = "partial"}, "/hugehead")
      fails({kind = "protocol", phase = "partial"}, "/manyinterim")
    end)
  end)

  describe("a request", function()
    it("is sent as given", function()
      local sent = assert(get("/echo", {method = "POST", body = "a=1&b=2", headers = {TOKEN, "x-one: 1"}})).body
      assert.truthy(sent:find("^POST /echo%?secret=query HTTP/1%.1\r\n"))
      assert.truthy(sent:find("\r\n" .. TOKEN .. "\r\n", 1, true))
      assert.truthy(sent:find("\r\nx-one: 1\r\n", 1, true))
      assert.truthy(sent:find("\r\nContent-Length: 7\r\n", 1, true))
      assert.truthy(sent:find "\r\n\r\na=1&b=2$")
      assert.is_nil(sent:lower():find "\nexpect:")
    end)

    it("keeps its method, also after others on the same handle", function()
      for _, method in ipairs {"GET", "POST", "PUT", "DELETE", "GET", "POST", "GET"} do
        assert.equal(method, assert(get("/echo", {method = method})).body:match "^%u+")
      end
      assert.truthy(assert(get("/echo", {method = "PUT", body = "x"})).body:find "^PUT .*\r\n\r\nx$")
      for _, method in ipairs {"DELETE", "GET"} do
        local sent = assert(get("/echo", {method = method, body = "x\0y", headers = {"content-type: a/b"}})).body
        assert.truthy(sent:find("^" .. method .. " .*\r\n\r\nx%zy$"))
        assert.truthy(sent:find("content-type: a/b", 1, true))
        assert.is_nil(sent:find("urlencoded", 1, true))
      end
      local typed = assert(get("/echo", {headers = {"content-type: a/b"}})).body
      assert.truthy(typed:find "^GET .*\r\ncontent%-type: a/b\r\n")
      assert.truthy(assert(get "/echo").body:find "^GET .*\r\n\r\n$")
    end)

    it("keeps its body when the caller's string is gone", function()
      local x = start("/echo", {method = "POST", body = ("x"):rep(70000) .. "end"})
      for _ = 1, 3 do
        collectgarbage()
        local _ = ("y"):rep(70003)
      end
      assert.truthy(assert(x:wait()).body:find "xend$")
    end)

    it("with CR, LF or NUL in a header, the method or the URL is refused", function()
      for _, bad in ipairs {"\r", "\n", "\0", "\r\n"} do
        for _, more in ipairs {
          {headers = {"x: a" .. bad .. "b"}},
          {method = "GET" .. bad},
          {url = server.url .. "/ok" .. bad .. "x"},
        } do
          local x, failure = transport:start(request("/ok", more), given.now() + 5)
          assert.is_nil(x)
          assert.equal("argument", failure.kind)
          assert.equal("unsent", failure.phase)
        end
      end
      assert.equal(0, server:ask "connections")
    end)

    it("of a wrong type throws", function()
      assert.has_error(function()
        transport:start({url = 1 == 1}, 1)
      end)
      assert.has_error(function()
        start("/ok", {headers = {true}})
      end)
      assert.equal(200, assert(get "/ok").status)
    end)
  end)

  describe("a file", function()
    --- The body of /file/<size>.
    local function file_of(size)
      local lines = {}
      for i = 1, math.ceil(size / 8) do
        lines[i] = ("%07d\n"):format(i)
      end
      return table.concat(lines):sub(1, size)
    end

    --- All pieces of a file in one, the longest one's length, and what wait gives then.
    local function pieces(path, more, timeout_s, between)
      more = more or {}
      more.sink = true
      local x = start(path, more, timeout_s)
      local list, longest = {}, 0
      local piece = x:piece()
      while piece do
        list[#list + 1], longest = piece, math.max(longest, #piece)
        if between then
          between(#list)
        end
        piece = x:piece()
      end
      return table.concat(list), longest, x:wait()
    end

    it("is kept like any body where nobody wants it otherwise", function()
      local response = assert(get "/file/300000")
      assert.equal(file_of(300000), response.body)
      assert.equal('attachment; filename="a.log"', response.headers["content-disposition"])
      assert.equal(0, response.delivered)
    end)

    it("comes in pieces of bounded size, whatever its size and its limit", function()
      for _, size in ipairs {1, 5, 65535, 65536, 65537, 16384, 81920, 131072, 300000, 5000000} do
        for _, kind in ipairs {"/file/", "/lengthfile/"} do
          local body, longest, response, failure = pieces(kind .. size, {body_bytes_max = 4})
          assert.is_nil(failure)
          assert.is_true(body == file_of(size), kind .. size)
          assert.is_true(longest <= 128 * 1024)
          assert.equal(200, response.status)
          assert.equal("", response.body)
          assert.equal(size, response.delivered)
          assert.is_nil(response.headers["x-trailer"])
        end
      end
    end)

    it("of no bytes is none", function()
      local body, _, response = pieces "/file/0"
      assert.equal("", body)
      assert.equal(0, response.delivered)
      assert.equal('attachment; filename="a.log"', response.headers["content-disposition"])
    end)

    it("that the sink is slow to take is not the server's fault, and waits for it", function()
      local body, _, response = pieces("/file/600000", {idle_timeout_s = 0.05}, 10, function(n)
        if n < 4 then
          local until_s = given.now() + 0.1
          while given.now() < until_s do end
          assert(get "/ok") -- others go on meanwhile
        end
      end)
      assert.is_true(body == file_of(600000))
      assert.equal(600000, response.delivered)
    end)

    it("ends at the deadline, whoever is slow", function()
      local deadline = given.now() + 1
      local body, _, response, failure = pieces("/file/600000", nil, 1, function()
        while given.now() < deadline do end
      end)
      failed({kind = "timeout", phase = "partial", delivered = #body}, response, failure)
      assert.is_true(#body > 0)
      assert.equal(body, file_of(600000):sub(1, #body))
      body, _, response, failure = pieces("/stallfile/100", {idle_timeout_s = 0.05})
      failed({kind = "timeout", phase = "partial", delivered = #body}, response, failure)
    end)

    it("that is cut is a failure that tells what was delivered", function()
      local body, _, response, failure = pieces "/cutfile/300000"
      failed({kind = "network", phase = "partial", delivered = #body}, response, failure)
      assert.equal(body, file_of(300000):sub(1, #body))
    end)

    it("has its limit only where it is kept", function()
      fails({kind = "protocol", phase = "partial", delivered = 0}, "/file/300000", {body_bytes_max = 299999})
    end)

    it("never is what is no success, no attachment, or of two minds", function()
      for path, status in pairs {["/nofile"] = 200, ["/lostfile"] = 500, ["/twofile"] = 200, ["/ok"] = 200} do
        local body, _, response = pieces(path)
        assert.equal("", body, path)
        assert.equal(status, response.status)
        assert.equal(0, response.delivered)
        assert.is_true(#response.body >= 5, path)
      end
      local _, _, response, failure = pieces("/huge", {body_bytes_max = 2 ^ 20 - 1})
      failed({kind = "protocol", phase = "partial", delivered = 0}, response, failure)
    end)

    it("may be given up in between, and the transport goes on", function()
      local x = start("/file/5000000", {sink = true})
      assert.is_string(x:piece())
      x:cancel()
      assert.is_nil(x:piece())
      local _, failure = x:wait()
      assert.equal("cancelled", failure.kind)
      assert.equal("partial", failure.phase)
      assert.equal(200, assert(get "/ok").status)
      x = start("/file/5000000", {sink = true})
      assert.is_string(x:piece())
      transport:close()
      assert.is_nil(x:piece())
      assert.equal("closed", select(2, x:wait()).kind)
    end)

    it("is no longer there to be taken when it was waited for", function()
      local x = start("/file/5000000", {sink = true})
      assert.has_error(function()
        x:wait()
      end)
      x:cancel()
      x = start("/ok", {sink = true})
      assert.equal("hello", assert(x:wait()).body)
      assert.is_nil(x:piece())
    end)

    if not given.descriptors then
      it("is not written to a file descriptor, which is said at once", function()
        local x, failure = transport:start(request("/file/5", {sink = 1}), given.now() + 5)
        assert.is_nil(x)
        failed({kind = "argument", phase = "unsent"}, x, failure)
        assert.truthy(failure.message:find("file descriptor", 1, true))
      end)
    end

    describe(given.descriptors and "into a file descriptor" or "of no kind", given.descriptors and function()
      local uv = require "luv"
      local path, fd

      busted.before_each(function()
        fd, path = assert(uv.fs_mkstemp(uv.os_tmpdir() .. "/dsclient-XXXXXX"))
      end)

      busted.after_each(function()
        uv.fs_close(fd)
        uv.fs_unlink(path)
      end)

      local function written()
        return assert(uv.fs_read(fd, 2 ^ 24, 0))
      end

      it("is written as it comes", function()
        local response = assert(get("/file/5000000", {sink = fd, body_bytes_max = 4}))
        assert.equal("", response.body)
        assert.equal(5000000, response.delivered)
        assert.is_nil(response.headers["x-trailer"])
        assert.is_true(written() == file_of(5000000))
      end)

      it("is not written where it is none", function()
        assert.equal("hello", assert(get("/ok", {sink = fd})).body)
        assert.equal("", written())
      end)

      it("that is cut is a failure that tells what was written", function()
        local failure = fails({kind = "network", phase = "partial"}, "/cutfile/300000", {sink = fd})
        assert.equal(failure.delivered, #written())
      end)

      it("that can't be written fails", function()
        local read_only = assert(uv.fs_open(path, "r", 0))
        fails({kind = "argument", phase = "partial", delivered = 0}, "/file/300000", {sink = read_only})
        uv.fs_close(read_only)
        assert.equal(200, assert(get "/ok").status)
      end)

      it("waits for one that is full, until the deadline", function()
        local pipe = assert(uv.pipe({nonblock = true}, {nonblock = true}))
        local failure = fails({kind = "timeout", phase = "partial"}, "/file/600000", {sink = pipe.write}, 1)
        assert.is_true(failure.delivered > 0)
        uv.fs_close(pipe.read)
        uv.fs_close(pipe.write)
      end)
    end or function() end)
  end)

  describe("connections", function()
    it("are kept and used again", function()
      for i = 1, 10 do
        assert.equal(i > 1, assert(get "/ok").reused)
      end
      assert.equal(1, server:ask "connections")
    end)

    it("are used again after an idle close by the server", function()
      assert(get "/ok")
      server:ask "drop close"
      assert.equal(200, assert(get "/ok").status)
      assert.equal(2, server:ask "connections")
    end)

    it("carry several transfers at once, waited for in any order", function()
      local transfers = {}
      for i = 1, 8 do
        transfers[i] = start("/echo", {headers = {"x-number: " .. i}})
      end
      for _, i in ipairs {5, 8, 1, 2, 7, 3, 4, 6} do
        assert.truthy(assert(transfers[i]:wait()).body:find("x-number: " .. i, 1, true))
      end
    end)

    if given.caps then
      it("are at most pool_maxsize", function()
        transport:close()
        transport = given.new {pool_maxsize = 2}
        local transfers = {}
        for i = 1, 9 do
          transfers[i] = start "/ok"
        end
        for i = 1, 9 do
          assert.equal(200, assert(transfers[i]:wait()).status)
        end
        assert.is_true(server:ask "connections" <= 2)
      end)
    end

    it("are fresh ones for `fresh` and `once`; the old one stays", function()
      assert(get "/ok")
      assert.is_false(assert(get("/ok", {fresh = true})).reused)
      assert.is_false(assert(get("/ok", {once = true})).reused)
      assert.is_true(assert(get "/ok").reused)
      assert.equal(3, server:ask "connections")
      assert.equal(3, server:ask "open")
    end)
  end)

  describe("a failure", function()
    it("to connect is unsent", function()
      local url = server.url .. "/ok"
      server:stop()
      fails({kind = "connect", phase = "unsent", reused = false, stale = false}, "", {url = url})
    end)

    it("to find the host is unsent", function()
      fails({kind = "dns", phase = "unsent"}, "", {url = "http://nowhere.invalid/?secret=query"})
    end)

    it("before the request is read is one of both, as the reset comes before or after the request", function()
      server:ask "refuse"
      local failure = fails({stale = false, reused = false}, "/ok")
      assert.equal(failure.phase == "sent" and "network" or "connect", failure.kind)
      assert.not_equal("partial", failure.phase)
    end)

    it("after the request is read is a network failure, sent", function()
      fails({kind = "network", phase = "sent", stale = false}, "/reset")
      fails({kind = "network", phase = "sent", stale = false}, "/close")
    end)

    it("in the body is noticed", function()
      for _, path in ipairs {"/half", "/halfreset", "/cut"} do
        fails({kind = "network", phase = "partial", stale = false}, path)
      end
    end)

    it("of HTTP is one of protocol", function()
      fails({kind = "protocol", phase = "partial"}, "/garbage")
      fails({kind = "protocol", phase = "partial"}, "/badchunk")
    end)

    it("leaves the transport usable", function()
      fails({kind = "network"}, "/reset")
      assert.equal(200, assert(get "/ok").status)
    end)
  end)

  describe("time", function()
    it("ends a stalled request", function()
      fails({kind = "timeout", phase = "sent"}, "/stall", nil, 0.1)
      fails({kind = "timeout", phase = "partial"}, "/stallbody", nil, 0.1)
    end)

    it("ends one that drips", function()
      fails({kind = "timeout", phase = "partial"}, "/drip", nil, 0.2)
    end)

    it("ends an answer without a byte for idle_timeout_s, long before the deadline", function()
      fails({kind = "timeout", phase = "partial"}, "/stallbody", {idle_timeout_s = 0.05}, 1000)
    end)

    it("to think is a server's by right, whatever idle_timeout_s", function()
      local deadline = given.now() + 0.2
      fails({kind = "timeout", phase = "sent"}, "/stall", {idle_timeout_s = 0.01}, 0.2)
      assert.is_true(given.now() >= deadline)
    end)

    it("passed before the start sends nothing", function()
      local x, failure = transport:start(request "/ok", given.now() - 1)
      assert.is_nil(x)
      assert.equal("timeout", failure.kind)
      assert.equal("unsent", failure.phase)
      assert.equal(0, server:ask "connections")
    end)

    it("of one transfer does not end another", function()
      local long = start "/hold"
      fails({kind = "timeout"}, "/stall", nil, 0.1)
      server:ask "release"
      assert.equal("hello", assert(long:wait()).body)
    end)

    it("of a transfer nobody waits for passes too", function()
      local early = start("/stall", nil, 0.05)
      fails({kind = "timeout"}, "/stall", nil, 0.2)
      local _, failure = early:wait()
      assert.equal("timeout", failure.kind)
    end)
  end)

  describe("at most once:", function()
    local POISONED = 8

    local function fill_pool(n)
      local transfers = {}
      for i = 1, n do
        transfers[i] = start "/hold"
      end
      local first = start "/ok"
      assert(first:wait()) -- all of them have been sent now
      while server:ask "count GET /hold?secret=query" < n do
        assert(get "/ok")
      end
      server:ask "release"
      for i = 1, n do
        assert(transfers[i]:wait())
      end
    end

    for _, how in ipairs {"reset", "close"} do
      local path = "/" .. how .. "reused"

      it("a request on a connection that ends in a " .. how .. " when it was read is not sent again", function()
        for _, method in ipairs {"GET", "POST"} do
          assert(get "/ok")
          fails({kind = "network", phase = "sent", reused = true, stale = true}, path, {method = method})
          assert.equal(1, server:ask("count " .. method .. " " .. path .. "?secret=query"))
        end
      end)

      it("a once POST goes out on a fresh connection, once (" .. how .. ")", function()
        assert(get "/ok")
        assert.equal(200, assert(get(path, {method = "POST", body = "a=1", once = true})).status)
        assert.equal(1, server:ask("count POST " .. path .. "?secret=query"))
      end)

      it("of many dead idle connections one costs a failure, and a fresh one works (" .. how .. ")", function()
        fill_pool(POISONED)
        server:ask("poison " .. how)
        fails({stale = true, phase = "sent"}, "/ok", {method = "POST", body = "a=1"})
        assert.equal(0, server:ask "count POST /ok?secret=query")
        assert.equal(200, assert(get("/ok", {method = "POST", body = "a=1", fresh = true})).status)
        assert.equal(1, server:ask "count POST /ok?secret=query")
      end)

      it("many dead idle connections do not touch a once POST (" .. how .. ")", function()
        fill_pool(POISONED)
        server:ask("poison " .. how)
        assert.equal(200, assert(get("/ok", {method = "POST", body = "a=1", once = true})).status)
        assert.equal(1, server:ask "count POST /ok?secret=query")
      end)
    end

    it("many connections reset while idle are no failure, or a stale one", function()
      fill_pool(POISONED)
      server:ask "drop reset"
      local response, failure = get("/ok", {method = "POST", body = "a=1"})
      assert.is_true(response ~= nil or failure.stale)
      assert.is_true(server:ask "count POST /ok?secret=query" <= 1)
    end)

    it("no request of two hundred is executed twice while connections die", function()
      for i = 1, 200 do
        local path = (i % 4 < 2 and "/resetreused/" or "/closereused/") .. i
        get(path, {method = "POST", body = "a=1", once = i % 3 == 0})
        assert.is_true(server:ask("count POST " .. path .. "?secret=query") <= 1)
      end
    end)

    it("a server that dies during an upload does not kill this process", function()
      fails({kind = "network"}, "/resetupload", {method = "POST", body = ("x"):rep(2 ^ 23)})
    end)
  end)

  describe("cancel", function()
    it("ends a transfer, as often as it is called", function()
      local x = start "/stall"
      x:cancel()
      x:cancel()
      local response, failure = x:wait()
      assert.is_nil(response)
      assert.equal("cancelled", failure.kind)
      assert.equal("unsent", failure.phase)
    end)

    it("keeps the phase reached", function()
      local x = start "/stall"
      fails({kind = "timeout"}, "/stall", nil, 0.1)
      x:cancel()
      local _, failure = x:wait()
      assert.equal("cancelled", failure.kind)
      assert.equal("sent", failure.phase)
    end)

    it("leaves the others alone", function()
      local x, y = start "/stall", start "/ok"
      x:cancel()
      assert.equal(200, assert(y:wait()).status)
    end)

    it("after the end changes nothing", function()
      local x = start "/ok"
      assert.equal(200, assert(x:wait()).status)
      x:cancel()
      local _, failure = x:wait()
      assert.equal("closed", failure.kind)
    end)
  end)

  describe("close", function()
    it("may be called twice; then nothing starts", function()
      transport:close()
      transport:close()
      local x, failure = transport:start(request "/ok", given.now() + 5)
      assert.is_nil(x)
      assert.equal("closed", failure.kind)
      assert.equal("unsent", failure.phase)
    end)

    it("ends what is under way", function()
      local x = start "/stall"
      transport:close()
      local _, failure = x:wait()
      assert.equal("closed", failure.kind)
    end)
  end)
end

-- What libcurl does behind one's back, and what servers do to it; against the
-- real library. What every transport must do is in transport_contract.lua.

local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local failed = require "spec.support.failed"
local tcp_server = require "spec.support.tcp_server"

local MIB = 2 ^ 20
local BOMB_MIB = 64

describe("a trap of libcurl:", function()
  local server, transport

  before_each(function()
    server = tcp_server.start()
    transport = curl.new { pool_maxsize = 64 }
  end)

  after_each(function()
    transport:close()
    server:stop()
  end)

  local function start(path, more, timeout_s)
    local request = { url = server.url .. path }
    for key, value in pairs(more or {}) do
      request[key] = value
    end
    return assert(transport:start(request, curl.now() + (timeout_s or 10)))
  end

  local function get(path, more, timeout_s)
    return start(path, more, timeout_s):wait()
  end

  local function fails(expected, path, more, timeout_s)
    failed(expected, get(path, more, timeout_s))
  end

  --- The answer to a GET of /ok, which is the right one. @return was the
  -- connection used before?
  local function next_is_right()
    local response = assert(get "/ok")
    assert.equal("hello", response.body)
    return response.reused
  end

  describe("the head", function()
    it("may be one line without an end, which is no lack of memory", function()
      fails({ kind = "protocol", phase = "partial" }, "/longline")
      fails({ kind = "protocol", phase = "partial" }, "/longstatus")
      next_is_right()
    end)

    it("may go on after the body", function()
      fails({ kind = "protocol", phase = "partial" }, "/hugetrailer")
    end)

    it("may come a byte at a time: the deadline holds", function()
      fails({ kind = "timeout", phase = "partial" }, "/slowhead", nil, 0.3)
      fails({ kind = "timeout", phase = "sent" }, "/slowstatus", nil, 0.3)
    end)

    it("may tell a length that is none", function()
      for _, path in ipairs { "/negativelength", "/wordlength", "/hugelength" } do
        fails({ kind = "protocol", phase = "partial" }, path)
      end
    end)
  end)

  describe("the body", function()
    it("may be longer than was told: the rest is no part of anything", function()
      local response = assert(get "/short")
      assert.equal("hel", response.body)
      assert.is_false(next_is_right())
    end)

    it("may be shorter than was told, on a connection that stays", function()
      fails({ kind = "timeout", phase = "partial" }, "/stallbody", nil, 0.2)
      assert.is_false(next_is_right())
    end)

    it("may be a small one that unpacks to more than the limit", function()
      local pipe = assert(io.popen(("head -c %d /dev/zero | gzip -9"):format(BOMB_MIB * MIB)))
      local bomb = pipe:read "*a"
      pipe:close()
      assert.is_true(#bomb < MIB / 8)
      server:ask("give " .. bomb:gsub(".", function(byte)
        return ("%02x"):format(byte:byte())
      end))
      fails({ kind = "protocol", phase = "partial" }, "/given", { body_bytes_max = BOMB_MIB * MIB - 1 })
      fails({ kind = "protocol", phase = "partial" }, "/given", { body_bytes_max = MIB })
      assert.equal(BOMB_MIB * MIB, #assert(get("/given", { body_bytes_max = BOMB_MIB * MIB })).body)
    end)
  end)

  describe("the connection", function()
    it("may be closed with the answer", function()
      for _, path in ipairs { "/closing", "/closedelimited" } do
        assert.equal("hello", assert(get(path)).body)
        assert.is_false(next_is_right())
      end
      fails({ kind = "network", phase = "partial", stale = false }, "/closedelimitedreset")
    end)

    it("is not used again when more came than was asked for", function()
      for _, path in ipairs { "/garbageafter", "/twoanswers" } do
        assert.equal("hello", assert(get(path)).body)
        assert.is_false(next_is_right())
      end
    end)

    for _, how in ipairs { "stay", "close" } do
      it("may hold an answer that nobody asked for, which is nobody's (" .. how .. ")", function()
        assert(get "/ok")
        server:ask("push " .. how)
        fails({ kind = "network", phase = "unsent", reused = true, stale = true }, "/ok", { method = "POST" })
        assert.equal(0, server:ask "count POST /ok")
        assert.is_false(next_is_right())
        assert.is_true(next_is_right())
      end)
    end

    it("is looked at among many", function()
      local transfers = {}
      for i = 1, 20 do
        transfers[i] = start "/ok"
      end
      for i = 1, 20 do
        assert(transfers[i]:wait())
      end
      server:ask "push stay"
      local opened = server:ask "connections"
      for _ = 1, opened do
        fails({ stale = true, phase = "unsent" }, "/ok")
      end
      assert.is_false(next_is_right())
      assert.is_true(next_is_right())
    end)
  end)

  describe("an answer before the request was read", function()
    local LARGE = ("x"):rep(2 ^ 23)

    it("is taken, and the connection kept if the rest is read", function()
      for _, body in ipairs { "a=1", LARGE } do
        assert.equal("hello", assert(get("/early", { method = "POST", body = body })).body)
        next_is_right()
        assert.equal(413, assert(get("/earlyrefusal", { method = "POST", body = body })).status)
        next_is_right()
      end
    end)

    it("is taken, though the rest is never read", function()
      assert.equal(413, assert(get("/earlyunread", { method = "POST", body = LARGE })).status)
      assert.is_false(next_is_right())
      assert.equal(1, server:ask "count POST /earlyunread")
    end)
  end)
end)

describe("a client over connections that are dead", function()
  local server, transport, client
  local slept

  local function new_client()
    client = dsclient.new {
      api_url = server.url .. "/api",
      token = "secret",
      server_version = "3.1.1",
      enable_cache = false,
      transport = transport,
      runtime = {
        sleep = function(seconds)
          slept = slept + 1
          curl.sleep(math.min(seconds, 0.05))
          if server.stopped then
            server = tcp_server.start(server.port)
          end
        end,
      },
    }
  end

  before_each(function()
    slept = 0
    server = tcp_server.start()
    transport = curl.new { pool_maxsize = 64 }
    new_client()
  end)

  after_each(function()
    client:close()
    server:stop()
  end)

  --- Leaves so many connections at rest, all of them used before.
  local function rest(count)
    local transfers = {}
    for i = 1, count - 1 do
      transfers[i] = assert(transport:start({ url = server.url .. "/hold" }, curl.now() + 10))
    end
    repeat
      assert(assert(transport:start({ url = server.url .. "/ok" }, curl.now() + 10)):wait())
    until server:ask "count GET /hold" == count - 1
    server:ask "release"
    for i = 1, count - 1 do
      assert(transfers[i]:wait())
    end
    assert.equal(count, server:ask "open")
  end

  --- Calls that may be repeated, as many as there are connections. @return how
  -- often the server was asked
  local function call(count)
    for _ = 1, count do
      local projects, err = client:get_projects()
      assert(projects, tostring(err))
    end
    local all = client:get_all_metrics().get_projects
    assert.same({ count, 0 }, { all.call_count, all.error_count })
    return all.attempts
  end

  for _, count in ipairs { 1, 3, 5, 6, 8, 64 } do
    for _, how in ipairs { "reset", "close" } do
      it(("%d of them, found dead by a %s when it is used, fail no call"):format(count, how), function()
        rest(count)
        server:ask("poison " .. how)
        local attempts = call(count + 1)
        assert.is_true(attempts > count + 1)
        assert.is_true(attempts <= 2 * (count + 1)) -- one free repeat a call
        assert.equal(0, slept)
      end)

      it(("%d of them, ended by a %s while at rest, fail no call"):format(count, how), function()
        rest(count)
        server:ask("drop " .. how)
        call(count + 1)
        assert.equal(0, slept)
      end)
    end

    it(("%d of them, each with an answer nobody asked for, fail no call"):format(count), function()
      rest(count)
      server:ask "push close"
      call(count + 1)
      assert.equal(0, slept)
    end)
  end

  it("64 of a server that was killed and started again, fail no call", function()
    rest(64)
    server:stop()
    server = tcp_server.start(server.port)
    call(65)
    assert.equal(0, slept)
  end)

  it("64 of a server that is killed, and started again a moment after, fail no call", function()
    rest(64)
    server:stop()
    server.stopped = true
    call(65)
    assert.equal(1, slept)
  end)

  it("send what may be done once only once, to the fresh one", function()
    rest(8)
    server:ask "poison reset"
    local done, err = client:execute_failure_recovery("1", 7)
    assert(done, tostring(err))
    assert.equal(1, server:ask "count POST /api/projects/1/executors/execute")
  end)
end)

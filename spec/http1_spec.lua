-- The head of a request, and answers from blocks that are cut anywhere.

local core = require "dsclient.core"
local malformed = require "support.malformed_http1"
local units = require "support.units"

-- Of a body in these specs: more is said to be too large.
local BODY_MAX = 1000

--- Reads an answer in these blocks; then the connection ends, where `closes`.
-- @treturn table {event, …}: what the reader said last
local function read_blocks(blocks, closes, head_only)
  local reader = core.http1(head_only or false, BODY_MAX, false)
  local said = { "more" }
  for _, block in ipairs(blocks) do
    said = { reader:feed(block) }
    if said[1] ~= "more" then
      break
    end
  end
  if said[1] == "more" and closes then
    said = { reader:finish() }
  end
  return said
end

local function in_blocks_of(text, size)
  local blocks = {}
  for from = 1, #text, size do
    blocks[#blocks + 1] = text:sub(from, from + size - 1)
  end
  return blocks
end

-- Texts that are longer are not cut at each of their bytes.
local SHORT = 2000

--- Calls fn with the blocks of each way to cut the text in two, of single bytes,
-- and of some sizes.
local function each_cut(text, fn)
  if #text <= SHORT then
    for cut = 0, #text do
      fn { text:sub(1, cut), text:sub(cut + 1) }
    end
  end
  for _, size in ipairs { 1, 2, 3, 7, 4096 } do
    fn(in_blocks_of(text, size))
  end
end

describe("the head of a request", function()
  it("has a request line, the host, the lines, and the length of the body", function()
    assert.equal("GET /a?b=c HTTP/1.1\r\nHost: ds:12345\r\n\r\n", core.http1_head("GET", "/a?b=c", "ds:12345", {}))
    assert.equal("POST / HTTP/1.1\r\nHost: [::1]\r\nA: b\r\nc:\r\nContent-Length: 0\r\n\r\n",
      core.http1_head("POST", "/", "[::1]", { "A: b", "c:" }, 0))
    assert.equal("PUT /\195\164 HTTP/1.1\r\nHost: a\r\nContent-Length: 123456789\r\n\r\n",
      core.http1_head("PUT", "/\195\164", "a", {}, 123456789))
  end)

  it("holds nothing that could end a line, or is no part of it", function()
    for byte = 0, 255 do
      local char = string.char(byte)
      local in_target = byte > 32 and byte ~= 127 and char ~= "#"
      assert.equal(in_target, core.http1_head("GET", "/a" .. char .. "b", "h", {}) ~= nil, "target " .. byte)
      assert.equal(char:find "%u" ~= nil, core.http1_head("G" .. char, "/", "h", {}) ~= nil, "method " .. byte)
      assert.equal(char:find "[%w._%-:%[%]]" ~= nil, core.http1_head("GET", "/", "h" .. char, {}) ~= nil,
        "host " .. byte)
      assert.equal(byte >= 32 and byte ~= 127 or byte == 9, core.http1_head("GET", "/", "h", { "a: " .. char }) ~= nil,
        "line " .. byte)
      assert.equal(char:find "[%w!#$%%&'*+%-.^_`|~:]" ~= nil,
        core.http1_head("GET", "/", "h", { "a" .. char .. ": b" }) ~= nil, "name " .. byte)
    end
    for _, bad in ipairs { { "", "/", "h" }, { "get", "/", "h" }, { "GET", "", "h" }, { "GET", "a", "h" },
      { "GET", "*", "h" }, { "GET", "http://h/", "h" }, { "GET", "/", "" }, { "GET", "/", "a b" },
      { "GET", "/", "user@h" } } do
      assert.is_nil(core.http1_head(bad[1], bad[2], bad[3], {}), table.concat(bad, " "))
    end
    for _, line in ipairs { "", "a", ":", ": b", "a b: c", "a : b", " a: b", "a: b\r\nc: d", "a: b\n", "a\0: b" } do
      assert.is_nil(core.http1_head("GET", "/", "h", { "x: y", line }), line)
    end
  end)

  it("says itself what is its own to say", function()
    for _, name in ipairs { "Host", "Content-Length", "TRANSFER-ENCODING", "connection", "Expect", "te", "Trailer",
      "upgrade" } do
      assert.is_nil(core.http1_head("GET", "/", "h", { name .. ": x" }), name)
      assert.is_string(core.http1_head("GET", "/", "h", { "x-" .. name .. ": x" }))
      assert.is_string(core.http1_head("GET", "/", "h", { name .. "x: x" }))
    end
  end)

  it("of a wrong type throws", function()
    for _, arguments in ipairs { { 1, {}, "h", {} }, { "GET", "/", nil, {} }, { "GET", "/", "h", "a: b" },
      { "GET", "/", "h", { true } }, { "GET", "/", "h", {}, "five" } } do
      assert.has_error(function()
        core.http1_head(arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
      end)
    end
  end)
end)

-- --- answers -------------------------------------------------------------

local OK = "HTTP/1.1 200 OK\r\n"
local CHUNKED = OK .. "Transfer-Encoding: chunked\r\n\r\n"

-- { answer, status, headers, body, reusable [, what ends it: "close"] }
local WELL_FORMED = {
  { OK .. "Content-Length: 5\r\n\r\nhello", 200, { ["content-length"] = "5" }, "hello", true },
  { OK .. "Content-Length: 0\r\n\r\n", 200, { ["content-length"] = "0" }, "", true },
  { OK .. "Content-Length: 0000000000000000000000000000005\r\n\r\nhello", 200,
    { ["content-length"] = ("0"):rep(30) .. "5" }, "hello", true },
  { OK .. "Content-Length:5\r\n\r\nhello", 200, { ["content-length"] = "5" }, "hello", true },
  { OK .. "Content-Length: \t 5 \t\r\n\r\nhello", 200, { ["content-length"] = "5" }, "hello", true },
  { OK .. "CONTENT-length: 5\r\n\r\nhello", 200, { ["content-length"] = "5" }, "hello", true },
  { OK .. "\r\nhello", 200, {}, "hello", false, "close" },
  { OK .. "\r\n", 200, {}, "", false, "close" },
  { "HTTP/1.1 200\r\n\r\nhello", 200, {}, "hello", false, "close" },
  { "HTTP/1.1 200 \r\n\r\n", 200, {}, "", false, "close" },
  { "HTTP/1.1 404 Not Found, \tsorry \195\164\255\r\nContent-Length: 2\r\n\r\nno", 404, { ["content-length"] = "2" },
    "no", true },
  { "HTTP/1.1 599 x\r\nContent-Length: 0\r\n\r\n", 599, { ["content-length"] = "0" }, "", true },
  { "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, { ["content-length"] = "5" }, "hello", false },
  { "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello", 200,
    { ["content-length"] = "5", connection = "Keep-Alive" }, "hello", true },
  { "HTTP/1.0 200 OK\r\n\r\nhello", 200, {}, "hello", false, "close" },
  { OK .. "Connection: close\r\nContent-Length: 5\r\n\r\nhello", 200,
    { ["content-length"] = "5", connection = "close" }, "hello", false },
  { OK .. "Connection: a, CLOSE ,b\r\nContent-Length: 0\r\n\r\n", 200,
    { ["content-length"] = "0", connection = "a, CLOSE ,b" }, "", false },
  { OK .. "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200,
    { ["content-length"] = "0", connection = "keep-alive, close" }, "", false },
  { OK .. "Connection: closed, keep-alive\tx\r\nContent-Length: 0\r\n\r\n", 200,
    { ["content-length"] = "0", connection = "closed, keep-alive\tx" }, "", true },
  { OK .. "Set-Cookie: a=1\r\nX: y\r\nset-cookie: b=2\r\nSET-COOKIE:\r\nContent-Length: 0\r\n\r\n", 200,
    { ["set-cookie"] = "a=1, b=2, ", x = "y", ["content-length"] = "0" }, "", true },
  { OK .. "!#$%&'*+-.^_`|~09azAZ: x\r\nContent-Length: 0\r\n\r\n", 200,
    { ["!#$%&'*+-.^_`|~09azaz"] = "x", ["content-length"] = "0" }, "", true },
  { OK .. "A: b:c: d\r\nB:\t\r\nC: \195\164 \"x\" \\ \255\r\nContent-Length: 0\r\n\r\n", 200,
    { a = "b:c: d", b = "", c = "\195\164 \"x\" \\ \255", ["content-length"] = "0" }, "", true },
  { OK .. ("n"):rep(255) .. ": x\r\nContent-Length: 0\r\n\r\n", 200,
    { [("n"):rep(255)] = "x", ["content-length"] = "0" }, "", true },
  { CHUNKED .. "5\r\nhello\r\n0\r\n\r\n", 200, { ["transfer-encoding"] = "chunked" }, "hello", true },
  { CHUNKED .. "0\r\n\r\n", 200, { ["transfer-encoding"] = "chunked" }, "", true },
  { CHUNKED .. "000\r\n\r\n", 200, { ["transfer-encoding"] = "chunked" }, "", true },
  { CHUNKED .. "00000000000000A\r\n0123456789\r\n0\r\n\r\n", 200, { ["transfer-encoding"] = "chunked" },
    "0123456789", true },
  { CHUNKED .. "1\r\nh\r\n1\r\ne\r\n3\r\nllo\r\n0\r\n\r\n", 200, { ["transfer-encoding"] = "chunked" }, "hello", true },
  { CHUNKED .. "1F;a\r\n" .. ("x"):rep(31) .. "\r\n2 ; a=\"b;c\" \t\r\nyz\r\n0;last\r\n\r\n", 200,
    { ["transfer-encoding"] = "chunked" }, ("x"):rep(31) .. "yz", true },
  { CHUNKED .. "5\r\n\r\n0\r\n\r\n0\r\n\r\n", 200, { ["transfer-encoding"] = "chunked" }, "\r\n0\r\n", true },
  { CHUNKED .. "5\r\nhello\r\n0\r\nA: b\r\nContent-Length: 7\r\nConnection: close\r\n\r\n", 200,
    { ["transfer-encoding"] = "chunked" }, "hello", true },
  { OK .. "Transfer-Encoding: \tChUnKeD \r\n\r\n0\r\n\r\n", 200, { ["transfer-encoding"] = "ChUnKeD" }, "", true },
  { OK .. "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200,
    { ["transfer-encoding"] = "chunked", connection = "close" }, "", false },
  { "HTTP/1.1 204 No Content\r\n\r\n", 204, {}, "", true },
  { "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, { ["content-length"] = "0" }, "", true },
  { "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, { ["content-length"] = "5" }, "", false },
  { "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: x\r\n\r\n", 304,
    { ["content-length"] = "500", etag = "x" }, "", true },
  { "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304, { ["transfer-encoding"] = "chunked" }, "",
    true },
  { "HTTP/1.1 100 Continue\r\n\r\n" .. OK .. "Content-Length: 5\r\n\r\nhello", 200, { ["content-length"] = "5" },
    "hello", true },
  { "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\nContent-Length: 0\r\n\r\nHTTP/1.1 102 \r\n\r\n"
    .. OK .. "Content-Length: 5\r\n\r\nhello", 200, { ["content-length"] = "5" }, "hello", true },
  { "HTTP/1.0 100 Continue\r\n\r\n" .. OK .. "Content-Length: 0\r\n\r\n", 200, { ["content-length"] = "0" }, "", true },
  { OK .. ("A: b\r\n"):rep(99) .. "Content-Length: 0\r\n\r\n", 200,
    { a = ("b, "):rep(98) .. "b", ["content-length"] = "0" }, "", true },
  { CHUNKED .. "1000000000000\r\n", 200, false }, -- 256 TiB: said to be too large, see below
}

describe("an answer", function()
  it("is read the same wherever it is cut", function()
    for _, case in ipairs(WELL_FORMED) do
      if case[3] then
        each_cut(case[1], function(blocks)
          local said = read_blocks(blocks, case[6] == "close")
          assert.same({ "done", case[2], case[3], case[4], case[5], 0 }, said, case[1])
        end)
      end
    end
  end)

  it("to a HEAD has no body, whatever it says of one", function()
    for _, text in ipairs { OK .. "Content-Length: 500\r\n\r\n", CHUNKED, OK .. "\r\n" } do
      each_cut(text, function(blocks)
        local said = read_blocks(blocks, false, true)
        assert.same({ "done", 200, "", true }, { said[1], said[2], said[4], said[5] })
      end)
    end
    assert.same({ nil, "protocol" }, { read_blocks({ CHUNKED:gsub("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n") },
      false, true)[1], "protocol" })
  end)

  it("with bytes behind it leaves a connection that is not to be used again", function()
    for _, case in ipairs(WELL_FORMED) do
      if case[5] and not case[6] then
        for _, more in ipairs { "\r\n", "x", case[1] } do
          local said = read_blocks { case[1] .. more }
          assert.same({ "done", case[4], false }, { said[1], said[4], said[5] }, case[1] .. more)
          assert.is_true(read_blocks({ case[1] })[5])
        end
      end
    end
  end)

  it("that is cut is a failure of the network", function()
    for _, case in ipairs(WELL_FORMED) do
      for cut = 0, case[6] and #case[1]:match "^.-\r\n\r\n" - 1 or #case[1] - 1 do
        local said = read_blocks({ case[1]:sub(1, cut) }, true)
        assert.is_nil(said[1], case[1]:sub(1, cut))
        assert.equal(case[3] == false and said[2] or "network", said[2], case[1]:sub(1, cut))
      end
    end
  end)

  it("once it is over, or failed, stays so", function()
    local reader = core.http1(false, BODY_MAX, false)
    assert.equal("done", (reader:feed(OK .. "Content-Length: 2\r\n\r\nno")))
    local said = { reader:feed "more" }
    assert.same({ "done", 200, false }, { said[1], said[2], said[5] })
    assert.equal("done", (reader:finish()))
    reader = core.http1(false, BODY_MAX, false)
    for _ = 1, 2 do
      said = { reader:feed "garbage" }
      assert.same({ nil, "protocol" }, { said[1], said[2] })
      said = { reader:finish() }
      assert.same({ nil, "protocol" }, { said[1], said[2] })
    end
    reader:close()
    reader:close()
  end)

  it("is refused where it is malformed, wherever it is cut", function()
    local count = 0
    for what, texts in pairs(malformed) do
      for _, text in ipairs(texts) do
        count = count + 1
        each_cut(text, function(blocks)
          local said = read_blocks(blocks, true)
          assert.is_nil(said[1], what .. ": " .. text:sub(1, 200))
          assert.equal("protocol", said[2], what .. ": " .. text:sub(1, 200))
          assert.is_nil(said[3]:find "[%c\128-\255]") -- none of it is in the message
        end)
      end
    end
    assert.is_true(count >= 150, count)
  end)

  it("has a body as large as is allowed, not larger", function()
    local function bodies(size)
      local body = ("x"):rep(size)
      return {
        { OK .. ("Content-Length: %d\r\n\r\n"):format(size) .. body },
        { CHUNKED .. ("%x\r\n%s\r\n0\r\n\r\n"):format(size, body) },
        { CHUNKED .. ("1\r\nx\r\n%x\r\n%s\r\n0\r\n\r\n"):format(size - 1, body:sub(2)) },
        { OK .. "\r\n" .. body, true },
      }
    end
    for _, one in ipairs(bodies(BODY_MAX)) do
      for _, size in ipairs { 1, 4096 } do
        assert.equal(BODY_MAX, #read_blocks(in_blocks_of(one[1], size), one[2])[4])
      end
    end
    for _, one in ipairs(bodies(BODY_MAX + 1)) do
      for _, size in ipairs { 1, 4096 } do
        local said = read_blocks(in_blocks_of(one[1], size), one[2])
        assert.same({ nil, "protocol" }, { said[1], said[2] })
      end
    end
    -- before a byte of it has come
    for _, text in ipairs { OK .. "Content-Length: 1001\r\n\r\n", CHUNKED .. "3e9\r\n",
      CHUNKED .. "1000000000000\r\n" } do
      assert.is_nil(read_blocks({ text })[1])
    end
  end)

  it("has a head of at most 64 KiB, wherever it is cut", function()
    local function head_of(size)
      local rest = size - #OK - #"Content-Length: 0\r\n" - #"\r\n"
      local fields = {}
      while rest > 2000 do
        fields[#fields + 1] = "A: " .. ("b"):rep(995) .. "\r\n"
        rest = rest - 1000
      end
      fields[#fields + 1] = "A: " .. ("b"):rep(rest - 5) .. "\r\n"
      return OK .. table.concat(fields) .. "Content-Length: 0\r\n\r\n"
    end
    local largest, larger = head_of(65536), head_of(65537)
    assert.equal(65536, #largest)
    for _, size in ipairs { 1, 17, 4096, 65536, 65537, 70000 } do
      assert.equal("done", read_blocks(in_blocks_of(largest, size))[1])
      assert.equal("protocol", read_blocks(in_blocks_of(larger, size))[2])
    end
    -- sizes of chunks are not of the head, all else but the body is
    local chunked = head_of(65536 - #"\r\n" - #"Transfer-Encoding: chunked" + #"Content-Length: 0")
      :gsub("Content%-Length: 0", "Transfer-Encoding: chunked")
    assert.equal(65534, #chunked)
    for _, size in ipairs { 1, 3, 65537 } do
      assert.equal("hello", read_blocks(in_blocks_of(chunked .. "00005\r\nhello\r\n0\r\n\r\n", size))[4])
      assert.equal("protocol", read_blocks(in_blocks_of(chunked .. "5;\r\nhello\r\n0\r\n\r\n", size))[2])
      assert.equal("protocol", read_blocks(in_blocks_of(chunked .. "5\r\nhello\r\n0\r\na: b\r\n\r\n", size))[2])
    end
  end)
end)

describe("a file", function()
  local FILE = OK .. "Content-Disposition: attachment; filename=a\r\n"

  --- All pieces, taken whenever more than `held_max` bytes are held.
  local function pieces_of(text, size, held_max)
    local reader, pieces = core.http1(false, 10, true), {}
    local said
    for _, block in ipairs(in_blocks_of(text, size)) do
      said = { reader:feed(block) }
      if said[1] == "more" and said[2] > held_max then
        pieces[#pieces + 1] = reader:piece()
        assert.equal(said[2], #pieces[#pieces])
        assert.is_nil(reader:piece())
      end
    end
    local last = reader:piece()
    assert.equal(said[6], #(last or ""))
    pieces[#pieces + 1] = last
    return table.concat(pieces), said
  end

  it("comes in pieces, whatever its size and the limit of other bodies", function()
    local body = ("0123456789"):rep(500)
    for _, size in ipairs { 1, 7, 1000, 100000 } do
      for _, text in ipairs { FILE .. "Content-Length: 5000\r\n\r\n" .. body,
        FILE .. "Transfer-Encoding: chunked\r\n\r\n1388\r\n" .. body .. "\r\n0\r\n\r\n" } do
        local got, said = pieces_of(text, size, 100)
        assert.equal(body, got)
        assert.same({ "done", 200, "", true }, { said[1], said[2], said[4], said[5] })
      end
    end
  end)

  it("is what has one disposition, an attachment, and is a success", function()
    for head, is_file in pairs {
      [FILE] = true,
      [OK .. "content-disposition:ATTACHMENT\r\n"] = true,
      ["HTTP/1.1 299 x\r\nContent-Disposition: attachment\r\n"] = true,
      [OK] = false,
      [OK .. "Content-Disposition: inline\r\n"] = false,
      [OK .. "Content-Disposition: attachments\r\n"] = false,
      [OK .. "X-Content-Disposition: attachment\r\n"] = false,
      [FILE .. "Content-Disposition: attachment\r\n"] = false,
      ["HTTP/1.1 300 x\r\nContent-Disposition: attachment\r\n"] = false,
      ["HTTP/1.1 500 x\r\nContent-Disposition: attachment\r\n"] = false,
      ["HTTP/1.1 103 x\r\nContent-Disposition: attachment\r\n\r\n" .. OK] = false,
    } do
      local got, said = pieces_of(head .. "Content-Length: 5\r\n\r\nhello", 3, 0)
      assert.same({ "done", is_file and "hello" or "", is_file and "" or "hello" }, { said[1], got, said[4] }, head)
    end
  end)

  it("has to be taken in time", function()
    local reader = core.http1(false, 10, true)
    assert.equal("more", (reader:feed(FILE .. "Content-Length: 500000\r\n\r\n")))
    assert.equal("more", (reader:feed(("x"):rep(65536))))
    assert.equal("more", (reader:feed(("x"):rep(65536))))
    assert.has_error(function()
      reader:feed "x"
    end)
  end)
end)

describe("the reader", function()
  it("survives whatever allocation fails", function()
    units "http1"
  end)

  it("takes bytes of its own kind only", function()
    local reader = core.http1(false, 10, false)
    for _, wrong in ipairs { {}, true } do
      assert.has_error(function()
        reader:feed(wrong)
      end)
    end
    assert.has_error(function()
      reader.feed(io.stdout, "x")
    end)
    assert.has_error(function()
      core.http1(false, "x")
    end)
  end)
end)

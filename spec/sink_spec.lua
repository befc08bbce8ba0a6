--- Results that are files: whole, or into a sink of the caller's.

local bed = require "support.bed"
local calls = require "dsclient.call"
local core = require "dsclient.core"
local dsclient = require "dsclient"
local insides = require "support.insides"
local tcp_server = require "support.tcp_server"

local FILE = { full_name = "a.txt" }
local HEADERS = { ["content-disposition"] = 'attachment; filename="a.txt"', ["content-type"] = "application/json" }
local VERSION = "3.2.2"

--- An answer that is a file.
local function file(bytes, headers)
  return { status = 200, headers = headers or HEADERS, body = bytes }
end

local function download(script, opts, options)
  options = options or {}
  options.server_version = VERSION
  local b = bed.new(script, options)
  local value, err = b.client.resources:download(FILE, opts)
  return value, err, b
end

describe("a file", function()
  it("is its bytes, whatever they are, and whatever its type", function()
    for _, bytes in ipairs { "hello", "", '{"code":10103,"msg":"no"}', "a\0b\255\r\n", "null" } do
      assert.equal(bytes, (download { file(bytes) }))
    end
    for _, disposition in ipairs { "attachment", "Attachment;filename=x", "ATTACHMENT ; filename=x" } do
      assert.equal("x", (download { file("x", { ["content-disposition"] = disposition }) }))
    end
  end)

  it("is none where the server says no: an envelope without Content-Disposition", function()
    local value, err = download { bed.refused(10103, "view task instance log error") }
    assert.is_nil(value)
    assert.equal("api", err.kind)
    assert.equal(10103, err.code)
    assert.truthy(err.message:find("view task instance log error", 1, true))
    assert.equal("", (download { bed.ok() }))
  end)

  it("is nothing else: a page, JSON of another kind, an envelope with data", function()
    for _, answer in ipairs { bed.html(), bed.status(200, nil, "{}"), bed.ok "1", file("x", {
      ["content-disposition"] = "inline" }), file("x", { ["content-disposition"] = "attachments" }) } do
      local value, err = download { answer }
      assert.is_nil(value)
      assert.equal("not_api", err.kind)
    end
    local _, err = download({ { status = 500, headers = HEADERS, body = "x" } }, nil, { max_retries = 0 })
    assert.equal("server", err.kind)
  end)

  it("is an array of JSON that no header calls a file: exported definitions", function()
    assert.equal(' [{"code":1}]\n', (download { bed.status(200, nil, ' [{"code":1}]\n') }))
    for _, cut in ipairs { "[{}", "[]x", "[" } do
      local _, err = download { bed.status(200, nil, cut) }
      assert.equal("not_api", err.kind)
    end
  end)

  it("is never cached", function()
    local b = bed.new({ file "x" }, { server_version = VERSION })
    for _ = 1, 2 do
      assert.equal("x", b.client.resources:download(FILE, { ttl_s = 100 }))
    end
    assert.equal(2, #b.requests)
  end)

  it("has 300 s for its attempt: an answer that comes is never too slow", function()
    local answer = file "x"
    answer.takes_s = 299
    assert.equal("x", (download { answer }))
  end)
end)

describe("a sink", function()
  it("is given what a transport keeps whole", function()
    local got
    local value = download({ file "hello" }, { sink = function(piece)
      got = piece
    end })
    assert.same({ bytes = 5 }, value)
    assert.equal("hello", got)
  end)

  it("is not asked where there is nothing for it", function()
    local function never()
      error "asked"
    end
    assert.same({ bytes = 0 }, (download({ file "" }, { sink = never })))
    assert.same({ bytes = 0 }, (download({ bed.ok() }, { sink = never })))
    for _, answer in ipairs { bed.refused(10103), bed.html() } do
      assert.is_nil((download({ answer }, { sink = never })))
    end
  end)

  it("that takes no more ends the call", function()
    for _, refusal in ipairs { { false }, { nil, "disk full" }, { false, "disk full" } } do
      local value, err = download({ file "x" }, { sink = function()
        return refusal[1], refusal[2]
      end })
      assert.is_nil(value)
      assert.equal("argument", err.kind)
      assert.equal("sink", err.argument)
      assert.equal(refusal[2] ~= nil, err.message:find("disk full", 1, true) ~= nil)
    end
    local _, err = download({ file "x" }, { sink = 1 })
    assert.equal("sink", err.argument)
  end)

  it("of a wrong type throws, and so does one where the result is no file", function()
    for _, bad in ipairs { "path", true, {}, -1, 1.5 } do
      assert.has_error(function()
        download({ file "x" }, { sink = bad })
      end)
    end
    local b = bed.new { bed.PAGE }
    assert.has_error(function()
      bed.list(b.client, { sink = print })
    end)
    assert.equal(0, #b.requests)
  end)

  describe("over libcurl", function()
    local server, client

    before_each(function()
      server = tcp_server.start()
    end)

    after_each(function()
      client:close()
      server:stop()
    end)

    local function get(path, opts, options)
      options = options or {}
      options.api_url, options.server_version, options.backoff_s = server.url .. path, VERSION, 0
      client = dsclient.new(options)
      return client.resources:download(FILE, opts)
    end

    local function asked(path)
      return server:ask("count GET " .. path .. "/resources/download?fullName=a.txt")
    end

    --- A sink that keeps all in a table.
    local function collector()
      local pieces = {}
      return function(piece)
        pieces[#pieces + 1] = piece
      end, pieces
    end

    it("gets a large file in pieces, and the memory stays small", function()
      local sum, most, pieces = 0, 0, 0
      collectgarbage()
      collectgarbage()
      local before = collectgarbage "count"
      local value = assert(get("/file/20000000", { sink = function(piece)
        sum, pieces = sum + #piece, pieces + 1
        if pieces % 50 == 0 then -- it takes its time behind all other specs
          collectgarbage() -- what is left is what is kept
          most = math.max(most, collectgarbage "count" - before)
        end
      end }, { body_bytes_max = 1024 }))
      assert.same({ bytes = 20000000 }, value)
      assert.equal(20000000, sum)
      assert.is_true(pieces >= 50 and most < 4096, most .. " KiB")
    end)

    it("may be a file handle or a descriptor", function()
      local handle = assert(io.tmpfile())
      assert.same({ bytes = 300000 }, get("/file/300000", { sink = handle }))
      assert.equal(300000, handle:seek "cur")
      handle:close()
      client:close()
      local uv = require "luv"
      local pipe = uv.pipe()
      assert.same({ bytes = 30000 }, get("/file/30000", { sink = pipe.write }))
      assert.equal(30000, #uv.fs_read(pipe.read, 40000))
      uv.fs_close(pipe.read)
      uv.fs_close(pipe.write)
    end)

    it("that has got a part is never given it again", function()
      local sink, pieces = collector()
      local value, err = get("/cutfile/300000", { sink = sink })
      assert.is_nil(value)
      assert.equal("network", err.kind)
      assert.is_true(#pieces > 0)
      assert.equal(1, asked "/cutfile/300000")
      client:close()
      assert.is_nil((get "/cutfile/300000")) -- what is kept is asked for again
      assert.equal(5, asked "/cutfile/300000")
    end)

    it("that has got nothing yet is asked for again", function()
      local sink, pieces = collector()
      local _, err = get("/reset", { sink = sink })
      assert.equal("network", err.kind)
      assert.equal(4, asked "/reset")
      client:close()
      _, err = get("/nofile", { sink = sink })
      assert.equal(10103, err.code)
      assert.equal(0, #pieces)
    end)

    it("may throw, wait, call the client and close it", function()
      local ok, err = pcall(get, "/file/5000000", { sink = function()
        error("mine", 0)
      end })
      assert.is_false(ok)
      assert.equal("mine", err)
      assert.equal(0, client:status().in_flight)
      assert.equal(0, client:status().open) -- the exchange was cancelled
      client:close()
      local pieces = 0
      assert.same({ bytes = 300000 }, get("/file/300000", { sink = function()
        pieces = pieces + 1
        if pieces == 1 then
          assert.equal(300000, #client.resources:download(FILE))
        end
      end }))
      client:close()
      local value
      value, err = get("/file/5000000", { sink = function()
        client:close()
      end })
      assert.is_nil(value)
      assert.equal("cancelled", err.kind)
    end)

    it("that fails ends the exchange at once", function()
      local value, err = get("/file/5000000", { sink = function()
        return nil, "disk full"
      end })
      assert.is_nil(value)
      assert.equal("argument", err.kind)
      assert.equal("sink", err.argument)
      assert.truthy(err.message:find("disk full", 1, true))
      assert.equal(1, asked "/file/5000000")
    end)
  end)
end)

describe("an answer without an envelope", function()
  local function judged(form, status, content_type, body, disposition)
    local b = bed.new { bed.PAGE }
    local number = core.register(b.client, { name = "op", replay = "read", form = form, timeout_s = 5,
      attempt_timeout_s = 1 })
    local call = core.call(b.client, number)
    local action, first, last = call:answered(status, content_type, "", "", body, 1, 1, disposition)
    return action == "done" and (first and body:sub(first, last) or "") or first, call:report()
  end

  local function bare(body, content_type)
    return judged("bare", 200, content_type or "application/json", body)
  end

  it("is data where its status is SUCCESS", function()
    assert.equal("[1]", (bare '{"status":"SUCCESS","msg":"ok","data":[1]}'))
    assert.equal("", (bare '{"status":"SUCCESS","data":null}'))
    assert.equal("", (bare '{"status":"SUCCESS"}'))
  end)

  it("is an error where its status is another", function()
    local kind, report = bare '{"status":"FAILED","msg":"no\\tway","data":[1]}'
    assert.equal("api", kind)
    assert.equal("no way", report.message)
    assert.is_nil(report.code)
    assert.equal("api", (bare '{"status":"success"}'))
    assert.equal("api", (bare '{"status":""}'))
  end)

  it("is the whole document where it has no status", function()
    for _, text in ipairs { '{"id":7,"data":1}', "[1,2]", '"x"', "7", "true", '{"status":7}', "{}" } do
      assert.equal(text, (bare(" " .. text .. "\n")))
    end
    assert.equal("", (bare "null"))
    assert.equal("", (bare ""))
    assert.equal("", (bare("", "text/html")))
  end)

  it("may be an envelope all the same", function()
    assert.equal("[1]", (bare '{"code":0,"msg":"success","data":[1]}'))
    local kind, report = bare '{"code":10113,"msg":"no","data":null,"status":"SUCCESS"}'
    assert.equal("api", kind)
    assert.equal(10113, report.code)
  end)

  it("is none of the API where it is no JSON, or no whole one", function()
    for _, text in ipairs { "<html>", '{"id":7', "[1]]", "7 8", "nul" } do
      assert.equal("not_api", (bare(text)))
    end
    assert.equal("not_api", (bare("[1]", "text/html")))
    assert.equal("not_api", (judged("bare", 404, "application/json", "{}")))
  end)

  it("is none where the operation has envelopes", function()
    assert.equal("not_api", (judged(nil, 200, "application/json", '{"status":"SUCCESS","data":[1]}')))
    assert.has_error(function()
      judged("other", 200, "application/json", "{}")
    end)
  end)

  it("is a value of the operations that say so", function()
    local b = bed.new({ bed.status(200, nil, '{"status":"SUCCESS","msg":"success","data":[{"id":1}]}') }, {
      server_version = "3.3.1" })
    local row = { name = "a.test", operation = "a.test", method = "GET", path = "/a", replay = "read", result = "list",
      bare = true, params = {} }
    assert.same({ { id = 1 } }, calls.perform(insides(b.client), row, {}))
  end)
end)

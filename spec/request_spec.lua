--- What goes over the wire: each type of argument, each form of a body, and the
-- requests that no operation stands for.

local arguments = require "dsclient.arguments"
local bed = require "support.bed"
local dsclient = require "dsclient"
local errors = require "dsclient.errors"

local CONTEXT = {
  resolve = function(_, value)
    return value
  end,
}

--- The request of a row with these parameters: path, body, content type.
local function request(fields, args, extra)
  local row = { name = "a.test", method = "POST", path = "/a" }
  for name, value in pairs(fields) do
    row[name] = value
  end
  local bound, err = arguments.bind(row, args, CONTEXT, 1)
  if not bound then
    return nil, err
  end
  return arguments.request(row, bound, "workflow", extra)
end

describe("an argument of the type", function()
  local function text_of(kind, value, rules)
    local param = { "it", kind, "it" }
    for name, rule in pairs(rules or {}) do
      param[name] = rule
    end
    local path, err = request({ method = "GET", params = { param } }, { it = value })
    return path and path:match "it=(.*)$", err
  end

  it("integer has a range", function()
    assert.equal("7", text_of("integer", 7, { min = 1, max = 10 }))
    for _, bad in ipairs { 0, 11, 1.5, 2 ^ 31, 0 / 0, 1 / 0 } do
      local text, err = text_of("integer", bad, { min = 1, max = 10 })
      assert.is_nil(text)
      assert.equal("it", err.argument)
    end
  end)

  it("number is any finite one", function()
    assert.equal("1.5", text_of("number", 1.5))
    assert.equal("0.10000000000000001", text_of("number", 0.1))
    for _, bad in ipairs { 0 / 0, 1 / 0, -1 / 0, 5 } do
      assert.is_nil((text_of("number", bad, { max = 4 })))
    end
  end)

  it("boolean is true or false", function()
    assert.equal("true", text_of("boolean", true))
    assert.equal("false", text_of("boolean", false))
    assert.has_error(function()
      text_of("boolean", "true")
    end)
  end)

  it("list is a table, or text with commas; never empty, and no item holds a comma", function()
    assert.equal("1%2C2", text_of("ids", { 1, "2" }))
    assert.equal("1%2C2", text_of("ids", "1,2"))
    assert.equal("5", text_of("ids", 5))
    assert.equal("181535832683296%2C5", text_of("codes", { "181535832683296", 5 }))
    assert.equal("a%2Cb", text_of("strings", { "a", "b" }))
    for kind, bad in pairs { ids = { {}, "", "1,,2", { 1, 0 }, { 2 ^ 31 } }, codes = { { "x" }, { -1 } },
      strings = { { "a,b" }, {} } } do
      for _, value in ipairs(bad) do
        local text, err = text_of(kind, value)
        assert.is_nil(text, kind)
        assert.equal("it", err.argument)
      end
    end
    assert.has_error(function()
      text_of("ids", true)
    end)
  end)
end)

describe("a body", function()
  local PARAMS = {
    { "project", "code", path = true },
    { "code", "code", "workflowCode" },
    { "name", "string", "name" },
    { "on", "boolean", "isOn" },
    { "ratio", "number", "ratio" },
    { "ids", "ids", "ids" },
    { "map", "json", "map" },
    { "dry", "integer", "dryRun", query = true },
  }
  local ARGS = { project = 1, code = "181535832683296", name = 'a"b', on = false, ratio = 0.5, ids = { 1, 2 },
    map = { code = "9" }, dry = 1 }

  it("is a form, unless the row says otherwise", function()
    local path, body, content_type = request({ path = "/p/{project}", params = PARAMS }, ARGS)
    assert.equal("/p/1?dryRun=1", path)
    assert.equal("workflowCode=181535832683296&name=a%22b&isOn=false&ratio=0.5&ids=1%2C2&map=%7B%22code%22%3A9%7D",
      body)
    assert.is_nil(content_type)
  end)

  it("is a JSON object, where codes and ids are numbers", function()
    local path, body, content_type = request({ path = "/p/{project}", body = "json", params = PARAMS }, ARGS,
      { "pageNo", "2" })
    assert.equal("/p/1?dryRun=1", path)
    assert.equal('{"workflowCode":181535832683296,"name":"a\\"b","isOn":false,"ratio":0.5,"ids":"1,2",'
      .. '"map":{"code":9},"pageNo":2}', body)
    assert.equal("application/json", content_type)
  end)

  it("is a JSON object of a GET, too, and empty where nothing is given", function()
    local path, body, content_type = request({ method = "GET", body = "json", params = { PARAMS[3] } }, {})
    assert.same({ "/a", "{}", "application/json" }, { path, body, content_type })
  end)

  it("is a list", function()
    local _, body, content_type = request({ body = "list", params = { { "names", "strings", "names" } } },
      { names = { "a", 'b"' } })
    assert.equal('["a","b\\""]', body)
    assert.equal("application/json", content_type)
  end)

  it("is none of a GET, which may have to say that it sends JSON", function()
    local path, body, content_type = request({ method = "GET", json = true, params = {} }, {})
    assert.same({ "/a", "application/json" }, { path, content_type })
    assert.is_nil(body)
  end)

  it("is an empty JSON object of a POST without parameters that has to say that it sends JSON", function()
    local path, body, content_type = request({ method = "POST", json = true, params = {} }, {})
    assert.same({ "/a", "{}", "application/json" }, { path, body, content_type })
  end)

  it("is of parts where a file is sent; no part has the boundary in it", function()
    local params = { { "type", "enum", "type" }, { "file", "file", "file" } }
    local content = "bytes\0\r\n--dsclient-part-1--\r\n"
    local _, body, content_type = request({ body = "multipart", params = params },
      { type = "FILE", file = { name = "a b.txt", content = content } })
    local boundary = content_type:match "^multipart/form%-data; boundary=(.+)$"
    assert.equal("dsclient-part-2", boundary)
    assert.equal("--" .. boundary .. '\r\nContent-Disposition: form-data; name="type"\r\n\r\nFILE\r\n'
      .. "--" .. boundary .. '\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\n'
      .. "Content-Type: application/octet-stream\r\n\r\n" .. content .. "\r\n--" .. boundary .. "--\r\n", body)
  end)

  it("has a file of the disk, or the error that names it", function()
    local params = { { "file", "file", "file" } }
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write "on disk"
    file:close()
    local _, body = request({ body = "multipart", params = params }, { file = { path = path } })
    os.remove(path)
    assert.truthy(body:find("\r\n\r\non disk\r\n", 1, true))
    assert.truthy(body:find('filename="' .. path:match "[^/]+$" .. '"', 1, true))
    local none, err = request({ body = "multipart", params = params }, { file = { path = path } })
    assert.is_nil(none)
    assert.equal("file", err.argument)
    for _, name in ipairs { 'a"b', "a\r\nb", "" } do
      none, err = request({ body = "multipart", params = params }, { file = { name = name, content = "" } })
      assert.is_nil(none)
      assert.equal("argument", err.kind)
    end
  end)
end)

describe("client:request", function()
  it("goes the way of all calls: token, retries, judgement, codes", function()
    local b = bed.new { bed.status(503), bed.ok '{"code":181535832683296,"name":"x"}' }
    local value = assert(b.client:request { path = "/a/b", query = { x = 1, y = "a b", z = true } })
    assert.same({ code = "181535832683296", name = "x" }, value)
    assert.equal("/a/b?x=1&y=a%20b&z=true", b.requests[2].path)
    assert.equal("GET", b.requests[2].method)
    assert.truthy(table.concat(b.requests[2].headers, "\n"):find("token: secret-token", 1, true))
  end)

  it("is sent once unless it is a read", function()
    for method, class in pairs { POST = "once", PUT = "once", DELETE = "once", GET = "read" } do
      local b = bed.new { bed.status(502), bed.ok "1" }
      local value, err = b.client:request { method = method, path = "/a" }
      assert.equal(class == "read", value ~= nil, method)
      assert.equal(class == "once" and "outcome_unknown" or nil, err and err.kind)
      assert.equal(class == "once", b.requests[1].once)
    end
    local b = bed.new { bed.status(502), bed.ok "1" }
    assert(b.client:request { method = "POST", path = "/a", class = "read" })
  end)

  it("has a form, or JSON", function()
    local b = bed.new { bed.ok() }
    assert(b.client:request { method = "POST", path = "/a", form = { b = 2, a = "x y" }, query = { q = 0.5 } })
    assert.equal("/a?q=0.5", b.requests[1].path)
    assert.equal("a=x%20y&b=2", b.requests[1].body)
    assert(b.client:request { method = "PUT", path = "/a", json = { code = "7", list = dsclient.array {} } })
    assert.equal('{"code":7,"list":[]}', b.requests[2].body)
    assert(b.client:request { method = "PUT", path = "/a", json = "[1]" })
    assert.equal("[1]", b.requests[3].body)
  end)

  it("is cached where a time is given, each request apart, and counted under one name", function()
    local b = bed.new { bed.ok "1", bed.ok "2", bed.ok "3" }
    local opts = { ttl_s = 60 }
    for _, one in ipairs { { "/a", nil, 1 }, { "/a", nil, 1 }, { "/b", nil, 2 }, { "/a", { x = 1 }, 3 } } do
      assert.equal(one[3], assert(b.client:request({ path = one[1], query = one[2] }, opts)).value)
    end
    assert.equal(3, #b.requests)
    assert.equal(4, b.client:get_all_metrics().request.call_count)
  end)

  it("of many paths is counted as one operation", function()
    local b = bed.new { bed.ok "1" }
    for i = 1, 300 do
      assert(b.client:request { path = "/a/" .. i })
    end
    assert.equal(300, b.client:get_all_metrics().request.call_count)
  end)

  it("keeps apart what has the same path", function()
    local b = bed.new { bed.ok() }
    local function check(expected, class, method, more)
      local asked = { path = "/p", class = class, method = method }
      for name, value in pairs(more or {}) do
        asked[name] = value
      end
      assert(b.client:request(asked))
      local last = b.requests[#b.requests]
      assert.same({ method, expected[1], expected[2], class == "once" },
        { last.method, last.path, last.body, last.once })
    end
    for _ = 1, 2 do -- asked for the first time, and again
      for _, class in ipairs { "read", "once" } do
        check({ "/p" }, class, "GET")
        check({ "/p?a=1" }, class, "GET", { query = { a = 1 } })
        check({ "/p?b=1&c=2" }, class, "GET", { query = { c = 2, b = 1 } })
        check({ "/p?b%201%3Ac=2" }, class, "GET", { query = { ["b 1:c"] = 2 } })
        check({ "/p", "a=1" }, class, "POST", { form = { a = 1 } })
        check({ "/p?a=1", "" }, class, "POST", { query = { a = 1 } })
        check({ "/p", "[1]" }, class, "POST", { json = { 1 } })
      end
      for i = 1, 20 do
        check({ "/p?f" .. i .. "=1" }, "read", "GET", { query = { ["f" .. i] = 1 } })
      end
    end
  end)

  it("refuses what it can't send, and says which field", function()
    local b = bed.new { bed.ok() }
    for _, bad in ipairs { "x", {}, { path = "a" }, { path = "/a?b=1" }, { path = "/a b" }, { path = "/a\n" },
      { path = "/a", method = "TRACE" }, { path = "/a", class = "often" }, { path = "/a", form = {}, json = {} },
      { path = "/a", forms = {} }, { path = "/a", query = { x = {} } }, { path = "/a", query = { "x" } },
      { path = "/a", json = 7 }, { path = "/a", query = "x" } } do
      assert.has_error(function()
        b.client:request(bad)
      end)
    end
    assert.equal(0, #b.requests)
  end)

  it("never lets a path lead out of the API", function()
    local b = bed.new { bed.ok() }
    for _, path in ipairs { "/..", "/../x", "/a/../../x", "/./a", "/a/%2e%2e/x", "/a/.%2E", "/%2e/a", "/a/..;/x",
      "/a/%2E%2e;x=1" } do
      assert.has_error(function()
        b.client:request { path = path }
      end)
    end
    for _, path in ipairs { "/..a", "/a/...", "/a/b..", "/a/%252e%252e/b" } do
      assert(b.client:request { path = path })
    end
    b.client:request { path = "/a/{project}" }
    assert.equal("/a/%7Bproject%7D", b.requests[#b.requests].path)
  end)
end)

describe("an argument in JSON", function()
  it("is UTF-8", function()
    local params = { { "name", "string", "name" }, { "names", "strings", "names" }, { "map", "json", "map" } }
    for _, body in ipairs { "json", "list" } do
      for name, bad in pairs { name = "a\255", names = { "\255" }, map = '"\255"' } do
        local path, err = request({ body = body, params = params }, { [name] = bad })
        assert.is_nil(path)
        assert.equal("argument", err.kind)
        assert.equal(name, err.argument)
      end
    end
    assert.equal("name=a%FF", (select(2, request({ params = params }, { name = "a\255" }))))
  end)
end)

describe("JSON text within a JSON body", function()
  it("is one value, and adds no members of its own", function()
    local params = { { "map", "json", "map" } }
    for _, bad in ipairs { '{"a":1},"evil":2', "", "{", "1 2", '{}}{' } do
      for _, kind in ipairs { "json", "list" } do
        local path, err = request({ body = kind, params = params }, { map = bad })
        assert.is_nil(path)
        assert.equal("map", err.argument)
      end
    end
    for _, good in ipairs { "null", "false", "0", ' {"a": [1]} ' } do
      assert.equal('{"map":' .. good .. "}", (select(2, request({ body = "json", params = params }, { map = good }))))
    end
  end)
end)

describe("an argument in a path", function()
  local PARAMS = { { "name", "string", path = true } }

  it("is one step down, whatever it holds", function()
    for given, sent in pairs { ["a/b"] = "a%2Fb", ["%2e%2e"] = "%252e%252e", ["..."] = "...", ["?#"] = "%3F%23",
      ["..;"] = "..%3B", ["\r\n"] = "%0D%0A" } do
      assert.equal("/p/" .. sent .. "/x", (request({ path = "/p/{name}/x", params = PARAMS }, { name = given })))
    end
    for _, bad in ipairs { "", ".", ".." } do
      local path, err = request({ path = "/p/{name}/x", params = PARAMS }, { name = bad })
      assert.is_nil(path)
      assert.equal("argument", err.kind)
      assert.equal("name", err.argument)
    end
  end)
end)

describe("an argument that is a file", function()
  it("has text for what it has, or is thrown", function()
    local params = { { "file", "file", "file" } }
    for _, bad in ipairs { { content = "x", path = 5 }, { path = "/dev/null", content = 5 }, { path = 5, content = 5 },
      { content = "x", name = {} }, { content = "x" } } do
      local ok, path, err = pcall(request, { body = "multipart", params = params }, { file = bad })
      assert.is_nil(ok and path or nil)
      assert.truthy(ok and err.kind == "argument" or tostring(path):find("a.test: argument", 1, true), path)
    end
  end)
end)

describe("errors of arguments", function()
  it("are values", function()
    local _, err = request({ params = { { "it", "id", "it" } } }, { it = 0 })
    assert.is_true(errors.is(err))
    assert.truthy(tostring(err):find("a.test", 1, true))
  end)
end)

local errors = require "dsclient.errors"

describe("an error", function()
  it("is one readable line", function()
    local function shown(fields)
      return tostring(errors.new(fields))
    end
    assert.equal("closed: the client is closed", shown { kind = "closed", message = "the client is closed" })
    assert.equal("instances.list: api 10113: no (2 attempts)",
      shown { kind = "api", operation = "instances.list", code = 10113, status = 200, message = "no",
        attempts = { {}, {} } })
    assert.equal("server (HTTP 503)", shown { kind = "server", status = 503, message = "", attempts = { {} } })
    assert.equal('argument "state": capitals expected',
      shown { kind = "argument", argument = "state", message = "capitals expected" })
    assert.equal("argument: DS_TOKEN: bad",
      shown { kind = "argument", argument = "DS_TOKEN", message = "DS_TOKEN: bad" })
    assert.equal("not_found: x; near: a, b", shown { kind = "not_found", message = "x", near = { "a", "b" } })
  end)

  it("joins with text on either side", function()
    local err = errors.new { kind = "closed" }
    assert.equal("so: closed", "so: " .. err)
    assert.equal("closed!", err .. "!")
    assert.equal("closedclosed", err .. err)
    assert.equal("1closed", 1 .. err)
  end)

  it("is told from any other value", function()
    assert.is_true(errors.is(errors.new { kind = "closed" }))
    for _, other in ipairs { { kind = "closed" }, "closed", 1, print } do
      assert.is_false(errors.is(other))
    end
    assert.is_false(errors.is(nil))
  end)
end)

describe("near", function()
  it("names what is likest, the likest first, five at most", function()
    assert.same({ "alpha" }, errors.near("aplha", { "alpha", "beta", "gamma" }))
    assert.same({ "load", "load_all", "reload_x" }, errors.near("load", { "reload_x", "load_all", "load", "other" }))
    assert.same({ "Sales" }, errors.near("SALES", { "Sales", "other" }))
    local many = {}
    for i = 1, 20 do
      many[i] = "name" .. i
    end
    assert.equal(5, #errors.near("name", many))
    assert.same({ "name1" }, errors.near("name1", many, 1))
    assert.same({}, errors.near("zzz", { "alpha", "beta" }))
    assert.same({}, errors.near("q", { "p" }))
    assert.same({}, errors.near("", {}))
  end)

  it("takes its time neither for long names nor for many", function()
    local long = ("x"):rep(100000)
    assert.same({ long .. "y" }, errors.near(long, { long .. "y", "z" }))
    assert.equal(3, errors.distance("kitten", "sitting"))
    assert.equal(0, errors.distance("", ""))
    assert.equal(4, errors.distance("", "four"))
  end)
end)

describe("a thrown message", function()
  it("names the first caller outside the library, or nobody", function()
    local function caller()
      errors.throw "wrong"
    end
    local _, message = pcall(caller)
    assert.truthy(message:find "errors_spec.lua:%d+: wrong$")
    local co = coroutine.create(errors.throw)
    _, message = coroutine.resume(co, "wrong")
    assert.equal("wrong", message)
  end)

  it("quotes on one line", function()
    assert.equal('"a\\ b \\"c\\" \\0"', (errors.quoted 'a\nb "c" \0'):gsub("\\000", "\\0"))
    assert.is_nil((errors.quoted(("\1\2\27\127\r\n"):rep(5))):find "%c")
  end)
end)

describe("a raised error", function()
  it("keeps its value, and says where the caller stands", function()
    local err = errors.new { kind = "closed" }
    local _, thrown = pcall(function()
      errors.raise(err)
    end)
    assert.is_true(rawequal(err, thrown))
    assert.truthy(tostring(thrown):find "^%S*errors_spec.lua:%d+: closed$")
  end)
end)

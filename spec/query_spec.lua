local operations = require "dsclient.operations"
local query = require "dsclient.query"

local function arguments(name, texts)
  return query.arguments(operations.find(name), texts)
end

describe("arguments that come as texts", function()
  it("become what their parameters are", function()
    assert.same({ project = "7", state = "FAILURE", start_date = 1767225600, end_date = "2026-01-02", limit = 5 },
      arguments("instances.list", { project = "7", state = "FAILURE", start_date = "1767225600",
        end_date = "2026-01-02", limit = "5" }))
    assert.same({ project = "etl", size = -3, start_time = "x", end_time = "" },
      arguments("instances.top_n", { project = "etl", size = "-3", start_time = "x", end_time = "" }))
  end)

  it("may be several where a list is expected", function()
    local row = { name = "x", params = { { "codes", "codes" }, { "names", "strings" } } }
    local texts = { codes = { "1", "2" }, names = "a,b" }
    assert.same(texts, (query.arguments(row, texts)))
  end)

  it("are errors, and never throw, whatever they are", function()
    for _, case in ipairs {
      { "projects.list", { serach = "x" }, "serach", "there is no such argument" },
      { "projects.list", { rows_max = "5" }, "rows_max", "there is no such argument" },
      { "projects.list", { ["a\nb"] = "5" }, "a b", "there is no such argument" },
      { "projects.list", { search = true }, "search", "it has no value" },
      { "projects.list", { search = { "a", "b" } }, "search", "it is given more than once" },
      { "projects.list", { limit = "1e3" }, "limit", "a whole number expected" },
      { "projects.list", { limit = "" }, "limit", "a whole number expected" },
      { "projects.list", { limit = ("1"):rep(400) }, "limit", "a whole number expected" },
      { "instances.list", {}, "project", "project is missing" },
      { "instances.top_n", { project = "1", size = "1", start_time = "x" }, "end_time", "end_time is missing" },
    } do
      local args, err = arguments(case[1], case[2])
      assert.is_nil(args)
      assert.same({ "argument", case[1], case[3], case[4] }, { err.kind, err.operation, err.argument, err.message })
    end
    local _, err = arguments("projects.list", { serach = "x" })
    assert.same({ "search" }, err.near)
  end)

  it("are read for each type that an operation has", function()
    local row = { name = "x", params = { { "flag", "boolean" }, { "share", "number" } } }
    assert.same({ flag = true, share = 0.5 }, (query.arguments(row, { flag = "true", share = "0.5" })))
    assert.same({ flag = false, share = -2 }, (query.arguments(row, { flag = "false", share = "-2" })))
    for _, texts in ipairs { { flag = "yes" }, { share = "1e5" }, { share = "" }, { share = "0x10" } } do
      local args, err = query.arguments(row, texts)
      assert.is_nil(args)
      assert.equal("argument", err.kind)
    end
  end)
end)

local glob = require "dsclient.glob"

describe("a glob", function()
  it("is the name itself, * any text, ? one character", function()
    for _, case in ipairs {
      { "etl", "etl", true }, { "etl", "etl2", false }, { "etl", "xetl", false },
      { "etl*", "etl", true }, { "etl*", "etl_1", true }, { "*etl", "my etl", true }, { "*", "", true },
      { "etl_?", "etl_1", true }, { "etl_?", "etl_", false }, { "etl_?", "etl_12", false },
      { "a*b*c", "a-b-b-c", true }, { "a*b*c", "a-c-b", false },
    } do
      assert.equal(case[3], glob.any({ case[1] }, case[2]), case[1] .. " " .. case[2])
    end
  end)

  it("has no other special characters", function()
    for _, name in ipairs { "a.b", "a-b", "a+b", "(a)", "[a]", "a%b", "^a", "a$", "50%" } do
      assert.is_true(glob.any({ name }, name), name)
    end
    assert.is_false(glob.any({ "a.b" }, "axb"))
    assert.is_false(glob.any({ "[ab]" }, "a"))
    assert.is_false(glob.any({ "%a" }, "x"))
  end)

  it("counts characters, not bytes", function()
    assert.is_true(glob.any({ "数?_1" }, "数据_1"))
    assert.is_false(glob.any({ "数???_1" }, "数据_1"))
    assert.is_true(glob.any({ "*据*" }, "数据_1"))
  end)

  it("is one of several", function()
    assert.is_true(glob.any({ "a", "b*" }, "bc"))
    assert.is_false(glob.any({}, "a"))
  end)
end)

describe("a pair of globs", function()
  it("is parted by its first slash", function()
    assert.same({ project = "a", workflow = "b/c" }, glob.pair "a/b/c")
    assert.is_nil(glob.pair "a")
    assert.is_nil(glob.pair "/b")
    assert.is_nil(glob.pair "a/")
  end)

  it("matches when both do", function()
    local pairs_of_globs = { glob.pair "dw/load_*", glob.pair "etl_*/x" }
    assert.is_true(glob.any_pair(pairs_of_globs, "dw", "load_1"))
    assert.is_true(glob.any_pair(pairs_of_globs, "etl_2", "x"))
    assert.is_false(glob.any_pair(pairs_of_globs, "dw", "x"))
    assert.is_false(glob.any_pair(pairs_of_globs, "etl_2", "load_1"))
    assert.is_false(glob.any_pair({}, "dw", "load_1"))
  end)
end)

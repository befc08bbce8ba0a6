--- Help, and what docs/generate.lua makes of the operations table.

local calls = require "dsclient.call"
local help = require "dsclient.help"
local lines = require "support.lines"
local operations = require "dsclient.operations"
local options = require "dsclient.options"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function each_row(fn)
  for _, resource in ipairs(operations.RESOURCES) do
    for _, row in ipairs(help.rows_of(resource)) do
      fn(row)
    end
  end
end

describe("help.list", function()
  it("gives the operations whose names have the text, sorted", function()
    local names, before = {}, ""
    for _, found in ipairs(help.list "instances.ex") do
      assert.is_true(before < found.name)
      assert.truthy(found.name:find("instances.ex", 1, true))
      assert.equal(operations.find(found.name).summary, found.summary)
      before, names[found.name] = found.name, true
    end
    assert.is_true(names["instances.execute"])
    assert.is_nil(names["instances.list"])
    assert.same(help.list "INSTANCES.EX", help.list "instances.ex")
  end)

  it("gives all without a text, none where there is none", function()
    assert.is_true(#help.list() > #operations.names())
    assert.same({}, help.list "no such thing")
  end)

  it("throws where the text is none", function()
    assert.has_error(function()
      help.list(5)
    end, "operations: a part of a name expected, got number")
  end)
end)

describe("help.text", function()
  it("tells all of an operation", function()
    local text = help.text "instances.execute"
    for _, part in ipairs {
      "client.instances:execute{project = …, instance_id = …, execute_type = …",
      "\n  instance_id ", "required", "\n  request  POST /projects/{project}/executors/execute\n",
      "\n  gives    true\n",
      "\n  class    once: ", "one call at a time for each instance_id"
    } do
      assert.truthy(text:find(part, 1, true), part .. " is not in\n" .. text)
    end
  end)

  it("shows what may be left out in brackets, and how long a result is kept", function()
    local text = help.text "projects.list"
    assert.truthy(text:find("client.projects:list{[search = …]}", 1, true), text)
    assert.truthy(text:find("\n  cached   for 1 h\n", 1, true), text)
  end)

  it("lists a resource", function()
    local text = help.text "instances"
    each_row(function(row)
      if row.resource == "instances" then
        assert.truthy(text:find("\n  " .. row.verb .. " ", 1, true), row.verb)
      end
    end)
    assert.truthy(text:find("\n  recover ", 1, true))
  end)

  it("tells of what is beside the operations", function()
    assert.same({ "instances.diagnose" }, { help.list("diag")[1].name })
    local text = help.text "instances.diagnose"
    assert.equal("client.instances:diagnose({project = …, instance_id = …}, opts)\n", text:match "^.-\n")
    assert.truthy(text:find("likely cause", 1, true))
  end)

  it("shows the seed's names as they are called", function()
    local text = help.text "execute_failure_recovery"
    assert.equal("client:execute_failure_recovery(project, instance_id, opts)\n", text:match "^.-\n")
    assert.truthy(text:find("instances.execute", 1, true))
  end)

  it("gives nil, and the names that are near, for what is none", function()
    local text, near = help.text "instances.exekute"
    assert.is_nil(text)
    assert.equal("instances.execute", near[1])
    text, near = help.text "project"
    assert.is_nil(text)
    assert.truthy((" " .. table.concat(near, " ") .. " "):find(" projects ", 1, true))
    assert.has_error(function()
      help.text(5)
    end, "help: the name of an operation or a resource expected, got number")
  end)

  it("lists the resources where no name is given", function()
    local text = help.text()
    for _, resource in ipairs(operations.RESOURCES) do
      assert.truthy(("\n" .. text):find("\n  " .. resource .. " ", 1, true), resource)
    end
  end)

  it("has a text for every name, in lines of 100 columns", function()
    local names = {}
    for _, found in ipairs(help.list()) do
      names[#names + 1] = found.name
    end
    for _, resource in ipairs(operations.RESOURCES) do
      names[#names + 1] = resource
    end
    for _, name in ipairs(names) do
      for line in assert(help.text(name), name):gmatch "[^\n]+" do
        assert.is_true(#line:gsub("[\128-\191]", "") <= 100, name .. ": " .. line)
        assert.is_nil(line:find "%s$", name .. ": " .. line)
      end
    end
  end)
end)

describe("help", function()
  it("says of each resource what it is", function()
    for _, resource in ipairs(operations.RESOURCES) do
      assert.is_string(help.ABOUT[resource], resource)
    end
    for resource in pairs(help.ABOUT) do
      assert.is_table(operations.of(resource), resource .. " is none")
    end
  end)

  it("tells of each method that lua/dsclient/composed/ makes", function()
    for _, line in ipairs(lines "grep -h '^--- client[.]' lua/dsclient/composed/*.lua") do
      local resource, name = line:match "^%-%-%- client%.([%w_]+):([%w_]+)"
      assert.is_string(help.text(resource .. "." .. name), line)
    end
  end)

  it("knows each type, result and class that a row has", function()
    local known = {}
    for _, type in ipairs(help.TYPES) do
      for _, name in ipairs(type.names) do
        known[name] = true
      end
    end
    each_row(function(row)
      assert.is_string(help.RESULTS[row.result], row.operation)
      assert.is_string(help.CLASSES[row.replay], row.operation)
      for _, param in ipairs(row.params) do
        assert.is_true(known[param[2]], row.operation .. ": " .. tostring(param[2]))
      end
    end)
  end)

  it("tells lines, times and notes in words", function()
    assert.is_nil(help.lines {})
    assert.equal("from 3.2 on", help.lines { since = "3.2" })
    assert.equal("up to 3.1", help.lines { upto = "3.1" })
    assert.equal("from 3.0 to 3.1", help.lines { since = "3.0", upto = "3.1" })
    assert.equal("3.2 only", help.lines { since = "3.2", upto = "3.2" })
    assert.equal("1 h", help.duration(3600))
    assert.equal("5 min", help.duration(300))
    assert.equal("90 s", help.duration(90))
    local param = { "n", "integer", default = 1, min = 1, max = 100, since = "3.1", help = "how many" }
    assert.same({ "default `1`", "1 to 100", "from 3.1 on", "how many" }, help.notes(param))
    assert.same({ 'default `""`', "at most 9" }, help.notes { "s", "string", default = "", max = 9 })
    assert.equal("known: `A`, `B`", help.values { "e", "enum", values = "A B" })
    assert.same({ "success, too, where the server says that it was so before (10018)", "slow" },
      help.remarks { already = { 10018 }, traps = { "slow" } })
  end)
end)

describe("docs/generate.lua", function()
  local function check(folder)
    local pipe = io.popen(("cd %s && lua5.4 docs/generate.lua --check 2>&1; echo $?"):format(folder))
    local said = pipe:read "*a"
    pipe:close()
    return said
  end

  it("finds both files as they are to be", function()
    assert.equal("0\n", check ".")
  end)

  it("finds one that is not", function()
    local copy = "build/stale_docs"
    os.execute(("rm -rf %s && mkdir -p %s && cp -R docs types lua %s"):format(copy, copy, copy))
    local file = assert(io.open(copy .. "/types/dsclient.lua", "a"))
    file:write "\n"
    file:close()
    assert.equal("types/dsclient.lua is not what the table says: run `make docs`\n1\n", check(copy))
  end)
end)

describe("docs/operations.md", function()
  local text = read "docs/operations.md"

  it("has each operation, in its table and in a section", function()
    each_row(function(row)
      local anchor = "#" .. row.operation:gsub("%.", "")
      assert.truthy(text:find(("\n| [%s](%s) |"):format(row.verb, anchor), 1, true), row.operation)
      assert.truthy(text:find("\n### " .. row.operation .. "\n", 1, true), row.operation)
    end)
  end)

  it("has no link that leads nowhere, and no two headings of one name", function()
    local anchors = {}
    for heading in text:gmatch "\n#+ ([^\n]+)" do
      local anchor = heading:lower():gsub("[^%w_ -]", ""):gsub(" ", "-")
      assert.is_nil(anchors[anchor], heading)
      anchors[anchor] = true
    end
    for anchor in text:gmatch "%]%(#([^)]+)%)" do
      assert.is_true(anchors[anchor], anchor)
    end
    for file in text:gmatch "%]%(([^#)]+)%)" do
      assert.is_string(read("docs/" .. file))
    end
  end)

  it("names the call options", function()
    for name in pairs(calls.OPTIONS) do
      assert.truthy(text:find("`" .. name .. "`", 1, true), name)
    end
  end)
end)

describe("types/dsclient.lua", function()
  local text = read "types/dsclient.lua"

  --- The names of the fields of a class.
  local function fields_of(class)
    local body = text:match("\n%-%-%-@class " .. class:gsub("%.", "%%.") .. "%f[%s](.-)\n\n")
    local fields = {}
    for name in assert(body, class):gmatch "%-%-%-@field ([%w_]+)" do
      fields[name] = true
    end
    return fields
  end

  it("is Lua on each VM", function()
    assert.is_table(assert(loadfile "types/dsclient.lua")())
  end)

  it("uses no type that it does not define", function()
    local defined = {}
    for tag, name in text:gmatch "\n%-%-%-@(%l+) (dsclient[%w_.]*)" do
      if tag == "class" or tag == "alias" then
        assert.is_nil(defined[name], name .. " is defined twice")
        defined[name] = true
      end
    end
    for line in text:gmatch "%-%-%-@[^\n]+" do
      for name in line:gmatch "%f[%w_.\"]dsclient%.[%w_.]+" do
        assert.is_true(defined[name], name)
      end
    end
  end)

  it("has a method for each operation, and a field for each parameter", function()
    each_row(function(row)
      assert.truthy(text:find(("\nfunction %s:%s(args, opts) end\n"):format(row.resource, row.verb), 1, true),
        row.operation)
      local fields = fields_of("dsclient." .. row.operation .. ".args")
      for _, param in ipairs(row.params) do
        assert.is_true(fields[param[1]], row.operation .. ": " .. param[1])
      end
    end)
  end)

  it("tells the options of all that takes some beside the operations", function()
    for resource, list in pairs(help.BESIDE) do
      for _, one in ipairs(list) do
        local takes = one[2]:find "opts" ~= nil or one[1] == "follow"
        assert.equal(takes, help.text(resource .. "." .. one[1]):find "\n  opts " ~= nil, one[1])
      end
    end
  end)

  it("has a method for all that is beside the operations", function()
    for resource, list in pairs(help.BESIDE) do
      for _, one in ipairs(list) do
        assert.truthy(text:find(("\nfunction %s:%s("):format(resource, one[1]), 1, true), one[1])
      end
    end
  end)

  it("has every option of a client and of a call, and no other", function()
    local function keys(set)
      local names = {}
      for name in pairs(set) do
        names[name] = true
      end
      return names
    end
    assert.same(keys(options.CLIENT), fields_of "dsclient.options")
    assert.same(keys(options.TLS), fields_of "dsclient.tls")
    assert.same(keys(options.RATE_LIMIT), fields_of "dsclient.rate_limit")
    assert.same(keys(options.OPERATION), fields_of "dsclient.operation_options")
    assert.same(keys(calls.OPTIONS), fields_of "dsclient.call_options")
  end)

  it("has the methods that init.lua writes by hand", function()
    local source = read "lua/dsclient/init.lua"
    for _, pattern in ipairs { "\nfunction Client:(%l[%w_]*)", "\nClient%.([%w_]+) =", 'list_alias%("([%w_]+)"',
      'below_project%(?%s*"([%w_]+)"' } do
      for name in source:gmatch(pattern) do
        assert.truthy(text:find("\nfunction client:" .. name .. "(", 1, true), name)
      end
    end
    for name in source:gmatch "\nfunction _M%.([%w_]+)" do
      assert.truthy(text:find("\nfunction dsclient." .. name .. "(", 1, true), name)
    end
  end)
end)

local cjson = require "cjson"
local core = require "dsclient.core"
local finaliser = require "support.finaliser"
local normal_form = require "support.normal_form"
local units = require "support.units"

local difference = normal_form.difference
local null = core.null
local INTEGERS = math.type ~= nil
local function read(text, ...) return core.decode(text, ...) end

local function kind_of_number(n) return INTEGERS and math.type(n) or "number" end

--- A small generator of its own, so that a seed gives the same text on every VM.
local function chance(seed)
  local state = seed % 2147483647 + 1
  for _ = 1, 5 do state = state * 16807 % 2147483647 end
  return function(n)
    state = state * 16807 % 2147483647
    return state % n + 1
  end
end

describe("core.decode", function()
  it("reads each kind of value", function()
    assert.is_nil(difference({ a = 1, b = "x", c = true, d = false, e = { 1.5, null, {} } },
      read ' {"a" : 1 ,"b":"x",\t"c":true,"d":false,\r\n"e":[1.5,null,{}],"f":null} '))
    assert.equal("x", read '"x"')
    assert.equal(null, read "null")
    assert.equal(false, read "false")
    assert.is_nil(difference({ f = null }, read('{"f":null}', true)))
  end)

  it("marks arrays, and only them", function()
    local value = read '{"list":[],"object":{}}'
    assert.equal(core.array_mt, getmetatable(value.list))
    assert.equal("array", getmetatable(value.list).__jsontype)
    assert.is_nil(getmetatable(value.object))
    assert.is_nil(getmetatable(value))
  end)

  it("keeps integers integers, and changes the value of none", function()
    assert.equal("9007199254740992", ("%.0f"):format(read "9007199254740992"))
    assert.equal("-9007199254740992", ("%.0f"):format(read "-9007199254740992"))
    if INTEGERS then
      for _, text in ipairs { "0", "7", "-1", "183125606400064", "9223372036854775807", "-9223372036854775808" } do
        local value = read(text)
        assert.equal("integer", math.type(value))
        assert.equal(text, tostring(value))
      end
    else
      assert.equal("9007199254740993", read "9007199254740993")
      assert.equal("-9007199254740993", read "-9007199254740993")
      assert.equal("183125606400064", ("%.0f"):format(read "183125606400064"))
    end
    assert.equal("9223372036854775808", read "9223372036854775808")
    assert.equal("-9223372036854775809", read "-9223372036854775809")
    assert.equal("12345678901234567890123", read "12345678901234567890123")
    assert.equal("1e999", read "1e999")
    assert.equal(INTEGERS and "float" or "number", kind_of_number(read "1.0"))
    assert.equal(INTEGERS and "float" or "number", kind_of_number(read "1e3"))
    assert.equal(1000, read "1e3")
  end)

  it("rounds numbers as strtod does, however they are written", function()
    for _, text in ipairs { "0.1", "1e-7", "123456789.123456789", "1.7976931348623157e308", "5e-324", "2.5e-324",
      "2.4e-324", "9007199254740993.0", "9007199254740993.00000000000000000000000000001", "0.000001e6", "1E+2",
      "-0.0", "1e-400", "0." .. ("0"):rep(400) .. "1e401", "1" .. ("0"):rep(900) .. "e-900",
      "9007199254740993." .. ("0"):rep(900) .. "1", ("1"):rep(1000) .. "e-999" } do
      assert.equal(tonumber(text), read(text), text)
    end
    assert.equal(0, read "0e999999999999")
    assert.equal(0, read "1e-99999999999") -- LuaJIT's tonumber takes it for no number
  end)

  it("undoes escapes", function()
    assert.equal('"\\/\b\f\n\r\t', read [["\"\\\/\b\f\n\r\t"]])
    assert.equal("\0A\195\169\226\130\172\240\159\152\128", read [["\u0000\u0041\u00e9\u20AC\ud83d\uDE00"]])
    assert.equal("\238\128\128\239\191\191", read [["\ue000\uffff"]])
    local long = ("\\n" .. ("x"):rep(90)):rep(100)
    assert.equal((("\n" .. ("x"):rep(90)):rep(100)), read('"' .. long .. '"'))
    assert.is_nil(difference({ ["a\nb"] = 1 }, read [[{"a\nb":1}]]))
  end)

  local refused = {
    [""] = 1, [" "] = 2, ["nul"] = 1, ["True"] = 1, ["NaN"] = 1, ["Infinity"] = 1, ["-"] = 2, ["+1"] = 1,
    ["01"] = 2, ["-01"] = 3, ["0x10"] = 2, ["1."] = 3, [".5"] = 1, ["1e"] = 3, ["1e+"] = 4, ["-a"] = 2,
    ["[1,]"] = 4, ["[,1]"] = 2, ["[1 2]"] = 4, ["[1}"] = 3, ["["] = 2, ["[1"] = 3, ["]"] = 1,
    ["{"] = 2, ['{"a"}'] = 5, ['{"a":}'] = 6, ['{"a":1,}'] = 8, ["{a:1}"] = 2, ["{1:1}"] = 2, ['{"a":1]'] = 7,
    ["{,}"] = 2, ["'a'"] = 1, ["1 2"] = 3, ["1\0"] = 2, ["{}x"] = 3, ["[] ,"] = 4, ["/* */ 1"] = 1,
    ['"'] = 2, ['"abc'] = 5, ['"\\"'] = 4, ['"a\nb"'] = 3, ['"\0"'] = 2, ['"\127\31"'] = 3,
    ['"\\x"'] = 2, ['"\\u12"'] = 2, ['"\\u12g4"'] = 2, ['"\\ud800"'] = 2, ['"\\ud800\\u0041"'] = 2,
    ['"\\udc00"'] = 2, ['"\\ud800x"'] = 2, ['"\\ud800\\nABCD"'] = 2, ['"\\"x'] = 5, ["\239\187\191{}"] = 1,
    ['"\128"'] = 2, ['"\192\175"'] = 2, ['"\195"'] = 2, ['"\224\159\191"'] = 2, ['"\237\160\128"'] = 2,
    ['"\240\143\191\191"'] = 2, ['"\244\144\128\128"'] = 2, ['"\245\128\128\128"'] = 2, ['"abcdefghij\255"'] = 12,
  }
  it("refuses what is not JSON, and says where", function()
    for text, at in pairs(refused) do
      local value, message = read(text)
      assert.is_nil(value, text)
      assert.truthy(message:find("invalid JSON at byte " .. at .. ":", 1, true), text .. ": " .. message)
    end
  end)

  it("takes the first and the last of each length of UTF-8", function()
    for _, text in ipairs { "\0", "\127", "\194\128", "\223\191", "\224\160\128", "\237\159\191", "\238\128\128",
      "\239\191\191", "\240\144\128\128", "\244\143\191\191" } do
      assert.equal(text, read(core.encode(text)))
    end
    units "texts"
  end)

  it("refuses each text that was cut", function()
    local text = [[{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00"],"b":{"c":null,"d":true}}]]
    assert.truthy(read(text))
    for length = 0, #text - 1 do assert.is_nil((read(text:sub(1, length))), text:sub(1, length)) end
  end)

  it("reads 100 levels and refuses the next", function()
    assert.truthy(read(("["):rep(100) .. ("]"):rep(100)))
    assert.truthy(read(('{"a":'):rep(99) .. "[]" .. ("}"):rep(99)))
    assert.truthy(select(2, read(("["):rep(101) .. ("]"):rep(101))):find("byte 101: nested too deep", 1, true))
    assert.is_nil((read(('{"a":'):rep(100) .. "[]" .. ("}"):rep(100))))
    assert.is_nil((read(("["):rep(1000000))))
  end)

  it("does not let a wide row size its small neighbours for ever", function()
    local wide = {}
    for i = 1, 2000 do wide[i] = ('"k%d":1'):format(i) end
    local text = "[{" .. table.concat(wide, ",") .. "}" .. (',{"a":1}'):rep(2000) .. "]"
    collectgarbage() collectgarbage()
    local before = collectgarbage "count"
    local value = read(text)
    collectgarbage() collectgarbage()
    assert.truthy(collectgarbage "count" - before < 2000)
    assert.equal(2001, #value)
  end)
end)

describe("core.encode", function()
  it("writes the same text for the same value", function()
    assert.equal('{"":"","a":[],"aa":1,"aaaaaaaaa":3,"aaaaaaaab":2,"b":{},"c":[1,2.5,null,true,false]}',
      core.encode { aaaaaaaab = 2, aaaaaaaaa = 3, a = core.array {}, b = {}, c = { 1, 2.5, null, true, false },
        [""] = "", aa = 1 })
    local many, expected = {}, {}
    for i = 1, 1000 do
      many[("k%04d"):format(i)] = i
      expected[i] = ('"k%04d":%d'):format(i, i)
    end
    assert.equal("{" .. table.concat(expected, ",") .. "}", core.encode(many))
  end)

  it("escapes what must be escaped", function()
    assert.equal([["\"\\/\b\f\n\r\t\u0000\u001f]] .. '\127é€😀"', core.encode '"\\/\b\f\n\r\t\0\31\127é€😀')
    assert.equal([[{"a\nb":1}]], core.encode { ["a\nb"] = 1 })
  end)

  it("writes numbers so that they read back as the same", function()
    local point = INTEGERS and ".0" or "" -- a float stays a float
    assert.equal("7" .. point, core.encode(7.0))
    assert.equal("-9007199254740992" .. point, core.encode(-2.0 ^ 53))
    assert.equal("[7,-9007199254740992]", core.encode({ 7.0, -2.0 ^ 53 }, true))
    assert.equal(kind_of_number(1e3), kind_of_number(read(core.encode(1e3))))
    assert.equal("183125606400064", core.encode(183125606400064))
    assert.equal("0.1", core.encode(0.1))
    assert.equal("9007199254740994.0", core.encode(2.0 ^ 53 + 2))
    assert.equal("1e+300", core.encode(1e300))
    assert.equal("-0.0", core.encode(-0.0 * 1))
    local random = chance(42)
    for _ = 1, 3000 do
      local number = (random(2 ^ 31 - 2) + random(2 ^ 31 - 2) / 2 ^ 31) * 2 ^ (random(600) - 300)
      local text = core.encode(number)
      assert.equal(number, read(text), text)
      assert.equal(number, tonumber(text), text)
    end
    if INTEGERS then
      assert.equal("9223372036854775807", core.encode(math.maxinteger))
      assert.equal("-9223372036854775808", core.encode(math.mininteger))
    end
  end)

  it("refuses what has no JSON form", function()
    local circle = {}
    circle[1] = circle
    local refused = {
      ["not finite"] = { 0 / 0, 1 / 0, -1 / 0, { a = { 0 / 0 } } },
      ["neither text"] = { print, coroutine.create(function() end), io.stdout, { f = print } },
      ["neither strings only nor 1 to n"] = { { 1, 2, a = 1 }, { [2] = 1 }, { [0] = 1 }, { [1.5] = 1 },
        { [true] = 1 }, { [5491293127424] = 1 }, { 1, nil, 3 }, { [{}] = 1 } },
      ["keys other than 1 to n"] = { core.array { a = 1 }, core.array { [3] = 1 } },
      ["not UTF-8"] = { "\255", { ["\192\175"] = 1 }, "a\237\160\128" },
      ["too deep, or in a circle"] = { circle, { a = circle } },
    }
    for reason, values in pairs(refused) do
      for _, value in ipairs(values) do
        local text, message = core.encode(value)
        assert.is_nil(text)
        assert.truthy(message:find(reason, 1, true), message)
      end
    end
    assert.is_nil((core.encode(nil)))
    assert.has_error(function() core.encode() end)
    assert.equal('"next time"', core.encode "next time")
  end)

  it("writes all of a text or says that it is full, into room of any size", function()
    units "full"
  end)

  it("has a largest text", function()
    local part = ("x"):rep(2 ^ 22)
    local parts = {}
    for i = 1, 17 do parts[i] = part end
    local text, message = core.encode(parts)
    assert.is_nil(text)
    assert.truthy(message:find("too large", 1, true))
  end)

  it("writes codes as bare integers on the wire only", function()
    local row = { projectCode = "183125606400064", environmentCode = "-1", preTaskCode = "0", name = "12",
      code = "abc", taskCode = "007", postTaskCode = "9223372036854775808", workflowDefinitionCode = "",
      processDefinitionCode = " 1", tenantCode = "5", clusterCode = { "1" } }
    assert.equal('{"clusterCode":["1"],"code":"abc","environmentCode":-1,"name":"12",'
      .. '"postTaskCode":"9223372036854775808","preTaskCode":0,"processDefinitionCode":" 1",'
      .. '"projectCode":183125606400064,"taskCode":"007","tenantCode":"5","workflowDefinitionCode":""}',
      core.encode(row, true))
    assert.equal('{"environmentCode":"-1"}', core.encode { environmentCode = "-1" })
  end)

  it("gives back a definition as it was read", function()
    local text = '{"code":183125606400064,"environmentCode":-1,"list":[],"map":{},"preTaskCode":0,'
      .. '"tasks":[{"code":183125606400065,"delay":1.5,"name":"a\\"b","tenantCode":"t"}],"version":3}'
    assert.equal(text, core.encode(core.shape {}:decode(text), true))
  end)

  it("may be called by a finaliser while it works", function()
    local value = { list = { 1, "two", { three = 3 } }, name = ("x"):rep(300) }
    local expected = core.encode(value)
    local function nested() core.encode { ("y"):rep(5000) } end
    finaliser.rounds(400, function()
      return nested, function()
        for _ = 1, 5 do
          local text = core.encode(value)
          assert.equal(expected, text)
        end
      end
    end)
  end)

  it("never runs Lua code of the value", function()
    local proxy = setmetatable({}, { __index = function() error "asked" end, __pairs = function() error "asked" end,
      __len = function() error "asked" end })
    assert.equal("[{}]", core.encode { proxy })
  end)
end)

describe("core.array and core.null", function()
  it("marks a table as an array", function()
    assert.equal("[]", core.encode(core.array()))
    local list = { 1 }
    assert.equal(list, core.array(list))
    assert.equal(core.array_mt, getmetatable(list))
    assert.has_error(function() core.array(1) end)
  end)

  it("is the null of cjson", function()
    assert.equal(cjson.null, null)
    assert.equal("null", core.encode(null))
  end)
end)

describe("core.shape", function()
  local text = '{"code":7,"projectCode":183125606400064,"environmentCode":-1,"preTaskCode":0,"tenantCode":7,'
    .. '"exitCode":7,"taskCode":1.0,"triggerCode":"12","clusterCode":true,"c\\u006fde2":1,"workflowC\\u006fde":5,'
    .. '"taskDefinitionCode":123456789012345678901234567890,"nothing":null,"list":[null],"deep":[{"code":1}]}'

  it("makes strings of codes and leaves nulls out", function()
    assert.is_nil(difference({ code = "7", projectCode = "183125606400064", environmentCode = "-1", preTaskCode = "0",
      tenantCode = 7, exitCode = 7, taskCode = 1, triggerCode = "12", clusterCode = true, code2 = 1,
      workflowCode = "5", taskDefinitionCode = "123456789012345678901234567890", list = { null },
      deep = { { code = "1" } } }, core.shape {}:decode(text)))
  end)

  it("leaves all as it is when raw", function()
    local shape = core.shape { raw = true, rename = { code = "number" }, rows = "instance", codes = { "exitCode" } }
    assert.is_nil(difference(read(text, true), shape:decode(text)))
    assert.equal(null, shape:decode(text).nothing)
  end)

  it("reads the codes that a row names", function()
    local bare = core.shape { codes = { "data" } }
    assert.equal("183125606400064", bare:decode "183125606400064")
    assert.is_nil(difference({ 1 }, bare:decode "[1]"))
    local list = core.shape { codes = { "data[]" } }
    assert.is_nil(difference({ "1", "-2", 1.5, "x", { 3 }, { a = 4 } }, list:decode '[1,-2,1.5,"x",[3],{"a":4}]'))
    assert.equal(1, list:decode "1")
    local gantt = core.shape { codes = { "taskNames[]", "upstream" } }
    assert.is_nil(difference({ taskNames = { "1", "2" }, upstream = "3", deep = { taskNames = { "4", { 5 } } } },
      gantt:decode '{"taskNames":[1,2],"upstream":3,"deep":{"taskNames":[4,[5]]}}'))
    assert.is_nil(difference({ taskNames = 5, upstream = { 6 } }, gantt:decode '{"taskNames":5,"upstream":[6]}'))
  end)

  it("gives keys of older lines their newest names", function()
    local shape = core.shape { rename = { processDefinitionCode = "workflowDefinitionCode", isSubProcess = "isSub",
      old = "tenantCode", ["number"] = "code" } }
    assert.is_nil(difference({ workflowDefinitionCode = "1", isSub = "NO", tenantCode = 2, code = "3",
      list = { { workflowDefinitionCode = "4" } } }, shape:decode
      '{"processDefinitionCode":1,"isSub\\u0050rocess":"NO","old":2,"number":3,"list":[{"processDefinitionCode":4}]}'))
  end)

  it("decodes a part of a text, and counts bytes from its first", function()
    local shape = core.shape {}
    assert.is_nil(difference({ a = 1 }, shape:decode('xx{"a":1}yy', 3, 9)))
    local value, message = shape:decode("xx[1,x]", 3)
    assert.is_nil(value)
    assert.equal("invalid JSON at byte 6: expected a value", message)
    assert.is_nil((shape:decode("1", 1, 0)))
    assert.has_error(function() shape:decode("1", 0) end)
    assert.has_error(function() shape:decode("1", 1, 2) end)
    assert.has_error(function() shape:decode("1", 1, 0 / 0) end)
    assert.has_error(function() shape.decode({}, "1") end)
  end)

  it("refuses wrong options", function()
    for _, options in ipairs { { rows = "project" }, { rename = 1 }, { rename = { [1] = "a" } }, { rename = { a = 1 } },
      { rename = { a = "" } }, { codes = "data" }, { codes = { 1 } }, { codes = { "" } }, { utc_offset_s = "x" },
      { utc_offset_s = 1e9 }, { utc_offset_s = 0 / 0 }, { rename = { [("x"):rep(256)] = "a" } } } do
      assert.has_error(function() core.shape(options) end)
    end
    assert.has_error(function() core.shape(1) end)
  end)
end)

describe("rows", function()
  local function row(kind, fields, options)
    options = options or {}
    options.rows = kind
    return core.shape(options):decode("[{" .. fields .. "}]")[1]
  end

  it("have their state as a name, and what it means", function()
    local expected = {
      { '"FAILURE"', "FAILURE", true, true, false }, { "6", "FAILURE", true, true, false },
      { "\"WorkflowExecutionStatus{code=7, desc='success'}\"", "SUCCESS", true, false, false },
      { '"RUNNING_EXECUTION"', "RUNNING_EXECUTION", false, false, true }, { "18", "FAILOVER", false, false, true },
      { '"NEED_FAULT_TOLERANCE"', "NEED_FAULT_TOLERANCE", false, true, false }, { "3", "PAUSE", true, false, false },
      { '"BLOCK"', "BLOCK", true, false, false }, { '"WAIT_TO_RUN"', "WAIT_TO_RUN", false, false, true },
      { "17", "WAIT_TO_RUN", false, false, true }, { '"NEW_ONE"', "NEW_ONE" }, { "99", 99 }, { "-1", -1 },
      { '""', "" }, { "\"X{code=99, desc='y'}\"", "X{code=99, desc='y'}" }, { "\"X{code=\"", "X{code=" },
      { '"FAIL\\u0055RE"', "FAILURE", true, true, false }, { "2.5", 2.5 }, { "{}", {} },
    }
    for _, case in ipairs(expected) do
      local got = row("instance", '"state":' .. case[1])
      assert.is_nil(difference({ state = case[2], finished = case[3], failed = case[4], running = case[5] }, got),
        case[1])
    end
    assert.is_nil(difference({ state = "DISPATCH", finished = false, failed = false, running = true },
      row("task", '"state":17')))
    assert.is_nil(difference({}, row("task", '"state":null')))
  end)

  it("have their times in seconds too", function()
    local got = row("instance", '"startTime":"1970-01-02 00:00:01","endTime":"2024-02-29 23:59:59",'
      .. '"scheduleTime":"2023-02-29 00:00:00","submitTime":null,"restartTime":"2000-01-01 00:00:00"')
    assert.is_nil(difference({ startTime = "1970-01-02 00:00:01", started_at = 86401,
      endTime = "2024-02-29 23:59:59", ended_at = 1709251199, scheduleTime = "2023-02-29 00:00:00",
      restartTime = "2000-01-01 00:00:00", restarted_at = 946684800 }, got))
    assert.equal(INTEGERS and "integer" or "number", kind_of_number(got.started_at))
    for _, wrong in ipairs { "2024-13-01 00:00:00", "2024-00-01 00:00:00", "2024-01-32 00:00:00",
      "2024-01-00 00:00:00", "2024-04-31 00:00:00", "2024-01-01 24:00:00", "2024-01-01 00:60:00",
      "2024-01-01 00:00:60", "2024-01-01T00:00:00", "2024-01-01 00:00:00.0", "", "0000-01-01 00:00:00",
      "2024-1-01 00:00:000", "1900-02-29 00:00:00" } do
      assert.is_nil(row("task", ('"endTime":"%s"'):format(wrong)).ended_at, wrong)
    end
    local east = row("instance", '"startTime":"1970-01-02 00:00:01"', { utc_offset_s = 28800 })
    assert.equal(86401 - 28800, east.started_at)
    assert.equal(-86399, row("instance", '"submitTime":"1969-12-31 00:00:01"').submitted_at)
  end)

  it("are the root, the root's elements, and those of the root's lists of rows", function()
    local shape = core.shape { rows = "instance" }
    local state = '{"state":6,"startTime":"1970-01-01 00:00:09"}'
    assert.is_true(shape:decode(state).failed)
    local page = shape:decode('{"totalList":[' .. state .. '],"taskList":[' .. state .. '],"other":[' .. state
      .. '],"one":' .. state .. "}")
    assert.equal(9, page.totalList[1].started_at)
    assert.is_true(page.taskList[1].failed)
    assert.equal(6, page.other[1].state)
    assert.is_nil(page.other[1].failed)
    assert.is_nil(page.one.started_at)
    local nested = shape:decode('[{"totalList":[' .. state .. '],"inner":' .. state .. '}]')
    assert.equal(6, nested[1].totalList[1].state)
    assert.equal(6, nested[1].inner.state)
    assert.equal("[]", core.encode(shape:decode('{"totalList":null}').totalList))
    assert.is_nil(core.shape {}:decode('[' .. state .. ']')[1].failed)
  end)

  it("of a run's tasks come with the run's state", function()
    local shape = core.shape { rows = "task", rename = { processInstanceState = "workflowInstanceState" } }
    local value = shape:decode("{\"processInstanceState\":\"WorkflowExecutionStatus{code=17, desc='wait'}\","
      .. '"taskList":[{"state":17,"processInstanceState":5}]}')
    assert.is_nil(difference({ workflowInstanceState = "WAIT_TO_RUN", taskList = { { state = "DISPATCH",
      finished = false, failed = false, running = true, workflowInstanceState = 5 } } }, value))
  end)
end)

-- The same rules once more, in the plainest Lua, on top of cjson: what one pass must agree with.
local FORM = {
  rename = { processDefinitionCode = "workflowDefinitionCode", isSubProcess = "isSubWorkflow",
    processInstanceState = "workflowInstanceState", oldTime = "endTime" },
  codes = setmetatable({ upstream = true }, { __index = normal_form.CODES }),
  code_lists = { taskNames = true },
  utc_offset_s = 3600,
}

local KEYS = { "code", "projectCode", "processDefinitionCode", "workflowDefinitionCode", "environmentCode",
  "preTaskCode", "tenantCode", "upstream", "taskNames", "isSubProcess", "isSubWorkflow", "processInstanceState",
  "workflowInstanceState", "state", "startTime", "endTime", "oldTime", "scheduleTime", "totalList", "taskList",
  "id", "name", "c\\u006fdeX", "st\\u0061te", "é", "", "a\\nb", "list", "x1", "x2", "x3", "data" }
local STRINGS = { "", "x", "FAILURE", "SUCCESS", "WorkflowExecutionStatus{code=17, desc='wait'}", "UNKNOWN",
  "2024-02-29 12:34:56", "1999-12-31 23:59:59", "2024-02-29T12:34:56", "\\u00e9\\ud83d\\ude00", "é€😀",
  "a\\\"b\\\\c\\/d\\n", "\\u0000", ("long "):rep(20), ("long\\n"):rep(700), "183125606400064" }
local INTEGERS_TO_TRY = { "0", "-1", "1", "6", "17", "18", "99", "183125606400064", "9007199254740991",
  "-9007199254740992" }

local function space(random) return ({ "", "", "", " ", "\n\t" })[random(5)] end

local value_text

local function object_text(random, depth)
  local parts, taken = {}, {}
  for _ = 1, random(12) - 1 do
    local key = KEYS[random(#KEYS)]
    local name = read('"' .. key .. '"')
    name = FORM.rename[name] or name
    if not taken[name] then
      taken[name] = true
      parts[#parts + 1] = '"' .. key .. '"' .. space(random) .. ":" .. value_text(random, depth + 1)
    end
  end
  return "{" .. space(random) .. table.concat(parts, ",") .. "}"
end

local function array_text(random, depth)
  local parts = {}
  for i = 1, random(6) - 1 do parts[i] = value_text(random, depth + 1) end
  return "[" .. table.concat(parts, "," .. space(random)) .. space(random) .. "]"
end

function value_text(random, depth)
  local kind = random(depth < 6 and 12 or 8)
  if depth == 0 then kind = 8 + random(4) end
  if kind <= 2 then return '"' .. STRINGS[random(#STRINGS)] .. '"' end
  if kind <= 4 then return INTEGERS_TO_TRY[random(#INTEGERS_TO_TRY)] end
  if kind == 5 then return tostring(random(100000) - 50000) end
  if kind == 6 then return ("%d.%d5e%d"):format(random(2000) - 1000, random(99999), -random(30)) end
  if kind == 7 then return ({ "true", "false" })[random(2)] end
  if kind == 8 then return "null" end
  if kind <= 10 then return array_text(random, depth) end
  return object_text(random, depth)
end

describe("one pass", function()
  local shapes = {}
  for _, rows in ipairs { "none", "plain", "instance", "task" } do
    shapes[rows] = core.shape { rename = FORM.rename, codes = { "upstream", "taskNames[]" },
      utc_offset_s = FORM.utc_offset_s, rows = rows ~= "none" and rows or nil }
  end

  local function agrees(seed)
    local text = value_text(chance(seed), 0)
    local oracle = cjson.decode(text)
    for rows, shape in pairs(shapes) do
      FORM.rows = rows ~= "none" and rows or nil
      local expected = normal_form.of(oracle, FORM)
      local got = assert(shape:decode(text))
      local found = difference(expected, got)
      assert.is_nil(found, ("seed %d, rows %s: %s in %s"):format(seed, rows, tostring(found), text))
    end
    local raw = assert(read(text, true))
    assert.is_nil(difference(oracle, raw), text)
    local written = assert(core.encode(raw))
    assert.is_nil(difference(oracle, cjson.decode(written)), text)
    assert.equal(written, core.encode(read(written, true)))
  end

  it("is cjson and a walk", function()
    for seed = 1, 3000 do agrees(seed) end
  end)

  it("takes no text that cjson refuses, whatever happened to it", function()
    local pieces = { "{", "}", "[", "]", '"', ",", ":", "\\", "\\u", "null", "-", "0", ".", "e", " ", "\195", "\1" }
    for seed = 1, 3000 do
      local random = chance(seed)
      local text = value_text(random, 0)
      for _ = 1, random(3) do
        local at, cut = random(#text + 1), random(3) - 1
        text = text:sub(1, at - 1) .. pieces[random(#pieces)] .. text:sub(at + cut)
      end
      local value, message = shapes.instance:decode(text)
      if value == nil then
        assert.truthy(message:find("^invalid JSON at byte %d+: %a"), message)
      else
        assert.is_true((pcall(cjson.decode, text)), text)
      end
    end
  end)

  it("is so while the collector works at every step", function()
    collectgarbage() -- else what other specs left is gone through at every step
    local pause, multiplier = collectgarbage("setpause", 0), collectgarbage("setstepmul", 1000)
    local mode = _VERSION == "Lua 5.4" and collectgarbage "incremental"
    for seed = 3001, 3015 do agrees(seed) end
    if mode then
      collectgarbage "generational"
      for seed = 3151, 3300 do agrees(seed) end
      collectgarbage(mode)
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", multiplier)
  end)
end)

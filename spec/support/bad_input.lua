--- Two hundred kinds of values that nobody means, and which of them a type of
-- parameter takes all the same. Shares no code and no table with the client.

local strict = require("cjson").new()
local core = require "dsclient.core"

strict.decode_invalid_numbers(false)

local _M = {}

-- --- the kinds -----------------------------------------------------------

--- The kinds: {name, value, json = is it a table that JSON can hold?, large}.
_M.kinds = {}

local function add(name, value, json)
  local large = type(value) == "string" and #value >= 100000
  table.insert(_M.kinds, { name = name, value = value, json = json, large = large })
end

local function fail()
  error "foreign"
end

local THROWS = {}
for event in ("index newindex call len tostring concat unm add eq lt le pairs ipairs name close gc"):gmatch "%a+" do
  THROWS["__" .. event] = fail
end
THROWS.__gc = nil -- its failure is nobody's

local function throwing(fields)
  return setmetatable(fields or {}, THROWS)
end

local function deep(levels)
  local value = {}
  for _ = 1, levels do
    value = { value }
  end
  return value
end

local function cyclic(key)
  local value = {}
  value[key] = value
  return value
end

for name, value in pairs {
  ["a function"] = function() end, ["a C function"] = print, ["a coroutine"] = coroutine.create(fail),
  userdata = io.stdout, ["the null of JSON"] = (core.decode "null"), ["true"] = true, ["false"] = false,
} do
  add(name, value)
end

local INTEGERS = { 0, 1, 2, 7, 501, 99999, 65536, 2147483646, 2147483647, 2147483648, 4294967295, 4294967296, 1e12,
  181535832683296, 253370764799, 253370764800, 2 ^ 53 - 1, 2 ^ 53, 2 ^ 53 + 2, 2 ^ 63, 2 ^ 64, 1e300, -1, -2,
  -2147483647, -2147483648, -2147483649, -2 ^ 53, -2 ^ 63, -1e300 }
for _, number in ipairs(INTEGERS) do
  add(("the number %.0f"):format(number), number)
end
for name, number in pairs {
  ["1/2"] = 0.5, ["3/2"] = 1.5, ["-1/2"] = -0.5, ["a third"] = 1 / 3, ["the smallest one"] = 2 ^ -1074,
  ["the largest one"] = 1.7976931348623157e308, infinity = 1 / 0, ["-infinity"] = -1 / 0, NaN = 0 / 0, ["-0"] = -0.0,
  ["a half beside 2^31"] = 2 ^ 31 - 0.5,
} do
  add("the number " .. name, number)
end
if math.maxinteger then
  add("the largest integer", math.maxinteger)
  add("the smallest integer", math.mininteger)
else
  add("a number beyond integers", 2 ^ 100)
  add("a number far below integers", -2 ^ 100)
end

local ALL_BYTES = ("."):rep(256):gsub("%.", (function()
  local byte = -1
  return function()
    byte = byte + 1
    return string.char(byte)
  end
end)())
local LONG = ("x"):rep(1000000)
for name, text in pairs {
  ["no text"] = "", ["a space"] = " ", ["many spaces"] = (" "):rep(50), NUL = "\0", ["NUL inside"] = "a\0b",
  ["NUL behind digits"] = "7\0", ["a tab"] = "\t", ["a line"] = "a\nb", ["two headers"] = "a\r\nX-Evil: 1",
  bell = "\7", escape = "\27[2J", delete = "\127", ["all bytes"] = ALL_BYTES, ["no UTF-8"] = "\255\254",
  ["half a character"] = "\195", ["an overlong slash"] = "\192\175", ["a surrogate"] = "\237\160\128",
  ["beyond Unicode"] = "\244\144\128\128", ["a BOM"] = "\239\187\191x", ["an emoji"] = "\240\159\152\128",
  ["right to left"] = "\226\128\174x", ["1 MB"] = LONG, ["1 MB of digits"] = ("7"):rep(1000000),
  ["1 MB of capitals"] = ("A"):rep(1000000), ["1 MB of commas"] = (","):rep(100000),
  ["1 MB of quotes"] = ('"'):rep(1000000),
  ["a path out"] = "../../etc/passwd", ["a slash"] = "/", ["a double slash"] = "//x", ["a dot"] = ".",
  ["two dots"] = "..",
  ["a query"] = "a?b=c", ["a fragment"] = "a#b", ["an ampersand"] = "a&b=c", ["a plus"] = "a+b",
  ["a percent"] = "100%",
  ["an escaped slash"] = "%2F", ["a backslash"] = "a\\b", ["a quote"] = "it's", ["two quotes"] = '"',
  ["a brace"] = "{}",
  ["a placeholder"] = "{project}", ["an expression"] = "${jndi:ldap://x}", ["SQL"] = "' OR 1=1 --",
  ["markup"] = "<b>",
  ["a comma"] = ",", ["a trailing comma"] = "a,", ["a semicolon"] = "a;b", ["a pattern"] = "%d+",
  ["a format"] = "%s%n%q",
  ["small letters"] = "failure", ["a capital with a dash"] = "A-B", ["a capital with a space"] = "FAILURE ",
  ["a capital"] = "A", ["an unknown name in capitals"] = "NO_SUCH_NAME", ["nil"] = "nil", ["null"] = "null",
  ["undefined"] = "undefined", ["true"] = "true", ["default"] = "default", ["an unknown name"] = "no-such-name",
  ["a name with spaces"] = " demo ", ["NaN"] = "nan", ["infinity"] = "inf", ["hexadecimal"] = "0x10", ["1e3"] = "1e3",
  ["1.5"] = "1.5", ["1.0"] = "1.0", ["a code"] = "181535832683296", ["a code with a space behind"] = "7 ",
  ["a code with a space in front"] = " 7", ["a code with a line end"] = "7\n", ["a code with zeros"] = "007",
  ["a code with a sign"] = "+7", ["a negative code"] = "-7", ["minus one"] = "-1", ["zero"] = "0",
  ["minus zero"] = "-0",
  ["a code with groups"] = "181,535,832", ["the largest code"] = "9223372036854775807",
  ["a code too large"] = "9223372036854775808", ["a code far too large"] = ("9"):rep(40),
  ["a code in other digits"] = "\217\161\217\162", ["the largest id"] = "2147483647",
  ["an id too large"] = "2147483648",
  ["ids"] = "1,2,3", ["ids with a gap"] = "1,,3", ["ids with spaces"] = "1, 2", ["ids with a name"] = "1,x",
  ["a list in JSON"] = "[1,2]", ["broken JSON"] = '{"a":', ["JSON twice"] = "{} {}", ["deep JSON"] = ("["):rep(5000),
} do
  add("the text " .. name, text)
end
for byte = 0, 255 do
  _M.bytes = (_M.bytes or "") .. string.char(byte)
end
add("the text of each byte", _M.bytes)

for name, text in pairs {
  ["a day only"] = "2024-01-01", ["a T"] = "2024-01-01T00:00:00", ["a zone"] = "2024-01-01 00:00:00Z",
  ["slashes"] = "2024/01/01 00:00:00", ["month 0"] = "2024-00-10 00:00:00", ["month 13"] = "2024-13-01 00:00:00",
  ["day 0"] = "2024-01-00 00:00:00", ["day 32"] = "2024-01-32 00:00:00", ["31 April"] = "2024-04-31 00:00:00",
  ["30 February"] = "2024-02-30 00:00:00", ["hour 24"] = "2024-01-01 24:00:00", ["minute 60"] = "2024-01-01 00:60:00",
  ["second 60"] = "2024-01-01 00:00:60", ["a year of five digits"] = "12024-01-01 00:00:00",
  ["a year of three digits"] = "999-01-01 00:00:00", ["one digit"] = "2024-1-1 0:0:0",
  ["milliseconds"] = "2024-01-01 00:00:00.000",
  ["a space in front"] = " 2024-01-01 00:00:00", ["a line end"] = "2024-01-01 00:00:00\n",
  ["no seconds"] = "2024-01-01 00:00",
  ["now"] = "now", ["a NUL"] = "2024-01-01 00:00:00\0", ["letters"] = "yyyy-MM-dd HH:mm:ss",
  ["29 February of any year"] = "2023-02-29 00:00:00",
} do
  add("the date with " .. name, text)
end

for name, value in pairs {
  ["nothing"] = {}, ["a list"] = { 1, 2 }, ["a list of texts"] = { "a", "b" }, ["a list of a list"] = { { 1 } },
  ["an object"] = { a = 1 }, ["an object of a name"] = { name = "no-such-name" }, ["an empty name"] = { name = "" },
  ["a code"] = { code = "7" }, ["a mixed table"] = { 1, a = 2 }, ["a list of commas"] = { "a,b" },
  ["a list of NULs"] = { "\0" }, ["a list of an empty text"] = { "" }, ["a file"] = { name = "f", content = "x" },
  ["an array of JSON"] = core.array { 1 },
} do
  add("a table: " .. name, value, name ~= "a mixed table")
end
for name, value in pairs {
  ["a name that is a number"] = { name = 7 }, ["a name that is a table"] = { name = {} },
  ["a name that is no text"] = { name = true }, ["a path that is a number"] = { path = 5, name = "f" },
  ["a path that is not there"] = { path = "/no/such/file" }, ["a path of a directory"] = { path = "/" },
  ["a path with a NUL"] = { path = "/dev/null\0x", name = "f" },
  ["a content that is a number"] = { content = 5, name = "f" },
  ["a content without a name"] = { content = "x" }, ["a name with quotes"] = { name = 'a"b', content = "x" },
  ["a name of two lines"] = { name = "a\r\nb", content = "x" }, ["a name of nothing"] = { name = "", content = "x" },
} do
  add("a table: " .. name, value, true)
end
for name, value in pairs {
  ["a gap"] = { 1, nil, 3 }, ["a large gap"] = { [1] = 1, [1000000] = 2 }, ["no first"] = { [2] = 1 },
  ["from zero"] = { [0] = 1 },
  ["negative keys"] = { [-1] = 1 }, ["broken keys"] = { [1.5] = 1 }, ["keys that are tables"] = { [{}] = 1 },
  ["keys that are functions"] = { [print] = 1 }, ["a key that is NaN's kin"] = { [1 / 0] = 1 },
  ["a list of functions"] = { print }, ["a list of userdata"] = { io.stdout },
  ["a list of coroutines"] = { coroutine.create(fail) },
  ["a list of NaN"] = { 0 / 0 }, ["a list of infinity"] = { 1 / 0 }, ["a list of no UTF-8"] = { "\255" },
  ["deep"] = deep(100000), ["rather deep"] = deep(1000), ["in itself"] = cyclic(1),
  ["in itself, by name"] = cyclic "a",
  ["in itself, by the key name"] = cyclic "name", ["a metatable that throws"] = throwing(),
  ["a list with a metatable that throws"] = throwing { 1 }, ["a list of such"] = { throwing() },
  ["a name with a metatable that throws"] = throwing { name = "x" }, ["a name that is such"] = { name = throwing() },
  ["a file with such"] = throwing { name = 1 }, ["a proxy"] = setmetatable({}, { __index = { 1, 2, name = "x" } }),
  ["a hidden metatable"] = setmetatable({}, { __metatable = false, __index = fail }),
  ["weak keys"] = setmetatable({ [LONG] = 1, [_M] = 2 }, { __mode = "k" }), ["the global table"] = _G,
} do
  add("a table: " .. name, value, nil)
end

-- JSON is what can be written: metatables are not asked.
for _, kind in ipairs(_M.kinds) do
  if type(kind.value) == "table" and kind.json == nil then
    local name = kind.name
    kind.json = name:find "metatable" ~= nil or name:find "proxy" ~= nil or name:find "a list of such" ~= nil
      or name:find "is such" ~= nil or name:find "with such" ~= nil
  end
end

table.sort(_M.kinds, function(a, b)
  return a.name < b.name
end)

-- --- what a type takes ---------------------------------------------------

local INT_MAX = 2147483647

local function is_whole(value, min, max)
  return type(value) == "number" and value == math.floor(value) and value >= min and value <= max
end

local function is_code(value)
  if type(value) == "string" then
    local is_digits = value == "0" or value:find "^[1-9]%d*$"
    return is_digits and (#value < 19 or #value == 19 and value <= "9223372036854775807") or false
  end
  return is_whole(value, 0, (2 ^ 53 - 1)) or math.type ~= nil and math.type(value) == "integer" and value >= 0
end

local function is_id(value)
  if type(value) == "string" then
    return value:find "^%d+$" ~= nil and is_whole(tonumber(value), 1, INT_MAX)
  end
  return is_whole(value, 1, INT_MAX)
end

local takes = {}

--- Digits are a code or an id; all other names are of nothing here.
local function named(fits, none)
  return function(value)
    local is_number = type(value) == "number" or type(value) == "string" and value:find "^%-?%d+$"
    return is_number and (none ~= nil and tonumber(value) == none or fits(value)) or false
  end
end

for _, kind in ipairs { "project", "workflow", "task", "cluster" } do
  takes[kind] = named(is_code)
end
for _, kind in ipairs { "user_id", "tenant_id", "queue_id", "datasource_id", "worker_group_id" } do
  takes[kind] = named(is_id)
end
takes.environment, takes.alert_group_id = named(is_code, -1), named(is_id, 0)
takes.code, takes.id = is_code, is_id

function takes.integer(value, param)
  return is_whole(value, math.max(param.min or -INT_MAX, -INT_MAX), math.min(param.max or INT_MAX, INT_MAX))
end

function takes.number(value, param)
  return type(value) == "number" and value == value and math.abs(value) < math.huge
    and value >= (param.min or value) and value <= (param.max or value)
end

function takes.boolean(value)
  return type(value) == "boolean"
end

-- What leads elsewhere where it is a part of a path.
local ELSEWHERE = { [""] = true, ["."] = true, [".."] = true }

function takes.string(value, param)
  if param and param.path and ELSEWHERE[value] then
    return false
  end
  return type(value) == "string"
end

function takes.enum(value)
  return type(value) == "string" and value:find "^[A-Z][A-Z0-9_]*$" ~= nil
end

function takes.date(value)
  if type(value) == "number" then
    return value >= 0 and value <= 253370764799
  end
  return value == "2023-02-29 00:00:00" -- the server knows its years
end

function takes.json(value, _, kind)
  return type(value) == "string" or type(value) == "table" and kind.json
end

function takes.file(_, _, kind)
  return kind.name == "a table: a file"
end

--- A name that is looked up; the server's own is not.
function takes.tenant(value)
  return value == "" or value == "default"
end
takes.worker_group = takes.tenant

local function list_of(fits)
  return function(value)
    local items = {}
    if type(value) == "string" then
      for item in (value .. ","):gmatch "([^,]*)," do
        table.insert(items, item)
      end
    elseif type(value) == "number" then
      items[1] = value
    elseif type(value) == "table" then
      for key in next, value do
        if not is_whole(key, 1, 1000) then
          return false
        end
      end
      for key, item in next, value do
        items[key] = item
      end
    else
      return false
    end
    local count = 0
    for _, item in next, items do
      count = count + 1
      if not fits(item) or type(item) == "string" and item:find "," then
        return false
      end
    end
    return count > 0 and items[count] ~= nil
  end
end

takes.codes, takes.ids, takes.strings = list_of(is_code), list_of(is_id), list_of(takes.string)
takes.workflows, takes.tasks = list_of(takes.workflow), list_of(takes.task)

--- Can a JSON document hold this text?
local function is_utf8(text)
  return (pcall(strict.decode, '["' .. text:gsub('[%c"\\]', "") .. '"]')) and core.encode(text) ~= nil
end

--- Does a parameter of a row take a value of this kind?
function _M.takes(row, param, kind)
  local value = kind.value
  local fits = takes[param[2]](value, param, kind)
  if not fits or row.body ~= "json" and row.body ~= "list" then
    return fits
  elseif param[2] == "json" then
    return type(value) == "table" or (pcall(strict.decode, value))
  elseif param[2] == "strings" and type(value) == "table" then
    value = table.concat(value)
  end
  return type(value) ~= "string" or is_utf8(value)
end

return _M

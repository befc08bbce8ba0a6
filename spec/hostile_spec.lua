--- Whatever a server sends, whatever an option is: a value or an error, never a
-- crash, a throw from inside, a text with the token. Recorded answers of real
-- servers are damaged at random, the same for the same seed.
--
-- DSCLIENT_HOSTILE is the number of damaged answers, DSCLIENT_SEED the first
-- seed; `make fuzz` gives large ones, with sanitizers.

local bed = require "support.bed"
local core = require "dsclient.core"
local dsclient = require "dsclient"
local operations = require "dsclient.operations"
local options = require "dsclient.options"
local recordings = require "support.recordings"

local ROUNDS = tonumber(os.getenv "DSCLIENT_HOSTILE") or 2000
local SEED = tonumber(os.getenv "DSCLIENT_SEED") or 1

local function chance(seed)
  local state = seed % 2147483646 + 1
  for _ = 1, 5 do
    state = state * 16807 % 2147483647
  end
  return function(n)
    state = state * 16807 % 2147483647
    return state % n + 1
  end
end

-- --- damage --------------------------------------------------------------

local PIECES = { "{", "}", "[", "]", '"', ",", ":", "\\", "\\u", "\\ud800", "null", "true", "-", "0", "1e999", ".5",
  "e", " ", "\195", "\255", "\0", "\27", "[[[[[[[[", '{"code":0}', "9007199254740993", "99999999999999999999", "-1",
  '"totalList"', '"total"', '"data"', '"code"', '"id"', '"state"', "secret-token" }

local function splice(random, text)
  local at, cut = random(#text + 1), random(4) - 1
  return text:sub(1, at - 1) .. PIECES[random(#PIECES)] .. text:sub(at + cut)
end

local function flip(random, text)
  local at = random(#text + 1)
  return text:sub(1, at - 1) .. string.char(random(256) - 1) .. text:sub(at + 1)
end

local function double(random, text)
  local from, length = random(#text + 1), random(40)
  return text:sub(1, from + length) .. text:sub(from)
end

local function cut(random, text)
  return text:sub(1, random(#text + 1) - 1)
end

-- Well-formed, but not what was to be: a value of another type.
local VALUES = { "null", "0", "-1", "1.5", "1e300", "true", '""', '"x"', "[]", "{}", "[[]]", '{"a":[null]}',
  "99999999999999999999", '"../../x"', '"\\u0000\\n"', '[{"id":1},{"id":1}]' }

local function exchange_value(random, text)
  local starts = {}
  for at in text:gmatch '":()' do
    starts[#starts + 1] = at
  end
  if #starts == 0 then
    return text
  end
  local from = starts[random(#starts)]
  local rest = text:sub(from)
  local old = rest:match '^"[^"\\]*"' or rest:match "^[%w.+-]+" or rest:match "^%b[]" or rest:match "^%b{}" or ""
  return text:sub(1, from - 1) .. VALUES[random(#VALUES)] .. rest:sub(#old + 1)
end

local DAMAGE = { splice, flip, double, cut, exchange_value, exchange_value, exchange_value }

local function damaged(random, text)
  for _ = 1, random(3) do
    text = DAMAGE[random(#DAMAGE)](random, text)
  end
  return text
end

local STATUSES = { 200, 200, 200, 200, 200, 201, 204, 299, 301, 401, 404, 429, 500, 503, 599, 999, 0, -1 }
local TYPES = { "application/json", "application/json", "application/json", "application/json;charset=UTF-8",
  "application/jsonx", "text/html", "", "\27[31m" }
local HINTS = { "1", "0", "-1", "999999999999999999999", "soon", "Sun, 06 Nov 1994 08:49:37 GMT", "", "1\0" }

local bodies = {}
for _, server in ipairs(recordings.SERVERS) do
  for _, exchange in ipairs(recordings.of(server)) do
    if exchange.response.body and #exchange.response.body < 40000 then
      bodies[#bodies + 1] = exchange.response.body
    end
  end
end

local function answer(random)
  local body = bodies[random(#bodies)]
  return {
    status = random(3) == 1 and STATUSES[random(#STATUSES)] or 200,
    headers = {
      ["content-type"] = random(3) == 1 and TYPES[random(#TYPES)] or "application/json",
      ["retry-after"] = random(3) == 1 and HINTS[random(#HINTS)] or nil,
      date = random(3) == 1 and HINTS[random(#HINTS)] or nil,
    },
    body = random(4) == 1 and body or damaged(random, body),
  }
end

-- --- calls ---------------------------------------------------------------

local GIVEN = { project = "11", workflow = "22", id = 7, code = "33", string = "a b", enum = "FAILURE", integer = 1,
  date = 1704067200, json = { {} } }

local rows = {}
for _, name in ipairs(operations.names()) do
  local row = operations.find(name)
  local args, by_name = {}, {}
  for _, param in ipairs(row.params) do
    args[param[1]] = GIVEN[param[2]]
    by_name[param[1]] = (param[2] == "project" or param[2] == "workflow") and "name" or GIVEN[param[2]]
  end
  rows[#rows + 1] = { name = name, args = args, by_name = by_name, result = row.result }
end

local KINDS = { "connect", "tls", "dns", "network", "timeout", "protocol", "auth", "throttled", "server", "http",
  "not_api", "api", "outcome_unknown", "deadline", "busy", "limit", "argument", "not_found", "ambiguous" }
for _, kind in ipairs(KINDS) do
  KINDS[kind] = true
end

local function check(fine, value, err, row)
  assert(fine, value)
  if value == nil then
    assert(KINDS[err.kind], err.kind)
    local text = tostring(err)
    assert.is_nil(text:find "%c")
    assert.is_nil(text:find("secret-token", 1, true))
    return
  end
  assert.is_true(value ~= false)
  if row.result == "page" or row.result == "list" then
    assert.is_table(value)
  end
  assert.is_string(core.encode(value))
end

local function perform(random)
  local b = bed.new(function()
    return answer(random)
  end, {
    detect = random(4) == 1, timeout_s = 20, max_retries = 1, api_urls = random(4) == 1 and { "http://a", "http://b" }
      or nil,
  })
  local client = b.client
  for _ = 1, 3 do
    local row = rows[random(#rows)]
    local args = random(2) == 1 and row.args or row.by_name
    local opts = { raw = random(3) == 1, borrow = random(2) == 1, ttl_s = random(2) == 1 and 60 or nil }
    local fine, value, err = pcall(client.call, client, row.name, args, opts)
    check(fine, value, err, row)
    fine, value, err = pcall(client.check_connection, client)
    check(fine, value, err, {})
  end
  for _, list in ipairs { "projects", "workflows", "instances" } do
    local pages = client[list]:pages(list == "projects" and {} or { project = "11" })
    for _ = 1, 10 do
      local fine, page, err = pcall(pages.next)
      assert(fine, page)
      assert.is_true(page == nil or type(page) == "table")
      if page == nil then
        assert.is_true(err == nil or KINDS[err.kind])
        break
      end
    end
  end
  client:print_stats(function() end)
  client:close()
end

describe("a damaged answer", function()
  it("is a value or an error", function()
    for seed = SEED, SEED + ROUNDS - 1 do
      local fine, message = pcall(perform, chance(seed))
      assert(fine, ("seed %d: %s"):format(seed, tostring(message)))
    end
  end)
end)

-- --- options -------------------------------------------------------------

local ODD = { 0, -1, 1, 3.5, 2 ^ 53, 1 / 0, 0 / 0, true, false, "", "x", "http://h", "http://h:1/x", "\n", "\0",
  "3.1.1", "+08:00", {}, { 1 }, { "x" }, { x = "y" }, { {} }, { 503 }, { "http://h" }, { verify = true }, print,
  io.stdout }

describe("odd options", function()
  local names = {}
  for name in pairs(options.CLIENT) do
    names[#names + 1] = name
  end
  table.sort(names)
  names[#names + 1] = "unknown"

  it("make a client, or throw one line at their giver", function()
    local made = 0
    for seed = SEED, SEED + ROUNDS - 1 do
      local random = chance(seed)
      local given = { api_url = "http://h" }
      for _ = 1, random(3) do
        given[names[random(#names)]] = ODD[random(#ODD)]
      end
      local fine, client = pcall(function()
        local client = dsclient.new(given)
        return client
      end)
      if fine then
        made = made + 1
        assert.is_string(tostring(client))
        client:close()
      else
        assert.truthy(client:find "^%S*hostile_spec.lua:%d+: dsclient.new: ", client)
        assert.is_nil(client:find "%c")
      end
    end
    assert.is_true(made > 0 and made < ROUNDS)
  end)

  it("URLs are parsed or refused, and what is parsed is parsed the same again", function()
    local parts = { "http", "https", ":", "/", "//", "@", "?", "#", "[", "]", "::1", "h", ".", "%", "%20", "\0", "\n",
      " ", "1", "99999", "\195\164", "..", "dolphinscheduler", "HTTP" }
    for seed = SEED, SEED + ROUNDS - 1 do
      local random = chance(seed)
      local list = { random(2) == 1 and "http://h" or "" }
      for i = 2, random(8) do
        list[i] = random(4) == 1 and string.char(random(256) - 1) or parts[random(#parts)]
      end
      local url = table.concat(list)
      local base, problem = options.parse_url(url)
      assert.is_true(base ~= nil or type(problem) == "string", url)
      if base then
        assert.equal(base, options.parse_url(base))
        assert.truthy(base:find "^https?://[%w%-._%[%]:]+/[%w%-._~!$&'()*+,;=:@%%/]*$", base)
      end
    end
  end)
end)

--- Whatever a server sends, whatever an option is: a value or an error, never a
-- crash, a throw from inside, a text with the token. Recorded answers of real
-- servers are damaged at random, the same for the same seed.
--
-- DSCLIENT_HOSTILE is the number of damaged answers, DSCLIENT_SEED the first
-- seed. `make fuzz` looks for worse ones.

local any_answer = require "support.any_answer"
local bed = require "support.bed"
local dsclient = require "dsclient"
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

local VERSIONS = { "2.0.9", "3.0.6", "3.1.1", "3.2.2", "3.3.1", "3.4.1" }

local function perform(random)
  local detect = random(4) == 1
  local b = bed.new(function()
    return answer(random)
  end, {
    detect = detect,
    server_version = not detect and VERSIONS[random(#VERSIONS)] or nil,
    timeout_s = 20,
    max_retries = 1,
    api_urls = random(4) == 1 and { "http://a", "http://b" } or nil,
  })
  local client = b.client
  for _ = 1, 3 do
    local operation = any_answer.operations[random(#any_answer.operations)]
    local args = random(2) == 1 and operation.args or operation.by_name
    any_answer.call(client, operation, args,
      { raw = random(3) == 1, borrow = random(2) == 1, ttl_s = random(2) == 1 and 60 or nil })
  end
  for _, list in ipairs { "projects", "workflows", "instances" } do
    any_answer.pages(client[list], list == "projects" and {} or { project = "11" })
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

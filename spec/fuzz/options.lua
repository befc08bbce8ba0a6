--- Options, as a JSON text [options of a client, options of a call]: they make
-- a client that works, or throw one line at their giver, without the secrets
-- in it. What JSON has no value for is given by a name that begins with an @.

local bed = require "support.bed"
local calls = require "dsclient.call"
local core = require "dsclient.core"
local dsclient = require "dsclient"
local options = require "dsclient.options"

-- A part of a token, of a proxy's URL, or of what is before an @ in a URL.
local SECRET = "s3cr3t"
local HIDDEN = { token = true, proxy = true }
local URLS = { api_url = true, api_urls = true }

local function nothing() end

local VALUES = {
  ["@function"] = nothing,
  ["@nan"] = 0 / 0,
  ["@infinite"] = 1 / 0,
  ["@userdata"] = io.stdout,
  ["@transport"] = { start = nothing, close = nothing },
  ["@runtime"] = { sleep = nothing },
}

local function meant(value)
  if type(value) ~= "table" then
    return VALUES[value] or value
  end
  local copy = {}
  for key, item in pairs(value) do
    local stands_for = VALUES[key]
    copy[stands_for == stands_for and stands_for or key] = meant(item) -- no NaN
  end
  return copy
end

-- Is it, too, where nobody would look for a secret?
local function is_open(value, name)
  if HIDDEN[name] then
    return false
  elseif type(value) ~= "table" then
    local text = tostring(value)
    return (URLS[name] and text:gsub(".*@", "") or text):find(SECRET, 1, true) ~= nil
  end
  for key, item in pairs(value) do
    if is_open(key) or is_open(item, URLS[name] and name or key) then
      return true
    end
  end
  return false
end

local function check_text(text, given)
  assert(type(text) == "string" and not text:find "%c", text)
  assert(not text:find(SECRET, 1, true) or is_open(given), text)
end

local function check_thrown(text, given, giver, what)
  check_text(text, given)
  assert(text:find("^%S*" .. giver .. "%.lua:%d+: " .. what), text)
end

-- A server that is busy at first.
local SCRIPT = { bed.status(503, { ["retry-after"] = "1" }), bed.failure("network", "sent"),
  bed.ok '{"totalList":[],"total":0}' }

local function check_call(b, given, of_call)
  local fine, value, err = pcall(function()
    local value, err = b.client:call("projects.list", nil, of_call)
    return value, err
  end)
  if not fine then
    check_thrown(value, of_call, "options", "projects%.list: ")
  elseif value == nil then
    check_text(tostring(err), given)
  end
  check_text(tostring(b.client), given)
  b.client:close()
  b.client:close()
end

local function check_url(url)
  local base, problem = options.parse_url(url)
  assert((base == nil) == (problem ~= nil))
  if base then
    assert(options.parse_url(base) == base)
    assert(base:find "^https?://[%w%-._%[%]:]+/[%w%-._~!$&'()*+,;=:@%%/]*$", base)
  end
end

local function check_options(given, of_call)
  local fine, b = pcall(bed.new, SCRIPT, given)
  if not fine then
    check_thrown(b, given, "bed", "dsclient%.new: ")
  elseif given.runtime == nil and given.transport == nil then
    check_call(b, given, of_call)
  end
  if type(given.api_url) == "string" then
    check_url(given.api_url)
  end
  local _, checked = pcall(options.check, "again", given, options.CLIENT)
  if type(checked) == "table" then
    options.check("again", checked, options.CLIENT)
  end
  local known = pcall(options.verify, "call", of_call, calls.OPTIONS)
  assert(known or type(of_call) == "table" and next(of_call) ~= nil or type(of_call) ~= "table")
end

return function(input)
  local value = meant(core.decode(input))
  local given = type(value) == "table" and value[1]
  if type(given) == "table" then
    check_options(given, value[2])
  else
    local fine, message = pcall(function()
      dsclient.new(given)
    end)
    assert(not fine)
    check_thrown(message, given, "options", "dsclient%.new: ")
  end
end

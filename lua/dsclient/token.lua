--- Where the token comes from: a string, a function or a file. A function and
-- a file are asked at the first use and after a 401, never in between.

local core = require "dsclient.core"
local errors = require "dsclient.errors"

local _M = {}

local function refuse(message)
  return nil, errors.new { kind = "auth", message = message }
end

local function check(token, what)
  if type(token) ~= "string" then
    return refuse(what .. " gave a " .. type(token) .. ", not a string")
  end
  token = token:gsub("^%s+", ""):gsub("%s+$", "")
  if token == "" or token:find "%c" then
    return refuse(what .. " gave no token, or one with control characters")
  end
  return token
end

local function from_file(path)
  local file, message = io.open(path, "r")
  if not file then
    return refuse("token_file: " .. message)
  end
  local text = file:read "*l"
  file:close()
  return check(text or "", "token_file")
end

local function from_function(source)
  local ok, token, message = pcall(source)
  if not ok then
    token, message = nil, token
  end
  if token == nil then
    return refuse("the function `token` failed" .. (message ~= nil and ": " .. tostring(message) or ""))
  end
  return check(token, "the function `token`")
end

--- Asks the source.
-- @tparam table options checked client options
-- @treturn string|nil the token; "" when there is no source
-- @treturn table|nil error of kind "auth"
function _M.ask(options)
  if options.token_file then
    return from_file(options.token_file)
  elseif type(options.token) == "function" then
    return from_function(options.token)
  end
  return options.token or ""
end

local FORM = "content-type: application/x-www-form-urlencoded"

--- Takes a token into use: header lines of requests, identity of cache entries
-- and of what is under way.
function _M.use(state, token)
  local lines = { "accept: application/json" }
  if token ~= "" then
    lines[2] = "token: " .. token
  end
  for name, value in pairs(state.options.headers or {}) do
    lines[#lines + 1] = name .. ": " .. value
  end
  local with_form = { FORM }
  for _, line in ipairs(lines) do
    with_form[#with_form + 1] = line
  end
  if token ~= "" then
    state.secrets = { token, state.secrets[1] }
  end
  state.token, state.headers, state.form_headers = token, lines, with_form
  if not state.options.identity or state.identity == 0 then
    state.identity = state.identity + 1
    core.identify(state.client, state.options.identity or token)
  end
end

return _M

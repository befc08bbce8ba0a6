--- The short way of a call that the cache answers: one call into the core, which
-- allocates nothing for a borrower (csrc/lua/shortcut.c). What is not plain, and
-- every miss, goes the whole way, as if this file was not there.

local arguments = require "dsclient.arguments"
local core = require "dsclient.core"

local _M = {}

-- The types whose texts are sent as they are given, and whose numbers as their
-- digits.
local TEXTS = { project = true, workflow = true, code = true, id = true, string = true, enum = true, date = true,
  json = true }
local NUMBERS = { project = true, workflow = true, code = true, id = true, integer = true }

-- The places of a parameter that is not an argument of its own.
local IN_TABLE, NOWHERE = 0, -1

-- By row, the number under which clients keep what they know of its methods.
local numbers = {}
local count = 0

local function number_of(row)
  if not numbers[row] then
    numbers[row] = count
    count = count + 1
  end
  return numbers[row]
end

--- What the key has of a parameter that the caller leaves out; nil where he
-- must not.
local function preset_of(param, own)
  local value = own[param[1]]
  if value == nil then
    value = param.default
  end
  if value == nil then
    return not param.path and not param.required and "" or nil
  end
  local text = type(value) == "number" and string.format("%.0f", value) or value
  return arguments.key_part(param[1], text)
end

--- The parameters of a row, as the core reads them.
-- @tparam table place_of name → stack index, or NOWHERE
local function params_of(row, place_of, own)
  local params = {}
  for i, param in ipairs(row.params) do
    params[i] = {
      name = param[1],
      label = param[1] .. "=",
      preset = preset_of(param, own),
      takes_text = TEXTS[param[2]],
      takes_number = NUMBERS[param[2]],
      place = place_of[param[1]] or IN_TABLE,
    }
  end
  return params
end

--- A method that asks the cache first.
-- @tparam table row of the operations table, a read
-- @tparam table shape of its arguments behind `self`: `given`, the names of
--   parameters that are arguments of their own; then a table of arguments,
--   where `args` is true; then the options. `own`: what it gives itself
-- @tparam function whole the method, the whole way
-- @treturn function
function _M.method(row, shape, whole)
  local own, place_of = shape.own or {}, {}
  local index = 1 -- on the stack; self
  for _, name in ipairs(shape.given or {}) do
    index = index + 1
    place_of[name] = index
  end
  for name in pairs(own) do
    place_of[name] = NOWHERE
  end
  index = shape.args and index + 1 or index
  local method, complete, found = core.shortcut({
    number = number_of(row),
    prefix = row.operation .. "\0",
    list = row.result == "page" or row.result == "list",
    args = shape.args and index or 0,
    opts = index + 1,
    params = params_of(row, place_of, own),
  }, whole)
  if complete then
    return method
  end
  return function(self, a, b, c)
    local value, err, meta = method(self, a, b, c)
    if err ~= nil and value == nil then
      value, err, meta = found(self, meta:get(err)) -- the shared store may have it
    end
    if value == nil then
      return whole(self, a, b, c)
    end
    return value, err, meta
  end
end

--- Tells the short way of a row what the entries of a shared store are stamped with
-- that are not too old.
function _M.stamp(state, row, stamp)
  if numbers[row] then
    core.stamp_shortcut(state.client, numbers[row], stamp)
  end
end

--- How long this client keeps results of a row, where a call says nothing else
-- (s); 0 where it does not.
function _M.ttl_s(state, row)
  local changed = state.options.cache_ttl_s
  return changed and (changed[row.name] or changed[row.operation]) or row.ttl_s or 0
end

--- Opens the short way of a row for this client, if its results are cached.
-- @tparam number operation of the row in the core
-- @tparam boolean is_ahead are its results fetched anew before their time is over?
function _M.open(state, row, operation, is_ahead)
  if numbers[row] and state.options.enable_cache and _M.ttl_s(state, row) > 0 then
    local rows_max = row.result == "page" and state.options.rows_max or math.huge
    core.open_shortcut(state.client, numbers[row], operation, rows_max, is_ahead)
  end
end

return _M

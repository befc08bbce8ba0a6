--- The user's own functions, cached and measured like operations.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local options = require "dsclient.options"

local format = string.format

local _M = {}

local function pack(...)
  return { n = select("#", ...), ... }
end

local unpack = table.unpack or unpack -- luacheck: ignore

-- What a table takes in memory, roughly: per table and per field (bytes).
local TABLE_BYTES, FIELD_BYTES = 56, 40

--- A copy that shares no table with its original, and what it weighs (bytes).
local function copy(value, seen)
  if type(value) ~= "table" then
    return value, type(value) == "string" and #value or 0
  elseif seen[value] then
    return seen[value], 0
  end
  local twin, bytes = {}, TABLE_BYTES
  seen[value] = twin
  for name, field in pairs(value) do
    local name_copy, name_bytes = copy(name, seen)
    local field_copy, field_bytes = copy(field, seen)
    twin[name_copy] = field_copy
    bytes = bytes + name_bytes + field_bytes + FIELD_BYTES
  end
  return setmetatable(twin, getmetatable(value)), bytes
end

local RULES = {
  ttl_s = { type = "number", min = 0, max = 2 ^ 31, default = 3600 },
  ttl_nil_s = { type = "number", min = 0, max = 2 ^ 31 },
  key_prefix = { type = "string" },
  key = { type = "function" },
  borrow = { type = "boolean", default = false },
}

local typed = {
  ["nil"] = function()
    return "n"
  end,
  boolean = function(value)
    return value and "t" or "f"
  end,
  number = function(value)
    -- 1 and 1.0 are one number in every Lua
    return value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53 and format("#%.0f", value) or format("#%.17g", value)
  end,
  string = function(value)
    return "s" .. #value .. ":" .. value
  end,
}

local function key_of(prefix, arguments)
  local parts = { "cached", prefix }
  for i = 1, arguments.n do
    local form = typed[type(arguments[i])]
    if not form then
      errors.throw(format("cached: argument %d is a %s: give the option `key`, a function that makes a key of the "
        .. "arguments", i, type(arguments[i])))
    end
    parts[#parts + 1] = form(arguments[i])
  end
  return table.concat(parts, "\0")
end

--- A function that remembers the results of `fn`.
-- The key is the prefix and all arguments, each with its type. All results are
-- kept. `nil, err` never is; a plain nil only where `ttl_nil_s` is given.
-- With the cache off `fn` runs each time.
-- @tparam table state the client's insides
-- @tparam function fn
-- @tparam table opts ttl_s (3600), key_prefix, key (fn → string), ttl_nil_s,
--   borrow (results are shared, not copied)
function _M.cached(state, fn, opts)
  opts = options.check("cached", opts or {}, RULES)
  if type(fn) ~= "function" then
    errors.throw("cached: a function expected, got " .. type(fn))
  end
  state.memos = state.memos + 1
  local prefix = opts.key_prefix or ("#" .. state.memos)
  return function(...)
    if state.closed then
      return nil, errors.new { kind = "closed", message = "the client is closed" }
    end
    local arguments = pack(...)
    local key = opts.key and "cached\0" .. prefix .. "\0" .. opts.key(...) or key_of(prefix, arguments)
    local results = core.lookup(state.client, nil, key, true)
    if not results then
      results = pack(fn(...))
      local failed = results[1] == nil and results[2] ~= nil
      local ttl_s = results[1] == nil and (opts.ttl_nil_s or 0) or opts.ttl_s
      if not failed and ttl_s > 0 and not state.closed then
        local kept, bytes = results, 0
        if not opts.borrow then
          kept, bytes = copy(results, {})
        end
        core.keep(state.client, key, kept, bytes, ttl_s)
      end
    elseif not opts.borrow then
      results = copy(results, {})
    end
    return unpack(results, 1, results.n)
  end
end

--- A function whose calls are counted and timed under `name`.
-- A thrown error, and `nil, err`, are counted as errors; a thrown one is
-- rethrown unchanged.
function _M.monitored(state, fn, name)
  if type(fn) ~= "function" then
    errors.throw("monitored: a function expected, got " .. type(fn))
  elseif type(name) ~= "string" or name == "" then
    errors.throw "monitored: a name expected"
  end
  local number = core.register(state.client, { name = name, replay = "once", timeout_s = 0, attempt_timeout_s = 0 })
  return function(...)
    if state.closed then
      return fn(...)
    end
    local started = core.time(state.client)
    local results = pack(pcall(fn, ...))
    local thrown = not results[1]
    if not state.closed then
      local failed = thrown or results[2] == nil and results[3] ~= nil
      core.record(state.client, number, failed, core.time(state.client) - started)
    end
    if thrown then
      error(results[2], 0)
    end
    return unpack(results, 2, results.n)
  end
end

return _M

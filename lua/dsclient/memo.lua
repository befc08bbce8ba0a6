--- The user's own functions, cached and measured like operations.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local options = require "dsclient.options"
local values = require "dsclient.values"

local format = string.format
local pack, unpack = values.pack, values.unpack

local _M = {}

-- What a table takes in memory, roughly: per table and per field (bytes).
local TABLE_BYTES, FIELD_BYTES = 56, 40

-- Tables inside each other; results that go deeper are not kept.
local DEPTH_MAX = 100

--- A copy that shares no table with its original, but objects that hide their
-- metatable, and what it weighs (bytes).
-- @return copy, bytes; bytes is nil where the value goes too deep
local function copy(value, seen, depth)
  local meta = debug.getmetatable(value)
  if type(value) ~= "table" or not rawequal(meta, getmetatable(value)) then
    return value, type(value) == "string" and #value or 0
  elseif seen[value] then
    return seen[value], 0
  elseif depth == DEPTH_MAX then
    return nil, nil
  end
  local twin, bytes = {}, TABLE_BYTES
  seen[value] = twin
  for name, field in next, value do
    local name_copy, name_bytes = copy(name, seen, depth + 1)
    local field_copy, field_bytes = copy(field, seen, depth + 1)
    if not name_bytes or not field_bytes then
      return nil, nil
    end
    twin[name_copy] = field_copy
    bytes = bytes + name_bytes + field_bytes + FIELD_BYTES
  end
  return setmetatable(twin, meta), bytes
end

local function private(results)
  return copy(results, {}, 0)
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
    local whole = math.tointeger and math.tointeger(value)
    return whole and format("#%d", whole) or format("#%.17g", value)
  end,
  string = function(value)
    return "s" .. #value .. ":" .. value
  end,
}

local function made_key(prefix, made)
  if type(made) ~= "string" and type(made) ~= "number" then
    errors.throw("cached: the option `key` has to give a string or a number, it gave a " .. type(made))
  end
  return "cached\0" .. prefix .. "\0" .. typed[type(made)](made)
end

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

local function remember(state, key, results, opts)
  local failed = results[1] == nil and results[2] ~= nil
  local ttl_s = results[1] == nil and (opts.ttl_nil_s or 0) or opts.ttl_s
  if failed or ttl_s == 0 or not state.options.enable_cache or not core.enter(state.client) then
    return
  end
  local twin, bytes = private(results)
  if bytes then
    core.keep(state.client, key, opts.borrow and results or twin, bytes, ttl_s)
  end
end

--- A function that remembers the results of `fn`, also when the token changes.
-- The key is the prefix and all arguments, each with its type; one of more than
-- 2 kB is not kept. All results are kept. `nil, err` never is; a plain nil only
-- where `ttl_nil_s` is given. With the cache off `fn` runs each time.
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
  local prefix = opts.key_prefix or "\1" .. state.memos -- no prefix of the user's
  return function(...)
    local usable, why = core.enter(state.client)
    if not usable then
      return nil, errors.new { kind = "closed", message = why }
    end
    local arguments = pack(...)
    local key = opts.key and made_key(prefix, opts.key(...)) or key_of(prefix, arguments)
    local results = core.recall(state.client, key)
    if not results then
      results = pack(fn(...))
      remember(state, key, results, opts)
    elseif not opts.borrow then
      results = private(results)
    end
    return unpack(results, 1, results.n)
  end
end

-- As the core has it.
local NAME_MAX = 128

-- How a call of the user's function is counted, by the results of its pcall:
-- "ok"; for an error of ours its kind; else "error".
local function end_of(results)
  local thrown = not results[1]
  local err = thrown and results[2] or results[2] == nil and results[3]
  if not thrown and (results[2] ~= nil or results[3] == nil) then
    return "ok"
  end
  return errors.is(err) and err.kind or "error"
end

--- A function whose calls are counted and timed under `name`.
-- A thrown error, and `nil, err`, are counted as errors; a thrown one is
-- rethrown unchanged.
function _M.monitored(state, fn, name)
  if type(fn) ~= "function" then
    errors.throw("monitored: a function expected, got " .. type(fn))
  elseif type(name) ~= "string" or name == "" or #name > NAME_MAX then
    errors.throw(format("monitored: a name of 1 to %d bytes expected", NAME_MAX))
  end
  if not core.enter(state.client) then
    return fn
  end
  local number = core.register(state.client, { name = name, replay = "once", timeout_s = 0, attempt_timeout_s = 0 })
  return function(...)
    local started = core.enter(state.client)
    if not started then
      return fn(...) -- closed: there is nobody to count
    end
    local results = pack(pcall(fn, ...))
    local thrown = not results[1]
    local ended = core.enter(state.client)
    if ended then
      core.record(state.client, number, end_of(results), ended - started)
      if state.shared then
        state.shared.tally_soon(state, true) -- it may be where nothing can wait
      end
    end
    if thrown then
      error(results[2], 0)
    end
    return unpack(results, 2, results.n)
  end
end

return _M

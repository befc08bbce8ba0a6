--- What answers are made of, where a server may send anything.

local core = require "dsclient.core"
local errors = require "dsclient.errors"
local types = require "dsclient.types"

local _M = {}

--- The table that a value is, or holds as JSON text, as `commandParam`, heartbeats
-- and parameters of tasks do; an empty one where it is neither.
function _M.table_of(value)
  if type(value) == "string" then
    value = core.decode(value)
  end
  return type(value) == "table" and value or {}
end

--- A call whose result has to be an object.
-- @treturn table|nil it; or nil, err: of kind "protocol" where it is none
function _M.object(client, operation, args, opts)
  local value, err = client:call(operation, args, opts)
  if value == nil or type(value) == "table" then
    return value, err
  end
  return nil, errors.new { kind = "protocol", operation = operation, message = "the answer has no data" }
end

--- One run.
-- @treturn table|nil its row; or nil, err: of kind "protocol" where it is another
function _M.run(client, project, instance_id, opts)
  local row, err = _M.object(client, "instances.get", { project = project, instance_id = instance_id }, opts)
  if not row or row.id == instance_id then
    return row, err
  end
  return nil, errors.new { kind = "protocol", operation = "instances.get", message = "the answer is another run" }
end

local function filtered(rows, fits)
  local list = {}
  for _, row in ipairs(rows) do
    if type(row) == "table" and fits(row) then
      list[#list + 1] = row
    end
  end
  return list
end

local function any()
  return true
end

--- A call whose result is a list.
-- @treturn table|nil its rows that are objects; or nil, err
function _M.rows(client, operation, args, opts)
  local rows, err = client:call(operation, args, opts)
  return rows and filtered(rows, any), err
end

local function has_name(row)
  return type(row.name) == "string" and types.format_code(row.code) ~= nil
end

--- A call whose result is a list of what has a code and a name.
-- @treturn table|nil its rows that have both; or nil, err
function _M.named(client, operation, args, opts)
  local rows, err = _M.rows(client, operation, args, opts)
  return rows and filtered(rows, has_name), err
end

-- As the server has them: signed ints (types.lua).
local ID_MAX = 2147483647

local function is_id(value)
  return type(value) == "number" and value % 1 == 0 and value >= 1 and value <= ID_MAX
end

--- What can be an id.
-- @treturn number|nil
function _M.id(value)
  return is_id(value) and value or nil
end

local function has_id(row)
  return is_id(row.id)
end

--- The rows that are objects with an id.
function _M.with_id(rows)
  return filtered(rows, has_id)
end

return _M

--- What is read of workflow definitions, on both ways of a file.

local answers = require "dsclient.composed.answers"
local errors = require "dsclient.errors"
local portable = require "dsclient.composed.portable"

local _M = {}

--- The error of an answer that lacks what everything has.
function _M.no_code(operation)
  local message = "the answer has nothing with a code and a name"
  return errors.new { kind = "protocol", operation = operation, message = message }
end

--- One definition with its tasks; see portable.read.
-- @treturn table|nil; or nil, err
function _M.read(client, project, workflow)
  local row, err = answers.object(client, "workflows.get", { project = project, workflow = workflow })
  if not row then
    return nil, err
  end
  local bundle = portable.read(row)
  if not bundle then
    return nil, _M.no_code "workflows.get"
  end
  return bundle
end

--- The row of this name.
function _M.by_name(rows, name)
  for _, row in ipairs(rows or {}) do
    if row.name == name then
      return row
    end
  end
end

--- The error of an argument.
function _M.argument(operation, name, message)
  return nil, errors.new { kind = "argument", operation = operation, argument = name, message = message }
end

return _M

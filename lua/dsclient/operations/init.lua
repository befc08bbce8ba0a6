--- The operations table: one row per operation of the server, as data.
--
-- A row has: `summary`; `method`; `path`, one for all server lines or one per
-- dialect, with {names} of parameters; `replay`: "read" (may be repeated,
-- cached, shared), "repeatable" (a write whose repetition ends in the same
-- state) or "once"; `result`: "page" (read to its end), "list", "object",
-- "started", "none"; `rows`: of what the rows are, where fields are derived;
-- `codes`: where bare codes stand in an answer; `ttl_s`: how long a result is
-- cached; `invalidates`: the operations whose results a success makes old;
-- `already`: codes that say it was so before; `holds`: the parameter that
-- names the run which only one call at a time may act on.
--
-- A parameter is {name, type, wire name (one, or one per dialect)} with
-- `required`, `default`, or `path = true` (then it stands in the path).

local errors = require "dsclient.errors"

local _M = {}

--- The resources, each with its rows in a file of its name.
_M.RESOURCES = { "projects", "workflows", "instances", "task_instances", "tasks", "tenants", "users", "server" }

-- An aliased row is the operation under the name that the seed's users know,
-- with counters and a time to live of its own.
local ALIASES = {
  get_projects = "projects.list",
  get_process_definitions = "workflows.list",
  get_workflow_instances = "instances.list",
  get_failed_workflow_instances = "instances.list",
  get_task_instances = "task_instances.list",
  execute_failure_recovery = "instances.execute",
}

local rows = {}

for _, resource in ipairs(_M.RESOURCES) do
  for verb, row in pairs(require("dsclient.operations." .. resource)) do
    row.resource, row.verb = resource, verb
    row.operation = resource .. "." .. verb
    row.name = row.operation
    rows[row.operation] = row
  end
end

--- The row of an operation under a name of its own.
function _M.alias(name, operation)
  local row = {}
  for field, value in pairs(rows[operation]) do
    row[field] = value
  end
  row.name = name
  return row
end

for name, operation in pairs(ALIASES) do
  rows[name] = _M.alias(name, operation)
end

--- The row of an operation (`"instances.list"`) or of one of the seed's names.
-- @treturn table|nil
function _M.find(name)
  return rows[name]
end

--- All names, sorted; and those that are likest to a name that is none.
function _M.names()
  local names = {}
  for name in pairs(rows) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

function _M.near(name)
  return errors.near(name, _M.names())
end

--- The rows of a resource, by verb.
function _M.of(resource)
  return require("dsclient.operations." .. resource)
end

return _M

--- The operations table: one row per operation of the server, as data. Each
-- resource has a file of its name, which is loaded at its first use.
--
-- `NOUN` in a path or a wire name is "process" up to 3.2 and "workflow" from 3.3
-- on. A row has:
--   summary      one line
--   method, path  with {names} of parameters
--   replay       "read" (may be repeated, cached, shared), "repeatable" (a write
--                whose repetition ends in the same state) or "once"
--   result       "page" (read to its end), "list", "object" (also scalars, as
--                {value = …}), "started", "none", or "bytes" (a file)
--   since, upto  the first and the last server version that has it, as "3.2"
--                or "3.2.2", where it is not all
--   rows         of what the rows are, where fields are derived: "instance",
--                "task"
--   renamed      keys of its answers on older lines, and what they are called now
--   codes        where bare codes stand in an answer, beside the known keys:
--                "data", "data[]", "key" or "key[]"
--   body         nil (query of GET and DELETE, else a form), "json" (one object),
--                "list" (its only parameter is the whole document), "multipart"
--   json         true where even a GET without a body has to say that it sends JSON
--   bare         true where an answer comes without code and msg
--   ttl_s        how long a result is cached; never without it
--   invalidates  the operations whose results a success makes old
--   already      codes that say it was so before: they count as success
--   gone         codes of a removal that say there is no such thing: a success
--                where an earlier attempt of the call may have removed it
--   holds        the parameter that names the run, or the runs, which only one call
--                at a time may act on
--   partial      true where a refusal may mean that some of what was asked for was done
--   traps        lines for the manual: what the server does that nobody expects
--
-- A parameter is {name, type, wire name} with `required`, `default`, `path` (it
-- stands in the path), `query` (in the query, whatever `body` says), `since`,
-- `upto`, `min`, `max` (of numbers), `values` (known names of an enum; the set is
-- open), `renamed` (JSON whose keys are called otherwise up to 3.2: what was read is
-- written under the names it had), and `help`, a few words where the name does not
-- say it all. The types are in types.lua and names.lua.

local errors = require "dsclient.errors"
local load = require "dsclient.load"

local _M = {}

--- The resources, each with its rows in a file of its name.
_M.RESOURCES = {
  "access_tokens", "alert_groups", "alert_instances", "analysis", "audit", "cloud", "clusters", "data_quality",
  "datasources", "environments", "favourites", "instances", "lineages", "namespaces", "plugins", "project_parameters",
  "project_preferences", "project_worker_groups", "projects", "queues", "relations", "resources", "schedules", "server",
  "sessions", "statistics", "task_groups", "task_instances", "task_types", "tasks", "tenants", "udfs", "users",
  "worker_groups", "workflows",
}

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

local is_resource = {}
for _, resource in ipairs(_M.RESOURCES) do
  is_resource[resource] = true
end

local resources, aliases = {}, {}

-- The word for a definition or a run on each side of the rename.
local NOUNS = { "process", "workflow" }

--- A text that has NOUN in it becomes one of each dialect.
local function in_both(text)
  if type(text) ~= "string" or not text:find("NOUN", 1, true) then
    return text
  end
  local both = {}
  for _, noun in ipairs(NOUNS) do
    both[noun] = text:gsub("NOUN", noun)
  end
  return both
end

local function prepare(resource, verb, row)
  row.resource, row.verb = resource, verb
  row.operation = resource .. "." .. verb
  row.name = row.operation
  row.path = in_both(row.path)
  for _, param in ipairs(row.params) do
    param[3] = in_both(param[3])
  end
end

--- The rows of a resource, by verb; nil where there is none of this name.
function _M.of(resource)
  if not resources[resource] and is_resource[resource] then
    local rows = load("dsclient.operations." .. resource)
    for verb, row in pairs(rows) do
      prepare(resource, verb, row)
    end
    resources[resource] = rows
  end
  return resources[resource]
end

local function row_of(operation)
  local resource, verb = operation:match "^([%w_]+)%.([%w_]+)$"
  local rows = resource and _M.of(resource)
  return rows and rows[verb]
end

--- The row of an operation under a name of its own.
function _M.alias(name, operation)
  local row = {}
  for field, value in pairs(row_of(operation)) do
    row[field] = value
  end
  row.name = name
  return row
end

--- The row of an operation (`"instances.list"`) or of one of the seed's names.
-- @treturn table|nil
function _M.find(name)
  if type(name) ~= "string" then
    return nil
  elseif ALIASES[name] and not aliases[name] then
    aliases[name] = _M.alias(name, ALIASES[name])
  end
  return aliases[name] or row_of(name)
end

-- What has to be given as one of these is in one project only.
local OF_ONE = { code = true, codes = true, id = true, ids = true, json = true, task = true }

--- Its parameter `project`, where nothing else that is given names one project.
local function project_of(row)
  local project
  for _, param in ipairs(row.params) do
    if param[1] == "project" then
      project = param
    elseif param.path or param.required and OF_ONE[param[2]] then
      return nil
    end
  end
  return project
end

--- Can it be asked of several projects at a time? See batch.lua.
-- @treturn string|nil "rows", "counts" (which the server has of all together, too),
--   or nil
function _M.batched(row)
  local project = row.replay == "read" and project_of(row)
  local bare = row.codes and row.codes[1] == "data[]"
  if project and not bare and (row.result == "page" or row.result == "list") then
    return "rows"
  end
  return project and row.result == "object" and not project.path and "counts" or nil
end

--- All names, sorted. Loads all there is.
function _M.names()
  local names = {}
  for name in pairs(ALIASES) do
    names[#names + 1] = name
  end
  for _, resource in ipairs(_M.RESOURCES) do
    for _, row in pairs(_M.of(resource)) do
      names[#names + 1] = row.operation
    end
  end
  table.sort(names)
  return names
end

--- The names that are likest to one that is none.
function _M.near(name)
  return errors.near(name, _M.names())
end

return _M

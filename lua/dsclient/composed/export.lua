--- Workflow definitions out to a file, on every line: 3.4.1 has no export of its
-- own.

local answers = require "dsclient.composed.answers"
local core = require "dsclient.core"
local definitions = require "dsclient.composed.definitions"
local errors = require "dsclient.errors"
local files = require "dsclient.files"
local names = require "dsclient.composed.names"
local options = require "dsclient.options"
local portable = require "dsclient.composed.portable"

local _M = {}

local function name_of(rows, code)
  for _, row in ipairs(rows or {}) do
    if row.code == code then
      return row.name
    end
  end
end

--- The names of what a code refers to beyond the file, for the import; nil where
-- the server does not tell.
local function names_of(client, reference, project)
  local projects = answers.named(client, "projects.list", {}, { borrow = true })
  local workflows = answers.named(client, "workflows.simple_list", { project = project }, { borrow = true })
  local told = { project = name_of(projects, project), workflow = name_of(workflows, reference.workflow) }
  if told.workflow and reference.task then
    local bundle = definitions.read(client, project, reference.workflow)
    told.task = name_of(bundle and bundle.tasks, reference.task)
  end
  local whole = told.project and told.workflow and (told.task or not reference.task)
  return whole and told or nil
end

local function add_references(client, bundles)
  local inside = {}
  for _, bundle in ipairs(bundles) do
    inside[bundle.code] = true
  end
  for _, bundle in ipairs(bundles) do
    portable.each_reference(bundle, function(reference)
      local project = reference.project or bundle.project
      if project and not inside[reference.workflow] then
        bundle.references[reference.task or reference.workflow] = names_of(client, reference, project)
      end
    end)
  end
end

local EXPORT = { path = { type = "string" } }

local EXPORT_ARGS = { project = true, workflows = true }

--- client.workflows:export_definitions(args, opts): definitions as JSON text, in the
-- form that the server's own export has from 3.3 on; schedules are not in it.
-- @tparam table args project; workflows: array of codes or names, all without it
-- @tparam table|nil opts path: of a file that the text is written to, too
-- @treturn string|nil the text; or nil, err
function _M.export_definitions(client, args, opts)
  local checked = options.check("workflows.export_definitions", opts or {}, EXPORT)
  names.check("workflows.export_definitions", args, EXPORT_ARGS)
  local workflows, err = args.workflows
  if workflows ~= nil and type(workflows) ~= "table" then
    return definitions.argument("workflows.export_definitions", "workflows", "an array of codes or names expected")
  elseif not workflows then
    local rows
    rows, err = answers.named(client, "workflows.simple_list", { project = args.project }, { refresh = true })
    if not rows then
      return nil, err
    end
    workflows = {}
    for i, row in ipairs(rows) do
      workflows[i] = row.code
    end
  end
  local bundles, rows = {}, {}
  for i, workflow in ipairs(workflows) do
    bundles[i], err = definitions.read(client, args.project, workflow)
    if err then
      return nil, err
    end
  end
  add_references(client, bundles)
  for i, bundle in ipairs(bundles) do
    rows[i] = portable.write(bundle)
  end
  local text, problem = core.encode(core.array(rows), true)
  if not text then
    return nil, errors.new { kind = "protocol", operation = "workflows.export_definitions", message = problem }
  elseif checked.path then
    local ok, message = files.write_whole(client, checked.path, function(file)
      return file:write(text)
    end)
    if not ok then
      return definitions.argument("workflows.export_definitions", "path", message)
    end
  end
  return text
end

return _M

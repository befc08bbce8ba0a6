--- Workflow definitions in from a file, on every line: no line's own import knows
-- what is there already, and 3.4.1 has none.

local answers = require "dsclient.composed.answers"
local definitions = require "dsclient.composed.definitions"
local errors = require "dsclient.errors"
local names_of = require "dsclient.composed.names"
local options = require "dsclient.options"
local portable = require "dsclient.composed.portable"
local types = require "dsclient.types"

local format = string.format

local _M = {}

local by_name = definitions.by_name

--- The workflows of a project by name, never from the cache.
local function codes_by_name(client, project)
  local rows, err = answers.named(client, "workflows.simple_list", { project = project }, { refresh = true })
  if not rows then
    return nil, err
  end
  local codes = {}
  for _, row in ipairs(rows) do
    codes[row.name] = row.code
  end
  return codes
end

local OPERATION = "workflows.import_definitions"

local function parse(args)
  local text, message = args.text, nil
  if args.path then
    local file
    file, message = types.convert.file { path = args.path }
    text = file and file.content
  end
  if type(text) ~= "string" then
    return definitions.argument(OPERATION, args.path and "path" or "text", message or "JSON text, or a path, expected")
  end
  local bundles = {}
  for i, row in ipairs(answers.table_of(text)) do
    bundles[i] = portable.read(row)
    if not bundles[i] then
      return definitions.argument(OPERATION, "text", format("item %d is no workflow definition", i))
    end
  end
  if not bundles[1] then
    return definitions.argument(OPERATION, "text", "a JSON array of workflow definitions expected")
  end
  return bundles
end

--- Those that others refer to come first.
local function in_order(bundles)
  local by_code, ordered, placed = {}, {}, {}
  for _, bundle in ipairs(bundles) do
    by_code[bundle.code] = bundle
  end
  local function place(bundle)
    if bundle and not placed[bundle] then
      placed[bundle] = true
      portable.each_reference(bundle, function(reference)
        place(by_code[reference.workflow])
      end)
      ordered[#ordered + 1] = bundle
    end
  end
  for _, bundle in ipairs(bundles) do
    place(bundle)
  end
  return ordered
end

-- The server gives at most so many codes at once.
local CODES_MAX = 100

--- Codes for the tasks that have none on this server.
local function new_codes(self, tasks)
  local codes = {}
  while #codes < #tasks do
    local before, count = #codes, math.min(#tasks - #codes, CODES_MAX)
    local fresh, err = self.client:call("tasks.generate_codes", { project = self.project, count = count })
    for _, code in ipairs(fresh or {}) do
      codes[#codes + 1] = types.format_code(code)
    end
    if #codes == before then
      return nil, err or errors.new { kind = "protocol", operation = "tasks.generate_codes", message = "no codes came" }
    end
  end
  for i, task in ipairs(tasks) do
    self.codes[task.code] = codes[i]
  end
  return true
end

--- Gives the tasks of a definition their codes on this server: those of the same
-- name in the definition that is there, else new ones.
local function map_tasks(self, bundle, there)
  local lacking = {}
  for _, task in ipairs(bundle.tasks) do
    local known = there and by_name(there.tasks, task.name)
    self.codes[task.code] = known and known.code
    lacking[#lacking + 1] = not known and task or nil
  end
  return there and not self.update or new_codes(self, lacking)
end

local function is_name(value)
  return type(value) == "string" and value ~= ""
end

--- The names that the file has for a code: {project, workflow, task}; nil for none.
local function names_in(bundle, code)
  local names = bundle.references[code]
  local fit = type(names) == "table" and is_name(names.project) and is_name(names.workflow)
  return fit and (names.task == nil or is_name(names.task)) and names or nil
end

--- Looks up here what a code of the file refers to by its names.
local function resolve(self, code, names)
  local workflows = answers.named(self.client, "workflows.simple_list", { project = names.project }, { borrow = true })
  local found = by_name(workflows, names.workflow)
  if found and names.task then
    local bundle = definitions.read(self.client, names.project, found.code)
    local task = by_name(bundle and bundle.tasks, names.task)
    self.codes[code] = task and task.code
    return task and found
  elseif found then
    self.codes[code] = found.code
  end
  return found
end

--- Maps what the definition refers to beyond the file; says what is not here.
-- @treturn boolean does it refer to one of the file that has no code here yet: to
--   itself, as who waits for his day before, or in a circle?
local function map_references(self, bundle)
  local early = false
  portable.each_reference(bundle, function(reference)
    local code = reference.task or reference.workflow
    local names = names_in(bundle, code)
    if self.inside[reference.workflow] then
      early = early or not self.codes[reference.workflow]
      return
    elseif self.codes[code] then
      return
    end
    local found = names and resolve(self, code, names)
    if found then
      self.codes[reference.workflow] = found.code
      if reference.project then
        self.codes[reference.project] = types.format_code(found.projectCode)
      end
    else
      self.unresolved[#self.unresolved + 1] = errors.line(format("%s / %s: %s", bundle.fields.name,
        tostring(reference.of or "?"),
        names and format("%s / %s is not here", names.project, names.workflow) or "refers to " .. code))
    end
  end)
  return early
end

--- Writes a definition; what only other lines know is left out.
local function write(self, operation, args)
  local written, err = self.client:call(operation, args)
  while not written and err.kind == "unsupported" and err.argument and args[err.argument] ~= nil do
    args[err.argument] = nil
    written, err = self.client:call(operation, args)
  end
  return written, err
end

local function create(self, bundle)
  local args = portable.arguments(portable.with_codes(bundle, self.codes), self.dialect)
  args.project = self.project
  local created, err = write(self, "workflows.create", args)
  if not created and err.kind ~= "outcome_unknown" then
    return nil, err
  end
  local code = type(created) == "table" and types.format_code(created.code)
  if not code then
    -- the answer was lost, or this line's has no code: the name is unique
    local codes, other = codes_by_name(self.client, self.project)
    code = codes and codes[bundle.fields.name]
    if not code then
      return nil, err or other or errors.new { kind = "outcome_unknown", operation = "workflows.create",
        message = "it was accepted, but no workflow has the name" }
    end
  end
  self.codes[bundle.code] = code
  return "created"
end

local function update(self, bundle, there)
  local wanted = portable.with_codes(bundle, self.codes)
  local is_wanted = portable.fingerprint(wanted)
  if is_wanted and is_wanted == portable.fingerprint(there) then
    return "unchanged"
  end
  local args = portable.arguments(wanted, self.dialect)
  args.project, args.workflow = self.project, there.code
  args.tenant = args.tenant or there.fields.tenantCode
  local updated, err = write(self, "workflows.update", args)
  return updated and "updated", err
end

--- Reads the definition that is there, if any, and gives all tasks their codes.
-- @treturn table|boolean|nil what is there, or false; or nil, err
local function prepare(self, bundle)
  local code, there, err = self.there[bundle.fields.name], false
  if code then
    there, err = definitions.read(self.client, self.project, code)
    if not there then
      return nil, err
    end
    self.codes[bundle.code] = code
  end
  local ok
  ok, err = map_tasks(self, bundle, there)
  return ok and there, err
end

--- Brings one definition in.
-- @treturn string|nil "created", "updated", "unchanged" or "skipped"; or nil, err
local function bring_in(self, bundle, there)
  if there and not self.update then
    return "skipped"
  elseif map_references(self, bundle) then
    self.unfinished[#self.unfinished + 1] = bundle
  end
  if there then
    return update(self, bundle, there)
  end
  return create(self, bundle)
end

--- Writes a definition again that was brought in before what it refers to.
local function finish(self, bundle)
  if not self.codes[bundle.code] then
    return true -- it failed before
  end
  local there, err = definitions.read(self.client, self.project, self.codes[bundle.code])
  if not there then
    return nil, err
  end
  return update(self, bundle, there)
end

--- What an import works on, once the server told what is there.
local function begin(client, project_given, bundles)
  local about, err = client:check_connection()
  local project, there
  if about then
    project, err = answers.object(client, "projects.get", { project = project_given })
  end
  local code = project and types.format_code(project.code)
  if code then
    there, err = codes_by_name(client, code)
  elseif project then
    err = definitions.no_code "projects.get"
  end
  if not there then
    return nil, err
  end
  local self = {
    client = client,
    project = code,
    dialect = about.dialect,
    there = there,
    codes = {}, -- of the file → here
    inside = {}, -- codes of workflows of the file
    unfinished = {},
    unresolved = {},
  }
  for _, bundle in ipairs(bundles) do
    self.inside[bundle.code] = true
    self.codes[bundle.project or ""] = code
  end
  return self
end

local IMPORT = { update = { type = "boolean", default = false } }

local IMPORT_ARGS = { project = true, text = true, path = true }

--- client.workflows:import_definitions(args, opts): creates the workflows of a file
-- that the project has not, by their names, under new codes; in relations, locations,
-- conditions, sub-workflows and dependences, too. What is the same is not written.
-- Environments, task groups and resources are taken by the code, id or name they
-- had. A workflow that is online can't be updated.
-- @tparam table args project; text or path, of `export_definitions` or of the server's own
--   export of any line
-- @tparam table|nil opts update: write those that are there and differ
-- @treturn table|nil {created, updated, unchanged, skipped: arrays of names, failed:
--   array of {name, err}, unresolved: lines on references to what is not here}; or
--   nil, err, where nothing was done
function _M.import_definitions(client, args, opts)
  local checked = options.check(OPERATION, opts or {}, IMPORT)
  names_of.check(OPERATION, args, IMPORT_ARGS)
  local bundles, err = parse(args)
  local self
  if bundles then
    self, err = begin(client, args.project, bundles)
  end
  if not self then
    return nil, err
  end
  self.update = checked.update
  local result = { created = {}, updated = {}, unchanged = {}, skipped = {}, failed = {} }
  local function fail(bundle, why)
    result.failed[#result.failed + 1] = { name = bundle.fields.name, err = why }
  end
  local ready = {}
  for _, bundle in ipairs(in_order(bundles)) do
    local there
    there, err = prepare(self, bundle)
    if err then
      fail(bundle, err)
    else
      ready[#ready + 1] = { bundle = bundle, there = there }
    end
  end
  for _, one in ipairs(ready) do
    local done
    done, err = bring_in(self, one.bundle, one.there)
    if done then
      result[done][#result[done] + 1] = one.bundle.fields.name
    else
      fail(one.bundle, err)
    end
  end
  for _, bundle in ipairs(self.unfinished) do
    local done
    done, err = finish(self, bundle)
    if not done then
      fail(bundle, err)
    end
  end
  result.unresolved = self.unresolved
  return result
end

return _M

--- Help in the language, made of the operations table: what there is, and how
-- each operation is called. docs/generate.lua makes the manual and the type
-- definitions of the same parts.

local dialects = require "dsclient.dialect"
local errors = require "dsclient.errors"
local operations = require "dsclient.operations"

local concat, format = table.concat, string.format

local _M = {}

-- Columns of a terminal that a text fills at most.
local WIDTH = 100

--- What each resource is.
_M.ABOUT = {
  access_tokens = "Who sends an access token is its user.",
  alert_groups = "An alert group names the alert instances that a workflow's alerts go to.",
  alert_instances = "An alert instance is an alert plugin with its settings: mail, HTTP, script …",
  analysis = "Counts of states, commands and definitions, as the start page shows them.",
  audit = "The audit log: who did what to which thing.",
  cloud = "What an account at a cloud has (Azure Data Factory), for the task type that runs it.",
  clusters = "The Kubernetes clusters that the server knows.",
  data_quality = "The rules of data quality checks, and their results.",
  datasources = "Connections to databases, and the databases, tables and columns there.",
  environments = "Named sets of variables that tasks run with.",
  favourites = "The task types that the token's user has marked as favourites.",
  instances = "Workflow instances, that is runs: list and read them, and act on them.",
  lineages = "Which workflows and tasks depend on which.",
  namespaces = "Kubernetes namespaces that tasks may run in.",
  plugins = "The plugins of the server, with the parameters of their forms.",
  project_parameters = "Values that all workflows of a project may use.",
  project_preferences = "What new tasks of a project are filled in with.",
  project_worker_groups = "The worker groups that a project may use.",
  projects = "What workflows, their runs and the rights of users are in.",
  queues = "The YARN queues that tenants submit to.",
  relations = "The edges between the tasks of a workflow.",
  resources = "The files of the resource centre, which tasks use.",
  schedules = "When a workflow starts by itself.",
  server = "The server itself: its version, machines and database.",
  sessions = "Logging in with a name and a password, and out; a token needs neither.",
  statistics = "Counts of states and definitions, from the second version of the API.",
  task_groups = "How many tasks may run at once, and the queues of those that wait.",
  task_instances = "A task in a run: its state and its log.",
  task_types = "The task types that the server offers, by category.",
  tasks = "Task definitions: the tasks of workflows.",
  tenants = "The users of the operating system that tasks run as.",
  udfs = "Functions for Hive and Spark whose code is in the resource centre.",
  users = "Users, and what they may see and use.",
  worker_groups = "The workers that a task may go to.",
  workflows = "Workflow definitions: write, release and start them.",
}

-- What instances.recover and its kin are given.
local A_RUN = "{project = …, instance_id = …}"
local RUNS = "{project = …, instance_id = … | instance_ids = {…}}"

--- What a resource has beside the operations of the table: name, arguments, what
-- it does, its options and what it gives where that is more.
_M.BESIDE = {
  instances = {
    { "recover", RUNS,
      "runs the failed tasks of a run again; `true` says that it was accepted, not that it is done: the run's "
      .. "`runTimes` grows in a second or so, and its state tells; several at once, in one request from 3.1 on" },
    { "rerun", RUNS, "runs all of a run, or of several, again" },
    { "resume", RUNS, "goes on with a run that was paused or stopped" },
    { "pause", RUNS, "lets the tasks that run end, and starts no other" },
    { "stop", RUNS, "kills the tasks that run, and starts no other" },
    { "diagnose", "(" .. A_RUN .. ", opts)",
      "why a run failed: its failed tasks, also those of sub-workflows, each with the end of its log, its exit code "
      .. "and the likely cause",
      "`log_lines` (30), `depth_max` (10), `tasks_max` (100); gives `{instance_id, name, state, failed_tasks, "
      .. "truncated, problems}`, each task with `path`, `name`, `state`, `host`, `exit_code`, `log_tail`, `cause`, "
      .. "`cause_line`" },
  },
  task_instances = {
    { "log", "(task_instance_id, opts)", "the whole log as one text, its parts put together",
      "`timeout_s` (300), `bytes_max`" },
    { "tail", "(task_instance_id, count, opts)", "the last lines of a log, found without reading all of it",
      "`timeout_s` (300); gives an array of lines" },
    { "follow", "(task_instance_id, {project = …})", "iterates over the lines of a log until the task has ended",
      "`project` (needed), `instance_id` (faster), `interval_s` (2), `timeout_s` (86400), `skip` (0); throws the "
      .. "error that ends it" },
    { "download", "(task_instance_id, target, opts)", "the log as a file, whole or not at all, of any size",
      "`timeout_s`, `attempt_timeout_s`; `target` is a path, a function for each piece, or an open file" },
  },
  workflows = {
    { "run", "({project = …, workflow = …}, opts)",
      "starts a run, with the arguments of `start`, and tells its id on every line: `{instance_ids = …}`",
      "`timeout_s` (60), `poll_s` (1), `poll_max_s` (30)" },
    { "run_and_wait", "({project = …, workflow = …}, opts)",
      "starts a run and waits for its end: `{instance_id, state, ok, failed_tasks, …}`",
      "`timeout_s` (3600) of all together, `poll_s` (1), `poll_max_s` (30); the arguments are those of `start`; "
      .. "gives `started_at`, `ended_at`, `duration_s`, too; `err.instance_ids` once the run is known" },
    { "backfill", "({project = …, workflow = …, from = …, to = …}, opts)",
      "runs a workflow for each date that it was not run for, in order; tells which are missing",
      "`concurrency` (1), `plan` (only tell), `rerun_failed`, `stop_on_failure`, `timeout_s` (86400), `poll_s` (1), "
      .. "`poll_max_s` (30), `shift_s` (0), `progress`; arguments also `step` (day), or `dates`, and `start`, a table "
      .. "for `start`; gives `{complete, started, dates, holes}`" },
    { "export_definitions", "({project = …, [workflows = …]}, opts)",
      "definitions as JSON text, in the form of the server's own export", "`path`: a file to write, too" },
    { "import_definitions", "({project = …, path = …}, opts)",
      "creates the workflows of such a text that the project has not, under new codes",
      "`update`: write those that are there and differ; `text` in place of `path`; gives `{created, updated, "
      .. "unchanged, skipped, failed, unresolved}`" },
  },
}

--- The seed's names, as they are called.
_M.SEED = {
  get_projects = "client:get_projects(opts)",
  get_process_definitions = "client:get_process_definitions(project, opts)",
  get_workflow_instances = "client:get_workflow_instances(project, filter, opts)",
  get_failed_workflow_instances = "client:get_failed_workflow_instances(project, filter, opts)",
  get_task_instances = "client:get_task_instances(project, filter, opts)",
  execute_failure_recovery = "client:execute_failure_recovery(project, instance_id, opts)",
}

local CODE_OR_NAME = "string|integer|dsclient.named"

--- The types of parameters: names, as a type of LuaCATS, and what they take.
_M.TYPES = {
  { names = { "project", "workflow", "environment", "cluster" }, lua = CODE_OR_NAME,
    takes = "a code or a name; all digits is a code, so a name made of digits is given as `{name = \"2024\"}`" },
  { names = { "task" }, lua = CODE_OR_NAME, takes = "the same; a name only beside `workflow`" },
  { names = { "user_id", "tenant_id", "queue_id", "alert_group_id", "datasource_id", "worker_group_id" },
    lua = CODE_OR_NAME, takes = "an id or a name" },
  { names = { "tenant", "worker_group" }, lua = "string",
    takes = "a name that the server has: looked up before it is sent" },
  { names = { "code" }, lua = "string|integer", takes = "decimal digits, or a whole number below 2^53" },
  { names = { "id" }, lua = "integer|string", takes = "a whole number from 1 to 2147483647" },
  { names = { "workflows", "tasks" }, lua = CODE_OR_NAME .. "|(" .. CODE_OR_NAME .. ")[]",
    takes = "a list of codes or names, or text with commas" },
  { names = { "codes", "ids" }, lua = "string|integer|(string|integer)[]", takes = "a list, or text with commas" },
  { names = { "strings" }, lua = "string|string[]", takes = "a list, or text with commas" },
  { names = { "string" }, lua = "string", takes = "text" },
  { names = { "integer" }, lua = "integer", takes = "a whole number of 32 bits" },
  { names = { "number" }, lua = "number", takes = "a finite number" },
  { names = { "boolean" }, lua = "boolean", takes = "`true` or `false`" },
  { names = { "enum" }, lua = "string",
    takes = "a name in capitals; those that are known are listed, another one is sent as it is" },
  { names = { "date" }, lua = "string|number",
    takes = "seconds since 1970, or `yyyy-MM-dd HH:mm:ss` in the zone of the token's user" },
  { names = { "json" }, lua = "string|table", takes = "a table, or JSON text" },
  { names = { "file" }, lua = "dsclient.file", takes = "`{path = …}` or `{name = …, content = …}`" },
}

--- What a call gives, by the `result` of its row.
_M.RESULTS = {
  page = "rows, all pages",
  list = "a list",
  object = "a table",
  started = "`{instance_ids = …}`",
  none = "`true`",
  bytes = "the bytes of a file",
}

--- The replay classes in words.
_M.CLASSES = {
  read = "changes nothing: repeated after a failure, shared, cached where a time is given",
  repeatable = "a write whose repetition ends in the same state: repeated after a failure",
  once = "a write that must not happen twice: repeated only where the server surely did not act, "
    .. "else the error is `outcome_unknown`",
}

--- On which server lines an operation or a parameter is; nil where on all.
function _M.lines(item)
  return (item.since or item.upto) and dialects.range(item) or nil
end

local UNITS = { { 3600, "h" }, { 60, "min" }, { 1, "s" } }

--- How long results are cached, in words.
function _M.duration(seconds)
  for _, unit in ipairs(UNITS) do
    if seconds % unit[1] == 0 then
      return format("%d %s", seconds / unit[1], unit[2])
    end
  end
  return format("%g s", seconds)
end

--- The path of an operation, on the newest line that has it.
function _M.path(row)
  return type(row.path) == "table" and (row.path.workflow or row.path.process) or row.path
end

--- Has a parameter to be given?
function _M.is_required(param)
  return (param.required or param.path) and param.default == nil
end

--- The known values of an enum, in words; nil where none are named.
function _M.values(param)
  return param.values and "known: " .. param.values:gsub("%S+", "`%0`"):gsub(" ", ", ")
end

--- What else is to say of a parameter beside its name and type; array of strings.
function _M.notes(param)
  local notes = {}
  if param.default ~= nil then
    local bare = type(param.default) ~= "string" or param[2] == "enum"
    notes[1] = format("default `%s`", bare and tostring(param.default) or format("%q", param.default))
  end
  if param.min and param.max then
    notes[#notes + 1] = format("%.14g to %.14g", param.min, param.max)
  elseif param.min or param.max then
    notes[#notes + 1] = format("at %s %.14g", param.min and "least" or "most", param.min or param.max)
  end
  notes[#notes + 1] = _M.lines(param)
  notes[#notes + 1] = param.help
  return notes
end

--- Notes on a whole operation; array of sentences without full stops.
function _M.remarks(row)
  local remarks = {}
  if operations.batched(row) == "rows" then
    remarks[1] = "several at a time: `projects` in place of `project`"
  elseif operations.batched(row) then
    remarks[1] = "several at a time: `projects` in place of `project` gives the sum; \"*\" is one request"
  end
  if row.holds then
    remarks[#remarks + 1] = format("one call at a time for each `%s`; another one fails with kind `busy`",
      row.holds:gsub("s$", ""))
  end
  if row.already then
    remarks[#remarks + 1] = format("success, too, where the server says that it was so before (%s)",
      concat(row.already, ", "))
  end
  if row.gone then
    remarks[#remarks + 1] = format("success, too, where it is not there (%s) and an earlier attempt of the call may "
      .. "have removed it", concat(row.gone, ", "))
  end
  for _, trap in ipairs(row.traps or {}) do
    remarks[#remarks + 1] = trap
  end
  return remarks
end

-- Letters, not bytes.
local function columns_of(text)
  return #text:gsub("[\128-\191]", "")
end

--- Words on lines of so many columns, all but the first behind a margin.
local function wrapped(words, margin, width)
  local lines, line = {}, ""
  for _, word in ipairs(words) do
    local longer = line == "" and word or line .. " " .. word
    if columns_of(longer) > width - #margin and line ~= "" then
      lines[#lines + 1], line = line, word
    else
      line = longer
    end
  end
  lines[#lines + 1] = line
  return concat(lines, "\n" .. margin)
end

--- A text on lines of so many columns.
function _M.wrap(text, margin, width)
  local words = {}
  for word in text:gmatch "%S+" do
    words[#words + 1] = word
  end
  return wrapped(words, margin, width)
end

local function wrapped_text(text, margin)
  return _M.wrap((text:gsub("`", "")), margin, WIDTH)
end

local function signature(row)
  local head = format("client.%s:%s", row.resource, row.verb)
  local words = {}
  for i, param in ipairs(row.params) do
    local form = _M.is_required(param) and "%s%s = …%s" or "%s[%s = …]%s"
    words[i] = format(form, i == 1 and head .. "{" or "", param[1], row.params[i + 1] and "," or "}")
  end
  return #words == 0 and head .. "()" or wrapped(words, "  ", WIDTH)
end

local function width_of(params, field)
  local width = 0
  for _, param in ipairs(params) do
    width = math.max(width, #param[field])
  end
  return width
end

local function add_params(lines, params)
  local names, types = width_of(params, 1), width_of(params, 2)
  for _, param in ipairs(params) do
    local notes = _M.notes(param)
    notes[#notes + 1] = _M.values(param)
    if _M.is_required(param) then
      table.insert(notes, 1, "required")
    end
    local head = format("  %-" .. names .. "s  %-" .. types .. "s  ", param[1], param[2])
    lines[#lines + 1] = (head .. wrapped_text(concat(notes, "; "), (" "):rep(#head))):gsub("%s+$", "")
  end
end

local function operation_text(row)
  local lines = { signature(row), "", "  " .. wrapped_text(row.summary, "  "), "" }
  if #row.params > 0 then
    add_params(lines, row.params)
    lines[#lines + 1] = ""
  end
  local function add(label, text)
    local head = format("  %-9s", label)
    lines[#lines + 1] = head .. wrapped_text(text, (" "):rep(#head))
  end
  add("request", row.method .. " " .. _M.path(row))
  add("gives", _M.RESULTS[row.result])
  add("lines", _M.lines(row) or "all")
  add("class", row.replay .. ": " .. _M.CLASSES[row.replay])
  if row.ttl_s then
    add("cached", "for " .. _M.duration(row.ttl_s))
  end
  for _, remark in ipairs(_M.remarks(row)) do
    add("note", remark)
  end
  return concat(lines, "\n") .. "\n"
end

local function seed_text(row)
  return format("%s\n\n  %s\n\n  is       %s, with counters and a time to live of its own\n", _M.SEED[row.name],
    wrapped_text(row.summary, "  "), row.operation)
end

--- The rows of a resource, sorted by name.
function _M.rows_of(resource)
  local rows = {}
  for _, row in pairs(operations.of(resource)) do
    rows[#rows + 1] = row
  end
  table.sort(rows, function(a, b)
    return a.verb < b.verb
  end)
  return rows
end

--- Names with a text behind each.
-- @tparam table items array of {name, text}
local function add_items(lines, items)
  local width = width_of(items, 1)
  for _, item in ipairs(items) do
    local head = format("  %-" .. width .. "s  ", item[1])
    lines[#lines + 1] = head .. wrapped_text(item[2], (" "):rep(#head))
  end
end

local function resource_text(resource)
  local lines, items = { "client." .. resource, "", "  " .. _M.ABOUT[resource], "" }, {}
  for i, row in ipairs(_M.rows_of(resource)) do
    local on = _M.lines(row)
    items[i] = { row.verb, row.summary .. (on and " (" .. on .. ")" or "") }
  end
  for _, one in ipairs(_M.BESIDE[resource] or {}) do
    items[#items + 1] = { one[1], one[3] }
  end
  add_items(lines, items)
  return concat(lines, "\n") .. "\n"
end

local function overview()
  local lines, items = {}, {}
  for i, resource in ipairs(operations.RESOURCES) do
    items[i] = { resource, _M.ABOUT[resource] }
  end
  add_items(lines, items)
  return concat(lines, "\n") .. "\n"
end

-- By full name: what is beside the operations.
local beside = {}
for resource, list in pairs(_M.BESIDE) do
  for _, one in ipairs(list) do
    local name = resource .. "." .. one[1]
    beside[name] = { name = name, call = format("client.%s:%s%s", resource, one[1], one[2]), summary = one[3],
      opts = one[4] }
  end
end

local function beside_text(one)
  local text = one.call .. "\n\n  " .. wrapped_text(one.summary, "  ") .. "\n"
  return one.opts and text .. "\n  opts     " .. wrapped_text(one.opts, (" "):rep(11)) .. "\n" or text
end

--- The names of all that can be called.
local function all_names()
  local names = operations.names()
  for name in pairs(beside) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- What can be called and has a text in its name, sorted.
-- @tparam string|nil part of a name; nil for all
-- @treturn table array of {name, summary}
function _M.list(part)
  if part ~= nil and type(part) ~= "string" then
    errors.throw("operations: a part of a name expected, got " .. type(part))
  end
  local list = {}
  for _, name in ipairs(all_names()) do
    if not part or name:find(part:lower(), 1, true) then
      list[#list + 1] = { name = name, summary = (beside[name] or operations.find(name)).summary }
    end
  end
  return list
end

--- What there is to know of an operation, or of a resource.
-- @tparam string|nil name "instances.execute", "instances", or one of the seed's
--   names; nil for a list of the resources
-- @treturn string|nil text of some lines
-- @treturn table|nil where the name is none, those that are near it
function _M.text(name)
  if name == nil then
    return overview()
  elseif type(name) ~= "string" then
    errors.throw("help: the name of an operation or a resource expected, got " .. type(name))
  end
  local row = operations.find(name)
  if row then
    return _M.SEED[name] and seed_text(row) or operation_text(row)
  elseif beside[name] then
    return beside_text(beside[name])
  elseif operations.of(name) then
    return resource_text(name)
  end
  local names = all_names()
  for _, resource in ipairs(operations.RESOURCES) do
    names[#names + 1] = resource
  end
  return nil, errors.near(name, names)
end

return _M

--- Starting a run, finding out which one it is, and waiting for its end.
--
-- What a start answers differs: up to 3.1 nothing, on 3.2 a code under which the
-- run is found once a master took the command, from 3.3 on its id. Where nothing
-- tells, the run is looked for among those that are there since the start.

local answers = require "dsclient.composed.answers"
local errors = require "dsclient.errors"
local failures = require "dsclient.composed.failures"
local names = require "dsclient.composed.names"
local options = require "dsclient.options"
local types = require "dsclient.types"
local watches = require "dsclient.composed.watch"

local format = string.format

local _M = {}

-- The runs of a workflow that are looked at: the latest ones by their start.
local ROWS = 100

local HOUR = 3600

-- Another start of the same user may be taken up a moment later: what is found
-- without an id is looked at once more.
local CONFIRM_S = 1

-- A start of these kinds may have happened.
local UNKNOWN = { outcome_unknown = true, protocol = true }

local ENDED_WELL = { SUCCESS = true, FORCED_SUCCESS = true }

--- Did the run of this row end well?
function _M.is_good(row)
  return ENDED_WELL[row.state] or false
end

local function fail(kind, operation, message, fields)
  local err = { kind = kind, operation = operation, message = message }
  for name, value in pairs(fields or {}) do
    err[name] = value
  end
  return nil, errors.new(err)
end

-- --- which run is it? ----------------------------------------------------

local function latest_runs(client, args, opts)
  local page = { project = args.project, workflow = args.workflow, page_size = ROWS }
  local rows, err = client.instances:page(1, page, opts)
  return rows and answers.with_id(rows), err
end

--- What is there before the start. Times would not tell: the clocks of the
-- servers and ours differ.
local function look_before(client, args, opts)
  local user, err = answers.object(client, "users.current", {}, { ttl_s = HOUR, borrow = true })
  local rows
  if user then
    rows, err = latest_runs(client, args, opts)
  end
  if not rows then
    return nil, err
  end
  local before = { highest = 0, user = user.userName }
  for _, row in ipairs(rows) do
    before.highest = math.max(before.highest, row.id)
  end
  return before
end

--- Is this row a run that the start may have made?
local function may_be_ours(row, args, before)
  return row.id > before.highest and row.commandType == (args.exec_type or "START_PROCESS")
    and (type(row.executorName) ~= "string" or row.executorName == before.user)
    and (type(row.dryRun) ~= "number" or row.dryRun == (args.dry_run or 0))
end

local function is_same(a, b)
  for name, value in pairs(a) do
    if b[name] ~= value then
      return false
    end
  end
  for name in pairs(b) do
    if a[name] == nil then
      return false
    end
  end
  return true
end

--- Was the run of this row, which has all details, started with these parameters,
-- and for these dates?
local function was_started_with(row, args)
  local param = answers.table_of(row.commandParam)
  for name, value in pairs(answers.table_of(args.schedule_time)) do
    if param[name] ~= value then
      return false
    end
  end
  return is_same(answers.table_of(args.start_params), answers.table_of(param.StartParams or param.startParams))
end

--- Of several candidates those that were started so.
local function narrow(client, args, ids, opts)
  local fitting = {}
  for _, id in ipairs(ids) do
    local row, err = answers.run(client, args.project, id, opts)
    if not row then
      return nil, err
    elseif was_started_with(row, args) then
      fitting[#fitting + 1] = id
    end
  end
  return fitting[1] and fitting or ids
end

local function new_ids(client, args, before, opts)
  local rows, err = latest_runs(client, args, opts)
  if not rows then
    return nil, err
  end
  local ids = {}
  for _, row in ipairs(rows) do
    if may_be_ours(row, args, before) then
      ids[#ids + 1] = row.id
    end
  end
  table.sort(ids)
  if #ids > 1 then
    return narrow(client, args, ids, opts)
  end
  return ids
end

local NOT_THERE = "the start was accepted, but its run is not there"

--- Looks for the run that nothing tells the id of.
local function find_by_list(client, args, before, watch)
  local confirmed, waited, err
  repeat
    local ids
    ids, err = new_ids(client, args, before, watch:call_options())
    if not ids and not watches.is_passing(err) then
      return nil, err
    elseif ids and #ids > 1 then
      return fail("ambiguous", watch.operation, format("%d runs of this workflow began since the start: which one is "
        .. "it?", #ids), { instance_ids = ids })
    elseif ids and #ids == 1 and confirmed == ids[1] then
      return ids
    end
    confirmed = ids and ids[1]
    if confirmed then
      waited, err = client:sleep(CONFIRM_S)
    else
      waited, err = watch:pause(NOT_THERE)
    end
  until not waited
  return nil, err
end

--- Looks for the runs of a trigger code.
local function find_by_trigger(client, args, code, watch)
  local waited, err
  repeat
    local rows
    rows, err = answers.rows(client, "instances.trigger", { project = args.project, trigger_code = code },
      watch:call_options())
    if not rows and not watches.is_passing(err) then
      break
    end
    local ids = {}
    for i, row in ipairs(answers.with_id(rows or {})) do
      ids[i] = row.id
    end
    if ids[1] then
      table.sort(ids)
      return ids
    end
    waited, err = watch:pause(NOT_THERE)
  until not waited
  err.trigger_code = code
  return nil, err
end

local function find(client, args, started, before, watch)
  local ids = {}
  for _, id in ipairs(started.instance_ids or {}) do
    ids[#ids + 1] = answers.id(tonumber(types.format_code(id)))
  end
  local trigger_code = types.format_code(started.trigger_code)
  if ids[1] then
    return ids
  elseif trigger_code then
    return find_by_trigger(client, args, trigger_code, watch)
  end
  return find_by_list(client, args, before, watch)
end

--- A start that may have happened: is its run there? It is never sent again.
local function find_unknown(client, args, before, watch, cause)
  local ids, err = find_by_list(client, args, before, watch)
  if ids then
    return ids
  elseif err.kind == "ambiguous" then
    return nil, err
  end
  cause.message = format("%s; no run of it was found within %g s", cause.message or "", watch.timeout_s)
  return nil, cause
end

local function start(client, args, watch)
  if type(args) ~= "table" then
    errors.throw(format("%s: a table of arguments expected, got %s", watch.operation, type(args)))
  end
  local before, err = look_before(client, args, watch:call_options())
  if not before then
    return nil, err
  end
  local started, ids
  started, err = watch:goes_on "the run was not started: what is there was not read"
  if started then
    started, err = client:call("workflows.start", args, watch:call_options())
  end
  if started then
    ids, err = find(client, args, started, before, watch)
    if err then
      err.started = true
    end
    return ids, err
  elseif UNKNOWN[err.kind] then
    return find_unknown(client, args, before, watch, err)
  end
  return nil, err
end

-- So long a run may take to show: a master takes commands up each second, later
-- where it is loaded.
local FIND_S = 60
_M.FIND_S = FIND_S

local RUN = watches.options { timeout_s = { type = "number", min = 0.1, max = 86400, default = FIND_S } }

--- client.workflows:run(args, opts): starts a run and tells its id on every line.
--
-- Where the server does not tell it (up to 3.1, or when its answer was lost), it
-- is the one run that is there since, of the same workflow, command and user;
-- where several are, they are told in `err.instance_ids` (kind "ambiguous"): no
-- start is sent twice, and none is guessed.
-- @tparam table args as of workflows.start
-- @tparam table|nil opts timeout_s (60) of all together, within which the run has to
--   show; poll_s, poll_max_s
-- @treturn table|nil {instance_ids}; or nil, err: `err.started` where the start was
--   accepted and its run is not known (then with `trigger_code` on 3.2), of kind
--   "outcome_unknown" where nobody knows and no run showed
function _M.run(client, args, opts)
  names.check_table("workflows.run", args)
  local checked = options.check("workflows.run", opts or {}, RUN)
  local ids, err = start(client, args, watches.new(client, checked, "workflows.run"))
  if not ids then
    return nil, err
  end
  return { instance_ids = ids }
end

-- --- waiting -------------------------------------------------------------

local FEW_ROWS = 20

--- One run as it is now: from the list, which is small, by its name; by its id
-- where that is not known or no longer shows it.
-- @tparam table entry {id, name}: takes the name on
-- @treturn table|nil row; or nil, err
function _M.read(client, project, entry, opts)
  if entry.name then
    local rows, err = client.instances:page(1, { project = project, search = entry.name, page_size = FEW_ROWS }, opts)
    if not rows then
      return nil, err
    end
    for _, row in ipairs(answers.with_id(rows)) do
      if row.id == entry.id then
        return row
      end
    end
  end
  local row, err = answers.run(client, project, entry.id, opts)
  if row then
    entry.name = type(row.name) == "string" and row.name or nil
  end
  return row, err
end

--- Waits until all runs ended.
-- @treturn table|nil rows, in the order of the ids; or nil, err
local function wait(client, project, ids, watch)
  local entries, rows = {}, {}
  for i, id in ipairs(ids) do
    entries[i] = { id = id }
  end
  while true do
    local open = 0
    for i, entry in ipairs(entries) do
      if not (rows[i] and rows[i].finished) then
        local row, err = _M.read(client, project, entry, watch:call_options())
        if not row and not watches.is_passing(err) then
          return nil, err
        end
        rows[i] = row or rows[i]
        open = open + (row and row.finished and 0 or 1)
      end
    end
    if open == 0 then
      return rows
    end
    local waited, err = watch:pause(format("%d of %d runs have not ended", open, #ids))
    if not waited then
      return nil, err
    end
  end
end

local function number_of(value)
  return type(value) == "number" and value or nil
end

local function result_of(client, project, row, watch)
  local started_at, ended_at = number_of(row.started_at), number_of(row.ended_at)
  local result = {
    instance_id = row.id,
    state = row.state,
    ok = _M.is_good(row),
    started_at = started_at,
    ended_at = ended_at,
    duration_s = started_at and ended_at and ended_at - started_at,
    failed_tasks = {},
  }
  if not result.ok then
    local tasks, err = failures.tasks_of(client, project, row.id, watch:call_options())
    result.failed_tasks, result.failed_tasks_error = tasks or {}, err
  end
  return result
end

local RUN_AND_WAIT = watches.options { timeout_s = { type = "number", min = 0.1, max = 30 * 86400, default = HOUR } }

--- client.workflows:run_and_wait(args, opts): starts a run, as `run`, and waits
-- for its end, looking ever more rarely.
-- @tparam table args as of workflows.start
-- @tparam table|nil opts timeout_s (3600) of all together; poll_s (1), the first
--   interval; poll_max_s (30), the longest
-- @treturn table|nil {instance_id, state, ok, started_at, ended_at, duration_s,
--   failed_tasks = {{task_instance_id, name, type, state, host, …}}}; and
--   `failed_tasks_error` where those can't be read. Where one start makes
--   several runs, that of the first which is not ok, else of the first, with all
--   in `runs`. Or nil, err, with `err.instance_ids` once the run is known: the
--   run goes on on the server after the deadline
function _M.run_and_wait(client, args, opts)
  names.check_table("workflows.run_and_wait", args)
  local checked = options.check("workflows.run_and_wait", opts or {}, RUN_AND_WAIT)
  local watch = watches.new(client, checked, "workflows.run_and_wait")
  local ids, err = start(client, args, watch:part(FIND_S))
  if not ids then
    return nil, err
  end
  local rows
  rows, err = wait(client, args.project, ids, watch)
  if not rows then
    err.instance_ids = ids
    return nil, err
  end
  local results, first = {}, nil
  for i, row in ipairs(rows) do
    results[i] = result_of(client, args.project, row, watch)
    first = first or not results[i].ok and results[i]
  end
  local result = { runs = #results > 1 and results or nil }
  for name, value in pairs(first or results[1]) do
    result[name] = value
  end
  return result
end

return _M

--- Several projects at a time: `projects` in the place of `project`. The server has
-- no request for what is below several of them, so there is a call for each, a few
-- side by side, all under one deadline, each through the cache. What it has for all
-- projects together, the counts, is one request.
--
-- `projects` is "*" (all that the token's user may see), a code, a name or a glob
-- ("load_*"), or a list of such; {name = "a*"} is a name whatever is in it. The rows
-- come as of one project, the projects in the order given, each once; each row has
-- `project_code` and `project_name`, too. A part is never given for the whole: where
-- one project fails all does, unless `partial` was asked for.

local arguments = require "dsclient.arguments"
local calls = require "dsclient.call"
local core = require "dsclient.core"
local driver = require "dsclient.drive"
local errors = require "dsclient.errors"
local glob = require "dsclient.glob"
local names = require "dsclient.names"
local operations = require "dsclient.operations"
local paging = require "dsclient.paging"
local types = require "dsclient.types"

local format = string.format

local _M = {}

-- So many calls at once: fewer than the server has connections to its database
-- (10, where nobody set it).
local CONCURRENCY = 8

-- --- which projects ------------------------------------------------------

--- The projects of a list, which a server sent: its rows may be anything.
local function index_of(rows)
  local index = { all = {}, names = {}, by_code = {}, by_name = {} }
  for _, row in ipairs(rows) do
    local code = type(row) == "table" and types.format_code(row.code)
    if code and type(row.name) == "string" then
      local project = { code = code, name = row.name }
      local namesakes = index.by_name[row.name] or {}
      namesakes[#namesakes + 1] = project
      index.all[#index.all + 1], index.names[#index.names + 1] = project, row.name
      index.by_code[code], index.by_name[row.name] = project, namesakes
    end
  end
  return index
end

local function of_code(index, value)
  local code = types.format_code(value)
  local project = index.by_code[code]
  if project then
    return { project }
  elseif code then
    return nil, errors.new { kind = "not_found", message = "no project has the code " .. code }
  end
  return nil, errors.new { kind = "argument", message = types.NO_CODE }
end

local function of_name(index, name)
  local found = index.by_name[name] or {}
  if #found == 1 then
    return found
  elseif #found == 0 then
    return nil, names.unknown("project", name, index.names)
  end
  local codes = {}
  for i, project in ipairs(found) do
    codes[i] = project.code
  end
  return nil, names.ambiguous("project", name, codes, "code")
end

local ALL = "*"

--- A glob that fits nothing is a mistake; that there is no project at all is none.
local function of_glob(index, pattern)
  local found = {}
  for _, project in ipairs(index.all) do
    if glob.any({ pattern }, project.name) then
      found[#found + 1] = project
    end
  end
  if #found > 0 or pattern == ALL then
    return found
  end
  return nil, names.unknown("project", pattern, index.names)
end

--- The projects that one value stands for.
-- @treturn table|nil array of {code, name}; or nil, err
local function meant_by(index, value)
  if type(value) == "table" then
    return of_name(index, rawget(value, "name"))
  elseif type(value) == "number" or value:find "^%-?%d+$" then
    return of_code(index, value)
  end
  return (value:find "[*?]" and of_glob or of_name)(index, value)
end

--- What was given, as a list; throws on a wrong Lua type.
-- @treturn table|nil array; or nil where it is a list with gaps
local function values_of(row, given)
  local is_list = type(given) == "table" and rawget(given, "name") == nil
  local values = is_list and types.items_of(given) or not is_list and { given } or nil
  for _, value in ipairs(values or {}) do
    local fits = type(value) == "string" or type(value) == "number"
      or type(value) == "table" and type(rawget(value, "name")) == "string"
    if not fits then
      errors.throw(format("%s: argument \"projects\": codes, names or globs expected, got a %s", row.name, type(value)))
    end
  end
  return values
end

--- Looks each value up.
-- @treturn table array of {code, name}, or {err} where a value stands for none
-- @treturn boolean may it be that the list is too old?
local function choose(index, values)
  local items, chosen, missing = {}, {}, false
  for _, value in ipairs(values) do
    local found, err = meant_by(index, value)
    if err then
      missing = missing or err.kind == "not_found"
      items[#items + 1] = { err = err }
    end
    for _, project in ipairs(found or {}) do
      if not chosen[project.code] then
        chosen[project.code] = true
        items[#items + 1] = project
      end
    end
  end
  return items, missing
end

local function bad_projects(state, row, err)
  err.operation, err.argument = row.name, "projects"
  return driver.failure(state, row, err)
end

--- The projects that are asked.
-- @treturn table|nil array of {code, name}, or {err} of one that there is not; or
--   nil, err
-- @treturn number deadline of the call
local function items_of(state, row, args, call_opts)
  local deadline, problem = calls.deadline_of(state, row, call_opts)
  if not deadline then
    return nil, problem
  end
  local values = values_of(row, args.projects)
  if not values then
    return nil, bad_projects(state, row, errors.new { kind = "argument", message = types.NO_LIST })
  end
  local opts = { deadline = deadline, borrow = true, uncounted = true }
  local rows, err, meta = state.context.perform("projects.list", {}, opts)
  if not rows then
    return nil, err
  end
  local items, missing = choose(index_of(rows), values)
  if missing and meta.cached then
    opts.refresh = true
    rows, err = state.context.perform("projects.list", {}, opts)
    if not rows then
      return nil, err
    end
    items = choose(index_of(rows), values)
  end
  for _, item in ipairs(items) do
    item.err = item.err and bad_projects(state, row, item.err)
  end
  return items, deadline
end

-- --- each of them --------------------------------------------------------

--- The arguments of a call for one project, or for all where it is nil.
local function args_for(args, code, limit)
  local own = {}
  for name, value in pairs(args) do
    own[name] = value
  end
  own.projects, own.project, own.limit = nil, code, limit
  return own
end

--- Throws where the operation is one of a single project, or an argument is none.
-- @treturn table|nil error of kind "argument"
local function check(row, args)
  if args.projects == nil then
    return arguments.check(row, args)
  elseif args.project ~= nil then
    errors.throw(row.name .. ": either `project` or `projects`, not both")
  elseif not operations.batched(row) then
    errors.throw(row.name .. ": argument \"projects\": it is asked of one project: give `project`")
  end
  return arguments.check(row, args_for(args, nil, args.limit))
end
_M.check = check

--- Is this what the server has of all projects in one request?
local function is_one_request(row, args)
  if args.projects ~= ALL then
    return false
  end
  for _, param in ipairs(row.params) do
    if param[1] == "project" then
      return not param.path and not param.required
    end
  end
end

local function mark(rows, project)
  for _, row in ipairs(rows) do
    if type(row) == "table" then
      row.project_code, row.project_name = project.code, project.name
    end
  end
  return rows
end

--- The error of one project says which.
local function error_of(state, row, err, project)
  err.project_code, err.project_name = project.code, project.name
  err.message = format("project %s: %s", errors.quoted(project.name), err.message or "")
  return driver.failure(state, row, err)
end

-- The whole is over, whatever may be left out of it.
local FINAL = { cancelled = true, closed = true, memory = true }

--- Takes note of the rows of one project: may the rest be left out? In order there
-- are enough, or there are too many.
local function note(job, item, count)
  item.count, job.count = count, job.count + count
  if not job.limit then
    return job.count > job.rows_max
  end
  local next_one = job.items[job.counted + 1]
  while next_one and next_one.count do
    job.counted, job.in_order = job.counted + 1, job.in_order + next_one.count
    next_one = job.items[job.counted + 1]
  end
  return job.in_order >= job.limit
end

--- Asks one project.
-- @return rows or counts, true where nobody needs them any more; or nil, err
local function ask(job, item)
  if job.is_over then
    return true
  end
  local value, err, meta = nil, item.err, nil
  if not err then
    value, err, meta = calls.perform(job.state, job.row, args_for(job.args, item.code, job.limit), job.opts)
    err = err and error_of(job.state, job.row, err, item)
  end
  if err then
    job.is_over = job.is_over or not job.partial or FINAL[err.kind] or note(job, item, 0)
    return nil, err
  end
  item.meta = meta
  job.is_over = note(job, item, type(value) == "table" and #value or 0) or job.is_over
  return value
end

--- Asks all, a few at a time.
-- @treturn table by item what it gave; a failed one's is false
-- @treturn table|nil errors by item
local function ask_all(job, progress)
  return job.state.client:map(job.items, function(item)
    return ask(job, item)
  end, { concurrency = CONCURRENCY, progress = progress })
end

-- --- together ------------------------------------------------------------

local function rows_of(job, results)
  local all = core.array {}
  for i, item in ipairs(job.items) do
    local rows = type(results[i]) == "table" and mark(results[i], item) or {}
    for at = 1, math.min(#rows, (job.limit or math.huge) - #all) do
      all[#all + 1] = rows[at]
    end
  end
  return all
end

--- What a count is of: all but the count, as text.
local function label_of(row)
  local parts = {}
  for name, value in pairs(row) do
    if name ~= "count" then
      parts[#parts + 1] = tostring(name) .. "=" .. tostring(value)
    end
  end
  table.sort(parts)
  return table.concat(parts, "\0")
end

local function add_rows(sum, rows)
  local by_label = {}
  for _, row in ipairs(sum) do
    by_label[label_of(row)] = row
  end
  for _, row in ipairs(rows) do
    local same = type(row) == "table" and by_label[label_of(row)]
    if same and type(row.count) == "number" and type(same.count) == "number" then
      same.count = same.count + row.count
    elseif type(row) == "table" then
      sum[#sum + 1], by_label[label_of(row)] = row, row
    end
  end
  return sum
end

--- Adds counts to counts: numbers, and rows {…, count} by what they are of.
local function add(sum, counts)
  for name, value in pairs(counts) do
    local before = sum[name]
    if type(value) == "number" then
      sum[name] = (type(before) == "number" and before or 0) + value
    elseif type(value) == "table" then
      sum[name] = add_rows(type(before) == "table" and before or core.array {}, value)
    end
  end
end

local function counts_of(job, results)
  local sum = {}
  for i = 1, #job.items do
    if type(results[i]) == "table" then
      add(sum, results[i])
    end
  end
  return sum
end

local TOGETHER = { rows = rows_of, counts = counts_of }

--- What there is to say of all: the oldest, the sum of the attempts, the errors.
local function meta_of(job, failed)
  local meta = { cached = true, age_s = 0, attempts = 0, projects = #job.items, errors = failed[1] and failed or nil }
  for _, item in ipairs(job.items) do
    local own = item.meta
    if own then
      meta.cached = meta.cached and own.cached
      meta.stale = meta.stale or own.stale
      meta.age_s, meta.attempts = math.max(meta.age_s, own.age_s), meta.attempts + own.attempts
    end
  end
  return meta
end

--- The errors, in the order of the projects; and the one that all fails with.
local function failures(job, errs)
  local failed, final = {}, nil
  for i = 1, #job.items do
    local err = errs and errs[i]
    failed[#failed + 1] = err or nil
    final = final or err and FINAL[err.kind] and err
  end
  if not job.partial or #failed == #job.items then
    final = failed[1]
  end
  return failed, final
end

-- What the calls for single projects are not told. The rows are marked: what is
-- borrowed must not be.
local OWN = { partial = true, progress = true, borrow = true, timeout_s = true }

local function options_for(opts, deadline)
  local own = { deadline = deadline }
  for name, value in pairs(opts) do
    own[name] = not OWN[name] and value or nil
  end
  return own
end

--- Performs an operation for several projects.
-- @tparam table state the client's insides
-- @tparam table row of the operations table
-- @tparam table args by name, `projects` among them; `limit` and `rows_max` count
--   for all together
-- @tparam table|nil opts call options (checked); `partial`: rows of those that did
--   not fail, the errors in meta.errors; where all failed it is an error all the same
-- @return rows, or the sum of counts; nil; meta {cached, age_s, attempts, stale,
--   projects (how many), errors (array, or nil)}; or nil, err, with project_code
--   and project_name where it is of one project
function _M.perform(state, row, args, opts)
  opts = opts or {}
  local unfit = check(row, args)
  if unfit then
    return nil, unfit
  elseif is_one_request(row, args) then
    return calls.perform(state, row, args_for(args, nil, args.limit), opts)
  end
  local items, deadline = items_of(state, row, args, opts)
  if not items then
    return nil, deadline
  end
  local job = {
    state = state,
    row = row,
    args = args,
    items = items,
    opts = options_for(opts, deadline),
    partial = opts.partial,
    limit = args.limit,
    rows_max = args.rows_max or state.options.rows_max,
    count = 0, -- rows of all
    counted = 0, -- items of which, and of all before, the rows are known
    in_order = 0, -- rows of these
  }
  local results, errs = ask_all(job, opts.progress)
  local failed, final = failures(job, errs)
  if final then
    return calls.under_way(nil, final)
  elseif not job.limit and job.count > job.rows_max then
    return nil, paging.too_long(job.count, job.rows_max, row.name)
  end
  return TOGETHER[operations.batched(row)](job, results), nil, meta_of(job, failed)
end

--- The arguments of the calls for single projects; unknown projects are left out.
-- @treturn table|nil array; or nil, err
function _M.args_of(state, row, args, opts)
  local items, problem = items_of(state, row, args, opts)
  if not items then
    return nil, problem
  end
  local list, err = {}, nil
  for _, item in ipairs(items) do
    err = err or item.err
    list[#list + 1] = item.code and args_for(args, item.code, args.limit) or nil
  end
  return list, err
end

-- --- page by page --------------------------------------------------------

--- The first pages of some projects, side by side.
-- @treturn table array of {item, pages, rows, err}
local function begin_some(state, row, some, pages_of)
  local results, errs = state.client:map(some, function(item)
    local pages = not item.err and pages_of(item)
    local rows, err = nil, item.err
    if pages then
      rows, err = pages.next()
      err = err and error_of(state, row, err, item)
    end
    return { item = item, pages = pages, rows = rows, err = err }
  end, { concurrency = CONCURRENCY })
  for i, err in pairs(errs or {}) do
    results[i] = { err = err }
  end
  return results
end

--- The pages of several projects, one project after another; see paging.pages.
-- `limit` counts for all together. The first pages of a few projects are fetched
-- side by side, where there is no limit.
function _M.pages(state, row, args, opts, is_ahead)
  local unfit = check(row, args)
  if is_one_request(row, args) then
    return calls.pages(state, row, args_for(args, nil, args.limit), opts, is_ahead)
  end
  local items, at, begun, left = nil, 0, {}, args.limit
  local ended, failure = unfit ~= nil, unfit

  local function pages_of(item)
    return calls.pages(state, row, args_for(args, item.code, left), opts, is_ahead)
  end

  --- The next project's pages have begun; nil where there is none; or nil, err.
  local function begin_next()
    if not items then
      local err
      items, err = items_of(state, row, args, opts or {})
      if not items then
        return nil, err
      end
    end
    local some = {}
    for i = 1, math.min(left and 1 or CONCURRENCY, #items - at) do
      some[i] = items[at + i]
    end
    at = at + #some
    begun = begin_some(state, row, some, pages_of)
    return begun[1]
  end

  local function next_page()
    local one = begun[1]
    local rows, err
    if not one then
      one, err = begin_next()
      if not one then
        return nil, err
      end
    end
    rows, err = one.rows, one.err
    one.rows = nil
    if not rows and not err then
      rows, err = one.pages.next()
      err = err and error_of(state, row, err, one.item)
    end
    if rows then
      return mark(rows, one.item)
    elseif err then
      return nil, err
    end
    table.remove(begun, 1)
    return next_page()
  end

  return {
    next = function()
      if ended then
        return nil, failure
      end
      local rows, err = next_page()
      left = left and rows and left - #rows
      ended, failure = not rows or left ~= nil and left <= 0, err
      return rows, err
    end,
  }
end

return _M

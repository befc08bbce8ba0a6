--- dsclient: a client for Apache DolphinScheduler.
--
--     local dsclient = require "dsclient"
--     local client = dsclient.new{api_url = "http://127.0.0.1:12345", token = token}
--     for _, run in ipairs(assert(client:get_failed_workflow_instances("my project"))) do
--       print(run.name, run.startTime)
--     end
--
-- Where to read on: `call.lua` is the way of one call (`shortcut.lua` that of a
-- cached one), with `arguments.lua` and `names.lua` (what is given), `paging.lua`
-- (lists), `token.lua`, `detect.lua` and `dialect.lua` (the server line),
-- `drive.lua` (the loop that sends), `wait.lua` (all waiting) and `flight.lua`
-- (shared fetches) at its sides. `scope.lua` runs many calls at once over one of
-- `runtime/`, `batch.lua` asks of several projects, `shared.lua` is for several
-- processes. `operations/` is the table of what the server can do, `options.lua`
-- that of the options, `errors.lua` the kinds of errors, `status.lua`,
-- `report.lua` and `memo.lua` are for people and for users' functions. The policy
-- is in the C core. `monitor/` and `sandbox/` stand on top.
--
-- Success is `value, nil, meta`, failure `nil, err` (see errors.lua). Only a
-- wrong Lua type or an unknown name throws.

local composed = require "dsclient.composed"
local core = require "dsclient.core"
local errors = require "dsclient.errors"
local load = require "dsclient.load"
local operations = require "dsclient.operations"
local options = require "dsclient.options"
local token = require "dsclient.token"
local tz = require "dsclient.tz"
local wait = require "dsclient.wait"

-- What a client needs to be made is loaded with this file, the rest when it is
-- used: a process that only has it, or never calls, does not pay for it.
local calls = load.later "dsclient.call"
local dialects = load.later "dsclient.dialect"
local memo = load.later "dsclient.memo"
local report = load.later "dsclient.report"
local request_row = load.later "dsclient.request"
local scope = load.later "dsclient.scope"
local shortcut = load.later "dsclient.shortcut"
local status = load.later "dsclient.status"

local format = string.format

local _M = {
  _VERSION = "0.1.0",
  --- JSON null inside arrays and bodies; absent members are nil.
  null = core.null,
  --- Marks a table as a JSON array, so that an empty one is `[]`.
  array = core.array,
}

-- The key under which a client's insides stand: nobody else has it.
local STATE = {}

local function state_of(client)
  if type(client) ~= "userdata" then
    errors.throw "call it with a colon: client:method(…)"
  end
  return client[STATE]
end

--- The methods of all clients.
local Client = {}

-- --- calls by name -------------------------------------------------------

-- The insides of the client that a resource, as client.projects, is of.
local function owner_of(resource)
  local client = type(resource) == "table" and resource.client
  local state = client and client[STATE]
  if not state then
    errors.throw "call it with a colon: client.resource:method{…}"
  end
  return state
end

local function call_options(name, opts)
  return opts ~= nil and options.verify(name, opts, calls.OPTIONS) or nil
end

local function check_args(name, args)
  if args ~= nil and type(args) ~= "table" then
    errors.throw(format("%s: a table of arguments expected, got %s", name, type(args)))
  end
  return args or {}
end

local function perform(state, row, args, opts)
  args, opts = check_args(row.name, args), call_options(row.name, opts)
  if args.projects ~= nil then
    return load("dsclient.batch").perform(state, row, args, opts)
  end
  return calls.perform(state, row, args, opts)
end

local function row_called(method, name)
  local row = operations.find(name)
  if not row then
    local near = operations.near(name)
    errors.throw(format("%s: unknown operation %s%s", method, errors.quoted(name),
      near[1] and "; near: " .. table.concat(near, ", ") or ""))
  end
  return row
end

--- Performs an operation by its name; all other calls end here.
-- @tparam string name such as "instances.list"; see operations/
-- @tparam table args by name
-- @tparam table opts timeout_s, attempt_timeout_s, max_retries, cache, refresh,
--   ttl_s, stale_if_error_s, stale_while_revalidate_s, borrow (the table that all
--   borrowers share, and a meta that the next borrowed hit of the method
--   overwrites: neither is to be changed), raw (the server's own form), sink (of a
--   file: a function, handle or descriptor that takes its bytes), partial and
--   progress (of several projects; see batch.lua and progress.lua)
-- @return value, nil, meta {cached, age_s, attempts}; or nil, err
function Client:call(name, args, opts)
  return perform(state_of(self), row_called("call", name), args, opts)
end

--- How long a result of an operation is kept.
-- @tparam table|nil opts as of `call`: ttl_s, cache
-- @treturn number seconds; 0: it is not
function Client:ttl_of(name, opts)
  return calls.ttl_of(state_of(self), row_called("ttl_of", name), call_options("ttl_of", opts or {}))
end

-- --- pages ---------------------------------------------------------------

local function check_paged(row)
  if row.result ~= "page" then
    errors.throw(row.name .. ": it comes in one answer, not in pages")
  end
end

local function pages_of(state, row, args, opts, is_ahead)
  check_paged(row)
  args, opts = check_args(row.name, args), call_options(row.name, opts)
  if args.projects ~= nil then
    return load("dsclient.batch").pages(state, row, args, opts, is_ahead)
  end
  return calls.pages(state, row, args, opts, is_ahead)
end

local function page_of(state, row, number, args, opts)
  check_paged(row)
  if type(number) ~= "number" or number < 1 or number % 1 ~= 0 then
    errors.throw(format("%s: the number of a page, from 1 on, expected", row.name))
  end
  return calls.page(state, row, number, check_args(row.name, args), call_options(row.name, opts))
end

-- What counts the rows of a list; nil where nobody wants to know.
local function counting_of(state, opts)
  return opts and opts.progress and load("dsclient.progress").new(opts.progress, nil, function()
    return core.time(state.client)
  end)
end

local function counted_pages(state, row, args, opts)
  local pages = pages_of(state, row, args, opts)
  local counting = counting_of(state, opts)
  return counting and load("dsclient.progress").pages(pages, counting) or pages
end

local function each_of(state, row, args, opts)
  local pages = pages_of(state, row, args, opts, true)
  local counting = counting_of(state, opts)
  local rows, index = {}, 0
  local function next_row()
    index = index + 1
    while rows and index > #rows do
      local err
      rows, err = pages.next()
      index = 1
      if err then
        if counting then
          counting:done()
        end
        errors.raise(err)
      end
    end
    return rows and rows[index]
  end
  if counting then
    return load("dsclient.progress").each(next_row, pages, counting)
  end
  return next_row
end

--- The pages of a list: an object whose next() → rows; nil at the end; or nil, err.
-- @tparam string name of an operation whose result comes in pages
function Client:pages(name, args, opts)
  return counted_pages(state_of(self), row_called("pages", name), args, opts)
end

--- One page: rows, nil, {total}; or nil, err. A page is page_size rows long.
-- @tparam number number from 1 on
function Client:page(name, number, args, opts)
  return page_of(state_of(self), row_called("page", name), number, args, opts)
end

--- Iterates over all rows, and where the runtime can fetches one page ahead; throws
-- the error of a page that failed, so that a loop which ends early does not look
-- complete.
function Client:each(name, args, opts)
  return each_of(state_of(self), row_called("each", name), args, opts)
end

-- --- other calls ---------------------------------------------------------

--- Performs a request that no operation stands for, with all policies.
-- @tparam table request {method, path, query, form, json, class}: `path` begins
--   behind the API's base; `query` and `form` are tables of strings, numbers and
--   booleans; `json` is a table or JSON text; `class` is "read" or, as any request
--   but a GET is unless told, "once"
-- @tparam table opts as of `call`
-- @return `data` of the answer, nil, meta; or nil, err
function Client:request(request, opts)
  local row, args = request_row.of(request)
  return perform(state_of(self), row, args, opts)
end

--- Waits as the client's runtime does: other tasks go on meanwhile.
-- @tparam number seconds from 0 on, 30 days at most
-- @treturn boolean|nil true; or nil and an error of kind "closed", or "cancelled"
--   where the client was closed or the task ended meanwhile
function Client:sleep(seconds)
  local state = state_of(self)
  scope.check_seconds(seconds)
  local usable, err = calls.enter(state, "sleep")
  err = err or wait.obstacle(state.runtime, "sleep")
  if not err and usable and wait.park(state, {}, seconds) ~= "cancelled" and calls.enter(state) then
    return true
  end
  return nil, err or errors.new { kind = "cancelled", operation = "sleep", message = "it was ended" }
end

-- --- many calls ----------------------------------------------------------

--- Calls functions side by side; see scope.gather.
--
--     local v, errs = client:gather {
--       projects = function() return client.projects:list() end,
--       user = function() return client.users:current() end,
--     }
function Client:gather(fns, opts)
  return scope.gather(state_of(self), fns, opts)
end

--- Calls a function for each item of a list, 8 at once; see scope.map.
function Client:map(list, fn, opts)
  return scope.map(state_of(self), list, fn, opts)
end

--- Fetches what will be asked for, in the background where tasks run; see prefetch.lua.
--
--     client:prefetch { { "projects.list" }, { "workflows.list", { projects = "*" } } }
function Client:prefetch(list)
  return load("dsclient.prefetch").prefetch(state_of(self), list)
end

-- --- a loop of the user's own --------------------------------------------
--
-- The functions given to `dsclient.start` are its tasks:
--
--     while client:step() > 0 do
--       socket.select({ client }, nil, client:timeout())
--     end
--
-- One client's step lets the tasks of all go on.

--- The descriptor that can be read when a step has something to do; nil where
-- the system has none, or the client is closed. In the words of cqueues.
function Client:pollfd()
  local source = state_of(self).source
  return source and source:pollfd()
end

--- The same, in the words of LuaSocket.
Client.getfd = Client.pollfd

--- What is to be waited for on the descriptor.
-- @treturn string "r"
function Client:events()
  state_of(self)
  return "r"
end

--- In how many seconds a step has something to do though nothing came; nil:
-- never.
function Client:timeout()
  local runtime = state_of(self).runtime
  return runtime.timeout and runtime.timeout()
end

--- Lets tasks go on that can, and does what there is to do for their calls. Waits
-- for nothing. A Lua error of a task is thrown.
-- @treturn number how many tasks are left
function Client:step()
  local runtime = state_of(self).runtime
  if not runtime.step then
    errors.throw "step: the runtime of this client has a loop of its own, or no tasks"
  end
  runtime.step()
  return runtime.count()
end

-- --- calls by resource ---------------------------------------------------

-- The classes of client.instances and so on. The operations of a resource are
-- loaded when one of them is asked for.
local classes = {}

--- client.instances:pages(args, opts) and so on: as above, of the resource's list.
local function page_methods(methods, row)
  function methods:pages(args, opts)
    return counted_pages(owner_of(self), row, args, opts)
  end

  function methods:page(number, args, opts)
    return page_of(owner_of(self), row, number, args, opts)
  end

  function methods:each(args, opts)
    return each_of(owner_of(self), row, args, opts)
  end
end

local function method_of(row)
  local function whole(self, args, opts)
    return perform(owner_of(self), row, args, opts)
  end
  return row.replay == "read" and shortcut.method(row, { args = true }, whole) or whole
end

-- What a resource can beside its operations: name → function (methods).
local more = {}

local function load_methods(resource)
  local methods = {}
  for verb, row in pairs(operations.of(resource)) do
    methods[verb] = method_of(row)
    if verb == "list" and row.result == "page" then
      page_methods(methods, row)
    end
  end
  for name, place in pairs(composed[resource] or {}) do
    methods[name] = function(self, ...)
      owner_of(self)
      return load("dsclient.composed." .. place[1])[place[2]](self.client, ...)
    end
  end
  if more[resource] then
    more[resource](methods)
  end
  return setmetatable(methods, {
    __index = function(_, verb)
      if type(verb) ~= "string" then
        return nil
      end
      local names = {}
      for name in pairs(methods) do
        names[#names + 1] = name
      end
      local near = errors.near(verb, names, 1)[1]
      errors.throw(format("client.%s: no operation is called %s%s", resource, errors.quoted(verb),
        near and format("; is %q meant?", near) or ""))
    end,
  })
end

for _, resource in ipairs(operations.RESOURCES) do
  local class = {}
  function class.__index(_, verb)
    class.__index = load_methods(resource)
    return class.__index[verb]
  end
  classes[resource] = class
end

-- What `execute` is asked for, in the words of a person.
local EXECUTES = {
  recover = "START_FAILURE_TASK_PROCESS",
  rerun = "REPEAT_RUNNING",
  pause = "PAUSE",
  stop = "STOP",
  resume = "RECOVER_SUSPENDED_PROCESS",
}

-- The arguments that a method gives itself, and those that its caller gives.
local function with(name, own, args)
  for key, value in pairs(check_args(name, args)) do
    if own[key] ~= nil then
      errors.throw(format("%s: argument %q is given by the method", name, key))
    end
    own[key] = value
  end
  return own
end

--- client.task_instances:log(id, opts) and its kin; see logs.lua.
function more.task_instances(methods)
  for _, verb in ipairs { "log", "tail", "follow", "download" } do
    methods[verb] = function(self, ...)
      return load("dsclient.logs")[verb](owner_of(self), ...)
    end
  end
end

function more.instances(methods)
  --- client.instances:execute{project = …, instance_id = …, execute_type = …}; or
  -- instance_ids, several of a project.
  function methods:execute(args, opts)
    local state = owner_of(self)
    if check_args("instances.execute", args).instance_ids ~= nil then
      return load("dsclient.composed.executes").execute(self.client, args, opts)
    end
    return perform(state, operations.find "instances.execute", args, opts)
  end

  for verb, execute_type in pairs(EXECUTES) do
    --- client.instances:recover{project = …, instance_id = …} and its kin.
    methods[verb] = function(self, args, opts)
      return methods.execute(self, with("instances." .. verb, { execute_type = execute_type }, args), opts)
    end
  end
end

-- --- the seed's names ----------------------------------------------------

local function alias(self, name, own, filter, opts)
  return perform(state_of(self), operations.find(name), with(name, own, filter), opts)
end

-- A list under one of the seed's names: fn(self, …) is the whole way. Its
-- operations are loaded by the first call.
local function list_alias(name, shape, fn)
  Client[name] = function(...)
    Client[name] = shortcut.method(operations.find(name), shape, fn)
    return Client[name](...)
  end
end

--- client:get_projects(opts): the projects that the token's user may see (cached
-- for 1 h).
-- @treturn table|nil array of rows: code, name, …; or nil, err
list_alias("get_projects", {}, function(self, opts)
  return alias(self, "get_projects", {}, nil, opts)
end)

--- client:get_process_definitions(project, opts): the workflow definitions of a
-- project (cached for 1 h).
-- @param project code or name
list_alias("get_process_definitions", { given = { "project" } }, function(self, project, opts)
  return alias(self, "get_process_definitions", { project = project }, nil, opts)
end)

-- client:<name>(project, filter, opts): a list of what is below a project.
local function below_project(name, own)
  list_alias(name, { given = { "project" }, args = true, own = own }, function(self, project, filter, opts)
    local args = { project = project }
    for key, value in pairs(own or {}) do
      args[key] = value
    end
    return alias(self, name, args, filter, opts)
  end)
end

--- The workflow runs of a project, newest first; filter: workflow, state,
-- start_date, end_date, search, …
below_project "get_workflow_instances"
--- The runs of a project in state FAILURE.
below_project("get_failed_workflow_instances", { state = "FAILURE" })
--- The task instances of a project; filter: instance_id, state, …
below_project "get_task_instances"

--- Runs the failed tasks of a run again. `true` means accepted, not recovered:
-- the run's runTimes grows within a second or so, and its state tells.
-- @tparam number instance_id
function Client:execute_failure_recovery(project, instance_id, opts)
  local own = { project = project, instance_id = instance_id, execute_type = EXECUTES.recover }
  return alias(self, "execute_failure_recovery", own, nil, opts)
end

--- Asks the server, never the cache, who we are, and which line it is.
-- @treturn table|nil {user, user_id, time_zone, dialect, version}; or nil, err
function Client:check_connection(opts)
  return calls.check_connection(state_of(self), call_options("check_connection", opts))
end

--- Masters, workers, database and pending commands in one table; see
-- composed/health.lua.
function Client:cluster_health(opts)
  state_of(self)
  return load("dsclient.composed.health").cluster_health(self, opts)
end

-- --- help ----------------------------------------------------------------

--- The operations whose names contain a text: an array of {name, summary}.
function Client:operations(part) -- luacheck: ignore self
  return load("dsclient.help").list(part)
end

--- Prints what there is to know of an operation ("instances.execute"), of a
-- resource ("instances"), or of all resources.
-- @tparam string|nil name
-- @tparam function|nil out where the text goes: io.write without it
-- @treturn boolean|nil true; or nil and an error of kind "not_found" with `near`
function Client:help(name, out) -- luacheck: ignore self
  local text, near = load("dsclient.help").text(name)
  if not text then
    local message = "no operation and no resource is called " .. errors.quoted(name)
    return nil, errors.new { kind = "not_found", argument = "name", message = message, near = near }
  end
  (out or io.write)(text)
  return true
end

-- --- the user's own functions --------------------------------------------

--- See memo.cached.
function Client:cached(fn, opts)
  return memo.cached(state_of(self), fn, opts)
end

--- See memo.monitored.
function Client:monitored(fn, name)
  return memo.monitored(state_of(self), fn, name)
end

-- --- cache, counters, report ---------------------------------------------

--- Each of these works on an open client only.
local function when_open(fn)
  return function(self, ...)
    local usable, err = calls.enter(state_of(self))
    if not usable then
      return nil, err
    end
    return fn(self, ...)
  end
end

-- Where the counters are: those of all processes where they are shared.
local function counters_of(self)
  local shared = state_of(self).shared
  return shared and shared.sum(state_of(self)) or self
end

--- The same, of what report.lua tells of the counters.
local function told_of(name)
  return when_open(function(self, ...)
    return report[name](counters_of(self), ...)
  end)
end

--- How the client stands: limits, breakers, connections; see status.lua.
Client.status = when_open(function(self)
  return status.of(state_of(self))
end)

--- size, hits, misses, hit_rate, …; see report.cache_stats. Where it is shared
-- with other processes also `second`: see shared.lua.
Client.get_cache_stats = when_open(function(self)
  local stats, shared = report.cache_stats(self), state_of(self).shared
  stats.second = shared and shared.stats_of(state_of(self), stats.found)
  stats.found = nil
  return stats
end)
--- Empties the cache; how many entries it had.
Client.clear_cache = when_open(function(self)
  return calls.clear(state_of(self))
end)
--- Drops what has expired; how many entries it was.
Client.clean_expired = when_open(core.clean)
--- Counters of each API; see report.all_metrics.
Client.get_all_metrics = told_of("all_metrics")
--- Counters of all together; see report.summary.
Client.get_metrics_summary = told_of("summary")
--- All counters to zero.
Client.reset_metrics = when_open(function(self)
  local state = state_of(self)
  if state.shared then
    state.shared.reset(state)
  end
  core.reset_metrics(self)
  return true
end)
--- Counters as text for Prometheus.
-- @tparam string|nil form "prometheus" (default) or "openmetrics"
Client.metrics_text = when_open(function(self, form)
  return report.text(counters_of(self), form, status.gauges(state_of(self)), _M._VERSION)
end)
--- Counters as a table of numbers and strings, for `dsclient.merge_metrics`.
Client.metrics_snapshot = when_open(function(self)
  return core.snapshot(counters_of(self))
end)
--- Counters as JSON text; see report.json.
Client.metrics_json = when_open(function(self)
  return report.json(self, counters_of(self))
end)
--- The same into a file, whole or not at all; see report.export.
Client.export_metrics = when_open(function(self, path)
  return report.export(self, counters_of(self), path)
end)
--- Prints the report; see report.print.
Client.print_stats = when_open(function(self, out, opts)
  return report.print(self, counters_of(self), state_of(self).transport, out, opts)
end)

-- --- life ----------------------------------------------------------------

--- Ends the connections and gives back all memory. Idempotent. Calls that are
-- under way end with kind "cancelled", or "outcome_unknown" where the server may
-- have acted; later ones return nil and an error of kind "closed".
function Client:close()
  local state = state_of(self)
  state.closed = true
  -- each may be done again: a close that found no memory is ended by the next
  if state.shared and core.enter(self) then
    state.shared.tally(state, true)
  end
  wait.forget(state)
  state.transport:close()
  core.release(self)
  wait.wake_all(state)
end

function Client:__tostring()
  local state = state_of(self)
  return format("dsclient.client (%s)%s", table.concat(state.urls, ", "), state.closed and ", closed" or "")
end

local function bad_option(name, message)
  errors.throw(format("dsclient.new: option %q: %s", name, message))
end

-- What is before an @ may be a password, however wrong the rest is.
local function hide_user(user)
  return (user:match "^%a+://" or "") .. "…@"
end

local function parse_urls(given)
  if (given.api_url ~= nil) == (given.api_urls ~= nil) then
    bad_option("api_url", "a URL is needed, here or as a list in api_urls")
  end
  local urls = {}
  for i, url in ipairs(given.api_urls or { given.api_url }) do
    local base, problem = options.parse_url(url)
    if not base then
      local shown = url:gsub(".*@", hide_user)
      bad_option(given.api_urls and "api_urls" or "api_url", format("%s, got %s", problem, errors.quoted(shown)))
    end
    urls[i] = base
  end
  return urls
end

-- Headers that are the client's own.
local OWN_HEADERS = {
  accept = true, connection = true, ["content-length"] = true, ["content-type"] = true, expect = true, token = true,
  ["transfer-encoding"] = true,
}

local function check_headers(headers)
  for name, value in pairs(headers or {}) do
    local plain = type(name) == "string" and name:find "^[%w!#$%%&'*+%-.^_`|~]+$" and type(value) == "string"
    if not plain or value:find "%c" then
      bad_option("headers", "names and values of headers are strings without control characters")
    elseif OWN_HEADERS[name:lower()] then
      bad_option("headers", format("%q is set by the client", name))
    end
  end
end

local function check_ttls(ttls)
  local rules = {}
  for name in pairs(ttls or {}) do
    local row = operations.find(name)
    if not row then
      bad_option("cache_ttl_s", "unknown operation " .. errors.quoted(name))
    elseif row.replay ~= "read" then
      bad_option("cache_ttl_s", format("%s is no read: it is never cached", name))
    end
    rules[name] = calls.OPTIONS.ttl_s
  end
  options.verify("dsclient.new: cache_ttl_s", ttls or {}, rules)
end

local function check_operations(given)
  local checked = {}
  for name, own in pairs(given or {}) do
    if not operations.find(name) then
      bad_option("operations", "unknown operation " .. errors.quoted(name))
    end
    checked[name] = options.check("dsclient.new: operations: " .. name, own, options.OPERATION)
  end
  return checked
end

local function version_of(given)
  local version = given.server_version and dialects.parse(given.server_version)
  if given.server_version and not version then
    bad_option("server_version", "a version such as 3.1.1 expected, got " .. errors.quoted(given.server_version))
  end
  return version
end

--- The zones of the server's answers and of the token's user; nil where nobody
-- told.
local function zones_of(given, version)
  local server, message
  if given.server_timezone then
    server, message = tz.load(given.server_timezone)
    if not server then
      bad_option("server_timezone", message)
    end
  end
  local user
  if given.user_timezone then
    user, message = tz.load(given.user_timezone)
    if not user then
      bad_option("user_timezone", message)
    end
  end
  return server or tz.fixed(version and dialects.utc_offset_s(version) or 0), user
end

--- Is this nginx, with its Lua module?
local function in_nginx()
  local nginx = rawget(_G, "ngx")
  return type(nginx) == "table" and type(nginx.socket) == "table"
end

local function default_runtime()
  return in_nginx() and load "dsclient.runtime.nginx" or load("dsclient.runtime.tasks").default()
end

local function cosockets(given)
  if given.proxy then
    bad_option("proxy", "cosockets know no proxies")
  elseif given.tls.ca_file then
    bad_option("tls", "ca_file: cosockets trust whom nginx's lua_ssl_trusted_certificate names")
  end
  return load("dsclient.transport.cosocket").new(given)
end

--- The stores of `shared`, and what parts this client from others in them: its
-- servers, and the form of its results.
local function check_shared(given, urls)
  if not given.shared then
    return nil
  end
  local shared = options.check("dsclient.new: shared", given.shared, options.SHARED)
  if not shared.entries then
    bad_option("shared", "entries, the store of the cache, is needed")
  end
  shared.common = table.concat(urls, " ")
  shared.own = table.concat({ _M._VERSION, given.server_version or "", given.server_timezone or "" }, " ")
  return shared
end

-- The header fields of an answer that drive.lua reads.
local READ_HEADERS = { "content-type", "retry-after", "date", "content-disposition" }

local function default_transport(given)
  if in_nginx() then
    return cosockets(given)
  end
  return load("dsclient.curl").new {
    pool_maxsize = given.pool_maxsize,
    user_agent = given.user_agent,
    proxy = given.proxy,
    tls = given.tls,
    headers = READ_HEADERS,
  }
end

local function core_config(given, servers, runtime)
  local config = { servers = servers }
  for name in pairs(options.CLIENT) do
    config[name] = given[name]
  end
  config.limits_shared = given.shared ~= nil
  config.rate_per_s = given.rate_limit and given.rate_limit.per_s or 0
  config.rate_burst = given.rate_limit and given.rate_limit.burst or 1
  config.virtual_clock = given.runtime and given.runtime.virtual or false
  config.follows_forks = runtime.follows_forks or false
  config.seed = config.virtual_clock and given.runtime.seed or nil
  return config
end

--- Makes a client. Does no I/O.
-- @tparam table opts see options.lua; `api_url` (or `api_urls`) is a must
-- @treturn userdata
function _M.new(opts)
  local given = options.check("dsclient.new", opts, options.CLIENT)
  if given.token and given.token_file then
    bad_option("token_file", "either token or token_file, not both")
  end
  if given.transport and not given.runtime then
    bad_option("transport", "it needs a runtime that knows how to wait")
  end
  given.tls = options.check("dsclient.new: tls", given.tls or {}, options.TLS)
  check_headers(given.headers)
  check_ttls(given.cache_ttl_s)
  given.operations = check_operations(given.operations)
  if given.rate_limit then
    given.rate_limit = options.check("dsclient.new: rate_limit", given.rate_limit, options.RATE_LIMIT)
    if not given.rate_limit.per_s then
      bad_option("rate_limit", "per_s, requests a second, is needed")
    end
  end
  local urls = parse_urls(given)
  local shared = check_shared(given, urls)
  local version = version_of(given)
  local zone, user_zone = zones_of(given, version)
  local transport = given.transport or default_transport(given)
  local runtime = given.runtime or default_runtime()
  local client = core.new(core_config(given, #urls, runtime), Client)
  local state = {
    client = client,
    options = given,
    urls = urls,
    transport = transport,
    runtime = runtime,
    version = version,
    dialect = version and dialects.of(version),
    zone = zone, -- of answers
    user_zone = user_zone, -- of filters, where it is configured
    known = {}, -- of rows; see known_of in drive.lua
    spare_call = nil, -- machine of a call and transfer that are over, to be used
    spare_transfer = nil, -- anew: each costs a finaliser
    held = {}, -- runs that are acted on, or were a moment ago
    source = wait.source(transport, runtime),
    parked = setmetatable({}, { __mode = "k" }), -- waiters; weak, as their tasks may vanish
    queued = setmetatable({}, { __mode = "v" }), -- waiters for a connection, by the core's key
    flights = {}, -- by what is fetched
    writes = {}, -- per operation: how often its results became old
    cleared = 0, -- how often the cache was emptied
    identity = 0, -- the number of the token in use
    secrets = {}, -- the token, and the one before
    memos = 0,
    closed = false,
  }
  state.context = setmetatable({}, {
    __index = function(_, name) -- it is made when it is first asked
      state.context = calls.context(state)
      return state.context[name]
    end,
  })
  client[STATE] = state
  if shared then
    load("dsclient.shared").open(state, shared)
  end
  if type(given.token) == "string" then
    token.use(state, given.token)
  end
  client.api_url = urls[1]
  for resource, class in pairs(classes) do
    client[resource] = setmetatable({ client = client }, class)
  end
  return client
end

-- --- tasks ---------------------------------------------------------------

--- Runs fn(…), which may begin tasks by `spawn`. Whatever waits in it lets the
-- others run, calls of all clients included. Tasks that are left when fn returns
-- are ended; a Lua error in one ends them all, and is thrown here.
-- @return what fn returns
function _M.run(fn, ...)
  return scope.run(default_runtime(), fn, ...)
end

--- Begins fn(…) as a task of the innermost `run` around.
-- @treturn table task: task:join() → what fn returned, task:cancel()
function _M.spawn(fn, ...)
  return scope.spawn(default_runtime(), fn, ...)
end

--- Begins fn(…) as a task for a loop of one's own, which lets it go on by
-- client:step().
function _M.start(fn, ...)
  scope.start(default_runtime(), fn, ...)
end

--- Waits until a task is over; see scope.lua.
function _M.join(task)
  return task:join()
end

--- Waits while other tasks run; outside of one it blocks.
-- @treturn boolean|nil true; or nil and an error of kind "cancelled"
function _M.sleep(seconds)
  return scope.sleep(default_runtime(), seconds)
end

--- Loads the operations of all resources, or of some: what a process does before
-- it forks its workers.
-- @tparam table|nil resources array of names, such as "instances"
function _M.preload(resources)
  for _, resource in ipairs(resources or operations.RESOURCES) do
    if not operations.of(resource) then
      errors.throw("preload: unknown resource " .. errors.quoted(tostring(resource)))
    end
  end
end

-- --- counters of several processes ---------------------------------------

--- Adds up what `client:metrics_snapshot()` gave, in this process or another.
-- Counts and times add, the smallest and the largest stay, so that quantiles are
-- as good as those of one client.
-- @treturn table|nil a snapshot; or nil and an error of kind "argument" that
--   says what is wrong with which: snapshots come from outside
function _M.merge_metrics(...)
  local sum, err = report.sum(...)
  return sum and core.snapshot(sum), err
end

--- What clients tell of themselves, of a snapshot.
local function of_snapshot(tell)
  return function(snapshot, ...)
    local sum, err = report.sum(snapshot)
    if not sum then
      return nil, err
    end
    return tell(sum, ...)
  end
end

--- As client:get_all_metrics().
_M.get_all_metrics = of_snapshot(function(...)
  return report.all_metrics(...)
end)
--- As client:get_metrics_summary().
_M.get_metrics_summary = of_snapshot(function(...)
  return report.summary(...)
end)
--- As client:metrics_text(form), without what only a client knows: its cache,
-- its connections, its breakers.
_M.metrics_text = of_snapshot(function(sum, form)
  return report.text(sum, form, {}, _M._VERSION)
end)

-- A variable of the environment that is empty is none.
local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function bad_variable(name, problem)
  return nil, errors.new { kind = "argument", argument = name, message = name .. ": " .. problem }
end

--- As `new`, with DS_API_URL and DS_TOKEN of the environment where the options
-- don't give them.
-- @treturn userdata|nil client; or nil and an error of kind "argument"
function _M.from_env(opts)
  local given = {}
  for name, value in pairs(options.verify("dsclient.from_env", opts or {}, options.CLIENT)) do
    given[name] = value
  end
  if not given.api_url and not given.api_urls then
    given.api_url = variable "DS_API_URL"
    if not given.api_url then
      return bad_variable("DS_API_URL", "it is not set")
    end
    local base, problem = options.parse_url(given.api_url)
    if not base then
      return bad_variable("DS_API_URL", problem)
    end
  end
  if not given.token and not given.token_file then
    given.token = variable "DS_TOKEN"
    if given.token and given.token:find "%c" then
      return bad_variable("DS_TOKEN", "a token without control characters expected")
    end
  end
  return _M.new(given)
end

return _M

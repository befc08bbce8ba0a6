--- The recorded exchanges of three real servers, each given to the client: no
-- answer of any server line is misread. What an answer is, is told by
-- support/recordings.lua from the recorded facts, what its value is by
-- support/normal_form.lua on top of cjson: neither shares code with the client.

local cjson = require "cjson"
local errors = require "dsclient.errors"
local normal_form = require "support.normal_form"
local recordings = require "support.recordings"
local set = require "support.set"
local shapes = require "support.shapes"

local SERVERS = recordings.SERVERS
local ask, data_of = recordings.ask, recordings.data

local function each(act)
  for _, server in ipairs(SERVERS) do
    for _, exchange in ipairs(recordings.of(server)) do
      act(exchange, server)
    end
  end
end

local function title(exchange)
  return exchange.server.name .. " " .. exchange.name
end

-- --- what is expected ----------------------------------------------------

local function renamed(row, server)
  local names = {}
  local of_line = row and row.rows == "task" and normal_form.RENAMED or normal_form.RENAMED_ELSEWHERE
  local own = row and normal_form.RENAMED_OF[row.operation]
  return setmetatable(names, {
    __index = function(_, key)
      return own and own[key] or server.dialect == "process" and of_line[key] or nil
    end,
  })
end

local function form_of(row, server)
  local codes = setmetatable({}, { __index = normal_form.CODES })
  local form = {
    rename = renamed(row, server),
    codes = codes,
    code_lists = { taskNames = true },
    rows = row and row.rows or "plain",
  }
  for _, path in ipairs(row and row.codes or {}) do
    form.code = form.code or path == "data"
    form.codes_in_root = form.codes_in_root or path == "data[]"
    local key = path:match "^(.*)%[%]$"
    if key then
      form.code_lists[key] = true
    else
      codes[path] = true
    end
  end
  return form
end

-- How the result of an operation is made of `data`.
local results = {}

function results.object(value)
  if type(value) == "table" then
    return value
  end
  return value == nil and true or { value = value }
end

function results.none()
  return true
end

function results.bytes(value)
  return value
end

function results.list(value)
  return value or {}
end

function results.page(value)
  return value and value.totalList or {}
end

function results.started(value)
  if type(value) == "table" then
    return { instance_ids = value }
  end
  return { trigger_code = value }
end

local function result_of(row, value)
  return results[row and row.result or "object"](value)
end

--- The server's words as an error shows them: one line, and not more than fits.
local function shown(msg, message)
  local clean = msg:gsub("%c", " ")
  return clean == message or #message > 250 and clean:sub(1, #message) == message
end

-- --- what is sent --------------------------------------------------------

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- Path and fields of a request that the client sent.
local function parse(request)
  local path, query = request.path:match "^([^?]*)%??(.*)$"
  local fields = {}
  if request.body and request.body:find "^{" then
    for name, value in pairs(cjson.decode(request.body)) do
      fields[name] = type(value) == "number" and ("%.0f"):format(value) or value
    end
    return recordings.CONTEXT .. path, fields
  end
  for name, value in ((request.body or "") .. "&" .. query):gmatch "([^&=]+)=([^&]*)" do
    fields[unescape(name)] = unescape(value)
  end
  return recordings.CONTEXT .. path, fields
end

-- Requests that no call makes, and why: a missing argument throws, a malformed
-- value is an error; the bodies are of another form than the operation's.
local NEVER_ASKED = {
  missing = set [[
    login-missing-name project-create-no-name definition-create-missing definition-release-none start-no-params
    execute-no-params execute-no-form v2-workflow-instances-query-only
  ]],
  malformed = set [[
    instances-state-empty instances-lower-state instances-bad-date instances-iso-date instance-id-too-big
    log-detail-limit-minus log-detail-skip-minus gen-task-codes-0 gen-task-codes-minus gen-task-codes-101
    batch-execute-empty
  ]],
  of_another_form = set "json-on-form-endpoint form-4900000 form-5100000 form-1200-keys gzip-request-body",
}

-- Requests of no operation: beside the API, its twins in v2, no request of a
-- client that knows its paths.
local NO_OPERATION = set [[
  actuator actuator-health actuator-health-liveness actuator-info actuator-metrics actuator-prometheus-head
  limiter-health-with-token-1 limiter-health-with-token-2 ui-actuator-unknown
  api-docs api-docs-group-v1 api-docs-group-v2 api-docs-old api-docs-swagger2 api-docs-v1 api-docs-v2
  swagger-config swagger-resources
  root context-no-slash context-slash outside-context ui ui-root ui-index ui-index-html ui-missing-file
  v2-projects v2-projects-no-content-type v2-malformed-json v2-task-instances unsupported-media-type
  unknown-path-get unknown-path-get-bad-token unknown-path-get-html unknown-path-get-no-token unknown-path-post
  unknown-path-put unknown-path-delete limiter-unknown-path-1 limiter-unknown-path-2
  ui-unknown-path-get ui-unknown-path-get-no-token ui-unknown-path-head ui-unknown-path-post ui-unknown-path-put
  ui-unknown-path-delete
  head head-list head-projects options-cors options-projects trace garbage no-host http11-keepalive
  get-on-post-path login-get method-not-allowed method-not-allowed-no-token ui-method-not-allowed
  double-slash trailing-slash project-code-float project-code-text
]]

-- … and of operations that the server's line has not.
local OF_OTHER_LINES = {
  ["3.1.1"] = set [[
    analysis-list-command analysis-list-error-command analysis-workflow-state-count execute-task
    instance-trigger-right-after instance-trigger-unknown monitor-alert-server-upper monitor-master-upper
    monitor-nope-upper monitor-worker-upper other-dialect-get other-dialect-post product-info project-parameter
    project-worker-group ui-other-dialect-get v2-statistics-tasks v2-statistics-workflows
    v2-statistics-workflows-no-type v2-workflow-instance v2-workflow-instances-query-only v2-workflow-one
    v2-workflows-query
  ]],
  ["3.2.2"] = set [[
    analysis-workflow-state-count monitor-masters monitor-workers other-dialect-get other-dialect-post product-info
    ui-other-dialect-get
  ]],
  ["3.3-dev"] = set [[
    analysis-process-state-count monitor-masters monitor-workers other-dialect-get other-dialect-post
    query-executing-workflow start-check ui-other-dialect-get
  ]],
}

--- The row that makes this request, where one does; else nil, and why not.
local function row_of(exchange)
  for why, names in pairs(NEVER_ASKED) do
    if names[exchange.name] then
      return nil, why
    end
  end
  return (recordings.row(exchange))
end

-- Fields of real clients that the table has no parameter for: without effect
-- on the server, tests of wrong names, or left to the server's default.
local NOT_SENT = {
  ["instances.list"] = set "processDefinitionCode processDefineCode x",
  ["task_groups.list"] = set "searchVal",
}

-- Fields that the client sends and no recorded client did.
local NOT_RECORDED = {
  -- a must up to 3.1, ignored later
  ["workflows.create"] = set "tenantCode",
}

-- Lists are asked for from page 1 on, and in pages of a size that is one.
local OWN_PAGING = set "pageNo pageSize"

-- --- playing -------------------------------------------------------------

--- Is the list longer than its recorded page?
local function goes_on(exchange, row)
  local data = row.result == "page" and recordings.verdict(exchange.response) == "ok" and data_of(exchange.response)
  return data and data.total > #data.totalList
end

local function perform(player, exchange, opts)
  local row = row_of(exchange)
  if not row then
    return player:send(exchange, opts)
  end
  local how = goes_on(exchange, row) and "first_page" or "perform"
  return player[how](player, row, recordings.arguments(exchange), { exchange.response }, opts)
end

--- All exchanges, played once: {exchange, row, value, err, raw, request}.
-- Compressed ones are played over a real transport, below.
local played

local function play()
  if played then
    return played
  end
  played = {}
  local players = {}
  each(function(exchange, server)
    players[server] = players[server] or recordings.player(server)
    if exchange.response.body then
      local player = players[server]
      local one = { exchange = exchange, row = row_of(exchange) }
      one.value, one.err = perform(player, exchange)
      one.request = player.requests[1]
      one.raw = perform(player, exchange, { raw = true })
      played[#played + 1] = one
    end
  end)
  return played
end

--- What `check` finds wrong with each; it returns nil or a text.
local function problems(check)
  local found = {}
  for _, one in ipairs(play()) do
    local problem = check(one, one.exchange, one.row)
    if problem then
      found[#found + 1] = title(one.exchange) .. ": " .. problem
    end
  end
  return found
end

-- --- the files -----------------------------------------------------------

-- Long texts of which the recorder kept a part only.
local CUT = set "actuator-prometheus-head api-docs api-docs-v1 api-docs-v2 api-docs-group-v1 api-docs-group-v2"

describe("the recordings", function()
  it("are complete: 1,345 exchanges of three servers, each with its whole body", function()
    local total = 0
    for _, server in ipairs(SERVERS) do
      local names = {}
      for _, exchange in ipairs(recordings.of(server)) do
        local response, name = exchange.response, title(exchange)
        assert.is_nil(names[exchange.name], name)
        names[exchange.name] = true
        assert.is_true((response.body == nil) == (response.body_base64 ~= nil), name)
        local length = tonumber(response.headers["content-length"])
        if length and response.body and exchange.request.method ~= "HEAD" and not CUT[exchange.name] then
          assert.equal(length, #response.body, name)
        elseif response.body_base64 then
          assert.equal(response.body_size, #recordings.bytes(response), name)
        end
      end
      assert.equal(server.count, #recordings.of(server))
      total = total + server.count
    end
    assert.equal(1345, total)
  end)

  it("belong to an operation of the table, but for those that are written down", function()
    local unknown, seen, count = {}, {}, 0
    each(function(exchange, server)
      local row = recordings.row(exchange)
      local is_known = NO_OPERATION[exchange.name] or OF_OTHER_LINES[server.name][exchange.name] or false
      if is_known == (row ~= nil) then
        unknown[#unknown + 1] = title(exchange)
      elseif row and not seen[row.operation] then
        seen[row.operation], count = true, count + 1
      end
    end)
    assert.same({}, unknown)
    assert.equal(104, count)
  end)
end)

-- --- each exchange -------------------------------------------------------

describe("every recorded exchange", function()
  it("is asked for with the method, the path and the names of the real client", function()
    local recorded = recordings.field_names()
    assert.same({}, problems(function(one, exchange, row)
      if not row then
        return nil
      end
      local path, sent = parse(one.request)
      if path ~= exchange.request.path or one.request.method ~= exchange.request.method then
        return one.request.method .. " " .. path
      end
      for name, value in pairs(sent) do
        local known = exchange.request.fields[name]
        if known and known ~= value and not OWN_PAGING[name] then
          return name .. " is " .. value .. " and not " .. known
        elseif not recorded[row.operation][exchange.server.dialect][name]
          and not (NOT_RECORDED[row.operation] or {})[name] then
          return name .. " is no field that the server knows"
        end
      end
      local of_other_lines = recordings.of_other_lines(row, exchange.server)
      for name in pairs(exchange.request.fields) do
        local known = OWN_PAGING[name] or of_other_lines[name] or (NOT_SENT[row.operation] or {})[name]
        if not sent[name] and not known then
          return name .. " is not sent"
        end
      end
    end))
  end)

  it("that can't be asked for is refused before anything is sent", function()
    local counts = {}
    each(function(exchange, server)
      local _, why = row_of(exchange)
      local row = recordings.row(exchange)
      if row and (why == "missing" or why == "malformed") then
        local player = recordings.player(server)
        local fine, value, err = pcall(player.perform, player, row, recordings.arguments(exchange), {})
        assert.same({}, player.requests)
        assert.equal(why == "malformed", fine, title(exchange))
        if fine then
          assert.equal("argument", err.kind)
        else
          assert.truthy(value:find "is missing", value)
        end
        counts[why] = (counts[why] or 0) + 1
      end
    end)
    assert.same({ missing = 3 * 8 - 1, malformed = 3 * 11 }, counts) -- 3.1 has no v2-workflow-instances
  end)

  it("is judged by its status, type and body, with the code and the words of the server", function()
    local counts = {}
    assert.same({}, problems(function(one, exchange, row)
      local kind, code, msg = recordings.verdict(exchange.response, row)
      local err = one.err
      counts[kind] = (counts[kind] or 0) + 1
      if (err and err.kind or "ok") ~= kind then
        return "is " .. (err and err.kind or "ok") .. " and not " .. kind
      elseif (err == nil) ~= (one.value ~= nil) then
        return "a value beside an error, or neither"
      elseif err and not (errors.is(err) and err.status == exchange.response.status and err.code == code) then
        return "status or code differ"
      elseif kind == "api" and not shown(msg, err.message) then
        return "its words are not " .. msg
      end
    end))
    assert.same({ ok = 706, api = 363, not_api = 160, auth = 52, http = 31, throttled = 21 }, counts)
  end)

  it("that succeeded gives the value that was sent: codes, names, states and times", function()
    assert.same({}, problems(function(one, exchange, row)
      if not one.err then
        local expected = normal_form.of(data_of(exchange.response, row), form_of(row, exchange.server))
        return normal_form.difference(result_of(row, expected), one.value)
      end
    end))
  end)

  it("gives the server's own form when asked for it, and marks its arrays", function()
    assert.same({}, problems(function(one, exchange, row)
      if one.err then
        return nil
      end
      local expected = result_of(row, data_of(exchange.response, row))
      local text = exchange.response.body:gsub("\\.", ""):gsub('"[^"]*"', "")
      local arrays = select(2, text:gsub("%[", ""))
      local found = recordings.count_arrays(one.raw)
      local is_json = row and row.result ~= "none" and row.result ~= "bytes"
      return normal_form.difference(expected, one.raw)
        or is_json and found ~= arrays and found .. " arrays of " .. arrays or nil
    end))
  end)

  if math.type then
    it("holds integers only, none as a float", function()
      local function float(value)
        if type(value) ~= "table" then
          return math.type(value) == "float"
        end
        for _, member in pairs(value) do
          if float(member) then
            return true
          end
        end
      end
      assert.same({}, problems(function(one)
        return (float(one.value) or float(one.raw)) and "a float" or nil
      end))
    end)
  end
end)

-- --- lists ---------------------------------------------------------------

local PAGES = {
  -- the last page of the runs was not recorded: the whole list stands in
  { all = "instances-all", "instances-page1", "instances-page2", "instances-all" },
  { all = "projects-pagesize-100000", "projects-page1", "projects-page2" },
}

describe("a recorded list", function()
  for _, names in ipairs(PAGES) do
    it("is the union of its pages: " .. names[1], function()
      for _, server in ipairs(SERVERS) do
        local whole = assert(ask(server, names.all))
        local rows, err, player = ask(server, names[1], recordings.responses(server, names))
        assert.is_nil(err)
        assert.equal(#names, #player.requests)
        assert.same(whole, rows)
      end
    end)
  end

  it("is complete where totalPage is null, as in 3.2.1 (issue 15797)", function()
    local server = SERVERS[2]
    local responses = recordings.responses(server, PAGES[1])
    for i, response in ipairs(responses) do
      responses[i] = recordings.changed(response, '"totalPage":%d+', '"totalPage":null')
    end
    assert.equal(10, #ask(server, "instances-page1", responses))
  end)

  it("of projects says total 0 past its end on 3.3: it has shrunk, and is read again", function()
    local server = SERVERS[3]
    assert.equal(0, data_of(recordings.find(server, "projects-past-end").response).total)
    local responses = recordings.responses(server,
      { "projects-page1", "projects-past-end", "projects-page1", "projects-page2" })
    assert.same(ask(server, "projects-pagesize-100000"), ask(server, "projects-page1", responses))
  end)

  it("right after a start is empty, not an error", function()
    for i, server in ipairs(SERVERS) do
      assert.equal(({ 0, 0, 2 })[i], #ask(server, "instances-right-after-start"))
    end
  end)
end)

-- Keys of the rows of operations that not all servers send, in the names of the
-- newest line. All other keys are the same on all three.
local OLD, NEW = { "3.1.1", "3.2.2" }, { "3.2.2", "3.3-dev" }
local ONLY_31, ONLY_32, ONLY_33 = { "3.1.1" }, { "3.2.2" }, { "3.3-dev" }

--- Keys that stand below others: with `prefix` in front of their path.
local function below(prefix, keys, more)
  local paths = more or {}
  for key, servers in pairs(keys) do
    paths[prefix .. key] = servers
  end
  return paths
end

local PROJECT_KEYS = { instRunningCount = OLD }
local DEFINITION_KEYS = { tenantId = ONLY_31, tenantCode = ONLY_31, schedule = NEW }
local DEFINITION_TASK_KEYS = { dependence = OLD, isCache = ONLY_32 }
local DAG_KEYS = below("workflowDefinition.", DEFINITION_KEYS, below("taskDefinitionList[].", DEFINITION_TASK_KEYS))
local RUN_KEYS = { projectCode = NEW, tenantId = ONLY_31, testFlag = NEW, blocked = OLD }
local TASK_KEYS = {
  projectCode = NEW, testFlag = NEW, workflowDefinition = ONLY_33, resources = ONLY_31,
  cacheKey = ONLY_32, conditionResult = ONLY_32, conditionsParameters = ONLY_32, dynamic = ONLY_32,
  isCache = ONLY_32, dependency = OLD, switchDependency = OLD, dependentResult = OLD, processDefine = OLD,
  subWorkflow = OLD, dependTask = OLD, conditionsTask = OLD, switchTask = OLD, blockingTask = OLD,
  firstRun = OLD, taskComplete = OLD,
}
local SCHEDULE_KEYS = { environmentName = NEW, tenantCode = NEW }

local PROJECTS, DEFINITIONS, SCHEDULES = below("[].", PROJECT_KEYS), below("[].", DEFINITION_KEYS),
  below("[].", SCHEDULE_KEYS)

local DIFFERENCES = {
  ["favourites.list"] = { ["[].taskName"] = ONLY_31, ["[].taskCategory"] = NEW },
  ["instances.get"] = below("", RUN_KEYS, below("dagData.", DAG_KEYS)),
  -- of these two 3.1 shows no row
  ["instances.get_by_id"] = below("dagData.taskDefinitionList[].", { dependence = ONLY_32, isCache = ONLY_32 },
    { blocked = ONLY_32 }),
  ["instances.top_n"] = { ["[].blocked"] = ONLY_32 },
  ["instances.list"] = below("[].", RUN_KEYS),
  ["instances.tasks"] = below("taskList[].", TASK_KEYS,
    { ["taskList[].taskInstanceDependentResult"] = ONLY_33 }),
  ["lineages.list"] = { workFlowList = OLD, workFlowRelationList = OLD, data = ONLY_33 },
  ["projects.all"] = PROJECTS,
  ["projects.create"] = PROJECT_KEYS,
  ["projects.created_and_authed"] = PROJECTS,
  ["projects.get"] = PROJECT_KEYS,
  ["projects.list"] = PROJECTS,
  ["projects.list_dependent"] = PROJECTS,
  ["schedules.all"] = SCHEDULES,
  ["schedules.create"] = SCHEDULE_KEYS,
  ["schedules.list"] = SCHEDULES,
  ["task_instances.list"] = below("[].", TASK_KEYS),
  ["worker_groups.list"] = { ["[].otherParamsJson"] = OLD, ["[].source"] = ONLY_33 },
  ["workflows.create"] = DEFINITION_KEYS,
  ["workflows.full_list"] = below("[].", DAG_KEYS),
  ["workflows.get"] = DAG_KEYS,
  ["workflows.list"] = DEFINITIONS,
  ["workflows.start"] = { trigger_code = ONLY_32, instance_ids = ONLY_33 },
  ["workflows.tasks"] = below("[].", DEFINITION_TASK_KEYS),
  ["workflows.update"] = DEFINITION_KEYS,
  ["workflows.versions"] = DEFINITIONS,
}

-- Values of another kind on some line: tasks are named by their codes up to 3.2.
local OTHER_KINDS = { ["instances.view_gantt"] = { ["taskNames[]"] = { number = true, string = true } } }

--- The shape of what an operation gives on a server.
local function shape_of(operation, server)
  local shape = {}
  for _, one in ipairs(play()) do
    local of_operation = one.row and one.row.operation == operation and one.exchange.server == server
    if of_operation and type(one.raw) == "table" then
      shapes.add(shape, one.raw, renamed(one.row, server))
    end
  end
  return shape
end

--- Does a server fill the place of a path, but not the path?
local function is_missing(found, path)
  return not found[path] and shapes.has_parent(found, path)
end

--- The paths that not all servers have that fill their place: path → the names
-- of those that do; and the paths where they have different kinds of values.
local function differences(operation)
  local shape, all, differ, kinds = {}, {}, {}, {}
  for _, server in ipairs(SERVERS) do
    shape[server] = shape_of(operation, server)
    for path, found in pairs(shape[server]) do
      all[path] = all[path] or { servers = {}, kinds = {} }
      table.insert(all[path].servers, server.name)
      for kind in pairs(found) do
        all[path].kinds[kind] = not shapes.VAGUE[kind] or nil
      end
    end
  end
  for path, one in pairs(all) do
    for _, server in ipairs(SERVERS) do
      differ[path] = is_missing(shape[server], path) and one.servers or differ[path]
    end
    kinds[path] = path ~= "" and next(one.kinds, next(one.kinds)) and one.kinds or nil
  end
  return differ, kinds
end

describe("results", function()
  for _, operation in ipairs(recordings.operations()) do
    it("have the same keys on all server lines, apart from a written list: " .. operation, function()
      local paths, kinds = differences(operation)
      assert.same(DIFFERENCES[operation] or {}, paths)
      assert.same(OTHER_KINDS[operation] or {}, kinds)
    end)
  end
end)

-- --- compressed answers --------------------------------------------------

describe("a compressed answer", function()
  local tcp_server = require "support.tcp_server"
  local curl = require "dsclient.curl"
  local wire

  setup(function()
    wire = tcp_server.start()
  end)

  teardown(function()
    wire:stop()
  end)

  --- A transport that remembers the bodies that came through it.
  local function watched()
    local inner = curl.new {}
    local outer = {}
    function outer.start(_, request, deadline)
      local exchange, failed = inner:start(request, deadline)
      return exchange and {
        wait = function()
          local response, problem = exchange:wait()
          outer.body = response and response.body
          return response, problem
        end,
      }, failed
    end
    function outer.close()
      inner:close()
    end
    return outer
  end

  --- The last four bytes of a gzip file: the length of what is in it.
  local function length_of(bytes)
    local a, b, c, d = bytes:byte(-4, -1)
    return a + b * 256 + c * 65536 + d * 16777216
  end

  local function unpacks(server)
    local plain, count = recordings.find(server, "identity").response.body, 0
    for _, exchange in ipairs(recordings.of(server)) do
      if exchange.response.body_base64 then
        local bytes = recordings.bytes(exchange.response)
        wire:ask("give " .. bytes:gsub(".", function(byte)
          return ("%02x"):format(byte:byte())
        end))
        local transport = watched()
        local player = recordings.player(server, {
          api_url = wire.url .. "/given",
          transport = transport,
          runtime = { sleep = recordings.never },
        })
        local value, err = perform(player, exchange)
        assert.is_nil(err, tostring(err))
        assert.equal(length_of(bytes), #transport.body)
        local row = recordings.row(exchange)
        if row.operation == "instances.list" then
          assert.equal(plain, transport.body)
        end
        local data = data_of { body = transport.body }
        local expected = result_of(row, normal_form.of(data, form_of(row, server)))
        assert.is_nil(normal_form.difference(expected, value))
        player.client:close()
        count = count + 1
      end
    end
    assert.equal(4, count)
  end

  for _, server in ipairs(SERVERS) do
    it("is unpacked by the transport, byte for byte: " .. server.name, function()
      unpacks(server)
    end)
  end
end)

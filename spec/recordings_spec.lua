--- The recorded exchanges of three real servers, each given to the client: no
-- answer of any server line is misread. What an answer is, is told by
-- support/recordings.lua from the recorded facts, what its value is by
-- support/normal_form.lua on top of cjson: neither shares code with the client.

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

local function form_of(row, server)
  local form = {
    rename = server.dialect == "process" and normal_form.RENAMED or {},
    codes = normal_form.CODES,
    code_lists = { taskNames = true },
    rows = row and row.rows,
  }
  for _, path in ipairs(row and row.codes or {}) do
    form.code = form.code or path == "data"
    form.codes_in_root = form.codes_in_root or path == "data[]"
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
  for name, value in ((request.body or "") .. "&" .. query):gmatch "([^&=]+)=([^&]*)" do
    fields[unescape(name)] = unescape(value)
  end
  return recordings.CONTEXT .. path, fields
end

-- Requests that the client refuses to make, or can't make of what is given: a
-- wrong type or a missing argument throws, a malformed value is an error.
local NEVER_ASKED = set [[
  instances-state-empty instances-lower-state instances-bad-date instances-iso-date instance-id-too-big
  json-on-form-endpoint project-create-no-name definition-create-missing definition-release-none start-no-params
  execute-no-params execute-no-form form-4900000 form-5100000 form-1200-keys
]]

-- Fields of real clients that the table has no parameter for: without effect
-- on the server, tests of wrong names, or left to the server's default.
local NOT_SENT = {
  ["instances.list"] = set "processDefinitionCode processDefineCode x",
  ["workflows.start"] = set "taskDependType runMode processInstancePriority workflowInstancePriority",
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
  local row = recordings.row(exchange)
  if not row or NEVER_ASKED[exchange.name] then
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
      local one = { exchange = exchange, row = not NEVER_ASKED[exchange.name] and recordings.row(exchange) or nil }
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

  it("know each operation of the table on each dialect", function()
    local seen = {}
    each(function(exchange, server)
      local row = recordings.row(exchange)
      if row then
        seen[row.operation .. " " .. server.dialect] = true
      end
    end)
    local missing = {}
    for _, operation in ipairs(recordings.operations()) do
      for _, name in ipairs { "process", "workflow" } do
        missing[#missing + 1] = not seen[operation .. " " .. name] and operation .. " " .. name or nil
      end
    end
    assert.same({}, missing)
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
      for name in pairs(exchange.request.fields) do
        if not sent[name] and not OWN_PAGING[name] and not (NOT_SENT[row.operation] or {})[name] then
          return name .. " is not sent"
        end
      end
    end))
  end)

  it("that can't be asked for is refused before anything is sent", function()
    local count = 0
    each(function(exchange, server)
      if NEVER_ASKED[exchange.name] then
        local player = recordings.player(server)
        local fine, value, err = pcall(player.perform, player, recordings.row(exchange),
          recordings.arguments(exchange), {})
        assert.same({}, player.requests)
        if fine then
          assert.equal("argument", err.kind, title(exchange))
        else
          assert.truthy(value:find "is missing", value)
        end
        count = count + 1
      end
    end)
    assert.equal(3 * 15 - 1, count) -- dev reset the connection of form-5100000
  end)

  it("is judged by its status, type and body, with the code and the words of the server", function()
    local counts = {}
    assert.same({}, problems(function(one, exchange)
      local kind, code, msg = recordings.verdict(exchange.response)
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
    assert.same({ ok = 690, api = 365, not_api = 174, auth = 52, http = 31, throttled = 21 }, counts)
  end)

  it("that succeeded gives the value that was sent: codes, names, states and times", function()
    assert.same({}, problems(function(one, exchange, row)
      if not one.err then
        local expected = normal_form.of(data_of(exchange.response), form_of(row, exchange.server))
        return normal_form.difference(result_of(row, expected), one.value)
      end
    end))
  end)

  it("gives the server's own form when asked for it, and marks its arrays", function()
    assert.same({}, problems(function(one, exchange, row)
      if one.err then
        return nil
      end
      local expected = result_of(row, data_of(exchange.response))
      local text = exchange.response.body:gsub("\\.", ""):gsub('"[^"]*"', "")
      local arrays = select(2, text:gsub("%[", ""))
      local found = recordings.count_arrays(one.raw)
      return normal_form.difference(expected, one.raw)
        or row and row.result ~= "none" and found ~= arrays and found .. " arrays of " .. arrays or nil
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

local PROJECT_KEYS = { instRunningCount = OLD }
local DEFINITION_KEYS = { tenantId = ONLY_31, tenantCode = ONLY_31, schedule = NEW }
local DAG_KEYS = {
  ["workflowDefinition.tenantId"] = ONLY_31,
  ["workflowDefinition.tenantCode"] = ONLY_31,
  ["workflowDefinition.schedule"] = NEW,
  ["taskDefinitionList[].dependence"] = OLD,
  ["taskDefinitionList[].isCache"] = ONLY_32,
}
local RUN_KEYS = { projectCode = NEW, tenantId = ONLY_31, testFlag = NEW, blocked = OLD }
local TASK_KEYS = {
  projectCode = NEW, testFlag = NEW, workflowDefinition = ONLY_33, resources = ONLY_31,
  cacheKey = ONLY_32, conditionResult = ONLY_32, conditionsParameters = ONLY_32, dynamic = ONLY_32,
  isCache = ONLY_32, dependency = OLD, switchDependency = OLD, dependentResult = OLD, processDefine = OLD,
  subWorkflow = OLD, dependTask = OLD, conditionsTask = OLD, switchTask = OLD, blockingTask = OLD,
  firstRun = OLD, taskComplete = OLD,
}

--- Keys that stand below others: with `prefix` in front of their path.
local function below(prefix, keys, more)
  local paths = more or {}
  for key, servers in pairs(keys) do
    paths[prefix .. key] = servers
  end
  return paths
end

-- The machines have a path of their own up to 3.1, and another one later.
local function of_nodes(servers, more)
  local paths = { ["[]"] = servers }
  for _, key in ipairs { "createTime", "host", "id", "lastHeartbeatTime", "port" } do
    paths["[]." .. key] = servers
  end
  for key, its_servers in pairs(more) do
    paths["[]." .. key] = its_servers
  end
  return paths
end

local DIFFERENCES = {
  ["instances.get"] = below("", RUN_KEYS, below("dagData.", DAG_KEYS)),
  ["instances.list"] = below("[].", RUN_KEYS),
  ["instances.tasks"] = below("taskList[].", TASK_KEYS,
    { ["taskList[].taskInstanceDependentResult"] = ONLY_33 }),
  ["projects.create"] = PROJECT_KEYS,
  ["projects.get"] = PROJECT_KEYS,
  ["projects.list"] = below("[].", PROJECT_KEYS),
  ["server.masters"] = of_nodes({ "3.1.1" }, { resInfo = { "3.1.1" }, zkDirectory = { "3.1.1" } }),
  ["server.nodes"] = of_nodes({ "3.2.2", "3.3-dev" },
    { resInfo = ONLY_32, zkDirectory = ONLY_32, heartBeatInfo = ONLY_33, serverDirectory = ONLY_33 }),
  ["server.product_info"] = { version = ONLY_33 },
  ["task_instances.list"] = below("[].", TASK_KEYS),
  ["workflows.create"] = DEFINITION_KEYS,
  ["workflows.get"] = DAG_KEYS,
  ["workflows.list"] = below("[].", DEFINITION_KEYS),
  ["workflows.start"] = { trigger_code = ONLY_32, instance_ids = ONLY_33, ["instance_ids[]"] = ONLY_33 },
}

--- The shape of what an operation gives on a server.
local function shape_of(operation, server)
  local shape = {}
  for _, one in ipairs(play()) do
    local of_operation = one.row and one.row.operation == operation and one.exchange.server == server
    if of_operation and type(one.raw) == "table" then
      shapes.add(shape, one.raw, server.dialect == "process" and normal_form.RENAMED)
    end
  end
  return shape
end

--- The paths that not all servers have: path → their names; and the paths where
-- they have different kinds of values.
local function differences(operation)
  local all, differ, kinds = {}, {}, {}
  for _, server in ipairs(SERVERS) do
    for path, found in pairs(shape_of(operation, server)) do
      local one = all[path] or { servers = {}, kinds = {} }
      all[path] = one
      table.insert(one.servers, server.name)
      for kind in pairs(found) do
        one.kinds[kind] = not shapes.VAGUE[kind] or nil
      end
    end
  end
  all[""] = nil -- of the whole nothing is told that is not told of its keys
  for path, one in pairs(all) do
    differ[path] = #one.servers < #SERVERS and one.servers or nil
    kinds[path] = next(one.kinds, next(one.kinds)) and one.kinds or nil
  end
  return differ, kinds
end

describe("results", function()
  for _, operation in ipairs(recordings.operations()) do
    it("have the same keys on all server lines, apart from a written list: " .. operation, function()
      local paths, kinds = differences(operation)
      assert.same(DIFFERENCES[operation] or {}, paths)
      assert.same({}, kinds)
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
        if recordings.row(exchange) then
          assert.equal(plain, transport.body)
        end
        local row = recordings.row(exchange)
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

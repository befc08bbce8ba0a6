--- The sandbox beside real servers: the recorded requests are put to it, and its
-- answers must be those of the server line that it plays: status, content type,
-- code, words, and which keys stand where.

local recordings = require "support.recordings"
local sandbox = require "dsclient.sandbox"
local set = require "support.set"
local shapes = require "support.shapes"

local SERVERS = recordings.SERVERS

local TOKEN, GUEST = "0123456789abcdef0123456789abcdef", "guest-token"

-- --- which exchanges -----------------------------------------------------

-- Requests of no operation of the table, or of none on this server's line, that
-- the sandbox answers as well.
local ALSO = set [[
  monitor-masters monitor-master-upper monitor-worker-upper monitor-alert-server-upper monitor-nope-upper product-info
  unknown-path-get unknown-path-get-no-token unknown-path-get-bad-token unknown-path-post unknown-path-put
  unknown-path-delete other-dialect-get other-dialect-post outside-context root method-not-allowed
  method-not-allowed-no-token get-on-post-path trailing-slash double-slash limiter-unknown-path-1
  limiter-unknown-path-2 ui-unknown-path-get ui-unknown-path-get-no-token ui-unknown-path-post ui-unknown-path-put
  ui-unknown-path-delete ui-other-dialect-get ui-method-not-allowed ui-missing-file
]]

-- The operations that it answers as the recorded server does, not only in the
-- right form.
local PLAYED = set [[
  analysis.workflow_state_count
  instances.execute instances.get instances.list instances.tasks projects.create projects.delete projects.get
  projects.list server.masters server.nodes server.product_info task_instances.list task_instances.log_part
  tasks.generate_codes tenants.create tenants.list users.current workflows.create workflows.delete workflows.get
  workflows.list workflows.release workflows.simple_list workflows.start
]]

-- What the sandbox does not play.
local NOT_PLAYED = set [[
  session-header-of-first-login session-header session-cookie session-after-sign-out
  language-header-zh language-cookie-zh accept-xml
  big-header-9000 big-header-17000 long-uri-9000 form-4900000 form-5100000 form-1200-keys project-create-long-name
]]

-- … and what it plays another way on one server.
local OTHERWISE = {
  ["3.3-dev"] = set [[
    race-execute-twice-0ms-b
    limiter-no-token-second
  ]],
}

local function is_played(exchange)
  local name = exchange.name
  local left_out = NOT_PLAYED[name] or (OTHERWISE[exchange.server.name] or {})[name]
  local row = recordings.row(exchange)
  return exchange.response.body and not left_out and (ALSO[name] or row ~= nil and PLAYED[row.operation])
end

-- --- how they are put to the sandbox -------------------------------------

-- The state of the run that is acted on; where none is named it is SUCCESS.
local RUN_STATES = {
  RUNNING_EXECUTION = set [[
    execute-failure-on-running execute-repeat-on-running execute-recover-on-running execute-pause-running
    execute-pause-running-2 execute-stop-running
  ]],
  READY_PAUSE = set "execute-pause-again execute-stop-while-ready-pause",
  READY_STOP = set "execute-stop-again execute-stop-running-again",
  STOP = set "execute-stop-on-stopped execute-pause-on-stopped execute-failure-on-stopped execute-recover-on-stop",
  PAUSE = set "execute-recover-on-pause",
  FAILURE = set [[
    execute-twice-0ms-a execute-twice-0ms-b execute-twice-20ms-a execute-twice-20ms-b execute-twice-50ms-a
    execute-twice-50ms-b execute-sequential-first execute-sequential-second execute-after-second-failure
    race-execute-twice-0ms-a execute-stop-on-wedged
  ]],
}

-- Where a server came to the same request in another state.
local OTHER_STATES = {
  ["3.1.1"] = {
    ["execute-repeat-again"] = "RUNNING_EXECUTION",
    ["execute-twice-20ms-b"] = "RUNNING_EXECUTION", -- the master had taken the first one
  },
  ["3.3-dev"] = {
    ["execute-stop-on-stopped"] = "PAUSE", -- a STOP during READY_PAUSE ends so
    ["execute-pause-on-stopped"] = "PAUSE",
    ["execute-failure-on-stopped"] = "PAUSE",
    ["execute-wrong-project"] = "RUNNING_EXECUTION",
    ["execute-stop-on-wedged"] = "RUNNING_EXECUTION",
    ["race-execute-stop-on-wedged"] = "RUNNING_EXECUTION",
  },
}

local function other_state(exchange)
  return (OTHER_STATES[exchange.server.name] or {})[exchange.name]
end

local function state_of_run(exchange)
  for state, names in pairs(RUN_STATES) do
    if names[exchange.name] then
      return state
    end
  end
end

-- What was asked a moment before.
local BEFORE = {
  ["project-create-duplicate"] = "project-create",
  ["project-delete-again"] = "project-delete",
  ["definition-create-duplicate"] = "definition-create",
  ["definition-delete-again"] = "definition-delete",
  ["tenant-create-duplicate"] = "tenant-create",
  ["execute-twice-0ms-b"] = "execute-twice-0ms-a",
  ["execute-twice-20ms-b"] = "execute-twice-20ms-a",
  ["execute-twice-50ms-b"] = "execute-twice-50ms-a",
  ["execute-sequential-second"] = "execute-sequential-first",
  ["limiter-second"] = "limiter-first",
  ["limiter-third-post"] = "limiter-first",
  ["limiter-bad-token-second"] = "limiter-bad-token-first",
  ["limiter-no-token-second"] = "limiter-no-token-first",
  ["limiter-with-origin-2"] = "limiter-with-origin-1",
}

local OFFLINE = set "start-offline definition-delete definition-delete-again"
local EMPTY = set "project-delete project-delete-again"

local function box_for(exchange)
  local name = exchange.name
  local box = sandbox.new {
    server_version = exchange.server.version,
    projects = 2,
    workflows = EMPTY[name] and 0 or 2,
    kinds = { "good", "flaky" },
    ui = name:find "^ui%-" ~= nil,
    traffic_limit = name:find "^limiter%-" ~= nil,
    token = TOKEN,
    users = { { name = "recuser", token = GUEST, projects = name:find "^user%-granted" and { "demo-1" } or {} } },
  }
  local state = other_state(exchange) or state_of_run(exchange)
  if state then
    box:set_run { id = 1, state = state }
  end
  if OFFLINE[name] then
    box:set { project = "demo-1", workflow = "good-1", release_state = "OFFLINE" }
  end
  return box
end

-- Codes and ids that no server knows; all others stand for what the box has.
local UNKNOWN_CODE = "123456789012345"

local function is_known_code(text)
  return #text > 12 and text ~= UNKNOWN_CODE and text:find "^%d+$"
end

local function is_known_id(text)
  return #text < 7
end

--- The codes that stand for the recorded ones.
local function targets_of(box)
  local projects = box:projects()
  return { project = projects[1].code, other = projects[2].code, workflow = (projects[1].workflows[1] or {}).code }
end

local function path_for(exchange, targets)
  local project = exchange.name:find "wrong%-project" and targets.other or targets.project
  return (exchange.request.path:gsub("(/projects/)([^/]+)", function(before, code)
    return before .. (is_known_code(code) and project or code)
  end):gsub("(%-definition/)(%d+)", function(before, code)
    return before .. (is_known_code(code) and targets.workflow or code)
  end):gsub("(%-instances/)(%d+)", function(before, id)
    return before .. (is_known_id(id) and "1" or id)
  end))
end

local function form_of(part, request, targets)
  local fields = {}
  for name in pairs(part or {}) do
    local value = request.fields[name]
    if name:find "Code$" and is_known_code(value) then
      value = name == "projectCode" and targets.project or targets.workflow
    elseif name:find "InstanceId$" and is_known_id(value) then
      value = "1"
    end
    fields[#fields + 1] = name .. "=" .. value:gsub("%W", function(byte)
      return ("%%%02X"):format(byte:byte())
    end)
  end
  return table.concat(fields, "&")
end

local function token_for(exchange, token)
  if token == "TOKEN" and exchange.name ~= "expired-token" then
    return exchange.name:find "^user%-" and exchange.name ~= "user-info" and GUEST or TOKEN
  end
  return token and token ~= "" and "wrong" or token
end

local function request_for(exchange, targets)
  local recorded, headers = exchange.request, {}
  for name, value in pairs(recorded.headers) do
    headers[name:lower()] = value
  end
  headers.token = token_for(exchange, headers.token)
  local query = form_of(recorded.query, recorded, targets)
  return {
    method = recorded.method,
    path = path_for(exchange, targets) .. (query == "" and "" or "?" .. query),
    headers = headers,
    body = form_of(recorded.form, recorded, targets),
  }
end

--- What the sandbox answers to a recorded request.
local function answer_to(exchange)
  local box = box_for(exchange)
  local targets = targets_of(box)
  local before = BEFORE[exchange.name]
  if before and not other_state(exchange) then
    box.site:serve(request_for(recordings.find(exchange.server, before), targets))
  end
  return box.site:serve(request_for(exchange, targets)).answer
end

-- --- comparing -----------------------------------------------------------

--- The words without what differs from box to server: names and numbers, but
-- with the commas between digits.
local function words(msg)
  return (msg:gsub("%d+", "0"):gsub("rec%-%a+[%-0]*", "NAME"):gsub("demo%-0%-%a+[%-0]*", "NAME")
    :gsub("good%-[%-0]*", "NAME"))
end

--- Are these the recorded words? From 3.3 on they go on with Java's.
local function same_words(got, recorded)
  got, recorded = words(got), words(recorded)
  return got == recorded or #got > 60 and recorded:sub(1, #got) == got
end

local function difference(answer, response)
  local got, recorded = recordings.object(answer), recordings.object(response)
  if answer.status ~= response.status then
    return ("status %d, recorded %d"):format(answer.status, response.status)
  elseif answer.headers["content-type"] ~= response.headers["content-type"] then
    return ("content type %s, recorded %s"):format(tostring(answer.headers["content-type"]),
      tostring(response.headers["content-type"]))
  elseif (got == nil) ~= (recorded == nil) or (answer.body == "") ~= (response.body == "") then
    return "body " .. answer.body:sub(1, 60) .. ", recorded " .. response.body:sub(1, 60)
  elseif not got then
    return nil
  elseif got.code ~= recorded.code then
    return "code: " .. answer.body:sub(1, 90) .. ", recorded: " .. response.body:sub(1, 90)
  elseif got.msg and not same_words(got.msg, recorded.msg) then
    return "words: " .. got.msg .. ", recorded: " .. recorded.msg
  end
  return shapes.difference(shapes.add({}, got), shapes.add({}, recorded))
end

--- What the sandbox answers where this server was recorded, asked once.
local function play(server)
  local played = {}
  for _, exchange in ipairs(recordings.of(server)) do
    if is_played(exchange) then
      played[#played + 1] = { exchange = exchange, answer = answer_to(exchange) }
    end
  end
  return played
end

--- The shapes of the data of all successes, by operation.
local function shapes_of(played)
  local got, recorded = {}, {}
  for _, one in ipairs(played) do
    local row, object = recordings.row(one.exchange), recordings.object(one.answer)
    if row and object and object.code == 0 then
      local name = row.operation
      got[name] = shapes.add(got[name] or {}, object.data)
      recorded[name] = shapes.add(recorded[name] or {}, recordings.object(one.exchange.response).data)
    end
  end
  return got, recorded
end

local COUNTS = { ["3.1.1"] = 262, ["3.2.2"] = 262, ["3.3-dev"] = 268 }

for _, server in ipairs(SERVERS) do
  describe("the sandbox as " .. server.version, function()
    local played

    setup(function()
      played = play(server)
    end)

    it("answers each request like the recorded server", function()
      local found = {}
      for _, one in ipairs(played) do
        local problem = difference(one.answer, one.exchange.response)
        found[#found + 1] = problem and one.exchange.name .. ": " .. problem or nil
      end
      assert.same({}, found)
      assert.equal(COUNTS[server.name], #played)
    end)

    it("has the recorded keys in each operation's successes, and values where the server has them", function()
      local got, recorded = shapes_of(played)
      for _, operation in ipairs(recordings.operations()) do
        if recorded[operation] then
          assert.is_nil(shapes.difference(got[operation], recorded[operation]), operation)
          assert.same({}, shapes.unfilled(got[operation], recorded[operation]), operation)
        end
      end
    end)
  end)
end

--- The logs of tasks, from the recordings and from a server whose log grows.

local bed = require "support.bed"
local cjson = require "cjson"
local errors = require "dsclient.errors"
local insides = require "support.insides"
local logs = require "dsclient.logs"
local recordings = require "support.recordings"

local HEAD = "[LOG-PATH]: /logs/7.log, [HOST]: w:1234"
local PART_BYTES = 65535
local unpack = table.unpack or unpack -- luacheck: ignore

--- The number of a query's field.
local function number(path, name)
  return tonumber(path:match("[?&]" .. name .. "=(%-?%d+)"))
end

--- The answer to log/detail of 3.0 and later: `lines` is the whole log.
local function part(lines, path)
  local skip, limit = number(path, "skipLineNum"), number(path, "limit")
  local text, count = skip == 0 and HEAD .. "\n" or "", 0
  for i = skip + 1, math.min(#lines, skip + limit) do
    text, count = text .. lines[i] .. "\r\n", count + 1
    if #text > PART_BYTES then
      break
    end
  end
  return bed.ok(cjson.encode { lineNum = math.max(1, count), message = text })
end

--- As 2.0 answers it: the text alone, uncut.
local function old_part(lines, path)
  local skip, limit = number(path, "skipLineNum"), number(path, "limit")
  local text = skip == 0 and HEAD .. "\r\n" or ""
  for i = skip + 1, math.min(#lines, skip + limit) do
    text = text .. lines[i] .. "\r\n"
  end
  return bed.ok(cjson.encode(text))
end

local function numbered(count, width)
  local lines = {}
  for i = 1, count do
    lines[i] = ("%d %s"):format(i, ("x"):rep(width or 0))
  end
  return lines
end

--- A bed with a log, and its client's insides.
local function with_log(lines, how, options)
  local b = bed.new(function(request)
    return (how or part)(lines, request.path)
  end, options)
  return insides(b.client), b
end

for _, server in ipairs(recordings.SERVERS) do
  describe("the recorded logs of " .. server.name, function()
    local player

    setup(function()
      player = recordings.player(server)
    end)

    local function play(...)
      player.responses, player.requests = recordings.responses(server, { ... }), {}
      return player.state
    end

    local BIG = { "log-big-page0", "log-big-page1", "log-big-page2", "log-big-page3", "log-big-page4", "log-big-page5" }

    it("are what their files are", function()
      local text = assert(logs.log(play("log-detail", "log-detail-past-end"), 47))
      assert.equal(recordings.find(server, "log-download").response.body, text)
      assert.equal(text, logs.download(play "log-download", 47, function() end) and text)
    end)

    it("are read by lineNum until a message is empty", function() -- facts 18, 23
      local text = assert(logs.log(play(unpack(BIG)), 48))
      local lines, skip = select(2, text:gsub("\n", "")), 0
      for i, name in ipairs(BIG) do
        local exchange = recordings.find(server, name)
        assert.equal(skip, number(player.requests[i].path, "skipLineNum"))
        assert.equal(exchange.request.query.skipLineNum, number(player.requests[i].path, "skipLineNum"))
        skip = skip + cjson.decode(exchange.response.body).data.lineNum
      end
      assert.equal(skip, lines) -- the last part tells one line too many, and the head is one more
      assert.is_nil(text:find("\r", 1, true))
      assert.truthy(text:find "^%[LOG%-PATH%]")
      assert.truthy(text:find("\tline 3000 of a long log", 1, true) or text:find("\tline 2999 of a long log", 1, true))
    end)

    it("of tasks that are not there are errors", function()
      local _, err = logs.log(play "log-detail-unknown", 999999999)
      assert.equal("api", err.kind)
      assert.equal(10008, err.code)
      assert.equal("task_instances.log", err.operation)
      _, err = logs.download(play "log-download-unknown", 999999999, function() end)
      assert.equal(10000, err.code)
    end)

    it("go into a sink as they are, whatever their type", function() -- fact 22
      for _, name in ipairs { "log-download", "log-download-accept-any", "log-download-gzip" } do
        local got = {}
        local value = assert(logs.download(play(name), 47, function(piece)
          got[#got + 1] = piece
        end))
        local body = recordings.find(server, name).response.body
        assert.equal(body, table.concat(got))
        assert.same({ bytes = #body }, value)
      end
    end)
  end)
end

describe("a log", function()
  it("may be empty, or its head only", function()
    assert.equal(HEAD .. "\n", (logs.log(with_log {}, 7)))
    local state = with_log({}, function()
      return bed.ok '{"lineNum":1,"message":""}'
    end)
    assert.equal("", (logs.log(state, 7)))
    assert.same({}, (logs.tail(state, 7, 5)))
    state = with_log({}, function()
      return bed.ok()
    end)
    assert.equal("", (logs.log(state, 7)))
  end)

  it("is the same of 2.0, which sends the text alone", function()
    local lines = numbered(25000, 3)
    local text = assert(logs.log(with_log(lines), 7))
    local old, b = with_log(lines, old_part, { server_version = "2.0.9" })
    assert.is_true(text == logs.log(old, 7))
    assert.equal(4, #b.requests)
    assert.same({ lines[24999], lines[25000] }, (logs.tail(old, 7, 2)))
  end)

  it("keeps lines that are empty, and bytes that are no line ends", function()
    local lines = { "", "a\rb", "", "é \\ \"" }
    assert.equal(HEAD .. "\n\na\rb\n\né \\ \"\n", (logs.log(with_log(lines), 7)))
    assert.same(lines, (logs.tail(with_log(lines), 7, 9)))
  end)

  it("that is too long is an error", function()
    local _, err = logs.log(with_log(numbered(100, 100)), 7, { bytes_max = 5000 })
    assert.equal("limit", err.kind)
    _, err = logs.tail(with_log(numbered(100, 100)), 7, 10, { bytes_max = 1024 })
    assert.is_nil(err)
    _, err = logs.log(with_log(numbered(100, 100), nil, { body_bytes_max = 100000, }), 7)
    assert.is_nil(err)
  end)

  it("that a worker does not give is no line of a log", function() -- 3.1
    for _, head in ipairs { "", HEAD .. "\n" } do
      local state = with_log({}, function()
        return bed.ok(cjson.encode { lineNum = 1, message = head .. "Roll view log error: timeout 10000" })
      end)
      for _, read in ipairs { logs.log, function(own, id) return logs.tail(own, id, 3) end } do
        local value, err = read(state, 7)
        assert.is_nil(value)
        assert.equal("api", err.kind)
        assert.truthy(err.message:find("Roll view log error", 1, true))
      end
    end
  end)

  it("has one deadline for all its parts", function()
    local state, b = with_log(numbered(5000, 100), function(lines, path)
      local answer = part(lines, path)
      answer.takes_s = 3
      return answer
    end)
    local _, err = logs.log(state, 7, { timeout_s = 10 })
    assert.equal("deadline", err.kind)
    assert.equal("task_instances.log", err.operation)
    assert.equal(10, b.now())
  end)

  it("of a malformed id is an error that names it, of unknown options one that is thrown", function()
    local state = with_log {}
    local _, err = logs.log(state, "x")
    assert.equal("argument", err.kind)
    assert.equal("task_instance_id", err.argument)
    assert.has_error(function() logs.log(state, 7, { timeout = 1 }) end)
    assert.has_error(function() logs.tail(state, 7, 0) end)
    assert.has_error(function() logs.tail(state, 7) end)
    assert.has_error(function() logs.follow(state, 7) end)
    assert.has_error(function() logs.download(state, 7) end)
  end)

  it("of a closed client is none", function()
    local state, b = with_log(numbered(3))
    b.client:close()
    local roads = {
      logs.log,
      function(own, id) return logs.download(own, id, print) end,
      function(own, id) return logs.download(own, id, os.tmpname()) end,
      function(own, id) return logs.tail(own, id, 3) end,
      function(own, id)
        local ok, err = pcall(logs.follow(own, id, { project = "1" }))
        return ok or nil, err
      end,
    }
    for _, road in ipairs(roads) do
      local value, err = road(state, 7)
      assert.is_nil(value)
      assert.equal("closed", err.kind)
    end
  end)
end)

describe("the end of a log", function()
  it("is its last lines, of logs of each length", function()
    for _, count in ipairs { 0, 1, 2, 999, 1000, 1001, 1002, 2500, 10000, 10001, 23456 } do
      local lines = numbered(count, 40)
      local state = with_log(lines)
      for _, wanted in ipairs { 1, 2, 1000, 1500 } do
        local expected = {}
        for i = math.max(1, count - wanted + 1), count do
          expected[#expected + 1] = lines[i]
        end
        assert.same(expected, (logs.tail(state, 7, wanted)))
      end
    end
  end)

  it("is found without reading all of it", function()
    local asked = 0
    local lines = numbered(300000)
    local state, b = with_log(lines, function(all, path)
      asked = asked + math.min(number(path, "limit"), math.max(0, #all - number(path, "skipLineNum")))
      return part(all, path)
    end)
    assert.same({ lines[300000] }, (logs.tail(state, 7, 1)))
    assert.is_true(#b.requests < 30, #b.requests)
    assert.is_true(asked < 15000, asked)
  end)

  it("is an error of a log without end, and too long where its lines are empty", function()
    local state, b = with_log({}, function()
      return bed.ok '{"lineNum":1,"message":"x\\r\\n"}'
    end)
    local tail, err = logs.tail(state, 7, 1)
    assert.is_nil(tail)
    assert.equal("protocol", err.kind)
    assert.equal("task_instances.tail", err.operation)
    assert.is_true(#b.requests < 100)
    local empty = {}
    for i = 1, 20000 do
      empty[i] = ""
    end
    tail, err = logs.tail(with_log(empty), 7, 15000, { bytes_max = 14000 })
    assert.is_nil(tail)
    assert.equal("limit", err.kind)
  end)

  it("may grow meanwhile", function()
    local lines = numbered(3000, 40)
    local state = with_log(lines, function(all, path)
      all[#all + 1] = "more"
      return part(all, path)
    end)
    local tail = assert(logs.tail(state, 7, 3))
    assert.same({ "more", "more", "more" }, tail)
  end)
end)

describe("a log that is followed", function()
  local RUN = '{"totalList":[{"id":6,"state":"SUCCESS"},{"id":7,"state":"%s","processInstanceId":3}],"total":2}'

  --- Follows a log that is `at(seconds)`: its lines, and the task's state.
  local function follow(at, opts, options)
    local b
    b = bed.new(function(request)
      local lines, state = at(b.now(), request)
      if request.path:find("/log/detail", 1, true) then
        return type(lines) == "table" and (lines.body and lines or part(lines, request.path))
      end
      return state and bed.ok(RUN:format(state)) or bed.PAGE
    end, options)
    opts = opts or {}
    opts.project = opts.project or "1"
    local seen = {}
    local ok, err = pcall(function()
      for line in logs.follow(insides(b.client), 7, opts) do
        seen[#seen + 1] = line .. "@" .. math.floor(b.now())
      end
    end)
    return seen, not ok and err or nil, b
  end

  it("gives lines as they come, and ends with its task", function()
    local seen, err, b = follow(function(now)
      if now < 4 then
        return numbered(1), "RUNNING_EXECUTION"
      elseif now < 8 then
        return numbered(3), "RUNNING_EXECUTION"
      end
      return numbered(now < 10 and 4 or 5), "FAILURE" -- the last line is late
    end)
    assert.is_nil(err)
    assert.same({ "1 @2", "2 @4", "3 @6", "4 @10", "5 @10" }, seen)
    local narrow = {} -- the run is known once the task was found
    for _, request in ipairs(b.requests) do
      if request.path:find "task%-instances" then
        narrow[#narrow + 1] = request.path:find("processInstanceId=3", 1, true) ~= nil
      end
    end
    assert.is_true(#narrow > 1)
    for i, known in ipairs(narrow) do
      assert.equal(i > 1, known)
    end
  end)

  it("gives each line whole and once, whenever its halves come", function()
    local seen = follow(function(now)
      local lines = numbered(3)
      if now < 1 then
        lines[3] = "3"
      elseif now < 2 then
        lines[3] = "3 half"
      else
        lines[3] = "3 whole"
        lines[4] = now >= 6 and "4" or nil
      end
      return lines, now < 6 and "RUNNING_EXECUTION" or "SUCCESS"
    end, { interval_s = 1 })
    assert.same({ "1 @0", "2 @0", "3 whole@3", "4@7" }, seen)
  end)

  it("goes through long logs at once", function()
    local lines = numbered(20000, 40)
    local seen, err, b = follow(function()
      return lines, "SUCCESS"
    end)
    assert.is_nil(err)
    assert.equal(20000, #seen)
    assert.equal(lines[20000] .. "@" .. 2, seen[20000])
    assert.equal(lines[19000] .. "@" .. 0, seen[19000])
    assert.is_true(#b.slept <= 3)
  end)

  it("begins where it is told to", function()
    local seen = follow(function()
      return numbered(4), "SUCCESS"
    end, { skip = 2, interval_s = 1 })
    assert.same({ "3 @0", "4 @1" }, seen)
  end)

  it("waits for a task that has no log yet", function()
    local seen, err = follow(function(now)
      if now < 5 then
        return bed.refused(10191, "task instance host is null"), "SUBMITTED_SUCCESS"
      end
      return numbered(2), "SUCCESS"
    end, nil, { max_retries = 0 })
    assert.is_nil(err)
    assert.equal(2, #seen)
  end)

  it("fails where there is no log though the task is over", function()
    local _, err = follow(function()
      return bed.refused(10103, "view task instance log error"), "FAILURE"
    end, nil, { max_retries = 0 })
    assert.equal(10103, err.code)
    assert.equal("task_instances.follow", err.operation)
    assert.truthy(err.where)
  end)

  it("fails where the project has no such task", function()
    local _, err = follow(function()
      return numbered(0), nil
    end)
    assert.equal("not_found", err.kind)
  end)

  it("ends at its deadline, and where the server fails", function()
    local seen, err, b = follow(function()
      return numbered(2), "RUNNING_EXECUTION"
    end, { timeout_s = 60 })
    assert.equal("deadline", err.kind)
    assert.equal(2, #seen)
    assert.equal(60, b.now())
    err = select(2, follow(function()
      return bed.status(500), "RUNNING_EXECUTION"
    end, nil, { max_retries = 0 }))
    assert.equal("server", err.kind)
    err = select(2, follow(function(_, request)
      return numbered(1), not request.path:find "log" and error "the task list is broken"
    end))
    assert.truthy(tostring(err):find("the task list is broken", 1, true))
  end)

  it("goes past a line that is a whole part, though its task runs", function()
    local long = ("x"):rep(70000)
    local seen, err, b = follow(function(now)
      return { long, "2", now > 3 and "3" or nil }, now < 6 and "RUNNING_EXECUTION" or "SUCCESS"
    end)
    assert.is_nil(err)
    assert.same({ long .. "@0", "2@2", "3@6" }, seen)
    assert.is_true(#b.requests < 20, #b.requests)
  end)

  it("takes any row of a task list, and any number of lines, for what it is", function()
    local rows = { "5", "null", '"x"', "[]", "{}", '{"id":7,"state":5,"processInstanceId":{}}',
      '{"id":7,"state":"SUCCESS","processInstanceId":-1}', '{"id":7,"state":"SUCCESS","processInstanceId":1.5}' }
    for _, row in ipairs(rows) do
      for _, count in ipairs { "-5", "0", "1.5", "1e300", '"x"', "{}", "2147483647", "null" } do
        local b = bed.new(function(request)
          if request.path:find("/log/detail", 1, true) then
            local past = number(request.path, "skipLineNum") >= 2
            return bed.ok(('{"lineNum":%s,"message":"%s"}'):format(count, past and "" or "a\\r\\nb\\r\\n"))
          end
          return bed.ok('{"totalList":[' .. row .. '],"total":1}')
        end)
        local state = insides(b.client)
        local ok, err = pcall(function()
          for _ in logs.follow(state, 7, { project = "1", timeout_s = 60 }) do -- luacheck: ignore
          end
        end)
        assert.is_true(ok or errors.is(err), tostring(err))
        assert.equal("a\nb\n", (logs.log(state, 7)))
        assert.same({ "b" }, (logs.tail(state, 7, 1)))
        assert.is_true(#b.requests < 300, #b.requests)
      end
    end
  end)

  it("is found by its run", function()
    local _, _, b = follow(function(now)
      return numbered(1), now < 6 and "RUNNING_EXECUTION" or "KILL"
    end, { instance_id = 3 })
    local lists = 0
    for _, request in ipairs(b.requests) do
      if request.path:find "task%-instances" then
        lists = lists + 1
        assert.truthy(request.path:find("processInstanceId=3", 1, true))
      end
    end
    assert.is_true(lists > 1)
  end)
end)

describe("a downloaded log", function()
  local HEADERS = { ["content-disposition"] = "attachment", ["content-type"] = "application/json" }
  local path

  before_each(function()
    path = os.tmpname()
  end)

  after_each(function()
    os.remove(path)
  end)

  local function read()
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
  end

  local function download(script, target, opts)
    local b = bed.new(script, { max_retries = 0 })
    return logs.download(insides(b.client), 7, target or path, opts)
  end

  local function file(body)
    return { status = 200, headers = HEADERS, body = body }
  end

  --- What lies beside the path under another name.
  local function leftovers()
    local pipe = io.popen("ls -d " .. path .. ".* 2>/dev/null")
    local names = pipe:read "*a"
    pipe:close()
    return names
  end

  it("is there when it is whole", function()
    assert.same({ bytes = 6 }, (download { file "a\r\nb\0\n" }))
    assert.equal("a\r\nb\0\n", read())
    assert.same({ bytes = 0 }, (download { file "" }))
    assert.equal("", read())
    assert.equal("", leftovers())
  end)

  it("leaves what was there where it fails", function()
    assert(download { file "old" })
    for kind, answer in pairs { api = bed.refused(10103), network = bed.failure("network", "partial"),
      not_api = bed.html(), server = bed.status(500) } do
      local value, err = download { answer }
      assert.is_nil(value)
      assert.equal(kind, err.kind)
      assert.equal("task_instances.download", err.operation)
      assert.equal("old", read())
    end
    assert.equal("", leftovers())
  end)

  it("that can't be written is an error that names the target", function()
    local full = assert(io.open("/dev/full", "wb"))
    full:setvbuf "no"
    for _, target in ipairs { "/nonexistent/folder/file", full, function() return nil, "full" end } do
      local value, err = download({ file "x" }, target)
      assert.is_nil(value)
      assert.equal("argument", err.kind)
      assert.equal("target", err.argument)
    end
  end)

  it("may go to a handle or a function, which may throw", function()
    local handle = assert(io.open(path, "wb"))
    assert.same({ bytes = 1 }, (download({ file "x" }, handle)))
    handle:close()
    assert.equal("x", read())
    local ok, err = pcall(download, { file "x" }, function()
      error("mine", 0)
    end)
    assert.is_false(ok)
    assert.equal("mine", err)
  end)
end)

--- The sandbox over HTTP, in a process of its own.

local dsclient = require "dsclient"
local sandbox = require "dsclient.sandbox"
local uv = require "luv"

local function client_of(box, options)
  local given = { api_url = box.url, token = box.token, server_version = "3.1.1" }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return dsclient.new(given)
end

--- Sends bytes and returns all that comes back until the server closes, or
-- until `enough` is in it.
local function talk(box, pieces, enough)
  local socket, received, over = uv.new_tcp(), "", false
  socket:connect("127.0.0.1", tonumber(box.url:match ":(%d+)/"), function(failed)
    assert(not failed, failed)
    socket:read_start(function(_, data)
      received, over = received .. (data or ""), not data
    end)
    for _, piece in ipairs(pieces) do
      socket:write(piece)
    end
  end)
  while not over and not (enough and received:find(enough, 1, true)) do
    uv.run "once"
  end
  socket:close()
  uv.run "nowait"
  return received
end

local function alive(pid)
  local ok = uv.kill(pid, 0)
  return ok == 0
end

describe("a sandbox process", function()
  local box

  before_each(function()
    box = sandbox.start { speed = 50 }
  end)

  after_each(function()
    box:stop()
  end)

  it("starts with one call, answers, and leaves no process", function()
    local client = client_of(box)
    assert.equal(3, #assert(client:get_projects()))
    client:close()
    local pid = box.process:get_pid()
    assert.is_true(alive(pid))
    box:stop()
    box:stop()
    assert.is_false(alive(pid))
    local ok, message = pcall(box.now, box)
    assert.is_false(ok)
    assert.truthy(message:find "stopped")
  end)

  it("ends when the one that started it does, however that ends", function()
    local code = [[
      local box = require("dsclient.sandbox").start{}
      io.stdout:write(box.process:get_pid(), "\n")
      io.stdout:flush()
      require("luv").kill(require("luv").os_getpid(), "sigkill")
    ]]
    local output, pid = uv.new_pipe(), nil
    local process = uv.spawn(uv.exepath(), { args = { "-e", code }, stdio = { nil, output, 2 } }, function() end)
    output:read_start(function(_, data)
      pid = pid or data and tonumber(data:match "%d+")
    end)
    -- its orphan closes the pipe of its own standard input, then it is gone
    for _ = 1, 1000 do
      if pid and not alive(pid) then
        break
      end
      uv.run "nowait"
      uv.sleep(10)
    end
    process:close()
    output:close()
    uv.run "nowait"
    assert.is_number(pid)
    assert.is_false(alive(pid))
  end)

  it("has the methods of a virtual one, over its pipe", function()
    assert.equal("demo-1", box:projects()[1].name)
    assert.equal(30, #box:runs())
    assert.same({}, box:ledger())
    local added, message = box:fault { fault = "flood" }
    assert.is_nil(added)
    assert.truthy(message:find "flood")
    local unknown, why = box:set { project = "x", workflow = "y" }
    assert.is_nil(unknown)
    assert.truthy(why)
    local before = box:now()
    box:advance(3600)
    assert.is_true(box:now() >= before + 3600)
    local client = client_of(box)
    assert(client.instances:recover { project = "demo-1", instance_id = 2 })
    client:close()
    box:advance(10)
    assert.same({ "SUCCESS", 2 }, { box:runs()[2].state, box:runs()[2].run_times })
    assert.same({ ["2"] = 1 }, box:executed())
    assert.equal(1, box:requests().operations["instances.execute"])
    assert.equal(1, box:requests().connections - 1) -- `once` calls have one of their own
  end)

  it("reads requests however they are cut, several at once, and keeps the connection", function()
    local head = "GET /dolphinscheduler/users/get-user-info HTTP/1.1\r\nHost: x\r\ntoken: "
    local request = head .. box.token .. "\r\n\r\n"
    local bytes = {}
    for i = 1, #request do
      bytes[i] = request:sub(i, i)
    end
    assert.truthy(talk(box, bytes, "0\r\n\r\n"):find '"userName":"admin"')
    local twice = talk(box, { request .. request .. "GET /close HTTP/1.0\r\n\r\n" })
    assert.equal(2, select(2, twice:gsub("HTTP/1.1 200 OK", "")))
  end)

  it("refuses heads and bodies that a server would not take", function()
    local big = "GET /" .. ("x"):rep(9000) .. " HTTP/1.1\r\n\r\n"
    assert.truthy(talk(box, { big }):find("^HTTP/1.1 431"))
    assert.truthy(talk(box, { ("x"):rep(9000) }):find("^HTTP/1.1 431"))
    local body = "POST /dolphinscheduler/projects HTTP/1.1\r\nContent-Length: 6000000\r\n\r\n"
    assert.truthy(talk(box, { body }):find("^HTTP/1.1 413"))
    assert.equal("", talk(box, { "GARBAGE\r\n\r\n" }))
    assert.equal("", talk(box, { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" }))
    assert.equal("", talk(box, { "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n" }))
    assert.is_number(box:now())
  end)

  it("sends JSON in chunks, other answers with their length", function()
    local head = "GET /dolphinscheduler/users/get-user-info HTTP/1.1\r\n"
    local answer = talk(box, { head .. "token: " .. box.token .. "\r\n\r\n" }, "0\r\n\r\n")
    assert.truthy(answer:find("Transfer-Encoding: chunked", 1, true))
    local refused = talk(box, { head .. "\r\n" }, "\r\n\r\n")
    assert.truthy(refused:find("^HTTP/1.1 401"))
    assert.truthy(refused:lower():find("content-length: 0", 1, true))
  end)
end)

describe("sandbox.listen", function()
  it("serves from the loop of this process, and says when it can't", function()
    local one = assert(sandbox.listen {})
    local port = tonumber(one.url:match ":(%d+)/")
    local two, message = sandbox.listen({}, port)
    assert.is_nil(two)
    assert.truthy(message:find "EADDRINUSE")
    one:close()
    uv.run "nowait"
  end)

  it("checks its options", function()
    for _, options in ipairs {
      { kinds = { "odd" } },
      { server_version = "new" },
      { projects = -1 },
      { speeed = 1 },
    } do
      local ok, problem = pcall(sandbox.new, options)
      assert.is_false(ok)
      assert.truthy(problem:find "process_spec", problem)
    end
  end)
end)

describe("bin/dsclient-sandbox", function()
  --- Runs it; `on_line` is given each line of its output.
  local function run(args, on_line)
    local output, errors = uv.new_pipe(), uv.new_pipe()
    local result = { errors = "", output = "" }
    local all = { "bin/dsclient-sandbox" }
    for _, arg in ipairs(args) do
      all[#all + 1] = arg
    end
    result.process = uv.spawn(uv.exepath(), { args = all, stdio = { nil, output, errors } }, function(code)
      result.code = code
    end)
    output:read_start(function(_, data)
      result.output = result.output .. (data or "")
      if data and on_line then
        on_line(result)
      end
    end)
    errors:read_start(function(_, data)
      result.errors = result.errors .. (data or "")
    end)
    while not result.code do
      uv.run "once"
    end
    for _, handle in ipairs { output, errors, result.process } do
      handle:close()
    end
    uv.run "nowait"
    return result
  end

  if not pcall(require, "argparse") then
    return -- the command belongs to the interpreter that has its rocks
  end

  it("says where it is, and ends at a signal", function()
    local url, projects
    local result = run({ "--port", "0", "--projects", "2", "--fault", "status_503:0" }, function(result)
      local token
      url, token = result.output:match "DS_API_URL=(%S+)\nDS_TOKEN=(%S+)\n"
      if url and not projects then
        local client = dsclient.new { api_url = url, token = token, server_version = "3.1.1" }
        projects = #assert(client:get_projects())
        client:close()
        result.process:kill "sigint"
      end
    end)
    assert.equal(2, projects)
    assert.equal("", result.errors)
    assert.equal(0, result.code)
  end)

  it("says what is wrong, with status 2", function()
    for _, args in ipairs {
      { "--kinds", "odd" },
      { "--port", "x" },
      { "--port", "0", "--fault", "flood" },
      { "--projects", "-1" },
      { "--nonsense" },
    } do
      local result = run(args)
      assert.equal(2, result.code, table.concat(args, " "))
      assert.truthy(result.errors:find "dsclient%-sandbox", result.errors)
    end
  end)
end)

-- The examples for nginx, started as `make example-nginx` does.

if not jit then
  return -- nginx runs the LuaJIT build
end

local core = require "dsclient.core"
local prometheus = require "support.prometheus"
local uv = require "luv"

-- What takes longer than this never ends.
local PATIENCE_S = 60

--- A port that nobody has now.
local function free_port()
  local socket = uv.new_tcp()
  assert(socket:bind("127.0.0.1", 0))
  local port = socket:getsockname().port
  socket:close()
  uv.run "nowait"
  return port
end

describe("the example for nginx", function()
  local process, exited, port

  local function start(name)
    port, exited = free_port(), nil
    local environment = { "PORT=" .. port }
    for variable, value in pairs(uv.os_environ()) do
      -- what finds the tree for this interpreter is not for those of the example
      if not variable:find "^LUA_C?PATH" then
        environment[#environment + 1] = variable .. "=" .. value
      end
    end
    process = assert(uv.spawn("examples/nginx/run", { args = { name }, env = environment }, function(status)
      exited = status
    end))
  end

  --- @return the status, or 0 where nobody answers; the body; the headers
  local function ask(path, header)
    local pipe = assert(io.popen(("curl -s -i -m 10 %s 'http://127.0.0.1:%d%s'"):format(
      header and "-H '" .. header .. "'" or "", port, path)))
    local text = pipe:read "*a"
    pipe:close()
    local head, body = text:match "^(.-\r\n)\r\n(.*)$"
    return tonumber((head or ""):match "^HTTP/1.1 (%d+)") or 0, body, head
  end

  local function await(what, condition)
    local until_s = core.now() + PATIENCE_S
    while not condition() do
      uv.run "nowait"
      assert(not exited, "the example has ended")
      assert(core.now() < until_s, "not seen: " .. what)
      uv.sleep(20)
    end
  end

  local function await_status(path, status)
    await(path, function()
      return ask(path) == status
    end)
  end

  after_each(function()
    process:kill "sigterm"
    while not exited do
      uv.run "once"
    end
    process:close()
    uv.run "nowait"
    assert.equal(0, exited)
    assert.equal(0, (ask "/"))
  end)

  it("gateway lets reports through whose workflow is well, and tells how the client stands", function()
    start "gateway"
    await_status("/reports/good-1", 200)
    await_status("/reports/broken-3", 503)
    assert.equal(404, (ask "/reports/none"))
    assert.equal(404, (ask "/reports/../x"))
    local status, page = ask("/ds/status", "Accept: text/html")
    assert.equal(200, status)
    assert.truthy(page:find("<td>well</td>", 1, true))
    local text
    status, text = ask "/ds/metrics"
    assert.equal(200, status)
    assert.equal("", (prometheus.check(text)))
  end)

  it("api gives some operations to who has the key", function()
    local KEY = "Authorization: Bearer example"
    start "api"
    await_status("/ds/api/projects.list", 403)
    assert.equal(403, (ask("/ds/api/projects.list", "Authorization: Bearer other")))
    local status, body, head = ask("/ds/api/projects.list", KEY)
    assert.equal(200, status)
    assert.equal(3, #core.decode(body))
    assert.truthy(head:find("X-Cache: miss", 1, true))
    status, body = ask("/ds/api/instances.list?project=demo-1&state=SUCCESS&limit=10", KEY)
    assert.equal(200, status)
    assert.is_table(core.decode(body))
    assert.equal(404, (ask("/ds/api/instances.execute", KEY)))
    assert.equal(200, (ask("/ds/metrics", KEY)))
    assert.equal(403, (ask "/ds/metrics"))
  end)

  it("monitor says what failed, once", function()
    start "monitor"
    local failed = {}
    await("three failed runs", function()
      local _, body = ask "/events"
      for line in (body or ""):gmatch "[^\n]+" do
        local event = core.decode(line)
        if event and event.event == "failed" then
          local run = ("%d, %d"):format(event.instance_id, event.run_times)
          assert.is_nil(failed[run])
          failed[run] = true
          failed[#failed + 1] = run
        end
      end
      return #failed >= 3
    end)
    local status, body = ask "/ds/status?format=json"
    assert.equal(200, status)
    assert.is_true(core.decode(body).monitor.failed_count >= 3)
    await("the metrics of the monitor", function()
      body = select(2, ask "/ds/metrics")
      return body:find("\ndsmonitor_workflow_failed{", 1, true)
    end)
    assert.equal("", (prometheus.check(body)))
  end)
end)

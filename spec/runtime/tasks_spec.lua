local contract = require "spec.runtime_contract"
local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local script = require "spec.support.script"
local tasks = require "dsclient.runtime.tasks"
local tcp_server = require "spec.support.tcp_server"

local runtime = tasks.default()

describe("the runtime of plain Lua keeps the contract:", function()
  contract({
    runtime = runtime,
    run = function(fn)
      runtime.run(fn)
      assert.equal(0, runtime.count())
    end,
    fails = function(source)
      return script(([[
        local runtime = require("dsclient.runtime.tasks").default()
        runtime.run(function() %s end)
      ]]):format(source))
    end,
    --- In a coroutine that the task makes.
    aside = function(fn)
      coroutine.wrap(fn)()
    end,
  }, { describe = describe, it = it, setup = setup, teardown = teardown, before_each = before_each,
    after_each = after_each })
end)

-- Ways to wait for a client, by the name of the library.
local waits = {}

function waits.dsclient(client)
  curl.poll({ client:pollfd() }, client:timeout() or 10)
end

function waits.socket(client, socket)
  socket.select({ client }, nil, client:timeout())
end

function waits.cqueues(client, cqueues)
  local loop = cqueues.new()
  loop:wrap(function()
    cqueues.poll(client)
    cqueues.cancel(client:pollfd())
  end)
  assert(loop:loop())
  loop:close()
end

for name, wait in pairs(waits) do
  describe("a loop of the user's own, over " .. name .. ",", function()
    local found, library = pcall(require, name)
    if not found then
      pending("is not tried: there is no " .. name .. " for this Lua")
      return
    end
    local server, client

    before_each(function()
      server = tcp_server.start()
      client = dsclient.new { api_url = server.url .. "/api", token = "x", server_version = "3.2.2" }
    end)

    after_each(function()
      client:close()
      server:stop()
    end)

    local function loop()
      while client:step() > 0 do
        wait(client, library)
      end
    end

    it("lets all tasks go on until none is left", function()
      local log = {}
      for i = 1, 5 do
        dsclient.start(function(...)
          assert.same({ i, nil }, { ... })
          local rows = client:map({ 1, 2, 3 }, function()
            return client:get_projects { cache = false }
          end)
          local slept = dsclient.spawn(client.sleep, client, 0.001):join()
          log[#log + 1] = #rows == 3 and slept
        end, i, nil)
      end
      assert.equal(0, client:timeout())
      loop()
      assert.same({ true, true, true, true, true }, log)
      assert.equal(0, client:step())
      assert.is_nil(client:timeout())
    end)

    it("is told of a Lua error, and the other tasks go on", function()
      local got
      dsclient.start(function()
        client:sleep(0.001)
        error "the fault"
      end)
      dsclient.start(function()
        client:sleep(0.002)
        got = client:get_projects()
      end)
      local ok, problem = pcall(loop)
      assert.is_false(ok)
      assert.truthy(problem:find "the fault\nstack traceback:")
      loop()
      assert.same({}, got)
    end)
  end)
end

describe("what a loop of the user's own asks of a client", function()
  it("is of no use where the client is closed", function()
    local client = dsclient.new { api_url = "http://127.0.0.1:1", token = "x" }
    assert.equal(client:pollfd(), client:getfd())
    assert.equal("r", client:events())
    client:close()
    assert.is_nil(client:getfd())
    assert.is_nil(client:timeout())
    assert.equal(0, client:step())
  end)

  it("is refused where the runtime has a loop of its own", function()
    local client = dsclient.new { api_url = "http://127.0.0.1:1", token = "x", runtime = { sleep = curl.sleep } }
    assert.is_nil(client:timeout())
    assert.has_error(function()
      client:step()
    end, "step: the runtime of this client has a loop of its own, or no tasks")
    assert.has_error(function()
      dsclient.start(5)
    end, "start: a function expected, got number")
    client:close()
  end)
end)

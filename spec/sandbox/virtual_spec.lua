--- The box without sockets: clients on its clock, and faults as curl.so sees
-- them.

local core = require "dsclient.core"
local dsclient = require "dsclient"
local faults = require "dsclient.sandbox.faults"
local sandbox = require "dsclient.sandbox"

describe("a virtual box", function()
  it("moves the clocks of all its clients, and they move it", function()
    local box = sandbox.new { delay_s = 0.25 }
    local one, two = box:client {}, box:client {}
    local began, one_at, two_at = box:now(), core.time(one), core.time(two)
    box:sleep(10)
    assert(one:call("users.current", {}))
    assert.equal(10.25, box:now() - began)
    assert.equal(10.25, core.time(one) - one_at)
    assert.equal(10.25, core.time(two) - two_at)
    one:close()
    box:sleep(1)
    assert.equal(11.25, core.time(two) - two_at)
  end)

  it("counts what comes in by operation", function()
    local box = sandbox.new {}
    local client = box:client { server_version = "3.1.1" }
    client:get_projects()
    client:get_workflow_instances "demo-1"
    local requests = box:requests()
    assert.equal(2, requests.total)
    assert.same({ ["projects.list"] = 1, ["instances.list"] = 1 }, requests.operations)
  end)

  it("keeps the promise of delays and time-outs to the microsecond", function()
    local box = sandbox.new { delay_s = 3 }
    local client = box:client { server_version = "3.1.1", max_retries = 0, timeout_s = 2 }
    local began = box:now()
    local _, err = client:get_projects()
    assert.equal("deadline", err.kind)
    assert.near(2, box:now() - began, 1e-6)
    assert.equal(0, box:requests().total)
  end)
end)

describe("each fault looks the same over HTTP and without sockets:", function()
  local OPERATIONS = {
    read = { "instances.list", { project = "demo-1" } },
    once = { "instances.execute", { project = "demo-1", instance_id = 1, execute_type = "REPEAT_RUNNING" } },
  }

  local names = {}
  for name in pairs(faults.FAULTS) do
    names[#names + 1] = name
  end
  table.sort(names)

  --- What a client gets of one request that meets the fault.
  local function outcome(box, client, fault, class)
    local operation = OPERATIONS[class]
    local effects = #box:ledger()
    client:get_projects() -- the project's code is known then
    box:fault { fault = fault, times = 1, operation = operation[1] }
    local value, err = client:call(operation[1], operation[2])
    box:heal()
    local got = {
      kind = err and err.kind or value ~= nil and "ok",
      status = err and err.status or false,
      attempts = err and #err.attempts or 0,
      effects = #box:ledger() - effects,
    }
    return got
  end

  -- Two are slow by nature: they are met with a short time-out.
  local OPTIONS = { server_version = "3.1.1", max_retries = 0, timeout_s = 0.4 }

  local served

  setup(function()
    served = sandbox.start { speed = 100 }
  end)

  teardown(function()
    served:stop()
  end)

  for _, name in ipairs(names) do
    it(name, function()
      for class in pairs(OPERATIONS) do
        local box = sandbox.new { speed = 100 }
        local client = box:client(OPTIONS)
        local expected = outcome(box, client, name, class)
        OPTIONS.api_url, OPTIONS.token = served.url, served.token
        local real = dsclient.new(OPTIONS)
        OPTIONS.api_url, OPTIONS.token = nil, nil
        served:advance(60)
        local got = outcome(served, real, name, class)
        real:close()
        assert.same(expected, got, class)
        assert.equal(class == "once" and faults.FAULTS[name].effect and 1 or 0, got.effects)
      end
    end)
  end
end)

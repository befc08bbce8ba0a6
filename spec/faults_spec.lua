--- Whole calls against a server that misbehaves: what each fault comes to for
-- each replay class, and that what may not be repeated is not.

local core = require "dsclient.core"
local dsclient = require "dsclient"
local faults = require "dsclient.sandbox.faults"
local sandbox = require "dsclient.sandbox"

local CLASSES = { "read", "repeatable", "once" }

-- One operation of each replay class.
local OPERATIONS = {
  read = { "instances.list", { project = "demo-1" } },
  repeatable = { "workflows.release", { project = "demo-1", workflow = "good-1", state = "ONLINE" } },
  once = { "instances.execute", { project = "demo-1", instance_id = 1, execute_type = "REPEAT_RUNNING" } },
}

-- The outcome for read, repeatable, once of a request that meets the fault
-- once, with retries ("ok": the call ends well).
local OUTCOMES = {
  reset_before = { "ok", "ok", "outcome_unknown" },
  reset_after = { "ok", "ok", "outcome_unknown" },
  stall_before = { "ok", "ok", "outcome_unknown" },
  stall_after = { "ok", "ok", "outcome_unknown" },
  cut = { "ok", "ok", "outcome_unknown" },
  slow = { "ok", "ok", "ok" },
  garbage = { "ok", "ok", "outcome_unknown" },
  bad_json = { "not_api", "not_api", "outcome_unknown" },
  html = { "not_api", "not_api", "not_api" },
  status_401 = { "auth", "auth", "auth" },
  status_429 = { "ok", "ok", "ok" },
  status_500 = { "ok", "ok", "outcome_unknown" },
  status_502 = { "ok", "ok", "outcome_unknown" },
  status_503 = { "ok", "ok", "outcome_unknown" },
  status_504 = { "ok", "ok", "outcome_unknown" },
  status_500_after = { "ok", "ok", "outcome_unknown" },
  status_502_after = { "ok", "ok", "outcome_unknown" },
}

local function perform(box, client, class, fault)
  local operation = OPERATIONS[class]
  client:get_projects()
  client:call("workflows.simple_list", { project = "demo-1" }) -- names are known then
  local effects = #box:ledger()
  box:fault { fault = fault, times = 1, operation = operation[1] }
  local value, err = client:call(operation[1], operation[2])
  box:heal()
  return value ~= nil and "ok" or err.kind, #box:ledger() - effects
end

local function check(box, client, class, fault, expected)
  local kind, effects = perform(box, client, class, fault)
  assert.equal(expected, kind)
  local acts = faults.FAULTS[fault].effect
  if class == "once" then
    assert.equal((acts or expected == "ok") and 1 or 0, effects)
  elseif class == "repeatable" then
    assert.equal((acts and 1 or 0) + (expected == "ok" and not (acts and fault == "slow") and 1 or 0), effects)
  end
end

describe("a fault", function()
  for fault, outcomes in pairs(OUTCOMES) do
    for i, class in ipairs(CLASSES) do
      it(fault .. ", " .. class .. ": " .. outcomes[i], function()
        local box = sandbox.new {}
        check(box, box:client { server_version = "3.1.1" }, class, fault, outcomes[i])
      end)
    end
  end

  it("is in the table above, each", function()
    for name in pairs(faults.FAULTS) do
      assert.is_table(OUTCOMES[name], name)
    end
  end)

  it("of the fast ones comes to the same over libcurl", function()
    local served = sandbox.start { speed = 100 }
    for fault, outcomes in pairs(OUTCOMES) do
      local slow = fault == "slow" or fault:find "^stall"
      for i, class in ipairs(slow and {} or CLASSES) do
        local client = dsclient.new {
          api_url = served.url,
          token = served.token,
          server_version = "3.1.1",
          backoff_s = 0.01,
        }
        served:advance(60)
        check(served, client, class, fault, outcomes[i])
        client:close()
      end
    end
    served:stop()
  end)
end)

-- --- many calls ----------------------------------------------------------

-- So many faulty calls; more by DSCLIENT_FAULTS.
local CALLS = tonumber(os.getenv "DSCLIENT_FAULTS") or 10000

-- Kinds after which the server surely did not act.
local NOT_DONE = { auth = true, throttled = true, busy = true, not_api = true, api = true, deadline = true }

--- A generator of its own, so that a failing run can be seen again.
local function random_of(seed)
  local state = seed
  return function(n)
    state = state * 48271 % 2147483647
    return state % n + 1
  end
end

local function sorted_names()
  local names = {}
  for name in pairs(faults.FAULTS) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

describe("calls that may not be repeated", function()
  it("are executed at most once, and what is reported is what happened", function()
    local box = sandbox.new { projects = 1, workflows = 20, kinds = { "good" }, speed = 10 }
    local client = box:client { server_version = "3.1.1", timeout_s = 20 }
    local names, random, outcomes = sorted_names(), random_of(42), {}
    local project = client:get_projects()[1].code
    for i = 1, CALLS do
      box:heal()
      box:fault { fault = names[random(#names)], rate = 0.7 }
      box:fault { fault = names[random(#names)], rate = 0.5 }
      local before, began = #box:ledger(), core.time(client)
      local value, err = client.instances:execute {
        project = project,
        instance_id = random(20),
        execute_type = "REPEAT_RUNNING",
      }
      local effects = #box:ledger() - before
      local kind = value and "ok" or err.kind
      outcomes[kind] = (outcomes[kind] or 0) + 1
      local what = ("call %d: %s, executed %d times"):format(i, kind, effects)
      assert.is_true(effects <= 1, what)
      assert.is_true(kind ~= "ok" or effects == 1, what)
      assert.is_true(not NOT_DONE[kind] or effects == 0, what)
      assert.is_true(core.time(client) - began <= 20 + 1e-6, what)
      box:heal()
      box:sleep(15)
    end
    assert.is_true(outcomes.ok > CALLS / 10, "hardly a call ended well")
    assert.is_true(outcomes.outcome_unknown > CALLS / 10, "hardly a call of unknown outcome")
  end)
end)

describe("calls that only read", function()
  it("end well or in time, and give whole lists or none", function()
    local box = sandbox.new { projects = 1, workflows = 30, kinds = { "good" } }
    local client = box:client { server_version = "3.1.1", timeout_s = 60, page_size = 10 }
    local names, random, well = sorted_names(), random_of(7), 0
    local project = client:get_projects()[1].code
    for i = 1, CALLS / 10 do
      box:heal()
      box:fault { fault = names[random(#names)], rate = 0.3 }
      local began = core.time(client)
      local rows = client.instances:list { project = project }
      well = well + (rows and 1 or 0)
      assert.is_true(not rows or #rows == 30, "list " .. i)
      assert.is_true(core.time(client) - began <= 60 + 1e-6, "list " .. i)
      box:sleep(15) -- in which the budget of repeats gets better
    end
    assert.is_true(well > CALLS / 20, well .. " lists")
  end)
end)

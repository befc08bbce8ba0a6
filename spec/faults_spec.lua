--- Whole calls against a server that misbehaves: what each fault comes to for
-- each replay class, and that what may not be repeated is not.

local core = require "dsclient.core"
local fault_outcomes = require "support.fault_outcomes"
local faults = require "dsclient.sandbox.faults"
local sandbox = require "dsclient.sandbox"

describe("a fault", function()
  for fault, outcomes in pairs(fault_outcomes.OUTCOMES) do
    for i, class in ipairs(fault_outcomes.CLASSES) do
      it(fault .. ", " .. class .. ": " .. outcomes[i], function()
        local box = sandbox.new {}
        fault_outcomes.check(box, box:client { server_version = "3.1.1" }, class, fault, outcomes[i])
      end)
    end
  end

  it("is in the table above, each", function()
    for name in pairs(faults.FAULTS) do
      assert.is_table(fault_outcomes.OUTCOMES[name], name)
    end
  end)

  fault_outcomes { it = it, before_each = before_each, after_each = after_each }
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

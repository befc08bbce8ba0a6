--- What each fault of the sandbox comes to for each replay class, whatever the
-- transport. The module is a suite (see inside_nginx.lua) of these over the wire.

local assert = require "luassert"
local dsclient = require "dsclient"
local faults = require "dsclient.sandbox.faults"
local sandbox = require "dsclient.sandbox"

local _M = {}

_M.CLASSES = { "read", "repeatable", "once" }

-- One operation of each replay class.
local OPERATIONS = {
  read = { "instances.list", { project = "demo-1" } },
  repeatable = { "workflows.release", { project = "demo-1", workflow = "good-1", state = "ONLINE" } },
  once = { "instances.execute", { project = "demo-1", instance_id = 1, execute_type = "REPEAT_RUNNING" } },
}

-- The outcome for read, repeatable, once of a request that meets the fault
-- once, with retries ("ok": the call ends well).
_M.OUTCOMES = {
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

--- A call that meets a fault once.
-- @tparam table box a sandbox
-- @tparam string class of CLASSES
-- @tparam string expected "ok", or the kind of the error
function _M.check(box, client, class, fault, expected)
  local kind, effects = perform(box, client, class, fault)
  assert.equal(expected, kind)
  local acts = faults.FAULTS[fault].effect
  if class == "once" then
    assert.equal((acts or expected == "ok") and 1 or 0, effects)
  elseif class == "repeatable" then
    assert.equal((acts and 1 or 0) + (expected == "ok" and not (acts and fault == "slow") and 1 or 0), effects)
  end
end

-- A server that is silent is left after so long.
local ATTEMPT_TIMEOUT_S = 0.5

--- Defines the tests of the suite.
function _M.define(busted)
  local box

  busted.before_each(function()
    box = sandbox.start { speed = 100 }
  end)

  busted.after_each(function()
    box:stop()
  end)

  local names = {}
  for fault in pairs(_M.OUTCOMES) do
    names[#names + 1] = fault
  end
  table.sort(names)
  for _, fault in ipairs(names) do
    busted.it("comes to the same over the wire: " .. fault, function()
      for i = fault == "slow" and #_M.CLASSES or 1, #_M.CLASSES do -- a slow one takes seconds
        local class = _M.CLASSES[i]
        local client = dsclient.new { api_url = box.url, token = box.token, server_version = "3.1.1", backoff_s = 0.01,
          attempt_timeout_s = fault:find "^stall" and ATTEMPT_TIMEOUT_S or nil }
        box:advance(60)
        _M.check(box, client, class, fault, _M.OUTCOMES[fault][i])
        client:close()
      end
    end)
  end
end

return setmetatable(_M, {
  __call = function(_, busted)
    _M.define(busted)
  end,
})

local core = require "dsclient.core"

local CONFIG = {
  max_retries = 0, backoff_s = 0, backoff_max_s = 0, jitter = "none", retry_statuses = {}, servers = 1,
  enable_cache = true, enable_metrics = true, virtual_clock = true,
  cache_entries_max = 1000, cache_bytes_max = 2 ^ 26,
}

local function register(client, name, more)
  local operation = { name = name, replay = "read", timeout_s = 1, attempt_timeout_s = 1 }
  for key, value in pairs(more or {}) do
    operation[key] = value
  end
  return core.register(client, operation)
end

describe("core.register", function()
  it("gives an operation one number, however often it is registered", function()
    local client = core.new(CONFIG, {})
    local one, two = register(client, "one"), register(client, "two")
    assert.not_equal(one, two)
    assert.equal(one, register(client, "one"))
    assert.not_equal(one, register(client, "one", { replay = "once" }))
    assert.not_equal(one, register(client, "one", { already = { 10126 } }))
    assert.equal(register(client, "one", { already = { 1, 2 } }), register(client, "one", { already = { 1, 2 } }))
  end)

  it("keeps counters by name", function()
    local client = core.new(CONFIG, {})
    core.record(client, register(client, "job"), false, 0.25)
    core.record(client, register(client, "job", { replay = "once" }), true, 0.75)
    local rows = core.metrics(client)
    assert.equal(1, #rows)
    assert.same({ "job", 2, 1, 1000, 250, 750 },
      { rows[1].name, rows[1].calls, rows[1].errors, rows[1].total_ms, rows[1].min_ms, rows[1].max_ms })
    core.reset_metrics(client)
    assert.same({}, core.metrics(client))
    core.record(client, register(client, "job"), false, 0.5)
    assert.equal(500, core.metrics(client)[1].min_ms)
  end)

  it("refuses a name that is no name, and a number that is none", function()
    local client = core.new(CONFIG, {})
    for _, name in ipairs { "", ("x"):rep(129) } do
      assert.has_error(function()
        register(client, name)
      end)
    end
    for _, number in ipairs { -1, 0, 1, 2 ^ 40 } do
      assert.has_error(function()
        core.record(client, number, false, 1)
      end)
      assert.has_error(function()
        core.call(client, number)
      end)
    end
  end)

  it("is of no consequence for a client that is closed", function()
    local client = core.new(CONFIG, {})
    core.release(client)
    core.record(client, register(client, "job"), false, 1)
    assert.same({}, core.metrics(client))
    assert.same({ "fail", "closed" }, { select(2, core.call(client, register(client, "job"))) })
  end)
end)

local has_cqueues, cqueues = pcall(require, "cqueues")

if not has_cqueues then
  pending("the runtime of cqueues: there is no cqueues for this Lua (Debian: lua-cqueues)")
  return
end

local condition = require "cqueues.condition"
local contract = require "spec.runtime_contract"
local dsclient = require "dsclient"
local runtime = require "dsclient.runtime.cqueues"
local script = require "spec.support.script"
local tcp_server = require "spec.support.tcp_server"

local function run(fn)
  local loop = cqueues.new()
  local over, problem = false, nil
  loop:wrap(function()
    local fine, why = pcall(fn)
    over, problem = true, not fine and { why }
  end)
  local fine, why = loop:loop()
  loop:close()
  if problem then
    error(problem[1], 0)
  end
  assert(fine, why)
  assert(over, "the loop ended before the task")
end

describe("the runtime of cqueues keeps the contract:", function()
  contract({
    runtime = runtime,
    run = run,
    fails = function(source)
      return script(([[
        local cqueues, runtime = require "cqueues", require "dsclient.runtime.cqueues"
        local loop = cqueues.new()
        loop:wrap(function() %s end)
        assert(loop:loop())
      ]]):format(source))
    end,
    --- In a coroutine that the task makes.
    aside = function(fn)
      coroutine.wrap(fn)()
    end,
  }, { describe = describe, it = it, setup = setup, teardown = teardown, before_each = before_each,
    after_each = after_each })
end)

describe("a coroutine of cqueues", function()
  local server, client

  local function client_of(path)
    return dsclient.new { api_url = server.url .. path, token = "x", server_version = "3.2.2", runtime = runtime }
  end

  before_each(function()
    server = tcp_server.start()
    client = client_of "/api"
  end)

  after_each(function()
    client:close()
    server:stop()
  end)

  local function get()
    assert.same({}, (assert(client:get_projects { cache = false })))
  end

  it("may wait in its own ways in between", function()
    run(function()
      local own, log = condition.new(), {}
      cqueues.running():wrap(function()
        cqueues.sleep(0.001)
        get()
        log[#log + 1] = "other"
        own:signal()
      end)
      get()
      assert.is_true(own:wait(10))
      log[#log + 1] = "own"
      get()
      assert.same({ "other", "own" }, log)
    end)
  end)

  it("may be of any of several controllers, nested or left alone, each of which ends", function()
    local left = cqueues.new()
    local kind
    left:wrap(function()
      local held = client_of "/stall"
      left:wrap(get)
      kind = select(2, held:get_projects { timeout_s = 0.1 }).kind
      held:close()
    end)
    assert(left:step(0))
    assert(left:step(0))
    run(function()
      get()
      local inner = cqueues.new()
      inner:wrap(get)
      inner:wrap(function()
        client:map({ 1, 2, 3 }, get)
      end)
      assert(inner:loop())
      inner:close()
      get()
    end)
    assert.is_nil(kind)
    assert(left:loop())
    left:close()
    assert.equal("deadline", kind)
  end)

  it("ends with its controller, also while it waits", function()
    local loop = cqueues.new()
    loop:wrap(function()
      client:sleep(100)
    end)
    loop:wrap(get)
    assert(loop:step(0))
    loop:close()
    run(get)
  end)
end)

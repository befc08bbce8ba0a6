--- What holds between dsclient and a server whose traffic limiter is on, which
-- refuses most requests with a 429. A spec calls this inside a `describe`:
--
--     contract({url = url, connect = function(options) return client end, sleep = function(seconds) end},
--       {it = it})

local assert = require "luassert"
local seed = require "conformance.seed"

local KINDS = { "good", "flaky" }

return function(given, busted)
  local it = busted.it

  --- A client, and the count of its retries by cause.
  local function connect(options)
    local causes = {}
    local all = {
      log = function(_, _, fields)
        local cause = fields.cause or fields.event
        causes[cause] = (causes[cause] or 0) + 1
      end,
    }
    for name, value in pairs(options or {}) do
      all[name] = value
    end
    return given.connect(all), causes
  end

  it("finds out the server line, which a 429 says nothing about", function()
    local client, causes = connect()
    assert.equal("process", assert(client:check_connection()).dialect)
    assert.equal(1, causes.dialect)
    client:close()
  end)

  it("carries out each action once, and reads lists to their end", function()
    local client, causes = connect()
    local project = seed(client, {
      prefix = "limited",
      projects = 1,
      workflows = #KINDS,
      kinds = KINDS,
      sleep = given.sleep,
    })[1]
    assert.equal(1, #assert(client.projects:list({ search = "limited" }, { cache = false })))
    local definitions = assert(client.workflows:list({ project = project.code, page_size = 1 }, { cache = false }))
    assert.equal(#KINDS, #definitions)
    local runs = assert(client.instances:list { project = project.name, page_size = 1 })
    assert.equal(#KINDS, #runs)
    for _, run in ipairs(runs) do
      assert.equal(1, run.runTimes)
    end
    assert.equal(3, #assert(client:get_task_instances(project.name, { page_size = 2 })))
    -- else nothing was proven
    assert.is_true(causes.throttled > 0)
    client:close()
  end)

  it("takes no 429 for a wrong path, and none for a wrong token", function()
    local client = connect { api_url = given.url .. "/elsewhere", timeout_s = 4 }
    local value, err = client:get_projects()
    assert.is_nil(value)
    assert.equal("throttled", err.kind)
    client:close()
    client = connect { token = "wrong" }
    value, err = client:check_connection()
    assert.is_nil(value)
    assert.equal("auth", err.kind)
    client:close()
  end)
end

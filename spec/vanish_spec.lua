-- Tasks that vanish without a word, as requests do that are aborted in nginx: what
-- they held for others is others' again, in time, and is not kept.

local insides = require "support.insides"
local tasks = require "support.tasks"

local PROJECTS = tasks.ok '{"totalList":[{"code":1,"name":"alpha"}],"total":1}'
local RUN = '{"id":7,"state":"%s"}'

local function slow(answer, seconds)
  return { status = 200, body = answer.body, takes_s = seconds }
end

--- A client whose tasks may vanish.
local function new(script, options)
  options = options or {}
  options.mortal = true
  return tasks.new(script, options)
end

--- Begins a call in a task. @treturn table its outcome, filled in at its end
-- @treturn table the task
local function begin(t, fn)
  local outcome = {}
  local task = t:spawn(function()
    outcome.value, outcome.err = fn(t.client)
    outcome.at, outcome.over = t.now, true
  end)
  return outcome, task
end

--- Lets the time pass.
local function pass(t, seconds)
  t:spawn(function()
    t:sleep(seconds)
  end)
  t:run()
end

local function projects(client)
  return client:get_projects()
end

--- A call that is not shared.
local function runs(client)
  return client.instances:list { project = "1" }
end

describe("a task that vanishes", function()
  it("while it fetches for others leaves that to one of them", function()
    local t = new { slow(PROJECTS, 20), PROJECTS }
    local _, leader = begin(t, projects)
    local others = { (begin(t, projects)), (begin(t, projects)), (begin(t, projects)) }
    t:run(5)
    assert.equal(1, #t.requests) -- whoever waits is there
    t:vanish(leader)
    t:run()
    assert.equal(2, #t.requests)
    for _, other in ipairs(others) do
      assert.equal("alpha", other.value[1].name)
      assert.is_true(other.at <= 5 + 4.2)
    end
    assert.same({}, insides(t.client).flights)
  end)

  it("one after the other leave it to the last", function()
    local t = new { slow(PROJECTS, 20), slow(PROJECTS, 20), PROJECTS }
    local _, first = begin(t, projects)
    local _, second = begin(t, projects)
    local last = begin(t, projects)
    t:run(1)
    t:vanish(first)
    t:run(6)
    assert.equal(2, #t.requests)
    t:vanish(second)
    t:run()
    assert.equal(3, #t.requests)
    assert.equal("alpha", last.value[1].name)
    assert.is_true(last.at <= 6 + 4.2)
  end)

  it("before it takes over, or while it waits, is not waited for", function()
    local t = new({ slow(PROJECTS, 2), PROJECTS }, { timeout_s = 20 })
    begin(t, function(client)
      return client.projects:list({}, { timeout_s = 1 })
    end)
    local _, heir = begin(t, function(client)
      return client.projects:list()
    end)
    local last = begin(t, function(client)
      return client.projects:list()
    end)
    t:run(0.5)
    t:vanish(heir)
    t:run()
    assert.equal("alpha", last.value[1].name)
    assert.is_true(last.at < 6)
  end)

  it("is no hindrance to who comes later", function()
    local t = new { slow(PROJECTS, 20), PROJECTS }
    local _, leader = begin(t, projects)
    t:run(1)
    t:vanish(leader)
    pass(t, 10)
    local late = begin(t, projects)
    t:run()
    assert.same({ "alpha", 10.1 }, { late.value[1].name, late.at })
    assert.equal(2, #t.requests)
  end)

  it("is no hindrance to a fetch in the background", function()
    local takes_s = 0.1
    local t = new(function()
      return slow(PROJECTS, takes_s)
    end, { stale_while_revalidate_s = 1e6 })
    begin(t, projects)
    pass(t, 4000) -- the value is old then
    takes_s = 20
    local _, doomed = begin(t, function(client)
      return client:get_projects { refresh = true }
    end)
    t:run(t.now)
    t:vanish(doomed)
    pass(t, 10)
    takes_s = 0.1
    local late = begin(t, projects)
    t:run()
    assert.equal("alpha", late.value[1].name)
    assert.equal(3, #t.requests)
    assert.same({}, insides(t.client).flights)
  end)

  it("while it acts on a run holds that as long as it might still have acted", function()
    local t = new(function(request)
      if request.path:find "executors/execute" then
        return slow(tasks.ok "null", 20)
      end
      return tasks.ok(RUN:format "FAILURE")
    end, { timeout_s = 10, attempt_timeout_s = 9 })
    local function recover(client)
      return client.instances:recover { project = "1", instance_id = 7 }
    end
    local _, first = begin(t, recover)
    t:run(1)
    t:vanish(first)
    local second = begin(t, recover)
    t:run()
    assert.equal("busy", second.err.kind)
    pass(t, 19)
    second = begin(t, recover)
    t:run()
    assert.equal("busy", second.err.kind)
    pass(t, 2)
    second = begin(t, recover)
    t:run()
    assert.equal("outcome_unknown", second.err.kind) -- it was sent
  end)

  it("with a connection has it until its attempt would be over", function()
    local t = new({ slow(PROJECTS, 20), PROJECTS }, { pool_maxsize = 1, attempt_timeout_s = 5 })
    local _, first = begin(t, runs)
    local second = begin(t, runs)
    t:run(1)
    t:vanish(first)
    t:run()
    assert.is_table(second.value)
    assert.is_true(second.at >= 7 and second.at <= 8.3, second.at)
    assert.equal(0, t.client:status().in_flight)
  end)

  it("with a connection has it until the collector comes", function()
    local t = new({ slow(PROJECTS, 20), PROJECTS }, { pool_maxsize = 1 })
    local _, first = begin(t, runs)
    local second = begin(t, runs)
    t:run(1)
    t:vanish(first)
    collectgarbage()
    collectgarbage()
    t:run()
    assert.is_table(second.value)
    assert.is_true(second.at <= 2.2, second.at)
  end)

  it("in the queue for a connection is passed over", function()
    local t = new({ slow(PROJECTS, 4), PROJECTS }, { pool_maxsize = 1 })
    begin(t, runs)
    local dead = {}
    for i = 1, 3 do
      dead[i] = select(2, begin(t, runs))
    end
    local last = begin(t, runs)
    t:run(1)
    for i = 1, 3 do
      t:vanish(dead[i])
    end
    t:run()
    assert.is_table(last.value)
    assert.is_true(last.at <= 4 + 3 * 3.2 + 0.2, last.at)
    assert.equal(2, #t.requests)
    assert.equal(0, t.client:status().in_flight)
  end)

  it("leaves nothing behind in tables", function()
    local t = new({ slow(PROJECTS, 20) }, { pool_maxsize = 1 })
    local state = insides(t.client)
    local doomed = {}
    for i = 1, 50 do
      doomed[i] = select(2, begin(t, i % 2 == 0 and runs or function(client)
        return client:sleep(1000)
      end))
    end
    t:run(1)
    assert.not_equal(nil, next(state.parked))
    for i = 1, 50 do
      t:vanish(doomed[i])
      doomed[i] = nil
    end
    collectgarbage()
    collectgarbage()
    assert.same({}, state.parked)
    assert.same({}, state.queued)
    assert.equal(0, t.client:status().in_flight)
    assert.equal(0, t.client:status().waiting)
  end)
end)

describe("tasks that are there", function()
  it("are waited for, however long that takes", function()
    local t = new({ slow(PROJECTS, 100) }, { timeout_s = 200, attempt_timeout_s = 200, pool_maxsize = 1 })
    local first, second, third = begin(t, projects), begin(t, projects), begin(t, runs)
    t:run()
    assert.equal(2, #t.requests)
    assert.same({ 100, 100, 200 }, { math.floor(first.at), math.floor(second.at), math.floor(third.at) })
    assert.equal("deadline", third.err.kind)
  end)
end)

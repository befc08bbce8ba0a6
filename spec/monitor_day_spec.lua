-- A day of 300 workflows with faults, restarts and kills, on a virtual clock:
-- what the monitor said is held against what the sandbox knows.

local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"

local HOUR, DAY = 3600, 86400
local DEFAULT = watches.DEFAULT

local PROJECTS, WORKFLOWS, INTERVAL_S = 3, 100, 300

-- What a request meets: of a thousand so many.
local FAULTS = {
  { "reset_before", 5 }, { "reset_after", 5 }, { "cut", 5 }, { "status_500", 10 }, { "status_502_after", 3 },
  { "garbage", 2 }, { "stall_after", 2 }, { "slow", 5 },
}

local function kinds()
  local list = {}
  for i = 1, WORKFLOWS do
    list[i] = i % 33 == 1 and "flaky" or i % 50 == 2 and "broken" or i % 20 == 3 and "late" or "good"
  end
  return list
end

local function generator(seed)
  local state = seed
  return function(most)
    state = state * 48271 % 2147483647
    return state % most + 1
  end
end

local KILLED = {}

-- Ends the process that this stands for, now and then: between two calls, or
-- before or after an execute is sent.
local function make_mortal(watch, random)
  local instances = watch.client.instances
  rawset(instances, "recover", function(self, args, opts)
    rawset(instances, "recover", nil)
    local when = random(30)
    if when == 1 then
      error(KILLED)
    end
    local value, err = self:recover(args, opts)
    if when == 2 then
      error(KILLED)
    end
    make_mortal(watch, random)
    return value, err
  end)
end

local function live(box, path, events, random, until_s)
  local watch = watches.box(box, {
    recover = { "*/*" },
    state_file = path,
    interval_s = INTERVAL_S,
    max_recoveries_per_round = DEFAULT,
    storm_min = DEFAULT,
    on = {
      event = function(event)
        events[#events + 1] = event
      end,
    },
  }, { timeout_s = 60, jitter = "none" })
  make_mortal(watch, random)
  local ends_at = math.min(until_s, box:now() + random(2 * HOUR))
  watch.stopped = function()
    if random(3000) == 1 then
      error(KILLED)
    end
    return box:now() >= ends_at
  end
  local ok, err = pcall(watch.monitor.run, watch.monitor)
  watch:close()
  assert(ok or err == KILLED, err)
  box:sleep(random(600))
  return ok
end

describe("a day with 300 workflows", function()
  after_each(watches.clean)

  local box, events, kills, ends = nil, {}, 0, 0
  local by_run = {} -- id → names of events, with run_times

  setup(function()
    box = sandbox.new {
      projects = PROJECTS,
      workflows = WORKFLOWS,
      kinds = kinds(),
      every_s = 4 * HOUR,
      duration_s = 30,
    }
    for _, fault in ipairs(FAULTS) do
      box:fault { fault = fault[1], rate = fault[2] / 1000 }
    end
    local random, path = generator(20260101), watches.state_file()
    local until_s = box:now() + DAY
    while box:now() < until_s do
      if live(box, path, events, random, until_s) then
        ends = ends + 1
      else
        kills = kills + 1
      end
    end
    -- the last failures are seen, too
    box:heal()
    live(box, path, events, function()
      return 3
    end, box:now() + 3 * INTERVAL_S)
    for _, event in ipairs(events) do
      if event.instance_id then
        local list = by_run[event.instance_id] or {}
        by_run[event.instance_id] = list
        list[#list + 1] = event
      end
    end
  end)

  local function count(id, name, run_times)
    local found = 0
    for _, event in ipairs(by_run[id] or {}) do
      if event.event == name and (not run_times or event.run_times == run_times) then
        found = found + 1
      end
    end
    return found
  end

  it("has kills, restarts and faults enough to tell something", function()
    assert.is_true(kills >= 3, kills)
    assert.is_true(ends >= 3, ends)
    assert.is_true(#box:runs() > 1500)
    assert.is_true(#box:ledger() > 80)
  end)

  it("executes nothing twice", function()
    local done = {}
    for _, entry in ipairs(box:ledger()) do
      local key = entry.instance_id .. "/" .. entry.run_times
      assert.is_nil(done[key], key)
      done[key] = true
    end
    for id, times in pairs(box:executed()) do
      assert.is_true(times <= 3, id)
    end
  end)

  it("says each execute that took effect, before", function()
    for _, entry in ipairs(box:ledger()) do
      assert.equal(1, count(entry.instance_id, "recovering", entry.run_times), entry.instance_id)
    end
  end)

  it("knows of each execute that it said whether it took effect, or says that it does not know", function()
    local executed = {}
    for _, entry in ipairs(box:ledger()) do
      executed[entry.instance_id .. "/" .. entry.run_times] = true
    end
    for _, event in ipairs(events) do
      if event.event == "recovering" and not executed[event.instance_id .. "/" .. event.run_times] then
        local said = count(event.instance_id, "outcome_unknown") + count(event.instance_id, "skipped")
        assert.is_true(said > 0, event.instance_id)
      end
    end
  end)

  it("says each failure", function()
    for _, run in ipairs(box:runs()) do
      if run.kind == "flaky" or run.kind == "broken" then
        local old = box:now() - (run.ended_at or box:now()) > 2 * INTERVAL_S
        assert.is_true(not old or count(run.id, "failed") > 0, run.id)
      end
    end
  end)

  it("says what it recovered, and only that", function()
    local recovered = 0
    for _, run in ipairs(box:runs()) do
      local said = count(run.id, "recovered")
      recovered = recovered + said
      if said > 0 then
        assert.equal("SUCCESS", run.state)
        assert.equal("flaky", run.kind)
        assert.equal(1, box:executed()[("%d"):format(run.id)])
      elseif run.kind == "flaky" and run.state == "SUCCESS" and box:now() - run.ended_at > 2 * INTERVAL_S then
        error("run " .. run.id .. " was recovered, and nobody said so")
      end
    end
    assert.is_true(recovered > 40)
  end)

  it("leaves nothing that it may recover, but what it does not know the outcome of", function()
    for _, run in ipairs(box:runs()) do
      local old = run.ended_at and box:now() - run.ended_at > 2 * HOUR
      if run.kind == "flaky" and run.state == "FAILURE" and old then
        assert.is_true(count(run.id, "outcome_unknown") > 0 or count(run.id, "skipped") > 0, run.id)
      end
    end
  end)
end)

--- The cluster in one table, on every line.

local bed = require "support.bed"
local health = require "dsclient.composed.health"
local sandbox = require "dsclient.sandbox"

-- Heartbeats as they were recorded on 3.1.1, 3.2.2 and 3.3.
local OLD = [["{\"reportTime\":1795401295884,\"cpuUsage\":1.0,\"memoryUsage\":0.19,\"loadAverage\":4.17,]]
  .. [[\"serverStatus\":0,\"workerWaitingTaskCount\":2,\"workerExecThreadCount\":4}"]]
local NEW = [["{\"reportTime\":1795402135775,\"cpuUsage\":0.07,\"memoryUsage\":0.1,\"diskUsage\":0.7,]]
  .. [[\"serverStatus\":\"NORMAL\",\"workerGroup\":\"default\"}"]]

local function node(key, heartbeat, port)
  return ('{"id":1,"host":"10.0.0.1","port":%d,"%s":%s,"lastHeartbeatTime":"2026-11-23 02:34:55"}'):format(port or 1234,
    key, heartbeat)
end

local function server_of(answers, version)
  local b
  b = bed.new(function(request)
    local path = request.path:match "^[^?]*"
    for _, one in ipairs(answers) do
      if path:sub(-#one[1]) == one[1] then
        return one[2]
      end
    end
    return bed.refused(10045, "list masters error")
  end, { server_version = version })
  return b
end

local DATABASE = { "/monitor/databases", bed.ok '[{"dbType":"MYSQL","state":"YES","maxConnections":0}]' }
local QUEUE = { "/command-state-count", bed.ok '[{"commandState":"SCHEDULER","normalCount":0,"errorCount":3}]' }

local function old_line(heartbeat)
  local nodes = bed.ok("[" .. node("resInfo", heartbeat or OLD) .. "]")
  return { { "/monitor/masters", nodes }, { "/monitor/workers", nodes }, DATABASE, QUEUE }
end

local function new_line(heartbeat)
  local nodes = bed.ok("[" .. node("heartBeatInfo", heartbeat or NEW) .. "]")
  return { { "/monitor/MASTER", nodes }, { "/monitor/WORKER", nodes }, DATABASE, QUEUE }
end

local function told_by(line, heartbeat)
  return health.cluster_health(server_of(line == "old" and old_line(heartbeat) or new_line(heartbeat),
    line == "old" and "3.1.1" or "3.4.1").client)
end

describe("cluster_health", function()
  it("reads what each line tells of its machines", function()
    local old = told_by "old"
    assert.is_true(old.ok)
    assert.same({
      host = "10.0.0.1", port = 1234, ok = true, status = "NORMAL", cpu = 1, memory = 0.19, load = 4.17, running = 4,
      waiting = 2, last_heartbeat = "2026-11-23 02:34:55", heartbeat_at = 1795401295,
    }, old.workers[1])
    local new = told_by "new"
    assert.is_true(new.ok)
    assert.same({
      host = "10.0.0.1", port = 1234, ok = true, status = "NORMAL", cpu = 0.07, memory = 0.1, disk = 0.7,
      worker_group = "default", last_heartbeat = "2026-11-23 02:34:55", heartbeat_at = 1795402135,
    }, new.masters[1])
    local commands = { { command = "SCHEDULER", waiting = 0, failed = 3 } }
    assert.same({ waiting = 0, failed = 3, ok = true, commands = commands }, new.queue)
    assert.same({ { type = "MYSQL", ok = true, max_connections = 0 } }, new.databases)
    assert.same({}, new.untold)
  end)

  it("finds the machines of 3.2.1 and of 3.2.2, whose line is the same", function()
    local old = server_of(old_line(), "3.2.1")
    assert.is_true(health.cluster_health(old.client).ok)
    local new = server_of(new_line(), "3.2.2")
    assert.is_true(health.cluster_health(new.client).ok)
    new = server_of(new_line(), "3.2") -- its patch is not known: 10045 tells
    assert.is_true(health.cluster_health(new.client).ok)
  end)

  it("says what is wrong, in lines", function()
    local answers = old_line()
    answers[1][2] = bed.ok "[]"
    answers[2][2] = bed.ok("[" .. node("resInfo", OLD) .. ","
      .. node("resInfo", [["{\"reportTime\":1795401195884,\"serverStatus\":0}"]], 1235) .. ","
      .. node("resInfo", [["{\"reportTime\":1795401295884,\"serverStatus\":1}"]], 1236) .. ","
      .. node("resInfo", [["{\"reportTime\":1795401295884,\"memoryUsage\":0.99}"]], 1237) .. "]")
    answers[3] = { "/monitor/databases", bed.ok('[{"dbType":"MYSQL","state":"NO"},'
      .. '{"dbType":"MYSQL","state":"YES","maxConnections":100,"threadsConnections":99}]') }
    answers[4] = { "/command-state-count", bed.ok '[{"commandState":"SCHEDULER","normalCount":150,"errorCount":0}]' }
    local told = health.cluster_health(server_of(answers, "3.1.1").client)
    assert.is_false(told.ok)
    assert.same({
      "there are no masters",
      "worker 10.0.0.1:1235: no heartbeat for 100 s",
      "worker 10.0.0.1:1236 is ABNORMAL",
      "worker 10.0.0.1:1237: memory is used to 99 %",
      "database MYSQL is not well: state NO",
      "database MYSQL: 99 of 100 connections are in use",
      "150 commands wait for a master",
    }, told.problems)
    assert.same({ true, false, false, false },
      { told.workers[1].ok, told.workers[2].ok, told.workers[3].ok, told.workers[4].ok })
    assert.equal("150 commands wait for a master", told.queue.problem)
  end)

  it("tells what it has no right to read, and is well", function()
    local answers = new_line()
    answers[1][2], answers[3] = bed.refused(30001, "no permission"), { "/monitor/databases", bed.refused(30001) }
    local told = health.cluster_health(server_of(answers, "3.4.1").client)
    assert.is_true(told.ok)
    assert.is_nil(told.masters)
    assert.truthy(told.untold.masters:find "30001")
    assert.truthy(told.untold.databases:find "30001")
    assert.equal(1, #told.workers)
  end)

  it("has a problem where a part can't be read for another reason", function()
    local answers = old_line()
    answers[1][2] = bed.refused(10045, "list masters error")
    local told = health.cluster_health(server_of(answers, "3.1.1").client)
    assert.is_false(told.ok)
    assert.truthy(told.problems[1]:find "^masters can't be read: server.masters: api 10045")
  end)

  it("is an error where the server is out of reach, or the token is wrong", function()
    for kind, answer in pairs { connect = bed.failure("connect", "unsent"), auth = bed.status(401) } do
      local b = bed.new({ answer }, { max_retries = 0 })
      local _, err = health.cluster_health(b.client)
      assert.equal(kind, err.kind)
      assert.equal(1, #b.requests)
    end
  end)

  it("works against the sandbox", function()
    for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
      local client = sandbox.new { projects = 1, server_version = version }:client { server_version = version }
      local told = health.cluster_health(client)
      assert.same({}, told.problems)
      assert.equal(5678, told.masters[1].port)
    end
  end)
end)

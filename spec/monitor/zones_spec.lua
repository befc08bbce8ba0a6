local bed = require "support.bed"
local sandbox = require "dsclient.sandbox"
local watches = require "support.watch"
local zones = require "dsclient.monitor.zones"

-- What a master tells: its last heartbeat in the server's zone, and in
-- milliseconds. The texts are those of real servers.
local function master(heartbeat, reported_ms, key)
  return bed.ok(('[{"host":"h","%s":"{\\"startupTime\\":1,\\"reportTime\\":%d}","lastHeartbeatTime":"%s"}]')
    :format(key or "resInfo", reported_ms, heartbeat))
end

describe("the zone of answers", function()
  after_each(watches.clean)

  it("is measured from a master's heartbeat, to a quarter of an hour", function()
    for _, case in ipairs {
      { "2026-11-23 02:34:54", 0 }, { "2026-11-23 10:34:59", 8 * 3600 }, { "2026-11-22 23:04:50", -3.5 * 3600 },
      { "2026-11-23 08:19:54", 5.75 * 3600 },
    } do
      local b = bed.new { master(case[1], 1795401294822) }
      local zone, _, told_at = zones.measure(b.client)
      assert.equal(case[2], zone:offset(0), case[1])
      assert.equal(1795401294.822, told_at)
      assert.equal(1, #b.requests)
    end
  end)

  it("is measured on 3.2 and 3.3, too, where the path is another", function()
    local b = bed.new({ bed.refused(10045), master("2026-11-23 02:48:58", 1795402138278, "heartBeatInfo") },
      { server_version = "3.2" })
    assert.equal(0, zones.measure(b.client):offset(0))
    assert.matches("/monitor/MASTER$", b.requests[2].path)
    for _, version in ipairs { "3.1.1", "3.2.2", "3.4.1" } do
      local box = sandbox.new { server_version = version, server_offset_s = -12600 }
      assert.equal(-12600, zones.measure(box:client()):offset(0))
    end
  end)

  it("is not known where masters tell nothing, or nonsense", function()
    for _, body in ipairs { "[]", "null", '[{"resInfo":"{","lastHeartbeatTime":"2026-11-23 02:34:54"}]',
      '[{"resInfo":"{}","lastHeartbeatTime":"2026-11-23 02:34:54"}]',
      '[{"resInfo":"{\\"reportTime\\":5}","lastHeartbeatTime":"today"}]', '[{"resInfo":"7"}]' } do
      assert.is_nil((zones.measure(bed.new({ bed.ok(body) }).client)))
    end
    assert.is_nil((zones.measure(bed.new({ bed.refused(30001) }).client)))
  end)

  it("is measured each hour", function()
    local box = sandbox.new { projects = 1, workflows = 1, kinds = { "good" } }
    local watch = watches.box(box, {})
    watch:run(3 * 3600 - 1)
    assert.equal(3, box:requests().operations["server.nodes"])
  end)

  it("is the one that is configured, by name, and then nobody is asked", function()
    local box = sandbox.new { projects = 1, workflows = 1, kinds = { "broken" }, server_offset_s = 8 * 3600 }
    local before = box:requests().total
    local watch = watches.box(box, { server_timezone = "+08:00" })
    watch.monitor:round()
    assert.equal(28800, watch.monitor.zone:offset(0))
    for operation in pairs(box:requests().operations) do
      assert.is_nil(operation:find "master", operation)
    end
    assert.is_true(box:requests().total > before)
    local run = box:runs()[1]
    assert.equal(math.floor(run.started_at), watch.monitor:entries()[1].started_at)
  end)

  it("is that of the client's times where it is not known", function()
    local monitor = { zone = nil }
    assert.equal(5, zones.at(monitor, { startTime = "2026-01-01 00:00:00", started_at = 5 }, "started_at"))
    assert.is_nil(zones.at(monitor, {}, "ended_at"))
    monitor.zone = require("dsclient.tz").fixed(3600)
    assert.equal(1767222000, zones.at(monitor, { startTime = "2026-01-01 00:00:00", started_at = 5 }, "started_at"))
    assert.equal(5, zones.at(monitor, { startTime = "soon", started_at = 5 }, "started_at"))
  end)
end)

-- What has to hold on every version of Lua, also on those that don't run the
-- whole suite: each module loads, and the C modules do what they are for.

local bed = require "support.bed"

-- Of nginx, which runs LuaJIT: they need what it has.
local NGINX = { ["dsclient.runtime.nginx"] = true, ["dsclient.transport.cosocket"] = true }

local function modules()
  local names = {}
  local pipe = assert(io.popen("cd lua && find dsclient -name '*.lua' | sort"))
  for file in pipe:lines() do
    local name = file:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    names[#names + 1] = not NGINX[name] and name or nil
  end
  pipe:close()
  return names
end

describe("smoke, " .. _VERSION, function()
  for _, name in ipairs { "dsclient.core", "dsclient.curl", "dsclient.sys" } do
    it("loads " .. name, function()
      assert.is_table(require(name))
    end)
  end

  for _, name in ipairs(modules()) do
    it("loads " .. name, function()
      assert.is_truthy(require(name))
    end)
  end

  it("makes calls: retried, cached, counted, refused", function()
    local page = bed.ok '{"totalList":[{"id":1,"code":181535832683296,"name":"p"}],"total":1}'
    local b = bed.new({ bed.status(503), page }, { jitter = "none" })
    for _ = 1, 2 do
      assert.equal("181535832683296", assert(b.client:get_projects())[1].code)
    end
    assert.same({ 0.5 }, b.slept)
    assert.equal(2, #b.requests)
    for row in b.client.projects:each() do
      assert.equal(1, row.id)
    end
    local _, err = b.client:get_workflow_instances "q"
    assert.equal('get_workflow_instances: not_found: no project is called "q"', tostring(err))
    local fine, message = pcall(function()
      b.client:get_projects { timeout = 1 }
    end)
    assert.is_false(fine)
    assert.truthy(message:find 'smoke.lua:%d+: get_projects: unknown option "timeout"; is "timeout_s" meant?')
    local twice = b.client:monitored(b.client:cached(function(n)
      return n * 2
    end), "twice")
    assert.same({ 4, 4 }, { twice(2), twice(2.0) })
    assert.equal(2, b.client:get_all_metrics().twice.call_count)
    assert.is_true(b.client:print_stats(function(text)
      assert.truthy(text:find("Hit rate", 1, true))
    end))
    b.client:close()
    assert.equal("closed", select(2, b.client:get_projects()).kind)
  end)

  it("keeps numbers and texts as they are", function()
    local core = require "dsclient.core"
    local text = '{"code":9007199254740993,"list":[],"number":1.5,"text":"a\\né"}'
    local value = core.shape():decode(text)
    assert.equal("9007199254740993", value.code)
    assert.equal(text, core.encode(value, true))
  end)

  it("tells over libcurl that nobody listens", function()
    local client = require("dsclient").new { api_url = "http://127.0.0.1:1", max_retries = 0, token = "t" }
    assert.equal("connect", select(2, client:get_projects()).kind)
    client:close()
  end)

  it("sleeps, locks and writes", function()
    local sys = require "dsclient.sys"
    assert.is_true(sys.sleep(0))
    local name = os.tmpname()
    local lock = assert(sys.lock(name))
    assert.equal("locked", select(3, sys.lock(name)))
    lock:release()
    assert.is_true(sys.write_atomic(name, "text"))
    os.remove(name)
  end)
end)

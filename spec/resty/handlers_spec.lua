-- The ready-made handlers, in a real nginx.

if not jit then
  return -- nginx runs the LuaJIT build
end

local core = require "dsclient.core"
local nginx = require "support.nginx"
local prometheus = require "support.prometheus"
local sandbox = require "dsclient.sandbox"
local uv = require "luv"

local HTTP = [[
  lua_shared_dict kept 1m;
  init_by_lua_block {
    client = require "resty.dsclient".new { api_url = "%s", token = "%s", shm = "kept", max_retries = 0, %s }
    handlers = require "resty.dsclient.handlers".new(client, { %s })
  }
]]

-- Whoever says so is authorised; not where /closed says nothing.
local SERVER = [[
  location /closed/status { content_by_lua_block { handlers:status() } }
  location /closed/metrics { content_by_lua_block { handlers:metrics() } }
  location /closed/api/ { content_by_lua_block { handlers:proxy() } }
  location / {
    access_by_lua_block { ngx.ctx.dsclient_authorised = true }
    location /status { content_by_lua_block { handlers:status() } }
    location /metrics { content_by_lua_block { handlers:metrics() } }
    location /api/ { content_by_lua_block { handlers:proxy() } }
  }
]]

-- A monitor whose view is what a hostile server could make of it.
local HOSTILE = [[
  monitor = {
    view = function()
      return { at = ngx.now(), worker = "<b>", totals = {}, problem = "<i>&", failed_count = 5, failed = {
        { project = "<script>alert(1)</script>", workflow = '" onload="x', instance_id = "<", state = "'&'",
          last_at = 2 ^ 80, url = "javascript:alert(1)" },
        { project = {}, url = 'http://x/"><script>', last_at = 1767225600, recovering = true },
      } }
    end,
    metrics_text = function() end,
  }
]]

describe("resty.dsclient.handlers", function()
  local box, server

  local function start(given, options, workers)
    server = nginx.start {
      workers = workers or 1,
      http = HTTP:format(box.url, box.token, options or "", given or ""),
      server = SERVER,
    }
  end

  --- The answer's status, and what its JSON says.
  local function ask(path, more)
    local answer = server:get(path, more)
    return answer.status, core.decode(answer.body), answer.headers
  end

  local function headers_of(path)
    return server:get(path).headers
  end

  before_each(function()
    box = sandbox.start { projects = 2, workflows = 1 }
  end)

  after_each(function()
    if server then
      server:stop()
      server = nil
    end
    box:stop()
  end)

  describe("let in", function()
    it("nobody, unless the access phase said so", function()
      start 'operations = { "projects.list" }'
      for _, path in ipairs { "status", "metrics", "api/projects.list", "api/none", "status?format=html" } do
        local status, said, headers = ask("/closed/" .. path)
        assert.equal(403, status)
        assert.equal("forbidden", said.error.kind)
        assert.equal("no-store", headers["cache-control"])
        assert.equal(403, (ask("/closed/" .. path, { method = "POST" })))
        assert.is_not.equal(403, (ask("/" .. path)))
      end
      assert.equal(1, box:requests().operations["projects.list"])
    end)

    it("whom a function lets in, and nobody where it fails", function()
      start [[
        operations = { "projects.list" },
        authorise = function(handler, operation)
          if ngx.var.arg_search == "error" then
            error "on purpose"
          elseif ngx.var.arg_search == "truthy" then
            return "yes"
          end
          return handler == "proxy" and operation == "projects.list"
        end
      ]]
      assert.equal(200, (ask "/closed/api/projects.list"))
      assert.equal(403, (ask "/closed/api/users.list"))
      assert.equal(403, (ask "/closed/status"))
      assert.equal(403, (ask "/closed/api/projects.list?search=error"))
      assert.equal(403, (ask "/closed/api/projects.list?search=truthy"))
      assert.truthy(server:log():find("authorise failed: .-on purpose"))
    end)

    it("reading only", function()
      start 'operations = { "projects.list" }'
      for _, path in ipairs { "/status", "/metrics", "/api/projects.list" } do
        for _, method in ipairs { "POST", "PUT", "DELETE", "PATCH", "OPTIONS" } do
          local status, said, headers = ask(path, { method = method })
          assert.equal(405, status)
          assert.equal("method", said.error.kind)
          assert.equal("GET, HEAD", headers.allow)
        end
        local head = server:get(path, { method = "HEAD" })
        assert.equal(200, head.status)
        assert.equal("", head.body)
        assert.is_true(tonumber(head.headers["content-length"]) > 0)
      end
    end)
  end)

  describe("status", function()
    it("tells programs how all stands", function()
      start 'operations = { "projects.list" }'
      ask "/api/projects.list"
      ask "/api/projects.list"
      local status, said = ask "/status"
      assert.equal(200, status)
      assert.same({ 1, 1, 1 }, { said.cache.hits, said.cache.misses, said.worker.count })
      assert.equal(2, said.calls.total_api_calls)
      assert.same({ box.url, "closed" }, { said.client.servers[1].url, said.client.servers[1].state })
      assert.is_nil(said.monitor)
    end)

    it("gives browsers a page, and each what it asks for", function()
      start()
      local browser = { headers = { "Accept: text/html,application/xhtml+xml,*/*;q=0.8" } }
      local program = { headers = { "Accept: application/json" } }
      for _, case in ipairs {
        { "/status", browser, "html" }, { "/status", program, "json" }, { "/status", nil, "json" },
        { "/status?format=json", browser, "json" }, { "/status?format=html", program, "html" },
      } do
        local answer = server:get(case[1], case[2])
        assert.equal(200, answer.status)
        assert.truthy(answer.headers["content-type"]:find(case[3], 1, true))
        assert.equal("nosniff", answer.headers["x-content-type-options"])
      end
      local page = server:get("/status", browser)
      assert.truthy(page.headers["content-security-policy"]:find("default-src 'none'", 1, true))
      assert.truthy(page.body:find(box.url, 1, true))
      assert.is_nil(page.body:find(box.token, 1, true))
      assert.is_nil(server:body "/status":find(box.token, 1, true))
    end)

    it("escapes all that comes from outside", function()
      start(HOSTILE)
      local page = server:body "/status?format=html"
      for _, harm in ipairs { "<script", "javascript:", '" onload', "<i>", "<b>", "'&'" } do
        assert.is_nil(page:find(harm, 1, true), harm)
      end
      assert.truthy(page:find("&lt;script&gt;alert(1)&lt;/script&gt;/&quot; onload=&quot;x", 1, true))
      assert.truthy(page:find('<a href="http://x/&quot;&gt;&lt;script&gt;" rel="noreferrer">', 1, true))
      assert.truthy(page:find("2026-01-01 00:00:00 UTC", 1, true))
      assert.truthy(page:find("5 runs are failed", 1, true))
      assert.equal("<script>alert(1)</script>", core.decode(server:body "/status").monitor.failed[1].project)
    end)
  end)

  it("metrics are those of all workers", function()
    start('operations = { "projects.list" }', "", 4)
    for _ = 1, 40 do
      assert.equal(200, (ask "/api/projects.list"))
    end
    local function total()
      local all = 0
      local counts = '\ndsclient_calls_total{operation="projects.list",outcome="%l+"} (%d+)'
      for count in server:body "/metrics":gmatch(counts) do
        all = all + tonumber(count)
      end
      return all
    end
    server:await("the counts of all workers", function()
      uv.sleep(20)
      return total() == 40
    end)
    assert.equal("", (prometheus.check(server:body "/metrics")))
    assert.equal("text/plain; version=0.0.4; charset=utf-8", server:get "/metrics".headers["content-type"])
  end)

  it("metrics have those of a monitor behind them", function()
    start [[
      monitor = {
        view = function() end,
        metrics_text = function() return "# HELP dsmonitor_x X.\n# TYPE dsmonitor_x gauge\ndsmonitor_x 1\n" end,
      }
    ]]
    local text = server:body "/metrics"
    assert.truthy(text:find "\ndsmonitor_x 1\n$")
    assert.equal("", (prometheus.check(text)))
  end)

  describe("proxy", function()
    it("gives what the operation gives, and says where it is from", function()
      start 'operations = { "projects.list", ["instances.list"] = { ttl_s = 100 }, "instances.get" }'
      local status, projects, headers = ask "/api/projects.list"
      assert.equal(200, status)
      assert.same({ "demo-2", "demo-1" }, { projects[1].name, projects[2].name })
      assert.same({ "miss", "0", "private, max-age=3600", "application/json" },
        { headers["x-cache"], headers.age, headers["cache-control"], headers["content-type"] })
      headers = headers_of "/api/projects.list"
      assert.equal("hit", headers["x-cache"])
      assert.truthy(tonumber(headers["cache-control"]:match "^private, max%-age=(%d+)$") <= 3600)

      local runs
      status, runs, headers = ask "/api/instances.list?project=demo-1&state=SUCCESS&limit=5"
      assert.equal(200, status)
      assert.same({ "miss", "private, max-age=100" }, { headers["x-cache"], headers["cache-control"] })
      headers = headers_of "/api/instances.list?state=SUCCESS&limit=5&project=demo-1"
      assert.equal("hit", headers["x-cache"])

      local run
      status, run, headers = ask("/api/instances.get?project=demo-1&instance_id=1")
      assert.equal(200, status)
      assert.equal(1, run.id)
      assert.same({ "miss", "no-store" }, { headers["x-cache"], headers["cache-control"] })
      assert.is_table(runs)
    end)

    it("gives an old value in place of an error, and says so", function()
      start 'operations = { ["projects.list"] = { ttl_s = 0.05 } }'
      assert.equal(200, (ask "/api/projects.list"))
      box:fault { fault = "status_500" }
      local headers
      server:await("an old value", function()
        uv.sleep(20)
        headers = headers_of "/api/projects.list"
        return headers["x-cache"] == "stale"
      end)
      assert.equal("private, max-age=0", headers["cache-control"])
    end)

    it("has no operation but those it was given", function()
      start 'operations = { "projects.list" }'
      for _, name in ipairs { "", "users.list", "instances.execute", "projects.list/", "__index" } do
        local status, said = ask("/api/" .. name)
        assert.same({ 404, "not_found", "no such operation here" }, { status, said.error.kind, said.error.message })
      end
      assert.same({ total = 0 }, { total = box:requests().total })
    end)

    it("answers errors with a status that fits, and what a program may decide on", function()
      start 'operations = { "projects.list", "instances.list", "instances.get" }'
      for _, case in ipairs {
        { "projects.list?serach=x", 400, "argument", "serach" },
        { "projects.list?limit=0", 400, "argument", "limit" },
        { "instances.list", 400, "argument", "project" },
        { "instances.list?project=demo-1&state=failure", 400, "argument", "state" },
        { "instances.list?project=demo-1&start_date=soon", 400, "argument", "start_date" },
        { "instances.list?project=none", 404, "not_found", "project" },
        { "instances.list?project=%ff%00%0d%0a", 404, "not_found", "project" },
        { "projects.list?%ff%22%3c=1", 400, "argument", '?"<' },
        { "instances.get?project=demo-1&instance_id=999", 422, "api" },
      } do
        local status, said, headers = ask("/api/" .. case[1])
        assert.same({ case[1], case[2], case[3], case[4] }, { case[1], status, said.error.kind, said.error.argument })
        assert.equal("no-store", headers["cache-control"])
      end
      local many = {}
      for i = 1, 65 do
        many[i] = "a" .. i .. "=1"
      end
      assert.equal(400, (ask("/api/projects.list?" .. table.concat(many, "&"))))
      for fault, expected in pairs { status_401 = 502, status_503 = 502, reset_before = 502, garbage = 502 } do
        box:heal()
        box:fault { fault = fault }
        local status, said = ask "/api/instances.get?project=1&instance_id=1"
        assert.same({ fault, expected }, { fault, status })
        assert.is_nil(core.encode(said):find(box.token, 1, true))
      end
    end)

    it("is refused what is no read", function()
      local options = [[ api_url = "http://127.0.0.1:1" ]]
      server = nginx.start {
        http = ([[
          init_by_lua_block {
            local client = require "resty.dsclient".new { %s }
            said = {}
            for _, given in ipairs { { "instances.execute" }, { "task_instances.download_log" }, { "no.such" }, { 5 },
                { ["projects.list"] = 5 }, { ["projects.list"] = { ttl = 5 } } } do
              local _, problem = pcall(require "resty.dsclient.handlers".new, client, { operations = given })
              said[#said + 1] = tostring(problem)
            end
          }
        ]]):format(options),
        server = [[ location / { content_by_lua_block { ngx.print(table.concat(said, "\n")) } } ]],
      }
      local said = server:body "/"
      for _, expected in ipairs {
        "instances.execute is no read",
        "task_instances.download_log is no read, or gives a file",
        'unknown operation "no.such"',
        'unknown operation "5"',
        "operations: projects.list: a table of options expected, got number",
        'unknown option "ttl"',
      } do
        assert.truthy(said:find(expected, 1, true), expected .. " is not in\n" .. said)
      end
    end)
  end)
end)

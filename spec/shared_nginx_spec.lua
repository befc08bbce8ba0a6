-- Workers of a real nginx that share a dict.

if not jit then
  return -- nginx runs the LuaJIT build
end

local dict = require "support.dict"
local nginx = require "support.nginx"
local store_contract = require "support.store_contract"

describe("the contract of stores", function()
  it("is kept by the table of the specs", function()
    local now = 0
    local store = dict.new(function()
      return now
    end, 1000)
    assert.equal("kept", store_contract(store, function(seconds)
      now = now + seconds
    end))
  end)

  it("is kept by a dict of nginx", function()
    local server = nginx.start {
      http = "lua_shared_dict kept 1m;",
      server = [[
        location / {
          content_by_lua_block { ngx.print(require "support.store_contract"(ngx.shared.kept, ngx.sleep)) }
        }
      ]],
    }
    local fine, body = pcall(server.body, server, "/")
    server:stop()
    assert.is_true(fine, body)
    assert.equal("kept", body)
  end)
end)

describe("workers of nginx", function()
  local server

  --- What all workers of these specs have: a client that is made before the fork.
  local function http(options, size)
    return ([[
      lua_shared_dict kept %s;
      lua_shared_dict upstream 1m;
      init_by_lua_block {
        client = require "resty.dsclient".new(require "support.worker".options { %s })
      }
    ]]):format(size or "2m", options or "")
  end

  local SERVER = [[
    location /upstream {
      content_by_lua_block {
        local upstream = ngx.shared.upstream
        for name, value in pairs(ngx.req.get_uri_args()) do
          upstream:set(name, tonumber(value))
        end
        ngx.print(upstream:get "requests" or 0, " ", (upstream:get "last_ms" or 0) - (upstream:get "first_ms" or 0))
      }
    }
    location /projects {
      content_by_lua_block {
        local value, err, meta = client:get_projects()
        ngx.print(value and value[1].name or err.kind, " ", tostring(meta and meta.cached), " ", ngx.worker.pid())
      }
    }
    location /search {
      content_by_lua_block {
        local value, err = client.projects:list { search = ngx.var.arg_text }
        ngx.print(value and value[1].name or err.kind)
      }
    }
    location /runs {
      content_by_lua_block {
        local value, err = client:get_workflow_instances("1", nil, { cache = false })
        ngx.print(value and "ok" or err.kind)
      }
    }
    location /create {
      content_by_lua_block { ngx.print(tostring(client.projects:create { name = "new" } ~= nil)) }
    }
    location /total {
      content_by_lua_block {
        local row = client:get_all_metrics()[ngx.var.arg_name] or { call_count = 0, attempts = 0, error_count = 0 }
        ngx.print(row.call_count, " ", row.attempts, " ", row.error_count)
      }
    }
    location /second {
      content_by_lua_block { ngx.print(client:get_cache_stats().second[ngx.var.arg_name]) }
    }
    location /storm {
      content_by_lua_block {
        local threads, good = {}, 0
        for i = 1, tonumber(ngx.var.arg_count) do
          threads[i] = ngx.thread.spawn(client.get_projects, client)
        end
        for i = 1, #threads do
          local _, value = ngx.thread.wait(threads[i])
          good = good + (value and 1 or 0)
        end
        ngx.print(good)
      }
    }
    location /keys {
      content_by_lua_block {
        for _, name in ipairs(ngx.shared.kept:get_keys(0)) do
          if name:sub(1, 1) == ngx.var.arg_tag then
            ngx.print(tostring(ngx.shared.kept:get(name)), "\n")
          end
        end
      }
    }
    location /spoil {
      content_by_lua_block {
        for i, name in ipairs(ngx.shared.kept:get_keys(0)) do
          local value = ngx.shared.kept:get(name)
          local harms = { 5, "", "x", tostring(value):sub(2), -1, true }
          ngx.shared.kept:set(name, harms[i % #harms + 1])
        end
      }
    }
  ]]

  local function start(opts)
    opts = opts or {}
    server = nginx.start {
      workers = 4,
      connections = 4096,
      http = opts.http or http(),
      server = (opts.server or "") .. SERVER,
    }
  end

  after_each(function()
    server:stop()
    server = nil
  end)

  local function send(path, count)
    local requests = {}
    for i = 1, count do
      requests[i] = server:send(path)
    end
    return requests
  end

  --- How often each body came; "none" stands for connections that ended without an
  -- answer.
  local function bodies_of(requests)
    local bodies = {}
    for _, request in ipairs(requests) do
      local fine, answer = pcall(server.receive, server, request)
      local body = not fine and "none" or answer.status == 200 and answer.body or tostring(answer.status)
      bodies[body] = (bodies[body] or 0) + 1
    end
    return bodies
  end

  --- Asks until so many workers have answered: pid → what it said last.
  local function answers_of(path, workers)
    local answers, count = {}, 0
    server:await("answers of all workers", function()
      for body in pairs(bodies_of(send(path, 40))) do
        local pid = tonumber(body:match "%d+$")
        count = count + (answers[pid] and 0 or 1)
        answers[pid] = body
      end
      return count >= workers
    end)
    return answers
  end

  local function upstream(settings)
    return tonumber(server:body("/upstream" .. (settings and "?" .. settings or "")):match "^%d+")
  end

  local function await_total(name, expected)
    local total
    local fine, problem = pcall(server.await, server, "the sum", function()
      total = server:body("/total?name=" .. name)
      return total == expected
    end)
    assert.is_true(fine, ("%s expected, got %s: %s"):format(expected, total, problem))
  end

  local function pause(seconds)
    local uv = require "luv"
    local over = false
    local timer = uv.new_timer()
    timer:start(seconds * 1000, 0, function()
      over = true
    end)
    server:await("the end of a pause", function()
      return over
    end)
    timer:close()
  end

  it("make one request of a thousand for the same, and sum up what they counted", function()
    start()
    upstream "takes=0.5"
    local answered = 0
    for body, count in pairs(bodies_of(send("/projects", 1000))) do
      assert.truthy(body:find "^alpha 0 ")
      answered = answered + count
    end
    assert.equal(1000, answered)
    assert.equal(1, upstream())
    await_total("get_projects", "1000 1 0")
    answers_of("/projects", 4)
    assert.equal(1, upstream())
  end)

  it("make one request of ten thousand light threads", function()
    start()
    upstream "takes=0.5"
    local good = 0
    for body, count in pairs(bodies_of(send("/storm?count=1250", 8))) do
      good = good + tonumber(body) * count
    end
    assert.equal(10000, good)
    assert.equal(1, upstream())
    await_total("get_projects", "10000 1 0")
  end)

  it("give nothing that one of them has made old 100 ms before", function()
    start()
    for version = 1, 5 do
      answers_of("/projects", 4)
      upstream("version=" .. version)
      assert.equal("true", server:body "/create")
      pause(0.1)
      for body in pairs(bodies_of(send("/projects", 100))) do
        assert.truthy(body:find("^alpha " .. version), body)
      end
    end
  end)

  it("go on when the one is killed that fetches for all", function()
    start()
    upstream "takes=2"
    local requests, holder = {}, nil
    server:await("workers that wait for another one", function()
      for _ = 1, 40 do
        requests[#requests + 1] = server:send "/projects"
      end
      holder = tonumber(server:body("/keys?tag=F"):match " (%d+) ")
      return holder and tonumber(server:body "/second?name=waits") > 0
    end)
    server:signal("KILL", holder)
    local bodies = bodies_of(requests)
    local lost = bodies.none or 0
    bodies.none = nil
    local answered = 0
    for body, count in pairs(bodies) do
      assert.truthy(body:find "^alpha 0 ")
      assert.is_nil(body:find(" " .. holder, 1, true))
      answered = answered + count
    end
    assert.equal(#requests, answered + lost)
    assert.is_true(answered > 0)
    assert.equal(2, upstream())
    await_total("get_projects", ("%d 1 0"):format(answered))
  end)

  it("lose no count and no answer by a storm of reloads", function()
    local RELOADS = 50
    start()
    upstream "takes=0.05"
    local sent, answered = 0, 0
    for i = 1, RELOADS do
      local requests = send("/projects", 20)
      local more = send("/search?text=" .. i, 20)
      server:await("the requests under way", function()
        return upstream() >= i
      end)
      server:signal "HUP"
      for _, list in ipairs { requests, more } do
        for body, count in pairs(bodies_of(list)) do
          assert.truthy(body:find "^alpha 0", body)
          answered = answered + count
        end
      end
      sent = sent + 40
    end
    assert.equal(sent, answered)
    assert.equal(RELOADS + 1, upstream())
    await_total("get_projects", ("%d 1 0"):format(20 * RELOADS))
    await_total("projects.list", ("%d %d 0"):format(20 * RELOADS, RELOADS))
  end)

  it("answer whatever becomes of the dict", function()
    start()
    upstream "takes=0.01"
    local answered = 0
    for i = 1, 10 do
      local requests = send("/projects", 20)
      for j = 1, 20 do
        requests[#requests + 1] = server:send("/search?text=" .. i * 20 + j)
      end
      server:body "/spoil"
      for body, count in pairs(bodies_of(requests)) do
        assert.truthy(body:find "^alpha 0", body)
        answered = answered + count
      end
    end
    assert.equal(400, answered)
    assert.is_true(tonumber(server:body "/second?name=broken") + tonumber(server:body "/second?name=broken") >= 0)
    assert.is_nil(server:log():find("[error]", 1, true))
  end)

  it("answer with a dict that is too small", function()
    start { http = http("", "16k") }
    upstream "takes=0.01&length=3000"
    for i = 1, 60 do
      assert.equal("alpha 0", server:body("/search?text=" .. i))
    end
    upstream "length=100000"
    for i = 61, 70 do
      assert.equal("alpha 0", server:body("/search?text=" .. i))
    end
    assert.is_nil(server:log():find("[error]", 1, true))
  end)

  it("keep one pace", function()
    start { http = http "rate_limit = { per_s = 20 }" }
    upstream "takes=0"
    local bodies = bodies_of(send("/runs", 40))
    assert.same({ ok = 40 }, bodies)
    local requests, span_ms = server:body("/upstream"):match "^(%d+) ([%d.]+)"
    assert.equal(40, tonumber(requests))
    assert.is_true(tonumber(span_ms) >= 1900) -- the clock of nginx may be late
  end)

  it("know of one breaker", function()
    start { http = http "max_retries = 0" }
    upstream "takes=0&status=503"
    for _ = 1, 20 do
      assert.equal("server", server:body "/runs")
    end
    local bodies = bodies_of(send("/runs", 40))
    assert.same({ breaker_open = 40 }, bodies)
    assert.equal(20, upstream "status=200")
    server:await("a probe that closes it", function()
      return server:body "/runs" == "ok"
    end)
    assert.same({ ok = 40 }, bodies_of(send("/runs", 40)))
  end)

  it("count what Lua states did that lived for one request", function()
    start { server = "lua_code_cache off;" }
    for _ = 1, 20 do
      assert.truthy(server:body("/projects"):find "^alpha 0 ")
    end
    assert.equal(1, upstream())
    await_total("get_projects", "20 1 0")
  end)

  it("tell the log of nginx", function()
    start { http = http "max_retries = 1, backoff_s = 0" }
    upstream "takes=0&status=500"
    assert.equal("server", server:body "/runs")
    assert.truthy(server:log():find("[warn]", 1, true))
    assert.truthy(server:log():find("dsclient: get_workflow_instances: server, again", 1, true))
  end)
end)

describe("resty.dsclient, over cosockets to another nginx,", function()
  local upstream, server

  before_each(function()
    upstream = nginx.start {
      http = "lua_shared_dict counts 1m;",
      server = [[
        location /dolphinscheduler/projects {
          content_by_lua_block {
            local count = ngx.shared.counts:incr(ngx.req.get_method(), 1, 0)
            ngx.header.content_type = "application/json"
            if ngx.req.get_method() == "POST" then
              ngx.print '{"code":0,"msg":"success","data":true}'
            else
              ngx.sleep(0.3)
              ngx.print('{"code":0,"msg":"success","data":{"totalList":[{"code":1,"name":"', count, '"}],"total":1}}')
            end
          }
        }
        location /count { content_by_lua_block { ngx.print(ngx.shared.counts:get "GET" or 0) } }
      ]],
    }
    server = nginx.start {
      workers = 4,
      connections = 4096,
      http = ([[
        lua_shared_dict kept 1m;
        lua_shared_dict state 1m;
        init_by_lua_block {
          client = require "resty.dsclient".new {
            api_url = "%s", token = "secret", server_version = "3.1.1", user_timezone = "UTC",
            shm = "kept", shm_state = "state",
          }
        }
      ]]):format(upstream.url),
      server = [[
        location /projects { content_by_lua_block { ngx.print((assert(client:get_projects())[1].name)) } }
        location /create { content_by_lua_block { ngx.print(tostring(assert(client.projects:create { name = "x" }))) } }
        location /metrics { content_by_lua_block { ngx.print(client:metrics_text()) } }
        location /tags {
          content_by_lua_block {
            for _, name in ipairs { "kept", "state" } do
              local tags = {}
              for _, key in ipairs(ngx.shared[name]:get_keys(0)) do
                tags[key:sub(1, 1)] = true
              end
              ngx.print(name, tags.E and " has " or " lacks ", "entries;")
            end
          }
        }
      ]],
    }
  end)

  after_each(function()
    server:stop()
    upstream:stop()
  end)

  local function ask(path, count)
    local requests, bodies = {}, {}
    for i = 1, count do
      requests[i] = server:send(path)
    end
    for _, request in ipairs(requests) do
      local body = server:receive(request).body
      bodies[body] = (bodies[body] or 0) + 1
    end
    return bodies
  end

  it("fetches once for all workers, again after a write, and counts all", function()
    assert.same({ ["1"] = 500 }, ask("/projects", 500))
    assert.equal("1", upstream:body "/count")
    server:body "/create"
    local started = upstream:body "/count"
    assert.equal("1", started)
    local asked = 0
    server:await("what was written", function()
      asked = asked + 1
      return server:body "/projects" == "2"
    end)
    assert.same({ ["2"] = 500 }, ask("/projects", 500))
    assert.equal("2", upstream:body "/count")
    server:await("the counters of all", function()
      local sum = 0
      for count in server:body("/metrics"):gmatch '\ndsclient_calls_total{operation="get_projects",[^}]*} (%d+)' do
        sum = sum + tonumber(count)
      end
      return sum == 1000 + asked
    end)
    assert.equal("kept has entries;state lacks entries;", server:body "/tags")
  end)
end)

describe("resty.dsclient", function()
  it("makes clients in each phase, says what dict is missing, and starts nothing", function()
    local server = nginx.start {
      http = [[
        lua_shared_dict kept 1m;
        init_worker_by_lua_block {
          local dsclient = require "resty.dsclient"
          local worker = require "support.worker"
          assert(dsclient.new(worker.options()))
        }
      ]],
      server = [[
        location / {
          access_by_lua_block {
            local dsclient = require "resty.dsclient"
            local worker = require "support.worker"
            assert(dsclient.new(worker.options()))
            for _, wrong in ipairs { { shm = "nowhere" }, { shm = 5 }, { shm_state = "nowhere" } } do
              ngx.say(select(2, pcall(dsclient.new, worker.options(wrong))))
            end
            ngx.say(select(2, pcall(dsclient.new, { shm_state = "kept", api_url = "http://x" })))
            ngx.say(select(2, pcall(dsclient.new)))
            ngx.say(dsclient._VERSION, " ", dsclient.null == ngx.null, " ", ngx.timer.pending_count())
            ngx.exit(200)
          }
        }
      ]],
    }
    local fine, body = pcall(server.body, server, "/")
    server:stop()
    assert.is_true(fine, body)
    local said = {}
    for line in body:gmatch "[^\n]+" do
      said[#said + 1] = line
    end
    assert.truthy(said[1]:find('option "shm": the name of a lua_shared_dict expected, got "nowhere"', 1, true))
    assert.truthy(said[2]:find("got number", 1, true))
    assert.truthy(said[3]:find('option "shm_state": the name', 1, true))
    assert.truthy(said[4]:find('option "shm_state": it goes with shm', 1, true))
    assert.truthy(said[5]:find("a table of options expected, got nil", 1, true))
    assert.truthy(said[6]:find "^%d+%.%d+%.%d+ true 0$")
  end)
end)

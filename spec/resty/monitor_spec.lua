-- The monitor in workers of a real nginx.

if not jit then
  return -- nginx runs the LuaJIT build
end

local core = require "dsclient.core"
local nginx = require "support.nginx"
local sandbox = require "dsclient.sandbox"
local uv = require "luv"
local watches = require "support.watch"

local HTTP = [[
  lua_shared_dict watch 1m;
  lua_shared_dict told 1m;
  init_by_lua_block {
    local told = ngx.shared.told
    --- Counts an event, of a run or of none.
    function count(event)
      told:incr(event.event .. " " .. (event.instance_id or "-"), 1, 0)
    end
    client = require "resty.dsclient".new { api_url = "%s", token = "%s" }
    watcher = require "resty.dsclient.monitor".new(client, { shm = "watch", interval_s = 0.1, lease_s = 0.3, %s })
  }
  init_worker_by_lua_block { assert(watcher:start()) }
]]

local SERVER = [[
  location /view {
    content_by_lua_block { ngx.print(require "dsclient.core".encode(watcher:view() or { failed_count = -1 })) }
  }
  location /metrics { content_by_lua_block { ngx.print(watcher:metrics_text() or "none") } }
  location /told {
    content_by_lua_block {
      local told, counts = ngx.shared.told, {}
      for _, name in ipairs(told:get_keys(0)) do
        counts[name] = told:get(name)
      end
      ngx.print(require "dsclient.core".encode(counts))
    }
  }
  location /spoil {
    content_by_lua_block {
      for i, name in ipairs(ngx.shared.watch:get_keys(0)) do
        ngx.shared.watch:set(name, i % 2 == 0 and i or "spoilt")
      end
    }
  }
]]

local COUNTING = "on = { event = count }"

-- Options that throw, and what is said then.
local REFUSING = [[
  lua_shared_dict watch 1m;
  init_by_lua_block {
    local client = require "resty.dsclient".new { api_url = "http://127.0.0.1:1" }
    local monitor = require "resty.dsclient.monitor"
    said = {}
    for _, given in ipairs { %s } do
      local _, problem = pcall(monitor.new, client, given)
      said[#said + 1] = tostring(problem)
    end
    local started, err = monitor.new(client, { shm = "watch" }):start()
    said[#said + 1] = tostring(started) .. " " .. err.kind
  }
]]

local function refusing(list)
  return nginx.start {
    http = REFUSING:format(list),
    server = [[ location / { content_by_lua_block { ngx.print(table.concat(said, "\n")) } } ]],
  }
end

describe("resty.dsclient.monitor", function()
  local box, server
  local runs -- of the box

  local function start(options, opts)
    opts = opts or {}
    opts.workers = opts.workers or 2
    opts.http = (opts.before or "") .. HTTP:format(box.url, box.token, options or COUNTING)
    opts.server = SERVER
    server = nginx.start(opts)
  end

  local function view()
    return core.decode(server:body "/view")
  end

  local function told()
    return core.decode(server:body "/told")
  end

  --- Waits until something holds. A worker that ends may leave a question unanswered.
  local function await(what, condition)
    server:await(what, function()
      uv.sleep(10)
      local asked, holds = pcall(condition)
      return asked and holds
    end)
  end

  --- Kills the worker that watches, or did a moment ago.
  local function kill_one()
    pcall(server.signal, server, "KILL", view().worker or server:workers()[1])
  end

  --- Waits until something was told so often.
  local function await_told(name, count)
    await(name, function()
      return (told()[name] or 0) >= count
    end)
  end

  --- What was told of runs: how often each.
  local function of_runs(event)
    local counts = {}
    for name, count in pairs(told()) do
      local id = name:match("^" .. event .. " (%d+)$")
      if id then
        counts[#counts + 1] = id .. ": " .. count
      end
    end
    table.sort(counts)
    return counts
  end

  --- Lets a run fail. @return its id
  local function fail_soon()
    assert(box:run { project = "demo-1", workflow = "broken-1" })
    runs = runs + 1
    return runs
  end

  --- … and waits until it was told.
  local function fail_one()
    local run = fail_soon()
    await_told("failed " .. run, 1)
    return run .. ": 1"
  end

  before_each(function()
    runs = 0
    box = sandbox.start { projects = 1, workflows = 1, kinds = { "broken" }, runs = 0, duration_s = 0.05 }
  end)

  after_each(function()
    if server then
      server:stop()
      server = nil
    end
    box:stop()
    watches.clean()
  end)

  it("watches in one worker, and each sees how it stands", function()
    start(nil, { workers = 4 })
    local expected = { fail_one(), fail_one() }
    await_told("round -", 5)
    assert.same(expected, of_runs "failed")
    local seen = view()
    assert.equal(2, seen.failed_count)
    assert.same({ "demo-1", "broken-1", "FAILURE", 1, false },
      { seen.failed[1].project, seen.failed[1].workflow, seen.failed[1].state, seen.failed[1].run_times,
        seen.failed[1].recovering })
    assert.is_true(seen.failed[1].instance_id > seen.failed[2].instance_id)
    assert.is_true(seen.complete)
    assert.equal(1, seen.totals.projects)
    for _ = 1, 20 do
      assert.equal(seen.worker, view().worker)
    end
  end)

  it("goes over to another worker when one is killed, whenever that is, and tells each failure once", function()
    box:stop()
    box = sandbox.start { projects = 3, workflows = 1, kinds = { "broken" }, runs = 0, duration_s = 0.05 }
    start()
    local expected = { fail_one() }
    box:delay { delay_s = 0.03 } -- a round takes 0.1 s or more
    for i = 2, 12 do
      local run = fail_soon()
      expected[i] = run .. ": 1"
      if i % 3 == 0 then
        await_told("failed " .. run, 1)
      else
        uv.sleep(i * 17 % 100)
      end
      kill_one()
    end
    box:delay { delay_s = 0 }
    expected[#expected + 1] = fail_one()
    local rounds = told()["round -"]
    await_told("round -", rounds + 2)
    table.sort(expected)
    assert.same(expected, of_runs "failed")
    assert.same(expected, of_runs "would_recover")
  end)

  it("works without lua_code_cache, too", function()
    start(nil, { before = "lua_code_cache off;" })
    local expected = { fail_one(), fail_one() }
    assert.same(expected, of_runs "failed")
    await("the view", function()
      return view().failed_count == 2
    end)
  end)

  it("survives reloads, and ends with its worker", function()
    start()
    local expected = { fail_one() }
    for i = 2, 6 do
      local before = server:workers()
      server:signal "HUP"
      expected[i] = fail_one()
      await("the end of the workers before", function()
        for _, pid in ipairs(server:workers()) do
          if pid == before[1] or pid == before[2] then
            return false
          end
        end
        return true
      end)
    end
    table.sort(expected)
    assert.same(expected, of_runs "failed")
    server:signal "QUIT"
    await("the end of nginx", function()
      return server.code
    end)
    assert.equal(0, server.code)
  end)

  it("hands an event over again, under its number, where the worker was killed within the callback", function()
    start [[
      on = {
        failed = function(event)
          local told = ngx.shared.told
          told:incr("failed " .. event.instance_id .. " as " .. event.seq, 1, 0)
          if told:add("killed", true) then
            require "ffi".C.kill(ngx.worker.pid(), 9)
          end
        end,
        event = count,
      },
    ]]
    local run = fail_soon()
    await_told("failed " .. run, 1)
    local seqs = {}
    for name, count in pairs(told()) do
      if name:find("^failed " .. run .. " as ") then
        seqs[#seqs + 1] = count
      end
    end
    assert.same({ 2 }, seqs)
    assert.same({ run .. ": 1" }, of_runs "failed")
  end)

  it("leaves all to the next worker when it was stopped for too long", function()
    start()
    local expected = { fail_one() }
    local stopped = view().worker
    server:signal("STOP", stopped)
    -- a request may be the stopped worker's: it is asked when that goes on
    local run = fail_soon()
    local rounds = box:requests().operations["instances.list"]
    await("rounds of another worker", function()
      return box:requests().operations["instances.list"] > rounds + 3
    end)
    server:signal("CONT", stopped)
    await_told("failed " .. run, 1)
    expected[2] = run .. ": 1"
    assert.same(expected, of_runs "failed")
  end)

  it("goes on when a callback throws, and with callbacks that wait", function()
    start [[
      on = {
        failed = function() ngx.sleep(0.4) error "on purpose" end, -- longer than the lease
        event = count,
      },
    ]]
    local expected = { fail_one(), fail_one() }
    assert.same(expected, of_runs "failed")
    assert.truthy(server:log():find('the callback of "failed" failed: .-on purpose'))
  end)

  it("begins anew where the dict is spoilt", function()
    start()
    local first = fail_one()
    server:body "/spoil"
    local second = fail_one()
    assert.truthy(table.concat(of_runs "failed", ","):find(second, 1, true))
    assert.is_string(first)
    assert.is_table(view().failed)
  end)

  it("logs what nobody wants to be told, and gives metrics where they are wanted", function()
    start("metrics = true")
    local run = fail_soon()
    await("the event in the log", function()
      return server:log():find("failed +demo%-1/broken%-1 #" .. run)
    end)
    await("the metrics", function()
      return server:body "/metrics":find('dsmonitor_workflow_failed{project="demo-1",workflow="broken-1"} 1', 1, true)
    end)
  end)

  it("remembers in a file, over the end of nginx", function()
    local state_file = watches.state_file()
    local options = COUNTING .. (", state_file = %q"):format(state_file)
    start(options)
    local first = fail_one()
    server:stop()
    start(options)
    local second = fail_one()
    kill_one()
    local third = fail_one()
    assert.same({ second, third }, of_runs "failed")
    assert.is_string(first)
  end)

  describe("recovering", function()
    it("is refused where it was not asked for by name", function()
      server = refusing [[
        { shm = "watch", recover = { "*/*" } },
        { shm = "watch", state_file = "x", rules = { { match = "*/*", recover = true } } },
        { shm = "watch", recover = { "*/*" }, recover_in_worker = true },
      ]]
      local said = server:body "/"
      local _, refused = said:gsub('option "recover": a worker recovers only with recover_in_worker = true', "")
      assert.equal(2, refused)
      assert.truthy(said:find("recovering needs a state_file", 1, true))
    end)

    it("sends each recovery once, though workers are killed", function()
      box:stop()
      box = sandbox.start { projects = 1, workflows = 3, kinds = { "flaky" }, duration_s = 0.05 }
      start(COUNTING .. ([[, state_file = %q, recover = { "*/*" }, recover_in_worker = true, recover_existing = true]])
        :format(watches.state_file()))
      box:delay { delay_s = 0.02 }
      for id = 1, 3 do
        await_told("failed " .. id, 1)
        kill_one()
      end
      box:delay { delay_s = 0 }
      await("all are well", function()
        local executed = box:executed()
        local all = 0
        for id = 1, 3 do
          all = all + (executed[("%d"):format(id)] or 0)
        end
        return all == 3 and view().failed_count == 0
      end)
      assert.same({ ["1"] = 1, ["2"] = 1, ["3"] = 1 }, box:executed())
      assert.same({ "1: 1", "2: 1", "3: 1" }, of_runs "recovering")
    end)
  end)

  it("says what is wrong with its options, and in which phase it can't start", function()
    server = refusing [[
      5, {}, { shm = "none" }, { shm = "watch", lease_s = 0 }, { shm = "watch", sleep = 5 },
      { shm = "watch", projects = 5 }, { shm = "watch", project = "x" },
    ]]
    local said = server:body "/"
    for _, expected in ipairs {
      "a table of options expected, got number",
      'option "shm": the name of a lua_shared_dict expected, got nil',
      'option "shm": the name of a lua_shared_dict expected, got "none"',
      'option "lease_s": a number from 0.1 to 3600 expected',
      'option "sleep": nginx has its own',
      'option "projects": a list',
      'unknown option "project"; is "projects" meant?',
      "nil phase",
    } do
      assert.truthy(said:find(expected, 1, true), expected .. " is not in\n" .. said)
    end
  end)
end)

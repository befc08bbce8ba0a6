--- What every runtime must do, over its transport. A spec calls this inside a `describe`:
---
---     contract({runtime = runtime, run = function(fn) … end, fails = function(fn) … end},
---       {describe = describe, it = it, setup = setup, …})
---
--- `run` calls fn, in a task where the runtime has tasks, and comes back once nothing is under way any more, with
--- nothing left open. `fails` does so in a process of its own with the source of a function that throws, and returns
--- what it prints. `in_tasks = true` where there is nothing but tasks, nor a descriptor of a client, and where
--- connections outlive their client: all this is left out then. What is said here of times is said of order: no spec
--- measures one.
local assert = require "luassert"
local dsclient = require "dsclient"
local sandbox = require "dsclient.sandbox"
local tcp_server = require "spec.support.tcp_server"
local uv = require "luv"

local huge = math.huge

local function collect()
  if jit then
    jit.flush() -- a trace holds what it was made for
  end
  collectgarbage()
  collectgarbage()
end

--- The descriptors that this process has, once all is closed that nobody holds.
local function descriptors()
  collect()
  local list = {}
  local scan = assert(uv.fs_scandir "/proc/self/fd")
  for name in uv.fs_scandir_next, scan do
    list[#list + 1] = uv.fs_readlink("/proc/self/fd/" .. name) -- that of the scan itself is gone
  end
  table.sort(list)
  return list
end

local function numbers(count)
  local list = {}
  for i = 1, count do
    list[i] = i
  end
  return list
end

return function(given, busted)
  local describe, it = busted.describe, busted.it
  local runtime = given.runtime
  local has_tasks = runtime.park ~= nil
  local it_outside = given.in_tasks and function() end or it
  local server, box, clients, before

  busted.setup(function()
    server, box = tcp_server.start(), sandbox.start {}
  end)

  busted.teardown(function()
    box:stop()
    server:stop()
  end)

  busted.before_each(function()
    clients = {}
    before = not given.in_tasks and descriptors()
  end)

  busted.after_each(function()
    for _, client in ipairs(clients) do
      client:close()
    end
    box:heal()
    clients = nil
    if before then
      assert.same(before, descriptors())
    end
  end)

  --- A client of the sandbox, or of a path of the small server, which answers each request by it.
  local function client_of(path, options)
    options = options or {}
    options.api_url = path and server.url .. path or box.url
    options.token, options.server_version, options.runtime = box.token, "3.2.2", runtime
    clients[#clients + 1] = dsclient.new(options)
    return clients[#clients]
  end

  local function projects(client)
    return client:get_projects { cache = false }
  end

  local function file(client, sink)
    return client.resources:download({ full_name = "a" }, { sink = sink })
  end

  --- Runs functions as tasks side by side, and waits for them. What one throws is thrown.
  local function all(fns)
    local left, problem, waiter = #fns, nil, {}
    for i, fn in ipairs(fns) do
      runtime.spawn(function()
        local fine, why = pcall(fn, i)
        problem = problem or not fine and { why }
        left = left - 1
        runtime.wake(waiter)
      end)
    end
    while left > 0 do
      runtime.park(waiter, huge, true)
      waiter = {}
    end
    if problem then
      error(problem[1], 0)
    end
  end

  --- The same function for each of so many tasks.
  local function each(count, fn)
    local fns = {}
    for i = 1, count do
      fns[i] = fn
    end
    all(fns)
  end

  describe("a call", function()
    it("has its answer, within a run and outside of one, one after the other and again", function()
      local client = client_of()
      assert.equal(3, #assert(projects(client)))
      for _ = 1, 2 do
        given.run(function()
          for _ = 1, 3 do
            assert.equal(3, #assert(projects(client)))
          end
        end)
        assert.equal(3, #assert(projects(client)))
      end
    end)

    it("has its error", function()
      local kinds = { not_api = "/missing", deadline = "/stall", network = "/reset", protocol = "/garbage" }
      given.run(function()
        for kind, path in pairs(kinds) do
          local client = client_of(path, { timeout_s = 0.1, max_retries = 0 })
          assert.equal(kind, select(2, projects(client)).kind)
        end
      end)
    end)

    it("is repeated after a pause", function()
      local client = client_of(nil, { backoff_s = 0.01 })
      box:fault { fault = "status_500", operation = "projects.list", times = 2 }
      given.run(function()
        local value, _, meta = projects(client)
        assert.equal(3, #value)
        assert.equal(3, meta.attempts)
      end)
    end)

    it("pours a file into a sink, piece by piece; the sink may wait, and may call", function()
      local client, other = client_of "/file/300000", client_of()
      given.run(function()
        local bytes, pieces, rows = 0, 0, 0
        assert(file(client, function(piece)
          bytes, pieces = bytes + #piece, pieces + 1
          assert(client:sleep(0.001))
          rows = #assert(projects(other)) + rows
        end))
        assert.equal(300000, bytes)
        assert.is_true(pieces > 2)
        assert.equal(3 * pieces, rows)
      end)
    end)

    it("is one of many, of two clients, all of which are answered", function()
      local a, b = client_of(), client_of()
      given.run(function()
        local values, errs = a:map(numbers(20), function(i)
          return projects(i % 2 == 0 and a or b)
        end)
        assert.is_nil(errs)
        for i = 1, 20 do
          assert.equal(3, #values[i])
        end
      end)
    end)

    it("is gathered with others under a time that is everybody's", function()
      local client, stalled = client_of(), client_of("/stall", { timeout_s = 0.2 })
      given.run(function()
        local values, errs = client:gather({
          projects = function()
            return projects(client)
          end,
        }, { timeout_s = 100 })
        assert.equal(3, #values.projects)
        assert.is_nil(errs)
        values, errs = client:map({ 1, 2 }, function()
          return projects(stalled)
        end, { timeout_s = 0.05, concurrency = 2 })
        assert.same({ false, false }, values)
        assert.equal("deadline", errs[2].kind)
      end)
    end)

    it("ends at once where the client is closed", function()
      local client = client_of()
      given.run(function()
        assert(projects(client))
        client:close()
        assert.equal("closed", select(2, projects(client)).kind)
        assert.equal("closed", select(2, client:sleep(100)).kind)
      end)
    end)

    it("leaves nothing of a client that nobody closed", function()
      local watched = setmetatable({}, { __mode = "v" })
      coroutine.wrap(function() -- whose stack goes with it
        local client = client_of()
        watched[1] = client
        given.run(function()
          assert(projects(client))
          assert(client:map({ 1, 2, 3 }, function()
            return projects(client)
          end))
        end)
        clients = {}
      end)()
      collect()
      assert.is_nil(watched[1])
    end)
  end)

  if not has_tasks then
    return
  end

  describe("a task", function()
    it("is there where one runs, and is the same over its waits", function()
      if not given.in_tasks then
        assert.is_nil(runtime.current())
      end
      given.run(function()
        local tasks = { runtime.current() }
        assert.is_not_nil(tasks[1])
        each(2, function(i)
          local task = runtime.current()
          tasks[i + 1] = task
          runtime.sleep(0)
          assert.equal(task, runtime.current())
        end)
        assert.equal(tasks[1], runtime.current())
        assert.are_not.equal(tasks[1], tasks[2])
        assert.are_not.equal(tasks[2], tasks[3])
      end)
      if not given.in_tasks then
        assert.is_nil(runtime.current())
      end
    end)

    it("begins soon, not at once, after those that were spawned before", function()
      given.run(function()
        local log, spawned = {}, {}
        local waiter = {}
        for i = 1, 5 do
          spawned[i] = runtime.spawn(function()
            assert.equal(spawned[i], runtime.current())
            log[#log + 1] = i
            if i == 5 then
              runtime.wake(waiter)
            end
          end)
        end
        assert.same({}, log)
        assert.equal("woken", runtime.park(waiter, huge))
        assert.same({ 1, 2, 3, 4, 5 }, log)
      end)
    end)

    it("waits until it is woken; to be woken before, or twice, or afterwards, is fine", function()
      given.run(function()
        local waiter, log = {}, {}
        runtime.spawn(function()
          log[#log + 1] = "wakes"
          runtime.wake(waiter)
          runtime.wake(waiter)
          log[#log + 1] = "has woken"
        end)
        assert.equal("woken", runtime.park(waiter, huge))
        assert.same({ "wakes", "has woken" }, log)
        runtime.wake(waiter)
        local early = {}
        runtime.wake(early)
        assert.equal("woken", runtime.park(early, huge))
        assert.equal("timeout", runtime.park({}, 0.001))
        assert.equal("timeout", runtime.park({}, -1))
      end)
    end)

    it("goes on before those that were woken later", function()
      given.run(function()
        local waiters, log = {}, {}
        local function wait(i)
          waiters[i] = {}
          assert.equal("woken", runtime.park(waiters[i], i % 2 == 0 and huge or 100))
          log[#log + 1] = i
        end
        local fns = {}
        for i = 1, 5 do
          fns[i] = wait
        end
        fns[6] = function()
          for _, i in ipairs { 3, 1, 5, 2, 4 } do
            runtime.wake(waiters[i])
          end
        end
        all(fns)
        assert.same({ 3, 1, 5, 2, 4 }, log)
      end)
    end)

    it("wakes by its time, the earliest first, also where all are late", function()
      given.run(function()
        local log, times = {}, { 0.3, 0.1, 0.2, 0.1 }
        each(4, function(i)
          runtime.sleep(times[i])
          log[#log + 1] = i
        end)
        assert.same({ 2, 4, 3, 1 }, log)
        log, times = {}, { 0.003, 0.001, 0.002 }
        local fns = {}
        for i = 1, 3 do
          fns[i] = function()
            runtime.sleep(times[i])
            log[#log + 1] = i
          end
        end
        fns[4] = function()
          uv.sleep(20)
        end
        all(fns)
        assert.same({ 2, 3, 1 }, log)
      end)
    end)

    it("that was woken as its time ended has been woken, and waits for the next one", function()
      given.run(function()
        local waiter, how = {}, {}
        all {
          function()
            how[1] = runtime.park(waiter, 0.001)
            how[2] = runtime.park({}, 0.001)
          end,
          function()
            uv.sleep(5)
            runtime.wake(waiter)
          end,
        }
        assert.same({ "woken", "timeout" }, how)
      end)
    end)

    it("leaves nothing of a wait that is over", function()
      local waits = setmetatable({}, { __mode = "k" })
      coroutine.wrap(function()
        given.run(function()
          each(10, function(i)
            local waiter = {}
            waits[waiter] = true
            if i % 2 == 0 then
              runtime.cancel(runtime.current())
            else
              runtime.spawn(function()
                runtime.wake(waiter)
              end)
            end
            runtime.park(waiter, 1000)
          end)
        end)
      end)()
      collect()
      assert.same({}, waits)
    end)

    it("that is cancelled waits no more, now and later, unless it is shielded", function()
      given.run(function()
        local log, tasks, shield = {}, {}, {}
        local function note(i, how)
          log[#log + 1] = i .. " " .. how
        end
        all {
          function()
            tasks[1] = runtime.current()
            note(1, runtime.park({}, huge))
            note(1, runtime.park({}, huge))
            local woken = {}
            runtime.wake(woken)
            note(1, runtime.park(woken, huge))
          end,
          function()
            tasks[2] = runtime.current()
            note(2, runtime.park(shield, huge, true))
            note(2, runtime.park({}, 100))
          end,
          function()
            tasks[3] = runtime.spawn(function()
              note(3, runtime.park({}, 100))
              runtime.wake(shield)
            end)
            for _, task in ipairs(tasks) do
              runtime.cancel(task)
            end
          end,
        }
        runtime.cancel(tasks[1]) -- it is over
        table.sort(log)
        assert.same({ "1 cancelled", "1 cancelled", "1 cancelled", "2 cancelled", "2 woken", "3 cancelled" }, log)
      end)
    end)

    it("that goes on though cancelled keeps nobody from running", function()
      given.run(function()
        local rounds, seen = 0, nil
        all {
          function()
            runtime.cancel(runtime.current())
            while not seen do
              runtime.park({}, 100)
              rounds = rounds + 1
            end
          end,
          function()
            runtime.sleep(0.001)
            assert(#assert(projects(client_of())) == 3)
            seen = true
          end,
        }
        assert.is_true(rounds > 1)
      end)
    end)

    it_outside("is woken by what has no descriptor, which is looked at now and then", function()
      given.run(function()
        local waiter, steps = {}, 0
        local source = { pollfd = function() end, timeout = function() end }
        function source.busy()
          return steps < 3
        end
        function source.events()
          return "r"
        end
        function source.step()
          steps = steps + 1
          if steps == 3 then
            runtime.wake(waiter)
          end
        end
        runtime.watch(source)
        assert.equal("woken", runtime.park(waiter, huge))
      end)
    end)

    it_outside("that throws is told of, with its traceback", function()
      local output = given.fails [[
        local function the_place_that_throws()
          error "the fault"
        end
        runtime.sleep(0.001)
        the_place_that_throws()
        print "it went on"
      ]]
      assert.truthy(output:find("the fault", 1, true), output)
      assert.is_nil(output:find("it went on", 1, true))
    end)
  end)

  describe("tasks side by side", function()
    it("call at the same time, over connections of their own", function()
      local client = client_of "/hold"
      local accepted = server:ask "connections"
      given.run(function()
        local errs = select(2, client:map(numbers(5), function()
          return projects(client)
        end, { timeout_s = 0.3 }))
        assert.equal(5, #errs)
      end)
      assert.equal(5, server:ask "connections" - accepted)
    end)

    it("share one fetch of the same", function()
      local client = client_of "/api"
      local count = server:ask "count all"
      given.run(function()
        each(10, function()
          assert.same({}, (assert(client:get_projects())))
        end)
      end)
      assert.equal(1, server:ask "count all" - count)
    end)

    it("get their turn in the order in which they asked for a connection", function()
      local client = client_of("/api", { pool_maxsize = 2, enable_cache = false })
      local accepted, log = server:ask "connections", {}
      given.run(function()
        each(20, function(i)
          assert(client:get_process_definitions(tostring(i)))
          log[#log + 1] = i
        end)
      end)
      assert.equal(20, #log)
      for place, i in ipairs(log) do
        assert.is_true(math.abs(place - i) <= 1)
      end
      assert.equal(2, server:ask "connections" - accepted)
    end)

    it("are 200, with answers, time-outs, repeats and files, and all are told", function()
      local fine = client_of(nil, { backoff_s = 0.001, max_retries = 9 })
      local late, files = client_of "/stall", client_of "/file/100000"
      local ends = {}
      local function count(how)
        ends[how] = (ends[how] or 0) + 1
      end
      box:fault { fault = "status_500", operation = "projects.list", times = 5 }
      given.run(function()
        each(200, function(i)
          if i % 20 == 0 then
            local bytes = 0
            assert(file(files, function(piece)
              bytes = bytes + #piece
            end))
            count(bytes)
          elseif i % 10 == 0 then
            count(select(2, late:get_projects { cache = false, timeout_s = 0.02 }).kind)
          else
            count(#assert(projects(fine)))
          end
        end)
      end)
      assert.same({ [3] = 180, [100000] = 10, deadline = 10 }, ends)
    end)

    it("are ended when they are cancelled: under way, in the queue, before a repeat", function()
      local client = client_of("/stall", { pool_maxsize = 1 })
      local failing = client_of("/reset", { backoff_s = 100, jitter = "none", timeout_s = 1000 })
      local fine = client_of()
      given.run(function()
        local ends, tasks = {}, {}
        local function begins(from)
          return function(i)
            tasks[i] = runtime.current()
            ends[i] = select(2, projects(from)).kind
          end
        end
        all { begins(client), begins(client), begins(failing), function()
          while failing:get_metrics_summary().retries == 0 do
            runtime.sleep(0.001)
          end
          for i = 1, 3 do
            runtime.cancel(tasks[i])
          end
        end }
        assert.same({ "cancelled", "cancelled", "cancelled" }, ends)
        assert.equal(3, #assert(projects(fine)))
      end)
      assert.equal(0, client:status().in_flight)
    end)

    it("are ended when their client is closed, wherever they are; another goes on", function()
      local client, other = client_of("/stall", { pool_maxsize = 2 }), client_of()
      local failing = client_of("/stall")
      given.run(function()
        local ends = {}
        local fns = {}
        for i = 1, 6 do
          fns[i] = function()
            ends[i] = select(2, projects(i < 6 and client or failing)).kind
          end
        end
        fns[7] = function()
          ends[7] = select(2, client:sleep(100)).kind
        end
        fns[8] = function()
          assert.equal(3, #assert(projects(other)))
          client:close()
          failing:close()
          assert.equal(3, #assert(projects(other)))
        end
        all(fns)
        for i = 1, 7 do
          assert.equal("cancelled", ends[i])
        end
      end)
      assert.equal(3, #assert(projects(other)))
    end)

    it_outside("go on with a client that has the descriptor of one that was closed", function()
      local client = client_of "/stall"
      given.run(function()
        local kind
        all {
          function()
            kind = select(2, projects(client)).kind
          end,
          function()
            assert.is_true(client:sleep(0.01))
            local fd = client:pollfd()
            client:close()
            local others = {}
            repeat
              others[#others + 1] = client_of()
            until others[#others]:pollfd() == fd
            for _, other in ipairs(others) do
              assert.equal(3, #assert(projects(other)))
            end
          end,
        }
        assert.equal("cancelled", kind)
      end)
    end)

    it("gather within what is gathered, and are ended by the first Lua error", function()
      local client = client_of()
      given.run(function()
        local values = assert(client:gather {
          a = function()
            return client:map({ 1, 2, 3 }, function()
              return #assert(projects(client))
            end)
          end,
          b = function()
            return client:sleep(0.001)
          end,
        })
        assert.same({ a = { 3, 3, 3 }, b = true }, values)
        local ended
        local ok, problem = pcall(client.gather, client, {
          function()
            assert(projects(client))
            error "a fault"
          end,
          function()
            ended = select(2, client:sleep(100)).kind
          end,
        })
        assert.is_false(ok)
        assert.truthy(problem:find "a fault\nstack traceback:")
        assert.equal("cancelled", ended)
      end)
    end)

    it_outside("may be many more than the one who can't wait, and waits for nobody", function()
      local client = client_of(nil, { pool_maxsize = 1 })
      given.run(function()
        local answers, fns = 0, {}
        local function get()
          assert(projects(client))
          answers = answers + 1
        end
        for i = 1, 10 do
          fns[i] = get
        end
        fns[11] = function()
          given.aside(function()
            assert.is_nil(runtime.current())
            get()
          end)
        end
        all(fns)
        assert.equal(11, answers)
      end)
    end)
  end)
end

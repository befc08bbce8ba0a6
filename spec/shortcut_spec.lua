--- A method with a short way to the cache does what `client:call`, which has
-- none, does: the same values, errors, requests and counts, whatever is given.

local bed = require "support.bed"
local finaliser = require "support.finaliser"
local operations = require "dsclient.operations"
local traces = require "support.traces"

local ok = bed.ok

-- --- calls at random -----------------------------------------------------

local LONG = ("x"):rep(2100) -- no key that is kept

-- Few of each, so that calls meet again. Most are plain.
local VALUES = {
  code = { "181535832683296", "7", 7, 181535832683296, "0", "07", "-1", -1, 7.5, 2 ^ 53, "9223372036854775807",
    "9223372036854775808", 0, true, {} },
  id = { 1, 2147483647, "12", 12, "0012", 2147483648, "2147483648", 0, -3, 1.5, "x", false },
  integer = { 5, "5", 0, 1, 1000, -2, 2.5, 2147483648 },
  string = { "a", "b c", "", "5", 5, "a\0b", LONG, {} },
  enum = { "FAILURE", "STOP_2", "failure", "F-", "", "2X", 3 },
  date = { "2024-01-01 00:00:00", 1704067200, "2024-13-01 00:00:00", true },
  boolean = { true, false, "true", 1 },
  codes = { "7,8", { "7", 8 }, 7, "7", "", "x", true },
  ids = { "1,2", { 1, "2" }, 3, "12", {}, "-1", false },
  strings = { "a", { "a", "b" }, "a,b", "", { "a,b" }, 5, {} },
  json = { "{}", { a = 1 }, "", "[", 7 },
}
for _, kind in ipairs { "user_id", "tenant_id", "queue_id", "alert_group_id", "datasource_id", "worker_group_id" } do
  VALUES[kind] = VALUES.id
end
VALUES.project = { "7", "8", 7, 27, 181535832683296, "alpha", "beta", { name = "alpha" }, { name = "7" }, "", "0", true,
  {} }
VALUES.workflow = VALUES.project
VALUES.task, VALUES.environment, VALUES.cluster = VALUES.code, VALUES.code, VALUES.code
VALUES.workflows, VALUES.tasks = VALUES.codes, VALUES.codes
VALUES.tenant, VALUES.worker_group = { "default", "", 5 }, { "default", "", 5 }

local function hidden(value)
  return setmetatable({}, { __index = value })
end

local OPTIONS = {
  { borrow = true }, { borrow = true }, { borrow = true }, {}, { borrow = false }, { raw = false }, { raw = true },
  { borrow = true, raw = true }, { cache = false }, { refresh = true }, { ttl_s = 3 }, { ttl_s = 0 }, { borrow = 1 },
  { timeout = 1 }, { [1] = true }, hidden { borrow = true }, true,
}

local NONE = {} -- stands for nil in lists

-- The first ones three times as often.
local function one_of(random, list)
  local value = list[random(3) == 1 and random(#list) or random(math.min(#list, 4))]
  return value ~= NONE and value or nil
end

local function some_options(random)
  return random(3) > 1 and one_of(random, OPTIONS) or nil
end

local function some_args(random, row, own)
  local args = {}
  for _, param in ipairs(row.params) do
    local wanted = param.path or param.required or random(3) == 1
    if wanted and not own[param[1]] and random(20) > 1 then
      args[param[1]] = one_of(random, VALUES[param[2]])
    end
  end
  if row.result == "page" and random(8) == 1 then
    args.rows_max = random(2) == 1 and 2 or 5
  elseif random(40) == 1 then
    args.unknown = "x"
  elseif random(40) == 1 then
    return hidden(args)
  end
  return args
end

--- A call of a method, and the same one by name: a table {name, method =
-- function (client), reference = function (client)}.
local makers = {}

for _, name in ipairs(operations.names()) do
  local row = operations.find(name)
  if row.replay == "read" and row.name == row.operation then
    makers[#makers + 1] = function(random)
      local args = random(10) > 1 and some_args(random, row, {}) or nil
      local opts = some_options(random)
      return function(client)
        local resource = client[row.resource]
        return resource[row.verb](resource, args, opts)
      end, function(client)
        return client:call(name, args, opts)
      end
    end
  end
end

local ALIASES = {
  { name = "get_projects" },
  { name = "get_process_definitions", project = true },
  { name = "get_workflow_instances", project = true, filter = true },
  { name = "get_failed_workflow_instances", project = true, filter = true, state = "FAILURE" },
  { name = "get_task_instances", project = true, filter = true },
}

for _, shape in ipairs(ALIASES) do
  local name, row = shape.name, operations.find(shape.name)
  makers[#makers + 1] = function(random)
    local project = shape.project and one_of(random, VALUES.project)
    local filter = shape.filter and random(2) == 1 and some_args(random, row, { project = true, state = shape.state })
    local opts = some_options(random)
    local given, all = {}, { project = project or nil, state = shape.state }
    given[#given + 1] = shape.project and (project or NONE) or nil
    given[#given + 1] = shape.filter and (filter or NONE) or nil
    given[#given + 1] = opts
    for i = 1, 3 do
      given[i] = given[i] ~= NONE and given[i] or nil
    end
    for key, value in pairs(filter or {}) do
      all[key] = value
    end
    return function(client)
      return client[name](client, given[1], given[2], given[3])
    end, function(client)
      return client:call(name, all, opts)
    end
  end
end

-- Each answer tells what was asked for; a project's name can be looked up.
local function answer(request)
  local row = ('{"id":1,"code":7,"name":"alpha","path":"%s"}'):format(request.path:gsub("[%c\"\\]", "?"))
  local rows = request.path:find "searchVal=b" and row .. "," .. row .. "," .. row or row
  if request.path:find "simple%-list" or request.path:find "tenant" and not request.path:find "pageNo" then
    return ok("[" .. rows .. "]")
  elseif request.path:find "pageNo" then
    local _, count = rows:gsub("alpha", "")
    return ok(('{"totalList":[%s],"total":%d}'):format(rows, count))
  end
  return ok(row)
end

local function outcome(b, fn)
  local fine, value, err, meta = pcall(fn, b.client)
  return {
    -- a message without its place
    thrown = not fine and tostring(value):gsub("^[^:]*:%d+: ", "") or nil,
    value = fine and value or nil,
    err = err and tostring(err) or nil,
    cached = meta and meta.cached,
    age_s = meta and meta.age_s,
    attempts = meta and meta.attempts,
    requests = #b.requests,
  }
end

local function ttls()
  local all = {}
  for _, name in ipairs(operations.names()) do
    all[name] = operations.find(name).replay == "read" and 20 or nil
  end
  return all
end

--- Runs the same calls on two clients; how many were answered by the cache.
local function compare(seed, count, options)
  local random = traces.random(seed)
  options.cache_ttl_s = options.cache_ttl_s or ttls()
  local one, other = bed.new(answer, options), bed.new(answer, options)
  local cached = 0
  for i = 1, count do
    local method, reference = makers[random(#makers)](random)
    local got, expected = outcome(one, method), outcome(other, reference)
    assert.same(expected, got, ("seed %d, call %d"):format(seed, i))
    cached = cached + (got.cached and 1 or 0)
    local seconds = random(10) == 1 and random(8) or 0
    one.advance(seconds)
    other.advance(seconds)
  end
  assert.same(other.client:get_cache_stats(), one.client:get_cache_stats())
  local counted, expected = one.client:get_all_metrics(), other.client:get_all_metrics()
  assert.same(expected, counted)
  return cached
end

describe("a method with a short way to the cache", function()
  it("does what the whole way does, for any arguments and options", function()
    local cached = 0
    for seed = 1, 8 do
      cached = cached + compare(seed, 2000, { rows_max = 2 })
    end
    assert.is_true(cached > 500)
  end)

  it("does so without cache, without counters, and where an operation is not cached", function()
    assert.equal(0, compare(100, 200, { enable_cache = false }))
    assert.is_true(compare(101, 4000, { enable_metrics = false }) > 10)
    assert.is_true(compare(102, 4000, { cache_ttl_s = { ["instances.list"] = 0, get_task_instances = 9 } }) > 10)
    assert.is_true(compare(103, 4000, { cache_ttl_s = { ["projects.list"] = 0 }, cache_entries_max = 3 }) > 10)
  end)
end)

-- --- what it is for ------------------------------------------------------

local BORROW = { borrow = true }

describe("a borrowed hit", function()
  local b

  before_each(function()
    b = bed.new(answer)
  end)

  local calls = {
    get_projects = function() return b.client:get_projects(BORROW) end, -- luacheck: ignore
    get_process_definitions = function() return b.client:get_process_definitions("7", BORROW) end, -- luacheck: ignore
  }
  local ARGS = { project = "7", search = "" }
  function calls.resource()
    return b.client.workflows:list(ARGS, BORROW)
  end

  for name, call in pairs(calls) do
    it("allocates nothing: " .. name, function()
      local function calls_of(count)
        for _ = 1, count do
          call()
        end
        return collectgarbage "count"
      end
      if jit then -- it makes code of what is called often
        jit.off()
      end
      collectgarbage "stop"
      local before = calls_of(1000)
      local grown = calls_of(1000) - before
      collectgarbage "restart"
      if jit then
        jit.on()
      end
      assert.equal(0, grown)
      assert.equal(1, #b.requests)
    end)
  end

  it("gives the table of the entry, and a meta that the next one overwrites", function()
    b.client:get_projects()
    local value, err, meta = b.client:get_projects(BORROW)
    assert.is_nil(err)
    assert.same({ cached = true, age_s = 0, attempts = 0 }, meta)
    b.advance(5)
    local again, _, same_meta = b.client:get_projects(BORROW)
    assert.is_true(rawequal(value, again) and rawequal(meta, same_meta))
    assert.equal(5, meta.age_s)
    local own, _, own_meta = b.client:get_projects()
    assert.is_false(rawequal(value, own) or rawequal(meta, own_meta))
    assert.same({ cached = true, age_s = 5, attempts = 0 }, own_meta)
    local _, _, next_meta = b.client:get_projects()
    assert.is_false(rawequal(own_meta, next_meta))
  end)

  it("is no way around what the whole one refuses: a name without cache, an argument given twice", function()
    local PAGE = bed.PAGE
    b = bed.new({ PAGE }, {
      cache_ttl_s = { ["projects.list"] = 0, get_projects = 9, get_failed_workflow_instances = 9 },
    })
    local client = b.client
    for _ = 1, 2 do
      client:get_projects(BORROW)
      client.projects:list({}, BORROW)
    end
    assert.equal(3, #b.requests)
    client:get_failed_workflow_instances("7")
    for _, filter in ipairs { { project = "7" }, { state = "FAILURE" } } do
      assert.is_false((pcall(client.get_failed_workflow_instances, client, "7", filter)))
    end
  end)

  it("is of this client: another one, a closed one and other things are none", function()
    local c = bed.new(answer)
    b.client:get_projects()
    assert.is_false(select(3, c.client:get_projects(BORROW)).cached)
    assert.is_true(select(3, b.client:get_projects(BORROW)).cached)
    local method = b.client.get_projects
    for _, wrong in ipairs { io.stdout, true, 5, "x", function() end, {} } do
      assert.is_false((pcall(method, wrong, BORROW)))
    end
    b.client:close()
    assert.equal("closed", select(2, b.client:get_projects(BORROW)).kind)
  end)

  it("can be replaced, as each method", function()
    b.client.get_projects = function()
      return "stub"
    end
    b.client.workflows.list = b.client.get_projects
    assert.equal("stub", b.client:get_projects(BORROW))
    assert.equal("stub", b.client.workflows:list(ARGS, BORROW))
    assert.is_table(bed.new(answer).client:get_projects(BORROW))
  end)
end)

describe("the whole way behind a short one", function()
  it("may yield: the transport waits in a coroutine", function()
    local b = bed.new(answer)
    local start = b.transport.start
    function b.transport.start(...)
      local exchange = start(...)
      local wait = exchange.wait
      function exchange.wait()
        coroutine.yield "waiting"
        return wait()
      end
      return exchange
    end
    local thread = coroutine.create(function()
      return b.client:get_projects(BORROW), b.client.workflows:list { project = "7" }
    end)
    for _ = 1, 2 do
      assert.same({ true, "waiting" }, { coroutine.resume(thread) })
    end
    local fine, projects, workflows = coroutine.resume(thread)
    assert.is_true(fine)
    assert.same({ "alpha", "alpha" }, { projects[1].name, workflows[1].name })
  end)

  it("is gone where a finaliser closes or clears the client in the middle of a hit", function()
    finaliser.rounds(jit and 60 or 100, function(round)
      local b = bed.new(answer)
      local client = b.client
      b.client:get_projects()
      b.client.workflows:list { project = "7" }
      local finish = round % 2 == 0 and client.close or client.clear_cache
      return function()
        finish(client)
      end, function()
        for _ = 1, 3 do
          for _, opts in ipairs { {}, BORROW } do
            local value, err = client:get_projects(opts)
            assert.is_true(value and value[1].name == "alpha" or err.kind == "closed")
            value, err = client.workflows:list({ project = "7" }, opts)
            assert.is_true(value and value[1].name == "alpha" or err.kind == "closed")
          end
        end
      end
    end)
  end)
end)

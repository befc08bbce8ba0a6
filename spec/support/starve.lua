--- Run by starve_spec.lua under fail_malloc: does what users do, with each
-- allocation failing in turn, and all of it again, unharmed, after each.
--
--     lua starve.lua FAIL_MALLOC.so URL TOKEN once|for_good URL_OF_A_FILE

local shim = assert(package.loadlib(arg[1], "luaopen_fail_malloc"))()
local url, token, for_good = arg[2], arg[3], arg[4] == "for_good"
local core = require "dsclient.core"
local dsclient = require "dsclient"
local uv = require "luv"

-- More allocations than this and something runs away.
local ALLOCATIONS_MAX = 20000

local function new(options)
  options = options or { server_version = "3.1.1" }
  options.api_url, options.token, options.max_retries = url, token, 0
  return dsclient.new(options)
end

local function nothing() end

-- Each is given a client that was used before, and returns a value; or nil and
-- an error.
local scenarios = {}

function scenarios.lists(client)
  client:clear_cache()
  local projects, err = client:get_projects { borrow = true }
  if not projects then
    return nil, err
  end
  return client:get_workflow_instances(projects[1].name, { search = "a b" })
end

function scenarios.hits(client)
  local _ = client:get_projects()
  return client:get_projects { borrow = true }
end

function scenarios.gather(client)
  client:clear_cache()
  local values, errs = client:gather {
    a = function()
      return client:get_projects { borrow = true }
    end,
    b = function()
      return client.users:current()
    end,
    c = function()
      return client:map({ 1, 2 }, function(seconds)
        return client:sleep(seconds / 1e6)
      end)
    end,
  }
  return values and not errs or nil, errs and (errs.a or errs.b or errs.c)
end

function scenarios.start(client)
  return client.workflows:start { project = "demo-1", workflow = "good-1", start_params = { a = { "b", 1.5 } } }
end

function scenarios.first_call()
  local client = new {}
  local info, err = client:check_connection()
  client:close()
  return info, err
end

function scenarios.functions(client)
  local cached = client:cached(function(n)
    return { { ("x"):rep(n) } }
  end, { ttl_s = 60 })
  local monitored = client:monitored(cached, "job")
  return monitored(10) and monitored(10) and monitored(2000)
end

function scenarios.growing()
  local client = new()
  local cached = client:cached(function(n)
    return { n }
  end, { ttl_s = 60 })
  local sum = 0
  for n = 1, 40 do -- more than a cache first has room for
    sum = sum + cached(n)[1]
  end
  client:close()
  return sum
end

function scenarios.report(client)
  client:print_stats(nothing)
  client:print_stats(nothing, { lang = "zh" })
  return client:get_all_metrics() and client:get_cache_stats()
end

function scenarios.metrics(client)
  local snapshot = client:metrics_snapshot()
  local merged, err = dsclient.merge_metrics(snapshot, snapshot)
  if not merged then
    return nil, err
  end
  return client:metrics_text "openmetrics" and dsclient.metrics_text(merged)
end

function scenarios.json()
  assert(core.encode(('"'):rep(300)) and core.encode("x" .. ('"'):rep(300)))
  local text = core.encode { list = core.array {}, row = { code = "1", x = 1.5, name = ("é"):rep(200) } }
  return core.decode(text, true)
end

local file_client = dsclient.new { api_url = arg[5], token = token, max_retries = 0, server_version = "3.2.2" }

function scenarios.file()
  return file_client.resources:download({ full_name = "a" }, { sink = nothing })
end

-- What may be told of a call that had no memory. A write may have been sent.
-- libcurl (7.88) sends a URL without its query where it finds no memory for a
-- copy of it: the server refuses that, as each list wants its page number.
local kinds = { memory = true, connect = true, network = true, protocol = true, closed = true, not_api = true,
  dns = true, timeout = true, tls = true, outcome_unknown = true, api = true }

local client = new()

local function starve(name, scenario)
  local count, refused, thrown = 0, 0, 0
  for n = 0, ALLOCATIONS_MAX do
    collectgarbage "stop" -- what is allocated must not depend on the collector
    shim.arm(n, for_good)
    local ok, value, err = pcall(scenario, client)
    local failed = shim.disarm()
    collectgarbage "restart"
    if failed == 0 then
      break
    end
    count = count + 1
    if not ok then
      thrown = thrown + 1
      assert(tostring(value):find "memory", tostring(value))
    elseif value == nil then
      refused = refused + 1
      assert(kinds[err.kind], tostring(err))
    end
    local again, problem = scenario(client)
    assert(again, tostring(problem))
    if n % 50 == 0 then
      collectgarbage()
    end
  end
  assert(count > 5, name .. ": only " .. count .. " allocations were made to fail")
  assert(count < ALLOCATIONS_MAX, name)
  print(("%s: %d allocations failed in turn, %d errors returned, %d thrown"):format(name, count, refused, thrown))
end

--- A loop that has watched the client's descriptor from the begin on is told by it
-- of an answer, whatever became of the transfers in between.
local LOOKS_MAX = 5000
local readable = false
local poll = assert(uv.new_poll(client:pollfd()))
assert(poll:start("r", function()
  readable = true
end))
uv.run "nowait"

local function check_descriptor()
  local got
  dsclient.start(function()
    got = client:get_projects { cache = false }
  end)
  while client:step() > 0 do
    local looks = 0
    readable = client:timeout() == 0
    while not readable do
      looks = looks + 1
      assert(looks < LOOKS_MAX, "the descriptor tells nothing")
      uv.sleep(1)
      uv.run "nowait"
    end
  end
  assert(got)
end

local names = {}
for name, scenario in pairs(scenarios) do
  names[#names + 1] = name
  assert(scenario(client))
end
table.sort(names)
for _, name in ipairs(names) do
  starve(name, scenarios[name])
end
check_descriptor()
poll:close()
uv.run()
client:close()

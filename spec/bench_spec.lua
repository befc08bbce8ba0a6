-- `make bench` in its short form: all parts run, and each figure is there. What
-- the figures say is for people to judge, but for those that are counted.

if (os.getenv "LD_PRELOAD" or ""):find "asan" then
  return -- its programs are not made for it, and what they measure is not what users have
end

local cjson = require "cjson"
local VM = jit and "luajit" or "lua" .. _VERSION:match "[%d.]+$"

-- Each part, and the names of its figures; those of other clients are there
-- where these are.
local PARTS = {
  scenario = {},
  scenario_goals = {
    "quiet_calls", "quiet_kilobytes", "quiet_cpu_ms", "quiet_round_trips", "failures_calls", "failures_round_trips",
  },
  scale = { "ideal_1", "round_1", "ideal_2", "round_2", "bare", "ideal_3", "round_3", "linear", "memory" },
  faults = {
    "naive_failed", "naive_requests", "naive_call_ms", "dsclient_failed", "dsclient_requests", "dsclient_call_ms",
  },
  deadline = { "idle", "late" },
  call_1kb = { "loop", "multi", "bare", "multi_cjson", "raw", "dsclient" },
  call_10kb = { "loop", "multi", "bare", "multi_cjson", "raw", "dsclient" },
  many_1kb = { "multi", "multi_cjson", "raw", "dsclient" },
  many_10kb = { "multi", "multi_cjson", "raw", "dsclient" },
  work = {
    "one_1kb_instructions", "one_1kb_bytes", "one_10kb_instructions", "one_10kb_bytes", "many_1kb_instructions",
    "many_1kb_bytes", "many_10kb_instructions", "many_10kb_bytes",
  },
  memory = {
    "client", "private", "operations", "entry_1kb", "borrowed_1kb", "entry_10kb", "borrowed_10kb", "connection",
  },
  inside = { "nothing", "uncached", "bind", "request", "core_policy" },
  cache = {
    "hit_borrowed", "hit_arguments", "hit_lrucache_on", "hit_lrucache_off", "hit_cachetools", "hit_private", "set",
    "set_lrucache_on", "set_lrucache_off", "set_cachetools", "core_hit", "core_miss", "core_set",
  },
  metrics = { "record", "record_python", "text", "text_python" },
  json = { "one_pass", "cjson", "cjson_walk" },
}

-- Those that are there where nginx has Lua, and a build for LuaJIT is at hand.
local NGINX_PARTS = {
  nginx_calls = { "by_hand", "raw", "normal", "nothing" },
  nginx_waiting = { "above" },
  nginx_hits = { "first_on", "first_off", "arguments_on", "second_on", "second_off", "second_row_on", "dict_on" },
}

for _, way in ipairs { "naive", "cached", "quiet", "news", "failures" } do
  for _, metric in ipairs { "calls", "connections", "kilobytes", "time_ms", "answer_ms", "cpu_ms" } do
    table.insert(PARTS.scenario, way .. "_" .. metric)
  end
end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function contents(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function is_figure(value)
  return type(value) == "number" and value >= 0 and value < math.huge
end

describe("make bench", function()
  local result, printed

  -- without the sanitizers' library where the specs run under one: make, the
  -- compiler and Python are not for it
  setup(function()
    local out = os.tmpname()
    local make = "env -u LD_PRELOAD make -s bench-ready VM=%s SAN= BENCH_ARGS=--short BENCH_OUT=%s 2>&1"
    printed = output_of(make:format(VM, out))
    local text = contents(out)
    os.remove(out)
    assert(text ~= "", printed)
    result = cjson.decode(text)
  end)

  local function check_figures(part, names)
    for _, name in ipairs(names) do
      local figure = result.parts[part][name]
      assert.is_table(figure, part .. "." .. name .. " is missing")
      for _, field in ipairs { "min", "median", "max" } do
        assert.is_true(is_figure(figure[field]), ("%s.%s.%s: %s"):format(part, name, field, tostring(figure[field])))
      end
      assert.is_true(figure.min <= figure.median and figure.median <= figure.max, part .. "." .. name)
      assert.is_string(figure.unit)
    end
  end

  for part, names in pairs(PARTS) do
    it("has all figures of the part " .. part, function()
      check_figures(part, names)
    end)
  end

  it("measures inside nginx where that has Lua, or says what is not there", function()
    local lacking = printed:match "Inside nginx\n  %(no ([%a ]+) here: left out%)"
    if lacking then
      return assert.is_true(VM ~= "luajit" or lacking ~= "build for LuaJIT")
    end
    for part, names in pairs(NGINX_PARTS) do
      check_figures(part, names)
    end
    assert.is_true(result.parts.nginx_calls.nothing.median < result.parts.nginx_calls.normal.median)
    assert.truthy(printed:find("no lua-resty-http here: left out", 1, true))
  end)

  it("compares with peers of the same run", function()
    for part, against in pairs { call_1kb = "raw", call_10kb = "raw", json = "cjson_walk", metrics = "text_python",
      cache = "set_cachetools" } do
      assert.is_true(is_figure(result.parts[part][against].ratio.median))
    end
    assert.is_true(is_figure(result.parts.scenario.quiet_time_ms.ratio))
  end)

  it("counts 34 calls before, 7, then 3 with the cache, over one connection, and 1 while nothing fails", function()
    local scenario = result.parts.scenario
    assert.equal(34, scenario.naive_calls.min)
    assert.equal(34, scenario.naive_connections.min)
    assert.same({ 3, 7 }, { scenario.cached_calls.min, scenario.cached_calls.max })
    assert.equal(1, scenario.cached_connections.max)
    assert.same({ 1, 1 }, { scenario.quiet_calls.min, scenario.quiet_calls.max })
    assert.same({ 4, 4 }, { scenario.news_calls.min, scenario.news_calls.max })
    assert.same({ 3, 3 }, { scenario.failures_calls.min, scenario.failures_calls.max })
    assert.is_true(scenario.quiet_kilobytes.max < 2)
  end)

  it("compares what becomes of an idle connection where there is nginx, or says that there is none", function()
    local idle = result.parts.idle
    if next(idle) then
      assert.same({ 60, 180 }, { idle.anew_calls.median, idle.kept_calls.median })
      assert.equal(60, idle.anew_connections.median)
    else
      assert.truthy(printed:find("no nginx here: left out", 1, true))
    end
  end)

  it("names each client that is not here", function()
    for name, what in pairs { requests = "requests of Python", aiohttp = "aiohttp of Python", go = "Go",
      luasocket = "LuaSocket", lua_http = "lua-http" } do
      local is_here = result.parts.call_1kb[name] ~= nil
      assert.equal(not is_here, printed:find("no " .. what .. " here: left out", 1, true) ~= nil, name)
    end
  end)

  -- in a process of its own: a loop of luv does not outlive its module, which
  -- busted unloads behind each file
  it("has a server that stands in for nginx", function()
    local room = os.tmpname()
    os.remove(room)
    local said = output_of(([[lua5.4 -e '
      local web = require "bench.web"
      web.nginx = nil
      local url, stop, what = web.serve("%s", { one = "[1]", two = "[2]" })
      os.execute("curl -s -m 20 " .. url .. "/two/x " .. url .. "/one/y?z")
      stop()
      io.write(what)
    ' && rm -r %s]]):format(room, room))
    assert.equal("[2][1]bench/server.lua, as there is no nginx here", said)
  end)

  it("loses no call to one failed request in twenty", function()
    assert.is_true(result.parts.faults.naive_failed.min > 0)
    assert.equal(0, result.parts.faults.dsclient_failed.max)
  end)

  it("becomes a page of docs/: all tables, and what people wrote, as it stands in the page that is there", function()
    local path, tables = os.tmpname(), {}
    local file = assert(io.open(path, "w"))
    local long = cjson.decode(cjson.encode(result))
    long.short = false
    file:write(cjson.encode(long))
    file:close()
    local page = output_of("lua5.4 bench/docs.lua " .. path)
    os.remove(path)
    for _, part in ipairs(result.tables) do
      tables[#tables + 1] = page:find("### " .. part.title, 1, true) and part.title
    end
    assert.equal(#result.tables, #tables)
    local kept = contents "docs/performance.md"
    for paragraph in (contents "docs/templates/performance.md.in" .. "\n"):gmatch "(.-)\n\n" do
      local is_filled = paragraph:find("{{", 1, true)
      assert.truthy(is_filled or kept:find(paragraph, 1, true), "run make bench-docs: " .. paragraph)
    end
  end)

  it("prints a table with its machine, and says that a short run says nothing", function()
    assert.truthy(printed:find(result.machine, 1, true))
    assert.truthy(printed:find("short run", 1, true))
  end)
end)

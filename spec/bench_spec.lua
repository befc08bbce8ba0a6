-- `make bench` in its short form: all parts run, and each figure is there. What
-- the figures say is for people to judge, but for those that are counted.

local cjson = require "cjson"
local VM = jit and "luajit" or "lua" .. _VERSION:match "[%d.]+$"

-- Each part, and the names of its figures; those of Python's requests are there
-- where it has them.
local PARTS = {
  scenario = {
    "naive_calls", "naive_connections", "naive_kilobytes", "naive_time_ms", "naive_answer_ms", "naive_cpu_ms",
    "dsclient_calls", "dsclient_connections", "dsclient_kilobytes", "dsclient_time_ms", "dsclient_answer_ms",
    "dsclient_cpu_ms", "idle",
  },
  faults = {
    "naive_failed", "naive_requests", "naive_call_ms", "dsclient_failed", "dsclient_requests", "dsclient_call_ms",
  },
  deadline = { "idle", "late" },
  call_1kb = { "loop", "bare", "raw", "dsclient" },
  call_10kb = { "loop", "bare", "raw", "dsclient" },
  inside = { "nothing", "uncached", "bind", "request", "core_policy" },
  cache = {
    "hit_borrowed", "hit_arguments", "hit_lrucache_on", "hit_lrucache_off", "hit_cachetools", "hit_private", "set",
    "set_lrucache_on", "set_lrucache_off", "set_cachetools", "core_hit", "core_miss", "core_set",
  },
  metrics = { "record", "record_python", "text", "text_python" },
  json = { "one_pass", "cjson", "cjson_walk" },
}

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
    local pipe = assert(io.popen(make:format(VM, out)))
    printed = pipe:read "*a"
    pipe:close()
    local file = assert(io.open(out))
    local text = file:read "*a"
    file:close()
    os.remove(out)
    assert(text ~= "", printed)
    result = cjson.decode(text)
  end)

  for part, names in pairs(PARTS) do
    it("has all figures of the part " .. part, function()
      for _, name in ipairs(names) do
        local figure = result.parts[part][name]
        assert.is_table(figure, part .. "." .. name .. " is missing")
        for _, field in ipairs { "min", "median", "max" } do
          assert.is_true(is_figure(figure[field]), ("%s.%s.%s: %s"):format(part, name, field, tostring(figure[field])))
        end
        assert.is_true(figure.min <= figure.median and figure.median <= figure.max, part .. "." .. name)
        assert.is_string(figure.unit)
      end
    end)
  end

  it("compares with peers of the same run", function()
    for part, against in pairs { call_1kb = "raw", call_10kb = "raw", json = "cjson_walk", metrics = "text_python",
      cache = "set_cachetools" } do
      assert.is_true(is_figure(result.parts[part][against].ratio.median))
    end
    assert.is_true(is_figure(result.parts.scenario.dsclient_time_ms.ratio))
  end)

  it("counts 34 calls before, and 7, then 3 with the cache, over one connection", function()
    local scenario = result.parts.scenario
    assert.equal(34, scenario.naive_calls.min)
    assert.equal(34, scenario.naive_connections.min)
    assert.same({ 3, 7 }, { scenario.dsclient_calls.min, scenario.dsclient_calls.max })
    assert.equal(1, scenario.dsclient_connections.max)
  end)

  it("loses no call to one failed request in twenty", function()
    assert.is_true(result.parts.faults.naive_failed.min > 0)
    assert.equal(0, result.parts.faults.dsclient_failed.max)
  end)

  it("prints a table with its machine, and says that a short run says nothing", function()
    assert.truthy(printed:find(result.machine, 1, true))
    assert.truthy(printed:find("short run", 1, true))
  end)
end)

-- Run by starve.c: what users do with a client, over a scripted transport and a
-- virtual clock. lua-cjson is left out (metrics_json alone uses it): it ends the
-- process where it finds no memory.

local beds = require "support.bed"
local core = require "dsclient.core"
local dsclient = require "dsclient"
local starving = require "support.starving"
require "dsclient.curl" -- Lua 5.1 does not load again what once threw

local ok, failure, status = beds.ok, beds.failure, beds.status

local HOUR_S = 3600

local PROJECTS = ok '{"totalList":[{"code":11,"name":"a"},{"code":22,"name":"b"}],"total":2}'
local RUNS = ok '{"totalList":[{"id":7,"name":"r-1","state":"FAILURE"},{"id":8,"name":"r-2"}],"total":2}'

local scenarios = {}

--- Adds one. `script` is a list of answers or a function (request, number, bed)
-- → answer, from its begin for each act; there is one connection only.
local function add(definition)
  local script, act = definition.script or { PROJECTS }, definition.act
  function definition.bed()
    local bed
    local options = { pool_maxsize = 1 }
    for name, value in pairs(definition.options or {}) do
      options[name] = value
    end
    bed = beds.new(function(request)
      bed.asked = bed.asked + 1
      return type(script) == "function" and script(request, bed.asked, bed) or script[math.min(bed.asked, #script)]
    end, options)
    bed.asked = 0
    return bed
  end
  function definition.act(bed)
    bed.asked = 0
    return act(bed.client, bed)
  end
  scenarios[#scenarios + 1] = starving.scenario(definition)
end

local function nothing() end

local function names(rows, err)
  if not rows then
    return nil, err
  end
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.name
  end
  return table.concat(list, " ")
end

add {
  name = "new",
  act = function()
    local client = dsclient.new { api_urls = { "http://127.0.0.1:1/a", "http://127.0.0.1:2/b" }, token = "x" }
    local text = tostring(client)
    client:close()
    return text
  end,
  expected = "dsclient.client (http://127.0.0.1:1/a, http://127.0.0.1:2/b)",
}

-- which server line it is was not asked before
add {
  name = "first call",
  options = { detect = true },
  script = function(request)
    return request.path:find "/workflow%-" and status(404) or RUNS
  end,
  act = function(client)
    return names(client:get_workflow_instances "11")
  end,
  expected = "r-1 r-2",
}

add {
  name = "miss",
  act = function(client)
    client:clear_cache()
    return names(client:get_projects())
  end,
  expected = "a b",
}

add {
  name = "hit",
  before = function(bed)
    assert(bed.client:get_projects())
  end,
  act = function(client)
    local borrowed, err = names(client:get_projects { borrow = true })
    if not borrowed then
      return nil, err
    end
    return names(client:get_projects())
  end,
  expected = "a b",
}

add {
  name = "retry",
  script = { status(503, { ["retry-after"] = "2" }), status(429), failure("network", "sent", { stale = true }), RUNS },
  act = function(client)
    return names(client:get_workflow_instances("11", { search = "a b" }))
  end,
  expected = "r-1 r-2",
}

add {
  name = "eviction",
  options = { cache_entries_max = 2 },
  act = function(client)
    local text, err
    for code = 1, 4 do
      text, err = names(client:get_process_definitions(("%d"):format(code), { borrow = true }))
      if not text then
        return nil, err
      end
    end
    return text
  end,
  expected = "a b",
}

add {
  name = "file",
  options = { server_version = "3.2.2" },
  script = { status(200, { ["content-disposition"] = "attachment" }, "hello") },
  act = function(client)
    local got
    local value, err = client.resources:download({ full_name = "a" }, {
      sink = function(piece)
        got = piece
      end,
    })
    return value and got, err
  end,
  expected = "hello",
}

-- what is kept is too old, and the server is gone
add {
  name = "stale",
  options = { max_retries = 1 },
  script = function(_, _, bed)
    return bed.gone and failure("connect", "unsent") or PROJECTS
  end,
  before = function(bed)
    assert(bed.client:get_projects())
    bed.advance(HOUR_S + 1)
    bed.gone = true
  end,
  act = function(client)
    local rows, err, meta = client:get_projects()
    assert(not rows or meta.stale)
    return names(rows, err)
  end,
  kinds = { connect = true }, -- with no memory for a copy of what is kept
  expected = "a b",
}

add {
  name = "pages",
  act = function(client)
    local list = {}
    for row in client.projects:each() do
      list[#list + 1] = row.name
    end
    return table.concat(list, " ")
  end,
  expected = "a b",
}

local tokens = 0
add {
  name = "token",
  options = {
    token = function()
      tokens = tokens + 1
      return "token" .. tokens
    end,
  },
  script = { status(401), PROJECTS },
  act = function(client)
    return names(client:get_projects { cache = false })
  end,
  kinds = { auth = true }, -- its source had no memory
  expected = "a b",
}

add {
  name = "write",
  script = function(request)
    return request.path:find "executors" and ok() or PROJECTS
  end,
  act = function(client)
    local done, err =
      client.workflows:start { project = "a", workflow = "22", start_params = { a = { "b", 1.5 } } }
    return done and "started", err
  end,
  expected = "started",
}

add {
  name = "recovery",
  script = { ok() },
  act = function(client, bed)
    bed.advance(60) -- the last one holds the run no more
    local done, err = client:execute_failure_recovery("11", 7)
    return done and "accepted", err
  end,
  expected = "accepted",
}

local function of_both(request)
  return request.path:find "/projects%?" and PROJECTS or RUNS
end

add {
  name = "several projects",
  script = of_both,
  act = function(client)
    return names(client.instances:list({ projects = "*" }, { progress = nothing }))
  end,
  expected = "r-1 r-2 r-1 r-2",
}

add {
  name = "several projects, page by page",
  script = of_both,
  act = function(client)
    local pages, list = client.instances:pages { projects = { "a", "b" } }, {}
    local rows, err = pages.next()
    while rows do
      list[#list + 1] = names(rows)
      rows, err = pages.next()
    end
    if err then
      return nil, err
    end
    return table.concat(list, ", ")
  end,
  expected = "r-1 r-2, r-1 r-2",
}

add {
  name = "several runs",
  script = { ok() },
  act = function(client, bed)
    bed.advance(60)
    local done, err = client.instances:recover { project = "11", instance_ids = { 7, 8 } }
    return done and "accepted", err
  end,
  expected = "accepted",
}

add {
  name = "prefetch",
  script = of_both,
  act = function(client)
    client:clear_cache()
    local done, err = client:prefetch { { "projects.list" }, { "workflows.list", { projects = "a*" } } }
    return done and "begun", err
  end,
  expected = "begun",
}

add {
  name = "functions",
  act = function(client)
    local cached = client:cached(function(n)
      return { { ("x"):rep(n) } }
    end, { ttl_s = 60 })
    local monitored = client:monitored(cached, "job")
    return monitored(10) and monitored(10) and #monitored(2000)[1][1]
  end,
  expected = 2000,
}

add {
  name = "report",
  act = function(client)
    client:print_stats(nothing)
    client:print_stats(nothing, { lang = "zh" })
    return client:get_all_metrics() and client:get_cache_stats() and tostring(client:status()):match "^breakers closed"
  end,
  expected = "breakers closed",
}

add {
  name = "metrics",
  before = function(bed)
    assert(bed.client:get_projects())
  end,
  act = function(client)
    local snapshot, err = client:metrics_snapshot()
    if not snapshot then
      return nil, err
    end
    local merged
    merged, err = dsclient.merge_metrics(snapshot, snapshot)
    return merged and client:metrics_text "openmetrics" and dsclient.metrics_text(merged):match "^# %u+", err
  end,
  expected = "# TYPE",
}

add {
  name = "json",
  act = function()
    local text = core.encode { list = core.array {}, row = { code = "1", x = 1.5, name = ("é"):rep(200) } }
    local value, err = core.decode(text, true)
    return value and #value.row.name, err
  end,
  expected = 400,
}

return scenarios

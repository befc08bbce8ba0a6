-- Run by starve.c: calls of tasks that run side by side, on a virtual clock.

local starving = require "support.starving"
local tasks = require "support.tasks"

local HOUR_S = 3600

local PROJECTS = tasks.ok '{"totalList":[{"code":11,"name":"a"},{"code":22,"name":"b"}],"total":2}'

local scenarios = {}

local function add(definition)
  function definition.bed()
    return tasks.new(definition.script or { PROJECTS }, definition.options)
  end
  scenarios[#scenarios + 1] = starving.scenario(definition)
end

--- What the tasks gave: the first name, or the kind of the error. A task that
-- threw had no memory: then nil, and such an error; the others know nothing of it.
-- @tparam string expected what they are to give, in their order
local function told(results, expected)
  local thrown, i = false, 0
  for wanted in expected:gmatch "%S+" do
    i = i + 1
    local result = results[i]
    local lost = not result or result.err and result.err.kind == "memory"
    local got = not lost and (result.err and result.err.kind or result.value[1].name)
    thrown = thrown or lost
    assert(lost or got == wanted, "task " .. i .. " gave " .. tostring(got))
  end
  if thrown then
    return nil, { kind = "memory" }
  end
  return expected
end

local function projects(opts)
  return function(client)
    return client:get_projects(opts)
  end
end

add {
  name = "single-flight",
  act = function(bed)
    bed.client:clear_cache()
    return told(bed:all(projects(), projects(), projects { raw = true }, projects()), "a a a a")
  end,
  expected = "a a a a",
}

-- the leader's time is over while the others wait
add {
  name = "single-flight, handed over",
  act = function(bed)
    bed.client:clear_cache()
    return told(bed:all(projects { timeout_s = 0.05 }, projects(), projects()), "deadline a a")
  end,
  expected = "deadline a a",
}

add {
  name = "single-flight, cancelled",
  act = function(bed)
    bed.client:clear_cache()
    local results = {}
    local function spawn(i)
      return bed:spawn(function()
        local value, err = bed.client:get_projects()
        results[i] = { value = value, err = err }
      end)
    end
    local leader, follower = spawn(1), spawn(2)
    spawn(3)
    bed:run(bed.now + 0.05)
    bed:cancel(leader)
    bed:cancel(follower)
    bed:run()
    return told(results, "cancelled cancelled a")
  end,
  expected = "cancelled cancelled a",
}

-- one connection for all
add {
  name = "queue",
  options = { pool_maxsize = 1 },
  act = function(bed)
    local function list(code)
      return function(client)
        return client:get_process_definitions(code, { cache = false })
      end
    end
    return told(bed:all(list "1", list "2", list "3"), "a a a")
  end,
  expected = "a a a",
}

-- the same, with the question which server line it is before, and page by page
add {
  name = "queue, first calls",
  act = function()
    local bed = tasks.new(function(request)
      return request.path:find "/workflow%-" and tasks.status(404) or PROJECTS
    end, { pool_maxsize = 1, detect = true })
    local function runs(client)
      return client:get_workflow_instances "1"
    end
    local function page(client)
      return client.instances:pages({ project = "2" }).next()
    end
    return told(bed:all(runs, page, runs), "a a a")
  end,
  expected = "a a a",
}

-- the old value at once, the new one behind it
add {
  name = "revalidation",
  options = { stale_while_revalidate_s = 100 },
  act = function(bed)
    bed:all(projects { refresh = true })
    bed:spawn(function()
      bed:sleep(HOUR_S + 1)
    end)
    bed:run()
    local old = bed:all(projects())
    local new = bed:all(projects())
    local text, err = told({ old[1], new[1] }, "a a")
    if not text then
      return nil, err
    end
    local is_new = new[1].meta.cached and not new[1].meta.stale
    return text .. (old[1].meta.stale and " old" or "") .. (is_new and " new" or "")
  end,
  expected = "a a old new",
  -- the fetch behind it found no memory, or the copy of what is kept did not
  also = { ["a a old"] = true, ["a a new"] = true },
}

-- what is there at once, the new one behind it
add {
  name = "refresh ahead",
  options = { refresh_ahead = true },
  act = function(bed)
    bed:all(projects { refresh = true })
    bed:sleep_until(bed.now + 0.9 * HOUR_S)
    local old = bed:all(projects())
    local new = bed:all(projects())
    return told({ old[1], new[1] }, "a a")
  end,
  expected = "a a",
}

-- in the background, while others call
add {
  name = "prefetch",
  act = function(bed)
    bed.client:clear_cache()
    local results = bed:all(function(client)
      local done, err = client:prefetch { { "projects.list" } }
      return done and { { name = "begun" } }, err
    end, projects())
    return told(results, "begun a")
  end,
  expected = "begun a",
}

-- with calls in the queue, before a repeat, under way, and behind another
add {
  name = "close",
  act = function()
    local bed = tasks.new({ PROJECTS }, { pool_maxsize = 1 })
    local results = {}
    for i = 1, 3 do
      bed:spawn(function()
        local value, err = bed.client:get_projects { cache = i < 3 }
        results[i] = { value = value, err = err }
      end)
    end
    bed:run(0.05)
    pcall(bed.client.close, bed.client)
    bed.client:close() -- ends what the first one had no memory for
    bed:run()
    assert(bed.now < 1)
    return told(results, "cancelled cancelled cancelled")
  end,
  expected = "cancelled cancelled cancelled",
}

return scenarios

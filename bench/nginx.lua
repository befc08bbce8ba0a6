--- dsclient inside nginx, with one worker: what a cold call costs beside a client
-- that is written by hand on the same sockets, whether other requests wait while
-- one does, and what hits cost. bench/inside_nginx.lua is the worker's side.

local cjson = require "cjson"
local measure = require "bench.measure"
local peers = require "bench.peers"
local uv = require "luv"
local web = require "bench.web"

local format = string.format

local RECORDING = "instances-running"
local COUNT, FIRST_COUNT, SECOND_COUNT = 5000, 300000, 30000
-- So many requests are under way at once.
local AT_ONCE = 10
-- So long a call waits for its answer; others are looked at for most of it.
local WAIT_S, SHORT_WAIT_S = 1, 0.05
local LOOKED_AT = 0.9
local WAIT_ROUNDS = 3

local DICTS = "  lua_shared_dict dsclient 10m;\n  lua_shared_dict by_hand 1m;\n"

local INIT = [[
  init_by_lua_block {
    inside = require "bench.inside_nginx"
    inside.open(%d)
  }
]]

local PLACES = {
  "nothing", "by_hand", "raw", "normal", "slow", "cpu", "first", "arguments", "second", "second_row", "dict",
}
local PLACE = "    location = /%s { content_by_lua_block { inside.serve '%s' } }\n"

-- What the calls ask, at once and late.
local RECORDED = [[
    root .;
    location /runs/ { rewrite ^ /answer break; }
    location /cached/ { rewrite ^ /page break; }
    location /cached/dynamic/ { rewrite ^ /text break; }
    location /slow/ {
      rewrite ^ /answer break;
      rewrite_by_lua_block { ngx.sleep(%g) }
    }
]]

-- What is cached is so long: a list of one text, or one row of a page.
local SIZE = 512
local TEXT = format('{"code":0,"msg":"success","data":["%s"]}', ("x"):rep(SIZE - #'[""]'))

--- A page of one project, whose description makes it as long as it has to be.
local function page()
  local body = cjson.decode(measure.recorded("3.2.2", "projects-pagesize-100000"))
  local project = body.data.totalList[1]
  body.data.totalList, body.data.total = { project }, 1
  project.description = ""
  project.description = ("x"):rep(SIZE - #cjson.encode(body.data.totalList))
  return cjson.encode(body)
end

-- --- load ------------------------------------------------------------------

local REQUEST = "GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

--- Whether an answer is whole, and its body then.
local function body_of(text)
  local head, body = text:match "^(HTTP/1.1 .-\r\n)\r\n(.*)$"
  local length = head and tonumber(head:match "\r\n[Cc]ontent%-[Ll]ength: (%d+)")
  if not head or length and #body < length then
    return nil
  end
  assert(head:find "^HTTP/1.1 200 ", head)
  return body
end

--- Asks a server, over connections that are kept.
-- @treturn function (place, done): asks, and calls done with the body
-- @treturn function closes
local function asker(port)
  local idle, all = {}, {}
  local function connect()
    local socket = uv.new_tcp()
    local connection = { socket = socket, text = "" }
    all[#all + 1] = connection
    socket:connect("127.0.0.1", port, function(problem)
      assert(not problem, problem)
      socket:nodelay(true)
      socket:read_start(function(err, data)
        assert(data, err or "nginx has closed a connection")
        connection.text = connection.text .. data
        local body = body_of(connection.text)
        if body then
          local done = connection.done
          connection.text = ""
          idle[#idle + 1] = connection
          done(body)
        end
      end)
      socket:write(connection.request)
    end)
    return connection
  end
  local function ask(place, done)
    local kept = table.remove(idle)
    local connection = kept or connect()
    connection.done, connection.request = done, format(REQUEST, place)
    if kept then
      kept.socket:write(kept.request)
    end
  end
  local function close()
    for _, connection in ipairs(all) do
      connection.socket:close()
    end
    uv.run "nowait"
  end
  return ask, close
end

--- Asks once, and waits.
local function get(ask, place)
  local answer
  ask(place, function(body)
    answer = body
  end)
  while not answer do
    uv.run "once"
  end
  return assert(tonumber(answer), answer)
end

--- A sample of the CPU time that the worker takes for a request (µs), and of the
-- requests in a second.
local function load_sample(ask, place, count)
  return function()
    local asked, answered = 0, 0
    local function another()
      answered = answered + 1
      if asked < count then
        asked = asked + 1
        ask(place, another)
      end
    end
    local cpu, began = get(ask, "cpu"), uv.hrtime()
    for _ = 1, math.min(AT_ONCE, count) do
      asked = asked + 1
      ask(place, another)
    end
    while answered < count do
      uv.run "once"
    end
    local seconds = (uv.hrtime() - began) / 1e9
    return (get(ask, "cpu") - cpu) / count * 1e6, count / seconds
  end
end

-- --- waiting ---------------------------------------------------------------

--- What the slowest of a hundred requests takes, in ms: each ms there is another
-- one, whether the ones before are answered or not.
local function p99(ask, seconds)
  local times, asked, timer = {}, 0, uv.new_timer()
  local over = uv.hrtime() + seconds * 1e9
  timer:start(1, 1, function()
    local began = uv.hrtime()
    if began >= over then
      return timer:stop()
    end
    asked = asked + 1
    ask("nothing", function()
      times[#times + 1] = (uv.hrtime() - began) / 1e6
    end)
  end)
  while timer:is_active() or #times < asked do
    uv.run "once"
  end
  timer:close()
  table.sort(times)
  return times[math.ceil(#times * 0.99)]
end

--- A sample of how much larger that is while a call waits, and of what it is else.
local function wait_sample(ask, seconds)
  return function()
    local idle, ended = p99(ask, seconds), false
    ask("slow", function()
      ended = true
    end)
    local waiting = p99(ask, seconds * LOOKED_AT)
    assert(not ended, "the call did not wait so long")
    while not ended do
      uv.run "once"
    end
    return math.max(waiting - idle, 0), idle
  end
end

-- --- the tables ------------------------------------------------------------

local function calls(setup, ask)
  local function sample(place)
    return load_sample(ask, place, setup.count(COUNT))
  end
  local lines, figures = measure.compare({
    { name = "by_hand", label = "a bare cosocket client and lua-cjson", sample = sample "by_hand" },
    { name = "raw", label = "dsclient, raw", against = "by_hand", than = "the bare one", sample = sample "raw" },
    { name = "normal", label = "dsclient", against = "by_hand", than = "the bare one", sample = sample "normal" },
    { name = "nothing", label = "for comparison: a request without a call", sample = sample "nothing" },
  }, "µs", setup.rounds, "%s requests/s")
  return {
    name = "nginx_calls", lines = lines, figures = figures,
    title = format("Inside nginx: a request that makes a call, its answer a list of runs of %.1f KB. CPU of the worker",
      #measure.recorded("3.2.2", RECORDING) / 1000),
    notes = { "the bare client has no deadline, no limits, and trusts its server", peers.left_out "lua-resty-http" },
  }
end

local function waiting(setup, ask)
  local lines, figures = measure.compare({
    {
      name = "above", label = "p99 of other requests, one each ms, above that of idle times", goal = 2,
      sample = wait_sample(ask, setup.short and SHORT_WAIT_S or WAIT_S),
    },
  }, "ms", setup.short and setup.rounds or WAIT_ROUNDS, "idle: %s ms")
  return {
    name = "nginx_waiting", title = "Inside nginx: while a call waits for 1 s", lines = lines, figures = figures,
  }
end

local function hits(setup, ask)
  local function way(place, jit, label, count, goal)
    return {
      name = place .. "_" .. jit, label = label .. ", JIT " .. jit, goal = goal,
      sample = function()
        return get(ask, format("%s?jit=%s&count=%d", place, jit, setup.count(count)))
      end,
    }
  end
  local first, second = "hit, borrowed: get_projects", "hit of the second level, 512 bytes: a list of one text"
  local lines, figures = measure.compare({
    way("first", "on", first, FIRST_COUNT, 150),
    way("first", "off", first, FIRST_COUNT, 150),
    way("arguments", "on", "hit, borrowed: projects:list(ARGS), 100 ARGS in turn", SECOND_COUNT),
    way("second", "on", second, SECOND_COUNT, 500),
    way("second", "off", second, SECOND_COUNT),
    way("second_row", "on", "… one row with its fields", SECOND_COUNT),
    way("dict", "on", "for comparison: that row by dict:get and lua-cjson", SECOND_COUNT),
  }, "ns", setup.rounds)
  return {
    name = "nginx_hits", title = "Inside nginx: hits. CPU of the worker", lines = lines, figures = figures,
    notes = { "lua-resty-mlcache is quoted with 1,300 to 2,100 ns for a hit of its second level" },
  }
end

return function(setup)
  local lacking = web.lacks_nginx_lua(setup.room .. "/nginx_trial")
  if lacking then
    return {
      { name = "nginx_calls", title = "Inside nginx", lines = {}, figures = {}, notes = { peers.left_out(lacking) } },
    }
  end
  local room = setup.room .. "/nginx_recorded"
  web.make_room(room)
  web.write(room .. "/answer", measure.recorded("3.2.2", RECORDING))
  web.write(room .. "/page", page())
  web.write(room .. "/text", TEXT)
  local wait_s = setup.short and SHORT_WAIT_S or WAIT_S
  local recorded_port, stop_recorded = web.start_nginx_lua(room, format(RECORDED, wait_s))
  local places = {}
  for i, place in ipairs(PLACES) do
    places[i] = format(PLACE, place, place)
  end
  local port, stop = web.start_nginx_lua(setup.room .. "/nginx", table.concat(places),
    DICTS .. format(INIT, recorded_port))
  local ask, close = asker(port)
  local parts = { waiting(setup, ask), calls(setup, ask), hits(setup, ask) }
  close()
  stop()
  stop_recorded()
  return parts
end

--- Rounds lie 60 s apart, and a server ends what was idle for 30 s: does a client
-- do better to connect anew for each round, or to keep its connection alive by
-- cheap calls in between? Over TCP alone, and with TLS. Times are shortened.

local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local measure = require "bench.measure"
local web = require "bench.web"

local format = string.format

local ROUNDS, SHORT_ROUNDS = 12, 2
-- A second of the real thing is so long here. nginx ends what was idle for 30,
-- dsclient takes none that was idle for 25: the cheap calls come every 20.
local SECOND_S = 0.008
local INTERVAL, SERVER_IDLE, CHEAP_EVERY = 60, 30, 20
local ROUNDS_PER_H = 60
-- One way acts so long after the other.
local APART = 4

-- What a round asks, and the cheapest call that a server has.
local ROUND, CHEAP = "analysis-process-state-count", "analysis-queue-count"

local WAYS = {
  { name = "anew", label = "anew each round" },
  { name = "kept", label = "kept alive", keeps = true },
  { name = "tls_anew", label = "TLS, anew", tls = true },
  { name = "tls_kept", label = "TLS, kept alive", keeps = true, tls = true },
}

local METRICS = {
  { "calls", "calls", "" },
  { "connections", "connections", "" },
  { "kilobytes", "bytes (HTTP)", "KB" },
  { "cpu_ms", "CPU of the client", "ms" },
}

-- --- the server ----------------------------------------------------------

-- A path begins with the way that asks.
local SERVER = [[
    root .;
    keepalive_timeout %dms;
    access_log access.log bench;
    rewrite queue-count /cheap break;
    rewrite ^ /round break;
%s]]

local TLS = [[
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
]]

local CERTIFY = "cd '%s' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
  .. " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>&1"

--- @treturn string|nil URL; nil where there is no openssl for a certificate
-- @treturn function ends it
local function start(room, tls)
  web.make_room(room)
  if tls and not measure.output_of(format(CERTIFY, room) .. " && echo made"):find "made" then
    return nil
  end
  web.write(room .. "/access.log", "")
  web.write(room .. "/round", measure.recorded("3.2.2", ROUND))
  web.write(room .. "/cheap", measure.recorded("3.2.2", CHEAP))
  local port, stop = web.start_nginx(room, format(SERVER, SERVER_IDLE * SECOND_S * 1000, tls and TLS or ""),
    tls and "ssl" or nil)
  return format("%s://127.0.0.1:%d", tls and "https" or "http", port), stop
end

--- What the server counted of a way, of one round; the connection of the
-- beginning is not one of a round.
local function counted(path, name, rounds)
  local calls, connections, bytes, seen = 0, 0, 0, {}
  for line in io.lines(path) do
    local way, connection, length_in, length_out = line:match "^/([%w_]+)/%S* (%d+) (%d+) (%d+)$"
    if way == name then
      calls, bytes = calls + 1, bytes + length_in + length_out
      connections = connections + (seen[connection] and 0 or 1)
      seen[connection] = true
    end
  end
  return {
    calls = calls / (rounds + 1), connections = (connections - 1) / rounds, kilobytes = bytes / 1000 / (rounds + 1),
  }
end

-- --- the clients ---------------------------------------------------------

local function new(way, url, room)
  local client = dsclient.new {
    api_url = url .. "/" .. way.name, token = "x", server_version = "3.2.2",
    tls = way.tls and { ca_file = room .. "/cert.pem" } or nil,
  }
  local WINDOW = { start_date = "2024-02-29 00:00:00", end_date = "2024-03-01 00:00:00" }
  local function timed(operation, args)
    return function()
      local cpu = os.clock()
      assert(operation(client.analysis, args))
      return (os.clock() - cpu) * 1e3
    end
  end
  return {
    round = timed(client.analysis.workflow_state_count, WINDOW), cheap = timed(client.analysis.queue_count, {}),
    client = client, cpu_ms = {},
  }
end

local function sleep_until(time)
  curl.sleep(math.max(time - curl.now(), 0))
end

--- All ways, round after round, on one clock; each after a sleep, since who has
-- just woken finds its caches cold.
local function run(ways, clients, rounds)
  local began = curl.now()
  local function at(second, act)
    for i, way in ipairs(ways) do
      sleep_until(began + (second + i * APART) * SECOND_S)
      act(way, clients[way])
    end
  end
  for round = 0, rounds do -- the first one warms up
    at(round * INTERVAL, function(_, one)
      one.cpu_ms[round] = one.round()
    end)
    for second = CHEAP_EVERY, INTERVAL - 1, CHEAP_EVERY do
      at(round * INTERVAL + second, function(way, one)
        if way.keeps then
          one.cpu_ms[round] = one.cpu_ms[round] + one.cheap()
        end
      end)
    end
  end
end

-- --- the table -----------------------------------------------------------

local function figures_of(way, one, rounds, log)
  local count = counted(log, way.name, rounds)
  local figures = {}
  for _, metric in ipairs(METRICS) do
    local name = metric[1]
    local per_round = {}
    for i = 1, rounds do
      per_round[i] = (one[name] and one[name][i] or count[name]) * ROUNDS_PER_H
    end
    figures[name] = measure.spread(per_round)
    figures[name].unit = metric[3]
  end
  return figures
end

local function table_of(ways, clients, rounds, logs)
  local lines, figures = { { "of an hour" } }, {}
  for i, metric in ipairs(METRICS) do
    lines[i + 1] = { metric[2] }
  end
  for _, way in ipairs(ways) do
    table.insert(lines[1], way.label)
    local of_way = figures_of(way, clients[way], rounds, logs[way.tls or false])
    for i, metric in ipairs(METRICS) do
      figures[way.name .. "_" .. metric[1]] = of_way[metric[1]]
      table.insert(lines[i + 1], measure.cell(of_way[metric[1]], "median"))
    end
  end
  return lines, figures
end

local function measured(setup)
  local rounds = setup.short and SHORT_ROUNDS or ROUNDS
  local urls, stops, logs, clients, ways = {}, {}, {}, {}, {}
  for _, tls in ipairs { false, true } do
    local room = setup.room .. (tls and "/idle_tls" or "/idle")
    urls[tls], stops[#stops + 1] = start(room, tls)
    logs[tls] = room .. "/access.log"
    for _, way in ipairs(WAYS) do
      if urls[tls] and (way.tls or false) == tls then
        ways[#ways + 1] = way
        clients[way] = new(way, urls[tls], room)
      end
    end
  end
  run(ways, clients, rounds)
  for _, one in pairs(clients) do
    one.client:close()
  end
  for _, stop in ipairs(stops) do
    stop()
  end
  local lines, figures = table_of(ways, clients, rounds, logs)
  return lines, figures, not urls[true] and "no openssl here: TLS is left out" or nil
end

return function(setup)
  local part = { name = "idle", title = "A call every 60 s to a server that ends a connection which is idle for 30 s" }
  if web.nginx then
    local left_out
    part.lines, part.figures, left_out = measured(setup)
    part.notes = {
      format("a second is %d ms long here; kept alive by a call every %d s", SECOND_S * 1000, CHEAP_EVERY),
      "connecting anew takes one round trip more, with TLS two (1.3)", left_out,
    }
  else
    part.lines, part.figures, part.notes = {}, {}, { "no nginx here: left out" }
  end
  return { part }
end

--- The server of the fault bed: fast, in a process of its own. Each request has a mark, a number; its answer carries
-- the mark, so that an answer tells whose it is. What has an effect is written down.
--
-- Which fault a request meets depends on the seed, its mark and how many came with this mark before, and on nothing
-- else: it is the same in each run.
local chance = require "spec.sim.chance"
local child = require "spec.support.child"
local uv = require "luv"

local SOURCE = debug.getinfo(1, "S").source:sub(2)

-- Of a slow answer: its pieces, and the pause before each.
local PIECES, PIECE_MS = 3, 5

-- So long after the last connection is gone none comes any more, of those that the kernel had accepted.
local DRAIN_MS = 5
-- So often is it looked whether all are gone.
local LOOKS_MAX = 2000

local GARBAGE = ("\1\2garbage\255"):rep(20)

-- --- requests ------------------------------------------------------------

-- What is asked: a pattern that finds the mark in request line and body, and the data of the answer, with the mark.
local ROUTES = {
  { "^GET /projects/1/process%-instances/(%d+) ", '{"id":%d,"name":"run","state":"SUCCESS","runTimes":1}' },
  { "^GET /bed%?mark=(%d+) ", '{"mark":%d}' },
  { "^GET /log/download%-log%?taskInstanceId=(%d+) ", file = true },
  { "^POST /bed mark=(%d+)$", '{"mark":%d}', effect = true },
  { "^POST /projects/1/executors/execute .*processInstanceId=(%d+)", "null", effect = true },
  { "^POST /projects .*projectName=m(%d+)", '{"id":%d,"code":1,"name":"m%d"}', effect = true },
}

-- A file of a mark: so many lines, each with the mark, and so many bytes.
local function file_of(mark)
  return ("%09d\n"):format(mark):rep(1 + mark % 7 * 2000)
end

local JSON = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
local FILE = "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"a.log\"\r\n"
  .. "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s"

local function answer_of(route, mark)
  if route.file then
    local body = file_of(mark)
    return FILE:format(#body, body)
  end
  local body = '{"code":0,"msg":"success","data":' .. route[2]:gsub("%%d", mark) .. "}"
  return JSON:format(#body, body)
end

-- --- faults --------------------------------------------------------------

local function close(connection)
  if not connection.socket:is_closing() then
    connection.socket:close(connection.closed)
  end
end

local function reset(connection)
  if not connection.socket:is_closing() then
    connection.socket:close_reset(connection.closed)
  end
end

local function write(connection, data, after)
  if not connection.socket:is_closing() then
    connection.socket:write(data, after and function()
      after(connection)
    end)
  end
end

local function cut(connection, answer)
  write(connection, answer:sub(1, #answer - 5), close)
end

local function cut_head(connection, answer)
  write(connection, answer:sub(1, 30), reset)
end

local function slow(connection, answer)
  local size, at = math.ceil(#answer / PIECES), 1
  local timer = uv.new_timer()
  timer:start(0, PIECE_MS, function()
    write(connection, answer:sub(at, at + size - 1))
    at = at + size
    if at > #answer or connection.socket:is_closing() then
      timer:close()
    end
  end)
end

local function garbage(connection)
  write(connection, GARBAGE, close)
end

-- never answered: the client gives up
local function stall() end

local function status(number)
  local answer = ("HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n"):format(number)
  return function(connection)
    write(connection, answer)
  end
end

local function page(connection)
  write(connection, JSON:gsub("application/json", "text/html"):format(6, "<html>"))
end

-- {effect, what goes out}; the more often one is named, the likelier it is.
local FAULTS = {
  { false, reset }, { true, reset }, { false, close }, { true, close }, { false, stall }, { true, stall },
  { true, cut }, { true, cut }, { true, cut_head }, { true, slow }, { true, slow }, { true, slow },
  { false, garbage }, { true, garbage }, { false, page },
  { false, status(503) }, { true, status(503) }, { false, status(500) }, { true, status(500) }, { false, status(502) },
}

-- So seldom is a request refused by a 429: the client is slow from then on.
local THROTTLED_PART = 0.002
local THROTTLED = { false, status(429) }

--- The fault that a request meets, or nil.
local function fault_of(state, mark, seen)
  local drawn = chance.fraction(state.base, mark, seen)
  if drawn >= state.rate then
    return nil
  end
  drawn = drawn / state.rate
  return drawn < THROTTLED_PART and THROTTLED or FAULTS[math.floor(drawn * #FAULTS) + 1]
end

-- --- connections ---------------------------------------------------------

local function find_route(line, body)
  local text = line .. body
  for _, route in ipairs(ROUTES) do
    local mark = text:match(route[1])
    if mark then
      return route, tonumber(mark)
    end
  end
  error("nobody asks for this: " .. text)
end

local function serve(state, connection, line, body)
  local route, mark = find_route(line, body)
  local seen = state.seen[mark] or 0
  state.seen[mark] = seen + 1
  local fault = fault_of(state, mark, seen)
  if route.effect and (not fault or fault[1]) then
    state.effects[mark] = (state.effects[mark] or 0) + 1
  end
  local answer = answer_of(route, mark)
  if fault then
    fault[2](connection, answer)
  else
    write(connection, answer)
  end
end

local function serve_next(state, connection)
  local data = connection.data
  local head_end = select(2, data:find("\r\n\r\n", 1, true))
  if not head_end then
    return false
  end
  local length = tonumber(data:match "\r\n[Cc]ontent%-[Ll]ength:%s*(%d+)") or 0
  if #data < head_end + length then
    return false
  end
  connection.data = data:sub(head_end + length + 1)
  local method, path = data:match "^(%u+ )/dolphinscheduler(/%S+ )"
  serve(state, connection, method .. path, data:sub(head_end + 1, head_end + length))
  return true
end

local function accept(state, listener)
  local connection = { socket = uv.new_tcp(), data = "" }
  listener:accept(connection.socket)
  state.open = state.open + 1
  function connection.closed()
    state.open = state.open - 1
  end
  connection.socket:nodelay(true)
  connection.socket:read_start(function(_, data)
    if not data then
      return close(connection)
    end
    connection.data = connection.data .. data
    while not connection.socket:is_closing() and serve_next(state, connection) do
      state.served = state.served + 1
    end
  end)
end

-- --- what the bed may ask ------------------------------------------------

local commands = {}

--- Begins anew: of what seed the faults are, and how many requests of a thousand meet one.
function commands.begin(state, argument)
  local seed, permille = argument:match "^(%d+) (%d+)$"
  state.base, state.rate = chance.base(tonumber(seed)), tonumber(permille) / 1000
  state.seen, state.effects, state.served = {}, {}, 0
  return "done"
end

local function letters_of(effects, last)
  local letters = {}
  for mark = 1, last do
    letters[mark] = string.char(97 + math.min(effects[mark] or 0, 25))
  end
  return table.concat(letters)
end

--- How often each mark from 1 to the last had its effect, as letters: a is never. Only when all that was sent has
-- been read: no connection is open, and none has come for a while. Where some stay open, their number.
function commands.ledger(state, last)
  local timer, looks, served = uv.new_timer(), 0, nil
  timer:start(0, DRAIN_MS, function()
    looks = looks + 1
    if looks < LOOKS_MAX and (state.open > 0 or served ~= state.served) then
      served = state.served
      return
    end
    timer:close()
    state.reply(state.open > 0 and state.open or letters_of(state.effects, tonumber(last)))
  end)
end

function commands.served(state)
  return state.served
end

if child.is_one(SOURCE) then
  local state = { open = 0, served = 0 }
  local listener = uv.new_tcp()
  assert(listener:bind("127.0.0.1", child.argument()))
  assert(listener:listen(1024, function()
    accept(state, listener)
  end))
  return child.serve(commands, state, listener:getsockname().port)
end

return {
  file_of = file_of,
  --- Starts it. @treturn table {url, ask, stop}
  start = function()
    local server = child.start(SOURCE, 0)
    server.url = ("http://127.0.0.1:%d"):format(server.greeting)
    return server
  end,
}

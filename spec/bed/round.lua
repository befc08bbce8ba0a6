--- A round of the fault bed: so many tasks of several clients at once, until so many calls were made; then all is
-- compared: what the clients were told, and what the server did.

local chance = require "spec.sim.chance"
local dsclient = require "dsclient"
local errors = require "dsclient.errors"
local fairness = require "spec.bed.fairness"
local insides = require "spec.support.insides"
local steps = require "spec.bed.steps"
local tasks = require "dsclient.runtime.tasks"

local Round = {}
Round.__index = Round

-- Without an end of any call for so long, one is lost.
local STUCK_S = 15

--- An invariant does not hold; the first that does not is what is reported.
function Round:fail(invariant, ...)
  self.failure = self.failure or invariant .. ": " .. string.format(...)
  self.left = 0
end

function Round:count(what)
  self.counts[what] = (self.counts[what] or 0) + 1
end

-- --- calls ---------------------------------------------------------------

--- A call begins.
-- @tparam boolean writes may it have an effect?
-- @tparam number|nil mark one that others have, too
function Round:begin(writes, mark)
  if not mark then
    self.marks = self.marks + 1
    mark = self.marks
  end
  self.left = self.left - 1
  self.under_way = self.under_way + 1
  return { mark = mark, writes = writes }
end

-- How a call may end here; `argument`: its sink wanted no more.
local ENDS = {}
for kind in ([[done outcome_unknown cancelled closed deadline timeout connect network protocol server not_api throttled
  limit breaker_open argument]]):gmatch "%S+" do
  ENDS[kind] = true
end

--- It is over: notes what the client was told.
function Round:finish(call, value, err)
  local kind = value ~= nil and "done" or errors.is(err) and err.kind
  if not ENDS[kind] or value ~= nil and err ~= nil then
    self:fail("a call gives a value or an error that fits", "%d: %s, %s", call.mark, tostring(value), tostring(err))
  end
  self.under_way = self.under_way - 1
  self.ended = self.ended + 1
  self:count(kind)
  if call.writes then
    self.told[call.mark] = kind
  end
  return value, err
end

-- --- tasks ---------------------------------------------------------------

--- Begins fn() as a task of the round.
-- @treturn table {task, over}
function Round:spawn(fn)
  local own = { over = false }
  own.task = dsclient.spawn(function()
    fn(own)
    own.over = true
    return "over"
  end)
  self.all[#self.all + 1] = own
  return own
end

--- Begins the task of a place: it takes step after step, each drawn from the seed, until enough calls were made.
local function start(self, place)
  self.started = self.started + 1
  local random = chance.of(self.seed, 1, self.started)
  self.places[place] = self:spawn(function(own)
    while self.left > 0 and not own.cancelled do
      steps.take(self, random, self.slots[place % #self.slots + 1])
    end
  end)
end

--- Ends a task, and begins another in its place.
function Round:cancel(number)
  local place = number % #self.places + 1
  local own = self.places[place]
  if not own.over and not own.cancelled then
    own.cancelled = true
    self:count "tasks cancelled"
    own.task:cancel()
    start(self, place)
  end
end

-- --- clients -------------------------------------------------------------

local function open(self, slot)
  slot.client = dsclient.new(slot.options)
  self.states[#self.states + 1] = insides(slot.client)
end

--- Closes a client under way; from now on another one is in its place.
function Round:renew(slot)
  self:count "clients closed"
  slot.client:close()
  open(self, slot)
end

-- The pools are smaller than the tasks of a client are many.
local POOLS, CLIENTS = { 4, 8, 16, 32 }, 4

local function slots(self)
  local random = chance.of(self.seed, 2)
  for i = 1, CLIENTS do
    self.slots[i] = { options = {
      api_url = self.url,
      token = "secret",
      server_version = "3.1.1",
      pool_maxsize = POOLS[i],
      queue_max = i == 1 and random:pick { 1000, 150 } or nil,
      timeout_s = random:pick { 1, 4 },
      attempt_timeout_s = random:pick { 0.06, 0.15 },
      idle_timeout_s = random:pick { 0.05, 0.2 },
      max_retries = random:pick { 0, 2, 3, 3 },
      backoff_s = 0.001,
      backoff_max_s = 0.02,
      stale_while_revalidate_s = random:pick { 0, 0.02 },
      refresh_ahead = random:hit(0.5),
      enable_breaker = random:hit(0.5),
      enable_metrics = random:hit(0.5),
    } }
    open(self, self.slots[i])
  end
end

-- --- what has to hold at the end -----------------------------------------

local LISTS = { "parked", "queued", "flights" }

--- Nothing is left in a client's insides.
local function check_state(self, state)
  for _, name in ipairs(LISTS) do
    if next(state[name]) ~= nil then
      self:fail("nothing is left under way", "%s", name)
    end
  end
  if state.source:busy() then
    self:fail("nothing is left under way", "a transfer")
  end
  for id, hold in pairs(state.held) do
    if hold.acting then
      self:fail("nothing is left under way", "an execute of run %s", id)
    end
  end
end

-- So often, and so long after one another (s), is it looked whether what the client does in the background is done.
local LOOKS_MAX, LOOK_S = 1000, 0.01

local function check_open(self, client)
  local status, looks = client:status(), 0
  while status.in_flight + status.waiting + status.flights > 0 and looks < LOOKS_MAX do
    dsclient.sleep(LOOK_S)
    status, looks = client:status(), looks + 1
  end
  if status.in_flight ~= 0 or status.waiting ~= 0 or status.flights ~= 0 then
    self:fail("nothing is left under way", "%s", tostring(status))
  end
end

local function check_runtime(self)
  local runtime = tasks.default()
  if runtime.count() ~= 0 or runtime.timeout() ~= nil then
    self:fail("no task is left", "%d; timer: %s", runtime.count(), tostring(runtime.timeout()))
  elseif self.under_way ~= 0 then
    self:fail("each call ends", "%d do not", self.under_way)
  end
  for _, own in ipairs(self.all) do
    if not own.over then
      self:fail("each task ends", "one does not")
    end
  end
end

-- Of what was told, the least and the most that may have been done: done, it was once; unknown, perhaps; else not.
local function check_ledger(self, ledger)
  if type(ledger) == "number" then
    return self:fail("no connection is left", "%d are", ledger)
  end
  for mark, kind in pairs(self.told) do
    local times = ledger:byte(mark) - 97
    if times > 1 then
      self:fail("what may not be repeated is done at most once", "%d: %d times", mark, times)
    elseif kind == "done" and times == 0 then
      self:fail("a success was done", "%d was not", mark)
    elseif kind ~= "done" and kind ~= "outcome_unknown" and times > 0 then
      self:fail("what failed for sure was not done", "%d was, and is told to be %s", mark, kind)
    end
  end
end

-- --- the whole -----------------------------------------------------------

--- Says so where nothing ends any more.
local function watchdog(self)
  local ended
  repeat
    ended = self.ended
  until not dsclient.sleep(STUCK_S) or ended == self.ended
  if ended == self.ended and self.under_way > 0 then
    self:fail("each call ends", "%d do not", self.under_way)
    error(self.failure, 0)
  end
end

local function carry_out(self, count)
  slots(self)
  dsclient.spawn(watchdog, self)
  for place = 1, count do
    start(self, place)
  end
  local i = 1
  while self.all[i] do -- more come
    self.all[i].task:join()
    i = i + 1
  end
  for _, slot in ipairs(self.slots) do
    check_open(self, slot.client)
    slot.client:close()
  end
end

local _M = {}

--- Carries it out.
-- @tparam table server of server.lua
-- @tparam table plan {seed, calls, tasks, permille: of requests that meet a fault}
-- @treturn string|nil the invariant that does not hold
-- @treturn table counts of ends, by kind, and of what else is worth being reached
function _M.run(server, plan)
  local self = setmetatable({ url = server.url, seed = plan.seed, left = plan.calls, marks = steps.SHARED, told = {},
    under_way = 0, ended = 0, counts = {}, started = 0, places = {}, all = {}, slots = {}, states = {} }, Round)
  server:ask(("begin %d %d"):format(plan.seed, plan.permille))
  local seen, stop_watching = fairness.watch(function(...)
    self:fail(...)
  end)
  local ok, problem = pcall(dsclient.run, carry_out, self, plan.tasks)
  stop_watching()
  if not ok then
    self:fail("no Lua error", "%s", tostring(problem))
    return self.failure, self.counts
  end
  check_runtime(self)
  for _, state in ipairs(self.states) do
    check_state(self, state)
  end
  check_ledger(self, server:ask("ledger " .. self.marks))
  self.counts.calls, self.counts.requests = self.ended, server:ask "served"
  self.counts["waited for a connection"], self.counts["got one after a wait"] = seen.waits, seen.granted
  return self.failure, self.counts
end

return _M

--- The client's counters are the sums of what happened.

local Counts = {}
Counts.__index = Counts

-- What fails before its own request is asked for is not counted, where that
-- is known: the client was closed, the run is held, no such name.
local UNCOUNTED = { closed = true, busy = true, not_found = true }

local function own_attempts(call)
  for _, attempt in ipairs(call.attempts) do
    if attempt.request.operation == call.row.operation then
      return true
    end
  end
  return false
end

-- A call that failed without a request of its own may have failed on the way
-- to it: on a name, a token, the server line, the state of a run. A fetch that
-- nobody waits for may find that there is no need of it, or no room.
local function is_doubtful(world, call)
  local plan = world.plan
  return call.thrown or call.is_background and (plan.names or call.err ~= nil or not own_attempts(call))
    or call.err and not own_attempts(call) and (plan.names or plan.detects or plan.token.hook or call.row.holds)
end

-- Asked for in the course of other calls, too.
local function is_asked_inside(world, name)
  return name == "server.detect" or name == "instances.get"
    or world.plan.names and (name == "projects.list" or name == "workflows.simple_list")
end

local function add_call(world, sums, call)
  if call.err and UNCOUNTED[call.err.kind] then
    return
  elseif is_doubtful(world, call) then
    sums.doubtful = sums.doubtful + 1
    return
  end
  sums.calls = sums.calls + 1
  sums.errors = sums.errors + (call.err and 1 or 0)
  sums.unseen = sums.unseen + (call.is_background and 1 or 0) -- nobody is told what came of it
end

local function expected_of(world)
  local expected = {}
  local function of(name)
    expected[name] = expected[name]
      or { calls = 0, errors = 0, doubtful = 0, unseen = 0, attempts = 0, bytes_in = 0, bytes_out = 0 }
    return expected[name]
  end
  for _, call in ipairs(world.ledger.calls) do
    if call.row.replay ~= "clear" then
      add_call(world, of(call.name), call)
    end
  end
  for _, attempt in ipairs(world.ledger.attempts) do
    local operation = attempt.request.operation
    local sums = of(operation == attempt.call.row.operation and attempt.call.name or operation)
    -- of a transport that throws the client is told nothing
    sums.attempts = sums.attempts + (attempt.kind == "thrown" and 0 or 1)
    sums.bytes_in = sums.bytes_in + (attempt.bytes_in or 0)
    sums.bytes_out = sums.bytes_out + (attempt.bytes_out or 0)
  end
  return expected
end

local function compare(self, name, what, got, least, most)
  if got < least or got > most then
    self.world:fail("counters are the sums of what happened", "%s: %s %d, not %d", name, what, got, least)
  end
end

-- Look-ups: each value that the cache gave, and no more.
local function check_cache(self)
  local world = self.world
  local stats, hits, stale = world.client:get_cache_stats(), 0, 0
  for _, call in ipairs(world.ledger.calls) do
    if call.thrown then
      return -- it may have been given one
    end
    hits = hits + (call.meta and call.meta.cached and 1 or 0)
    stale = stale + (call.meta and call.meta.stale and 1 or 0)
  end
  if not world.plan.names then
    compare(self, "the cache", "hits", stats.hits, hits, hits)
    compare(self, "the cache", "stale hits", stats.stale_hits, stale, stale)
  end
end

-- What was fetched ahead was used, or wasted, or is there.
local function check_ahead(self)
  local stats = self.world.client:get_cache_stats()
  local left = stats.refresh_issued - stats.refresh_used - stats.refresh_wasted
  compare(self, "the cache", "fetched ahead and not asked for", left, 0, stats.size)
  if stats.refresh_used > 0 then
    self.world.ledger:mark "refreshed ahead"
  end
end

function Counts:call_ended()
  local world, most = self.world, self.world.plan.options.cache_entries_max
  local stats = most and world.client:get_cache_stats()
  if stats and stats.size > most then
    world:fail("the cache keeps no more than it may", "%d entries, not %d", stats.size, most)
  end
end

function Counts:summed()
  local world = self.world
  check_cache(self)
  check_ahead(self)
  if world.plan.options.enable_metrics == false then
    return
  end
  local metrics = world.client:get_all_metrics()
  for name, sums in pairs(expected_of(world)) do
    if (metrics[name] or {}).refresh_issued then
      world.ledger:mark "refreshed ahead"
    end
    local row = metrics[name] or { call_count = 0, error_count = 0, attempts = 0, bytes_in = 0, bytes_out = 0 }
    for _, what in ipairs { "attempts", "bytes_in", "bytes_out" } do
      compare(self, name, what, row[what], sums[what], sums[what])
    end
    local most = is_asked_inside(world, name) and math.huge or sums.doubtful
    compare(self, name, "calls", row.call_count, sums.calls, sums.calls + most)
    compare(self, name, "errors", row.error_count, sums.errors, sums.errors + most + sums.unseen)
  end
end

return function(world)
  return setmetatable({ world = world }, Counts)
end

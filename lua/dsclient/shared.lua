--- What clients of several processes have in common: a second level of the
-- cache, one fetch for all, invalidation, the limits, the counters. It is in a
-- store that all of them see, and which may lose, refuse or spoil anything at any
-- time: that costs requests, never an answer.
--
-- A store has these methods of ngx.shared.DICT. None of them waits or throws:
--
--   get(name) → string, number or nil
--   set(name, value, seconds) → true [, nil, were others driven out for it?]; or
--     false and why. 0 seconds: without an end
--   add(name, value, seconds) → the same; or false and "exists"
--   incr(name, number, first) → the new number, `first` being the old one where
--     there is none; or nil and why
--   delete(name)
--
-- All processes are of one machine: its clock that never goes back is the same for
-- all, and what is compared are times of that clock. How long a store keeps things
-- only matters where somebody was killed.
--
-- The option `shared` of dsclient.new is {entries, state, later, owner, lives}:
--
--   entries   the store of the cache's second level
--   state     the store of all else, which is small; the same where it is left out
--   later     optional: function (seconds, fn): runs fn then, or before, where the
--             process ends; or returns false
--   owner     optional: function () → text that names this process: letters and
--     digits
--   lives     optional: function (owner) → is there such a process?

local core = require "dsclient.core"
local load = require "dsclient.load"
local wait = require "dsclient.wait"

local flight = load.later "dsclient.flight"
local shortcut = load.later "dsclient.shortcut"

local floor, format, max, min = math.floor, string.format, math.max, math.min

local _M = {}

-- What stands under a name; see core.name.
local EPOCH, VERSION, ENTRY, FETCH = "N", "V", "E", "F"
local LIMITS, BREAKER, GATE, COUNTERS, TALLY = "L", "B", "G", "C", "T"
local ACTING, HELD = "A", "H"

-- The short way to the cache is open for so long after a look at the epoch: what
-- another process has made old is given no longer than that.
local TRUST_S = 0.02

-- Who waits for another process looks again after so long, then twice as long, …
local PAUSE_S, PAUSE_MAX_S = 0.001, 0.016

-- What is done with the limits takes microseconds, the sum of counters a
-- millisecond, where the machine lets a process do it: who was killed meanwhile has
-- the lease for so long.
local GATE_LEASE_S, TALLY_LEASE_S = 0.1, 2
-- So often it is tried at once; then each PAUSE_S, for half as long again.
local SPINS = 20

-- So often counters are brought to the store, and leases renewed of fetches whose
-- tasks are there: the leases are short, for a task may vanish.
local TICK_S = 1
local FETCH_LEASE_S = 3

-- Names and versions of a client's clock: no larger number was ever written.
local COUNT_MAX = 2 ^ 52

local function now_us(state)
  return floor(core.time(state.client) * 1e6) + 1
end

local function is_count(value)
  return type(value) == "number" and value > 0 and value < COUNT_MAX and value % 1 == 0
end

local function nobody()
  return "nobody"
end

--- Begins to share, as the option says; before the client's first token.
-- @tparam table given the option, and `common`, what parts its servers from others,
--   and `own`, what else parts its results from those of other clients
function _M.open(state, given)
  local client = state.client
  core.scope(client, given.common, given.own, given.entries)
  local function name(tag)
    return core.name(client, tag, "")
  end
  state.shared = setmetatable({
    entries = given.entries,
    store = given.state or given.entries,
    later = given.later,
    owner = given.owner or nobody,
    lives = given.lives,
    epoch_name = name(EPOCH),
    limits_name = name(LIMITS),
    gate_name = name(GATE),
    counters_name = name(COUNTERS),
    tally_name = name(TALLY),
    names = {}, -- of versions, by operation
    epoch = false, -- as it was seen last; false: never
    versions = {}, -- by operation, as of that epoch
    name = false, -- of this process, from its first lease on
    leases = 0, -- how many were ever taken
    held = {}, -- those of fetches, by name: {text, task, seconds}
    tallied_s = core.time(client), -- when the counters were last brought
    tick_due = false,
    stats = {
      misses = 0, -- what the store did not have
      waits = 0, -- for another process that fetched the same
      inherited = 0, -- fetches whose process was killed, or too slow
      broken = 0, -- what nobody can have written
      refused = 0, -- what the store did not take
      driven_out = 0, -- how often others had to go for something
      unlocked = 0, -- steps that were taken without the limits of all
    },
  }, { __index = _M })
end

local function count(shared, name)
  shared.stats[name] = shared.stats[name] + 1
end

--- Notes what a set, an add or an incr came to.
local function noted(shared, done, why, forced)
  if not done and why ~= "exists" then
    count(shared, "refused")
  elseif forced then
    count(shared, "driven_out")
  end
  return done, why
end

-- --- invalidation --------------------------------------------------------

-- The version of an operation's results grows with each write, and then the epoch,
-- which stands for all versions. One that the store has lost begins anew with the
-- time in microseconds, which is a number that was never seen: a write takes longer.

--- All operations: what clear_cache makes old.
local ALL = ""

--- A number of the store that only grows.
-- @treturn number|nil nil where the store keeps none
-- @treturn boolean|nil was there none?
local function number_of(state, name)
  local shared = state.shared
  local value = shared.store:get(name)
  if is_count(value) then
    return value
  elseif value ~= nil then
    count(shared, "broken")
    shared.store:delete(name)
  end
  noted(shared, shared.store:add(name, now_us(state), 0))
  value = shared.store:get(name)
  return is_count(value) and value or nil, true
end

--- One more, of a number that others look at.
local function add_one(state, name)
  local shared = state.shared
  return noted(shared, shared.store:incr(name, 1, now_us(state)))
end

--- The version of an operation's results, as the store has it.
-- @return number, or false where it keeps none
local function fetch_version(state, operation)
  local names = state.shared.names
  names[operation] = names[operation] or core.name(state.client, VERSION, operation)
  local version, is_new = number_of(state, names[operation])
  if is_new then
    add_one(state, state.shared.epoch_name) -- who knows another one looks again
  end
  return version or false
end

--- Forgets what another process has made old.
local function catch_up(state)
  local versions = state.shared.versions
  for operation, seen in pairs(versions) do
    local version = fetch_version(state, operation)
    versions[operation] = version
    if version ~= seen then
      core.forget_stamps(state.client)
    end
    if version ~= seen and operation == ALL then
      flight.outdate_all(state)
    elseif version ~= seen then
      flight.outdate(state, operation)
    end
  end
end

local function version_of(state, operation)
  local versions = state.shared.versions
  if versions[operation] == nil then
    versions[operation] = fetch_version(state, operation)
  end
  return versions[operation]
end

--- Sees to it that nothing of the first level is older than what all processes
-- know now; before each read of the operation, and after.
function _M.look(state, operation)
  local shared = state.shared
  local epoch = shared.store:get(shared.epoch_name)
  if epoch ~= shared.epoch or not is_count(epoch) then
    epoch = number_of(state, shared.epoch_name)
    catch_up(state)
    shared.epoch = epoch or false
  end
  version_of(state, operation)
  version_of(state, ALL)
  core.trust(state.client, TRUST_S)
end

--- What entries of the operation are stamped with now; it has another one after
-- each write, and after each clear.
-- @treturn number|nil nil where the store knows of no versions
local function stamp_of(state, operation)
  local own, all = version_of(state, operation), version_of(state, ALL)
  return own and all and own + all or nil
end

--- Tells all processes that the results of an operation are old.
function _M.outdated(state, operation)
  version_of(state, operation)
  add_one(state, state.shared.names[operation])
  add_one(state, state.shared.epoch_name)
  core.forget_stamps(state.client)
end

--- … that all results are.
function _M.all_outdated(state)
  _M.outdated(state, ALL)
end

-- --- the second level ----------------------------------------------------

-- An entry that another process stored is newer by so much at least.
local NEWER_S = 0.001

-- Results that are lists, whatever the store says.
local LISTS = { page = true, list = true }

--- The name of a read's entry; another one once the token has changed.
local function entry_name(read)
  if read.named_for ~= read.state.identity then
    read.named_for = read.state.identity
    read.entry_name = core.name(read.state.client, ENTRY, read.key, true)
  end
  return read.entry_name
end

--- The store's entry of a read, brought into the first level.
-- @tparam boolean joined the miss of the first level stays one
-- @return value, age_s, bytes; or nil
local function adopted(read, joined)
  local state = read.state
  local shared = state.shared
  local stamp = stamp_of(state, read.row.operation)
  local bytes = stamp and shared.entries:get(entry_name(read))
  if bytes == nil or bytes == read.seen or not stamp then
    return nil
  end
  read.seen = bytes -- if it does not do now it never will
  local verdict = "broken"
  if type(bytes) == "string" then
    -- what is fetched anew has to be newer than what there is
    local age_max_s = read.stored_s and core.time(state.client) - read.stored_s - NEWER_S
    local value, age_s = core.adopt(state.client, not joined and read.number or nil, read.key, bytes, stamp,
      read.opts.borrow, LISTS[read.row.result], joined, age_max_s)
    if value ~= nil then
      return value, age_s, bytes
    end
    verdict = age_s
  end
  if verdict == "broken" then
    count(shared, "broken")
  end
  return nil
end

--- After a miss of the first level: a value that is fresh; one that is not is in
-- the first level from now on.
-- @return value, age_s; or nil
function _M.find(read)
  local value, age_s = adopted(read)
  if value ~= nil then
    shortcut.stamp(read.state, read.row, stamp_of(read.state, read.row.operation))
  else
    count(read.state.shared, "misses")
  end
  return value, age_s
end

--- Keeps what was fetched for all processes.
function _M.keep(read, text, ttl_s, stale_s)
  local state = read.state
  local shared = state.shared
  local stamp = stamp_of(state, read.row.operation)
  local bytes = stamp and core.seal(state.client, read.key, text, stamp, ttl_s, stale_s)
  if bytes then
    noted(shared, shared.entries:set(entry_name(read), bytes, ttl_s + stale_s))
    shortcut.stamp(state, read.row, stamp)
  end
end

-- --- leases --------------------------------------------------------------

-- A lease is text: until when (microseconds of the clock of all), whose, which.

-- The longest one: a call lasts no longer (options.lua).
local LEASE_MAX_S = 86400

--- How long a lease still lasts: 0 where it is over, or nobody took it.
-- @tparam boolean outlives does it last when its process is gone?
local function left_of(state, lease, outlives)
  local until_us, owner = tostring(lease):match "^(%d+) (%w+) %d+$"
  local left_s = until_us and tonumber(until_us) / 1e6 - core.time(state.client) or 0
  local lives = not outlives and state.shared.lives
  local held = left_s > 0 and left_s <= LEASE_MAX_S and (not lives or lives(owner))
  return held and left_s or 0
end

--- The text of a new lease.
local function new_lease(state, seconds)
  local shared = state.shared
  shared.leases = shared.leases + 1
  shared.name = shared.name or shared.owner() -- not before: a client is made before the fork
  return format("%.0f %s %d", (core.time(state.client) + seconds) * 1e6, shared.name, shared.leases)
end

--- Gives a lease back, unless it is another's by now. Between the two steps it may
-- become so: then two have it, and do something twice that may be done twice.
local function give_back(shared, name, lease)
  if shared.store:get(name) == lease then
    shared.store:delete(name)
  end
end

--- Takes a lease for so long, where no other process has one.
-- @tparam string|nil own one that this process has
-- @tparam boolean outlives does another one last when its process is gone?
-- @treturn string|nil the lease; nil and why: "exists", or what the store says
local function take(state, name, seconds, own, outlives)
  local shared = state.shared
  local lease = new_lease(state, seconds)
  local taken, why = noted(shared, shared.store:add(name, lease, seconds))
  if why == "exists" then
    local other = shared.store:get(name)
    if other == own then
      taken, why = noted(shared, shared.store:set(name, lease, seconds))
    elseif left_of(state, other, outlives) == 0 then
      give_back(shared, name, other)
      taken, why = noted(shared, shared.store:add(name, lease, seconds))
    end
  end
  return taken and lease or nil, why
end

-- --- one fetch for all ---------------------------------------------------

--- What is in the store by now, as JSON text.
local function fetched(read)
  local value, _, bytes = adopted(read, true)
  return value ~= nil and bytes:sub(core.SEAL_BYTES + 1) or nil
end

-- How waiting for another process may end.
local FETCHED, AGAIN, ALONE, ENDED = 1, 2, 3, 4

-- A store may be so far ahead when it forgets a lease.
local STORE_AHEAD_S = 0.05

--- What has become of the lease that was seen last.
-- @treturn number|nil nil where one is held
-- @treturn string|nil that one
local function look_at_lease(state, name, seen)
  local lease = state.shared.store:get(name)
  if lease == nil and left_of(state, seen) > STORE_AHEAD_S then
    return ALONE -- he has ended, and left nothing: the others may be as unlucky
  elseif left_of(state, lease) > 0 then
    return nil, lease
  end
  count(state.shared, "inherited")
  return AGAIN
end

--- Waits for the process that has the lease.
-- @treturn number how it ended
-- @return the text, or the error
local function await(read, name)
  local state = read.state
  local pause_s, seen = PAUSE_S, state.shared.store:get(name)
  count(state.shared, "waits")
  while true do
    local how = wait.park(state, {}, max(min(pause_s, read.deadline - core.time(state.client)), 0))
    local err = flight.ended(state, how == "cancelled" and how, read.deadline)
    if err then
      return ENDED, err
    end
    local text = fetched(read)
    if text then
      return FETCHED, text
    end
    local outcome
    outcome, seen = look_at_lease(state, name, seen)
    if outcome then
      return outcome
    end
    pause_s = min(pause_s * 2, PAUSE_MAX_S)
  end
end

local function leave_fetch(shared, name, held)
  give_back(shared, name, held.text)
  if shared.held[name] == held then
    shared.held[name] = nil
  end
end

--- Fetches under a lease, which is given back however that ends.
local function fetch_under(shared, name, held, fetch)
  local ok, value, err, meta, text = pcall(fetch)
  leave_fetch(shared, name, held)
  if not ok then
    error(value, 0)
  end
  return value, err, meta, text
end

--- Renews the leases of this process.
-- @tparam boolean again will there be another tick?
local function renew(state, again)
  local shared = state.shared
  for name, held in pairs(shared.held) do
    local seconds = again and FETCH_LEASE_S or held.seconds
    local is_gone = held.task and wait.is_gone(state, held.task)
    if shared.store:get(name) ~= held.text then
      shared.held[name] = nil -- another process has it by now
    else
      -- one that is over already, rather than none: who sees that takes the next
      held.text = new_lease(state, is_gone and -1 or seconds)
      shared.held[name] = not is_gone and held or nil
      noted(shared, shared.store:set(name, held.text, seconds))
    end
  end
end

--- Takes the right to fetch. What this process has had of it was for one who is gone,
-- or whom a write has overtaken: tasks of one process share their fetches.
-- @treturn table|nil {text, task, seconds}; nil and why
local function take_fetch(read, name)
  local state = read.state
  local shared = state.shared
  local attempt_s = read.opts.attempt_timeout_s or read.known.attempt_timeout_s
  local longest_s = max(min(read.deadline - core.time(state.client), attempt_s), 0.001)
  local seconds = shared.tick_soon(state) and min(longest_s, FETCH_LEASE_S) or longest_s
  local before = shared.held[name]
  local text, why = take(state, name, seconds, before and before.text)
  if not text then
    return nil, why
  end
  local current = state.runtime.current
  local held = { text = text, task = current and current(), seconds = longest_s }
  shared.held[name] = held
  return held
end

--- Fetches, or takes what another process fetches meanwhile.
-- @tparam function fetch as of flight.share
-- @return as it; or nil, err, nil, text, true: another's
function _M.once(read, fetch)
  local shared = read.state.shared
  local name = core.name(read.state.client, FETCH, read.key, true)
  while true do
    local held, why = take_fetch(read, name)
    local text = held and fetched(read) -- it may have come between
    if text then
      leave_fetch(shared, name, held)
      return nil, nil, nil, text, true
    elseif held then
      return fetch_under(shared, name, held, fetch)
    elseif why ~= "exists" then
      return fetch()
    end
    local outcome, found = await(read, name)
    if outcome == FETCHED then
      return nil, nil, nil, found, true
    elseif outcome == ENDED then
      return nil, found, nil, nil, true
    elseif outcome == ALONE then
      return fetch()
    end
  end
end

--- How the second level did in this process.
-- @tparam number hits of it
-- @treturn table hits, misses, waits, inherited, broken, refused, driven_out,
--   unlocked; see `open`
function _M.stats_of(state, hits)
  local stats = { hits = hits }
  for name, number in pairs(state.shared.stats) do
    stats[name] = number
  end
  return stats
end

-- --- one run, one execute at a time --------------------------------------

-- Nothing is held for longer.
local HOLD_MAX_S = 60

--- How long a run is held that a process has acted on, and whether what it did was to
-- end it.
-- @treturn table|nil {until_s, halts}
local function hold_of(state, id)
  local text = state.shared.store:get(core.name(state.client, HELD, id))
  local until_us, halts = tostring(text):match "^(%d+) (%a+)$"
  local until_s = until_us and tonumber(until_us) / 1e6
  if not until_s or until_s - core.time(state.client) > HOLD_MAX_S then
    return nil
  end
  return { until_s = until_s, halts = halts == "halts" }
end

--- Takes the right to act on runs. Who is killed with it has it until his deadline:
-- what he sent may still take effect.
-- @tparam table ids array
-- @tparam table holds by id, of this process; those of others are added
-- @treturn table|nil leases by id; or nil, and the id that another process acts on
function _M.take_runs(state, ids, holds, deadline)
  local leases = {}
  local seconds = max(deadline - core.time(state.client), 0.001)
  for _, id in ipairs(ids) do
    local lease, why = take(state, core.name(state.client, ACTING, id), seconds, nil, true)
    if why == "exists" then
      _M.leave_runs(state, leases)
      return nil, id
    end
    leases[id] = lease or ""
    holds[id] = hold_of(state, id) or holds[id]
  end
  return leases
end

--- Gives the right to act back; from now on the runs are held, where a hold is given.
function _M.leave_runs(state, leases, hold)
  local shared = state.shared
  for id, lease in pairs(leases) do
    if hold then
      local text = format("%.0f %s", hold.until_s * 1e6, hold.halts and "halts" or "goes")
      local seconds = hold.until_s - core.time(state.client)
      noted(shared, shared.store:set(core.name(state.client, HELD, id), text, seconds))
    end
    give_back(shared, core.name(state.client, ACTING, id), lease)
  end
end

-- --- locks ---------------------------------------------------------------

--- Takes a lease that nobody has for long, waiting for it.
-- @tparam boolean at_once don't wait
-- @treturn string|nil the lease; nil where it can't be had
local function lock(state, name, seconds, at_once)
  for try = 1, SPINS + (at_once and 0 or 1.5 * seconds / PAUSE_S) do
    local lease, why = take(state, name, seconds)
    if lease then
      return lease
    elseif why ~= "exists" or try >= SPINS and not at_once and wait.park(state, {}, PAUSE_S) == "cancelled" then
      break
    end
  end
  count(state.shared, "unlocked")
  return nil
end

-- --- limits --------------------------------------------------------------

--- Brings back what a step has changed.
local function bring_back(shared, name, before, now)
  if now and now ~= before then
    noted(shared, shared.store:set(name, now, 0))
  end
end

--- Takes a step of a call's machine on the limits of all processes.
-- @return what to do now; see csrc/lua/call.c
function _M.weigh(ticket)
  local state, known = ticket.state, ticket.known
  local shared, name = state.shared, known.breaker_name
  if not name then
    name = core.name(state.client, BREAKER, ticket.row.name)
    known.breaker_name = name
  end
  local lease = lock(state, shared.gate_name, GATE_LEASE_S)
  if not lease then
    return select(4, ticket.call:weigh())
  end
  local limits, breaker = shared.store:get(shared.limits_name), shared.store:get(name)
  local sound, new_limits, new_breaker, action, a, b, c = ticket.call:weigh(limits, breaker)
  if not sound then
    count(shared, "broken")
  end
  bring_back(shared, shared.limits_name, limits, new_limits)
  bring_back(shared, name, breaker, new_breaker)
  give_back(shared, shared.gate_name, lease)
  return action, a, b, c
end

--- Brings the core's limits up to date, to tell of them.
function _M.pull_limits(state)
  local shared = state.shared
  local limits = shared.store:get(shared.limits_name)
  if type(limits) == "string" and not core.set_limits(state.client, limits) then
    count(shared, "broken")
  end
end

-- --- counters ------------------------------------------------------------

--- What all processes have brought, and what is given beside.
-- @treturn userdata|nil the sum
local function sum_of(state, ...)
  local shared = state.shared
  local bytes = shared.store:get(shared.counters_name)
  local brought = type(bytes) == "string" and core.decode(bytes)
  if type(brought) == "table" then
    local sum = core.sum(brought, ...)
    if sum then
      return sum
    end
  end
  if bytes ~= nil then
    count(shared, "broken")
  end
  return (core.sum(...))
end

--- The counters of all processes: those of this one as they are now.
-- @treturn userdata a source for report.lua
function _M.sum(state)
  return sum_of(state, core.snapshot(state.client))
end

--- Brings this process's counters to the store, where they stay after its end.
-- @tparam boolean at_once don't wait
function _M.tally(state, at_once)
  local shared = state.shared
  local lease = lock(state, shared.tally_name, TALLY_LEASE_S, at_once)
  if not lease or not core.enter(state.client) then
    return
  end
  local text = core.encode(core.snapshot(_M.sum(state)))
  if noted(shared, shared.store:set(shared.counters_name, text, 0)) then
    core.reset_metrics(state.client)
  end
  give_back(shared, shared.tally_name, lease)
  shared.tallied_s = core.time(state.client)
end

--- The sum begins anew; other processes add what they have not brought yet.
function _M.reset(state)
  state.shared.store:delete(state.shared.counters_name)
end

-- --- ticks ---------------------------------------------------------------

local function tick(state)
  local shared = state.shared
  shared.tick_due = false
  if core.enter(state.client) then
    renew(state, next(shared.held) ~= nil and _M.tick_soon(state))
    core.trust(state.client, 0) -- the next hit has to see to the next tick
    _M.tally(state)
  end
end

--- Counters are brought, and leases renewed, in a while.
-- @treturn boolean is it to be so?
function _M.tick_soon(state)
  local shared = state.shared
  if shared.later and not shared.tick_due then
    shared.tick_due = shared.later(TICK_S, function()
      tick(state)
    end) ~= false
  end
  return shared.tick_due
end

--- Sees to it that what was counted is brought, after each call.
-- @tparam boolean at_once where nothing can wait
function _M.tally_soon(state, at_once)
  local shared = state.shared
  if _M.tick_soon(state) then
    return
  elseif shared.later then -- the process is about to end: each call may be the last one
    core.trust(state.client, 0)
    _M.tally(state, at_once)
  elseif core.time(state.client) - shared.tallied_s >= TICK_S then
    _M.tally(state, true)
  end
end

return _M

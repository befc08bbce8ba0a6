--- Values: each is what the server answered to this question, in this call or
-- not longer ago than may be; to nobody else, and not before a write that made
-- it old; and lists are whole.
--
-- Each row of an answer holds the answer's number, and the ledger knows the
-- rest.

local operations = require "dsclient.operations"

local MICROSECOND = 1e-6
local WORKFLOWS = 3

-- The client's own defaults.
local DEFAULTS = { stale_if_error_s = 600, stale_while_revalidate_s = 0 }

local Cache = {}
Cache.__index = Cache

-- --- where a value comes from --------------------------------------------

local function same_question(call, request)
  return request.operation == call.row.operation
    and (call.world_names or request.project == nil or request.project == call.args.project)
    and (request.instance == nil or request.instance == ("%d"):format(call.args.instance_id))
end

local function attempt_of(self, call, row)
  local world = self.world
  local stamp = type(row) == "table" and (row.description or row.host)
  local number = type(stamp) == "string" and stamp:match "^a(%d+)$"
  local attempt = number and world.server.answers[tonumber(number)]
  if not attempt then
    world:fail("a value is what the server answered", "%s: a row with the mark %s", call.label, tostring(stamp))
  elseif attempt.replaced or attempt.kind ~= "answer" then
    world:fail("a value is a success", "%s: of %s, which was none", call.label, attempt.label)
  elseif not same_question(call, attempt.request) then
    world:fail("a value answers its own question", "%s: of %s", call.label, attempt.label)
  end
  return attempt
end

-- {first sent, last arrived, made from, made until} of the answers in a value.
local function origin_of(self, call, rows)
  local origin = { sent_seq = math.huge, came_seq = 0, made_from_us = math.huge, made_until_us = 0 }
  for _, row in ipairs(rows) do
    local attempt = attempt_of(self, call, row)
    if attempt.ended_seq > origin.came_seq then
      origin.came_seq, origin.last = attempt.ended_seq, attempt
    end
    origin.sent_seq = math.min(origin.sent_seq, attempt.begun_seq)
    origin.made_from_us = math.min(origin.made_from_us, attempt.made_us)
    origin.made_until_us = math.max(origin.made_until_us, attempt.made_us)
  end
  return origin.last and origin
end

-- --- how old it may be ---------------------------------------------------

-- What is looked up for a name is asked for without options.
local NO_OPTIONS = {}

local function asked(attempt)
  local call, operation = attempt.call, attempt.request.operation
  if operation == call.row.operation then
    return call.row, call.opts
  end
  return operations.find(operation), NO_OPTIONS
end

local function ttl_of(world, attempt)
  local row, opts = asked(attempt)
  local given = world.plan.options.cache_ttl_s or {}
  return opts.ttl_s or given[row.name] or given[row.operation] or row.ttl_s or 0
end

local function window_of(world, opts, name)
  return opts[name] or world.plan.options[name] or DEFAULTS[name]
end

local function check_age(self, call, origin)
  local world, meta = self.world, call.meta
  local age_s = (call.ended_us - origin.last.ended_us) / 1e6
  local ttl_s = ttl_of(world, origin.last)
  if call.hook_ended_us or origin.last.call.hook_ended_us then
    age_s = math.min(age_s, meta.age_s) -- the log took its time in between
  end
  if math.abs(meta.age_s - age_s) > MICROSECOND then
    world:fail("a cached value tells its age", "%s: %.6f s, not %.6f", call.label, meta.age_s, age_s)
  elseif not meta.stale and age_s >= ttl_s then
    world:fail("a fresh value is within its time", "%s: %.6f s old, of %s, which keeps it for %g s", call.label, age_s,
      origin.last.label, ttl_s)
  elseif not meta.stale then
    return
  end
  local name = meta.error and "stale_if_error_s" or "stale_while_revalidate_s"
  local _, opts = asked(origin.last)
  local kept_s = math.max(window_of(world, opts, "stale_if_error_s"),
    window_of(world, opts, "stale_while_revalidate_s"))
  local allowed_s = math.min(kept_s, window_of(world, call.opts, name))
  if age_s < ttl_s or age_s - ttl_s >= allowed_s then
    world:fail("a stale value is within its window", "%s: stale for %.6f s, allowed are %g s", call.label,
      age_s - ttl_s, allowed_s)
  end
  world.ledger:mark(name)
end

-- --- whose it is, and what was written since -----------------------------

local function check_owner(self, call, origin)
  local world, token = self.world, origin.last.token
  if world.plan.options.identity then
    return
  end
  -- it may have changed since a shared fetch began, or while the log was told
  local since_then = call.meta.shared or call.hook_ended_us
  local mine = token == world.tokens:in_use() or since_then and world.tokens:was_used(token, call.begun_seq)
  if not mine then
    world:fail("a value is never another token's", "%s: of %s, made for %s", call.label, origin.last.label, token)
  end
end

local function check_writes(self, call, origin)
  local write = self.writes[call.row.operation]
  if not write then
    return
  end
  -- a cached value was looked up when the call ended, but for what the log did
  local at_the_end = call.meta.cached and not call.hook_ended_us
  if origin.sent_seq < write and (at_the_end or write < call.begun_seq) then
    self.world:fail("a value is never older than a write that was done before", "%s: of %s", call.label,
      origin.last.label)
  end
end

-- --- whether it is whole -------------------------------------------------

-- A project that went while pages were read, and one that came: the total tells
-- of neither.
local function is_replaced(world, origin)
  local came, went
  for _, project in ipairs(world.server.projects) do
    came = came or project.from_us >= origin.made_from_us and project.from_us <= origin.made_until_us
    went = went or project.until_us >= origin.made_from_us and project.until_us <= origin.made_until_us
  end
  return came and went
end

local function check_projects(self, call, rows, origin)
  local world, seen = self.world, {}
  for _, row in ipairs(rows) do
    local code = call.opts.raw and ("%.0f"):format(row.code) or row.code
    if seen[code] then
      world:fail("a list holds each row once", "%s: %s", call.label, row.name)
    end
    seen[code] = true
  end
  local replaced = is_replaced(world, origin)
  for _, project in ipairs(world.server.projects) do
    local throughout = project.from_us < origin.made_from_us and project.until_us > origin.made_until_us
    local never = project.from_us > origin.made_until_us or project.until_us < origin.made_from_us
    if throughout and not seen[project.code] and not replaced or never and seen[project.code] then
      world:fail("a list is whole", "%s: %s is %s", call.label, project.name, never and "there" or "missing")
    end
  end
end

local COUNTS = { ["instances.list"] = 6, ["workflows.list"] = WORKFLOWS }

local function check_whole(self, call, rows, origin)
  local operation = call.row.operation
  if operation == "projects.list" then
    check_projects(self, call, rows, origin)
  elseif COUNTS[operation] and #rows ~= COUNTS[operation] then
    self.world:fail("a list is whole", "%s: %d rows, not %d", call.label, #rows, COUNTS[operation])
  end
end

-- --- the whole -----------------------------------------------------------

-- A list of nothing tells nothing of where it comes from. All projects may have
-- been deleted, but nothing else is ever empty.
local function check_empty(self, call)
  local deleted = call.row.operation == "projects.list"
  for _, project in ipairs(self.world.server.projects) do
    deleted = deleted and (project.from_us > 0 or project.until_us < math.huge)
  end
  if not deleted then
    self.world:fail("a list is whole", "%s is empty", call.label)
  end
end

local function check_value(self, call)
  local world, meta = self.world, call.meta
  local rows = call.row.result == "page" and call.value or { call.value }
  call.world_names = world.plan.names
  local origin = origin_of(self, call, rows)
  if not origin then
    return check_empty(self, call)
  end
  check_whole(self, call, rows, origin)
  check_writes(self, call, origin)
  if meta.cached then
    check_age(self, call, origin)
    check_owner(self, call, origin)
  elseif meta.shared then
    check_owner(self, call, origin)
    -- whose call it is may still have told the log
    local leader = origin.last.call
    if origin.came_seq < call.begun_seq and (leader.ended_seq or math.huge) < call.begun_seq then
      world:fail("a shared value comes while one waits", "%s: of %s", call.label, origin.last.label)
    elseif origin.last.ended_us ~= call.ended_us and not origin.last.call.hook_ended_us then
      world:fail("a shared value is given when it comes", "%s: of %s, at %.6f", call.label, origin.last.label,
        origin.last.ended_us / 1e6)
    end
  elseif origin.last.call ~= call or origin.sent_seq < call.begun_seq then
    world:fail("a fetched value was fetched", "%s: of %s", call.label, origin.last.label)
  end
  world.ledger:mark(meta.stale and "stale" or meta.cached and "cached" or meta.shared and "shared" or "fetched")
end

local function note_write(self, call)
  local operation = call.row.replay == "clear" and operations.names() or call.row.invalidates or {}
  for _, name in ipairs(operation) do
    self.writes[name] = call.ended_seq
  end
end

function Cache:call_ended(call)
  local done = call.value ~= nil or call.err and call.err.kind == "outcome_unknown"
  if done and call.row.replay ~= "read" then
    note_write(self, call)
  elseif call.value ~= nil and call.row.replay == "read" then
    check_value(self, call)
  end
end

return function(world)
  return setmetatable({ world = world, writes = {} }, Cache)
end

--- Connections: never more than there may be, nobody is overtaken, no place is
-- lost.

-- The client's own defaults.
local POOL, QUEUE = 20, 1000

local Queue = {}
Queue.__index = Queue

function Queue:attempt_begun(attempt)
  local world = self.world
  local pool = world.plan.options.pool_maxsize or POOL
  if world.network.in_flight > pool then
    world:fail("no more requests are under way than pool_maxsize", "%d of %d", world.network.in_flight, pool)
  end
  self:check_turn(attempt)
end

-- Only operations that are never shared: who is woken there got a connection.
-- And only without a pace, which has an order of its own.
local function waits_for_connections_only(world, call)
  local operation, plan = call.row.operation, world.plan
  return (operation:find "^instances" or operation == "projects.create") and not call.opts.ttl_s
    and not (plan.names or plan.detects or plan.options.rate_limit or world.last_429_us or plan.blocking)
end

function Queue:check_turn(attempt)
  local world, now_us = self.world, self.world.scheduler.now_us
  local since_us = attempt.task.granted_from_us
  attempt.task.granted_from_us = nil
  if world.last_429_us then
    return
  end
  local exact = waits_for_connections_only(world, attempt.call)
  if since_us and exact then
    attempt.queued_us = since_us
    world.ledger:mark "waited for a connection"
    for i = #self.sent, 1, -1 do
      local other = self.sent[i]
      if other.at_us <= since_us then
        break
      elseif other.since_us and other.since_us > since_us and other.at_us < now_us then
        world:fail("who waits longer gets a connection first", "%s waits since %.6f, %s came at %.6f", attempt.label,
          since_us / 1e6, other.label, other.since_us / 1e6)
      end
    end
  end
  if since_us and not exact then
    since_us = nil -- of what kind the wait was, is not known
  else
    since_us = since_us or now_us
  end
  self.sent[#self.sent + 1] = { at_us = now_us, since_us = since_us, label = attempt.label }
end

-- Who can't be sent in time had no connection, where nothing else holds it up.
function Queue:call_ended(call)
  local world = self.world
  local waited = call.err and call.err.kind == "deadline" and #call.attempts == 0 and call.ended_us > call.begun_us
  if not waited or call.hook_ended_us or world.plan.token.hook or not waits_for_connections_only(world, call) then
    return
  end
  local pool = world.plan.options.pool_maxsize or POOL
  if world.network.in_flight < pool and world.network.freed_us < call.ended_us then
    world:fail("nobody waits while a connection is free", "%s: %d of %d are in use", call.label,
      world.network.in_flight, pool)
  end
end

function Queue:stepped()
  local world = self.world
  if world.closed_us or world.scheduler.steps % 16 ~= 0 then
    return
  end
  local status = world.client:status()
  local queue = world.plan.options.queue_max or QUEUE
  if status.waiting > queue then
    world:fail("no more calls wait than queue_max", "%d of %d", status.waiting, queue)
  elseif status.in_flight < world.network.in_flight then
    world:fail("what is under way is counted", "%d, not %d", status.in_flight, world.network.in_flight)
  end
  if status.waiting > 0 then
    world.ledger:mark "calls wait"
  end
end

function Queue:settled()
  local world = self.world
  if world.closed_us then
    return
  end
  local status = world.client:status()
  if status.in_flight ~= 0 or status.waiting ~= 0 then
    world:fail("all places are given back", "%d in flight, %d waiting", status.in_flight, status.waiting)
  end
end

return function(world)
  return setmetatable({ world = world, sent = {} }, Queue)
end

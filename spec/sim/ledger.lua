--- What happened: calls, the attempts to send that they made, and the words of
-- a trace. All have their place in one order (`seq`), that of the virtual time
-- and, within a moment, that in which things happened.

local _M = {}
_M.__index = _M

--- @tparam table scheduler
-- @tparam boolean traced keep lines for people?
function _M.new(scheduler, traced)
  return setmetatable({
    scheduler = scheduler,
    seq = 0,
    calls = {},
    attempts = {},
    marks = {},
    lines = traced and {} or nil,
  }, _M)
end

--- The next place in the order.
function _M:next_seq()
  self.seq = self.seq + 1
  return self.seq
end

--- A state was reached that is worth being reached: see marks.lua.
function _M:mark(name)
  self.marks[name] = (self.marks[name] or 0) + 1
end

--- A line of the trace.
function _M:say(...)
  if self.lines then
    self.lines[#self.lines + 1] = ("%12.6f  "):format(self.scheduler.now_us / 1e6) .. string.format(...)
  end
end

-- --- calls ---------------------------------------------------------------

--- The call that the running task is in, or nil.
function _M:current()
  local task = self.scheduler:current()
  return task and task.call
end

--- A call begins in the running task, within the one that it may be in.
-- @tparam table fields number, name, row, args, opts, deadline_us, …
function _M:begin_call(fields)
  local task = self.scheduler:current()
  local call = fields
  call.task = task
  call.outer = task.call
  call.begun_us = self.scheduler.now_us
  call.begun_seq = self:next_seq()
  call.attempts = {}
  call.effects = 0
  task.call, task.granted_from_us = call, nil
  self.calls[#self.calls + 1] = call
  return call
end

function _M:end_call(call)
  call.ended_us = self.scheduler.now_us
  call.ended_seq = self:next_seq()
  call.task.call, call.task.granted_from_us = call.outer, nil
end

-- --- attempts ------------------------------------------------------------

--- The running task starts to send.
-- @tparam table fields request, server, deadline_us, token
function _M:begin_attempt(fields)
  local attempt = fields
  local call = self:current()
  attempt.call = call
  attempt.task = self.scheduler:current()
  attempt.begun_us = self.scheduler.now_us
  attempt.begun_seq = self:next_seq()
  self.attempts[#self.attempts + 1] = attempt
  call.attempts[#call.attempts + 1] = attempt
  attempt.number = #call.attempts
  return attempt
end

--- What the client was told of it.
function _M:end_attempt(attempt, kind, phase)
  attempt.kind, attempt.phase = kind, phase
  attempt.ended_us = self.scheduler.now_us
  attempt.ended_seq = self:next_seq()
end

return _M

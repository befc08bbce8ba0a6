--- Runs of a workflow for the schedule dates of a period: those that are missing,
-- in order, a few at a time. What was done is read from the server, so that a
-- second call does only what is missing, whoever did the rest.

local answers = require "dsclient.composed.answers"
local core = require "dsclient.core"
local dates_of = require "dsclient.composed.dates"
local errors = require "dsclient.errors"
local names = require "dsclient.composed.names"
local options = require "dsclient.options"
local progress = require "dsclient.progress"
local runs = require "dsclient.composed.runs"
local watches = require "dsclient.composed.watch"

local format = string.format

local _M = {}

local OPERATION = "workflows.backfill"

-- A run for a date does not begin before it; zones are at most 26 h apart.
local EARLIER_S = 48 * 3600

-- Commands that never have a schedule date.
local WITHOUT_DATE = { START_PROCESS = true, START_CURRENT_TASK_PROCESS = true }

-- --- what is there -------------------------------------------------------

--- The schedule date of a run in the words of the requests, or nil.
local function date_of(row, shift_s)
  local shown = type(row.scheduleTime) == "string" and dates_of.parse(row.scheduleTime)
  return shown and dates_of.text(shown - shift_s)
end

--- A listed run with its schedule date, which lists don't tell up to 3.1.
local function with_date(self, row)
  if type(row.scheduleTime) == "string" or WITHOUT_DATE[row.commandType] then
    return row
  end
  return answers.run(self.client, self.project, row.id, self.watch:call_options())
end

--- Takes a run into account: one that ended well, or goes on, stands before one
-- that failed; else the latest counts.
local function note(entry, row)
  local weight = runs.is_good(row) and 3 or row.finished and 1 or 2
  if weight > (entry.weight or 0) or weight == entry.weight and row.id > entry.instance_id then
    entry.weight, entry.instance_id, entry.state = weight, row.id, row.state
    entry.status = weight == 3 and "done" or weight == 2 and "running" or "failed"
  end
end

--- The window in which runs for these dates began; none where dates are still to
-- come, for those may have been run at any time. 2.0 needs both ends.
local function window(entries)
  local first, last = dates_of.parse(entries[1].date), dates_of.parse(entries[#entries].date)
  local now = os.time()
  if last > now then
    return nil, nil
  end
  return dates_of.text(first - EARLIER_S), dates_of.text(now + EARLIER_S)
end

--- Reads what became of the dates until now.
-- @treturn boolean|nil true; or nil, err
local function read_history(self)
  local from, to = window(self.entries)
  local pages = self.client.instances:pages({
    project = self.project,
    workflow = self.workflow,
    start_date = from,
    end_date = to,
  }, self.watch:call_options())
  local function next_rows()
    local there_is_time, why = self.watch:goes_on "the history was not read to its end"
    if there_is_time then
      return pages.next()
    end
    return nil, why
  end
  local rows, err = next_rows()
  while rows do
    for _, listed in ipairs(answers.with_id(rows)) do
      local row
      row, err = with_date(self, listed)
      if not row then
        return nil, err
      end
      local entry = self.by_date[date_of(row, self.shift_s)]
      if entry then
        note(entry, row)
      end
    end
    rows, err = next_rows()
  end
  return not err or nil, err
end

-- --- one date ------------------------------------------------------------

-- What a start is told its date with: 3.1 and later; 2.0 and 3.0.
local FORMS = {
  function(date)
    return core.encode { complementScheduleDateList = date }
  end,
  function(date)
    return date .. "," .. date
  end,
}

local START_FAILED = 50014

local TIMEOUT_MIN_S = 0.1

local function send(self, entry)
  local args = {}
  for name, value in pairs(self.start) do
    args[name] = value
  end
  args.project, args.workflow, args.exec_type = self.project, self.workflow, "COMPLEMENT_DATA"
  args.schedule_time = FORMS[self.form](entry.date)
  return runs.run(self.client, args, {
    timeout_s = math.max(TIMEOUT_MIN_S, math.min(runs.FIND_S, self.watch:left_s())),
    poll_s = self.poll_s,
    poll_max_s = self.poll_max_s,
  })
end

--- Starts the run of a date. A form that the line does not know is refused, and
-- nothing was started by it.
local function start(self, entry)
  local started, err = send(self, entry)
  if not started and err.kind == "api" and err.code == START_FAILED and not self.formed and self.form < #FORMS then
    self.form = self.form + 1
    local again, other = send(self, entry)
    started, err = again, other
    self.form = started and self.form or self.form - 1
  end
  if not started then
    entry.status = err.started and "running" or entry.status
    return nil, err
  end
  self.formed = true
  self.started = self.started + 1
  entry.instance_id, entry.status, entry.state, entry.ours = started.instance_ids[1], "running", nil, true
  return true
end

--- The server shows another date than the one asked for: all that is read of what
-- was done would be wrong.
local function check_date(self, entry, row)
  local shown = date_of(row, self.shift_s)
  if not entry.ours or entry.checked or not shown then
    return true
  elseif shown == entry.date then
    entry.checked = true
    return true
  end
  return nil, errors.new {
    kind = "protocol",
    operation = OPERATION,
    message = format("run %d was started for %s, and the server shows %s: its zones differ, give shift_s = %.0f",
      row.id, entry.date, row.scheduleTime, dates_of.parse(row.scheduleTime) - dates_of.parse(entry.date)),
  }
end

--- Looks at a run that goes on.
-- @treturn boolean|nil has it ended? nil, err where it makes no sense to go on
local function look(self, entry)
  entry.run = entry.run or { id = entry.instance_id }
  local row, err = runs.read(self.client, self.project, entry.run, self.watch:call_options())
  if not row then
    if watches.is_passing(err) then
      return false
    end
    return nil, err
  end
  local fits
  fits, err = check_date(self, entry, row)
  if not fits then
    return nil, err
  end
  entry.state = row.state
  if row.finished then
    entry.status = runs.is_good(row) and "done" or "failed"
  end
  return row.finished or false
end

-- --- all of them ---------------------------------------------------------

local function report_of(self)
  local report = { complete = true, started = self.started, dates = {}, holes = {} }
  for i, entry in ipairs(self.entries) do
    local line = { date = entry.date, status = entry.status, instance_id = entry.instance_id, state = entry.state }
    report.dates[i] = line
    if entry.status ~= "done" then
      report.complete = false
    end
    if entry.status == "failed" or entry.status == "absent" then
      report.holes[#report.holes + 1] = line
    end
  end
  return report
end

local function sort_out(self)
  local waiting, going = {}, {}
  for _, entry in ipairs(self.entries) do
    if entry.status == "absent" or entry.status == "failed" and self.rerun_failed then
      waiting[#waiting + 1] = entry
    elseif entry.status == "running" then
      going[#going + 1] = entry
    end
  end
  return waiting, going
end

--- Looks at all runs that go on.
-- @treturn table|nil those that still do; or nil, err
local function look_at_all(self, going)
  local left = {}
  for _, entry in ipairs(going) do
    local ended, err = look(self, entry)
    if ended == nil then
      return nil, err
    elseif not ended then
      left[#left + 1] = entry
    else
      self.counting:step()
      self.stopped = self.stopped or entry.status == "failed" and self.stop_on_failure
    end
  end
  return left
end

--- Starts and waits until nothing is left to do.
local function work(self)
  local waiting, going = sort_out(self)
  local next_one = 1
  self.counting:step(#self.entries - #waiting - #going)
  while true do
    while not self.stopped and waiting[next_one] and #going < self.concurrency do
      local ok, err = start(self, waiting[next_one])
      if not ok then
        return nil, err
      end
      going[#going + 1], next_one = waiting[next_one], next_one + 1
    end
    if #going == 0 then
      return true
    end
    local left, err = look_at_all(self, going)
    if not left then
      return nil, err
    elseif #left < #going then
      self.watch:quicken()
    else
      local waited
      waited, err = self.watch:pause(format("%d dates are left", #left + math.max(0, #waiting - next_one + 1)))
      if not waited then
        return nil, err
      end
    end
    going = left
  end
end

local BACKFILL = watches.options {
  timeout_s = { type = "number", min = TIMEOUT_MIN_S, max = 365 * 86400, default = 86400 },
  concurrency = { type = "integer", min = 1, max = 1000, default = 1 },
  plan = { type = "boolean", default = false },
  rerun_failed = { type = "boolean", default = false },
  stop_on_failure = { type = "boolean", default = false },
  shift_s = { type = "integer", min = -26 * 3600, max = 26 * 3600, default = 0 },
  progress = { type = "progress" },
}

local ARGS = { project = true, workflow = true, from = true, to = true, step = true, dates = true, start = true }

--- client.workflows:backfill(args, opts): runs a workflow for each schedule date
-- that it was not run for, in order, each run for one date.
--
-- What counts as run is what the server shows: runs of the scheduler, of an earlier
-- backfill, of anybody, by their scheduleTime. A date with a run that ended well is
-- done; one whose run goes on is waited for; one whose runs failed is a hole, and
-- is run anew with `rerun_failed` only. Up to 3.1, where lists don't tell the
-- date, each run that may have one is read by itself.
-- @tparam table args project, workflow; from, to ("yyyy-MM-dd", with " HH:mm:ss" or
--   without) and step ("hour", "day", "week", "month" or seconds; "day"), or dates:
--   a list; start: further arguments of workflows.start (tenant, start_params …)
-- @tparam table|nil opts concurrency (1) of runs under way, others' for these dates
--   included; plan: only tell what is there; rerun_failed; stop_on_failure: start
--   none after one failed; timeout_s (86400), poll_s (1), poll_max_s (30); shift_s
--   (0): so much later than given do answers show a date, where the masters and the
--   API server have other zones; progress: of the dates (see progress.lua)
-- @treturn table|nil {complete, started, dates = {{date, status, instance_id,
--   state}}, holes}: status is "done", "running", "failed" or "absent"; holes are
--   those that failed or are absent. Or nil, err, with the same as `err.report` once
--   the history was read; runs go on on the server. With `err.started` a start was
--   accepted whose run did not show ("running" without an id): another call starts
--   its date again as long as it does not
function _M.backfill(client, args, opts)
  local self = options.check(OPERATION, opts or {}, BACKFILL)
  names.check(OPERATION, args, ARGS)
  local dates, message, argument = dates_of.of(args)
  if args.start ~= nil and type(args.start) ~= "table" then
    dates, message, argument = nil, "a table of further arguments expected", "start"
  end
  if not dates then
    return nil, errors.new { kind = "argument", operation = OPERATION, argument = argument, message = message }
  end
  self.client, self.project, self.workflow, self.start = client, args.project, args.workflow, args.start or {}
  self.entries, self.by_date, self.started, self.form = {}, {}, 0, 1
  self.watch = watches.new(client, self, OPERATION)
  for i, date in ipairs(dates) do
    self.entries[i] = { date = date, status = "absent" }
    self.by_date[date] = self.entries[i]
  end
  local ok, err = true, nil
  if dates[1] then
    ok, err = read_history(self)
  end
  if not ok then
    return nil, err
  end
  if not self.plan then
    self.counting = progress.new(self.progress, #self.entries, function()
      return core.time(client)
    end)
    ok, err = work(self)
    self.counting:done()
  end
  if not ok then
    err.report = report_of(self)
    return nil, err
  end
  return report_of(self)
end

return _M

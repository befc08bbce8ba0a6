--- Which stretch of time a round looks at, so that nothing is missed.

local reading = require "dsclient.monitor.reading"

local _M = {}

-- What ended while a round was under way, or by a clock that is a little off,
-- is looked for in the next one, too.
local OVERLAP_S = 3600

-- A run is listed by its start. One that takes longer than the window is seen
-- under way before: so often is looked for such runs.
local SURVEY_EVERY_S = 600
local UNFINISHED = { "RUNNING_EXECUTION", "SERIAL_WAIT" }

--- The window of a round that begins now.
-- @treturn table news: what ended since is news; from: what began since is
--   asked for
function _M.of(monitor)
  local now, state = monitor:now(), monitor.state
  local news = now - monitor.config.window_s
  if state.last_complete_at then
    news = math.min(news, state.last_complete_at - OVERLAP_S)
  end
  local from = news
  for _, seen in ipairs(state.unfinished) do
    from = math.min(from, seen.from)
  end
  for _, entry in pairs(state.runs) do
    from = math.min(from, entry.started_at or from)
  end
  return { news = news, from = from, to = now }
end

--- Is this round to look for unfinished runs?
function _M.is_survey_due(monitor)
  local due_s = math.min(SURVEY_EVERY_S, monitor.config.window_s / 2)
  return monitor:now() >= (monitor.surveyed_at or -math.huge) + due_s
end

--- Looks for the oldest unfinished run of a project.
-- @treturn number|boolean|nil when it began; false: there is none; or nil, err
function _M.survey(monitor, project)
  local oldest = false
  for _, state in ipairs(UNFINISHED) do
    local began, err = reading.oldest_start(monitor, project, state)
    if began == nil then
      return nil, err
    elseif began and (not oldest or began < oldest) then
      oldest = began
    end
  end
  return oldest
end

--- Keeps in mind when the oldest unfinished run began: as long as the window,
-- since a run may pass through states that are not asked for. What began later
-- than the newest one matters only when that is forgotten.
function _M.note_unfinished(monitor, from)
  local now, kept = monitor:now(), {}
  for _, seen in ipairs(monitor.state.unfinished) do
    if seen.at >= now - monitor.config.window_s and seen.from < from then
      kept[#kept + 1] = seen
    end
  end
  kept[#kept + 1] = { at = now, from = from }
  monitor.state.unfinished = kept
end

return _M

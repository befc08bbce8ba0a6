--- Events: what a monitor says, as a line for people or as JSON. The names are
-- a closed set that is only ever added to (docs/events.md).

local core = require "dsclient.core"

local format = string.format

local _M = {}

local VERSION = 1

--- The closed set.
_M.NAMES = {
  "failed", "would_recover", "recovering", "recovered", "failed_again", "outcome_unknown", "skipped", "resolved",
  "double_run", "storm", "paused", "project_unreadable", "round", "stats",
}

-- In this order; absent ones are left out.
local KEYS = {
  "v", "time", "event", "project", "project_code", "workflow", "workflow_code", "instance_id", "run_times", "reason",
  "url", "stats", "seq",
}

-- Of what a person should see at once.
local RED, GREEN, YELLOW, CYAN = 31, 32, 33, 36
local COLOURS = {
  failed = RED, failed_again = RED, double_run = RED, project_unreadable = RED, storm = RED,
  would_recover = YELLOW, outcome_unknown = YELLOW, paused = YELLOW, skipped = YELLOW,
  recovering = CYAN, recovered = GREEN, resolved = GREEN,
}

--- An event.
-- @tparam string name of the closed set
-- @tparam table about project, project_code, workflow, workflow_code, id,
--   run_times; nil for an event of no run
-- @tparam string reason a word, perhaps with ": " and more
-- @tparam number at seconds since 1970
function _M.new(name, about, reason, at)
  local event = {}
  for _, key in ipairs(KEYS) do
    event[key] = about and about[key]
  end
  event.instance_id = about and about.id
  event.v, event.event, event.reason, event.at = VERSION, name, reason, at
  event.time = os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(at))
  return event
end

--- Gives an event to the callback of its name, and to that of all. What they throw
-- stops nothing.
-- @tparam table on event name, or "event" → function(event)
-- @tparam function complain takes the message of one that threw
function _M.tell(on, event, complain)
  for _, name in ipairs { event.event, "event" } do
    local ok, err = true, nil
    if on[name] then
      ok, err = pcall(on[name], event)
    end
    if not ok then
      complain(format("the callback of %q failed: %s", name, tostring(err)))
    end
  end
end

--- Text that is no UTF-8, say of a file, is no JSON: what is odd is masked.
local function encode(value)
  return core.encode(value) or core.encode((value:gsub("[\128-\255]", "?")))
end

--- One JSON object on one line, keys in the order of the contract.
function _M.json(event)
  local members = {}
  for _, key in ipairs(KEYS) do
    if event[key] ~= nil then
      members[#members + 1] = format('"%s":%s', key, encode(event[key]))
    end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

-- Names come from outside: no control character in them, of ASCII or of those
-- that follow it in Unicode, may move a terminal's cursor.
local function printable(text)
  return (text:gsub("%c", "?"):gsub("\194[\128-\159]", "?"))
end

local function subject_of(event)
  local parts = {}
  if event.project then
    parts[1] = event.workflow and event.project .. "/" .. event.workflow or event.project
  end
  if event.instance_id then
    parts[#parts + 1] = format("#%d", event.instance_id)
  end
  if event.run_times then
    parts[#parts + 1] = format("run %d", event.run_times)
  end
  return parts[1] and table.concat(parts, " ")
end

--- One line for people; times in the zone of this machine.
-- @tparam table style colour: with colours; short: the time without the day
function _M.line(event, style)
  local label = format("%-15s", event.event)
  local colour = style.colour and COLOURS[event.event]
  if colour then
    label = format("\27[%dm%s\27[0m", colour, label)
  end
  local subject = subject_of(event)
  local text = subject and event.reason and subject .. ": " .. event.reason or subject or event.reason
  local when = os.date(style.short and "%H:%M:%S" or "%Y-%m-%d %H:%M:%S", math.floor(event.at))
  return when .. " " .. label .. " " .. printable(text)
end

local WORDS = {
  en = {
    title = "Monitor:",
    { "rounds", "  Rounds: %d" },
    { "projects", "  Projects watched: %d" },
    { "failed", "  Failed runs seen: %d" },
    { "recoveries", "  Recoveries sent: %d" },
    { "recovered", "  Recovered: %d" },
    { "failed_again", "  Failed again: %d" },
    { "outcome_unknown", "  Outcome unknown: %d" },
    { "resolved", "  Ended well without us: %d" },
    { "open", "  Failed now: %d" },
    { "running", "  Recoveries under way: %d" },
  },
  zh = {
    title = "监控:",
    { "rounds", "  检查轮数: %d" },
    { "projects", "  监控项目数: %d" },
    { "failed", "  发现失败实例: %d" },
    { "recoveries", "  已发送恢复: %d" },
    { "recovered", "  恢复成功: %d" },
    { "failed_again", "  再次失败: %d" },
    { "outcome_unknown", "  结果未知: %d" },
    { "resolved", "  自行恢复: %d" },
    { "open", "  当前失败: %d" },
    { "running", "  恢复进行中: %d" },
  },
}

--- What a monitor did, for people.
-- @tparam table totals see monitor:totals
-- @tparam string lang "en" or "zh"
function _M.summary(totals, lang)
  local lines = { ("="):rep(60), WORDS[lang].title }
  for _, word in ipairs(WORDS[lang]) do
    lines[#lines + 1] = format(word[2], totals[word[1]])
  end
  return table.concat(lines, "\n") .. "\n"
end

return _M

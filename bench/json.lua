--- One page of runs, as a 3.2.2 server sent it: our one pass next to
-- lua-cjson, and next to lua-cjson with the walk that makes the same values.

local cjson = require "cjson"
local core = require "dsclient.core"
local measure = require "bench.measure"

local COUNT = 1000

local RENAME = {
  processDefinitionCode = "workflowDefinitionCode", processDefinitionVersion = "workflowDefinitionVersion",
  processDefinition = "workflowDefinition", processInstancePriority = "workflowInstancePriority",
  isSubProcess = "isSubWorkflow", nextProcessInstanceId = "nextWorkflowInstanceId",
}
local CODES = { code = true, projectCode = true, workflowDefinitionCode = true, environmentCode = true }
local TIMES = {
  startTime = "started_at", endTime = "ended_at", scheduleTime = "scheduled_at", restartTime = "restarted_at",
}
local FINISHED = { SUCCESS = true, FAILURE = true, STOP = true, PAUSE = true, KILL = true }
local FAILED = { FAILURE = true, NEED_FAULT_TOLERANCE = true }

local null = cjson.null
local to_integer = math.tointeger or function(n) return n end
local format = string.format

--- Days since 1970-01-01.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

local function seconds(text)
  local year, month, day, hour, minute, second = text:match "^(%d%d%d%d)-(%d%d)-(%d%d) (%d%d):(%d%d):(%d%d)$"
  if not year then return nil end
  return to_integer(days(tonumber(year), tonumber(month), tonumber(day)) * 86400 + hour * 3600 + minute * 60 + second)
end

local walk

local function walk_member(out, name, value, row)
  if type(value) == "number" then
    if CODES[name] then value = format("%.0f", value) else value = to_integer(value) or value end
  elseif type(value) == "table" then
    value = walk(value, name == "totalList")
  elseif row then
    if name == "state" then
      out.finished, out.failed = FINISHED[value] or false, FAILED[value] or false
      out.running = not (out.finished or out.failed)
    elseif TIMES[name] then
      out[TIMES[name]] = seconds(value)
    end
  end
  out[name] = value
end

function walk(value, row)
  local out = {}
  if value[1] ~= nil then
    for i = 1, #value do
      local item = value[i]
      out[i] = type(item) == "table" and walk(item, row) or item
    end
    return out
  end
  for key, member in pairs(value) do
    if member ~= null then walk_member(out, RENAME[key] or key, member, row) end
  end
  return out
end

--- The ways make the same of it, but cjson alone.
local function check(body, one_pass, walked)
  local ours, theirs = one_pass(), walked()
  assert(#ours.totalList == cjson.decode(body).data.total)
  for i, row in ipairs(theirs.totalList) do
    for key, value in pairs(row) do
      assert(ours.totalList[i][key] == value, key)
    end
  end
end

return function(setup)
  local body = measure.recorded("3.2.2", "instances-all")
  local shape = core.shape { rename = RENAME, rows = "instance" }
  local function one_pass()
    local _, _, _, first, last = core.envelope(body)
    return (shape:decode(body, first, last))
  end
  local function walked()
    return walk(cjson.decode(body).data)
  end
  check(body, one_pass, walked)
  local count = setup.count(COUNT)
  local ways = {
    { name = "one_pass", label = "one pass", sample = measure.cpu(one_pass, count, 1e6) },
    {
      name = "cjson", label = "lua-cjson", against = "one_pass", goal = 0.77, at_least = true, -- 1 / 1.3
      sample = measure.cpu(function()
        cjson.decode(body)
      end, count, 1e6),
    },
    {
      name = "cjson_walk", label = "lua-cjson, then a walk", against = "one_pass", goal = 1, at_least = true,
      sample = measure.cpu(walked, count, 1e6),
    },
  }
  local lines, figures = measure.compare(ways, "µs", setup.rounds)
  local title = ("From JSON to normal form: a page of %.1f KB. CPU"):format(#body / 1000)
  return { { name = "json", title = title, lines = lines, figures = figures } }
end

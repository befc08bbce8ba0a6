--- One page of workflow runs, as a 3.2.2 server sent it: our one pass next to lua-cjson, and next to lua-cjson with
--- the walk that makes the same values of it. Run from the top of the tree; figures are ratios of the same run.
local cjson = require "cjson"
local core = require "dsclient.core"
local measure = require "bench.measure"

local COUNT, ROUNDS = 400, 9
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

local body = measure.recorded("3.2.2", "instances-all")
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

local shape = core.shape { rename = RENAME, rows = "instance" }
local ways = {
  { "one pass", function()
    local _, _, _, first, last = core.envelope(body)
    return (shape:decode(body, first, last))
  end },
  { "cjson", function() return cjson.decode(body).data end },
  { "cjson and walk", function() return walk(cjson.decode(body).data) end },
}

local function check()
  local ours, theirs = ways[1][2](), ways[3][2]()
  assert(#ours.totalList == 10)
  for i, row in ipairs(theirs.totalList) do
    for key, value in pairs(row) do assert(ours.totalList[i][key] == value, key) end
  end
end

check()
print(("decode of a page of %d bytes, %s"):format(#body, jit and jit.version or _VERSION))
local ours
for _, way in ipairs(ways) do
  collectgarbage()
  local time = measure.cpu_us(way[2], COUNT, ROUNDS)
  ours = ours or time
  measure.line(way[1], time, "µs", ("%.2f × one pass"):format(time / ours))
end

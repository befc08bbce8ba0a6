--- One page of workflow runs, as a 3.2.2 server sent it: our one pass next to lua-cjson, and next to lua-cjson with
--- the walk that makes the same values of it. Run from the top of the tree; figures are ratios of the same run.
local cjson = require "cjson"
local core = require "dsclient.core"

local ROUNDS, TRIES = 400, 9
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

local file = assert(io.open("bench/instances.json", "rb"))
local body = file:read "*a"
file:close()

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

--- The best time of some tries, in seconds a round: the least disturbed one.
local function measure(way)
  local best = math.huge
  for _ = 1, TRIES do
    collectgarbage()
    local start = os.clock()
    for _ = 1, ROUNDS do way() end
    best = math.min(best, (os.clock() - start) / ROUNDS)
  end
  return best
end

check()
local base = measure(ways[1][2])
print(("decode of a page of %d bytes, %s"):format(#body, jit and jit.version or _VERSION))
print(("  %-16s %6.1f us  1.00"):format(ways[1][1] .. " (ours)", base * 1e6))
for i = 2, #ways do
  local time = measure(ways[i][2])
  print(("  %-16s %6.1f us  %.2f"):format(ways[i][1], time * 1e6, time / base))
end

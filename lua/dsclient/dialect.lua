--- Server versions and lines, and the two dialects of the API: `process-*` paths
-- up to 3.2, `workflow-*` from 3.3 on. The number that a server tells can be wrong
-- (3.2.2 says 3.3.0), so the paths decide.

local _M = {}

--- The lines that this module knows, oldest first.
_M.LINES = { "2.0", "3.0", "3.1", "3.2", "3.3", "3.4" }

--- Asked in this order; each is the cheapest path that only one dialect has.
_M.PROBES = {
  { verdict = "workflow", path = "/projects/0/workflow-definition/simple-list" },
  { verdict = "process", path = "/projects/0/process-definition/simple-list" },
}

--- Of the dialect `process`, newest first: a cheap path that the line has and
-- those before have not; all have the last one.
_M.LINE_PROBES = {
  { verdict = "3.2", path = "/dynamic/taskCategories" },
  { verdict = "3.1", path = "/favourite/taskTypes" },
  { verdict = "3.0", path = "/task-group/list-paging?pageNo=1&pageSize=1" },
  { verdict = "2.0", path = _M.PROBES[2].path },
}

--- Between two probes where the first was refused by the traffic limiter,
-- which refuses whatever follows closer than 0.1 to 0.3 s.
_M.PROBE_PAUSE_S = 1

--- So often is a path asked for that newer lines have, too, before a refusal by
-- the limiter counts as absence: with the pause, a known path is let through.
_M.LINE_ASKS = 3

-- Keys of answers up to 3.2, and what the newest line calls them.
local RENAMED = {
  processDefinition = "workflowDefinition",
  processDefinitionCode = "workflowDefinitionCode",
  processDefinitionVersion = "workflowDefinitionVersion",
  processInstance = "workflowInstance",
  processInstanceId = "workflowInstanceId",
  processInstanceName = "workflowInstanceName",
  processInstancePriority = "workflowInstancePriority",
  processInstanceState = "workflowInstanceState",
  processTaskRelationList = "workflowTaskRelationList",
  isSubProcess = "isSubWorkflow",
  subProcess = "subWorkflow",
  nextProcessInstanceId = "nextWorkflowInstanceId",
}

_M.RENAMED = { process = RENAMED }

-- A task instance keeps `processDefinitionName` on all lines, other rows don't.
local RENAMED_ELSEWHERE = { processDefinitionName = "workflowDefinitionName" }
for old, new in pairs(RENAMED) do
  RENAMED_ELSEWHERE[old] = new
end

--- What keys of the answers to a row are called instead: old → new.
function _M.renamed(row, dialect)
  local names = {}
  local of_line = row.rows == "task" and RENAMED or RENAMED_ELSEWHERE
  for old, new in pairs(dialect == "process" and of_line or {}) do
    names[old] = new
  end
  for old, new in pairs(row.renamed or {}) do
    names[old] = new
  end
  return names
end

--- A version told as "3.1.1" or as a line, "3.3".
-- @treturn table|nil {line, patch}: 301 for 3.1; no patch where none is told
function _M.parse(text)
  local major, minor, rest = text:match "^(%d+)%.(%d+)(.*)$"
  if not major then
    return nil
  end
  return { line = tonumber(major) * 100 + tonumber(minor), patch = tonumber(rest:match "^%.(%d+)") }
end

local RENAMING = _M.parse "3.3".line
local parsed = {}

local function bound_of(text)
  parsed[text] = parsed[text] or _M.parse(text)
  return parsed[text]
end

--- The dialect of a version.
function _M.of(version)
  return version.line >= RENAMING and "workflow" or "process"
end

--- The offset of the times that a version prints unless it is set otherwise, in
-- seconds from UTC: 2.0 prints them in GMT+8, later lines in UTC.
function _M.utc_offset_s(version)
  return version.line < 300 and 8 * 3600 or 0
end

-- Three answers: true, false, or nil where the patch decides and is not known.
local function is_from(version, since)
  if not since then
    return true
  end
  local from = bound_of(since)
  if version.line ~= from.line then
    return version.line > from.line
  elseif not from.patch or from.patch == 0 then
    return true
  end
  return version.patch and version.patch >= from.patch
end

local function is_up_to(version, upto)
  if not upto then
    return true
  end
  local last = bound_of(upto)
  if version.line ~= last.line then
    return version.line < last.line
  elseif not last.patch then
    return true
  end
  return version.patch and version.patch <= last.patch
end

local function both(a, b)
  if a == false or b == false then
    return false
  end
  return a and b
end

--- Has this version an operation or a parameter?
-- @tparam table item a row or a parameter of the operations table
-- @treturn boolean|nil nil where it takes the patch to tell, which is not known
function _M.has(item, version)
  return both(is_from(version, item.since), is_up_to(version, item.upto))
end

local versions = {}
for i, line in ipairs(_M.LINES) do
  versions[i] = _M.parse(line)
end

--- Has every line of this dialect it, or none? nil where that differs.
function _M.all_have(item, dialect)
  local all, none = true, true
  for _, version in ipairs(versions) do
    if _M.of(version) == dialect then
      local has = _M.has(item, version)
      all, none = all and has == true, none and has == false
    end
  end
  if all or none then
    return all
  end
  return nil
end

--- The versions that have it, in words.
function _M.range(item)
  if item.since and item.upto then
    return item.since == item.upto and item.since .. " only" or "from " .. item.since .. " to " .. item.upto
  elseif item.since then
    return "from " .. item.since .. " on"
  end
  return item.upto and "up to " .. item.upto or "all versions"
end

return _M

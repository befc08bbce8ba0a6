--- The metrics of a monitor: Prometheus text, for node_exporter's textfile
-- collector or for whoever asks for it.

local zones = require "dsclient.monitor.zones"

local format = string.format

local _M = {}

-- Runs that ended well while they were read before are read once more.
local OVERLAP_S = 3600

-- --- reading -------------------------------------------------------------

--- The runs of a project that are under way: id → when it began.
local function running(monitor, project)
  local pages = monitor.client.instances:pages { project = project.code, state = "RUNNING_EXECUTION" }
  local began = {}
  local rows, err = pages.next()
  while rows do
    for _, row in ipairs(rows) do
      began[row.id] = zones.at(monitor, row, "started_at")
    end
    rows, err = pages.next()
  end
  if err then
    return nil, err
  end
  return began
end

local function note_success(successes, monitor, row)
  local at = zones.at(monitor, row, "ended_at")
  local code = row.workflowDefinitionCode
  if at and at > (successes[code] or 0) then
    successes[code] = at
  end
end

--- Reads which runs of a project ended well. The list is ordered by start, the
-- latest first; it is read down to what began since the last time, and to what
-- was under way then and is not any more.
-- @treturn boolean|nil true; or nil, err
function _M.read(monitor, project)
  local now = monitor:now()
  local before = monitor.watched[project.code] or { at = now - monitor.config.window_s, running = {} }
  local still, err = running(monitor, project)
  if not still then
    return nil, err
  end
  local depth = before.at - OVERLAP_S
  for id, began in pairs(before.running) do
    depth = still[id] and depth or math.min(depth, began)
  end
  local successes = monitor.state.successes
  successes[project.code] = successes[project.code] or {}
  local pages = monitor.client.instances:pages { project = project.code, state = "SUCCESS" }
  local rows
  rows, err = pages.next()
  while rows and rows[1] do
    for _, row in ipairs(rows) do
      note_success(successes[project.code], monitor, row)
    end
    local oldest = zones.at(monitor, rows[#rows], "started_at")
    if oldest and oldest < depth then
      break
    end
    rows, err = pages.next()
  end
  if err then
    return nil, err
  end
  monitor.watched[project.code] = { at = now, running = still }
  return true
end

-- --- writing -------------------------------------------------------------

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function labelled(labels)
  local parts = {}
  for i = 1, #labels, 2 do
    parts[#parts + 1] = format('%s="%s"', labels[i], labels[i + 1]:gsub('[\\"\n]', ESCAPES))
  end
  return parts[1] and "{" .. table.concat(parts, ",") .. "}" or ""
end

--- {name, what it is, type, function(monitor, add)}; `add` takes a value and
-- labels: name, value, name, value …
local FAMILIES = {
  { "dsmonitor_last_complete_round_timestamp_seconds", "When the last round in which all was read began.", "gauge",
    function(monitor, add)
      if monitor.state.last_complete_at then
        add(monitor.state.last_complete_at, {})
      end
    end },
  { "dsmonitor_workflow_last_success_timestamp_seconds", "When a run of the workflow last ended well.", "gauge",
    function(monitor, add)
      monitor:each_workflow(function(project, code, name)
        local at = (monitor.state.successes[project.code] or {})[code]
        if at then
          add(at, { "project", project.name, "workflow", name })
        end
      end)
    end },
  { "dsmonitor_workflow_failed", "Runs of the workflow that are failed now.", "gauge",
    function(monitor, add)
      local counts = {}
      for _, entry in pairs(monitor.state.runs) do
        if monitor:is_open(entry) then
          counts[entry.workflow_code] = (counts[entry.workflow_code] or 0) + 1
        end
      end
      monitor:each_workflow(function(project, code, name)
        add(counts[code] or 0, { "project", project.name, "workflow", name })
      end)
    end },
  { "dsmonitor_recoveries_total", "Recoveries that were sent, by what became of them.", "counter",
    function(monitor, add)
      for project, outcomes in pairs(monitor.state.recoveries) do
        for outcome, count in pairs(outcomes) do
          add(count, { "project", project, "outcome", outcome })
        end
      end
    end },
  { "dsmonitor_project_readable", "Could the project be read?", "gauge",
    function(monitor, add)
      for _, project in ipairs(monitor.projects) do
        local readable = not monitor.report.err and not monitor.unreadable[project.code]
        add(readable and 1 or 0, { "project", project.name })
      end
    end },
}

local function text_of(monitor)
  local lines = {}
  for _, family in ipairs(FAMILIES) do
    local name, samples = family[1], {}
    family[4](monitor, function(value, labels)
      samples[#samples + 1] = format("%s%s %.14g", name, labelled(labels), value)
    end)
    table.sort(samples)
    lines[#lines + 1] = format("# HELP %s %s\n# TYPE %s %s", name, family[2], name, family[3])
    for _, sample in ipairs(samples) do
      lines[#lines + 1] = sample
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Does anybody want them?
function _M.are_wanted(config)
  return config.metrics_file ~= nil or config.metrics ~= nil
end

--- Gives them to who asked for them, and writes the file, whole or not at all;
-- others may read it.
function _M.write(monitor)
  local config = monitor.config
  local text = _M.are_wanted(config) and text_of(monitor)
  if config.metrics then
    config.metrics(text)
  end
  if not config.metrics_file then
    return
  end
  local ok, message = require("dsclient.sys").write_atomic(config.metrics_file, text, "0644")
  if not ok then
    monitor:log("warn", "the metrics can't be written: " .. message)
  end
end

return _M

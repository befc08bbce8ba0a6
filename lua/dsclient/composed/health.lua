--- How the cluster stands: masters, workers, database and queue in one table.

local answers = require "dsclient.composed.answers"
local errors = require "dsclient.errors"
local options = require "dsclient.options"

local format = string.format

local _M = {}

-- Up to 3.2.1 machines have paths of their own; later ones answer those with
-- this code, or the client knows that they are gone.
local NO_NODE_TYPE = 10045

local NO_PERMISSION = { [30001] = true, [30002] = true }

local function number_of(value)
  return type(value) == "number" and value or nil
end

-- Heartbeats up to 3.1 give numbers, later ones names.
local STATUSES = { [0] = "NORMAL", [1] = "ABNORMAL", [2] = "BUSY" }

local function status_of(heartbeat)
  local status = heartbeat.serverStatus
  return STATUSES[status] or type(status) == "string" and status or nil
end

local function node_of(row)
  local heartbeat = answers.table_of(row.heartBeatInfo)
  local report_ms = number_of(heartbeat.reportTime)
  return {
    host = row.host,
    port = row.port,
    status = status_of(heartbeat),
    cpu = number_of(heartbeat.cpuUsage),
    memory = number_of(heartbeat.memoryUsage),
    load = number_of(heartbeat.loadAverage),
    disk = number_of(heartbeat.diskUsage),
    running = number_of(heartbeat.workerExecThreadCount),
    waiting = number_of(heartbeat.workerWaitingTaskCount),
    worker_group = type(heartbeat.workerGroup) == "string" and heartbeat.workerGroup or nil,
    last_heartbeat = row.lastHeartbeatTime,
    heartbeat_at = report_ms and math.floor(report_ms / 1000),
  }
end

local function problem(self, ...)
  self.problems[#self.problems + 1] = errors.line(format(...))
  return self.problems[#self.problems]
end

--- A part that could not be read: for lack of rights it is told, else it is a
-- problem.
local function unread(self, part, err)
  if err.kind == "unsupported" or err.kind == "api" and NO_PERMISSION[err.code] then
    self.untold[part] = tostring(err)
  else
    self.untold[part] = problem(self, "%s can't be read: %s", part, tostring(err))
  end
end

local KINDS = {
  { part = "masters", operation = "server.masters", node = "MASTER" },
  { part = "workers", operation = "server.workers", node = "WORKER" },
}

-- Nothing else can be read, either.
local OUT_OF_REACH = {
  auth = true, breaker_open = true, cancelled = true, closed = true, connect = true, dns = true, tls = true,
}

local function read_nodes(client, kind)
  local rows, err = answers.rows(client, kind.operation, {})
  if rows or not (err.kind == "unsupported" or err.kind == "api" and err.code == NO_NODE_TYPE) then
    return rows, err
  end
  local nodes, other = answers.rows(client, "server.nodes", { kind = kind.node })
  return nodes, not nodes and (err.kind == "unsupported" and other or err) or nil
end

--- What is wrong with a machine; its heartbeat is held against the newest of all,
-- for the servers' clocks are not ours.
local function judge(self, part, node, newest_at)
  local late_s = node.heartbeat_at and newest_at - node.heartbeat_at or 0
  local who = format("%s %s:%s", part:sub(1, -2), tostring(node.host), tostring(node.port))
  if late_s > self.heartbeat_max_s then
    node.problem = problem(self, "%s: no heartbeat for %.0f s", who, late_s)
  elseif node.status and node.status ~= "NORMAL" then
    node.problem = problem(self, "%s is %s", who, node.status)
  elseif (node.memory or 0) > self.usage_max then
    node.problem = problem(self, "%s: memory is used to %.0f %%", who, 100 * node.memory)
  elseif (node.disk or 0) > self.usage_max then
    node.problem = problem(self, "%s: the disk is used to %.0f %%", who, 100 * node.disk)
  end
  node.ok = node.problem == nil
end

--- Looks at masters and workers; the error where the server can't be reached.
local function look_at_nodes(self, client)
  local newest_at, found = 0, {}
  for _, kind in ipairs(KINDS) do
    local rows, err = read_nodes(client, kind)
    if err and OUT_OF_REACH[err.kind] then
      return err
    end
    local nodes = rows and {}
    for i, row in ipairs(rows or {}) do
      nodes[i] = node_of(row)
      newest_at = math.max(newest_at, nodes[i].heartbeat_at or 0)
    end
    found[kind.part] = nodes or err
  end
  for _, kind in ipairs(KINDS) do
    local part = kind.part
    local nodes = found[part]
    if errors.is(nodes) then
      unread(self, part, nodes)
    else
      self[part] = nodes
      for _, node in ipairs(nodes) do
        judge(self, part, node, newest_at)
      end
      if not nodes[1] then
        problem(self, "there are no %s", part)
      end
    end
  end
end

local function look_at_databases(self, client)
  local rows, err = answers.rows(client, "server.databases", {})
  if not rows then
    return unread(self, "databases", err)
  end
  self.databases = {}
  for i, row in ipairs(rows) do
    local max, used = number_of(row.maxConnections), number_of(row.threadsConnections)
    local one = { type = row.dbType, max_connections = max, connections = used, ok = row.state == "YES" }
    if not one.ok then
      one.problem = problem(self, "database %s is not well: state %s", tostring(row.dbType), tostring(row.state))
    elseif max and used and max > 0 and used > self.usage_max * max then
      one.problem = problem(self, "database %s: %.0f of %.0f connections are in use", tostring(row.dbType), used, max)
      one.ok = false
    end
    self.databases[i] = one
  end
end

--- Commands that wait for a master. Those that failed stay in the server's table
-- for ever: they are counted, and no problem of today.
local function look_at_queue(self, client)
  local rows, err = answers.rows(client, "analysis.command_state_count", {})
  if not rows then
    return unread(self, "queue", err)
  end
  local queue = { waiting = 0, failed = 0, commands = {} }
  for _, row in ipairs(rows) do
    local waiting, failed = number_of(row.normalCount) or 0, number_of(row.errorCount) or 0
    if waiting + failed > 0 then
      queue.commands[#queue.commands + 1] = { command = row.commandState, waiting = waiting, failed = failed }
    end
    queue.waiting, queue.failed = queue.waiting + waiting, queue.failed + failed
  end
  queue.ok = queue.waiting <= self.queue_max
  if not queue.ok then
    queue.problem = problem(self, "%.0f commands wait for a master", queue.waiting)
  end
  self.queue = queue
end

local HEALTH = {
  heartbeat_max_s = { type = "number", min = 1, max = 86400, default = 60 },
  usage_max = { type = "number", min = 0, max = 1, default = 0.95 },
  queue_max = { type = "integer", min = 0, max = 2 ^ 31, default = 100 },
}

--- client:cluster_health(opts): the cluster in one table.
-- @tparam table|nil opts heartbeat_max_s (60): how far a heartbeat may be behind
--   the newest one; usage_max (0.95) of memory, disk and connections; queue_max
--   (100) commands that may wait
-- @treturn table {ok, problems (lines), untold, masters, workers, databases, queue}:
--   machines with host, port, ok, status, cpu, memory (0 to 1), load, disk, running,
--   waiting, worker_group, last_heartbeat, heartbeat_at, as far as the line tells;
--   databases with type, connections, max_connections, ok; queue with waiting,
--   failed, commands, ok; each with `problem` where it is not ok. `untold` has the
--   reason of each part that could not be read; lack of rights is no problem. Or
--   nil, err, where the server could not be reached
function _M.cluster_health(client, opts)
  local self = { problems = {}, untold = {} }
  for name, value in pairs(options.check("cluster_health", opts or {}, HEALTH)) do
    self[name] = value
  end
  local err = look_at_nodes(self, client)
  if err then
    return nil, err
  end
  look_at_databases(self, client)
  look_at_queue(self, client)
  return {
    ok = #self.problems == 0,
    problems = self.problems,
    untold = self.untold,
    masters = self.masters,
    workers = self.workers,
    databases = self.databases,
    queue = self.queue,
  }
end

return _M

--- How failed runs are looked for: without any optimisation, in the design's
-- form, and by dsclient with all it has; and the clients that do so, which lose
-- their connections between two checks.

local core = require "dsclient.core"
local curl = require "dsclient.curl"
local dsclient = require "dsclient"
local tasks = require "dsclient.runtime.tasks"

local _M = {}

local WINDOW_S = 86400

local BORROW = { borrow = true }

-- --- the checks ----------------------------------------------------------

local function options(box, more)
  local given = { api_url = box.url, user_timezone = "UTC", token = box.token, server_version = "3.1.1" }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return given
end

--- Before: a client for each request, with everything off.
-- @tparam table box url, token
-- @treturn table ids of the failed runs
function _M.naive(box)
  local failed = {}
  local function ask(method, ...)
    local client = dsclient.new(options(box, { enable_cache = false, enable_metrics = false, max_retries = 0 }))
    local rows = assert(client[method](client, ...))
    client:close()
    return rows
  end
  for _, project in ipairs(ask "get_projects") do
    for _, workflow in ipairs(ask("get_process_definitions", project.code)) do
      for _, run in ipairs(ask("get_workflow_instances", project.code, { workflow = workflow.code })) do
        if run.state == "FAILURE" then
          failed[#failed + 1] = run.id
        end
      end
    end
  end
  return failed
end

local function add_ids(failed, rows)
  for _, run in ipairs(rows) do
    failed[#failed + 1] = run.id
  end
end

--- The design's form: what is cached is asked for, too, as names and codes are
-- needed.
function _M.cached(client, now)
  local failed = {}
  for _, project in ipairs(assert(client:get_projects(BORROW))) do
    assert(client:get_process_definitions(project.code, BORROW))
    local filter = { start_date = now - WINDOW_S }
    add_ids(failed, assert(client:get_failed_workflow_instances(project.code, filter)))
  end
  return failed
end

--- Has any run failed that began since then? One request for all projects.
local function any_failed(client, since)
  local counts = assert(client.analysis:workflow_state_count { start_date = since })
  for _, one in ipairs(counts.workflowInstanceStatusCounts) do
    if one.state == "FAILURE" then
      return one.count > 0
    end
  end
  error "the server counts no failed runs"
end

--- dsclient: where nothing had failed a minute ago, the count is asked first.
-- @tparam boolean had_failed
function _M.gated(client, now, had_failed)
  local failed, since = {}, now - WINDOW_S
  if had_failed or any_failed(client, since) then
    add_ids(failed, assert(client.instances:list { projects = "*", state = "FAILURE", start_date = since }))
  end
  return failed
end

-- --- clients that lose their connections ---------------------------------

--- A client whose clock can be moved on; time that really passes counts, too.
-- @treturn userdata client
-- @treturn function (seconds) moves it on, and ends the connections
function _M.movable_client(box)
  local client
  local pool = curl.new {}
  local transport = {}
  function transport.start(_, request, deadline)
    local began = curl.now()
    local transfer, failed = pool:start(request, began + deadline - core.time(client))
    if not transfer then
      return nil, failed
    end
    return {
      wait = function()
        local response, failure = transfer:wait()
        core.advance(client, curl.now() - began)
        return response, failure
      end,
    }
  end
  function transport.close()
    pool:close()
  end
  client = dsclient.new(options(box, {
    transport = transport,
    runtime = {
      virtual = true,
      sleep = function(seconds)
        curl.sleep(seconds)
        core.advance(client, seconds)
      end,
    },
  }))
  return client, function(seconds)
    core.advance(client, seconds)
    pool:close()
    pool = curl.new {}
  end
end

--- A client with tasks.
-- @treturn userdata client
-- @treturn function ends the connections
function _M.losing_client(box)
  local pool = curl.new {}
  local transport = {}
  for _, name in ipairs { "start", "close", "pollfd", "events", "timeout", "step" } do
    transport[name] = function(_, a, b)
      return pool[name](pool, a, b) -- no transfer of a pool before
    end
  end
  local client = dsclient.new(options(box, { transport = transport, runtime = tasks.default() }))
  return client, function()
    pool:close()
    pool = curl.new {}
  end
end

return _M

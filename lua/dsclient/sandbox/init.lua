--- A small DolphinScheduler on this machine, to test against: workflows that
-- run, fail, recover and hang, both dialects of the API, faults on demand, and
-- a ledger of what was really done.
--
--     local sandbox = require "dsclient.sandbox"
--     local box = sandbox.start{}              -- a process with an HTTP server
--     local client = dsclient.new{api_url = box.url, token = box.token}
--     box:fault{fault = "reset_after", operation = "instances.execute", times = 1}
--     …
--     box:stop()
--
--     local box = sandbox.new{}                -- in this process, virtual clock
--     local client = box:client{}
--     box:sleep(3600)
--
-- Both kinds of box have the control methods of site.lua: now, projects, runs,
-- ledger, executed, requests, fault, heal, run, set, set_run, remove_run,
-- delay; and advance(seconds). Projects are called demo-1 …, workflows
-- <kind>-<number>.
--
-- Options: `server_version` ("3.1.1"; 3.3 and later speak the other dialect);
-- `projects` (3), `workflows` (10, of each project), `kinds` (given out in
-- turn: good, flaky: its recovery succeeds, broken: fails again, late: takes
-- ten times as long, hanging: never ends); `runs` of each workflow at the
-- beginning (1); `duration_s` of a step (1), `speed` divides all durations;
-- `every_s`: each workflow is started so often; `delay_s` of each answer;
-- `traffic_limit`, `ui` (unknown paths answer with a page); `seed` of faults
-- with a rate; `token`, `users` {{name, token, projects = {names}}} without
-- rights elsewhere; `user_timezone`, `user_offset_s` of the token's user,
-- `server_offset_s` of answers; `now`, the time of a virtual box.
--
-- It has all of the API of its version: workflows, runs and tasks behave, what
-- people store (store.lua) is kept in memory, and the rest is answered by the
-- catalogue of the API in the right form. In faults and counts the first have
-- the client's names of operations, the others method and path of 3.4.1.
--
-- Where to read on: `world.lua` is the model, `api.lua` the HTTP API without
-- the network, `site.lua` both with faults, `virtual.lua`, `server.lua` and
-- `process.lua` the ways to reach it.

local errors = require "dsclient.errors"
local options = require "dsclient.options"
local sites = require "dsclient.sandbox.site"

local _M = {}

local function check(what, given)
  local checked = options.check(what, given or {}, sites.OPTIONS)
  local problem = sites.problem(checked)
  if problem then
    errors.throw(what .. ": " .. problem)
  end
  return checked
end

--- A box in this process on a virtual clock; see virtual.lua.
function _M.new(given)
  return require("dsclient.sandbox.virtual").new(check("sandbox.new", given))
end

--- A box in a process of its own, on the clock of the machine; see
-- process.lua. It ends with `box:stop()`, and when this process ends.
function _M.start(given)
  return require("dsclient.sandbox.process").start(check("sandbox.start", given))
end

--- A server in this process, on the loop of luv; see server.lua.
-- @tparam number port 0, or absent, for a free one
-- @treturn table|nil {url, token, site, close}; or nil, message
function _M.listen(given, port)
  return require("dsclient.sandbox.server").listen(check("sandbox.listen", given), port or 0)
end

return _M

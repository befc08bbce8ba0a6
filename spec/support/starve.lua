--- Run by starve_spec.lua under fail_malloc: makes whole calls, with each
-- allocation of them failing in turn, and a good call after each.
--
--     lua starve.lua FAIL_MALLOC.so URL once|for_good

local shim = assert(package.loadlib(arg[1], "luaopen_fail_malloc"))()
local url, for_good = arg[2], arg[3] == "for_good"
local dsclient = require "dsclient"

-- More allocations than this and something runs away.
local ALLOCATIONS_MAX = 20000

local function new()
  return dsclient.new { api_url = url, token = "x", server_version = "3.1.1", max_retries = 0 }
end

local function work(client)
  client:clear_cache()
  local projects, err = client:get_projects { borrow = true }
  if not projects then
    return nil, err
  end
  return client:get_workflow_instances(projects[1].code, { search = "a b" })
end

local kinds = { memory = true, connect = true, network = true, protocol = true, closed = true, not_api = true,
  dns = true, timeout = true, tls = true }

local client = new()
assert(work(client))
local count, refused, thrown = 0, 0, 0
for n = 0, ALLOCATIONS_MAX do
  collectgarbage "stop" -- what is allocated must not depend on the collector
  local fresh = n % 2 == 0 and client or nil
  local function attempt()
    fresh = fresh or new()
    return work(fresh)
  end
  shim.arm(n, for_good)
  local ok, rows, err = pcall(attempt)
  local failed = shim.disarm()
  collectgarbage "restart"
  if failed == 0 then
    break
  end
  count = count + 1
  if not ok then
    thrown = thrown + 1
    assert(tostring(rows):find "memory", tostring(rows))
  elseif rows == nil then
    refused = refused + 1
    assert(kinds[err.kind], tostring(err))
  end
  if fresh and fresh ~= client then
    fresh:close()
  end
  local again, problem = work(client)
  assert(again and #again > 0, tostring(problem))
  if n % 50 == 0 then
    collectgarbage()
  end
end
assert(count > 20, "only " .. count .. " allocations were made to fail")
assert(count < ALLOCATIONS_MAX)
print(("%d allocations failed in turn: %d errors returned, %d thrown"):format(count, refused, thrown))

--- Worker groups: WorkerGroupController.

local HOUR = 3600
local GROUPS = { "worker_groups.list", "worker_groups.all" }
local NAME = { "name", "string", "name", required = true }
local ADDRESSES = { "addresses", "strings", "addrList", required = true, help = "host:port of each worker" }
local DESCRIPTION = { "description", "string", "description", since = "3.1" }

return {
  list = {
    summary = "the worker groups with their workers, all pages",
    method = "GET",
    path = "/worker-groups",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  all = {
    summary = "the names of the worker groups",
    method = "GET",
    path = "/worker-groups/all",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
  addresses = {
    summary = "the addresses of the workers that are alive",
    method = "GET",
    path = "/worker-groups/worker-address-list",
    replay = "read",
    result = "list",
    params = {},
  },
  create = {
    summary = "a new worker group; a name that is taken is refused",
    method = "POST",
    path = "/worker-groups",
    replay = "once",
    result = "object",
    invalidates = GROUPS,
    params = { NAME, ADDRESSES, DESCRIPTION },
  },
  update = {
    summary = "changes all fields of a worker group",
    method = "POST",
    path = "/worker-groups",
    replay = "once",
    result = "object",
    invalidates = GROUPS,
    params = { { "worker_group_id", "worker_group_id", "id", required = true }, NAME, ADDRESSES, DESCRIPTION },
    traps = { "3.1 refuses the name that it has already" },
  },
  delete = {
    summary = "removes a worker group that nothing uses",
    method = "DELETE",
    path = "/worker-groups/{worker_group_id}",
    replay = "repeatable",
    result = "none",
    gone = { 10174 },
    invalidates = GROUPS,
    params = { { "worker_group_id", "worker_group_id", path = true } },
  },
}

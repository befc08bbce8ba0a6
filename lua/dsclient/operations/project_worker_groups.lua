--- Which worker groups a project may use: ProjectWorkerGroupController.

local GROUPS = "/projects/{project}/worker-group"

local PROJECT = { "project", "project", path = true }

return {
  list = {
    summary = "the worker groups that a project may use, those that it uses included",
    method = "GET",
    path = GROUPS,
    since = "3.2.2",
    replay = "read",
    result = "list",
    bare = true,
    ttl_s = 3600,
    params = { PROJECT },
  },
  assign = {
    summary = "sets the worker groups that a project may use",
    method = "POST",
    path = GROUPS,
    since = "3.2.2",
    replay = "repeatable",
    result = "none",
    invalidates = { "project_worker_groups.list" },
    params = { PROJECT, { "worker_groups", "strings", "workerGroups", required = true } },
    traps = { "groups that are not named are taken away; one that is in use is not, and the call is refused" },
  },
}

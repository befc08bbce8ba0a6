--- Clusters of Kubernetes: ClusterController.

local HOUR = 3600
local CLUSTERS = { "clusters.list", "clusters.all", "clusters.get" }
local CLUSTER = { "cluster", "cluster", "clusterCode", required = true }
local NAME = { "name", "string", "name", required = true }
local CONFIG = { "config", "json", "config", required = true, help = "{k8s = …, yarn = …}" }
local DESCRIPTION = { "description", "string", "description" }
local SINCE = "3.1"

return {
  list = {
    summary = "the clusters, all pages",
    method = "GET",
    path = "/cluster/list-paging",
    since = SINCE,
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  all = {
    summary = "the clusters, in one answer",
    method = "GET",
    path = "/cluster/query-cluster-list",
    since = SINCE,
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
  get = {
    summary = "one cluster",
    method = "GET",
    path = "/cluster/query-by-code",
    since = SINCE,
    replay = "read",
    result = "object",
    params = { CLUSTER },
  },
  create = {
    summary = "a new cluster; its code is the value",
    method = "POST",
    path = "/cluster/create",
    since = SINCE,
    replay = "once",
    result = "object",
    codes = { "data" },
    invalidates = CLUSTERS,
    params = { NAME, CONFIG, DESCRIPTION },
  },
  update = {
    summary = "changes all fields of a cluster",
    method = "POST",
    path = "/cluster/update",
    since = SINCE,
    replay = "repeatable",
    result = "object",
    invalidates = CLUSTERS,
    params = { { "cluster", "cluster", "code", required = true }, NAME, CONFIG, DESCRIPTION },
  },
  delete = {
    summary = "removes a cluster that no namespace uses",
    method = "POST",
    path = "/cluster/delete",
    since = SINCE,
    replay = "repeatable",
    result = "none",
    gone = { 120025 },
    invalidates = CLUSTERS,
    params = { CLUSTER },
  },
  verify_name = {
    summary = "is this name free? An error where it is not",
    method = "POST",
    path = "/cluster/verify-cluster",
    since = SINCE,
    replay = "read",
    result = "object",
    params = { { "name", "string", "clusterName", required = true } },
  },
}

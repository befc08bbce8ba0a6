--- Namespaces of Kubernetes: K8sNamespaceController.

local NAMESPACES = { "namespaces.list", "namespaces.available", "namespaces.authorized", "namespaces.unauthorized" }
local USER = { { "user_id", "user_id", "userId", required = true } }
local SINCE = "3.0"
local CPU = { "limits_cpu", "number", "limitsCpu", upto = "3.2.0", min = 0 }
local MEMORY = { "limits_memory", "integer", "limitsMemory", upto = "3.2.0", min = 0 }
local PLACE = {
  { "namespace", "string", "namespace", required = true },
  { "cluster", "cluster", "clusterCode", since = "3.1", required = true },
  { "k8s", "string", "k8s", upto = "3.0", required = true, help = "the name of the cluster" },
}

return {
  list = {
    summary = "the namespaces, all pages",
    method = "GET",
    path = "/k8s-namespace",
    since = SINCE,
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  available = {
    summary = "the namespaces that the token's user may use",
    method = "GET",
    path = "/k8s-namespace/available-list",
    since = SINCE,
    replay = "read",
    result = "list",
    params = {},
  },
  authorized = {
    summary = "the namespaces that a user may use",
    method = "GET",
    path = "/k8s-namespace/authed-namespace",
    since = SINCE,
    replay = "read",
    result = "list",
    params = USER,
  },
  unauthorized = {
    summary = "the namespaces that a user may not use",
    method = "GET",
    path = "/k8s-namespace/unauth-namespace",
    since = SINCE,
    replay = "read",
    result = "list",
    params = USER,
  },
  create = {
    summary = "a new namespace; it is made in the cluster, too",
    method = "POST",
    path = "/k8s-namespace",
    since = SINCE,
    replay = "once",
    result = "object",
    invalidates = NAMESPACES,
    params = { PLACE[1], PLACE[2], PLACE[3], CPU, MEMORY },
  },
  update = {
    summary = "changes the limits of a namespace",
    method = "PUT",
    path = "/k8s-namespace/{namespace_id}",
    since = SINCE,
    upto = "3.2.0",
    replay = "repeatable",
    result = "object",
    invalidates = NAMESPACES,
    params = {
      { "namespace_id", "id", path = true },
      { "user_name", "string", "userName" },
      { "tag", "string", "tag" },
      CPU,
      MEMORY,
    },
  },
  delete = {
    summary = "removes a namespace; the one in the cluster stays",
    method = "POST",
    path = "/k8s-namespace/delete",
    since = SINCE,
    replay = "repeatable",
    result = "none",
    gone = { 1300005 },
    invalidates = NAMESPACES,
    params = { { "namespace_id", "id", "id", required = true } },
  },
  verify = {
    summary = "is this name free in the cluster? An error where it is not",
    method = "POST",
    path = "/k8s-namespace/verify",
    since = SINCE,
    replay = "read",
    result = "none",
    params = PLACE,
  },
}

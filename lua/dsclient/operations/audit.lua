--- Who changed what: AuditLogController. Off unless the server's
-- api.audit-enable is on.

local HOUR = 3600

return {
  list = {
    summary = "the changes, newest first, all pages",
    method = "GET",
    path = "/projects/audit/audit-log-list",
    since = "3.0",
    replay = "read",
    result = "page",
    params = {
      { "resource_type", "enum", "resourceType", upto = "3.2.1" },
      { "operation_type", "enum", "operationType", upto = "3.2.1" },
      { "model_types", "strings", "modelTypes", since = "3.2.2" },
      { "operation_types", "strings", "operationTypes", since = "3.2.2" },
      { "model_name", "string", "modelName", since = "3.2.2" },
      { "user_name", "string", "userName" },
      { "start_date", "date", "startDate" },
      { "end_date", "date", "endDate" },
    },
  },
  model_types = {
    summary = "the kinds of things that are audited, as a tree",
    method = "GET",
    path = "/projects/audit/audit-log-model-type",
    since = "3.2.2",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
  operation_types = {
    summary = "the kinds of changes that are audited",
    method = "GET",
    path = "/projects/audit/audit-log-operation-type",
    since = "3.2.2",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
}

--- Tenants, the accounts that tasks run as: TenantController.

local HOUR = 3600
local TENANTS = { "tenants.list", "tenants.all" }
local TENANT = { "tenant_id", "tenant_id", path = true }

return {
  list = {
    summary = "the tenants, all pages",
    method = "GET",
    path = "/tenants",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  all = {
    summary = "the tenants, in one answer",
    method = "GET",
    path = "/tenants/list",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
  create = {
    summary = "a new tenant; a name that is taken is refused with 10009",
    method = "POST",
    path = "/tenants",
    replay = "once",
    result = "object",
    invalidates = TENANTS,
    params = {
      { "tenant", "string", "tenantCode", required = true },
      { "queue_id", "queue_id", "queueId", default = 1 },
      { "description", "string", "description", default = "" },
    },
  },
  update = {
    summary = "changes all fields of a tenant",
    method = "PUT",
    path = "/tenants/{tenant_id}",
    replay = "repeatable",
    result = "none",
    invalidates = TENANTS,
    params = {
      TENANT,
      { "tenant", "string", "tenantCode", required = true },
      { "queue_id", "queue_id", "queueId", required = true },
      { "description", "string", "description" },
    },
  },
  delete = {
    summary = "removes a tenant that nothing uses",
    method = "DELETE",
    path = "/tenants/{tenant_id}",
    replay = "repeatable",
    result = "none",
    gone = { 10017 },
    invalidates = TENANTS,
    params = { TENANT },
  },
  verify_name = {
    summary = "is this name free? An error of code 10009 where it is not",
    method = "GET",
    path = "/tenants/verify-code",
    replay = "read",
    result = "object",
    params = { { "tenant", "string", "tenantCode", required = true } },
  },
}

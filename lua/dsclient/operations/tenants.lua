--- Tenants: TenantController.

return {
  list = {
    summary = "the tenants, all pages",
    method = "GET",
    path = "/tenants",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  create = {
    summary = "a new tenant; a name that is taken is refused with 10009",
    method = "POST",
    path = "/tenants",
    replay = "once",
    result = "object",
    params = {
      { "tenant", "string", "tenantCode", required = true },
      { "queue_id", "integer", "queueId", default = 1 },
      { "description", "string", "description", default = "" },
    },
  },
}

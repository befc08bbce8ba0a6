--- What the server sees of Azure Data Factory: CloudController.

local SINCE = "3.2"
local OUTSIDE = { "the server asks Azure, with the credentials of its own configuration" }

return {
  azure_resource_groups = {
    summary = "the resource groups of Azure",
    method = "GET",
    path = "/cloud/azure/datafactory/resourceGroups",
    since = SINCE,
    replay = "read",
    result = "list",
    params = {},
    traps = OUTSIDE,
  },
  azure_factories = {
    summary = "the data factories of Azure",
    method = "GET",
    path = "/cloud/azure/datafactory/factories",
    since = SINCE,
    replay = "read",
    result = "list",
    params = {},
    traps = OUTSIDE,
  },
  azure_pipelines = {
    summary = "the pipelines of a data factory",
    method = "GET",
    path = "/cloud/azure/datafactory/pipelines",
    since = SINCE,
    replay = "read",
    result = "list",
    params = {
      { "factory", "string", "factoryName", required = true },
      { "resource_group", "string", "resourceGroupName", required = true },
    },
    traps = OUTSIDE,
  },
}

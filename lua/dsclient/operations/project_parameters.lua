--- Parameters that all workflows of a project see: ProjectParameterController.

local HOUR = 3600

local PARAMETERS = "/projects/{project}/project-parameter"

local PROJECT = { "project", "project", path = true }
local CODE = { "code", "code", path = true }
local NAME = { "name", "string", "projectParameterName", required = true }
local VALUE = { "value", "string", "projectParameterValue", required = true }
local DATA_TYPES = "VARCHAR INTEGER LONG FLOAT DOUBLE DATE TIME TIMESTAMP BOOLEAN LIST FILE"
local CHANGES = { "project_parameters.list", "project_parameters.get" }

return {
  list = {
    summary = "the parameters of a project, all pages",
    method = "GET",
    path = PARAMETERS,
    since = "3.2",
    replay = "read",
    result = "page",
    ttl_s = HOUR,
    params = {
      PROJECT,
      { "search", "string", "searchVal" },
      { "data_type", "enum", "projectParameterDataType", since = "3.3", values = DATA_TYPES },
    },
  },
  get = {
    summary = "one parameter of a project",
    method = "GET",
    path = PARAMETERS .. "/{code}",
    since = "3.2",
    replay = "read",
    result = "object",
    ttl_s = HOUR,
    params = { PROJECT, CODE },
  },
  create = {
    summary = "a new parameter; a name that is taken is refused with 10218",
    method = "POST",
    path = PARAMETERS,
    since = "3.2",
    replay = "once",
    result = "object",
    invalidates = CHANGES,
    params = {
      PROJECT,
      NAME,
      VALUE,
      { "data_type", "enum", "projectParameterDataType", since = "3.3", values = DATA_TYPES },
    },
  },
  update = {
    summary = "another name, value and type for a parameter",
    method = "PUT",
    path = PARAMETERS .. "/{code}",
    since = "3.2",
    replay = "repeatable",
    result = "object",
    invalidates = CHANGES,
    params = {
      PROJECT,
      CODE,
      NAME,
      VALUE,
      { "data_type", "enum", "projectParameterDataType", default = "VARCHAR", since = "3.3", values = DATA_TYPES },
    },
  },
  delete = {
    summary = "removes a parameter",
    method = "POST",
    path = PARAMETERS .. "/delete",
    since = "3.2",
    replay = "repeatable",
    result = "none",
    invalidates = CHANGES,
    gone = { 10219 },
    params = { PROJECT, { "code", "code", "code", required = true } },
  },
  batch_delete = {
    summary = "removes several parameters",
    method = "POST",
    path = PARAMETERS .. "/batch-delete",
    since = "3.2",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, { "codes", "codes", "codes", required = true } },
  },
}

--- UDF functions of Hive, gone with 3.3: ResourcesController. Up to 3.1 the file
-- of a function is known by its id, in 3.2 by its full name.

local UPTO = "3.2.2"
local UDFS = { "udfs.list", "udfs.all", "udfs.get" }
local UDF = { "udf_id", "id", path = true }
local RESOURCE = { "resource_id", "id", path = true }
local TYPE = { "type", "enum", "type", required = true, values = "HIVE SPARK" }
local USER = { { "user_id", "user_id", "userId", required = true } }
local NAME = { "name", "string", "funcName", required = true }
local CLASS = { "class", "string", "className", required = true }
local FULL_NAME = { "full_name", "string", "fullName", required = true, help = "of its file" }
local ARGUMENTS = { "arguments", "string", "argTypes" }
local DATABASE = { "database", "string", "database" }
local DESCRIPTION = { "description", "string", "description" }

return {
  list = {
    summary = "the UDF functions, all pages",
    method = "GET",
    path = "/resources/udf-func",
    upto = UPTO,
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  all = {
    summary = "the UDF functions of a type, in one answer",
    method = "GET",
    path = "/resources/udf-func/list",
    upto = UPTO,
    replay = "read",
    result = "list",
    params = { TYPE },
  },
  get = {
    summary = "one UDF function",
    method = "GET",
    path = "/resources/{udf_id}/udf-func",
    upto = UPTO,
    replay = "read",
    result = "object",
    params = { UDF },
  },
  create = {
    summary = "a new UDF function; a name that is taken is refused",
    method = "POST",
    path = "/resources/udf-func",
    since = "3.2",
    upto = UPTO,
    replay = "once",
    result = "none",
    invalidates = UDFS,
    params = { TYPE, NAME, CLASS, FULL_NAME, ARGUMENTS, DATABASE, DESCRIPTION },
  },
  create_by_id = {
    summary = "a new UDF function in a file; a name that is taken is refused",
    method = "POST",
    path = "/resources/{resource_id}/udf-func",
    upto = "3.1",
    replay = "once",
    result = "none",
    invalidates = UDFS,
    params = { RESOURCE, TYPE, NAME, CLASS, ARGUMENTS, DATABASE, DESCRIPTION },
  },
  update = {
    summary = "changes all fields of a UDF function",
    method = "PUT",
    path = "/resources/udf-func/{udf_id}",
    since = "3.2",
    upto = UPTO,
    replay = "repeatable",
    result = "none",
    invalidates = UDFS,
    params = { UDF, TYPE, NAME, CLASS, ARGUMENTS, DATABASE, DESCRIPTION, FULL_NAME },
  },
  update_by_id = {
    summary = "changes all fields of a UDF function in a file",
    method = "PUT",
    path = "/resources/{resource_id}/udf-func/{udf_id}",
    upto = "3.1",
    replay = "repeatable",
    result = "none",
    invalidates = UDFS,
    params = { RESOURCE, UDF, TYPE, NAME, CLASS, ARGUMENTS, DATABASE, DESCRIPTION },
  },
  delete = {
    summary = "removes a UDF function",
    method = "DELETE",
    path = "/resources/udf-func/{udf_id}",
    upto = UPTO,
    replay = "repeatable",
    result = "none",
    invalidates = UDFS,
    params = { UDF },
  },
  verify_name = {
    summary = "is this name free? An error where it is not",
    method = "GET",
    path = "/resources/udf-func/verify-name",
    upto = UPTO,
    replay = "read",
    result = "none",
    params = { { "name", "string", "name", required = true } },
  },
  authorized = {
    summary = "the UDF functions that a user may use",
    method = "GET",
    path = "/resources/authed-udf-func",
    upto = "3.2.1",
    replay = "read",
    result = "list",
    params = USER,
  },
  unauthorized = {
    summary = "the UDF functions that a user may not use",
    method = "GET",
    path = "/resources/unauth-udf-func",
    upto = "3.2.1",
    replay = "read",
    result = "list",
    params = USER,
  },
}

--- Data sources: DataSourceController.

local MINUTES_5 = 300
local DATASOURCES = { "datasources.list", "datasources.get", "datasources.of_type", "datasources.authorized",
  "datasources.unauthorized" }
local OUTSIDE = { "the server opens a connection to the database; after 3.4.1 the user's rights are checked" }

local DATASOURCE = { "datasource_id", "datasource_id", path = true }
local BY_ID = { "datasource_id", "datasource_id", "datasourceId", required = true }
local USER = { { "user_id", "user_id", "userId", required = true } }
-- asked for from 3.2 on
local DATABASE = { "database", "string", "database", since = "3.2", required = true }

local DEFINITION = { "definition", "json", "definition", required = true,
  help = "{type, name, note, host, port, database, userName, password, other, …}" }

return {
  list = {
    summary = "the data sources, all pages",
    method = "GET",
    path = "/datasources",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  of_type = {
    summary = "the data sources of a type, in one answer",
    method = "GET",
    path = "/datasources/list",
    replay = "read",
    result = "list",
    ttl_s = MINUTES_5,
    params = { { "type", "enum", "type", required = true, values = "MYSQL POSTGRESQL HIVE SPARK CLICKHOUSE ORACLE" } },
  },
  get = {
    summary = "one data source, without its password",
    method = "GET",
    path = "/datasources/{datasource_id}",
    replay = "read",
    result = "object",
    params = { DATASOURCE },
  },
  create = {
    summary = "a new data source; a name that is taken is refused",
    method = "POST",
    path = "/datasources",
    body = "list",
    replay = "once",
    result = "object",
    invalidates = DATASOURCES,
    params = { DEFINITION },
  },
  update = {
    summary = "changes all fields of a data source",
    method = "PUT",
    path = "/datasources/{datasource_id}",
    body = "list",
    replay = "repeatable",
    result = "object",
    invalidates = DATASOURCES,
    params = { DATASOURCE, DEFINITION },
  },
  delete = {
    summary = "removes a data source",
    method = "DELETE",
    path = "/datasources/{datasource_id}",
    replay = "repeatable",
    result = "none",
    invalidates = DATASOURCES,
    params = { DATASOURCE },
  },
  connect = {
    summary = "does a connection with these settings work? Nothing is stored",
    method = "POST",
    path = "/datasources/connect",
    body = "list",
    replay = "read",
    result = "object",
    params = { DEFINITION },
    traps = OUTSIDE,
  },
  test = {
    summary = "does the connection of a data source work?",
    method = "GET",
    path = "/datasources/{datasource_id}/connect-test",
    replay = "read",
    result = "object",
    params = { DATASOURCE },
    traps = OUTSIDE,
  },
  verify_name = {
    summary = "is this name free? An error where it is not",
    method = "GET",
    path = "/datasources/verify-name",
    replay = "read",
    result = "object",
    params = { { "name", "string", "name", required = true } },
  },
  databases = {
    summary = "the databases that a data source reaches",
    method = "GET",
    path = "/datasources/databases",
    since = "3.2",
    replay = "read",
    result = "list",
    params = { BY_ID },
    traps = OUTSIDE,
  },
  tables = {
    summary = "the tables of a database",
    method = "GET",
    path = "/datasources/tables",
    since = "3.0",
    replay = "read",
    result = "list",
    params = { BY_ID, DATABASE },
    traps = OUTSIDE,
  },
  columns = {
    summary = "the columns of a table",
    method = "GET",
    path = "/datasources/tableColumns",
    since = "3.0",
    replay = "read",
    result = "list",
    params = { BY_ID, { "table", "string", "tableName", required = true }, DATABASE },
    traps = OUTSIDE,
  },
  authorized = {
    summary = "the data sources that a user may use",
    method = "GET",
    path = "/datasources/authed-datasource",
    replay = "read",
    result = "list",
    params = USER,
    traps = { "after 3.4.2 only admins see it, reduced to id and name" },
  },
  unauthorized = {
    summary = "the data sources that a user may not use",
    method = "GET",
    path = "/datasources/unauth-datasource",
    replay = "read",
    result = "list",
    params = USER,
    traps = { "after 3.4.2 only admins see it, reduced to id and name" },
  },
  kerberos = {
    summary = "is Kerberos on?",
    method = "GET",
    path = "/datasources/kerberos-startup-state",
    replay = "read",
    result = "object",
    params = {},
  },
}

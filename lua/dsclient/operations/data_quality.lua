--- Rules and results of data quality tasks, gone with 3.3.

local SINCE, UPTO = "3.0", "3.2"
local SEARCH = { "search", "string", "searchVal" }
local RULE_TYPE = { "rule_type", "integer", "ruleType", min = 0 }
local START, END = { "start_date", "date", "startDate" }, { "end_date", "date", "endDate" }

return {
  rules = {
    summary = "the rules, all pages",
    method = "GET",
    path = "/data-quality/rule/page",
    since = SINCE,
    upto = UPTO,
    replay = "read",
    result = "page",
    params = { SEARCH, RULE_TYPE, START, END },
  },
  all_rules = {
    summary = "the rules, in one answer",
    method = "GET",
    path = "/data-quality/ruleList",
    since = SINCE,
    upto = UPTO,
    replay = "read",
    result = "list",
    params = {},
  },
  rule_form = {
    summary = "the form of a rule, as the UI shows it (JSON text)",
    method = "GET",
    path = "/data-quality/getRuleFormCreateJson",
    since = SINCE,
    upto = UPTO,
    replay = "read",
    result = "object",
    params = { { "rule_id", "id", "ruleId", required = true } },
  },
  results = {
    summary = "the results of checks, all pages",
    method = "GET",
    path = "/data-quality/result/page",
    since = SINCE,
    upto = UPTO,
    replay = "read",
    result = "page",
    params = { SEARCH, RULE_TYPE, { "state", "integer", "state", min = 0 }, START, END },
  },
  datasource_options = {
    summary = "the data sources of a type that a rule may use",
    method = "GET",
    path = "/data-quality/getDatasourceOptionsById",
    since = SINCE,
    upto = UPTO,
    replay = "read",
    result = "list",
    params = { { "type_id", "integer", "datasourceId", required = true, min = 0, help = "the number of a DbType" } },
  },
}

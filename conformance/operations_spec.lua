--- Every operation that a 3.1.1 server has is called on a real one, in a project
-- and with things of its own, which are removed at the end. Checked are: it is
-- accepted, its result is in normal form, a repeatable one does what its row says
-- when it is called twice. What is not called stands on a list, with the reason.

local core = require "dsclient.core"
local curl = require "dsclient.curl"
local dialects = require "dsclient.dialect"
local dsclient = require "dsclient"
local normal = require "spec.support.normal"
local operations = require "dsclient.operations"
local tasks = require "conformance.tasks"
local types = require "dsclient.types"
local wait_for = require "spec.support.wait_for"

local VERSION = dialects.parse "3.1.1"

-- What a standalone server on H2 without a storage, a cluster and databases
-- can't do, and what ends the sessions of others.
local SKIPPED = {
  ["namespaces.create"] = "it is made in a Kubernetes cluster, too",
  ["namespaces.update"] = "there is no namespace",
  ["tasks.start"] = "no answer comes for a task that is no streaming one",
  ["sessions.logout"] = "it ends the session of whoever uses the server beside us",
}

local called = {}

describe("on a real 3.1.1 each operation", function()
  local client, project, user

  setup(function()
    client = dsclient.new { api_url = os.getenv "DS_API_URL", token = os.getenv "DS_TOKEN", server_version = "3.1.1",
      max_retries = 0, enable_cache = false }
    project = assert(client.projects:create { name = "conformance of operations" })
    user = assert(client.users:current())
  end)

  --- One call: what came of it.
  local function call(name, args)
    local value, err = client:call(name, args)
    called[name] = true
    if value ~= nil then
      assert.is_nil(normal.problem(value), name)
    end
    return value, err
  end

  local problems

  --- A spec that goes on after a problem, and tells all at its end.
  local function each(title, fn)
    it(title, function()
      problems = {}
      fn()
      assert.same({}, problems)
    end)
  end

  local function report(...)
    problems[#problems + 1] = string.format(...)
  end

  -- What a second call of the same may come to.
  local function check_again(row, args)
    local value, err = client:call(row.operation, args)
    local as_told = value ~= nil
    for _, code in ipairs(row.gone or {}) do
      as_told = as_told or err.code == code
    end
    if not as_told then
      report("the second: %s", tostring(err))
    end
  end

  --- It is accepted; a repeatable one twice.
  local function accepts(name, args)
    local value, err = call(name, args or {})
    if value == nil then
      report("%s", tostring(err))
      return core.array {}
    end
    local row = operations.find(name)
    if row.replay == "repeatable" then
      check_again(row, args or {})
    end
    return value
  end

  --- It reaches its handler, which refuses with this code.
  local function refuses(code, name, args)
    local value, err = call(name, args or {})
    if value ~= nil then
      report("%s is accepted", name)
    elseif err.code ~= code then
      report("not %d: %s", code, tostring(err))
    end
  end

  --- What a definition is on the wire, for this line.
  local function sent_back(value)
    return core.decode(types.convert.json(value, { renamed = true }).process)
  end

  local function without_nulls(value)
    if type(value) ~= "table" then
      return value ~= core.null and value or nil
    end
    local kept = {}
    for key, member in pairs(value) do
      kept[key] = without_nulls(member)
    end
    return kept
  end

  local function find(rows, key, value)
    for _, row in ipairs(rows) do
      if row[key] == value then
        return row
      end
    end
    report("no row has %s = %s", key, tostring(value))
    return { id = 1, code = "1" }
  end

  each("of projects", function()
    accepts "projects.list"
    accepts "projects.all"
    accepts "projects.created_and_authed"
    accepts "projects.list_dependent"
    accepts("projects.authorized", { user_id = user.id })
    accepts("projects.unauthorized", { user_id = user.id })
    accepts("projects.authorized_users", { project = project.code })
    assert.equal(project.code, accepts("projects.get", { project = project.code }).code)
    accepts("projects.update", { project = project.code, name = project.name, description = "d",
      user_name = user.userName })
    local other = accepts("projects.create", { name = "conformance, one more" })
    accepts("projects.delete", { project = other.code })
  end)

  each("of workflows, their tasks and relations", function()
    local P = project.code
    local codes = accepts("tasks.generate_codes", { project = P, count = 3 })
    local definition = tasks.definition(codes, "good")
    definition.project, definition.name, definition.tenant = P, "first", tasks.tenant(client)
    local W = accepts("workflows.create", definition).code
    accepts("workflows.list", { project = P })
    accepts("workflows.simple_list", { project = P })
    accepts("workflows.names", { project = P })
    accepts("workflows.all", { project = P })
    accepts("workflows.full_list", { project = P })
    local whole = accepts("workflows.get", { project = P, workflow = W })
    assert.equal(3, #whole.taskDefinitionList)
    -- it is not found for users without a tenant, as ours is
    refuses(50003, "workflows.get_by_name", { project = P, name = "first" })
    accepts("workflows.verify_name", { project = P, name = "free" })
    refuses(10168, "workflows.verify_name", { project = P, name = "first" })
    accepts("workflows.tasks", { project = P, workflow = W })
    accepts("workflows.batch_query_tasks", { project = P, workflows = { W } })
    accepts("workflows.task_list", { project = P, workflow = W })
    accepts("workflows.view_tree", { project = P, workflow = W })
    accepts("workflows.view_variables", { project = P, workflow = W })

    -- the way back: what was read goes back as the server sent it, and its tasks
    -- get no new version. The workflow does on H2, whatever is sent: this server
    -- compares times of milliseconds with times of seconds.
    local raw = assert(client:call("workflows.get", { project = P, workflow = W }, { raw = true }))
    assert.same(without_nulls(raw.processTaskRelationList), sent_back(whole.workflowTaskRelationList))
    assert.same(without_nulls(raw.taskDefinitionList), sent_back(whole.taskDefinitionList))
    local same = { project = P, workflow = W, name = "first", tasks = whole.taskDefinitionList,
      relations = whole.workflowTaskRelationList, locations = whole.workflowDefinition.locations,
      global_params = whole.workflowDefinition.globalParams, description = whole.workflowDefinition.description,
      timeout = whole.workflowDefinition.timeout, execution_type = whole.workflowDefinition.executionType,
      tenant = whole.workflowDefinition.tenantCode }
    accepts("workflows.update", same)
    for _, task in ipairs(assert(client.workflows:get { project = P, workflow = W }).taskDefinitionList) do
      assert.equal(1, task.version)
    end
    same.tasks[1].description = "changed"
    accepts("workflows.update", same)
    assert.is_true(#accepts("workflows.versions", { project = P, workflow = W }) >= 2)
    accepts("workflows.switch_version", { project = P, workflow = W, version = 1 })
    accepts("workflows.delete_version", { project = P, workflow = W, version = 2 })

    accepts("tasks.list", { project = P })
    accepts("tasks.get", { project = P, task = codes[1] })
    accepts("tasks.versions", { project = P, task = codes[1] })
    local alone = assert(client.tasks:generate_codes { project = P, count = 2 })
    accepts("tasks.create", { project = P, tasks = { tasks.one(alone[1], "alone", "true") } })
    accepts("tasks.update", { project = P, task = alone[1], definition = tasks.one(alone[1], "alone", "false") })
    accepts("tasks.update_with_upstream", { project = P, task = codes[3],
      definition = tasks.one(codes[3], "third", "true"), upstreams = { codes[2] } })
    accepts("tasks.switch_version", { project = P, task = alone[1], version = 1 })
    accepts("tasks.delete_version", { project = P, task = alone[1], version = 2 })
    accepts("tasks.release", { project = P, task = alone[1], state = "OFFLINE" })
    accepts("tasks.save_single", { project = P, workflow = W, definition = tasks.one(alone[2], "single", "true") })
    accepts("tasks.delete", { project = P, task = alone[1] })

    accepts("relations.upstream", { project = P, task = codes[2] })
    accepts("relations.downstream", { project = P, task = codes[1] })
    accepts("relations.create", { project = P, workflow = W, pre_task = codes[1], post_task = codes[3] })
    accepts("relations.delete_edge", { project = P, workflow = W, pre_task = codes[1], post_task = codes[3] })
    accepts("relations.delete_upstream", { project = P, task = codes[3], pre_tasks = { codes[2] } })
    accepts("relations.delete_downstream", { project = P, task = codes[1], post_tasks = { codes[2] } })
    accepts("relations.delete", { project = P, workflow = W, task = codes[2] })

    accepts("lineages.list", { project = P })
    accepts("lineages.get", { project = P, workflow = W })
    accepts("lineages.get_by_name", { project = P })
    accepts("lineages.verify_delete", { project = P, workflow = W, task = codes[1] })

    local target = assert(client.projects:create { name = "conformance, a target" })
    accepts("workflows.batch_copy", { project = P, workflows = { W }, target_project = target.code })
    local file = accepts("workflows.batch_export", { project = P, workflows = { W } })
    assert.equal("table", type(core.decode(file)))
    accepts("workflows.import_file", { project = target.code, file = { name = "first.json", content = file } })
    local copies = assert(client.workflows:simple_list { project = target.code })
    assert.equal(2, #copies)
    accepts("workflows.batch_move", { project = target.code, workflows = { copies[1].code }, target_project = P })
    accepts("workflows.delete", { project = target.code, workflow = copies[2].code })
    accepts("workflows.batch_delete", { project = P, workflows = { copies[1].code } })
    assert(client.projects:delete { project = target.code })

    accepts("workflows.create_empty", { project = P, name = "empty", tenant = tasks.tenant(client) })
    local empty = find(assert(client.workflows:simple_list { project = P }), "name", "empty")
    accepts("workflows.update_basic_info", { project = P, workflow = empty.code, name = "empty",
      tenant = tasks.tenant(client), release_state = "OFFLINE" })
    refuses(10022, "workflows.release_workflow", { project = P, workflow = empty.code, state = "OFFLINE" })
  end)

  each("of schedules", function()
    local P = project.code
    local workflow = tasks.workflow(client, project, "scheduled", "good")
    accepts("workflows.release", { project = P, workflow = workflow.code, state = "ONLINE" })
    local schedule = { startTime = "2030-01-01 00:00:00", endTime = "2031-01-01 00:00:00", crontab = "0 0 3 * * ? *",
      timezoneId = "Asia/Shanghai" }
    assert.equal(5, #accepts("schedules.preview", { project = P, schedule = schedule }))
    accepts("schedules.create", { project = P, workflow = workflow.code, schedule = schedule, warning_group_id = 0 })
    local row = accepts("schedules.list", { project = P, workflow = workflow.code })[1]
    assert.equal(workflow.code, row.workflowDefinitionCode)
    accepts("schedules.all", { project = P })
    accepts("schedules.update", { project = P, schedule_id = row.id, schedule = schedule, warning_group_id = 0 })
    accepts("schedules.update_by_workflow", { project = P, workflow = workflow.code, schedule = schedule,
      warning_group_id = 0 })
    accepts("schedules.online", { project = P, schedule_id = row.id })
    accepts("schedules.offline", { project = P, schedule_id = row.id })
    accepts("schedules.delete", { project = P, schedule_id = row.id })
    accepts("workflows.start_check", { project = P, workflow = workflow.code })
  end)

  each("of runs, their tasks and logs", function()
    local P = project.code
    local good = tasks.workflow(client, project, "runs well", "good", "ONLINE")
    local bad = tasks.workflow(client, project, "fails", "broken", "ONLINE")
    accepts("workflows.start", { project = P, workflow = good.code })
    accepts("workflows.batch_start", { project = P, workflows = { bad.code } })
    local runs
    wait_for("two runs that have ended", function()
      runs = accepts("instances.list", { project = P })
      return #runs == 2 and runs[1].finished and runs[2].finished
    end, curl.sleep)
    local failed, fine = find(runs, "state", "FAILURE"), find(runs, "state", "SUCCESS")
    assert.is_true(failed.failed)
    accepts("instances.get", { project = P, instance_id = fine.id })
    local of_run = accepts("instances.tasks", { project = P, instance_id = failed.id })
    assert.equal("FAILURE", of_run.workflowInstanceState)
    accepts("instances.view_gantt", { project = P, instance_id = fine.id })
    accepts("instances.view_variables", { project = P, instance_id = fine.id })
    refuses(10116, "instances.top_n", { project = P, size = 5, start_time = "2020-01-01 00:00:00",
      end_time = "2030-01-01 00:00:00" }) -- it always is: live fact 21
    accepts("task_instances.list", { project = P, instance_id = failed.id })
    local first = accepts("task_instances.list", { project = P, instance_id = fine.id })[1]
    refuses(10021, "instances.sub_workflow", { project = P, task_instance_id = first.id })
    refuses(50010, "instances.parent_workflow", { project = P, instance_id = fine.id })
    accepts("instances.query_executing_workflow", { project = P, instance_id = fine.id })
    assert.is_string(accepts("task_instances.log_part", { task_instance_id = first.id }).message)
    accepts("task_instances.log_part_of_project", { project = P, task_instance_id = first.id })
    assert.matches("%[LOG%-PATH%]", accepts("task_instances.download_log", { task_instance_id = first.id }))
    accepts("task_instances.download_log_of_project", { project = P, task_instance_id = first.id })
    accepts("instances.execute", { project = P, instance_id = failed.id,
      execute_type = "START_FAILURE_TASK_PROCESS" })
    wait_for("the run that fails again", function()
      local run = client.instances:get { project = P, instance_id = failed.id }
      return run.runTimes == 2 and run.finished
    end, curl.sleep)
    curl.sleep(10.5) -- a run that one execute was sent for is held against the next for 10 s
    accepts("instances.batch_execute", { project = P, instance_ids = { failed.id },
      execute_type = "START_FAILURE_TASK_PROCESS" })
    wait_for("the run that fails a third time", function()
      local run = client.instances:get { project = P, instance_id = failed.id }
      return run.runTimes == 3 and run.finished
    end, curl.sleep)
    local task = find(assert(client.task_instances:list { project = P, instance_id = failed.id, state = "FAILURE" }),
      "flag", "YES")
    accepts("task_instances.force_success", { project = P, task_instance_id = task.id })
    -- they are taken for any task, streaming or not
    accepts("task_instances.savepoint", { project = P, task_instance_id = task.id })
    accepts("task_instances.stop", { project = P, task_instance_id = task.id })
    local whole = assert(client.workflows:get { project = P, workflow = good.code })
    accepts("instances.update", { project = P, instance_id = fine.id, tasks = whole.taskDefinitionList,
      relations = whole.workflowTaskRelationList, locations = whole.workflowDefinition.locations,
      sync_define = false, tenant = tasks.tenant(client) })
    accepts("instances.delete", { project = P, instance_id = fine.id })
    accepts("instances.batch_delete", { project = P, instance_ids = { failed.id } })
  end)

  each("of counts, the server and its plugins", function()
    for _, name in ipairs { "analysis.command_state_count", "analysis.define_user_count", "analysis.queue_count",
      "analysis.task_state_count", "analysis.workflow_state_count", "server.databases", "server.masters",
      "server.workers", "audit.list", "favourites.list" } do
      accepts(name)
    end
    refuses(10200, "favourites.add", { task_type = "SHELL" }) -- there is no table for it on H2
    accepts("favourites.remove", { task_type = "SHELL" })
    -- there is no alert server, which brings the plugins
    refuses(110002, "plugins.list", { type = "ALERT" })
    accepts("plugins.get", { plugin_id = 1 })
  end)

  each("of users and their rights", function()
    local tenant = assert(client.tenants:all())[1]
    local about = { name = "conformance", password = "conf0rmance", tenant_id = tenant.id, email = "a@b.cc",
      state = 1 }
    accepts("users.verify_name", { name = about.name })
    accepts("users.create", about)
    refuses(10003, "users.verify_name", { name = about.name })
    local one = find(accepts "users.list", "userName", about.name)
    accepts "users.all"
    accepts "users.general"
    accepts "users.current"
    accepts("users.update", { user_id = one.id, name = about.name, password = about.password, tenant_id = tenant.id,
      email = about.email, state = 1, time_zone = "UTC" })
    accepts("sessions.login", { name = about.name, password = about.password })
    accepts("users.grant_project", { user_id = one.id, project = project.code })
    accepts("users.revoke_project", { user_id = one.id, project = project.code })
    accepts("users.grant_projects", { user_id = one.id, project_ids = { project.id } })
    refuses(20004, "users.grant_files", { user_id = one.id, resource_ids = { 1 } })
    accepts("users.grant_udfs", { user_id = one.id, udf_ids = { 1 } })
    accepts("users.grant_datasources", { user_id = one.id, datasource_ids = { 1 } })
    accepts("users.grant_namespaces", { user_id = one.id, namespace_ids = { 1 } })
    -- they ask for a table that the server's own scripts don't make
    refuses(10102, "users.of_alert_group", { alert_group = 1 })
    refuses(10101, "users.outside_alert_group", { alert_group = 1 })

    local token = accepts("access_tokens.create", { user_id = one.id, expires = "2030-01-01 00:00:00" })
    accepts("access_tokens.generate", { user_id = one.id, expires = "2030-01-01 00:00:00" })
    accepts "access_tokens.list"
    local id = token.id or accepts("access_tokens.of_user", { user_id = one.id })[1].id
    accepts("access_tokens.of_user", { user_id = one.id })
    accepts("access_tokens.update", { access_token_id = id, user_id = one.id, expires = "2031-01-01 00:00:00",
      token = "conformance" })
    accepts("access_tokens.delete", { access_token_id = id })

    accepts("users.delete", { user_id = one.id })
    accepts("users.register", { name = "conformance2", password = "conf0rmance", repeat_password = "conf0rmance",
      email = "a@b.cc" })
    accepts("users.activate", { name = "conformance2" })
    accepts("users.batch_activate", { names = { "conformance2" } })
    local registered = find(assert(client.users:list()), "userName", "conformance2")
    assert(client.users:delete { user_id = registered.id })
  end)

  each("of tenants, queues, worker groups, environments and clusters", function()
    accepts("queues.verify", { queue = "conformance", name = "conformance" })
    accepts("queues.create", { queue = "conformance", name = "conformance" })
    local queue = find(accepts "queues.list", "queueName", "conformance")
    accepts "queues.all"
    accepts("queues.update", { queue_id = queue.id, queue = "conformance2", name = "conformance2" })

    accepts("tenants.verify_name", { tenant = "conformance" })
    accepts("tenants.create", { tenant = "conformance", queue_id = queue.id, description = "" })
    local tenant = find(accepts "tenants.list", "tenantCode", "conformance")
    accepts "tenants.all"
    accepts("tenants.update", { tenant_id = tenant.id, tenant = "conformance", queue_id = queue.id })
    accepts("tenants.delete", { tenant_id = tenant.id })

    local addresses = accepts "worker_groups.addresses"
    accepts("worker_groups.create", { name = "conformance", addresses = addresses })
    local group = find(accepts "worker_groups.list", "name", "conformance")
    accepts "worker_groups.all"
    accepts("worker_groups.update", { worker_group_id = group.id, name = "conformance2", addresses = addresses })
    accepts("worker_groups.delete", { worker_group_id = group.id })

    accepts("environments.verify_name", { name = "conformance" })
    local code = accepts("environments.create", { name = "conformance", config = "export A=1", description = "d",
      worker_groups = { "default" } }).value
    accepts "environments.list"
    accepts "environments.all"
    assert.equal("conformance", accepts("environments.get", { environment = code }).name)
    accepts("environments.update", { environment = code, name = "conformance", config = "export A=2", description = "d",
      worker_groups = { "default" } })
    accepts("environments.delete", { environment = code })

    accepts("clusters.verify_name", { name = "conformance" })
    local cluster = accepts("clusters.create", { name = "conformance", config = { k8s = "a", yarn = "" },
      description = "d" }).value
    accepts "clusters.list"
    accepts "clusters.all"
    accepts("clusters.get", { cluster = cluster })
    accepts("clusters.update", { cluster = cluster, name = "conformance", config = { k8s = "a", yarn = "" },
      description = "e" })
    accepts("namespaces.verify", { namespace = "conformance", cluster = cluster })
    accepts("clusters.delete", { cluster = cluster })
    accepts "namespaces.list"
    accepts "namespaces.available"
    accepts("namespaces.authorized", { user_id = user.id })
    accepts("namespaces.unauthorized", { user_id = user.id })
    accepts("namespaces.delete", { namespace_id = 1 }) -- a new server has one
  end)

  each("of alerts", function()
    local name = "conformance " .. project.code
    accepts("alert_instances.verify_name", { name = name })
    for number = 1, 3 do -- 1 and 2 are in the group that is there
      accepts("alert_instances.create", { plugin_id = 1, name = name .. number, settings = "{}" })
    end
    local instance = find(accepts "alert_instances.list", "instanceName", name .. 3)
    accepts "alert_instances.all"
    accepts("alert_instances.get", { alert_instance_id = instance.id })
    accepts("alert_instances.update", { alert_instance_id = instance.id, name = name .. 3, settings = "{}" })
    accepts("alert_groups.verify_name", { name = "conformance" })
    accepts("alert_groups.create", { name = "conformance", description = "d", alert_instance_ids = { instance.id } })
    local group = find(accepts "alert_groups.list", "groupName", "conformance")
    accepts "alert_groups.all"
    accepts("alert_groups.get", { alert_group = group.id })
    accepts("alert_groups.update", { alert_group = group.id, name = "conformance", description = "e",
      alert_instance_ids = { instance.id } })
    accepts("alert_groups.delete", { alert_group = group.id })
    accepts("alert_instances.delete", { alert_instance_id = instance.id })
  end)

  each("of task groups", function()
    local name = "conformance " .. project.code -- task groups stay, whatever becomes of their project
    accepts("task_groups.create", { name = name, project = project.code, size = 2 })
    local group = find(accepts("task_groups.list", { name = name }), "name", name)
    accepts("task_groups.of_project", { project = project.code })
    accepts("task_groups.of_status", { status = 1 })
    accepts("task_groups.queue", { task_group_id = group.id })
    accepts("task_groups.update", { task_group_id = group.id, name = name, size = 3 })
    accepts("task_groups.close", { task_group_id = group.id })
    accepts("task_groups.open", { task_group_id = group.id })
    refuses(130012, "task_groups.force_start", { queue_id = 1 })
    accepts("task_groups.set_priority", { queue_id = 1, priority = 1 })
  end)

  each("of data sources and data quality", function()
    local definition = { type = "POSTGRESQL", name = "conformance", note = "", host = "127.0.0.1", port = 1,
      userName = "u", password = "p", database = "d", other = {} }
    accepts("datasources.verify_name", { name = "conformance" })
    -- the published server has no plugin of any database
    refuses(10033, "datasources.create", { definition = definition })
    refuses(10034, "datasources.update", { datasource_id = 1, definition = definition })
    refuses(10036, "datasources.connect", { definition = definition })
    local ABSENT = 20004
    refuses(ABSENT, "datasources.get", { datasource_id = 1 })
    refuses(ABSENT, "datasources.test", { datasource_id = 1 })
    refuses(ABSENT, "datasources.delete", { datasource_id = 1 })
    refuses(1200018, "datasources.tables", { datasource_id = 1 })
    refuses(1200019, "datasources.columns", { datasource_id = 1, table = "t" })
    accepts "datasources.list"
    accepts("datasources.of_type", { type = "POSTGRESQL" })
    accepts("datasources.authorized", { user_id = user.id })
    accepts("datasources.unauthorized", { user_id = user.id })
    accepts "datasources.kerberos"

    refuses(1200013, "data_quality.rules")
    local rules = accepts "data_quality.all_rules"
    refuses(1200012, "data_quality.rule_form", { rule_id = rules[1].id })
    accepts "data_quality.results"
    accepts("data_quality.datasource_options", { type_id = 0 })
  end)

  each("of files and functions is understood without a storage", function()
    accepts("resources.list", { type = "FILE" })
    accepts("resources.tree", { type = "FILE" })
    accepts("resources.of_type", { type = "FILE" })
    accepts("resources.authorized_files", { user_id = user.id })
    accepts("resources.authorized_tree", { user_id = user.id })
    refuses(10181, "resources.verify_name", { full_name = "/free", type = "FILE" })
    local OFF, ABSENT, FORBIDDEN = 60002, 20004, 1400001
    refuses(OFF, "resources.create_folder", { type = "FILE", name = "d", folder = "/" })
    refuses(OFF, "resources.create", { type = "FILE", name = "f", suffix = "sh", content = "true", folder = "/" })
    refuses(OFF, "resources.upload", { type = "FILE", name = "f.sh", file = { name = "f.sh", content = "true" },
      folder = "/" })
    refuses(FORBIDDEN, "resources.replace_by_id", { resource_id = 1, type = "FILE", name = "f.sh" })
    refuses(OFF, "resources.update_content_by_id", { resource_id = 1, content = "true" })
    refuses(OFF, "resources.view_by_id", { resource_id = 1 })
    refuses(10000, "resources.download_by_id", { resource_id = 1 })
    refuses(ABSENT, "resources.delete_by_id", { resource_id = 1 })
    refuses(ABSENT, "resources.get_by_id", { resource_id = 1, type = "FILE" })
    refuses(ABSENT, "resources.query_by_id", { resource_id = 1 })
    accepts "udfs.list"
    accepts("udfs.all", { type = "HIVE" })
    accepts("udfs.verify_name", { name = "free" })
    accepts("udfs.authorized", { user_id = user.id })
    accepts("udfs.unauthorized", { user_id = user.id })
    refuses(60001, "udfs.create_by_id", { resource_id = 1, type = "HIVE", name = "f", class = "a.B" })
    refuses(FORBIDDEN, "udfs.update_by_id", { resource_id = 1, udf_id = 1, type = "HIVE", name = "f", class = "a.B" })
    refuses(FORBIDDEN, "udfs.get", { udf_id = 1 })
    refuses(FORBIDDEN, "udfs.delete", { udf_id = 1 })
  end)

  it("has been called, or stands on the list with the reason", function()
    local missing, count, all = {}, 0, 0
    for _, resource in ipairs(operations.RESOURCES) do
      for _, row in pairs(operations.of(resource)) do
        local name = row.operation
        if dialects.has(row, VERSION) then
          all, count = all + 1, count + (called[name] and 1 or 0)
          missing[#missing + 1] = not called[name] and not SKIPPED[name] and name or nil
        end
      end
    end
    print(("\noperations of 3.1: %d called, %d in the table (%.1f %%)"):format(count, all, 100 * count / all))
    table.sort(missing)
    assert.same({}, missing)
    assert.is_true(count / all >= 0.9)
  end)

  teardown(function()
    for _, workflow in ipairs(client.workflows:simple_list { project = project.code } or {}) do
      client.workflows:release { project = project.code, workflow = workflow.code, state = "OFFLINE" }
      client.workflows:delete { project = project.code, workflow = workflow.code }
    end
    client.projects:delete { project = project.code }
    client:close()
  end)
end)

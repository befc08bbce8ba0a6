--- The edges between the tasks of a workflow (`process-task-relation` up to
-- 3.2): WorkflowTaskRelationController and its v2. Task 0 stands before the tasks
-- that have no other before them.

local RELATIONS = "/projects/{project}/NOUN-task-relation"

local PROJECT = { "project", "project", path = true }
local TASK = { "task", "code", path = true }
local WORKFLOW = { "workflow", "workflow", "NOUNDefinitionCode", required = true }
local CHANGES = {
  "relations.upstream", "relations.downstream", "workflows.get", "workflows.get_by_name", "workflows.all",
  "workflows.full_list", "workflows.list", "workflows.versions", "workflows.get_by_code", "workflows.search",
}

return {
  create = {
    summary = "an edge between two tasks of a workflow",
    method = "POST",
    path = RELATIONS,
    since = "2.0.1",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = {
      PROJECT,
      WORKFLOW,
      { "pre_task", "task", "preTaskCode", required = true },
      { "post_task", "task", "postTaskCode", required = true },
    },
  },
  delete = {
    summary = "takes a task out of a workflow",
    method = "DELETE",
    path = RELATIONS .. "/{task}",
    since = "2.0.1",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, WORKFLOW, { "task", "task", path = true } },
  },
  delete_edge = {
    summary = "removes the edge between two tasks of a workflow",
    method = "DELETE",
    path = RELATIONS .. "/{workflow}/{pre_task}/{post_task}",
    since = "2.0.1",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = {
      PROJECT,
      { "workflow", "workflow", path = true },
      { "pre_task", "task", path = true },
      { "post_task", "task", path = true },
    },
  },
  upstream = {
    summary = "the tasks right before a task",
    method = "GET",
    path = RELATIONS .. "/{task}/upstream",
    since = "2.0.1",
    replay = "read",
    result = "list",
    params = { PROJECT, TASK },
  },
  downstream = {
    summary = "the tasks right after a task",
    method = "GET",
    path = RELATIONS .. "/{task}/downstream",
    since = "2.0.1",
    replay = "read",
    result = "list",
    params = { PROJECT, TASK },
  },
  delete_upstream = {
    summary = "removes the edges from some tasks to a task",
    method = "DELETE",
    path = RELATIONS .. "/{task}/upstream",
    since = "2.0.1",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, TASK, { "pre_tasks", "codes", "preTaskCodes", required = true } },
  },
  delete_downstream = {
    summary = "removes the edges from a task to some tasks",
    method = "DELETE",
    path = RELATIONS .. "/{task}/downstream",
    since = "2.0.1",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = { PROJECT, TASK, { "post_tasks", "codes", "postTaskCodes", required = true } },
  },
  move = {
    summary = "moves a task from a workflow to another",
    method = "POST",
    path = RELATIONS .. "/move",
    since = "2.0.1",
    upto = "2.0.3",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = {
      PROJECT,
      WORKFLOW,
      { "target_workflow", "workflow", "targetProcessDefinitionCode", required = true },
      { "task", "task", "taskCode", required = true },
    },
  },
  create_pair = {
    summary = "an edge between two tasks of a workflow; answers the edge",
    method = "POST",
    path = "/v2/relations",
    since = "3.2",
    replay = "once",
    result = "object",
    body = "json",
    invalidates = CHANGES,
    params = {
      { "project", "project", "projectCode", required = true },
      { "workflow", "workflow", "workflowCode", required = true },
      { "pre_task", "task", "preTaskCode", required = true },
      { "post_task", "task", "postTaskCode", required = true },
    },
  },
  update_upstreams = {
    summary = "sets which tasks come right before a task",
    method = "PUT",
    path = "/v2/relations/{task}",
    since = "3.2",
    replay = "once",
    result = "list",
    body = "json",
    invalidates = CHANGES,
    params = {
      TASK,
      { "workflow", "code", "workflowCode", required = true },
      { "upstreams", "json", "upstreams", required = true, help = "a list of codes of tasks" },
    },
  },
  delete_pair = {
    summary = "removes the edges between two tasks, whatever workflow they are in",
    method = "DELETE",
    path = "/v2/relations/{pair}",
    since = "3.2",
    replay = "once",
    result = "none",
    invalidates = CHANGES,
    params = { { "pair", "codes", path = true, help = "{upstream, downstream}" } },
  },
}

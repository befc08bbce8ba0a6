--- Task definitions: TaskDefinitionController.

return {
  generate_codes = {
    summary = "fresh codes for the tasks of a new workflow, 1 to 100",
    method = "GET",
    path = "/projects/{project}/task-definition/gen-task-codes",
    replay = "read",
    result = "list",
    codes = { "data[]" },
    params = {
      { "project", "project", path = true },
      { "count", "integer", "genNum", default = 1 },
    },
  },
}

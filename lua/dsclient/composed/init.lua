--- What people do with several operations at a time, as methods of resources.
-- Each is made of the public interface alone, and loaded when it is called.

--- By resource and method: the module, and its function (client, …).
return {
  instances = {
    diagnose = { "failures", "diagnose" },
  },
  workflows = {
    run = { "runs", "run" },
    run_and_wait = { "runs", "run_and_wait" },
    export_definitions = { "export", "export_definitions" },
    backfill = { "backfill", "backfill" },
    import_definitions = { "import", "import_definitions" },
  },
}

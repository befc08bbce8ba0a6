-- Written by rockspec/update.lua; change that, then run `make rockspecs`.
rockspec_format = "3.0"
package = "dsclient-core"
version = "scm-1"
-- Built from a checkout: luarocks make rockspec/dsclient-core-scm-1.rockspec
source = { url = "." }
description = {
  summary = "A client for Apache DolphinScheduler: the core and the Lua layer",
  detailed = [[
    Cache, retries, metrics and decoding, without any I/O of its own. Add the rock dsclient for
    plain Lua; inside OpenResty this one is enough.
  ]],
  license = "MIT",
}
dependencies = { "lua >= 5.1", "lua-cjson" }
build = {
  type = "builtin",
  modules = {
    ["dsclient.core"] = {
      sources = {
        "csrc/core/buf.c",
        "csrc/core/cache.c",
        "csrc/core/call.c",
        "csrc/core/client.c",
        "csrc/core/date.c",
        "csrc/core/env.c",
        "csrc/core/envelope.c",
        "csrc/core/error.c",
        "csrc/core/hash.c",
        "csrc/core/json.c",
        "csrc/core/metrics.c",
        "csrc/core/retry.c",
        "csrc/core/url.c",
        "csrc/lua/call.c",
        "csrc/lua/client.c",
        "csrc/lua/decode.c",
        "csrc/lua/encode.c",
        "csrc/lua/env.c",
        "csrc/lua/json.c",
        "csrc/lua/module.c",
        "csrc/lua/row.c",
        "csrc/lua/shape.c",
        "csrc/lua/url.c",
      },
      incdirs = { "csrc" },
      defines = { "_POSIX_C_SOURCE=200809L" },
    },
    ["dsclient.arguments"] = "lua/dsclient/arguments.lua",
    ["dsclient.call"] = "lua/dsclient/call.lua",
    ["dsclient.detect"] = "lua/dsclient/detect.lua",
    ["dsclient.dialect"] = "lua/dsclient/dialect.lua",
    ["dsclient.drive"] = "lua/dsclient/drive.lua",
    ["dsclient.errors"] = "lua/dsclient/errors.lua",
    ["dsclient"] = "lua/dsclient/init.lua",
    ["dsclient.memo"] = "lua/dsclient/memo.lua",
    ["dsclient.monitor.check"] = "lua/dsclient/monitor/check.lua",
    ["dsclient.monitor.command"] = "lua/dsclient/monitor/command.lua",
    ["dsclient.monitor.config"] = "lua/dsclient/monitor/config.lua",
    ["dsclient.monitor.events"] = "lua/dsclient/monitor/events.lua",
    ["dsclient.monitor.glob"] = "lua/dsclient/monitor/glob.lua",
    ["dsclient.monitor"] = "lua/dsclient/monitor/init.lua",
    ["dsclient.monitor.metrics"] = "lua/dsclient/monitor/metrics.lua",
    ["dsclient.monitor.policy"] = "lua/dsclient/monitor/policy.lua",
    ["dsclient.monitor.reading"] = "lua/dsclient/monitor/reading.lua",
    ["dsclient.monitor.recovery"] = "lua/dsclient/monitor/recovery.lua",
    ["dsclient.monitor.round"] = "lua/dsclient/monitor/round.lua",
    ["dsclient.monitor.state"] = "lua/dsclient/monitor/state.lua",
    ["dsclient.monitor.windows"] = "lua/dsclient/monitor/windows.lua",
    ["dsclient.monitor.zones"] = "lua/dsclient/monitor/zones.lua",
    ["dsclient.names"] = "lua/dsclient/names.lua",
    ["dsclient.operations"] = "lua/dsclient/operations/init.lua",
    ["dsclient.operations.instances"] = "lua/dsclient/operations/instances.lua",
    ["dsclient.operations.projects"] = "lua/dsclient/operations/projects.lua",
    ["dsclient.operations.server"] = "lua/dsclient/operations/server.lua",
    ["dsclient.operations.task_instances"] = "lua/dsclient/operations/task_instances.lua",
    ["dsclient.operations.tasks"] = "lua/dsclient/operations/tasks.lua",
    ["dsclient.operations.tenants"] = "lua/dsclient/operations/tenants.lua",
    ["dsclient.operations.users"] = "lua/dsclient/operations/users.lua",
    ["dsclient.operations.workflows"] = "lua/dsclient/operations/workflows.lua",
    ["dsclient.options"] = "lua/dsclient/options.lua",
    ["dsclient.paging"] = "lua/dsclient/paging.lua",
    ["dsclient.report"] = "lua/dsclient/report.lua",
    ["dsclient.token"] = "lua/dsclient/token.lua",
    ["dsclient.tz"] = "lua/dsclient/tz.lua",
  },
  copy_directories = {},
}

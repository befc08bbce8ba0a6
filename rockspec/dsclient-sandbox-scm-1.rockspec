-- Written by rockspec/update.lua; change that, then run `make rockspecs`.
rockspec_format = "3.0"
package = "dsclient-sandbox"
version = "scm-1"
-- Built from a checkout: luarocks make rockspec/dsclient-sandbox-scm-1.rockspec
source = { url = "." }
description = {
  summary = "A small DolphinScheduler on this machine, with faults on demand, to test against",
  detailed = [[
    A test double for scripts that use dsclient: workflows that run, fail and recover.
  ]],
  license = "MIT",
}
dependencies = { "lua >= 5.1", "dsclient-core", "luv", "argparse" }
build = {
  type = "builtin",
  modules = {
    ["dsclient.sandbox.api"] = "lua/dsclient/sandbox/api.lua",
    ["dsclient.sandbox.asking"] = "lua/dsclient/sandbox/asking.lua",
    ["dsclient.sandbox.catalogue"] = "lua/dsclient/sandbox/catalogue.lua",
    ["dsclient.sandbox.faults"] = "lua/dsclient/sandbox/faults.lua",
    ["dsclient.sandbox.generic"] = "lua/dsclient/sandbox/generic.lua",
    ["dsclient.sandbox"] = "lua/dsclient/sandbox/init.lua",
    ["dsclient.sandbox.lines"] = "lua/dsclient/sandbox/lines.lua",
    ["dsclient.sandbox.process"] = "lua/dsclient/sandbox/process.lua",
    ["dsclient.sandbox.routes"] = "lua/dsclient/sandbox/routes.lua",
    ["dsclient.sandbox.rows"] = "lua/dsclient/sandbox/rows.lua",
    ["dsclient.sandbox.server"] = "lua/dsclient/sandbox/server.lua",
    ["dsclient.sandbox.shapes"] = "lua/dsclient/sandbox/shapes.lua",
    ["dsclient.sandbox.site"] = "lua/dsclient/sandbox/site.lua",
    ["dsclient.sandbox.store"] = "lua/dsclient/sandbox/store.lua",
    ["dsclient.sandbox.virtual"] = "lua/dsclient/sandbox/virtual.lua",
    ["dsclient.sandbox.world"] = "lua/dsclient/sandbox/world.lua",
  },
  install = {
    bin = {
      ["dsclient-sandbox"] = "bin/dsclient-sandbox",
    },
  },
  copy_directories = {},
}

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
dependencies = { "lua >= 5.1", "dsclient-core", "luv" }
build = {
  type = "builtin",
  modules = {
  },
  copy_directories = {},
}

-- Written by rockspec/update.lua; change that, then run `make rockspecs`.
rockspec_format = "3.0"
package = "lua-resty-dsclient"
version = "scm-1"
-- Built from a checkout: luarocks make rockspec/lua-resty-dsclient-scm-1.rockspec
source = { url = "." }
description = {
  summary = "A client for Apache DolphinScheduler inside OpenResty",
  detailed = [[
    Workers share cache, limits and counters; a monitor in one of them; a status page, metrics and
    an API with cache headers. Neither libcurl nor an OpenSSL of its own.
  ]],
  license = "MIT",
}
dependencies = { "lua >= 5.1", "dsclient-core" }
build = {
  type = "builtin",
  modules = {
    ["resty.dsclient"] = "lua/resty/dsclient.lua",
    ["resty.dsclient.handlers"] = "lua/resty/dsclient/handlers.lua",
    ["resty.dsclient.lease"] = "lua/resty/dsclient/lease.lua",
    ["resty.dsclient.monitor"] = "lua/resty/dsclient/monitor.lua",
    ["resty.dsclient.page"] = "lua/resty/dsclient/page.lua",
    ["resty.dsclient.worker"] = "lua/resty/dsclient/worker.lua",
  },
  copy_directories = {},
}

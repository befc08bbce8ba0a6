-- Written by rockspec/update.lua; change that, then run `make rockspecs`.
rockspec_format = "3.0"
package = "dsclient"
version = "scm-1"
-- Built from a checkout: luarocks make rockspec/dsclient-scm-1.rockspec
source = { url = "." }
description = {
  summary = "A client for Apache DolphinScheduler, and a monitor that recovers failed workflows",
  detailed = [[
    The transport over libcurl, the runtimes over it (tasks of plain Lua; luv and cqueues where
    they are there), the system calls of commands, and the command dsmonitor.
  ]],
  license = "MIT",
}
dependencies = { "lua >= 5.1", "dsclient-core", "argparse" }
external_dependencies = { CURL = { library = "curl" } }
build = {
  type = "builtin",
  modules = {
    ["dsclient.curl"] = {
      sources = {
        "csrc/core/buf.c",
        "csrc/core/env.c",
        "csrc/core/error.c",
        "csrc/core/header.c",
        "csrc/curl/attempt.c",
        "csrc/curl/events.c",
        "csrc/curl/module.c",
        "csrc/curl/options.c",
        "csrc/curl/pool.c",
        "csrc/curl/sockets.c",
        "csrc/lua/fork.c",
      },
      incdirs = { "csrc", "$(CURL_INCDIR)" },
      defines = { "_POSIX_C_SOURCE=200809L" },
      libdirs = { "$(CURL_LIBDIR)" },
      libraries = { "curl" },
    },
    ["dsclient.sys"] = {
      sources = {
        "csrc/sys/file.c",
        "csrc/sys/signal.c",
        "csrc/sys/sys.c",
      },
      incdirs = { "csrc" },
      defines = { "_POSIX_C_SOURCE=200809L" },
      libraries = { "pthread" },
    },
    ["dsclient.runtime.cqueues"] = "lua/dsclient/runtime/cqueues.lua",
    ["dsclient.runtime.guest"] = "lua/dsclient/runtime/guest.lua",
    ["dsclient.runtime.luv"] = "lua/dsclient/runtime/luv.lua",
    ["dsclient.runtime.tasks"] = "lua/dsclient/runtime/tasks.lua",
  },
  install = {
    bin = {
      ["dsmonitor"] = "bin/dsmonitor",
    },
  },
  copy_directories = {},
}

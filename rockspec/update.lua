-- Writes the rockspecs from the files of the tree: lua5.4 rockspec/update.lua
-- (or `make rockspecs`). Which sources make a C module is known to the Makefile.

-- The runtimes over libcurl.
local LOOPS = { cqueues = true, guest = true, luv = true, tasks = true }

local function is_loop(file)
  return LOOPS[file:match "^lua/dsclient/runtime/(%a+)%.lua$"]
end

local ROCKS = {
  {
    name = "dsclient-core",
    summary = "A client for Apache DolphinScheduler: the core and the Lua layer",
    detail = "Cache, retries, metrics and decoding, without any I/O of its own. Add the rock dsclient for\n"
      .. "    plain Lua, lua-resty-dsclient inside OpenResty.",
    dependencies = { "lua >= 5.1", "lua-cjson" },
    c = { "core" },
    owns = function(file)
      return file:match "^lua/dsclient/" and not file:match "^lua/dsclient/sandbox[/.]" and not is_loop(file)
    end,
  },
  {
    name = "lua-resty-dsclient",
    summary = "A client for Apache DolphinScheduler inside OpenResty",
    detail = "Workers share cache, limits and counters; a monitor in one of them; a status page, metrics and\n"
      .. "    an API with cache headers. Neither libcurl nor an OpenSSL of its own.",
    dependencies = { "lua >= 5.1", "dsclient-core" },
    c = {},
    owns = function(file)
      return file:match "^lua/resty/"
    end,
  },
  {
    name = "dsclient",
    summary = "A client for Apache DolphinScheduler, and a monitor that recovers failed workflows",
    detail = "The transport over libcurl, the runtimes over it (tasks of plain Lua; luv and cqueues where\n"
      .. "    they are there), the system calls of commands, and the command dsmonitor.",
    dependencies = { "lua >= 5.1", "dsclient-core", "argparse" },
    -- no header: LuaRocks doesn't look where Debian has it, the compiler does
    external = { CURL = "curl" },
    c = { "curl", "sys" },
    libraries = { curl = { "curl" }, sys = { "pthread" } },
    owns = function(file)
      return is_loop(file) or file:match "^bin/" and not file:match "sandbox"
    end,
  },
  {
    name = "dsclient-sandbox",
    summary = "A small DolphinScheduler on this machine, with faults on demand, to test against",
    detail = "A test double for scripts that use dsclient: workflows that run, fail and recover.",
    dependencies = { "lua >= 5.1", "dsclient-core", "luv", "argparse" },
    c = {},
    owns = function(file)
      return file:match "^lua/dsclient/sandbox[/.]" or file:match "^bin/.*sandbox"
    end,
  },
}

local function lines(command)
  local list = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    list[#list + 1] = line
  end
  assert(pipe:close(), command)
  table.sort(list)
  return list
end

local function module_name(file)
  return (file:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function quoted_list(list)
  return #list == 0 and "{}" or '{ "' .. table.concat(list, '", "') .. '" }'
end

local function c_module(rock, name, sources)
  local out = { ('    ["dsclient.%s"] = {\n      sources = {\n'):format(name) }
  for _, source in ipairs(sources) do
    out[#out + 1] = ('        "%s",\n'):format(source)
  end
  out[#out + 1] = '      },\n      incdirs = { "csrc"' .. (name == "curl" and ', "$(CURL_INCDIR)"' or "") .. " },\n"
  out[#out + 1] = '      defines = { "_POSIX_C_SOURCE=200809L" },\n'
  if name == "curl" then
    out[#out + 1] = '      libdirs = { "$(CURL_LIBDIR)" },\n'
  end
  local libraries = rock.libraries and rock.libraries[name]
  if libraries then
    out[#out + 1] = ("      libraries = %s,\n"):format(quoted_list(libraries))
  end
  out[#out + 1] = "    },\n"
  return table.concat(out)
end

local function rockspec(rock, files, sources)
  local out = {}
  local function add(format, ...)
    out[#out + 1] = format:format(...)
  end
  add("-- Written by rockspec/update.lua; change that, then run `make rockspecs`.\n")
  add('rockspec_format = "3.0"\npackage = "%s"\nversion = "scm-1"\n', rock.name)
  add("-- Built from a checkout: luarocks make rockspec/%s-scm-1.rockspec\n", rock.name)
  add('source = { url = "." }\n')
  add('description = {\n  summary = "%s",\n  detailed = [[\n    %s\n  ]],\n  license = "MIT",\n}\n',
    rock.summary, rock.detail)
  add("dependencies = %s\n", quoted_list(rock.dependencies))
  for name, library in pairs(rock.external or {}) do
    add('external_dependencies = { %s = { library = "%s" } }\n', name, library)
  end
  add('build = {\n  type = "builtin",\n  modules = {\n')
  for _, name in ipairs(rock.c) do
    add("%s", c_module(rock, name, sources[name]))
  end
  local commands = {}
  for _, file in ipairs(files) do
    if rock.owns(file) and file:match "^lua/" then
      add('    ["%s"] = "%s",\n', module_name(file), file)
    elseif rock.owns(file) then
      commands[#commands + 1] = ('      ["%s"] = "%s",\n'):format(file:match "[^/]+$", file)
    end
  end
  add("  },\n")
  if #commands > 0 then
    add("  install = {\n    bin = {\n%s    },\n  },\n", table.concat(commands))
  end
  add("  copy_directories = {},\n}\n")
  return table.concat(out)
end

local sources = {}
for _, line in ipairs(lines "make -s --no-print-directory sources") do
  local name, rest = line:match "^(%S+)%s*(.*)$"
  sources[name] = {}
  for source in rest:gmatch "%S+" do
    table.insert(sources[name], source)
  end
  table.sort(sources[name])
end

local files = lines "find lua bin -type f"
for _, rock in ipairs(ROCKS) do
  local file = assert(io.open(("rockspec/%s-scm-1.rockspec"):format(rock.name), "w"))
  file:write(rockspec(rock, files, sources))
  file:close()
end

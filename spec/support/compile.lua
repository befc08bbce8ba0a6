--- Compiles a C file of this directory into build/spec, once a run. @return string the path of what was made
local HERE = debug.getinfo(1, "S").source:sub(2):match "^(.*)/"
local OUT = HERE .. "/../../build/spec"
local VM = jit and "luajit" or "lua" .. _VERSION:match "[%d.]+$"

local made = {}

local function run(command)
  local status = os.execute(command)
  assert(status == true or status == 0, command)
end

--- @param name string such as "host.c"
--- @param kind string "library" or "program"; a program links the interpreter this spec runs under
--- @param libraries string more that it links, or nil
return function(name, kind, libraries)
  local out = ("%s/%s-%s%s"):format(OUT, VM, name:gsub("%.c$", ""), kind == "library" and ".so" or "")
  if not made[out] then
    run("mkdir -p '" .. OUT .. "'")
    run(("cc -O1 -g -Wall -Wextra $(pkg-config --cflags %s) %s -o '%s' '%s/%s' %s %s"):format(VM,
      kind == "library" and "-shared -fPIC" or "", out, HERE, name,
      kind == "library" and "" or "$(pkg-config --libs " .. VM .. ")", libraries or ""))
    made[out] = true
  end
  return out
end

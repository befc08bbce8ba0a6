--- Runs a script in a process of its own, by the interpreter of the specs.
local uv = require "luv"

--- @param string source
--- @return string what it prints, errors included
return function(source)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(source)
  file:close()
  local pipe = assert(io.popen(("'%s' '%s' 2>&1"):format(uv.exepath(), path)))
  local output = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return output
end

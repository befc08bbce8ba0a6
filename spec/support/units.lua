--- Runs units.c, which stands beside the modules that are looked at.
-- @tparam string command of units.c
-- @treturn table the lines it printed; throws where it failed

local lines = require "support.lines"

return function(command)
  local core = assert(package.searchpath("dsclient.core", package.cpath))
  local printed = lines(("'%s' %s 2>&1; echo $?"):format(core:gsub("dsclient/core%.so$", "units"), command))
  assert(table.remove(printed) == "0", table.concat(printed, "\n"))
  return printed
end

--- The lines that a shell command prints.
-- @tparam string command
-- @treturn table array of strings
return function(command)
  local list = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    list[#list + 1] = line
  end
  pipe:close()
  return list
end

--- Files that are written whole or not at all: under another name, which is
-- theirs at the end.

local core = require "dsclient.core"

local _M = {}

--- Writes a file.
-- @tparam userdata client whose clock makes the name beside `path` another one
--   each time
-- @tparam function fill (file) → a value; or nil and what went wrong. It may throw
-- @return the value of `fill`; or nil and what went wrong: a text where it was
--   the file system
function _M.write_whole(client, path, fill)
  local partial = string.format("%s.%d.%.6f", path, os.time(), core.time(client))
  local file, problem = io.open(partial, "wb")
  if not file then
    return nil, problem
  end
  local fine, value, err = pcall(fill, file)
  local done, why = file:close()
  if done and fine and value then
    done, why = os.rename(partial, path)
    if done then
      return value
    end
  end
  os.remove(partial)
  if not fine then
    error(value, 0)
  end
  return nil, err or why
end

return _M

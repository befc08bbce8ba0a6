--- Names are chosen by globs: `*` is any text, `?` one character.

local _M = {}

-- One character of UTF-8: a byte that begins one, and those that follow.
local CHARACTER = "[^\128-\191][\128-\191]*"

local function pattern_of(glob)
  return "^" .. glob:gsub("[%^%$%(%)%%%.%[%]%+%-%?%*]", function(char)
    return char == "*" and ".*" or char == "?" and CHARACTER or "%" .. char
  end) .. "$"
end

--- Does one of the globs match the name?
-- @tparam table globs array of strings
-- @treturn boolean
function _M.any(globs, name)
  for _, glob in ipairs(globs) do
    if name:find(pattern_of(glob)) then
      return true
    end
  end
  return false
end

--- "PROJECT/WORKFLOW" becomes two globs; the first slash parts them.
-- @treturn table|nil {project, workflow}
function _M.pair(text)
  local project, workflow = text:match "^([^/]+)/(.+)$"
  return project and { project = project, workflow = workflow }
end

--- Does one of the pairs match both names?
-- @tparam table pairs_of_globs array of what `pair` gave
function _M.any_pair(pairs_of_globs, project, workflow)
  for _, globs in ipairs(pairs_of_globs) do
    if project:find(pattern_of(globs.project)) and workflow:find(pattern_of(globs.workflow)) then
      return true
    end
  end
  return false
end

return _M

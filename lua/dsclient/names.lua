--- A project or a workflow is given by its code or by its name; names are
-- looked up in the cached lists. All digits is a code; a name made of digits
-- is given as {name = "2024"}.

local arguments = require "dsclient.arguments"
local errors = require "dsclient.errors"

local format = string.format

local _M = {}

local LISTS = { project = "projects.list", workflow = "workflows.simple_list" }

--- The codes of the rows that are called so, and all names. A row is what the
-- server sent: it may be anything.
local function matches(rows, name)
  local codes, names = {}, {}
  for _, row in ipairs(rows) do
    local code = type(row) == "table" and type(row.name) == "string" and arguments.format_code(row.code)
    if code then
      names[#names + 1] = row.name
      codes[#codes + 1] = row.name == name and code or nil
    end
  end
  return codes, names
end

--- The code for a name.
-- @tparam function list (operation, args, opts) → rows | nil, err, meta
-- @tparam string kind "project" or "workflow"
local function look_up(list, kind, name, args, deadline)
  local opts = { deadline = deadline, borrow = true, uncounted = true }
  local rows, err, meta = list(LISTS[kind], args, opts)
  if not rows then
    return nil, err
  end
  local codes, names = matches(rows, name)
  if #codes == 0 and meta.cached then
    -- it may be newer than the cached list
    opts.refresh = true
    rows, err = list(LISTS[kind], args, opts)
    if not rows then
      return nil, err
    end
    codes, names = matches(rows, name)
  end
  if #codes == 1 then
    return codes[1]
  elseif #codes > 1 then
    local message = format("%d of the %ss are called %s: give the code", #codes, kind, errors.quoted(name))
    return nil, errors.new { kind = "ambiguous", argument = kind, message = message, near = codes }
  end
  local message = format("no %s is called %s", kind, errors.quoted(name))
  return nil, errors.new { kind = "not_found", argument = kind, message = message, near = errors.near(name, names) }
end

--- A resolver for arguments.bind.
-- @tparam function list as above
-- @treturn function (kind, value, bound, deadline) → code | nil, problem | nil, nil, expected
function _M.resolver(list)
  return function(kind, value, bound, deadline)
    local name = type(value) == "table" and value.name or nil
    if not name and (type(value) == "number" or type(value) == "string" and value:find "^%d+$") then
      local code = arguments.format_code(value)
      return code, not code and "a code is decimal digits, a whole number below 2^53 or a 64-bit integer"
    end
    name = name or value
    if type(name) ~= "string" then
      return nil, nil, "a code or a name"
    elseif name == "" then
      return nil, "a code or a name expected, got an empty string"
    end
    return look_up(list, kind, name, kind == "workflow" and { project = bound.project } or {}, deadline)
  end
end

return _M

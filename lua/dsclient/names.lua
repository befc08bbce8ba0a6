--- A project or a workflow is given by its code or by its name; names are
-- looked up in the cached lists. All digits is a code; a name made of digits
-- is given as {name = "2024"}.

local arguments = require "dsclient.arguments"
local errors = require "dsclient.errors"

local _M = {}

local LISTS = { project = "projects.list", workflow = "workflows.simple_list" }

local function matches(rows, name)
  local found, names = {}, {}
  for i, row in ipairs(rows) do
    names[i] = row.name
    if row.name == name then
      found[#found + 1] = row
    end
  end
  return found, names
end

--- The code for a name.
-- @tparam function list (operation, args, opts) → rows | nil, err, meta
-- @tparam string kind "project" or "workflow"
local function look_up(list, kind, name, args, timeout_s)
  local opts = { timeout_s = timeout_s, borrow = true, uncounted = true }
  local rows, err, meta = list(LISTS[kind], args, opts)
  if not rows then
    return nil, err
  end
  local found, names = matches(rows, name)
  if #found == 0 and meta.cached then
    -- it may be newer than the cached list
    opts.refresh = true
    rows, err = list(LISTS[kind], args, opts)
    if not rows then
      return nil, err
    end
    found, names = matches(rows, name)
  end
  if #found == 1 then
    return found[1].code
  elseif #found > 1 then
    local message = string.format("%d of the %ss are called %q: give the code", #found, kind, name)
    return nil, errors.new { kind = "ambiguous", argument = kind, message = message }
  end
  local message = string.format("no %s is called %q", kind, name)
  return nil, errors.new { kind = "not_found", argument = kind, message = message, near = errors.near(name, names) }
end

--- A resolver for arguments.bind.
-- @tparam function list as above
-- @treturn function (kind, value, bound, timeout_s) → code | nil, problem | nil, nil, expected
function _M.resolver(list)
  return function(kind, value, bound, timeout_s)
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
    elseif timeout_s <= 0 then
      return nil, errors.new { kind = "deadline", message = "no time is left to look up " .. kind .. " " .. name }
    end
    return look_up(list, kind, name, kind == "workflow" and { project = bound.project } or {}, timeout_s)
  end
end

return _M

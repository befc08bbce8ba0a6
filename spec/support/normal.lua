--- Is a result in the one vocabulary that all lines are read in?

local core = require "dsclient.core"
local normal_form = require "spec.support.normal_form"

local _M = {}

local function member_problem(key, value)
  if normal_form.RENAMED[key] then
    return "has the old name " .. key
  elseif normal_form.CODES[key] and type(value) == "number" and key ~= "code" then
    return key .. " is a number"
  elseif key == "id" and not (type(value) == "number" and value % 1 == 0) then
    return "an id is no whole number"
  elseif key == "state" and type(value) == "string" and value:find("{code=", 1, true) then
    return "a state is no name"
  end
end

--- What is wrong with a value, or nil.
function _M.problem(value)
  if value == core.null then
    return "a null"
  elseif type(value) ~= "table" then
    return nil
  end
  for key, member in pairs(value) do
    local problem = type(key) == "string" and member_problem(key, member) or _M.problem(member)
    if problem then
      return tostring(key) .. ": " .. problem
    end
  end
end

return _M

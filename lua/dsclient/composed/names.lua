--- Arguments of what is composed have names, too.

local errors = require "dsclient.errors"

local _M = {}

--- Throws where arguments are no table.
function _M.check_table(what, args)
  if type(args) ~= "table" then
    errors.throw(string.format("%s: a table of arguments expected, got %s", what, type(args)))
  end
end

--- Throws where an argument has a name that is none.
-- @tparam table known name → true
function _M.check(what, args, known)
  _M.check_table(what, args)
  for name in pairs(args) do
    if not known[name] then
      local names = {}
      for one in pairs(known) do
        names[#names + 1] = one
      end
      local near = errors.near(tostring(name), names, 1)[1]
      errors.throw(string.format("%s: unknown argument %s%s", what, errors.quoted(tostring(name)),
        near and string.format("; is %q meant?", near) or ""))
    end
  end
end

return _M

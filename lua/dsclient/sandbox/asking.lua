--- What all handlers of requests share: refusals, pages, searches.

local core = require "dsclient.core"

local format = string.format

local NULL = core.null

local _M = {}

--- Thrown inside a handler: {status, code, msg}; a status only where it is not
-- the endpoint's own.
function _M.refuse(code, msg, status)
  error({ status = status or 200, code = code, msg = msg }, 0)
end

--- A number as Java's MessageFormat prints it: 999,999,999.
function _M.grouped(digits)
  local text = tostring(digits)
  while text:find "%d%d%d%d" do
    text = text:gsub("^(%d+)(%d%d%d)", "%1,%2")
  end
  return text
end

--- As SQL's LIKE does, with `_` for any character; a `%` is none of its own.
function _M.contains(text, part)
  local pattern = part and part:lower():gsub("[^%w_]", "%%%0"):gsub("_", ".")
  return pattern == nil or text:lower():find(pattern) ~= nil
end

--- The page that was asked for, of all that fit.
function _M.page(ask, all, make)
  local fields = ask.fields
  local number, size = fields.pageNo or 1, fields.pageSize or 10
  for name, value in pairs { pageNo = number, pageSize = size } do
    if value <= 0 then
      _M.refuse(10001, format("request parameter %s is not valid", name))
    end
  end
  local from, list = (number - 1) * size, core.array {}
  for i = from + 1, math.min(from + size, #all) do
    list[#list + 1] = make(all[i])
  end
  local total_page = math.max(1, math.ceil(#all / size))
  local result = {
    totalList = list,
    total = #all,
    -- 3.2.1 sends none, on all of its lists
    totalPage = ask.world.version == "3.2.1" and NULL or total_page,
    pageSize = size,
    currentPage = number,
  }
  result[ask.world.line_name == "3.1" and "start" or "pageNo"] = from
  return result
end

return _M

--- A client whose server answers everything the same: the lines of an input
-- are what is asked for ("instances.list", then any of raw, borrow, named,
-- detect), status, Content-Type, Retry-After and Date; the rest is the body.

local any_answer = require "support.any_answer"
local bed = require "support.bed"

local function read(input)
  local asked, status, kind, hint, date, body = input:match "^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$"
  if not asked then
    return nil
  end
  local flags = {}
  for flag in asked:gmatch "%a+" do
    flags[flag] = true
  end
  local headers = { ["content-type"] = kind, ["retry-after"] = hint ~= "" and hint or nil, date = date }
  return any_answer.operations[asked:match "^%S*"], flags,
    { status = math.floor(tonumber(status:match "^%-?%d%d?%d?$") or 200), headers = headers, body = body }
end

return function(input)
  local operation, flags, answer = read(input)
  if not operation then
    return
  end
  local b = bed.new({ answer }, { detect = flags.detect, timeout_s = 20, max_retries = 1, token = any_answer.token })
  local args = flags.named and operation.by_name or operation.args
  any_answer.call(b.client, operation, args, { raw = flags.raw, borrow = flags.borrow, ttl_s = 60 })
  if operation.result == "page" and operation.name:find "%.list$" then
    any_answer.pages(b.client[operation.name:match "^[%w_]+"], args)
  end
  b.client:close()
end

--- Acting on several runs of a project: one request where the line has it, else one
-- for each run.

local _M = {}

-- So many requests at once, each of which makes the server read its commands.
local CONCURRENCY = 8

local function ids_of(given)
  if type(given) ~= "string" then
    return type(given) == "table" and given or { given }
  end
  local ids = {}
  for id in given:gmatch "[^,]+" do
    ids[#ids + 1] = id
  end
  return ids
end

--- One request for each run; all are tried.
-- @treturn boolean|nil true; or nil and the first error, with failed_ids
local function one_by_one(client, args, opts)
  local ids = ids_of(args.instance_ids)
  local _, errs = client:map(ids, function(id)
    local one = { project = args.project, instance_id = id, execute_type = args.execute_type }
    return client:call("instances.execute", one, opts)
  end, { concurrency = CONCURRENCY })
  if not errs then
    return true
  end
  local first, failed = nil, {}
  for i, id in ipairs(ids) do
    first = first or errs[i]
    failed[#failed + 1] = errs[i] and id or nil
  end
  first.failed_ids = failed
  return nil, first
end

--- client.instances:execute(args, opts) of several runs, and its kin.
-- @tparam table args project, instance_ids, execute_type
-- @treturn boolean|nil true: accepted, each of them; or nil, err: of kind "api" where
--   some were refused, its message has a line for each, or err.failed_ids names them;
--   the others were done
function _M.execute(client, args, opts)
  local value, err, meta = client:call("instances.batch_execute", args, opts)
  if value == nil and err.kind == "unsupported" and not err.argument then
    return one_by_one(client, args, opts)
  end
  return value, err, meta
end

return _M

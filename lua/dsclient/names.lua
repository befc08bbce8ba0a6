--- What has a name may be given by it: names are looked up in the cached lists.
-- All digits is a code or an id; a name made of digits is given as
-- {name = "2024"}.

local errors = require "dsclient.errors"
local types = require "dsclient.types"

local format = string.format

local _M = {}

-- Of each type: the list where its names are, the keys of what is sent and of
-- the name, what it is within, and what stands for none of them.
local CODES = {
  project = { list = "projects.list", key = "code", name = "name" },
  workflow = { list = "workflows.simple_list", key = "code", name = "name", within = { "project" } },
  task = { list = "workflows.task_list", key = "code", name = "name", within = { "project", "workflow" } },
  environment = { list = "environments.all", key = "code", name = "name", none = -1 },
  cluster = { list = "clusters.all", key = "code", name = "name" },
  tenant_id = { list = "tenants.all", key = "id", name = "tenantCode" },
  queue_id = { list = "queues.all", key = "id", name = "queueName" },
  user_id = { list = "users.all", key = "id", name = "userName" },
  alert_group_id = { list = "alert_groups.all", key = "id", name = "groupName", none = 0 },
  datasource_id = { list = "datasources.list", key = "id", name = "name" },
  worker_group_id = { list = "worker_groups.list", key = "id", name = "name" },
}

-- Names that go over the wire as they are: one that the server does not know is
-- refused here, for the server may take it and never end the run (3.2.2).
local NAMES = {
  tenant = { list = "tenants.all", key = "tenantCode", name = "tenantCode" },
  worker_group = { list = "worker_groups.all" },
}

-- What the server itself knows by this name, listed or not.
local DEFAULT = "default"

local function key_of(kind, row)
  if not kind.key then
    return type(row) == "string" and row or nil, row
  elseif type(row) ~= "table" or type(row[kind.name]) ~= "string" then
    return nil
  elseif kind.key == kind.name then
    return row[kind.name], row[kind.name]
  end
  return types.format_code(row[kind.key]), row[kind.name]
end

--- The keys of the rows that are called so, and all names. A row is what the
-- server sent: it may be anything.
local function matches(kind, rows, name)
  local keys, names = {}, {}
  for _, row in ipairs(rows) do
    local key, its_name = key_of(kind, row)
    if key then
      names[#names + 1] = its_name
      keys[#keys + 1] = its_name == name and key or nil
    end
  end
  return keys, names
end

--- The error of a name that nothing has.
function _M.unknown(title, name, names)
  local message = format("no %s is called %s", title, errors.quoted(name))
  return errors.new { kind = "not_found", argument = title, message = message, near = errors.near(name, names) }
end

--- The error of a name that several things have.
-- @tparam table keys of these
-- @tparam string key what they are: "code", "id"
function _M.ambiguous(title, name, keys, key)
  local message = format("%d of the %ss are called %s: give the %s", #keys, title, errors.quoted(name), key)
  return errors.new { kind = "ambiguous", argument = title, message = message, near = keys }
end

local function look_up(list, kind, title, name, args, deadline)
  local opts = { deadline = deadline, borrow = true, uncounted = true }
  local rows, err, meta = list(kind.list, args, opts)
  if not rows then
    return nil, err
  end
  local keys, names = matches(kind, rows, name)
  if #keys == 0 and meta.cached then
    -- it may be newer than the cached list
    opts.refresh = true
    rows, err = list(kind.list, args, opts)
    if not rows then
      return nil, err
    end
    keys, names = matches(kind, rows, name)
  end
  if #keys == 1 then
    return keys[1]
  elseif #keys > 1 then
    return nil, _M.ambiguous(title, name, keys, kind.key)
  end
  return nil, _M.unknown(title, name, names)
end

--- What a list is asked for: of the things around, all that are there.
local function args_within(kind, bound)
  local args = {}
  for _, name in ipairs(kind.within or {}) do
    if not bound[name] then
      return nil, format("a name needs its %s, too: give the code", name)
    end
    args[name] = bound[name]
  end
  return args
end

--- A resolver of the types that have names, for arguments.bind.
-- @tparam function list (operation, args, opts) → rows | nil, err, meta
-- @treturn function (kind, value, bound, deadline) → text | nil, problem | nil, nil, expected
function _M.resolver(list)
  local resolve

  local function by_name(title, value, bound, deadline)
    local kind = CODES[title]
    local name = type(value) == "table" and rawget(value, "name") or nil
    if not name and (type(value) == "number" or type(value) == "string" and value:find "^%-?%d+$") then
      if kind.none and tonumber(value) == kind.none then
        return format("%d", kind.none)
      end
      return types.convert[kind.key](value)
    end
    name = name or value
    local expected = kind.key == "id" and "an id or a name" or "a code or a name"
    if type(name) ~= "string" then
      return nil, nil, expected
    elseif name == "" then
      return nil, expected .. " expected, got an empty string"
    end
    local args, problem = args_within(kind, bound)
    if not args then
      return nil, problem
    end
    return look_up(list, kind, title:gsub("_id$", ""):gsub("_", " "), name, args, deadline)
  end

  local function known_name(title, value, deadline)
    if type(value) ~= "string" then
      return nil, nil, "a name"
    elseif value == "" or value == DEFAULT then
      return value
    end
    local name, err = look_up(list, NAMES[title], title:gsub("_", " "), value, {}, deadline)
    if err and err.kind == "api" then
      return value -- whoever may not see the list may still name what he knows
    end
    return name, err
  end

  local function each(title)
    return types.list_of(function(value, _, bound, deadline)
      return resolve(title, value, bound, deadline)
    end, format("a list of %ss: a table, or text with commas", title))
  end
  local lists = { workflows = each "workflow", tasks = each "task" }

  function resolve(title, value, bound, deadline)
    if lists[title] then
      return lists[title](value, nil, bound, deadline)
    elseif NAMES[title] then
      return known_name(title, value, deadline)
    end
    return by_name(title, value, bound, deadline)
  end
  return resolve
end

--- The types of parameters that this module knows.
function _M.types()
  local all = { workflows = true, tasks = true }
  for _, kinds in ipairs { CODES, NAMES } do
    for title in pairs(kinds) do
      all[title] = true
    end
  end
  return all
end

return _M

--- Calls whose answers may be anything: each is a value or an error, without
-- the token in it. For hostile_spec.lua and the fuzz target client.lua.

local core = require "dsclient.core"
local operations = require "dsclient.operations"
local set = require "support.set"

local _M = { token = "secret-token" }

-- By type; the types of what has a name take an id, but for these.
local GIVEN = { project = "11", workflow = "22", task = "44", environment = "55", cluster = "66", code = "33",
  string = "a b", enum = "FAILURE", integer = 1, number = 1.5, boolean = true, date = 1704067200, json = { {} },
  workflows = "22", tasks = "44", codes = "33", ids = "7", strings = "a,b", tenant = "default",
  worker_group = "default", file = { name = "f", content = "x" } }
setmetatable(GIVEN, { __index = function() return 7 end }) -- luacheck: ignore
local NAMED = set "project workflow task environment tenant_id queue_id user_id"

--- Every operation: its name, arguments that it takes on all lines, the same by
-- name, and the kind of its result; by position and by name.
_M.operations = {}

for i, name in ipairs(operations.names()) do
  local row = operations.find(name)
  local args, by_name = {}, {}
  for _, param in ipairs(row.params) do
    if not param.since and not param.upto then
      args[param[1]] = GIVEN[param[2]]
      by_name[param[1]] = NAMED[param[2]] and "name" or GIVEN[param[2]]
    end
  end
  local operation = { name = name, args = args, by_name = by_name, result = row.result }
  _M.operations[i], _M.operations[name] = operation, operation
end

local KINDS = set [[
  connect tls dns network timeout protocol auth throttled server http not_api api outcome_unknown deadline busy
  unsupported limit argument not_found ambiguous
]]

local function check_error(err)
  assert(KINDS[err.kind], err.kind)
  local text = tostring(err)
  assert(not text:find "%c", text)
  assert(not text:find(_M.token, 1, true), text)
end

local function check(result, fine, value, err)
  assert(fine, value)
  if value == nil then
    check_error(err)
    return
  end
  assert(value ~= false)
  if result == "page" or result == "list" then
    assert(type(value) == "table")
  end
  assert(core.encode(value))
end

--- Calls an operation, and asks who we are.
function _M.call(client, operation, args, opts)
  check(operation.result, pcall(client.call, client, operation.name, args, opts))
  check("object", pcall(client.check_connection, client))
end

-- More of them than this are not looked at.
local PAGES = 10

--- Reads a list page by page.
function _M.pages(list, args)
  local pages = list:pages(args)
  for _ = 1, PAGES do
    local fine, page, err = pcall(pages.next)
    assert(fine, page)
    if page == nil then
      if err ~= nil then
        check_error(err)
      end
      return
    end
    assert(type(page) == "table")
  end
end

return _M

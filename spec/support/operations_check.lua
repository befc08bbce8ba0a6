--- The client's table of operations beside the catalogue of the server's API:
-- each row of one must have its counterpart in the other on each version.

local catalogue = require "dsclient.sandbox.catalogue"
local set = require "support.set"
local types = require "dsclient.types"

local OF_NAMES = require("dsclient.names").types()

local format = string.format

local _M = {}

-- Each version in which a row, or a parameter, begins or ends.
local VERSIONS = {
  "2.0.0", "2.0.1", "2.0.2", "2.0.3", "2.0.9", "3.0.0", "3.0.1", "3.0.2", "3.0.6", "3.1.0", "3.1.1", "3.1.9",
  "3.2.0", "3.2.1", "3.2.2", "3.3.1", "3.3.2", "3.4.0", "3.4.1",
}

local function noun_of(version)
  return catalogue.has({ upto = "3.2" }, version) and "process" or "workflow"
end

local function spelled(text, noun)
  return type(text) == "table" and text[noun] or text
end

--- One endpoint has one key, whatever its parameters are called.
local function key_of(method, path)
  return method .. " " .. path:gsub("{[^}]*}", "{}")
end

-- --- a row by itself -----------------------------------------------------

local ROW_FIELDS = set [[
  summary method path replay result since upto rows codes body json bare ttl_s invalidates already gone partial
  holds traps renamed params resource verb operation name
]]
local PARAM_FIELDS = set "required default path query since upto min max values renamed help"
local WORDS = {
  method = set "GET POST PUT DELETE",
  replay = set "read repeatable once",
  result = set "page list object started none bytes",
  body = set "json list multipart",
  rows = set "instance task",
}
local SUMMARY_MAX = 100

local SNAKE_CASE = "^%l[%l%d]*[%l%d_]*$"

local function is_snake_case(name)
  return name:find(SNAKE_CASE) ~= nil and not name:find "__" and not name:find "_$"
end

local function check_words(row, report)
  for field in pairs(row) do
    if not ROW_FIELDS[field] then
      report("unknown field " .. field)
    end
  end
  for field, words in pairs(WORDS) do
    local value = row[field]
    if value and not words[value] or not value and (field == "method" or field == "replay" or field == "result") then
      report(format("%s is %s", field, tostring(value)))
    end
  end
  if not is_snake_case(row.verb) then
    report "its name is not snake_case"
  end
end

local function check_summary(row, report)
  local summary = row.summary or ""
  if summary == "" then
    report "no summary"
  elseif #summary > SUMMARY_MAX then
    report "the summary is too long"
  elseif summary:find "%.$" or summary:find "\n" or summary:find "^%u%l" then
    report "the summary is a sentence"
  end
end

local function check_caching(row, known, report)
  if row.replay == "read" then
    if row.already or row.gone or row.partial or row.invalidates then
      report "a read has already, gone, partial or invalidates"
    end
  elseif row.ttl_s then
    report "a write has ttl_s"
  end
  for _, name in ipairs(row.invalidates or {}) do
    if not known[name] then
      report("invalidates the unknown " .. name)
    elseif known[name].replay ~= "read" then
      report("invalidates the write " .. name)
    end
  end
end

--- Can the ranges of a row be compared with a version?
local function has_versions(row, report)
  local good = true
  for i = 0, #row.params do
    for _, field in ipairs { "since", "upto" } do
      local value = (row.params[i] or row)[field]
      if value and not value:find "^%d%.%d%.?%d*$" then
        report(field .. " is no version")
        good = false
      end
    end
  end
  return good
end

--- Do two ranges of versions meet?
local function meet(a, b)
  for _, version in ipairs(VERSIONS) do
    if catalogue.has(a, version) and catalogue.has(b, version) then
      return true
    end
  end
end

local function check_param(row, param, report)
  local name = param[1]
  for field in pairs(param) do
    if type(field) == "string" and not PARAM_FIELDS[field] then
      report(format("%s has the unknown field %s", name, field))
    end
  end
  if not types.convert[param[2]] and not OF_NAMES[param[2]] then
    report(format("%s has the unknown type %s", name, tostring(param[2])))
  end
  if not is_snake_case(name) then
    report(name .. " is not snake_case")
  end
  if not param.path and param[3] == nil and row.body ~= "list" or param.path and param[3] then
    report(name .. " must have either a place in the path or a wire name")
  end
  if param.path and param.required then
    report(name .. " is in the path, so it is required anyway")
  end
  if (param.min or param.max) and not (param[2] == "integer" or param[2] == "number") then
    report(name .. " is no number that could have limits")
  end
end

local function check_params(row, report)
  local paths = type(row.path) == "table" and row.path or { row.path }
  for i, param in ipairs(row.params) do
    check_param(row, param, report)
    for j = 1, i - 1 do
      if row.params[j][1] == param[1] and meet(row.params[j], param) then
        report(param[1] .. " is there twice")
      end
    end
    for _, path in pairs(paths) do
      if param.path and not path:find("{" .. param[1] .. "}", 1, true) then
        report(param[1] .. " is not in the path")
      end
    end
  end
  for _, path in pairs(paths) do
    for name in path:gmatch "{([^}]*)}" do
      local found
      for _, param in ipairs(row.params) do
        found = found or param[1] == name and param.path
      end
      if not found then
        report(name .. " of the path is no parameter")
      end
    end
  end
  if row.holds then
    local held
    for _, param in ipairs(row.params) do
      held = held or param[1] == row.holds
    end
    if not held then
      report("holds the unknown " .. row.holds)
    end
  end
end

-- --- a row beside the server's -------------------------------------------

-- What the client may make of a kind.
local REPLAYS = {
  R = set "read",
  X = set "once",
  W = set "repeatable once",
  ["W!"] = set "repeatable once",
}

--- What the client may make of a result. That it is dropped is a matter of
-- writes.
local function results_of(endpoint)
  local allowed = {}
  for kind in endpoint.result:gmatch "[^|]+" do
    if kind:find "^Page<" then
      allowed.page = true
    elseif kind:find "^%[" then
      allowed.list, allowed.started = true, kind == "[int]" or nil
    elseif kind == "bytes" then
      allowed.bytes = true
    elseif kind == "null" then
      allowed.none, allowed.object = true, true
    else
      allowed.object, allowed.none = true, kind == "bool" or endpoint.kind ~= "R" or nil
    end
  end
  return allowed
end

local function body_of(endpoint)
  for _, param in ipairs(endpoint.params) do
    if param.type == "file" then
      return "multipart"
    end
  end
  return endpoint.body
end

local PAGING = set "pageNo pageSize"

--- The parameters of a row on a version: wire name → parameter.
local function sent_on(row, version)
  local names = {}
  for _, param in ipairs(row.params) do
    local name = not param.path and spelled(param[3], noun_of(version))
    if name and catalogue.has(param, version) then
      names[name] = param
    end
  end
  return names
end

local function check_wire_params(row, endpoint, version, report)
  if row.body == "list" then
    return
  end
  local sent, known = sent_on(row, version), {}
  for _, param in ipairs(endpoint.params) do
    if catalogue.has(param, version) then
      known[noun_of(version) == "process" and param.old or param.name] = param
    end
  end
  for name, param in pairs(sent) do
    if not known[name] and not endpoint.body_open then
      report(format("%s: %s sends the unknown %s", version, param[1], name))
    end
  end
  for name, param in pairs(known) do
    local ours = sent[name]
    if not param.optional and not (row.result == "page" and PAGING[name]) then
      if not ours then
        report(format("%s: %s is never sent", version, name))
      elseif not ours.required and ours.default == nil then
        report(format("%s: %s must be sent", version, name))
      end
    end
  end
end

local function check_endpoint(row, endpoint, report)
  if not REPLAYS[endpoint.kind][row.replay] then
    report(format("replay is %s, the server's kind %s", tostring(row.replay), endpoint.kind))
  end
  if not results_of(endpoint)[row.result] then
    report(format("result is %s, the server's %s", tostring(row.result), endpoint.result))
  end
  -- of an open object the caller gives the whole
  if row.body ~= body_of(endpoint) and not (row.body == "list" and endpoint.body_open) then
    report(format("body is %s, the server's %s", tostring(row.body), tostring(body_of(endpoint))))
  end
  if endpoint.json and not endpoint.body and not row.json then
    report "it has to say that it sends JSON"
  end
end

-- --- both tables ---------------------------------------------------------

--- Of each version, the endpoints by their keys.
local function endpoints_by_version(endpoints)
  local all = {}
  for _, version in ipairs(VERSIONS) do
    local here = {}
    for _, endpoint in ipairs(endpoints) do
      if catalogue.has(endpoint, version) then
        local path = noun_of(version) == "process" and endpoint.old or endpoint.path
        here[key_of(endpoint.method, path)] = endpoint
      end
    end
    all[version] = here
  end
  return all
end

--- Reports each thing once, with the first version that it is said of.
local function once_each(problems, name)
  local said = {}
  return function(text)
    local what = text:gsub("^%d%.%d%.%d: ", "")
    if not said[what] then
      said[what] = true
      problems[#problems + 1] = name .. ": " .. text
    end
  end
end

--- What is wrong with the rows.
-- @tparam table rows array of rows of the table of operations
-- @tparam table skipped "METHOD path" of the catalogue → why nobody needs it
-- @treturn table array of texts, sorted
-- @treturn table {mapped, skipped}
function _M.check(rows, skipped)
  local endpoints, problems, known, mapped = catalogue.rows(), {}, {}, {}
  local by_version = endpoints_by_version(endpoints)
  for _, row in ipairs(rows) do
    known[row.operation] = row
  end
  for _, row in ipairs(rows) do
    local report, checked = once_each(problems, row.operation), {}
    check_words(row, report)
    check_summary(row, report)
    check_caching(row, known, report)
    local comparable = has_versions(row, report)
    if comparable then
      check_params(row, report)
    end
    for _, version in ipairs(VERSIONS) do
      if comparable and catalogue.has(row, version) then
        local endpoint = by_version[version][key_of(row.method or "", spelled(row.path, noun_of(version)))]
        if endpoint then
          mapped[endpoint] = mapped[endpoint] or {}
          mapped[endpoint][version] = true
          check_wire_params(row, endpoint, version, report)
          if not checked[endpoint] then
            checked[endpoint] = true
            check_endpoint(row, endpoint, report)
          end
        else
          report(version .. ": the server has no such path")
        end
      end
    end
  end
  local count, unused = { mapped = 0, skipped = 0 }, {}
  for name in pairs(skipped) do
    unused[name] = true
  end
  for _, endpoint in ipairs(endpoints) do
    local name = endpoint.method .. " " .. endpoint.path
    local report = once_each(problems, name)
    if mapped[endpoint] then
      count.mapped = count.mapped + 1
      for _, version in ipairs(VERSIONS) do
        if catalogue.has(endpoint, version) and not mapped[endpoint][version] then
          report(version .. ": no operation on this version")
        end
      end
    elseif skipped[name] then
      count.skipped = count.skipped + 1
      unused[name] = nil
    else
      report "no operation"
    end
  end
  for name in pairs(unused) do
    problems[#problems + 1] = name .. ": is skipped, but it is mapped or unknown"
  end
  table.sort(problems)
  return problems, count
end

return _M

--- The shape of JSON: which keys stand where, and what kind of value they have.
-- A shape is path → set of kinds, where `a.b` is a member and `a[]` an element.

local cjson = require "cjson"

local _M = {}

--- An empty table is "empty": cjson tells no {} from [].
local function kind_of(value)
  if value == cjson.null then
    return "null"
  elseif type(value) ~= "table" then
    return type(value)
  elseif next(value) == nil then
    return "empty"
  end
  return value[1] ~= nil and "array" or "object"
end

--- Adds the paths of a value to a shape.
-- @tparam table rename what keys are called instead, or nil
function _M.add(shape, value, rename, path)
  path = path or ""
  local kind = kind_of(value)
  shape[path] = shape[path] or {}
  shape[path][kind] = true
  if kind == "array" then
    for _, element in ipairs(value) do
      _M.add(shape, element, rename, path .. "[]")
    end
  elseif kind == "object" then
    for key, member in pairs(value) do
      key = rename and rename[key] or key
      _M.add(shape, member, rename, path == "" and key or path .. "." .. key)
    end
  end
  return shape
end

-- What says nothing of the kind that a value has otherwise.
_M.VAGUE = { null = true, empty = true }

--- Is something known of what would stand at this path?
function _M.has_parent(shape, path)
  local parent = path:match "^(.*)%[%]$"
  if parent then
    return shape[parent] and shape[parent].array
  end
  parent = path:match "^(.*)%.[^.]*$" or ""
  return shape[parent] and shape[parent].object
end

local function lacks(shape, other)
  for path in pairs(other) do
    if not shape[path] and _M.has_parent(shape, path) then
      return path
    end
  end
end

--- How a shape differs from a recorded one: a path that only one has, or that
-- has another kind of value; null and empty ones may be of any kind.
-- @treturn string|nil
function _M.difference(got, recorded)
  local missing, extra = lacks(got, recorded), lacks(recorded, got)
  if missing or extra then
    return missing and missing .. " is missing" or extra .. " was not recorded"
  end
  for path, kinds in pairs(got) do
    local known = recorded[path] or {}
    for kind in pairs(kinds) do
      for other in pairs(known) do
        if not _M.VAGUE[kind] and not _M.VAGUE[other] and not known[kind] then
          return ("%s is a %s, recorded as %s"):format(path, kind, other)
        end
      end
    end
  end
end

--- The paths that never have a value, where the recorded ones always have one.
function _M.unfilled(got, recorded)
  local paths = {}
  for path, kinds in pairs(recorded) do
    local value = next(got[path] or {})
    if not kinds.null and not kinds.empty and value == "null" and next(got[path], value) == nil then
      paths[#paths + 1] = path
    end
  end
  return paths
end

return _M

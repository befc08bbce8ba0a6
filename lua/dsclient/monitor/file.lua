--- The state file of a monitor, as a store of state.lua: locked as long as it is
-- open, replaced in one step. Beside it stand STATE.lock, which stays, and
-- STATE.bak, what was there before a migration.

local errors = require "dsclient.errors"

local format = string.format

local _M = {}

local ENOENT = 2

local File = {}
File.__index = File

--- @treturn string|nil the text; nil where there is no such file
-- @treturn string|nil why it can't be read
local function read_file(path)
  local file, message, number = io.open(path, "rb")
  if not file then
    return nil, number ~= ENOENT and message or nil
  end
  local text
  text, message = file:read "*a"
  file:close()
  return text, message
end

--- @treturn table|nil the store; or nil and an error: "busy" when another
--   monitor has the file, "argument" when it can't be locked
function _M.open(path)
  local lock, message, why = require("dsclient.sys").lock(path .. ".lock")
  if lock then
    return setmetatable({ name = path, lock = lock }, File)
  end
  local is_held = why == "locked"
  return nil, errors.new {
    kind = is_held and "busy" or "argument",
    argument = "state_file",
    message = format("%s: %s", path, is_held and "another monitor holds this state" or message),
  }
end

function File:read()
  return read_file(self.name)
end

function File:write(text)
  if text == self.written then
    return true
  end
  local ok, message = require("dsclient.sys").write_atomic(self.name, text .. "\n")
  self.written = ok and text or nil
  return ok, message
end

function File:keep(text)
  return require("dsclient.sys").write_atomic(self.name .. ".bak", text)
end

--- While a file STATE.pause is there. One that can't be read pauses, too.
function File:paused()
  local text, message = read_file(self.name .. ".pause")
  text = text or message
  return text and text:match "^%s*(.-)%s*$"
end

function File:close()
  if self.lock then
    self.lock:release()
    self.lock = nil
  end
end

return _M

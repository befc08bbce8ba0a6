--- What a monitor must remember over restarts: what it reported of each run,
-- how often it tried, and what it sent without knowing the outcome. It is JSON
-- text in a store, which one monitor at a time holds; file.lua is one. A store has:
--
--   name            for messages
--   read()          → the text; nil where there is none; or nil and a message
--   write(text)     → true; or nil and a message
--   keep(text)      the same, of what was there before a migration
--   paused()        → why nothing is to be executed now; or nil
--   close()         gives it free; idempotent

local core = require "dsclient.core"
local errors = require "dsclient.errors"

local format = string.format

local _M = {}

local VERSION = 2

--- What is kept beside version and server; each begins as an empty table.
--   runs: key → what is known of a run (round.lua)
--   read: project code → true, once its failed runs were read
--   said: what was said of the monitor as a whole: storm, paused, unreadable
--   unfinished: {{at, from}}: seen at, the oldest unfinished run had begun
--   recoveries: project → outcome → how many
--   successes: project code → workflow code → when a run last ended well
--   told: for whoever hands events over later, what he must remember of it
local TABLES = { "runs", "read", "said", "unfinished", "recoveries", "successes", "told" }

local State = {}
State.__index = State

local function refuse(state, message)
  return nil, errors.new {
    kind = "argument",
    argument = "state_file",
    message = format("%s: %s", state.store.name, message),
  }
end

--- From one version to the next.
local MIGRATIONS = {
  -- 1 knew runs only, all of them failed: their projects had been read
  function(stored)
    local at = stored.last_complete_at or 0
    stored.read = {}
    for _, run in pairs(stored.runs) do
      if type(run) == "table" and run.project_code then
        stored.read[run.project_code] = true
        run.noted_at, run.last_at, run.state = at, at, "FAILURE"
      end
    end
  end,
}

-- What each run, and each look at unfinished ones, must have.
local RUN_FIELDS = {
  id = "number", project_code = "string", run_times = "number", state = "string", noted_at = "number",
  last_at = "number",
}
local UNFINISHED_FIELDS = { at = "number", from = "number" }

local function all_have(items, fields)
  for _, item in pairs(items) do
    for name, kind in pairs(fields) do
      if type(item) ~= "table" or type(item[name]) ~= kind then
        return false
      end
    end
  end
  return true
end

--- Is this what a monitor wrote? A file that somebody changed is not acted on.
local function is_whole(state)
  for _, name in ipairs(TABLES) do
    if type(state[name]) ~= "table" then
      return false
    end
  end
  return all_have(state.runs, RUN_FIELDS) and all_have(state.unfinished, UNFINISHED_FIELDS)
end

local function migrate(state, stored, text)
  local ok, message = state.store:keep(text)
  if not ok then
    return refuse(state, "the copy before its migration can't be written: " .. message)
  end
  for version = stored.version, VERSION - 1 do
    MIGRATIONS[version](stored)
  end
  return true
end

local function adopt(state, text)
  local stored = core.decode(text)
  if type(stored) ~= "table" or type(stored.runs) ~= "table" or not (MIGRATIONS[stored.version]
    or type(stored.version) == "number" and stored.version >= VERSION) then
    return refuse(state, "is no state of a monitor")
  elseif stored.version > VERSION then
    return refuse(state, format("was written by a newer version (%d)", stored.version))
  elseif stored.server ~= state.server then
    return refuse(state, format("is of another server, %s", tostring(stored.server)))
  elseif stored.version < VERSION then
    local ok, err = migrate(state, stored, text)
    if not ok then
      return nil, err
    end
  end
  for _, name in ipairs(TABLES) do
    state[name] = stored[name] or {}
  end
  if not is_whole(state) then
    return refuse(state, "is no state of a monitor")
  end
  state.last_complete_at = tonumber(stored.last_complete_at)
  return state
end

--- Opens the state of a server.
-- @tparam table|nil store nil: it is kept in memory only
-- @treturn table|nil the tables above, and last_complete_at: when the last
--   complete round began; or nil and an error of kind "argument" when it can't
--   be used: the store is given free then
function _M.open(store, server)
  local state = setmetatable({ store = store, server = server }, State)
  for _, name in ipairs(TABLES) do
    state[name] = {}
  end
  if not store then
    return state
  end
  local text, message = store:read()
  local opened, err = state, nil
  if message then
    opened, err = refuse(state, message)
  elseif text then
    opened, err = adopt(state, text)
  end
  if not opened then
    store:close()
  end
  return opened, err
end

--- The key of a run: ids are of the whole server on all lines, but a project
-- is part of every path.
function _M.key(project_code, id)
  return format("%s/%d", project_code, id)
end

--- Makes what was changed durable.
-- @treturn boolean|nil true; or nil and a message
function State:save()
  if not self.store then
    return true
  end
  local stored = { version = VERSION, server = self.server, last_complete_at = self.last_complete_at }
  for _, name in ipairs(TABLES) do
    stored[name] = self[name]
  end
  local text, message = core.encode(stored)
  if not text then
    return nil, message
  end
  return self.store:write(text)
end

--- The reason to pause, where there is one.
function State:paused()
  return self.store and self.store:paused()
end

--- Gives the state free for another monitor.
function State:close()
  if self.store then
    self.store:close()
  end
end

return _M

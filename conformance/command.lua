--- The command dsmonitor as a process, with a folder for what it reads and
-- writes.

local core = require "dsclient.core"
local curl = require "dsclient.curl"
local uv = require "luv"
local wait_for = require "spec.support.wait_for"

local Command = {}
Command.__index = Command

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

--- Writes a file of the folder; its path.
function Command:write(name, text)
  local path = self.folder .. "/" .. name
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

local function wait_for_end(process)
  wait_for("the end of dsmonitor", function()
    uv.run "nowait"
    return process.status
  end, curl.sleep)
end

--- Starts it with arguments, beside those for URL and token; what it says goes
-- into files.
function Command:launch(...)
  local number = #self.processes + 1
  local process = { out = self:write(number .. ".out", ""), err = self:write(number .. ".err", "") }
  local out, err = assert(uv.fs_open(process.out, "a", 0)), assert(uv.fs_open(process.err, "a", 0))
  process.handle = assert(uv.spawn("lua5.4", {
    args = { "bin/dsmonitor", "--api-url", self.url, "--token-file", self.folder .. "/token", ... },
    stdio = { nil, out, err },
  }, function(status)
    process.status = status
    process.handle:close()
  end))
  uv.fs_close(out)
  uv.fs_close(err)
  self.processes[number] = process
  return process
end

--- What it has said so far on standard output.
function Command.said(_, process)
  return read(process.out)
end

--- Waits for its end.
-- @treturn number exit status
-- @treturn string what it said; no traceback, and not the token
function Command:finish(process)
  wait_for_end(process)
  local out, err = read(process.out), read(process.err)
  assert(not err:find("stack traceback", 1, true), err)
  assert(not (out .. err):find(self.token, 1, true), "the token was said")
  return process.status, out
end

--- The events of what was said with --json: name → list.
function Command.events(_, out)
  local events = {}
  for text in out:gmatch "[^\n]+" do
    local event = core.decode(text)
    events[event.event] = events[event.event] or {}
    table.insert(events[event.event], event)
  end
  return events
end

--- One round with --json: exit status, events.
function Command:once(...)
  local status, out = self:finish(self:launch("--once", "--json", ...))
  return status, self:events(out)
end

--- Ends what still runs, and removes the folder.
function Command:close()
  for _, process in ipairs(self.processes) do
    if not process.status then
      process.handle:kill "sigkill"
      wait_for_end(process)
    end
  end
  os.execute("rm -r " .. self.folder)
end

--- @tparam string url of the server
-- @tparam string token
return function(url, token)
  local command = setmetatable({ url = url, token = token, processes = {} }, Command)
  command.folder = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/dsmonitor-XXXXXX"))
  command:write("token", token .. "\n")
  return command
end

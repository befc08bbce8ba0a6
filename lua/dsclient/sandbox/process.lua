--- A sandbox in a process of its own, which ends with the one that started it.
-- Both talk in lines of JSON: options first, then {method, args} for one
-- {result, message} each.

local core = require "dsclient.core"
local sites = require "dsclient.sandbox.site"
local uv = require "luv"

local _M = {}

-- --- the child -----------------------------------------------------------

local function obey(server, line)
  local command = core.decode(line)
  local result, message = server[command.method](server, command.args)
  return { result = result, message = message }
end

--- Calls `act` with each line that comes in, and at the end `over`.
local function each_line(pipe, act, over)
  local pending = ""
  pipe:read_start(function(_, data)
    if not data then
      return over()
    end
    pending = pending .. data
    local from = 1
    for line, to in pending:gmatch "([^\n]*)\n()" do
      from = to
      act(line)
    end
    pending = pending:sub(from)
  end)
end

--- The main function of the child.
function _M.serve()
  local server_of = require "dsclient.sandbox.server"
  local input, output = uv.new_pipe(), uv.new_pipe()
  assert(input:open(0))
  assert(output:open(1))
  local server
  each_line(input, function(line)
    if server then
      return output:write(core.encode(obey(server, line)) .. "\n")
    end
    server = assert(server_of.listen(core.decode(line), 0))
    output:write(core.encode { url = server.url } .. "\n")
  end, function()
    os.exit(0) -- the parent is gone, or done
  end)
  uv.run()
end

-- --- the parent ----------------------------------------------------------

local Box = {}
Box.__index = Box

local function read_line(box)
  while not box.lines[1] do
    if box.over then
      error("the process of the sandbox has ended", 0)
    end
    uv.run "once"
  end
  return core.decode(table.remove(box.lines, 1))
end

local function ask(box, method, args)
  if not box.process then
    error("the sandbox is stopped", 3)
  end
  box.input:write(core.encode { method = method, args = args } .. "\n")
  local answer = read_line(box)
  if answer.result == nil then
    return nil, answer.message
  end
  return answer.result
end

for name in pairs(sites.control) do
  Box[name] = function(self, args)
    return ask(self, name, args)
  end
end

--- Moves the sandbox's clock on.
function Box:advance(seconds)
  return ask(self, "advance", seconds)
end

--- Ends the process; all its connections are closed. Idempotent.
function Box:stop()
  if not self.process then
    return
  end
  self.process:kill "sigkill"
  while not self.exited do
    uv.run "once"
  end
  self.process:close()
  self.input:close()
  self.output:close()
  self.process = nil
  uv.run "nowait"
end

--- Starts a sandbox in a child process.
-- @tparam table options checked ones of the sandbox
-- @treturn table the box, with url and token
function _M.start(options)
  local box = setmetatable({ lines = {}, token = options.token }, Box)
  box.input, box.output = uv.new_pipe(), uv.new_pipe()
  box.process = assert(uv.spawn(uv.exepath(), {
    args = { "-e", 'require("dsclient.sandbox.process").serve()' },
    stdio = { box.input, box.output, 2 },
  }, function()
    box.exited = true
  end))
  each_line(box.output, function(line)
    box.lines[#box.lines + 1] = line
  end, function()
    box.over = true
  end)
  box.input:write(core.encode(options) .. "\n")
  local ok, answer = pcall(read_line, box)
  if not ok then
    box:stop()
    error(answer, 0)
  end
  box.url = answer.url
  return box
end

return _M

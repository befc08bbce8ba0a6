--- A spec's helper in a process of its own, which ends with the one that started it. Both talk in lines: a command and
-- its argument for one word of answer each; the first word is the child's greeting.
--
-- The child runs the file that started it. That file asks `is_one` whether it is the child.
local uv = require "luv"

local MARK = "child"

local child = {}
child.__index = child

-- --- the child -----------------------------------------------------------

--- Does this process run the file for its own sake?
function child.is_one(source)
  return arg ~= nil and arg[0] == source and arg[1] == MARK
end

--- The number that it was started with.
function child.argument()
  return tonumber(arg[2])
end

--- Answers commands, and runs the loop. @param commands table name → function (state, argument) → one word, or nil
-- where it calls state.reply(word) later
function child.serve(commands, state, greeting)
  local input, output = uv.new_pipe(), uv.new_pipe()
  input:open(0)
  output:open(1)
  function state.reply(word)
    output:write(tostring(word) .. "\n")
  end
  state.reply(greeting)
  local pending = ""
  input:read_start(function(_, data)
    if not data then
      os.exit(0) -- the parent is gone, or done
    end
    pending = pending .. data
    if not data:find("\n", 1, true) then
      return -- a long line: each look at it costs
    end
    pending = pending:gsub("(%w+) ?([^\n]*)\n", function(name, argument)
      local word = commands[name](state, argument)
      if word ~= nil then
        state.reply(word)
      end
      return ""
    end)
  end)
  uv.run()
end

-- --- who started it ------------------------------------------------------

local function interpreter()
  local i = -1
  while arg[i - 1] do
    i = i - 1
  end
  return arg[i]
end

local function read_word(self)
  local line
  self.output:read_start(function(_, data)
    self.received = self.received .. (data or "")
    self.ended = not data
  end)
  repeat
    line, self.received = self.received:match "^([^\n]*)\n(.*)$", self.received:gsub("^[^\n]*\n", "", 1)
    if not line then
      assert(not self.ended, "the child's process has ended")
      uv.run "once"
    end
  until line
  self.output:read_stop()
  return tonumber(line) or line
end

--- Sends a command of the child's. @return string|number
function child:ask(command)
  self.input:write(command .. "\n")
  return read_word(self)
end

--- Ends the process at once, as a crash does; all its connections are closed by the kernel.
function child:stop()
  if self.process and not self.process:is_closing() then
    self.process:kill "sigkill"
    while not self.exited do
      uv.run "once"
    end
    self.process:close()
    self.input:close()
    self.output:close()
    uv.run "nowait"
  end
end

--- Runs a file as a child. @param argument number @return table with its `greeting`
function child.start(source, argument)
  local self = setmetatable({received = ""}, child)
  self.input, self.output = uv.new_pipe(), uv.new_pipe()
  self.process = assert(uv.spawn(interpreter(), {
    args = {source, MARK, ("%d"):format(argument)},
    stdio = {self.input, self.output, 2},
  }, function()
    self.exited = true
  end))
  self.greeting = read_word(self)
  return self
end

return child

--- What a task probably failed of: by its log, its exit code, its state.

local _M = {}

-- Cause, and the patterns (of lower-case text) of lines that show it; the first
-- that any line shows is it, so the more telling stand first.
local CAUSES = {
  { "out of memory", "outofmemory", "out of memory", "cannot allocate memory", "java heap space", "memoryerror",
    "gc overhead limit exceeded", "oom%-?kill", "exceeding memory limits", "beyond physical memory" },
  { "disk full", "no space left on device", "disk quota exceeded" },
  { "worker lost", "need_fault_tolerance", "needfaulttolerance", "worker .*is dead", "worker .*not alive",
    "no worker", "worker group .*not found", "can't find .*worker", "dispatch .*fail", "dispatch .*timeout",
    "no host available", "fault.?tolerance" },
  { "connection refused", "connection refused", "connectexception", "failed to connect", "no route to host" },
  { "name not resolved", "unknownhostexception", "could not resolve host", "name or service not known",
    "temporary failure in name resolution" },
  { "authentication failed", "access denied for user", "authentication fail", "login failed", "invalid credentials",
    "http error 401", "401 unauthorized", "password authentication" },
  { "permission denied", "permission denied", "operation not permitted", "accesscontrolexception", "403 forbidden" },
  { "command not found", "command not found", "not recognized as an internal", "cannot run program",
    "sh: %d+: .*: not found$", "line %d+: .*: not found$" },
  { "no such file", "no such file or directory", "filenotfoundexception", "nosuchfileexception",
    "path does not exist", "resource .*not exist" },
  { "no such table or column", "table .*doesn't exist", "relation .*does not exist", "table or view not found",
    "unknown column", "no such table", "table .*not found" },
  { "syntax error", "syntax error", "syntaxerror", "sqlsyntaxerrorexception", "parseexception",
    "unexpected end of file" },
  { "missing module", "modulenotfounderror", "importerror", "classnotfoundexception", "noclassdeffounderror" },
  { "timeout", "timed out", "time out", "timeoutexception", "task timeout", "execution timeout",
    "timeout strategy", "deadline exceeded" },
  { "failed dependency", "dependent .*fail", "depend .*result ?: ?failed", "dependent result.*fail" },
  { "sub-workflow failed", "sub.?workflow .*fail", "sub.?process .*fail" },
  { "killed", "signal 9", "sigkill", "sigterm", "^%s*killed%s*$", "line %d+:%s+%d+ killed",
    "%sterminated%s*$", "has been killed",
    "task .*killed", "kill task" },
}

-- Of a shell, and of `timeout`.
local OF_EXIT_CODE = { [124] = "timeout", [126] = "permission denied", [127] = "command not found", [137] = "killed",
  [139] = "crashed", [143] = "killed" }

local OF_STATE = { KILL = "killed", NEED_FAULT_TOLERANCE = "worker lost" }

-- Lines that show what a task is made of, whatever happened.
local ABOUT = { "taskparams", "raw script", "task params", "processtaskcontext", "taskexecutioncontext" }

local function is_about(line)
  for _, part in ipairs(ABOUT) do
    if line:find(part, 1, true) then
      return true
    end
  end
  return false
end

local function shows(line, cause)
  for i = 2, #cause do
    if line:find(cause[i]) then
      return true
    end
  end
  return false
end

local function of_log(lines)
  local lowered = {}
  for i, line in ipairs(lines) do
    local low = line:lower()
    lowered[i] = is_about(low) and "" or low
  end
  for _, cause in ipairs(CAUSES) do
    for i = #lines, 1, -1 do
      if shows(lowered[i], cause) then
        return cause[1], lines[i]
      end
    end
  end
end

local EXIT_CODES = { "exitStatusCode:(%-?%d+)", "processExitValue:(%-?%d+)", "[Ee]xit ?[Cc]ode ?[:=]? ?(%-?%d+)",
  "[Ee]xit status:? (%-?%d+)" }

--- The last exit code that these lines tell, or nil.
function _M.exit_code(lines)
  for i = #lines, 1, -1 do
    for _, pattern in ipairs(EXIT_CODES) do
      local code = lines[i]:match(pattern)
      if code then
        return tonumber(code)
      end
    end
  end
end

--- The likely cause of a failure.
-- @tparam table lines the end of the log
-- @tparam number|nil exit_code
-- @tparam string state of the task
-- @treturn string|nil its name
-- @treturn string|nil the line that shows it
function _M.of(lines, exit_code, state)
  local cause, line = of_log(lines)
  return cause or OF_EXIT_CODE[exit_code] or OF_STATE[state], line
end

return _M

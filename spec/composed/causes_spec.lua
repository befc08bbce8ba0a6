--- Likely causes: by the lines of the log, the exit code, the state.

local causes = require "dsclient.composed.causes"

describe("the likely cause", function()
  local CASES = {
    { "java.lang.OutOfMemoryError: Java heap space", "out of memory" },
    { "fork: Cannot allocate memory", "out of memory" },
    { "Container killed by YARN for exceeding memory limits", "out of memory" },
    { "cp: write error: No space left on device", "disk full" },
    { "curl: (7) Failed to connect to db port 5432: Connection refused", "connection refused" },
    { "java.net.UnknownHostException: warehouse", "name not resolved" },
    { "Access denied for user 'etl'@'10.0.0.1'", "authentication failed" },
    { "bash: ./run.sh: Permission denied", "permission denied" },
    { "x.sh: line 4: spark-submit: command not found", "command not found" },
    { "sh: 1: pyton: not found", "command not found" },
    { "cat: /in/2026.csv: No such file or directory", "no such file" },
    { "ERROR 1146 (42S02): Table 'dw.x' doesn't exist", "no such table or column" },
    { "SyntaxError: invalid syntax", "syntax error" },
    { "ModuleNotFoundError: No module named 'pandas'", "missing module" },
    { "Read timed out", "timeout" },
    { "process has been killed", "killed" },
    { "/tmp/x.command: line 5:  4242 Killed                  python load.py", "killed" },
    { "dispatch task failed, no host available", "worker lost" },
    { "all is well", nil },
  }

  for _, case in ipairs(CASES) do
    it(("of %q is %s"):format(case[1], tostring(case[2])), function()
      local cause, line = causes.of({ "begin", case[1], "end" }, nil, "FAILURE")
      assert.equal(case[2], cause)
      assert.equal(case[2] and case[1], line)
    end)
  end

  it("is not read from what the task is made of", function()
    local lines = { 'raw script : grep "connection refused" log', '"taskParams": "timed out"' }
    assert.is_nil(causes.of(lines, 1, "FAILURE"))
  end)

  it("is guessed by the exit code, and by the state", function()
    assert.equal("command not found", causes.of({}, 127, "FAILURE"))
    assert.equal("killed", causes.of({}, 137, "FAILURE"))
    assert.equal("worker lost", causes.of({}, nil, "NEED_FAULT_TOLERANCE"))
    assert.is_nil(causes.of({}, 1, "FAILURE"))
  end)
end)

describe("the exit code", function()
  it("is the last one that is told", function()
    assert.equal(3, causes.exit_code {
      "exit code: 1",
      "process has exited, processId:6946 ,exitStatusCode:3 ,processWaitForStatus:true ,processExitValue:3",
    })
    assert.equal(-1, causes.exit_code { "exitStatusCode:-1" })
    assert.equal(2, causes.exit_code { "Exit code 2", "bye" })
    assert.is_nil(causes.exit_code { "done" })
  end)
end)

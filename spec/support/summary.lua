-- An output handler of busted: the one for plain terminals, which also writes
-- "passed failed" to the file named by DSCLIENT_SUMMARY.
return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.plainTerminal"(options)

  busted.subscribe({ "suite", "end" }, function()
    local name = os.getenv "DSCLIENT_SUMMARY"
    if name then
      local file = assert(io.open(name, "w"))
      file:write(("%d %d\n"):format(handler.successesCount, handler.failuresCount + handler.errorsCount))
      file:close()
    end
    return nil, true
  end)

  return handler
end

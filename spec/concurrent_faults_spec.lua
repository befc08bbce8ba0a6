--- Many tasks at once over libcurl, on 127.0.0.1, against a server that misbehaves: what clients are told is what
-- happened, each answer is its asker's, each task ends, and nothing is left.
--
-- DSCLIENT_FAULTS says how many calls; DSCLIENT_SEED=… plays a round that failed again, as far as real time lets it.

local bed = require "spec.bed.rounds"

local asan = (os.getenv "LD_PRELOAD" or ""):find "asan"

local CALLS = tonumber(os.getenv "DSCLIENT_FAULTS") or asan and 10000 or 12000
local SEED = tonumber(os.getenv "DSCLIENT_SEED") or 1

-- What has to have happened, or the bed proves nothing.
local REACHED = {
  "done", "outcome_unknown", "cancelled", "deadline", "timeout", "network", "protocol", "server", "not_api", "argument",
  "shared", "cached", "fetched", "got one after a wait", "tasks cancelled", "clients closed",
}

describe("tasks side by side", function()
  it("are told what happened, each his own, and leave nothing behind", function()
    local sums, failure = bed.run(SEED, function(sums)
      return sums.calls < CALLS
    end)
    assert.is_nil(failure)
    for _, what in ipairs(REACHED) do
      assert.is_true((sums[what] or 0) > 0, "never reached: " .. what)
    end
    assert.is_true(sums.done > CALLS / 10, "hardly a call ended well")
  end)
end)

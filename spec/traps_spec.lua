--- No fact about the server's API goes without a spec, as far as it shows in what a
-- client does: those in traps/ are named after their facts, the others stand here
-- with the spec that proves them.

local DIRECTORY = "spec/traps/"
local SUBJECTS = { "answers", "lists", "values", "writes", "changes" }

-- Fact → file below spec/ and title, or a part of it. Facts with specs in
-- traps/ may have more of them.
local ELSEWHERE = {
  ["fact 2"] = { "dialect_spec.lua", "is found where an unknown path gives a " },
  ["fact 6"] = { "client_spec.lua", "reads the run before a second one, and refuses while it has not moved" },
  ["fact 10"] = { "paging_spec.lua", "survives servers that cut pages (500 rows on 2.0 and 3.0)" },
  ["fact 13"] = { "recordings_facts_spec.lua", "the state beside the tasks of a run is Java's toString() up to 3.2" },
  ["fact 14"] = { "recordings_facts_spec.lua", "a start answers nothing (3.1), a trigger code (3.2) or the ids" },
  ["fact 15"] = { "dialect_spec.lua", "are told in the zone of the token's user, who is asked for once an hour" },
  ["fact 16"] = { "paging_spec.lua", "holds each row once when new ones push it to the next page" },
  ["fact 18"] = { "logs_spec.lua", "are read by lineNum until a message is empty" },
  ["§2.3"] = { "lines_spec.lua", " is found where an unknown path gives " },
  ["§2.5"] = { "paging_spec.lua", "is read again when it shrinks, so that no row is passed over" },
  ["§2.6"] = { "dialect_spec.lua", "2.0 prints its times in GMT+8, others in UTC, unless told otherwise" },
  ["§5.3"] = { "retry_spec.lua", "takes for removed what is not there where it may have removed it itself" },
  ["live 1"] = { "recordings_facts_spec.lua", "an unknown path can be a JSON 404" },
  ["live 2"] = { "recordings_facts_spec.lua", "a page in place of an answer is no success, not even of a DELETE" },
  ["live 3"] = { "lines_spec.lua", "is not guessed from a 401, an outage or endless 429s" },
  ["live 4"] = { "recordings_facts_spec.lua", "who does not ask for JSON may get XML, so it is asked for" },
  ["live 5"] = { "recordings_facts_spec.lua", "a bad token is a 401 without a word, with and without a length" },
  ["live 7"] = { "recordings_facts_spec.lua", "a refusal can come with 201, which is no success" },
  ["live 8"] = { "recordings_facts_spec.lua", "words can hold SQL and a stack trace: one line of them is shown" },
  ["live 9"] = { "recordings_spec.lua", "is unpacked by the transport, byte for byte: " },
  ["live 10"] = { "transport_contract.lua", "are kept and used again" },
  ["live 11"] = { "transport_contract.lua", "are used again after an idle close by the server" },
  ["live 14"] = { "recordings_facts_spec.lua", "a 429 gives no hint, and was not executed: a create is sent again" },
  ["live 15"] = { "lines_spec.lua", " is found behind the traffic limiter, though others send with the same token" },
  ["live 16"] = { "limit_spec.lua", "sends a hundred calls through a server that takes ten a second" },
  ["live 19"] = { "recordings_facts_spec.lua", "an unknown project is 10018 by itself and 10190 below" },
  ["live 21"] = { "recordings_facts_spec.lua", "success can come without data, an empty name" },
  ["live 22"] = { "recordings_facts_spec.lua", "a log file is called JSON when JSON is asked for, and is none" },
  ["live 25"] = { "lines_spec.lua", "is asked for with as few requests as its line allows" },
  ["live 26"] = { "lines_spec.lua", "is tried, and unsupported where the path is not there" },
  ["live 28"] = { "recordings_facts_spec.lua", "10000 of an execute or a start is a refusal where its words say so" },
  ["live 30"] = { "recordings_spec.lua", "right after a start is empty, not an error" },
}

local function text_of(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

--- All facts: the twenty, the sections on answers, states, writes and changes, and
-- those that were measured.
local function facts()
  local all = {}
  for _, range in ipairs {
    { "fact %d", 20 }, { "§2.%d", 7 }, { "§4.%d", 4 }, { "§5.%d", 3 }, { "live %d", 43 },
  } do
    for i = 1, range[2] do
      all[#all + 1] = range[1]:format(i)
    end
  end
  all[#all + 1] = "§6.5"
  return all
end

--- The facts that titles in traps/ begin with.
local function named()
  local found = {}
  for _, subject in ipairs(SUBJECTS) do
    for fact in text_of(DIRECTORY .. subject .. "_spec.lua"):gmatch '"([^":]+): ' do
      found[fact] = true
    end
  end
  return found
end

describe("each fact about the server", function()
  it("has a spec that is named after it, or one that is named here", function()
    local found, missing = named(), {}
    for _, fact in ipairs(facts()) do
      if not found[fact] and not ELSEWHERE[fact] then
        missing[#missing + 1] = fact
      end
    end
    assert.same({}, missing)
  end)

  it("that is said to be proven elsewhere is so", function()
    local known = {}
    for _, fact in ipairs(facts()) do
      known[fact] = true
    end
    for fact, where in pairs(ELSEWHERE) do
      assert.is_true(known[fact], fact)
      assert.truthy(text_of("spec/" .. where[1]):find(where[2], 1, true), fact .. ": " .. where[2])
    end
  end)
end)

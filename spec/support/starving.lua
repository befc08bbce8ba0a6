--- Scenarios for starve.c: what is checked after each of them, whatever it was
-- that found no memory.

local _M = {}

-- What is starved is ours: LuaJIT's compiler, when it finds no memory, may leave a
-- call that leads nowhere (2.1: a crash inside lua_pcall, at another place each time).
if jit then
  jit.off()
end

-- Lua 5.4 can make no long string any more once it had no memory when it made
-- the first: that one is made here.
local _ = ("x"):rep(2 ^ 16)

local function check_thrown(thrown)
  assert(thrown == nil or tostring(thrown):find "memory", tostring(thrown))
end

--- Nothing of a call that has ended is left, and the client goes on.
local function check_idle(client)
  local status = client:status()
  for _, name in ipairs { "in_flight", "waiting", "flights" } do
    assert(status[name] == 0, name .. ": " .. tostring(status))
  end
end

local function check_again(scenario, context)
  for _ = 1, 2 do -- the second one finds what the first may have left
    local value, err = scenario.act(context)
    assert(value == scenario.expected, "afterwards: " .. tostring(value) .. ", " .. tostring(err))
  end
end

--- @tparam table definition
--   name; expected: what act gives where nothing fails
--   bed() → context {client, run (for tasks)}; or nil, where act needs none
--   before(context), while there is still memory
--   act(context) → value, or nil and an error
--   kinds: of errors that may be returned, beside memory
--   also: other values that may be, where something was left undone
-- @treturn table as starve.c wants it
function _M.scenario(definition)
  local scenario = { name = definition.name, act = definition.act, expected = definition.expected }

  function scenario.prepare()
    local context = definition.bed and definition.bed() or {}
    if definition.before then
      definition.before(context)
    end
    return context
  end

  function scenario.check(context, thrown, value, err)
    check_thrown(thrown)
    if not thrown and value == nil then
      local kind = type(err) == "table" and err.kind or tostring(err)
      assert(kind == "memory" or definition.kinds and definition.kinds[kind], kind .. ": " .. tostring(err))
    else
      local fine = thrown or value == scenario.expected or definition.also and definition.also[value]
      assert(fine, tostring(value))
    end
    collectgarbage() -- a call whose task is gone ends when it is collected
    if context.run then
      context:run() -- what is still under way
    end
    if context.client then
      check_idle(context.client)
    end
    check_again(scenario, context)
    if context.client then
      check_idle(context.client)
      context.client:close()
    end
  end

  return scenario
end

return _M

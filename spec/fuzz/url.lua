--- Fields of a form, between NULs: what is escaped is read back, by a reader
-- of its own, as what was given, and has no byte in it that means something.

local core = require "dsclient.core"

local function unescaped(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function check(escaped, text)
  assert(not escaped:gsub("%%[%dA-F][%dA-F]", ""):find "[^%w%-._~]")
  assert(unescaped(escaped) == text)
  assert(#escaped <= 3 * #text)
end

return function(input)
  local fields = {}
  for field in (input .. "\0"):gmatch "(%Z*)%z" do
    fields[#fields + 1] = field
  end
  check(core.escape(input), input)
  local i = 0
  for escaped in (core.form(fields) .. "&"):gmatch "([^&=]*)[&=]" do
    i = i + 1
    check(escaped, fields[i])
  end
  assert(i == #fields)
end

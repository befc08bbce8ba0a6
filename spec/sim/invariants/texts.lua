--- No text anywhere holds a token: errors, log lines, status, metrics.

local Texts = {}
Texts.__index = Texts

function Texts:check(text, what)
  local token = self.world.tokens:leaked_in(text)
  if token then
    self.world:fail("no text holds a token", "%s: %s", what, text)
  end
end

function Texts:logged(message, fields)
  self:check(message, "a log line")
  for name, value in pairs(fields or {}) do
    if type(value) == "string" then
      self:check(value, "the log's field " .. name)
    end
  end
end

function Texts:call_ended(call)
  local err = call.err or call.meta and call.meta.error
  if err then
    self:check(tostring(err), "an error's text")
    self:check(err.message, "an error's message")
  end
end

function Texts:summed()
  local client = self.world.client
  self:check(tostring(client), "tostring(client)")
  self:check(tostring(client:status()), "the status")
  self:check(client:metrics_json(), "metrics_json")
  self:check(client:metrics_text "prometheus", "metrics_text")
end

return function(world)
  return setmetatable({ world = world }, Texts)
end

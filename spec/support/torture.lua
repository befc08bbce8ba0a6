-- A helper of busted: the collector goes through all values again as soon as a
-- few per cent of new ones are there, so what is used after it was collected is
-- found. (Lua 5.4 starts in its generational mode, which heeds neither pause nor
-- multiplier; without any pause the suite would take days.)
if _VERSION == "Lua 5.4" then
  collectgarbage "incremental"
end
collectgarbage("setpause", 104)
collectgarbage("setstepmul", 1000)

require "spec.support.once" -- there is one helper

-- A helper of busted: the collector never rests, so what is used after it was
-- collected is found. A whole cycle passes within each 256 KB of new values; with
-- less the suite would take days. (Lua 5.4 starts in its generational mode,
-- which heeds neither pause nor multiplier.)
if _VERSION == "Lua 5.4" then
  collectgarbage("incremental", 0, 1000, 18)
end
collectgarbage("setpause", 0)
collectgarbage("setstepmul", 1000)

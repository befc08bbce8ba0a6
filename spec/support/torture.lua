-- A helper of busted: the collector never rests, so what is used after it was
-- collected is found.
collectgarbage("setpause", 1)
collectgarbage("setstepmul", 10000)

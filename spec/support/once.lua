--- Loaded before the specs. Busted forgets the modules that a spec loaded, and luv
-- can't be loaded twice in a state: collecting the first one's loop closes that
-- of the second (luv 1.44).

require "luv"

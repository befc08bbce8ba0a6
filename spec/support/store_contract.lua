--- What shared.lua wants of a store. Throws where it is not kept: it runs inside
-- nginx, too.
-- @tparam table store
-- @tparam function sleep (seconds)
return function(store, sleep)
  local function same(expected, ...)
    local got, count = { ... }, select("#", ...)
    for i = 1, math.max(#expected, count) do
      if got[i] ~= expected[i] then
        error(("%s expected, got %s, as result %d"):format(tostring(expected[i]), tostring(got[i]), i), 2)
      end
    end
  end

  --- As `same`, of the first results only.
  local function first(expected, ...)
    local got = { ... }
    for i = 1, #expected do
      same({ expected[i] }, got[i])
    end
  end

  same({}, (store:get "nothing"))
  first({ true }, store:set("text", "a\0b", 0))
  same({ "a\0b" }, (store:get "text"))
  first({ true }, store:set("text", 5, 0))
  same({ 5 }, (store:get "text"))
  first({ false, "exists" }, store:add("text", 6, 0))
  same({ 5 }, (store:get "text"))
  store:delete "text"
  same({}, (store:get "text"))
  first({ true }, store:add("text", "x", 0.02))
  first({ false, "exists" }, store:add("text", "y", 10))
  sleep(0.03)
  same({}, (store:get "text"))
  first({ true }, store:add("text", "y", 10))
  first({ true }, store:set("text", "z", 0.02))
  sleep(0.03)
  same({}, (store:get "text"))

  same({ 8 }, (store:incr("count", 1, 7)))
  same({ 9 }, (store:incr("count", 1, 7)))
  same({ 9 }, (store:get "count"))
  local large = 2 ^ 52
  same({ large + 1 }, (store:incr("large", 1, large)))
  store:set("count", "text", 0)
  local number, why = store:incr("count", 1, 7)
  same({}, number)
  same({ "string" }, type(why))
  same({ "text" }, (store:get "count"))

  store:set("full", ("x"):rep(500), 0)
  local driven_out = false
  for i = 1, 10000 do
    local fine, problem, forced = store:set("many " .. i, ("x"):rep(500), 0)
    same({ true }, fine)
    same({}, problem)
    driven_out = driven_out or forced
  end
  same({ true }, driven_out)
  same({}, (store:get "full"))
  same({ ("x"):rep(500) }, (store:get "many 10000"))
  return "kept"
end

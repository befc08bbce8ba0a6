--- The insides of a client, as the functions of call.lua take them.

return function(client)
  for _, value in pairs(debug.getmetatable(client).__index) do
    if type(value) == "table" and rawget(value, "client") == client and rawget(value, "transport") then
      return value
    end
  end
end

--- A set of the words of a text: word → true.
return function(words)
  local members = {}
  for word in words:gmatch "%S+" do
    members[word] = true
  end
  return members
end

--- SipHash-1-3, as csrc/core/hash.c has it, for specs that sum up bytes themselves.
-- Lua 5.3 and later only.

local unpack = string.unpack

local function rotate(x, bits)
  return x << bits | x >> (64 - bits)
end

local function mix(v)
  v[1], v[3] = v[1] + v[2], v[3] + v[4]
  v[2], v[4] = rotate(v[2], 13) ~ v[1], rotate(v[4], 16) ~ v[3]
  v[1] = rotate(v[1], 32) + v[4]
  v[3] = v[3] + v[2]
  v[4] = rotate(v[4], 21) ~ v[1]
  v[2] = rotate(v[2], 17) ~ v[3]
  v[3] = rotate(v[3], 32)
end

local function absorb(v, word)
  v[4] = v[4] ~ word
  mix(v)
  v[1] = v[1] ~ word
end

--- @tparam number k0, k1 the key
-- @treturn number 64 bits
return function(k0, k1, text)
  local v = { k0 ~ 0x736f6d6570736575, k1 ~ 0x646f72616e646f6d, k0 ~ 0x6c7967656e657261, k1 ~ 0x7465646279746573 }
  local whole = #text - #text % 8
  for at = 1, whole, 8 do
    absorb(v, (unpack("<i8", text, at)))
  end
  absorb(v, unpack("<i8", text:sub(whole + 1) .. ("\0"):rep(8 - #text % 8)) | #text << 56)
  v[3] = v[3] ~ 0xff
  for _ = 1, 3 do
    mix(v)
  end
  return v[1] ~ v[2] ~ v[3] ~ v[4]
end

-- Run by starve.c: answers are read, and requests written, without memory.

local core = require "dsclient.core"

local HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nset-cookie: b\r\nX-Long: "
  .. ("x"):rep(600) .. "\r\n"
local CHUNKS = ("100\r\n" .. ("y"):rep(256) .. "\r\n"):rep(8) .. "0\r\n\r\n"
local FILE = "Content-Disposition: attachment\r\n"

local function blocks_of(text, size)
  local blocks = {}
  for from = 1, #text, size do
    blocks[#blocks + 1] = text:sub(from, from + size - 1)
  end
  return blocks
end

--- Reads an answer; what it is in one text, or nil and a kind.
local function read(reader, blocks)
  local pieces = {}
  for _, block in ipairs(blocks) do
    local event, a, b, c = reader:feed(block)
    if not event then
      return nil, a
    end
    pieces[#pieces + 1] = reader:piece()
    if event == "done" then
      return a .. b["set-cookie"] .. #b["x-long"] .. c .. table.concat(pieces)
    end
  end
end

local EXPECTED = "200a, b600" .. ("y"):rep(2048)

--- @param size of the blocks that it comes in
local function reading(name, text, size, takes_pieces)
  local blocks = blocks_of(text, size)
  return {
    name = name,

    prepare = function()
      return core.http1(false, 1e6, takes_pieces)
    end,

    act = function(reader)
      return read(reader, blocks)
    end,

    check = function(reader, thrown, value, err)
      assert(thrown == nil or tostring(thrown):find "memory", tostring(thrown))
      if value == nil then
        local event, kind = reader:feed "x"
        -- it can't become another answer
        assert(thrown or err == "memory" and event == nil and kind == "memory", tostring(kind))
      else
        assert(value == EXPECTED, value)
      end
      assert(read(core.http1(false, 1e6, takes_pieces), blocks) == EXPECTED)
    end,
  }
end

return {
  reading("an answer in one block", HEAD .. "\r\n" .. CHUNKS, 1e6, false),
  reading("an answer in pieces", HEAD .. "\r\n" .. CHUNKS, 100, false),
  reading("a file in pieces", HEAD .. FILE .. "\r\n" .. CHUNKS, 100, true),
  {
    name = "the head of a request",
    prepare = function() end,
    act = function()
      return core.http1_head("GET", "/" .. ("x"):rep(500), "h", { "a: b" }, 5)
    end,
    check = function(_, thrown)
      assert(thrown == nil or tostring(thrown):find "memory", tostring(thrown))
      assert(core.http1_head("GET", "/", "h", { "a: b" }, 5):find "Content%-Length: 5\r\n\r\n$")
    end,
  },
}

local cjson = require "cjson"
local core = require "dsclient.core"

--- The envelope as a table; nil where the text is none.
local function envelope(text, bytes)
  local valid, code, message, first, last = core.envelope(text, bytes)
  return valid and { code = code, message = message, data = first and text:sub(first, last) } or nil
end

describe("core.envelope", function()
  it("finds code, message and the bytes of data", function()
    assert.same({ code = 0, message = "success", data = '{"a":[1, 2]}' },
      envelope '{"code":0,"msg":"success","data":{"a":[1, 2]},"success":true,"failed":false}')
    assert.same({ code = -5, message = "", data = '"x"' }, envelope ' { "data" : "x" , "code" : -5 } ')
    assert.same({ code = 1, message = "", data = "[]" }, envelope [[{"c\u006fde":1,"d\u0061ta":[]}]])
    assert.same({ message = "" }, envelope "{}")
  end)

  it("takes null for absent", function()
    assert.same({ message = "" }, envelope '{"code":null,"msg":null,"data":null}')
  end)

  it("has a code only where it is an integer that fits", function()
    for _, code in ipairs { '"0"', "0.0", "1e3", "true", "[]", "{}", "9223372036854775808" } do
      assert.is_nil(envelope('{"code":' .. code .. "}").code, code)
    end
    assert.equal(9007199254740992, envelope '{"code":9007199254740992}'.code)
  end)

  it("looks at the top level only", function()
    assert.same({ message = "", data = '{"code":1,"msg":"x","data":2}' },
      envelope '{"data":{"code":1,"msg":"x","data":2},"other":[{"code":3}]}')
  end)

  it("takes the last of two members, as cjson does", function()
    assert.same({ code = 2, message = "" }, envelope '{"code":1,"data":1,"code":2,"data":null}')
    assert.is_nil(envelope '{"code":1,"code":"x"}'.code)
  end)

  it("refuses what is not one well-formed object", function()
    for _, text in ipairs { "", "[]", "0", "null", '"x"', "{", "{}}", '{"code":0}x', '{"code":0,}', '{"code":00}',
      '{"code":0,"data":[1}', '{"code":0,"data":{"a"}}', '{"code":0 "msg":""}', '{"msg":"\\ud800"}', '{"msg":"\255"}',
      '{"data":"a\nb"}', "<html>", '{"data":' .. ("["):rep(200) } do
      assert.is_nil(envelope(text), text)
    end
  end)

  it("refuses an answer that was cut anywhere", function()
    local text = '{"code":0,"msg":"a\\n\\u00e9","data":{"list":[1,2.5e1,null,true]}}'
    assert.truthy(envelope(text))
    for length = 0, #text - 1 do assert.is_nil(envelope(text:sub(1, length))) end
  end)

  it("cleans the message and cuts it between characters", function()
    local function message(text, bytes) return envelope('{"msg":"' .. text .. '"}', bytes).message end
    assert.equal('a b  c"é😀\\/', message [[a\nb\u0000\u001fc\"\u00e9\ud83d\ude00\\\/]])
    assert.equal("a b c d", message "a\\u001bb\194\155c\127d")
    assert.equal("aé", message("aé€", 3))
    assert.equal("aé", message("aé€", 5))
    assert.equal("aé€", message("aé€", 6))
    assert.equal("a", message([[a\ud83d\ude00]], 4))
    assert.equal("", message("abc", 0))
    assert.equal(300, #message(("x"):rep(1000)))
    assert.has_error(function() message("", 5000) end)
  end)
end)

describe("recorded answers", function()
  local function exchanges()
    local lines = {}
    local list = assert(io.popen "ls spec/recordings/*.jsonl 2>/dev/null")
    for path in list:lines() do
      for line in io.lines(path) do lines[#lines + 1] = line end
    end
    list:close()
    return lines
  end

  it("are envelopes exactly where cjson reads an object", function()
    local seen, read = 0, 0
    for _, line in ipairs(exchanges()) do
      local response = (cjson.decode(line)).response
      if type(response) == "table" and type(response.body) == "string" then
        local ok, value = pcall(cjson.decode, response.body)
        -- an object of cjson's has no first element; [] is told from {} by its text
        local object = ok and type(value) == "table" and value[1] == nil and response.body:find "^%s*{" ~= nil
        local got = envelope(response.body)
        assert.equal(object, got ~= nil, response.body:sub(1, 200))
        seen = seen + 1
        if object then
          read = read + 1
          local code = type(value.code) == "number" and value.code or nil
          assert.equal(code, got.code)
          assert.equal(value.data ~= nil and value.data ~= cjson.null, got.data ~= nil)
          assert.is_truthy(got.data == nil or core.shape {}:decode(got.data) ~= nil)
        end
      end
    end
    assert.is_true(seen > 1000 and read > 500)
  end)
end)

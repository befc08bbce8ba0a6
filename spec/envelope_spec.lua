local cjson = require "cjson"
local core = require "dsclient.core"
local recordings = require "support.recordings"

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
    assert.same({ code = 2, message = "" }, envelope('{"' .. ("x"):rep(1000) .. '":1,"code":2}'))
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
    assert.equal("a\194\160b", message "a\194\160b")
    assert.equal("😀\237\159\191", message [[\uD83D\uDE00\ud7ff]])
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
  it("are envelopes exactly where cjson reads an object", function()
    local seen, read = 0, 0
    for _, server in ipairs(recordings.SERVERS) do
      for _, exchange in ipairs(recordings.of(server)) do
        local response = exchange.response
        local value = recordings.object(response)
        local got = envelope(response.body or "")
        assert.equal(value ~= nil, got ~= nil, exchange.name)
        seen = seen + 1
        if value then
          read = read + 1
          assert.equal(type(value.code) == "number" and value.code or nil, got.code)
          assert.equal(value.data ~= nil and value.data ~= cjson.null, got.data ~= nil)
          assert.is_truthy(got.data == nil or core.shape {}:decode(got.data) ~= nil)
        end
      end
    end
    assert.same({ 1345, 1146 }, { seen, read })
  end)
end)

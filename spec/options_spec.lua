local dsclient = require "dsclient"
local options = require "dsclient.options"

local stub = { start = function() end, close = function() end }

local function new(more)
  local opts = { api_url = "http://h:1", transport = stub, runtime = { sleep = function() end } }
  for name, value in pairs(more) do
    opts[name] = value
  end
  return dsclient.new(opts)
end

describe("an option", function()
  it("that is unknown is refused, with the one that is meant", function()
    local fine, message = pcall(new, { max_retrys = 3 })
    assert.is_false(fine)
    assert.truthy(message:find('unknown option "max_retrys"; is "max_retries" meant?', 1, true))
  end)

  it("is refused with option, expected and given", function()
    for _, case in ipairs {
      { { max_retries = -1 }, '"max_retries": a whole number from 0 to 100 expected, got -1' },
      { { max_retries = 1.5 }, "whole number" },
      { { max_retries = "3" }, 'got "3"' },
      { { timeout_s = 0 }, "a number from 0.001 to 86400 expected, got 0" },
      { { backoff_s = 0 / 0 }, "a number from" },
      { { jitter = "some" }, "one of auto, full, equal, none" },
      { { retry_statuses = { 429, 1000 } }, "each item a whole number from 100 to 599" },
      { { enable_cache = 1 }, "a boolean" },
      { { token = "" }, "a string that is not empty" },
      { { token = "a\nb" }, "control characters" },
      { { token = 5 }, "got a number" },
      { { log = true }, "a function" },
      { { proxy = true }, "false for none" },
      { { headers = { ["a b"] = "c" } }, "headers" },
      { { headers = { a = "c\r\nx: y" } }, "headers" },
      { { tls = { verify = "no" } }, "tls" },
      { { tls = { ca = "x" } }, 'unknown option "ca"' },
      { { server_version = "new" }, "a version such as 3.1.1" },
      { { server_timezone = "Mars" }, "zone" },
      { { cache_ttl_s = { nothing = 1 } }, "unknown operation" },
      { { cache_ttl_s = { get_projects = "1" } }, 'option "get_projects": a number from 0' },
      { { cache_ttl_s = { get_projects = 0 / 0 } }, 'option "get_projects": a number from 0' },
      { { cache_ttl_s = { get_projects = 1 / 0 } }, 'option "get_projects": a number from 0' },
      { { cache_ttl_s = { ["instances.execute"] = 1 } }, "instances.execute is no read" },
      { { token = "a", token_file = "b" }, "not both" },
      { { api_urls = { "http://a" } }, "a URL is needed, here or as a list" },
      { { api_url = "http://h\n" }, "a string without control characters expected" },
      { { api_url = "http://me:secret@h" }, '"http://…@h"' },
      { { api_url = "http:/me:secret@h" }, '"…@h"' },
      { { user_agent = "a\r\nx: y" }, "control characters" },
      { { user_agent = "a\0" }, "control characters" },
      { { proxy = "" }, "a proxy's URL" },
      { { proxy = "http://u:secret\n@p" }, "got a string" },
      { { retry_statuses = { [2] = 503 } }, "a list of 0 to 16 items" },
      { { retry_statuses = { 503, x = 1 } }, "a list of 0 to 16 items" },
      { { retry_statuses = { 500, 501, 502, 503, 504, 505, 506, 507, 508, 509, 510, 511, 512, 513, 514, 515, 516 } },
        "a list of 0 to 16 items" },
      { { headers = { Token = "x" } }, '"Token" is set by the client' },
      { { headers = { ["Content-Length"] = "1" } }, "set by the client" },
      { { transport = {} }, "an object with the methods start, close" },
      { { transport = io.stdout }, "an object with the methods start, close" },
      { { runtime = {} }, "an object with the methods sleep" },
      { { [1] = "x" }, 'unknown option "1"' },
      { { ["time\nout"] = 1 }, "unknown option" },
    } do
      local fine, message = pcall(new, case[1])
      assert.is_false(fine, case[2])
      assert.truthy(message:find(case[2], 1, true), message)
      assert.truthy(message:find "^%S*options_spec.lua:%d+: dsclient%.new: ", message)
      assert.is_nil(message:find "secret")
      assert.is_nil(message:find "%c")
    end
  end)

  it("that says where is a must, once", function()
    for _, urls in ipairs { {}, { api_urls = {} }, { api_urls = { x = "http://h" } }, { api_urls = "http://h" },
      { api_urls = { "http://h", 5 } }, { api_urls = { "http://h", "h" } }, { api_url = false } } do
      assert.has_error(function()
        dsclient.new(urls)
      end)
    end
    for _, no_table in ipairs { "http://h", 5, true } do
      local _, message = pcall(function()
        dsclient.new(no_table)
      end)
      assert.truthy(message:find "options_spec.lua:%d+: dsclient.new: a table of options expected, got ", message)
    end
    assert.has_error(function()
      dsclient.new()
    end)
  end)

  it("transport needs one that knows how to wait", function()
    assert.error_matches(function()
      dsclient.new { api_url = "http://h", transport = stub }
    end, "runtime")
  end)

  it("never shows a token that is refused", function()
    local _, message = pcall(new, { token = "se\ncret" })
    assert.is_nil(message:find("cret", 1, true))
  end)

  it("blames the caller, also where he calls in tail position", function()
    local function tail()
      return dsclient.new { api_url = "http://h", tls = { ca = "x" } }
    end
    local function caller()
      local client = tail() -- the frame of `tail` is gone: this line is the nearest
      return client
    end
    for _, call in ipairs { tail, caller, coroutine.wrap(caller) } do
      local fine, message = pcall(call)
      assert.is_false(fine)
      assert.truthy(message:find 'options_spec.lua:%d+: dsclient.new: tls: unknown option "ca"', message)
    end
  end)

  it("of origin has its name and default", function()
    local checked = options.check("x", {}, options.CLIENT)
    assert.same({ true, true, 3, 10, 20, 0.5 }, {
      checked.enable_cache, checked.enable_metrics, checked.max_retries,
      checked.pool_connections, checked.pool_maxsize, checked.backoff_s,
    })
    assert.same({ 429, 500, 502, 503, 504 }, checked.retry_statuses)
  end)
end)

describe("api_url", function()
  it("is parsed strictly", function()
    for given, base in pairs {
      ["http://h"] = "http://h/dolphinscheduler",
      ["http://h/"] = "http://h/dolphinscheduler",
      ["http://h:12345/dolphinscheduler/"] = "http://h:12345/dolphinscheduler",
      ["HTTPS://Example.org:443/ds//"] = "https://example.org:443/ds",
      ["http://[::1]:8080"] = "http://[::1]:8080/dolphinscheduler",
      ["http://10.0.0.1/a/b"] = "http://10.0.0.1/a/b",
    } do
      assert.equal(base, options.parse_url(given))
    end
    for _, given in ipairs {
      "", "h:1", "ftp://h", "http://", "http://u:p@h", "http://h:0", "http://h:99999", "http://h:1x",
      "http://h/?a", "http://h/#a", "http://h /", "http://h/\n", "http://h/a b", "http:///x", "http://h:/x y",
      "http://[::1", "http://a\\b", "http://h:", "http://h:-1", "http://h:123456", "http://h/%", "http://h/\0",
      "http://h/\195\164", "http://h\t", "//h", "http:/h", "http://[::g]", "http://]", "http://h@", "http://@h",
      " http://h", "http://h ", "http://h/" .. ("x"):rep(2048),
    } do
      local base, message = options.parse_url(given)
      assert.is_nil(base, given)
      assert.is_string(message)
    end
  end)
end)


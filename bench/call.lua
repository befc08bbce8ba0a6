--- What a call costs this process (CPU), beside its peers in the same run: a
-- bare libcurl loop in C plus lua-cjson, and Python's requests stack.

local cjson = require "cjson"
local measure = require "bench.measure"
local dsclient = require "dsclient"

local COUNT = 1000

local body = measure.recorded("3.2.2", "instances-all")
local url, stop = measure.serve(body)
local page = url .. "/projects/1/process-instances?pageNo=1&pageSize=200"

local client = dsclient.new { api_url = url, token = "x", server_version = "3.2.2", rows_max = 100000 }
local args = { project = "1" }

-- every answer holds all rows there are, so a list is one request
local function call(opts)
  return function()
    assert(client.instances:list(args, opts))
  end
end

call()()
local normalised = measure.cpu_us(call(), COUNT)
local raw = measure.cpu_us(call { raw = true }, COUNT)
local decode = measure.cpu_us(function()
  cjson.decode(body)
end, COUNT)

local bare_path = "build/bench/bare_curl"
os.execute("mkdir -p build/bench && cc -O2 -o " .. bare_path .. " bench/bare_curl.c $(pkg-config --cflags --libs libcurl)")
local bare = measure.number_of(("%s '%s' %d 'token: x'"):format(bare_path, page, COUNT)) + decode

print(("CPU of a cold call, a list of %d bytes:"):format(#body))
measure.line("bare libcurl in C + lua-cjson", bare, "µs")
measure.line("dsclient, raw", raw, "µs", ("%.2f × bare"):format(raw / bare))
measure.line("dsclient, normalised", normalised, "µs", ("%.2f × bare"):format(normalised / bare))
if measure.has "python3 -c 'import requests'" then
  local python = measure.number_of(("python3 bench/python_requests.py '%s' %d"):format(page, COUNT / 4))
  measure.line("Python requests + urllib3 Retry", python, "µs", ("%.1f × dsclient raw"):format(python / raw))
end

local HITS = 200000
client:get_projects()
local projects = client.get_projects
local BORROW = { borrow = true }
local hit = measure.cpu_us(function()
  projects(client, BORROW)
end, HITS)
local copy = measure.cpu_us(function()
  projects(client)
end, 1000)
print "Cache hits:"
measure.line("get_projects{borrow}", hit * 1000, "ns")
measure.line("get_projects, a private copy", copy, "µs")
stop()
client:close()

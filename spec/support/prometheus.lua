--- What Prometheus makes of a text: its own tool, its own parser, and the
-- reference parser of OpenMetrics. All must be there: see .ci/deps.

local cjson = require "cjson"

local format = string.format

local _M = {}

-- Samples need a time where Prometheus keeps them.
local AT_S = 1700000000

-- What a command says when it is given this text; its status behind it.
local function said(command, text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  -- without the sanitizers' library, where the specs run under one
  local pipe = assert(io.popen(format("env -u LD_PRELOAD %s <%s 2>&1; echo $?", command, path)))
  local output, status = pipe:read("*a"):match "^(.-)(%d+)\n$"
  pipe:close()
  os.remove(path)
  return output, tonumber(status)
end

--- Runs `promtool check metrics`. @return what it says: nothing of a good text
-- @treturn number exit status
function _M.check(text)
  return said("promtool check metrics", text)
end

local function succeed(command, text)
  local output, status = said(command, text)
  assert(status == 0, output)
  return output
end

-- Of one line of `promtool tsdb dump`: values quoted as by Go, most of whose
-- escapes are left as they are.
local function labels_of(line)
  local labels = {}
  local name, from = line:match '^([%w_]+)="()'
  while name do
    local at = from
    while line:sub(at, at) ~= '"' do
      at = at + (line:sub(at, at) == "\\" and 2 or 1)
    end
    labels[name] = line:sub(from, at - 1):gsub("\\([n\"\\])", { n = "\n", ['"'] = '"', ["\\"] = "\\" })
    name, from = line:match('^, ([%w_]+)="()', at + 1)
  end
  return labels
end

--- Gives an OpenMetrics text to Prometheus' own parser and storage.
-- @treturn table list of {labels = {__name__ = …}, value}
function _M.store(text)
  local folder = os.tmpname()
  os.remove(folder)
  local timed = text:gsub("\n([^#\n][^\n]*)", function(line)
    return format("\n%s %d", line, AT_S)
  end)
  succeed(format("promtool tsdb create-blocks-from openmetrics /dev/stdin %s", folder), timed)
  succeed(format("mkdir -p %s/wal", folder), "") -- or it can't be opened
  local dumped = succeed(format("promtool tsdb dump %s", folder), "")
  succeed(format("rm -r %s", folder), "")
  local samples = {}
  for line in dumped:gmatch "[^\n]+" do
    local labels, value = line:match "^{(.*)} (%S+) %d+$"
    samples[#samples + 1] = { labels = labels_of(labels), value = tonumber(value) }
  end
  return samples
end

local READ = [[
import json, sys
from prometheus_client.openmetrics import parser
text = sys.stdin.buffer.read().decode("utf-8")
print(json.dumps([
    {"name": f.name, "type": f.type, "unit": f.unit, "help": f.documentation,
     "samples": [{"name": s.name, "labels": s.labels, "value": s.value} for s in f.samples]}
    for f in parser.text_string_to_metric_families(text)]))
]]

--- Reads an OpenMetrics text by the reference parser, which is strict.
-- @treturn table list of {name, type, unit, help, samples = {{name, labels,
--   value}, …}}; or nil and what it says
function _M.read(text)
  local output, status = said("/usr/bin/python3 -c '" .. READ .. "'", text)
  if status ~= 0 then
    return nil, output
  end
  return cjson.decode(output)
end

--- How many samples a text has.
function _M.samples_of(text)
  local count = 0
  for line in text:gmatch "[^\n]+" do
    count = count + (line:sub(1, 1) == "#" and 0 or 1)
  end
  return count
end

return _M

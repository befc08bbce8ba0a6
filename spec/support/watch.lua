--- A monitor under test: over a sandbox on a virtual clock, or over a scripted
-- client; all it says is kept.

local monitors = require "dsclient.monitor"

local _M = {}

--- For an option that is to have its default again.
_M.DEFAULT = {}

local files = {}

--- A path for a state file; `clean` removes what was made of it.
function _M.state_file()
  local path = os.tmpname()
  os.remove(path)
  files[#files + 1] = path
  return path
end

function _M.write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
end

--- To be called after each test.
function _M.clean()
  for _, path in ipairs(files) do
    for _, suffix in ipairs { "", ".lock", ".pause", ".bak" } do
      os.remove(path .. suffix)
    end
  end
  files = {}
end

local function merge(base, more)
  for name, value in pairs(more or {}) do
    base[name] = value
  end
  return base
end

local Watch = {}
Watch.__index = Watch

--- The events of a name, or all of them.
function Watch:of(name)
  local list = {}
  for _, event in ipairs(self.events) do
    if not name or event.event == name then
      list[#list + 1] = event
    end
  end
  return list
end

--- The names of events of a run, in order.
function Watch:names(id)
  local list = {}
  for _, event in ipairs(self.events) do
    if event.instance_id == id then
      list[#list + 1] = event.event
    end
  end
  return list
end

--- The last reason given for a run, or for the monitor as a whole.
function Watch:reason(id)
  local reason
  for _, event in ipairs(self.events) do
    if event.instance_id == id and (id or event.event ~= "round") then
      reason = event.reason
    end
  end
  return reason
end

--- Runs rounds, as `run` does, for so many seconds.
function Watch:run(seconds)
  local until_s = self.now() + seconds
  self.stopped = function()
    return self.now() >= until_s
  end
  self.monitor:run()
  self.stopped, self.monitor.ending = nil, nil
end

--- Ends it, as a restart does.
function Watch:close()
  self.monitor:close()
end

-- Without the brakes that have specs of their own.
local UNBRAKED = { recover_existing = true, max_recoveries_per_round = 10000, storm_min = 10000 }

local function new(client, now, sleep, config)
  local watch = setmetatable({ events = {}, log = {}, now = now, client = client }, Watch)
  local given = merge({
    now = now,
    sleep = sleep,
    stopped = function()
      return watch.stopped ~= nil and watch.stopped()
    end,
    log = function(_, message)
      watch.log[#watch.log + 1] = message
    end,
  }, UNBRAKED)
  for name, value in pairs(config or {}) do
    given[name] = value
    if value == _M.DEFAULT then
      given[name] = nil
    end
  end
  local on = merge({}, given.on)
  local user_event = on.event
  function on.event(event)
    watch.events[#watch.events + 1] = event
    if user_event then
      user_event(event)
    end
  end
  given.on = on
  if given.recover and not given.state_file then
    given.state_file = _M.state_file()
  end
  watch.state_file = given.state_file
  local err
  watch.monitor, err = monitors.new(client, given)
  if not watch.monitor then
    return nil, err
  end
  return watch
end

--- Over a sandbox.
-- @tparam table config of the monitor; state_file is made where it recovers
-- @tparam table options of the client
function _M.box(box, config, options)
  return new(box:client(options), function()
    return box:now()
  end, function(seconds)
    box:sleep(seconds)
  end, config)
end

-- When the scripted world of a bed begins: seconds since 1970.
_M.BED_NOW = 1767225600

--- Over a scripted client.
function _M.bed(bed, config)
  local began = bed.now()
  return new(bed.client, function()
    return _M.BED_NOW + bed.now() - began
  end, bed.advance, config)
end

return _M

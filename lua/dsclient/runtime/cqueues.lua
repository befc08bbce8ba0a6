--- The runtime of cqueues: calls wait in the controller that runs them.
--
--     local client = dsclient.new { …, runtime = require "dsclient.runtime.cqueues" }
--     local loop = cqueues.new()
--     loop:wrap(function()
--       print(#assert(client:get_projects()))
--     end)
--     assert(loop:loop())
--
-- Each coroutine of a controller is a task, whichever controller it is. Outside of
-- one, and in a coroutine that such a coroutine made, calls block, and are right
-- otherwise.
--
-- While somebody waits in a controller, a coroutine more is in it, which keeps the
-- clients' descriptors and lets tasks go on one after the other: cqueues alone
-- would begin with the last.

local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local guests = require "dsclient.runtime.guest"
local values = require "dsclient.values"

local by_controller = setmetatable({}, { __mode = "k" })

local function resume(waiter)
  if waiter.begins then
    cqueues.running():attach(waiter.task)
  else
    waiter.resumed:signal()
  end
end

--- Waits for the guest's descriptors, until the time that it is due, or `changed`.
local function poll(guest, changed)
  local seconds = guest:due()
  local sources = {}
  for source in pairs(guest.sources) do
    sources[#sources + 1] = source
  end
  cqueues.poll(changed, seconds < math.huge and seconds or nil, values.unpack(sources))
end

local function keep(guest, changed)
  while guest.waiting > 0 do
    guest:look()
    for i = guest.ready.count, 1, -1 do
      resume(guest:take())
      if i > 1 then
        cqueues.poll(0) -- it goes on before the next one does
      end
    end
    if guest.waiting > 0 then
      poll(guest, changed)
    end
  end
end

local function new_guest()
  local changed, is_kept = condition.new(), false
  local host, guest = {}, nil

  local function keeper()
    local fine, problem = pcall(keep, guest, changed)
    is_kept = false
    if not fine then
      error(problem, 0)
    end
  end

  function host.prepare(waiter)
    waiter.resumed = condition.new()
    if not is_kept then
      cqueues.running():attach(coroutine.create(keeper))
      is_kept = true
    end
  end

  function host.suspend(waiter)
    repeat
      waiter.resumed:wait()
    until waiter.over
  end

  function host.changed()
    changed:signal()
  end

  function host.watch() end

  function host.forget(source)
    local fd = source:pollfd()
    if fd then
      cqueues.cancel(fd)
    end
  end

  guest = guests.new(host)
  return guest
end

return guests.runtime(function()
  local _, is_own = cqueues.running()
  return is_own and coroutine.running() or nil
end, function()
  local controller = cqueues.running()
  local guest = by_controller[controller] or new_guest()
  by_controller[controller] = guest
  return guest
end, by_controller)

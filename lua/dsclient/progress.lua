--- How far long work is: a line on the terminal, or a callback for libraries.
--
-- The option `progress` is true for the line: on stderr, drawn over at most ten
-- times a second, and gone when the work has ended; where stderr is no terminal
-- nothing is written. Or it is a function (done, total, rate, eta_s), called as
-- often, and once more at the end where something is left to tell: `total` is nil
-- where nobody knows it, `rate` a second, over the last ten seconds or so, `eta_s`
-- nil where it can't be told. What the function throws goes to who does the work.

local load = require "dsclient.load"

local format = string.format

local _M = {}

-- Between two reports (s).
local REPORT_S = 0.1

-- The rate is that of so long, begun anew in so many parts (s).
local WINDOW_S, MARK_S = 10, 1

-- --- the line ------------------------------------------------------------

local function duration(seconds)
  local whole = math.ceil(seconds)
  local hours, minutes = math.floor(whole / 3600), math.floor(whole % 3600 / 60)
  if hours > 0 then
    return format("%.0f h %.0f min", hours, minutes)
  end
  return minutes > 0 and format("%.0f min %.0f s", minutes, whole % 60) or format("%.0f s", whole)
end

local function text_of(done, total, rate, eta_s)
  local text = format("%.0f", done)
  if total then
    text = text .. format(" of %.0f", total)
  end
  if total and total > 0 then
    text = text .. format(" (%.0f %%)", math.floor(done / total * 100))
  end
  if rate > 0 then
    text = text .. (rate >= 1 and format(", %.1f/s", rate) or format(", %.1f/min", rate * 60))
  end
  return eta_s and text .. format(", %s left", duration(eta_s)) or text
end

--- A line that is drawn over the one before.
-- @treturn function (done, total, rate, eta_s) draws it
-- @treturn function () takes it away
local function line()
  local width = 0
  local function draw(text, ending)
    io.stderr:write("\r" .. text .. (" "):rep(width - #text) .. ending)
    width = #text
  end
  return function(...)
    draw(text_of(...), "")
  end, function()
    if width > 0 then
      draw("", "\r")
    end
  end
end

-- --- counting ------------------------------------------------------------

local Progress = {}
Progress.__index = Progress

--- Things done a second, of late: from the last mark that is older than the window
-- on, or from the begin.
local function rate_of(self, now)
  local marks = self.marks
  while marks[2] and now - marks[2].at >= WINDOW_S do
    table.remove(marks, 1)
  end
  local first = marks[1]
  local rate = now > first.at and (self.count - first.count) / (now - first.at) or 0
  if now - marks[#marks].at >= MARK_S then
    marks[#marks + 1] = { at = now, count = self.count }
  end
  return rate
end

local function report(self, now)
  self.next_at, self.told = now + REPORT_S, self.count
  local rate = rate_of(self, now)
  local left = self.total and self.total - self.count
  self.show(self.count, self.total, rate, left and (left <= 0 and 0 or rate > 0 and left / rate) or nil)
end

--- So many more are done.
-- @tparam number|nil count 1 where it is not given
function Progress:step(count)
  self.count = self.count + (count or 1)
  local now = self.now()
  if now >= self.next_at then
    report(self, now)
  end
end

--- There are so many in all, as is known by now.
function Progress:expect(total)
  self.total = total
end

--- The work has ended, well or not. Idempotent.
function Progress:done()
  if self.erase then
    self.erase()
  elseif self.told ~= self.count then
    report(self, self.now())
  end
end

-- What is not shown costs nothing.
local function nothing() end
local OFF = { step = nothing, expect = nothing, done = nothing }

local function is_terminal()
  return load("dsclient.sys").isatty(2)
end

--- Begins to count.
-- @tparam boolean|function|nil option as above; checked (`options.lua`)
-- @tparam number|nil total where it is known
-- @tparam function now () → seconds, on the client's clock
-- @treturn table step(count), expect(total), done()
function _M.new(option, total, now)
  if not option or option == true and not is_terminal() then
    return OFF
  end
  local show, erase = option, nil
  if option == true then
    show, erase = line()
  end
  local at = now()
  return setmetatable({
    show = show,
    erase = erase,
    now = now,
    total = total,
    count = 0,
    told = 0,
    next_at = at,
    marks = { { at = at, count = 0 } },
  }, Progress)
end

--- Pages whose rows are counted; see paging.pages.
function _M.pages(pages, counting)
  return {
    next = function()
      local rows, err = pages.next()
      if rows then
        counting:expect(pages.total)
        counting:step(#rows)
      else
        counting:done()
      end
      return rows, err
    end,
  }
end

--- What a for loop takes to go over the rows of pages, each of which is counted. On
-- Lua 5.4 a loop that is left early ends the counting, too.
-- @tparam function next_row () → row, or nil
-- @tparam table pages where they come from
function _M.each(next_row, pages, counting)
  local function ended()
    counting:done()
  end
  return function()
    local row = next_row()
    if row == nil then
      ended()
    else
      counting:expect(pages.total)
      counting:step()
    end
    return row
  end, nil, nil, setmetatable({}, { __close = ended })
end

return _M

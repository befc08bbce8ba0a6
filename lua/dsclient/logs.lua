--- The logs of tasks: whole, their ends, as they grow, as files.
--
-- The server gives a log in parts of lines. It cuts a part at about 64 KiB,
-- whatever was asked for, and says how many lines it has (lineNum); the first
-- part has a head line above them, which is none of them. An empty part is the
-- end. 2.0 sends the text alone. Lines end in CR LF; here they end in LF.

local calls = require "dsclient.call"
local driver = require "dsclient.drive"
local errors = require "dsclient.errors"
local files = require "dsclient.files"
local operations = require "dsclient.operations"
local options = require "dsclient.options"
local wait = require "dsclient.wait"

local format = string.format

local _M = {}

local PART, FILE, LIST = "task_instances.log_part", "task_instances.download_log", "task_instances.list"

-- Lines asked for at once; the server cuts long before where they are not short.
local LINES = 10000
-- No server has more of them: it counts in 32 bits.
local LINES_MAX = 2 ^ 31 - 1
-- No part that was cut is shorter (bytes).
local CUT_BYTES = 60000

-- Ids are signed ints, too.
local ID_MAX = LINES_MAX

local SECONDS = { type = "number", min = 0.001, max = 30 * 86400 }

local function rule(base, default)
  return { type = base.type, min = base.min, max = base.max, default = default }
end

local BYTES_MAX = options.CLIENT.body_bytes_max

local OPTIONS = {
  log = { timeout_s = rule(SECONDS, 300), bytes_max = rule(BYTES_MAX) },
  tail = { timeout_s = rule(SECONDS, 300), bytes_max = rule(BYTES_MAX) },
  follow = {
    project = { type = "any" },
    instance_id = { type = "integer", min = 1, max = ID_MAX },
    interval_s = { type = "number", min = 0.01, max = 3600, default = 2 },
    timeout_s = rule(SECONDS, 86400),
    skip = { type = "integer", min = 0, max = LINES_MAX, default = 0 },
  },
  download = { timeout_s = calls.OPTIONS.timeout_s, attempt_timeout_s = calls.OPTIONS.attempt_timeout_s },
}

-- --- parts ---------------------------------------------------------------

--- A reading of one task's log, under one deadline.
local function begin(state, verb, task_instance_id, opts)
  local name = "task_instances." .. verb
  local checked = options.check(name, opts or {}, OPTIONS[verb])
  local now_s, err = calls.enter(state, name)
  if not now_s then
    return nil, err
  end
  return {
    state = state,
    name = name,
    id = task_instance_id,
    opts = checked,
    bytes_max = checked.bytes_max or state.options.body_bytes_max,
    deadline = checked.timeout_s and now_s + checked.timeout_s,
  }
end

local function fail(reading, kind, message)
  return nil, driver.failure(reading.state, reading, { kind = kind, message = message })
end

--- The options of one call of a reading.
local function options_for(reading, row)
  local now_s = calls.enter(reading.state) or 0 -- the call will say that it is closed
  return { deadline = math.min(reading.deadline, now_s + driver.known_of(reading.state, row).timeout_s), cache = false }
end

--- What 3.1 puts in the place of lines where a worker does not answer; no line
-- of a log is without its end.
local function trouble_in(text)
  return not text:find "\n" and text:find "^Roll view log error: " and text
end

--- The part behind so many lines.
-- @treturn table|nil {head, text, count}: the head line of the first part with its
--   end; the lines, each with its end; how many they are, none at the end
local function read_part(reading, skip, limit)
  if skip > LINES_MAX then
    return fail(reading, "protocol", "the server says that the log has no end")
  end
  local row = operations.find(PART)
  local value, err = calls.perform(reading.state, row,
    { task_instance_id = reading.id, skip = skip, limit = limit }, options_for(reading, row))
  if value == nil then
    err.operation = reading.name
    return nil, err
  end
  local given = type(value) == "table" and (value.message or value.value) or nil
  local text = type(given) == "string" and given or ""
  local head
  if skip == 0 and text:find "^%[LOG%-PATH%]" then
    head, text = text:match "^([^\n]*\n?)(.*)$"
  end
  local trouble = trouble_in(text)
  if trouble then
    return fail(reading, "api", trouble)
  end
  local ends
  text, ends = text:gsub("\r?\n", "\n")
  if text:find "[^\n]$" then
    text, ends = text .. "\n", ends + 1
  end
  local told = type(value) == "table" and value.lineNum
  local is_count = type(told) == "number" and told % 1 == 0 and told >= 1 and told <= limit
  return {
    head = head and head:gsub("\r", "") or "",
    text = text,
    count = text == "" and 0 or is_count and told or ends,
  }
end

--- May there be another part behind this one already?
local function is_cut(part)
  return part.count >= LINES or #part.text >= CUT_BYTES
end

local function lines_of(part)
  local lines = {}
  for line in part.text:gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

-- --- the whole -----------------------------------------------------------

--- The log of a task instance as one text, with its head line: what `download`
-- gives, but that lines above 64 KiB are cut by the server, with a note.
-- @tparam table opts timeout_s (300), bytes_max (as body_bytes_max of the client)
-- @treturn string|nil text; or nil and an error, of kind "limit" where it is longer
function _M.log(state, task_instance_id, opts)
  local reading, err = begin(state, "log", task_instance_id, opts)
  if not reading then
    return nil, err
  end
  local texts, skip, bytes = {}, 0, 0
  repeat
    local part
    part, err = read_part(reading, skip, LINES)
    if not part then
      return nil, err
    end
    local text = part.head .. part.text
    bytes, skip = bytes + #text, skip + part.count
    if bytes > reading.bytes_max then
      return fail(reading, "limit", format("the log has more than %.0f bytes (bytes_max)", reading.bytes_max))
    end
    texts[#texts + 1] = text
  until part.count == 0
  return table.concat(texts)
end

-- --- the end -------------------------------------------------------------

-- So near the number of lines is found out before the end is read.
local NEAR = 1000

--- Is there a line behind so many?
local function goes_on(reading, skip)
  local part, err = read_part(reading, skip, 1)
  if not part then
    return nil, err
  end
  return part.count > 0
end

--- A number of lines that are there, and one, at most NEAR more, that are not.
local function count_lines(reading, low)
  local step, high = NEAR, nil
  while not high or high - low > NEAR do
    local middle = high and math.floor((low + high) / 2) or low + step
    local there, err = goes_on(reading, middle)
    if there == nil then
      return nil, err
    elseif there then
      low, step = middle + 1, step * 2
    else
      high = middle
    end
  end
  return low
end

--- Keeps the last lines only; how many bytes they are with their ends.
local function keep_last(lines, count)
  local kept, bytes = {}, 0
  for i = math.max(1, #lines - count + 1), #lines do
    kept[#kept + 1], bytes = lines[i], bytes + #lines[i] + 1
  end
  return kept, bytes
end

--- The last lines of what is behind so many of them.
local function last_of(reading, count, skip)
  local kept = {}
  repeat
    local part, err = read_part(reading, skip, LINES)
    if not part then
      return nil, err
    end
    for _, line in ipairs(lines_of(part)) do
      kept[#kept + 1] = line
    end
    local bytes
    kept, bytes = keep_last(kept, count)
    if bytes > reading.bytes_max then
      return fail(reading, "limit", format("the lines have more than %.0f bytes (bytes_max)", reading.bytes_max))
    end
    skip = skip + part.count
  until not is_cut(part) -- a log may grow faster than it is read
  return kept
end

--- The last lines of a log, found without reading all of it.
-- @tparam number count so many, or as many as there are
-- @tparam table opts as of `log`
-- @treturn table|nil array of lines without their ends; or nil and an error
function _M.tail(state, task_instance_id, count, opts)
  if type(count) ~= "number" or count < 1 or count % 1 ~= 0 then
    errors.throw "task_instances.tail: a number of lines, from 1 on, expected"
  end
  local reading, err = begin(state, "tail", task_instance_id, opts)
  if not reading then
    return nil, err
  end
  local first, low, more
  first, err = read_part(reading, 0, LINES)
  if first and first.count > 0 then
    more, err = goes_on(reading, first.count)
  end
  if err then
    return nil, err
  elseif not more then
    return (keep_last(lines_of(first), count))
  end
  low, err = count_lines(reading, first.count + 1)
  if not low then
    return nil, err
  end
  return last_of(reading, count, math.max(0, low - count))
end

-- --- as it grows ---------------------------------------------------------

--- The run that a task is in; nil where the server sends none.
local function run_of(task)
  local id = task.workflowInstanceId
  return type(id) == "number" and id % 1 == 0 and id > 0 and id <= ID_MAX and id or nil
end

--- Looks for the task among the rows of a page after page.
local function find_task(reading)
  local opts = reading.opts
  local row = operations.find(LIST)
  local pages = calls.pages(reading.state, row,
    { project = opts.project, instance_id = reading.instance_id or opts.instance_id }, options_for(reading, row))
  local rows, err = pages.next()
  while rows do
    for _, task in ipairs(rows) do
      if type(task) == "table" and task.id == reading.number then
        reading.instance_id = run_of(task) or reading.instance_id
        return task
      end
    end
    rows, err = pages.next()
  end
  if err then
    err.operation = reading.name
    return nil, err
  end
  return fail(reading, "not_found", format("the project has no task instance %d", reading.number))
end

--- Waits for the next look, as long as there is time.
-- @treturn boolean|nil true; or nil and an error
local function pause(reading)
  local now_s, err = calls.enter(reading.state, reading.name)
  if not now_s then
    return nil, err
  end
  local left_s = reading.deadline - now_s
  if left_s <= 0 then
    return fail(reading, "deadline", format("the task has not ended after %g s", reading.opts.timeout_s))
  elseif wait.park(reading.state, {}, math.min(reading.opts.interval_s, left_s)) == "cancelled" then
    return fail(reading, "cancelled", "it was ended")
  end
  return true
end

--- Takes the lines of a part that are whole. While a task runs its last line may
-- have come in half: it is taken when another one follows, or when it is the same
-- at the next look, or when it alone is a whole part.
-- @treturn boolean may the next part be there already?
local function take(reading, part)
  local lines = lines_of(part)
  local whole_ones = reading.ended and #lines or #lines - 1
  local cut = is_cut(part)
  if #lines == 1 and (cut or lines[1] == reading.held) then
    whole_ones = 1
  end
  reading.held = not cut and lines[whole_ones + 1] or nil
  reading.skip = reading.skip + (whole_ones == #lines and part.count or whole_ones)
  lines[whole_ones + 1] = nil
  reading.lines = lines
  return cut
end

--- Nothing new came: is the task over? Its last lines may be written a moment
-- later, so its log is read once more.
-- @treturn string|nil "wait"; or nil and an error
local function look(reading, problem)
  local task, err = find_task(reading)
  if not task then
    return nil, err
  elseif task.finished and problem then
    return nil, problem
  end
  reading.ended = task.finished
  return "wait"
end

--- Reads what is new.
-- @treturn string|nil what to do once it is given out: "read", "wait" or "end";
--   or nil and an error
local function read_on(reading)
  local part, problem = read_part(reading, reading.skip, LINES)
  if not part and (problem.kind ~= "api" or reading.ended) then
    return nil, problem
  elseif part and part.count > 0 and take(reading, part) then
    return "read"
  elseif reading.ended then
    return "end"
  elseif reading.lines[1] then
    return "wait"
  end
  return look(reading, problem)
end

--- The lines of a log as they are written, until the task is over. The iterator
-- throws the error that ends it otherwise: a loop that ends has seen all.
-- @tparam table opts project (needed; code or name), instance_id (of the run:
--   it is found faster), interval_s (2) between two looks, timeout_s (86400),
--   skip (0): so many lines are known
-- @treturn function () → line without its end
function _M.follow(state, task_instance_id, opts)
  local reading, err = begin(state, "follow", task_instance_id, opts)
  local todo, index = "read", 0
  if reading then
    if reading.opts.project == nil then
      errors.throw 'task_instances.follow: option "project" is missing'
    end
    reading.number, reading.skip, reading.lines = tonumber(task_instance_id), reading.opts.skip, {}
  end

  local function go_on()
    local fine = true
    if todo == "wait" then
      fine, err = pause(reading)
    end
    if fine then
      reading.lines, index = {}, 0
      todo, err = read_on(reading)
    end
  end

  return function()
    while not err and todo ~= "end" and index == #reading.lines do
      go_on()
    end
    if err then
      errors.raise(err)
    end
    index = index + 1
    return reading.lines[index]
  end
end

-- --- as a file -----------------------------------------------------------

local function fetch(reading, sink)
  local opts = reading.opts
  local value, err = calls.perform(reading.state, operations.find(FILE), { task_instance_id = reading.id },
    { sink = sink, timeout_s = opts.timeout_s, attempt_timeout_s = opts.attempt_timeout_s })
  if err then
    err.operation = reading.name
    err.argument = err.argument == "sink" and "target" or err.argument
  end
  return value, err
end

--- The log of a task instance as a file, as it comes, of any size. The worker and
-- the server hold all of it in memory meanwhile: `log` spares them.
-- @param target a path, whose file is there when it is whole; or a function that
--   is called with each piece, a file handle or the number of a file descriptor
-- @tparam table opts timeout_s, attempt_timeout_s
-- @treturn table|nil {bytes}; or nil and an error
function _M.download(state, task_instance_id, target, opts)
  local reading, err = begin(state, "download", task_instance_id, opts)
  if not reading then
    return nil, err
  elseif type(target) ~= "string" then
    options.verify("task_instances.download", { target = target }, { target = calls.OPTIONS.sink })
    return fetch(reading, target)
  end
  local value, problem = files.write_whole(state.client, target, function(file)
    return fetch(reading, file)
  end)
  if value == nil and not errors.is(problem) then
    return nil, driver.failure(state, reading, { kind = "argument", argument = "target", message = tostring(problem) })
  end
  return value, problem
end

return _M

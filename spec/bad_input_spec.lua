--- Whatever a caller gives for a parameter of an operation: no crash and no
-- foreign error, but a request that can be sent; or an error at the caller that
-- names operation and argument; or nil and an error that does.
--
-- DSCLIENT_BAD_INPUT=1 gives every kind to every parameter.

local bad_input = require "support.bad_input"
local bed = require "support.bed"
local cjson = require "cjson"
local dialect = require "dsclient.dialect"
local errors = require "dsclient.errors"
local operations = require "dsclient.operations"

local KINDS = bad_input.kinds

-- What the other parameters are given, by type; the rest are ids.
local GIVEN = setmetatable({
  project = "11", workflow = "22", task = "44", environment = "55", cluster = "66", code = "33", string = "a",
  enum = "FAILURE", boolean = true, date = "2024-01-01 00:00:00", json = "{}", workflows = "22", tasks = "44",
  codes = "33", ids = "7", strings = "a", tenant = "default", worker_group = "default",
  file = { name = "f", content = "x" },
}, { __index = function() return 7 end }) -- luacheck: ignore

local VERSIONS = { "3.1.1", "3.2.2", "3.4.1", "3.2.0", "2.0.9", "2.0.2", "3.0.6", "3.2.1" }

--- A version that has the row, and its parameter, if any.
local function version_for(row, param)
  for _, text in ipairs(VERSIONS) do
    local version = dialect.parse(text)
    if dialect.has(row, version) and (not param or dialect.has(param, version)) then
      return text, version
    end
  end
  error(row.operation)
end

local beds = {}

-- No name is known, and all else is fine.
local function answer(request)
  return request.path:find "pageNo" and bed.PAGE or bed.ok "[]"
end

local function bed_for(version)
  beds[version] = beds[version] or bed.new(answer, { server_version = version, enable_breaker = false })
  return beds[version]
end

local function args_for(row, version)
  local args = {}
  for _, param in ipairs(row.params) do
    if (param.path or param.required) and dialect.has(param, version) then
      args[param[1]] = param.max and math.min(param.max, 7) or GIVEN[param[2]]
    end
  end
  return args
end

--- Calls by name, or as a method.
local function perform(b, row, args, as_method)
  if as_method then
    local resource = b.client[row.resource]
    return resource[row.verb](resource, args)
  end
  return b.client:call(row.operation, args)
end

-- --- what is wrong with an outcome ---------------------------------------

-- A message is for people.
local MESSAGE_MAX = 1000

local REFUSALS = { argument = true, not_found = true, unsupported = true }

local function wrong_message(message, row, name)
  if type(message) ~= "string" then
    return "throws a " .. type(message)
  elseif not message:find "^[^:]*bad_input_spec%.lua:%d+: " then
    return "is not thrown at the caller: " .. message
  elseif #message > MESSAGE_MAX or message:find "[%c]" then
    return "has an unreadable message"
  end
  local says = message:find(row.operation, 1, true) and message:find(name, 1, true)
  return not says and "does not say what is wrong: " .. message or nil
end

local function wrong_error(err, row, name)
  local text = tostring(err)
  if err.operation ~= row.operation or err.argument ~= name then
    return "does not say what is wrong: " .. text
  end
  return (#text > MESSAGE_MAX or text:find "%c") and "has an unreadable message" or nil
end

local function wrong_request(request, value)
  local is_minus_zero = type(value) == "number" and (request.path .. (request.body or "")):find "[/=:]%-0%f[^%d.]"
  if request.path:find "[%c ]" or not request.path:find "^/%w" or is_minus_zero then
    return "sends a broken path"
  elseif request.body and request.body:find "^[%[{]" and not pcall(cjson.decode, request.body) then
    return "sends broken JSON"
  end
end

--- What is wrong with what comes of a call; nil for nothing.
-- @tparam boolean fits is the value one that the parameter takes?
local function problem_of(b, row, args, name, fits, as_method)
  b.requests[1] = nil
  local fine, value, err = pcall(perform, b, row, args, as_method)
  local request = b.requests[#b.requests]
  for i in ipairs(b.requests) do
    b.requests[i] = nil
  end
  if not fine then
    return wrong_message(value, row, name) or fits and "is thrown: " .. value or nil
  elseif err and not errors.is(err) then
    return "fails with a " .. type(err)
  elseif err and REFUSALS[err.kind] then
    return wrong_error(err, row, name) or fits and "is refused: " .. tostring(err) or nil
  elseif not fits then
    return "is taken" .. (err and ", though it fails later: " .. tostring(err) or "")
  end
  return request and wrong_request(request, args[name])
end

-- Every nth kind only, of parameters like one that had them all.
local EVERY = tonumber(os.getenv "DSCLIENT_BAD_INPUT") or 5

local had, turn = {}, 0

--- Is this kind to be tried? Of parameters of one type in one place, the first
-- gets all kinds, each other one some of those that are not large.
local function gets(row, param)
  local place = param.path and "path" or row.body or row.method
  local key = table.concat({ place, param[2], param.min or "", param.max or "" }, " ")
  local is_first = not had[key]
  had[key], turn = true, turn + 1
  return function(i, kind)
    return is_first or not kind.large and (i + turn) % EVERY == 0
  end
end

-- --- the specs -----------------------------------------------------------

local OWN = { "page_size", "rows_max", "limit" }

describe("bad input", function()
  it("is of 200 kinds and more, no two alike", function()
    local names = {}
    for _, kind in ipairs(KINDS) do
      assert.is_nil(names[kind.name], kind.name)
      names[kind.name] = true
    end
    assert.is_true(#KINDS >= 200, #KINDS)
  end)

  for _, resource in ipairs(operations.RESOURCES) do
    it("is taken as it is or refused, and named: " .. resource, function()
      local problems = {}
      for _, row in pairs(operations.of(resource)) do
        for _, param in ipairs(row.params) do
          local version, parsed = version_for(row, param)
          local b, args = bed_for(version), args_for(row, parsed)
          local is_tried = gets(row, param)
          for i, kind in ipairs(KINDS) do
            args[param[1]] = kind.value
            local problem = is_tried(i, kind)
              and problem_of(b, row, args, param[1], bad_input.takes(row, param, kind), i % 2 == 0)
            if problem then
              local where = row.operation .. ", " .. param[1]
              problems[#problems + 1] = where .. ": " .. kind.name .. " " .. problem:sub(1, 300)
            end
          end
        end
      end
      assert.same({}, problems)
    end)
  end

  it("for what the client itself reads of a list is refused, too", function()
    local row = operations.find "projects.list"
    for _, name in ipairs(OWN) do
      for _, kind in ipairs(KINDS) do
        local value = kind.value
        local max = name == "page_size" and 500 or 10000000
        local fits = type(value) == "number" and value >= 1 and value <= max and value % 1 == 0
        assert.is_nil(problem_of(bed_for "3.1.1", row, { [name] = value }, name, fits), kind.name)
      end
    end
  end)

  it("for an argument's name is refused at the caller", function()
    for number, operation in ipairs(operations.names()) do
      local row = operations.find(operation)
      if row.name == row.operation then
        local version, parsed = version_for(row)
        for i, kind in ipairs(KINDS) do
          -- NaN is no key
          if kind.value == kind.value and (number + i) % EVERY == 0 and not (kind.large and EVERY > 1) then
            local args = args_for(row, parsed)
            args[kind.value] = 1
            local shown = type(kind.value) == "table" and "a table" or ""
            assert.is_nil(problem_of(bed_for(version), row, args, shown, false), operation .. " " .. kind.name)
          end
        end
      end
    end
  end)

  it("for the arguments as a whole, or for an operation, is refused at the caller", function()
    local b = bed_for "3.1.1"
    for _, kind in ipairs(KINDS) do
      local value = kind.value
      if type(value) ~= "table" then
        assert.is_nil(problem_of(b, operations.find "projects.get", value, "table of arguments", false), kind.name)
      end
      local fine, message = pcall(b.client.call, b.client, value, {})
      assert.is_false(fine)
      assert.is_nil(wrong_message(message, { operation = "unknown operation" }, ""), kind.name)
    end
  end)

  it("of each kind at once does not confuse what is refused", function()
    local b, row = bed_for "3.1.1", operations.find "instances.list"
    for _, kind in ipairs(KINDS) do
      local args = {}
      for _, param in ipairs(row.params) do
        args[param[1]] = kind.value
      end
      local fits = bad_input.takes(row, row.params[1], kind)
      if not fits then
        assert.is_nil(problem_of(b, row, args, "project", false), kind.name)
      end
    end
  end)
end)

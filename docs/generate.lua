-- Writes docs/operations.md and types/dsclient.lua from the operations table and
-- the templates: lua5.4 docs/generate.lua (or `make docs`). With --check it writes
-- nothing, and fails where one of them is not what it would write.

package.path = "lua/?.lua;lua/?/init.lua;" .. package.path

local help = require "dsclient.help"
local operations = require "dsclient.operations"
local options = require "dsclient.options"

local concat, format = table.concat, string.format

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

--- The template with its {{names}} replaced; each has to be there.
local function fill(path, parts)
  return (read(path):gsub("{{([%w_.]+)}}", function(name)
    return assert(parts[name], path .. ": nothing is called " .. name)
  end))
end

--- One text for each item, joined.
local function each(list, separator, fn)
  local texts = {}
  for _, item in ipairs(list) do
    texts[#texts + 1] = fn(item)
  end
  return concat(texts, separator)
end

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function quoted(names)
  return each(names, ", ", function(name)
    return "`" .. name .. "`"
  end)
end

-- --- the manual ----------------------------------------------------------

-- In a cell of a table.
local function cell(text)
  return (text:gsub("|", "\\|"))
end

local GIVES = { page = "rows", list = "list", object = "table", started = "started", none = "`true`", bytes = "bytes" }

-- Words in the code's own letters: {a = 1}, START_PROCESS, start_date, taskList.
local IN_CODE = { "%b{}", "%f[%w_]%a%w*_[%w_]+%f[^%w_]", "%f[%w_]%l[%l%d]*%u%w*%f[^%w_]" }

--- Such words stand as code.
local function as_code(text)
  for _, pattern in ipairs(IN_CODE) do
    text = text:gsub("([^`]*)(`?[^`]*`?)", function(plain, code)
      return plain:gsub(pattern, "`%0`") .. code
    end)
  end
  return text
end

local function sentence(text)
  local first = text:match "^%l+%f[^%w_]" or ""
  return first:sub(1, 1):upper() .. first:sub(2) .. as_code(text:sub(#first + 1)) .. "."
end

--- What is to say of a parameter behind its name.
local function told_of(param)
  local notes = help.notes(param)
  notes[#notes + 1] = help.values(param)
  return (param[1] ~= param[2] and format(" *%s*", param[2]) or "")
    .. (notes[1] and ": " .. as_code(concat(notes, "; ")) or "")
end

--- Of neighbours of which the same is to say it is said once.
-- @treturn table array of texts
local function param_texts(params)
  local texts, names = {}, {}
  for i, param in ipairs(params) do
    local form = (help.is_required(param) and "**`%s`**" or "`%s`")
    names[#names + 1] = format(form, param[1])
    local next_one = params[i + 1]
    if not next_one or help.is_required(next_one) ~= help.is_required(param) or told_of(next_one) ~= told_of(param) then
      texts[#texts + 1] = concat(names, ", ") .. told_of(param)
      names = {}
    end
  end
  return texts
end

-- Columns of a line in the manual.
local WIDTH = 120

--- On one line where they fit, else a list.
local function params_of(row)
  local texts = param_texts(row.params)
  local line = concat(texts, " · ")
  return #line <= WIDTH and line or each(texts, "\n", function(text)
    return help.wrap("- " .. text, "  ", WIDTH)
  end)
end

local function anchor(name)
  return "#" .. name:gsub("%.", "")
end

local function table_line(row)
  local class = row.ttl_s and row.replay .. ", " .. help.duration(row.ttl_s) or row.replay
  return format("| [%s](%s) | %s | %s | %s | %s |", row.verb, anchor(row.operation), cell(as_code(row.summary)),
    GIVES[row.result], help.lines(row) or "all", class)
end

local function section(row)
  local parts = { "### " .. row.operation, format("`%s %s`", row.method, help.path(row)) }
  if #row.params > 0 then
    parts[#parts + 1] = params_of(row)
  end
  local remarks = help.remarks(row)
  if #remarks > 0 then
    parts[#parts + 1] = help.wrap(each(remarks, " ", sentence), "", WIDTH)
  end
  return concat(parts, "\n\n")
end

local function chapter(resource)
  local rows = help.rows_of(resource)
  local parts = { "## " .. resource, help.ABOUT[resource] }
  parts[#parts + 1] = "| operation | | gives | lines | class, cached for |\n|---|---|---|---|---|\n"
    .. each(rows, "\n", table_line)
  parts[#parts + 1] = help.BESIDE[resource] and "| beside them | |\n|---|---|\n"
    .. each(help.BESIDE[resource], "\n", function(one)
      local text = one[4] and one[3] .. ". Options: " .. one[4] or one[3]
      return format("| `%s%s` | %s |", one[1], one[2], cell(as_code(text)))
    end)
  for _, row in ipairs(rows) do
    parts[#parts + 1] = section(row)
  end
  return concat(parts, "\n\n")
end

local function seed_line(name)
  local row = operations.find(name)
  return format("| `%s` | [%s](%s) | %s |", help.SEED[name], row.operation, anchor(row.operation), cell(row.summary))
end

local function manual()
  local count = 0
  local index = each(operations.RESOURCES, "\n", function(resource)
    local rows = help.rows_of(resource)
    count = count + #rows
    return format("| [%s](#%s) | %s | %d |", resource, resource, cell(help.ABOUT[resource]), #rows)
  end)
  return fill("docs/templates/operations.md.in", {
    operations = format("%d", count),
    resources = format("%d", #operations.RESOURCES),
    index = index,
    types = each(help.TYPES, "\n", function(type)
      return format("| %s | %s |", quoted(type.names), cell(type.takes))
    end),
    classes = each({ "read", "repeatable", "once" }, "\n", function(class)
      return format("| %s | %s |", class, help.CLASSES[class])
    end),
    seed = each(sorted_keys(help.SEED), "\n", seed_line),
    manual = each(operations.RESOURCES, "\n\n", chapter),
  })
end

-- --- the type definitions ------------------------------------------------

local lua_type = {}
for _, type in ipairs(help.TYPES) do
  for _, name in ipairs(type.names) do
    lua_type[name] = "dsclient.arg." .. name
  end
end

local function aliases()
  return each(help.TYPES, "\n", function(type)
    return each(type.names, "\n", function(name)
      return format("---@alias dsclient.arg.%s %s", name, type.lua)
    end)
  end)
end

--- Has it to be given whatever the server's line is? A project has not where several
-- may stand in its place.
local function is_must(row, param)
  return help.is_required(param) and not help.lines(param) and not (param[1] == "project" and operations.batched(row))
end

local function type_of(param)
  if not param.values then
    return lua_type[param[2]]
  end
  return lua_type[param[2]] .. "|" .. param.values:gsub("%S+", '"%0"'):gsub(" ", "|")
end

-- What a list takes beside the parameters of its row.
local OF_PAGES = "---@field page_size? integer rows a request\n---@field rows_max? integer more rows are an error\n"
  .. "---@field limit? integer so many rows are enough\n"

local OF_PROJECTS = "---@field projects? dsclient.several_projects in place of project: several at a time\n"

local function args_name(row)
  return "dsclient." .. row.operation .. ".args"
end

local function args_class(row)
  local fields = each(row.params, "", function(param)
    local notes = concat(help.notes(param), "; ")
    return format("---@field %s%s %s%s\n", param[1], is_must(row, param) and "" or "?", type_of(param),
      notes ~= "" and " " .. notes or "")
  end)
  return format("---@class %s\n%s%s%s", args_name(row), fields, operations.batched(row) and OF_PROJECTS or "",
    row.result == "page" and OF_PAGES or "")
end

local ROWS = { instance = "dsclient.instance", task = "dsclient.task_instance" }

local function is_of_codes(row)
  return row.codes and row.codes[1] == "data[]"
end

--- What a call gives, as a type. An object that is read is its row; another one
-- may hold rows.
local function result_of(row)
  local item = is_of_codes(row) and "string" or ROWS[row.rows] or row.result == "list" and "any" or "dsclient.object"
  if row.result == "page" or row.result == "list" then
    return item .. "[]"
  elseif row.result == "object" then
    return row.verb:find "^get" and ROWS[row.rows] or "dsclient.object"
  end
  return ({ started = "dsclient.started", none = "true", bytes = "string|{bytes: integer}" })[row.result]
end

local function needs_args(row)
  for _, param in ipairs(row.params) do
    if is_must(row, param) or param[1] == "project" and param.path then
      return true
    end
  end
  return false
end

--- A method without a body.
-- @tparam string|nil number a parameter before the others, a whole number
local function method(resource, verb, about, args, returns, number)
  local params = (number and format("---@param %s integer\n", number) or "")
    .. format("---@param args%s\n---@param opts? dsclient.call_options\n", args)
  return format("---%s\n%s%sfunction %s:%s(%sargs, opts) end\n", about, params, returns, resource, verb,
    number and number .. ", " or "")
end

local ERROR = "---@return dsclient.error err\n---@return dsclient.meta meta\n"

--- The methods that a list has beside it.
local function paged(row, args)
  local rows = result_of(row)
  return concat({
    method(row.resource, "page", "One page of the list, from 1 on; meta.total is how many rows there are.", args,
      format("---@return %s? rows\n%s", rows, ERROR), "number"),
    method(row.resource, "pages", "The pages of the list, one at each next().", args,
      format("---@return {next: fun(): %s?, dsclient.error?}\n", rows)),
    method(row.resource, "each", "Iterates over the rows; throws the error of a page that failed.", args,
      format("---@return fun(): %s?\n", rows:gsub("%[%]$", ""))),
  }, "\n")
end

local function definition(row)
  local lines = help.lines(row)
  local about = format("%s (%s%s)", sentence(row.summary):gsub("%.$", ""), row.replay, lines and ", " .. lines or "")
  local args = (needs_args(row) and " " or "? ") .. args_name(row)
  local parts = {
    args_class(row),
    method(row.resource, row.verb, about, args, format("---@return %s? value\n%s", result_of(row), ERROR)),
  }
  if row.verb == "list" and row.result == "page" then
    parts[3] = paged(row, args)
  end
  return concat(parts, "\n")
end

local function resource_class(resource)
  return format("---%s\n---@class dsclient.%s\nlocal %s = {}\n\n%s", help.ABOUT[resource], resource, resource,
    each(help.rows_of(resource), "\n", definition))
end

local OPTION_TYPES = {
  secret = "string|fun(): string?", proxy = "string|false", object = "table", status = "integer",
  ["function"] = "function",
}

local function option_type(rule)
  if rule.type == "list" then
    return option_type { type = rule.item } .. "[]"
  elseif rule.type == "choice" then
    return '"' .. concat(rule.values, '"|"') .. '"'
  end
  return OPTION_TYPES[rule.type] or rule.type
end

local function option_notes(rule)
  local notes = {}
  if rule.default ~= nil then
    local value = rule.default
    notes[1] = "default " .. (type(value) == "table" and concat(value, " ") or tostring(value))
  end
  if rule.type == "number" or rule.type == "integer" then
    notes[#notes + 1] = format("%.14g to %.14g", rule.min, rule.max)
  end
  return notes[1] and " (" .. concat(notes, "; ") .. ")" or ""
end

--- A line `---@option CLIENT.name text` becomes a field with its type, its
-- default and its bounds.
local function with_options(text)
  return (text:gsub("%-%-%-@option ([%u_]+)%.([%w_]+) ([^\n]*)", function(set, name, about)
    local rule = assert(options[set][name], "no option is called " .. name)
    return format("---@field %s? %s %s%s", name, option_type(rule), about, option_notes(rule))
  end))
end

local function definitions()
  return with_options(fill("docs/templates/dsclient.lua.in", {
    aliases = aliases(),
    resources = each(operations.RESOURCES, "\n", resource_class),
    fields = each(operations.RESOURCES, "\n", function(resource)
      return format("---@field %s dsclient.%s", resource, resource)
    end),
  }))
end

-- --- both ----------------------------------------------------------------

local stale = false
for path, text in pairs { ["docs/operations.md"] = manual(), ["types/dsclient.lua"] = definitions() } do
  if arg[1] ~= "--check" then
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  elseif read(path) ~= text then
    stale = true
    io.stderr:write(path, " is not what the table says: run `make docs`\n")
  end
end
os.exit(not stale)

--- What the parts of resty.dsclient want of the worker they are in.

local errors = require "dsclient.errors"

local ngx = ngx
local format = string.format

local _M = {}

local LEVELS = { debug = ngx.DEBUG, info = ngx.INFO, warn = ngx.WARN, error = ngx.ERR }

--- The log of nginx, as the option `log` of a client.
function _M.log(level, message)
  ngx.log(LEVELS[level] or ngx.NOTICE, "dsclient: ", message)
end

--- The dict of a name; throws where there is none.
-- @tparam string what how the message begins
-- @tparam string option the name of the option that names the dict
function _M.dict(what, option, name)
  local dict = type(name) == "string" and ngx.shared[name]
  if not dict then
    errors.throw(format("%s: option %q: the name of a lua_shared_dict expected, got %s", what, option,
      type(name) == "string" and errors.quoted(name) or type(name)))
  end
  return dict
end

return _M

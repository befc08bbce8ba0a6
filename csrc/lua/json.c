/* The JSON codec's places in the module table. */
#include "lua/json.h"

#include "core/envelope.h"

/* core.array([t]) -> t marked as an array: it is written as [] when empty */
static int core_array(lua_State *L) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_getmetatable(L, LDSC_ARRAY);
  lua_setmetatable(L, 1);
  return 1;
}

#define MESSAGE_BYTES_DEFAULT 300
#define MESSAGE_BYTES_MAX 4096

/*
** core.envelope(text [, message_bytes_max]) -> false where it is none, or
** true, code | nil, message, first, last: where in the text `data` lies,
** nothing where it is null
*/
static int core_envelope(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer size = luaL_optinteger(L, 2, MESSAGE_BYTES_DEFAULT);
  luaL_argcheck(L, size >= 0 && size <= MESSAGE_BYTES_MAX, 2,
                "0 to 4096 bytes");
  const struct dsc_known nothing = {NULL, 0};
  struct dsc_envelope envelope;
  char message[MESSAGE_BYTES_MAX + 1];
  bool valid = dsc_envelope_read(text, length, nothing, &envelope);
  lua_pushboolean(L, valid);
  if (!valid)
    return 1;
  if (envelope.has_code)
    lua_pushinteger(L, (lua_Integer)envelope.code);
  else
    lua_pushnil(L);
  size_t written =
      dsc_envelope_message(&envelope, message, (size_t)size + 1);
  lua_pushlstring(L, message, written);
  if (envelope.data == NULL)
    return 3;
  size_t from = (size_t)(envelope.data - text);
  lua_pushinteger(L, (lua_Integer)from + 1);
  lua_pushinteger(L, (lua_Integer)(from + envelope.data_length));
  return 5;
}

/* core.decode(text) -> the value of a text that core.encode wrote */
static int core_decode(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  ldsc_decode(L, text, length);
  return 1;
}

static const luaL_Reg functions[] = {
    {"array", core_array},
    {"decode", core_decode},
    {"envelope", core_envelope},
    {NULL, NULL},
};

/* ----------------------------------------------------------------------- */

void ldsc_open_json(lua_State *L) {
  ldsc_setfuncs(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  luaL_newmetatable(L, LDSC_ARRAY);
  lua_pushliteral(L, LDSC_ARRAY);
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, "array"); /* as dkjson marks them */
  lua_setfield(L, -2, "__jsontype");
  lua_setfield(L, -2, "array_mt");
  ldsc_open_shape(L);
  ldsc_open_decode(L);
  ldsc_open_encode(L);
}

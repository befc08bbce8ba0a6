#include "core/url.h"

#include "lua/module.h"

#define PIECE 256

static void add_escaped(luaL_Buffer *buffer, const char *text,
                        size_t length) {
  char piece[DSC_URL_GROWTH * PIECE];
  for (size_t at = 0; at < length; at += PIECE) {
    size_t part = length - at < PIECE ? length - at : PIECE;
    luaL_addlstring(buffer, piece, dsc_url_escape(piece, text + at, part));
  }
}

/* core.escape(text) -> text for a path, a query or a form */
static int core_escape(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  add_escaped(&buffer, text, length);
  luaL_pushresult(&buffer);
  return 1;
}

/* core.form({name, value, name, value, …}) -> "name=value&name=value" */
static int core_form(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  int count = (int)ldsc_rawlen(L, 1);
  luaL_Buffer buffer;
  luaL_checkstack(L, count + LUA_MINSTACK, "too many fields");
  for (int i = 1; i <= count; i++)
    lua_rawgeti(L, 1, i);
  luaL_buffinit(L, &buffer);
  for (int i = 1; i <= count; i++) {
    size_t length;
    const char *text = luaL_checklstring(L, 1 + i, &length);
    if (i > 1)
      luaL_addchar(&buffer, i % 2 == 1 ? '&' : '=');
    add_escaped(&buffer, text, length);
  }
  luaL_pushresult(&buffer);
  return 1;
}

static const luaL_Reg functions[] = {
    {"escape", core_escape},
    {"form", core_form},
    {NULL, NULL},
};

void ldsc_open_url(lua_State *L) { ldsc_setfuncs(L, functions); }

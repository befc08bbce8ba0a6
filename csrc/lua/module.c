#include "lua/module.h"

LDSC_EXPORT int luaopen_dsclient_core(lua_State *L);

int luaopen_dsclient_core(lua_State *L) {
  ldsc_checkversion(L);
  lua_newtable(L);
  return 1;
}

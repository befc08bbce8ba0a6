#include "lua/module.h"

LDSC_EXPORT int luaopen_dsclient_core(lua_State *L);

int luaopen_dsclient_core(lua_State *L) {
  ldsc_checkversion(L);
  lua_newtable(L);
  ldsc_open_json(L);
  ldsc_open_url(L);
  ldsc_open_http1(L);
  ldsc_open_client(L);
  ldsc_open_call(L);
  ldsc_open_cache(L);
  ldsc_open_metrics(L);
  ldsc_open_snapshot(L);
  ldsc_open_status(L);
  ldsc_open_shortcut(L);
  ldsc_open_shared(L);
  return 1;
}

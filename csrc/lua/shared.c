/*
** What clients of several processes share, as Lua puts it into a store.
*/
#include "core/shared.h"
#include "lua/client.h"

#define US 1e6

/* core.scope(client, common, own, store): what parts its names from others',
** and the names of its results; and where its entries are. */
static int core_scope(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  size_t common_length, own_length;
  const char *common = luaL_checklstring(L, 2, &common_length);
  const char *own = luaL_checklstring(L, 3, &own_length);
  dsc_shared_scope(&client->core, common, common_length, own, own_length);
  lua_settop(L, 4);
  ldsc_getvalue(L, 1);
  lua_insert(L, 4);
  lua_rawseti(L, 4, LDSC_STORE);
  return 0;
}

void ldsc_pushname(lua_State *L, const struct dsc_client *client, char tag,
                   bool own, const char *key, size_t length) {
  uint64_t hash = dsc_shared_name(client, own, key, length);
  char name[1 + sizeof hash];
  name[0] = tag;
  memcpy(name + 1, &hash, sizeof hash);
  lua_pushlstring(L, name, sizeof name);
}

/* core.name(client, tag, key [, own]) -> a short name for it, in the store */
static int core_name(lua_State *L) {
  const struct ldsc_client *client = ldsc_checkclient(L, 1);
  size_t length;
  char tag = *luaL_checkstring(L, 2);
  const char *key = luaL_checklstring(L, 3, &length);
  ldsc_pushname(L, &client->core, tag, lua_toboolean(L, 4) != 0, key, length);
  return 1;
}

/* core.seal(client, key, text, stamp, ttl_s, stale_s) -> bytes for the store */
static int core_seal(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct dsc_sealed sealed;
  size_t key_length;
  const char *key = luaL_checklstring(L, 2, &key_length);
  sealed.text = luaL_checklstring(L, 3, &sealed.length);
  sealed.stamp = (uint64_t)luaL_checknumber(L, 4);
  sealed.lifetime.fresh_us = (int64_t)(luaL_checknumber(L, 5) * US);
  sealed.lifetime.stale_us = (int64_t)(luaL_checknumber(L, 6) * US);
  sealed.lifetime.age_us = 0;
  char *bytes = (char *)lua_newuserdata(L, DSC_SEAL_BYTES + sealed.length);
  if (client->core.env == NULL)
    return 0;
  memcpy(bytes + DSC_SEAL_BYTES, sealed.text, sealed.length);
  dsc_seal(&client->core, key, key_length, &sealed, bytes);
  lua_pushlstring(L, bytes, DSC_SEAL_BYTES + sealed.length);
  return 1;
}

/*
** core.set_limits(client, bytes) -> were they as call:limits gives them? Such
** as are not change nothing.
*/
static int core_set_limits(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  size_t length;
  const char *limits = luaL_checklstring(L, 2, &length);
  lua_pushboolean(L, client->core.env != NULL &&
                         dsc_limits_read(&client->core, limits, length));
  return 1;
}

/* core.trust(client, seconds): for so long the short way to the cache is
** open; then it leads nowhere, until this is said again. */
static int core_trust(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  lua_Number us = luaL_checknumber(L, 2) * US;
  if (client->core.cache != NULL)
    dsc_cache_trust(client->core.cache,
                    dsc_now_us(client->core.env) + (int64_t)us);
  return 0;
}

/* ----------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"scope", core_scope}, {"name", core_name},
    {"seal", core_seal},   {"set_limits", core_set_limits},
    {"trust", core_trust}, {NULL, NULL},
};

void ldsc_open_shared(lua_State *L) {
  ldsc_setfuncs(L, functions);
  ldsc_setinteger(L, "SEAL_BYTES", DSC_SEAL_BYTES);
}

/*
** The cache as Lua sees it: text under a key, and objects beside it.
*/
#include <string.h>

#include "core/shared.h"
#include "lua/cache.h"
#include "lua/metrics.h"

/* What a decoded value takes, as a multiple of its JSON text (measured on
** lists of runs: 5.1 to 6.3). */
#define OBJECT_FACTOR 6

#define US 1e6

/* False where there is no cache, or the key is longer than what is kept. */
static bool read_key(lua_State *L, const struct ldsc_client *client, int arg,
                     uint64_t identity, struct ldsc_cachekey *key) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  ldsc_beginkey(key, identity);
  return client->core.cache != NULL && ldsc_addtokey(key, text, length);
}

/* In all below the client stands at stack index `at`. */

/* Lets go of the objects whose entries have gone. */
static void drop_objects(lua_State *L, int at, struct ldsc_client *client) {
  uint32_t index = dsc_cache_dropped(client->core.cache);
  if (index == UINT32_MAX)
    return;
  ldsc_getvalue(L, at);
  do {
    lua_pushnil(L);
    lua_rawseti(L, -2, (int)index + 1);
    index = dsc_cache_dropped(client->core.cache);
  } while (index != UINT32_MAX);
  lua_pop(L, 1);
}

bool ldsc_entrylives(const struct ldsc_client *client,
                     const struct dsc_entry *entry) {
  return client->core.cache != NULL &&
         dsc_cache_lives(client->core.cache, entry);
}

/* Pushes the object that is kept for the entry; something lies below it. */
static void push_object(lua_State *L, int at, uint32_t index) {
  ldsc_getvalue(L, at);
  lua_rawgeti(L, -1, (int)index + 1);
}

/* Sets the object of the entry, worth `charge` bytes, to the value on top. */
static void set_object(lua_State *L, int at, struct ldsc_client *client,
                       uint32_t index, size_t charge) {
  ldsc_getvalue(L, at);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (int)index + 1);
  if (!dsc_cache_set_object(client->core.cache, index, charge)) {
    lua_pushnil(L);
    lua_rawseti(L, -2, (int)index + 1);
  }
  lua_pop(L, 1);
  drop_objects(L, at, client);
}

bool ldsc_pushentry(lua_State *L, int at, struct ldsc_client *client,
                    const struct dsc_entry *entry, bool borrow) {
  if (borrow && dsc_cache_has_object(client->core.cache, entry->index)) {
    push_object(L, at, entry->index);
    return true;
  }
  char *text = (char *)lua_newuserdata(L, entry->length);
  if (!ldsc_entrylives(client, entry))
    return false;
  memcpy(text, entry->value, entry->length);
  ldsc_decode(L, text, entry->length);
  if (borrow && ldsc_entrylives(client, entry))
    set_object(L, at, client, entry->index, entry->length * OBJECT_FACTOR);
  return true;
}

static bool find(lua_State *L, struct ldsc_client *client,
                 const struct ldsc_cachekey *key, struct dsc_entry *entry) {
  bool hit = dsc_cache_get(client->core.cache, key->bytes, key->length, entry);
  if (!hit)
    drop_objects(L, 1, client);
  return hit;
}

/* The operation under which a look-up is counted; none where it is not. */
struct counted {
  uint32_t metric;
  bool counts;
};

static struct counted read_counted(lua_State *L, struct ldsc_client *client,
                                   int arg) {
  struct counted counted = {0, false};
  if (lua_isnil(L, arg) || !client->core.config.metrics_on)
    return counted;
  uint32_t number = ldsc_checkoperation(L, client, arg);
  counted.metric = client->core.operations[number].operation.metric;
  counted.counts = true;
  return counted;
}

/* Pushes the value of a hit, and its age; or nothing. */
static int push_hit(lua_State *L, struct ldsc_client *client,
                    const struct dsc_entry *entry, bool borrow) {
  if (!ldsc_pushentry(L, 1, client, entry, borrow))
    return 0;
  lua_pushnumber(L, (lua_Number)entry->age_us / US);
  return 2;
}

/* Is the caller the one who fetches the entry anew? */
static bool claim(struct ldsc_client *client, const struct dsc_entry *entry) {
  if (entry->due)
    dsc_cache_claim(client->core.cache, entry);
  return entry->due;
}

/*
** core.lookup(client, operation, key, borrow, ahead) -> value, age_s, due; or
** nothing. Only what is fresh. It is counted for the operation, where one is
** given. `ahead`: the caller fetches it anew if it is due and there is room.
*/
static int core_lookup(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct counted counted = read_counted(L, client, 2);
  struct ldsc_cachekey key;
  struct dsc_entry entry;
  bool hit = read_key(L, client, 3, client->core.identity, &key) &&
             find(L, client, &key, &entry);
  bool due = hit && lua_toboolean(L, 5) != 0 && entry.due &&
             dsc_client_has_room(&client->core) && claim(client, &entry);
  if (counted.counts && hit)
    dsc_metrics_cached(&client->core.metrics, counted.metric, false);
  else if (counted.counts)
    dsc_metrics_missed(&client->core.metrics, counted.metric);
  int pushed =
      hit ? push_hit(L, client, &entry, lua_toboolean(L, 4) != 0) : 0;
  if (pushed == 0)
    return 0;
  lua_pushboolean(L, due);
  return pushed + 1;
}

/*
** core.stale(client, operation, key, borrow, within_s, ahead) -> value, age_s,
** stale, due; or nothing. After a miss: what has been stale for less than that.
** It may be fresh again: another call may have stored it since. `ahead`: the
** caller fetches it anew where it is due.
*/
static int core_stale(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct counted counted = read_counted(L, client, 2);
  int64_t within_us = (int64_t)(luaL_checknumber(L, 5) * US);
  struct ldsc_cachekey key;
  struct dsc_entry entry;
  if (!read_key(L, client, 3, client->core.identity, &key) ||
      !dsc_cache_get_stale(client->core.cache, key.bytes, key.length,
                           within_us, &entry))
    return 0;
  if (counted.counts)
    dsc_metrics_cached(&client->core.metrics, counted.metric, entry.stale);
  bool due = lua_toboolean(L, 6) != 0 && claim(client, &entry);
  int pushed = push_hit(L, client, &entry, lua_toboolean(L, 4) != 0);
  if (pushed == 0)
    return 0;
  lua_pushboolean(L, entry.stale);
  lua_pushboolean(L, due);
  return pushed + 2;
}

/* core.fresh(client, key) -> is there a fresh entry? Nothing is counted. */
static int core_fresh(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct ldsc_cachekey key;
  struct dsc_entry entry;
  lua_pushboolean(L, read_key(L, client, 2, client->core.identity, &key) &&
                         dsc_cache_peek(client->core.cache, key.bytes,
                                        key.length, UINT32_MAX, &entry));
  return 1;
}

/* core.share(client, key): after a miss, the value comes with another's
** fetch. */
static int core_share(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct ldsc_cachekey key;
  if (read_key(L, client, 2, client->core.identity, &key))
    dsc_cache_share(client->core.cache, key.bytes, key.length);
  return 0;
}

/* May a text of the store stand for the result of a read? */
static bool is_result(lua_State *L, bool list) {
  return lua_istable(L, -1) ||
         (!list && lua_isboolean(L, -1) && lua_toboolean(L, -1));
}

/* Keeps the value on top, which is the caller's from now on. */
static void keep_sealed(lua_State *L, int at, struct ldsc_client *client,
                        const struct ldsc_cachekey *key,
                        const struct dsc_sealed *sealed, bool borrow) {
  struct dsc_entry entry;
  bool kept = dsc_cache_put(client->core.cache, key->bytes, key->length,
                            sealed->text, sealed->length, 0,
                            &sealed->lifetime, &entry);
  drop_objects(L, at, client);
  if (kept && borrow)
    set_object(L, at, client, entry.index, entry.length * OBJECT_FACTOR);
}

enum ldsc_verdict ldsc_adopt(lua_State *L, int at, struct ldsc_client *client,
                             const struct ldsc_cachekey *key,
                             struct ldsc_offer *offer) {
  struct dsc_sealed sealed;
  if (client->core.cache == NULL)
    return LDSC_OLD;
  enum dsc_seal seal = dsc_unseal(
      &client->core, key->bytes + LDSC_IDENTITY_SIZE,
      key->length - LDSC_IDENTITY_SIZE, offer->bytes, offer->length,
      offer->stamp, &sealed);
  if (seal == DSC_SEAL_BROKEN)
    return LDSC_BROKEN;
  if (seal == DSC_SEAL_OLD || sealed.lifetime.age_us > offer->age_max_us)
    return LDSC_OLD;
  if (!ldsc_trydecode(L, sealed.text, sealed.length) ||
      !is_result(L, offer->list))
    return LDSC_BROKEN;
  if (client->core.cache != NULL)
    keep_sealed(L, at, client, key, &sealed, offer->borrow);
  offer->age_us = sealed.lifetime.age_us;
  return sealed.lifetime.age_us < sealed.lifetime.fresh_us ? LDSC_FRESH
                                                           : LDSC_STALE;
}

/*
** core.adopt(client, operation, key, bytes, stamp, borrow, list, shared
** [, age_max_s]) -> value, age_s; or nil, "broken", "old" or "stale"
** After a miss: an entry of the shared store, as core.seal made it for the
** key, becomes one of this cache, unless it is older than that. It is given,
** and counted as a hit, where it is fresh; `shared`: the miss stays one.
** `list`: it has to be a table.
*/
static int core_adopt(lua_State *L) {
  static const char *const verdicts[] = {"broken", "old", "stale"};
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct counted counted = read_counted(L, client, 2);
  struct ldsc_cachekey key;
  struct ldsc_offer offer = {0};
  offer.bytes = luaL_checklstring(L, 4, &offer.length);
  offer.stamp = (uint64_t)luaL_checknumber(L, 5);
  offer.borrow = lua_toboolean(L, 6) != 0;
  offer.list = lua_toboolean(L, 7) != 0;
  offer.age_max_us = INT64_MAX;
  if (!lua_isnoneornil(L, 9))
    offer.age_max_us = (int64_t)(luaL_checknumber(L, 9) * US);
  bool missed = !lua_toboolean(L, 8);
  enum ldsc_verdict verdict = LDSC_OLD;
  if (read_key(L, client, 3, client->core.identity, &key))
    verdict = ldsc_adopt(L, 1, client, &key, &offer);
  if (verdict != LDSC_FRESH) {
    lua_pushnil(L);
    lua_pushstring(L, verdicts[verdict]);
    return 2;
  }
  if (client->core.cache != NULL && missed)
    dsc_cache_found(client->core.cache, true);
  if (counted.counts && client->core.env != NULL)
    dsc_metrics_cached(&client->core.metrics, counted.metric, false);
  lua_pushnumber(L, (lua_Number)offer.age_us / US);
  return 2;
}

/* What the value at arg says of a fetch ahead; DSC_AHEADS: it was none. */
static enum dsc_ahead read_ahead(lua_State *L, int arg) {
  static const char *const names[] = {"prefetch", "refresh", NULL};
  if (lua_isnoneornil(L, arg))
    return DSC_AHEADS;
  return (enum dsc_ahead)luaL_checkoption(L, arg, NULL, names);
}

/*
** core.store(client, key, text, ttl_s, stale_s, ahead, operation) -> was it
** kept? ahead: "prefetch" or "refresh" of the operation, or nothing
*/
static int core_store(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct ldsc_cachekey key;
  struct dsc_entry entry;
  size_t length;
  const char *text = luaL_checklstring(L, 3, &length);
  struct dsc_lifetime lifetime;
  lifetime.fresh_us = (int64_t)(luaL_checknumber(L, 4) * US);
  lifetime.stale_us = (int64_t)(luaL_checknumber(L, 5) * US);
  lifetime.age_us = 0;
  enum dsc_ahead ahead = read_ahead(L, 6);
  uint32_t tag = 0;
  if (ahead != DSC_AHEADS)
    tag = client->core.operations[ldsc_checkoperation(L, client, 7)]
              .operation.metric;
  bool kept = false;
  if (read_key(L, client, 2, client->core.identity, &key)) {
    kept = dsc_cache_put(client->core.cache, key.bytes, key.length, text,
                         length, 0, &lifetime, &entry);
    if (ahead != DSC_AHEADS)
      dsc_cache_set_ahead(client->core.cache,
                          kept ? entry.index : UINT32_MAX, ahead, tag);
    drop_objects(L, 1, client);
  }
  lua_pushboolean(L, kept);
  return 1;
}

/* core.keep(client, key, object, charge, ttl_s): an object of the user's. */
static int core_keep(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct ldsc_cachekey key;
  struct dsc_entry entry;
  size_t charge = (size_t)luaL_checknumber(L, 4);
  struct dsc_lifetime lifetime;
  lifetime.fresh_us = (int64_t)(luaL_checknumber(L, 5) * US);
  lifetime.stale_us = 0;
  lifetime.age_us = 0;
  if (!read_key(L, client, 2, LDSC_NO_IDENTITY, &key))
    return 0;
  bool kept = dsc_cache_put(client->core.cache, key.bytes, key.length, NULL, 0,
                            charge, &lifetime, &entry);
  drop_objects(L, 1, client);
  if (kept) {
    lua_pushvalue(L, 3);
    set_object(L, 1, client, entry.index, 0);
  }
  return 0;
}

/* core.recall(client, key) -> the object kept under the key, or nothing */
static int core_recall(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct ldsc_cachekey key;
  struct dsc_entry entry;
  /* without an object: there was no memory to set it */
  if (!read_key(L, client, 2, LDSC_NO_IDENTITY, &key) ||
      !find(L, client, &key, &entry) ||
      !dsc_cache_has_object(client->core.cache, entry.index))
    return 0;
  push_object(L, 1, entry.index);
  return 1;
}

/* Drops the entries of all identities whose keys begin so; how many. */
static int drop(lua_State *L, const char *prefix, size_t length) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  uint32_t count = 0;
  if (client->core.cache != NULL) {
    count = dsc_cache_drop(client->core.cache, LDSC_IDENTITY_SIZE, prefix,
                           length);
    drop_objects(L, 1, client);
  }
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* core.drop(client, prefix) -> how many entries went */
static int core_drop(lua_State *L) {
  size_t length;
  const char *prefix = luaL_checklstring(L, 2, &length);
  return drop(L, prefix, length);
}

/* core.clear(client) -> how many entries went */
static int core_clear(lua_State *L) { return drop(L, "", 0); }

/* core.clean(client) -> how many entries had expired */
static int core_clean(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  uint32_t count = 0;
  if (client->core.cache != NULL) {
    count = dsc_cache_clean(client->core.cache);
    drop_objects(L, 1, client);
  }
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* core.cache_stats(client) -> {size, hits, misses, …}; zeros when off */
static int core_cache_stats(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct dsc_cache_stats stats;
  memset(&stats, 0, sizeof stats);
  if (client->core.cache != NULL)
    dsc_cache_get_stats(client->core.cache, &stats);
  lua_createtable(L, 0, 14);
  ldsc_setinteger(L, "size", stats.size);
  ldsc_setinteger(L, "bytes", stats.bytes);
  ldsc_setinteger(L, "hits", stats.hits);
  ldsc_setinteger(L, "stale_hits", stats.stale_hits);
  ldsc_setinteger(L, "shared", stats.shared);
  ldsc_setinteger(L, "found", stats.found);
  ldsc_setinteger(L, "misses", stats.misses);
  ldsc_setinteger(L, "evictions", stats.evictions);
  ldsc_setinteger(L, "expired", stats.expired);
  ldsc_setfates(L, stats.ahead);
  return 1;
}

/* ----------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"lookup", core_lookup},
    {"stale", core_stale},
    {"fresh", core_fresh},
    {"share", core_share},
    {"adopt", core_adopt},
    {"store", core_store},
    {"keep", core_keep},
    {"recall", core_recall},
    {"drop", core_drop},
    {"clear", core_clear},
    {"clean", core_clean},
    {"cache_stats", core_cache_stats},
    {NULL, NULL},
};

void ldsc_open_cache(lua_State *L) { ldsc_setfuncs(L, functions); }

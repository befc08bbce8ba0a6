/*
** The userdata client and what belongs to it: operations, cache, counters.
*/
#include "lua/client.h"

#include <string.h>
#include <unistd.h>

/* A longer key is not worth its place in the cache. */
#define KEY_MAX 2048
/* What a decoded value takes, as a multiple of its JSON text (measured on
** lists of runs: 5.1 to 6.3). */
#define OBJECT_FACTOR 6

#define US 1e6

static int client_gc(lua_State *L);

/* The metatables differ from client to client; this function in the first
** field of each is the mark of a client. */
struct ldsc_client *ldsc_checkclient(lua_State *L, int arg) {
  struct ldsc_client *client = (struct ldsc_client *)lua_touserdata(L, arg);
  bool ours = false;
  if (client != NULL && lua_getmetatable(L, arg)) {
    lua_rawgeti(L, -1, 1);
    ours = lua_tocfunction(L, -1) == client_gc;
    lua_pop(L, 2);
  }
  if (!ours)
    luaL_argerror(L, arg, "dsclient client expected (call it with a colon)");
  return client;
}

/* --- making and closing ------------------------------------------------ */

static lua_Number number_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  lua_Number value = luaL_checknumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static bool flag_field(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  bool value = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return value;
}

static int64_t us_field(lua_State *L, int table, const char *name) {
  return (int64_t)(number_field(L, table, name) * US);
}

static enum dsc_jitter jitter_field(lua_State *L, int table) {
  static const char *const names[] = {"auto", "full", "equal", "none", NULL};
  lua_getfield(L, table, "jitter");
  int jitter = luaL_checkoption(L, -1, "auto", names);
  lua_pop(L, 1);
  return (enum dsc_jitter)jitter;
}

static void read_statuses(lua_State *L, int table,
                          struct dsc_retry_policy *policy) {
  lua_getfield(L, table, "retry_statuses");
  luaL_checktype(L, -1, LUA_TTABLE);
  size_t count = ldsc_rawlen(L, -1);
  for (size_t i = 0; i < count && i < DSC_RETRY_STATUSES_MAX; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    policy->statuses[i] = (int32_t)luaL_checkinteger(L, -1);
    policy->statuses_count = (int32_t)i + 1;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void read_config(lua_State *L, int table, struct dsc_config *config) {
  memset(config, 0, sizeof *config);
  config->retry.max_retries = (int32_t)number_field(L, table, "max_retries");
  config->retry.backoff_us = us_field(L, table, "backoff_s");
  config->retry.backoff_max_us = us_field(L, table, "backoff_max_s");
  config->retry.jitter = jitter_field(L, table);
  read_statuses(L, table, &config->retry);
  config->cache_on = flag_field(L, table, "enable_cache");
  config->metrics_on = flag_field(L, table, "enable_metrics");
  config->cache.entries_max =
      (uint32_t)number_field(L, table, "cache_entries_max");
  config->cache.bytes_max = (size_t)number_field(L, table, "cache_bytes_max");
  config->servers = (uint32_t)number_field(L, table, "servers");
}

static int client_gc(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  dsc_client_free(&client->core);
  return 0;
}

static int client_close(lua_State *L) {
  ldsc_checkclient(L, 1);
  lua_getfield(L, 1, "close");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
  return 0;
}

/* The client's own methods, falling back to the shared ones at `shared`. */
static void push_methods(lua_State *L, int shared) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushvalue(L, shared);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

static void set_metatable(lua_State *L, int client, int shared) {
  lua_newtable(L);
  lua_pushcfunction(L, client_gc);
  lua_rawseti(L, -2, 1);
  push_methods(L, shared);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__newindex");
  lua_setfield(L, -2, "__index");
  lua_getfield(L, shared, "__tostring");
  lua_setfield(L, -2, "__tostring");
  lua_pushcfunction(L, client_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, client_close);
  lua_setfield(L, -2, "__close");
  lua_pushliteral(L, "dsclient.client");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, client);
}

/*
** core.new(config, shared) -> client: config holds checked numbers only,
** shared the methods of all clients and their __tostring.
*/
static int core_new(lua_State *L) {
  struct dsc_config config;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  read_config(L, 1, &config);
  bool virtual_clock = flag_field(L, 1, "virtual_clock");
  struct ldsc_client *client =
      (struct ldsc_client *)ldsc_newuserdata(L, sizeof *client);
  memset(client, 0, sizeof *client);
  int index = lua_gettop(L);
  set_metatable(L, index, 2);
  lua_newtable(L);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, 0);
  ldsc_setvalue(L, index);
  ldsc_env_init(L, &client->env);
  if (virtual_clock)
    client->env.virtual_us = 0;
  if (!dsc_client_init(&client->core, &client->env.env, &config)) {
    dsc_client_free(&client->core);
    return luaL_error(L, "not enough memory");
  }
  return 1;
}

/* core.release(client): gives back all it holds; idempotent. */
static int core_release(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  dsc_client_free(&client->core);
  lua_newtable(L);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 0);
  ldsc_setvalue(L, 1);
  return 0;
}

/* core.advance(client, seconds): moves the clock of a test on. */
static int core_advance(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  if (client->env.virtual_us < 0)
    return luaL_error(L, "this client goes by the machine's clock");
  client->env.virtual_us += (int64_t)(luaL_checknumber(L, 2) * US);
  return 0;
}

/*
** core.enter(client) -> seconds on its clock; nil and why, where it can't be
** used: every road into the client begins here.
*/
static int core_enter(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  const char *why = NULL;
  pid_t pid = getpid();
  if (client->pid == 0)
    client->pid = pid;
  if (client->core.env == NULL)
    why = "the client is closed";
  else if (client->pid != pid)
    why = "the process was forked: the child needs a client of its own";
  if (why == NULL) {
    lua_pushnumber(L, (lua_Number)dsc_now_us(client->core.env) / US);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* core.time(client) -> seconds on the clock its deadlines are told in. */
static int core_time(lua_State *L) {
  const struct ldsc_client *client = ldsc_checkclient(L, 1);
  lua_pushnumber(L, (lua_Number)dsc_now_us(&client->env.env) / US);
  return 1;
}

/* --- operations -------------------------------------------------------- */

/*
** core.register(client, {name, replay, timeout_s, attempt_timeout_s,
** already}) -> number of the operation
*/
static int core_register(lua_State *L) {
  static const char *const replays[] = {"read", "repeatable", "once", NULL};
  struct dsc_operation operation;
  luaL_checktype(L, 2, LUA_TTABLE);
  memset(&operation, 0, sizeof operation);
  operation.timeout_us = us_field(L, 2, "timeout_s");
  operation.attempt_timeout_us = us_field(L, 2, "attempt_timeout_s");
  lua_getfield(L, 2, "replay");
  operation.replay = (enum dsc_replay)luaL_checkoption(L, -1, NULL, replays);
  lua_getfield(L, 2, "already");
  for (int i = 0; lua_istable(L, -1) && i < DSC_ALREADY_MAX &&
                  ldsc_rawgeti(L, -1, i + 1) != LUA_TNIL;
       i++) {
    operation.already[operation.already_count++] = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
  }
  lua_getfield(L, 2, "name");
  size_t length;
  const char *name = luaL_checklstring(L, -1, &length);
  luaL_argcheck(L, length > 0 && length <= DSC_METRIC_NAME_MAX, 2,
                "a name of 1 to 128 bytes expected");
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  if (client->core.env == NULL) {
    lua_pushinteger(L, 0);
    return 1;
  }
  operation.metric = dsc_metrics_register(&client->core.metrics, name, length);
  uint32_t index = UINT32_MAX;
  if (operation.metric != UINT32_MAX)
    index = dsc_client_operation(&client->core, &operation);
  if (index == UINT32_MAX)
    return luaL_error(L, "not enough memory");
  lua_pushinteger(L, (lua_Integer)index);
  return 1;
}

/* The number of an operation, as core.register gave it. */
static uint32_t check_operation(lua_State *L, struct ldsc_client *client,
                                int arg) {
  lua_Integer index = luaL_checkinteger(L, arg);
  lua_Integer count = (lua_Integer)client->core.operations_count;
  luaL_argcheck(L, index >= 0 && index < count, arg, "no such operation");
  return (uint32_t)index;
}

/* core.record(client, operation, failed, seconds): a call of the user's own. */
static int core_record(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  if (client->core.config.metrics_on)
    dsc_metrics_call(
        &client->core.metrics,
        client->core.operations[check_operation(L, client, 2)].metric,
        lua_toboolean(L, 3) != 0, (int64_t)(luaL_checknumber(L, 4) * US));
  return 0;
}

/* --- cache ------------------------------------------------------------- */

/* core.identify(client, token): whose entries are seen from now on. */
static int core_identify(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  size_t length;
  const char *token = luaL_checklstring(L, 2, &length);
  dsc_client_identify(&client->core, token, length);
  return 0;
}

/* An entry's key begins with the identity whose it is; objects that the user
** keeps are of none: they stay when the token changes. */
#define IDENTITY_SIZE sizeof(uint64_t)
#define NO_IDENTITY 0

struct cache_key {
  char bytes[IDENTITY_SIZE + KEY_MAX];
  size_t length;
};

/* False where there is no cache, or the key is longer than what is kept. */
static bool read_key(lua_State *L, const struct ldsc_client *client, int arg,
                     uint64_t identity, struct cache_key *key) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  if (client->core.cache == NULL || length > KEY_MAX)
    return false;
  memcpy(key->bytes, &identity, IDENTITY_SIZE);
  memcpy(key->bytes + IDENTITY_SIZE, text, length);
  key->length = IDENTITY_SIZE + length;
  return true;
}

/* Lets go of the objects whose entries have gone. */
static void drop_objects(lua_State *L, struct ldsc_client *client) {
  uint32_t index = dsc_cache_dropped(client->core.cache);
  if (index == UINT32_MAX)
    return;
  ldsc_getvalue(L, 1);
  do {
    lua_pushnil(L);
    lua_rawseti(L, -2, (int)index + 1);
    index = dsc_cache_dropped(client->core.cache);
  } while (index != UINT32_MAX);
  lua_pop(L, 1);
}

static bool lives(const struct ldsc_client *client,
                  const struct dsc_entry *entry) {
  return client->core.cache != NULL &&
         dsc_cache_lives(client->core.cache, entry);
}

/* Pushes the object that is kept for the entry. */
static void push_object(lua_State *L, uint32_t index) {
  ldsc_getvalue(L, 1);
  lua_rawgeti(L, -1, (int)index + 1);
  lua_replace(L, -2);
}

/* Sets the object of the entry, worth `charge` bytes, to the value on top. */
static void set_object(lua_State *L, struct ldsc_client *client,
                       uint32_t index, size_t charge) {
  ldsc_getvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (int)index + 1);
  if (!dsc_cache_set_object(client->core.cache, index, charge)) {
    lua_pushnil(L);
    lua_rawseti(L, -2, (int)index + 1);
  }
  lua_pop(L, 1);
}

/*
** Pushes the entry's value: the shared object, or a fresh copy of it. False,
** and anything on the stack, where the entry went meanwhile.
*/
static bool push_entry(lua_State *L, struct ldsc_client *client,
                       const struct dsc_entry *entry, bool borrow) {
  if (borrow && dsc_cache_has_object(client->core.cache, entry->index)) {
    push_object(L, entry->index);
    return true;
  }
  char *text = (char *)lua_newuserdata(L, entry->length);
  if (!lives(client, entry))
    return false;
  memcpy(text, entry->value, entry->length);
  ldsc_decode(L, text, entry->length);
  if (borrow && lives(client, entry))
    set_object(L, client, entry->index, entry->length * OBJECT_FACTOR);
  return true;
}

static bool find(lua_State *L, struct ldsc_client *client,
                 const struct cache_key *key, struct dsc_entry *entry) {
  bool hit = dsc_cache_get(client->core.cache, key->bytes, key->length, entry);
  if (!hit)
    drop_objects(L, client);
  return hit;
}

/*
** core.lookup(client, operation, key, borrow) -> value, age_s; or nothing
** A hit is recorded as a cached call of the operation, where one is given.
*/
static int core_lookup(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  bool counted = !lua_isnil(L, 2) && client->core.config.metrics_on;
  uint32_t operation = counted ? check_operation(L, client, 2) : 0;
  struct cache_key key;
  struct dsc_entry entry;
  if (!read_key(L, client, 3, client->core.identity, &key) ||
      !find(L, client, &key, &entry))
    return 0;
  int64_t age_us = dsc_now_us(client->core.env) - entry.stored_us;
  if (counted)
    dsc_metrics_cached(&client->core.metrics,
                       client->core.operations[operation].metric);
  if (!push_entry(L, client, &entry, lua_toboolean(L, 4) != 0))
    return 0;
  lua_pushnumber(L, (lua_Number)age_us / US);
  return 2;
}

/* core.store(client, key, text, ttl_s) -> was it kept? */
static int core_store(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct cache_key key;
  struct dsc_entry entry;
  size_t length;
  const char *text = luaL_checklstring(L, 3, &length);
  int64_t ttl_us = (int64_t)(luaL_checknumber(L, 4) * US);
  bool kept = false;
  if (read_key(L, client, 2, client->core.identity, &key)) {
    kept = dsc_cache_put(client->core.cache, key.bytes, key.length, text,
                         length, 0, ttl_us, &entry);
    drop_objects(L, client);
  }
  lua_pushboolean(L, kept);
  return 1;
}

/* core.keep(client, key, object, charge, ttl_s): an object of the user's. */
static int core_keep(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct cache_key key;
  struct dsc_entry entry;
  size_t charge = (size_t)luaL_checknumber(L, 4);
  int64_t ttl_us = (int64_t)(luaL_checknumber(L, 5) * US);
  if (!read_key(L, client, 2, NO_IDENTITY, &key))
    return 0;
  bool kept = dsc_cache_put(client->core.cache, key.bytes, key.length, NULL, 0,
                            charge, ttl_us, &entry);
  drop_objects(L, client);
  if (kept) {
    lua_pushvalue(L, 3);
    set_object(L, client, entry.index, 0);
  }
  return 0;
}

/* core.recall(client, key) -> the object kept under the key, or nothing */
static int core_recall(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct cache_key key;
  struct dsc_entry entry;
  /* without an object: there was no memory to set it */
  if (!read_key(L, client, 2, NO_IDENTITY, &key) ||
      !find(L, client, &key, &entry) ||
      !dsc_cache_has_object(client->core.cache, entry.index))
    return 0;
  push_object(L, entry.index);
  return 1;
}

/* Drops the entries of all identities whose keys begin so; how many. */
static int drop(lua_State *L, const char *prefix, size_t length) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  uint32_t count = 0;
  if (client->core.cache != NULL) {
    count = dsc_cache_drop(client->core.cache, IDENTITY_SIZE, prefix, length);
    drop_objects(L, client);
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
    drop_objects(L, client);
  }
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* --- numbers for people ------------------------------------------------ */

static void set_number(lua_State *L, const char *name, lua_Number value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void set_count(lua_State *L, const char *name, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

/* core.cache_stats(client) -> {size, hits, misses, …}; zeros when off */
static int core_cache_stats(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct dsc_cache_stats stats;
  memset(&stats, 0, sizeof stats);
  if (client->core.cache != NULL)
    dsc_cache_get_stats(client->core.cache, &stats);
  lua_createtable(L, 0, 8);
  set_count(L, "size", stats.size);
  set_count(L, "bytes", stats.bytes);
  set_count(L, "hits", stats.hits);
  set_count(L, "misses", stats.misses);
  set_count(L, "evictions", stats.evictions);
  set_count(L, "expired", stats.expired);
  return 1;
}

static void push_metric(lua_State *L, const struct dsc_metric *item,
                        const char *name) {
  lua_createtable(L, 0, 12);
  lua_pushlstring(L, name, item->name_length);
  lua_setfield(L, -2, "name");
  set_count(L, "calls", item->calls);
  set_count(L, "errors", item->errors);
  set_count(L, "cached", item->cached);
  set_count(L, "attempts", item->attempts);
  set_count(L, "retries", item->retries);
  set_count(L, "bytes_in", item->bytes_in);
  set_count(L, "bytes_out", item->bytes_out);
  set_number(L, "total_ms", (lua_Number)item->total_us / 1e3);
  set_number(L, "min_ms", (lua_Number)item->min_us / 1e3);
  set_number(L, "max_ms", (lua_Number)item->max_us / 1e3);
}

/* core.metrics(client) -> one table of counters a name that was called */
static int core_metrics(lua_State *L) {
  const struct dsc_metrics *metrics = &ldsc_checkclient(L, 1)->core.metrics;
  lua_newtable(L);
  for (uint32_t i = 0, rows = 0; i < metrics->count; i++) {
    struct dsc_metric item = metrics->items[i];
    char name[DSC_METRIC_NAME_MAX];
    if (item.calls == 0 && item.attempts == 0)
      continue;
    memcpy(name, item.name, item.name_length);
    push_metric(L, &item, name);
    lua_rawseti(L, -2, (int)++rows);
  }
  return 1;
}

/* core.reset_metrics(client) */
static int core_reset_metrics(lua_State *L) {
  dsc_metrics_reset(&ldsc_checkclient(L, 1)->core.metrics);
  return 0;
}

/* ----------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"new", core_new},
    {"release", core_release},
    {"advance", core_advance},
    {"enter", core_enter},
    {"time", core_time},
    {"register", core_register},
    {"record", core_record},
    {"identify", core_identify},
    {"lookup", core_lookup},
    {"store", core_store},
    {"keep", core_keep},
    {"recall", core_recall},
    {"drop", core_drop},
    {"clear", core_clear},
    {"clean", core_clean},
    {"cache_stats", core_cache_stats},
    {"metrics", core_metrics},
    {"reset_metrics", core_reset_metrics},
    {NULL, NULL},
};

void ldsc_open_client(lua_State *L) { ldsc_setfuncs(L, functions); }

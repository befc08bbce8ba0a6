/*
** The userdata client: making it, closing it, its clock, its operations.
*/
#include "lua/client.h"

#include <string.h>

#define US 1e6

#define POOL_MAXSIZE 20
#define QUEUE_MAX 1000

static int client_gc(lua_State *L);

/* The metatables differ from client to client; this function in the first
** field of each is the mark of a client. */
struct ldsc_client *ldsc_testclient(lua_State *L, int arg) {
  void *client = lua_touserdata(L, arg);
  if (client == NULL || !lua_getmetatable(L, arg))
    return NULL;
  lua_rawgeti(L, -1, 1);
  bool ours = lua_tocfunction(L, -1) == client_gc;
  lua_pop(L, 2);
  return ours ? (struct ldsc_client *)client : NULL;
}

struct ldsc_client *ldsc_checkclient(lua_State *L, int arg) {
  struct ldsc_client *client = ldsc_testclient(L, arg);
  if (client == NULL)
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

/* The same, where it may be left out. */
static lua_Number optional_field(lua_State *L, int table, const char *name,
                                 lua_Number absent) {
  lua_getfield(L, table, name);
  lua_Number value = luaL_optnumber(L, -1, absent);
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
  size_t count = lua_istable(L, -1) ? ldsc_rawlen(L, -1) : 0;
  for (size_t i = 0; i < count && i < DSC_RETRY_STATUSES_MAX; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    policy->statuses[i] = (int32_t)luaL_checkinteger(L, -1);
    policy->statuses_count = (int32_t)i + 1;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void read_policy(lua_State *L, int table,
                        struct dsc_retry_policy *policy) {
  policy->max_retries = (int32_t)optional_field(L, table, "max_retries", 0);
  policy->backoff_us = (int64_t)(optional_field(L, table, "backoff_s", 0) * US);
  policy->backoff_max_us =
      (int64_t)(optional_field(L, table, "backoff_max_s", 0) * US);
  policy->jitter = jitter_field(L, table);
  policy->trust_503 = flag_field(L, table, "trust_503");
  read_statuses(L, table, policy);
}

static void read_config(lua_State *L, int table, struct dsc_config *config) {
  memset(config, 0, sizeof *config);
  config->cache_on = flag_field(L, table, "enable_cache");
  config->metrics_on = flag_field(L, table, "enable_metrics");
  config->breaker_on = flag_field(L, table, "enable_breaker");
  config->limits_shared = flag_field(L, table, "limits_shared");
  config->events_on = flag_field(L, table, "log");
  config->in_flight_max =
      (uint32_t)optional_field(L, table, "pool_maxsize", POOL_MAXSIZE);
  config->queue_max =
      (uint32_t)optional_field(L, table, "queue_max", QUEUE_MAX);
  config->rate_per_s = (double)optional_field(L, table, "rate_per_s", 0);
  config->rate_burst = (uint32_t)optional_field(L, table, "rate_burst", 1);
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
  bool follows_forks = flag_field(L, 1, "follows_forks");
  lua_Number seed = optional_field(L, 1, "seed", -1);
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
  client->born = ldsc_generation();
  client->follows_forks = follows_forks;
  if (virtual_clock)
    client->env.virtual_us = 0;
  if (seed >= 0)
    ldsc_env_seed(&client->env, (uint64_t)seed);
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

/*
** core.advance(client, seconds): moves the clock of a test on. Any time is a
** microsecond at least: who waits for the rest of his time gets to its end.
*/
static int core_advance(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  lua_Number us = luaL_checknumber(L, 2) * US;
  if (client->env.virtual_us < 0)
    return luaL_error(L, "this client goes by the machine's clock");
  client->env.virtual_us += us > 0 && us < 1 ? 1 : (int64_t)(us + 0.5);
  return 0;
}

/* The first use. Children of the one that made it each take chances of their
** own: else their repeats would all come at the same moments. */
static void take_over(struct ldsc_client *client, uint32_t generation) {
  client->generation = generation;
  if (generation != client->born)
    ldsc_env_init_random(&client->env);
}

/*
** core.enter(client) -> seconds on its clock; nil and why, where it can't be
** used: every road into the client begins here.
*/
static int core_enter(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  const char *why = NULL;
  uint32_t generation = ldsc_generation();
  if (client->generation == 0 ||
      (client->generation != generation && client->follows_forks))
    take_over(client, generation);
  if (client->core.env == NULL)
    why = "the client is closed";
  else if (client->generation != generation)
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

/* core.has_room(client) -> may what nobody waits for be sent now? */
static int core_has_room(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  lua_pushboolean(L, client->core.env != NULL &&
                         dsc_client_has_room(&client->core));
  return 1;
}

/* core.now() -> seconds on the machine's clock, which is that of all clients
** but those of tests. */
static int core_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)ldsc_now_us() / US);
  return 1;
}

/* --- operations -------------------------------------------------------- */

/*
** core.register(client, {name, replay, form, timeout_s, attempt_timeout_s,
** already, max_retries, backoff_s, backoff_max_s, jitter, retry_statuses,
** trust_503}) -> number of the operation; form is how its success comes:
** "enveloped" (where it is not given), "bare" or "file"
*/
static int core_register(lua_State *L) {
  static const char *const replays[] = {"read", "repeatable", "once", NULL};
  static const char *const forms[] = {"enveloped", "bare", "file", NULL};
  struct dsc_operation operation;
  luaL_checktype(L, 2, LUA_TTABLE);
  memset(&operation, 0, sizeof operation);
  operation.timeout_us = us_field(L, 2, "timeout_s");
  operation.attempt_timeout_us = us_field(L, 2, "attempt_timeout_s");
  read_policy(L, 2, &operation.retry);
  lua_getfield(L, 2, "replay");
  operation.replay = (enum dsc_replay)luaL_checkoption(L, -1, NULL, replays);
  lua_getfield(L, 2, "form");
  operation.form = (enum dsc_form)luaL_checkoption(L, -1, "enveloped", forms);
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

uint32_t ldsc_checkoperation(lua_State *L, const struct ldsc_client *client,
                             int arg) {
  lua_Integer index = luaL_checkinteger(L, arg);
  lua_Integer count = (lua_Integer)client->core.operations_count;
  luaL_argcheck(L, index >= 0 && index < count, arg, "no such operation");
  return (uint32_t)index;
}

/* core.identify(client, token): whose entries are seen from now on. */
static int core_identify(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  size_t length;
  const char *token = luaL_checklstring(L, 2, &length);
  dsc_client_identify(&client->core, token, length);
  return 0;
}

/* ----------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"new", core_new},
    {"release", core_release},
    {"advance", core_advance},
    {"enter", core_enter},
    {"time", core_time},
    {"now", core_now},
    {"has_room", core_has_room},
    {"register", core_register},
    {"identify", core_identify},
    {NULL, NULL},
};

void ldsc_open_client(lua_State *L) { ldsc_setfuncs(L, functions); }

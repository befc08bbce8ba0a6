/*
** The short way of a call that the cache answers. A method whose arguments are
** plain asks here first: the key is made as arguments.key makes it, and a fresh
** entry is given at once. Whatever else there is (a name to look up, an option,
** a wrong type, a miss) is none of our business: nothing is returned, nothing
** was counted, and the method goes the whole way.
*/
#include <string.h>

#include "core/buf.h"
#include "core/shared.h"
#include "lua/cache.h"

#define US 1e6

/* Of the names of entries, as in lua/dsclient/shared.lua. */
#define ENTRY_TAG 'E'

/* More parameters than any read has. */
#define PARAMS_MAX 16

/* Where the value of a parameter stands: in the table of arguments, nowhere
** (it is always the default), or at this stack index. */
enum { IN_TABLE = 0, NOWHERE = -1 };

/* Does a method call the whole one itself? */
#define COMPLETE (LUA_VERSION_NUM >= 503)

/* The upvalues of a method. */
enum { RECIPE = 1, WHOLE, META, BORROW, OWNER, UPVALUES = OWNER };

struct text {
  const char *bytes;
  size_t length;
};

struct param {
  struct text name;  /* the one string of the Lua state with these bytes */
  struct text label; /* "name=" */
  struct text preset; /* what the key has without a value; NULL: a must */
  bool takes_text, takes_number;
  int place;
};

/* How a method's arguments become a key. Its texts are strings of the table
** that is attached to it. */
struct recipe {
  int number;          /* of the method, among all that have a short way */
  bool list;           /* its results are lists */
  int args, opts;      /* stack indices of the tables; 0: has none */
  struct text prefix;  /* of each key */
  int count;
  struct param params[PARAMS_MAX];
};

struct value {
  const char *text; /* NULL: it is a number */
  size_t length;
  int64_t number;
  bool given;
};

/* --- reading arguments ------------------------------------------------- */

/* A table that is what it seems to be. */
static bool is_plain(lua_State *L, int index, int type) {
  if (type != LUA_TTABLE)
    return false;
  if (!lua_getmetatable(L, index))
    return true;
  lua_pop(L, 1);
  return false;
}

/* No options, or none but `borrow`. */
static bool read_options(lua_State *L, int index, bool *borrow) {
  *borrow = false;
  int type = lua_type(L, index);
  if (type == LUA_TNIL)
    return true;
  if (!is_plain(L, index, type))
    return false;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (!lua_rawequal(L, -2, lua_upvalueindex(BORROW)) ||
        !lua_isboolean(L, -1))
      return false;
    *borrow = lua_toboolean(L, -1) != 0;
  }
  return true;
}

/* A whole number above 0, the same as text in each Lua. */
static bool read_number(lua_State *L, int index, int64_t *number) {
#if LDSC_INTEGERS
  if (!lua_isinteger(L, index))
    return false;
  *number = lua_tointeger(L, index);
#else
  lua_Number given = lua_tonumber(L, index);
  if (!(given >= 1 && given < (lua_Number)LDSC_EXACT_MAX))
    return false;
  *number = (int64_t)given;
  if ((lua_Number)*number != given)
    return false;
#endif
  return *number > 0;
}

static bool read_value(lua_State *L, int index, struct value *value) {
  value->given = true;
  value->text = NULL;
  switch (lua_type(L, index)) {
  case LUA_TSTRING:
    value->text = lua_tolstring(L, index, &value->length);
    return true;
  case LUA_TNUMBER:
    return read_number(L, index, &value->number);
  default:
    return false;
  }
}

/* The parameter that a key of the table of arguments is for, or -1. */
static int find_param(const struct recipe *recipe, const char *name) {
  for (int i = 0; i < recipe->count; i++)
    if (recipe->params[i].name.bytes == name &&
        recipe->params[i].place == IN_TABLE)
      return i;
  return -1;
}

static bool read_table(lua_State *L, const struct recipe *recipe,
                       struct value *values) {
  if (recipe->args == 0 || lua_isnil(L, recipe->args))
    return true;
  if (!is_plain(L, recipe->args, lua_type(L, recipe->args)))
    return false;
  for (lua_pushnil(L); lua_next(L, recipe->args); lua_pop(L, 1)) {
    int at = lua_type(L, -2) == LUA_TSTRING
                 ? find_param(recipe, lua_tostring(L, -2))
                 : -1;
    if (at < 0 || !read_value(L, -1, &values[at]))
      return false;
  }
  return true;
}

static bool read_arguments(lua_State *L, const struct recipe *recipe,
                           struct value *values) {
  for (int i = 0; i < recipe->count; i++) {
    int place = recipe->params[i].place;
    values[i].given = false;
    if (place > 0 && !read_value(L, place, &values[i]))
      return false;
  }
  return read_table(L, recipe, values);
}

/* --- making the key ---------------------------------------------------- */

/* The digits of a number, at the end of the buffer. */
static struct text digits_of(uint64_t number, char buffer[DSC_DIGITS_MAX]) {
  char *end = buffer + DSC_DIGITS_MAX;
  struct text text;
  text.bytes = dsc_digits(end, number);
  text.length = (size_t)(end - text.bytes);
  return text;
}

/* A text goes in as it is: one that would have been refused, or sent in another
** form, is in no key that the whole way has made. */
static bool add_value(struct ldsc_cachekey *key, const struct param *param,
                      const struct value *value) {
  char number[DSC_DIGITS_MAX], count[DSC_DIGITS_MAX];
  struct text text = {value->text, value->length};
  if (value->text == NULL ? !param->takes_number : !param->takes_text)
    return false;
  if (value->text == NULL)
    text = digits_of((uint64_t)value->number, number);
  struct text length = digits_of(text.length, count);
  return ldsc_addtokey(key, param->label.bytes, param->label.length) &&
         ldsc_addtokey(key, length.bytes, length.length) &&
         ldsc_addtokey(key, ":", 1) &&
         ldsc_addtokey(key, text.bytes, text.length) &&
         ldsc_addtokey(key, "", 1);
}

static bool make_key(const struct recipe *recipe, const struct value *values,
                     struct ldsc_cachekey *key) {
  if (!ldsc_addtokey(key, recipe->prefix.bytes, recipe->prefix.length))
    return false;
  for (int i = 0; i < recipe->count; i++) {
    const struct param *param = &recipe->params[i];
    bool added = values[i].given ? add_value(key, param, &values[i])
                                 : param->preset.bytes != NULL &&
                                       ldsc_addtokey(key, param->preset.bytes,
                                                     param->preset.length);
    if (!added)
      return false;
  }
  return true;
}

/* --- the hit ----------------------------------------------------------- */

/* The client that the method is of, or whose the resource is, and where it
** stands. */
static struct ldsc_client *owner(lua_State *L, int *at) {
  struct ldsc_client *client = ldsc_testclient(L, 1);
  *at = 1;
  if (client != NULL || lua_type(L, 1) != LUA_TTABLE)
    return client;
  lua_pushvalue(L, lua_upvalueindex(OWNER));
  lua_rawget(L, 1);
  *at = lua_gettop(L);
  return ldsc_testclient(L, *at);
}

static void count(struct ldsc_client *client,
                  const struct ldsc_shortcut *way) {
  if (client->core.config.metrics_on)
    dsc_metrics_cached(&client->core.metrics, way->metric, false);
}

/* The one table of all borrowed hits of a method: nothing is allocated. */
static void push_shared_meta(lua_State *L, int64_t age_us) {
  lua_pushvalue(L, lua_upvalueindex(META));
  ldsc_setnumber(L, "age_s", (lua_Number)age_us / US);
}

static void push_meta(lua_State *L, int64_t age_us) {
  lua_createtable(L, 0, 3);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "cached");
  ldsc_setnumber(L, "age_s", (lua_Number)age_us / US);
  ldsc_setinteger(L, "attempts", 0);
}

static bool is_short(lua_State *L, const struct ldsc_shortcut *way) {
  return way->rows_max == UINT32_MAX || !lua_istable(L, -1) ||
         ldsc_rawlen(L, -1) <= way->rows_max;
}

/* What follows the value that is given. */
static int push_rest(lua_State *L, int64_t age_us, bool borrow) {
  lua_pushnil(L);
  if (borrow)
    push_shared_meta(L, age_us);
  else
    push_meta(L, age_us);
  return 3;
}

/* Gives the entry, if it is no longer than what is wanted. */
static int give(lua_State *L, int at, struct ldsc_client *client,
                const struct ldsc_shortcut *way,
                const struct dsc_entry *entry, bool borrow) {
  if (!ldsc_pushentry(L, at, client, entry, borrow) ||
      !ldsc_entrylives(client, entry) || !is_short(L, way))
    return 0;
  dsc_cache_use(client->core.cache, entry);
  count(client, way);
  return push_rest(L, entry->age_us, borrow);
}

/* --- the second level -------------------------------------------------- */

#if COMPLETE
/* C makes the call; it can't ask the store, which is Lua's. */
static int miss(lua_State *L, int at, struct ldsc_client *client,
                const struct recipe *recipe, const struct ldsc_cachekey *key,
                bool borrow) {
  (void)L, (void)at, (void)client, (void)recipe, (void)key, (void)borrow;
  return 0;
}

static void push_found(lua_State *L) { lua_pushnil(L); }
#else

/* Remembers what was not found, where it is known which entries of the shared
** store are not too old, and pushes what that is to be asked for, and it. */
static int miss(lua_State *L, int at, struct ldsc_client *client,
                const struct recipe *recipe, const struct ldsc_cachekey *key,
                bool borrow) {
  struct ldsc_missed *missed = &client->missed;
  if (client->shortcuts[recipe->number].stamp == 0 ||
      !dsc_cache_trusted(client->core.cache))
    return 0;
  missed->number = recipe->number;
  missed->borrow = borrow;
  memcpy(missed->key.bytes, key->bytes, key->length);
  missed->key.length = key->length;
  lua_pushnil(L);
  ldsc_pushname(L, &client->core, ENTRY_TAG, true,
                key->bytes + LDSC_IDENTITY_SIZE,
                key->length - LDSC_IDENTITY_SIZE);
  ldsc_getvalue(L, at);
  lua_rawgeti(L, -1, LDSC_STORE);
  lua_replace(L, -2);
  return 3;
}

/*
** found(self, bytes) -> value, nil, meta: what the store has of what the
** method, called the moment before, has not found. Nothing where that won't
** do: the whole way says why.
*/
static int found(lua_State *L) {
  const struct recipe *recipe =
      (const struct recipe *)lua_touserdata(L, lua_upvalueindex(RECIPE));
  struct ldsc_offer offer = {0};
  int at;
  lua_settop(L, 2);
  struct ldsc_client *client = owner(L, &at);
  if (client == NULL || lua_type(L, 2) != LUA_TSTRING ||
      client->missed.number != recipe->number)
    return 0;
  const struct ldsc_shortcut *way = &client->shortcuts[recipe->number];
  offer.bytes = lua_tolstring(L, 2, &offer.length);
  offer.stamp = way->stamp;
  offer.borrow = client->missed.borrow;
  offer.list = recipe->list;
  offer.age_max_us = INT64_MAX;
  if (ldsc_adopt(L, at, client, &client->missed.key, &offer) != LDSC_FRESH ||
      client->core.cache == NULL || !is_short(L, way))
    return 0;
  dsc_cache_found(client->core.cache, false);
  if (client->core.config.metrics_on)
    dsc_metrics_missed(&client->core.metrics, way->metric);
  count(client, way);
  return push_rest(L, offer.age_us, offer.borrow);
}

/* Pushes it, with the upvalues of the method, which are the topmost values. */
static void push_found(lua_State *L) {
  for (int i = 1; i <= UPVALUES; i++)
    lua_pushvalue(L, -UPVALUES);
  lua_pushcclosure(L, found, UPVALUES);
}
#endif

static int hit(lua_State *L, const struct recipe *recipe) {
  struct value values[PARAMS_MAX];
  struct ldsc_cachekey key;
  struct dsc_entry entry;
  bool borrow;
  int at;
  struct ldsc_client *client = owner(L, &at);
  if (client == NULL || client->generation != ldsc_generation() ||
      client->core.cache == NULL)
    return 0;
  struct ldsc_shortcut *way = &client->shortcuts[recipe->number];
  if (way->rows_max == 0 || !read_options(L, recipe->opts, &borrow) ||
      !read_arguments(L, recipe, values))
    return 0;
  ldsc_beginkey(&key, client->core.identity);
  if (!make_key(recipe, values, &key))
    return 0;
  if (!dsc_cache_peek(client->core.cache, key.bytes, key.length, way->entry,
                      &entry))
    return miss(L, at, client, recipe, &key, borrow);
  way->entry = entry.index;
  if (entry.due && way->ahead && dsc_client_has_room(&client->core))
    return 0; /* the whole way fetches it anew */
  return give(L, at, client, way, &entry, borrow);
}

#if COMPLETE
static int whole_done(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return lua_gettop(L);
}

/* Goes on as the method that knows all; it may yield. */
static int go_whole_way(lua_State *L, int arguments) {
  lua_settop(L, arguments);
  lua_pushvalue(L, lua_upvalueindex(WHOLE));
  lua_insert(L, 1);
  lua_callk(L, arguments, LUA_MULTRET, 0, whole_done);
  return whole_done(L, LUA_OK, 0);
}
#else
/* What is called from C can't yield here: Lua has to make the call. */
static int go_whole_way(lua_State *L, int arguments) {
  (void)L, (void)arguments;
  return 0;
}
#endif

static int method(lua_State *L) {
  const struct recipe *recipe =
      (const struct recipe *)lua_touserdata(L, lua_upvalueindex(RECIPE));
  lua_settop(L, recipe->opts);
  int results = hit(L, recipe);
  return results != 0 ? results : go_whole_way(L, recipe->opts);
}

/* --- making a short way ------------------------------------------------ */

/* The string field of the table on top; it has to stay there. */
static struct text text_field(lua_State *L, const char *name) {
  struct text text;
  lua_getfield(L, -1, name);
  text.bytes = lua_tolstring(L, -1, &text.length);
  lua_pop(L, 1);
  return text;
}

static int integer_field(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  lua_Integer value = luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  return (int)value;
}

static bool flag_field(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  bool value = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return value;
}

static void read_params(lua_State *L, struct recipe *recipe) {
  lua_getfield(L, 1, "params");
  size_t length = ldsc_rawlen(L, -1);
  luaL_argcheck(L, length <= PARAMS_MAX, 1, "too many parameters");
  for (int i = 0; i < (int)length; i++) {
    struct param *param = &recipe->params[i];
    lua_rawgeti(L, -1, i + 1);
    param->name = text_field(L, "name");
    param->label = text_field(L, "label");
    param->preset = text_field(L, "preset");
    param->takes_text = flag_field(L, "takes_text");
    param->takes_number = flag_field(L, "takes_number");
    param->place = integer_field(L, "place");
    lua_pop(L, 1);
  }
  recipe->count = (int)length;
  lua_pop(L, 1);
}

/*
** core.shortcut({number, prefix, list, args, opts, params = {{name, label,
** preset, takes_text, takes_number, place}, …}}, whole) -> method, complete,
** found
** A method that is not complete (on Lua 5.1 and LuaJIT) returns nothing where
** it should have called `whole`; or nil, a name, and the shared store that may
** have under it what found(self, bytes) then gives as the method would. The
** table has to stay as it is.
*/
static int core_shortcut(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  struct recipe *recipe =
      (struct recipe *)ldsc_newuserdata(L, sizeof *recipe);
  memset(recipe, 0, sizeof *recipe);
  lua_pushvalue(L, 1);
  ldsc_setvalue(L, 3);
  lua_pushvalue(L, 1);
  recipe->number = integer_field(L, "number");
  luaL_argcheck(L, recipe->number >= 0 && recipe->number < LDSC_SHORTCUTS_MAX,
                1, "too many methods");
  recipe->prefix = text_field(L, "prefix");
  recipe->list = flag_field(L, "list");
  recipe->args = integer_field(L, "args");
  recipe->opts = integer_field(L, "opts");
  lua_pop(L, 1);
  read_params(L, recipe);
  lua_pushvalue(L, 2);
  push_meta(L, 0);
  lua_pushliteral(L, "borrow");
  lua_pushliteral(L, "client");
  push_found(L);
  lua_insert(L, -UPVALUES - 1);
  lua_pushcclosure(L, method, UPVALUES);
  lua_insert(L, -2);
  lua_pushboolean(L, COMPLETE);
  lua_insert(L, -2);
  return 3;
}

/*
** core.open_shortcut(client, number, operation, rows_max, ahead): from now on
** the method may take its short way; lists of more rows than that never do,
** nor, with `ahead`, does what is to be fetched anew.
*/
static int core_open_shortcut(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  lua_Integer number = luaL_checkinteger(L, 2);
  lua_Number rows_max = luaL_checknumber(L, 4);
  luaL_argcheck(L, number >= 0 && number < LDSC_SHORTCUTS_MAX, 2,
                "no such method");
  if (client->core.env == NULL)
    return 0;
  uint32_t operation = ldsc_checkoperation(L, client, 3);
  struct ldsc_shortcut *way = &client->shortcuts[number];
  way->metric = client->core.operations[operation].operation.metric;
  way->ahead = lua_toboolean(L, 5) != 0;
  way->rows_max = rows_max < UINT32_MAX ? (uint32_t)rows_max : UINT32_MAX;
  return 0;
}

/*
** core.stamp_shortcut(client, number, stamp): what a shared store has with it
** is not too old for the method.
*/
static int core_stamp_shortcut(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  lua_Integer number = luaL_checkinteger(L, 2);
  lua_Number stamp = luaL_checknumber(L, 3);
  luaL_argcheck(L, number >= 0 && number < LDSC_SHORTCUTS_MAX, 2,
                "no such method");
  client->shortcuts[number].stamp = (uint64_t)stamp;
  return 0;
}

/* core.forget_stamps(client): it has to be told again which one is right. */
static int core_forget_stamps(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  for (int i = 0; i < LDSC_SHORTCUTS_MAX; i++)
    client->shortcuts[i].stamp = 0;
  return 0;
}

/* ----------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"shortcut", core_shortcut},
    {"open_shortcut", core_open_shortcut},
    {"stamp_shortcut", core_stamp_shortcut},
    {"forget_stamps", core_forget_stamps},
    {NULL, NULL},
};

void ldsc_open_shortcut(lua_State *L) { ldsc_setfuncs(L, functions); }

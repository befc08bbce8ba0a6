/*
** The shape of an operation's answers: which keys are codes, which are
** renamed, which rows get more fields. Made once, read by every decode.
*/
#include <string.h>

#include "lua/json.h"

#define SHAPE "dsclient.shape"

/* Slots of the table are at least this many times the keys. */
#define SPARSE 3
#define KEY_LENGTH_MAX 255
/* No zone is further from UTC. */
#define UTC_OFFSET_MAX_S (18 * 3600)

struct known_key {
  const char *text;
  const char *derived;
  uint8_t flags;
};

/* Every `long` of the server's entities that is a code, in all lines. */
static const struct known_key codes[] = {
    {"code", NULL, LDSC_CODE},
    {"projectCode", NULL, LDSC_CODE},
    {"workflowDefinitionCode", NULL, LDSC_CODE},
    {"processDefinitionCode", NULL, LDSC_CODE},
    {"processDefineCode", NULL, LDSC_CODE},
    {"workflowCode", NULL, LDSC_CODE},
    {"workFlowCode", NULL, LDSC_CODE},
    {"sourceWorkFlowCode", NULL, LDSC_CODE},
    {"targetWorkFlowCode", NULL, LDSC_CODE},
    {"subflowCode", NULL, LDSC_CODE},
    {"processCode", NULL, LDSC_CODE},
    {"definitionCode", NULL, LDSC_CODE},
    {"taskCode", NULL, LDSC_CODE},
    {"taskDefinitionCode", NULL, LDSC_CODE},
    {"depTaskCode", NULL, LDSC_CODE},
    {"preTaskCode", NULL, LDSC_CODE},
    {"postTaskCode", NULL, LDSC_CODE},
    {"environmentCode", NULL, LDSC_CODE},
    {"clusterCode", NULL, LDSC_CODE},
    {"triggerCode", NULL, LDSC_CODE},
};

/* Where rows are, in any answer. */
static const struct known_key lists[] = {
    {"totalList", NULL, LDSC_ROWS},
    {"taskList", NULL, LDSC_ROWS},
};

static const struct known_key plain_keys[] = {
    {"createTime", "created_at", LDSC_TIME},
    {"updateTime", "updated_at", LDSC_TIME},
};

static const struct known_key run_keys[] = {
    {"state", NULL, LDSC_STATE},
    {"workflowInstanceState", NULL, LDSC_RUN_STATE},
    {"processInstanceState", NULL, LDSC_RUN_STATE},
    {"startTime", "started_at", LDSC_TIME},
    {"endTime", "ended_at", LDSC_TIME},
    {"scheduleTime", "scheduled_at", LDSC_TIME},
    {"submitTime", "submitted_at", LDSC_TIME},
    {"restartTime", "restarted_at", LDSC_TIME},
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- the table --------------------------------------------------------- */

static uint32_t hash(const char *text, size_t length) {
  const unsigned char *byte = (const unsigned char *)text;
  uint32_t mixed = byte[0] | (uint32_t)byte[length / 2] << 8 |
                   (uint32_t)byte[length - 1] << 16 |
                   (uint32_t)length << 24;
  mixed *= UINT32_C(0x9E3779B1); /* 2^32 divided by the golden ratio */
  return mixed ^ mixed >> 15;
}

/* The slot of the key, or the empty one where it would go. */
static const struct ldsc_key *slot(const struct ldsc_shape *shape,
                                   const char *text, size_t length) {
  uint32_t at = hash(text, length) & shape->mask;
  while (shape->keys[at].text != NULL &&
         (shape->keys[at].length != length ||
          memcmp(shape->keys[at].text, text, length) != 0))
    at = (at + 1) & shape->mask;
  return &shape->keys[at];
}

const struct ldsc_key *ldsc_findkey(const struct ldsc_shape *shape,
                                    const char *text, size_t length) {
  if (length == 0 || length > KEY_LENGTH_MAX)
    return NULL;
  const struct ldsc_key *found = slot(shape, text, length);
  return found->text != NULL ? found : NULL;
}

/* The key's entry, a new one if need be; the text must stay where it is. */
static struct ldsc_key *entry(struct ldsc_shape *shape, const char *text,
                              size_t length) {
  struct ldsc_key *found = (struct ldsc_key *)slot(shape, text, length);
  if (found->text == NULL) {
    found->text = found->name = text;
    found->length = found->name_length = (uint16_t)length;
  }
  return found;
}

static void add_known(struct ldsc_shape *shape, const struct known_key *keys,
                      size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct ldsc_key *key =
        entry(shape, keys[i].text, strlen(keys[i].text));
    key->flags |= keys[i].flags;
    key->derived = keys[i].derived;
  }
}

/* --- options ----------------------------------------------------------- */

/* What a shape is made from: the tables at these stack indexes, or 0. */
struct plan {
  int rename, codes, changes;
  size_t keys, bytes, change_count;
};

static const char *check_key(lua_State *L, int index, const char *option,
                             size_t *length) {
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_error(L, "shape: %s holds a %s, keys are strings", option,
               luaL_typename(L, index));
  const char *text = lua_tolstring(L, index, length);
  if (*length == 0 || *length > KEY_LENGTH_MAX)
    luaL_error(L, "shape: %s holds a key of %d bytes", option, (int)*length);
  return text;
}

/* Pushes the option, a table; leaves nothing and returns 0 where it is nil. */
static int option_table(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  if (!lua_istable(L, -1))
    luaL_error(L, "shape: %s must be a table, not a %s", name,
               luaL_typename(L, -1));
  return lua_gettop(L);
}

/* Sums up the room for the keys; throws where one is none. */
static void measure(lua_State *L, struct plan *plan) {
  size_t length;
  if (plan->rename != 0) {
    for (lua_pushnil(L); lua_next(L, plan->rename); lua_pop(L, 1)) {
      check_key(L, -2, "rename", &length);
      plan->bytes += length;
      check_key(L, -1, "rename", &length);
      plan->bytes += length;
      plan->keys++;
    }
  }
  int count = plan->codes != 0 ? (int)ldsc_rawlen(L, plan->codes) : 0;
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, plan->codes, i);
    check_key(L, -1, "codes", &length);
    plan->bytes += length;
    plan->keys++;
    lua_pop(L, 1);
  }
}

static const char *keep(char **room, const char *text, size_t length) {
  char *kept = *room;
  memcpy(kept, text, length);
  *room += length;
  return kept;
}

/* "data", "data[]", "key" or "key[]" */
static void add_code(struct ldsc_shape *shape, char **room, const char *path,
                     size_t length) {
  uint8_t flag = LDSC_CODE;
  if (length > 2 && memcmp(path + length - 2, "[]", 2) == 0) {
    flag = LDSC_CODES;
    length -= 2;
  }
  if (length == 4 && memcmp(path, "data", 4) == 0)
    shape->root_flags |= flag;
  else
    entry(shape, keep(room, path, length), length)->flags |= flag;
}

static void add_codes(lua_State *L, struct ldsc_shape *shape,
                      const struct plan *plan, char **room) {
  int count = plan->codes != 0 ? (int)ldsc_rawlen(L, plan->codes) : 0;
  for (int i = 1; i <= count; i++) {
    size_t length;
    lua_rawgeti(L, plan->codes, i);
    const char *path = lua_tolstring(L, -1, &length);
    add_code(shape, room, path, length);
    lua_pop(L, 1);
  }
}

/* An old key means all that its new name means. */
static void add_names(lua_State *L, struct ldsc_shape *shape,
                      const struct plan *plan, char **room) {
  if (plan->rename == 0)
    return;
  for (lua_pushnil(L); lua_next(L, plan->rename); lua_pop(L, 1)) {
    size_t length, name_length;
    const char *text = lua_tolstring(L, -2, &length);
    const char *name = lua_tolstring(L, -1, &name_length);
    const struct ldsc_key *renamed = ldsc_findkey(shape, name, name_length);
    struct ldsc_key *key = entry(shape, keep(room, text, length), length);
    key->name = keep(room, name, name_length);
    key->name_length = (uint16_t)name_length;
    if (renamed != NULL) {
      key->flags |= renamed->flags;
      if (renamed->derived != NULL)
        key->derived = renamed->derived;
    }
  }
}

static int64_t option_offset(lua_State *L) {
  lua_getfield(L, 1, "utc_offset_s");
  lua_Number offset_s = 0;
  if (!lua_isnil(L, -1)) {
    if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "shape: utc_offset_s must be a number, not a %s",
                 luaL_typename(L, -1));
    offset_s = lua_tonumber(L, -1);
  }
  lua_pop(L, 1);
  if (!(offset_s >= -UTC_OFFSET_MAX_S && offset_s <= UTC_OFFSET_MAX_S))
    luaL_error(L, "shape: utc_offset_s is beyond 18 hours");
  return (int64_t)offset_s;
}

static enum ldsc_rows option_rows(lua_State *L) {
  enum ldsc_rows rows = LDSC_NO_ROWS;
  lua_getfield(L, 1, "rows");
  if (!lua_isnil(L, -1)) {
    const char *kind = lua_tostring(L, -1);
    if (kind != NULL && strcmp(kind, "plain") == 0)
      rows = LDSC_PLAIN;
    else if (kind != NULL && strcmp(kind, "instance") == 0)
      rows = LDSC_INSTANCES;
    else if (kind != NULL && strcmp(kind, "task") == 0)
      rows = LDSC_TASKS;
    else
      luaL_error(L, "shape: rows must be plain, instance or task");
  }
  lua_pop(L, 1);
  return rows;
}

/* Counts {local_s, offset_s, …}; throws where it is none. */
static void measure_changes(lua_State *L, struct plan *plan) {
  int count = plan->changes != 0 ? (int)ldsc_rawlen(L, plan->changes) : 0;
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, plan->changes, i);
    if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "shape: changes holds a %s", luaL_typename(L, -1));
    lua_pop(L, 1);
  }
  plan->change_count = (size_t)count / 2;
}

static void add_changes(lua_State *L, struct ldsc_shape *shape,
                        const struct plan *plan) {
  for (size_t i = 0; i < plan->change_count; i++) {
    struct ldsc_change *change = &shape->changes[i];
    lua_rawgeti(L, plan->changes, (int)(2 * i + 1));
    lua_rawgeti(L, plan->changes, (int)(2 * i + 2));
    change->local_s = (int64_t)lua_tonumber(L, -2);
    change->utc_offset_s = (int64_t)lua_tonumber(L, -1);
    lua_pop(L, 2);
  }
  shape->change_count = plan->change_count;
}

/* A userdata with empty slots for the plan; *room is where texts go. */
static struct ldsc_shape *new_shape(lua_State *L, const struct plan *plan,
                                    char **room) {
  size_t slots = 1;
  while (slots < plan->keys * SPARSE)
    slots *= 2;
  size_t keys = sizeof(struct ldsc_shape) + slots * sizeof(struct ldsc_key);
  size_t size = keys + plan->change_count * sizeof(struct ldsc_change);
  struct ldsc_shape *shape =
      (struct ldsc_shape *)lua_newuserdata(L, size + plan->bytes);
  memset(shape, 0, size);
  shape->mask = (uint32_t)(slots - 1);
  shape->changes = (struct ldsc_change *)(void *)((char *)shape + keys);
  *room = (char *)shape + size;
  return shape;
}

int64_t ldsc_offset_at(const struct ldsc_shape *shape, int64_t local_s) {
  size_t low = 0, high = shape->change_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (shape->changes[middle].local_s <= local_s)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? shape->utc_offset_s
                  : shape->changes[low - 1].utc_offset_s;
}

/*
** core.shape{rename, codes, rows, utc_offset_s, changes, raw} -> shape
** `changes`: {local_s, offset_s, …}, the zone's offset from that time on
*/
static int core_shape(lua_State *L) {
  struct plan plan = {0, 0, 0, 0, 0, 0};
  char *room;
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  enum ldsc_rows rows = option_rows(L);
  int64_t utc_offset_s = option_offset(L);
  lua_getfield(L, 1, "raw");
  bool raw = lua_toboolean(L, -1) != 0;
  plan.rename = option_table(L, "rename");
  plan.codes = option_table(L, "codes");
  plan.changes = option_table(L, "changes");
  plan.keys = COUNT(codes) + COUNT(lists) + COUNT(plain_keys) +
              COUNT(run_keys);
  measure(L, &plan);
  measure_changes(L, &plan);
  struct ldsc_shape *shape = new_shape(L, &plan, &room);
  shape->raw = raw;
  shape->rows = rows;
  shape->utc_offset_s = utc_offset_s;
  add_known(shape, codes, COUNT(codes));
  add_known(shape, lists, COUNT(lists));
  if (rows != LDSC_NO_ROWS)
    add_known(shape, plain_keys, COUNT(plain_keys));
  if (rows == LDSC_INSTANCES || rows == LDSC_TASKS)
    add_known(shape, run_keys, COUNT(run_keys));
  add_changes(L, shape, &plan);
  add_codes(L, shape, &plan, &room);
  add_names(L, shape, &plan, &room);
  luaL_getmetatable(L, SHAPE);
  lua_setmetatable(L, -2);
  return 1;
}

struct ldsc_shape *ldsc_checkshape(lua_State *L, int arg) {
  return (struct ldsc_shape *)luaL_checkudata(L, arg, SHAPE);
}

/* ----------------------------------------------------------------------- */

void ldsc_open_shape(lua_State *L) {
  luaL_newmetatable(L, SHAPE);
  lua_newtable(L);
  lua_pushcfunction(L, ldsc_shape_decode);
  lua_setfield(L, -2, "decode");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, core_shape);
  lua_setfield(L, -2, "shape");
}

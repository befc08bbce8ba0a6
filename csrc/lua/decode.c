/*
** From JSON to Lua values, in one pass over the tokens: codes as strings, the
** newest names, the fields that rows get, nulls left out.
*/
#include <math.h>
#include <string.h>

#include "lua/json.h"

/* Where strings with escapes are put together, unless they are longer. */
#define ROOM 2048
/* What one value may need at a time: table, key, value, field, seconds. */
#define STACK 8

/* One container on the way from the root to the value being read. */
struct level {
  bool array;
  bool is_row;
  bool holds_rows;
  uint8_t flags; /* of what is in the array */
  uint32_t count; /* of what was stored */
  /* the sizes of the last containers in it: the next is likely the same */
  uint32_t array_hint, object_hint;
};

struct reader {
  lua_State *L;
  const struct ldsc_shape *shape; /* NULL: nothing is known about keys */
  bool nulls;                     /* members that are null are kept */
  int array_mt;                   /* stack index */
  struct dsc_json json;
  struct level levels[DSC_JSON_DEPTH_MAX + 1]; /* [0]: around the root */
  char room[ROOM];
};

/* A key, kept until its value shows that it is wanted. */
struct member {
  const char *text;
  size_t length;
  bool escaped;
  const struct ldsc_key *known;
};

static void push_unescaped(struct reader *reader, const char *text,
                           size_t length) {
  lua_State *L = reader->L;
  if (length <= ROOM) {
    length = dsc_json_unescape(reader->room, text, length);
    lua_pushlstring(L, reader->room, length);
    return;
  }
  char *room = (char *)lua_newuserdata(L, length);
  length = dsc_json_unescape(room, text, length);
  lua_pushlstring(L, room, length);
  lua_replace(L, -2);
}

static void push_string(struct reader *reader) {
  const struct dsc_json *json = &reader->json;
  if (json->escaped)
    push_unescaped(reader, json->text, json->length);
  else
    lua_pushlstring(reader->L, json->text, json->length);
}

/* An integer that the VM can't hold stays what it is, as text. */
static void push_integer(struct reader *reader) {
  const struct dsc_json *json = &reader->json;
  int64_t value;
  bool fits = dsc_json_integer(json->text, json->length, &value);
#if LDSC_INTEGERS
  if (fits) {
    lua_pushinteger(reader->L, value);
    return;
  }
#else
  if (fits && value >= -LDSC_EXACT_MAX && value <= LDSC_EXACT_MAX) {
    lua_pushnumber(reader->L, (lua_Number)value);
    return;
  }
#endif
  lua_pushlstring(reader->L, json->text, json->length);
}

static void push_number(struct reader *reader) {
  const struct dsc_json *json = &reader->json;
  double value = dsc_json_number(json->text, json->length);
  if (isfinite(value))
    lua_pushnumber(reader->L, value);
  else
    lua_pushlstring(reader->L, json->text, json->length);
}

/* The token's text without escapes; NULL where it is too long to matter. */
static const char *plain_text(struct reader *reader, size_t *length) {
  const struct dsc_json *json = &reader->json;
  *length = json->length;
  if (!json->escaped)
    return json->text;
  if (json->length > ROOM)
    return NULL;
  *length = dsc_json_unescape(reader->room, json->text, json->length);
  return reader->room;
}

/* --- containers -------------------------------------------------------- */

static struct level *level_of(struct reader *reader) {
  return &reader->levels[reader->json.depth];
}

static void push_array(struct reader *reader, uint32_t hint) {
  lua_createtable(reader->L, (int)hint, 0);
  lua_pushvalue(reader->L, reader->array_mt);
  lua_setmetatable(reader->L, -2);
}

/* Makes the table of a container that was just opened. */
static void open(struct reader *reader, bool array, uint8_t flags) {
  lua_State *L = reader->L;
  struct level *level = level_of(reader);
  const struct level *outer = level - 1;
  const struct ldsc_shape *shape = reader->shape;
  bool root = reader->json.depth == 1;
  bool rows = shape != NULL && shape->rows != LDSC_NO_ROWS;
  memset(level, 0, sizeof *level);
  level->array = array;
  level->is_row = rows && !array && (root || outer->holds_rows);
  level->holds_rows = rows && array && (root || (flags & LDSC_ROWS) != 0);
  if (array && (flags & LDSC_CODES) != 0)
    level->flags = LDSC_CODE;
  luaL_checkstack(L, STACK, "JSON is nested too deep");
  bool empty = reader->json.at < reader->json.end &&
               *reader->json.at == (array ? ']' : '}');
  if (array)
    push_array(reader, empty ? 0 : outer->array_hint);
  else
    lua_createtable(L, 0, empty ? 0 : (int)outer->object_hint);
}

/* Puts the value on top into its container, whose key lies below it. */
static void store(struct reader *reader) {
  struct level *level = level_of(reader);
  if (reader->json.depth == 0)
    return;
  level->count++;
  if (level->array)
    lua_rawseti(reader->L, -2, (int)level->count);
  else
    lua_rawset(reader->L, -3);
}

static void close(struct reader *reader) {
  struct level *outer = level_of(reader); /* the depth has gone down */
  const struct level *level = outer + 1;
  if (level->array)
    outer->array_hint = level->count;
  else
    outer->object_hint = level->count;
  store(reader);
}

/* --- rows -------------------------------------------------------------- */

static void set_boolean(struct reader *reader, const char *name, bool value) {
  lua_pushstring(reader->L, name);
  lua_pushboolean(reader->L, value);
  store(reader);
}

/* Stores a state by its name; NULL, and as it came, where it is unknown. */
static const struct ldsc_state *store_state(struct reader *reader,
                                            enum dsc_json_token token,
                                            enum ldsc_rows rows) {
  size_t length;
  const char *text = plain_text(reader, &length);
  const struct ldsc_state *state =
      text != NULL ? ldsc_findstate(text, length, rows) : NULL;
  if (state != NULL)
    lua_pushstring(reader->L, state->name);
  else if (token == DSC_JSON_STRING)
    push_string(reader);
  else
    push_integer(reader);
  store(reader);
  return state;
}

/* A row's state, and what it means for the run. */
static void read_state(struct reader *reader, enum dsc_json_token token) {
  const struct ldsc_state *state =
      store_state(reader, token, reader->shape->rows);
  if (state != NULL) {
    set_boolean(reader, "finished", state->finished);
    set_boolean(reader, "failed", state->failed);
    set_boolean(reader, "running", state->running);
  }
}

/* The time as it came, and in seconds where it can be read. */
static void read_time(struct reader *reader, const struct ldsc_key *key) {
  lua_State *L = reader->L;
  size_t length;
  int64_t seconds;
  const char *text = plain_text(reader, &length);
  bool known = text != NULL && ldsc_readtime(text, length, &seconds);
  push_string(reader);
  store(reader);
  if (known) {
    lua_pushstring(L, key->derived);
    seconds -= ldsc_offset_at(reader->shape, seconds);
    lua_pushinteger(L, (lua_Integer)seconds);
    store(reader);
  }
}

/* --- values ------------------------------------------------------------ */

/* One value; a container's own values come with the tokens that follow. */
static void read_value(struct reader *reader, enum dsc_json_token token,
                       uint8_t flags) {
  lua_State *L = reader->L;
  switch (token) {
  case DSC_JSON_OBJECT:
  case DSC_JSON_ARRAY:
    open(reader, token == DSC_JSON_ARRAY, flags);
    return;
  case DSC_JSON_STRING:
    push_string(reader);
    break;
  case DSC_JSON_INTEGER:
    if ((flags & LDSC_CODE) != 0)
      lua_pushlstring(L, reader->json.text, reader->json.length);
    else
      push_integer(reader);
    break;
  case DSC_JSON_NUMBER:
    push_number(reader);
    break;
  case DSC_JSON_NULL:
    lua_pushlightuserdata(L, NULL);
    break;
  default:
    lua_pushboolean(L, token == DSC_JSON_TRUE);
    break;
  }
  store(reader);
}

static void push_key(struct reader *reader, const struct member *member) {
  if (member->known != NULL)
    lua_pushlstring(reader->L, member->known->name,
                    member->known->name_length);
  else if (member->escaped)
    push_unescaped(reader, member->text, member->length);
  else
    lua_pushlstring(reader->L, member->text, member->length);
}

static const struct ldsc_key *find_key(struct reader *reader) {
  size_t length;
  if (reader->shape == NULL)
    return NULL;
  const char *text = plain_text(reader, &length);
  return text != NULL ? ldsc_findkey(reader->shape, text, length) : NULL;
}

/* A string or integer, which in rows may mean more than it says. */
static void read_scalar(struct reader *reader, enum dsc_json_token token,
                        const struct ldsc_key *key, uint8_t flags) {
  if ((flags & LDSC_STATE) != 0) {
    read_state(reader, token);
  } else if ((flags & LDSC_RUN_STATE) != 0) {
    store_state(reader, token, LDSC_INSTANCES);
  } else if ((flags & LDSC_TIME) != 0 && token == DSC_JSON_STRING) {
    read_time(reader, key);
  } else {
    read_value(reader, token, flags);
  }
}

/* A key and its value; false when the text is malformed. */
static bool read_member(struct reader *reader) {
  struct dsc_json *json = &reader->json;
  struct member member = {json->text, json->length, json->escaped, NULL};
  member.known = find_key(reader);
  uint8_t flags = member.known != NULL ? member.known->flags : 0;
  if (json->depth != 1)
    flags &= (uint8_t)~(LDSC_ROWS | LDSC_RUN_STATE);
  if (!level_of(reader)->is_row)
    flags &= (uint8_t)~(LDSC_STATE | LDSC_TIME);
  enum dsc_json_token token = dsc_json_next(json);
  if (token == DSC_JSON_ERROR)
    return false;
  /* a list of rows that is absent is an empty one */
  bool empty_list = token == DSC_JSON_NULL && (flags & LDSC_ROWS) != 0;
  if (token == DSC_JSON_NULL && !reader->nulls && !empty_list)
    return true;
  push_key(reader, &member);
  if (empty_list) {
    push_array(reader, 0);
    store(reader);
  } else if (token == DSC_JSON_STRING || token == DSC_JSON_INTEGER) {
    read_scalar(reader, token, member.known, flags);
  } else {
    read_value(reader, token, flags);
  }
  return true;
}

/* Pushes the value, or leaves anything on the stack and returns false. */
static bool read_text(struct reader *reader) {
  struct dsc_json *json = &reader->json;
  const struct ldsc_shape *shape = reader->shape;
  reader->levels[0].flags = shape != NULL ? shape->root_flags : 0;
  for (;;) {
    uint8_t flags = level_of(reader)->flags;
    enum dsc_json_token token = dsc_json_next(json);
    switch (token) {
    case DSC_JSON_ERROR:
      return false;
    case DSC_JSON_END:
      return true;
    case DSC_JSON_OBJECT_END:
    case DSC_JSON_ARRAY_END:
      close(reader);
      break;
    case DSC_JSON_KEY:
      if (!read_member(reader))
        return false;
      break;
    default:
      read_value(reader, token, flags);
      break;
    }
  }
}

/*
** Pushes the value of bytes [from, to) of text, or nil and a message that
** counts bytes from the text's first, as 1. Returns how many it pushed.
*/
static int decode(lua_State *L, const struct ldsc_shape *shape, bool nulls,
                  const char *text, size_t from, size_t to) {
  struct reader reader;
  luaL_checkstack(L, STACK, "JSON");
  reader.L = L;
  reader.shape = shape;
  reader.nulls = nulls;
  memset(&reader.levels[0], 0, sizeof reader.levels[0]);
  luaL_getmetatable(L, LDSC_ARRAY);
  reader.array_mt = lua_gettop(L);
  dsc_json_init(&reader.json, text + from, to - from);
  if (read_text(&reader))
    return 1;
  int at = (int)(reader.json.at - text) + 1;
  lua_settop(L, reader.array_mt);
  lua_pushnil(L);
  lua_pushfstring(L, "invalid JSON at byte %d: %s", at, reader.json.reason);
  return 2;
}

void ldsc_decode(lua_State *L, const char *text, size_t length) {
  if (decode(L, NULL, true, text, 0, length) != 1)
    luaL_error(L, "%s", lua_tostring(L, -1));
  lua_replace(L, -2); /* the metatable of arrays */
}

/* core.decode(text [, nulls]) -> value | nil, message */
static int core_decode(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  return decode(L, NULL, lua_toboolean(L, 2) != 0, text, 0, length);
}

/* Byte position in a text, from 1 to its length. */
static size_t check_position(lua_State *L, int arg, lua_Number otherwise,
                             size_t length) {
  lua_Number position = luaL_optnumber(L, arg, otherwise);
  luaL_argcheck(L, position >= 0 && position <= (lua_Number)length + 1, arg,
                "position outside the text");
  return (size_t)position;
}

/* shape:decode(text [, first [, last]]) -> value | nil, message */
int ldsc_shape_decode(lua_State *L) {
  const struct ldsc_shape *shape = ldsc_checkshape(L, 1);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  size_t first = check_position(L, 3, 1, length);
  size_t last = check_position(L, 4, (lua_Number)length, length);
  luaL_argcheck(L, first >= 1, 3, "position outside the text");
  luaL_argcheck(L, last <= length, 4, "position outside the text");
  if (last + 1 < first)
    last = first - 1;
  return decode(L, shape->raw ? NULL : shape, shape->raw, text, first - 1,
                last);
}

/* ----------------------------------------------------------------------- */

void ldsc_open_decode(lua_State *L) {
  lua_pushcfunction(L, core_decode);
  lua_setfield(L, -2, "decode");
}

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
};

struct reader {
  lua_State *L;
  const struct ldsc_shape *shape; /* NULL: nothing is known about keys */
  bool nulls;                     /* members that are null are kept */
  int array_mt;                   /* stack index */
  struct dsc_json json;
  struct level levels[DSC_JSON_DEPTH_MAX + 1]; /* [0]: around the root */
  /* by level, the sizes of the last containers: the next is likely the same */
  struct ldsc_hint hints[DSC_JSON_DEPTH_MAX + 1];
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
  const struct ldsc_hint *hint = &reader->hints[reader->json.depth];
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
    push_array(reader, empty ? 0 : hint->array);
  else
    lua_createtable(L, 0, empty ? 0 : (int)hint->object);
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
  uint32_t depth = reader->json.depth + 1; /* it has gone down */
  const struct level *level = &reader->levels[depth];
  if (level->array)
    reader->hints[depth].array = level->count;
  else
    reader->hints[depth].object = level->count;
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

/* Pushes the value, or leaves anything on the stack and returns false. What is
** not all of the text is a part of an object, and ends where the value does. */
static bool read_text(struct reader *reader, bool all) {
  struct dsc_json *json = &reader->json;
  const struct ldsc_shape *shape = reader->shape;
  reader->levels[0].flags = shape != NULL ? shape->root_flags : 0;
  do {
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
    if (!all && json->depth == DSC_JSON_DEPTH_MAX)
      return false; /* it would be too deep in the whole text */
  } while (all || json->depth > 0);
  return true;
}

static uint32_t at_most(uint32_t size) {
  return size < LDSC_HINT_MAX ? size : LDSC_HINT_MAX;
}

static void keep_hints(const struct reader *reader,
                       struct ldsc_hint hints[LDSC_HINTS]) {
  for (int i = 0; i < LDSC_HINTS; i++) {
    hints[i].array = at_most(reader->hints[i].array);
    hints[i].object = at_most(reader->hints[i].object);
  }
}

/* A shape that is raw has hints, and no say. */
static void prepare(struct reader *reader, lua_State *L,
                    struct ldsc_shape *shape, bool nulls) {
  luaL_checkstack(L, STACK, "JSON");
  reader->L = L;
  reader->shape = shape != NULL && !shape->raw ? shape : NULL;
  reader->nulls = nulls;
  memset(&reader->levels[0], 0, sizeof reader->levels[0]);
  memset(reader->hints, 0, sizeof reader->hints);
  if (shape != NULL)
    memcpy(reader->hints, shape->hints, sizeof shape->hints);
  luaL_getmetatable(L, LDSC_ARRAY);
  reader->array_mt = lua_gettop(L);
}

/*
** Pushes the value of bytes [from, to) of text, or nil and a message that
** counts bytes from the text's first, as 1. Returns how many it pushed.
*/
static int decode(lua_State *L, struct ldsc_shape *shape, bool nulls,
                  const char *text, size_t from, size_t to) {
  struct reader reader;
  prepare(&reader, L, shape, nulls);
  dsc_json_init(&reader.json, text + from, to - from);
  if (read_text(&reader, true)) {
    if (shape != NULL)
      keep_hints(&reader, shape->hints);
    return 1;
  }
  int at = (int)(reader.json.at - text) + 1;
  lua_settop(L, reader.array_mt);
  lua_pushnil(L);
  lua_pushfstring(L, "invalid JSON at byte %d: %s", at, reader.json.reason);
  return 2;
}

bool ldsc_trydecode(lua_State *L, const char *text, size_t length) {
  return decode(L, NULL, true, text, 0, length) == 1;
}

/* The value of the member `data` that comes next; false where it is of no use,
** or not well-formed. */
static bool read_data(lua_State *L, struct ldsc_shape *shape,
                      struct dsc_json *envelope, struct dsc_known *known) {
  struct reader reader;
  prepare(&reader, L, shape, shape->raw);
  dsc_json_init(&reader.json, envelope->at,
                (size_t)(envelope->end - envelope->at));
  known->at = envelope->at;
  const bool useful = known->at < envelope->end && *known->at > ' ' &&
                      *known->at != 'n'; /* null; servers send no blanks */
  if (!useful || !read_text(&reader, false))
    return false;
  known->length = (size_t)(reader.json.at - known->at);
  keep_hints(&reader, shape->hints);
  lua_replace(L, reader.array_mt);
  return true;
}

static bool is_key(const struct dsc_json *json, const char *name) {
  return json->length == strlen(name) &&
         memcmp(json->text, name, json->length) == 0;
}

struct dsc_known ldsc_pushdata(lua_State *L, struct ldsc_shape *shape,
                               const char *text, size_t length) {
  const struct dsc_known nothing = {NULL, 0};
  const int top = lua_gettop(L);
  struct dsc_known known;
  struct dsc_json json;
  dsc_json_init(&json, text, length);
  enum dsc_json_token token = dsc_json_next(&json);
  if (token != DSC_JSON_OBJECT)
    return nothing;
  while ((token = dsc_json_next(&json)) == DSC_JSON_KEY) {
    if (is_key(&json, "data")) {
      if (read_data(L, shape, &json, &known))
        return known;
      break;
    }
    const bool is_code = is_key(&json, "code");
    token = dsc_json_skip(&json);
    if (token == DSC_JSON_ERROR || (is_code && *json.text != '0'))
      break;
  }
  lua_settop(L, top);
  return nothing;
}

void ldsc_decode(lua_State *L, const char *text, size_t length) {
  if (!ldsc_trydecode(L, text, length))
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
  struct ldsc_shape *shape = ldsc_checkshape(L, 1);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  size_t first = check_position(L, 3, 1, length);
  size_t last = check_position(L, 4, (lua_Number)length, length);
  luaL_argcheck(L, first >= 1, 3, "position outside the text");
  luaL_argcheck(L, last <= length, 4, "position outside the text");
  if (last + 1 < first)
    last = first - 1;
  return decode(L, shape, shape->raw, text, first - 1, last);
}

/* ----------------------------------------------------------------------- */

void ldsc_open_decode(lua_State *L) {
  lua_pushcfunction(L, core_decode);
  lua_setfield(L, -2, "decode");
}

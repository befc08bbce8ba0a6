/*
** From Lua values to JSON. The same value gives the same text: keys are
** sorted. Metamethods are not asked, so no Lua code runs in between.
*/
#include <math.h>
#include <string.h>

#include "lua/json.h"

#define WRITER "dsclient.writer"

/* The server takes requests of 5 MB at most; most texts are small. */
#define TEXT_MAX ((size_t)64 << 20)
#define ITEM_BYTES_MAX ((size_t)64 << 20)
#define STACK 8

/* A key of an object being written, sorted by its bytes. */
struct item {
  const char *text;
  size_t length;
  uint64_t prefix; /* the first eight bytes, to compare in one step */
  int index;       /* in the table of keys, which keeps the text alive */
};

/*
** Owns the memory, as a userdata: an error in the middle leaves nothing
** behind, and a finaliser that encodes meanwhile has a writer of its own.
*/
struct writer {
  struct dsc_env env; /* memory only */
  struct dsc_buf text, items;
  lua_State *L;
  const struct ldsc_shape *codes; /* on the wire: which keys are codes */
  int array_mt, keys;             /* stack indexes */
  int key_count;
  int depth;
  const char *reason;
};

static bool write_value(struct writer *writer, bool code);

static bool refuse(struct writer *writer, const char *reason) {
  writer->reason = reason;
  return false;
}

static bool check(struct writer *writer, enum dsc_json_written written) {
  static const char *const reasons[] = {
      [DSC_JSON_FULL] = "the text gets too large",
      [DSC_JSON_NO_UTF8] = "a string is not UTF-8",
      [DSC_JSON_NO_NUMBER] = "a number is not finite"};
  return written == DSC_JSON_WRITTEN || refuse(writer, reasons[written]);
}

static bool add(struct writer *writer, const char *text, size_t length) {
  return check(writer, dsc_buf_add(&writer->text, text, length)
                           ? DSC_JSON_WRITTEN
                           : DSC_JSON_FULL);
}

/* --- objects ----------------------------------------------------------- */

static uint64_t prefix_of(const char *text, size_t length) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < sizeof prefix; i++)
    prefix = prefix << 8 | (i < length ? (unsigned char)text[i] : 0);
  return prefix;
}

static bool is_before(const struct item *a, const struct item *b) {
  if (a->prefix != b->prefix)
    return a->prefix < b->prefix;
  size_t length = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->text, b->text, length);
  return order != 0 ? order < 0 : a->length < b->length;
}

/* Shell's sort with Knuth's gaps: in place, where qsort may call malloc. */
static void sort(struct item *items, size_t count) {
  size_t gap = 1;
  while (gap < count / 3)
    gap = gap * 3 + 1;
  for (; gap > 0; gap /= 3) {
    for (size_t i = gap; i < count; i++) {
      struct item item = items[i];
      size_t at = i;
      for (; at >= gap && is_before(&item, &items[at - gap]); at -= gap)
        items[at] = items[at - gap];
      items[at] = item;
    }
  }
}

/* The keys of the table on top, sorted, as the last items. */
static bool collect_keys(struct writer *writer, size_t *count) {
  lua_State *L = writer->L;
  size_t from = writer->items.length;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    struct item item;
    if (lua_type(L, -2) != LUA_TSTRING)
      return refuse(writer, "a table has keys that are neither strings only "
                            "nor 1 to n");
    item.text = lua_tolstring(L, -2, &item.length);
    item.prefix = prefix_of(item.text, item.length);
    item.index = ++writer->key_count;
    lua_pushvalue(L, -2);
    lua_rawseti(L, writer->keys, item.index);
    if (!dsc_buf_add(&writer->items, &item, sizeof item))
      return check(writer, DSC_JSON_FULL);
  }
  *count = (writer->items.length - from) / sizeof(struct item);
  if (*count > 1)
    sort((struct item *)(void *)(writer->items.data + from), *count);
  return true;
}

static bool write_member(struct writer *writer, const struct item *item) {
  lua_State *L = writer->L;
  const struct ldsc_key *key =
      writer->codes != NULL
          ? ldsc_findkey(writer->codes, item->text, item->length)
          : NULL;
  bool code = key != NULL && (key->flags & LDSC_CODE) != 0;
  const char *name = key != NULL ? key->name : item->text;
  size_t length = key != NULL ? key->name_length : item->length;
  if (!check(writer, dsc_json_add_string(&writer->text, name, length)) ||
      !add(writer, ":", 1))
    return false;
  lua_rawgeti(L, writer->keys, item->index);
  lua_rawget(L, -2);
  bool written = write_value(writer, code);
  lua_pop(L, 1);
  return written;
}

static bool write_object(struct writer *writer) {
  size_t from = writer->items.length;
  int first_key = writer->key_count;
  size_t count;
  if (!collect_keys(writer, &count) || !add(writer, "{", 1))
    return false;
  for (size_t i = 0; i < count; i++) {
    struct item item; /* a copy: the items move when they grow */
    memcpy(&item, writer->items.data + from + i * sizeof item, sizeof item);
    if ((i > 0 && !add(writer, ",", 1)) || !write_member(writer, &item))
      return false;
  }
  writer->items.length = from;
  writer->key_count = first_key;
  return add(writer, "}", 1);
}

/* --- arrays ------------------------------------------------------------ */

static bool is_marked(const struct writer *writer) {
  lua_State *L = writer->L;
  if (!lua_getmetatable(L, -1))
    return false;
  bool marked = lua_rawequal(L, -1, writer->array_mt) != 0;
  lua_pop(L, 1);
  return marked;
}

/* Are the keys of the table on top 1 to n, each of them? */
static bool is_sequence(struct writer *writer, int *count) {
  lua_State *L = writer->L;
  lua_Number largest = 0;
  *count = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    lua_Number key = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
    if (!(key >= 1) || floor(key) != key) {
      lua_pop(L, 2);
      return false;
    }
    if (key > largest)
      largest = key;
    ++*count;
  }
  return largest == *count;
}

static bool write_array(struct writer *writer, int count) {
  if (!add(writer, "[", 1))
    return false;
  for (int i = 1; i <= count; i++) {
    if (i > 1 && !add(writer, ",", 1))
      return false;
    lua_rawgeti(writer->L, -1, i);
    bool written = write_value(writer, false);
    lua_pop(writer->L, 1);
    if (!written)
      return false;
  }
  return add(writer, "]", 1);
}

static bool write_table(struct writer *writer) {
  int count;
  if (writer->depth == DSC_JSON_DEPTH_MAX)
    return refuse(writer, "tables are nested too deep, or in a circle");
  if (!lua_checkstack(writer->L, STACK))
    return refuse(writer, "no room on the stack");
  writer->depth++;
  bool marked = is_marked(writer);
  bool written;
  if (is_sequence(writer, &count) && (count > 0 || marked))
    written = write_array(writer, count);
  else if (!marked)
    written = write_object(writer);
  else
    written = refuse(writer, "an array has keys other than 1 to n");
  writer->depth--;
  return written;
}

/* --- scalars ----------------------------------------------------------- */

static bool has_point(const char *digits, size_t length) {
  return memchr(digits, '.', length) != NULL ||
         memchr(digits, 'e', length) != NULL;
}

static bool write_number(struct writer *writer) {
#if LDSC_INTEGERS
  if (lua_isinteger(writer->L, -1))
    return check(writer, dsc_json_add_integer(&writer->text,
                                              lua_tointeger(writer->L, -1)));
#endif
  size_t from = writer->text.length;
  if (!check(writer, dsc_json_add_number(&writer->text,
                                         lua_tonumber(writer->L, -1))))
    return false;
  /* what is read back stays a float; the server wants its integers bare */
  bool bare = !LDSC_INTEGERS || writer->codes != NULL;
  size_t length = writer->text.length - from;
  return bare || has_point(writer->text.data + from, length) ||
         add(writer, ".0", 2);
}

/* Is the text what JSON calls an integer, and one that the server holds? */
static bool is_code(const char *text, size_t length) {
  struct dsc_json json;
  int64_t value;
  dsc_json_init(&json, text, length);
  return length > 0 && dsc_json_next(&json) == DSC_JSON_INTEGER &&
         json.length == length && dsc_json_integer(text, length, &value);
}

static bool write_string(struct writer *writer, bool code) {
  size_t length;
  const char *text = lua_tolstring(writer->L, -1, &length);
  if (code && is_code(text, length))
    return add(writer, text, length);
  return check(writer, dsc_json_add_string(&writer->text, text, length));
}

/* Writes the value on top; code: as the value of a key that is a code. */
static bool write_value(struct writer *writer, bool code) {
  lua_State *L = writer->L;
  switch (lua_type(L, -1)) {
  case LUA_TTABLE:
    return write_table(writer);
  case LUA_TSTRING:
    return write_string(writer, code);
  case LUA_TNUMBER:
    return write_number(writer);
  case LUA_TBOOLEAN:
    return lua_toboolean(L, -1) ? add(writer, "true", 4)
                                : add(writer, "false", 5);
  case LUA_TLIGHTUSERDATA:
    if (lua_touserdata(L, -1) == NULL)
      return add(writer, "null", 4);
    break;
  default:
    break;
  }
  return refuse(writer, "neither text, number, boolean nor table");
}

/* --- one text ---------------------------------------------------------- */

static void release(struct writer *writer) {
  dsc_buf_free(&writer->text);
  dsc_buf_free(&writer->items);
}

static int writer_gc(lua_State *L) {
  release((struct writer *)lua_touserdata(L, 1));
  return 0;
}

/* Pushes a writer that owns nothing yet. */
static struct writer *push_writer(lua_State *L) {
  struct writer *writer = (struct writer *)lua_newuserdata(L, sizeof *writer);
  memset(writer, 0, sizeof *writer);
  writer->env.alloc = lua_getallocf(L, &writer->env.ud);
  dsc_buf_init(&writer->text, &writer->env, TEXT_MAX);
  dsc_buf_init(&writer->items, &writer->env, ITEM_BYTES_MAX);
  luaL_getmetatable(L, WRITER);
  lua_setmetatable(L, -2);
  return writer;
}

/*
** core.encode(value [, wire]) -> text | nil, message; throws without memory.
** `wire`: true, or a shape whose codes and names are written.
*/
static int core_encode(lua_State *L) {
  luaL_checkany(L, 1);
  const struct ldsc_shape *codes = NULL;
  if (lua_isuserdata(L, 2))
    codes = ldsc_checkshape(L, 2);
  else if (lua_toboolean(L, 2))
    codes = (const struct ldsc_shape *)lua_touserdata(L, lua_upvalueindex(1));
  struct writer *writer = push_writer(L);
  writer->codes = codes;
  writer->L = L;
  luaL_getmetatable(L, LDSC_ARRAY);
  writer->array_mt = lua_gettop(L);
  lua_newtable(L);
  writer->keys = lua_gettop(L);
  lua_pushvalue(L, 1);
  bool written = write_value(writer, false);
  if (written) {
    lua_pushlstring(L, writer->text.data, writer->text.length);
  } else if (writer->text.starved || writer->items.starved) {
    release(writer);
    return luaL_error(L, "not enough memory");
  } else {
    lua_pushnil(L);
    lua_pushfstring(L, "no JSON: %s", writer->reason);
  }
  release(writer);
  return written ? 1 : 2;
}

/* ----------------------------------------------------------------------- */

void ldsc_open_encode(lua_State *L) {
  ldsc_newowner(L, WRITER, writer_gc);
  lua_getfield(L, -1, "shape");
  lua_call(L, 0, 1); /* it knows the keys that are always codes */
  lua_pushcclosure(L, core_encode, 1);
  lua_setfield(L, -2, "encode");
}

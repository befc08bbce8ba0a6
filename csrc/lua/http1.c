/*
** HTTP/1.1 for transports written in Lua: the head of a request as a text, the
** answer from the blocks that were received.
*/
#include <ctype.h>
#include <math.h>

#include "core/header.h"
#include "core/http1.h"
#include "lua/module.h"

#define READER "dsclient.http1"

/* Of a file: what is held until it is taken, at most. */
#define PIECE_BYTES_MAX ((size_t)128 << 10)

/* --- requests ------------------------------------------------------------ */

static struct dsc_text check_text(lua_State *L, int arg) {
  struct dsc_text text;
  text.data = luaL_checklstring(L, arg, &text.length);
  return text;
}

/* The bytes of the lines at index 4; throws where one is no string. */
static size_t measure(lua_State *L, int count) {
  size_t bytes = 0;
  for (int i = 1; i <= count; i++) {
    if (ldsc_rawgeti(L, 4, i) != LUA_TSTRING)
      luaL_error(L, "headers[%d]: expected string, got %s", i,
                 luaL_typename(L, -1));
    bytes += ldsc_rawlen(L, -1) + DSC_HTTP1_LINE_EXTRA;
    lua_pop(L, 1);
  }
  return bytes;
}

static enum dsc_kind add_lines(lua_State *L, struct dsc_buf *out, int count) {
  enum dsc_kind kind = DSC_OK;
  for (int i = 1; kind == DSC_OK && i <= count; i++) {
    lua_rawgeti(L, 4, i);
    const struct dsc_text line = check_text(L, -1);
    kind = dsc_http1_line(out, &line);
    lua_pop(L, 1);
  }
  return kind;
}

/*
** core.http1_head(method, target, host, lines [, body_length]) -> string, the
** head of a request; nil where a part of it has no place there.
*/
static int core_http1_head(lua_State *L) {
  const struct dsc_text method = check_text(L, 1), target = check_text(L, 2),
                        host = check_text(L, 3);
  luaL_checktype(L, 4, LUA_TTABLE);
  const lua_Number body_length = luaL_optnumber(L, 5, -1);
  const int count = (int)ldsc_rawlen(L, 4);
  const size_t size = method.length + target.length + host.length +
                      measure(L, count) + DSC_HTTP1_EXTRA;
  struct dsc_buf out;
  dsc_buf_init(&out, NULL, size);
  out.data = (char *)lua_newuserdata(L, size);
  out.size = size; /* there is room for all of it: it never grows */
  enum dsc_kind kind = dsc_http1_begin(&out, &method, &target, &host);
  if (kind == DSC_OK)
    kind = add_lines(L, &out, count);
  if (kind == DSC_OK)
    kind = dsc_http1_end(&out, (int64_t)body_length);
  if (kind != DSC_OK)
    return 0;
  lua_pushlstring(L, out.data, out.length);
  return 1;
}

/* --- answers ------------------------------------------------------------- */

struct reader {
  struct dsc_env env; /* memory only, of the Lua state */
  lua_Alloc alloc;
  void *alloc_ud;
  struct dsc_http1 http1;
  struct dsc_buf body;
  struct dsc_text held; /* the body so far, while it stands in the block */
  bool takes_pieces; /* of a file; all other bodies are kept */
  bool sinking;
  bool torn; /* there was no memory: a part of the answer is lost */
  int dispositions; /* fields that say what to do with the body */
  bool attachment;  /* the last of them says: keep it as a file */
};

static void *reader_alloc(void *ud, void *ptr, size_t old_size, size_t size) {
  struct reader *reader = (struct reader *)ud;
  return reader->alloc(reader->alloc_ud, ptr, old_size, size);
}

static struct reader *check_reader(lua_State *L) {
  return (struct reader *)luaL_checkudata(L, 1, READER);
}

/*
** core.http1(head_only, body_bytes_max, takes_pieces) -> reader of one answer.
** With `takes_pieces` a file, that is the body of a 2xx answer with one
** Content-Disposition, an attachment, is not kept whole: see piece.
*/
static int core_http1(lua_State *L) {
  const lua_Number body_bytes_max = luaL_checknumber(L, 2);
  struct reader *reader =
      (struct reader *)ldsc_newuserdata(L, sizeof *reader);
  memset(reader, 0, sizeof *reader);
  reader->alloc = lua_getallocf(L, &reader->alloc_ud);
  reader->env.alloc = reader_alloc;
  reader->env.ud = reader;
  reader->takes_pieces = lua_toboolean(L, 3) != 0;
  const uint64_t max =
      (uint64_t)fmin(fmax(body_bytes_max, 0), (double)(SIZE_MAX / 4));
  dsc_http1_init(&reader->http1, &reader->env, lua_toboolean(L, 1) != 0, max);
  dsc_buf_init(&reader->body, &reader->env, (size_t)max);
  luaL_getmetatable(L, READER);
  lua_setmetatable(L, -2);
  lua_createtable(L, 0, 8);
  ldsc_setvalue(L, -2);
  return 1;
}

/* reader:close(): what is held is nobody's any more; idempotent. */
static int reader_close(lua_State *L) {
  struct reader *reader = check_reader(L);
  dsc_http1_free(&reader->http1);
  dsc_buf_free(&reader->body);
  return 0;
}

static void push_lower(lua_State *L, const struct dsc_text *name) {
  char lower[DSC_HTTP1_NAME_MAX];
  for (size_t i = 0; i < name->length; i++)
    lower[i] = (char)tolower((unsigned char)name->data[i]);
  lua_pushlstring(L, lower, name->length);
}

/* Sets a field in the table at `headers`; one that is repeated gets a list. */
static void set_header(lua_State *L, int headers,
                       const struct dsc_http1 *http1) {
  push_lower(L, &http1->name);
  lua_pushvalue(L, -1);
  lua_rawget(L, headers);
  const bool repeated = !lua_isnil(L, -1);
  if (repeated)
    lua_pushliteral(L, ", ");
  else
    lua_pop(L, 1);
  lua_pushlstring(L, http1->text.data, http1->text.length);
  if (repeated)
    lua_concat(L, 3);
  lua_rawset(L, headers);
}

static void read_field(lua_State *L, int headers, struct reader *reader) {
  static const char disposition[] = "content-disposition";
  const struct dsc_http1 *http1 = &reader->http1;
  if (http1->name.length == sizeof disposition - 1 &&
      dsc_header_is(http1->name.data, http1->name.length, disposition)) {
    reader->dispositions++;
    reader->attachment =
        dsc_header_is(http1->text.data, http1->text.length, "attachment");
  }
  set_header(L, headers, http1);
}

static void choose_sink(struct reader *reader) {
  const int32_t status = reader->http1.status;
  reader->sinking = reader->takes_pieces && status >= 200 && status <= 299 &&
                    reader->dispositions == 1 && reader->attachment;
  if (reader->sinking) {
    reader->http1.body_bytes_max = UINT64_MAX;
    reader->body.size_max = PIECE_BYTES_MAX;
  }
}

/* The block goes away, or more follows: what is held of it is copied. */
static bool keep_held(struct reader *reader) {
  const struct dsc_text held = reader->held;
  reader->held.length = 0;
  return dsc_buf_add(&reader->body, held.data, held.length);
}

/* Until the block is used up, or the answer is there. */
static enum dsc_http1_event read_on(lua_State *L, int headers,
                                    struct reader *reader) {
  for (;;) {
    const enum dsc_http1_event event = dsc_http1_next(&reader->http1);
    if (event == DSC_HTTP1_FIELD) {
      read_field(L, headers, reader);
    } else if (event == DSC_HTTP1_HEAD) {
      choose_sink(reader);
    } else if (event != DSC_HTTP1_BODY) {
      return event;
    } else {
      if (!keep_held(reader))
        return DSC_HTTP1_FAILED;
      reader->held = reader->http1.text;
    }
  }
}

static int push_failure(lua_State *L, enum dsc_kind kind,
                        const char *reason) {
  lua_pushnil(L);
  lua_pushstring(L, dsc_kind_name(kind));
  lua_pushstring(L, reason);
  return 3;
}

static int push_starved(lua_State *L, const struct reader *reader) {
  if (!reader->body.starved)
    return luaL_error(L, "the pieces of the file have to be taken first");
  return push_failure(L, DSC_MEMORY, "no memory for the answer");
}

static int push_answer(lua_State *L, int headers, struct reader *reader) {
  const struct dsc_buf *kept = &reader->body;
  const struct dsc_text body =
      kept->length == 0
          ? reader->held
          : (struct dsc_text){kept->data, reader->sinking ? 0 : kept->length};
  lua_pushliteral(L, "done");
  lua_pushinteger(L, reader->http1.status);
  lua_pushvalue(L, headers);
  lua_pushlstring(L, body.length != 0 ? body.data : "", body.length);
  lua_pushboolean(L, reader->http1.reusable);
  lua_pushinteger(L, reader->sinking ? (lua_Integer)kept->length : 0);
  if (!reader->sinking)
    dsc_buf_free(&reader->body);
  return 6;
}

/* What came of a block, or of the end of the connection. */
static int push_event(lua_State *L, int headers, struct reader *reader,
                      enum dsc_http1_event event) {
  const bool in_block = event == DSC_HTTP1_DONE &&
                        reader->body.length == 0 && !reader->sinking;
  if (reader->http1.reason != NULL)
    return push_failure(L, reader->http1.kind, reader->http1.reason);
  if (event == DSC_HTTP1_FAILED || (!in_block && !keep_held(reader)))
    return push_starved(L, reader);
  if (event == DSC_HTTP1_DONE)
    return push_answer(L, headers, reader);
  lua_pushliteral(L, "more");
  lua_pushinteger(
      L, reader->sinking ? (lua_Integer)reader->body.length : 0);
  return 2;
}

/*
** reader:feed(block) -> "more", bytes of a file that are held: they are to be
** taken when it is many; "done", status, headers, body, reusable (may the
** connection serve again?), and again the bytes that are held; or nil, kind,
** message.
*/
static int reader_feed(lua_State *L) {
  struct reader *reader = check_reader(L);
  const struct dsc_text block = check_text(L, 2);
  lua_settop(L, 2);
  ldsc_getvalue(L, 1);
  if (reader->torn)
    return push_failure(L, DSC_MEMORY, "no memory for the answer");
  reader->torn = true; /* unless we come to the end */
  dsc_http1_feed(&reader->http1, block.data, block.length);
  const enum dsc_http1_event event = read_on(L, 3, reader);
  const int count = push_event(L, 3, reader, event);
  reader->held.length = 0;
  reader->torn = reader->body.starved;
  return count;
}

/* reader:finish() -> as feed: the connection ended behind the last block. */
static int reader_finish(lua_State *L) {
  struct reader *reader = check_reader(L);
  lua_settop(L, 1);
  ldsc_getvalue(L, 1);
  return push_event(L, 2, reader, dsc_http1_closed(&reader->http1));
}

/* reader:piece() -> string, what is held of a file, once; nothing where that
** is nothing. */
static int reader_piece(lua_State *L) {
  struct reader *reader = check_reader(L);
  if (!reader->sinking || reader->body.length == 0)
    return 0;
  lua_pushlstring(L, reader->body.data, reader->body.length);
  reader->body.length = 0;
  return 1;
}

/* ------------------------------------------------------------------------- */

static const luaL_Reg methods[] = {{"feed", reader_feed},
                                   {"finish", reader_finish},
                                   {"piece", reader_piece},
                                   {"close", reader_close},
                                   {NULL, NULL}};

static const luaL_Reg functions[] = {{"http1", core_http1},
                                     {"http1_head", core_http1_head},
                                     {NULL, NULL}};

void ldsc_open_http1(lua_State *L) {
  ldsc_newclass(L, READER, methods, reader_close);
  lua_pop(L, 1);
  ldsc_setfuncs(L, functions);
}

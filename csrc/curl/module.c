/*
** The Lua face of the libcurl transport: reads options and requests, hands
** out answers and failures. It converts, the pool decides.
*/
#include <ctype.h>
#include <math.h>
#include <strings.h>
#include <poll.h>
#include <time.h>

#include "curl/pool.h"
#include "lua/compat.h"

#define TRANSPORT "dsclient.curl.transport"
#define TRANSFER "dsclient.curl.transfer"

/* The first libcurl that calls back before it sends and can be trusted. */
#define LIBCURL_MIN 0x075000
#define LIBCURL_MIN_NAME "7.80"

#define POOL_MAXSIZE 20
#define POOL_MAXSIZE_MAX 10000
/* The server's Jetty closes idle connections after 30 s. */
#define IDLE_MAX_S 25
#define IDLE_MAX_S_MAX 86400
#define CONNECT_TIMEOUT_S 5
#define SLEEP_S_MAX 31536000.0
#define POLL_S_MAX 60.0
#define BODY_BYTES_MAX ((size_t)64 << 20)
/* Names of header fields that one may ask for. */
#define WANTED_MAX 8

LDSC_EXPORT int luaopen_dsclient_curl(lua_State *L);

/* Names that Lua keeps, see curl_new. */
struct wanted {
  struct {
    const char *name;
    size_t length;
  } fields[WANTED_MAX];
  int count; /* 0: all are */
};

struct transport {
  struct ccurl_pool pool;
  struct wanted wanted;
  lua_Alloc alloc; /* of the Lua state, so that its limits hold for us too */
  void *alloc_ud;
  double connect_timeout_s;
};

static void *state_alloc(void *ud, void *ptr, size_t old_size, size_t size) {
  struct transport *transport = (struct transport *)ud;
  return transport->alloc(transport->alloc_ud, ptr, old_size, size);
}

/*
** Options: a table of these, each of the type named or absent.
*/

static bool is_absent(lua_State *L, int index, const char *name, int type) {
  lua_getfield(L, index, name);
  if (lua_isnil(L, -1))
    return true;
  if (lua_type(L, -1) != type)
    luaL_error(L, "%s: expected %s, got %s", name, lua_typename(L, type),
               luaL_typename(L, -1));
  return false;
}

/* The value stays on the stack: it keeps the string alive. */
static const char *string_option(lua_State *L, int index, const char *name,
                                 const char *absent) {
  return is_absent(L, index, name, LUA_TSTRING) ? absent
                                                : lua_tostring(L, -1);
}

static double number_option(lua_State *L, int index, const char *name,
                            double absent) {
  const double value = is_absent(L, index, name, LUA_TNUMBER)
                           ? absent
                           : lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static bool boolean_option(lua_State *L, int index, const char *name,
                           bool absent) {
  const bool value = is_absent(L, index, name, LUA_TBOOLEAN)
                         ? absent
                         : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

static double clamp(double value, double min, double max) {
  return fmin(fmax(value, min), max);
}

static const char *proxy_option(lua_State *L, int index) {
  lua_getfield(L, index, "proxy");
  const bool refused = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
  lua_pop(L, 1);
  return refused ? "" : string_option(L, index, "proxy", NULL);
}

static void read_tls(lua_State *L, int index, struct ccurl_options *options) {
  options->verify = true;
  if (is_absent(L, index, "tls", LUA_TTABLE))
    return;
  const int tls = lua_gettop(L);
  options->ca_file = string_option(L, tls, "ca_file", NULL);
  options->cert = string_option(L, tls, "cert", NULL);
  options->key = string_option(L, tls, "key", NULL);
  options->verify = boolean_option(L, tls, "verify", true);
}

static void read_options(lua_State *L, int index,
                         struct ccurl_options *options) {
  options->pool_maxsize = (long)clamp(
      number_option(L, index, "pool_maxsize", POOL_MAXSIZE), 1,
      POOL_MAXSIZE_MAX);
  options->idle_max_s = (long)clamp(
      number_option(L, index, "idle_max_s", IDLE_MAX_S), 1, IDLE_MAX_S_MAX);
  options->user_agent = string_option(L, index, "user_agent", NULL);
  options->proxy = proxy_option(L, index);
  read_tls(L, index, options);
}

/* The names go into the table that keeps the transport. */
static void read_wanted(lua_State *L, int index, int owner,
                        struct wanted *wanted) {
  if (is_absent(L, index, "headers", LUA_TTABLE))
    return;
  const int names = lua_gettop(L);
  const int count = (int)ldsc_rawlen(L, names);
  luaL_argcheck(L, count <= WANTED_MAX, index, "headers: too many names");
  ldsc_getvalue(L, owner);
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, names, i + 1);
    wanted->fields[i].name =
        luaL_checklstring(L, -1, &wanted->fields[i].length);
    lua_rawseti(L, -2, i + 2);
    wanted->count = i + 1;
  }
}

/*
** Failures.
*/

static const char *const phase_names[DSC_PHASES] = {"unsent", "sent",
                                                    "partial"};

static int push_failure(lua_State *L, enum dsc_phase phase,
                        enum dsc_kind kind, const char *message) {
  lua_pushnil(L);
  lua_createtable(L, 0, 6);
  lua_pushstring(L, phase_names[phase]);
  lua_setfield(L, -2, "phase");
  lua_pushstring(L, dsc_kind_name(kind));
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, message);
  lua_setfield(L, -2, "message");
  return 2;
}

static void set_boolean(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static int push_attempt_failure(lua_State *L,
                                const struct ccurl_attempt *attempt) {
  push_failure(L, attempt->phase, attempt->kind, attempt->text);
  set_boolean(L, "reused", attempt->reused);
  set_boolean(L, "stale", ccurl_attempt_stale(attempt));
  ldsc_setinteger(L, "delivered", (int64_t)attempt->delivered);
  return 2;
}

static int push_refusal(lua_State *L, enum dsc_kind kind) {
  const char *message = "no memory for the request";
  if (kind == DSC_ARGUMENT)
    message = "a part of the request holds CR, LF, NUL or what isn't allowed";
  else if (kind == DSC_LIMIT)
    message = "the request is too large";
  else if (kind == DSC_TIMEOUT)
    message = "the deadline passed before it began";
  return push_failure(L, DSC_UNSENT, kind, message);
}

/*
** Answers.
*/

static bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_wanted(const struct wanted *wanted, const char *name,
                      size_t length) {
  for (int i = 0; i < wanted->count; i++) {
    if (wanted->fields[i].length == length &&
        strncasecmp(wanted->fields[i].name, name, length) == 0)
      return true;
  }
  return wanted->count == 0;
}

/* Sets one field in the table on top; a repeated name gets a list. */
static void set_header(lua_State *L, const struct wanted *wanted, char *line,
                       char *end) {
  char *colon = (char *)memchr(line, ':', (size_t)(end - line));
  if (colon == NULL || !is_wanted(wanted, line, (size_t)(colon - line)))
    return; /* the status line, the empty line, or of no interest */
  for (char *c = line; c < colon; c++)
    *c = (char)tolower((unsigned char)*c);
  const char *value = colon + 1;
  while (value < end && is_blank(*value))
    value++;
  while (end > value && is_blank(end[-1]))
    end--;
  lua_pushlstring(L, line, (size_t)(colon - line));
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushlstring(L, value, (size_t)(end - value));
  } else {
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, value, (size_t)(end - value));
    lua_concat(L, 3);
  }
  lua_rawset(L, -3);
}

static void push_headers(lua_State *L, struct ccurl_attempt *attempt,
                         const struct wanted *wanted) {
  char *line = attempt->head.data;
  char *const end = line + attempt->head.length;
  lua_createtable(L, 0, wanted->count > 0 ? 2 : 8);
  while (line < end) {
    char *newline = (char *)memchr(line, '\n', (size_t)(end - line));
    char *line_end = newline != NULL ? newline : end;
    if (attempt->head.data != line) /* "HTTP/1.1 200 a: b" is no field */
      set_header(L, wanted, line, line_end);
    line = line_end + 1;
  }
}

static curl_off_t number_of(const struct ccurl_attempt *attempt,
                            CURLINFO info) {
  curl_off_t value = 0;
  curl_easy_getinfo(attempt->easy, info, &value);
  return value;
}

static void push_timings(lua_State *L, const struct ccurl_attempt *attempt) {
  static const struct {
    const char *name;
    CURLINFO info;
  } timings[] = {
      {"total_s", CURLINFO_TOTAL_TIME_T},
      {"connect_s", CURLINFO_CONNECT_TIME_T},
      {"first_byte_s", CURLINFO_STARTTRANSFER_TIME_T},
  };
  lua_createtable(L, 0, 3);
  for (size_t i = 0; i < sizeof timings / sizeof timings[0]; i++)
    ldsc_setnumber(L, timings[i].name,
                   (double)number_of(attempt, timings[i].info) * 1e-6);
}

static int push_response(lua_State *L, struct ccurl_attempt *attempt) {
  const struct transport *transport =
      (const struct transport *)attempt->pool->env.ud;
  long status = 0;
  long sent = 0;
  curl_easy_getinfo(attempt->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(attempt->easy, CURLINFO_REQUEST_SIZE, &sent);
  /* a large body is not in it, a small one left together with the head */
  const curl_off_t uploaded = number_of(attempt, CURLINFO_SIZE_UPLOAD_T);
  lua_createtable(L, 0, 8);
  ldsc_setinteger(L, "status", status);
  ldsc_setinteger(L, "delivered", (int64_t)attempt->delivered);
  push_headers(L, attempt, &transport->wanted);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, attempt->body.data != NULL ? attempt->body.data : "",
                  attempt->body.length);
  lua_setfield(L, -2, "body");
  set_boolean(L, "reused", attempt->reused);
  if (attempt->timed) {
    push_timings(L, attempt);
    lua_setfield(L, -2, "timings");
  }
  ldsc_setinteger(L, "bytes_in",
                  (int64_t)attempt->head_bytes +
                      number_of(attempt, CURLINFO_SIZE_DOWNLOAD_T));
  ldsc_setinteger(L, "bytes_out", sent + (uploaded > sent ? uploaded : 0));
  return 1;
}

/*
** The transfer.
*/

static const char taken[] = "the result was already taken";

static struct ccurl_transfer *check_transfer(lua_State *L) {
  return (struct ccurl_transfer *)luaL_checkudata(L, 1, TRANSFER);
}

/*
** While a result is being made into Lua values a finaliser may close the
** transport, or come back here: the attempt is out of reach of both.
*/
static int transfer_wait(lua_State *L) {
  struct ccurl_transfer *transfer = check_transfer(L);
  struct ccurl_attempt *attempt = transfer->attempt;
  if (attempt == NULL)
    return push_failure(L, transfer->phase, transfer->ended, transfer->why);
  if (attempt->detached)
    return push_failure(L, attempt->phase, DSC_CLOSED, taken);
  const char *unusable = ccurl_pool_unusable(attempt->pool);
  if (unusable != NULL)
    return push_failure(L, attempt->phase, DSC_CLOSED, unusable);
  ccurl_pool_wait(attempt);
  if (attempt->running)
    return luaL_error(L, "the pieces of the file have to be taken first");
  ccurl_pool_detach(transfer);
  const int count = attempt->kind == DSC_OK ? push_response(L, attempt)
                                            : push_attempt_failure(L, attempt);
  ccurl_pool_release(transfer, DSC_CLOSED, taken);
  return count;
}

/*
** transfer:piece() -> string: the next bytes of a file; nothing once it is
** over, failed, or none: then wait() tells. The room is there before anything
** is taken: no Lua code may run in between.
*/
static int transfer_piece(lua_State *L) {
  struct ccurl_transfer *transfer = check_transfer(L);
  char *room = (char *)lua_newuserdata(L, CCURL_PIECE_BYTES_MAX);
  struct ccurl_attempt *attempt = transfer->attempt;
  if (attempt == NULL || attempt->detached ||
      ccurl_pool_unusable(attempt->pool) != NULL)
    return 0;
  ccurl_pool_wait(attempt);
  const size_t length = ccurl_pool_take_piece(attempt, room);
  lua_pushlstring(L, room, length);
  return length > 0;
}

/* transfer:ready() -> boolean: would wait and piece return at once? */
static int transfer_ready(lua_State *L) {
  const struct ccurl_attempt *attempt = check_transfer(L)->attempt;
  lua_pushboolean(L, attempt == NULL || ccurl_attempt_readable(attempt));
  return 1;
}

/* transfer:id() -> the number under which transport:step tells of it; nil once
** it is over */
static int transfer_id(lua_State *L) {
  const struct ccurl_attempt *attempt = check_transfer(L)->attempt;
  if (attempt == NULL)
    return 0;
  lua_pushnumber(L, (lua_Number)attempt->id);
  return 1;
}

static int transfer_gc(lua_State *L) {
  struct ccurl_transfer *transfer = check_transfer(L);
  if (transfer->attempt == NULL)
    return 0;
  if (ccurl_pool_forked(transfer->attempt->pool))
    ccurl_pool_forget(transfer);
  else
    ccurl_pool_release(transfer, DSC_CANCELLED, "it was cancelled");
  return 0;
}

static int transfer_cancel(lua_State *L) {
  struct ccurl_attempt *attempt = check_transfer(L)->attempt;
  return attempt == NULL || attempt->detached ? 0 : transfer_gc(L);
}

/*
** The transport.
*/

static struct transport *check_transport(lua_State *L) {
  return (struct transport *)luaL_checkudata(L, 1, TRANSPORT);
}

static const char *method_option(lua_State *L, int index) {
  const char *method = string_option(L, index, "method", "GET");
  const size_t length = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  if (lua_isnil(L, -1))
    return method;
  return length > 0 && length == ldsc_rawlen(L, -1) ? method : NULL;
}

/* No byte that could end the request line. */
static const char *url_option(lua_State *L, int index) {
  size_t length;
  if (is_absent(L, index, "url", LUA_TSTRING))
    luaL_error(L, "url: expected string, got nil");
  const char *url = lua_tolstring(L, -1, &length);
  for (size_t i = 0; i < length; i++) {
    if ((unsigned char)url[i] <= ' ' || url[i] == 0x7F)
      return NULL;
  }
  return url;
}

/* The header lines at this stack index: a table, or nil. */
static enum dsc_kind add_lines(lua_State *L, int index,
                               struct ccurl_attempt *attempt) {
  enum dsc_kind kind = DSC_OK;
  if (lua_isnil(L, index))
    return kind;
  for (int i = 1; kind == DSC_OK && ldsc_rawgeti(L, index, i) != LUA_TNIL;
       i++) {
    size_t length;
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "headers[%d]: expected string, got %s", i,
                 luaL_typename(L, -1));
    const char *line = lua_tolstring(L, -1, &length);
    kind = ccurl_attempt_line(attempt, line, length);
    lua_pop(L, 1);
  }
  return kind;
}

/* A file descriptor, or true for pieces. */
static void read_sink(lua_State *L, int index,
                      struct ccurl_request *request) {
  lua_getfield(L, index, "sink");
  if (lua_type(L, -1) == LUA_TNUMBER) {
    request->sink = CCURL_FD;
    request->sink_fd = (int)lua_tointeger(L, -1);
  } else if (lua_isboolean(L, -1)) {
    request->sink = lua_toboolean(L, -1) ? CCURL_PIECES : CCURL_KEEP;
  } else if (!lua_isnil(L, -1)) {
    luaL_error(L, "sink: expected number or true, got %s",
               luaL_typename(L, -1));
  }
  lua_pop(L, 1);
}

/* All but the lines, which stay on top of the stack. */
static void read_request(lua_State *L, int index,
                         const struct transport *transport,
                         struct ccurl_request *request) {
  request->deadline_s = luaL_checknumber(L, 3);
  request->method = method_option(L, index);
  request->url = url_option(L, index);
  request->body = string_option(L, index, "body", NULL);
  if (request->body != NULL)
    request->body_length = ldsc_rawlen(L, -1);
  request->fresh = boolean_option(L, index, "fresh", false) ||
                   boolean_option(L, index, "once", false);
  request->connect_timeout_s = number_option(L, index, "connect_timeout_s",
                                             transport->connect_timeout_s);
  request->idle_timeout_s = number_option(L, index, "idle_timeout_s", 0);
  request->timed = boolean_option(L, index, "timed", false);
  request->body_bytes_max = (size_t)clamp(
      number_option(L, index, "body_bytes_max", (double)BODY_BYTES_MAX), 0,
      (double)(SIZE_MAX / 4));
  read_sink(L, index, request);
  is_absent(L, index, "headers", LUA_TTABLE);
}

static enum dsc_kind start(lua_State *L, const struct ccurl_request *request,
                           int lines, struct ccurl_attempt *attempt) {
  if (request->method == NULL || request->url == NULL)
    return DSC_ARGUMENT;
  enum dsc_kind kind = add_lines(L, lines, attempt);
  if (kind == DSC_OK)
    kind = ccurl_attempt_prepare(attempt, request);
  if (kind == DSC_OK && ccurl_pool_start(attempt, request->url) != CURLM_OK)
    kind = DSC_MEMORY;
  return kind;
}

/* The table that keeps the transport goes to all its transfers. */
static struct ccurl_transfer *new_transfer(lua_State *L) {
  struct ccurl_transfer *transfer =
      (struct ccurl_transfer *)ldsc_newuserdata(L, sizeof *transfer);
  memset(transfer, 0, sizeof *transfer);
  transfer->ended = DSC_CLOSED;
  transfer->why = "it was not started";
  luaL_getmetatable(L, TRANSFER);
  lua_setmetatable(L, -2);
  ldsc_getvalue(L, 1);
  ldsc_setvalue(L, -2);
  return transfer;
}

/* Pushes a transfer of this transport: the one at the index, where it is over,
** or a new one. */
static struct ccurl_transfer *push_transfer(lua_State *L, int index) {
  if (lua_isnoneornil(L, index))
    return new_transfer(L);
  struct ccurl_transfer *transfer =
      (struct ccurl_transfer *)luaL_checkudata(L, index, TRANSFER);
  ldsc_getvalue(L, 1);
  ldsc_getvalue(L, index);
  luaL_argcheck(L, transfer->attempt == NULL && lua_rawequal(L, -1, -2),
                index, "a transfer of this transport that is over expected");
  lua_pop(L, 2);
  lua_pushvalue(L, index);
  return transfer;
}

/*
** transport:start(request, deadline_s [, transfer]) -> transfer; or nil and a
** failure. A transfer that is over, and that nobody will ask again, can be
** given to be used anew. No Lua code may run once the pool was found usable.
*/
static int transport_start(lua_State *L) {
  struct transport *transport = check_transport(L);
  struct ccurl_request request = {0};
  lua_settop(L, 4);
  luaL_checktype(L, 2, LUA_TTABLE);
  read_request(L, 2, transport, &request);
  const int lines = lua_gettop(L);
  struct ccurl_transfer *transfer = push_transfer(L, 4);
  const int index = lua_gettop(L);
  const char *unusable = ccurl_pool_unusable(&transport->pool);
  if (unusable != NULL)
    return push_failure(L, DSC_UNSENT, DSC_CLOSED, unusable);
  if (!ccurl_pool_take(&transport->pool, transfer))
    return push_refusal(L, DSC_MEMORY);
  enum dsc_kind kind = start(L, &request, lines, transfer->attempt);
  if (kind == DSC_OK) {
    lua_pushvalue(L, index);
    return 1;
  }
  ccurl_pool_release(transfer, DSC_CLOSED, "it was refused");
  return push_refusal(L, kind);
}

/*
** transport:step(seconds, list) -> count, running: drives all transfers, waits
** for so long at most unless one of them is ready, and puts the numbers of
** those that have become so since the last step into the list, the oldest
** first. With nothing under way it returns at once.
*/
static int transport_step(lua_State *L) {
  struct ccurl_pool *pool = &check_transport(L)->pool;
  const double seconds = luaL_checknumber(L, 2);
  int count = 0;
  luaL_checktype(L, 3, LUA_TTABLE);
  if (ccurl_pool_unusable(pool) != NULL) {
    lua_pushinteger(L, 0);
    return 1;
  }
  ccurl_pool_step(pool, seconds);
  uint64_t id = ccurl_pool_news(pool);
  while (id != 0) {
    lua_pushnumber(L, (lua_Number)id);
    lua_rawseti(L, 3, ++count); /* a finaliser may end transfers here */
    id = ccurl_pool_news(pool);
  }
  lua_pushinteger(L, count);
  lua_pushinteger(L, pool->running);
  return 2;
}

/* transport:pollfd() -> the descriptor that is readable when a step has
** something to do; nil where this system has none. Also getfd, for loops that
** call it so. */
static int transport_pollfd(lua_State *L) {
  struct ccurl_pool *pool = &check_transport(L)->pool;
  if (ccurl_pool_unusable(pool) != NULL || !ccurl_events_open(&pool->events) ||
      pool->events.fd < 0)
    return 0;
  lua_pushinteger(L, pool->events.fd);
  return 1;
}

/* transport:events() -> "r": what is to be waited for on the descriptor */
static int transport_events(lua_State *L) {
  check_transport(L);
  lua_pushliteral(L, "r");
  return 1;
}

/* transport:timeout() -> in how many seconds a step is due though nothing has
** come; nil: never */
static int transport_timeout(lua_State *L) {
  struct ccurl_pool *pool = &check_transport(L)->pool;
  const double seconds = ccurl_pool_unusable(pool) != NULL
                             ? HUGE_VAL
                             : ccurl_pool_timeout_s(pool);
  if (isinf(seconds))
    return 0;
  lua_pushnumber(L, seconds);
  return 1;
}

static int transport_close(lua_State *L) {
  ccurl_pool_close(&check_transport(L)->pool);
  return 0;
}

/* transport:stats() -> {pool_maxsize, running, queued, open}: how many requests
** are under way, how many ever had to wait for a connection, and how many
** sockets are open, those at rest and those still connecting included */
static int transport_stats(lua_State *L) {
  const struct ccurl_pool *pool = &check_transport(L)->pool;
  lua_createtable(L, 0, 4);
  ldsc_setinteger(L, "pool_maxsize", pool->pool_maxsize);
  ldsc_setinteger(L, "running", pool->running);
  ldsc_setinteger(L, "queued", (int64_t)pool->queued);
  ldsc_setinteger(L, "open", (int64_t)pool->sockets.count);
  return 1;
}

/*
** The module.
*/

/*
** curl.new([options]) -> transport. Beside those of ccurl_options:
** connect_timeout_s, and `headers`, the names of the fields that answers are
** to have (all where it is not given).
*/
static int curl_new(lua_State *L) {
  struct ccurl_options options = {0};
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  struct transport *transport =
      (struct transport *)ldsc_newuserdata(L, sizeof *transport);
  memset(transport, 0, sizeof *transport);
  transport->alloc = lua_getallocf(L, &transport->alloc_ud);
  transport->pool.env.alloc = state_alloc;
  transport->pool.env.ud = transport;
  luaL_getmetatable(L, TRANSPORT);
  lua_setmetatable(L, -2);
  const int index = lua_gettop(L);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, 1);
  ldsc_setvalue(L, index);
  read_options(L, 1, &options);
  read_wanted(L, 1, index, &transport->wanted);
  transport->connect_timeout_s =
      number_option(L, 1, "connect_timeout_s", CONNECT_TIMEOUT_S);
  CURLcode code = ccurl_pool_open(&transport->pool, &options);
  if (code != CURLE_OK)
    return luaL_error(L, "libcurl: %s", curl_easy_strerror(code));
  lua_pushvalue(L, index);
  return 1;
}

static int curl_now(lua_State *L) {
  lua_pushnumber(L, ccurl_now_s());
  return 1;
}

/* curl.sleep(seconds): blocks, whatever signals come. A time_t is not endless:
** what is too long for it is a year. */
static int curl_sleep(lua_State *L) {
  const double until_s =
      ccurl_now_s() + fmin(luaL_checknumber(L, 1), SLEEP_S_MAX);
  for (;;) {
    const double left_s = until_s - ccurl_now_s();
    if (!(left_s > 0))
      return 0;
    struct timespec left;
    left.tv_sec = (time_t)left_s;
    left.tv_nsec = (long)((left_s - floor(left_s)) * 1e9);
    nanosleep(&left, NULL);
  }
}

/*
** curl.poll(descriptors, seconds) -> count: waits until one of them can be
** read, a signal comes, or so long at most; -1 is none.
*/
static int curl_poll(lua_State *L) {
  const double seconds = luaL_checknumber(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  const size_t count = ldsc_rawlen(L, 1);
  struct pollfd *list = (struct pollfd *)lua_newuserdata(
      L, (count > 0 ? count : 1) * sizeof *list);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (int)i + 1);
    list[i].fd = (int)lua_tointeger(L, -1);
    list[i].events = POLLIN;
    lua_pop(L, 1);
  }
  const int readable = poll(list, (nfds_t)count,
                            (int)ceil(clamp(seconds, 0, POLL_S_MAX) * 1e3));
  lua_pushinteger(L, readable > 0 ? readable : 0);
  return 1;
}

static int curl_version_text(lua_State *L) {
  lua_pushstring(L, curl_version());
  return 1;
}

static void initialise(lua_State *L) {
  static bool initialised = false;
  const curl_version_info_data *found = curl_version_info(CURLVERSION_NOW);
  if (found->version_num < LIBCURL_MIN)
    luaL_error(L, "dsclient.curl needs libcurl %s or newer, found %s",
               LIBCURL_MIN_NAME, found->version);
  if (initialised)
    return;
  CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK)
    luaL_error(L, "libcurl: %s", curl_easy_strerror(code));
  initialised = true;
}

static const luaL_Reg transfer_methods[] = {{"piece", transfer_piece},
                                            {"wait", transfer_wait},
                                            {"ready", transfer_ready},
                                            {"id", transfer_id},
                                            {"cancel", transfer_cancel},
                                            {NULL, NULL}};

static const luaL_Reg transport_methods[] = {
    {"start", transport_start},
    {"step", transport_step},
    {"pollfd", transport_pollfd},
    {"getfd", transport_pollfd},
    {"events", transport_events},
    {"timeout", transport_timeout},
    {"stats", transport_stats},
    {"close", transport_close},
    {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"new", curl_new},
    {"now", curl_now},
    {"poll", curl_poll},
    {"sleep", curl_sleep},
    {"version", curl_version_text},
    {NULL, NULL}};

int luaopen_dsclient_curl(lua_State *L) {
  ldsc_checkversion(L);
  initialise(L);
  ldsc_newclass(L, TRANSFER, transfer_methods, transfer_gc);
  ldsc_newclass(L, TRANSPORT, transport_methods, transport_close);
  lua_newtable(L);
  ldsc_setfuncs(L, functions);
  return 1;
}

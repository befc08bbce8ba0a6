/*
** The measure for the cost of a call: libcurl over keep-alive connections,
** with nothing around it. `loop` and `many` stay in C; `get`, and `many` with
** a function, hand the answers to Lua, so that lua-cjson can decode them. It
** asks for gzip as dsclient does, so that the answers are the same.
**
**   local bare = require("bench.bare_curl").open(url, "token: x", 20)
**   bare:loop(1000)
**   local body = bare:get()
**   bare:many(1000)               -- 20 at once
**   bare:many(1000, cjson.decode)
*/
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "lua/compat.h"

#define CLASS "bench.bare_curl"

#define AT_ONCE_MAX 100
#define POLL_MS 10000

LDSC_EXPORT int luaopen_bench_bare_curl(lua_State *L);

struct transfer {
  CURL *easy;
  char *data; /* grows to the largest answer and stays */
  size_t length, size;
  char error[CURL_ERROR_SIZE];
};

struct bare {
  CURLM *multi;
  struct curl_slist *headers;
  int at_once;
  struct transfer transfers[AT_ONCE_MAX]; /* at_once of them are in use */
};

static size_t on_body(char *data, size_t size, size_t count, void *ud) {
  struct transfer *transfer = (struct transfer *)ud;
  const size_t length = size * count;
  if (length > transfer->size - transfer->length) {
    const size_t grown_size = 2 * (transfer->length + length);
    char *grown = (char *)realloc(transfer->data, grown_size);
    if (grown == NULL)
      return 0;
    transfer->data = grown;
    transfer->size = grown_size;
  }
  memcpy(transfer->data + transfer->length, data, length);
  transfer->length += length;
  return length;
}

static void check(lua_State *L, struct transfer *transfer, CURLcode code) {
  long status = 0;
  if (code != CURLE_OK)
    luaL_error(L, "bare_curl: %s", transfer->error);
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200)
    luaL_error(L, "bare_curl: status %d", (int)status);
}

/*
** One after the other.
*/

static struct transfer *get(lua_State *L) {
  struct bare *bare = (struct bare *)luaL_checkudata(L, 1, CLASS);
  struct transfer *transfer = &bare->transfers[0];
  transfer->length = 0;
  check(L, transfer, curl_easy_perform(transfer->easy));
  return transfer;
}

/* bare:get() -> the body of one answer */
static int bare_get(lua_State *L) {
  const struct transfer *transfer = get(L);
  lua_pushlstring(L, transfer->data, transfer->length);
  return 1;
}

/* bare:loop(count): so many answers, one after the other */
static int bare_loop(lua_State *L) {
  for (lua_Integer left = luaL_checkinteger(L, 2); left > 0; left--)
    get(L);
  return 0;
}

/*
** Side by side.
*/

static void begin(lua_State *L, CURLM *multi, struct transfer *transfer) {
  transfer->length = 0;
  if (curl_multi_add_handle(multi, transfer->easy) != CURLM_OK)
    luaL_error(L, "bare_curl: no transfer can begin");
}

/* Takes out what has ended; gives its body to the function at `fn`, if any. */
static lua_Integer reap(lua_State *L, CURLM *multi, lua_Integer unbegun,
                        int fn) {
  lua_Integer ended = 0;
  int left;
  for (CURLMsg *message = curl_multi_info_read(multi, &left); message != NULL;
       message = curl_multi_info_read(multi, &left)) {
    struct transfer *transfer;
    const CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                      (char **)&transfer);
    curl_multi_remove_handle(multi, transfer->easy);
    check(L, transfer, code);
    if (fn != 0) {
      lua_pushvalue(L, fn);
      lua_pushlstring(L, transfer->data, transfer->length);
      lua_call(L, 1, 0);
    }
    if (ended++ < unbegun)
      begin(L, multi, transfer);
  }
  return ended;
}

/* bare:many(count, fn): so many answers, at_once under way */
static int bare_many(lua_State *L) {
  struct bare *bare = (struct bare *)luaL_checkudata(L, 1, CLASS);
  const lua_Integer count = luaL_checkinteger(L, 2);
  const int fn = lua_isnoneornil(L, 3) ? 0 : 3;
  lua_Integer begun = 0, ended = 0;
  for (; begun < count && begun < bare->at_once; begun++)
    begin(L, bare->multi, &bare->transfers[begun]);
  while (ended < count) {
    int running;
    if (curl_multi_perform(bare->multi, &running) != CURLM_OK)
      luaL_error(L, "bare_curl: curl_multi_perform failed");
    const lua_Integer done = reap(L, bare->multi, count - begun, fn);
    ended += done;
    begun += done < count - begun ? done : count - begun;
    if (done == 0)
      curl_multi_poll(bare->multi, NULL, 0, POLL_MS, NULL);
  }
  return 0;
}

/*
** Begin and end.
*/

static int bare_gc(lua_State *L) {
  struct bare *bare = (struct bare *)luaL_checkudata(L, 1, CLASS);
  for (int i = 0; i < bare->at_once; i++) {
    curl_multi_remove_handle(bare->multi, bare->transfers[i].easy);
    curl_easy_cleanup(bare->transfers[i].easy);
    free(bare->transfers[i].data);
  }
  curl_multi_cleanup(bare->multi);
  curl_slist_free_all(bare->headers);
  memset(bare, 0, sizeof *bare);
  return 0;
}

static void open_transfer(const struct bare *bare, struct transfer *transfer,
                          const char *url) {
  CURL *easy = transfer->easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, bare->headers);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)transfer);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)transfer);
}

/* open(url, header line, at_once) -> bare */
static int bare_open(lua_State *L) {
  const char *url = luaL_checkstring(L, 1);
  const char *line = luaL_checkstring(L, 2);
  const int at_once = (int)luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, at_once >= 1 && at_once <= AT_ONCE_MAX, 3, "1 to 100");
  struct bare *bare = (struct bare *)ldsc_newuserdata(L, sizeof *bare);
  memset(bare, 0, sizeof *bare);
  luaL_getmetatable(L, CLASS);
  lua_setmetatable(L, -2);
  bare->multi = curl_multi_init();
  curl_multi_setopt(bare->multi, CURLMOPT_MAXCONNECTS, (long)at_once);
  bare->headers = curl_slist_append(NULL, line);
  curl_slist_append(bare->headers, "Accept: application/json");
  for (; bare->at_once < at_once; bare->at_once++)
    open_transfer(bare, &bare->transfers[bare->at_once], url);
  return 1;
}

static const luaL_Reg methods[] = {{"get", bare_get},
                                   {"loop", bare_loop},
                                   {"many", bare_many},
                                   {NULL, NULL}};

static const luaL_Reg functions[] = {{"open", bare_open}, {NULL, NULL}};

int luaopen_bench_bare_curl(lua_State *L) {
  ldsc_newclass(L, CLASS, methods, bare_gc);
  lua_newtable(L);
  ldsc_setfuncs(L, functions);
  return 1;
}

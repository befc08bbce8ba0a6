/*
** The measure for the cost of a call: libcurl's easy interface over one
** keep-alive connection, with nothing around it. `loop` stays in C; `get`
** hands the answer to Lua, so that lua-cjson can decode it. It asks for gzip
** as dsclient does, so that the answers are the same.
**
**   local bare = require("bench.bare_curl").open(url, "token: x")
**   bare:loop(1000)
**   local body = bare:get()
*/
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "lua/compat.h"

#define CLASS "bench.bare_curl"

LDSC_EXPORT int luaopen_bench_bare_curl(lua_State *L);

struct bare {
  CURL *easy;
  struct curl_slist *headers;
  char *data; /* grows to the largest answer and stays */
  size_t length, size;
  char error[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t count, void *ud) {
  struct bare *bare = (struct bare *)ud;
  const size_t length = size * count;
  if (length > bare->size - bare->length) {
    const size_t grown_size = 2 * (bare->length + length);
    char *grown = (char *)realloc(bare->data, grown_size);
    if (grown == NULL)
      return 0;
    bare->data = grown;
    bare->size = grown_size;
  }
  memcpy(bare->data + bare->length, data, length);
  bare->length += length;
  return length;
}

static struct bare *get(lua_State *L) {
  struct bare *bare = (struct bare *)luaL_checkudata(L, 1, CLASS);
  long status = 0;
  bare->length = 0;
  if (curl_easy_perform(bare->easy) != CURLE_OK)
    luaL_error(L, "bare_curl: %s", bare->error);
  curl_easy_getinfo(bare->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200)
    luaL_error(L, "bare_curl: status %d", (int)status);
  return bare;
}

/* bare:get() -> the body of one answer */
static int bare_get(lua_State *L) {
  const struct bare *bare = get(L);
  lua_pushlstring(L, bare->data, bare->length);
  return 1;
}

/* bare:loop(count): so many answers, one after the other */
static int bare_loop(lua_State *L) {
  for (lua_Integer left = luaL_checkinteger(L, 2); left > 0; left--)
    get(L);
  return 0;
}

static int bare_gc(lua_State *L) {
  struct bare *bare = (struct bare *)luaL_checkudata(L, 1, CLASS);
  curl_slist_free_all(bare->headers);
  curl_easy_cleanup(bare->easy);
  free(bare->data);
  memset(bare, 0, sizeof *bare);
  return 0;
}

/* open(url, header line) -> bare */
static int bare_open(lua_State *L) {
  const char *url = luaL_checkstring(L, 1);
  const char *line = luaL_checkstring(L, 2);
  struct bare *bare = (struct bare *)ldsc_newuserdata(L, sizeof *bare);
  memset(bare, 0, sizeof *bare);
  luaL_getmetatable(L, CLASS);
  lua_setmetatable(L, -2);
  CURL *easy = bare->easy = curl_easy_init();
  bare->headers = curl_slist_append(NULL, line);
  curl_slist_append(bare->headers, "Accept: application/json");
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, bare->headers);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, bare->error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)bare);
  return 1;
}

static const luaL_Reg methods[] = {
    {"get", bare_get}, {"loop", bare_loop}, {NULL, NULL}};

static const luaL_Reg functions[] = {{"open", bare_open}, {NULL, NULL}};

int luaopen_bench_bare_curl(lua_State *L) {
  ldsc_newclass(L, CLASS, methods, bare_gc);
  lua_newtable(L);
  ldsc_setfuncs(L, functions);
  return 1;
}

/*
** A fuzz target written in Lua: the script DSC_FUZZ_SCRIPT returns a function
** that is called with each input, and may throw where something does not hold.
** Each pair of lines that follow one another is coverage for libFuzzer, so
** that it finds its way through Lua as it does through C.
*/
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"

/* A prime, so that lines of many files share few counters. */
#define COUNTERS 65521

__attribute__((section("__libfuzzer_extra_counters")))
static uint8_t counters[COUNTERS];

extern int luaopen_dsclient_core(lua_State *L);

static lua_State *state;

/* What Lua keeps from one input to the next is no leak; what the core took
** from its allocator is gone at the end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

static void close_state(void) {
  lua_close(state);
  REQUIRE(fuzz_memory_free());
}

/* The same in each process, as the address of the name would not be. */
static uint32_t number_of(const char *name) {
  uint32_t hash = 2166136261; /* FNV-1a */
  for (; *name != '\0'; name++)
    hash = (hash ^ (unsigned char)*name) * 16777619;
  return hash;
}

static uint32_t last_line;

static void count_line(lua_State *L, lua_Debug *at) {
  static const char *last_source;
  static uint32_t source_number;
  lua_getinfo(L, "Sl", at);
  if (at->source != last_source) {
    last_source = at->source;
    source_number = number_of(at->source);
  }
  uint32_t line = source_number + (uint32_t)at->currentline * 2654435761u;
  uint8_t *counter = &counters[(line ^ last_line >> 1) % COUNTERS];
  *counter = (uint8_t)(*counter + (*counter < UINT8_MAX));
  last_line = line;
}

static void broken(lua_State *L) {
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  abort();
}

static int add_trace(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* The function stays on the stack, above the handler of its errors. */
static lua_State *open_script(void) {
  static const char tree[] = "package.path = './lua/?.lua;./lua/?/init.lua;"
                             "./spec/?.lua;' .. package.path";
  lua_State *L = lua_newstate(fuzz_memory.alloc, NULL);
  REQUIRE(L != NULL);
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_dsclient_core);
  lua_setfield(L, -2, "dsclient.core");
  lua_settop(L, 0);
  lua_pushcfunction(L, add_trace);
  if (luaL_dostring(L, tree) != LUA_OK ||
      luaL_loadfile(L, DSC_FUZZ_SCRIPT) != LUA_OK ||
      lua_pcall(L, 0, 1, 1) != LUA_OK)
    broken(L);
  lua_sethook(L, count_line, LUA_MASKLINE, 0);
  return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (state == NULL) {
    state = open_script();
    atexit(close_state);
  }
  last_line = 0;
  lua_pushvalue(state, 2);
  lua_pushlstring(state, (const char *)data, size);
  if (lua_pcall(state, 1, 0, 1) != LUA_OK)
    broken(state);
  return 0;
}

/*
** What the files of this room give to the module table `dsclient.core`:
** each adds its functions to the table on top of the stack.
*/
#ifndef LDSC_MODULE_H
#define LDSC_MODULE_H

#include <stdbool.h>

#include "core/env.h"
#include "lua/compat.h"

/*
** Memory from the Lua state's own allocator, the machine's monotonic clock,
** random bits seeded from the kernel.
*/
struct ldsc_env {
  struct dsc_env env; /* env.ud points to this struct */
  lua_Alloc alloc;
  void *alloc_ud;
  uint64_t random[2];
  int64_t virtual_us; /* the clock of tests; below 0: the machine's */
};

/* The machine's monotonic clock. */
int64_t ldsc_now_us(void);

void ldsc_env_init(lua_State *L, struct ldsc_env *env);
/* Other random bits. */
void ldsc_env_init_random(struct ldsc_env *env);
/* The same chance each time, for tests. */
void ldsc_env_seed(struct ldsc_env *env, uint64_t number);

/* Pushes the value of a text that core.encode wrote; throws on any other. */
void ldsc_decode(lua_State *L, const char *text, size_t length);
/* The same of any text, and something below it; false, and anything, where it
** is none that can be read. */
bool ldsc_trydecode(lua_State *L, const char *text, size_t length);

void ldsc_open_json(lua_State *L);
void ldsc_open_url(lua_State *L);
void ldsc_open_http1(lua_State *L);
void ldsc_open_client(lua_State *L);
void ldsc_open_call(lua_State *L);
void ldsc_open_cache(lua_State *L);
void ldsc_open_metrics(lua_State *L);
void ldsc_open_snapshot(lua_State *L);
void ldsc_open_status(lua_State *L);
void ldsc_open_shortcut(lua_State *L);
void ldsc_open_shared(lua_State *L);

#endif

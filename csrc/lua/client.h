/*
** The client as Lua holds it. Its attached table keeps the objects of the
** cache under their entry's index + 1, and the client itself under 0, so that
** whoever holds the table holds the client.
**
** Whatever makes a Lua value may run finalisers, and a finaliser may clear the
** cache or close the client: what was read of it before is then read no more.
** A closed client is an empty one: it knows nothing and keeps nothing, and a
** call of it fails with the kind "closed".
*/
#ifndef LDSC_CLIENT_H
#define LDSC_CLIENT_H

#include "core/client.h"
#include "lua/module.h"

/* So many methods may have a short way to the cache (see lua/shortcut.c): more
** than there are reads. */
#define LDSC_SHORTCUTS_MAX 256

struct ldsc_shortcut {
  uint32_t metric;
  uint32_t rows_max; /* 0: this client has no such way */
  uint32_t entry;    /* the one that it led to the last time */
};

struct ldsc_client {
  struct ldsc_env env;
  struct dsc_client core; /* core.env is NULL when closed */
  uint32_t generation; /* of the process that used it first; 0: nobody did */
  struct ldsc_shortcut shortcuts[LDSC_SHORTCUTS_MAX]; /* by method */
};

/* How often the process was forked since it loaded this module, and one. */
uint32_t ldsc_generation(void);

/* NULL where the argument is no client. */
struct ldsc_client *ldsc_testclient(lua_State *L, int arg);

/* Throws where the argument is no client. */
struct ldsc_client *ldsc_checkclient(lua_State *L, int arg);
/* The number of an operation, as core.register gave it; or throws. */
uint32_t ldsc_checkoperation(lua_State *L, const struct ldsc_client *client,
                             int arg);

#endif

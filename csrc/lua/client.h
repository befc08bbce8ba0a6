/*
** The client as Lua holds it. Its attached table keeps the objects of the
** cache under their entry's index + 1, and the client itself under 0, so that
** whoever holds the table holds the client; under LDSC_STORE the shared store
** of entries, where there is one.
**
** Whatever makes a Lua value may run finalisers, and a finaliser may clear the
** cache or close the client: what was read of it before is then read no more.
** A closed client is an empty one: it knows nothing and keeps nothing, and a
** call of it fails with the kind "closed".
*/
#ifndef LDSC_CLIENT_H
#define LDSC_CLIENT_H

#include "core/client.h"
#include "lua/fork.h"
#include "lua/module.h"

/* An entry's key begins with the identity whose it is; objects that the user
** keeps are of none: they stay when the token changes. */
#define LDSC_IDENTITY_SIZE sizeof(uint64_t)
#define LDSC_NO_IDENTITY 0

/* A longer key is not worth its place in the cache. */
#define LDSC_KEY_MAX 2048

struct ldsc_cachekey {
  char bytes[LDSC_IDENTITY_SIZE + LDSC_KEY_MAX];
  size_t length;
};

#define LDSC_STORE (-1)

/* So many methods may have a short way to the cache (see lua/shortcut.c): more
** than there are reads. */
#define LDSC_SHORTCUTS_MAX 256

struct ldsc_shortcut {
  uint32_t metric;
  uint32_t rows_max; /* 0: this client has no such way */
  uint32_t entry;    /* the one that it led to the last time */
  uint64_t stamp;    /* of its entries in a shared store; 0: is not known */
  bool ahead;        /* entries that are due go the whole way */
};

/* What a short way did not find, and the shared store may have. */
struct ldsc_missed {
  int number; /* of the method */
  bool borrow;
  struct ldsc_cachekey key;
};

struct ldsc_client {
  struct ldsc_env env;
  struct dsc_client core; /* core.env is NULL when closed */
  uint32_t born;       /* the generation of the process that made it */
  uint32_t generation; /* of the process that used it first; 0: nobody did */
  bool follows_forks;  /* it has nothing that a child may not use, too */
  struct ldsc_shortcut shortcuts[LDSC_SHORTCUTS_MAX]; /* by method */
  struct ldsc_missed missed;
};

/* NULL where the argument is no client. */
struct ldsc_client *ldsc_testclient(lua_State *L, int arg);

/* Throws where the argument is no client. */
struct ldsc_client *ldsc_checkclient(lua_State *L, int arg);
/* The number of an operation, as core.register gave it; or throws. */
uint32_t ldsc_checkoperation(lua_State *L, const struct ldsc_client *client,
                             int arg);

/* Pushes the name, in a shared store, of what a key stands for. */
void ldsc_pushname(lua_State *L, const struct dsc_client *client, char tag,
                   bool own, const char *key, size_t length);

#endif

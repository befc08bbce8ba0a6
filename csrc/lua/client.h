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

#include <sys/types.h>

#include "core/client.h"
#include "lua/module.h"

struct ldsc_client {
  struct ldsc_env env;
  struct dsc_client core; /* core.env is NULL when closed */
  pid_t pid; /* of the process that used it first; 0: nobody did */
};

/* Throws where the argument is no client. */
struct ldsc_client *ldsc_checkclient(lua_State *L, int arg);

#endif

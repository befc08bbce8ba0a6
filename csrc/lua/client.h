/*
** The client as Lua holds it. Its attached table keeps the objects of the
** cache under their entry's index + 1, and the client itself under 0, so that
** whoever holds the table holds the client.
*/
#ifndef LDSC_CLIENT_H
#define LDSC_CLIENT_H

#include "core/client.h"
#include "lua/module.h"

struct ldsc_client {
  struct ldsc_env env;
  struct dsc_client core; /* core.env is NULL when closed */
};

/* Throws where the argument is no client. */
struct ldsc_client *ldsc_checkclient(lua_State *L, int arg);
/* As above, and throws where it is closed: the Lua layer looks first. */
struct ldsc_client *ldsc_openclient(lua_State *L, int arg);

#endif

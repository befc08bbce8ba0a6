/*
** What the files of this room add to the module table `dsclient.sys`: the
** few system calls that commands need and Lua lacks.
*/
#ifndef LDSC_SYS_H
#define LDSC_SYS_H

#include "lua/compat.h"

void ldsc_open_file(lua_State *L);
void ldsc_open_signal(lua_State *L);

#endif

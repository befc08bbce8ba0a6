/*
** One source for Lua 5.1 to 5.4 and LuaJIT: what a version lacks is here,
** under our own prefix. Also what every room that binds to Lua shares.
*/
#ifndef LDSC_COMPAT_H
#define LDSC_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#include <stdint.h>
#include <string.h>

#define LDSC_EXPORT __attribute__((visibility("default"))) extern

#if LUA_VERSION_NUM >= 503
#define LDSC_INTEGERS 1 /* the VM has a 64-bit integer type */
#else
#define LDSC_INTEGERS 0
#endif

/* The largest integer a double holds with all below it. */
#define LDSC_EXACT_MAX INT64_C(9007199254740992)

static inline int ldsc_absindex(lua_State *L, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index
                                                 : lua_gettop(L) + index + 1;
}

static inline size_t ldsc_rawlen(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 502
  return lua_rawlen(L, index);
#else
  return lua_objlen(L, index);
#endif
}

/* The type of t[i]; 5.1 returns nothing here. */
static inline int ldsc_rawgeti(lua_State *L, int index, int i) {
  lua_rawgeti(L, index, i);
  return lua_type(L, -1);
}

/* A userdata with one Lua table (or nil) attached, see ldsc_getvalue. */
static inline void *ldsc_newuserdata(lua_State *L, size_t size) {
#if LUA_VERSION_NUM >= 504
  return lua_newuserdatauv(L, size, 1);
#else
  return lua_newuserdata(L, size);
#endif
}

/* Pops a table and attaches it to the userdata at index. */
static inline void ldsc_setvalue(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 504
  lua_setiuservalue(L, index, 1);
#elif LUA_VERSION_NUM >= 502
  lua_setuservalue(L, index);
#else
  lua_setfenv(L, index);
#endif
}

/* Pushes the table attached to the userdata at index. */
static inline void ldsc_getvalue(lua_State *L, int index) {
#if LUA_VERSION_NUM >= 504
  lua_getiuservalue(L, index, 1);
#elif LUA_VERSION_NUM >= 502
  lua_getuservalue(L, index);
#else
  lua_getfenv(L, index);
#endif
}

/* t[name] = value, for the table on top. */
static inline void ldsc_setinteger(lua_State *L, const char *name,
                                   int64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static inline void ldsc_setnumber(lua_State *L, const char *name,
                                  lua_Number value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

/* Registers functions into the table on top; upvalues are not used. */
static inline void ldsc_setfuncs(lua_State *L, const luaL_Reg *reg) {
  for (; reg->name != NULL; reg++) {
    lua_pushcfunction(L, reg->func);
    lua_setfield(L, -2, reg->name);
  }
}

/* Makes the metatable `name` of a userdata that only owns memory. */
static inline void ldsc_newowner(lua_State *L, const char *name,
                                 lua_CFunction release) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, release);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

/*
** Makes the metatable `name` in the registry, its own __index, with the
** methods; __gc and, from 5.4 on, __close are `release`. Leaves it on top.
*/
static inline void ldsc_newclass(lua_State *L, const char *name,
                                 const luaL_Reg *methods,
                                 lua_CFunction release) {
  luaL_newmetatable(L, name);
  ldsc_setfuncs(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, release);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, release);
  lua_setfield(L, -2, "__close");
}

/* A rock built for another Lua must say so, not crash later. */
static inline void ldsc_checkversion(lua_State *L) {
#if LUA_VERSION_NUM >= 502
  luaL_checkversion(L);
#else
  lua_getglobal(L, "_VERSION");
  if (strcmp(lua_tostring(L, -1), LUA_VERSION) != 0)
    luaL_error(L, "built for %s, loaded by %s", LUA_VERSION,
               lua_tostring(L, -1));
  lua_pop(L, 1);
#endif
}

#endif

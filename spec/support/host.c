/*
** A program that embeds Lua: runs a script in a state, closes the state (which
** unloads what it loaded), and lives on for some seconds.
**
**   host SCRIPT SECONDS [ROUNDS]
*/
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const int rounds = argc > 3 ? atoi(argv[3]) : 1;
  if (argc < 3)
    return 2;
  for (int i = 0; i < rounds; i++) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    if (luaL_loadfile(L, argv[1]) || lua_pcall(L, 0, 0, 0)) {
      fprintf(stderr, "host: %s\n", lua_tostring(L, -1));
      return 1;
    }
    lua_close(L);
  }
  puts("closed");
  fflush(stdout);
  usleep((useconds_t)(atof(argv[2]) * 1e6));
  puts("ended");
  return 0;
}

/* fork() for specs: run(f) calls f in a child; the status it returned. */
#include <lauxlib.h>
#include <lua.h>
#include <sys/wait.h>
#include <unistd.h>

int luaopen_fork_helper(lua_State *L);

static int run(lua_State *L) {
  int status = 0;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  const pid_t pid = fork();
  if (pid < 0)
    return luaL_error(L, "can't fork");
  if (pid == 0) {
    if (lua_pcall(L, 0, 1, 0))
      _exit(99);
    _exit((int)lua_tointeger(L, -1));
  }
  while (waitpid(pid, &status, 0) < 0)
    continue;
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  return 1;
}

int luaopen_fork_helper(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, run);
  lua_setfield(L, -2, "run");
  return 1;
}

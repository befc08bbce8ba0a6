/* The clocks, the terminal, and the module itself. */
#include <stdbool.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sys/sys.h"

LDSC_EXPORT int luaopen_dsclient_sys(lua_State *L);

#define WIDTH_UNKNOWN 80

static double clock_s(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (double)now.tv_sec + (double)(now.tv_nsec / 1000) / 1e6;
}

/* sys.now() -> wall clock, epoch seconds, to the microsecond */
static int sys_now(lua_State *L) {
  lua_pushnumber(L, clock_s(CLOCK_REALTIME));
  return 1;
}

/* sys.monotonic() -> seconds from an arbitrary start, never back */
static int sys_monotonic(lua_State *L) {
  lua_pushnumber(L, clock_s(CLOCK_MONOTONIC));
  return 1;
}

/* sys.isatty(fd) -> boolean */
static int sys_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* sys.terminal_width() -> columns of standard output's terminal, or 80 */
static int sys_terminal_width(lua_State *L) {
  struct winsize window = {0};
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0;
  lua_pushinteger(L, known && window.ws_col > 0 ? window.ws_col
                                                : WIDTH_UNKNOWN);
  return 1;
}

/* sys.pid() -> process id */
static int sys_pid(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)getpid());
  return 1;
}

static const luaL_Reg functions[] = {
    {"now", sys_now},
    {"monotonic", sys_monotonic},
    {"isatty", sys_isatty},
    {"terminal_width", sys_terminal_width},
    {"pid", sys_pid},
    {NULL, NULL},
};

int luaopen_dsclient_sys(lua_State *L) {
  ldsc_checkversion(L);
  lua_newtable(L);
  ldsc_setfuncs(L, functions);
  ldsc_open_file(L);
  ldsc_open_signal(L);
  return 1;
}

/* Signals as counts, and a sleep that they end. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/select.h>

#include "sys/sys.h"

#define CATCHER "dsclient.sys.catcher"
#define SLEEP_MAX_S 1e9 /* thirty years; more overflows a 32-bit time_t */

static const struct {
  const char *name;
  int number;
} signals[] = {
    {"INT", SIGINT},   {"TERM", SIGTERM}, {"HUP", SIGHUP},  {"QUIT", SIGQUIT},
    {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},
};

#define SIGNALS ((int)(sizeof signals / sizeof *signals))

/* What a Lua state has changed, to be put back. */
struct catcher {
  bool active[SIGNALS];
  struct sigaction former[SIGNALS];
};

/* A handler belongs to the process, so this can't be kept in a Lua state. */
static atomic_int counts[SIGNALS];
static struct catcher *owner; /* of the one state that may catch */
static pthread_t owner_thread;

/*
** A signal that reached another thread, say a resolver of libcurl, is passed
** on: what has to end early is the wait of the thread that runs Lua.
*/
static void on_signal(int number) {
  int error = errno;
  if (!pthread_equal(pthread_self(), owner_thread))
    pthread_kill(owner_thread, number);
  else
    for (int i = 0; i < SIGNALS; i++)
      if (signals[i].number == number)
        atomic_fetch_add(&counts[i], 1);
  errno = error;
}

static int check_signal(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  for (int i = 0; i < SIGNALS; i++)
    if (strcmp(signals[i].name, name) == 0)
      return i;
  return luaL_argerror(L, arg, lua_pushfstring(L, "no signal '%s'", name));
}

static struct catcher *get_catcher(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, CATCHER ".self");
  struct catcher *catcher = (struct catcher *)lua_touserdata(L, -1);
  lua_pop(L, 1);
  return catcher;
}

/*
** sys.catch(name, …) -> true | nil, message
** From now on these signals are only counted. Waits end early: no SA_RESTART.
*/
static int sys_catch(lua_State *L) {
  struct catcher *catcher = get_catcher(L);
  struct sigaction action = {.sa_handler = on_signal};
  int count = lua_gettop(L);
  for (int arg = 1; arg <= count; arg++)
    check_signal(L, arg);
  if (owner != NULL && owner != catcher) {
    lua_pushnil(L);
    lua_pushliteral(L, "another Lua state of this process catches signals");
    return 2;
  }
  owner = catcher;
  owner_thread = pthread_self();
  sigemptyset(&action.sa_mask);
  for (int arg = 1; arg <= count; arg++) {
    int i = check_signal(L, arg);
    if (catcher->active[i])
      continue;
    atomic_store(&counts[i], 0);
    sigaction(signals[i].number, &action, &catcher->former[i]);
    catcher->active[i] = true;
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* sys.caught(name) -> how often since last asked */
static int sys_caught(lua_State *L) {
  lua_pushinteger(L, atomic_exchange(&counts[check_signal(L, 1)], 0));
  return 1;
}

static void put_back(struct catcher *catcher) {
  if (owner == NULL || owner != catcher)
    return;
  for (int i = 0; i < SIGNALS; i++) {
    if (catcher->active[i])
      sigaction(signals[i].number, &catcher->former[i], NULL);
    catcher->active[i] = false;
    atomic_store(&counts[i], 0);
  }
  owner = NULL;
}

/* sys.release(): the signals do again what they did; at exit by itself */
static int sys_release(lua_State *L) {
  put_back(get_catcher(L));
  return 0;
}

/* Needs no memory: a handler must not outlive the code that it runs. */
static int catcher_gc(lua_State *L) {
  put_back((struct catcher *)lua_touserdata(L, 1));
  return 0;
}

static bool any_caught(void) {
  for (int i = 0; i < SIGNALS; i++)
    if (atomic_load(&counts[i]) > 0)
      return true;
  return false;
}

/*
** sys.sleep(seconds) -> true | false
** False when a signal ended it early, or a caught one is not yet asked about.
** Only pselect lets the signals in, so none slips in between the look and
** the wait.
*/
static int sys_sleep(lua_State *L) {
  double seconds = luaL_checknumber(L, 1);
  luaL_argcheck(L, seconds >= 0, 1, "a number of seconds expected");
  if (seconds > SLEEP_MAX_S)
    seconds = SLEEP_MAX_S;
  struct timespec wait = {.tv_sec = (time_t)seconds};
  wait.tv_nsec = (long)((seconds - (double)wait.tv_sec) * 1e9);
  sigset_t block, former;
  sigemptyset(&block);
  for (int i = 0; i < SIGNALS; i++)
    sigaddset(&block, signals[i].number);
  pthread_sigmask(SIG_BLOCK, &block, &former);
  bool whole =
      !any_caught() && pselect(0, NULL, NULL, NULL, &wait, &former) == 0;
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  lua_pushboolean(L, whole);
  return 1;
}

static const luaL_Reg no_methods[] = {{NULL, NULL}};

static const luaL_Reg functions[] = {
    {"catch", sys_catch},
    {"caught", sys_caught},
    {"release", sys_release},
    {"sleep", sys_sleep},
    {NULL, NULL},
};

/* The catcher stays until the state is closed, and then puts back. */
static void open_catcher(lua_State *L) {
  if (get_catcher(L) != NULL)
    return;
  void *catcher = ldsc_newuserdata(L, sizeof(struct catcher));
  memset(catcher, 0, sizeof(struct catcher));
  ldsc_newclass(L, CATCHER, no_methods, catcher_gc);
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, CATCHER ".self");
}

void ldsc_open_signal(lua_State *L) {
  open_catcher(L);
  ldsc_setfuncs(L, functions);
}

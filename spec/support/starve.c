/*
** Allocation torture: runs the scenarios of a Lua script, each again and
** again, every time with another allocation failing, each in a process of its
** own (a fork), so that a crash is one result among others.
**
**   starve SCRIPT lua|libcurl MODE RUNS [ARGUMENTS…]
**
** The second argument says whose allocations fail: those of the Lua state,
** from which the modules take theirs, or those that libcurl makes itself.
** MODE is what fails:
**
**   once    one allocation; Lua collects its garbage and tries again
**   twice   that second try, too: Lua throws
**   on      all from this one on, until the scenario is over
**   end     the same, and the state is closed like that
**
** RUNS is the number of places in each scenario at which an allocation fails
** (evenly spread); 0: at each.
**
** The script returns a list of {name, prepare, act, check}: prepare() returns
** a context, act(context) is what is starved and returns a value, or nil and
** an error; check(context, thrown, value, error) throws where it finds that
** something is wrong. Afterwards the state is closed and must have given back
** all its memory.
*/
#include <curl/curl.h>
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* LuaJIT loses count of a table's size where it found no memory for a part of
** it, though it frees all of it. */
#ifdef LUA_JITLIBNAME
#define EXACT_SIZES false
#else
#define EXACT_SIZES true
#endif

/* What a run came to: the exit status of its process. */
enum { SUCCEEDED, RETURNED, THROWN, FAILED };

static struct {
  bool curl_s; /* whose allocations fail */
  bool counts; /* a scenario is under way */
  long left;   /* this many succeed, then the next do not; below 0: all do */
  long width;  /* how many fail */
  long count;  /* of what could have failed */
  long lua_bytes, lua_blocks, curl_blocks; /* in use */
} memory = {.left = -1};

static bool fails(bool curl_s) {
  if (!memory.counts || memory.curl_s != curl_s)
    return false;
  memory.count++;
  if (memory.left < 0)
    return false;
  if (memory.left > 0) {
    memory.left--;
    return false;
  }
  if (memory.width == 0)
    return false;
  memory.width--;
  return true;
}

/* Lua relies on it that a block can always be made smaller. */
static void *lua_alloc(void *ud, void *ptr, size_t old_size, size_t size) {
  (void)ud;
  if (ptr == NULL)
    old_size = 0; /* it tells the type of what is to be made */
  if (size > old_size && fails(false))
    return NULL;
  memory.lua_bytes += (long)size - (long)old_size;
  memory.lua_blocks += (ptr == NULL && size > 0) - (ptr != NULL && size == 0);
  if (size > 0)
    return realloc(ptr, size);
  free(ptr);
  return NULL;
}

static void *curl_counted(void *ptr) {
  memory.curl_blocks += ptr != NULL;
  return ptr;
}

static void *curl_malloc(size_t size) {
  return fails(true) ? NULL : curl_counted(malloc(size));
}

static void *curl_calloc(size_t count, size_t size) {
  return fails(true) ? NULL : curl_counted(calloc(count, size));
}

static char *curl_strdup(const char *text) {
  return fails(true) ? NULL : (char *)curl_counted(strdup(text));
}

static void *curl_realloc(void *ptr, size_t size) {
  if (fails(true))
    return NULL;
  return ptr == NULL ? curl_counted(malloc(size)) : realloc(ptr, size);
}

static void curl_release(void *ptr) {
  memory.curl_blocks -= ptr != NULL;
  free(ptr);
}

static void arm(const char *mode, long n) {
  memory.left = n;
  memory.width = strcmp(mode, "once") == 0    ? 1
                 : strcmp(mode, "twice") == 0 ? 2
                                              : -1;
  memory.count = 0;
  memory.counts = true;
}

static void disarm(void) {
  memory.left = -1;
  memory.counts = false;
}

static int die(const char *name, long n, const char *what) {
  fprintf(stderr, "%s, allocation %ld: %s\n", name, n, what);
  return FAILED;
}

/* Of the stack of a run. */
enum { LIST = 1, SCENARIO, CONTEXT, THROWN_ERROR, VALUE, ERROR };

/* Acts with failures from n on; n of -1: nothing fails. */
static int act(lua_State *L, const char *mode, long n) {
  lua_getfield(L, SCENARIO, "act");
  lua_pushvalue(L, CONTEXT);
  arm(mode, n);
  const bool thrown = lua_pcall(L, 1, 2, 0) != 0;
  if (strcmp(mode, "end") == 0 && n >= 0)
    return thrown ? THROWN : SUCCEEDED;
  disarm();
  if (!thrown)
    lua_pushnil(L);
  lua_insert(L, THROWN_ERROR);
  lua_settop(L, ERROR);
  if (thrown)
    return THROWN;
  return lua_isnil(L, VALUE) ? RETURNED : SUCCEEDED;
}

static int check(lua_State *L) {
  lua_getfield(L, SCENARIO, "check");
  for (int i = CONTEXT; i <= ERROR; i++)
    lua_pushvalue(L, i);
  return lua_pcall(L, ERROR - CONTEXT + 1, 0, 0);
}

static int run(lua_State *L, const char *name, const char *mode, long n) {
  const long curl_blocks = memory.curl_blocks;
  int (*leak)(void) = NULL;
  lua_getfield(L, SCENARIO, "prepare");
  if (lua_pcall(L, 0, 1, 0) != 0)
    return die(name, n, lua_tostring(L, -1));
  const int result = act(L, mode, n);
  if (!memory.counts && check(L) != 0)
    return die(name, n, lua_tostring(L, -1));
  lua_close(L);
  if (memory.lua_blocks != 0 || (EXACT_SIZES && memory.lua_bytes != 0))
    return die(name, n, "the Lua state kept memory");
  if (memory.curl_blocks != curl_blocks)
    return die(name, n, "libcurl kept memory");
  *(void **)&leak = dlsym(RTLD_DEFAULT, "__lsan_do_recoverable_leak_check");
  return leak != NULL && leak() != 0 ? die(name, n, "a leak") : result;
}

/* In a process of its own, which tells the count; FAILED where it crashed. */
static int run_apart(lua_State *L, const char *name, const char *mode, long n,
                     long *count) {
  int ends[2], status;
  if (pipe(ends) != 0)
    return FAILED;
  fflush(NULL);
  const pid_t pid = fork();
  if (pid == 0) {
    const int result = run(L, name, mode, n);
    const bool told =
        write(ends[1], &memory.count, sizeof memory.count) > 0;
    _exit(told ? result : FAILED);
  }
  close(ends[1]);
  const bool told = read(ends[0], count, sizeof *count) == sizeof *count;
  close(ends[0]);
  if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || !told)
    return die(name, n, "the process crashed");
  return WEXITSTATUS(status);
}

/* Says whether all is well. */
static bool starve(lua_State *L, const char *name, const char *mode,
                   long runs) {
  long results[FAILED + 1] = {0};
  long count, made = 0, ignored;
  if (run_apart(L, name, mode, -1, &count) != SUCCEEDED) {
    die(name, -1, "it does not succeed when nothing fails");
    return false;
  }
  const long step = runs > 0 && count > runs ? (count + runs - 1) / runs : 1;
  for (long n = 0; n < count; n += step, made++) {
    const int result = run_apart(L, name, mode, n, &ignored);
    results[result >= 0 && result < FAILED ? result : FAILED]++;
  }
  printf("%s, %s: %ld of %ld allocations failed in turn, %ld errors returned, "
         "%ld thrown\n",
         name, mode, made, count, results[RETURNED], results[THROWN]);
  return made > 0 && results[FAILED] == 0;
}

int main(int argc, char **argv) {
  if (argc < 5)
    return 2;
  memory.curl_s = strcmp(argv[2], "libcurl") == 0;
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_release,
                       curl_realloc, curl_strdup, curl_calloc);
  lua_State *L = lua_newstate(lua_alloc, NULL);
  luaL_openlibs(L);
  if (luaL_loadfile(L, argv[1]) != 0)
    return die(argv[1], -1, lua_tostring(L, -1));
  for (int i = 5; i < argc; i++)
    lua_pushstring(L, argv[i]);
  if (lua_pcall(L, argc - 5, 1, 0) != 0)
    return die(argv[1], -1, lua_tostring(L, -1));
  bool fine = true;
  int i = 0;
  while (lua_rawgeti(L, LIST, ++i), lua_istable(L, SCENARIO)) {
    lua_getfield(L, SCENARIO, "name");
    char *name = strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    fine = starve(L, name, argv[3], atol(argv[4])) && fine;
    free(name);
    lua_settop(L, LIST);
  }
  return fine && i > 1 ? 0 : 1;
}

/* A lock between processes, and a file replaced in one step. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/sys.h"

#define LOCK "dsclient.sys.lock"

static int failure(lua_State *L, const char *doing, const char *path,
                   int error) {
  lua_pushnil(L);
  lua_pushfstring(L, "cannot %s %s: %s", doing, path, strerror(error));
  return 2;
}

struct lock {
  int fd; /* -1: not held */
};

/*
** Closes and does not unlock: a copy of the descriptor in a forked child,
** collected there, would take the lock from the parent.
*/
static int lock_release(lua_State *L) {
  struct lock *lock = (struct lock *)luaL_checkudata(L, 1, LOCK);
  if (lock->fd >= 0)
    close(lock->fd);
  lock->fd = -1;
  return 0;
}

/*
** sys.lock(path) -> lock | nil, message | nil, message, "locked"
** The file stays when the lock is released: removing it would let two
** processes hold locks on two files of the same name.
*/
static int sys_lock(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct lock *lock = (struct lock *)ldsc_newuserdata(L, sizeof *lock);
  lock->fd = -1;
  luaL_getmetatable(L, LOCK);
  lua_setmetatable(L, -2);
  lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (lock->fd < 0)
    return failure(L, "open the lock", path, errno);
  if (flock(lock->fd, LOCK_EX | LOCK_NB) == 0)
    return 1;
  int error = errno;
  close(lock->fd);
  lock->fd = -1;
  failure(L, "lock", path, error);
  if (error != EWOULDBLOCK)
    return 2;
  lua_pushliteral(L, "locked");
  return 3;
}

static bool write_all(int fd, const char *text, size_t size) {
  while (size > 0) {
    ssize_t written = write(fd, text, size);
    if (written < 0 && errno != EINTR)
      return false;
    if (written > 0) {
      text += written;
      size -= (size_t)written;
    }
  }
  return true;
}

/* Writes the file `temp`, makes it durable and closes it. */
static bool fill(int fd, const char *text, size_t size, mode_t mode) {
  bool done = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fchmod(fd, mode) == 0 &&
              write_all(fd, text, size) && fsync(fd) == 0;
  int error = errno;
  if (close(fd) != 0 && done)
    return false;
  errno = error;
  return done;
}

/*
** Makes a rename durable. A folder that may be written but not read can't be
** opened, and some file systems can't sync one: no failure of the writer.
*/
static bool sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return errno == EACCES;
  bool done = fsync(fd) == 0 || errno == EINVAL;
  int error = errno;
  close(fd);
  errno = error;
  return done;
}

/*
** sys.write_atomic(path, text[, mode]) -> true | nil, message
** A reader sees the old text or the new, whole, also after a power cut. The
** mode of a file that is there is kept; a new one gets `mode`, "0600" if
** not given. A symbolic link is replaced, not followed.
*/
static int sys_write_atomic(lua_State *L) {
  static const char *const names[] = {"0600", "0640", "0644", NULL};
  static const mode_t modes[] = {0600, 0640, 0644};
  size_t length, size;
  const char *path = luaL_checklstring(L, 1, &length);
  const char *text = luaL_checklstring(L, 2, &size);
  mode_t mode = modes[luaL_checkoption(L, 3, "0600", names)];
  struct stat former;
  if (stat(path, &former) == 0)
    mode = former.st_mode & 07777;
  const char *slash = strrchr(path, '/');
  if (slash == NULL)
    lua_pushliteral(L, ".");
  else
    lua_pushlstring(L, path, (size_t)(slash - path) + 1);
  const char *folder = lua_tostring(L, -1);
  char *temp = (char *)ldsc_newuserdata(L, length + sizeof ".XXXXXX");
  memcpy(temp, path, length);
  memcpy(temp + length, ".XXXXXX", sizeof ".XXXXXX");
  int fd = mkstemp(temp);
  if (fd < 0)
    return failure(L, "make a temporary file for", path, errno);
  if (!fill(fd, text, size, mode) || rename(temp, path) != 0) {
    int error = errno;
    unlink(temp);
    return failure(L, "write", path, error);
  }
  if (!sync_folder(folder))
    return failure(L, "sync the folder of", path, errno);
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg lock_methods[] = {
    {"release", lock_release},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"lock", sys_lock},
    {"write_atomic", sys_write_atomic},
    {NULL, NULL},
};

void ldsc_open_file(lua_State *L) {
  ldsc_newclass(L, LOCK, lock_methods, lock_release);
  lua_pop(L, 1);
  ldsc_setfuncs(L, functions);
}

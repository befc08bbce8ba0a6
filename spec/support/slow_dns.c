/*
** Preloaded, it makes names that end in ".slow.invalid" take SLOW_DNS_S
** seconds to resolve, and appends a line to the file SLOW_DNS_LOG at the
** begin and at the end.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(const char *line) {
  const char *path = getenv("SLOW_DNS_LOG");
  int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (fd < 0)
    return;
  if (write(fd, line, strlen(line)) < 0)
    abort();
  close(fd);
}

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **result) {
  static const char slow[] = ".slow.invalid";
  const size_t length = node ? strlen(node) : 0;
  if (length >= sizeof slow &&
      strcmp(node + length - (sizeof slow - 1), slow) == 0) {
    const char *seconds = getenv("SLOW_DNS_S");
    note("begin\n");
    usleep((useconds_t)(atof(seconds ? seconds : "2") * 1e6));
    note("end\n");
    return EAI_NONAME;
  }
  int (*real)(const char *, const char *, const struct addrinfo *,
              struct addrinfo **);
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  return real(node, service, hints, result);
}

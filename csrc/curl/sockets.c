#include "curl/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_CAPACITY 8

/* Programs that this one starts are not to hold connections of ours open. */
#ifdef SOCK_CLOEXEC
#define CLOEXEC SOCK_CLOEXEC
#else
#define CLOEXEC 0
#endif

void ccurl_sockets_init(struct ccurl_sockets *sockets,
                        const struct dsc_env *env) {
  sockets->env = env;
}

void ccurl_sockets_free(struct ccurl_sockets *sockets) {
  dsc_free(sockets->env, sockets->list,
           sockets->capacity * sizeof *sockets->list);
  sockets->list = NULL;
  sockets->count = sockets->capacity = 0;
}

static bool reserve(struct ccurl_sockets *sockets) {
  if (sockets->count < sockets->capacity)
    return true;
  const size_t old = sockets->capacity;
  const size_t capacity = old > 0 ? old * 2 : FIRST_CAPACITY;
  struct ccurl_socket *list = (struct ccurl_socket *)dsc_realloc(
      sockets->env, sockets->list, old * sizeof *list, capacity * sizeof *list);
  if (list == NULL)
    return false;
  sockets->list = list;
  sockets->capacity = capacity;
  return true;
}

curl_socket_t ccurl_sockets_open(struct ccurl_sockets *sockets,
                                 const struct curl_sockaddr *address) {
  if (!reserve(sockets)) {
    errno = ENOMEM;
    return CURL_SOCKET_BAD;
  }
  const curl_socket_t fd =
      socket(address->family, address->socktype | CLOEXEC, address->protocol);
  if (fd != CURL_SOCKET_BAD) {
    struct ccurl_socket *entry = ccurl_sockets_find(sockets, fd);
    if (entry == NULL) /* else that one was closed, and nobody told */
      entry = &sockets->list[sockets->count++];
    entry->fd = fd;
    entry->local_port = 0;
    entry->wanted = entry->watched = 0;
  }
  return fd;
}

struct ccurl_socket *ccurl_sockets_find(struct ccurl_sockets *sockets,
                                        curl_socket_t fd) {
  for (size_t i = 0; i < sockets->count; i++) {
    if (sockets->list[i].fd == fd)
      return &sockets->list[i];
  }
  return NULL;
}

static void forget(struct ccurl_sockets *sockets,
                   struct ccurl_socket *entry) {
  *entry = sockets->list[--sockets->count];
}

int ccurl_sockets_close(struct ccurl_sockets *sockets, curl_socket_t fd) {
  struct ccurl_socket *entry = ccurl_sockets_find(sockets, fd);
  if (entry != NULL)
    forget(sockets, entry);
  return close(fd);
}

void ccurl_sockets_check(struct ccurl_sockets *sockets,
                         struct ccurl_socket *entry) {
  if (fcntl(entry->fd, F_GETFD) < 0)
    forget(sockets, entry);
}

static int local_port(struct ccurl_socket *entry) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } name;
  socklen_t length = sizeof name;
  if (entry->local_port > 0 ||
      getsockname(entry->fd, &name.any, &length) != 0)
    return entry->local_port;
  if (name.any.sa_family == AF_INET)
    entry->local_port = ntohs(name.v4.sin_port);
  else if (name.any.sa_family == AF_INET6)
    entry->local_port = ntohs(name.v6.sin6_port);
  return entry->local_port;
}

bool ccurl_sockets_unread(struct ccurl_sockets *sockets, int port) {
  for (size_t i = 0; i < sockets->count; i++) {
    struct pollfd look = {sockets->list[i].fd, POLLIN, 0};
    if (local_port(&sockets->list[i]) == port && poll(&look, 1, 0) > 0)
      return true;
  }
  return false;
}

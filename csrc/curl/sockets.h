/*
** The sockets that libcurl opened for one transport and has not closed: how
** many there are, and whether something lies unread in one.
*/
#ifndef CCURL_SOCKETS_H
#define CCURL_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "core/env.h"

struct ccurl_socket {
  curl_socket_t fd;
  int local_port; /* 0: nobody asked yet */
};

struct ccurl_sockets {
  const struct dsc_env *env;
  struct ccurl_socket *list;
  size_t count;
  size_t capacity;
};

/* The struct is zeroed. */
void ccurl_sockets_init(struct ccurl_sockets *sockets,
                        const struct dsc_env *env);
void ccurl_sockets_free(struct ccurl_sockets *sockets);

/* CURL_SOCKET_BAD with errno ENOMEM or the system's, where it can't. */
curl_socket_t ccurl_sockets_open(struct ccurl_sockets *sockets,
                                 const struct curl_sockaddr *address);
/* A curl_closesocket_callback; `ud` is the struct. */
int ccurl_sockets_close(void *ud, curl_socket_t fd);

/*
** Has the connection from this local port been ended by the other side, or
** did more come than was asked for? (libcurl before 8.0 heeds the end only.)
** Where two connections share the port, it is said of both.
*/
bool ccurl_sockets_unread(struct ccurl_sockets *sockets, int local_port);

#endif

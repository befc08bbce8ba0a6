/*
** The sockets that libcurl opened for one transport and has not closed: how
** many there are, and whether something lies unread in one.
*/
#ifndef CCURL_SOCKETS_H
#define CCURL_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/env.h"

struct ccurl_socket {
  curl_socket_t fd;
  int local_port; /* 0: nobody asked yet */
  uint32_t wanted;  /* what libcurl waits for, as a mask of epoll */
  uint32_t watched; /* what the kernel was told to look for */
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
/* NULL where it is none of these. */
struct ccurl_socket *ccurl_sockets_find(struct ccurl_sockets *sockets,
                                        curl_socket_t fd);
int ccurl_sockets_close(struct ccurl_sockets *sockets, curl_socket_t fd);
/* Forgets it where it is closed: libcurl (7.88) closes what is not connected
** yet itself. */
void ccurl_sockets_check(struct ccurl_sockets *sockets,
                         struct ccurl_socket *entry);

/*
** Has the connection from this local port been ended by the other side, or
** did more come than was asked for? (libcurl before 8.0 heeds the end only.)
** Where two connections share the port, it is said of both.
*/
bool ccurl_sockets_unread(struct ccurl_sockets *sockets, int local_port);

#endif

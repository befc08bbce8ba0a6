/*
** What libcurl waits for, behind one descriptor that any event loop can watch.
** Without epoll there is no such descriptor: then it can be waited for only.
*/
#ifndef CCURL_EVENTS_H
#define CCURL_EVENTS_H

#include <curl/curl.h>

#include "curl/sockets.h"

#ifndef CCURL_EPOLL
#ifdef __linux__
#define CCURL_EPOLL 1
#else
#define CCURL_EPOLL 0
#endif
#endif

struct ccurl_events {
  CURLM *multi;
  struct ccurl_sockets *sockets; /* a socket's own record of what is watched */
  int fd;                        /* -1: none yet, or none at all */
  double timer_s; /* when libcurl wants to be called; HUGE_VAL: not at all */
};

/* Before the first transfer of this handle. A descriptor that is open stays:
** who watches it need not know that there was another handle before. */
void ccurl_events_init(struct ccurl_events *events, CURLM *multi,
                       struct ccurl_sockets *sockets);
/* Opens the descriptor where it isn't open; false where it can't. */
bool ccurl_events_open(struct ccurl_events *events);
void ccurl_events_close(struct ccurl_events *events);
/* A curl_closesocket_callback; `ud` is the struct. */
int ccurl_events_close_socket(void *ud, curl_socket_t fd);

/* Does what is due without having waited for anything. */
CURLMcode ccurl_events_run(struct ccurl_events *events, double now_s);
/* Waits for so long at most (0: not at all), and does what came. */
CURLMcode ccurl_events_wait(struct ccurl_events *events, double seconds);

#endif

#include "curl/events.h"

#include <math.h>
#include <unistd.h>

#include "curl/attempt.h"

#if CCURL_EPOLL

#include <sys/epoll.h>

/* Taken at once; what is left comes with the next. */
#define EVENTS_MAX 64

/*
** A connection is watched by libcurl during each transfer, and not in between.
** To tell the kernel of each such change would be two system calls for each:
** what is wanted less than what is watched is noted, and the kernel told when
** something happens that nobody wants.
*/

static uint32_t mask_of(int what) {
  return (what & CURL_POLL_IN ? EPOLLIN : 0u) |
         (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
}

static bool control(const struct ccurl_events *events, int operation,
                    curl_socket_t fd, uint32_t mask) {
  struct epoll_event event;
  event.events = mask;
  event.data.u64 = 0;
  event.data.fd = fd;
  return epoll_ctl(events->fd, operation, fd, &event) == 0;
}

/* A socket that is not in our list: libcurl opens and closes it itself. */
static bool watch_other(const struct ccurl_events *events, curl_socket_t fd,
                        int what) {
  if (what == CURL_POLL_REMOVE) {
    control(events, EPOLL_CTL_DEL, fd, 0);
    return true;
  }
  return control(events, EPOLL_CTL_ADD, fd, mask_of(what)) ||
         control(events, EPOLL_CTL_MOD, fd, mask_of(what));
}

static bool watch(const struct ccurl_events *events,
                  struct ccurl_socket *entry, uint32_t mask) {
  const int operation = entry->watched != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (entry->watched == mask)
    return true;
  if (!control(events, operation, entry->fd, mask))
    return false;
  entry->watched = mask;
  return true;
}

/* A forked child may have the socket, too: then it would be watched on. */
int ccurl_events_close_socket(void *ud, curl_socket_t fd) {
  const struct ccurl_events *events = (const struct ccurl_events *)ud;
  const struct ccurl_socket *entry = ccurl_sockets_find(events->sockets, fd);
  if (entry != NULL && entry->watched != 0)
    control(events, EPOLL_CTL_DEL, fd, 0);
  return ccurl_sockets_close(events->sockets, fd);
}

/* A curl_socket_callback. An error of its own would end all transfers. */
static int on_interest(CURL *easy, curl_socket_t fd, int what, void *ud,
                       void *none) {
  const struct ccurl_events *events = (const struct ccurl_events *)ud;
  struct ccurl_socket *entry = ccurl_sockets_find(events->sockets, fd);
  (void)none;
  bool fine = true;
  if (entry == NULL)
    fine = watch_other(events, fd, what);
  else if ((entry->wanted = mask_of(what)) != 0)
    fine = watch(events, entry, entry->wanted);
  else if (ccurl_attempt_unsent(easy))
    ccurl_sockets_check(events->sockets, entry);
  if (!fine)
    ccurl_attempt_unwatched(easy);
  return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *ud) {
  struct ccurl_events *events = (struct ccurl_events *)ud;
  (void)multi;
  events->timer_s =
      wait_ms < 0 ? HUGE_VAL : ccurl_now_s() + (double)wait_ms * 1e-3;
  return 0;
}

void ccurl_events_init(struct ccurl_events *events, CURLM *multi,
                       struct ccurl_sockets *sockets) {
  events->multi = multi;
  events->sockets = sockets;
  events->timer_s = HUGE_VAL;
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_interest);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, (void *)events);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, (void *)events);
}

bool ccurl_events_open(struct ccurl_events *events) {
  if (events->fd < 0)
    events->fd = epoll_create1(EPOLL_CLOEXEC);
  return events->fd >= 0;
}

void ccurl_events_close(struct ccurl_events *events) {
  if (events->fd >= 0)
    close(events->fd);
  events->fd = -1;
}

static CURLMcode happened(struct ccurl_events *events,
                          const struct epoll_event *event) {
  const curl_socket_t fd = event->data.fd;
  struct ccurl_socket *entry = ccurl_sockets_find(events->sockets, fd);
  int running;
  int action = 0;
  if (entry != NULL && entry->wanted == 0) {
    control(events, EPOLL_CTL_DEL, fd, 0); /* of a connection at rest */
    entry->watched = 0;
    return CURLM_OK;
  }
  if (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP))
    action |= CURL_CSELECT_IN;
  if (event->events & EPOLLOUT)
    action |= CURL_CSELECT_OUT;
  if (event->events & (EPOLLERR | EPOLLHUP))
    action |= CURL_CSELECT_ERR;
  return curl_multi_socket_action(events->multi, fd, action, &running);
}

CURLMcode ccurl_events_run(struct ccurl_events *events, double now_s) {
  int running;
  if (now_s < events->timer_s)
    return CURLM_OK;
  events->timer_s = HUGE_VAL; /* libcurl sets it anew, or it is over */
  return curl_multi_socket_action(events->multi, CURL_SOCKET_TIMEOUT, 0,
                                  &running);
}

CURLMcode ccurl_events_wait(struct ccurl_events *events, double seconds) {
  struct epoll_event list[EVENTS_MAX];
  const double now_s = ccurl_now_s();
  const double wait_s = fmax(fmin(seconds, events->timer_s - now_s), 0);
  const int count = events->fd < 0 ? 0
                                   : epoll_wait(events->fd, list, EVENTS_MAX,
                                                (int)ceil(wait_s * 1e3));
  CURLMcode code = CURLM_OK;
  for (int i = 0; code == CURLM_OK && i < count; i++)
    code = happened(events, &list[i]);
  return code == CURLM_OK ? ccurl_events_run(events, ccurl_now_s()) : code;
}

#else

void ccurl_events_init(struct ccurl_events *events, CURLM *multi,
                       struct ccurl_sockets *sockets) {
  events->multi = multi;
  events->sockets = sockets;
  events->timer_s = HUGE_VAL;
}

bool ccurl_events_open(struct ccurl_events *events) {
  (void)events;
  return true;
}

void ccurl_events_close(struct ccurl_events *events) {
  (void)events;
}

int ccurl_events_close_socket(void *ud, curl_socket_t fd) {
  return ccurl_sockets_close(((struct ccurl_events *)ud)->sockets, fd);
}

CURLMcode ccurl_events_run(struct ccurl_events *events, double now_s) {
  int running;
  (void)now_s;
  return curl_multi_perform(events->multi, &running);
}

CURLMcode ccurl_events_wait(struct ccurl_events *events, double seconds) {
  CURLMcode code = CURLM_OK;
  if (seconds > 0)
    code = curl_multi_poll(events->multi, NULL, 0,
                           (int)ceil(seconds * 1e3), NULL);
  return code == CURLM_OK ? ccurl_events_run(events, 0) : code;
}

#endif

#include "curl/pool.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lua/fork.h"

static const char forked[] =
    "the process was forked: the child needs a client of its own";

/* The longest sleep between two looks at the clock. */
#define POLL_S_MAX 60.0

/*
** OpenSSL writes without MSG_NOSIGNAL where libcurl (before 7.88) leaves the
** socket to it, and the handling of SIGPIPE belongs to the program: block it
** while libcurl works, and take back the one that we caused.
*/
struct sigpipe_guard {
  sigset_t before;
  bool set;
};

static void guard_begin(const struct ccurl_pool *pool,
                        struct sigpipe_guard *guard) {
  sigset_t pipe_only;
  sigset_t pending;
  guard->set = false;
  if (!pool->tls || sigpending(&pending) != 0 ||
      sigismember(&pending, SIGPIPE))
    return; /* one is pending already, hence blocked */
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  guard->set = pthread_sigmask(SIG_BLOCK, &pipe_only, &guard->before) == 0;
}

static void guard_end(const struct sigpipe_guard *guard) {
  if (!guard->set)
    return;
  const struct timespec at_once = {0, 0};
  sigset_t pipe_only;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR)
    continue;
  pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

static bool is_https(const char *url) {
  return url != NULL && strncasecmp(url, "https:", 6) == 0;
}

static bool has_tls_proxy(const struct ccurl_options *options) {
  if (options->proxy != NULL)
    return is_https(options->proxy);
  return is_https(getenv("http_proxy")) || is_https(getenv("all_proxy")) ||
         is_https(getenv("ALL_PROXY"));
}

/* Makes the multi handle, in place of one that is broken. */
static bool begin(struct ccurl_pool *pool) {
  CURLM *multi = curl_multi_init();
  if (multi == NULL)
    return false;
  if (pool->multi != NULL)
    curl_multi_cleanup(pool->multi);
  pool->multi = multi;
  pool->broken = false;
  ccurl_events_init(&pool->events, multi, &pool->sockets);
  /* the default would be 4 × the transfers under way: few, at rest */
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, pool->pool_maxsize);
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, pool->pool_maxsize);
  return true;
}

CURLcode ccurl_pool_open(struct ccurl_pool *pool,
                         const struct ccurl_options *options) {
  pool->generation = ldsc_generation();
  pool->pool_maxsize = options->pool_maxsize;
  pool->tls = has_tls_proxy(options);
  pool->events.fd = -1;
  ccurl_sockets_init(&pool->sockets, &pool->env);
  if (!begin(pool))
    return CURLE_OUT_OF_MEMORY;
  return ccurl_model(&pool->model, options);
}

bool ccurl_pool_forked(const struct ccurl_pool *pool) {
  return pool->generation != ldsc_generation();
}

const char *ccurl_pool_unusable(const struct ccurl_pool *pool) {
  if (pool->multi == NULL)
    return "the transport is closed";
  return ccurl_pool_forked(pool) ? forked : NULL;
}

/*
** Lists of attempts.
*/

static void link_busy(struct ccurl_pool *pool, struct ccurl_attempt *attempt) {
  attempt->previous = NULL;
  attempt->next = pool->busy;
  if (pool->busy != NULL)
    pool->busy->previous = attempt;
  pool->busy = attempt;
}

static void unlink_busy(struct ccurl_pool *pool,
                        struct ccurl_attempt *attempt) {
  if (attempt->detached)
    return;
  if (attempt->previous != NULL)
    attempt->previous->next = attempt->next;
  else
    pool->busy = attempt->next;
  if (attempt->next != NULL)
    attempt->next->previous = attempt->previous;
}

static void discard(struct ccurl_pool *pool, struct ccurl_attempt *attempt) {
  ccurl_attempt_free(attempt);
  dsc_free(&pool->env, attempt, sizeof *attempt);
}

static struct ccurl_attempt *make(struct ccurl_pool *pool) {
  struct ccurl_attempt *attempt =
      (struct ccurl_attempt *)dsc_alloc(&pool->env, sizeof *attempt);
  if (attempt == NULL)
    return NULL;
  memset(attempt, 0, sizeof *attempt);
  attempt->pool = pool;
  if (ccurl_attempt_init(attempt, pool->model, &pool->events))
    return attempt;
  discard(pool, attempt);
  return NULL;
}

bool ccurl_pool_take(struct ccurl_pool *pool, struct ccurl_transfer *owner) {
  struct ccurl_attempt *attempt = pool->idle;
  if (attempt != NULL) {
    pool->idle = attempt->next;
    pool->idle_count--;
  } else {
    attempt = make(pool);
    if (attempt == NULL)
      return false;
  }
  ccurl_attempt_reset(attempt);
  attempt->owner = owner;
  owner->attempt = attempt;
  link_busy(pool, attempt);
  return true;
}

/* It is libcurl's no more; its result can be read. */
static void stop(struct ccurl_attempt *attempt) {
  attempt->running = false;
  attempt->pool->running--;
  curl_multi_remove_handle(attempt->pool->multi, attempt->easy);
}

static void release(struct ccurl_transfer *owner, enum dsc_kind ended,
                    const char *why) {
  struct ccurl_attempt *attempt = owner->attempt;
  struct ccurl_pool *pool = attempt->pool;
  if (attempt->running)
    stop(attempt);
  owner->attempt = NULL;
  owner->phase = attempt->phase;
  owner->ended = ended;
  owner->why = why;
  attempt->owner = NULL;
  unlink_busy(pool, attempt);
  if (pool->multi == NULL || pool->idle_count >= pool->pool_maxsize) {
    discard(pool, attempt);
    return;
  }
  attempt->next = pool->idle;
  pool->idle = attempt;
  pool->idle_count++;
}

void ccurl_pool_forget(struct ccurl_transfer *owner) {
  struct ccurl_attempt *attempt = owner->attempt;
  unlink_busy(attempt->pool, attempt);
  owner->phase = attempt->phase;
  owner->attempt = NULL;
  owner->ended = DSC_CLOSED;
  owner->why = forked;
}

void ccurl_pool_detach(struct ccurl_transfer *owner) {
  unlink_busy(owner->attempt->pool, owner->attempt);
  owner->attempt->detached = true;
}

void ccurl_pool_release(struct ccurl_transfer *owner, enum dsc_kind ended,
                        const char *why) {
  struct ccurl_pool *pool = owner->attempt->pool;
  struct sigpipe_guard guard;
  guard_begin(pool, &guard);
  release(owner, ended, why);
  guard_end(&guard);
}

void ccurl_pool_close(struct ccurl_pool *pool) {
  static const char closed[] = "the transport was closed";
  struct sigpipe_guard guard;
  if (pool->multi == NULL)
    return;
  if (ccurl_pool_forked(pool)) {
    /* a farewell on a shared connection would end it for the parent */
    while (pool->busy != NULL)
      ccurl_pool_forget(pool->busy->owner);
    ccurl_events_close(&pool->events);
    ccurl_sockets_free(&pool->sockets);
    pool->multi = NULL;
    return;
  }
  guard_begin(pool, &guard);
  while (pool->busy != NULL)
    release(pool->busy->owner, DSC_CLOSED, closed);
  while (pool->idle != NULL) {
    struct ccurl_attempt *attempt = pool->idle;
    pool->idle = attempt->next;
    discard(pool, attempt);
  }
  curl_easy_cleanup(pool->model);
  curl_multi_cleanup(pool->multi);
  ccurl_events_close(&pool->events); /* libcurl closed its sockets before */
  ccurl_sockets_free(&pool->sockets);
  pool->model = NULL;
  pool->multi = NULL;
  guard_end(&guard);
}

/*
** Driving.
*/

CURLMcode ccurl_pool_start(struct ccurl_attempt *attempt, const char *url) {
  struct ccurl_pool *pool = attempt->pool;
  pool->tls = pool->tls || is_https(url);
  if (pool->broken && !begin(pool))
    return CURLM_OUT_OF_MEMORY;
  if (!ccurl_events_open(&pool->events))
    return CURLM_OUT_OF_MEMORY;
  CURLMcode code = curl_multi_add_handle(pool->multi, attempt->easy);
  if (code != CURLM_OK)
    return code;
  attempt->id = ++pool->started;
  attempt->running = true;
  if (pool->running++ >= pool->pool_maxsize)
    pool->queued++;
  return code;
}

static void reap(struct ccurl_pool *pool) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
    struct ccurl_attempt *attempt = NULL;
    if (message->msg != CURLMSG_DONE)
      continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                      (char **)&attempt);
    ccurl_attempt_end(attempt, message->data.result);
    stop(attempt);
  }
}

/*
** libcurl (7.88) that finds no memory to note a socket leaves a note that it
** can't read: dividing by zero, it would end the process.
*/
static void fail_all(struct ccurl_pool *pool, CURLMcode code) {
  pool->broken = true;
  for (struct ccurl_attempt *a = pool->busy; a != NULL; a = a->next) {
    if (!a->running)
      continue;
    ccurl_attempt_end(a, code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY
                                                     : CURLE_FAILED_INIT);
    stop(a);
  }
}

/* Ends the attempts whose time is over; the next time to look again. */
static double expire(struct ccurl_pool *pool, double now_s) {
  double next_s = HUGE_VAL;
  for (struct ccurl_attempt *a = pool->busy; a != NULL; a = a->next) {
    if (!a->running)
      continue;
    if (ccurl_attempt_expired(a, now_s))
      stop(a);
    else
      next_s = fmin(next_s, ccurl_attempt_expires_s(a, now_s));
  }
  return next_s;
}

static void done(struct ccurl_pool *pool, CURLMcode code) {
  if (code != CURLM_OK)
    fail_all(pool, code);
  reap(pool);
}

/* Drives all, and waits, until this is so or the time is over. */
static bool turn(struct ccurl_pool *pool, double until_s,
                 bool (*is_enough)(const void *), const void *what) {
  double now_s = ccurl_now_s();
  if (pool->broken)
    return false; /* nothing is under way */
  done(pool, ccurl_events_run(&pool->events, now_s));
  now_s = ccurl_now_s();
  const double next_s = expire(pool, now_s);
  if (is_enough(what))
    return false;
  const double wait_s = fmin(fmin(next_s, until_s) - now_s, POLL_S_MAX);
  done(pool, ccurl_events_wait(&pool->events, fmax(wait_s, 0)));
  return now_s < until_s && !is_enough(what);
}

static bool is_readable(const void *what) {
  return ccurl_attempt_readable((const struct ccurl_attempt *)what);
}

void ccurl_pool_wait(struct ccurl_attempt *attempt) {
  struct sigpipe_guard guard;
  guard_begin(attempt->pool, &guard);
  while (!is_readable(attempt) &&
         turn(attempt->pool, HUGE_VAL, is_readable, attempt))
    continue;
  guard_end(&guard);
}

/* The oldest that can be read, and nobody was told; NULL: none. */
static struct ccurl_attempt *oldest_news(const struct ccurl_pool *pool) {
  struct ccurl_attempt *oldest = NULL;
  for (struct ccurl_attempt *a = pool->busy; a != NULL; a = a->next) {
    if (!a->told && ccurl_attempt_readable(a))
      oldest = a; /* the list begins with the newest */
  }
  return oldest;
}

uint64_t ccurl_pool_news(struct ccurl_pool *pool) {
  struct ccurl_attempt *attempt = oldest_news(pool);
  if (attempt == NULL)
    return 0;
  attempt->told = true;
  return attempt->id;
}

static bool has_news(const void *what) {
  return oldest_news((const struct ccurl_pool *)what) != NULL;
}

void ccurl_pool_step(struct ccurl_pool *pool, double seconds) {
  struct sigpipe_guard guard;
  const double wait_s = pool->running > 0 ? fmax(seconds, 0) : 0;
  const double until_s = ccurl_now_s() + wait_s;
  guard_begin(pool, &guard);
  while (turn(pool, until_s, has_news, pool))
    continue;
  expire(pool, ccurl_now_s());
  guard_end(&guard);
}

double ccurl_pool_timeout_s(struct ccurl_pool *pool) {
  const double now_s = ccurl_now_s();
  double next_s = pool->events.timer_s;
  for (struct ccurl_attempt *a = pool->busy; a != NULL; a = a->next) {
    if (a->running)
      next_s = fmin(next_s, ccurl_attempt_expires_s(a, now_s));
    else if (!a->told)
      return 0;
  }
  return fmax(next_s - now_s, 0);
}

size_t ccurl_pool_take_piece(struct ccurl_attempt *attempt, char *room) {
  struct sigpipe_guard guard;
  CURLcode code;
  size_t length = 0;
  guard_begin(attempt->pool, &guard);
  if (attempt->running && ccurl_attempt_expired(attempt, ccurl_now_s()))
    stop(attempt);
  if (attempt->kind == DSC_OK) { /* else what is left is of no use */
    length = ccurl_attempt_take(attempt, room, &code);
    ccurl_attempt_end(attempt, code);
    if (attempt->kind != DSC_OK && attempt->running)
      stop(attempt);
    if (code == CURLE_OUT_OF_MEMORY)
      fail_all(attempt->pool, CURLM_OUT_OF_MEMORY);
  }
  guard_end(&guard);
  return length;
}

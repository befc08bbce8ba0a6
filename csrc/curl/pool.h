/*
** The attempts of one transport over one libcurl multi handle, which keeps
** the connections. Everything that may write to a socket goes through here.
*/
#ifndef CCURL_POOL_H
#define CCURL_POOL_H

#include <stdint.h>

#include "curl/attempt.h"

/* The caller's end of an attempt. It survives the attempt and the pool. */
struct ccurl_transfer {
  struct ccurl_attempt *attempt; /* NULL: over, for the reason below */
  enum dsc_phase phase;
  enum dsc_kind ended;
  const char *why;
};

struct ccurl_pool {
  CURLM *multi; /* NULL: closed */
  CURL *model;
  struct dsc_env env;
  uint32_t generation; /* of the process that opened it */
  long pool_maxsize;
  long idle_count;
  long running; /* attempts in the hands of libcurl */
  uint64_t started; /* attempts, ever */
  uint64_t queued; /* how many found all connections in use */
  struct ccurl_sockets sockets;
  struct ccurl_events events;
  struct ccurl_attempt *idle;
  struct ccurl_attempt *busy; /* those that a transfer owns */
  bool broken; /* the multi handle: the next transfer begins with another */
  bool tls; /* a library may be used that writes without MSG_NOSIGNAL */
};

/* The struct is zeroed but for env. */
CURLcode ccurl_pool_open(struct ccurl_pool *pool,
                         const struct ccurl_options *options);
/* Ends what is under way. In a forked child it only forgets. */
void ccurl_pool_close(struct ccurl_pool *pool);
bool ccurl_pool_forked(const struct ccurl_pool *pool);
/* NULL when the pool can be used, else why not. */
const char *ccurl_pool_unusable(const struct ccurl_pool *pool);

/* Gives the transfer an attempt to prepare; false without memory. */
bool ccurl_pool_take(struct ccurl_pool *pool, struct ccurl_transfer *owner);
CURLMcode ccurl_pool_start(struct ccurl_attempt *attempt, const char *url);
/* Takes the attempt from its transfer, whatever its state. */
void ccurl_pool_release(struct ccurl_transfer *owner, enum dsc_kind ended,
                        const char *why);
/* Leaves it to its transfer alone, also when the pool is closed: it is over
** and about to be read. */
void ccurl_pool_detach(struct ccurl_transfer *owner);
/* Instead, in a forked child: the attempt is the parent's. */
void ccurl_pool_forget(struct ccurl_transfer *owner);

/* Drives all attempts until this one can be read. */
void ccurl_pool_wait(struct ccurl_attempt *attempt);
/* Drives all attempts, and waits for so long at most (0: not at all) unless
** there is one that can be read. */
void ccurl_pool_step(struct ccurl_pool *pool, double seconds);
/* The number of the oldest that can be read and was not told of; 0: none. */
uint64_t ccurl_pool_news(struct ccurl_pool *pool);
/* In how many seconds a step has something to do even when nothing comes;
** HUGE_VAL: never. */
double ccurl_pool_timeout_s(struct ccurl_pool *pool);
/* Takes a piece of a file, of which at most CCURL_PIECE_BYTES_MAX come, and
** goes on; 0 once it is over, or failed. */
size_t ccurl_pool_take_piece(struct ccurl_attempt *attempt, char *room);

#endif

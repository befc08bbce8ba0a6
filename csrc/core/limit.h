/*
** How fast requests go out, and how many at once: pacing by GCRA whose rate
** follows the server's 429s, and the fair queue for connections.
*/
#ifndef DSC_LIMIT_H
#define DSC_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* --- pacing -------------------------------------------------------------- */

/* A client is held so long at most. */
#define DSC_HOLD_MAX_US INT64_C(60000000)

/*
** GCRA (ITU-T I.371): one theoretical arrival time. There is no pace where the
** user gave no rate and the server has not refused anything lately.
*/
struct dsc_pacer {
  double given_per_s;    /* the user's rate: never faster; 0: none */
  double slowed_per_s;   /* what the last 429 slowed it down to */
  int64_t ahead_us;      /* how far before its turn a request may come */
  int64_t arrival_us;    /* the theoretical one of the next request */
  int64_t hold_us;       /* nothing goes out before */
  int64_t refused_us;    /* the last 429; below 0: none that matters */
  int64_t window_us;     /* the start of the window that counts */
  uint32_t taken, taken_before; /* in this window and the one before */
  uint32_t pace; /* a new one with each slow-down: older times are void */
};

/* per_s of 0: no rate is given. burst: requests at once, 1 or more. */
void dsc_pacer_init(struct dsc_pacer *pacer, double per_s, uint32_t burst);

/* When the next request may go out: now, or later. Reserves nothing. */
int64_t dsc_pacer_next_us(struct dsc_pacer *pacer, int64_t now_us);

/* The same, and that time is taken. */
int64_t dsc_pacer_take_us(struct dsc_pacer *pacer, int64_t now_us);

/*
** Would a request now leave at least half of the pace to those that come after
** it: half of the burst, or every second turn?
*/
bool dsc_pacer_has_room(struct dsc_pacer *pacer, int64_t now_us);

/* The server took a request: any answer but a 429. */
void dsc_pacer_accepted(struct dsc_pacer *pacer, int64_t now_us);

/* The server refused one with a 429, which is repeated after wait_us. True
** where the rate was lowered. */
bool dsc_pacer_refused(struct dsc_pacer *pacer, int64_t now_us,
                       int64_t wait_us);

/* Is it the server's refusals that slow it down now? */
bool dsc_pacer_slowed(struct dsc_pacer *pacer, int64_t now_us);

/* Requests a second; 0 when off. */
double dsc_pacer_rate(struct dsc_pacer *pacer, int64_t now_us);

/* --- the queue for connections ------------------------------------------- */

enum dsc_place {
  DSC_OUTSIDE,
  DSC_QUEUED,
  DSC_GRANTED, /* a connection got free for it; it does not know yet */
  DSC_IN_FLIGHT
};

/* Who has a connection and lives on has given it back by then: callers of some
** hosts vanish without a word. */
#define DSC_LEASE_US INT64_C(2000000)

struct dsc_waiter {
  struct dsc_waiter *next, *previous;
  enum dsc_place place;
  int64_t until_us; /* of a connection: when it is anybody's again */
};

struct dsc_waiters {
  struct dsc_waiter *first, *last;
  uint32_t count;
};

struct dsc_queue {
  struct dsc_waiters queued;  /* for a connection, the oldest first */
  struct dsc_waiters granted; /* to be woken */
  struct dsc_waiters flying;  /* in flight */
  uint32_t in_flight, in_flight_max; /* the granted ones included */
  uint32_t queued_max;
};

void dsc_queue_init(struct dsc_queue *queue, uint32_t in_flight_max,
                    uint32_t queued_max);

/* All who wait are outside. */
void dsc_queue_clear(struct dsc_queue *queue);

/* Takes connections back whose leases are over. */
void dsc_queue_reclaim(struct dsc_queue *queue, int64_t now_us);

/* A connection (DSC_IN_FLIGHT), a place behind those who came before
** (DSC_QUEUED), or none (DSC_OUTSIDE). */
enum dsc_place dsc_queue_enter(struct dsc_queue *queue,
                               struct dsc_waiter *waiter, int64_t now_us);

/* One in the queue can't wait: it has a connection, beyond the limit. */
void dsc_queue_admit(struct dsc_queue *queue, struct dsc_waiter *waiter,
                     int64_t now_us);

/* It knows that it got a connection, where it did. */
void dsc_queue_accept(struct dsc_queue *queue, struct dsc_waiter *waiter);

/* The one that got a connection and has to be woken, once; or NULL. */
struct dsc_waiter *dsc_queue_woken(struct dsc_queue *queue, int64_t now_us);

/* Leaves with a connection, or without having got one: the first in the
** queue has it then. */
void dsc_queue_leave(struct dsc_queue *queue, struct dsc_waiter *waiter,
                     int64_t now_us);

#endif

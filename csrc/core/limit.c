#include "core/limit.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)

/* What is taken is counted over so long; a rate is never told of less time
** than SPAN_MIN_US. */
#define WINDOW_US SECOND_US
#define SPAN_MIN_US (SECOND_US / 10)
/* After a 429: this part of what was taken before; at least RATE_MIN. */
#define SLOWER_PART 0.7
#define RATE_MIN 1.0
/* This part of it more for each calm second. */
#define FASTER_PART 0.1
/* So long without a 429, and the server has no limit that we meet. */
#define CALM_US (60 * SECOND_US)

void dsc_pacer_init(struct dsc_pacer *pacer, double per_s, uint32_t burst) {
  memset(pacer, 0, sizeof *pacer);
  pacer->refused_us = -1;
  pacer->given_per_s = per_s;
  if (per_s > 0 && burst > 1)
    pacer->ahead_us = (int64_t)((double)SECOND_US / per_s * (burst - 1));
}

bool dsc_pacer_slowed(struct dsc_pacer *pacer, int64_t now_us) {
  if (pacer->refused_us >= 0 && now_us - pacer->refused_us >= CALM_US &&
      now_us >= pacer->hold_us)
    pacer->refused_us = -1;
  return pacer->refused_us >= 0;
}

double dsc_pacer_rate(struct dsc_pacer *pacer, int64_t now_us) {
  if (!dsc_pacer_slowed(pacer, now_us))
    return pacer->given_per_s;
  int64_t calm_s = (now_us - pacer->refused_us) / SECOND_US;
  double per_s = pacer->slowed_per_s * (1 + FASTER_PART * (double)calm_s);
  return pacer->given_per_s > 0 && per_s > pacer->given_per_s
             ? pacer->given_per_s
             : per_s;
}

int64_t dsc_pacer_next_us(struct dsc_pacer *pacer, int64_t now_us) {
  int64_t at_us = now_us > pacer->hold_us ? now_us : pacer->hold_us;
  if (dsc_pacer_rate(pacer, now_us) <= 0)
    return at_us;
  /* a server that refuses wants no bursts */
  int64_t turn_us = pacer->arrival_us;
  if (!dsc_pacer_slowed(pacer, now_us))
    turn_us -= pacer->ahead_us;
  return at_us > turn_us ? at_us : turn_us;
}

static int64_t interval_us(double per_s) {
  return (int64_t)((double)SECOND_US / per_s);
}

int64_t dsc_pacer_take_us(struct dsc_pacer *pacer, int64_t now_us) {
  int64_t at_us = dsc_pacer_next_us(pacer, now_us);
  double per_s = dsc_pacer_rate(pacer, now_us);
  if (per_s > 0) {
    int64_t from_us = at_us > pacer->arrival_us ? at_us : pacer->arrival_us;
    pacer->arrival_us = from_us + interval_us(per_s);
  }
  return at_us;
}

bool dsc_pacer_has_room(struct dsc_pacer *pacer, int64_t now_us) {
  double per_s = dsc_pacer_rate(pacer, now_us);
  if (now_us < pacer->hold_us)
    return false;
  if (per_s <= 0)
    return true;
  int64_t ahead_us = dsc_pacer_slowed(pacer, now_us) ? 0 : pacer->ahead_us;
  return pacer->arrival_us + interval_us(per_s) <= now_us + ahead_us / 2;
}

/* Begins a new window where this one is full, and after a pause. */
static void turn(struct dsc_pacer *pacer, int64_t now_us) {
  int64_t passed_us = now_us - pacer->window_us;
  if (passed_us < WINDOW_US)
    return;
  bool pause = passed_us >= 2 * WINDOW_US;
  pacer->taken_before = pause ? 0 : pacer->taken;
  pacer->window_us = pause ? now_us : pacer->window_us + WINDOW_US;
  pacer->taken = 0;
}

void dsc_pacer_accepted(struct dsc_pacer *pacer, int64_t now_us) {
  turn(pacer, now_us);
  pacer->taken++;
}

/* Requests a second that the server took, over the last window that is full
** and the one that is not. */
static double taken_rate(struct dsc_pacer *pacer, int64_t now_us) {
  turn(pacer, now_us);
  int64_t span_us = now_us - pacer->window_us;
  if (pacer->taken_before > 0)
    span_us += WINDOW_US;
  if (span_us < SPAN_MIN_US)
    span_us = SPAN_MIN_US;
  return (double)(pacer->taken + pacer->taken_before) * (double)SECOND_US /
         (double)span_us;
}

static double slower(struct dsc_pacer *pacer, int64_t now_us) {
  double now_per_s = dsc_pacer_rate(pacer, now_us);
  double per_s = SLOWER_PART * taken_rate(pacer, now_us);
  if (per_s < RATE_MIN)
    per_s = RATE_MIN;
  return now_per_s > 0 && now_per_s < per_s ? now_per_s : per_s;
}

/* Turns that were given are void. Those that were taken count for a given
** rate, which let them be this far ahead at most. */
static void forget_turns(struct dsc_pacer *pacer, int64_t now_us) {
  int64_t latest_us = 0;
  if (pacer->given_per_s > 0)
    latest_us = now_us + pacer->ahead_us + interval_us(pacer->given_per_s);
  if (pacer->arrival_us > latest_us)
    pacer->arrival_us = latest_us;
  pacer->pace++;
}

bool dsc_pacer_refused(struct dsc_pacer *pacer, int64_t now_us,
                       int64_t wait_us) {
  /* refused while it is held: it was under way when the hold began */
  bool known =
      dsc_pacer_slowed(pacer, now_us) && now_us < pacer->hold_us;
  if (!known) {
    pacer->slowed_per_s = slower(pacer, now_us);
    forget_turns(pacer, now_us);
  }
  pacer->refused_us = now_us;
  int64_t until_us =
      now_us + (wait_us < DSC_HOLD_MAX_US ? wait_us : DSC_HOLD_MAX_US);
  if (until_us > pacer->hold_us)
    pacer->hold_us = until_us;
  return !known;
}

/* --- the queue for connections ------------------------------------------- */

void dsc_queue_init(struct dsc_queue *queue, uint32_t in_flight_max,
                    uint32_t queued_max) {
  memset(queue, 0, sizeof *queue);
  queue->in_flight_max = in_flight_max;
  queue->queued_max = queued_max;
}

static void append(struct dsc_waiters *list, struct dsc_waiter *waiter,
                   enum dsc_place place) {
  waiter->next = NULL;
  waiter->previous = list->last;
  if (list->last != NULL)
    list->last->next = waiter;
  else
    list->first = waiter;
  list->last = waiter;
  list->count++;
  waiter->place = place;
}

static void take_out(struct dsc_waiters *list, struct dsc_waiter *waiter,
                     enum dsc_place place) {
  if (waiter->previous != NULL)
    waiter->previous->next = waiter->next;
  else
    list->first = waiter->next;
  if (waiter->next != NULL)
    waiter->next->previous = waiter->previous;
  else
    list->last = waiter->previous;
  list->count--;
  waiter->place = place;
}

static void move(struct dsc_waiters *from, struct dsc_waiters *to,
                 struct dsc_waiter *waiter, enum dsc_place place) {
  take_out(from, waiter, DSC_OUTSIDE);
  append(to, waiter, place);
}

static void empty(struct dsc_waiters *list) {
  while (list->first != NULL)
    take_out(list, list->first, DSC_OUTSIDE);
}

void dsc_queue_clear(struct dsc_queue *queue) {
  empty(&queue->queued);
  empty(&queue->granted);
  empty(&queue->flying);
}

/* A connection got free: the first who waits has it, and a while to take it. */
static void pass_on(struct dsc_queue *queue, int64_t now_us) {
  struct dsc_waiter *first = queue->queued.first;
  if (first == NULL || queue->in_flight > queue->in_flight_max) {
    queue->in_flight--;
    return;
  }
  move(&queue->queued, &queue->granted, first, DSC_GRANTED);
  first->until_us = now_us + DSC_LEASE_US;
}

static void reclaim_from(struct dsc_queue *queue, struct dsc_waiters *list,
                         int64_t now_us) {
  struct dsc_waiter *waiter = list->first;
  while (waiter != NULL) {
    struct dsc_waiter *next = waiter->next;
    if (waiter->until_us < now_us) {
      take_out(list, waiter, DSC_OUTSIDE);
      pass_on(queue, now_us);
    }
    waiter = next;
  }
}

void dsc_queue_reclaim(struct dsc_queue *queue, int64_t now_us) {
  reclaim_from(queue, &queue->granted, now_us);
  reclaim_from(queue, &queue->flying, now_us);
}

enum dsc_place dsc_queue_enter(struct dsc_queue *queue,
                               struct dsc_waiter *waiter, int64_t now_us) {
  if (queue->in_flight >= queue->in_flight_max)
    dsc_queue_reclaim(queue, now_us);
  if (queue->in_flight < queue->in_flight_max) {
    queue->in_flight++;
    append(&queue->flying, waiter, DSC_IN_FLIGHT);
    waiter->until_us = now_us + DSC_LEASE_US;
  } else if (queue->queued.count < queue->queued_max) {
    append(&queue->queued, waiter, DSC_QUEUED);
  }
  return waiter->place;
}

void dsc_queue_admit(struct dsc_queue *queue, struct dsc_waiter *waiter,
                     int64_t now_us) {
  if (waiter->place != DSC_QUEUED)
    return;
  move(&queue->queued, &queue->flying, waiter, DSC_IN_FLIGHT);
  waiter->until_us = now_us + DSC_LEASE_US;
  queue->in_flight++;
}

void dsc_queue_accept(struct dsc_queue *queue, struct dsc_waiter *waiter) {
  if (waiter->place == DSC_GRANTED)
    move(&queue->granted, &queue->flying, waiter, DSC_IN_FLIGHT);
}

struct dsc_waiter *dsc_queue_woken(struct dsc_queue *queue, int64_t now_us) {
  dsc_queue_reclaim(queue, now_us);
  struct dsc_waiter *waiter = queue->granted.first;
  if (waiter != NULL)
    dsc_queue_accept(queue, waiter);
  return waiter;
}

void dsc_queue_leave(struct dsc_queue *queue, struct dsc_waiter *waiter,
                     int64_t now_us) {
  const enum dsc_place place = waiter->place;
  if (place == DSC_OUTSIDE)
    return;
  take_out(place == DSC_QUEUED    ? &queue->queued
           : place == DSC_GRANTED ? &queue->granted
                                  : &queue->flying,
           waiter, DSC_OUTSIDE);
  if (place != DSC_QUEUED)
    pass_on(queue, now_us);
}

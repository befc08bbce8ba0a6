/*
** Counters and durations per operation. An operation is registered once and
** recorded by its index, so that a record costs a few additions.
*/
#ifndef DSC_METRICS_H
#define DSC_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ahead.h"
#include "core/env.h"
#include "core/error.h"
#include "core/histogram.h"

/* More names than this go to the one called DSC_METRICS_OTHER. */
#define DSC_METRICS_MAX 4096
/* The longest name, in bytes. */
#define DSC_METRIC_NAME_MAX 128
#define DSC_METRICS_OTHER "(other)"

/* How a call ended: with a kind (DSC_OK, or what it failed with), or so. */
enum dsc_end {
  DSC_END_ERROR = DSC_KINDS, /* a user's function failed in its own way */
  DSC_END_CACHED,            /* the cache answered, with what is fresh */
  DSC_END_STALE,             /* … with what is not */
  DSC_ENDS
};

/* All that is counted of one name; all zero is nothing. It only grows, as
** Prometheus wants it of counters, until it is reset. */
struct dsc_counters {
  uint64_t calls[DSC_ENDS];     /* by their end */
  uint64_t missed;              /* look-ups that found nothing fresh */
  uint64_t attempts[DSC_KINDS]; /* requests, sent or not, by their end */
  uint64_t retries[DSC_KINDS];  /* repeats, by what made them needed */
  uint64_t bytes_in, bytes_out;
  uint64_t ahead[DSC_AHEADS][DSC_FATES]; /* of what was fetched ahead */
  struct dsc_histogram durations; /* of calls that asked the server */
};

struct dsc_metric {
  char *name;
  size_t name_length;
  struct dsc_counters *counters;
};

struct dsc_metrics {
  const struct dsc_env *env;
  struct dsc_metric *items;
  uint32_t *sorted; /* indices of the items, by name, byte by byte */
  uint32_t count, capacity;
};

void dsc_metrics_init(struct dsc_metrics *metrics, const struct dsc_env *env);
void dsc_metrics_free(struct dsc_metrics *metrics);

/*
** The index of a name, the same each time; UINT32_MAX without memory, or where
** the name is empty or too long.
*/
uint32_t dsc_metrics_register(struct dsc_metrics *metrics, const char *name,
                              size_t length);

/*
** A call that asked the server: its end (an enum dsc_kind or dsc_end), and how
** long it took with all its waits. DSC_END_STALE: it failed, and was given what
** the cache still had.
*/
void dsc_metrics_call(struct dsc_metrics *metrics, uint32_t index, int end,
                      int64_t duration_us);
/* A call that the cache answered; it is in no duration. */
void dsc_metrics_cached(struct dsc_metrics *metrics, uint32_t index,
                        bool stale);
/* The cache was asked and had nothing fresh. */
void dsc_metrics_missed(struct dsc_metrics *metrics, uint32_t index);
/* A request, sent or not, and what it came to. */
void dsc_metrics_attempt(struct dsc_metrics *metrics, uint32_t index,
                         enum dsc_kind kind, uint64_t bytes_in,
                         uint64_t bytes_out);
/* A repeat, because of a failure of that kind. */
void dsc_metrics_retry(struct dsc_metrics *metrics, uint32_t index,
                       enum dsc_kind reason);

/* What became of something that was fetched ahead. */
void dsc_metrics_ahead(struct dsc_metrics *metrics, uint32_t index,
                       enum dsc_ahead kind, enum dsc_fate fate);

/* "ok", the kind of an error, "error", "cached" or "stale" */
const char *dsc_end_name(int end);
/* DSC_ENDS for a name that is none. */
int dsc_end_of(const char *name);

/* Adds what was counted elsewhere. False without memory: nothing changes. */
bool dsc_metrics_merge(struct dsc_metrics *into, const char *name,
                       size_t length, const struct dsc_counters *counters);
void dsc_counters_merge(struct dsc_counters *into,
                        const struct dsc_counters *from);
/* Is there anything to tell? */
bool dsc_counters_used(const struct dsc_counters *counters);

/* Sums: of all calls, of those that failed, of attempts, of repeats. */
uint64_t dsc_counters_calls(const struct dsc_counters *counters);
uint64_t dsc_counters_errors(const struct dsc_counters *counters);
uint64_t dsc_counters_attempts(const struct dsc_counters *counters);
uint64_t dsc_counters_retries(const struct dsc_counters *counters);

/* All counters to zero; names and indices stay. */
void dsc_metrics_reset(struct dsc_metrics *metrics);

#endif

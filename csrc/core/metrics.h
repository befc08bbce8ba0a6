/*
** Counters per operation. An operation is registered once and recorded by its
** index, so that a record costs a few additions.
*/
#ifndef DSC_METRICS_H
#define DSC_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

/* More names than this go to the one called DSC_METRICS_OTHER. */
#define DSC_METRICS_MAX 4096
/* The longest name, in bytes. */
#define DSC_METRIC_NAME_MAX 128
#define DSC_METRICS_OTHER "(other)"

struct dsc_metric {
  char *name;
  size_t name_length;
  uint64_t calls;    /* all, cached ones too */
  uint64_t errors;   /* calls that failed */
  uint64_t cached;   /* calls answered by the cache: not in the durations */
  uint64_t attempts; /* requests sent, or tried to */
  uint64_t retries;  /* of them, the repeats */
  uint64_t bytes_in, bytes_out;
  int64_t total_us, min_us, max_us;
};

struct dsc_metrics {
  const struct dsc_env *env;
  struct dsc_metric *items;
  uint32_t count, capacity;
};

void dsc_metrics_init(struct dsc_metrics *metrics, const struct dsc_env *env);
void dsc_metrics_free(struct dsc_metrics *metrics);

/*
** The index of a name, the same each time; UINT32_MAX without memory, or where
** the name is too long.
*/
uint32_t dsc_metrics_register(struct dsc_metrics *metrics, const char *name,
                              size_t length);

void dsc_metrics_call(struct dsc_metrics *metrics, uint32_t index, bool failed,
                      int64_t duration_us);
void dsc_metrics_cached(struct dsc_metrics *metrics, uint32_t index);
void dsc_metrics_attempt(struct dsc_metrics *metrics, uint32_t index,
                         bool retry, uint64_t bytes_in, uint64_t bytes_out);

/* All counters to zero; names and indices stay. */
void dsc_metrics_reset(struct dsc_metrics *metrics);

#endif

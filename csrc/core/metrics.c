#include "core/metrics.h"

#include <string.h>

#define FIRST_ITEMS 32

static const char other[] = DSC_METRICS_OTHER;

void dsc_metrics_init(struct dsc_metrics *metrics, const struct dsc_env *env) {
  metrics->env = env;
  metrics->items = NULL;
  metrics->sorted = NULL;
  metrics->count = 0;
  metrics->capacity = 0;
}

void dsc_metrics_free(struct dsc_metrics *metrics) {
  const struct dsc_env *env = metrics->env;
  for (uint32_t i = 0; i < metrics->count; i++) {
    struct dsc_metric *item = &metrics->items[i];
    dsc_free(env, item->name, item->name_length);
    dsc_free(env, item->counters, sizeof *item->counters);
  }
  dsc_free(env, metrics->items, metrics->capacity * sizeof *metrics->items);
  dsc_free(env, metrics->sorted, metrics->capacity * sizeof *metrics->sorted);
  dsc_metrics_init(metrics, env);
}

/* --- names --------------------------------------------------------------- */

/* An array of another size; NULL without memory. */
static void *resize(const struct dsc_env *env, void *array, uint32_t old,
                    uint32_t capacity, size_t size) {
  return dsc_realloc(env, array, old * size, capacity * size);
}

static bool grow(struct dsc_metrics *metrics) {
  const struct dsc_env *env = metrics->env;
  uint32_t old = metrics->capacity;
  uint32_t capacity = old != 0 ? old * 2 : FIRST_ITEMS;
  uint32_t *sorted = (uint32_t *)resize(env, NULL, 0, capacity,
                                        sizeof *metrics->sorted);
  struct dsc_metric *items = NULL;
  if (sorted != NULL)
    items = (struct dsc_metric *)resize(env, metrics->items, old, capacity,
                                        sizeof *metrics->items);
  if (items == NULL) {
    dsc_free(env, sorted, capacity * sizeof *sorted);
    return false;
  }
  if (old != 0)
    memcpy(sorted, metrics->sorted, old * sizeof *sorted);
  dsc_free(env, metrics->sorted, old * sizeof *sorted);
  metrics->items = items;
  metrics->sorted = sorted;
  metrics->capacity = capacity;
  return true;
}

static int compare(const struct dsc_metric *item, const char *name,
                   size_t length) {
  size_t both = item->name_length < length ? item->name_length : length;
  int order = both > 0 ? memcmp(item->name, name, both) : 0;
  if (order != 0 || item->name_length == length)
    return order;
  return item->name_length < length ? -1 : 1;
}

/* The place in `sorted` where the name is, or would be. */
static uint32_t place_of(const struct dsc_metrics *metrics, const char *name,
                         size_t length) {
  uint32_t from = 0, to = metrics->count;
  while (from < to) {
    uint32_t middle = from + (to - from) / 2;
    uint32_t index = metrics->sorted[middle];
    if (compare(&metrics->items[index], name, length) < 0)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

/* UINT32_MAX where it is not known. */
static uint32_t find(const struct dsc_metrics *metrics, const char *name,
                     size_t length) {
  uint32_t place = place_of(metrics, name, length);
  if (place == metrics->count)
    return UINT32_MAX;
  uint32_t index = metrics->sorted[place];
  return compare(&metrics->items[index], name, length) == 0 ? index
                                                            : UINT32_MAX;
}

/* The last place is for the name of all that find none. */
static bool has_place(const struct dsc_metrics *metrics, const char *name,
                      size_t length) {
  bool is_other =
      length == sizeof other - 1 && memcmp(name, other, length) == 0;
  return metrics->count < DSC_METRICS_MAX - 1 || is_other ||
         (metrics->count < DSC_METRICS_MAX &&
          find(metrics, other, sizeof other - 1) != UINT32_MAX);
}

static bool make(const struct dsc_env *env, struct dsc_metric *item,
                 const char *name, size_t length) {
  item->name = (char *)dsc_alloc(env, length);
  item->name_length = length;
  item->counters =
      (struct dsc_counters *)dsc_alloc(env, sizeof *item->counters);
  if (item->name == NULL || item->counters == NULL) {
    dsc_free(env, item->name, length);
    dsc_free(env, item->counters, sizeof *item->counters);
    return false;
  }
  memcpy(item->name, name, length);
  memset(item->counters, 0, sizeof *item->counters);
  return true;
}

uint32_t dsc_metrics_register(struct dsc_metrics *metrics, const char *name,
                              size_t length) {
  if (length == 0 || length > DSC_METRIC_NAME_MAX)
    return UINT32_MAX;
  uint32_t index = find(metrics, name, length);
  if (index != UINT32_MAX)
    return index;
  if (!has_place(metrics, name, length))
    return dsc_metrics_register(metrics, other, sizeof other - 1);
  if ((metrics->count == metrics->capacity && !grow(metrics)) ||
      !make(metrics->env, &metrics->items[metrics->count], name, length))
    return UINT32_MAX;
  uint32_t place = place_of(metrics, name, length);
  memmove(&metrics->sorted[place + 1], &metrics->sorted[place],
          (metrics->count - place) * sizeof *metrics->sorted);
  metrics->sorted[place] = metrics->count;
  return metrics->count++;
}

/* --- what happened ------------------------------------------------------- */

static struct dsc_counters *counters_of(struct dsc_metrics *metrics,
                                        uint32_t index) {
  return metrics->items[index].counters;
}

void dsc_metrics_call(struct dsc_metrics *metrics, uint32_t index, int end,
                      int64_t duration_us) {
  struct dsc_counters *counters = counters_of(metrics, index);
  counters->calls[end]++;
  dsc_histogram_record(&counters->durations, duration_us);
}

void dsc_metrics_cached(struct dsc_metrics *metrics, uint32_t index,
                        bool stale) {
  counters_of(metrics, index)->calls[stale ? DSC_END_STALE : DSC_END_CACHED]++;
}

void dsc_metrics_missed(struct dsc_metrics *metrics, uint32_t index) {
  counters_of(metrics, index)->missed++;
}

void dsc_metrics_attempt(struct dsc_metrics *metrics, uint32_t index,
                         enum dsc_kind kind, uint64_t bytes_in,
                         uint64_t bytes_out) {
  struct dsc_counters *counters = counters_of(metrics, index);
  counters->attempts[kind]++;
  counters->bytes_in += bytes_in;
  counters->bytes_out += bytes_out;
}

void dsc_metrics_retry(struct dsc_metrics *metrics, uint32_t index,
                       enum dsc_kind reason) {
  counters_of(metrics, index)->retries[reason]++;
}

void dsc_metrics_ahead(struct dsc_metrics *metrics, uint32_t index,
                       enum dsc_ahead kind, enum dsc_fate fate) {
  counters_of(metrics, index)->ahead[kind][fate]++;
}

static uint64_t sum(const uint64_t *counts, int from, int to) {
  uint64_t all = 0;
  for (int i = from; i < to; i++)
    all += counts[i];
  return all;
}

uint64_t dsc_counters_calls(const struct dsc_counters *counters) {
  return sum(counters->calls, DSC_OK, DSC_ENDS);
}

uint64_t dsc_counters_errors(const struct dsc_counters *counters) {
  return sum(counters->calls, DSC_OK + 1, DSC_END_CACHED);
}

uint64_t dsc_counters_attempts(const struct dsc_counters *counters) {
  return sum(counters->attempts, DSC_OK, DSC_KINDS);
}

uint64_t dsc_counters_retries(const struct dsc_counters *counters) {
  return sum(counters->retries, DSC_OK, DSC_KINDS);
}

bool dsc_counters_used(const struct dsc_counters *counters) {
  for (int kind = 0; kind < DSC_AHEADS; kind++)
    if (sum(counters->ahead[kind], 0, DSC_FATES) > 0)
      return true;
  return dsc_counters_calls(counters) > 0 || counters->missed > 0 ||
         dsc_counters_attempts(counters) > 0 ||
         dsc_counters_retries(counters) > 0 || counters->bytes_in > 0 ||
         counters->bytes_out > 0 || counters->durations.count > 0;
}

/* --- all together -------------------------------------------------------- */

static const char *const ends[] = {"error", "cached", "stale"};

const char *dsc_end_name(int end) {
  return end < DSC_KINDS ? dsc_kind_name((enum dsc_kind)end)
                         : ends[end - DSC_KINDS];
}

int dsc_end_of(const char *name) {
  int end = (int)dsc_kind_of(name);
  while (end >= DSC_KINDS && end < DSC_ENDS &&
         strcmp(ends[end - DSC_KINDS], name) != 0)
    end++;
  return end;
}

static void add_counts(uint64_t *into, const uint64_t *from, int count) {
  for (int i = 0; i < count; i++)
    dsc_count_add(&into[i], from[i]);
}

void dsc_counters_merge(struct dsc_counters *into,
                        const struct dsc_counters *from) {
  add_counts(into->calls, from->calls, DSC_ENDS);
  add_counts(into->attempts, from->attempts, DSC_KINDS);
  add_counts(into->retries, from->retries, DSC_KINDS);
  dsc_count_add(&into->missed, from->missed);
  dsc_count_add(&into->bytes_in, from->bytes_in);
  dsc_count_add(&into->bytes_out, from->bytes_out);
  for (int kind = 0; kind < DSC_AHEADS; kind++)
    add_counts(into->ahead[kind], from->ahead[kind], DSC_FATES);
  dsc_histogram_merge(&into->durations, &from->durations);
}

bool dsc_metrics_merge(struct dsc_metrics *into, const char *name,
                       size_t length, const struct dsc_counters *counters) {
  uint32_t index = dsc_metrics_register(into, name, length);
  if (index != UINT32_MAX)
    dsc_counters_merge(counters_of(into, index), counters);
  return index != UINT32_MAX;
}

void dsc_metrics_reset(struct dsc_metrics *metrics) {
  for (uint32_t i = 0; i < metrics->count; i++)
    memset(counters_of(metrics, i), 0, sizeof(struct dsc_counters));
}

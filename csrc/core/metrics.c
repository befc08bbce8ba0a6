#include "core/metrics.h"

#include <string.h>

#define FIRST_ITEMS 32

static const char other[] = DSC_METRICS_OTHER;

void dsc_metrics_init(struct dsc_metrics *metrics, const struct dsc_env *env) {
  metrics->env = env;
  metrics->items = NULL;
  metrics->count = 0;
  metrics->capacity = 0;
}

void dsc_metrics_free(struct dsc_metrics *metrics) {
  for (uint32_t i = 0; i < metrics->count; i++)
    dsc_free(metrics->env, metrics->items[i].name,
             metrics->items[i].name_length);
  dsc_free(metrics->env, metrics->items,
           metrics->capacity * sizeof *metrics->items);
  dsc_metrics_init(metrics, metrics->env);
}

static bool grow(struct dsc_metrics *metrics) {
  uint32_t old = metrics->capacity;
  uint32_t capacity = old != 0 ? old * 2 : FIRST_ITEMS;
  struct dsc_metric *items = (struct dsc_metric *)dsc_realloc(
      metrics->env, metrics->items, old * sizeof *items,
      capacity * sizeof *items);
  if (items == NULL)
    return false;
  metrics->items = items;
  metrics->capacity = capacity;
  return true;
}

uint32_t dsc_metrics_register(struct dsc_metrics *metrics, const char *name,
                              size_t length) {
  if (length > DSC_METRIC_NAME_MAX)
    return UINT32_MAX;
  for (uint32_t i = 0; i < metrics->count; i++)
    if (metrics->items[i].name_length == length &&
        memcmp(metrics->items[i].name, name, length) == 0)
      return i;
  if (metrics->count >= DSC_METRICS_MAX - 1 && name != other)
    return dsc_metrics_register(metrics, other, sizeof other - 1);
  if (metrics->count == metrics->capacity && !grow(metrics))
    return UINT32_MAX;
  char *copy = (char *)dsc_alloc(metrics->env, length);
  if (copy == NULL)
    return UINT32_MAX;
  memcpy(copy, name, length);
  struct dsc_metric *item = &metrics->items[metrics->count];
  memset(item, 0, sizeof *item);
  item->name = copy;
  item->name_length = length;
  return metrics->count++;
}

void dsc_metrics_call(struct dsc_metrics *metrics, uint32_t index, bool failed,
                      int64_t duration_us) {
  struct dsc_metric *item = &metrics->items[index];
  if (item->calls == item->cached || duration_us < item->min_us)
    item->min_us = duration_us;
  if (duration_us > item->max_us)
    item->max_us = duration_us;
  item->total_us += duration_us;
  item->calls++;
  item->errors += failed;
}

void dsc_metrics_cached(struct dsc_metrics *metrics, uint32_t index) {
  metrics->items[index].calls++;
  metrics->items[index].cached++;
}

void dsc_metrics_attempt(struct dsc_metrics *metrics, uint32_t index,
                         bool retry, uint64_t bytes_in, uint64_t bytes_out) {
  struct dsc_metric *item = &metrics->items[index];
  item->attempts++;
  item->retries += retry;
  item->bytes_in += bytes_in;
  item->bytes_out += bytes_out;
}

void dsc_metrics_reset(struct dsc_metrics *metrics) {
  for (uint32_t i = 0; i < metrics->count; i++) {
    struct dsc_metric zero = {0};
    zero.name = metrics->items[i].name;
    zero.name_length = metrics->items[i].name_length;
    metrics->items[i] = zero;
  }
}

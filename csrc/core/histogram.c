#include "core/histogram.h"

#define SUB_BITS DSC_HISTOGRAM_SUB_BITS
#define SUB_COUNT (1 << SUB_BITS)
#define RANGE_US (UINT64_C(1) << DSC_HISTOGRAM_BITS)

/* Prometheus' default bounds, and those between that its users miss most. */
const int64_t dsc_bounds_us[DSC_BOUNDS] = {
    5000,   10000,  25000,   50000,   75000,   100000,  250000,
    500000, 750000, 1000000, 2500000, 5000000, 7500000, 10000000};

void dsc_count_add(uint64_t *count, uint64_t more) {
  *count = more < DSC_COUNT_MAX - *count ? *count + more : DSC_COUNT_MAX;
}

static void add(uint32_t *count, uint32_t more) {
  *count = more < UINT32_MAX - *count ? *count + more : UINT32_MAX;
}

/*
** Below 32 µs there is a bucket a microsecond. Above, the first bit that is
** set chooses the octave, and the five behind it one of its 32 buckets; the
** bit itself, left in place, carries over to the octave's number.
*/
static size_t bucket_of(uint64_t us) {
  if (us < SUB_COUNT)
    return (size_t)us;
  if (us >= RANGE_US)
    return DSC_HISTOGRAM_BUCKETS - 1;
  int shift = 63 - __builtin_clzll((unsigned long long)us) - SUB_BITS;
  return ((size_t)shift << SUB_BITS) + (size_t)(us >> shift);
}

/* What lies in the middle of a bucket. */
static uint64_t middle_us(size_t bucket) {
  size_t octave = bucket >> SUB_BITS;
  if (octave < 2)
    return bucket;
  size_t shift = octave - 1;
  uint64_t first = (uint64_t)(bucket - (shift << SUB_BITS)) << shift;
  return first + ((UINT64_C(1) << shift) - 1) / 2;
}

static size_t bound_of(uint64_t us) {
  size_t bound = 0;
  while (bound < DSC_BOUNDS && us > (uint64_t)dsc_bounds_us[bound])
    bound++;
  return bound;
}

static void widen(struct dsc_histogram *histogram, uint64_t min_us,
                  uint64_t max_us) {
  if (histogram->count == 0 || min_us < histogram->min_us)
    histogram->min_us = min_us;
  if (max_us > histogram->max_us)
    histogram->max_us = max_us;
}

void dsc_histogram_record(struct dsc_histogram *histogram, int64_t us) {
  uint64_t time_us = us > 0 ? (uint64_t)us : 0;
  if (time_us > DSC_COUNT_MAX)
    time_us = DSC_COUNT_MAX;
  widen(histogram, time_us, time_us);
  histogram->count++;
  dsc_count_add(&histogram->total_us, time_us);
  histogram->within[bound_of(time_us)]++;
  add(&histogram->buckets[bucket_of(time_us)], 1);
}

void dsc_histogram_merge(struct dsc_histogram *into,
                         const struct dsc_histogram *from) {
  if (from->count == 0)
    return;
  widen(into, from->min_us, from->max_us);
  dsc_count_add(&into->count, from->count);
  dsc_count_add(&into->total_us, from->total_us);
  for (size_t i = 0; i <= DSC_BOUNDS; i++)
    dsc_count_add(&into->within[i], from->within[i]);
  for (size_t i = 0; i < DSC_HISTOGRAM_BUCKETS; i++)
    add(&into->buckets[i], from->buckets[i]);
}

/* How many are in the buckets: all, where none of them is full. */
static uint64_t bucketed(const struct dsc_histogram *histogram) {
  uint64_t count = 0;
  for (size_t i = 0; i < DSC_HISTOGRAM_BUCKETS; i++)
    count += histogram->buckets[i];
  return count;
}

static uint64_t clamp(uint64_t us, const struct dsc_histogram *histogram) {
  if (us < histogram->min_us)
    return histogram->min_us;
  return us < histogram->max_us ? us : histogram->max_us;
}

uint64_t dsc_histogram_quantile_us(const struct dsc_histogram *histogram,
                                   double part) {
  double wanted = part * (double)bucketed(histogram);
  uint64_t seen = histogram->buckets[0];
  size_t bucket = 0;
  while ((seen == 0 || (double)seen < wanted) &&
         bucket < DSC_HISTOGRAM_BUCKETS - 1)
    seen += histogram->buckets[++bucket];
  if (bucket == DSC_HISTOGRAM_BUCKETS - 1 && histogram->max_us >= RANGE_US)
    return histogram->max_us;
  return clamp(middle_us(bucket), histogram);
}

/* --- what comes from outside --------------------------------------------- */

/* Are the smallest and the largest where they have to be? */
static bool ends_fit(const struct dsc_histogram *histogram) {
  size_t low = bucket_of(histogram->min_us);
  size_t high = bucket_of(histogram->max_us);
  if (histogram->min_us > histogram->max_us || histogram->buckets[low] == 0 ||
      histogram->buckets[high] == 0)
    return false;
  for (size_t i = 0; i < DSC_HISTOGRAM_BUCKETS; i++)
    if ((i < low || i > high) && histogram->buckets[i] != 0)
      return false;
  return true;
}

static bool sums_fit(const struct dsc_histogram *histogram) {
  uint64_t within = 0;
  bool full = false;
  for (size_t i = 0; i <= DSC_BOUNDS; i++)
    dsc_count_add(&within, histogram->within[i]);
  for (size_t i = 0; i < DSC_HISTOGRAM_BUCKETS; i++)
    full = full || histogram->buckets[i] == UINT32_MAX;
  uint64_t count = bucketed(histogram);
  return within == histogram->count &&
         (count == histogram->count || (full && count < histogram->count));
}

bool dsc_histogram_is_sound(const struct dsc_histogram *histogram) {
  if (histogram->count == 0)
    return histogram->total_us == 0 && histogram->min_us == 0 &&
           histogram->max_us == 0 && sums_fit(histogram);
  return histogram->total_us >= histogram->max_us && sums_fit(histogram) &&
         ends_fit(histogram);
}

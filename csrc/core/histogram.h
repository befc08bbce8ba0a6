/*
** Durations, log-linear on the bits of the microseconds: each octave has 32
** buckets, so that a quantile is off by 1/64 (1.6 %) at most. Two histograms
** are merged by adding. Count, total, smallest and largest are exact, and so
** are the counts up to the bounds that are exposed.
*/
#ifndef DSC_HISTOGRAM_H
#define DSC_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DSC_HISTOGRAM_SUB_BITS 5
/* Longer durations fall into the last bucket: 2^30 µs, 17.9 min. */
#define DSC_HISTOGRAM_BITS 30
#define DSC_HISTOGRAM_BUCKETS \
  ((DSC_HISTOGRAM_BITS - DSC_HISTOGRAM_SUB_BITS + 1) << DSC_HISTOGRAM_SUB_BITS)

/* The bounds that are exposed; the last count is of what lies above them. */
#define DSC_BOUNDS 14
extern const int64_t dsc_bounds_us[DSC_BOUNDS];

/* No count or time passes this, the largest number up to which every Lua has
** all integers: it stays there. 2^53 µs are 285 years. */
#define DSC_COUNT_MAX (UINT64_C(1) << 53)

/* All zero is empty. */
struct dsc_histogram {
  uint64_t count;
  uint64_t total_us, min_us, max_us;
  uint64_t within[DSC_BOUNDS + 1];         /* up to a bound, above the last */
  uint32_t buckets[DSC_HISTOGRAM_BUCKETS]; /* they stop at UINT32_MAX */
};

/* Adds, and stops at DSC_COUNT_MAX. */
void dsc_count_add(uint64_t *count, uint64_t more);

/* A duration below 0 counts as 0. */
void dsc_histogram_record(struct dsc_histogram *histogram, int64_t us);
void dsc_histogram_merge(struct dsc_histogram *into,
                         const struct dsc_histogram *from);

/*
** The duration that a part of them, above 0 and up to 1, does not pass: of n
** durations in order the one at n·part, rounded up. 0 where there are none.
** Where the last bucket is meant and something in it is beyond its end, the
** largest.
*/
uint64_t dsc_histogram_quantile_us(const struct dsc_histogram *histogram,
                                   double part);

/* Can recording have made this? */
bool dsc_histogram_is_sound(const struct dsc_histogram *histogram);

#endif

/*
** A cache is told to do one thing after the other, by the bytes of the input:
** what it gives is what was stored last under the key, within its time; what
** nothing drove out is there; and it holds what it may, also where
** allocations fail.
*/
#include <string.h>

#include "core/cache.h"
#include "harness.h"

/* Two bytes each, so that the first is a prefix of several. */
#define GROUPS 3
#define NAMES 8
#define KEYS (GROUPS * NAMES)
#define LENGTH_MAX 40
#define STEPS_MAX 1000

struct expected {
  char text[LENGTH_MAX];
  size_t length;
  int64_t stored_us, due_us, fresh_until_us, stale_until_us;
  bool stored;        /* and not dropped since */
  uint64_t evictions; /* at that time: with one more it may be gone */
  bool ahead;         /* nobody has asked for it yet */
};

struct bed {
  struct fuzz_input input;
  struct fuzz_world world;
  struct dsc_cache_limits limits;
  dsc_cache *cache;
  struct expected keys[KEYS];
  struct dsc_entry last; /* given to us, and its text */
  struct expected last_text;
  uint32_t objects; /* of entries that have not been reported as gone */
};

static uint32_t below(struct bed *bed, uint32_t bound) {
  return fuzz_below(&bed->input, bound);
}

static void key_text(uint32_t key, char text[2]) {
  text[0] = (char)('A' + key / NAMES);
  text[1] = (char)('a' + key % NAMES);
}

static struct dsc_cache_stats stats_of(const struct bed *bed) {
  struct dsc_cache_stats stats;
  dsc_cache_get_stats(bed->cache, &stats);
  return stats;
}

static void check_entry(struct bed *bed, uint32_t key,
                        const struct dsc_entry *entry) {
  const struct expected *expected = &bed->keys[key];
  int64_t now_us = bed->world.now_us;
  REQUIRE(expected->stored);
  REQUIRE(entry->length == expected->length);
  REQUIRE(memcmp(entry->value, expected->text, entry->length) == 0);
  REQUIRE(entry->age_us == now_us - expected->stored_us);
  REQUIRE(entry->stale == (now_us >= expected->fresh_until_us));
  REQUIRE(entry->due == (now_us >= expected->due_us));
  REQUIRE(dsc_cache_lives(bed->cache, entry));
  bed->last = *entry;
  bed->last_text = *expected;
}

static uint64_t fates(const struct bed *bed, enum dsc_fate fate) {
  struct dsc_cache_stats stats = stats_of(bed);
  return stats.ahead[DSC_PREFETCH][fate] + stats.ahead[DSC_REFRESH][fate];
}

static void put(struct bed *bed, uint32_t key) {
  struct expected *expected = &bed->keys[key];
  struct dsc_lifetime life = {(int64_t)below(bed, 100) - 1,
                              (int64_t)below(bed, 50), 0};
  struct dsc_entry entry;
  size_t charge = below(bed, 60);
  char text[2];
  key_text(key, text);
  expected->length = below(bed, LENGTH_MAX + 1);
  memset(expected->text, (int)below(bed, 256), expected->length);
  expected->stored_us = bed->world.now_us;
  expected->due_us = bed->world.now_us + life.fresh_us - life.fresh_us / 5;
  expected->fresh_until_us = bed->world.now_us + life.fresh_us;
  expected->stale_until_us = expected->fresh_until_us + life.stale_us;
  expected->stored =
      dsc_cache_put(bed->cache, text, sizeof text, expected->text,
                    expected->length, charge, &life, &entry);
  expected->evictions = stats_of(bed).evictions;
  expected->ahead = expected->stored && below(bed, 2) == 1;
  if (!expected->stored)
    return;
  REQUIRE(life.fresh_us > 0);
  check_entry(bed, key, &entry);
  if (expected->ahead)
    dsc_cache_set_ahead(bed->cache, entry.index,
                        (enum dsc_ahead)below(bed, DSC_AHEADS), key);
  REQUIRE(!dsc_cache_has_object(bed->cache, entry.index));
  if (below(bed, 2) == 1 &&
      dsc_cache_set_object(bed->cache, entry.index, below(bed, 60))) {
    REQUIRE(dsc_cache_has_object(bed->cache, entry.index));
    expected->evictions = stats_of(bed).evictions;
    bed->objects++;
  }
}

/* It was given to somebody, who may go and fetch it anew. */
static void check_use(struct bed *bed, struct expected *expected,
                      const struct dsc_entry *entry, uint64_t used) {
  REQUIRE(fates(bed, DSC_USED) == used + expected->ahead);
  expected->ahead = false;
  if (entry->due && below(bed, 2) == 1) {
    dsc_cache_claim(bed->cache, entry);
    expected->due_us = bed->world.now_us + 1000000;
  }
}

static void get(struct bed *bed, uint32_t key) {
  struct expected *expected = &bed->keys[key];
  uint64_t used = fates(bed, DSC_USED);
  struct dsc_cache_stats before = stats_of(bed);
  struct dsc_entry entry;
  char text[2];
  key_text(key, text);
  if (dsc_cache_get(bed->cache, text, sizeof text, &entry)) {
    check_entry(bed, key, &entry);
    REQUIRE(!entry.stale && stats_of(bed).hits == before.hits + 1);
    check_use(bed, expected, &entry, used);
    return;
  }
  REQUIRE(stats_of(bed).misses == before.misses + 1);
  /* nothing fresh goes by itself */
  REQUIRE(!expected->stored || before.evictions != expected->evictions ||
          bed->world.now_us >= expected->fresh_until_us);
  int64_t within_us = (int64_t)below(bed, 60) - 10;
  if (!dsc_cache_get_stale(bed->cache, text, sizeof text, within_us, &entry))
    return;
  check_entry(bed, key, &entry);
  REQUIRE(entry.stale && bed->world.now_us < expected->stale_until_us);
  REQUIRE(bed->world.now_us - expected->fresh_until_us < within_us);
  REQUIRE(stats_of(bed).misses == before.misses);
  REQUIRE(stats_of(bed).stale_hits == before.stale_hits + 1);
  check_use(bed, expected, &entry, used);
}

/* By the first byte, by the second, or all. */
static void drop(struct bed *bed, uint32_t key) {
  char text[2];
  uint32_t which = below(bed, 3);
  uint32_t size = stats_of(bed).size;
  key_text(key, text);
  uint32_t dropped = dsc_cache_drop(bed->cache, which == 1, text + (which == 1),
                                    which != 2);
  for (uint32_t i = 0; i < KEYS; i++)
    if (which == 2 || (which == 1 ? i % NAMES == key % NAMES
                                  : i / NAMES == key / NAMES))
      bed->keys[i].stored = false;
  REQUIRE(stats_of(bed).size == size - dropped);
}

static void clean(struct bed *bed) {
  dsc_cache_clean(bed->cache);
  for (uint32_t i = 0; i < KEYS; i++)
    if (bed->world.now_us >= bed->keys[i].fresh_until_us)
      bed->keys[i].stored = false;
}

static void collect_objects(struct bed *bed) {
  while (dsc_cache_dropped(bed->cache) != UINT32_MAX) {
    REQUIRE(bed->objects > 0);
    bed->objects--;
  }
}

static void check(struct bed *bed) {
  struct dsc_cache_stats stats = stats_of(bed);
  REQUIRE(stats.size <= bed->limits.entries_max && stats.size <= KEYS);
  REQUIRE(stats.bytes <= bed->limits.bytes_max);
  REQUIRE(stats.stale_hits <= stats.hits);
  REQUIRE(bed->objects <= stats.size);
  uint64_t over = fates(bed, DSC_USED) + fates(bed, DSC_WASTED);
  REQUIRE(fates(bed, DSC_ISSUED) >= over &&
          fates(bed, DSC_ISSUED) - over <= stats.size);
  if (bed->last.value != NULL && dsc_cache_lives(bed->cache, &bed->last))
    REQUIRE(memcmp(bed->last.value, bed->last_text.text,
                   bed->last.length) == 0);
}

static void step(struct bed *bed) {
  uint32_t key = below(bed, KEYS);
  switch (below(bed, 8)) {
  case 0:
    drop(bed, key);
    break;
  case 1:
    clean(bed);
    break;
  case 2:
    bed->world.fails_in = 1 + below(bed, 4);
    break;
  case 3:
    bed->world.now_us += (int64_t)below(bed, 256);
    break;
  case 4:
  case 5:
    put(bed, key);
    break;
  default:
    get(bed, key);
    break;
  }
  collect_objects(bed);
  check(bed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct bed bed;
  memset(&bed, 0, sizeof bed);
  bed.input.at = data;
  bed.input.end = data + size;
  fuzz_world_init(&bed.world);
  bed.limits.entries_max = below(&bed, 30);
  bed.limits.bytes_max = below(&bed, 3000);
  bed.cache = dsc_cache_new(&bed.world.env, &bed.limits);
  REQUIRE(bed.cache != NULL);
  for (int i = 0; i < STEPS_MAX && bed.input.at < bed.input.end; i++)
    step(&bed);
  dsc_cache_drop(bed.cache, 0, "", 0);
  collect_objects(&bed);
  REQUIRE(stats_of(&bed).size == 0 && stats_of(&bed).bytes == 0);
  REQUIRE(fates(&bed, DSC_ISSUED) ==
          fates(&bed, DSC_USED) + fates(&bed, DSC_WASTED));
  REQUIRE(bed.objects == 0);
  dsc_cache_free(bed.cache);
  REQUIRE(fuzz_memory_free());
  return 0;
}

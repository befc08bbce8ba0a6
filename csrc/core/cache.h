/*
** A bounded cache of byte strings by key, each with its time to live.
**
** Eviction is SIEVE (Zhang et al., NSDI 2024): a hit sets one bit and moves
** nothing; a hand walks from the oldest entry to the newest and takes the
** first that was not used since it last came by.
**
** The binding may keep an object beside an entry (its decoded value), under
** the entry's index. It says so with `has_object`, and asks for the indices of
** the entries that went with dsc_cache_dropped.
*/
#ifndef DSC_CACHE_H
#define DSC_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

typedef struct dsc_cache dsc_cache;

struct dsc_cache_limits {
  uint32_t entries_max;
  size_t bytes_max; /* of keys, values and charges; one entry: an eighth */
};

struct dsc_cache_stats {
  uint64_t hits, misses, evictions, expired;
  uint32_t size;
  size_t bytes;
};

struct dsc_entry {
  const char *value;
  size_t length;
  int64_t stored_us;
  uint32_t index; /* stays the same while the entry lives */
  uint64_t drops; /* see dsc_cache_lives */
};

/* NULL when there is no memory. */
dsc_cache *dsc_cache_new(const struct dsc_env *env,
                         const struct dsc_cache_limits *limits);
void dsc_cache_free(dsc_cache *cache);

/* A fresh entry, counted as a hit; else false, counted as a miss. */
bool dsc_cache_get(dsc_cache *cache, const char *key, size_t key_length,
                   struct dsc_entry *entry);

/*
** Stores a copy of key and value. `charge` are bytes kept elsewhere for it.
** False: it is not kept (too large, no memory, a time to live of 0 or less);
** an older entry of the key is gone all the same.
*/
bool dsc_cache_put(dsc_cache *cache, const char *key, size_t key_length,
                   const char *value, size_t length, size_t charge,
                   int64_t ttl_us, struct dsc_entry *entry);

/*
** The binding now keeps an object for the entry, worth `charge` bytes more.
** False, and nothing changes, where the budget has no room for it.
*/
bool dsc_cache_set_object(dsc_cache *cache, uint32_t index, size_t charge);
bool dsc_cache_has_object(const dsc_cache *cache, uint32_t index);

/* Is it sure that the entry, as it was described, has not gone since? */
bool dsc_cache_lives(const dsc_cache *cache, const struct dsc_entry *entry);

/* Drops the entries whose key goes on with prefix behind its first `skip`
** bytes; how many. */
uint32_t dsc_cache_drop(dsc_cache *cache, size_t skip, const char *prefix,
                        size_t length);
/* Drops what is no longer fresh; how many. */
uint32_t dsc_cache_clean(dsc_cache *cache);

/* The index of an entry with an object that has gone, or UINT32_MAX. */
uint32_t dsc_cache_dropped(dsc_cache *cache);

void dsc_cache_get_stats(const dsc_cache *cache, struct dsc_cache_stats *out);

#endif

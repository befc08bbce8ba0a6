/*
** A bounded cache of byte strings by key. An entry is fresh for a while, and
** then kept for another, in which it may still be given where nothing better
** is to be had: it is stale.
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

#include "core/ahead.h"
#include "core/env.h"

typedef struct dsc_cache dsc_cache;

struct dsc_cache_limits {
  uint32_t entries_max;
  size_t bytes_max; /* of keys, values and charges; one entry: an eighth */
};

struct dsc_cache_stats {
  uint64_t hits;       /* stale_hits are hits, too */
  uint64_t stale_hits;
  uint64_t misses;
  uint64_t shared;     /* misses that took part in another call's fetch */
  uint64_t found;      /* hits whose value was elsewhere */
  uint64_t evictions;
  uint64_t expired;    /* entries that were found to be no longer fresh */
  uint64_t ahead[DSC_AHEADS][DSC_FATES]; /* of entries fetched ahead */
  uint32_t size;
  size_t bytes;
};

struct dsc_entry {
  const char *value;
  size_t length;
  int64_t age_us; /* since it was stored */
  bool stale;     /* no longer fresh */
  bool due;       /* it is time to fetch it anew; see dsc_cache_claim */
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
** A fresh entry, with nothing counted; and what is counted if it is given.
** `guess` may be the index of the entry that was found the last time, which
** saves hashing the key; it may be any number.
*/
bool dsc_cache_peek(dsc_cache *cache, const char *key, size_t key_length,
                    uint32_t guess, struct dsc_entry *entry);
void dsc_cache_use(dsc_cache *cache, const struct dsc_entry *entry);

/*
** After a miss: an entry that has been stale for less than within_us, and
** within its own time; or one that somebody stored meanwhile. True: the miss
** has become a hit, and a stale one where the entry is.
*/
bool dsc_cache_get_stale(dsc_cache *cache, const char *key, size_t key_length,
                         int64_t within_us, struct dsc_entry *entry);

/* After a miss: the value came with another call's fetch, which may have been
** one ahead. */
void dsc_cache_share(dsc_cache *cache, const char *key, size_t key_length);

/*
** Who found an entry due is going to fetch it anew: nobody else finds it so for
** a while, in case he does not come back. It is due first when four fifths of
** its fresh life are over.
*/
void dsc_cache_claim(dsc_cache *cache, const struct dsc_entry *entry);

/* A hit, for the value was elsewhere. `missed`: a miss was counted before. */
void dsc_cache_found(dsc_cache *cache, bool missed);

/* From then on no entry is found by a peek, until a later time is told. */
void dsc_cache_trust(dsc_cache *cache, int64_t until_us);
bool dsc_cache_trusted(const dsc_cache *cache);

struct dsc_lifetime {
  int64_t fresh_us;
  int64_t stale_us; /* after that */
  int64_t age_us;   /* of which so much is over */
};

/*
** Stores a copy of key and value. `charge` are bytes kept elsewhere for it.
** False: it is not kept (too large, no memory, fresh for 0 or less); an older
** entry of the key is gone all the same.
*/
bool dsc_cache_put(dsc_cache *cache, const char *key, size_t key_length,
                   const char *value, size_t length, size_t charge,
                   const struct dsc_lifetime *lifetime,
                   struct dsc_entry *entry);

/*
** An entry was fetched ahead, on account of `tag`; UINT32_MAX: what the fetch
** brought is not kept. Each one's fate is counted, and told to `tell`.
*/
void dsc_cache_set_ahead(dsc_cache *cache, uint32_t index,
                         enum dsc_ahead kind, uint32_t tag);

typedef void dsc_tell_fate(void *ud, uint32_t tag, enum dsc_ahead kind,
                           enum dsc_fate fate);
void dsc_cache_tell_fates(dsc_cache *cache, dsc_tell_fate *tell, void *ud);

/*
** The binding now keeps an object for the entry, worth `charge` bytes more,
** for which others may have to go. False, and nothing changes, where they
** would make the entry too large.
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

#include "core/cache.h"

#include <string.h>

#include "core/hash.h"

#define NONE UINT32_MAX
#define FIRST_ENTRIES 16
/* An entry may take this part of the byte budget. */
#define ENTRY_SHARE 8
/* An entry is due when this part of its fresh life is left; a claim is for a
** part of what is left then, and for a while at least. */
#define DUE_PART 5
#define CLAIM_PART 4
#define CLAIM_MIN_US INT64_C(1000000)

struct node {
  char *bytes; /* the key, then the value */
  size_t key_length, length, charge;
  uint64_t hash;
  int64_t stored_us, due_us, fresh_until_us, stale_until_us;
  uint32_t next_in_bucket;
  uint32_t newer, older; /* in order of insertion; `newer` links free nodes */
  bool live, visited, has_object;
  bool expired; /* it is counted as such */
  enum dsc_ahead ahead; /* nobody has asked for it so far; or DSC_AHEADS */
  uint32_t tag;         /* where it is one */
};

struct dsc_cache {
  const struct dsc_env *env;
  struct dsc_cache_limits limits;
  struct dsc_hash_key hash_key;
  struct dsc_cache_stats stats;
  struct node *nodes;
  uint32_t *buckets; /* as many as nodes: a power of two */
  uint32_t *dropped;
  uint32_t capacity, used, dropped_count;
  uint32_t free, newest, oldest, hand;
  uint64_t drops; /* how many entries ever went */
  int64_t trusted_until_us;
  dsc_tell_fate *tell; /* may be NULL */
  void *tell_ud;
};

dsc_cache *dsc_cache_new(const struct dsc_env *env,
                         const struct dsc_cache_limits *limits) {
  dsc_cache *cache = (dsc_cache *)dsc_alloc(env, sizeof *cache);
  if (cache == NULL)
    return NULL;
  memset(cache, 0, sizeof *cache);
  cache->env = env;
  cache->limits = *limits;
  cache->hash_key.k[0] = env->random(env->ud);
  cache->hash_key.k[1] = env->random(env->ud);
  cache->trusted_until_us = INT64_MAX;
  cache->free = cache->newest = cache->oldest = cache->hand = NONE;
  return cache;
}

static size_t node_bytes(const struct node *node) {
  return node->key_length + node->length + node->charge;
}

static uint32_t *bucket(dsc_cache *cache, uint64_t hash) {
  return &cache->buckets[hash & (cache->capacity - 1)];
}

static void unlink_from_bucket(dsc_cache *cache, uint32_t index) {
  uint32_t *at = bucket(cache, cache->nodes[index].hash);
  while (*at != index)
    at = &cache->nodes[*at].next_in_bucket;
  *at = cache->nodes[index].next_in_bucket;
}

static void unlink_from_order(dsc_cache *cache, uint32_t index) {
  struct node *node = &cache->nodes[index];
  if (cache->hand == index)
    cache->hand = node->newer;
  if (node->newer != NONE)
    cache->nodes[node->newer].older = node->older;
  else
    cache->newest = node->older;
  if (node->older != NONE)
    cache->nodes[node->older].newer = node->newer;
  else
    cache->oldest = node->newer;
}

static void count_fate(dsc_cache *cache, enum dsc_ahead kind, uint32_t tag,
                       enum dsc_fate fate) {
  cache->stats.ahead[kind][fate]++;
  if (cache->tell != NULL)
    cache->tell(cache->tell_ud, tag, kind, fate);
}

/* What became of an entry, if it was fetched ahead. */
static void settle(dsc_cache *cache, struct node *node, enum dsc_fate fate) {
  if (node->ahead == DSC_AHEADS)
    return;
  count_fate(cache, node->ahead, node->tag, fate);
  node->ahead = DSC_AHEADS;
}

void dsc_cache_tell_fates(dsc_cache *cache, dsc_tell_fate *tell, void *ud) {
  cache->tell = tell;
  cache->tell_ud = ud;
}

void dsc_cache_set_ahead(dsc_cache *cache, uint32_t index,
                         enum dsc_ahead kind, uint32_t tag) {
  count_fate(cache, kind, tag, DSC_ISSUED);
  if (index == NONE) {
    count_fate(cache, kind, tag, DSC_WASTED);
    return;
  }
  cache->nodes[index].ahead = kind;
  cache->nodes[index].tag = tag;
}

static void drop(dsc_cache *cache, uint32_t index) {
  struct node *node = &cache->nodes[index];
  settle(cache, node, DSC_WASTED);
  unlink_from_bucket(cache, index);
  unlink_from_order(cache, index);
  cache->stats.bytes -= node_bytes(node);
  cache->stats.size--;
  if (node->has_object)
    cache->dropped[cache->dropped_count++] = index;
  dsc_free(cache->env, node->bytes, node->key_length + node->length);
  node->bytes = NULL;
  node->live = false;
  node->has_object = false;
  node->newer = cache->free;
  cache->free = index;
  cache->drops++;
}

void dsc_cache_free(dsc_cache *cache) {
  if (cache == NULL)
    return;
  const struct dsc_env *env = cache->env;
  for (uint32_t i = 0; i < cache->used; i++)
    if (cache->nodes[i].live)
      dsc_free(env, cache->nodes[i].bytes,
               cache->nodes[i].key_length + cache->nodes[i].length);
  dsc_free(env, cache->nodes, cache->capacity * sizeof *cache->nodes);
  dsc_free(env, cache->buckets, cache->capacity * sizeof *cache->buckets);
  dsc_free(env, cache->dropped, cache->capacity * sizeof *cache->dropped);
  dsc_free(env, cache, sizeof *cache);
}

static bool has_key(const struct node *node, const char *key,
                    size_t key_length) {
  return node->key_length == key_length &&
         memcmp(node->bytes, key, key_length) == 0;
}

static uint32_t find(dsc_cache *cache, uint64_t hash, const char *key,
                     size_t key_length) {
  if (cache->capacity == 0)
    return NONE;
  uint32_t index = *bucket(cache, hash);
  while (index != NONE) {
    const struct node *node = &cache->nodes[index];
    if (node->hash == hash && has_key(node, key, key_length))
      return index;
    index = node->next_in_bucket;
  }
  return NONE;
}

static bool is_fresh(const struct node *node, int64_t now_us) {
  return now_us < node->fresh_until_us;
}

static void describe(const dsc_cache *cache, uint32_t index, int64_t now_us,
                     struct dsc_entry *entry) {
  const struct node *node = &cache->nodes[index];
  entry->value = node->bytes + node->key_length;
  entry->length = node->length;
  entry->age_us = now_us - node->stored_us;
  entry->stale = !is_fresh(node, now_us);
  entry->due = now_us >= node->due_us;
  entry->index = index;
  entry->drops = cache->drops;
}

bool dsc_cache_lives(const dsc_cache *cache, const struct dsc_entry *entry) {
  return cache->drops == entry->drops;
}

static void count_expired(dsc_cache *cache, struct node *node) {
  if (!node->expired)
    cache->stats.expired++;
  node->expired = true;
}

void dsc_cache_use(dsc_cache *cache, const struct dsc_entry *entry) {
  struct node *node = &cache->nodes[entry->index];
  cache->stats.hits++;
  node->visited = true;
  settle(cache, node, DSC_USED);
}

/* The entry of a key, and the time. */
static uint32_t look(dsc_cache *cache, const char *key, size_t key_length,
                     int64_t *now_us) {
  uint64_t hash = dsc_hash(&cache->hash_key, key, key_length);
  *now_us = dsc_now_us(cache->env);
  return find(cache, hash, key, key_length);
}

bool dsc_cache_peek(dsc_cache *cache, const char *key, size_t key_length,
                    uint32_t guess, struct dsc_entry *entry) {
  int64_t now_us;
  uint32_t index = guess;
  if (guess < cache->used && cache->nodes[guess].live &&
      has_key(&cache->nodes[guess], key, key_length))
    now_us = dsc_now_us(cache->env);
  else
    index = look(cache, key, key_length, &now_us);
  if (index == NONE || !is_fresh(&cache->nodes[index], now_us) ||
      now_us >= cache->trusted_until_us)
    return false;
  describe(cache, index, now_us, entry);
  return true;
}

bool dsc_cache_get(dsc_cache *cache, const char *key, size_t key_length,
                   struct dsc_entry *entry) {
  int64_t now_us;
  uint32_t index = look(cache, key, key_length, &now_us);
  if (index != NONE && is_fresh(&cache->nodes[index], now_us)) {
    describe(cache, index, now_us, entry);
    dsc_cache_use(cache, entry);
    return true;
  }
  cache->stats.misses++;
  if (index != NONE) {
    count_expired(cache, &cache->nodes[index]);
    if (now_us >= cache->nodes[index].stale_until_us)
      drop(cache, index);
  }
  return false;
}

/* May it still be given, though it is not fresh? */
static bool is_usable(const struct node *node, int64_t now_us,
                      int64_t within_us) {
  return now_us < node->stale_until_us &&
         now_us - node->fresh_until_us < within_us;
}

/* A refresh looks nothing up before. */
static void take_back_miss(dsc_cache *cache) {
  if (cache->stats.misses != 0)
    cache->stats.misses--;
}

bool dsc_cache_get_stale(dsc_cache *cache, const char *key, size_t key_length,
                         int64_t within_us, struct dsc_entry *entry) {
  int64_t now_us;
  uint32_t index = look(cache, key, key_length, &now_us);
  if (index == NONE)
    return false;
  struct node *node = &cache->nodes[index];
  if (!is_fresh(node, now_us)) {
    if (!is_usable(node, now_us, within_us))
      return false;
    count_expired(cache, node);
    cache->stats.stale_hits++;
  }
  take_back_miss(cache);
  describe(cache, index, now_us, entry);
  dsc_cache_use(cache, entry);
  return true;
}

void dsc_cache_share(dsc_cache *cache, const char *key, size_t key_length) {
  int64_t now_us;
  uint32_t index = look(cache, key, key_length, &now_us);
  cache->stats.shared++;
  if (index != NONE)
    settle(cache, &cache->nodes[index], DSC_USED);
}

void dsc_cache_claim(dsc_cache *cache, const struct dsc_entry *entry) {
  struct node *node = &cache->nodes[entry->index];
  int64_t now_us = dsc_now_us(cache->env);
  int64_t claim_us = (node->fresh_until_us - now_us) / CLAIM_PART;
  if (claim_us < CLAIM_MIN_US)
    claim_us = CLAIM_MIN_US;
  node->due_us = now_us + claim_us;
}

void dsc_cache_found(dsc_cache *cache, bool missed) {
  if (missed)
    take_back_miss(cache);
  cache->stats.hits++;
  cache->stats.found++;
}

void dsc_cache_trust(dsc_cache *cache, int64_t until_us) {
  cache->trusted_until_us = until_us;
}

bool dsc_cache_trusted(const dsc_cache *cache) {
  return dsc_now_us(cache->env) < cache->trusted_until_us;
}

/* Twice as many nodes; false, and nothing has changed, without memory. */
static bool grow(dsc_cache *cache) {
  uint32_t old = cache->capacity;
  uint32_t capacity = old != 0 ? old * 2 : FIRST_ENTRIES;
  const struct dsc_env *env = cache->env;
  uint32_t *dropped =
      (uint32_t *)dsc_alloc(env, capacity * sizeof *cache->dropped);
  uint32_t *buckets =
      (uint32_t *)dsc_alloc(env, capacity * sizeof *cache->buckets);
  struct node *nodes = NULL;
  if (dropped != NULL && buckets != NULL)
    nodes = (struct node *)dsc_realloc(env, cache->nodes,
                                       old * sizeof *cache->nodes,
                                       capacity * sizeof *cache->nodes);
  if (nodes == NULL) {
    dsc_free(env, dropped, capacity * sizeof *cache->dropped);
    dsc_free(env, buckets, capacity * sizeof *cache->buckets);
    return false;
  }
  if (old != 0)
    memcpy(dropped, cache->dropped, old * sizeof *dropped);
  dsc_free(env, cache->dropped, old * sizeof *cache->dropped);
  dsc_free(env, cache->buckets, old * sizeof *cache->buckets);
  cache->nodes = nodes;
  cache->buckets = buckets;
  cache->dropped = dropped;
  cache->capacity = capacity;
  for (uint32_t i = 0; i < capacity; i++)
    buckets[i] = NONE;
  for (uint32_t i = 0; i < cache->used; i++) {
    if (!nodes[i].live)
      continue;
    uint32_t *at = bucket(cache, nodes[i].hash);
    nodes[i].next_in_bucket = *at;
    *at = i;
  }
  return true;
}

/* Any entry but `kept`, which may be NONE; there has to be another one. */
static void evict(dsc_cache *cache, uint32_t kept) {
  uint32_t at = cache->hand != NONE ? cache->hand : cache->oldest;
  while (at == kept || cache->nodes[at].visited) {
    cache->nodes[at].visited = false;
    at = cache->nodes[at].newer != NONE ? cache->nodes[at].newer
                                        : cache->oldest;
  }
  cache->hand = at; /* drop moves it on to the next newer */
  drop(cache, at);
  cache->stats.evictions++;
}

static uint32_t take_node(dsc_cache *cache) {
  uint32_t index = cache->free;
  if (index != NONE) {
    cache->free = cache->nodes[index].newer;
    return index;
  }
  if (cache->used == cache->capacity && !grow(cache))
    return NONE;
  return cache->used++;
}

static void insert(dsc_cache *cache, uint32_t index) {
  struct node *node = &cache->nodes[index];
  uint32_t *at = bucket(cache, node->hash);
  node->next_in_bucket = *at;
  *at = index;
  node->newer = NONE;
  node->older = cache->newest;
  if (cache->newest != NONE)
    cache->nodes[cache->newest].newer = index;
  else
    cache->oldest = index;
  cache->newest = index;
  cache->stats.size++;
  cache->stats.bytes += node_bytes(node);
}

static int64_t later(int64_t from_us, int64_t us) {
  return us < INT64_MAX - from_us ? from_us + us : INT64_MAX;
}

bool dsc_cache_put(dsc_cache *cache, const char *key, size_t key_length,
                   const char *value, size_t length, size_t charge,
                   const struct dsc_lifetime *lifetime,
                   struct dsc_entry *entry) {
  uint64_t hash = dsc_hash(&cache->hash_key, key, key_length);
  uint32_t index = find(cache, hash, key, key_length);
  size_t bytes = key_length + length + charge;
  if (index != NONE)
    drop(cache, index);
  if (lifetime->fresh_us <= 0 || cache->limits.entries_max == 0 ||
      bytes > cache->limits.bytes_max / ENTRY_SHARE)
    return false;
  while (cache->stats.size >= cache->limits.entries_max ||
         cache->stats.bytes + bytes > cache->limits.bytes_max)
    evict(cache, NONE);
  char *copy = (char *)dsc_alloc(cache->env, key_length + length);
  if (copy == NULL)
    return false;
  index = take_node(cache);
  if (index == NONE) {
    dsc_free(cache->env, copy, key_length + length);
    return false;
  }
  memcpy(copy, key, key_length);
  if (length != 0)
    memcpy(copy + key_length, value, length);
  int64_t now_us = dsc_now_us(cache->env);
  struct node node = {0};
  node.bytes = copy;
  node.key_length = key_length;
  node.length = length;
  node.charge = charge;
  node.hash = hash;
  node.stored_us = now_us - lifetime->age_us;
  node.due_us = later(node.stored_us,
                      lifetime->fresh_us - lifetime->fresh_us / DUE_PART);
  node.ahead = DSC_AHEADS;
  node.fresh_until_us = later(node.stored_us, lifetime->fresh_us);
  node.stale_until_us = later(node.fresh_until_us, lifetime->stale_us);
  node.live = true;
  cache->nodes[index] = node;
  insert(cache, index);
  describe(cache, index, now_us, entry);
  return true;
}

bool dsc_cache_set_object(dsc_cache *cache, uint32_t index, size_t charge) {
  struct node *node = &cache->nodes[index];
  size_t bytes = node_bytes(node) + charge;
  if (bytes > cache->limits.bytes_max / ENTRY_SHARE)
    return false;
  while (cache->stats.bytes + charge > cache->limits.bytes_max)
    evict(cache, index);
  node->has_object = true;
  node->charge += charge;
  cache->stats.bytes += charge;
  return true;
}

bool dsc_cache_has_object(const dsc_cache *cache, uint32_t index) {
  return cache->nodes[index].has_object;
}

uint32_t dsc_cache_drop(dsc_cache *cache, size_t skip, const char *prefix,
                        size_t length) {
  uint32_t before = cache->stats.size;
  for (uint32_t i = 0; i < cache->used; i++) {
    const struct node *node = &cache->nodes[i];
    if (node->live && node->key_length >= skip + length &&
        memcmp(node->bytes + skip, prefix, length) == 0)
      drop(cache, i);
  }
  return before - cache->stats.size;
}

uint32_t dsc_cache_clean(dsc_cache *cache) {
  uint32_t before = cache->stats.size;
  int64_t now_us = dsc_now_us(cache->env);
  for (uint32_t i = 0; i < cache->used; i++) {
    if (!cache->nodes[i].live || is_fresh(&cache->nodes[i], now_us))
      continue;
    count_expired(cache, &cache->nodes[i]);
    drop(cache, i);
  }
  return before - cache->stats.size;
}

uint32_t dsc_cache_dropped(dsc_cache *cache) {
  if (cache->dropped_count == 0)
    return NONE;
  return cache->dropped[--cache->dropped_count];
}

void dsc_cache_get_stats(const dsc_cache *cache, struct dsc_cache_stats *out) {
  *out = cache->stats;
}

/*
** The parts that belong to one client: its policy, its operations, its cache
** and its counters.
*/
#ifndef DSC_CLIENT_H
#define DSC_CLIENT_H

#include "core/cache.h"
#include "core/hash.h"
#include "core/metrics.h"
#include "core/retry.h"

#define DSC_ALREADY_MAX 4

struct dsc_operation {
  uint32_t metric;
  enum dsc_replay replay;
  int64_t timeout_us;         /* of the whole call */
  int64_t attempt_timeout_us; /* of one request */
  /* codes that say the wished state is there already: a success */
  int64_t already[DSC_ALREADY_MAX];
  int32_t already_count;
};

struct dsc_config {
  struct dsc_retry_policy retry;
  struct dsc_cache_limits cache;
  bool cache_on, metrics_on;
  uint32_t servers; /* how many API servers there are to choose from */
};

struct dsc_client {
  const struct dsc_env *env;
  struct dsc_config config;
  dsc_cache *cache; /* NULL when off */
  struct dsc_metrics metrics;
  struct dsc_operation *operations;
  uint32_t operations_count, operations_capacity;
  uint32_t server; /* the one that answered last */
  struct dsc_hash_key identity_key;
  uint64_t identity; /* of the token in use: a part of each cache key */
};

/* False without memory; the client is empty then, and may be freed. */
bool dsc_client_init(struct dsc_client *client, const struct dsc_env *env,
                     const struct dsc_config *config);
void dsc_client_free(struct dsc_client *client);

/*
** The index of an operation, the same for the same bytes: padding must be
** zero. UINT32_MAX without memory.
*/
uint32_t dsc_client_operation(struct dsc_client *client,
                              const struct dsc_operation *operation);

/* Who asks: entries of another identity are out of sight from now on. */
void dsc_client_identify(struct dsc_client *client, const char *token,
                         size_t length);

#endif

/*
** The parts that belong to one client: its operations with their policy, its
** limits and breakers, its cache and its counters.
*/
#ifndef DSC_CLIENT_H
#define DSC_CLIENT_H

#include "core/breaker.h"
#include "core/cache.h"
#include "core/hash.h"
#include "core/limit.h"
#include "core/metrics.h"
#include "core/retry.h"

#define DSC_ALREADY_MAX 4

struct dsc_operation {
  uint32_t metric;
  enum dsc_replay replay;
  enum dsc_form form;
  int64_t timeout_us;         /* of the whole call */
  int64_t attempt_timeout_us; /* of one request */
  struct dsc_retry_policy retry;
  /* codes that say the wished state is there already: a success */
  int64_t already[DSC_ALREADY_MAX];
  int32_t already_count;
};

struct dsc_registered {
  struct dsc_operation operation;
  struct dsc_breaker breaker;
};

struct dsc_config {
  struct dsc_cache_limits cache;
  bool cache_on, metrics_on, breaker_on, events_on;
  bool limits_shared; /* with other processes */
  uint32_t servers;                  /* how many there are to choose from */
  uint32_t in_flight_max, queue_max; /* requests; calls that wait for one */
  double rate_per_s;                 /* 0: none is given */
  uint32_t rate_burst;
};

/* What is worth telling a log; the last few are kept. */
enum dsc_change {
  DSC_CHANGE_SERVER,    /* the state of the breaker of server `index` */
  DSC_CHANGE_OPERATION, /* … of operation `index` */
  DSC_CHANGE_PACE,      /* to per_s, after hold_us */
  DSC_CHANGE_BUDGET     /* it is empty */
};

struct dsc_event {
  enum dsc_change change;
  uint32_t index;
  enum dsc_breaker_state state;
  double per_s;
  int64_t hold_us;
};

#define DSC_EVENTS_MAX 16

struct dsc_client {
  const struct dsc_env *env;
  struct dsc_config config;
  dsc_cache *cache; /* NULL when off */
  struct dsc_metrics metrics;
  struct dsc_registered *operations;
  uint32_t operations_count, operations_capacity;
  struct dsc_breaker *breakers; /* of the servers */
  struct dsc_pacer pacer;
  struct dsc_queue queue;
  struct dsc_budget budget;
  bool budget_empty; /* told already */
  struct dsc_event events[DSC_EVENTS_MAX];
  uint64_t events_first, events_end;
  uint32_t server; /* the one that answered last */
  struct dsc_hash_key identity_key;
  uint64_t identity; /* of the token in use: a part of each cache key */
  /* what names are made with in a shared store (core/shared.h): those of all
  ** clients of these servers, of those with the same results, and of those
  ** that have the identity, too */
  struct dsc_hash_key scope, results_scope, own_scope;
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

/* May somebody send what nobody waits for? Half of the connections and of the
** pace are for those who do. */
bool dsc_client_has_room(struct dsc_client *client);

/* Writes an event down for the log, where there is one. */
void dsc_client_tell(struct dsc_client *client,
                     const struct dsc_event *event);
/* Takes the oldest one; false where there is none. */
bool dsc_client_told(struct dsc_client *client, struct dsc_event *event);

#endif

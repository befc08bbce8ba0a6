#include "core/client.h"

#include <string.h>

#include "core/shared.h"

#define FIRST_OPERATIONS 16

static void tell_fate(void *ud, uint32_t tag, enum dsc_ahead kind,
                      enum dsc_fate fate) {
  struct dsc_client *client = (struct dsc_client *)ud;
  if (client->config.metrics_on)
    dsc_metrics_ahead(&client->metrics, tag, kind, fate);
}

static bool make_parts(struct dsc_client *client) {
  const struct dsc_env *env = client->env;
  const struct dsc_config *config = &client->config;
  client->breakers = (struct dsc_breaker *)dsc_alloc(
      env, config->servers * sizeof *client->breakers);
  if (client->breakers == NULL)
    return false;
  for (uint32_t i = 0; i < config->servers; i++)
    dsc_breaker_init(&client->breakers[i], dsc_now_us(env));
  if (!config->cache_on)
    return true;
  client->cache = dsc_cache_new(env, &config->cache);
  if (client->cache != NULL)
    dsc_cache_tell_fates(client->cache, tell_fate, client);
  return client->cache != NULL;
}

bool dsc_client_init(struct dsc_client *client, const struct dsc_env *env,
                     const struct dsc_config *config) {
  memset(client, 0, sizeof *client);
  client->env = env;
  client->config = *config;
  client->identity_key.k[0] = env->random(env->ud);
  client->identity_key.k[1] = env->random(env->ud);
  dsc_metrics_init(&client->metrics, env);
  dsc_pacer_init(&client->pacer, config->rate_per_s, config->rate_burst);
  dsc_queue_init(&client->queue, config->in_flight_max, config->queue_max);
  dsc_budget_init(&client->budget, dsc_now_us(env));
  return make_parts(client);
}

void dsc_client_free(struct dsc_client *client) {
  if (client->env == NULL)
    return;
  dsc_queue_clear(&client->queue);
  dsc_cache_free(client->cache);
  dsc_metrics_free(&client->metrics);
  dsc_free(client->env, client->breakers,
           client->config.servers * sizeof *client->breakers);
  dsc_free(client->env, client->operations,
           client->operations_capacity * sizeof *client->operations);
  memset(client, 0, sizeof *client);
}

static bool grow(struct dsc_client *client) {
  uint32_t old = client->operations_capacity;
  uint32_t capacity = old != 0 ? old * 2 : FIRST_OPERATIONS;
  struct dsc_registered *grown = (struct dsc_registered *)dsc_realloc(
      client->env, client->operations, old * sizeof *grown,
      capacity * sizeof *grown);
  if (grown == NULL)
    return false;
  client->operations = grown;
  client->operations_capacity = capacity;
  return true;
}

uint32_t dsc_client_operation(struct dsc_client *client,
                              const struct dsc_operation *operation) {
  for (uint32_t i = 0; i < client->operations_count; i++)
    if (memcmp(&client->operations[i].operation, operation,
               sizeof *operation) == 0)
      return i;
  if (client->operations_count == client->operations_capacity &&
      !grow(client))
    return UINT32_MAX;
  struct dsc_registered *slot = &client->operations[client->operations_count];
  memcpy(&slot->operation, operation, sizeof *operation);
  dsc_breaker_init(&slot->breaker, dsc_now_us(client->env));
  return client->operations_count++;
}

void dsc_client_identify(struct dsc_client *client, const char *token,
                         size_t length) {
  client->identity = dsc_hash(&client->identity_key, token, length);
  dsc_shared_identify(client, token, length);
}

bool dsc_client_has_room(struct dsc_client *client) {
  const struct dsc_queue *queue = &client->queue;
  return queue->queued.count == 0 &&
         queue->in_flight * 2 < queue->in_flight_max &&
         dsc_pacer_has_room(&client->pacer, dsc_now_us(client->env));
}

void dsc_client_tell(struct dsc_client *client,
                     const struct dsc_event *event) {
  if (!client->config.events_on)
    return;
  client->events[client->events_end++ % DSC_EVENTS_MAX] = *event;
  if (client->events_end - client->events_first > DSC_EVENTS_MAX)
    client->events_first++;
}

bool dsc_client_told(struct dsc_client *client, struct dsc_event *event) {
  if (client->events_first == client->events_end)
    return false;
  *event = client->events[client->events_first++ % DSC_EVENTS_MAX];
  return true;
}

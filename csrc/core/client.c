#include "core/client.h"

#include <string.h>

#define FIRST_OPERATIONS 16

bool dsc_client_init(struct dsc_client *client, const struct dsc_env *env,
                     const struct dsc_config *config) {
  memset(client, 0, sizeof *client);
  client->env = env;
  client->config = *config;
  client->identity_key.k[0] = env->random(env->ud);
  client->identity_key.k[1] = env->random(env->ud);
  dsc_metrics_init(&client->metrics, env);
  if (config->cache_on) {
    client->cache = dsc_cache_new(env, &config->cache);
    return client->cache != NULL;
  }
  return true;
}

void dsc_client_free(struct dsc_client *client) {
  if (client->env == NULL)
    return;
  dsc_cache_free(client->cache);
  dsc_metrics_free(&client->metrics);
  dsc_free(client->env, client->operations,
           client->operations_capacity * sizeof *client->operations);
  memset(client, 0, sizeof *client);
}

uint32_t dsc_client_operation(struct dsc_client *client,
                              const struct dsc_operation *operation) {
  for (uint32_t i = 0; i < client->operations_count; i++)
    if (memcmp(&client->operations[i], operation, sizeof *operation) == 0)
      return i;
  if (client->operations_count == client->operations_capacity) {
    uint32_t old = client->operations_capacity;
    uint32_t capacity = old != 0 ? old * 2 : FIRST_OPERATIONS;
    struct dsc_operation *grown = (struct dsc_operation *)dsc_realloc(
        client->env, client->operations, old * sizeof *grown,
        capacity * sizeof *grown);
    if (grown == NULL)
      return UINT32_MAX;
    client->operations = grown;
    client->operations_capacity = capacity;
  }
  memcpy(&client->operations[client->operations_count], operation,
         sizeof *operation);
  return client->operations_count++;
}

void dsc_client_identify(struct dsc_client *client, const char *token,
                         size_t length) {
  client->identity = dsc_hash(&client->identity_key, token, length);
}

/*
** What the core costs without Lua and without I/O. Prints the time of one
** turn of a loop in ns:
**
**   core record 1000000   count one call and its attempt
**   core hit 1000000      look up one of 100 entries
**   core policy 1000000   a whole call: cache miss, begin, answer, end
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/call.h"

#define KEYS 100
#define KEY_SIZE 64

static void *env_alloc(void *ud, void *ptr, size_t old_size, size_t size) {
  (void)ud, (void)old_size;
  if (size != 0)
    return realloc(ptr, size);
  free(ptr);
  return NULL;
}

static int64_t env_now_us(void *ud) {
  struct timespec now;
  (void)ud;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t env_random(void *ud) {
  uint64_t *state = (uint64_t *)ud;
  return *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
}

static uint64_t random_state = 1;
static const struct dsc_env env = {env_alloc, env_now_us, env_random,
                                   &random_state};

struct bed {
  struct dsc_client client;
  uint32_t operation;
  char keys[KEYS][KEY_SIZE];
};

static void record(struct bed *bed, long count) {
  for (long i = 0; i < count; i++) {
    dsc_metrics_attempt(&bed->client.metrics, 0, false, 1400, 200);
    dsc_metrics_call(&bed->client.metrics, 0, false, 30000 + (i & 1023));
  }
}

static void hit(struct bed *bed, long count) {
  struct dsc_entry entry;
  for (long i = 0; i < count; i++)
    if (!dsc_cache_get(bed->client.cache, bed->keys[i % KEYS], KEY_SIZE,
                       &entry))
      abort();
}

static void policy(struct bed *bed, long count) {
  static const char absent[KEY_SIZE] = "absent";
  static const char body[] = "{\"code\":0,\"msg\":\"success\",\"data\":true}";
  const struct dsc_answer answer = {
      200, "application/json", "", "", body, sizeof body - 1};
  struct dsc_call call;
  struct dsc_entry entry;
  for (long i = 0; i < count; i++) {
    if (dsc_cache_get(bed->client.cache, absent, KEY_SIZE, &entry))
      abort();
    dsc_call_begin(&call, &bed->client, bed->operation, 0, 0);
    if (dsc_call_answered(&call, &answer, 1400, 200) != DSC_DO_DONE)
      abort();
    dsc_call_end(&call, false);
  }
}

static bool fill(struct bed *bed) {
  static const char value[512] = "";
  struct dsc_entry entry;
  for (int i = 0; i < KEYS; i++) {
    snprintf(bed->keys[i], KEY_SIZE, "instances.list project=%012d", i);
    if (!dsc_cache_put(bed->client.cache, bed->keys[i], KEY_SIZE, value,
                       sizeof value, 0, INT64_C(3600000000), &entry))
      return false;
  }
  return true;
}

static bool make(struct bed *bed) {
  struct dsc_config config;
  struct dsc_operation operation;
  memset(bed, 0, sizeof *bed);
  memset(&config, 0, sizeof config);
  memset(&operation, 0, sizeof operation);
  config.retry.max_retries = 3;
  config.cache.entries_max = 1000;
  config.cache.bytes_max = (size_t)64 << 20;
  config.cache_on = config.metrics_on = true;
  config.servers = 1;
  operation.timeout_us = operation.attempt_timeout_us = 30000000;
  if (!dsc_client_init(&bed->client, &env, &config))
    return false;
  operation.metric =
      dsc_metrics_register(&bed->client.metrics, "instances.list", 14);
  bed->operation = dsc_client_operation(&bed->client, &operation);
  return bed->operation != UINT32_MAX && fill(bed);
}

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static const struct {
  const char *name;
  void (*run)(struct bed *bed, long count);
} loops[] = {{"record", record}, {"hit", hit}, {"policy", policy}};

int main(int argc, char **argv) {
  static struct bed bed;
  const long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
  if (!make(&bed))
    return 1;
  for (size_t i = 0; count > 0 && i < sizeof loops / sizeof loops[0]; i++) {
    if (strcmp(argv[1], loops[i].name) != 0)
      continue;
    loops[i].run(&bed, count); /* once to warm up */
    const double begin_ns = now_ns();
    loops[i].run(&bed, count);
    printf("%.2f\n", (now_ns() - begin_ns) / (double)count);
    dsc_client_free(&bed.client);
    return 0;
  }
  fprintf(stderr, "usage: core record|hit|policy COUNT\n");
  return 2;
}

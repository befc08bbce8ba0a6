/*
** What the core costs without Lua and without I/O. Prints the time of one
** turn of a loop in ns:
**
**   core record 1000000   count one call and its attempt
**   core text 1000000     one series of the text for Prometheus
**   core hit 1000000      look up one of 100 entries
**   core miss 1000000     … of 100 that are not there
**   core set 1000000      put an entry of 512 bytes in the place of another
**   core policy 1000000   a whole call: cache miss, begin, answer, end
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/call.h"
#include "core/exposition.h"

#define KEYS 100
#define KEY_SIZE 64
#define CAPACITY 1000
#define VALUE_SIZE 512
#define TEXT_OPERATIONS 100

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
  char others[2 * CAPACITY][KEY_SIZE];
};

/* Durations from 1 ms to 1 s, as servers have them. */
static long record(struct bed *bed, long count) {
  for (long i = 0; i < count; i++) {
    dsc_metrics_attempt(&bed->client.metrics, 0, DSC_OK, 1400, 200);
    dsc_metrics_call(&bed->client.metrics, 0, DSC_OK,
                     1000 + ((i * 7919) & 0xFFFFF));
  }
  return count;
}

/* What a worker has that calls a hundred operations, some of which fail. */
static void happen(struct dsc_metrics *metrics) {
  char name[KEY_SIZE];
  for (int i = 0; i < TEXT_OPERATIONS; i++) {
    snprintf(name, sizeof name, "instances.list %03d", i);
    uint32_t index = dsc_metrics_register(metrics, name, strlen(name));
    dsc_metrics_call(metrics, index, DSC_OK, 30000);
    dsc_metrics_call(metrics, index, DSC_NETWORK, 30000);
    dsc_metrics_cached(metrics, index, false);
    dsc_metrics_missed(metrics, index);
    dsc_metrics_attempt(metrics, index, DSC_OK, 1400, 200);
    dsc_metrics_attempt(metrics, index, DSC_NETWORK, 0, 200);
  }
}

static long lines_of(const struct dsc_buf *buf) {
  long lines = 0;
  for (size_t i = 0; i < buf->length; i++)
    lines += buf->data[i] == '\n' && i + 1 < buf->length &&
             buf->data[i + 1] != '#';
  return lines;
}

static long text(struct bed *bed, long count) {
  const struct dsc_build build = {"0.1.0", "Lua 5.4"};
  struct dsc_gauges gauges;
  struct dsc_metrics metrics;
  long series = 0;
  (void)bed;
  dsc_gauges_init(&gauges);
  dsc_metrics_init(&metrics, &env);
  happen(&metrics);
  for (long lines = 0; series < count; series += lines) {
    struct dsc_buf buf;
    dsc_buf_init(&buf, &env, (size_t)16 << 20);
    if (!dsc_exposition_write(&buf, DSC_PROMETHEUS, &metrics, &gauges, &build))
      abort();
    lines = lines > 0 ? lines : lines_of(&buf);
    dsc_buf_free(&buf);
  }
  dsc_metrics_free(&metrics);
  return series;
}

/* What the gates of one request cost: two breakers, queue, pace, budget. */
static long limits(struct bed *bed, long count) {
  struct dsc_client *client = &bed->client;
  struct dsc_breaker *operation =
      &client->operations[bed->operation].breaker;
  struct dsc_waiter waiter;
  struct dsc_pacer pacer;
  memset(&waiter, 0, sizeof waiter);
  dsc_pacer_init(&pacer, 1e6, 1000);
  for (long i = 0; i < count; i++) {
    int64_t now_us = i;
    if (!dsc_breaker_would_allow(client->breakers, now_us) ||
        !dsc_breaker_would_allow(operation, now_us) ||
        dsc_queue_enter(&client->queue, &waiter, now_us) != DSC_IN_FLIGHT)
      abort();
    dsc_pacer_take_us(&pacer, now_us);
    uint32_t first = dsc_breaker_permit(client->breakers, now_us, now_us + 1);
    uint32_t second = dsc_breaker_permit(operation, now_us, now_us + 1);
    dsc_breaker_report(client->breakers, now_us, first, DSC_HEALTH_GOOD);
    dsc_breaker_report(operation, now_us, second, DSC_HEALTH_GOOD);
    dsc_pacer_accepted(&pacer, now_us);
    dsc_queue_leave(&client->queue, &waiter, now_us);
    dsc_budget_earn(&client->budget, now_us, 0);
  }
  return count;
}

/* One repeat: an answer of 503 and the wait that it asks for. */
static long repeat(struct bed *bed, long count) {
  const struct dsc_answer busy = {503, "", "", "", "", "", 0, {NULL, 0}};
  const struct dsc_wishes wishes = {0, 0, -1};
  struct dsc_call call;
  for (long i = 0; i < count; i++) {
    dsc_budget_init(&bed->client.budget, 0);
    dsc_breaker_init(bed->client.breakers, 0);
    dsc_call_begin(&call, &bed->client, bed->operation, &wishes);
    if (dsc_call_answered(&call, &busy, 200, 200) != DSC_DO_SLEEP)
      abort();
    dsc_call_end(&call, DSC_SERVER);
  }
  return count;
}

static long hit(struct bed *bed, long count) {
  struct dsc_entry entry;
  for (long i = 0; i < count; i++)
    if (!dsc_cache_get(bed->client.cache, bed->keys[i % KEYS], KEY_SIZE,
                       &entry))
      abort();
  return count;
}

static long miss(struct bed *bed, long count) {
  struct dsc_entry entry;
  for (long i = 0; i < count; i++)
    if (dsc_cache_get(bed->client.cache, bed->others[i % KEYS], KEY_SIZE,
                      &entry))
      abort();
  return count;
}

static bool put(struct bed *bed, const char *key) {
  static const char value[VALUE_SIZE] = "";
  const struct dsc_lifetime hour = {INT64_C(3600000000), 0, 0};
  struct dsc_entry entry;
  return dsc_cache_put(bed->client.cache, key, KEY_SIZE, value, sizeof value,
                       0, &hour, &entry);
}

static long set(struct bed *bed, long count) {
  for (long i = 0; i < count; i++)
    if (!put(bed, bed->others[i % (2 * CAPACITY)]))
      abort();
  return count;
}

static long policy(struct bed *bed, long count) {
  static const char absent[KEY_SIZE] = "absent";
  static const char body[] = "{\"code\":0,\"msg\":\"success\",\"data\":true}";
  const struct dsc_answer answer = {
      200, "application/json", "", "", "", body, sizeof body - 1, {NULL, 0}};
  const struct dsc_wishes wishes = {0, 0, -1};
  struct dsc_call call;
  struct dsc_entry entry;
  for (long i = 0; i < count; i++) {
    if (dsc_cache_get(bed->client.cache, absent, KEY_SIZE, &entry))
      abort();
    dsc_call_begin(&call, &bed->client, bed->operation, &wishes);
    if (dsc_call_answered(&call, &answer, 1400, 200) != DSC_DO_DONE)
      abort();
    dsc_call_end(&call, DSC_OK);
  }
  return count;
}

static bool fill(struct bed *bed) {
  for (int i = 0; i < 2 * CAPACITY; i++)
    snprintf(bed->others[i], KEY_SIZE, "workflows.list project=%012d", i);
  for (int i = 0; i < KEYS; i++) {
    snprintf(bed->keys[i], KEY_SIZE, "instances.list project=%012d", i);
    if (!put(bed, bed->keys[i]))
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
  config.cache.entries_max = CAPACITY;
  config.cache.bytes_max = (size_t)64 << 20;
  config.cache_on = config.metrics_on = true;
  config.breaker_on = true;
  config.servers = 1;
  config.in_flight_max = 20;
  operation.retry.max_retries = 3;
  operation.retry.backoff_us = 500000;
  operation.retry.backoff_max_us = 20000000;
  operation.retry.statuses[0] = 503;
  operation.retry.statuses_count = 1;
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
  long (*run)(struct bed *bed, long count); /* how many turns it made */
} loops[] = {
    {"record", record}, {"text", text}, {"hit", hit},
    {"miss", miss},     {"set", set},   {"policy", policy},
    {"limits", limits}, {"repeat", repeat}};

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
    const long turns = loops[i].run(&bed, count);
    printf("%.2f\n", (now_ns() - begin_ns) / (double)turns);
    dsc_client_free(&bed.client);
    return 0;
  }
  fprintf(stderr, "usage: core LOOP COUNT\n");
  return 2;
}

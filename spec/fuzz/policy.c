/*
** Lives through calls that meet whatever may happen, and through caches that
** run out of memory, and checks what must hold of any of them: a write is sent
** once, nothing begins after its deadline, every call comes to an end, nothing
** is lost or kept twice.
**
**   policy SEED [ROUNDS]   the same lives for the same seed
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/date.h"
#include "core/url.h"

#define REQUIRE(condition)                                                  \
  do {                                                                      \
    if (!(condition)) {                                                     \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);       \
      abort();                                                              \
    }                                                                       \
  } while (0)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static uint64_t random_state;

static uint64_t next_random(void *ud) {
  (void)ud;
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static size_t below(size_t bound) { return next_random(NULL) % bound; }
static bool one_in(size_t n) { return below(n) == 0; }

/* A world in which memory may run out and time moves when told. */
struct world {
  struct dsc_env env;
  int64_t now_us;
  long blocks;
  size_t bytes;
  bool starved;
};

static void *world_alloc(void *ud, void *ptr, size_t old_size, size_t size) {
  struct world *world = (struct world *)ud;
  if (size != 0 && world->starved && one_in(4))
    return NULL;
  if (size == 0) {
    free(ptr);
    world->blocks -= ptr != NULL;
    world->bytes -= old_size;
    return NULL;
  }
  void *moved = realloc(ptr, size);
  REQUIRE(moved != NULL);
  world->blocks += ptr == NULL;
  world->bytes += size - (ptr != NULL ? old_size : 0);
  return moved;
}

static int64_t world_now(void *ud) { return ((struct world *)ud)->now_us; }

static void world_init(struct world *world) {
  memset(world, 0, sizeof *world);
  world->env.alloc = world_alloc;
  world->env.now_us = world_now;
  world->env.random = next_random;
  world->env.ud = world;
}

/* --- texts that end where their memory ends ----------------------------- */

static char *exact(const char *text, size_t length) {
  char *copy = (char *)malloc(length + 1);
  REQUIRE(copy != NULL);
  memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

static char *garbled(const char *text) {
  size_t length = strlen(text);
  char *copy = exact(text, one_in(4) ? below(length + 1) : length);
  for (size_t n = below(3); n > 0 && *copy != '\0'; n--)
    copy[below(strlen(copy))] = (char)(1 + below(255));
  return copy;
}

static const char *const bodies[] = {
    "{\"code\":0,\"msg\":\"success\",\"data\":{\"total\":1}}",
    "{\"code\":0,\"msg\":\"success\",\"data\":null}",
    "{\"code\":10113,\"msg\":\"failed\"}",
    "{\"code\":10025}",
    "{\"code\":10000,\"msg\":\"status is SUCCESS, can not be recovered\"}",
    "{\"code\":10000,\"msg\":null}",
    "{\"code\":50005,\"msg\":7}",
    "{}",
    "<html>",
    "",
};
static const int32_t statuses[] = {200, 200, 200, 201, 204, 301, 401, 404,
                                   405, 429, 500, 502, 503, 504, 599, 0, -5};
static const char *const types[] = {"application/json",
                                    "application/json;charset=UTF-8",
                                    "text/html", ""};
static const char *const hints[] = {
    "", "0", "1", "7", "999999999999999999999", "-1", "soon",
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994", "Fri, 31 Dec 9999 23:59:60 GMT"};

/* --- one call ------------------------------------------------------------ */

struct life {
  struct world *world;
  struct dsc_client *client;
  struct dsc_call call;
  bool reached; /* the server may have acted */
  int sent;
};

static enum dsc_action answer(struct life *life) {
  struct dsc_answer given;
  char *body = garbled(bodies[below(COUNT(bodies))]);
  char *type = one_in(3) ? garbled(types[below(COUNT(types))])
                         : exact(types[0], strlen(types[0]));
  char *hint = garbled(hints[below(COUNT(hints))]);
  char *date = garbled(hints[below(COUNT(hints))]);
  given.status = statuses[below(COUNT(statuses))];
  given.content_type = type;
  given.retry_after = hint;
  given.date = date;
  given.body = body;
  given.length = strlen(body);
  enum dsc_action action = dsc_call_answered(&life->call, &given, 1, 1);
  const struct dsc_outcome *last = &life->call.last;
  REQUIRE(last->retry_after_us >= -1);
  REQUIRE(strlen(life->call.message) < DSC_MESSAGE_MAX);
  if (action == DSC_DO_DONE && life->call.has_data)
    REQUIRE(life->call.data_from + life->call.data_length <= given.length);
  /* a 401 and a 429 say that nothing was done */
  life->reached = life->reached || (last->kind != DSC_AUTH &&
                                    last->kind != DSC_THROTTLED);
  free(body);
  free(type);
  free(hint);
  free(date);
  return action;
}

static enum dsc_action failure(struct life *life) {
  static const enum dsc_kind kinds[] = {DSC_CONNECT, DSC_TLS,      DSC_DNS,
                                        DSC_NETWORK, DSC_TIMEOUT,  DSC_CLOSED,
                                        DSC_MEMORY,  DSC_PROTOCOL, DSC_LIMIT};
  enum dsc_phase phase = (enum dsc_phase)below(DSC_PHASES);
  enum dsc_kind kind = kinds[below(COUNT(kinds))];
  if (phase != DSC_UNSENT && kind < DSC_NETWORK)
    kind = DSC_NETWORK;
  bool stale = phase == DSC_SENT && kind == DSC_NETWORK && one_in(2);
  life->reached = life->reached || phase != DSC_UNSENT;
  return dsc_call_failed(&life->call, kind, phase, stale, "it broke");
}

static enum dsc_action attempt(struct life *life) {
  struct dsc_call *call = &life->call;
  struct world *world = life->world;
  REQUIRE(world->now_us < call->deadline_us);
  REQUIRE(call->attempt_deadline_us > world->now_us);
  REQUIRE(call->attempt_deadline_us <= call->deadline_us);
  REQUIRE(call->server < life->client->config.servers);
  /* a write is not sent once it may have been acted on */
  REQUIRE(call->operation.replay != DSC_ONCE || !life->reached);
  life->sent++;
  if (one_in(4))
    world->now_us = call->attempt_deadline_us;
  else
    world->now_us += (int64_t)below(
        (size_t)(call->attempt_deadline_us - world->now_us));
  if (one_in(50))
    dsc_client_free(life->client);
  return one_in(3) ? failure(life) : answer(life);
}

static enum dsc_action step(struct life *life, enum dsc_action action) {
  struct dsc_call *call = &life->call;
  bool closed = life->client->env == NULL;
  switch (action) {
  case DSC_DO_SEND:
    REQUIRE(!closed);
    return attempt(life);
  case DSC_DO_SLEEP:
    REQUIRE(!closed && call->wait_us >= 0);
    REQUIRE(life->world->now_us + call->wait_us < call->deadline_us);
    life->world->now_us += call->wait_us;
    return dsc_call_resumed(call);
  case DSC_DO_TOKEN:
    return dsc_call_renewed(call, one_in(2));
  default:
    /* the next page of a list */
    return dsc_call_request(call);
  }
}

static void random_config(struct dsc_config *config) {
  memset(config, 0, sizeof *config);
  config->retry.max_retries = (int32_t)below(6);
  config->retry.backoff_us = (int64_t)below(2000000);
  config->retry.backoff_max_us = (int64_t)below(20000000);
  config->retry.jitter = (enum dsc_jitter)below(4);
  for (size_t i = below(DSC_RETRY_STATUSES_MAX + 1); i > 0; i--)
    config->retry.statuses[config->retry.statuses_count++] =
        statuses[below(COUNT(statuses))];
  config->cache_on = one_in(2);
  config->metrics_on = one_in(2);
  config->cache.entries_max = 10;
  config->cache.bytes_max = 1000;
  config->servers = 1 + (uint32_t)below(3);
}

static void check_failure(const struct life *life) {
  const struct dsc_call *call = &life->call;
  enum dsc_kind kind = call->error;
  REQUIRE(kind != DSC_OK && kind < DSC_KINDS);
  REQUIRE(dsc_kind_of(dsc_kind_name(kind)) == kind);
  if (life->sent == 0)
    return;
  /* who can't know what came of his write is told so, and nobody else */
  bool lost = call->last.kind == DSC_SERVER ||
              (call->last.status == 0 && call->last.phase != DSC_UNSENT);
  if (call->operation.replay != DSC_ONCE)
    REQUIRE(kind != DSC_OUTCOME_UNKNOWN);
  else if (lost && call->last.kind != DSC_HTTP)
    REQUIRE(kind == DSC_OUTCOME_UNKNOWN);
  else if (!life->reached)
    REQUIRE(kind != DSC_OUTCOME_UNKNOWN);
}

static void live(struct world *world) {
  struct dsc_client client;
  struct dsc_config config;
  struct dsc_operation operation;
  struct life life = {world, &client, {0}, false, 0};
  random_config(&config);
  REQUIRE(dsc_client_init(&client, &world->env, &config));
  memset(&operation, 0, sizeof operation);
  operation.metric = dsc_metrics_register(&client.metrics, "job", 3);
  operation.replay = (enum dsc_replay)below(3);
  operation.timeout_us = 1 + (int64_t)below(60000000);
  operation.attempt_timeout_us = 1 + (int64_t)below(20000000);
  operation.already[operation.already_count++] = 50005;
  uint32_t number = dsc_client_operation(&client, &operation);
  REQUIRE(number == dsc_client_operation(&client, &operation));
  enum dsc_action action =
      dsc_call_begin(&life.call, &client, number, 0, 0);
  size_t pages = operation.replay == DSC_READ ? below(4) : 0;
  for (int steps = 0; action != DSC_DO_FAIL; steps++) {
    REQUIRE(steps < 100000);
    if (action == DSC_DO_DONE && pages-- == 0)
      break;
    action = step(&life, action);
  }
  if (action == DSC_DO_FAIL)
    check_failure(&life);
  REQUIRE(life.call.attempts == life.sent);
  dsc_call_end(&life.call, action == DSC_DO_FAIL);
  dsc_call_end(&life.call, action == DSC_DO_FAIL);
  if (client.env != NULL && config.metrics_on)
    REQUIRE(client.metrics.items[0].calls == 1);
  dsc_client_free(&client);
  REQUIRE(world->blocks == 0 && world->bytes == 0);
}

/* --- a cache without memory ---------------------------------------------- */

#define KEYS 24

struct expected {
  int value;
  int64_t until_us;
};

static void check_entry(const dsc_cache *cache, const struct dsc_entry *entry,
                        const struct expected *expected, int64_t now_us) {
  int value;
  REQUIRE(entry->length == sizeof value);
  memcpy(&value, entry->value, sizeof value);
  REQUIRE(value == expected->value);
  REQUIRE(now_us < expected->until_us);
  REQUIRE(dsc_cache_lives(cache, entry));
}

/* Whatever is found is what was stored last, and still fresh. */
static void keep(struct world *world) {
  struct dsc_cache_limits limits = {1 + (uint32_t)below(20),
                                    200 + below(2000)};
  struct expected expected[KEYS] = {{0, 0}};
  struct dsc_cache_stats stats;
  struct dsc_entry entry;
  dsc_cache *cache = dsc_cache_new(&world->env, &limits);
  REQUIRE(cache != NULL);
  world->starved = one_in(2);
  for (int i = 0; i < 300; i++) {
    char key[2] = {'k', (char)('A' + below(KEYS))};
    struct expected *of_key = &expected[key[1] - 'A'];
    int64_t ttl_us = (int64_t)below(100) - 1;
    world->now_us += (int64_t)below(5);
    switch (below(4)) {
    case 0:
      if (dsc_cache_put(cache, key, sizeof key, (const char *)&i, sizeof i,
                        below(40), ttl_us, &entry)) {
        of_key->value = i;
        of_key->until_us = world->now_us + ttl_us;
        check_entry(cache, &entry, of_key, world->now_us);
        if (one_in(3))
          dsc_cache_set_object(cache, entry.index, below(100));
      } else {
        REQUIRE(!dsc_cache_get(cache, key, sizeof key, &entry));
      }
      break;
    case 1:
      if (one_in(10))
        dsc_cache_clean(cache);
      if (one_in(20))
        REQUIRE(dsc_cache_drop(cache, 1, key + 1, 1) <= 1);
      break;
    default:
      if (dsc_cache_get(cache, key, sizeof key, &entry))
        check_entry(cache, &entry, of_key, world->now_us);
      break;
    }
    while (dsc_cache_dropped(cache) != UINT32_MAX)
      continue;
    dsc_cache_get_stats(cache, &stats);
    REQUIRE(stats.size <= limits.entries_max);
    REQUIRE(stats.bytes <= limits.bytes_max);
  }
  world->starved = false;
  dsc_cache_drop(cache, 0, "", 0);
  dsc_cache_get_stats(cache, &stats);
  REQUIRE(stats.size == 0 && stats.bytes == 0);
  dsc_cache_free(cache);
  REQUIRE(world->blocks == 0 && world->bytes == 0);
}

/* --- small things -------------------------------------------------------- */

static void escape(void) {
  char text[64], out[DSC_URL_GROWTH * sizeof text];
  size_t length = below(sizeof text + 1);
  for (size_t i = 0; i < length; i++)
    text[i] = (char)below(256);
  size_t written = dsc_url_escape(out, text, length);
  REQUIRE(written >= length && written <= DSC_URL_GROWTH * length);
  for (size_t i = 0; i < written; i++)
    REQUIRE(out[i] > ' ' && out[i] < 0x7F && strchr("&=#?/+", out[i]) == NULL);
}

static void date(void) {
  int64_t seconds = INT64_MIN;
  char *text = garbled(hints[below(COUNT(hints))]);
  bool read = dsc_http_date(text, &seconds);
  /* the years 1 to 9999 */
  REQUIRE(!read || (seconds >= INT64_C(-62135596800) &&
                    seconds <= INT64_C(253402300800)));
  free(text);
}

int main(int argc, char **argv) {
  struct world world;
  if (argc < 2) {
    fprintf(stderr, "usage: %s SEED [ROUNDS]\n", argv[0]);
    return 2;
  }
  random_state = strtoull(argv[1], NULL, 10) * UINT64_C(0x9E3779B97F4A7C15) + 1;
  unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000;
  world_init(&world);
  for (unsigned long i = 0; i < rounds; i++) {
    live(&world);
    if (i % 8 == 0)
      keep(&world);
    escape();
    date();
  }
  return 0;
}

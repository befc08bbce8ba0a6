/*
** A client with a few calls under way at a time, to which the bytes of the
** input happen: answers, failures, time, wakings, cancellations, the end of
** the client. A write is never sent again once it may have been acted on,
** nothing goes out before or after its time, the queue is fair, each call
** comes to an end, and the counters say what was.
*/
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/shared.h"
#include "harness.h"

#define CALLS 5
#define OPERATIONS 3 /* one of each replay class */
#define STEPS_MAX 500
/* More steps than this between the last byte and the end of all calls, and
** something goes round in circles. */
#define ENDING_MAX 10000
#define SECOND_US INT64_C(1000000)
#define OPEN_MAX_US (8 * SECOND_US) /* a breaker, at a time */
#define ALREADY 50005

enum stage { IDLE, UNDER_WAY };

struct life {
  struct dsc_call call;
  enum stage stage;
  enum dsc_action action; /* what the call wants */
  bool reached;           /* the server may have acted */
  bool probes;            /* the last attempt is to tell how the server is */
  bool queued;            /* it was in the queue before it went on */
  bool admitted;          /* it has a connection beyond the limit */
  int32_t sent;
  int64_t wake_us; /* when its sleep or wait is over */
  uint64_t place;  /* in the queue: who has a lower one came before */
};

struct bed {
  struct fuzz_input input;
  struct fuzz_world world;
  struct dsc_client client;
  uint32_t operations[OPERATIONS];
  struct life lives[CALLS];
  uint64_t places;
  uint64_t ended, sent; /* of all calls */
};

static uint32_t below(struct bed *bed, uint32_t bound) {
  return fuzz_below(&bed->input, bound);
}

static bool is_closed(const struct bed *bed) {
  return bed->client.env == NULL;
}

/* --- what must hold at any time ------------------------------------------ */

static void check_client(const struct bed *bed) {
  const struct dsc_queue *queue = &bed->client.queue;
  uint32_t in_flight = 0, admitted = 0, queued = 0;
  if (is_closed(bed))
    return;
  for (int i = 0; i < CALLS; i++) {
    if (bed->lives[i].stage == IDLE)
      continue;
    enum dsc_place place = bed->lives[i].call.waiter.place;
    in_flight += place == DSC_IN_FLIGHT || place == DSC_GRANTED;
    admitted += place == DSC_IN_FLIGHT && bed->lives[i].admitted;
    queued += place == DSC_QUEUED;
  }
  REQUIRE(queue->in_flight == in_flight);
  REQUIRE(in_flight <= queue->in_flight_max + admitted);
  REQUIRE(queue->queued.count == queued && queued <= queue->queued_max);
  /* nobody waits for a connection that is free */
  REQUIRE(queued == 0 || in_flight >= queue->in_flight_max);
  for (uint32_t i = 0; i < bed->client.config.servers; i++) {
    const struct dsc_breaker *breaker = &bed->client.breakers[i];
    REQUIRE(breaker->state != DSC_STATE_OPEN ||
            breaker->until_us - breaker->since_us <= OPEN_MAX_US);
  }
  REQUIRE(bed->client.budget.tokens >= 0);
  REQUIRE(bed->client.budget.tokens <= DSC_BUDGET_MAX);
}

/* So long a probe is the only one, at most. */
#define LEASE_US INT64_C(2000000)

static bool is_overdue(const struct dsc_call *call, int64_t now_us) {
  return now_us >= call->attempt_deadline_us ||
         now_us - call->attempt_started_us >= LEASE_US;
}

/* One at a time, but for those that are overdue. */
static void check_probes(const struct bed *bed, const struct life *life) {
  for (int i = 0; i < CALLS; i++) {
    const struct life *other = &bed->lives[i];
    if (other != life && other->stage == UNDER_WAY &&
        other->action == DSC_DO_SEND && other->probes &&
        other->call.server == life->call.server)
      REQUIRE(is_overdue(&other->call, bed->world.now_us));
  }
}

static void check_send(struct bed *bed, struct life *life) {
  const struct dsc_call *call = &life->call;
  int64_t now_us = bed->world.now_us;
  REQUIRE(!is_closed(bed));
  REQUIRE(now_us < call->attempt_deadline_us);
  REQUIRE(call->attempt_deadline_us <= call->deadline_us);
  REQUIRE(call->server < bed->client.config.servers);
  REQUIRE(call->waiter.place == DSC_IN_FLIGHT);
  REQUIRE(now_us >= bed->client.pacer.hold_us);
  REQUIRE(call->operation.replay != DSC_ONCE || !life->reached);
  if (!bed->client.config.breaker_on)
    return;
  REQUIRE(bed->client.breakers[call->server].state != DSC_STATE_OPEN);
  REQUIRE(bed->client.operations[call->number].breaker.state !=
          DSC_STATE_OPEN);
  life->probes =
      bed->client.breakers[call->server].state == DSC_STATE_HALF_OPEN;
  if (life->probes)
    check_probes(bed, life);
}

/* The kind tells what the caller can know of his write, and nobody else's. */
static void check_failure(const struct life *life) {
  const struct dsc_call *call = &life->call;
  enum dsc_kind kind = call->error;
  REQUIRE(kind != DSC_OK && kind < DSC_KINDS);
  REQUIRE(dsc_kind_of(dsc_kind_name(kind)) == kind);
  REQUIRE(call->waiter.place == DSC_OUTSIDE || call->client->env == NULL);
  if (call->operation.replay != DSC_ONCE || !life->reached)
    REQUIRE(kind != DSC_OUTCOME_UNKNOWN);
  bool lost = call->attempts > 0 && call->last.status == 0 &&
              call->last.phase != DSC_UNSENT;
  if (call->operation.replay == DSC_ONCE && lost)
    REQUIRE(kind == DSC_OUTCOME_UNKNOWN);
}

/* The limits go to other processes and come back as they were; what came back
** otherwise is not taken. */
static void exchange_limits(struct bed *bed, const struct dsc_call *call) {
  char limits[DSC_LIMITS_BYTES_MAX], breaker[DSC_BREAKER_BYTES];
  struct dsc_client *client = &bed->client;
  if (is_closed(bed))
    return;
  size_t length = dsc_limits_write(client, limits);
  REQUIRE(length == DSC_LIMITS_BYTES((size_t)client->config.servers));
  REQUIRE(dsc_breaker_write(client, call->number, breaker) == sizeof breaker);
  REQUIRE(dsc_limits_read(client, limits, length));
  REQUIRE(dsc_breaker_read(client, call->number, breaker, sizeof breaker));
  size_t at = (size_t)(bed->world.now_us / 10000);
  limits[at % length]++;
  breaker[at % sizeof breaker]++;
  REQUIRE(!dsc_limits_read(client, limits, length));
  REQUIRE(!dsc_breaker_read(client, call->number, breaker, sizeof breaker));
}

static void wants(struct bed *bed, struct life *life,
                  enum dsc_action action) {
  if (action == DSC_DO_WEIGH) {
    REQUIRE(bed->client.config.limits_shared);
    exchange_limits(bed, &life->call);
    action = dsc_call_weigh(&life->call);
  }
  const struct dsc_call *call = &life->call;
  int64_t now_us = bed->world.now_us;
  life->action = action;
  if (call->waiter.place != DSC_IN_FLIGHT)
    life->admitted = false;
  switch (action) {
  case DSC_DO_SEND:
    check_send(bed, life);
    life->sent++;
    bed->sent++;
    break;
  case DSC_DO_WAIT:
    REQUIRE(call->waiter.place == DSC_QUEUED);
    REQUIRE(now_us + call->wait_us == call->deadline_us);
    life->wake_us = call->deadline_us;
    if (!life->queued) /* who is woken for nothing keeps his place */
      life->place = bed->places++;
    break;
  case DSC_DO_SLEEP:
    REQUIRE(call->wait_us >= 0);
    REQUIRE(now_us + call->wait_us < call->deadline_us ||
            call->wait_us == 0);
    REQUIRE(call->pacing || call->waiter.place == DSC_OUTSIDE);
    life->wake_us = now_us + call->wait_us;
    break;
  case DSC_DO_TOKEN:
    REQUIRE(call->last.kind == DSC_AUTH);
    break;
  case DSC_DO_DONE:
    REQUIRE(call->last.kind == DSC_OK);
    break;
  case DSC_DO_FAIL:
    check_failure(life);
    break;
  case DSC_DO_WEIGH:
    REQUIRE(false);
    break;
  }
}

/* --- what happens -------------------------------------------------------- */

static void begin(struct bed *bed, struct life *life) {
  static const struct dsc_wishes as_usual = {0, 0, -1};
  struct dsc_wishes wishes = as_usual;
  uint32_t operation = bed->operations[below(bed, OPERATIONS)];
  if (below(bed, 2) == 1) {
    wishes.timeout_us = (int64_t)below(bed, 65536) * 1000;
    wishes.attempt_timeout_us = (int64_t)below(bed, 256) * 100000;
    wishes.max_retries = (int32_t)below(bed, 8) - 1;
  }
  memset(life, 0, sizeof *life);
  life->stage = UNDER_WAY;
  wants(bed, life,
        dsc_call_begin(&life->call, &bed->client, operation, &wishes));
  REQUIRE(!is_closed(bed) || life->call.error == DSC_CLOSED);
}

static void answer(struct bed *bed, struct life *life) {
  static const char *const bodies[] = {
      "{\"code\":0,\"msg\":\"success\",\"data\":{\"total\":1}}",
      "{\"code\":0,\"msg\":\"success\",\"data\":null}",
      "{\"code\":10113,\"msg\":\"failed\"}",
      "{\"code\":10025}",
      "{\"code\":10000,\"msg\":\"status is SUCCESS, can not be recovered\"}",
      "{\"code\":10000,\"msg\":null}",
      "{\"code\":50005,\"msg\":7}",
      "{}",
      ""};
  static const int32_t statuses[] = {200, 200, 401, 429, 500, 502, 503,
                                     504, 404, 302, 599};
  static const char *const types[] = {"application/json", "text/html"};
  static const char *const hints[] = {"", "0", "1", "7", "90", "soon"};
  const char *body = bodies[below(bed, COUNT(bodies))];
  struct dsc_answer given = {statuses[below(bed, COUNT(statuses))],
                             types[below(bed, 8) == 7],
                             hints[below(bed, COUNT(hints))],
                             "", "", NULL, strlen(body), {NULL, 0}};
  char *copy = fuzz_copy(body, given.length);
  given.body = copy;
  enum dsc_action action = dsc_call_answered(&life->call, &given, 7, 5);
  if (action == DSC_DO_WEIGH)
    action = dsc_call_weigh(&life->call);
  const struct dsc_outcome *last = &life->call.last;
  /* a 401 and a 429 say that nothing was done, and so may a 503 */
  life->reached = life->reached ||
                  !(last->kind == DSC_AUTH || last->kind == DSC_THROTTLED ||
                    (life->call.operation.retry.trust_503 &&
                     last->status == 503 && last->retry_after_us >= 0));
  if (action == DSC_DO_DONE && life->call.has_data)
    REQUIRE(life->call.data_from + life->call.data_length <= given.length);
  free(copy);
  wants(bed, life, action);
}

static void failure(struct bed *bed, struct life *life) {
  static const enum dsc_kind kinds[] = {
      DSC_CONNECT, DSC_TLS,    DSC_DNS,      DSC_NETWORK, DSC_TIMEOUT,
      DSC_CLOSED,  DSC_MEMORY, DSC_PROTOCOL, DSC_LIMIT,   DSC_CANCELLED};
  enum dsc_kind kind = kinds[below(bed, COUNT(kinds))];
  enum dsc_phase phase = (enum dsc_phase)below(bed, DSC_PHASES);
  if (kind < DSC_NETWORK)
    phase = DSC_UNSENT;
  bool stale =
      phase == DSC_SENT && kind == DSC_NETWORK && below(bed, 2) == 1;
  life->reached = life->reached || phase != DSC_UNSENT;
  wants(bed, life,
        dsc_call_failed(&life->call, kind, phase, stale, false, "it broke"));
}

/* It wakes at its time, or before; late where it was not looked at. */
static void wake(struct bed *bed, struct life *life, bool early) {
  if (!early && bed->world.now_us < life->wake_us)
    bed->world.now_us = life->wake_us;
  wants(bed, life, dsc_call_resumed(&life->call));
}

/* It can't wait for a connection. */
static void admit(struct bed *bed, struct life *life) {
  enum dsc_action action = dsc_call_admitted(&life->call);
  life->admitted = life->queued;
  wants(bed, life, action);
  REQUIRE(!life->queued || life->action != DSC_DO_WAIT);
}

static void finish(struct bed *bed, struct life *life) {
  int end = life->action == DSC_DO_FAIL ? (int)life->call.error : DSC_OK;
  REQUIRE(life->call.attempts == life->sent);
  dsc_call_end(&life->call, end);
  dsc_call_end(&life->call, end);
  bed->ended++;
  life->stage = IDLE;
}

/* The next one that got a connection, in the order of their coming. */
static void wake_granted(struct bed *bed) {
  struct dsc_call *call = dsc_call_woken(&bed->client);
  struct life *woken = (struct life *)call;
  if (call == NULL)
    return;
  REQUIRE(woken->stage == UNDER_WAY && woken->action == DSC_DO_WAIT);
  for (int i = 0; i < CALLS; i++) {
    const struct life *other = &bed->lives[i];
    if (other->stage == UNDER_WAY && other->action == DSC_DO_WAIT &&
        other->call.waiter.place == DSC_QUEUED)
      REQUIRE(woken->place < other->place);
  }
  wants(bed, woken, dsc_call_resumed(call));
}

static void go_on(struct bed *bed, struct life *life) {
  life->queued = life->call.waiter.place == DSC_QUEUED;
  switch (life->action) {
  case DSC_DO_SEND:
    bed->world.now_us += (int64_t)below(bed, 256) * 10000;
    if (below(bed, 2) == 0)
      answer(bed, life);
    else
      failure(bed, life);
    break;
  case DSC_DO_WAIT:
    if (below(bed, 8) == 6) {
      admit(bed, life);
      break;
    }
    /* fallthrough */
  case DSC_DO_SLEEP:
    if (below(bed, 8) == 7)
      wants(bed, life, dsc_call_cancelled(&life->call));
    else
      wake(bed, life, below(bed, 8) == 7);
    break;
  case DSC_DO_TOKEN:
    wants(bed, life, dsc_call_renewed(&life->call, below(bed, 2) == 1));
    break;
  case DSC_DO_DONE: /* a list goes on with its next page */
    if (life->call.operation.replay == DSC_READ && below(bed, 2) == 1)
      wants(bed, life, dsc_call_request(&life->call));
    else
      finish(bed, life);
    break;
  case DSC_DO_FAIL:
    finish(bed, life);
    break;
  case DSC_DO_WEIGH:
    break;
  }
}

static void step(struct bed *bed) {
  struct life *life = &bed->lives[below(bed, CALLS)];
  switch (below(bed, 16)) {
  case 0:
    wake_granted(bed);
    break;
  case 1:
    bed->world.now_us += (int64_t)below(bed, 65536) * 10000;
    break;
  case 2:
    if (below(bed, 16) == 15)
      dsc_client_free(&bed->client);
    break;
  case 3: /* its end may come at any time */
    if (life->stage == UNDER_WAY && life->action != DSC_DO_SEND)
      finish(bed, life);
    break;
  default:
    if (life->stage == IDLE)
      begin(bed, life);
    else
      go_on(bed, life);
    break;
  }
  check_client(bed);
}

/* --- the beginning and the end ------------------------------------------- */

static void configure(struct bed *bed) {
  struct dsc_config config;
  memset(&config, 0, sizeof config);
  config.cache_on = false;
  uint32_t mode = below(bed, 8);
  config.metrics_on = mode % 4 != 0;
  config.limits_shared = mode >= 4;
  config.breaker_on = below(bed, 4) != 0;
  config.events_on = below(bed, 2) == 1;
  config.servers = 1 + below(bed, 3);
  config.in_flight_max = 1 + below(bed, 3);
  config.queue_max = below(bed, 3);
  config.rate_per_s = below(bed, 2) * 5.0;
  config.rate_burst = 1 + below(bed, 3);
  REQUIRE(dsc_client_init(&bed->client, &bed->world.env, &config));
}

static void register_operations(struct bed *bed) {
  struct dsc_operation operation;
  memset(&operation, 0, sizeof operation);
  operation.metric = dsc_metrics_register(&bed->client.metrics, "job", 3);
  operation.timeout_us = 30 * SECOND_US;
  operation.attempt_timeout_us = 10 * SECOND_US;
  operation.retry.max_retries = (int32_t)below(bed, 5);
  operation.retry.backoff_us = (int64_t)below(bed, 256) * 10000;
  operation.retry.backoff_max_us = 20 * SECOND_US;
  operation.retry.jitter = (enum dsc_jitter)below(bed, 4);
  operation.retry.trust_503 = below(bed, 2) == 1;
  operation.retry.statuses[0] = 429;
  operation.retry.statuses[1] = 503;
  operation.retry.statuses[2] = 500;
  operation.retry.statuses_count = 1 + (int32_t)below(bed, 3);
  operation.already[0] = ALREADY;
  operation.already_count = 1;
  for (uint32_t i = 0; i < OPERATIONS; i++) {
    operation.replay = (enum dsc_replay)i;
    bed->operations[i] = dsc_client_operation(&bed->client, &operation);
    REQUIRE(bed->operations[i] ==
            dsc_client_operation(&bed->client, &operation));
  }
}

/* The bytes are over: what is asked for from now on is answered by the first
** of each list of what may happen. */
static void end_calls(struct bed *bed) {
  for (int i = 0, steps = 0; i < CALLS; i++) {
    while (bed->lives[i].stage == UNDER_WAY) {
      REQUIRE(++steps < ENDING_MAX);
      go_on(bed, &bed->lives[i]);
      wake_granted(bed);
      check_client(bed);
    }
  }
}

static void check_counters(const struct bed *bed) {
  const struct dsc_counters *counters = bed->client.metrics.items[0].counters;
  REQUIRE(dsc_counters_calls(counters) == bed->ended);
  REQUIRE(dsc_counters_attempts(counters) == bed->sent);
  REQUIRE(counters->durations.count == bed->ended);
}

/* After so long without trouble a call is sent at once. */
static void check_recovery(struct bed *bed) {
  bed->world.now_us += 130 * SECOND_US;
  begin(bed, &bed->lives[0]);
  REQUIRE(bed->lives[0].action == DSC_DO_SEND);
  go_on(bed, &bed->lives[0]);
  REQUIRE(bed->lives[0].action == DSC_DO_DONE);
  finish(bed, &bed->lives[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct bed bed;
  memset(&bed, 0, sizeof bed);
  bed.input.at = data;
  bed.input.end = data + size;
  fuzz_world_init(&bed.world);
  configure(&bed);
  register_operations(&bed);
  for (int i = 0; i < STEPS_MAX && bed.input.at < bed.input.end; i++)
    step(&bed);
  bed.input.at = bed.input.end;
  end_calls(&bed);
  if (!is_closed(&bed)) {
    check_recovery(&bed);
    if (bed.client.config.metrics_on)
      check_counters(&bed);
  }
  dsc_client_free(&bed.client);
  REQUIRE(fuzz_memory_free());
  return 0;
}

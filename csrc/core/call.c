#include "core/call.h"

#include <string.h>

/* A request that timed out is probably still worked on: a second repeat of a
** slow list would be an attack. */
#define TIMEOUT_REPEATS_MAX 1

/* The client may be closed while its call is under way. */
static bool is_closed(const struct dsc_call *call) {
  return call->client->env == NULL;
}

/* A step takes no time: the clock is read once, where the step begins. */
static void look_at_clock(struct dsc_call *call) {
  if (!is_closed(call))
    call->now_us = dsc_now_us(call->client->env);
}

static void leave_queue(struct dsc_call *call) {
  if (!is_closed(call))
    dsc_queue_leave(&call->client->queue, &call->waiter, call->now_us);
}

static enum dsc_action fail(struct dsc_call *call, enum dsc_kind kind) {
  leave_queue(call);
  call->error = kind;
  return DSC_DO_FAIL;
}

/* A gate is shut: a repeat ends with what it would have repeated. */
static enum dsc_action refuse(struct dsc_call *call, enum dsc_kind kind) {
  return fail(call, call->repeats ? call->last.kind : kind);
}

static void set_message(struct dsc_call *call, const char *message) {
  size_t length = strlen(message);
  if (length >= DSC_MESSAGE_MAX)
    length = DSC_MESSAGE_MAX - 1;
  memcpy(call->message, message, length);
  call->message[length] = '\0';
}

/* --- the gates before an attempt ----------------------------------------- */

static struct dsc_breaker *operation_breaker(struct dsc_call *call) {
  return &call->client->operations[call->number].breaker;
}

static struct dsc_breaker *server_breaker(struct dsc_call *call) {
  return &call->client->breakers[call->server];
}

/* This server, or the next one whose breaker allows it. */
static bool find_server(struct dsc_call *call, int64_t now) {
  const struct dsc_config *config = &call->client->config;
  if (!config->breaker_on)
    return true;
  if (!dsc_breaker_would_allow(operation_breaker(call), now))
    return false;
  for (uint32_t i = 0; i < config->servers; i++) {
    if (dsc_breaker_would_allow(server_breaker(call), now))
      return true;
    call->server = (call->server + 1) % config->servers;
  }
  return false;
}

static void take_permits(struct dsc_call *call, int64_t now) {
  if (!call->client->config.breaker_on)
    return;
  call->permitted = true;
  call->server_permit = dsc_breaker_permit(server_breaker(call), now,
                                           call->attempt_deadline_us);
  call->operation_permit = dsc_breaker_permit(operation_breaker(call), now,
                                              call->attempt_deadline_us);
}

/* Is its turn given, and does it stand? */
static bool has_turn(const struct dsc_call *call) {
  const struct dsc_pacer *pacer = &call->client->pacer;
  return call->paced && call->pace == pacer->pace &&
         call->send_at_us >= pacer->hold_us;
}

/* False where the turn would come too late. */
static bool take_turn(struct dsc_call *call, int64_t now) {
  struct dsc_pacer *pacer = &call->client->pacer;
  if (has_turn(call))
    return true;
  if (dsc_pacer_next_us(pacer, now) >= call->deadline_us)
    return false;
  call->send_at_us = dsc_pacer_take_us(pacer, now);
  call->pace = pacer->pace;
  call->paced = true;
  return true;
}

static enum dsc_action send(struct dsc_call *call, int64_t now) {
  int64_t left_us = call->deadline_us - now;
  call->paced = false;
  call->attempt_started_us = now;
  call->attempt_deadline_us = call->deadline_us;
  if (call->operation.attempt_timeout_us < left_us)
    call->attempt_deadline_us = now + call->operation.attempt_timeout_us;
  call->waiter.until_us = call->attempt_deadline_us + DSC_LEASE_US;
  take_permits(call, now);
  return DSC_DO_SEND;
}

static enum dsc_action next(struct dsc_call *call) {
  if (is_closed(call))
    return fail(call, DSC_CANCELLED);
  struct dsc_client *client = call->client;
  int64_t now = call->now_us;
  if (now >= call->deadline_us)
    return fail(call, DSC_DEADLINE);
  if (!find_server(call, now))
    return refuse(call, DSC_BREAKER_OPEN);
  dsc_queue_accept(&client->queue, &call->waiter);
  if (call->waiter.place == DSC_OUTSIDE &&
      dsc_queue_enter(&client->queue, &call->waiter, now) == DSC_OUTSIDE)
    return refuse(call, DSC_LIMIT);
  if (call->waiter.place == DSC_QUEUED) {
    call->wait_us = call->deadline_us - now;
    return DSC_DO_WAIT;
  }
  if (!take_turn(call, now))
    return refuse(call, dsc_pacer_slowed(&client->pacer, now)
                            ? DSC_THROTTLED
                            : DSC_DEADLINE);
  call->pacing = now < call->send_at_us;
  if (!call->pacing)
    return send(call, now);
  call->wait_us = call->send_at_us - now;
  call->waiter.until_us = call->send_at_us + DSC_LEASE_US;
  return DSC_DO_SLEEP;
}

static enum dsc_action settle(struct dsc_call *call);

static enum dsc_action do_due(struct dsc_call *call) {
  return call->due == DSC_DUE_GATES ? next(call) : settle(call);
}

/* Now, or when the limits are at hand. */
static enum dsc_action due(struct dsc_call *call, enum dsc_due what) {
  call->due = what;
  return call->client->config.limits_shared ? DSC_DO_WEIGH : do_due(call);
}

enum dsc_action dsc_call_weigh(struct dsc_call *call) {
  look_at_clock(call);
  return do_due(call);
}

/* --- the beginning ------------------------------------------------------- */

static enum dsc_action request(struct dsc_call *call) {
  call->requests++;
  call->retries = 0;
  call->throttles = 0;
  call->timeouts = 0;
  call->switches = 0;
  call->cost = 0;
  call->repeats = false;
  call->free_repeat = false;
  call->fresh = false;
  call->token_renewed = false;
  return due(call, DSC_DUE_GATES);
}

enum dsc_action dsc_call_begin(struct dsc_call *call,
                               struct dsc_client *client, uint32_t operation,
                               const struct dsc_wishes *wishes) {
  memset(call, 0, sizeof *call);
  call->client = client;
  if (is_closed(call))
    return fail(call, DSC_CLOSED);
  call->number = operation;
  call->operation = client->operations[operation].operation;
  if (wishes->timeout_us > 0)
    call->operation.timeout_us = wishes->timeout_us;
  if (wishes->attempt_timeout_us > 0)
    call->operation.attempt_timeout_us = wishes->attempt_timeout_us;
  if (wishes->max_retries >= 0)
    call->operation.retry.max_retries = wishes->max_retries;
  look_at_clock(call);
  call->started_us = call->now_us;
  call->deadline_us = call->started_us + call->operation.timeout_us;
  call->server = client->server;
  return request(call);
}

enum dsc_action dsc_call_request(struct dsc_call *call) {
  look_at_clock(call);
  return request(call);
}

/* --- what an attempt tells ----------------------------------------------- */

/* Writes down call->last. */
static void record(struct dsc_call *call, uint64_t bytes_in,
                   uint64_t bytes_out) {
  struct dsc_attempt *attempt =
      &call->history[call->attempts % DSC_HISTORY_MAX];
  attempt->kind = call->last.kind;
  attempt->status = call->last.status;
  attempt->has_code = call->last.has_code;
  attempt->code = call->last.code;
  attempt->wait_us = 0;
  attempt->server = call->server;
  attempt->duration_us = 0;
  if (!is_closed(call))
    attempt->duration_us = call->now_us - call->attempt_started_us;
  if (call->client->config.metrics_on)
    dsc_metrics_attempt(&call->client->metrics, call->operation.metric,
                        call->last.kind, bytes_in, bytes_out);
  call->attempts++;
}

/* Of the server as a whole: can it be reached, does it answer? */
static enum dsc_health server_health(const struct dsc_outcome *outcome) {
  switch (outcome->kind) {
  case DSC_CONNECT:
  case DSC_TLS:
  case DSC_DNS:
    return DSC_HEALTH_BAD;
  case DSC_NETWORK: /* an idle connection that was closed says nothing */
    return outcome->stale ? DSC_HEALTH_UNKNOWN : DSC_HEALTH_BAD;
  case DSC_TIMEOUT:
    return DSC_HEALTH_DOUBTFUL;
  case DSC_SERVER:
    return outcome->status == 502 || outcome->status == 503
               ? DSC_HEALTH_BAD
               : DSC_HEALTH_GOOD;
  default: /* where no answer came, it was not the server that ended it */
    return outcome->status != 0 || outcome->kind == DSC_PROTOCOL
               ? DSC_HEALTH_GOOD
               : DSC_HEALTH_UNKNOWN;
  }
}

/* Of one operation: a list may be slow while all others are quick. */
static enum dsc_health operation_health(const struct dsc_outcome *outcome) {
  if (outcome->kind == DSC_TIMEOUT)
    return outcome->phase == DSC_UNSENT ? DSC_HEALTH_UNKNOWN : DSC_HEALTH_BAD;
  if (outcome->status == 500 || outcome->status == 504)
    return DSC_HEALTH_BAD;
  enum dsc_health server = server_health(outcome);
  return server == DSC_HEALTH_GOOD ? server : DSC_HEALTH_UNKNOWN;
}

static void report(struct dsc_call *call, struct dsc_breaker *breaker,
                   uint32_t permit, enum dsc_health health,
                   struct dsc_event event) {
  if (!dsc_breaker_report(breaker, call->now_us, permit, health))
    return;
  event.state = breaker->state;
  dsc_client_tell(call->client, &event);
}

static void report_health(struct dsc_call *call) {
  struct dsc_event event = {DSC_CHANGE_SERVER, call->server,
                            DSC_STATE_CLOSED, 0, 0};
  if (!call->permitted)
    return;
  call->permitted = false;
  report(call, server_breaker(call), call->server_permit,
         server_health(&call->last), event);
  event.change = DSC_CHANGE_OPERATION;
  event.index = call->number;
  report(call, operation_breaker(call), call->operation_permit,
         operation_health(&call->last), event);
}

/* The wait before the next repeat: our own, or as the server wants it. */
static int64_t backoff_us(const struct dsc_call *call, int32_t n) {
  int64_t wait_us = dsc_backoff_us(&call->operation.retry, call->client->env,
                                   n, call->last.kind);
  return wait_us > call->last.retry_after_us ? wait_us
                                             : call->last.retry_after_us;
}

/* A 429 holds the whole client, whether this call is repeated or not. */
static void report_pace(struct dsc_call *call) {
  struct dsc_pacer *pacer = &call->client->pacer;
  int64_t now = call->now_us;
  if (call->last.kind != DSC_THROTTLED) {
    if (call->last.status != 0)
      dsc_pacer_accepted(pacer, now);
    return;
  }
  call->wait_us = backoff_us(call, ++call->throttles);
  if (!dsc_pacer_refused(pacer, now, call->wait_us))
    return;
  struct dsc_event event = {DSC_CHANGE_PACE, 0, DSC_STATE_CLOSED,
                            dsc_pacer_rate(pacer, now),
                            pacer->hold_us - now};
  dsc_client_tell(call->client, &event);
}

/* --- what now? ----------------------------------------------------------- */

/* The other servers are asked first when this one surely did not act, or is
** said to be out of service; a full round of them ends in a sleep. Calls that
** begin now go where this one goes next. */
static bool switch_server(struct dsc_call *call) {
  struct dsc_client *client = call->client;
  uint32_t servers = client->config.servers, failed = call->server;
  bool elsewhere =
      call->last.phase == DSC_UNSENT || call->last.status == 503;
  if (!elsewhere || servers < 2)
    return false;
  call->server = (failed + 1) % servers;
  if (client->server == failed)
    client->server = call->server;
  return (uint32_t)++call->switches < servers;
}

static bool repeats_left(struct dsc_call *call) {
  int32_t max_retries = call->operation.retry.max_retries;
  if (call->last.kind == DSC_THROTTLED)
    return max_retries > 0;
  if (call->last.kind == DSC_TIMEOUT && call->last.phase != DSC_UNSENT &&
      ++call->timeouts > TIMEOUT_REPEATS_MAX)
    return false;
  return ++call->retries <= max_retries;
}

static bool spend(struct dsc_call *call) {
  struct dsc_client *client = call->client;
  int32_t cost = dsc_budget_cost(call->last.kind);
  bool paid = dsc_budget_spend(&client->budget, call->now_us, cost);
  if (paid) {
    call->cost = cost;
  } else if (!client->budget_empty) {
    static const struct dsc_event event = {DSC_CHANGE_BUDGET, 0,
                                           DSC_STATE_CLOSED, 0, 0};
    dsc_client_tell(client, &event);
  }
  client->budget_empty = !paid;
  return paid;
}

/* All repeats go through a sleep, be it of no time: nothing is held while the
** log is told of them. */
static enum dsc_action sleep_then_repeat(struct dsc_call *call,
                                         int64_t wait_us) {
  leave_queue(call);
  call->repeats = true;
  call->pacing = false;
  call->wait_us = wait_us;
  if (call->client->config.metrics_on)
    dsc_metrics_retry(&call->client->metrics, call->operation.metric,
                      call->last.kind);
  return DSC_DO_SLEEP;
}

static enum dsc_action repeat(struct dsc_call *call) {
  enum dsc_kind kind = call->last.kind;
  if (switch_server(call) && spend(call))
    return sleep_then_repeat(call, 0);
  call->switches = 0;
  if (!repeats_left(call))
    return fail(call, kind);
  if (kind != DSC_THROTTLED)
    call->wait_us = backoff_us(call, call->retries);
  if (call->wait_us >= call->deadline_us - call->now_us || !spend(call))
    return fail(call, kind);
  call->history[(call->attempts - 1) % DSC_HISTORY_MAX].wait_us =
      call->wait_us;
  call->fresh = false;
  return sleep_then_repeat(call, call->wait_us);
}

/* An attempt that did not succeed: what now? */
static enum dsc_action weigh(struct dsc_call *call) {
  const struct dsc_retry_policy *policy = &call->operation.retry;
  enum dsc_kind kind = call->last.kind;
  if (call->operation.replay == DSC_ONCE && call->may_have_acted)
    return fail(call, DSC_OUTCOME_UNKNOWN);
  bool retryable = dsc_retryable(policy, call->operation.replay, &call->last);
  if (is_closed(call)) /* what the server said still counts */
    return fail(call, call->last.status != 0 && !retryable ? kind
                                                           : DSC_CANCELLED);
  if (kind == DSC_TIMEOUT && call->now_us >= call->deadline_us)
    return fail(call, DSC_DEADLINE);
  if (kind == DSC_AUTH && !call->token_renewed) {
    call->token_renewed = true;
    leave_queue(call);
    return DSC_DO_TOKEN;
  }
  if (!retryable)
    return fail(call, kind);
  if (call->last.stale && !call->free_repeat) {
    call->free_repeat = true;
    call->fresh = true;
    return sleep_then_repeat(call, 0);
  }
  return repeat(call);
}

static bool already(const struct dsc_operation *operation, int64_t code) {
  for (int32_t i = 0; i < operation->already_count; i++)
    if (operation->already[i] == code)
      return true;
  return false;
}

static void learn(struct dsc_call *call) {
  if (is_closed(call))
    return;
  report_health(call);
  report_pace(call);
}

static enum dsc_action done(struct dsc_call *call) {
  struct dsc_client *client = call->client;
  if (is_closed(call))
    return DSC_DO_DONE;
  leave_queue(call);
  dsc_budget_earn(&client->budget, call->now_us, call->cost);
  client->server = call->server;
  return DSC_DO_DONE;
}

/* The attempt is written down: what does it mean, and what now? */
static enum dsc_action settle(struct dsc_call *call) {
  learn(call);
  return call->last.kind == DSC_OK ? done(call) : weigh(call);
}

/* An attempt that gave this, and perhaps an answer. */
static enum dsc_action judged(struct dsc_call *call,
                              const struct dsc_answer *answer,
                              const struct dsc_envelope *envelope,
                              uint64_t bytes_in, uint64_t bytes_out) {
  call->may_have_acted = dsc_may_have_acted(&call->operation.retry,
                                            &call->last, answer, envelope);
  record(call, bytes_in, bytes_out);
  return due(call, DSC_DUE_VERDICT);
}

enum dsc_action dsc_call_answered(struct dsc_call *call,
                                  const struct dsc_answer *answer,
                                  uint64_t bytes_in, uint64_t bytes_out) {
  struct dsc_envelope envelope;
  look_at_clock(call);
  dsc_judge(answer, call->operation.form, &call->last, &envelope);
  if (call->last.kind == DSC_API &&
      already(&call->operation, call->last.code))
    call->last.kind = DSC_OK;
  call->message[0] = '\0';
  if (call->last.kind == DSC_OK || call->last.kind == DSC_API)
    dsc_envelope_message(&envelope, call->message, sizeof call->message);
  call->has_data = envelope.data != NULL;
  call->data_from = 0;
  call->data_length = envelope.data_length;
  if (call->has_data)
    call->data_from = (size_t)(envelope.data - answer->body);
  return judged(call, answer, &envelope, bytes_in, bytes_out);
}

enum dsc_action dsc_call_failed(struct dsc_call *call, enum dsc_kind kind,
                                enum dsc_phase phase, bool stale,
                                bool delivered, const char *message) {
  look_at_clock(call);
  memset(&call->last, 0, sizeof call->last);
  call->last.kind = kind;
  call->last.phase = phase;
  call->last.stale = stale;
  call->last.delivered = delivered;
  call->last.retry_after_us = -1;
  set_message(call, message);
  return judged(call, NULL, NULL, 0, 0);
}

enum dsc_action dsc_call_resumed(struct dsc_call *call) {
  look_at_clock(call);
  return due(call, DSC_DUE_GATES);
}

enum dsc_action dsc_call_admitted(struct dsc_call *call) {
  look_at_clock(call);
  if (!is_closed(call))
    dsc_queue_admit(&call->client->queue, &call->waiter, call->now_us);
  return due(call, DSC_DUE_GATES);
}

enum dsc_action dsc_call_cancelled(struct dsc_call *call) {
  look_at_clock(call);
  return fail(call, DSC_CANCELLED);
}

enum dsc_action dsc_call_renewed(struct dsc_call *call, bool different) {
  look_at_clock(call);
  if (is_closed(call))
    return fail(call, DSC_CANCELLED);
  if (!different)
    return fail(call, DSC_AUTH);
  return sleep_then_repeat(call, 0);
}

/* --- the end ------------------------------------------------------------- */

void dsc_call_end(struct dsc_call *call, int end) {
  if (call->ended || is_closed(call))
    return;
  call->ended = true;
  look_at_clock(call);
  leave_queue(call);
  if (call->client->config.metrics_on)
    dsc_metrics_call(&call->client->metrics, call->operation.metric, end,
                     call->now_us - call->started_us);
}

struct dsc_call *dsc_call_woken(struct dsc_client *client) {
  if (client->env == NULL)
    return NULL;
  return (struct dsc_call *)dsc_queue_woken(&client->queue,
                                            dsc_now_us(client->env));
}

#include "core/call.h"

#include <string.h>

/* A request that timed out is probably still worked on: a second repeat of a
** slow list would be an attack. */
#define TIMEOUT_REPEATS_MAX 1

static enum dsc_action fail(struct dsc_call *call, enum dsc_kind kind) {
  call->error = kind;
  return DSC_DO_FAIL;
}

/* The client may be closed while its call is under way. */
static bool is_closed(const struct dsc_call *call) {
  return call->client->env == NULL;
}

static void set_message(struct dsc_call *call, const char *message) {
  size_t length = strlen(message);
  if (length >= DSC_MESSAGE_MAX)
    length = DSC_MESSAGE_MAX - 1;
  memcpy(call->message, message, length);
  call->message[length] = '\0';
}

static enum dsc_action send(struct dsc_call *call) {
  if (is_closed(call))
    return fail(call, DSC_CLOSED);
  int64_t now_us = dsc_now_us(call->client->env);
  if (now_us >= call->deadline_us)
    return fail(call, DSC_DEADLINE);
  call->attempt_started_us = now_us;
  call->attempt_deadline_us = call->deadline_us;
  if (call->operation.attempt_timeout_us < call->deadline_us - now_us)
    call->attempt_deadline_us = now_us + call->operation.attempt_timeout_us;
  return DSC_DO_SEND;
}

enum dsc_action dsc_call_begin(struct dsc_call *call,
                               struct dsc_client *client, uint32_t operation,
                               int64_t timeout_us,
                               int64_t attempt_timeout_us) {
  memset(call, 0, sizeof *call);
  call->client = client;
  if (is_closed(call))
    return fail(call, DSC_CLOSED);
  call->operation = client->operations[operation];
  if (timeout_us > 0)
    call->operation.timeout_us = timeout_us;
  if (attempt_timeout_us > 0)
    call->operation.attempt_timeout_us = attempt_timeout_us;
  call->started_us = dsc_now_us(client->env);
  call->deadline_us = call->started_us + call->operation.timeout_us;
  call->server = client->server;
  return dsc_call_request(call);
}

enum dsc_action dsc_call_request(struct dsc_call *call) {
  call->requests++;
  call->retries = 0;
  call->throttles = 0;
  call->timeouts = 0;
  call->switches = 0;
  call->free_repeat = false;
  call->fresh = false;
  call->token_renewed = false;
  return send(call);
}

/* Writes down call->last. */
static struct dsc_attempt *record(struct dsc_call *call, uint64_t bytes_in,
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
    attempt->duration_us =
        dsc_now_us(call->client->env) - call->attempt_started_us;
  if (call->client->config.metrics_on)
    dsc_metrics_attempt(&call->client->metrics, call->operation.metric,
                        call->attempts >= call->requests, bytes_in, bytes_out);
  call->attempts++;
  return attempt;
}

/* The other servers are asked first when this one surely did not act, or is
** said to be out of service; a full round of them ends in a sleep. */
static bool switch_server(struct dsc_call *call) {
  uint32_t servers = call->client->config.servers;
  bool elsewhere =
      call->last.phase == DSC_UNSENT || call->last.status == 503;
  if (!elsewhere || servers < 2)
    return false;
  call->server = (call->server + 1) % servers;
  return (uint32_t)++call->switches < servers;
}

static bool repeats_left(struct dsc_call *call) {
  const struct dsc_retry_policy *policy = &call->client->config.retry;
  if (call->last.kind == DSC_THROTTLED) {
    call->throttles++;
    return policy->max_retries > 0;
  }
  if (call->last.kind == DSC_TIMEOUT && call->last.phase != DSC_UNSENT &&
      ++call->timeouts > TIMEOUT_REPEATS_MAX)
    return false;
  return ++call->retries <= policy->max_retries;
}

static enum dsc_action repeat(struct dsc_call *call,
                              struct dsc_attempt *attempt,
                              enum dsc_kind otherwise) {
  const struct dsc_client *client = call->client;
  if (switch_server(call))
    return send(call);
  call->switches = 0;
  if (!repeats_left(call))
    return fail(call, otherwise);
  bool throttled = call->last.kind == DSC_THROTTLED;
  int32_t n = throttled ? call->throttles : call->retries;
  call->wait_us = dsc_backoff_us(&client->config.retry, client->env, n,
                                 call->last.kind);
  if (call->wait_us < call->last.retry_after_us)
    call->wait_us = call->last.retry_after_us;
  int64_t left_us = call->deadline_us - dsc_now_us(client->env);
  if (call->wait_us >= left_us)
    return fail(call, otherwise);
  attempt->wait_us = call->wait_us;
  return DSC_DO_SLEEP;
}

/* An attempt that did not succeed: what now? */
static enum dsc_action weigh(struct dsc_call *call,
                             struct dsc_attempt *attempt,
                             const struct dsc_answer *answer,
                             const struct dsc_envelope *envelope) {
  enum dsc_kind kind = call->last.kind;
  if (call->operation.replay == DSC_ONCE &&
      dsc_may_have_acted(&call->last, answer, envelope))
    return fail(call, DSC_OUTCOME_UNKNOWN);
  if (kind == DSC_TIMEOUT && !is_closed(call) &&
      dsc_now_us(call->client->env) >= call->deadline_us)
    return fail(call, DSC_DEADLINE);
  if (kind == DSC_AUTH && !call->token_renewed) {
    call->token_renewed = true;
    return DSC_DO_TOKEN;
  }
  if (!dsc_retryable(&call->client->config.retry, call->operation.replay,
                     &call->last))
    return fail(call, kind);
  if (is_closed(call))
    return fail(call, DSC_CLOSED);
  if (call->last.stale && !call->free_repeat) {
    call->free_repeat = true;
    call->fresh = true;
    return send(call);
  }
  return repeat(call, attempt, kind);
}

static bool already(const struct dsc_operation *operation, int64_t code) {
  for (int32_t i = 0; i < operation->already_count; i++)
    if (operation->already[i] == code)
      return true;
  return false;
}

enum dsc_action dsc_call_answered(struct dsc_call *call,
                                  const struct dsc_answer *answer,
                                  uint64_t bytes_in, uint64_t bytes_out) {
  struct dsc_envelope envelope;
  dsc_judge(answer, &call->last, &envelope);
  if (call->last.kind == DSC_API &&
      already(&call->operation, call->last.code))
    call->last.kind = DSC_OK;
  struct dsc_attempt *attempt = record(call, bytes_in, bytes_out);
  call->message[0] = '\0';
  if (call->last.has_code)
    dsc_envelope_message(&envelope, call->message, sizeof call->message);
  if (call->last.kind != DSC_OK)
    return weigh(call, attempt, answer, &envelope);
  if (!is_closed(call))
    call->client->server = call->server;
  call->has_data = envelope.data != NULL;
  call->data_from = 0;
  call->data_length = envelope.data_length;
  if (call->has_data)
    call->data_from = (size_t)(envelope.data - answer->body);
  return DSC_DO_DONE;
}

enum dsc_action dsc_call_failed(struct dsc_call *call, enum dsc_kind kind,
                                enum dsc_phase phase, bool stale,
                                const char *message) {
  memset(&call->last, 0, sizeof call->last);
  call->last.kind = kind;
  call->last.phase = phase;
  call->last.stale = stale;
  call->last.retry_after_us = -1;
  set_message(call, message);
  struct dsc_attempt *attempt = record(call, 0, 0);
  return weigh(call, attempt, NULL, NULL);
}

enum dsc_action dsc_call_resumed(struct dsc_call *call) {
  call->fresh = false;
  return send(call);
}

enum dsc_action dsc_call_renewed(struct dsc_call *call, bool different) {
  return different ? send(call) : fail(call, DSC_AUTH);
}

void dsc_call_end(struct dsc_call *call, bool failed) {
  if (call->ended || is_closed(call))
    return;
  call->ended = true;
  if (call->client->config.metrics_on)
    dsc_metrics_call(&call->client->metrics, call->operation.metric, failed,
                     dsc_now_us(call->client->env) - call->started_us);
}

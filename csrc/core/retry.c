#include "core/retry.h"

#include <string.h>

#include "core/date.h"
#include "core/header.h"
#include "core/json.h"

/* Codes of the server that mean "try again" (Status.java): no master
** available, a project with fresh remains, a log not there yet. */
static const int64_t codes_again[] = {10025, 10137, 10191};

/* From 3.3 on an execute is a synchronous call from API to master, and code
** 10000 may hide one that was done. These texts are refusals for sure. */
#define CODE_INTERNAL 10000
static const char *const refusals[] = {
    "can not be recovered", "cannot recovery",   "cannot repeat running",
    "can not stop",         "can not pause",     "Cannot find the workflow",
    "Unsupported executeType",
};

/* Longer hints are as good as none: they can't fit into a call. */
#define RETRY_AFTER_MAX_S 1000000

static bool is_json(const struct dsc_answer *answer) {
  return dsc_header_is(answer->content_type, strlen(answer->content_type),
                       "application/json");
}

static bool is_file(const struct dsc_answer *answer) {
  return dsc_header_is(answer->disposition, strlen(answer->disposition),
                       "attachment");
}

/* False where the text is not digits only. */
static bool read_seconds(const char *text, int64_t *seconds) {
  *seconds = 0;
  for (const char *at = text; *at != '\0'; at++) {
    if (*at < '0' || *at > '9')
      return false;
    if (*seconds <= RETRY_AFTER_MAX_S)
      *seconds = *seconds * 10 + (*at - '0');
  }
  return *text != '\0';
}

/*
** RFC 9110, 10.2.3: seconds, or a date, which counts from the answer's own:
** our clock may be wrong. What lies in the past or is neither is no hint.
*/
static int64_t retry_after_us(const struct dsc_answer *answer) {
  int64_t seconds, until, sent;
  if (!read_seconds(answer->retry_after, &seconds)) {
    if (!dsc_http_date(answer->retry_after, &until) ||
        !dsc_http_date(answer->date, &sent) || until < sent)
      return -1;
    seconds = until - sent;
  }
  if (seconds > RETRY_AFTER_MAX_S)
    seconds = RETRY_AFTER_MAX_S;
  return seconds * 1000000;
}

static bool overloaded(int32_t status) {
  return status == 500 || (status >= 502 && status <= 504);
}

/* --- what a 2xx answer is ------------------------------------------------- */

static enum dsc_kind judge_envelope(const struct dsc_answer *answer,
                                    struct dsc_outcome *outcome,
                                    struct dsc_envelope *envelope) {
  if (!is_json(answer) ||
      !dsc_envelope_read(answer->body, answer->length, answer->known,
                         envelope) ||
      !envelope->has_code)
    return DSC_NOT_API;
  outcome->has_code = true;
  outcome->code = envelope->code;
  return envelope->code == 0 ? DSC_OK : DSC_API;
}

/* The whole document is the data, but for null. */
static enum dsc_kind judge_document(const struct dsc_answer *answer,
                                    struct dsc_envelope *envelope) {
  struct dsc_json json;
  memset(envelope, 0, sizeof *envelope);
  dsc_json_init(&json, answer->body, answer->length);
  enum dsc_json_token token = dsc_json_skip(&json);
  const char *text = json.text;
  size_t length = json.length;
  if (token == DSC_JSON_ERROR || dsc_json_next(&json) != DSC_JSON_END)
    return DSC_NOT_API;
  if (token != DSC_JSON_NULL) {
    envelope->data = text;
    envelope->data_length = length;
  }
  return DSC_OK;
}

/* Errors come in an envelope also where a success does not. */
static enum dsc_kind judge_bare(const struct dsc_answer *answer,
                                struct dsc_outcome *outcome,
                                struct dsc_envelope *envelope) {
  static const char success[] = "SUCCESS";
  if (answer->length == 0)
    return DSC_OK;
  enum dsc_kind kind = judge_envelope(answer, outcome, envelope);
  if (kind != DSC_NOT_API || !is_json(answer))
    return kind;
  if (envelope->status == NULL)
    return judge_document(answer, envelope);
  bool fine = envelope->status_length == sizeof success - 1 &&
              memcmp(envelope->status, success, sizeof success - 1) == 0;
  return fine ? DSC_OK : DSC_API;
}

/* Exported definitions come as an array of JSON that no header calls a file. */
static bool is_array(const struct dsc_answer *answer,
                     struct dsc_envelope *envelope) {
  return is_json(answer) && judge_document(answer, envelope) == DSC_OK &&
         envelope->data != NULL && *envelope->data == '[';
}

/* An envelope in place of a file: an error, or there is nothing in the file. */
static enum dsc_kind judge_file(const struct dsc_answer *answer,
                                struct dsc_outcome *outcome,
                                struct dsc_envelope *envelope) {
  if (is_file(answer)) {
    envelope->data = answer->body;
    envelope->data_length = answer->length;
    return DSC_OK;
  }
  enum dsc_kind kind = judge_envelope(answer, outcome, envelope);
  if (kind == DSC_NOT_API && is_array(answer, envelope))
    return DSC_OK;
  return kind == DSC_OK && envelope->data != NULL ? DSC_NOT_API : kind;
}

static enum dsc_kind judge_success(const struct dsc_answer *answer,
                                   enum dsc_form form,
                                   struct dsc_outcome *outcome,
                                   struct dsc_envelope *envelope) {
  switch (form) {
  case DSC_BARE:
    return judge_bare(answer, outcome, envelope);
  case DSC_FILE:
    return judge_file(answer, outcome, envelope);
  default:
    return judge_envelope(answer, outcome, envelope);
  }
}

void dsc_judge(const struct dsc_answer *answer, enum dsc_form form,
               struct dsc_outcome *outcome, struct dsc_envelope *envelope) {
  memset(outcome, 0, sizeof *outcome);
  memset(envelope, 0, sizeof *envelope);
  outcome->phase = DSC_SENT;
  outcome->status = answer->status;
  outcome->retry_after_us = -1;
  if (answer->status == 401 && answer->length == 0) {
    outcome->kind = DSC_AUTH;
  } else if (answer->status == 429) {
    outcome->kind = DSC_THROTTLED;
    outcome->retry_after_us = retry_after_us(answer);
  } else if (overloaded(answer->status)) {
    outcome->kind = DSC_SERVER;
    if (answer->status == 503)
      outcome->retry_after_us = retry_after_us(answer);
  } else if (answer->status == 404 || answer->status == 405) {
    outcome->kind = DSC_NOT_API;
  } else if (answer->status < 200 || answer->status > 299) {
    outcome->kind = DSC_HTTP;
  } else {
    outcome->kind = judge_success(answer, form, outcome, envelope);
  }
}

static bool contains(const char *text, size_t length, const char *part) {
  size_t part_length = strlen(part);
  for (size_t i = 0; i + part_length <= length; i++)
    if (memcmp(text + i, part, part_length) == 0)
      return true;
  return false;
}

static bool refused(const struct dsc_envelope *envelope) {
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
    if (contains(envelope->msg, envelope->msg_length, refusals[i]))
      return true;
  return false;
}

/* "Not now, come back later": the server says that it did nothing. */
static bool put_off(const struct dsc_retry_policy *policy,
                    const struct dsc_outcome *outcome) {
  return policy->trust_503 && outcome->status == 503 &&
         outcome->retry_after_us >= 0;
}

bool dsc_may_have_acted(const struct dsc_retry_policy *policy,
                        const struct dsc_outcome *outcome,
                        const struct dsc_answer *answer,
                        const struct dsc_envelope *envelope) {
  if (answer == NULL)
    return outcome->phase != DSC_UNSENT;
  switch (outcome->kind) {
  case DSC_SERVER:
    return !put_off(policy, outcome);
  case DSC_NOT_API:
    /* a damaged answer of the API itself, not a page of something else */
    return answer->status >= 200 && answer->status <= 299 &&
           is_json(answer);
  case DSC_API:
    return outcome->code == CODE_INTERNAL && !refused(envelope);
  default:
    return false;
  }
}

static bool listed(const struct dsc_retry_policy *policy, int32_t status) {
  for (int32_t i = 0; i < policy->statuses_count; i++)
    if (policy->statuses[i] == status)
      return true;
  return false;
}

static bool code_again(int64_t code) {
  for (size_t i = 0; i < sizeof codes_again / sizeof *codes_again; i++)
    if (codes_again[i] == code)
      return true;
  return false;
}

bool dsc_retryable(const struct dsc_retry_policy *policy,
                   enum dsc_replay replay, const struct dsc_outcome *outcome) {
  bool replayable = replay != DSC_ONCE;
  if (outcome->delivered)
    return false;
  switch (outcome->kind) {
  case DSC_CONNECT:
  case DSC_TLS:
  case DSC_DNS:
    return true;
  case DSC_NETWORK:
  case DSC_TIMEOUT:
  case DSC_PROTOCOL:
    return outcome->phase == DSC_UNSENT || replayable;
  case DSC_THROTTLED:
    return listed(policy, outcome->status);
  case DSC_SERVER:
  case DSC_HTTP:
    return (replayable || put_off(policy, outcome)) &&
           listed(policy, outcome->status);
  case DSC_API:
    return replayable && code_again(outcome->code);
  default:
    return false;
  }
}

/* As of AWS's SDKs, but for the refill: theirs stays empty where there are few
** calls to earn from. */
#define COST 14
#define COST_THROTTLED 5
#define EARNED 1
#define REFILL 14
#define REFILL_US INT64_C(10000000)

void dsc_budget_init(struct dsc_budget *budget, int64_t now_us) {
  budget->tokens = DSC_BUDGET_MAX;
  budget->refilled_us = now_us;
}

int32_t dsc_budget_cost(enum dsc_kind kind) {
  return kind == DSC_THROTTLED ? COST_THROTTLED : COST;
}

static void add_tokens(struct dsc_budget *budget, int64_t tokens) {
  budget->tokens = tokens < DSC_BUDGET_MAX - budget->tokens
                       ? budget->tokens + (int32_t)tokens
                       : DSC_BUDGET_MAX;
}

int32_t dsc_budget_left(struct dsc_budget *budget, int64_t now_us) {
  int64_t refills = (now_us - budget->refilled_us) / REFILL_US;
  if (refills > 0) {
    budget->refilled_us += refills * REFILL_US;
    add_tokens(budget, refills < DSC_BUDGET_MAX ? refills * REFILL
                                                : DSC_BUDGET_MAX);
  }
  return budget->tokens;
}

bool dsc_budget_spend(struct dsc_budget *budget, int64_t now_us,
                      int32_t cost) {
  if (dsc_budget_left(budget, now_us) < cost)
    return false;
  budget->tokens -= cost;
  return true;
}

void dsc_budget_earn(struct dsc_budget *budget, int64_t now_us,
                     int32_t cost) {
  dsc_budget_left(budget, now_us);
  add_tokens(budget, cost > 0 ? cost : EARNED);
}

int64_t dsc_backoff_us(const struct dsc_retry_policy *policy,
                       const struct dsc_env *env, int32_t n,
                       enum dsc_kind kind) {
  int64_t wait_us = policy->backoff_us;
  for (int32_t i = 1; i < n && wait_us < policy->backoff_max_us; i++)
    wait_us *= 2;
  if (wait_us > policy->backoff_max_us)
    wait_us = policy->backoff_max_us;
  enum dsc_jitter jitter = policy->jitter;
  if (jitter == DSC_JITTER_AUTO)
    jitter = kind == DSC_THROTTLED ? DSC_JITTER_EQUAL : DSC_JITTER_FULL;
  if (jitter == DSC_JITTER_FULL)
    return (int64_t)((double)wait_us * dsc_random(env));
  if (jitter == DSC_JITTER_EQUAL)
    return wait_us / 2 + (int64_t)((double)(wait_us / 2) * dsc_random(env));
  return wait_us;
}

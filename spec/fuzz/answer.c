/*
** A whole answer is judged: status, Content-Type, Retry-After and Date, a line
** each, and the body behind them. Whatever it is, a call that may be sent once
** is not repeated where the server may have acted.
*/
#include <stdlib.h>
#include <string.h>

#include "core/retry.h"
#include "harness.h"

/* No hint is longer, in microseconds. */
#define RETRY_AFTER_MAX_US INT64_C(1000000000000)
#define BACKOFF_MAX_US 20000000

static const struct dsc_env quiet = {NULL, NULL, NULL, NULL};

/* Of an envelope, the code says it. */
static void check_said(const struct dsc_outcome *outcome,
                       const struct dsc_envelope *envelope) {
  bool said = outcome->kind == DSC_OK || outcome->kind == DSC_API;
  REQUIRE(outcome->has_code == said);
  REQUIRE(!said || envelope->has_code);
  REQUIRE((outcome->kind == DSC_OK) == (said && outcome->code == 0));
}

static void check_outcome(const struct dsc_answer *answer,
                          const struct dsc_outcome *outcome,
                          const struct dsc_envelope *envelope) {
  bool success = answer->status >= 200 && answer->status <= 299;
  bool hinted = answer->status == 429 || answer->status == 503;
  bool said = outcome->kind == DSC_OK || outcome->kind == DSC_API;
  REQUIRE(outcome->phase == DSC_SENT && outcome->status == answer->status);
  REQUIRE(!said || success);
  REQUIRE(outcome->kind != DSC_OK || outcome->code == 0);
  if (outcome->kind == DSC_OK && envelope->data != NULL) {
    REQUIRE(envelope->data >= answer->body);
    REQUIRE(envelope->data + envelope->data_length <=
            answer->body + answer->length);
  }
  REQUIRE(outcome->retry_after_us >= -1);
  REQUIRE(outcome->retry_after_us <= RETRY_AFTER_MAX_US);
  REQUIRE(outcome->retry_after_us < 0 || hinted);
}

static void check_repeats(bool trust_503, const struct dsc_answer *answer,
                          const struct dsc_outcome *outcome,
                          const struct dsc_envelope *envelope) {
  struct dsc_retry_policy policy = {3, 500000, BACKOFF_MAX_US,
                                    DSC_JITTER_NONE, {answer->status}, 1,
                                    trust_503};
  bool acted = dsc_may_have_acted(&policy, outcome, answer, envelope);
  bool read = dsc_retryable(&policy, DSC_READ, outcome);
  bool once = dsc_retryable(&policy, DSC_ONCE, outcome);
  REQUIRE(!(acted && once));
  REQUIRE(read || !once);
  REQUIRE(read == dsc_retryable(&policy, DSC_REPEATABLE, outcome));
  REQUIRE(!(outcome->kind == DSC_OK && (read || acted)));
  for (int32_t n = 1; n <= 40; n++) {
    int64_t wait_us = dsc_backoff_us(&policy, &quiet, n, outcome->kind);
    REQUIRE(wait_us > 0 && wait_us <= BACKOFF_MAX_US);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, data + size};
  struct dsc_outcome outcome;
  struct dsc_envelope envelope;
  char *status = fuzz_line(&input), *type = fuzz_line(&input);
  char *hint = fuzz_line(&input), *date = fuzz_line(&input);
  size_t length = (size_t)(input.end - input.at);
  char *body = fuzz_copy(input.at, length);
  struct dsc_answer answer = {(int32_t)strtol(status, NULL, 10),
                              type, hint, date, "", body, length, {NULL, 0}};
  static const char *const dispositions[] = {"", "attachment"};
  for (int i = 0; i < 2 * (DSC_FILE + 1); i++) {
    int form = i / 2;
    answer.disposition = dispositions[i % 2];
    dsc_judge(&answer, (enum dsc_form)form, &outcome, &envelope);
    if (form == DSC_ENVELOPED)
      check_said(&outcome, &envelope);
    check_outcome(&answer, &outcome, &envelope);
    check_repeats(false, &answer, &outcome, &envelope);
    check_repeats(true, &answer, &outcome, &envelope);
  }
  free(status);
  free(type);
  free(hint);
  free(date);
  free(body);
  return 0;
}

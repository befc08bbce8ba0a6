/*
** What an attempt came to, and whether it may be repeated, after how long.
*/
#ifndef DSC_RETRY_H
#define DSC_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/env.h"
#include "core/envelope.h"
#include "core/error.h"

/* How an operation may be repeated; not the HTTP method decides. */
enum dsc_replay {
  DSC_READ,       /* at will: may be cached and shared, too */
  DSC_REPEATABLE, /* a write whose repetition ends in the same state */
  DSC_ONCE        /* never after a byte was sent */
};

enum dsc_jitter {
  DSC_JITTER_AUTO, /* full, but equal after a 429 */
  DSC_JITTER_FULL,
  DSC_JITTER_EQUAL,
  DSC_JITTER_NONE
};

/* How the success of an operation comes. */
enum dsc_form {
  DSC_ENVELOPED, /* {code, msg, data} */
  DSC_BARE,      /* a document of its own, or {status, msg, data} */
  DSC_FILE       /* bytes of any kind, as an attachment */
};

#define DSC_RETRY_STATUSES_MAX 16

struct dsc_retry_policy {
  int32_t max_retries;
  int64_t backoff_us, backoff_max_us;
  enum dsc_jitter jitter;
  int32_t statuses[DSC_RETRY_STATUSES_MAX];
  int32_t statuses_count;
  /* A 503 with Retry-After is taken for a refusal, of a once call, too. */
  bool trust_503;
};

/*
** The retry budget of one client, in tokens: a repeat costs some, a success
** earns some, and time refills it. It ends the repeats where most calls fail.
*/
struct dsc_budget {
  int32_t tokens;
  int64_t refilled_us;
};

#define DSC_BUDGET_MAX 500

/* What came back from one attempt. */
struct dsc_outcome {
  enum dsc_kind kind;
  enum dsc_phase phase; /* DSC_SENT for every answer */
  bool stale;           /* a reused connection was dead already */
  bool delivered;       /* a part of the answer is the caller's already */
  int32_t status;       /* 0: no answer */
  bool has_code;
  int64_t code;
  int64_t retry_after_us; /* below 0: not given */
};

struct dsc_answer {
  int32_t status;
  const char *content_type; /* "" when not given */
  const char *retry_after;  /* "" when not given */
  const char *date;         /* when it was sent; "" when not given */
  const char *disposition;  /* "" when not given */
  const char *body;
  size_t length;
  struct dsc_known known; /* `data`, where it was read already */
};

/*
** The verdict on an answer; fills in the envelope where there is one. Its data
** is that of a success of any form: of a file, the whole body.
*/
void dsc_judge(const struct dsc_answer *answer, enum dsc_form form,
               struct dsc_outcome *outcome, struct dsc_envelope *envelope);

/* May this outcome be followed by another attempt at all? */
bool dsc_retryable(const struct dsc_retry_policy *policy,
                   enum dsc_replay replay, const struct dsc_outcome *outcome);

/*
** May the server have acted although no success was seen? The answer is NULL
** where none came.
*/
bool dsc_may_have_acted(const struct dsc_retry_policy *policy,
                        const struct dsc_outcome *outcome,
                        const struct dsc_answer *answer,
                        const struct dsc_envelope *envelope);

void dsc_budget_init(struct dsc_budget *budget, int64_t now_us);
/* What a repeat after an outcome of this kind costs. */
int32_t dsc_budget_cost(enum dsc_kind kind);
/* False, and nothing is spent, where there is not enough. */
bool dsc_budget_spend(struct dsc_budget *budget, int64_t now_us,
                      int32_t cost);
/* A success: of the first try, or of a repeat that had cost so much. */
void dsc_budget_earn(struct dsc_budget *budget, int64_t now_us, int32_t cost);
/* The tokens there are now. */
int32_t dsc_budget_left(struct dsc_budget *budget, int64_t now_us);

/* The wait before the n-th repeat (from 1), without any hint. */
int64_t dsc_backoff_us(const struct dsc_retry_policy *policy,
                       const struct dsc_env *env, int32_t n,
                       enum dsc_kind kind);

#endif

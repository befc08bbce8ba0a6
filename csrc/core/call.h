/*
** One logical call as a state machine: it is told what happened and answers
** what to do now. It never waits.
**
**   dsc_call_begin --+--> SEND ---> dsc_call_answered / dsc_call_failed --+
**                    |                                                    |
**                    +--> WAIT, SLEEP ---> dsc_call_resumed ---+          |
**                    |                                         |          |
**                    +<----------------------------------------+          |
**                    |                                                    |
**                    |     SLEEP <--- dsc_call_renewed <--- TOKEN <-------+
**                    +<--- dsc_call_resumed <--- SLEEP <------------------+
**                    +<--- dsc_call_request <--- DONE  <------------------+
**                    |     (the next page)                                |
**                    +--> FAIL <------------------------------------------+
**
** Before each attempt stand three gates: the breakers of server and operation,
** the queue for connections (WAIT), the pace (SLEEP). dsc_call_cancelled ends
** it in each state, dsc_call_end closes the books, once.
**
** Where the limits are shared with other processes, each step that looks at
** them answers WEIGH first: they have to be fetched then, and brought back
** after dsc_call_weigh, which takes the step.
*/
#ifndef DSC_CALL_H
#define DSC_CALL_H

#include "core/client.h"

enum dsc_action { DSC_DO_SEND, DSC_DO_WAIT, DSC_DO_SLEEP, DSC_DO_TOKEN,
                  DSC_DO_WEIGH, DSC_DO_DONE, DSC_DO_FAIL };

/* What a call has to do with the limits next. */
enum dsc_due { DSC_DUE_GATES, DSC_DUE_VERDICT };

/* The last attempts are kept for err.attempts. */
#define DSC_HISTORY_MAX 16
#define DSC_MESSAGE_MAX 256

struct dsc_attempt {
  enum dsc_kind kind;
  int32_t status;
  bool has_code;
  int64_t code;
  int64_t duration_us;
  int64_t wait_us; /* the sleep before the next one */
  uint32_t server;
};

struct dsc_call {
  struct dsc_waiter waiter; /* for a connection; has to be first */
  struct dsc_client *client;
  uint32_t number; /* of the operation */
  struct dsc_operation operation;
  int64_t now_us; /* of the step that is done, or was done last */
  int64_t started_us, deadline_us;
  int64_t attempt_started_us, attempt_deadline_us;
  int64_t wait_us;      /* of DSC_DO_SLEEP and DSC_DO_WAIT, at most */
  bool pacing;          /* it sleeps for the pace, not for a repeat */
  bool paced;           /* its turn is at send_at_us */
  uint32_t pace;        /* of the pacer when the turn was given */
  int64_t send_at_us;
  bool permitted;       /* the breakers let it through with these permits */
  uint32_t server_permit, operation_permit;
  int32_t requests;     /* pages */
  int32_t attempts;     /* of the whole call */
  int32_t retries;      /* of this request, as all fields below */
  int32_t throttles;    /* 429s: they don't use up the retries */
  int32_t timeouts;     /* after sending: repeated once only */
  int32_t switches;     /* of server, since the last sleep */
  int32_t cost;         /* of the last repeat, in tokens of the budget */
  bool repeats;         /* an attempt has failed, and may be repeated */
  bool free_repeat;     /* the one for a stale connection is used */
  bool fresh;           /* the next attempt wants a fresh connection */
  bool token_renewed;
  bool may_have_acted;  /* the server, at the last attempt */
  bool ended;
  enum dsc_due due;     /* after DSC_DO_WEIGH */
  uint32_t server;
  struct dsc_outcome last;
  enum dsc_kind error; /* what the call failed with */
  size_t data_from, data_length; /* of the answer's `data`, when done */
  bool has_data;
  char message[DSC_MESSAGE_MAX]; /* the server's or the transport's words */
  struct dsc_attempt history[DSC_HISTORY_MAX];
};

/* What one call wants otherwise than its operation; 0, and below 0 for the
** retries, is as the operation has it. */
struct dsc_wishes {
  int64_t timeout_us, attempt_timeout_us;
  int32_t max_retries;
};

/* The call must stay where it is until its end, or its client's. */
enum dsc_action dsc_call_begin(struct dsc_call *call,
                               struct dsc_client *client, uint32_t operation,
                               const struct dsc_wishes *wishes);
enum dsc_action dsc_call_answered(struct dsc_call *call,
                                  const struct dsc_answer *answer,
                                  uint64_t bytes_in, uint64_t bytes_out);
enum dsc_action dsc_call_failed(struct dsc_call *call, enum dsc_kind kind,
                                enum dsc_phase phase, bool stale,
                                bool delivered, const char *message);
/* The time of DSC_DO_SLEEP or DSC_DO_WAIT is over, or it was woken. */
enum dsc_action dsc_call_resumed(struct dsc_call *call);
/* DSC_DO_WAIT can't be done: it goes on with a connection beyond the limit. */
enum dsc_action dsc_call_admitted(struct dsc_call *call);
/* It was cancelled while it slept or waited. */
enum dsc_action dsc_call_cancelled(struct dsc_call *call);
/* After DSC_DO_TOKEN: did the source give a different token? */
enum dsc_action dsc_call_renewed(struct dsc_call *call, bool different);
/* After DSC_DO_WEIGH. */
enum dsc_action dsc_call_weigh(struct dsc_call *call);
/* A further request of the same call, under the same deadline. */
enum dsc_action dsc_call_request(struct dsc_call *call);

/* Records the call with its end, an enum dsc_kind or dsc_end, and gives back
** what it holds. Idempotent. */
void dsc_call_end(struct dsc_call *call, int end);

/* The call that got a connection and has to be woken, once; or NULL. */
struct dsc_call *dsc_call_woken(struct dsc_client *client);

#endif

/*
** One logical call as a state machine: it is told what happened and answers
** what to do now. It never waits.
**
**   dsc_call_begin ---> SEND --+--> dsc_call_answered / dsc_call_failed
**                        ^     |        |
**                        |     |        +--> SLEEP --> dsc_call_resumed --+
**                        |     |        +--> TOKEN --> dsc_call_renewed --+
**                        +-----|--------+-----------------------+---------+
**                              |        +--> DONE --> dsc_call_request
**                              +--------+--> FAIL        (the next page)
**
** dsc_call_end closes the books, once.
*/
#ifndef DSC_CALL_H
#define DSC_CALL_H

#include "core/client.h"

enum dsc_action { DSC_DO_SEND, DSC_DO_SLEEP, DSC_DO_TOKEN, DSC_DO_DONE,
                  DSC_DO_FAIL };

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
  struct dsc_client *client;
  struct dsc_operation operation;
  int64_t started_us, deadline_us;
  int64_t attempt_started_us, attempt_deadline_us;
  int64_t wait_us;      /* of DSC_DO_SLEEP */
  int32_t requests;     /* pages */
  int32_t attempts;     /* of the whole call */
  int32_t retries;      /* of this request, as all counters below */
  int32_t throttles;    /* 429s: they don't use up the retries */
  int32_t timeouts;     /* after sending: repeated once only */
  int32_t switches;     /* of server, since the last sleep */
  bool free_repeat;     /* the one for a stale connection is used */
  bool fresh;           /* the next attempt wants a fresh connection */
  bool token_renewed;
  bool ended;
  uint32_t server;
  struct dsc_outcome last;
  enum dsc_kind error; /* what the call failed with */
  size_t data_from, data_length; /* of the answer's `data`, when done */
  bool has_data;
  char message[DSC_MESSAGE_MAX]; /* the server's or the transport's words */
  struct dsc_attempt history[DSC_HISTORY_MAX];
};

/* timeout_us of 0 takes the operation's. */
enum dsc_action dsc_call_begin(struct dsc_call *call,
                               struct dsc_client *client, uint32_t operation,
                               int64_t timeout_us, int64_t attempt_timeout_us);
enum dsc_action dsc_call_answered(struct dsc_call *call,
                                  const struct dsc_answer *answer,
                                  uint64_t bytes_in, uint64_t bytes_out);
enum dsc_action dsc_call_failed(struct dsc_call *call, enum dsc_kind kind,
                                enum dsc_phase phase, bool stale,
                                const char *message);
enum dsc_action dsc_call_resumed(struct dsc_call *call);
/* After DSC_DO_TOKEN: did the source give a different token? */
enum dsc_action dsc_call_renewed(struct dsc_call *call, bool different);
/* A further request of the same call, under the same deadline. */
enum dsc_action dsc_call_request(struct dsc_call *call);

/* Records the call. Idempotent. */
void dsc_call_end(struct dsc_call *call, bool failed);

#endif

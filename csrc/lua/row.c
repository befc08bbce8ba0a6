/* What rows get on top of what the server sent: states and times. */
#include <string.h>

#include "core/date.h"
#include "lua/json.h"

/* By number: WorkflowExecutionStatus, and TaskExecutionStatus up to 17. */
static const struct ldsc_state states[] = {
    {"SUBMITTED_SUCCESS", 0, 0, 1},
    {"RUNNING_EXECUTION", 0, 0, 1},
    {"READY_PAUSE", 0, 0, 1},
    {"PAUSE", 1, 0, 0},
    {"READY_STOP", 0, 0, 1},
    {"STOP", 1, 0, 0},
    {"FAILURE", 1, 1, 0},
    {"SUCCESS", 1, 0, 0},
    /* counts as failed, but a failover may be on its way: not an end */
    {"NEED_FAULT_TOLERANCE", 0, 1, 0},
    {"KILL", 1, 0, 0},
    {"WAITING_THREAD", 0, 0, 1},
    {"WAITING_DEPEND", 0, 0, 1},
    {"DELAY_EXECUTION", 0, 0, 1},
    {"FORCED_SUCCESS", 1, 0, 0},
    {"SERIAL_WAIT", 0, 0, 1},
    {"READY_BLOCK", 0, 0, 1},
    {"BLOCK", 1, 0, 0},
    {"WAIT_TO_RUN", 0, 0, 1},
    {"FAILOVER", 0, 0, 1},
    {"DISPATCH", 0, 0, 1},
};
#define STATES (sizeof states / sizeof states[0])
#define DISPATCH (STATES - 1) /* has no number of its own: 17 of a task */
#define NUMBER_OF_DISPATCH 17

static const struct ldsc_state *by_number(int64_t number,
                                          enum ldsc_rows rows) {
  if (number == NUMBER_OF_DISPATCH && rows == LDSC_TASKS)
    return &states[DISPATCH];
  if (number < 0 || number >= (int64_t)DISPATCH)
    return NULL;
  return &states[number];
}

static const struct ldsc_state *by_name(const char *text, size_t length) {
  for (size_t i = 0; i < STATES; i++)
    if (strlen(states[i].name) == length &&
        memcmp(states[i].name, text, length) == 0)
      return &states[i];
  return NULL;
}

/* "WorkflowExecutionStatus{code=7, desc='success'}": where the 7 begins. */
static const char *number_of_enum(const char *text, size_t length) {
  static const char mark[] = "{code=";
  const char *brace = (const char *)memchr(text, '{', length);
  size_t size = sizeof mark - 1;
  if (brace == NULL || (size_t)(text + length - brace) < size ||
      memcmp(brace, mark, size) != 0)
    return NULL;
  return brace + size;
}

const struct ldsc_state *ldsc_findstate(const char *text, size_t length,
                                        enum ldsc_rows rows) {
  const char *end = text + length;
  const char *from = number_of_enum(text, length);
  const char *at = from != NULL ? from : text;
  from = at;
  while (at < end && *at >= '0' && *at <= '9')
    at++;
  int64_t number;
  bool whole = from != text ? at < end && *at == ',' : at == end;
  if (whole && at > from &&
      dsc_json_integer(from, (size_t)(at - from), &number))
    return by_number(number, rows);
  return by_name(text, length);
}

/* --- times ------------------------------------------------------------- */

bool ldsc_readtime(const char *text, size_t length, int64_t *seconds) {
  static const char form[] = "0000-11-22 33:44:55";
  int64_t part[6] = {0};
  if (length != sizeof form - 1)
    return false;
  for (size_t i = 0; i < length; i++) {
    bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] < '0' || form[i] > '5') {
      if (text[i] != form[i])
        return false;
      continue;
    }
    if (!digit)
      return false;
    int64_t *to = &part[form[i] - '0'];
    *to = *to * 10 + (text[i] - '0');
  }
  if (part[0] < 1 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
      part[2] > dsc_days_in_month(part[0], part[1]) || part[3] > 23 ||
      part[4] > 59 || part[5] > 59)
    return false;
  *seconds = dsc_days(part[0], part[1], part[2]) * 86400 + part[3] * 3600 +
             part[4] * 60 + part[5];
  return true;
}

/*
** Asks functions of the core what neither a binding nor the machine of a call
** ever asks them. Run by the specs of those parts:
**
**   units decisions   prints what is decided on each outcome of an attempt
**   units texts       the ends of texts, in memory that ends there
**   units full        writes JSON into buffers of each size
**   units counts      names that are none, times that no clock can tell
**   units http1       an answer in pieces, each allocation failing in turn
*/
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/http1.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/retry.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define REQUIRE(condition)                                                  \
  do {                                                                      \
    if (!(condition)) {                                                     \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);       \
      exit(EXIT_FAILURE);                                                   \
    }                                                                       \
  } while (0)

/* --- decisions ----------------------------------------------------------- */

static const struct dsc_retry_policy policies[] = {
    {3, 1, 1, DSC_JITTER_NONE, {429, 500, 503}, 3, false},
    {3, 1, 1, DSC_JITTER_NONE, {429, 500, 503}, 3, true},
};

static void print_decision(const struct dsc_outcome *outcome,
                           const struct dsc_answer *answer,
                           const struct dsc_envelope *envelope) {
  for (size_t trust = 0; trust < COUNT(policies); trust++) {
    const struct dsc_retry_policy *policy = &policies[trust];
    printf("%s %s %d %d %d %d %d %d:", dsc_kind_name(outcome->kind),
           outcome->phase == DSC_UNSENT ? "unsent" : "sent",
           (int)outcome->status, outcome->retry_after_us >= 0,
           answer != NULL && answer->content_type[0] != '\0',
           (int)outcome->code, envelope->msg_length != 0, (int)trust);
    for (int replay = DSC_READ; replay <= DSC_ONCE; replay++)
      printf(" %d", dsc_retryable(policy, (enum dsc_replay)replay, outcome));
    printf(" %d\n", dsc_may_have_acted(policy, outcome, answer, envelope));
  }
}

static void print_failures(void) {
  static const struct dsc_envelope none = {false, 0, NULL, 0, NULL, 0,
                                            NULL, 0};
  for (int kind = DSC_OK; kind < DSC_KINDS; kind++) {
    for (int phase = DSC_UNSENT; phase < DSC_PHASES; phase++) {
      struct dsc_outcome outcome = {(enum dsc_kind)kind,
                                    (enum dsc_phase)phase,
                                    false, false, 0, false, 0, -1};
      print_decision(&outcome, NULL, &none);
    }
  }
}

static void print_answers(enum dsc_kind kind, int32_t status) {
  static const char refusal[] = "status is SUCCESS, can not be recovered";
  static const int codes[] = {0, 10000, 10025, 10113};
  for (int i = 0; i < 2 * 2 * 2 * (int)COUNT(codes); i++) {
    struct dsc_outcome outcome = {kind, DSC_SENT, false, false, status, true,
                                  codes[i / 8], i % 2 == 1 ? 7 : -1};
    struct dsc_answer answer = {
        status, i / 2 % 2 == 1 ? "application/json" : "", "", "", "", "",
        0, {NULL, 0}};
    struct dsc_envelope envelope;
    memset(&envelope, 0, sizeof envelope);
    if (i / 4 % 2 == 1) {
      envelope.msg = refusal;
      envelope.msg_length = strlen(refusal);
    }
    print_decision(&outcome, &answer, &envelope);
  }
}

static void decisions(void) {
  static const enum dsc_kind kinds[] = {DSC_OK,     DSC_AUTH, DSC_THROTTLED,
                                        DSC_SERVER, DSC_HTTP, DSC_NOT_API,
                                        DSC_API};
  static const int32_t statuses[] = {199, 200, 299, 300, 401,
                                     404, 429, 500, 502, 503};
  print_failures();
  for (size_t i = 0; i < COUNT(kinds); i++)
    for (size_t j = 0; j < COUNT(statuses); j++)
      print_answers(kinds[i], statuses[j]);
}

/* --- texts --------------------------------------------------------------- */

static void texts(void) {
  char *text = (char *)calloc(1, 1);
  int64_t integer = 7;
  REQUIRE(text != NULL);
  REQUIRE(dsc_utf8_length(text + 1, text + 1) == 0);
  REQUIRE(dsc_json_integer(text + 1, 0, &integer) && integer == 0);
  REQUIRE(dsc_json_number(text + 1, 0) == 0);
  free(text);
}

/* --- full ---------------------------------------------------------------- */

static void *allocate(void *ud, void *ptr, size_t old_size, size_t size) {
  bool *starved = (bool *)ud;
  (void)old_size;
  if (size == 0)
    free(ptr);
  return size == 0 || *starved ? NULL : realloc(ptr, size);
}

static enum dsc_json_written write_string(struct dsc_buf *buf) {
  static const char text[] = "\"plain\\text\" \x01 with \xC3\xA9\n and more";
  return dsc_json_add_string(buf, text, sizeof text - 1);
}

static enum dsc_json_written write_integer(struct dsc_buf *buf) {
  return dsc_json_add_integer(buf, INT64_MIN);
}

static enum dsc_json_written write_number(struct dsc_buf *buf) {
  return dsc_json_add_number(buf, 0.1);
}

/* Too large for an integer that is exact: ".0" tells that it is none. */
static enum dsc_json_written write_large(struct dsc_buf *buf) {
  return dsc_json_add_number(buf, 9007199254740994.0);
}

/* All of it, or FULL and never a byte too many. */
static void fill(enum dsc_json_written (*write)(struct dsc_buf *buf)) {
  bool starved = false;
  const struct dsc_env env = {allocate, NULL, NULL, &starved};
  struct dsc_buf whole, buf;
  dsc_buf_init(&whole, &env, 1024);
  REQUIRE(write(&whole) == DSC_JSON_WRITTEN);
  for (size_t size = 0; size <= whole.length + 1; size++) {
    dsc_buf_init(&buf, &env, size);
    enum dsc_json_written written = write(&buf);
    REQUIRE(written == (size < whole.length ? DSC_JSON_FULL
                                            : DSC_JSON_WRITTEN));
    REQUIRE(buf.length <= size && buf.size <= size && !buf.starved);
    REQUIRE(size < whole.length ||
            memcmp(buf.data, whole.data, whole.length) == 0);
    dsc_buf_free(&buf);
  }
  starved = true;
  dsc_buf_init(&buf, &env, 1024);
  REQUIRE(write(&buf) == DSC_JSON_FULL && buf.starved && buf.length == 0);
  dsc_buf_free(&buf);
  dsc_buf_free(&whole);
}

static void full(void) {
  fill(write_string);
  fill(write_integer);
  fill(write_number);
  fill(write_large);
}

/* --- counts -------------------------------------------------------------- */

static void counts(void) {
  bool starved = false;
  const struct dsc_env env = {allocate, NULL, NULL, &starved};
  static char long_name[DSC_METRIC_NAME_MAX + 1];
  struct dsc_metrics metrics;
  dsc_metrics_init(&metrics, &env);
  memset(long_name, 'x', sizeof long_name);
  REQUIRE(dsc_metrics_register(&metrics, "", 0) == UINT32_MAX);
  REQUIRE(dsc_metrics_register(&metrics, long_name, sizeof long_name) ==
          UINT32_MAX);
  uint32_t index =
      dsc_metrics_register(&metrics, long_name, sizeof long_name - 1);
  REQUIRE(index == 0);
  dsc_metrics_call(&metrics, index, DSC_OK, INT64_MAX);
  dsc_metrics_call(&metrics, index, DSC_OK, INT64_MIN);
  const struct dsc_histogram *durations =
      &metrics.items[index].counters->durations;
  REQUIRE(durations->count == 2 && durations->min_us == 0);
  REQUIRE(durations->max_us == DSC_COUNT_MAX);
  REQUIRE(durations->total_us == DSC_COUNT_MAX);
  dsc_metrics_free(&metrics);
}

/* --- http1 --------------------------------------------------------------- */

struct meter {
  long left; /* allocations until one fails; below 0: none does */
  long blocks;
};

static void *allocate_some(void *ud, void *ptr, size_t old_size,
                           size_t size) {
  struct meter *meter = (struct meter *)ud;
  (void)old_size;
  meter->blocks += (ptr == NULL && size != 0) - (ptr != NULL && size == 0);
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  if (meter->left-- != 0)
    return realloc(ptr, size);
  meter->blocks -= ptr == NULL;
  return NULL;
}

/* Reads it byte by byte; what came last. */
static enum dsc_http1_event read_bytes(struct dsc_http1 *http1,
                                       const char *text) {
  enum dsc_http1_event event = DSC_HTTP1_MORE;
  for (; *text != '\0' && event == DSC_HTTP1_MORE; text++) {
    dsc_http1_feed(http1, text, 1);
    do
      event = dsc_http1_next(http1);
    while (event == DSC_HTTP1_FIELD || event == DSC_HTTP1_HEAD ||
           event == DSC_HTTP1_BODY);
  }
  return event;
}

static void http1(void) {
  static const char text[] =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: "
      "0123456789012345678901234567890123456789012345678901234567890123456789"
      "0123456789012345678901234567890123456789012345678901234567890123456789"
      "0123456789012345678901234567890123456789012345678901234567890123456789"
      "0123456789012345678901234567890123456789012345678901234567890123456789"
      "\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  enum dsc_http1_event event = DSC_HTTP1_FAILED;
  for (long i = 0; event != DSC_HTTP1_DONE; i++) {
    struct meter meter = {i, 0};
    const struct dsc_env env = {allocate_some, NULL, NULL, &meter};
    struct dsc_http1 reader;
    dsc_http1_init(&reader, &env, false, 5);
    event = read_bytes(&reader, text);
    REQUIRE(event == (meter.left < 0 ? DSC_HTTP1_FAILED
                                     : DSC_HTTP1_DONE));
    REQUIRE(event == DSC_HTTP1_DONE || reader.kind == DSC_MEMORY);
    dsc_http1_free(&reader);
    REQUIRE(meter.blocks == 0);
  }
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } commands[] = {
      {"decisions", decisions},
      {"texts", texts},
      {"full", full},
      {"counts", counts},
      {"http1", http1}};
  for (size_t i = 0; argc == 2 && i < COUNT(commands); i++) {
    if (strcmp(argv[1], commands[i].name) == 0) {
      commands[i].run();
      return EXIT_SUCCESS;
    }
  }
  return EXIT_FAILURE;
}

#include "core/exposition.h"

#include <string.h>

#include "core/json.h"

/* A name whose every byte is written as five. */
#define LABEL_MAX (DSC_METRIC_NAME_MAX * 5)

enum type { COUNTER, GAUGE, HISTOGRAM, INFO };

struct family {
  const char *name; /* without what its type puts behind it */
  enum type type;
  const char *unit;  /* "": none */
  const char *label; /* of what is counted apart; "": nothing is */
  const char *help;
};

struct writer {
  struct dsc_buf *buf;
  enum dsc_format format;
  bool whole; /* nothing was refused so far */
  const struct family *family, *begun; /* the one whose head was written */
  char label[LABEL_MAX];               /* operation="…", as it is written */
  size_t label_length;                 /* 0: the family has no such label */
};

/* --- bytes --------------------------------------------------------------- */

static void put(struct writer *w, const char *text, size_t length) {
  w->whole = w->whole && dsc_buf_add(w->buf, text, length);
}

static void put_text(struct writer *w, const char *text) {
  put(w, text, strlen(text));
}

static void put_number(struct writer *w, uint64_t number) {
  char digits[DSC_DIGITS_MAX];
  char *end = digits + sizeof digits, *from = dsc_digits(end, number);
  put(w, from, (size_t)(end - from));
}

/* Microseconds as seconds, exactly. */
static void put_seconds(struct writer *w, uint64_t us) {
  char digits[7] = {'.'};
  uint64_t rest = us % 1000000;
  for (size_t i = sizeof digits - 1; i > 0; i--) {
    digits[i] = (char)('0' + rest % 10);
    rest /= 10;
  }
  put_number(w, us / 1000000);
  put(w, digits, sizeof digits);
}

/* --- labels -------------------------------------------------------------- */

static bool is_plain(unsigned char byte) {
  return byte >= ' ' && byte < 0x7F && byte != '"' && byte != '\\';
}

static bool is_replacement(const char *text, size_t length) {
  return length == 3 && memcmp(text, "\xEF\xBF\xBD", 3) == 0;
}

/*
** What can't stand in a label, a control byte or one that is no UTF-8, becomes
** U+FFFD and two hexadecimal digits. So do the bytes of U+FFFD itself: two
** names are never written alike.
*/
static size_t escape_byte(char *out, char byte) {
  static const char hex[] = "0123456789abcdef";
  memcpy(out, "\xEF\xBF\xBD", 3);
  out[3] = hex[(unsigned char)byte >> 4];
  out[4] = hex[(unsigned char)byte & 15];
  return 5;
}

/* Writes one character, or one byte that is none; how many bytes it was. */
static size_t escape(struct writer *w, const char *at, const char *end) {
  char *out = w->label + w->label_length;
  size_t length = is_plain((unsigned char)*at) ? 1 : 0;
  if (length == 0 && (unsigned char)*at >= 0x80)
    length = dsc_utf8_length(at, end);
  if (length > 0 && !is_replacement(at, length)) {
    memcpy(out, at, length);
    w->label_length += length;
    return length;
  }
  if (*at == '"' || *at == '\\' || *at == '\n') {
    out[0] = '\\';
    out[1] = *at == '\n' ? 'n' : *at;
    w->label_length += 2;
  } else {
    w->label_length += escape_byte(out, *at);
  }
  return 1;
}

/* Any bytes: a name is what the user gave. */
static void set_label(struct writer *w, const char *name, size_t length) {
  if (length > DSC_METRIC_NAME_MAX)
    length = DSC_METRIC_NAME_MAX;
  const char *const end = name + length;
  w->label_length = 0;
  while (name < end)
    name += escape(w, name, end);
}

/* --- families and their samples ------------------------------------------ */

static const char *suffix_of(enum type type) {
  return type == COUNTER ? "_total" : type == INFO ? "_info" : "";
}

static void put_line(struct writer *w, const char *what, const char *text) {
  put_text(w, "# ");
  put_text(w, what);
  put_text(w, " ");
  put_text(w, w->family->name);
  if (w->format == DSC_PROMETHEUS)
    put_text(w, suffix_of(w->family->type));
  put_text(w, " ");
  put_text(w, text);
  put_text(w, "\n");
}

/* Only OpenMetrics has units, and the type of what never changes; and there
** the head is of the family, not of its samples. */
static void put_head(struct writer *w) {
  static const char *const types[] = {"counter", "gauge", "histogram", "info"};
  const struct family *family = w->family;
  bool open = w->format == DSC_OPENMETRICS;
  put_line(w, "TYPE", types[!open && family->type == INFO ? GAUGE
                                                         : family->type]);
  if (open && family->unit[0] != '\0')
    put_line(w, "UNIT", family->unit);
  put_line(w, "HELP", family->help);
  w->begun = family;
}

/* All of a sample but its number; value: of the family's own label, or "". */
static void begin_sample(struct writer *w, const char *suffix,
                         const char *value) {
  if (w->begun != w->family)
    put_head(w);
  put_text(w, w->family->name);
  put_text(w, suffix);
  bool labelled = w->family->label[0] != '\0' && value[0] != '\0';
  if (w->label_length > 0) {
    put_text(w, "{operation=\"");
    put(w, w->label, w->label_length);
    put_text(w, labelled ? "\"," : "\"} ");
  } else {
    put_text(w, labelled ? "{" : " ");
  }
  if (labelled) {
    put_text(w, w->family->label);
    put_text(w, "=\"");
    put_text(w, value);
    put_text(w, "\"} ");
  }
}

static void put_sample(struct writer *w, const char *value, uint64_t number) {
  begin_sample(w, suffix_of(w->family->type), value);
  put_number(w, number);
  put(w, "\n", 1);
}

/* A series begins with its first event. */
static void put_count(struct writer *w, const char *value, uint64_t count) {
  if (count > 0)
    put_sample(w, value, count);
}

static void put_kinds(struct writer *w, const uint64_t *counts, int count) {
  for (int end = DSC_OK; end < count; end++)
    put_count(w, dsc_end_name(end), counts[end]);
}

/* --- what is counted of an operation ------------------------------------- */

static void put_calls(struct writer *w, const struct dsc_counters *counters) {
  put_kinds(w, counters->calls, DSC_ENDS);
}

/* As other clients of Prometheus write them: the canonical numbers of
** OpenMetrics, so that a bound is one series in both formats. */
static const char *const bounds[DSC_BOUNDS + 1] = {
    "0.005", "0.01", "0.025", "0.05", "0.075", "0.1",  "0.25", "0.5",
    "0.75",  "1.0",  "2.5",   "5.0",  "7.5",   "10.0", "+Inf"};

static void put_durations(struct writer *w,
                          const struct dsc_counters *counters) {
  const struct dsc_histogram *durations = &counters->durations;
  uint64_t count = 0;
  if (durations->count == 0)
    return;
  for (size_t i = 0; i <= DSC_BOUNDS; i++) {
    dsc_count_add(&count, durations->within[i]);
    begin_sample(w, "_bucket", bounds[i]);
    put_number(w, count);
    put(w, "\n", 1);
  }
  begin_sample(w, "_sum", "");
  put_seconds(w, durations->total_us);
  put(w, "\n", 1);
  begin_sample(w, "_count", "");
  put_number(w, count);
  put(w, "\n", 1);
}

static void put_attempts(struct writer *w,
                         const struct dsc_counters *counters) {
  put_kinds(w, counters->attempts, DSC_KINDS);
}

static void put_look_ups(struct writer *w,
                         const struct dsc_counters *counters) {
  put_count(w, "hit", counters->calls[DSC_END_CACHED]);
  put_count(w, "stale", counters->calls[DSC_END_STALE]);
  put_count(w, "miss", counters->missed);
}

static void put_received(struct writer *w,
                         const struct dsc_counters *counters) {
  put_count(w, "", counters->bytes_in);
}

static void put_sent(struct writer *w, const struct dsc_counters *counters) {
  put_count(w, "", counters->bytes_out);
}

static void put_fates(struct writer *w, const uint64_t *fates) {
  static const char *const names[] = {"issued", "used", "wasted"};
  for (int fate = 0; fate < DSC_FATES; fate++)
    put_count(w, names[fate], fates[fate]);
}

static void put_prefetches(struct writer *w,
                           const struct dsc_counters *counters) {
  put_fates(w, counters->ahead[DSC_PREFETCH]);
}

static void put_refreshes(struct writer *w,
                          const struct dsc_counters *counters) {
  put_fates(w, counters->ahead[DSC_REFRESH]);
}

static const struct {
  struct family family;
  void (*put)(struct writer *w, const struct dsc_counters *counters);
} per_operation[] = {
    {{"dsclient_calls", COUNTER, "", "outcome",
      "Calls by how they ended: ok, cached, stale, or the kind of the error."},
     put_calls},
    {{"dsclient_call_duration_seconds", HISTOGRAM, "seconds", "le",
      "Time of calls that asked the server, with all waits and repeats."},
     put_durations},
    {{"dsclient_attempts", COUNTER, "", "result",
      "Requests, sent or not, by what came of them."},
     put_attempts},
    {{"dsclient_cache_requests", COUNTER, "", "result",
      "Look-ups in the cache: hit, miss, or stale, after a miss."},
     put_look_ups},
    {{"dsclient_prefetches", COUNTER, "", "fate",
      "Results fetched because they will be asked for: issued, used, wasted."},
     put_prefetches},
    {{"dsclient_refreshes", COUNTER, "", "fate",
      "Results fetched anew before their time: issued, used, wasted."},
     put_refreshes},
    {{"dsclient_received_bytes", COUNTER, "bytes", "",
      "Bytes of answers as they came, heads included."},
     put_received},
    {{"dsclient_sent_bytes", COUNTER, "bytes", "",
      "Bytes of requests as they went, heads included."},
     put_sent},
};

static void put_operations(struct writer *w,
                           const struct dsc_metrics *metrics) {
  for (size_t i = 0; i < sizeof per_operation / sizeof *per_operation; i++) {
    w->family = &per_operation[i].family;
    for (uint32_t place = 0; place < metrics->count; place++) {
      const struct dsc_metric *item =
          &metrics->items[metrics->sorted[place]];
      set_label(w, item->name, item->name_length);
      per_operation[i].put(w, item->counters);
    }
  }
  w->label_length = 0;
}

/* --- what is told of all together ---------------------------------------- */

static void put_retries(struct writer *w, const struct dsc_metrics *metrics) {
  static const struct family family = {
      "dsclient_retries", COUNTER, "", "reason",
      "Repeated requests, by the failure that made them needed."};
  uint64_t counts[DSC_KINDS] = {0};
  w->family = &family;
  for (uint32_t i = 0; i < metrics->count; i++)
    for (int kind = DSC_OK; kind < DSC_KINDS; kind++)
      dsc_count_add(&counts[kind],
                    metrics->items[i].counters->retries[kind]);
  put_kinds(w, counts, DSC_KINDS);
}

static const struct family cache_bytes = {
    "dsclient_cache_bytes", GAUGE, "bytes", "",
    "What the cache holds: keys, values and objects."};
static const struct family cache_entries = {
    "dsclient_cache_entries", GAUGE, "", "", "Entries of the cache."};
static const struct family connections = {
    "dsclient_connections", GAUGE, "", "state",
    "Connections in use and idle, and calls that wait for one."};
static const struct family connections_max = {
    "dsclient_connections_max", GAUGE, "", "",
    "So many connections may be in use: pool_maxsize."};
static const struct family breaker = {
    "dsclient_breaker_state", GAUGE, "", "state",
    "Servers whose circuit breaker is in this state."};
static const struct family retry_tokens = {
    "dsclient_retry_tokens", GAUGE, "", "",
    "What is left to pay repeats with, of 500."};

/* Those of a family stand together. */
static const struct {
  const struct family *family;
  const char *value; /* of its label */
  const char *name;
} gauges_by_number[DSC_GAUGES] = {
    {&cache_bytes, "", "cache_bytes"},
    {&cache_entries, "", "cache_entries"},
    {&connections, "active", "connections_active"},
    {&connections, "idle", "connections_idle"},
    {&connections, "waiting", "connections_waiting"},
    {&connections_max, "", "connections_max"},
    {&breaker, "closed", "breakers_closed"},
    {&breaker, "open", "breakers_open"},
    {&breaker, "half-open", "breakers_half_open"},
    {&retry_tokens, "", "retry_tokens"},
};

void dsc_gauges_init(struct dsc_gauges *gauges) {
  for (int i = 0; i < DSC_GAUGES; i++)
    gauges->values[i] = -1;
}

const char *dsc_gauge_name(enum dsc_gauge gauge) {
  return gauges_by_number[gauge].name;
}

static void put_gauges(struct writer *w, const struct dsc_gauges *gauges) {
  for (int i = 0; i < DSC_GAUGES; i++) {
    w->family = gauges_by_number[i].family;
    if (gauges->values[i] >= 0)
      put_sample(w, gauges_by_number[i].value, (uint64_t)gauges->values[i]);
  }
}

static void put_build_label(struct writer *w, const char *name,
                            const char *value) {
  put_text(w, name);
  put_text(w, "=\"");
  set_label(w, value, strlen(value));
  put(w, w->label, w->label_length);
  put_text(w, "\"");
}

static void put_build(struct writer *w, const struct dsc_build *build) {
  static const struct family family = {"dsclient_build", INFO, "", "",
                                       "The program that tells this."};
  w->family = &family;
  put_head(w);
  put_text(w, "dsclient_build_info{");
  put_build_label(w, "version", build->version);
  put_text(w, ",");
  put_build_label(w, "lua", build->lua);
  put_text(w, "} 1\n");
}

bool dsc_exposition_write(struct dsc_buf *buf, enum dsc_format format,
                          const struct dsc_metrics *metrics,
                          const struct dsc_gauges *gauges,
                          const struct dsc_build *build) {
  struct writer w;
  memset(&w, 0, sizeof w);
  w.buf = buf;
  w.format = format;
  w.whole = true;
  put_operations(&w, metrics);
  put_retries(&w, metrics);
  put_gauges(&w, gauges);
  put_build(&w, build);
  if (format == DSC_OPENMETRICS)
    put_text(&w, "# EOF\n");
  return w.whole;
}

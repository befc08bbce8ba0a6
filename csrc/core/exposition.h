/*
** Counters as text that Prometheus reads: its own format (0.0.4), or
** OpenMetrics 1.0. What a family means stands in its HELP line; docs/metrics.md
** says more.
**
** A series is there from its first event on; gauges are there where they are
** known. Families have a fixed order, operations are sorted by name, outcomes
** are in the order of enum dsc_kind: the same numbers give the same text.
*/
#ifndef DSC_EXPOSITION_H
#define DSC_EXPOSITION_H

#include "core/buf.h"
#include "core/metrics.h"

enum dsc_format { DSC_PROMETHEUS, DSC_OPENMETRICS };

/* How a client stands at the moment: one sample each. */
enum dsc_gauge {
  DSC_GAUGE_CACHE_BYTES,
  DSC_GAUGE_CACHE_ENTRIES,
  DSC_GAUGE_CONNECTIONS_ACTIVE,  /* requests under way */
  DSC_GAUGE_CONNECTIONS_IDLE,    /* open, for the next request */
  DSC_GAUGE_CONNECTIONS_WAITING, /* calls that wait for one */
  DSC_GAUGE_CONNECTIONS_MAX,
  DSC_GAUGE_BREAKERS_CLOSED, /* servers whose circuit breaker is so */
  DSC_GAUGE_BREAKERS_OPEN,
  DSC_GAUGE_BREAKERS_HALF_OPEN,
  DSC_GAUGE_RETRY_TOKENS,
  DSC_GAUGES
};

struct dsc_gauges {
  int64_t values[DSC_GAUGES]; /* below 0: not known, not told */
};

void dsc_gauges_init(struct dsc_gauges *gauges);
/* The name under which a caller gives a value, as "connections_active". */
const char *dsc_gauge_name(enum dsc_gauge gauge);

/* What is told of the program; as much as a name of an operation may have. */
struct dsc_build {
  const char *version, *lua;
};

/*
** Appends the text. False where the buffer is full or there is no memory: what
** is in it then is not whole.
*/
bool dsc_exposition_write(struct dsc_buf *buf, enum dsc_format format,
                          const struct dsc_metrics *metrics,
                          const struct dsc_gauges *gauges,
                          const struct dsc_build *build);

#endif

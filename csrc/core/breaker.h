/*
** A circuit breaker: closed, it counts; open, it fails fast; half-open, it
** lets one probe through at a time.
**
** The permit of a probe is a lease: a probe that never reports back gives way
** to the next one when its lease is over, so half-open has always an exit.
*/
#ifndef DSC_BREAKER_H
#define DSC_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/* No longer than this is it open. */
#define DSC_BREAKER_OPEN_MAX_US INT64_C(8000000)

/* What is counted lies in the last ten seconds, by the second. */
#define DSC_BREAKER_BUCKETS 10

enum dsc_breaker_state {
  DSC_STATE_CLOSED,
  DSC_STATE_OPEN,
  DSC_STATE_HALF_OPEN
};

/* What a request tells of the part that the breaker guards. */
enum dsc_health {
  DSC_HEALTH_UNKNOWN, /* nothing: it was ended by us, or failed elsewhere */
  DSC_HEALTH_GOOD,
  DSC_HEALTH_DOUBTFUL, /* bad for a probe, nothing for others */
  DSC_HEALTH_BAD
};

struct dsc_breaker {
  enum dsc_breaker_state state;
  int64_t second; /* of the newest bucket */
  struct {
    uint32_t calls, failures;
  } buckets[DSC_BREAKER_BUCKETS];
  int64_t since_us;  /* in this state */
  int64_t open_us;   /* how long it stays open the next time */
  int64_t until_us;  /* open: until then; half-open: the lease of the probe */
  uint32_t permit;   /* another one with each opening and each probe */
  uint32_t opened;   /* the one of the last opening */
};

void dsc_breaker_init(struct dsc_breaker *breaker, int64_t now_us);

/* Would a request be let through now? */
bool dsc_breaker_would_allow(const struct dsc_breaker *breaker,
                             int64_t now_us);

/*
** The request goes out, having been allowed: the permit is what its report
** shows. Until then, but two seconds at most, a probe is the only one.
*/
uint32_t dsc_breaker_permit(struct dsc_breaker *breaker, int64_t now_us,
                            int64_t lease_until_us);

/*
** How a request ended; may never come. One that went out before the breaker
** opened last says nothing of now, nor does the failure of a probe after which
** another one went out. True where the state has changed by it.
*/
bool dsc_breaker_report(struct dsc_breaker *breaker, int64_t now_us,
                        uint32_t permit, enum dsc_health health);

/* The state as it is at this time. */
enum dsc_breaker_state dsc_breaker_at(const struct dsc_breaker *breaker,
                                      int64_t now_us);

/* What it counted in the last ten seconds. */
void dsc_breaker_counts(const struct dsc_breaker *breaker, int64_t now_us,
                        uint64_t *calls, uint64_t *failures);

/* "closed", "open", "half-open" */
const char *dsc_breaker_name(enum dsc_breaker_state state);

#endif
